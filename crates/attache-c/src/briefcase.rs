//! What to take along.

use crate::call::{act, tell, write};
use crate::enter::{Out, Result, enter};
use crate::error::attache_error_t;
use crate::json;
use crate::status::attache_status_t;
use crate::store::attache_t;
use crate::table;
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::Briefcase;
use futures_lite::future::block_on;

/// Sets what to keep on the device: a briefcase document (JSON). It is stored, and checked
/// against the org by the next sync.
///
/// A document that cannot be read is refused with everything that is wrong with it, see
/// attache_error_problems(): the "fields" are the places as JSON pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_briefcase(
    attache: *mut attache_t,
    briefcase_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let briefcase = unsafe { read(briefcase_json, "briefcase_json")? };
        Ok(engine.set_briefcase(briefcase)?)
    })
}

/// Gives what the device takes along: a briefcase document.
///
/// @param out_json  Set to an owned text, or to NULL before one was set. Free it with
///                  attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        Ok(engine.briefcase()?.map(|briefcase| briefcase.to_json()))
    })
}

/// Learns who and what the org is and checks the briefcase against it, without reading records.
/// Waits for the network.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_prepare(
    attache: *mut attache_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| Ok(block_on(engine.prepare())?))
}

/// Tells what setting a briefcase would bring and take away, as JSON: {"rules": [{"rule",
/// "object", "matches", "exact", "limit", "truncated", "records", "bytes", "here", "download"}],
/// "download", "download_bytes", "evict", "evict_bytes", "files": [{"object", "files", "bytes",
/// "exact"}], "calls", "calls_made"}. Nothing is changed by it. Waits for the network.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_dry_run(
    attache: *mut attache_t,
    briefcase_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let briefcase = unsafe { read(briefcase_json, "briefcase_json")? };
        Ok(block_on(engine.dry_run(&briefcase))?)
    })
}

/// Checks a briefcase document by itself, and prints it in its canonical form.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_from_json(
    briefcase_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        // SAFETY: the caller's rule for text (top of the header).
        let briefcase = unsafe { read(briefcase_json, "briefcase_json")? };
        Ok(briefcase.to_json())
    })
}

/// Makes a briefcase of all that is visible of some objects.
///
/// @param objects_json  A JSON array of API names: ["Account", "Contact"].
/// @param out_json      Set to an owned text on success, the briefcase document. Free it with
///                      attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_everything(
    objects_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        // SAFETY: the caller's rule for text (top of the header).
        let objects = unsafe { objects_json.read("objects_json")? };
        let objects: Vec<String> = json::parse(objects, "objects_json")?;
        Ok(Briefcase::everything(objects).to_json())
    })
}

/// Tells what differs between two briefcases, as JSON: what becomes of each rule and of the
/// options of each object.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_diff(
    older_json: attache_str_t,
    newer_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        // SAFETY: the caller's rule for text (top of the header).
        let (older, newer) = unsafe {
            (
                read(older_json, "older_json")?,
                read(newer_json, "newer_json")?,
            )
        };
        Ok(older.diff(&newer).to_json())
    })
}

/// Makes a briefcase of the describe of a Salesforce list view (JSON).
///
/// @param out_json  Set to an owned text on success: {"briefcase": document, "notes": [what
///                  could not be carried over, a sentence each]}. Free it with
///                  attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_from_list_view(
    list_view_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        // SAFETY: the caller's rule for text (top of the header).
        let list_view = unsafe { list_view_json.read("list_view_json")? };
        Ok(json::print(&Briefcase::from_list_view(list_view)?))
    })
}

/// Makes a briefcase of a .briefcaseDefinition of Briefcase Builder (XML).
///
/// @param out_json  As in attache_briefcase_from_list_view().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_from_briefcase_definition(
    definition_xml: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        // SAFETY: the caller's rule for text (top of the header).
        let definition = unsafe { definition_xml.read("definition_xml")? };
        Ok(json::print(&Briefcase::from_briefcase_definition(
            definition,
        )?))
    })
}

/// Makes a briefcase of what MobileSync is configured with.
///
/// @param usersyncs_json  The text of usersyncs.json.
/// @param userstore_json  The text of userstore.json, or empty.
/// @param out_json        As in attache_briefcase_from_list_view().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_from_mobile_sync(
    usersyncs_json: attache_str_t,
    userstore_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        // SAFETY: the caller's rule for text (top of the header).
        let (syncs, store) = unsafe {
            (
                usersyncs_json.read("usersyncs_json")?,
                userstore_json.read_optional("userstore_json")?,
            )
        };
        Ok(json::print(&Briefcase::from_mobile_sync(syncs, store)?))
    })
}

/// Lists the names of the templates that come with this library, as a JSON array.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_templates(
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        Ok(json::print(&Briefcase::templates().collect::<Vec<_>>()))
    })
}

/// Makes a briefcase of a template.
///
/// @param out_json  Set to an owned text on success, the briefcase document. Free it with
///                  attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_briefcase_template(
    name: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    give(out_json, out_error, || {
        // SAFETY: the caller's rule for text (top of the header).
        let name = unsafe { name.read("name")? };
        Ok(Briefcase::template(name)?.to_json())
    })
}

/// Gives the JSON Schema (draft 2020-12) of briefcase documents. Valid for the life of the
/// process.
#[unsafe(no_mangle)]
pub extern "C" fn attache_briefcase_json_schema() -> attache_str_t {
    attache_str_t::borrowed(Briefcase::json_schema())
}

/// Reads a document.
///
/// # Safety
/// That of [`attache_str_t::read`].
unsafe fn read(document: attache_str_t, name: &str) -> Result<Briefcase> {
    // SAFETY: this function's own condition.
    Ok(Briefcase::from_json(unsafe { document.read(name)? })?)
}

/// Gives a document that belongs to no store.
fn give(
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
    make: impl FnOnce() -> Result<String>,
) -> attache_status_t {
    enter(out_error, || {
        let out = Out::new(out_json, "out_json")?;
        out.set(table::insert(Text(make()?)));
        Ok(())
    })
}
