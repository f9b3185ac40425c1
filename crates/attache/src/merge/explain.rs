//! Says field by field what a merge makes of a record, and why: for people who debug.

use super::{Change, MergePolicy, Merger, Outcome, Policy, Reason, Survivor, same};
use crate::error::{Error, Result};
use crate::record::{Fields, Value};
use crate::schema::ObjectSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a merge makes of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What becomes of the record as a whole: `settled` (nothing is left to send), `pending`
    /// (something is), `conflict`, `deleted`, `restored` (a deletion made here gives way) or
    /// `created again`.
    pub outcome: &'static str,
    /// Why, in a sentence without an end.
    pub reason: String,
    /// The fields, in the order of the schema, else of their names. None for a record that is deleted.
    pub fields: Vec<Explained>,
}

/// What a merge makes of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// API name.
    pub name: String,
    /// `unchanged`, `agreed`, `taken`, `kept`, `joined` or `conflict`: see [`Outcome`].
    pub outcome: &'static str,
    /// The value that this device shows afterwards.
    pub value: Value,
    /// Why.
    pub reason: Reason,
    /// The fields that merge with it as one value, itself included; none if it stands alone.
    pub group: Vec<String>,
}

/// Merges three versions of a record, each one JSON object, and says of each field what becomes of it and why.
///
/// `base` is what both sides last agreed on. A member that `local` or `remote` lacks is
/// unchanged there, one that is null was cleared; `null` instead of an object is a deletion,
/// and as `base` a record that the sides never agreed on. Without a schema each field is a
/// checkbox, a number or text as its values are, of the kind that its policy is for.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind) for what is no JSON object,
/// [`ErrorKind::InvalidRecord`](crate::ErrorKind) for a field that the schema lacks or a value not of its type.
///
/// # Examples
/// ```
/// use attache::{MergePolicy, explain_merge};
///
/// let (base, local, remote) = (r#"{"Phone": "1", "Fax": "1"}"#, r#"{"Phone": "2"}"#, r#"{"Phone": "3", "Fax": "2"}"#);
/// let explanation = explain_merge(None, &MergePolicy::default(), base, local, remote)?;
/// assert_eq!(explanation.outcome, "conflict");
/// assert_eq!(explanation.fields[0].reason.to_string(), "changed at the server only"); // Fax
/// assert_eq!(explanation.fields[1].outcome, "conflict"); // Phone
/// # Ok::<(), attache::Error>(())
/// ```
pub fn explain_merge(
    object: Option<Arc<ObjectSchema>>,
    policy: &MergePolicy,
    base: &str,
    local: &str,
    remote: &str,
) -> Result<Explanation> {
    let object = match object {
        Some(object) => object,
        None => Arc::new(guessed(policy, [base, local, remote])?),
    };
    let read = |side: &str, json: &str| -> Result<Option<Fields>> {
        if json.trim() == "null" {
            return Ok(None);
        }
        let fields = Fields::from_json(&object, json);
        fields.map(Some).map_err(|error| {
            let problems = error.problems().to_vec();
            Error::new(error.kind(), format!("{side}: {error}")).with_problems(problems)
        })
    };
    let base = read("base", base)?.unwrap_or_default();
    let (local, remote) = (read("local", local)?, read("remote", remote)?);
    let changed = |side: &Fields| {
        side.iter().any(|(name, value)| {
            let ty = object.field(name).map(|field| &field.field_type);
            ty.is_some_and(|ty| !same(ty, base.get(name).unwrap_or(&Value::Null), value))
        })
    };
    let deletion = policy.deletion();
    match (local, remote) {
        (Some(local), Some(remote)) => Ok(merged(object, policy, &base, &local, &remote)),
        (None, None) => Ok(gone("deleted", "deleted on both sides")),
        (None, Some(remote)) if !changed(&remote) => Ok(gone("deleted", "deleted here only")),
        (None, Some(remote)) => match deletion.here {
            Survivor::Ask => Ok(gone(
                "conflict",
                "deleted here, changed at the server; the policy is ask",
            )),
            Survivor::Deletion => Ok(gone(
                "deleted",
                "deleted here, changed at the server; the policy is deletion",
            )),
            Survivor::Edit => {
                let mut back = merged(object, policy, &base, &base, &remote);
                back.outcome = "restored";
                back.reason =
                    "deleted here, changed at the server; an edit beats a deletion".into();
                Ok(back)
            }
        },
        (Some(local), None) if !changed(&local) => {
            Ok(gone("deleted", "deleted at the server only"))
        }
        (Some(local), None) => match deletion.there {
            Survivor::Ask => Ok(gone(
                "conflict",
                "changed here, deleted at the server; the policy is ask",
            )),
            Survivor::Deletion => Ok(gone(
                "deleted",
                "changed here, deleted at the server; the policy is deletion",
            )),
            Survivor::Edit => {
                let mut again = merged(object, policy, &base, &local, &base);
                again.outcome = "created again";
                again.reason = "changed here, deleted at the server; the policy is edit".into();
                Ok(again)
            }
        },
    }
}

fn gone(outcome: &'static str, reason: &str) -> Explanation {
    Explanation {
        outcome,
        reason: reason.into(),
        fields: Vec::new(),
    }
}

fn merged(
    object: Arc<ObjectSchema>,
    policy: &MergePolicy,
    base: &Fields,
    local: &Fields,
    remote: &Fields,
) -> Explanation {
    let named = |name: &str| [base, local, remote].iter().any(|side| side.contains(name));
    let places = (0..object.fields.len())
        .filter(|at| named(&object.fields[*at].name))
        .collect();
    let merger = Merger::for_row(Arc::clone(&object), places, policy);
    let side = |side: &Fields| -> Vec<Value> {
        let of = |name: &str| side.get(name).or(base.get(name)).cloned();
        merger
            .fields()
            .map(|field| of(&field.name).unwrap_or(Value::Null))
            .collect()
    };
    let (base, local, remote) = (side(base), side(local), side(remote));
    let edited: Vec<bool> = merger
        .fields()
        .zip(base.iter().zip(&local))
        .map(|(field, (base, local))| !same(&field.field_type, base, local))
        .collect();
    let changes = merger.changes(&base, &local, &remote, &edited);
    let fields: Vec<Explained> = (0..edited.len())
        .map(|at| explained(&merger, at, &changes, &local, &remote))
        .collect();
    let any = |outcomes: &[&str]| fields.iter().any(|one| outcomes.contains(&one.outcome));
    let (outcome, reason) = if any(&["conflict"]) {
        ("conflict", "a field is in conflict")
    } else if any(&["kept", "joined"]) {
        ("pending", "fields of this device are to be sent")
    } else {
        ("settled", "nothing is left to send")
    };
    Explanation {
        outcome,
        reason: reason.into(),
        fields,
    }
}

fn explained(
    merger: &Merger,
    at: usize,
    changes: &[Change],
    local: &[Value],
    remote: &[Value],
) -> Explained {
    let name = |at: usize| merger.fields().nth(at).map(|field| field.name.clone());
    let change = changes.iter().find(|change| change.at == at);
    let (outcome, value) = match change.map(|change| &change.outcome) {
        None => ("unchanged", &remote[at]),
        Some(Outcome::Agreed) => ("agreed", &remote[at]),
        Some(Outcome::Taken) => ("taken", &remote[at]),
        Some(Outcome::Kept) => ("kept", &local[at]),
        Some(Outcome::Joined(value)) => ("joined", value),
        Some(Outcome::Conflict) => ("conflict", &local[at]),
    };
    let group = merger
        .groups()
        .find(|group| group.len() > 1 && group.contains(&at));
    Explained {
        name: name(at).unwrap_or_default(),
        outcome,
        value: value.clone(),
        reason: change.map_or(Reason::Untouched, |change| change.reason),
        group: group
            .into_iter()
            .flatten()
            .filter_map(|at| name(*at))
            .collect(),
    }
}

impl Explained {
    /// Says why, in a sentence without an end.
    pub fn sentence(&self) -> String {
        match self.reason {
            Reason::ByPolicy(_) | Reason::NotJoined(_) if !self.group.is_empty() => {
                format!("its group was {}", self.reason)
            }
            reason => reason.to_string(),
        }
    }
}

/// A schema for values without one.
fn guessed(policy: &MergePolicy, sides: [&str; 3]) -> Result<ObjectSchema> {
    let mut kinds: BTreeMap<String, &'static str> = BTreeMap::new();
    for json in sides.into_iter().filter(|json| json.trim() != "null") {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).map_err(|error| {
            Error::invalid(format!(
                "base, local and remote are JSON objects or null; line {} column {} is not",
                error.line(),
                error.column(),
            ))
        })?;
        for (name, value) in fields {
            let kind = match (policy.of(&name), value.get().as_bytes().first()) {
                (_, Some(b'n')) => "",
                (_, Some(b't' | b'f')) => "boolean",
                (_, Some(b'-' | b'0'..=b'9')) => "double",
                (Policy::Union, Some(b'"')) => "multipicklist",
                (_, Some(b'"')) => "textarea",
                _ => {
                    return Err(Error::invalid(format!(
                        "{name} is a list or an object; a field is text, a number, true, false or null"
                    )));
                }
            };
            let known = kinds.entry(name.clone()).or_insert(kind);
            match (*known, kind) {
                (_, "") => {}
                ("", _) => *known = kind,
                (known, kind) if known == kind => {}
                _ => {
                    return Err(Error::invalid(format!(
                        "{name} is not of one kind on all sides"
                    )));
                }
            }
        }
    }
    let fields: Vec<_> = kinds
        .iter()
        .map(|(name, kind)| {
            let kind = if kind.is_empty() { "textarea" } else { kind };
            serde_json::json!({"name": name, "type": kind, "nillable": true, "createable": true, "updateable": true})
        })
        .collect();
    ObjectSchema::from_describe(
        &serde_json::json!({"name": "Record", "fields": fields}).to_string(),
    )
}

impl Serialize for Explanation {
    /// Writes `{"outcome": ..., "reason": ..., "fields": {name: {"outcome": ..., "reason": ...,
    /// "value": ..., "group": [...]}}}`; `group` is there for fields that have one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct ByName<'a>(&'a [Explained]);
        impl Serialize for ByName<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|field| (&field.name, field)))
            }
        }
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("outcome", self.outcome)?;
        map.serialize_entry("reason", &self.reason)?;
        map.serialize_entry("fields", &ByName(&self.fields))?;
        map.end()
    }
}

impl Serialize for Explained {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("outcome", self.outcome)?;
        map.serialize_entry("reason", &self.sentence())?;
        map.serialize_entry("value", &self.value)?;
        if !self.group.is_empty() {
            map.serialize_entry("group", &self.group)?;
        }
        map.end()
    }
}
