//! Unsent work leaves a device in a file, and comes to another one; and what is in a store's file.

use crate::bytes::{Buffer, attache_buffer_t, attache_bytes_t};
use crate::call::tell;
use crate::enter::{Out, Result, enter, enter_on};
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::options;
use crate::status::attache_status_t;
use crate::store::{Store, attache_open_options_t, attache_t};
use crate::table;
use crate::text::{Text, attache_str_t, attache_text_t};

/// Copies everything that was not sent into one file's bytes: to keep, or for
/// attache_import_unsent() on another device.
///
/// @param passphrase  Seals the file; empty leaves it readable by anybody.
/// @param out_file    Set to owned bytes on success. Free them with attache_buffer_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_export_unsent(
    attache: *mut attache_t,
    passphrase: attache_str_t,
    out_file: *mut *mut attache_buffer_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_file, "out_file")?;
        // SAFETY: the caller's rule for text (top of the header).
        let passphrase = unsafe { passphrase.read_optional("passphrase")? };
        out.set(table::insert(Buffer(
            store.engine().export_unsent(passphrase)?,
        )));
        Ok(())
    })
}

/// Takes in a file of unsent work: all of it, or nothing. Importing twice is harmless.
///
/// @param file      The file's bytes. Borrowed for the call.
/// @param out_json  Set to an owned text on success: {"mutations", "already_there", "conflicts",
///                  "withdrawn": [id], "waiting": [id]}. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_import_unsent(
    attache: *mut attache_t,
    file: attache_bytes_t,
    passphrase: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for bytes and text (top of the header).
        let (file, passphrase) =
            unsafe { (file.read("file")?, passphrase.read_optional("passphrase")?) };
        Ok(engine.import_unsent(file, passphrase)?)
    })
}

/// Reads what a store's file holds, without changing it or opening it for writing: a file of
/// another process, a read-only or a damaged one.
///
/// @param options   Where the file is, and its key.
/// @param out_json  Set to an owned text on success: {"format", "org_id", "user_id", "username",
///                  "records": {object: count}, "unsent": [as in attache_pending()],
///                  "conflicts", "damage": [a sentence each]}. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_inspect(
    options: *const attache_open_options_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter(out_error, || {
        let out = Out::new(out_json, "out_json")?;
        // SAFETY: the caller's rule for options and text (top of the header).
        let (path, options) = unsafe { read(options)? };
        let found = attache::inspect_with(path, options)?;
        out.set(table::insert(Text(json::print(&found))));
        Ok(())
    })
}

/// Saves unsent work out of a file that no longer opens, as far as its pages are whole.
///
/// @param options     Where the file is, and its key.
/// @param passphrase  As in attache_export_unsent().
/// @param out_file    Set to owned bytes on success. Free them with attache_buffer_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_salvage(
    options: *const attache_open_options_t,
    passphrase: attache_str_t,
    out_file: *mut *mut attache_buffer_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter(out_error, || {
        let out = Out::new(out_file, "out_file")?;
        // SAFETY: the caller's rule for options and text (top of the header).
        let ((path, options), passphrase) =
            unsafe { (read(options)?, passphrase.read_optional("passphrase")?) };
        let file = attache::salvage_with(path, options, passphrase)?;
        out.set(table::insert(Buffer(file)));
        Ok(())
    })
}

/// Reads where a file is.
///
/// # Safety
/// That of [`options::read`] and [`attache_str_t::read`].
unsafe fn read<'call>(
    options: *const attache_open_options_t,
) -> Result<(&'call str, attache::Options)> {
    // SAFETY: this function's own condition.
    let (path, options) = unsafe {
        let options = options::read(options)?;
        (options.path.read_needed("path")?, options.rest()?)
    };
    match path {
        ":memory:" => Err(Failure::argument("path is no file")),
        path => Ok((path, options)),
    }
}
