//! The store and its org.

use crate::cancel::CancelToken;
use crate::changeset::{mutations, refuse_at_work};
use crate::connect::SalesforceOptions;
use crate::error::{ErrorKind, Result, failed};
use crate::options::{Key, Limits, Options, engine_options};
use crate::outcome::{self, Conflict, Mutation, Report, Resolution, Status};
use crate::progress::ProgressObserver;
use crate::resolver::Resolver;
use crate::rows::RowCursor;
use crate::session::{self, Pace, SyncOptions};
use crate::tell::Tell;
use crate::tokens::{HostTokens, TokenProvider};
use crate::transport::{HostTransport, Transport};
use crate::value::{self, Record, Value};
use attache::{ConflictId, JournalSeq, RecordId};
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
    pub(crate) fn engine(&self) -> Result<attache::Attache> {
        refuse_at_work()?;
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        engine
            .clone()
            .ok_or_else(|| failed(ErrorKind::NotReady, "the store was shut down"))
    }

    fn new(engine: attache::Attache, options: Option<&Options>) -> Arc<Attache> {
        let engine = match options.and_then(|options| options.retries) {
            Some(retries) => engine.with_retries(retries),
            None => engine,
        };
        Arc::new(Attache {
            engine: RwLock::new(Some(engine)),
        })
    }

    /// Puts another engine in the place of the one that is used.
    fn change(&self, change: impl FnOnce(attache::Attache) -> attache::Attache) -> Result<()> {
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        match engine.take() {
            Some(open) => *engine = Some(change(open)),
            None => return Err(failed(ErrorKind::NotReady, "the store was shut down")),
        }
        Ok(())
    }
}

/// Reads a record's id.
pub(crate) fn record_id(id: &str) -> Result<RecordId> {
    Ok(RecordId::parse(id)?)
}

fn options_of(options: Option<&Options>) -> Result<attache::Options> {
    match options {
        Some(options) => engine_options(options.key.clone(), options.limits),
        None => Ok(attache::Options::new()),
    }
}

#[uniffi::export]
impl Attache {
    /// Opens a store, creating the file if it is missing. Waits for the disk only.
    #[uniffi::constructor(default(options = None))]
    pub fn open(path: String, options: Option<Options>) -> Result<Arc<Attache>> {
        let engine = attache::Attache::open_with(path, options_of(options.as_ref())?)?;
        Ok(Attache::new(engine, options.as_ref()))
    }

    /// Opens a store that is gone when it is closed. For tests.
    #[uniffi::constructor(default(options = None))]
    pub fn open_in_memory(options: Option<Options>) -> Result<Arc<Attache>> {
        let engine = attache::Attache::open_in_memory_with(options_of(options.as_ref())?)?;
        Ok(Attache::new(engine, options.as_ref()))
    }

    /// Encrypts the store with another key, or for the first time; without one, decrypts it.
    pub fn rekey(&self, key: Option<Key>) -> Result<()> {
        let key = key.map(Key::read).transpose()?;
        Ok(self.engine()?.rekey(key)?)
    }

    /// What the store may take of this device.
    pub fn limits(&self) -> Result<Limits> {
        Ok(self.engine()?.limits().into())
    }

    /// Sets the Salesforce org that the next `sync` talks to. Does no call itself.
    #[uniffi::method(default(transport = None, options = None))]
    pub fn set_salesforce(
        &self,
        url: String,
        tokens: Arc<dyn TokenProvider>,
        transport: Option<Arc<dyn Transport>>,
        options: Option<SalesforceOptions>,
    ) -> Result<()> {
        let mut org = Salesforce::builder(&url, HostTokens(tokens));
        if let Some(transport) = transport {
            org = org.transport(Arc::new(HostTransport(transport)));
        }
        if let Some(options) = options {
            org = options.apply(org);
        }
        let org = org.build()?;
        self.change(|engine| engine.with_remote(org))
    }

    /// Lets the application decide conflicts that the policies of the briefcase leave.
    pub fn set_resolver(&self, resolver: Arc<dyn Resolver>) -> Result<()> {
        self.change(|engine| {
            engine.with_resolver(move |conflict| {
                let decided = resolver.resolve(Conflict::from(conflict)).ok()??;
                outcome::read_resolution(decided).ok()
            })
        })
    }

    /// Keeps a note of the application's beside the records, such as the address of the org.
    pub fn set_host_value(&self, key: String, value: String) -> Result<()> {
        Ok(self.engine()?.set_host_value(&key, &value)?)
    }

    /// Reads a note of the application's.
    pub fn host_value(&self, key: String) -> Result<Option<String>> {
        Ok(self.engine()?.host_value(&key)?)
    }

    /// Brings the store and the org in step: pull, merge, push, read back.
    ///
    /// The session runs on a thread of its own; reads and edits go on meanwhile. Cancelling the
    /// task that waits stops the session too.
    #[uniffi::method(default(observer = None, cancel = None, options = None))]
    pub async fn sync(
        &self,
        observer: Option<Arc<dyn ProgressObserver>>,
        cancel: Option<Arc<CancelToken>>,
        options: Option<SyncOptions>,
    ) -> Result<Report> {
        let cancel = cancel.map(|cancel| cancel.token.clone());
        session::run(
            self.engine()?,
            observer,
            cancel.unwrap_or_default(),
            options,
        )
        .await
    }

    /// Tells how long to wait before the next session that nobody asked for, in milliseconds.
    #[uniffi::method(default(pace = None))]
    pub fn next_sync(&self, pace: Option<Pace>) -> Result<u64> {
        let pace = pace.map_or_else(attache::Pace::default, attache::Pace::from);
        Ok(self.engine()?.next_sync(&pace)?.tell())
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

    /// Reads a record as JSON, `{"id", "object", "fields"}`; nothing if it is not on this device.
    pub fn get_json(&self, id: String) -> Result<Option<String>> {
        Ok(self
            .engine()?
            .get(&record_id(&id)?)?
            .map(|record| record.to_json()))
    }

    /// Creates a record of the fields of a JSON object, as `create` does. Values are read by the types of their fields.
    pub fn create_json(&self, object: String, fields: String) -> Result<String> {
        Ok(self.engine()?.create_json(&object, &fields)?.to_string())
    }

    /// Changes fields of a record to those of a JSON object, as `update` does; null clears one.
    pub fn update_json(&self, id: String, fields: String) -> Result<()> {
        Ok(self.engine()?.update_json(&record_id(&id)?, &fields)?)
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

    /// Settles a conflict: `"mine"`, `"theirs"`, or for each field `{"Phone": "mine", "Rating": {"value": "Hot"},
    /// "Fax": "later"}`. Values are read by the types of their fields.
    pub fn resolve_json(&self, conflict: i64, resolution: String) -> Result<()> {
        Ok(self
            .engine()?
            .resolve_json(ConflictId(conflict), &resolution)?)
    }

    /// Settles all open conflicts, or those of one object, as `resolve_all` does: `"mine"` or `"theirs"`.
    #[uniffi::method(default(object = None))]
    pub fn resolve_all_json(&self, resolution: String, object: Option<String>) -> Result<Vec<i64>> {
        Ok(self
            .engine()?
            .resolve_all_json(object.as_deref(), &resolution)?
            .tell())
    }

    /// Settles all open conflicts, or those of one object, the same way: all of them, or none. Gives which.
    #[uniffi::method(default(object = None))]
    pub fn resolve_all(&self, resolution: Resolution, object: Option<String>) -> Result<Vec<i64>> {
        let resolution = outcome::read_resolution(resolution)?;
        Ok(self
            .engine()?
            .resolve_all(object.as_deref(), &resolution)?
            .tell())
    }

    /// Opens a conflict again that was settled. Gives the mutations that this takes back.
    pub fn reopen(&self, conflict: i64) -> Result<Vec<Mutation>> {
        Ok(mutations(&self.engine()?.reopen(ConflictId(conflict))?))
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
