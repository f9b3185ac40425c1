//! Takes in that a record was merged into another one.

use super::incoming::overlay;
use super::rows::Row;
use super::{Arrived, Entry, Reading, Table, Writing};
use crate::error::Result;
use crate::journal_states::{Event, State};
use crate::merge;
use crate::outcome::MutationKind;
use crate::record::{Fields, Value};
use std::collections::BTreeSet;

/// The edits of two records that turned out to be one.
pub(super) struct Edits<'a> {
    /// Those of the one that stays.
    pub own: &'a [Entry],
    /// Those of the other one.
    pub moved: &'a [Entry],
    /// What the other's were made upon.
    pub made_upon: &'a Fields,
}

impl Reading<'_> {
    /// Of these records, those that unsent work is about: edits of them, and edits that point at them.
    pub(crate) fn worked_on(&self, ids: &[String]) -> Result<Vec<String>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut named: BTreeSet<String> = BTreeSet::new();
        for entry in self.entries()? {
            let texts = entry.fields.iter().filter_map(|(_, value)| value.as_text());
            named.extend(texts.map(str::to_owned));
            named.insert(entry.record);
        }
        Ok(ids
            .iter()
            .filter(|id| named.contains(*id))
            .cloned()
            .collect())
    }
}

impl Writing<'_> {
    /// Gives the edits of a record to the one that it was merged into, whose values stand in column order.
    ///
    /// They are joined with what that one has upon what they were made on: where the server has another value by now,
    /// that is a conflict like any other; where both records were edited here, and differently, a conflict between
    /// the two edits. Hosts find the record under its old identity still. One that is deleted here, or waits for a
    /// decision about imported work, stays as it is.
    pub(crate) fn follow_merge(
        &self,
        table: &Table,
        loser: &str,
        values: Vec<Value>,
    ) -> Result<()> {
        let reading = self.reading();
        let Some(winner) = values.first().and_then(Value::as_text).map(str::to_owned) else {
            return Ok(());
        };
        let entries = reading.entries_of(loser)?;
        let deleted = entries
            .iter()
            .any(|entry| entry.kind == MutationKind::Delete);
        let own = reading.entries_of(&winner)?;
        let disputed =
            reading.is_disputed_by_import(loser)? || reading.is_disputed_by_import(&winner)?;
        let deleted = deleted || own.iter().any(|entry| entry.kind == MutationKind::Delete);
        if winner == loser || deleted || disputed {
            return Ok(());
        }
        let (row, base) = (reading.row(table, loser)?, reading.base(loser)?);
        let rules = row.map_or(0, |row| row.rules);
        let made_upon = self.made_upon(loser, base.map(|base| base.fields))?;
        let odds = self.at_odds(table, &winner, &own, &entries)?;
        if !odds.is_empty() && !self.can_be_asked_about(&winner, &own)? {
            // The person is asked what to do about the record that is no more.
            return Ok(());
        }

        self.set_free(loser)?;
        self.delete_row(table, loser)?;
        self.drop_base(loser)?;
        self.connection.execute(
            "UPDATE attache_mutation SET record = ?2 WHERE record = ?1",
            [loser, &winner],
        )?;
        // A decision about the record that is no more cannot be taken back.
        self.connection.execute(
            "DELETE FROM attache_resolution WHERE record_now = ?1 OR record = ?1",
            [loser],
        )?;
        let refused = self.refused_for(loser)?;
        self.point_elsewhere(table, loser, &winner)?;
        self.advance(&refused, Event::Retry, &[])?;
        if entries.is_empty() {
            return Ok(());
        }
        let edits = Edits {
            own: &own,
            moved: &entries,
            made_upon: &made_upon,
        };
        self.join_with_moved(table, &winner, &values, &edits, &odds)?;
        self.add_rules(table, &winner, rules)
    }

    /// Says whether a record can come into a conflict: it has one at a time, and none while its edits are on the wire.
    pub(super) fn can_be_asked_about(&self, record: &str, edits: &[Entry]) -> Result<bool> {
        let is_free = |entry: &Entry| matches!(entry.state, State::Pending | State::Rejected);
        Ok(edits.iter().all(is_free) && self.reading().open_conflict(record)?.is_none())
    }

    /// Joins edits that were moved to a record with what the server has of it, and with its own edits: what is at odds
    /// with those is asked about.
    pub(super) fn join_with_moved(
        &self,
        table: &Table,
        record: &str,
        values: &[Value],
        edits: &Edits<'_>,
        odds: &Fields,
    ) -> Result<()> {
        let mut began = self.stand_upon(table, record, values, edits)?;
        self.pass_over_what_is_there(table, &began, edits)?;
        if !odds.is_empty() {
            let bases = began.clone();
            let mut theirs = odds.clone();
            for (name, moved, here) in self.overtaken(table, values, &began, edits) {
                began.set(name, here);
                theirs.set(name, moved);
            }
            return self.ask_between(table, record, &began, &bases, edits.moved, &theirs);
        }
        let remote = table.fields(values);
        let all = self.reading().entries_of(record)?;
        let arrived = self.merge_anew(table, record, &began, &remote, &all)?;
        if let Arrived::Merged(merged) = &arrived
            && !merged.taken.is_empty()
        {
            self.put_notice(merged)?;
        }
        Ok(())
    }

    /// Of the edits that were moved those of fields that the server has another value in, by names, with that value.
    ///
    /// They are asked about together with what both records' edits are at odds about: a record has one conflict at a
    /// time, and once it is settled, what it does not tell of would go over values that nobody saw.
    fn overtaken<'a>(
        &self,
        table: &'a Table,
        values: &[Value],
        began: &Fields,
        edits: &Edits<'_>,
    ) -> Vec<(&'a str, Value, Value)> {
        let base = table.values(began);
        let mut moved = base.clone();
        overlay(table, &mut moved, edits.moved);
        let own = table.named_by(edits.own.iter());
        let named = table.named_by(edits.moved.iter());
        let is_overtaken = |at: &usize| {
            let same = |a: &Value, b: &Value| merge::same(&table.columns[*at].ty, a, b);
            let there = &values[*at];
            named[*at] && !own[*at] && !same(&base[*at], there) && !same(&moved[*at], there)
        };
        let of = |at: usize| {
            let name = table.columns[at].name.as_str();
            (name, moved[at].clone(), values[at].clone())
        };
        (0..base.len()).filter(is_overtaken).map(of).collect()
    }

    /// Takes out of the edits that were moved what the server has already: it must not go over what was edited upon that.
    fn pass_over_what_is_there(
        &self,
        table: &Table,
        began: &Fields,
        edits: &Edits<'_>,
    ) -> Result<()> {
        let base = table.values(began);
        let mut moved = base.clone();
        overlay(table, &mut moved, edits.moved);
        let edited = table.named_by(edits.own.iter());
        let is_there = |at: &usize| {
            edited[*at] && merge::same(&table.columns[*at].ty, &base[*at], &moved[*at])
        };
        let names: Vec<String> = (0..base.len())
            .filter(is_there)
            .map(|at| table.columns[at].name.clone())
            .collect();
        let seqs: Vec<i64> = edits.moved.iter().map(|entry| entry.seq).collect();
        self.drop_fields_of(&seqs, &names)
    }

    /// Refused edits of other records that point at a record: what they were refused for may be that it is gone.
    fn refused_for(&self, record: &str) -> Result<Vec<i64>> {
        let pointing = self.reading().entries_that_mention(record)?.into_iter();
        let refused = pointing.filter(|entry| {
            let pointing = |name: &&str| {
                let table = self.catalogue().table(&entry.object);
                let value = entry.fields.get(name).and_then(Value::as_text);
                value == Some(record) && table.is_some_and(|table| table.is_lookup(name))
            };
            entry.state == State::Rejected && entry.fields.names().any(|name| pointing(&name))
        });
        Ok(refused.map(|entry| entry.seq).collect())
    }

    /// What the edits of a record were made upon; a field in conflict keeps what it was when that began.
    fn made_upon(&self, record: &str, base: Option<Fields>) -> Result<Fields> {
        let mut fields = base.unwrap_or_default();
        for (name, value) in self.reading().began(record)?.iter().flat_map(Fields::iter) {
            fields.set(name, value.clone());
        }
        Ok(fields)
    }

    /// Finds the fields that were edited of both records, with what they are to be by the edits of the one that goes.
    ///
    /// What belongs together is at odds as a whole.
    pub(super) fn at_odds(
        &self,
        table: &Table,
        winner: &str,
        own: &[Entry],
        moved: &[Entry],
    ) -> Result<Fields> {
        let reading = self.reading();
        let (Some(base), Some(row)) = (reading.base(winner)?, reading.row(table, winner)?) else {
            return Ok(Fields::new());
        };
        let began = table.values(&base.fields);
        let mut theirs = began.clone();
        overlay(table, &mut theirs, moved);
        // Both are this user's edits: which of them stands is nobody else's to say.
        let policy = reading.merge_policy(&table.object.name)?.asking();
        let (edited, unsent) = (table.named_by(own.iter()), vec![false; began.len()]);
        let merge = table
            .merger(&policy)
            .merged(&began, &row.values, &theirs, &edited, &unsent);
        let places = merge.conflicts.iter();
        Ok(places
            .map(|at| (table.columns[*at].name.clone(), theirs[*at].clone()))
            .collect())
    }

    /// Asks which of two edits of a field stands: that of the record that stayed, or that of the one merged into it.
    /// `bases` are what they are shown to be made upon, `began` is what the record itself has of the server.
    fn ask_between(
        &self,
        table: &Table,
        winner: &str,
        began: &Fields,
        bases: &Fields,
        moved: &[Entry],
        theirs: &Fields,
    ) -> Result<()> {
        let names: Vec<String> = theirs.names().map(str::to_owned).collect();
        let seqs: Vec<i64> = moved.iter().map(|entry| entry.seq).collect();
        self.drop_fields_of(&seqs, &names)?;
        let mut local = table.values(began);
        overlay(table, &mut local, &self.reading().entries_of(winner)?);
        self.replace_row(table, &local, 0)?;
        let key = self.reading().row(table, winner)?.and_then(|row| row.key);
        self.put_base(table, winner, began, 0, key.as_deref())?;
        let disputed = |name: &String| {
            let value = bases.get(name).cloned().unwrap_or(Value::Null);
            (name.clone(), value)
        };
        let base: Fields = names.iter().map(disputed).collect();
        self.dispute(table, winner, &base, theirs)
    }

    /// Ends what a record's edits wait for: they are looked at anew.
    fn set_free(&self, record: &str) -> Result<()> {
        for entry in self.reading().entries_of(record)? {
            let event = match entry.state {
                State::Pending | State::Rejected => continue,
                State::Sending | State::InDoubt => Event::NotDone,
                State::Conflicted => Event::Decide,
            };
            self.advance(&[entry.seq], event, &[])?;
        }
        self.drop_conflict(record)
    }

    /// Gives what the edits of two records that are one now were made upon, and sees that its row is here.
    fn stand_upon(
        &self,
        table: &Table,
        winner: &str,
        values: &[Value],
        edits: &Edits<'_>,
    ) -> Result<Fields> {
        let reading = self.reading();
        let mut began = match (reading.base(winner)?, reading.row(table, winner)?) {
            (Some(base), _) => base.fields,
            (None, Some(row)) => table.fields(&row.values),
            (None, None) => {
                let row = Row {
                    values: values.to_vec(),
                    rules: 0,
                    key: None,
                };
                self.insert_row(table, &row)?;
                table.fields(values)
            }
        };
        // What was edited of both keeps the base of the one that stayed.
        let edits_too = |name: &str| edits.own.iter().any(|entry| entry.fields.contains(name));
        let names = edits.moved.iter().flat_map(|entry| entry.fields.names());
        for name in names.filter(|name| !edits_too(name)) {
            let value = edits.made_upon.get(name).cloned();
            began.set(name, value.unwrap_or(Value::Null));
        }
        began.set("Id", winner);
        Ok(began)
    }
}
