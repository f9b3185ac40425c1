//! Takes in a copy of unsent work: by the same rules as what comes from the server.
//!
//! | the record here | what happens to the edits that come in |
//! |---|---|
//! | not here | it is placed as the server last confirmed it to the other device, the edits on top |
//! | as the server confirmed it | base, edits and what is here are merged; the newer confirmation counts |
//! | edited | field by field: what only one side changed stands, the rest is a conflict |
//! | in conflict, or on the wire | they stay in the file; it can be imported again |
//! | a create known by its key | nothing: it is there |

use super::document::{
    Copied, CopiedFile, CopiedKind, CopiedState, DisputeKind, Document, HeldRecord,
};
use super::{State, Writing};
use crate::env::LocalTime;
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::journal_states::Event;
use crate::merge;
use crate::outcome::MutationKind;
use crate::record::{Fields, RecordId, ServerTime, Value, is_local};
use crate::store::files::{FILE, PARENT, hex};
use crate::store::journal::NewEntry;
use crate::store::rows::Row;
use crate::store::{Arrived, Entry, Origin, Table};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What became of a copy.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Taken {
    /// Mutations that were appended.
    pub mutations: u64,
    /// Mutations that were here before, or whose values are.
    pub already_there: u64,
    /// Records that came into conflict.
    pub conflicts: u64,
    /// Records whose deletion gave way to an edit.
    pub withdrawn: Vec<RecordId>,
    /// Records whose edits could not be taken in yet.
    pub waiting: Vec<RecordId>,
}

/// An import at work.
struct Import<'a> {
    store: &'a Writing<'a>,
    /// Changesets of the other device, and what they are here.
    changesets: BTreeMap<i64, i64>,
    taken: Taken,
    files: &'a [CopiedFile],
}

impl Writing<'_> {
    /// Takes in a copy of unsent work. The caller has checked whose it is.
    pub(crate) fn copy_in(&self, document: &Document) -> Result<Taken> {
        let mut import = Import {
            store: self,
            changesets: BTreeMap::new(),
            taken: Taken::default(),
            files: &document.files,
        };
        for held in &document.records {
            let copies: Vec<&Copied> = document
                .mutations
                .iter()
                .filter(|copy| copy.record == held.id)
                .collect();
            import.record(held, &copies)?;
        }
        for changeset in &document.together {
            if let Some(here) = import.changesets.get(changeset) {
                self.tie(*here)?;
            }
        }
        Ok(import.taken)
    }
}

impl Import<'_> {
    fn record(&mut self, held: &HeldRecord, copies: &[&Copied]) -> Result<()> {
        let reading = self.store.reading();
        let mut fresh = Vec::new();
        for copy in copies {
            if reading.knows_copy(&copy.uid)? && !planted!(ImportsTwice) {
                self.taken.already_there += 1;
            } else {
                fresh.push(*copy);
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        if let Some(file) = self.files.iter().find(|file| file.record == held.id) {
            return self.file(file, &fresh);
        }
        let Some(table) = self.store.catalogue().table(&held.object).cloned() else {
            return Err(Error::new(
                ErrorKind::UnknownObject,
                format!(
                    "the briefcase of this device does not carry the object {}: add it and sync, then import again",
                    held.object
                ),
            ));
        };
        let created = fresh.iter().any(|copy| copy.kind == CopiedKind::Create);
        let here = self.find(&table, held, created)?;
        let id = here.clone().unwrap_or_else(|| held.id.clone());
        let entries = reading.entries_of(&id)?;
        let on_the_wire = |entry: &Entry| matches!(entry.state, State::Sending | State::InDoubt);
        // Of three devices' values for one field a conflict can show two.
        let third = !entries.is_empty() && held.is_disputed(DisputeKind::Imported);
        if third || reading.dispute(&id)?.is_some() || entries.iter().any(on_the_wire) {
            self.taken.waiting.push(reading.identity(&id)?);
            return Ok(());
        }
        if created && here.is_none() {
            return self.created(&table, held, &fresh);
        }
        // Its key says that the create is here, so only what came after it is news.
        let (creates, rest): (Vec<&Copied>, Vec<&Copied>) = fresh
            .into_iter()
            .partition(|copy| copy.kind == CopiedKind::Create);
        self.already_there(&creates)?;
        if rest.is_empty() {
            return Ok(());
        }
        if entries.is_empty() {
            self.onto_confirmed(&table, &id, held, &rest)
        } else {
            self.onto_edits(&table, &id, held, &rest, entries)
        }
    }

    /// Takes in a file that the server need not have, and hangs it on its record.
    fn file(&mut self, file: &CopiedFile, fresh: &[&Copied]) -> Result<()> {
        if self.store.reading().file(&file.record)?.is_some() {
            return self.already_there(fresh);
        }
        let lost = || {
            Error::new(
                ErrorKind::StorageCorrupt,
                "a file of the unsent work is damaged",
            )
        };
        let body = STANDARD.decode(&file.body).map_err(|_| lost())?;
        let fields = self.current_ids(&together(fresh))?;
        let parent = fields
            .get(PARENT)
            .and_then(Value::as_text)
            .ok_or_else(lost)?;
        let made_at = fresh
            .first()
            .map_or(LocalTime(0), |copy| LocalTime(copy.made_at));
        let (title, extension) = (&file.title, file.extension.as_deref());
        let nr = self
            .store
            .begin_file(&file.record, title, extension, made_at)?;
        self.store.append_bytes(nr, 0, &body)?;
        let checksum = hex(&Md5::digest(&body));
        self.store
            .finish_file(nr, parent, body.len() as u64, &checksum)?;
        fresh
            .iter()
            .try_for_each(|copy| self.append(FILE, &file.record, copy, &copy.fields))
    }

    /// The id under which this device has the record.
    fn find(&self, table: &Table, held: &HeldRecord, created: bool) -> Result<Option<String>> {
        let reading = self.store.reading();
        for name in std::iter::once(&held.id).chain(&held.aliases) {
            // A record that is made again has its old id among its aliases, and is another one at the server.
            if created && !is_local(name) {
                continue;
            }
            let current = reading.current(name)?;
            if current != *name
                || reading.row(table, &current)?.is_some()
                || reading.edited(&current)?
            {
                return Ok(Some(current));
            }
        }
        Ok(None)
    }

    /// Places a record that the server never saw.
    fn created(&mut self, table: &Table, held: &HeldRecord, fresh: &[&Copied]) -> Result<()> {
        let store = self.store;
        let fields = self.current_ids(&together(fresh))?;
        let shown = store.shown_when_created(table, &fields, &held.id)?;
        store.insert_row(
            table,
            &Row {
                values: table.values(&shown),
                rules: 0,
                key: held.identity.clone(),
            },
        )?;
        self.lead_to(table, held, &held.id)?;
        for copy in fresh {
            self.append(&table.object.name, &held.id, copy, &copy.fields.clone())?;
        }
        Ok(())
    }

    /// Lets hosts find a record that this device did not have under each name that it ever had.
    fn lead_to(&self, table: &Table, held: &HeldRecord, id: &str) -> Result<()> {
        let store = self.store;
        for alias in held.aliases.iter().filter(|alias| *alias != id) {
            if store.reading().row(table, alias)?.is_none() {
                store.connection.execute(
                    "INSERT INTO attache_alias VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                    [alias, id, &table.object.name],
                )?;
            }
        }
        Ok(())
    }

    /// Edits of a record that has none here.
    fn onto_confirmed(
        &mut self,
        table: &Arc<Table>,
        id: &str,
        held: &HeldRecord,
        fresh: &[&Copied],
    ) -> Result<()> {
        let (store, reading) = (self.store, self.store.reading());
        let row = reading.row(table, id)?;
        let here = row.as_ref().map(|row| table.fields(&row.values));
        let base = over(here.as_ref(), held.base.as_ref());
        let newer = here
            .as_ref()
            .filter(|here| held.base.is_none() || stamp(here) > stamp(&base));
        let key = row.as_ref().and_then(|row| row.key.clone());
        let rules = row.as_ref().map_or(0, |row| row.rules);
        if fresh.iter().any(|copy| copy.kind == CopiedKind::Delete) {
            // Whether what was edited since may go was not decided there: it is found anew here.
            let base = held.began(&base);
            if newer.is_some_and(|here| store.edited_by_hand(table, &base, here)) {
                return self.withdraw(id, fresh);
            }
            store.put_base(table, id, &base, rules, key.as_deref())?;
            if row.is_some() {
                store.delete_row(table, id)?;
            }
            return fresh
                .iter()
                .try_for_each(|copy| self.append(&table.object.name, id, copy, &copy.fields));
        }
        let began = held.began(&base);
        let remote = newer.cloned().unwrap_or_else(|| base.clone());
        let imported = held.is_disputed(DisputeKind::Imported);
        let below = if imported { &remote } else { &began };
        let mut local = over(Some(below), Some(&self.current_ids(&together(fresh))?));
        local.set("Id", id);
        match &row {
            Some(_) => store.replace_row(table, &table.values(&local), 0)?,
            None => {
                store.insert_row(
                    table,
                    &Row {
                        values: table.values(&local),
                        rules: 0,
                        key: held.identity.clone(),
                    },
                )?;
                self.lead_to(table, held, id)?;
            }
        }
        store.unsettle_relations(&table.object.name)?;
        for copy in fresh {
            self.append(&table.object.name, id, copy, &copy.fields)?;
        }
        if held.base.is_none() && here.is_none() {
            // Nobody knows what these edits were made upon: the record is read before they are sent.
            return self.doubt(id);
        }
        store.put_base(table, id, &began, 0, key.as_deref())?;
        if let Some(dispute) = held.conflict.as_ref().filter(|_| imported) {
            // What the server changed since is found when the record is sent, under its old base.
            self.taken.conflicts += 1;
            return store.dispute(table, id, &dispute.base, &dispute.remote);
        }
        self.merge_in(table, id, held, &began, &remote)
    }

    /// Lets the rules of a merge decide about edits that were just placed.
    fn merge_in(
        &mut self,
        table: &Arc<Table>,
        id: &str,
        held: &HeldRecord,
        began: &Fields,
        remote: &Fields,
    ) -> Result<()> {
        let (store, reading) = (self.store, self.store.reading());
        let entries = reading.entries_of(id)?;
        let mut arrived = store.merge(
            table,
            id,
            Some(&table.values(began)),
            table.values(remote),
            0,
            &entries,
        )?;
        match &held.conflict {
            Some(dispute) if dispute.kind == DisputeKind::DeletedAtRemote => {
                arrived = store.missing(table, id)?;
            }
            _ => {}
        }
        self.taken.conflicts += u64::from(arrived == Arrived::Conflicted);
        Ok(())
    }

    /// Edits of a record that was edited here as well.
    fn onto_edits(
        &mut self,
        table: &Arc<Table>,
        id: &str,
        held: &HeldRecord,
        fresh: &[&Copied],
        entries: Vec<Entry>,
    ) -> Result<()> {
        let (store, reading) = (self.store, self.store.reading());
        let deletes = fresh.iter().any(|copy| copy.kind == CopiedKind::Delete);
        let deleted: Vec<i64> = entries
            .iter()
            .filter(|entry| entry.kind == MutationKind::Delete)
            .map(|entry| entry.seq)
            .collect();
        match (deletes, deleted.is_empty()) {
            (true, false) => return self.already_there(fresh),
            // An edit beats a deletion, whichever device it was made on.
            (true, true) => return self.withdraw(id, fresh),
            (false, false) => {
                let identity = reading.identity(id)?;
                store.forget(&deleted)?;
                store.rebuild(table, id)?;
                self.taken.withdrawn.push(identity);
                if reading.entries_of(id)?.is_empty() {
                    return self.onto_confirmed(table, id, held, fresh);
                }
            }
            (false, true) => {}
        }
        let confirmed = match reading.base(id)? {
            Some(base) => base.fields,
            // The server never saw it: what was created here is what both devices began with.
            None => store.shown_when_created(
                table,
                &entries
                    .first()
                    .map(|entry| entry.fields.clone())
                    .unwrap_or_default(),
                id,
            )?,
        };
        let base = over(Some(&confirmed), held.base.as_ref());
        if !is_local(id) && stamp(&base) > stamp(&confirmed) {
            let news = store.arrive_edited(table, id, table.values(&base), 0, Origin::Server)?;
            if news == Arrived::Conflicted {
                self.taken.conflicts += 1;
                self.taken.waiting.push(reading.identity(id)?);
                return Ok(());
            }
        }
        self.join(table, id, &held.began(&base), fresh)
    }

    /// Joins the edits of two devices field by field.
    fn join(
        &mut self,
        table: &Arc<Table>,
        id: &str,
        base: &Fields,
        fresh: &[&Copied],
    ) -> Result<()> {
        let (store, reading) = (self.store, self.store.reading());
        let Some(row) = reading.row(table, id)? else {
            return Err(Error::internal("an edited record is on this device"));
        };
        let theirs = over(Some(base), Some(&self.current_ids(&together(fresh))?));
        let began = table.values(base);
        let mine: Vec<bool> = table
            .columns
            .iter()
            .zip(row.values.iter().zip(&began))
            .map(|(column, (local, base))| !merge::same(&column.ty, local, base))
            .collect();
        // Both are this user's edits: which of them stands is nobody else's to say.
        let policy = reading.merge_policy(&table.object.name)?.asking();
        let outcome = table.merger(&policy).merged(
            &began,
            &row.values,
            &table.values(&theirs),
            &mine,
            &vec![false; mine.len()],
        );
        let among = |places: &[usize], fields: &Fields| -> Fields {
            let names = places.iter().map(|at| &table.columns[*at].name);
            names
                .filter_map(|name| Some((name.clone(), fields.get(name)?.clone())))
                .collect()
        };
        store.set_fields(table, id, &among(&outcome.taken, &theirs))?;
        for copy in fresh {
            let fields = among(&outcome.taken, &copy.fields);
            if fields.is_empty() {
                let disputed = !among(&outcome.conflicts, &copy.fields).is_empty();
                self.taken.already_there += u64::from(!disputed);
                store.note_copy(&copy.uid, None)?;
            } else {
                self.append(&table.object.name, id, copy, &fields)?;
            }
        }
        if outcome.conflicts.is_empty() {
            return Ok(());
        }
        self.taken.conflicts += 1;
        self.store.dispute(
            table,
            id,
            &among(&outcome.conflicts, base),
            &among(&outcome.conflicts, &theirs),
        )
    }

    /// A deletion gives way to an edit.
    fn withdraw(&mut self, id: &str, fresh: &[&Copied]) -> Result<()> {
        self.taken
            .withdrawn
            .push(self.store.reading().identity(id)?);
        fresh
            .iter()
            .try_for_each(|copy| self.store.note_copy(&copy.uid, None))
    }

    fn already_there(&mut self, copies: &[&Copied]) -> Result<()> {
        self.taken.already_there += copies.len() as u64;
        copies
            .iter()
            .try_for_each(|copy| self.store.note_copy(&copy.uid, None))
    }

    fn doubt(&self, id: &str) -> Result<()> {
        let entries = self.store.reading().entries_of(id)?;
        let seqs: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
        self.store.advance(&seqs, Event::NoAnswer, &[])
    }

    fn append(&mut self, object: &str, id: &str, copy: &Copied, fields: &Fields) -> Result<()> {
        let store = self.store;
        let changeset = match self.changesets.get(&copy.changeset) {
            Some(changeset) => *changeset,
            None => {
                let changeset = store.reading().next_changeset()?;
                self.changesets.insert(copy.changeset, changeset);
                changeset
            }
        };
        let kind = match copy.kind {
            CopiedKind::Create => MutationKind::Create,
            CopiedKind::Update => MutationKind::Update,
            CopiedKind::Delete => MutationKind::Delete,
        };
        let seq = store.append(&NewEntry {
            changeset,
            object,
            record: id,
            kind,
            fields: &self.current_ids(fields)?,
            client_key: copy.client_key.as_deref(),
            made_at: LocalTime(copy.made_at),
        })?;
        store.note_copy(&copy.uid, Some(seq.0))?;
        if kind == MutationKind::Create
            && let Some(time) = copy.sent_after
        {
            store.set_sent_after(&[seq.0], ServerTime(time))?;
        }
        let event = match copy.state {
            CopiedState::Rejected => Some(Event::Refuse),
            // What is not a create is settled by the precondition under which it is sent.
            CopiedState::Sending | CopiedState::InDoubt if kind == MutationKind::Create => {
                Some(Event::NoAnswer)
            }
            _ => None,
        };
        if let Some(event) = event {
            let problems: Vec<Problem> = copy
                .problems
                .iter()
                .enumerate()
                .map(|(at, (fields, code, message))| Problem {
                    fields: fields.clone(),
                    code: code.clone(),
                    message: message.clone(),
                    duplicates: copy
                        .duplicates
                        .iter()
                        .find(|(of, _)| *of == at)
                        .map(|(_, found)| Box::new(found.clone())),
                })
                .collect();
            store.advance(&[seq.0], event, &problems)?;
        }
        self.taken.mutations += 1;
        Ok(())
    }

    /// Lookups may name a record by a key for which this device knows the server's id.
    fn current_ids(&self, fields: &Fields) -> Result<Fields> {
        let mut current = fields.clone();
        for (name, value) in fields.iter() {
            if let Some(key) = value.as_text().filter(|text| is_local(text)) {
                current.set(name, self.store.reading().current(key)?);
            }
        }
        Ok(current)
    }
}

impl HeldRecord {
    fn is_disputed(&self, kind: DisputeKind) -> bool {
        self.conflict
            .as_ref()
            .is_some_and(|dispute| dispute.kind == kind)
    }

    /// What the edits were made upon: a field in conflict keeps the base it had when the conflict began.
    fn began(&self, base: &Fields) -> Fields {
        let dispute = self.conflict.as_ref();
        let open = dispute.filter(|dispute| dispute.kind == DisputeKind::Fields);
        over(Some(base), open.map(|dispute| &dispute.base))
    }
}

/// The values that a record's mutations leave.
fn together(copies: &[&Copied]) -> Fields {
    copies.iter().flat_map(|copy| copy.fields.clone()).collect()
}

/// Fields with others written over them.
fn over(below: Option<&Fields>, above: Option<&Fields>) -> Fields {
    let (below, above) = (below.into_iter(), above.into_iter());
    below
        .chain(above)
        .flat_map(|fields| fields.clone())
        .collect()
}

/// When the server last touched the record, as far as these fields know.
fn stamp(fields: &Fields) -> Option<ServerTime> {
    ["SystemModstamp", "LastModifiedDate"]
        .into_iter()
        .find_map(|name| match fields.get(name) {
            Some(Value::DateTime(time)) => Some(*time),
            _ => None,
        })
}
