//! Running a plan.

use super::eval::Eye;
use super::plan::{Plan, Shape};
use crate::org::Slot;
use crate::value::Value;

/// What a statement found.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Rows(Vec<Slot>),
    Groups(Vec<Vec<Value>>),
    Count(usize),
}

/// Runs a plan.
pub(crate) fn run(eye: &Eye<'_>, plan: &Plan) -> Found {
    let wanted = plan.limit.map(|limit| limit.saturating_add(plan.offset));
    let find = |most| {
        eye.find(
            plan.object,
            plan.filter.as_ref(),
            plan.reach,
            &plan.order,
            most,
        )
    };
    let page = |mut rows: Vec<Slot>| {
        rows.drain(..plan.offset.min(rows.len()));
        rows
    };
    match &plan.shape {
        Shape::Rows(_) => Found::Rows(page(find(wanted))),
        Shape::Count => Found::Count(page(find(wanted)).len()),
        Shape::Groups(groups) => {
            let rows = eye.find(plan.object, plan.filter.as_ref(), plan.reach, &[], None);
            Found::Groups(eye.groups(plan, groups, &rows))
        }
    }
}
