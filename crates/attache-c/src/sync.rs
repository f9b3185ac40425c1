//! Running a sync session.

use crate::callback::{Context, attache_drop_fn};
use crate::cancel::{Cancel, attache_cancel_t};
use crate::enter::{Out, Result, enter_on, find};
use crate::error::attache_error_t;
use crate::json;
use crate::options::{self, Options};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table;
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{Attache, CallBudget, CancelToken, Pace, Phase, Progress, Session};
use futures_lite::future::block_on;
use std::ffi::c_void;
use std::future::IntoFuture;
use std::time::Duration;

/// Reading who and what the org is.
pub const ATTACHE_PHASE_PREPARE: i32 = 0;
/// Reading records.
pub const ATTACHE_PHASE_PULL: i32 = 1;
/// Sending edits.
pub const ATTACHE_PHASE_PUSH: i32 = 2;
/// Reading back what was sent.
pub const ATTACHE_PHASE_READ_BACK: i32 = 3;
/// Sending the bytes of files that were attached here, then fetching those that the briefcase wants.
pub const ATTACHE_PHASE_FILES: i32 = 4;

/// How far a sync is. It may grow at its end.
#[repr(C)]
pub struct attache_progress_t {
    /// The step: one of the ATTACHE_PHASE_* numbers.
    pub phase: i32,
    /// The object at work; empty where there is none.
    pub object: attache_str_t,
    /// Records done in this step for this object; bytes in ATTACHE_PHASE_FILES.
    pub done: u64,
    /// Records, or bytes, in all; -1 where the org has not told.
    pub total: i64,
}

/// Hears of progress, on the thread that is in attache_sync(), or on the one that
/// attache_sync_start() started. What it is given is valid until it returns. It may call any
/// function on any handle; it must not throw or longjmp.
pub type attache_progress_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, progress: *const attache_progress_t)>;

/// How to sync. Start from attache_sync_options().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_sync_options_t {
    /// sizeof(attache_sync_options_t).
    pub struct_size: usize,
    /// Called at each step; may be NULL.
    pub progress: attache_progress_fn,
    /// The first argument of progress.
    pub ctx: *mut c_void,
    /// Called with ctx once, when progress will not be called again: before attache_sync() returns,
    /// whatever it returns; of attache_sync_start() when the result can be had, which makes it the
    /// place to wake an event loop. May be NULL.
    pub drop_ctx: attache_drop_fn,
    /// Stops the sync from another thread; may be NULL.
    pub cancel: *const attache_cancel_t,
    /// Calls to the org that this sync may make; 0 for any number.
    pub session_calls: u64,
    /// Calls to the org that all syncs of this store may make in a day of UTC; 0 for any number.
    pub day_calls: u64,
    /// 1 spares a network that is paid for by the byte: edits are sent and small changes are read.
    pub metered: i32,
}

// SAFETY: begins with its size; all zero is NULL pointers and no functions.
unsafe impl Options for attache_sync_options_t {
    const NAME: &'static str = "attache_sync_options_t";
}

/// A callback with its context.
pub(crate) struct Observer {
    call: attache_progress_fn,
    context: Context,
}

impl Observer {
    pub(crate) fn tell(&self, progress: &Progress) {
        let Some(call) = self.call else { return };
        let progress = shown(progress);
        // SAFETY: the caller gave a function of this type, for this context.
        unsafe { call(self.context.get(), &raw const progress) }
    }
}

/// Shows progress to C. The object's name is borrowed.
pub(crate) fn shown(progress: &Progress) -> attache_progress_t {
    attache_progress_t {
        phase: match progress.phase {
            Phase::Prepare => ATTACHE_PHASE_PREPARE,
            Phase::Pull => ATTACHE_PHASE_PULL,
            Phase::Push => ATTACHE_PHASE_PUSH,
            Phase::ReadBack => ATTACHE_PHASE_READ_BACK,
            Phase::Files => ATTACHE_PHASE_FILES,
        },
        object: attache_str_t::borrowed(&progress.object),
        done: progress.done,
        total: progress
            .total
            .and_then(|total| i64::try_from(total).ok())
            .unwrap_or(-1),
    }
}

/// Brings the store and the org in step: pull, merge, push, read back. Waits for the network
/// and the disk; other threads can read and edit meanwhile.
///
/// @param options      NULL, or progress and cancel.
/// @param out_report   NULL, or set on success to an owned text: what settled and what did not,
///                     as JSON. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sync(
    attache: *mut attache_t,
    options: *const attache_sync_options_t,
    out_report: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    // Read before anything can fail: whatever becomes of the call, the context goes with it.
    // SAFETY: the caller's rule for options (top of the header).
    let asked = unsafe { Asked::read(options) };
    enter_on(attache, out_error, move |store: &Store| {
        let asked = asked?;
        let mut session = asked.session(&store.engine());
        if let Some(observer) = asked.observer {
            session = session.on_progress(move |progress| observer.tell(&progress));
        }
        let report = block_on(session.into_future())?;
        if let Ok(out) = Out::new(out_report, "out_report") {
            out.set(table::insert(Text(json::print(&report))));
        }
        Ok(())
    })
}

/// What the caller wants of a session.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) observer: Option<Observer>,
    pub(crate) cancel: CancelToken,
    budget: CallBudget,
    metered: bool,
}

impl Asked {
    /// Takes the options over.
    ///
    /// # Safety
    /// `options` is NULL or as [`options::read`] wants it.
    pub(crate) unsafe fn read(options: *const attache_sync_options_t) -> Result<Asked> {
        if options.is_null() {
            return Ok(Asked::default());
        }
        // SAFETY: not NULL; the rest is this function's own condition.
        let options = unsafe { options::read(options)? };
        let observer = Observer {
            call: options.progress,
            context: Context::new(options.ctx, options.drop_ctx),
        };
        let cancel = match options.cancel.is_null() {
            true => CancelToken::new(),
            false => find::<Cancel>(options.cancel)?.0.clone(),
        };
        let cap = |calls: u64| Some(calls).filter(|calls| *calls > 0);
        Ok(Asked {
            observer: Some(observer),
            cancel,
            budget: CallBudget {
                session_calls: cap(options.session_calls),
                day_calls: cap(options.day_calls),
            },
            metered: options.metered != 0,
        })
    }

    /// Makes the session, without an observer.
    pub(crate) fn session(&self, engine: &Attache) -> Session {
        let session = engine
            .sync()
            .cancel_token(self.cancel.clone())
            .budget(self.budget);
        match self.metered {
            true => session.metered(),
            false => session,
        }
    }
}

/// How often a device syncs by itself. Start from attache_pace(); 0 is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_pace_t {
    /// sizeof(attache_pace_t).
    pub struct_size: usize,
    /// Between two syncs while the org has calls in plenty: 15 minutes.
    pub often_ms: u64,
    /// Between two syncs while the org's calls run short: 6 hours.
    pub seldom_ms: u64,
    /// Over how long the first syncs of a fleet are spread: 15 minutes.
    pub spread_ms: u64,
}

// SAFETY: begins with its size; all zero is numbers.
unsafe impl Options for attache_pace_t {
    const NAME: &'static str = "attache_pace_t";
}

/// Tells how long to wait before the next sync that nobody asked for: once when a sync has ended,
/// however it ended, and when the application wakes up. Half of it is chance, so that a fleet of
/// devices does not come back together.
///
/// @param pace         NULL for the default.
/// @param out_wait_ms  Set to milliseconds on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_next_sync(
    attache: *mut attache_t,
    pace: *const attache_pace_t,
    out_wait_ms: *mut u64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_wait_ms, "out_wait_ms")?;
        let mut wanted = Pace::default();
        if !pace.is_null() {
            // SAFETY: the caller's rule for options (top of the header).
            let pace = unsafe { options::read(pace)? };
            let said = |ms: u64, usual| match ms {
                0 => usual,
                ms => Duration::from_millis(ms),
            };
            wanted.often = said(pace.often_ms, wanted.often);
            wanted.seldom = said(pace.seldom_ms, wanted.seldom);
            wanted.spread = said(pace.spread_ms, wanted.spread);
        }
        let wait = store.engine().next_sync(&wanted)?;
        out.set(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        Ok(())
    })
}
