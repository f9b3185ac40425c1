//! What holds records on this device.

use crate::call::{act, tell};
use crate::error::{Failure, attache_error_t};
use crate::status::attache_status_t;
use crate::store::attache_t;
use crate::text::{attache_str_t, attache_text_t};
use attache::{Error, RecordId};
use futures_lite::future::block_on;
use serde::Serialize;

/// Keeps a record on this device whatever the rules of the briefcase say. One that is not here is
/// fetched by the next sync.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_pin(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.pin(&id)?)
    })
}

/// Leaves a record to the rules again. If nothing else holds it, the next sync evicts it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_unpin(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.unpin(&id)?)
    })
}

/// Lists the pinned records, oldest pin first, as a JSON array of {"record", "object",
/// "pinned_at", "here"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_pins(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.pins()?))
}

/// Notes that a person looks at a record, which keeps it here for a while. To be called whenever a
/// record is shown; it costs next to nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_viewed(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.viewed(&id)?)
    })
}

/// Lists the records that people looked at on this device, the last first, as a JSON array of
/// {"record", "object", "viewed_at", "bytes"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_recents(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.recents()?))
}

/// Tells what holds a record on this device, as a JSON array of {"by", "rule", "record", "field",
/// "at"}; by is "rule", "pin", "view", "edit" or "lookup". Empty for a record that is not here, or
/// that the next sync evicts.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_why(
    attache: *mut attache_t,
    id: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.why(&id)?)
    })
}

/// Tells what each rule of the briefcase holds, as of the last sync, as a JSON array of {"rule",
/// "object", "records", "bytes", "cut_from", "loaded", "swept_at"}. Goes once through the
/// memberships.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_membership(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        Ok(engine.membership()?)
    })
}

/// A record that was to be fetched.
#[derive(Serialize)]
struct Fetched {
    id: RecordId,
    record: Option<RecordId>,
    problem: Option<Refusal>,
}

#[derive(Serialize)]
struct Refusal {
    status: i32,
    message: String,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal {
            status: error.kind() as i32,
            message: error.to_string(),
        }
    }
}

/// Brings records onto this device that the briefcase leaves out: the hits of a search at the
/// org, the target of a link. Waits for the network.
///
/// @param ids       So many texts. Borrowed for the call.
/// @param count     How many ids.
/// @param out_json  Set to an owned text on success, a JSON array with {"id", "record",
///                  "problem": null or {"status", "message"}} for each id in its place. Free it
///                  with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_fetch(
    attache: *mut attache_t,
    ids: *const attache_str_t,
    count: usize,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        let absurd = count > isize::MAX as usize / size_of::<attache_str_t>();
        if absurd || (ids.is_null() && count > 0) {
            return Err(Failure::argument("ids is NULL, or count is absurd"));
        }
        let mut wanted = Vec::new();
        for at in 0..count {
            // SAFETY: below `count`, which the caller promises to be readable; and the caller's
            // rule for text (top of the header).
            wanted.push(unsafe { ids.add(at).read().read_id("an id")? });
        }
        let fetched = block_on(engine.fetch(&wanted))?;
        let told = |(id, fetched): (RecordId, attache::Result<RecordId>)| match fetched {
            Ok(record) => Fetched {
                id,
                record: Some(record),
                problem: None,
            },
            Err(error) => Fetched {
                id,
                record: None,
                problem: Some(error.into()),
            },
        };
        Ok(wanted
            .into_iter()
            .zip(fetched)
            .map(told)
            .collect::<Vec<_>>())
    })
}
