//! A sync on a thread of its own, for programs with an event loop.

use crate::enter::{Out, Result, enter_on, free, peek};
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::status::{ATTACHE_INTERNAL, attache_status_t};
use crate::store::{Store, attache_t};
use crate::sync::{Asked, attache_progress_t, attache_sync_options_t, shown};
use crate::table::{self, Object};
use crate::text::{Text, attache_text_t};
use attache::{CancelToken, Progress};
use futures_lite::future::block_on;
use std::future::IntoFuture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A sync that runs on a thread of its own.
pub struct attache_sync_t {
    _opaque: (),
}

/// What stands behind an [`attache_sync_t`].
struct Task {
    shared: Arc<Shared>,
    cancel: CancelToken,
    /// What was shown last: its text is lent.
    shown: Mutex<Option<Box<Progress>>>,
}

/// What the thread and the handle share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    progress: Option<Progress>,
    result: Option<Result<String>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Task {
    type C = attache_sync_t;
    const NAME: &'static str = "attache_sync_t";
}

impl Drop for Task {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Starts a sync on a thread of its own, and returns at once. The functions of the options, and
/// those that give tokens, carry requests and settle conflicts for this store, are called on that
/// thread. The file stays open until the sync has ended, also if the store is freed before.
///
/// @param options   NULL, or as in attache_sync().
/// @param out_sync  Set to an owned handle on success. Free it with attache_sync_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sync_start(
    attache: *mut attache_t,
    options: *const attache_sync_options_t,
    out_sync: *mut *mut attache_sync_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    // Read before anything can fail: whatever becomes of the call, the context goes with it.
    // SAFETY: the caller's rule for options (top of the header).
    let asked = unsafe { Asked::read(options) };
    enter_on(attache, out_error, move |store: &Store| {
        let out = Out::new(out_sync, "out_sync")?;
        let asked = asked?;
        let cancel = asked.cancel.clone();
        let session = asked.session(&store.engine());
        let shared = Arc::<Shared>::default();
        let (theirs, handle) = (Arc::clone(&shared), attache.addr());
        let work = move || {
            let observer = asked.observer.map(Arc::new);
            let (seen, teller) = (Arc::clone(&theirs), observer.clone());
            let session = session.on_progress(move |progress| {
                seen.state().progress = Some(progress.clone());
                if let Some(observer) = &teller {
                    observer.tell(&progress);
                }
            });
            let run = || block_on(session.into_future());
            let result = match catch_unwind(AssertUnwindSafe(run)) {
                Ok(Ok(report)) => Ok(json::print(&report)),
                Ok(Err(error)) => Err(Failure::from(error)),
                Err(_) => {
                    table::poison(std::ptr::without_provenance::<attache_t>(handle));
                    Err(Failure::panic("in a sync on a thread of its own"))
                }
            };
            theirs.state().result = Some(result);
            theirs.ended.notify_all();
            // Last, so that whoever is woken by it finds the result.
            drop(observer);
        };
        let started = thread::Builder::new()
            .name("attache-sync".into())
            .spawn(work);
        started.map_err(|error| {
            let message = format!("no thread can be started: {error}");
            Failure::of_host(ATTACHE_INTERNAL, &message)
        })?;
        out.set(table::insert(Task {
            shared,
            cancel,
            shown: Mutex::new(None),
        }));
        Ok(())
    })
}

/// Tells whether a sync has ended, and how far it is. Returns at once.
///
/// @param out_progress  NULL, or set to what is known last (of phase ATTACHE_PHASE_PREPARE before
///                      it began); its text is valid until the next call or until the sync is
///                      freed.
/// @return ATTACHE_PENDING while it runs, ATTACHE_OK when attache_sync_wait() has its result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sync_poll(
    sync: *mut attache_sync_t,
    out_progress: *mut attache_progress_t,
) -> attache_status_t {
    enter_on(sync, std::ptr::null_mut(), |task: &Task| {
        let state = task.shared.state();
        if let Ok(out) = Out::new(out_progress, "out_progress") {
            let progress = state.progress.clone().unwrap_or(Progress {
                phase: attache::Phase::Prepare,
                object: String::new(),
                done: 0,
                total: None,
            });
            let mut slot = task.shown.lock().unwrap_or_else(PoisonError::into_inner);
            out.set(shown(slot.insert(Box::new(progress))));
        }
        match state.result {
            Some(_) => Ok(()),
            None => Err(Failure::pending()),
        }
    })
}

/// Waits for the end of a sync, and gives its result; as often as it is asked.
///
/// @param timeout_ms  How long to wait: 0 looks, less than 0 waits for ever.
/// @param out_report  NULL, or set on success to an owned text, as in attache_sync(). Free it with
///                    attache_text_free().
/// @return What attache_sync() would return, or ATTACHE_PENDING if the time is over before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sync_wait(
    sync: *mut attache_sync_t,
    timeout_ms: i64,
    out_report: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(sync, out_error, |task: &Task| {
        let running = |state: &mut State| state.result.is_none();
        let state = task.shared.state();
        let ended = &task.shared.ended;
        let state = match u64::try_from(timeout_ms) {
            Ok(wait) => {
                let wait = Duration::from_millis(wait);
                let waited = ended.wait_timeout_while(state, wait, running);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            Err(_) => {
                let waited = ended.wait_while(state, running);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
        match &state.result {
            None => Err(Failure::pending()),
            Some(Err(failure)) => Err(failure.clone()),
            Some(Ok(report)) => {
                if let Ok(out) = Out::new(out_report, "out_report") {
                    out.set(table::insert(Text(report.clone())));
                }
                Ok(())
            }
        }
    })
}

/// Asks a sync to stop at its next step; it then ends with ATTACHE_INTERRUPTED. What was
/// committed stays. Returns at once.
#[unsafe(no_mangle)]
pub extern "C" fn attache_sync_cancel(sync: *const attache_sync_t) {
    peek(sync, (), |task: &Task| task.cancel.cancel());
}

/// Frees a sync. NULL is fine. One that still runs is asked to stop, and ends by itself.
#[unsafe(no_mangle)]
pub extern "C" fn attache_sync_free(sync: *mut attache_sync_t) {
    free::<Task>(sync);
}
