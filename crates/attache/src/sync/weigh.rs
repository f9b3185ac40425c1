//! Counts the files that a briefcase would bring, with their bytes, at the server.

use super::Run;
use super::prepare::Node;
use super::soql::{self, Statement};
use super::survey::{NOT_JOINED, Surveyed, counting, joins};
use crate::briefcase::{Briefcase, FilesPolicy};
use crate::dry_run::FilesEstimate;
use crate::error::{Error, ErrorKind, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The sums of a statement of [`sums`]. Of no files there is no sum.
#[derive(Deserialize)]
struct SumsDoc {
    files: f64,
    bytes: Option<f64>,
}

impl Run<'_> {
    /// Counts the files of each object whose policy wants bytes: one question for each object.
    pub(super) async fn weigh_files(
        &mut self,
        briefcase: &Briefcase,
        nodes: &[Node],
        rules: &[Surveyed],
        counted: &mut BTreeMap<String, u64>,
    ) -> Result<Vec<FilesEstimate>> {
        let objects: BTreeSet<&str> = rules.iter().map(|rule| rule.object.as_str()).collect();
        let mut estimates = Vec::new();
        for object in objects {
            self.check_cancelled()?;
            let Some(policy @ FilesPolicy::Bodies { .. }) = briefcase.options(object).files else {
                continue;
            };
            let of_object: Vec<(&Node, &Surveyed)> = nodes
                .iter()
                .zip(rules)
                .filter(|(_, rule)| rule.object == object)
                .collect();
            let estimate = self.weigh(object, &policy, &of_object, counted).await?;
            estimates.push(estimate);
        }
        Ok(estimates)
    }

    async fn weigh(
        &mut self,
        object: &str,
        policy: &FilesPolicy,
        rules: &[(&Node, &Surveyed)],
        counted: &mut BTreeMap<String, u64>,
    ) -> Result<FilesEstimate> {
        let mut estimate = FilesEstimate {
            object: object.to_owned(),
            files: None,
            bytes: None,
            exact: false,
        };
        // No statement can choose these objects' records and name the files' other end.
        if NOT_JOINED.contains(&object) {
            return Ok(estimate);
        }
        let chosen = chosen(rules);
        let soql = sums(object, chosen.clone().unwrap_or_default(), policy);
        let page = match self.remote.query(&soql).await {
            Ok(page) => page,
            // What a server sums up is its own affair, and no reason to tell nothing of the records.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::MalformedQuery | ErrorKind::RemoteRefused
                ) =>
            {
                return Ok(estimate);
            }
            Err(error) => return Err(error),
        };
        let sums = page.records.first();
        let sums = sums.and_then(|record| serde_json::from_str::<SumsDoc>(record.get()).ok());
        let sums = sums.ok_or_else(|| {
            Error::new(
                ErrorKind::NotARemote,
                "the server answered with a sum that cannot be read",
            )
        })?;
        let share = match chosen {
            Some(_) => 1.0,
            None => {
                let taken: u64 = rules.iter().map(|(_, rule)| rule.taken()).sum();
                let soql = counting(object, None, Vec::new());
                let all = self.count_once(soql, counted).await?;
                (taken as f64 / all.max(1) as f64).min(1.0)
            }
        };
        estimate.exact = chosen.is_some();
        estimate.files = Some((sums.files * share).round() as u64);
        estimate.bytes = Some((sums.bytes.unwrap_or(0.0) * share).round() as u64);
        Ok(estimate)
    }
}

/// The conditions under which any of an object's rules chooses a record; none of all records. `None` where no inner
/// statement can say it.
fn chosen(rules: &[(&Node, &Surveyed)]) -> Option<Vec<String>> {
    let mut any = Vec::with_capacity(rules.len());
    for (node, rule) in rules {
        let plain = !node.is_related()
            && node.scope.is_none()
            && rule.taken() == rule.matches
            && joins(&node.conditions) == 0;
        if !plain {
            return None;
        }
        let all = node.conditions.iter().map(|one| format!("({one})"));
        any.push(all.collect::<Vec<_>>().join(" AND "));
    }
    if any.iter().any(String::is_empty) {
        return Some(Vec::new());
    }
    let any: Vec<String> = any.into_iter().map(|one| format!("({one})")).collect();
    Some(vec![any.join(" OR ")])
}

/// The statement that counts the files that a policy takes, of the records that meet these conditions.
fn sums(object: &str, records: Vec<String>, policy: &FilesPolicy) -> String {
    let ends = Statement {
        fields: "Id",
        object,
        scope: None,
        conditions: records,
        tail: "",
    };
    let mut conditions = vec![format!("LinkedEntityId IN ({})", ends.print())];
    if let FilesPolicy::Bodies { bytes_max, types } = policy {
        conditions.extend(bytes_max.map(|max| format!("ContentDocument.ContentSize <= {max}")));
        if !types.is_empty() {
            let types = soql::list(types);
            conditions.push(format!("ContentDocument.FileExtension IN ({types})"));
        }
    }
    let statement = Statement {
        fields: "COUNT(Id) files, SUM(ContentDocument.ContentSize) bytes",
        object: "ContentDocumentLink",
        scope: None,
        conditions,
        tail: "",
    };
    statement.print()
}
