//! Conflicts, and how they are settled.

use crate::call::{act, tell};
use crate::callback::{Context, attache_drop_fn};
use crate::enter::enter_on;
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table::{self, Object};
use crate::text::{attache_str_t, attache_text_t};
use attache::{Conflict, ConflictId, Resolution};
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

/// Lists the open conflicts, oldest first, as a JSON array of {"id", "record", "object", "title",
/// "kind", "fields": [{"name", "label", "base", "local", "remote"}], "changed_by",
/// "changed_at"}; kind is "fields", "deleted_at_remote" or "deleted_here".
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_conflicts(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        Ok(engine.conflicts()?)
    })
}

/// Settles a conflict, by its "id". With "later" for some of its fields it stays open for those.
///
/// @param resolution_json  "mine", "theirs" (with the quotation marks), or for each field
///                         {"Phone": "mine", "Name": "theirs", "Rating": {"value": "Hot"},
///                         "Fax": "later"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_resolve(
    attache: *mut attache_t,
    conflict: i64,
    resolution_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let resolution = unsafe { resolution_json.read("resolution_json")? };
        Ok(engine.resolve_json(ConflictId(conflict), resolution)?)
    })
}

/// Settles all open conflicts, or those of one object, the same way: all of them, or none. One
/// attache_undo() takes them back together.
///
/// @param object           The object's API name; empty for all.
/// @param resolution_json  "mine" or "theirs", with the quotation marks.
/// @param out_json         Set on success to an owned text, a JSON array of the conflicts' "id".
///                         Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_resolve_all(
    attache: *mut attache_t,
    object: attache_str_t,
    resolution_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, resolution) = unsafe {
            (
                object.read_optional("object")?,
                resolution_json.read("resolution_json")?,
            )
        };
        Ok(engine.resolve_all_json(object, resolution)?)
    })
}

/// Opens a conflict again that was settled, while nothing of its record was sent.
///
/// @param out_json  Set on success to an owned text, the mutations that this takes back, as
///                  attache_pending() lists them. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_reopen(
    attache: *mut attache_t,
    conflict: i64,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        Ok(engine.reopen(ConflictId(conflict))?)
    })
}

/// Takes the answer to a conflict, inside of an attache_resolver_fn.
pub struct attache_resolution_t {
    _opaque: (),
}

/// Settles a conflict in place of a person: passes how to attache_resolution_set(), or does not,
/// and the conflict stays open for a person. Called on the thread that syncs, by one at a time;
/// the conflict, as attache_conflicts() lists it, is good until this returns. It must not call
/// on the store, throw or longjmp.
pub type attache_resolver_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        conflict_json: attache_str_t,
        resolution: *mut attache_resolution_t,
    ),
>;

/// What stands behind an [`attache_resolution_t`].
struct Slot {
    conflict: Conflict,
    answer: Mutex<Option<Resolution>>,
}

impl Object for Slot {
    type C = attache_resolution_t;
    const NAME: &'static str = "attache_resolution_t";
}

/// Passes how a conflict is settled, in the form of attache_resolve(). The text is borrowed for
/// the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_resolution_set(
    resolution: *mut attache_resolution_t,
    resolution_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(resolution, out_error, |slot: &Slot| {
        // SAFETY: the caller's rule for text (top of the header).
        let json = unsafe { resolution_json.read("resolution_json")? };
        let answer = Resolution::from_json(&slot.conflict, json)?;
        *slot.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        Ok(())
    })
}

/// Sets what settles conflicts before a person is asked, for the syncs that follow.
///
/// @param resolver  Called with ctx for each conflict that a sync finds.
/// @param drop_ctx  Called with ctx once, when resolver will not be called again; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_resolver(
    attache: *mut attache_t,
    resolver: attache_resolver_fn,
    ctx: *mut c_void,
    drop_ctx: attache_drop_fn,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    // Taken over before anything can fail: whatever becomes of the call, the context goes with it.
    let context = Context::new(ctx, drop_ctx);
    enter_on(attache, out_error, move |store: &Store| {
        let Some(resolver) = resolver else {
            return Err(Failure::argument("resolver is NULL"));
        };
        // One at a time, also when two threads sync.
        let context = Mutex::new(context);
        let ask = move |conflict: &Conflict| {
            let context = context.lock().unwrap_or_else(PoisonError::into_inner);
            let json = json::print(conflict);
            let handle = table::insert(Slot {
                conflict: conflict.clone(),
                answer: Mutex::new(None),
            });
            // SAFETY: the caller gave a function of this type, for this context.
            unsafe { resolver(context.get(), attache_str_t::borrowed(&json), handle) };
            let slot = table::get::<Slot>(handle).ok();
            table::remove::<Slot>(handle);
            slot?
                .answer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        };
        store.replace(|engine| Ok(engine.with_resolver(ask)))
    })
}
