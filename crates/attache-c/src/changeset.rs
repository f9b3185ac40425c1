//! Several edits as one.

use crate::enter::{Out, Result, enter_on};
use crate::error::{Failure, attache_error_t};
use crate::status::{ATTACHE_INTERRUPTED, ATTACHE_OK, attache_status_t};
use crate::store::{Store, attache_t};
use crate::table::{self, Object};
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{Changeset, Error, ErrorKind};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// Edits that are made together, inside of an attache_changeset_fn.
pub struct attache_changeset_t {
    _opaque: (),
}

/// Makes the edits of a changeset. ATTACHE_OK commits them; any other status takes all of them
/// back, and attache_changeset() returns it. Called once, on the calling thread; the changeset
/// is good on that thread and until this returns. It must not throw or longjmp.
pub type attache_changeset_fn = Option<
    unsafe extern "C" fn(ctx: *mut c_void, changeset: *mut attache_changeset_t) -> attache_status_t,
>;

/// What stands behind an [`attache_changeset_t`]: a changeset that lives on the stack of
/// [`attache_changeset`], and nowhere once that has returned.
struct Edits {
    thread: ThreadId,
    edits: Mutex<Option<Borrowed>>,
}

/// A changeset of the thread's own, its lifetime taken off.
struct Borrowed(NonNull<Changeset<'static>>);

// SAFETY: followed only on the thread that it belongs to, which `with` checks.
unsafe impl Send for Borrowed {}

impl Object for Edits {
    type C = attache_changeset_t;
    const NAME: &'static str = "attache_changeset_t";
}

impl Edits {
    fn with<T>(&self, work: impl FnOnce(&mut Changeset<'_>) -> Result<T>) -> Result<T> {
        if thread::current().id() != self.thread {
            return Err(Failure::argument(
                "the changeset belongs to the thread that its function was called on",
            ));
        }
        let edits = self.edits.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Borrowed(mut pointer)) = *edits else {
            return Err(Failure::argument("the changeset has ended"));
        };
        // SAFETY: set and taken by `attache_changeset`, on this thread, while the changeset lives;
        // the lock, held during the call, keeps a second reference away.
        work(unsafe { pointer.as_mut() })
    }
}

/// Takes the changeset out of reach and the handle out of the table, however the work ends.
struct Ending(*mut attache_changeset_t);

impl Drop for Ending {
    fn drop(&mut self) {
        if let Ok(edits) = table::get::<Edits>(self.0) {
            *edits.edits.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        table::remove::<Edits>(self.0);
    }
}

/// Makes several edits in one transaction: all of them, or none. attache_undo() takes them back
/// together. The store's writer is held meanwhile: edits are made through the changeset, and
/// attache_update() and its like refuse on this thread and wait on others.
///
/// Everything that is wrong with any of the edits is told at the end, with
/// ATTACHE_INVALID_RECORD and attache_error_problems(); nothing was changed then.
///
/// @param work  Called with ctx and the changeset.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_changeset(
    attache: *mut attache_t,
    work: attache_changeset_fn,
    ctx: *mut c_void,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let Some(work) = work else {
            return Err(Failure::argument("work is NULL"));
        };
        let mut refused = ATTACHE_OK;
        let done = store.engine().changeset(|edits| {
            let pointer = NonNull::from(edits).cast::<Changeset<'static>>();
            let handle = table::insert(Edits {
                thread: thread::current().id(),
                edits: Mutex::new(Some(Borrowed(pointer))),
            });
            let ending = Ending(handle);
            // SAFETY: the caller gave a function of this type, for this context.
            refused = unsafe { work(ctx, handle) };
            drop(ending);
            match refused {
                ATTACHE_OK => Ok(()),
                _ => Err(Error::new(
                    ErrorKind::Interrupted,
                    "the application took the changeset back",
                )),
            }
        });
        match (done, refused) {
            (done, ATTACHE_OK) => Ok(done?),
            (_, status) => Err(Failure::of_host(
                // Numbers below 0 are no failures.
                if status > ATTACHE_OK {
                    status
                } else {
                    ATTACHE_INTERRUPTED
                },
                "the application took the changeset back",
            )),
        }
    })
}

/// Creates a record, as attache_create() does. Later edits of the changeset may point at it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_changeset_create(
    changeset: *mut attache_changeset_t,
    object: attache_str_t,
    fields_json: attache_str_t,
    out_id: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(changeset, out_error, |edits: &Edits| {
        let out = Out::new(out_id, "out_id")?;
        // SAFETY: the caller's rule for text (top of the header).
        let (object, fields) =
            unsafe { (object.read("object")?, fields_json.read("fields_json")?) };
        let id = edits.with(|edits| Ok(edits.create_json(object, fields)?))?;
        out.set(table::insert(Text(id.to_string())));
        Ok(())
    })
}

/// Changes fields of a record, as attache_update() does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_changeset_update(
    changeset: *mut attache_changeset_t,
    id: attache_str_t,
    fields_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(changeset, out_error, |edits: &Edits| {
        // SAFETY: the caller's rule for text (top of the header).
        let (id, fields) = unsafe { (id.read_id("id")?, fields_json.read("fields_json")?) };
        edits.with(|edits| Ok(edits.update_json(&id, fields)?))
    })
}

/// Deletes a record, as attache_delete() does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_changeset_delete(
    changeset: *mut attache_changeset_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(changeset, out_error, |edits: &Edits| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        edits.with(|edits| Ok(edits.delete(&id)?))
    })
}

/// Reads a record with the edits of the changeset, as attache_get() does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_changeset_get(
    changeset: *mut attache_changeset_t,
    id: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(changeset, out_error, |edits: &Edits| {
        let out = Out::new(out_json, "out_json")?;
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        out.set(match edits.with(|edits| Ok(edits.get(&id)?))? {
            Some(record) => table::insert(Text(record.to_json())),
            None => std::ptr::null_mut(),
        });
        Ok(())
    })
}

/// Has the org take the edits of this changeset all together, or none of them: if it refuses
/// one, the others wait until that one was dealt with (see attache_waits_for()). At most 500
/// records.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_changeset_all_or_none(
    changeset: *mut attache_changeset_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(changeset, out_error, |edits: &Edits| {
        edits.with(|edits| {
            edits.all_or_none();
            Ok(())
        })
    })
}
