//! Finds out what became of writes that were never answered.
//!
//! An update or a delete in doubt is settled by reading its record. A create is
//! looked for at the server before it is ever sent again: under its client key
//! where it has one, else among what this user created since it was sent.

use super::Run;
use super::scan::Pages;
use super::soql::{self, Statement};
use crate::error::Result;
use crate::json::RecordReader;
use crate::merge;
use crate::outcome::{MutationKind, Phase};
use crate::plan::Outgoing;
use crate::record::{Fields, ServerTime, Value};
use crate::store::{Durability, Entry, Settlement, State, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far the stamp of a create may lie before the time that we last knew of the server when we sent it.
const CLOCK_SLACK_SECONDS: i64 = 60;

/// A create without an answer.
struct Doubt {
    write: Outgoing,
    sent_after: Option<ServerTime>,
}

impl Run<'_> {
    pub(super) async fn resolve_doubt(&mut self) -> Result<()> {
        self.store
            .write(Durability::Durable, |w| w.doubt_copies())?;
        let entries = self.store.read(|r| r.entries())?;
        let unanswered: Vec<&Entry> = entries
            .iter()
            .filter(|entry| matches!(entry.state, State::Sending | State::InDoubt))
            .filter(|entry| !self.gone.contains(&entry.object))
            .collect();
        if unanswered.is_empty() {
            return Ok(());
        }
        let created: BTreeSet<&str> = unanswered
            .iter()
            .filter(|entry| entry.kind == MutationKind::Create)
            .map(|entry| entry.record.as_str())
            .collect();
        let mut creates: BTreeMap<String, Vec<Doubt>> = BTreeMap::new();
        let mut others: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in &unanswered {
            if !created.contains(entry.record.as_str()) {
                others
                    .entry(entry.object.clone())
                    .or_default()
                    .insert(entry.record.clone());
            } else if entry.kind == MutationKind::Create {
                creates
                    .entry(entry.object.clone())
                    .or_default()
                    .push(doubt(entry, &unanswered));
            }
        }
        for (object, ids) in others {
            let table = Arc::clone(self.store.catalogue().known(&object)?);
            let ids: Vec<String> = ids.into_iter().collect();
            self.read_by_id(Phase::Prepare, &table, &ids, 0).await?;
        }
        let keys = self.client_keys()?;
        for (object, doubts) in creates {
            let table = Arc::clone(self.store.catalogue().known(&object)?);
            let (keyed, plain): (Vec<Doubt>, Vec<Doubt>) = doubts.into_iter().partition(|doubt| {
                keys.get(&object).is_some_and(|key| {
                    doubt.write.client_key.is_some() && !doubt.write.fields.contains(key)
                })
            });
            if let Some(key) = keys.get(&object) {
                self.find_by_key(&table, key, keyed).await?;
            }
            self.find_by_content(&table, plain).await?;
        }
        Ok(())
    }

    /// Looks once more for records that were edited here and seemed deleted: one that is back needs no answer.
    pub(super) async fn find_lost(&mut self) -> Result<()> {
        let mut objects: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (object, record) in self.store.read(|r| r.lost())? {
            if !self.gone.contains(&object) {
                objects.entry(object).or_default().push(record);
            }
        }
        for (object, ids) in objects {
            let table = Arc::clone(self.store.catalogue().known(&object)?);
            self.read_by_id(Phase::Prepare, &table, &ids, 0).await?;
        }
        Ok(())
    }

    /// Looks creates up by their keys. One that is not there may be sent again: its key makes a second record impossible.
    async fn find_by_key(&mut self, table: &Table, key: &str, doubts: Vec<Doubt>) -> Result<()> {
        for chunk in doubts.chunks(self.settings.ids_per_query_max) {
            let wanted: Vec<String> = chunk
                .iter()
                .filter_map(|doubt| doubt.write.client_key.clone())
                .collect();
            let fields = format!("Id, {key}");
            let statement = Statement {
                fields: &fields,
                object: &table.object.name,
                scope: None,
                conditions: vec![format!("{key} IN ({})", soql::list(&wanted))],
                tail: "",
            };
            let reader = RecordReader::new(vec![
                ("Id".into(), crate::FieldType::Id),
                (key.to_owned(), crate::FieldType::String),
            ]);
            let mut found: BTreeMap<String, String> = BTreeMap::new();
            for record in self.remote.query(&statement.print()).await?.records {
                if let [Value::Text(id), Value::Text(key)] = reader.read(&record)?.as_slice() {
                    found.insert(key.to_ascii_lowercase(), id.clone());
                }
            }
            let mut adopted = Vec::new();
            for doubt in chunk {
                let id = doubt
                    .write
                    .client_key
                    .as_ref()
                    .and_then(|key| found.get(&key.to_ascii_lowercase()));
                adopted.extend(id.cloned());
                self.conclude(doubt, id.cloned(), true)?;
            }
            self.read_adopted(table, &adopted).await?;
        }
        Ok(())
    }

    /// Looks for creates among what this user has created since they were sent.
    async fn find_by_content(&mut self, table: &Table, doubts: Vec<Doubt>) -> Result<()> {
        if doubts.is_empty() {
            return Ok(());
        }
        let Some(user) = self.store.read(|r| r.setting("user_id"))? else {
            return Ok(());
        };
        let mut conditions = vec![format!("CreatedById = {}", soql::text(&user))];
        let known = doubts.iter().map(|doubt| doubt.sent_after).min().flatten();
        conditions.extend(known.map(|time| {
            format!(
                "CreatedDate >= {}",
                ServerTime(time.0 - CLOCK_SLACK_SECONDS).to_soql()
            )
        }));
        let fields = soql::fields(table);
        let statement = Statement {
            fields: &fields,
            object: &table.object.name,
            scope: None,
            conditions,
            tail: "ORDER BY CreatedDate, Id",
        };
        let reader = super::apply::reader(table);
        let mut candidates: Vec<(String, Fields)> = Vec::new();
        let mut page = self.remote.query(&statement.print()).await?;
        let mut pages = Pages::default();
        loop {
            pages.count(&page)?;
            for record in &page.records {
                let values = reader.read(record)?;
                if let Some(id) = values.first().and_then(Value::as_text).map(str::to_owned)
                    && !self.store.read(|r| r.is_ours(&id))?
                {
                    candidates.push((id, table.fields(&values)));
                }
            }
            let Some(next) = page.next.take() else { break };
            page = self.remote.query_more(&next).await?;
        }
        let now = self.server_now()?;
        let mut adopted = Vec::new();
        for doubt in &doubts {
            let best = best_match(table, &doubt.write.fields, &candidates);
            let found = best.map(|at| candidates.remove(at).0);
            // What the server is still at work on is not there yet, and must not be sent twice.
            let over = doubt
                .sent_after
                .is_some_and(|sent| now.0 - sent.0 >= self.settings.doubt_seconds);
            adopted.extend(found.clone());
            self.conclude(doubt, found, over)?;
        }
        self.read_adopted(table, &adopted).await
    }

    /// Reads back what was made in an earlier session or by another device: no window of changes need hold it.
    async fn read_adopted(&mut self, table: &Table, ids: &[String]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.read_by_id(Phase::ReadBack, table, ids, 0).await
    }

    fn conclude(
        &mut self,
        doubt: &Doubt,
        found: Option<String>,
        may_send_again: bool,
    ) -> Result<()> {
        let settlement = match found {
            Some(id) => {
                self.report.pushed_creates += 1;
                Settlement::Created(id)
            }
            None if may_send_again => Settlement::NotDone,
            None => Settlement::InDoubt,
        };
        let now = self.env.now();
        self.store.write(Durability::Durable, |w| {
            w.settle(&doubt.write, &settlement, now)
        })
    }
}

/// The write that a record's unanswered mutations made up.
fn doubt(create: &Entry, unanswered: &[&Entry]) -> Doubt {
    let sent: Vec<&&Entry> = unanswered
        .iter()
        .filter(|entry| entry.record == create.record)
        .collect();
    let mut fields = Fields::new();
    for (name, value) in sent.iter().flat_map(|entry| entry.fields.iter()) {
        fields.set(name, value.clone());
    }
    // What broke a circle was not sent; a lookup that still holds a local key says so.
    let mut deferred = Fields::new();
    let unsent: Vec<String> = fields
        .iter()
        .filter(|(_, value)| value.as_text().is_some_and(crate::record::is_local))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in unsent {
        if let Some(value) = fields.remove(&name) {
            deferred.set(name, value);
        }
    }
    Doubt {
        write: Outgoing {
            object: create.object.clone(),
            record: create.record.clone(),
            seqs: sent.iter().map(|entry| entry.seq).collect(),
            kind: MutationKind::Create,
            fields,
            deferred,
            client_key: create.client_key.clone(),
        },
        sent_after: create.sent_after,
    }
}

/// Of the records that may be the one we sent, the one that has most of its values.
///
/// A trigger may have changed some, so not all must agree; but more than half of
/// what tells records apart, and every lookup of a record that nobody changed since.
fn best_match(table: &Table, sent: &Fields, candidates: &[(String, Fields)]) -> Option<usize> {
    let scored = candidates
        .iter()
        .enumerate()
        .filter_map(|(at, (_, fields))| {
            let (mut telling, mut equal) = (0, 0);
            // Whoever changed it since may have moved it, too.
            let untouched = fields.get("LastModifiedDate") == fields.get("CreatedDate");
            for (name, value) in sent
                .iter()
                .filter(|(_, value)| !matches!(value, Value::Null | Value::Boolean(_)))
            {
                let Some(field) = table.object.field(name) else {
                    continue;
                };
                let theirs = fields.get(name).unwrap_or(&Value::Null);
                let agrees = merge::same(&field.field_type, value, theirs);
                if !agrees
                    && untouched
                    && field.field_type == crate::FieldType::Reference
                    && !field.defaulted_on_create
                {
                    return None;
                }
                telling += 1;
                equal += usize::from(agrees);
            }
            (telling > 0 && equal * 2 > telling).then_some((equal, at))
        });
    // Of equals the oldest, so that two creates alike find two records in their order.
    scored
        .max_by_key(|(equal, at)| (*equal, std::cmp::Reverse(*at)))
        .map(|(_, at)| at)
}
