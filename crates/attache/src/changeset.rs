//! Several edits as one, and taking the last ones back.

use crate::engine::Attache;
use crate::env::Env;
use crate::error::Result;
use crate::outcome::{JournalSeq, Mutation};
use crate::record::{Fields, Record, RecordId};
use crate::store::{Durability, Stamp, Writing};
use crate::sync::new_key;

/// Edits that are made together: see [`Attache::changeset`].
pub struct Changeset<'a> {
    store: &'a Writing<'a>,
    env: &'a dyn Env,
    stamp: Stamp,
}

impl Changeset<'_> {
    /// Creates a record, as [`Attache::create`] does. Later edits of the changeset may point at it.
    ///
    /// # Errors
    /// Those of [`Attache::create`].
    pub fn create(&mut self, object: &str, fields: impl Into<Fields>) -> Result<RecordId> {
        let key = new_key(self.env);
        self.store
            .create_record(object, &fields.into(), &key, self.stamp)?;
        Ok(key)
    }

    /// Changes fields of a record, as [`Attache::update`] does.
    ///
    /// # Errors
    /// Those of [`Attache::update`].
    pub fn update(&mut self, id: &RecordId, fields: impl Into<Fields>) -> Result<()> {
        self.store.update_record(id, &fields.into(), self.stamp)
    }

    /// Deletes a record, as [`Attache::delete`] does.
    ///
    /// # Errors
    /// Those of [`Attache::delete`].
    pub fn delete(&mut self, id: &RecordId) -> Result<()> {
        self.store.delete_record(id, self.stamp)
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
    /// together. At the server each record is still written by itself.
    ///
    /// The writer is held until `work` returns: make edits only through the
    /// changeset there, never through an [`Attache`], which would wait for ever.
    ///
    /// # Errors
    /// Whatever `work` gives. Nothing was changed then.
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
            work(&mut Changeset {
                store: w,
                env: &*self.env,
                stamp: Stamp { changeset, now },
            })
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
            let reading = w.reading();
            let mut entries = reading.entries()?;
            let last = entries.iter().map(|entry| entry.changeset).max();
            if let Some(decision) = reading.last_decision()?.filter(|it| Some(*it) >= last) {
                let decided = reading.decided_in(decision)?;
                let undone: Result<Vec<Vec<Mutation>>> =
                    decided.into_iter().rev().map(|id| w.reopen(id)).collect();
                return Ok(undone?.concat());
            }
            entries.retain(|entry| Some(entry.changeset) == last);
            let undone: Result<Vec<Mutation>> = entries
                .iter()
                .map(|entry| entry.mutation(&reading))
                .collect();
            for entry in entries.iter().rev() {
                // A create takes the other edits of its record along.
                if reading
                    .entries_of(&entry.record)?
                    .iter()
                    .any(|left| left.seq == entry.seq)
                {
                    w.discard(JournalSeq(entry.seq))?;
                }
            }
            undone
        })
    }
}
