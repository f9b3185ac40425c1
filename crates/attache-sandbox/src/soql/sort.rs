//! ORDER BY.

use super::eval::Eye;
use super::filter::{Mode, compare};
use super::plan::{By, OrderBy};
use crate::org::Slot;
use crate::schema::FieldKind;
use crate::value::Value;
use rust_decimal::Decimal;
use std::cmp::Ordering;

impl Eye<'_> {
    /// Sorts rows; rows that are equal keep their order.
    pub(crate) fn sort(&self, object: usize, rows: &mut [Slot], order: &[OrderBy]) {
        let mut keyed: Vec<(Vec<Value>, Slot)> = rows
            .iter()
            .map(|&slot| {
                let keys = order.iter().map(|order| match &order.by {
                    By::Term(term) => sort_key(
                        &self.term(object, slot, term),
                        term.kind(),
                        term.mode(),
                        term.ranks(),
                    ),
                    By::Group(_) => Value::Null,
                });
                (keys.collect(), slot)
            })
            .collect();
        keyed.sort_by(|(a, _), (b, _)| in_order(a, b, order));
        for (place, (_, slot)) in rows.iter_mut().zip(keyed) {
            *place = slot;
        }
    }
}

/// Makes a value that sorts by itself: folded text, or the place in a picklist.
pub(crate) fn sort_key(value: &Value, kind: FieldKind, mode: Mode, ranks: &[String]) -> Value {
    match value {
        Value::Null if kind == FieldKind::Boolean => Value::Bool(false),
        Value::Text(text) if !ranks.is_empty() => {
            let place = ranks
                .iter()
                .position(|rank| **rank == **text)
                .unwrap_or(ranks.len());
            Value::Number(Decimal::from(place))
        }
        Value::Text(text) if mode == Mode::Folded => Value::text(
            text.chars()
                .flat_map(char::to_uppercase)
                .collect::<String>(),
        ),
        // 1 and 1.0 are one value, also where keys are told apart by how they print.
        Value::Number(number) => Value::Number(number.normalize()),
        other => other.clone(),
    }
}

/// Compares two rows of sort keys.
pub(crate) fn in_order(a: &[Value], b: &[Value], order: &[OrderBy]) -> Ordering {
    for ((a, b), order) in a.iter().zip(b).zip(order) {
        let step = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if order.nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if order.nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                let step = compare(Mode::Exact, a, b).unwrap_or(Ordering::Equal);
                if order.descending {
                    step.reverse()
                } else {
                    step
                }
            }
        };
        if step.is_ne() {
            return step;
        }
    }
    Ordering::Equal
}
