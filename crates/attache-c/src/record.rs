//! Reading and changing records.

use crate::enter::{Out, Result, enter_on};
use crate::error::{Failure, attache_error_t};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table;
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{Attache, Error, ErrorKind, Fields, ObjectSchema, RecordId};
use std::sync::Arc;

/// Creates a record. It is checked, durable and pending when this returns.
///
/// @param object       The object's API name.
/// @param fields_json  {"Name": "Acme", ...}, by API name.
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
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_id, "out_id")?;
        // SAFETY: the caller's rule for text (top of the header).
        let (object, fields) =
            unsafe { (object.read("object")?, fields_json.read("fields_json")?) };
        let engine = store.engine();
        let fields = Fields::from_json(&*schema(&engine, object)?, fields)?;
        let id = engine.create(object, fields)?;
        out.set(table::insert(Text(id.to_string())));
        Ok(())
    })
}

/// Changes fields of a record. The change is checked, durable and pending when this returns.
///
/// @param fields_json  The changed fields only; null clears a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_update(
    attache: *mut attache_t,
    id: attache_str_t,
    fields_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        // SAFETY: the caller's rule for text (top of the header).
        let (id, fields) = unsafe { (id.read("id")?, fields_json.read("fields_json")?) };
        let id = RecordId::parse(id)?;
        let engine = store.engine();
        let record = engine.get(&id)?.ok_or_else(|| {
            Error::new(
                ErrorKind::RecordNotFound,
                format!("there is no record {id} on this device"),
            )
        })?;
        let fields = Fields::from_json(&*schema(&engine, &record.object)?, fields)?;
        Ok(engine.update(&id, fields)?)
    })
}

/// Deletes a record. The deletion is durable and pending when this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_delete(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = RecordId::parse(unsafe { id.read("id")? })?;
        Ok(store.engine().delete(&id)?)
    })
}

/// Reads a record, as the JSON object of its fields.
///
/// @param out_json  Set to an owned text, or to NULL if the record is not on this device. Free
///                  it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_get(
    attache: *mut attache_t,
    id: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_json, "out_json")?;
        // SAFETY: the caller's rule for text (top of the header).
        let id = RecordId::parse(unsafe { id.read("id")? })?;
        out.set(match store.engine().get(&id)? {
            Some(record) => table::insert(Text(record.to_json())),
            None => std::ptr::null_mut(),
        });
        Ok(())
    })
}

/// The schema of an object, which says how its fields are to be read.
pub(crate) fn schema(engine: &Attache, object: &str) -> Result<Arc<ObjectSchema>> {
    let schema = engine.schema()?;
    schema.object(object).cloned().ok_or_else(|| {
        Failure::from(Error::new(
            ErrorKind::UnknownObject,
            format!("this store knows no object {object}: is it in the briefcase, and was there a first sync?"),
        ))
    })
}
