//! Edits that are made together.
//!
//! The engine lends a changeset to a closure, and a host's object outlives any loan.
//! So the host's code runs on a thread of its own and asks, and the thread that
//! called holds the transaction and answers.

use crate::error::{ErrorKind, Result, failed};
use crate::outcome::Mutation;
use crate::store::{Attache, record_id};
use crate::value::{self, Record, Value};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The work of a host on a changeset.
#[uniffi::export(rust, foreign)]
pub trait ChangesetWork: Send + Sync {
    /// Makes the edits. Throwing takes all of them back.
    fn edit(&self, changes: Arc<Changeset>) -> Result<()>;
}

type Step = Box<dyn FnOnce(&mut attache::Changeset<'_>) + Send>;

/// Edits that are made in one transaction: all of them, or none. Good while `edit` runs, on any thread.
#[derive(uniffi::Object)]
pub struct Changeset {
    // None once the work is over: a host may hold the object for longer.
    steps: Mutex<Option<Sender<Step>>>,
}

thread_local! {
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Refuses a call on the store from within the work on a changeset: its writer would wait for its own end.
pub(crate) fn refuse_at_work() -> Result<()> {
    match AT_WORK.get() {
        false => Ok(()),
        true => Err(failed(
            ErrorKind::InvalidArgument,
            "within the work on a changeset, call the changeset and not the store",
        )),
    }
}

/// Ends a changeset however its work ends.
struct Ending(Arc<Changeset>);

impl Drop for Ending {
    fn drop(&mut self) {
        *self.0.steps.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Runs the host's work, on the thread that is made for it.
fn host_work(work: &dyn ChangesetWork, steps: Sender<Step>) -> Result<()> {
    AT_WORK.set(true);
    let ending = Ending(Arc::new(Changeset {
        steps: Mutex::new(Some(steps)),
    }));
    work.edit(Arc::clone(&ending.0))
}

impl Changeset {
    fn ask<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut attache::Changeset<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let over = || failed(ErrorKind::InvalidArgument, "the changeset is over");
        let (tell, told) = channel();
        let step: Step = Box::new(move |changes| {
            // Whoever asked waits for it.
            let _ = tell.send(step(changes));
        });
        {
            let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
            let steps = steps.as_ref().ok_or_else(over)?;
            steps.send(step).map_err(|_| over())?;
        }
        told.recv().map_err(|_| over())?
    }
}

#[uniffi::export]
impl Changeset {
    /// Creates a record, as `Attache` does. Later edits of the changeset may point at it.
    pub fn create(&self, object: String, fields: HashMap<String, Value>) -> Result<String> {
        let fields = value::fields(fields)?;
        self.ask(move |changes| Ok(changes.create(&object, fields)?.to_string()))
    }

    /// Creates a record of the fields of a JSON object.
    pub fn create_json(&self, object: String, fields: String) -> Result<String> {
        self.ask(move |changes| Ok(changes.create_json(&object, &fields)?.to_string()))
    }

    /// Changes fields of a record.
    pub fn update(&self, id: String, fields: HashMap<String, Value>) -> Result<()> {
        let (id, fields) = (record_id(&id)?, value::fields(fields)?);
        self.ask(move |changes| Ok(changes.update(&id, fields)?))
    }

    /// Changes fields of a record to those of a JSON object; null clears one.
    pub fn update_json(&self, id: String, fields: String) -> Result<()> {
        let id = record_id(&id)?;
        self.ask(move |changes| Ok(changes.update_json(&id, &fields)?))
    }

    /// Deletes a record.
    pub fn delete(&self, id: String) -> Result<()> {
        let id = record_id(&id)?;
        self.ask(move |changes| Ok(changes.delete(&id)?))
    }

    /// Reads a record with the edits of this changeset.
    pub fn get(&self, id: String) -> Result<Option<Record>> {
        let id = record_id(&id)?;
        self.ask(move |changes| Ok(changes.get(&id)?.as_ref().map(Record::from)))
    }

    /// Has the org take the edits of this changeset all together, or none of them.
    pub fn all_or_none(&self) -> Result<()> {
        self.ask(|changes| {
            changes.all_or_none();
            Ok(())
        })
    }
}

#[uniffi::export]
impl Attache {
    /// Makes several edits in one transaction: all of them, or none. `work` runs on another thread, and this one
    /// waits; other writers wait as well, so do nothing slow in it. Within it, call the changeset and not the store.
    pub fn changeset(&self, work: Arc<dyn ChangesetWork>) -> Result<()> {
        let engine = self.engine()?;
        // What the host threw; the engine would keep its kind and words alone.
        let mut thrown = None;
        let made = engine.changeset(|changes| {
            let (steps, asked) = channel();
            let done = thread::scope(|scope| {
                let host = scope.spawn(|| host_work(work.as_ref(), steps));
                serve(&asked, changes);
                host.join()
            });
            match done {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => {
                    thrown = Some(error);
                    Err(attache::Error::new(
                        attache::ErrorKind::Interrupted,
                        "the application threw",
                    ))
                }
                Err(_) => Err(attache::Error::new(
                    attache::ErrorKind::Internal,
                    "the application's part of a changeset panicked",
                )),
            }
        });
        match thrown {
            Some(thrown) => Err(thrown),
            None => Ok(made?),
        }
    }

    /// Takes the last changeset back and gives its mutations; none if nothing is unsent.
    pub fn undo(&self) -> Result<Vec<Mutation>> {
        Ok(mutations(&self.engine()?.undo()?))
    }

    /// Takes a changeset back, whatever was edited since, and gives its mutations.
    pub fn undo_changeset(&self, changeset: i64) -> Result<Vec<Mutation>> {
        Ok(mutations(&self.engine()?.undo_changeset(changeset)?))
    }

    /// Takes all unsent edits of a record back, and gives them.
    pub fn discard_record(&self, id: String) -> Result<Vec<Mutation>> {
        Ok(mutations(&self.engine()?.discard_record(&record_id(&id)?)?))
    }

    /// Has the next session send the rejected edits of a record once more.
    pub fn retry_record(&self, id: String) -> Result<()> {
        Ok(self.engine()?.retry_record(&record_id(&id)?)?)
    }

    /// Has the next session send everything that was rejected once more, and gives how many mutations that are.
    pub fn retry_all(&self) -> Result<u64> {
        Ok(self.engine()?.retry_all()?)
    }

    /// Has the next session send a write once more that was refused as a duplicate, and save it all the same.
    pub fn save_anyway(&self, seq: i64) -> Result<()> {
        Ok(self.engine()?.save_anyway(attache::JournalSeq(seq))?)
    }

    /// Lists the mutations that have to be dealt with before a pending one of an all-or-none changeset can be sent.
    pub fn waits_for(&self, seq: i64) -> Result<Vec<i64>> {
        let waits = self.engine()?.waits_for(attache::JournalSeq(seq))?;
        Ok(waits.into_iter().map(|seq| seq.0).collect())
    }
}

/// Does what the host asks for, until it lets its changeset go.
fn serve(asked: &Receiver<Step>, changes: &mut attache::Changeset<'_>) {
    while let Ok(step) = asked.recv() {
        step(changes);
    }
}

pub(crate) fn mutations(told: &[attache::Mutation]) -> Vec<Mutation> {
    told.iter().map(Mutation::from).collect()
}
