//! Unsent work and conflicts.

use crate::enter::{Out, Result, enter_on};
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::record::schema;
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table;
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{Attache, Conflict, ConflictId, Fields, JournalSeq, Keep, Resolution};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Lists everything the org has not confirmed, in journal order, as a JSON array of {"seq",
/// "changeset", "record", "object", "kind", "state", "fields", "problems", "made_at"}; state is "pending",
/// "sending", "in doubt", "rejected" or "conflicted", made_at an instant in UTC.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_pending(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_json, "out_json")?;
        out.set(table::insert(Text(json::print(&store.engine().pending()?))));
        Ok(())
    })
}

/// Takes back one mutation, by its "seq".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_discard(
    attache: *mut attache_t,
    seq: i64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        Ok(store.engine().discard(JournalSeq(seq))?)
    })
}

/// Lets the next sync send a mutation again that the org rejected, by its "seq".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_retry(
    attache: *mut attache_t,
    seq: i64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        Ok(store.engine().retry(JournalSeq(seq))?)
    })
}

/// Lists the open conflicts, as a JSON array of {"id", "record", "object", "title", "kind",
/// "fields": [{"name", "label", "base", "local", "remote"}], "changed_by", "changed_at"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_conflicts(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_json, "out_json")?;
        out.set(table::insert(Text(json::print(
            &store.engine().conflicts()?,
        ))));
        Ok(())
    })
}

/// Settles a conflict.
///
/// @param resolution_json  "mine", "theirs", or for each field {"Phone": "mine", "Name":
///                         "theirs", "Rating": {"value": "Hot"}, "Fax": "later"}.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_resolve(
    attache: *mut attache_t,
    conflict: i64,
    resolution_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        // SAFETY: the caller's rule for text (top of the header).
        let document = unsafe { resolution_json.read("resolution_json")? };
        let engine = store.engine();
        let id = ConflictId(conflict);
        let resolution = match serde_json::from_str(document) {
            Ok(Side::Mine) => Resolution::Mine,
            Ok(Side::Theirs) => Resolution::Theirs,
            Err(_) => per_field(&engine, id, document)?,
        };
        Ok(engine.resolve(id, resolution)?)
    })
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Mine,
    Theirs,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Mine,
    Theirs,
    Later,
}

#[derive(serde::Deserialize)]
struct NewValue<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Reads a choice for each field.
fn per_field(engine: &Attache, id: ConflictId, document: &str) -> Result<Resolution> {
    let malformed = || {
        Failure::argument(
            "resolution_json is none of \"mine\", \"theirs\" and an object with, for each field, \
             \"mine\", \"theirs\", \"later\" or {\"value\": ...}",
        )
    };
    let choices: BTreeMap<String, &RawValue> =
        serde_json::from_str(document).map_err(|_| malformed())?;
    let mut kept = Vec::with_capacity(choices.len());
    let mut new_values = Vec::new();
    for (name, choice) in choices {
        match serde_json::from_str(choice.get()) {
            Ok(Word::Mine) => kept.push((name, Keep::Mine)),
            Ok(Word::Theirs) => kept.push((name, Keep::Theirs)),
            Ok(Word::Later) => kept.push((name, Keep::Later)),
            Err(_) => {
                let new: NewValue<'_> =
                    serde_json::from_str(choice.get()).map_err(|_| malformed())?;
                new_values.push((name, new.value));
            }
        }
    }
    if !new_values.is_empty() {
        // New values are read by the types of their fields, all together.
        let conflicts = engine.conflicts()?;
        let conflict = conflicts
            .iter()
            .find(|conflict: &&Conflict| conflict.id == id)
            .ok_or_else(|| Failure::argument(format!("there is no open conflict {}", id.0)))?;
        let document = json::object(new_values);
        let fields = Fields::from_json(&*schema(engine, &conflict.object)?, &document)?;
        kept.extend(
            fields
                .into_iter()
                .map(|(name, value)| (name, Keep::Value(value))),
        );
    }
    Ok(Resolution::per_field(kept))
}
