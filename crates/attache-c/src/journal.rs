//! Unsent work, and what becomes of it.

use crate::call::{act, tell};
use crate::enter::{Out, enter_on};
use crate::error::attache_error_t;
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::text::{attache_str_t, attache_text_t};
use attache::JournalSeq;

/// Lists everything the org has not confirmed, in journal order, as a JSON array of {"seq",
/// "changeset", "record", "object", "kind", "state", "fields", "problems", "made_at"}; kind is
/// "create", "update" or "delete", state "pending", "sending", "in doubt", "rejected" or
/// "conflicted", made_at an instant in UTC.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_pending(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.pending()?))
}

/// Takes back one mutation, by its "seq". The record is as it would be without it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_discard(
    attache: *mut attache_t,
    seq: i64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        Ok(engine.discard(JournalSeq(seq))?)
    })
}

/// Takes all unsent edits of a record back: it is as the org last confirmed it.
///
/// @param out_json  Set on success to an owned text, the mutations as attache_pending() lists
///                  them. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_discard_record(
    attache: *mut attache_t,
    id: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.discard_record(&id)?)
    })
}

/// Takes the last changeset back, that is the last edit or the edits that were made together
/// last; where conflicts were settled last, they are open again.
///
/// @param out_json  Set on success to an owned text, the mutations as attache_pending() lists
///                  them; [] if nothing is unsent. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_undo(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.undo()?))
}

/// Takes a changeset back, by the "changeset" of its mutations, whatever was edited since.
///
/// @param out_json  As in attache_undo().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_undo_changeset(
    attache: *mut attache_t,
    changeset: i64,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        Ok(engine.undo_changeset(changeset)?)
    })
}

/// Lets the next sync send a mutation again that the org rejected, or a create in doubt that was
/// looked for in vain, by its "seq".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_retry(
    attache: *mut attache_t,
    seq: i64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        Ok(engine.retry(JournalSeq(seq))?)
    })
}

/// Lets the next sync send the rejected edits of a record again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_retry_record(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.retry_record(&id)?)
    })
}

/// Lets the next sync send everything again that was rejected.
///
/// @param out_count  NULL, or set on success to how many mutations that are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_retry_all(
    attache: *mut attache_t,
    out_count: *mut u64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let count = store.engine().retry_all()?;
        if let Ok(out) = Out::new(out_count, "out_count") {
            out.set(count);
        }
        Ok(())
    })
}

/// Lets the next sync send a write again that was refused as a duplicate, and save it all the
/// same. The "duplicates" of its problem, {"rule", "candidates": [{"id", "object", "fields"}],
/// ...}, say which records it may be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_save_anyway(
    attache: *mut attache_t,
    seq: i64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        Ok(engine.save_anyway(JournalSeq(seq))?)
    })
}

/// Lists the mutations that have to be dealt with before a pending one of an all-or-none
/// changeset can leave, as a JSON array of their "seq".
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_waits_for(
    attache: *mut attache_t,
    seq: i64,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        Ok(engine.waits_for(JournalSeq(seq))?)
    })
}
