//! Merges that are told and not done.

use crate::call::tell;
use crate::error::attache_error_t;
use crate::form::described;
use crate::status::attache_status_t;
use crate::store::attache_t;
use crate::text::{attache_str_t, attache_text_t};
use attache::{MergePolicy, explain_merge};

/// Merges three versions of a record, each one JSON object, and says of each field what becomes
/// of it and why: {"outcome", "reason", "fields": {name: {"outcome", "reason", "value", "group"}}}.
/// The outcome of a record is "settled", "pending", "conflict", "deleted", "restored" or "created
/// again"; that of a field "unchanged", "agreed", "taken", "kept", "joined" or "conflict". Nothing
/// is changed by it.
///
/// @param base_json    What both sides last agreed on.
/// @param local_json   The record here. A member that it lacks is unchanged; null (the word)
///                     instead of an object is a deletion.
/// @param remote_json  The record at the org, likewise.
/// @param object       The object whose fields they are, as this store knows it; empty for fields
///                     that are a checkbox, a number or text as their values are.
/// @param policy_json  What a briefcase has as "merge"; empty for the usual one.
/// @param out_json     Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_explain_merge(
    attache: *mut attache_t,
    base_json: attache_str_t,
    local_json: attache_str_t,
    remote_json: attache_str_t,
    object: attache_str_t,
    policy_json: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (base, local, remote, object, policy) = unsafe {
            (
                base_json.read("base_json")?,
                local_json.read("local_json")?,
                remote_json.read("remote_json")?,
                object.read_optional("object")?,
                policy_json.read_optional("policy_json")?,
            )
        };
        let object = object.map(|name| described(engine, name)).transpose()?;
        let policy = policy.map(MergePolicy::from_json).transpose()?;
        let policy = policy.unwrap_or_default();
        Ok(explain_merge(object, &policy, base, local, remote)?)
    })
}
