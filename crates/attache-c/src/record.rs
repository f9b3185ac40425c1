//! Reading and changing records.

use crate::call::{act, write};
use crate::error::attache_error_t;
use crate::status::attache_status_t;
use crate::store::attache_t;
use crate::text::{attache_str_t, attache_text_t};

/// Creates a record. It is checked, durable and pending when this returns; otherwise
/// ATTACHE_INVALID_RECORD tells everything that is wrong, see attache_error_problems().
///
/// Waits for the disk, one transaction.
///
/// @param object       The object's API name.
/// @param fields_json  {"Name": "Acme", ...}, by API name in any case. Numbers keep their
///                     digits, and may be given as texts.
/// @param out_id       Set to the record's id on success, which never changes. Free it with
///                     attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_create(
    attache: *mut attache_t,
    object: attache_str_t,
    fields_json: attache_str_t,
    out_id: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_id, "out_id", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, fields) =
            unsafe { (object.read("object")?, fields_json.read("fields_json")?) };
        Ok(Some(engine.create_json(object, fields)?.to_string()))
    })
}

/// Changes fields of a record. The change is checked, durable and pending when this returns; a
/// value that is already there is not an edit. Waits for the disk, one transaction.
///
/// @param fields_json  The changed fields only; null clears a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_update(
    attache: *mut attache_t,
    id: attache_str_t,
    fields_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (id, fields) = unsafe { (id.read_id("id")?, fields_json.read("fields_json")?) };
        Ok(engine.update_json(&id, fields)?)
    })
}

/// Deletes a record. The deletion is durable and pending when this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_delete(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.delete(&id)?)
    })
}

/// Reads a record, as JSON: {"id", "object", "fields": {name: value}}. Numbers keep their digits.
///
/// @param id        The record's id, or its id at the org.
/// @param out_json  Set to an owned text, or to NULL if the record is not on this device. Free
///                  it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_get(
    attache: *mut attache_t,
    id: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.get(&id)?.map(|record| record.to_json()))
    })
}
