//! What forms are drawn from: schemas, layouts, picklists.

use crate::call::{act, tell, write};
use crate::enter::Result;
use crate::error::attache_error_t;
use crate::json;
use crate::status::attache_status_t;
use crate::store::attache_t;
use crate::text::{attache_str_t, attache_text_t};
use attache::{Attache, Error, ErrorKind, ObjectSchema};
use std::sync::Arc;

/// Lists the objects that this device knows, as a JSON array of {"name", "label", "label_plural",
/// "key_prefix"}; empty before the first sync.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_schema(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    #[derive(serde::Serialize)]
    struct Named<'a> {
        name: &'a str,
        label: &'a str,
        label_plural: &'a str,
        key_prefix: Option<&'a str>,
    }
    fn named(object: &ObjectSchema) -> Named<'_> {
        Named {
            name: &object.name,
            label: &object.label,
            label_plural: &object.label_plural,
            key_prefix: object.key_prefix.as_deref(),
        }
    }
    write(attache, out_json, "out_json", out_error, |engine| {
        let schema = engine.schema()?;
        let objects: Vec<Named<'_>> = schema
            .objects()
            .into_iter()
            .map(|object| named(object))
            .collect();
        Ok(Some(json::print(&objects)))
    })
}

/// Tells all that is known of an object, as JSON: {"name", "label", ..., "fields": [{"name",
/// "label", "field_type", "length", "nillable", "createable", "updateable", "picklist", ...}],
/// "children", "record_types", ...}. Members have the names of the Rust type ObjectSchema, and
/// field_type that of the describe: "currency".
///
/// @param object    The object's API name, in any case.
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_schema_object(
    attache: *mut attache_t,
    object: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let name = unsafe { object.read("object")? };
        Ok(Some(json::print(&*described(engine, name)?)))
    })
}

/// Finds what is known of an object.
pub(crate) fn described(engine: &Attache, name: &str) -> Result<Arc<ObjectSchema>> {
    let schema = engine.schema()?;
    Ok(schema.object(name).cloned().ok_or_else(|| {
        Error::new(
            ErrorKind::UnknownObject,
            format!("this store knows no object {name}: is it in the briefcase, and was there a first sync?"),
        )
    })?)
}

/// Lists the record types of an object, the master among them, as a JSON array of {"id", "name",
/// "developer_name", "active", "available", "default", "master"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_record_types(
    attache: *mut attache_t,
    object: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let object = unsafe { object.read("object")? };
        Ok(engine.record_types(object)?)
    })
}

/// Tells how records of a record type are laid out, as JSON: {"id", "view": [section], "edit":
/// [section], "related_lists"}; a section is {"heading", "columns", "collapsible", "rows":
/// [[{"label", "fields", "required", "editable_for_new", "editable_for_update"}]]}.
///
/// @param record_type  The record type's id; empty for the default.
/// @param out_json     Set to an owned text, or to NULL if the layout is not on this device.
///                     Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_layout(
    attache: *mut attache_t,
    object: attache_str_t,
    record_type: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, kind) = unsafe {
            (
                object.read("object")?,
                record_type.read_optional("record_type")?,
            )
        };
        Ok(engine
            .layout(object, kind)?
            .map(|layout| json::print(&layout)))
    })
}

/// Lists the few fields that stand for a record of a record type where there is little room, as a
/// JSON array of API names; empty if they are not on this device.
///
/// @param record_type  The record type's id; empty for the default.
/// @param out_json     Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_compact_layout(
    attache: *mut attache_t,
    object: attache_str_t,
    record_type: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, kind) = unsafe {
            (
                object.read("object")?,
                record_type.read_optional("record_type")?,
            )
        };
        Ok(engine.compact_layout(object, kind)?)
    })
}

/// Lists the values that may be chosen for a picklist in records of a record type, in their
/// order, as a JSON array of {"value", "label", "active", "default", "valid_for"}; valid_for has a
/// boolean for each value of the controlling field, and is null for a list that none controls.
///
/// @param record_type  The record type's id; empty for the default.
/// @param out_json     Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_picklist_values(
    attache: *mut attache_t,
    object: attache_str_t,
    record_type: attache_str_t,
    field: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, kind, field) = unsafe {
            (
                object.read("object")?,
                record_type.read_optional("record_type")?,
                field.read("field")?,
            )
        };
        Ok(engine.picklist_values(object, kind, field)?)
    })
}

/// Checks the fields of a new record as attache_create() does, without creating it: while a form
/// is filled in. ATTACHE_INVALID_RECORD tells everything that is wrong, see
/// attache_error_problems(). Nothing is written, and the network is not asked; what only the
/// store knows, such as what a record type leaves out of a picklist, is told by the write itself.
///
/// @param object       The object's API name, in any case.
/// @param fields_json  As in attache_create().
/// @param out_json     Set on success to an owned text, the fields as they would be kept. Free it
///                     with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_check_create(
    attache: *mut attache_t,
    object: attache_str_t,
    fields_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, fields) =
            unsafe { (object.read("object")?, fields_json.read("fields_json")?) };
        let object = described(engine, object)?;
        Ok(Some(object.check_create_json(fields)?.to_json()))
    })
}

/// Checks changes to a record as attache_update() does, without making them; see
/// attache_check_create().
///
/// @param object        The object's API name, in any case.
/// @param current_json  The record's fields as they are, the "fields" of attache_get(): a
///                      picklist that depends on another is checked as it will be afterwards.
/// @param changes_json  The changed fields only; null clears a field.
/// @param out_json      Set on success to an owned text, the changes as they would be kept. Free
///                      it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_check_update(
    attache: *mut attache_t,
    object: attache_str_t,
    current_json: attache_str_t,
    changes_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, current, changes) = unsafe {
            (
                object.read("object")?,
                current_json.read("current_json")?,
                changes_json.read("changes_json")?,
            )
        };
        let object = described(engine, object)?;
        Ok(Some(object.check_update_json(current, changes)?.to_json()))
    })
}

/// Has the next sync ask for layouts and list views anew, however young they are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_refresh_layouts(
    attache: *mut attache_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| Ok(engine.refresh_layouts()?))
}
