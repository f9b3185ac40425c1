//! What a briefcase would bring and take away, before it is set.

use crate::briefcase::{Briefcase, Source};
use crate::engine::Attache;
use crate::error::Result;
use crate::record::Value;
use crate::store::{Reading, RuleState};
use crate::sync::{Settings, Survey, Surveyed};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// Records in a page, at most.
const PAGE_ROWS_MAX: u64 = 2_000;

/// Questions that travel in one call (reference, section 6.2).
const QUESTIONS_PER_CALL: u64 = 25;

/// What setting a briefcase would do: see [`Attache::dry_run`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DryRun {
    /// The rules, each before those that hang on it.
    pub rules: Vec<RuleEstimate>,
    /// Records that the next session would bring, at most: one that several rules match is counted for each.
    pub download: u64,
    /// About how many bytes these have.
    pub download_bytes: u64,
    /// Records of this device that nothing would hold any more. Those that only a new rule holds whose scope
    /// the server alone can evaluate are among them: they would come back.
    pub evict: u64,
    /// About how many bytes these have.
    pub evict_bytes: u64,
    /// The files that would come along, of each object whose files do.
    pub files: Vec<FilesEstimate>,
    /// About how many calls the next session would take. Those for files come on top: one for each 2,000 records,
    /// and one for each 4 MiB of a file.
    pub calls: u64,
    /// Calls that the dry run itself took.
    pub calls_made: u64,
}

/// What a rule would hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleEstimate {
    /// The rule's name.
    pub rule: String,
    /// The object of its records.
    pub object: String,
    /// Records at the server that it matches.
    pub matches: u64,
    /// The server counted them. If not, they were estimated: of children by how many a parent has on
    /// average, of a rule that is in force by what it held after the last session.
    pub exact: bool,
    /// The rule's limit.
    pub limit: Option<u32>,
    /// Records that it would hold: what it matches, as far as its limit lets in.
    pub records: u64,
    /// About how many bytes these have.
    pub bytes: u64,
    /// Records of this device that it would hold.
    pub here: u64,
}

/// The files of an object's records whose bytes would come along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FilesEstimate {
    /// The object.
    pub object: String,
    /// Files that the policy takes, those that are here already among them. One that hangs on several records counts
    /// for each. `None`: the server cannot count them, as those of tasks and events.
    pub files: Option<u64>,
    /// How many bytes these have.
    pub bytes: Option<u64>,
    /// The server counted the files of just these records. If not, it is their share of those of all records of the
    /// object.
    pub exact: bool,
}

impl RuleEstimate {
    /// Says whether the limit would leave records out.
    pub fn is_truncated(&self) -> bool {
        self.records < self.matches
    }

    /// Records that would have to be brought here.
    pub fn download(&self) -> u64 {
        self.records.saturating_sub(self.here)
    }
}

impl Attache {
    /// Tells what setting a briefcase would bring and take away. Nothing is changed by it, at the server or here.
    ///
    /// What rules match is counted by the server: exactly for a rule that
    /// chooses by itself, and for related ones where the server can join the
    /// two. The others are estimated, and say so.
    ///
    /// # Errors
    /// Those of [`prepare`](Attache::prepare): a briefcase that the org cannot follow is refused.
    ///
    /// # Cost
    /// A call for the identity of the user, one for the describe of each object that is new here, up to two
    /// for each rule, one for each object of which no record is here to tell the size, and up to two for each
    /// object whose files come along. Goes once through the records of this device.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn ask(attache: attache::Attache, briefcase: attache::Briefcase) -> attache::Result<()> {
    /// let would = attache.dry_run(&briefcase).await?;
    /// println!("{} records to bring, {} to evict", would.download, would.evict);
    /// for rule in would.rules.iter().filter(|rule| rule.is_truncated()) {
    ///     println!("{}: {} of {}", rule.rule, rule.records, rule.matches);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn dry_run(&self, briefcase: &Briefcase) -> Result<DryRun> {
        let mut errand = self.errand()?;
        let survey = errand.run().survey(briefcase.clone()).await?;
        let known = self.store.read(|r| r.rules())?;
        let members = self.members(&survey, &known)?;
        let size = |object: &str| survey.bytes.get(object).copied().unwrap_or(0);
        let rules: Vec<RuleEstimate> = survey
            .rules
            .iter()
            .zip(&members)
            .map(|(rule, members)| RuleEstimate {
                rule: rule.name.clone(),
                object: rule.object.clone(),
                matches: rule.matches,
                exact: rule.exact,
                limit: rule.limit,
                records: rule.taken(),
                bytes: rule.taken() * size(&rule.object),
                here: members.count(),
            })
            .collect();
        let (evict, evict_bytes) = self.store.read(|r| evicted(r, &survey, &known, &members))?;
        let bytes = |rule: &RuleEstimate| rule.download() * size(&rule.object);
        let calls = self.store.read(|r| calls(r, &survey, &rules, &known))?;
        Ok(DryRun {
            download: rules.iter().map(RuleEstimate::download).sum(),
            download_bytes: rules.iter().map(bytes).sum(),
            evict,
            evict_bytes,
            calls,
            calls_made: survey.calls,
            files: survey.files,
            rules,
        })
    }

    /// What each rule would hold of the records of this device.
    fn members(&self, survey: &Survey, known: &[RuleState]) -> Result<Vec<Members>> {
        let mut members: Vec<Members> = Vec::with_capacity(survey.rules.len());
        for rule in &survey.rules {
            let of = match known.iter().find(|known| known.key == rule.key) {
                Some(known) => Members::InForce(self.ids_of_rule(known)?),
                None => Members::New(self.matched_here(rule, &members, survey)),
            };
            members.push(of);
        }
        Ok(members)
    }

    fn ids_of_rule(&self, rule: &RuleState) -> Result<HashSet<String>> {
        self.store.read(|r| {
            let members = r.members(r.catalogue.known(&rule.object)?, rule.mask)?;
            Ok(members.into_iter().map(|(id, _)| id).collect())
        })
    }

    /// What a new rule matches here. Nothing can be told of what this device does not carry, or cannot evaluate.
    fn matched_here(
        &self,
        rule: &Surveyed,
        before: &[Members],
        survey: &Survey,
    ) -> HashSet<String> {
        let found = match (&rule.source, &rule.conditions) {
            (Source::Children { of, field }, Some(conditions)) => {
                let parents = before[*of].ids();
                self.pairs(&rule.object, field, conditions).map(|pairs| {
                    let led = pairs.into_iter().filter(|(_, to)| parents.contains(to));
                    led.map(|(id, _)| id).collect()
                })
            }
            (Source::Parents { of, field }, Some(conditions)) => {
                let children = before[*of].ids();
                self.pairs(&survey.rules[*of].object, field, &[])
                    .and_then(|pairs| {
                        let led = pairs.into_iter().filter(|(id, _)| children.contains(id));
                        let led: HashSet<String> = led.map(|(_, to)| to).collect();
                        let parents = self.pairs(&rule.object, "Id", conditions)?;
                        let ids = parents.into_iter().map(|(id, _)| id);
                        Ok(ids.filter(|id| led.contains(id)).collect())
                    })
            }
            (_, Some(conditions)) => {
                let limit = rule.limit.map(|limit| format!(" LIMIT {limit}"));
                let tail = format!(" ORDER BY {}{}", rule.order, limit.unwrap_or_default());
                self.selected(&rule.object, "Id", conditions, &tail)
                    .map(|pairs| pairs.into_iter().map(|(id, _)| id).collect())
            }
            (_, None) => Ok(HashSet::new()),
        };
        found.unwrap_or_default()
    }

    fn pairs(
        &self,
        object: &str,
        field: &str,
        conditions: &[String],
    ) -> Result<Vec<(String, String)>> {
        self.selected(object, field, conditions, "")
    }

    /// Ids of records here that meet all conditions, each with the id that a field holds.
    fn selected(
        &self,
        object: &str,
        field: &str,
        conditions: &[String],
        tail: &str,
    ) -> Result<Vec<(String, String)>> {
        let fields = if field == "Id" {
            "Id".to_owned()
        } else {
            format!("Id, {field}")
        };
        let conditions: Vec<String> = conditions.iter().map(|one| format!("({one})")).collect();
        let conditions = match conditions.as_slice() {
            [] => String::new(),
            some => format!(" WHERE {}", some.join(" AND ")),
        };
        let rows = self.query(&format!("SELECT {fields} FROM {object}{conditions}{tail}"))?;
        let text =
            |value: Option<&Value>| value.and_then(|value| value.as_text().map(str::to_owned));
        Ok(rows
            .filter_map(|row| {
                Some((
                    text(row.get("Id"))?,
                    text(row.get(field)).unwrap_or_default(),
                ))
            })
            .collect())
    }
}

/// Current ids of the records of this device that a rule would hold.
enum Members {
    /// Of a rule that is in force: what it holds.
    InForce(HashSet<String>),
    /// Of a new rule: what it matches here.
    New(HashSet<String>),
}

impl Members {
    fn ids(&self) -> &HashSet<String> {
        match self {
            Members::InForce(ids) | Members::New(ids) => ids,
        }
    }

    fn count(&self) -> u64 {
        self.ids().len() as u64
    }
}

/// Counts the records that some rule holds now, and nothing would.
fn evicted(
    reading: &Reading<'_>,
    survey: &Survey,
    known: &[RuleState],
    members: &[Members],
) -> Result<(u64, u64)> {
    let mut others: HashSet<String> = HashSet::new();
    others.extend(reading.pins()?.into_iter().map(|pin| pin.record));
    others.extend(reading.recents()?.into_iter().map(|recent| recent.record));
    others.extend(reading.entries()?.into_iter().map(|entry| entry.record));
    others.extend(reading.needs()?.into_iter().map(|need| need.target));
    let (mut records, mut bytes) = (0, 0);
    for table in reading.catalogue.tables() {
        let object = &table.object.name;
        let stays = |rule: &&RuleState| {
            rule.object == *object && survey.rules.iter().any(|new| new.key == rule.key)
        };
        let kept = known
            .iter()
            .filter(stays)
            .fold(0, |mask, rule| mask | rule.mask);
        let new: Vec<&HashSet<String>> = survey
            .rules
            .iter()
            .zip(members)
            .filter(|(rule, members)| rule.object == *object && matches!(members, Members::New(_)))
            .map(|(_, members)| members.ids())
            .collect();
        let mut gone = 0;
        reading.each_member(table, |id, rules| {
            let held = rules & kept != 0
                || others.contains(&id)
                || new.iter().any(|ids| ids.contains(&id));
            gone += u64::from(!held);
        })?;
        if gone > 0 {
            records += gone;
            bytes += gone * reading.record_bytes(table)?.unwrap_or(0);
        }
    }
    Ok((records, bytes))
}

/// About how many calls a session would take that finds nothing changed.
fn calls(
    reading: &Reading<'_>,
    survey: &Survey,
    rules: &[RuleEstimate],
    known: &[RuleState],
) -> Result<u64> {
    // Beside those that come first: the changes of each object that was loaded.
    let mut calls = survey.first_calls;
    let mut objects: BTreeMap<&str, ()> = BTreeMap::new();
    let mut windows = 0u64;
    for (surveyed, rule) in survey.rules.iter().zip(rules) {
        if objects.insert(&surveyed.object, ()).is_none()
            && reading.low(&surveyed.object)?.is_some()
        {
            windows += 1;
        }
        if known
            .iter()
            .any(|known| known.key == surveyed.key && known.loaded)
        {
            continue;
        }
        let pages = |rows: u64| rows.div_ceil(PAGE_ROWS_MAX);
        calls += match &surveyed.source {
            Source::Children { of, .. } | Source::Parents { of, .. } => {
                let keys = rules[*of].records;
                let keys = match surveyed.source {
                    Source::Parents { .. } => keys.min(rule.matches),
                    _ => keys,
                };
                let asked = keys.div_ceil(Settings::default().ids_per_query_max as u64);
                asked.max(pages(rule.records))
            }
            // Ids first, then the records, and a count if the limit is full.
            _ if rule.limit.is_some() => {
                pages(rule.records).max(1) + pages(rule.download()) + u64::from(rule.is_truncated())
            }
            _ => pages(rule.records).max(1),
        };
    }
    // What changed, and what was deleted.
    Ok(calls + (2 * windows).div_ceil(QUESTIONS_PER_CALL))
}
