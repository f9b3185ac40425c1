//! The three-way merge of one record, field by field.
//!
//! Pure: no store, no clock, no log. What a conflict becomes (a question to a
//! person, a parked mutation) is decided by the callers.

mod explain;
mod groups;
mod join;
mod merger;
mod policy;
mod row;

pub use explain::{Explained, Explanation, explain_merge};
use groups::FieldGroups;
pub use merger::{Change, Merger, Outcome, Reason};
pub use policy::{DeletionPolicy, MergePolicy, Policy, Survivor};

use crate::record::{Value, remote_id};
use crate::schema::FieldType;

/// Says whether two values of a field mean the same.
///
/// Numbers are equal whatever their trailing zeros, multi-select lists as sets, ids in both
/// of their lengths, a checkbox without a value is not ticked. Other text is equal to
/// itself only, and null to null and empty text.
pub(crate) fn same(ty: &FieldType, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(text), Value::Null) | (Value::Null, Value::Text(text)) => text.is_empty(),
        (Value::Boolean(ticked), Value::Null) | (Value::Null, Value::Boolean(ticked)) => {
            *ty == FieldType::Boolean && !ticked
        }
        (Value::Text(a), Value::Text(b)) => {
            a == b
                || match ty {
                    FieldType::MultiPicklist => join::members(a).eq(join::members(b)),
                    FieldType::Id | FieldType::Reference => {
                        remote_id(a).is_some_and(|a| remote_id(b) == Some(a))
                    }
                    _ => false,
                }
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
