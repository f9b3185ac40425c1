//! Finds out what became of writes that were never answered.
//!
//! An update or a delete in doubt is settled by reading its record. A create is
//! looked for at the server before it is ever sent again: under its client key
//! where it has one, else among what this user created since it was sent.

use super::Run;
use super::pages::Pages;
use super::soql::{self, Statement};
use crate::error::{Problem, Result};
use crate::json::RecordReader;
use crate::merge;
use crate::outcome::{MutationKind, Phase};
use crate::plan::{self, Outgoing};
use crate::record::{Fields, ServerTime, Value};
use crate::schema::FieldType;
use crate::store::{Durability, Entry, Settlement, State, Table};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How far the stamp of a create may lie before the time that we last knew of the server when we sent it.
pub(super) const CLOCK_SLACK_SECONDS: i64 = 60;

/// Records that a person is told of, if each may be the one that was created.
const NAMED_MAX: usize = 3;

/// The parts that the names of people are made of.
const PERSON: [&str; 2] = ["FirstName", "LastName"];

/// Client keys in one condition: keys have no length of their own, and this many of 200 characters fit.
const KEYS_PER_QUERY_MAX: usize = 400;

/// A create without an answer.
pub(super) struct Doubt {
    pub write: Outgoing,
    sent_after: Option<ServerTime>,
    /// The next attempt cannot be made under the client key.
    key_is_taken: bool,
    /// What an earlier look found out.
    pub told: Vec<Problem>,
}

/// A create in doubt, and what was found out about it.
pub(super) struct Verdict {
    pub doubt: Doubt,
    pub settlement: Settlement,
}

impl Doubt {
    /// The field under which the server was given the key, if it was and still has that field.
    ///
    /// `named` is what the briefcase says now. It holds for a copy of which another device may have sent the other.
    fn key_field(&self, table: &Table, named: Option<&String>) -> Option<String> {
        let (sent_under, _) = plan::client_key(self.write.client_key.as_deref()?);
        let field = table
            .object
            .field(sent_under.or(named.map(String::as_str))?)?;
        let by_key = !self.write.fields.contains(&field.name);
        by_key.then(|| field.name.clone())
    }

    fn key(&self) -> Option<&str> {
        let made = self.write.client_key.as_deref()?;
        Some(plan::client_key(made).1)
    }

    /// Says whether the server can no longer be at work on it.
    pub(super) fn is_over(&self, now: ServerTime, doubt_seconds: i64) -> bool {
        self.sent_after
            .is_some_and(|sent| now.0 - sent.0 >= doubt_seconds)
    }
}

impl Verdict {
    /// The id of the record that the create was found to have become.
    pub(super) fn adopted(&self) -> Option<String> {
        match &self.settlement {
            Settlement::Created(id) => Some(id.clone()),
            _ => None,
        }
    }
}

/// What a record that this user created may have to do with a create in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Likeness {
    /// It is the one, as far as values can tell: so many of them agree, and so many do not.
    Match { equal: usize, differing: usize },
    /// Nothing says that it is not.
    Possible,
    /// It is another one.
    Other,
}

impl Run<'_> {
    pub(super) async fn resolve_doubt(&mut self) -> Result<()> {
        self.store
            .write(Durability::Durable, |w| w.doubt_copies())?;
        let mut entries = self.store.read(|r| r.entries())?;
        let files = self.store.read(|r| r.queued_files())?;
        entries.retain(|entry| !files.contains(&entry.record));
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
        let sent = by_record(unanswered.iter().copied());
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
                    .push(doubt(entry, &sent[entry.record.as_str()]));
            }
        }
        for (object, ids) in others {
            let table = Arc::clone(self.store.catalogue().known(&object)?);
            let ids: Vec<String> = ids.into_iter().collect();
            self.read_by_id(Phase::Prepare, &table, &ids, 0).await?;
        }
        let keys = self.client_keys()?;
        let edits = by_record(&entries);
        let mut verdicts: Vec<Verdict> = Vec::new();
        for (object, doubts) in creates {
            let table = Arc::clone(self.store.catalogue().known(&object)?);
            let mut keyed: BTreeMap<String, Vec<Doubt>> = BTreeMap::new();
            let mut plain = Vec::new();
            for mut doubt in doubts {
                match doubt.key_field(&table, keys.get(&object)) {
                    Some(field) => {
                        // What a person has set since cannot be sent under the key.
                        let edits = edits.get(doubt.write.record.as_str());
                        doubt.key_is_taken = edits
                            .is_some_and(|all| all.iter().any(|edit| edit.fields.contains(&field)));
                        keyed.entry(field).or_default().push(doubt);
                    }
                    None => plain.push(doubt),
                }
            }
            for (field, doubts) in keyed {
                verdicts.extend(self.find_by_key(&table, &field, doubts).await?);
            }
            let taken: BTreeSet<String> = verdicts.iter().filter_map(Verdict::adopted).collect();
            let found = self.find_by_content(&table, plain, &taken).await?;
            verdicts.extend(found);
        }
        if !verdicts.is_empty() {
            let now = self.server_now()?;
            self.agree(&entries, &mut verdicts, now)?;
        }
        self.conclude(verdicts).await
    }

    /// Stores what was found out, and reads what was found.
    async fn conclude(&mut self, verdicts: Vec<Verdict>) -> Result<()> {
        let now = self.env.now();
        // Read only when all of them have their ids: those that were sent together point at each other.
        let mut adopted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for verdict in verdicts {
            let write = &verdict.doubt.write;
            self.store.write(Durability::Durable, |w| {
                w.settle(write, &verdict.settlement, now)
            })?;
            if let Some(id) = verdict.adopted() {
                adopted.entry(write.object.clone()).or_default().push(id);
            }
        }
        for (object, ids) in adopted {
            let table = Arc::clone(self.store.catalogue().known(&object)?);
            self.read_adopted(&table, &ids).await?;
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
    async fn find_by_key(
        &mut self,
        table: &Table,
        key: &str,
        doubts: Vec<Doubt>,
    ) -> Result<Vec<Verdict>> {
        let keys: Vec<String> = doubts
            .iter()
            .filter_map(|doubt| doubt.key().map(str::to_owned))
            .collect();
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for wanted in keys.chunks(KEYS_PER_QUERY_MAX) {
            let fields = format!("Id, {key}");
            let statement = Statement {
                fields: &fields,
                object: &table.object.name,
                scope: None,
                conditions: vec![format!("{key} IN ({})", soql::list(wanted))],
                tail: "",
            };
            let reader = RecordReader::new(vec![
                ("Id".into(), FieldType::Id),
                (key.to_owned(), FieldType::String),
            ]);
            let mut pages = Pages::default();
            while let Some(page) = self.page(&statement.print(), &mut pages).await? {
                for record in &page.records {
                    if let [Value::Text(id), Value::Text(key)] = reader.read(record)?.as_slice() {
                        found.insert(key.to_ascii_lowercase(), id.clone());
                    }
                }
            }
        }
        let now = self.server_now()?;
        let verdict = |doubt: Doubt| {
            let id = doubt.key().map(str::to_ascii_lowercase);
            let id = id.and_then(|key| found.get(&key));
            let may_send_again =
                !doubt.key_is_taken || doubt.is_over(now, self.settings.doubt_seconds);
            let settlement = match id {
                Some(id) => Settlement::Created(id.clone()),
                None if may_send_again => Settlement::NotDone,
                None => Settlement::InDoubt,
            };
            Verdict { doubt, settlement }
        };
        Ok(doubts.into_iter().map(verdict).collect())
    }

    /// Looks for creates among what this user has created since they were sent.
    ///
    /// What is `taken` was found to be another create.
    async fn find_by_content(
        &mut self,
        table: &Table,
        doubts: Vec<Doubt>,
        taken: &BTreeSet<String>,
    ) -> Result<Vec<Verdict>> {
        if doubts.is_empty() {
            return Ok(Vec::new());
        }
        if planted!(ResendsBlindly) {
            let settlement = Settlement::NotDone;
            let blindly = |doubt| Verdict {
                doubt,
                settlement: settlement.clone(),
            };
            return Ok(doubts.into_iter().map(blindly).collect());
        }
        let Some(user) = self.store.read(|r| r.setting("user_id"))? else {
            return Ok(Vec::new());
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
        let (mut candidates, mut pages): (Vec<(String, Fields)>, _) =
            (Vec::new(), Pages::default());
        while let Some(page) = self.page(&statement.print(), &mut pages).await? {
            if pages.is_first() {
                candidates.clear();
            }
            for record in &page.records {
                let values = reader.read(record)?;
                if let Some(id) = values.first().and_then(Value::as_text).map(str::to_owned)
                    && !taken.contains(&id)
                    && !self.store.read(|r| r.is_ours(&id))?
                {
                    candidates.push((id, table.fields(&values)));
                }
            }
        }
        let now = self.server_now()?;
        let seconds = self.settings.doubt_seconds;
        let mut found: Vec<Option<String>> = vec![None; doubts.len()];
        // What agrees in full goes first: its record agrees in part with a create that is much like it.
        for in_part in [false, true] {
            let open: Vec<usize> = (0..doubts.len())
                .filter(|at| found[*at].is_none())
                .collect();
            for at in open.iter().copied() {
                let doubt = &doubts[at];
                let best = best_match(table, doubt, &candidates, seconds, in_part);
                let rival = |other: &Doubt| {
                    other.write.fields != doubt.write.fields
                        && best.is_some_and(|at| is_match(table, other, &candidates[at].1, seconds))
                };
                // Which of two it is cannot be told by what both have.
                let told_apart = !in_part || !open.iter().any(|other| rival(&doubts[*other]));
                if let Some(best) = best.filter(|_| told_apart) {
                    found[at] = Some(candidates.remove(best).0);
                }
            }
        }
        let verdict = |(doubt, found): (Doubt, Option<String>)| {
            let possible: Vec<&str> = candidates
                .iter()
                .filter(|(_, fields)| likeness(table, &doubt, fields, seconds) != Likeness::Other)
                .map(|(id, _)| id.as_str())
                .collect();
            let settlement = match (found, doubt.is_over(now, seconds)) {
                (Some(id), _) => Settlement::Created(id),
                // What the server is still at work on is not there yet, and must not be sent twice.
                (None, false) => Settlement::InDoubt,
                (None, true) if possible.is_empty() => Settlement::NotDone,
                (None, true) => Settlement::Undecided(vec![may_exist(&possible)]),
            };
            Verdict { doubt, settlement }
        };
        Ok(doubts.into_iter().zip(found).map(verdict).collect())
    }

    /// Reads back what was made in an earlier session or by another device: no window of changes need hold it.
    async fn read_adopted(&mut self, table: &Table, ids: &[String]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.read_by_id(Phase::ReadBack, table, ids, 0).await
    }
}

/// The mutations of each record, in their order.
fn by_record<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> BTreeMap<&'a str, Vec<&'a Entry>> {
    let mut by_record: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        by_record.entry(&entry.record).or_default().push(entry);
    }
    by_record
}

/// The write that a record's unanswered mutations made up.
fn doubt(create: &Entry, sent: &[&Entry]) -> Doubt {
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
        key_is_taken: false,
        told: create.problems.clone(),
    }
}

/// Of the records that may be the one we sent, the one that has most of its values.
fn best_match(
    table: &Table,
    doubt: &Doubt,
    candidates: &[(String, Fields)],
    doubt_seconds: i64,
    in_part: bool,
) -> Option<usize> {
    let scored = candidates
        .iter()
        .enumerate()
        .filter_map(
            |(at, (_, fields))| match likeness(table, doubt, fields, doubt_seconds) {
                Likeness::Match { equal, differing } if in_part || differing == 0 => {
                    Some((equal, at))
                }
                Likeness::Match { .. } | Likeness::Possible | Likeness::Other => None,
            },
        );
    // Of equals the oldest, so that two creates alike find two records in their order.
    scored
        .max_by_key(|(equal, at)| (*equal, std::cmp::Reverse(*at)))
        .map(|(_, at)| at)
}

fn is_match(table: &Table, doubt: &Doubt, fields: &Fields, doubt_seconds: i64) -> bool {
    let likeness = likeness(table, doubt, fields, doubt_seconds);
    matches!(likeness, Likeness::Match { .. })
}

/// Compares a record with a create in doubt.
///
/// A trigger may have changed some values, so not all must agree for a match; but more than half of
/// what tells records apart, the name, half of the texts (records share dates, picklists and parents), and
/// every lookup of a record that nobody changed since. That less agrees
/// does not make it another record: somebody may have been quick, or a trigger thorough. One that
/// was made at another time is another, and one that nobody changed since and that hangs elsewhere.
fn likeness(table: &Table, doubt: &Doubt, fields: &Fields, doubt_seconds: i64) -> Likeness {
    let time = |name: &str| match fields.get(name) {
        Some(Value::DateTime(time)) => Some(*time),
        _ => None,
    };
    let (made, sent) = (time("CreatedDate"), doubt.sent_after);
    let after = made.zip(sent).map(|(made, sent)| made.0 - sent.0);
    if after.is_some_and(|seconds| seconds < -CLOCK_SLACK_SECONDS) {
        return Likeness::Other;
    }
    // Whoever changed it since may have moved it, too.
    let untouched = made.is_some() && made == time("LastModifiedDate");
    let (mut telling, mut equal, mut elsewhere) = (0, 0, false);
    let (mut texts, mut texts_equal, mut renamed) = (0, 0, false);
    let sent = doubt.write.fields.iter();
    for (name, value) in sent.filter(|(_, value)| !matches!(value, Value::Null | Value::Boolean(_)))
    {
        let Some(field) = table.object.field(name) else {
            continue;
        };
        let theirs = fields.get(name).unwrap_or(&Value::Null);
        let agrees = merge::same(&field.field_type, value, theirs);
        elsewhere |= !agrees
            && untouched
            && field.field_type == FieldType::Reference
            && !field.defaulted_on_create;
        telling += 1;
        equal += usize::from(agrees);
        let is_text = is_free_text(&field.field_type);
        texts += usize::from(is_text);
        texts_equal += usize::from(is_text && agrees);
        renamed |= !agrees && (field.name_field || PERSON.contains(&name));
    }
    let late = after.is_some_and(|seconds| seconds > doubt_seconds + CLOCK_SLACK_SECONDS);
    match telling > 0 && equal * 2 > telling && texts_equal * 2 >= texts && !renamed {
        true if !elsewhere => Likeness::Match {
            equal,
            differing: telling - equal,
        },
        _ if elsewhere || late => Likeness::Other,
        _ => Likeness::Possible,
    }
}

/// Says whether people write the values of a field themselves.
fn is_free_text(field_type: &FieldType) -> bool {
    matches!(
        field_type,
        FieldType::String
            | FieldType::TextArea
            | FieldType::Combobox
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
    )
}

/// Tells a person between which records a create may be.
fn may_exist(possible: &[&str]) -> Problem {
    let named = possible[..possible.len().min(NAMED_MAX)].join(", ");
    let more = match possible.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Problem {
        fields: Vec::new(),
        code: "MAY_EXIST".into(),
        message: format!(
            "it was sent and not answered, and may or may not have become {named}{more}: discard it if it did, retry if it did not"
        ),
        duplicates: None,
    }
}
