//! Queries whose answers are followed.

use crate::enter::{Out, enter_on, free, peek};
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table::{self, Object};
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{Env, RowChanges, SystemEnv, Watch};
use event_listener::Event;
use futures_lite::future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A query whose answer is followed.
pub struct attache_watch_t {
    _opaque: (),
}

/// What stands behind an [`attache_watch_t`].
struct Follow {
    watch: Mutex<Watch>,
    stopped: AtomicBool,
    stop: Event,
}

impl Object for Follow {
    type C = attache_watch_t;
    const NAME: &'static str = "attache_watch_t";
}

/// What waiting for a change came to.
enum Came {
    Change(attache::Result<RowChanges>),
    Over,
    Late,
}

impl Follow {
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Waits for a change; no time to wait is for ever.
    fn wait(&self, watch: &mut Watch, wait: Option<Duration>) -> Came {
        let stop = self.stop.listen();
        // Looked at after the ears are open: a stop in between is heard.
        if self.is_stopped() {
            return Came::Over;
        }
        let change = async {
            match watch.next().await {
                Some(change) => Came::Change(change),
                None => Came::Over,
            }
        };
        let stopped = async {
            stop.await;
            Came::Over
        };
        let late = async {
            match wait {
                Some(wait) => SystemEnv.sleep(wait).await,
                None => future::pending().await,
            }
            Came::Late
        };
        future::block_on(future::or(change, future::or(stopped, late)))
    }
}

/// Follows the answer of a query: attache_watch_next() tells what each commit changed in it, by
/// whomever. It ends when the store is wiped or its last handle is freed.
///
/// @param out_watch  Set to an owned handle on success. Free it with attache_watch_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_watch(
    attache: *mut attache_t,
    soql: attache_str_t,
    out_watch: *mut *mut attache_watch_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_watch, "out_watch")?;
        // SAFETY: the caller's rule for text (top of the header).
        let watch = store.engine().watch(unsafe { soql.read("soql")? })?;
        out.set(table::insert(Follow {
            watch: Mutex::new(watch),
            stopped: AtomicBool::new(false),
            stop: Event::new(),
        }));
        Ok(())
    })
}

/// Gives the next change of the answer; the first has all rows as inserted, also if there are
/// none. One thread at a time is served. An event loop looks (timeout_ms 0: some 50 microseconds
/// if nothing was committed); a thread of the application's own waits.
///
/// Places count from 0. To bring a list up to date, take out the rows at "from" of removed and
/// updated, all as places of the list as it was, then put in inserted and updated at their "at",
/// lowest first.
///
/// @param timeout_ms  How long to wait: 0 looks, less than 0 waits for ever.
/// @param out_json    Set on success to an owned text: {"removed": [{"from", "row"}], "updated":
///                    [{"from", "at", "row"}], "inserted": [{"at", "row"}], "total"}; rows are as
///                    in attache_rows_json(). Free it with attache_text_free().
/// @return ATTACHE_OK with a change, ATTACHE_PENDING without one, ATTACHE_END when there will
///         never be another, or what the query fails with, once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_watch_next(
    watch: *mut attache_watch_t,
    timeout_ms: i64,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(watch, out_error, |follow: &Follow| {
        let out = Out::new(out_json, "out_json")?;
        let mut watch = follow.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let came = match u64::try_from(timeout_ms) {
            Ok(0) if follow.is_stopped() => Came::Over,
            Ok(0) => match watch.try_next() {
                Some(change) => Came::Change(change),
                None if watch.is_over() => Came::Over,
                None => Came::Late,
            },
            Ok(wait) => follow.wait(&mut watch, Some(Duration::from_millis(wait))),
            Err(_) => follow.wait(&mut watch, None),
        };
        match came {
            Came::Change(change) => {
                out.set(table::insert(Text(json::print(&change?))));
                Ok(())
            }
            Came::Over => Err(Failure::end()),
            Came::Late => Err(Failure::pending()),
        }
    })
}

/// Ends a watch, from any thread: whoever waits in attache_watch_next() gets ATTACHE_END, and so
/// does every later call. It is still to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_watch_stop(watch: *const attache_watch_t) {
    peek(watch, (), |follow: &Follow| {
        follow.stopped.store(true, Ordering::SeqCst);
        follow.stop.notify(usize::MAX);
    });
}

/// Frees a watch. NULL is fine. A thread that waits in it goes on waiting: stop it before.
#[unsafe(no_mangle)]
pub extern "C" fn attache_watch_free(watch: *mut attache_watch_t) {
    free::<Follow>(watch);
}
