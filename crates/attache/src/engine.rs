//! [`Attache`]: the type applications hold.

use crate::briefcase::Briefcase;
use crate::budget::Terms;
use crate::env::{Env, LocalTime, SystemEnv};
use crate::error::{Error, ErrorKind, Result};
use crate::options::Options;
use crate::outcome::{JournalSeq, Mutation, Progress, Report, Status};
use crate::record::{Fields, Record, RecordId};
use crate::remote::{Remote, no_remote};
use crate::resolver::Resolver;
use crate::schema::Schema;
use crate::store::{Durability, Stamp, State, Store, Writing};
use crate::sync::{Patient, new_key};
use std::future::{Future, IntoFuture};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a call that failed for a passing reason is made again, unless a host says so.
const RETRIES: u32 = 3;

/// A store of records, and the remote it is kept in step with.
///
/// Clones are handles of the same store. Every call is safe from any thread;
/// all but [`sync`](Attache::sync) and [`prepare`](Attache::prepare) touch the
/// disk only.
#[derive(Clone)]
pub struct Attache {
    pub(crate) store: Arc<Store>,
    remote: Option<Arc<dyn Remote>>,
    pub(crate) env: Arc<dyn Env>,
    retries: u32,
    pub(crate) resolver: Option<Arc<Resolver>>,
    busy: Arc<AtomicBool>,
}

impl Attache {
    /// Opens a store, creating the file if it is missing.
    ///
    /// # Errors
    /// [`ErrorKind::StorageUnavailable`], [`ErrorKind::StorageCorrupt`] for a
    /// file that is no store, [`ErrorKind::StorageTooNew`]. The file is not
    /// changed then.
    pub fn open(path: impl AsRef<Path>) -> Result<Attache> {
        Attache::open_with(path, Options::new())
    }

    /// Opens a store that lives as long as its handles.
    pub fn open_in_memory() -> Result<Attache> {
        Attache::open_in_memory_with(Options::new())
    }

    pub(crate) fn with_store(store: Store) -> Attache {
        Attache {
            store: Arc::new(store),
            remote: None,
            env: Arc::new(SystemEnv),
            retries: RETRIES,
            resolver: None,
            busy: Arc::default(),
        }
    }

    /// Gives the store a remote to be kept in step with.
    #[must_use]
    pub fn with_remote(mut self, remote: impl Remote) -> Attache {
        self.remote = Some(Arc::new(remote));
        self
    }

    /// Gives the store another clock and another chance.
    #[must_use]
    pub fn with_env(mut self, env: impl Env) -> Attache {
        self.env = Arc::new(env);
        self
    }

    /// Sets how often a session makes a call again that failed for a passing reason, after a pause each time:
    /// 3 times unless said, 0 for never.
    ///
    /// A network that is not there, a server that is busy and one that stops answering are such reasons. What
    /// may have been done is never sent again blindly, whatever this says.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Attache {
        self.retries = retries;
        self
    }

    /// The remote, asked again when it fails for a passing reason.
    pub(crate) fn patient(&self, cancel: &CancelToken) -> Result<Patient> {
        let remote = Arc::clone(self.remote.as_ref().ok_or_else(no_remote)?);
        let env = Arc::clone(&self.env);
        Ok(Patient::new(remote, env, cancel.clone(), self.retries))
    }

    /// Sets what the device takes along. The next session downloads what is new and evicts what is left out.
    ///
    /// The document is checked against the org by the next [`sync`](Attache::sync)
    /// or [`prepare`](Attache::prepare).
    pub fn set_briefcase(&self, briefcase: Briefcase) -> Result<()> {
        self.store.write(Durability::Durable, |w| {
            w.set_setting("briefcase", &briefcase.to_json())
        })
    }

    /// What the device takes along; `None` before one was set.
    pub fn briefcase(&self) -> Result<Option<Briefcase>> {
        self.store
            .read(|r| r.setting("briefcase"))?
            .map(|json| Briefcase::from_json(&json))
            .transpose()
    }

    /// Learns who and what the org is and checks the briefcase against it, without reading records.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownObject`], [`ErrorKind::UnknownField`] and
    /// [`ErrorKind::InvalidArgument`] for a rule that cannot be followed,
    /// [`ErrorKind::WrongOwner`] for another user's credentials, and those of the remote.
    pub async fn prepare(&self) -> Result<()> {
        self.errand()?.run().prepare_only().await
    }

    /// Starts a session; it runs when it is awaited.
    pub fn sync(&self) -> Session {
        Session {
            attache: self.clone(),
            progress: Box::new(|_| {}),
            cancel: CancelToken::new(),
            terms: Terms::default(),
        }
    }

    /// Reads a record by its identity, or by its server id.
    pub fn get(&self, id: &RecordId) -> Result<Option<Record>> {
        self.store.read(|r| r.record(id))
    }

    /// Creates a record and gives its identity, which stays valid when the server gives the record an id.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`] with everything that is wrong with it.
    pub fn create(&self, object: &str, fields: impl Into<Fields>) -> Result<RecordId> {
        let (key, fields) = (new_key(&*self.env), fields.into());
        self.edit(|w, stamp| w.create_record(object, &fields, &key, stamp))?;
        Ok(key)
    }

    /// Changes fields of a record. A value that is already there is not an edit.
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`]; [`ErrorKind::InvalidRecord`] with everything that is wrong.
    pub fn update(&self, id: &RecordId, fields: impl Into<Fields>) -> Result<()> {
        let fields = fields.into();
        self.edit(|w, stamp| w.update_record(id, &fields, stamp))
    }

    /// Deletes a record.
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`]; [`ErrorKind::UnsentWork`] if unsent records point at it.
    pub fn delete(&self, id: &RecordId) -> Result<()> {
        self.edit(|w, stamp| w.delete_record(id, stamp))
    }

    pub(crate) fn edit(&self, work: impl FnOnce(&Writing<'_>, Stamp) -> Result<()>) -> Result<()> {
        let now = self.env.now();
        self.store.write(Durability::Durable, |w| {
            let changeset = w.reading().next_changeset()?;
            work(w, Stamp { changeset, now })
        })
    }

    /// Everything that the server has not confirmed, in the order it was made.
    pub fn pending(&self) -> Result<Vec<Mutation>> {
        self.store
            .read(|r| r.entries()?.iter().map(|entry| entry.mutation(r)).collect())
    }

    /// Takes a mutation back. The record is as it would be without it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if there is no such mutation, or it is on
    /// the wire; [`ErrorKind::UnsentWork`] if unsent records point at what it created.
    pub fn discard(&self, seq: JournalSeq) -> Result<()> {
        self.store.write(Durability::Durable, |w| w.discard(seq))
    }

    /// Has the next session send a rejected mutation once more, or a create in doubt that was looked for in vain.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a mutation in another state.
    pub fn retry(&self, seq: JournalSeq) -> Result<()> {
        self.store.write(Durability::Durable, |w| w.retry(seq))
    }

    /// What the store holds, counted.
    pub fn status(&self) -> Result<Status> {
        self.store.read(|r| {
            let last = r
                .setting("last_sync")?
                .and_then(|text| text.parse().ok())
                .map(LocalTime);
            Ok(Status {
                username: r.setting("username")?,
                records: r.counts()?,
                pending: r.count_entries(&[State::Pending])?,
                in_doubt: r.count_entries(&[State::InDoubt, State::Sending])?,
                rejected: r.count_entries(&[State::Rejected])?,
                conflicts: r.conflict_count()?,
                last_sync: last,
                store_bytes: self.store.bytes(),
            })
        })
    }

    /// The objects that were described; empty before the first session.
    pub fn schema(&self) -> Result<Arc<Schema>> {
        Ok(Arc::new(self.store.catalogue().schema.clone()))
    }

    /// Keeps a note of the host's beside the records, such as the address of the org.
    pub fn set_host_value(&self, key: &str, value: &str) -> Result<()> {
        self.store.write(Durability::Durable, |w| {
            w.set_setting(&format!("host:{key}"), value)
        })
    }

    /// Reads a note of the host's.
    pub fn host_value(&self, key: &str) -> Result<Option<String>> {
        self.store.read(|r| r.setting(&format!("host:{key}")))
    }

    pub(crate) fn begin(&self) -> Result<Busy> {
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err(Error::new(
                ErrorKind::StorageBusy,
                "a session is already running on this store",
            ));
        }
        Ok(Busy(Arc::clone(&self.busy)))
    }
}

/// Holds the place of the one session a store may have.
pub(crate) struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// A session about to run: pull, merge, push, read back.
///
/// It stops at the next step when its [`CancelToken`] is used or its future is
/// dropped; the next session goes on from there.
#[must_use = "a session runs when it is awaited"]
pub struct Session {
    attache: Attache,
    progress: Box<dyn FnMut(Progress) + Send>,
    cancel: CancelToken,
    pub(crate) terms: Terms,
}

impl Session {
    /// Is told how far the session is, on the thread that runs it.
    pub fn on_progress(mut self, progress: impl FnMut(Progress) + Send + 'static) -> Session {
        self.progress = Box::new(progress);
        self
    }

    /// Lets the session be stopped from elsewhere.
    pub fn cancel_token(mut self, token: CancelToken) -> Session {
        self.cancel = token;
        self
    }

    async fn run(self) -> Result<Report> {
        let mut errand = self.attache.watched_errand(self.cancel, self.progress)?;
        errand.run().on_terms(self.terms)?.sync().await
    }
}

impl IntoFuture for Session {
    type Output = Result<Report>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Report>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Stops a running session from any thread. Clones stop the same session.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Makes a token that has not been used.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Asks the session to stop at its next step. What was committed stays.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Fails if it was asked to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.is_cancelled() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Interrupted,
            "the session was stopped; what it had done so far is kept",
        ))
    }

    /// Says whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
