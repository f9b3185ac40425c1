//! Takes in what the server says of a record.

use super::rows::Row;
use super::{Entry, Reading, State, Table, Writing};
use crate::error::Result;
use crate::journal_states::Event;
use crate::merge::{self, Survivor};
use crate::outcome::{ConflictKind, Dropped, Merged, MutationKind};
use crate::plan::{self, Incoming, Known, Seen};
use crate::record::{Fields, Value};
use crate::schema::FieldType;
use std::collections::{BTreeSet, HashSet};

/// What became of a record that came in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Arrived {
    Inserted,
    /// It has other values, and is held by what held it.
    Updated(Touched),
    /// It has other values, and is held by a rule more.
    Moved(Touched),
    /// It has the same values, and is held by a rule more.
    Joined,
    Unchanged,
    Merged(Merged),
    Conflicted,
    Purged,
    /// A deletion made here was confirmed, or nothing of the record was here.
    Nothing,
}

/// What of a record is not as it was here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// The places of its columns.
    pub places: Vec<usize>,
    /// A write of this device was all that was known of it, so what that write changed is not among them.
    pub written_here: bool,
}

/// Whose doing it is that a record looks different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Somebody's at the server.
    Server,
    /// Ours: the record is read back after a write of this device.
    Echo,
}

/// Records with edits at the start of a transaction, asked for with each record that comes in; `None`: too many to
/// read for every page.
pub(crate) struct Edited(Option<HashSet<String>>);

/// So many edited records are read at once; of more, each is looked up.
const EDITED_MAX: usize = 1_000;

impl Reading<'_> {
    pub(crate) fn edited_records(&self) -> Result<Edited> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT DISTINCT record FROM attache_mutation LIMIT ?1")?;
        let records: rusqlite::Result<HashSet<String>> = statement
            .query_map([EDITED_MAX as i64 + 1], |row| row.get(0))?
            .collect();
        Ok(Edited(
            Some(records?).filter(|records| records.len() <= EDITED_MAX),
        ))
    }

    fn is_among(&self, edited: &Edited, id: &str) -> Result<bool> {
        match &edited.0 {
            Some(records) => Ok(records.contains(id)),
            None => self.edited(id),
        }
    }
}

impl Writing<'_> {
    /// Takes in a record as the server has it. `values` stand in column order; `rules` is the membership to add.
    pub(crate) fn arrive(
        &self,
        table: &Table,
        edited: &Edited,
        values: Vec<Value>,
        rules: i64,
        origin: Origin,
    ) -> Result<Arrived> {
        let Some(id) = values.first().and_then(Value::as_text).map(str::to_owned) else {
            return Err(crate::error::Error::new(
                crate::ErrorKind::NotARemote,
                "a record came without an id",
            ));
        };
        let replaces = planted!(ReadBackReplacesEdits) && origin == Origin::Echo;
        if self.reading().is_among(edited, &id)? && !replaces {
            return self.arrive_edited(table, &id, values, rules, origin);
        }
        let row = self.reading().row(table, &id)?;
        let (known, seen) = match &row {
            None => (Known::Absent, Seen::Changed),
            Some(row) => (Known::Clean, seen(differs(table, &row.values, &values))),
        };
        let joins = row.as_ref().is_some_and(|row| row.rules & rules != rules);
        met!("incoming", "{known:?} and {seen:?}");
        match plan::incoming(known, seen, Survivor::Edit) {
            Incoming::Insert => {
                let (key, taken) = self.names_of(&id)?;
                if taken {
                    self.give_back(&id)?;
                }
                self.insert_row(table, &Row { values, rules, key })?;
                Ok(Arrived::Inserted)
            }
            Incoming::Replace => {
                let touched = touched(table, row.map(|row| row.values), &values);
                self.replace_row(table, &values, rules)?;
                Ok(match joins {
                    true => Arrived::Moved(touched),
                    false => Arrived::Updated(touched),
                })
            }
            _ if joins => {
                self.add_rules(table, &id, rules)?;
                Ok(Arrived::Joined)
            }
            _ => Ok(Arrived::Unchanged),
        }
    }

    /// The identity that hosts know an id by, if it is another: the record was created here. And whether the id leads
    /// to another record: its own was gone for good, as it seemed.
    ///
    /// Asked for with each new record, so it must not sort: the index of the aliases is in order of both.
    fn names_of(&self, id: &str) -> Result<(Option<String>, bool)> {
        let mut statement = self.connection.prepare_cached(
            "SELECT (SELECT min(key) FROM attache_alias WHERE current = ?1),
                    EXISTS (SELECT 1 FROM attache_alias WHERE key = ?1)",
        )?;
        Ok(statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    pub(super) fn arrive_edited(
        &self,
        table: &Table,
        id: &str,
        values: Vec<Value>,
        rules: i64,
        origin: Origin,
    ) -> Result<Arrived> {
        let reading = self.reading();
        if reading.is_disputed_by_import(id)? {
            // What is held cannot be sent, and the base it is held upon must stay for the decision.
            self.add_rules(table, id, rules)?;
            return Ok(Arrived::Conflicted);
        }
        let mut entries = reading.entries_of(id)?;
        let base = reading.base(id)?;
        let base_values = base.as_ref().map(|base| table.values(&base.fields));
        let deleted = entries
            .iter()
            .any(|entry| entry.kind == MutationKind::Delete);
        let changed = match &base_values {
            None => true,
            Some(before) if deleted => {
                let base = base.as_ref().map(|base| &base.fields);
                let before = with_what_came_since(table, before, base, &values);
                self.touched_by_others(table, &before, &values, origin)?
            }
            Some(base) => differs(table, base, &values),
        };
        let known = if deleted {
            Known::Deleted
        } else {
            Known::Edited
        };
        let deleted_here = self.merger(table)?.deletion().here;
        let seen = seen(changed);
        met!("incoming", "{known:?} and {seen:?}");
        let decision = match plan::incoming(known, seen, deleted_here) {
            Incoming::WithdrawDelete if planted!(DeletesOverEdits) => Incoming::Keep,
            decision => decision,
        };
        let remote = table.fields(&values);
        match decision {
            Incoming::WithdrawDelete => {
                let gone: Vec<i64> = entries
                    .iter()
                    .filter(|entry| entry.kind == MutationKind::Delete)
                    .map(|entry| entry.seq)
                    .collect();
                self.forget(&gone)?;
                entries.retain(|entry| entry.kind != MutationKind::Delete);
                let base = base.as_ref();
                let mut row = base_values.clone().unwrap_or_else(|| values.clone());
                overlay(table, &mut row, &entries);
                let held = base.map_or(0, |base| base.rules) | rules;
                self.insert_row(
                    table,
                    &Row {
                        values: row,
                        rules: held,
                        key: base.and_then(|base| base.key.clone()),
                    },
                )?;
                let arrived =
                    self.merge(table, id, base_values.as_deref(), values, rules, &entries)?;
                self.withdrawn(table, id, arrived)
            }
            Incoming::AskWithdraw => {
                let held = base.map_or(0, |base| base.rules) | rules;
                self.ask_about_deletion(table, id, &remote, held, &entries)
            }
            Incoming::Merge => {
                let arrived =
                    self.merge(table, id, base_values.as_deref(), values, rules, &entries)?;
                if let Arrived::Merged(merged) = &arrived
                    && origin == Origin::Server
                    && !merged.taken.is_empty()
                {
                    self.put_notice(merged)?;
                }
                Ok(arrived)
            }
            // Known and unchanged: the newest stamps are kept, so that a write is not taken for stale.
            _ => {
                let (held, key) = base.map_or((0, None), |base| (base.rules, base.key));
                self.put_base(
                    table,
                    id,
                    &remote,
                    held | if deleted { rules } else { 0 },
                    key.as_deref(),
                )?;
                let row = reading.row(table, id)?.filter(|_| !deleted);
                let joins = row.is_some_and(|row| row.rules & rules != rules);
                if joins {
                    self.add_rules(table, id, rules)?;
                }
                self.found_again(id, &entries)?;
                self.settle_doubt(&entries)?;
                Ok(match joins {
                    true => Arrived::Joined,
                    false => Arrived::Unchanged,
                })
            }
        }
    }

    /// Says whether somebody else edited the record since it was deleted here.
    ///
    /// An edit of ours that was on the wire then changes the stamps as well: the
    /// base of a record that we wrote and have not read since has none.
    fn touched_by_others(
        &self,
        table: &Table,
        base: &[Value],
        values: &[Value],
        origin: Origin,
    ) -> Result<bool> {
        let of = |values: &[Value], name| table.place(name).map(|at| values[at].clone());
        let written =
            origin == Origin::Echo || of(base, "LastModifiedDate").is_some_and(|at| at.is_null());
        let user = self.reading().setting("user_id")?.map(Value::from);
        if written && user.is_some() && of(values, "LastModifiedById") == user {
            return Ok(false);
        }
        Ok(touched_by_hand(table, base, values))
    }

    /// Tells that a deletion gave way, whatever else became of the record.
    fn withdrawn(&self, table: &Table, id: &str, arrived: Arrived) -> Result<Arrived> {
        let (taken, kept) = match &arrived {
            Arrived::Merged(merged) => (merged.taken.clone(), merged.kept.clone()),
            _ => (Vec::new(), Vec::new()),
        };
        self.put_notice(&Merged {
            record: self.reading().identity(id)?,
            object: table.object.name.clone(),
            taken,
            kept,
            delete_withdrawn: true,
        })?;
        Ok(arrived)
    }

    /// Says whether somebody edited a record between two of its versions.
    pub(super) fn edited_by_hand(&self, table: &Table, before: &Fields, after: &Fields) -> bool {
        let after = table.values(after);
        let known = with_what_came_since(table, &table.values(before), Some(before), &after);
        touched_by_hand(table, &known, &after)
    }

    /// The record was just read, so what became of an update in doubt is known.
    pub(super) fn settle_doubt(&self, entries: &[Entry]) -> Result<()> {
        let seqs: Vec<i64> = entries
            .iter()
            .filter(|entry| {
                matches!(entry.state, State::InDoubt | State::Sending)
                    && entry.kind != MutationKind::Create
            })
            .map(|entry| entry.seq)
            .collect();
        self.advance(&seqs, Event::NotDone, &[])
    }

    /// Takes in that a record is deleted at the server, or out of this user's sight.
    pub(crate) fn missing(&self, table: &Table, id: &str) -> Result<Arrived> {
        let reading = self.reading();
        if reading.is_disputed_by_import(id)? {
            return Ok(Arrived::Conflicted);
        }
        let entries = reading.entries_of(id)?;
        let known = match (&entries[..], reading.row(table, id)?) {
            ([], None) => Known::Absent,
            ([], Some(_)) => Known::Clean,
            (entries, _)
                if entries
                    .iter()
                    .any(|entry| entry.kind == MutationKind::Delete) =>
            {
                Known::Deleted
            }
            _ => Known::Edited,
        };
        met!("incoming", "{known:?} and {:?}", Seen::Missing);
        match plan::incoming(known, Seen::Missing, Survivor::Edit) {
            Incoming::Purge => {
                self.delete_row(table, id)?;
                Ok(Arrived::Purged)
            }
            Incoming::SettleDelete => {
                let refused = entries.iter().find(|entry| entry.state == State::Rejected);
                if let Some(refused) = refused {
                    self.put_dropped(&Dropped {
                        record: reading.identity(id)?,
                        object: table.object.name.clone(),
                        problems: refused.problems.clone(),
                    })?;
                }
                self.drop_conflict(id)?;
                self.forget(&entries.iter().map(|entry| entry.seq).collect::<Vec<_>>())?;
                self.let_go(id)?;
                self.drop_base(id)?;
                Ok(Arrived::Nothing)
            }
            Incoming::AskDeleted if planted!(DeletionDropsEdits) => {
                self.forget(&entries.iter().map(|entry| entry.seq).collect::<Vec<_>>())?;
                self.delete_row(table, id)?;
                self.drop_base(id)?;
                Ok(Arrived::Purged)
            }
            Incoming::AskDeleted => {
                let names: BTreeSet<&str> = entries
                    .iter()
                    .flat_map(|entry| entry.fields.names())
                    .collect();
                let base = reading
                    .base(id)?
                    .map(|base| base.fields)
                    .unwrap_or_default();
                let base = names
                    .iter()
                    .map(|name| (*name, base.get(name).cloned().unwrap_or(Value::Null)))
                    .collect();
                self.put_conflict(
                    table,
                    id,
                    ConflictKind::DeletedAtRemote,
                    &base,
                    &Fields::new(),
                    None,
                )?;
                let seqs: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
                self.advance(&seqs, Event::Dispute, &[])?;
                Ok(Arrived::Conflicted)
            }
            _ => Ok(Arrived::Nothing),
        }
    }
}

fn seen(changed: bool) -> Seen {
    if changed { Seen::Changed } else { Seen::Same }
}

fn differs(table: &Table, a: &[Value], b: &[Value]) -> bool {
    table
        .columns
        .iter()
        .zip(a.iter().zip(b))
        .any(|(column, (a, b))| !merge::same(&column.ty, a, b))
}

fn touched(table: &Table, before: Option<Vec<Value>>, after: &[Value]) -> Touched {
    let before = before.unwrap_or_default();
    let pairs = table.columns.iter().zip(before.iter().zip(after));
    let differing = pairs
        .enumerate()
        .filter(|(_, (column, (a, b)))| !merge::same(&column.ty, a, b));
    let modified = table.place("LastModifiedDate").map(|at| before.get(at));
    Touched {
        places: differing.map(|(at, _)| at).collect(),
        written_here: modified.is_some_and(|date| date.is_none_or(Value::is_null)),
    }
}

/// Fills in what a base lacks because it was made while a field was not there, or hidden: that it is shown now is no
/// edit. The date of the last edit stays as it is: a base that was made of what was sent lacks it.
fn with_what_came_since(
    table: &Table,
    values: &[Value],
    base: Option<&Fields>,
    now: &[Value],
) -> Vec<Value> {
    let lacks = |name: &str| base.is_some_and(|base| !base.contains(name));
    let columns = table.columns.iter().zip(values.iter().zip(now));
    let filled = columns.map(|(column, (then, now))| {
        let came = column.name != "LastModifiedDate" && lacks(&column.name);
        if came { now.clone() } else { then.clone() }
    });
    filled.collect()
}

/// Says whether somebody edited the record, as opposed to a job that touched it.
///
/// A lookup that was emptied in a version of the same date is no edit: the server
/// clears the lookups to a record that is deleted.
fn touched_by_hand(table: &Table, a: &[Value], b: &[Value]) -> bool {
    let date = |values: &[Value]| table.place("LastModifiedDate").map(|at| values[at].clone());
    let same_date = date(a).is_some_and(|date_a| !date_a.is_null() && Some(date_a) == date(b));
    table
        .columns
        .iter()
        .zip(a.iter().zip(b))
        .any(|(column, (a, b))| {
            let by_hand = column.name == "LastModifiedDate"
                || table
                    .object
                    .field(&column.name)
                    .is_some_and(|field| field.updateable);
            let cleared = same_date && column.ty == FieldType::Reference && b.is_null();
            by_hand && !cleared && !merge::same(&column.ty, a, b)
        })
}

/// Applies mutations to values in column order.
pub(super) fn overlay(table: &Table, values: &mut [Value], entries: &[Entry]) {
    for (name, value) in entries.iter().flat_map(|entry| entry.fields.iter()) {
        if let Some(at) = table.place(name)
            && let Some(value) = super::value::adapt(value, &table.columns[at].ty)
        {
            values[at] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::store::{Durability, Store};

    const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "fields": [
        {"name": "Id", "type": "id"}, {"name": "Phone", "type": "phone"},
        {"name": "AccountId", "type": "reference", "referenceTo": ["Account"]}]}"#;

    #[test]
    fn a_record_that_came_in_is_told_by_what_it_holds_and_what_holds_it() {
        let store = Store::open_in_memory(Options::new()).unwrap();
        let at = |place| Touched {
            places: vec![place],
            written_here: false,
        };
        let done = store.write(Durability::Durable, |w| {
            w.define(
                CONTACT,
                None,
                &["Id", "Phone", "AccountId"].map(str::to_owned),
            )?;
            let table = std::sync::Arc::clone(w.catalogue().known("Contact")?);
            for (phone, account, rules, is) in [
                ("1", "001a", 1, Arrived::Inserted),
                ("1", "001a", 1, Arrived::Unchanged),
                ("2", "001a", 1, Arrived::Updated(at(1))),
                ("2", "001b", 1, Arrived::Updated(at(2))),
                ("3", "001b", 3, Arrived::Moved(at(1))),
                ("3", "001b", 5, Arrived::Joined),
                ("3", "001b", 5, Arrived::Unchanged),
            ] {
                let edited = w.reading().edited_records()?;
                let values = ["003a", phone, account].map(Value::text).to_vec();
                let arrived = w.arrive(&table, &edited, values, rules, Origin::Server)?;
                assert_eq!(arrived, is);
            }
            Ok(())
        });
        done.unwrap();
    }
}
