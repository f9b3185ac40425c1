//! Gathering rows into groups.

use super::eval::Eye;
use super::plan::{Aggregate, By, Function, Groups, Plan};
use super::sort::{in_order, sort_key};
use crate::org::Slot;
use crate::schema::FieldKind;
use crate::value::Value;
use indexmap::IndexMap;
use rust_decimal::Decimal;
use std::borrow::Cow;
use std::collections::HashSet;

/// What one aggregate has seen so far.
#[derive(Clone, Debug, Default)]
struct State {
    count: u64,
    sum: Decimal,
    extreme: Option<(Value, Value)>,
    seen: HashSet<String>,
}

impl Eye<'_> {
    /// Gives a row of values for each group: its keys, then its aggregates.
    pub(crate) fn groups(&self, plan: &Plan, groups: &Groups, rows: &[Slot]) -> Vec<Vec<Value>> {
        let mut found = Vec::new();
        for pass in &groups.passes {
            found.extend(self.pass(plan.object, groups, rows, pass));
        }
        if let Some(having) = &groups.having {
            found.retain(|values| {
                having.holds(&|at: &usize| Cow::Borrowed(values.get(*at).unwrap_or(&Value::Null)))
            });
        }
        if !plan.order.is_empty() {
            self.sort_groups(&mut found, plan, groups);
        }
        let from = plan.offset.min(found.len());
        found.drain(..from);
        found.truncate(plan.limit.unwrap_or(usize::MAX));
        found
    }

    fn pass(
        &self,
        object: usize,
        groups: &Groups,
        rows: &[Slot],
        pass: &[bool],
    ) -> Vec<Vec<Value>> {
        let mut found: IndexMap<String, (Vec<Value>, Vec<State>)> = IndexMap::new();
        let fresh = || vec![State::default(); groups.aggregates.len()];
        if groups.keys.is_empty() {
            // Without GROUP BY there is one group, even of no rows.
            found.insert(String::new(), (Vec::new(), fresh()));
        }
        for &slot in rows {
            let keys: Vec<Value> = groups
                .keys
                .iter()
                .zip(pass)
                .map(|(key, kept)| {
                    if *kept {
                        self.term(object, slot, key).into_owned()
                    } else {
                        Value::Null
                    }
                })
                .collect();
            let folded: Vec<Value> = keys
                .iter()
                .zip(&groups.keys)
                .map(|(value, key)| sort_key(value, key.kind(), key.mode(), &[]))
                .collect();
            let name = if keys.is_empty() {
                String::new()
            } else {
                format!("{folded:?}")
            };
            let (_, states) = found.entry(name).or_insert_with(|| (keys, fresh()));
            for (state, aggregate) in states.iter_mut().zip(&groups.aggregates) {
                self.take(object, slot, state, aggregate);
            }
        }
        let finish = |(mut values, states): (Vec<Value>, Vec<State>)| {
            let results = states.into_iter().zip(&groups.aggregates);
            values.extend(results.map(|(state, aggregate)| result(state, aggregate, pass)));
            values
        };
        found.into_values().map(finish).collect()
    }

    fn take(&self, object: usize, slot: Slot, state: &mut State, aggregate: &Aggregate) {
        let Some(term) = &aggregate.term else {
            state.count += 1;
            return;
        };
        let value = self.term(object, slot, term);
        if value.is_null() {
            return;
        }
        state.count += 1;
        match (aggregate.function, &*value) {
            (Function::Sum | Function::Avg, Value::Number(number)) => {
                state.sum = state.sum.checked_add(*number).unwrap_or(state.sum);
            }
            (Function::CountDistinct, value) => {
                state.seen.insert(format!(
                    "{:?}",
                    sort_key(value, term.kind(), term.mode(), &[])
                ));
            }
            (Function::Min | Function::Max, value) => {
                let key = sort_key(value, term.kind(), term.mode(), term.ranks());
                let better = state.extreme.as_ref().is_none_or(|(best, _)| {
                    let order = super::filter::compare(super::filter::Mode::Exact, &key, best);
                    order.is_some_and(|order| {
                        if aggregate.function == Function::Min {
                            order.is_lt()
                        } else {
                            order.is_gt()
                        }
                    })
                });
                if better {
                    state.extreme = Some((key, value.clone()));
                }
            }
            _ => {}
        }
    }

    fn sort_groups(&self, found: &mut Vec<Vec<Value>>, plan: &Plan, groups: &Groups) {
        let mut keyed: Vec<(Vec<Value>, Vec<Value>)> = std::mem::take(found)
            .into_iter()
            .map(|values| {
                let keys = plan.order.iter().map(|order| {
                    let By::Group(at) = order.by else {
                        return Value::Null;
                    };
                    let value = values.get(at).unwrap_or(&Value::Null);
                    match groups.keys.get(at) {
                        Some(key) => sort_key(value, key.kind(), key.mode(), key.ranks()),
                        None => {
                            sort_key(value, FieldKind::String, super::filter::Mode::Folded, &[])
                        }
                    }
                });
                (keys.collect(), values)
            })
            .collect();
        keyed.sort_by(|(a, _), (b, _)| in_order(a, b, &plan.order));
        found.extend(keyed.into_iter().map(|(_, values)| values));
    }
}

fn result(state: State, aggregate: &Aggregate, pass: &[bool]) -> Value {
    let count = Value::Number(Decimal::from(state.count));
    match aggregate.function {
        Function::Count => count,
        Function::CountDistinct => Value::Number(Decimal::from(state.seen.len())),
        Function::Sum if state.count > 0 => Value::Number(state.sum),
        Function::Avg => state
            .sum
            .checked_div(Decimal::from(state.count))
            .map_or(Value::Null, |mean| Value::Number(mean.normalize())),
        Function::Min | Function::Max => state.extreme.map_or(Value::Null, |(_, value)| value),
        Function::Grouping(key) => Value::Number(Decimal::from(u8::from(
            !pass.get(key).copied().unwrap_or(true),
        ))),
        Function::Sum => Value::Null,
    }
}
