//! The store and its org.

use crate::cancel::CancelToken;
use crate::error::{ErrorKind, Result, failed};
use crate::outcome::{self, Conflict, Mutation, Report, Resolution, Status};
use crate::progress::ProgressObserver;
use crate::rows::RowCursor;
use crate::session;
use crate::tokens::{HostTokens, TokenProvider};
use crate::value::{self, Record, Value};
use attache::{Briefcase, ConflictId, JournalSeq, RecordId};
use attache_salesforce::Salesforce;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A store of records, and the org it is kept in step with. Any thread may use it at any time.
#[derive(uniffi::Object)]
pub struct Attache {
    // None once it was shut down.
    engine: RwLock<Option<attache::Attache>>,
}

impl Attache {
    fn engine(&self) -> Result<attache::Attache> {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        engine
            .clone()
            .ok_or_else(|| failed(ErrorKind::NotReady, "the store was shut down"))
    }

    fn new(engine: attache::Attache) -> Arc<Attache> {
        Arc::new(Attache {
            engine: RwLock::new(Some(engine)),
        })
    }
}

#[uniffi::export]
impl Attache {
    /// Opens a store, creating the file if it is missing. Waits for the disk only.
    #[uniffi::constructor]
    pub fn open(path: String) -> Result<Arc<Attache>> {
        Ok(Attache::new(attache::Attache::open(path)?))
    }

    /// Opens a store that is gone when it is closed. For tests.
    #[uniffi::constructor]
    pub fn open_in_memory() -> Result<Arc<Attache>> {
        Ok(Attache::new(attache::Attache::open_in_memory()?))
    }

    /// Sets the Salesforce org that the next `sync` talks to. Does no call itself.
    pub fn set_salesforce(&self, url: String, tokens: Arc<dyn TokenProvider>) -> Result<()> {
        let org = Salesforce::new(&url, HostTokens(tokens))?;
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        match engine.take() {
            Some(open) => *engine = Some(open.with_remote(org)),
            None => return Err(failed(ErrorKind::NotReady, "the store was shut down")),
        }
        Ok(())
    }

    /// Sets what to keep on the device: a briefcase document (JSON). It is stored, and checked
    /// against the org by the next `sync`.
    pub fn set_briefcase(&self, json: String) -> Result<()> {
        Ok(self.engine()?.set_briefcase(Briefcase::from_json(&json)?)?)
    }

    /// Brings the store and the org in step: pull, merge, push, read back.
    ///
    /// The session runs on a thread of its own; reads and edits go on meanwhile. Cancelling the
    /// task that waits stops the session too.
    #[uniffi::method(default(observer = None, cancel = None))]
    pub async fn sync(
        &self,
        observer: Option<Arc<dyn ProgressObserver>>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<Report> {
        let cancel = cancel.map(|cancel| cancel.token.clone());
        session::run(self.engine()?, observer, cancel.unwrap_or_default()).await
    }

    /// Answers a SOQL query from the store.
    pub fn query(&self, soql: String) -> Result<Arc<RowCursor>> {
        Ok(RowCursor::new(self.engine()?.query(&soql)?))
    }

    /// Reads a record; nothing if it is not on this device.
    pub fn get(&self, id: String) -> Result<Option<Record>> {
        let record = self.engine()?.get(&RecordId::parse(&id)?)?;
        Ok(record.as_ref().map(Record::from))
    }

    /// Creates a record and gives its id, which never changes. It is checked, durable and pending
    /// when this returns.
    pub fn create(&self, object: String, fields: HashMap<String, Value>) -> Result<String> {
        let fields = value::fields(fields)?;
        Ok(self.engine()?.create(&object, fields)?.to_string())
    }

    /// Changes the given fields of a record. The change is checked, durable and pending when this
    /// returns.
    pub fn update(&self, id: String, fields: HashMap<String, Value>) -> Result<()> {
        let fields = value::fields(fields)?;
        Ok(self.engine()?.update(&RecordId::parse(&id)?, fields)?)
    }

    /// Deletes a record. The deletion is durable and pending when this returns.
    pub fn delete(&self, id: String) -> Result<()> {
        Ok(self.engine()?.delete(&RecordId::parse(&id)?)?)
    }

    /// Lists everything the org has not confirmed, in journal order.
    pub fn pending(&self) -> Result<Vec<Mutation>> {
        let pending = self.engine()?.pending()?;
        Ok(pending.iter().map(Mutation::from).collect())
    }

    /// Takes back one mutation.
    pub fn discard(&self, seq: i64) -> Result<()> {
        Ok(self.engine()?.discard(JournalSeq(seq))?)
    }

    /// Lets the next `sync` send a mutation again that the org rejected.
    pub fn retry(&self, seq: i64) -> Result<()> {
        Ok(self.engine()?.retry(JournalSeq(seq))?)
    }

    /// Lists the open conflicts.
    pub fn conflicts(&self) -> Result<Vec<Conflict>> {
        let conflicts = self.engine()?.conflicts()?;
        Ok(conflicts.iter().map(Conflict::from).collect())
    }

    /// Settles a conflict.
    pub fn resolve(&self, conflict: i64, resolution: Resolution) -> Result<()> {
        let resolution = outcome::read_resolution(resolution)?;
        Ok(self.engine()?.resolve(ConflictId(conflict), resolution)?)
    }

    /// Tells what the store holds.
    pub fn status(&self) -> Result<Status> {
        Ok(Status::from(&self.engine()?.status()?))
    }

    /// Closes the file, now or when a running session ends. Later calls fail with `NotReady`.
    ///
    /// Kotlin's `close` and Swift's last release do the same, for who has the last reference.
    pub fn shutdown(&self) {
        let engine = {
            let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
            engine.take()
        };
        drop(engine);
    }
}
