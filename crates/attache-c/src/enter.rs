//! The doors between C and the engine: the only place that stops panics, turns
//! errors into status numbers and writes `*out_error`.

use crate::error::{Failure, attache_error_t};
use crate::status::{ATTACHE_OK, attache_status_t};
use crate::table::{self, Object, Refused};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

/// A result inside of the boundary.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Runs a call that belongs to no handle.
pub(crate) fn enter(
    out_error: *mut *mut attache_error_t,
    call: impl FnOnce() -> Result<()>,
) -> attache_status_t {
    let done = catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|panic| Err(Failure::panic(said(&*panic))));
    report(done, out_error)
}

/// Runs a call on the object behind a handle. A panic poisons the handle.
pub(crate) fn enter_on<T: Object>(
    handle: *const T::C,
    out_error: *mut *mut attache_error_t,
    call: impl FnOnce(&T) -> Result<()>,
) -> attache_status_t {
    let done = match find::<T>(handle) {
        Err(failure) => Err(failure),
        Ok(object) => {
            catch_unwind(AssertUnwindSafe(|| call(&object))).unwrap_or_else(|panic| {
                // The object may be half changed, and even its drop may panic.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    table::poison(handle);
                    drop(object);
                }));
                Err(Failure::panic(said(&*panic)))
            })
        }
    };
    report(done, out_error)
}

/// Reads something that cannot fail from the object behind a handle; a bad handle gives `or`.
pub(crate) fn peek<T: Object, R>(handle: *const T::C, or: R, read: impl FnOnce(&T) -> R) -> R {
    match find::<T>(handle) {
        Ok(object) => catch_unwind(AssertUnwindSafe(|| read(&object))).unwrap_or(or),
        Err(_) => or,
    }
}

/// Frees a handle. NULL and handles that were freed before are fine.
pub(crate) fn free<T: Object>(handle: *mut T::C) {
    // A panic in a drop has nobody left to tell; the handle is gone either way.
    let _ = catch_unwind(AssertUnwindSafe(|| table::remove::<T>(handle)));
}

/// Looks a handle up.
pub(crate) fn find<T: Object>(handle: *const T::C) -> Result<std::sync::Arc<T>> {
    table::get::<T>(handle).map_err(|refused| match refused {
        Refused::Unknown => Failure::argument(format!(
            "the handle is not a live {} (it is NULL, was freed, or is of another type)",
            T::NAME
        )),
        Refused::Poisoned => Failure::panic("a panic went through this handle before: free it"),
    })
}

/// A place in the caller's memory for one result.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// Checks an out-parameter, before any work is done.
    pub(crate) fn new(pointer: *mut T, name: &str) -> Result<Out<T>> {
        NonNull::new(pointer)
            .map(Out)
            .ok_or_else(|| Failure::argument(format!("{name} is NULL")))
    }

    /// Writes the result.
    pub(crate) fn set(self, value: T) {
        // SAFETY: the caller's rule for out-parameters (top of the header): not
        // NULL, which `new` checked, or it points at writable memory of its type.
        unsafe { self.0.write(value) }
    }
}

fn report(done: Result<()>, out_error: *mut *mut attache_error_t) -> attache_status_t {
    let Err(failure) = done else {
        return ATTACHE_OK;
    };
    let status = failure.status;
    if status > ATTACHE_OK
        && let Ok(out) = Out::new(out_error, "out_error")
    {
        out.set(table::insert(failure));
    }
    status
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}
