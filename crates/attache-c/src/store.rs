//! Opening, describing and closing a store.

use crate::enter::{Out, Result, enter, enter_on, free};
use crate::error::attache_error_t;
use crate::json;
use crate::options::{self, Options};
use crate::status::attache_status_t;
use crate::table::{self, Object};
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{Attache, Briefcase};
use std::sync::{PoisonError, RwLock};

/// A store of records, and the org it is kept in step with. Any thread may use it at any time.
pub struct attache_t {
    _opaque: (),
}

/// What stands behind an [`attache_t`].
pub(crate) struct Store(RwLock<Attache>);

impl Object for Store {
    type C = attache_t;
    const NAME: &'static str = "attache_t";
}

impl Store {
    /// Lends the engine. It is cheap, and no lock is held while the engine works.
    pub(crate) fn engine(&self) -> Attache {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts a changed engine in place, for the calls that follow.
    pub(crate) fn replace(&self, change: impl FnOnce(Attache) -> Result<Attache>) -> Result<()> {
        let mut engine = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *engine = change(engine.clone())?;
        Ok(())
    }
}

/// How to open a store. Start from attache_open_options().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_open_options_t {
    /// sizeof(attache_open_options_t).
    pub struct_size: usize,
    /// The file's path, or ":memory:". Borrowed for the call.
    pub path: attache_str_t,
}

// SAFETY: begins with its size; all zero is a NULL, empty path.
unsafe impl Options for attache_open_options_t {
    const NAME: &'static str = "attache_open_options_t";
}

/// Opens a store, creating the file if it is missing. Waits for the disk, never for the network.
///
/// @param options      Where the store is.
/// @param out_attache  Set to an owned handle on success, untouched otherwise. Free it with
///                     attache_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_open(
    options: *const attache_open_options_t,
    out_attache: *mut *mut attache_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter(out_error, || {
        let out = Out::new(out_attache, "out_attache")?;
        // SAFETY: the caller's rule for options and text (top of the header).
        let path = unsafe { options::read(options)?.path.read("path")? };
        let engine = match path {
            "" => return Err(crate::error::Failure::argument("path is empty")),
            ":memory:" => Attache::open_in_memory()?,
            path => Attache::open(path)?,
        };
        out.set(table::insert(Store(RwLock::new(engine))));
        Ok(())
    })
}

/// Sets what to keep on the device: a briefcase document (JSON). It is stored, and checked
/// against the org by the next sync.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_briefcase(
    attache: *mut attache_t,
    briefcase_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        // SAFETY: the caller's rule for text (top of the header).
        let document = unsafe { briefcase_json.read("briefcase_json")? };
        Ok(store
            .engine()
            .set_briefcase(Briefcase::from_json(document)?)?)
    })
}

/// Tells what the store holds, as JSON: {"username", "records": {object: count}, "pending",
/// "in_doubt", "rejected", "conflicts", "last_sync", "store_bytes"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_store_status(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_json, "out_json")?;
        out.set(table::insert(Text(json::status(&store.engine().status()?))));
        Ok(())
    })
}

/// Closes a store. NULL is fine. While another thread is inside a call on it, the file closes
/// when that call ends.
#[unsafe(no_mangle)]
pub extern "C" fn attache_free(attache: *mut attache_t) {
    free::<Store>(attache);
}
