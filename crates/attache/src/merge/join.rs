//! Values made of what both sides did to one field.

use super::Policy;
use crate::record::Value;
use crate::schema::{FieldSchema, FieldType, check};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Joins both sides' changes of a field; `None` if its type, the values or its limits do not
/// let them be joined.
pub(super) fn join(
    policy: Policy,
    field: &FieldSchema,
    base: &Value,
    local: &Value,
    remote: &Value,
) -> Option<Value> {
    let joined = match (policy, &field.field_type) {
        (Policy::Union, FieldType::MultiPicklist) => union(field, base, local, remote),
        (Policy::Text, FieldType::TextArea | FieldType::String) => lines(base, local, remote),
        (Policy::Counter, ty) if ty.is_number() => sum(base, local, remote),
        _ => None,
    }?;
    // Two changes that each fit may not fit together.
    check::fits(field, &joined).then_some(joined)
}

/// The members of a multi-select list, as a set.
pub(super) fn members(list: &str) -> impl Iterator<Item = &str> {
    let members: BTreeSet<&str> = list.split(';').filter(|entry| !entry.is_empty()).collect();
    members.into_iter()
}

fn union(field: &FieldSchema, base: &Value, local: &Value, remote: &Value) -> Option<Value> {
    let set = |value: &Value| -> Option<BTreeSet<String>> {
        match value {
            Value::Null => Some(BTreeSet::new()),
            Value::Text(list) => Some(members(list).map(String::from).collect()),
            _ => None,
        }
    };
    let (base, local, remote) = (set(base)?, set(local)?, set(remote)?);
    let joined = local
        .union(&remote)
        .filter(|entry| {
            !base.contains(*entry) || (local.contains(*entry) && remote.contains(*entry))
        })
        .map(String::as_str);
    Some(check::in_defined_order(field, joined))
}

/// Joins line by line. Lines that both sides changed differently are no text to write for
/// anybody, so they make the whole field ask.
fn lines(base: &Value, local: &Value, remote: &Value) -> Option<Value> {
    // With an end on every line, a line added after the last one is no change of the last.
    let ended = |value: &Value| match value {
        Value::Null => Some(String::new()),
        Value::Text(text) => Some(format!("{text}\n")),
        _ => None,
    };
    let joined = diffy::merge(&ended(base)?, &ended(local)?, &ended(remote)?).ok()?;
    Some(Value::text(joined.strip_suffix('\n').unwrap_or(&joined)))
}

fn sum(base: &Value, local: &Value, remote: &Value) -> Option<Value> {
    let base = match base {
        Value::Null => Decimal::ZERO,
        Value::Number(base) => *base,
        _ => return None,
    };
    // Clearing a number is not counting.
    let (Value::Number(local), Value::Number(remote)) = (local, remote) else {
        return None;
    };
    let delta = local.checked_sub(base)?;
    Some(Value::Number(remote.checked_add(delta)?))
}
