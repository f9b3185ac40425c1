//! Opening, describing and closing a store.

use crate::bytes::attache_bytes_t;
use crate::call::{act, tell, write};
use crate::enter::{Out, Result, enter, free};
use crate::error::{Failure, attache_error_t};
use crate::options::{self, Options};
use crate::status::attache_status_t;
use crate::table::{self, Object};
use crate::text::{attache_str_t, attache_text_t};
use attache::{Attache, Key, Limits, Unsent};
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
    /// NULL, or the key that encrypts a new store or opens an encrypted one, in a library with
    /// encryption. Borrowed for the call.
    pub key: *const attache_key_t,
    /// Empty, or what the store may take of this device, as attache_limits() tells it; what is
    /// left out is as by default. Borrowed for the call.
    pub limits_json: attache_str_t,
}

/// The key of an encrypted store: one of the two.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_key_t {
    /// 32 random bytes, as a keychain keeps them; opens at once.
    pub raw: attache_bytes_t,
    /// What a person remembers, if raw is empty; opening takes a part of a second, on purpose.
    pub passphrase: attache_str_t,
}

impl attache_key_t {
    /// Reads a key; none where there is no struct.
    ///
    /// # Safety
    /// NULL, or a readable struct whose members are as they must be.
    pub(crate) unsafe fn read(key: *const attache_key_t) -> Result<Option<Key>> {
        if key.is_null() {
            return Ok(None);
        }
        // SAFETY: not NULL; the rest is this function's own condition.
        let key = unsafe { key.read() };
        // SAFETY: as above.
        let (raw, passphrase) =
            unsafe { (key.raw.read("raw")?, key.passphrase.read("passphrase")?) };
        match (raw, passphrase) {
            ([], "") => Err(Failure::argument("the key is empty")),
            ([], passphrase) => Ok(Some(Key::passphrase(passphrase))),
            (raw, "") => match <[u8; 32]>::try_from(raw) {
                Ok(raw) => Ok(Some(Key::raw(raw))),
                Err(_) => Err(Failure::argument("a raw key has 32 bytes")),
            },
            _ => Err(Failure::argument("a key is raw or a passphrase, not both")),
        }
    }
}

impl attache_open_options_t {
    /// Reads all but the path.
    ///
    /// # Safety
    /// Its members are as they must be.
    pub(crate) unsafe fn rest(&self) -> Result<attache::Options> {
        // SAFETY: this function's own condition.
        let (key, limits) = unsafe {
            (
                attache_key_t::read(self.key)?,
                self.limits_json.read_optional("limits_json")?,
            )
        };
        let mut options = attache::Options::new();
        if let Some(key) = key {
            options = options.key(key);
        }
        if let Some(limits) = limits {
            options = options.limits(Limits::from_json(limits)?);
        }
        Ok(options)
    }
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
        let (path, options) = unsafe {
            let options = options::read(options)?;
            (options.path.read_needed("path")?, options.rest()?)
        };
        let engine = match path {
            ":memory:" => Attache::open_in_memory_with(options)?,
            path => Attache::open_with(path, options)?,
        };
        out.set(table::insert(Store(RwLock::new(engine))));
        Ok(())
    })
}

/// Tells what the store holds, as JSON: {"username", "records": {object: count}, "pending",
/// "in_doubt", "rejected", "conflicts", "last_sync", "store_bytes"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_status(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.status()?))
}

/// Tells what the store may take of this device, as JSON: {"recent_records", "recent_bytes",
/// "free_bytes", "store_bytes", "page_cache_bytes", "file_bytes", "session_file_bytes",
/// "attach_bytes", "busy_wait_ms"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_limits(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.limits()))
}

/// Encrypts the store with another key, or for the first time. Calls on this handle wait until
/// it is done, and go on with the new key. Rewrites the file.
///
/// @param key  The new key; NULL decrypts the store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_rekey(
    attache: *mut attache_t,
    key: *const attache_key_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for options (top of the header).
        let key = unsafe { attache_key_t::read(key)? };
        Ok(engine.rekey(key)?)
    })
}

/// Keeps a note of the application's beside the records, such as the address of the org.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_host_value(
    attache: *mut attache_t,
    key: attache_str_t,
    value: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (key, value) = unsafe { (key.read("key")?, value.read("value")?) };
        Ok(engine.set_host_value(key, value)?)
    })
}

/// Reads a note of the application's.
///
/// @param out_value  Set to an owned text, or to NULL if there is none. Free it with
///                   attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_host_value(
    attache: *mut attache_t,
    key: attache_str_t,
    out_value: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_value, "out_value", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        Ok(engine.host_value(unsafe { key.read("key")? })?)
    })
}

/// Refuses with ATTACHE_UNSENT_WORK to wipe a store that holds unsent work.
pub const ATTACHE_UNSENT_REFUSE: i32 = 0;
/// Destroys unsent work as well.
pub const ATTACHE_UNSENT_DISCARD: i32 = 1;

/// Destroys the store: its records, its journal, its files, which are overwritten first. Every
/// call on it fails with ATTACHE_CLOSED afterwards; the handle is still to be freed.
///
/// @param unsent  ATTACHE_UNSENT_REFUSE or ATTACHE_UNSENT_DISCARD.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_wipe(
    attache: *mut attache_t,
    unsent: i32,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        let unsent = match unsent {
            ATTACHE_UNSENT_REFUSE => Unsent::Refuse,
            ATTACHE_UNSENT_DISCARD => Unsent::Discard,
            _ => return Err(Failure::argument("unsent is none of ATTACHE_UNSENT_*")),
        };
        Ok(engine.clone().wipe(unsent)?)
    })
}

/// Closes a store. NULL is fine. While another thread is inside a call on it, the file closes
/// when that call ends.
#[unsafe(no_mangle)]
pub extern "C" fn attache_free(attache: *mut attache_t) {
    free::<Store>(attache);
}
