//! Several edits as one, and taking the last ones back.

use crate::engine::Attache;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::outcome::{JournalSeq, Mutation};
use crate::record::{Fields, Record, RecordId};
use crate::store::{Durability, Entry, Stamp, State, Writing};
use crate::sync::new_key;
use crate::together::tie;
use std::collections::BTreeSet;

/// Edits that are made together: see [`Attache::changeset`].
pub struct Changeset<'a> {
    store: &'a Writing<'a>,
    env: &'a dyn Env,
    stamp: Stamp,
    made: usize,
    /// What is wrong, with the place of the edit it is of.
    wrong: Vec<(usize, Problem)>,
    /// Records whose creates are wrong.
    refused: BTreeSet<RecordId>,
    /// The server is to take all edits or none.
    pub(crate) together: bool,
}

impl Changeset<'_> {
    /// Creates a record, as [`Attache::create`] does. Later edits of the changeset may point at it.
    ///
    /// What is wrong with its fields is told at the end, together with what is wrong with the other edits.
    ///
    /// # Errors
    /// Those of [`Attache::create`], but for [`ErrorKind::InvalidRecord`].
    pub fn create(&mut self, object: &str, fields: impl Into<Fields>) -> Result<RecordId> {
        let fields = fields.into();
        self.creates(object, |w, key, stamp| {
            w.create_record(object, &fields, key, stamp)
        })
    }

    /// Changes fields of a record, as [`Attache::update`] does.
    ///
    /// What is wrong with them is told at the end, together with what is wrong with the other edits.
    ///
    /// # Errors
    /// Those of [`Attache::update`], but for [`ErrorKind::InvalidRecord`].
    pub fn update(&mut self, id: &RecordId, fields: impl Into<Fields>) -> Result<()> {
        let fields = fields.into();
        self.updates(id, |w, stamp| w.update_record(id, &fields, stamp))
    }

    /// Deletes a record, as [`Attache::delete`] does.
    ///
    /// # Errors
    /// Those of [`Attache::delete`].
    pub fn delete(&mut self, id: &RecordId) -> Result<()> {
        self.updates(id, |w, stamp| w.delete_record(id, stamp))
    }

    pub(crate) fn creates(
        &mut self,
        object: &str,
        work: impl FnOnce(&Writing<'_>, &RecordId, Stamp) -> Result<()>,
    ) -> Result<RecordId> {
        let key = new_key(self.env);
        if !self.attempt(|w, stamp| work(w, &key, stamp))? {
            // It stands in for the record, so that what points at it is checked for its own mistakes.
            self.store.stand_in(object, &key, self.stamp)?;
            self.refused.insert(key.clone());
        }
        Ok(key)
    }

    pub(crate) fn updates(
        &mut self,
        id: &RecordId,
        work: impl FnOnce(&Writing<'_>, Stamp) -> Result<()>,
    ) -> Result<()> {
        if self.refused.contains(id) {
            self.made += 1;
            return Ok(());
        }
        self.attempt(work).map(|_| ())
    }

    /// Makes an edit, and says whether nothing was wrong with it.
    fn attempt(&mut self, work: impl FnOnce(&Writing<'_>, Stamp) -> Result<()>) -> Result<bool> {
        let at = self.made;
        self.made += 1;
        match work(self.store, self.stamp) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::InvalidRecord => {
                let problems = error.problems().iter().cloned();
                self.wrong.extend(problems.map(|problem| (at, problem)));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn settle(self) -> Result<()> {
        let Some((_, first)) = self.wrong.first() else {
            return Ok(());
        };
        let edits: BTreeSet<usize> = self.wrong.iter().map(|(at, _)| *at).collect();
        let message = format!(
            "{} of {} edits cannot be saved, so none is: {}",
            edits.len(),
            self.made,
            first.message
        );
        let (places, problems) = self.wrong.into_iter().unzip();
        Err(Error::new(ErrorKind::InvalidRecord, message)
            .with_problems(problems)
            .of_edits(places))
    }

    /// Reads a record with the edits of this changeset.
    ///
    /// # Errors
    /// Those of [`Attache::get`].
    pub fn get(&self, id: &RecordId) -> Result<Option<Record>> {
        self.store.reading().record(id)
    }
}

impl Attache {
    /// Makes several edits in one transaction: all of them, or none.
    ///
    /// They share the number of their changeset, and [`undo`](Attache::undo) takes them back
    /// together. At the server each record is still written by itself, unless the changeset is
    /// [all or none](Changeset::all_or_none).
    ///
    /// The writer is held until `work` returns, so edits are made through the
    /// changeset there: an [`Attache`] of the same store refuses them on this thread, with
    /// [`ErrorKind::InvalidArgument`], and on any other they wait. What it reads is as it was before the
    /// changeset; one in memory has a single connection, and refuses that as well.
    ///
    /// # Errors
    /// Whatever `work` gives; [`ErrorKind::InvalidRecord`] with everything that is wrong with any of the edits, see
    /// [`Error::problems_by_edit`]. Nothing was changed then.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// # let attache = attache::Attache::open("acme-jo.db")?;
    /// use attache::Value;
    ///
    /// let account = attache.changeset(|edits| {
    ///     let account = edits.create("Account", [("Name", "Acme")])?;
    ///     let contact = [("LastName", Value::from("Öz")), ("AccountId", Value::from(&account))];
    ///     edits.create("Contact", contact)?; // if this is refused, there is no account either
    ///     Ok(account)
    /// })?;
    /// # let _ = account;
    /// # Ok(())
    /// # }
    /// ```
    pub fn changeset<T>(&self, work: impl FnOnce(&mut Changeset<'_>) -> Result<T>) -> Result<T> {
        let now = self.env.now();
        self.store.write(Durability::Durable, |w| {
            let changeset = w.reading().next_changeset()?;
            let mut edits = Changeset {
                store: w,
                env: &*self.env,
                stamp: Stamp { changeset, now },
                made: 0,
                wrong: Vec::new(),
                refused: BTreeSet::new(),
                together: false,
            };
            let done = work(&mut edits)?;
            let together = edits.together;
            edits.settle()?;
            if together {
                tie(w, changeset)?;
            }
            Ok(done)
        })
    }

    /// Takes the last changeset back and gives its mutations; none if nothing is unsent.
    ///
    /// What the server has confirmed is no longer in the journal, so it is the
    /// last changeset of which something was not sent. To delete a record that
    /// the server never saw leaves no mutation, and is not undone. Where conflicts were
    /// settled last, they are open again, as with [`reopen`](Attache::reopen).
    ///
    /// # Errors
    /// Those of [`discard`](Attache::discard), if one of its mutations is on the
    /// wire or is needed by another. Nothing was changed then.
    pub fn undo(&self) -> Result<Vec<Mutation>> {
        self.store.write(Durability::Durable, |w| {
            let entries = w.reading().entries()?;
            let last = entries.iter().map(|entry| entry.changeset).max();
            if let Some(decision) = w.reading().last_decision()?.filter(|it| Some(*it) >= last) {
                let decided = w.reading().decided_in(decision)?;
                let undone: Result<Vec<Vec<Mutation>>> =
                    decided.into_iter().rev().map(|id| w.reopen(id)).collect();
                return Ok(undone?.concat());
            }
            take_back(w, |entry| Some(entry.changeset) == last)
        })
    }

    /// Takes a changeset back, whatever was edited since, and gives its mutations; none if nothing of it is unsent.
    ///
    /// [`Mutation::changeset`] is its number.
    ///
    /// # Errors
    /// Those of [`discard`](Attache::discard), for any of its mutations. Nothing was changed then.
    pub fn undo_changeset(&self, changeset: i64) -> Result<Vec<Mutation>> {
        self.store.write(Durability::Durable, |w| {
            take_back(w, |entry| entry.changeset == changeset)
        })
    }

    /// Takes all unsent edits of a record back, and gives them; none if it has none.
    ///
    /// The record is as the server last confirmed it: one that was deleted here is back, one that was created here is
    /// gone, and a conflict about it is settled with the server's values.
    ///
    /// # Errors
    /// Those of [`discard`](Attache::discard), for any of its edits. Nothing was changed then.
    pub fn discard_record(&self, id: &RecordId) -> Result<Vec<Mutation>> {
        self.store.write(Durability::Durable, |w| {
            let current = w.reading().current(id.as_str())?;
            take_back(w, |entry| entry.record == current)
        })
    }

    /// Has the next session send the rejected edits of a record once more.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it has none.
    pub fn retry_record(&self, id: &RecordId) -> Result<()> {
        self.store.write(Durability::Durable, |w| {
            let current = w.reading().current(id.as_str())?;
            let entries = w.reading().entries_of(&current)?;
            match entries.iter().find(|entry| entry.state == State::Rejected) {
                Some(entry) => w.retry(JournalSeq(entry.seq)),
                None => Err(Error::invalid(format!("no edit of {id} was rejected"))),
            }
        })
    }

    /// Has the next session send everything that was rejected once more, and gives how many mutations that are.
    ///
    /// # Errors
    /// Those of the store.
    pub fn retry_all(&self) -> Result<u64> {
        self.store.write(Durability::Durable, |w| {
            let rejected = w.reading().count_entries(&[State::Rejected])?;
            for entry in w.reading().entries()? {
                // Its record's others may have taken it along.
                let entry = w.reading().entry(JournalSeq(entry.seq))?;
                if entry.state == State::Rejected {
                    w.retry(JournalSeq(entry.seq))?;
                }
            }
            Ok(rejected)
        })
    }
}

/// Takes mutations back, the newest first, and gives them in the order they were made.
fn take_back(w: &Writing<'_>, chosen: impl Fn(&Entry) -> bool) -> Result<Vec<Mutation>> {
    let reading = w.reading();
    let mut entries = reading.entries()?;
    entries.retain(chosen);
    let taken: Result<Vec<Mutation>> = entries
        .iter()
        .map(|entry| entry.mutation(&reading))
        .collect();
    for entry in entries.iter().rev() {
        // A create takes the other edits of its record along.
        let left = reading.entries_of(&entry.record)?;
        if left.iter().any(|left| left.seq == entry.seq) {
            w.discard(JournalSeq(entry.seq))?;
        }
    }
    taken
}
