//! Running a sync session.

use crate::cancel::{Cancel, attache_cancel_t};
use crate::enter::{Out, Result, enter_on, find};
use crate::error::attache_error_t;
use crate::json;
use crate::options::{self, Options};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table;
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{CancelToken, Phase, Progress};
use std::ffi::c_void;
use std::future::IntoFuture;

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

/// Hears of progress, on the thread that is in attache_sync(). What it is given is valid until
/// it returns. It may call any function on any handle; it must not throw or longjmp.
pub type attache_progress_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, progress: *const attache_progress_t)>;

/// Lets a callback's context go. Called once, when the callback will not be called again.
pub type attache_drop_fn = Option<unsafe extern "C" fn(ctx: *mut c_void)>;

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
    /// Called with ctx before attache_sync() returns, whatever it returns; may be NULL.
    pub drop_ctx: attache_drop_fn,
    /// Stops the sync from another thread; may be NULL.
    pub cancel: *const attache_cancel_t,
}

// SAFETY: begins with its size; all zero is NULL pointers and no functions.
unsafe impl Options for attache_sync_options_t {
    const NAME: &'static str = "attache_sync_options_t";
}

/// A callback with its context.
struct Observer {
    progress: attache_progress_fn,
    ctx: *mut c_void,
    drop_ctx: attache_drop_fn,
}

// SAFETY: the engine wants observers it could carry to another thread. Here it is
// polled to its end inside attache_sync(), so the observer never leaves the caller's.
unsafe impl Send for Observer {}

impl Observer {
    fn tell(&self, progress: &Progress) {
        let Some(call) = self.progress else { return };
        let progress = attache_progress_t {
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
        };
        // SAFETY: the caller gave a function of this type, for this context.
        unsafe { call(self.ctx, &raw const progress) }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        if let Some(drop_ctx) = self.drop_ctx {
            // SAFETY: the caller gave a function of this type, for this context.
            unsafe { drop_ctx(self.ctx) }
        }
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
        let mut session = store.engine().sync();
        if let Some(cancel) = asked.cancel {
            session = session.cancel_token(cancel);
        }
        if let Some(observer) = asked.observer {
            session = session.on_progress(move |progress| observer.tell(&progress));
        }
        let report = futures_lite::future::block_on(session.into_future())?;
        if let Ok(out) = Out::new(out_report, "out_report") {
            out.set(table::insert(Text(json::print(&report))));
        }
        Ok(())
    })
}

/// What the caller wants of a session.
#[derive(Default)]
struct Asked {
    observer: Option<Observer>,
    cancel: Option<CancelToken>,
}

impl Asked {
    /// Takes the options over.
    ///
    /// # Safety
    /// `options` is NULL or as [`options::read`] wants it.
    unsafe fn read(options: *const attache_sync_options_t) -> Result<Asked> {
        if options.is_null() {
            return Ok(Asked::default());
        }
        // SAFETY: not NULL; the rest is this function's own condition.
        let options = unsafe { options::read(options)? };
        let observer = Observer {
            progress: options.progress,
            ctx: options.ctx,
            drop_ctx: options.drop_ctx,
        };
        let cancel = match options.cancel.is_null() {
            true => None,
            false => Some(find::<Cancel>(options.cancel)?.0.clone()),
        };
        Ok(Asked {
            observer: Some(observer),
            cancel,
        })
    }
}
