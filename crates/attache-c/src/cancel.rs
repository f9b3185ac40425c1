//! Stopping a running sync from another thread.

use crate::enter::{Out, enter, free, peek};
use crate::error::attache_error_t;
use crate::status::attache_status_t;
use crate::table::{self, Object};
use attache::CancelToken;

/// Stops the syncs it was given to, from any thread.
pub struct attache_cancel_t {
    _opaque: (),
}

/// What stands behind an [`attache_cancel_t`].
pub(crate) struct Cancel(pub(crate) CancelToken);

impl Object for Cancel {
    type C = attache_cancel_t;
    const NAME: &'static str = "attache_cancel_t";
}

/// Makes a cancel handle, to be put into attache_sync_options_t.
///
/// @param out_cancel  Set to an owned handle. Free it with attache_cancel_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_cancel_new(
    out_cancel: *mut *mut attache_cancel_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter(out_error, || {
        let out = Out::new(out_cancel, "out_cancel")?;
        out.set(table::insert(Cancel(CancelToken::new())));
        Ok(())
    })
}

/// Asks the sync to stop at its next step; it then returns ATTACHE_INTERRUPTED. What was
/// committed stays. It returns at once, and a handle that was used stays used.
#[unsafe(no_mangle)]
pub extern "C" fn attache_cancel_request(cancel: *const attache_cancel_t) {
    peek(cancel, (), |cancel: &Cancel| cancel.0.cancel());
}

/// Frees a cancel handle, also while a sync has it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_cancel_free(cancel: *mut attache_cancel_t) {
    free::<Cancel>(cancel);
}
