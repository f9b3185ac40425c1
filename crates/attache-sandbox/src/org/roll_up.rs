//! Roll-up summary fields: a parent's count, sum, least or greatest of its children.
//!
//! The value is stored in the parent. It is worked out anew at the end of each transaction that created, changed, moved,
//! deleted, restored or merged a child, whoever did it: a trigger, a cascade, a flow. The parent has to be free for
//! that: a child of a parent that another transaction holds is refused with `UNABLE_TO_LOCK_ROW`.

use super::journal::Step;
use super::{Org, Row, SaveError, Savepoint, Slot, key};
use crate::schema::{FieldDef, FieldKind};
use crate::value::Value;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Roll-ups of roll-ups that follow each other at most.
const LEVELS_MAX: usize = 5;

/// What a roll-up tells of the children.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Summary {
    /// How many there are.
    Count,
    /// The sum of a number; of no children it is nought.
    Sum(String),
    /// The least of a number, a date or a time; of no children it is null.
    Min(String),
    /// The greatest.
    Max(String),
}

/// A field of an object that tells something of the rows of another that name it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollUp {
    /// The object that gets the field.
    pub parent: String,
    /// The new field, `Open_Deals__c`.
    pub field: String,
    /// The object whose rows count.
    pub child: String,
    /// Their lookup to the parent.
    pub lookup: String,
    /// What is told of them.
    pub of: Summary,
    /// Which of them count, as a SOQL condition; none: all.
    #[serde(rename = "if")]
    pub condition: Option<String>,
}

/// A roll-up with the places of what it names.
#[derive(Clone, Debug)]
pub(super) struct Known {
    parent: usize,
    field: usize,
    child: usize,
    lookup: usize,
    /// The field of the child that is summed up or compared.
    of: Option<usize>,
    roll_up: RollUp,
}

impl Org {
    /// Adds a field that sums up the children of a row, and works it out for the rows that there are.
    ///
    /// That stamps none of them, as a change of the schema does not.
    ///
    /// # Errors
    ///
    /// Says what the roll-up names that there is not, or that cannot be summed up. Nothing was added then.
    pub fn add_roll_up(&mut self, roll_up: RollUp) -> Result<(), String> {
        let (known, field) = self.checked_roll_up(roll_up)?;
        let (parent, name) = (
            known.parent,
            self.schema.objects()[known.parent].name.clone(),
        );
        self.alter_object(&name, |object| {
            object.push(field);
        });
        let slots: Vec<Slot> = self.tables[parent].slots().map(|(slot, _)| slot).collect();
        for slot in slots {
            let value = self
                .summed_up(&known, slot)
                .map_err(|error| error.message)?;
            if let Some(mut row) = self.whole_row(parent, slot) {
                row[known.field] = value;
                let object = &self.schema.objects()[parent];
                self.tables[parent].replace(object, slot, Some(row.into()));
            }
        }
        self.roll_ups.push(known);
        Ok(())
    }

    pub(super) fn check_roll_up(&self, roll_up: &RollUp) -> Result<(), String> {
        self.checked_roll_up(roll_up.clone()).map(|_| ())
    }

    fn checked_roll_up(&self, roll_up: RollUp) -> Result<(Known, FieldDef), String> {
        let object = |name: &str| {
            let found = self.schema.index(name);
            found.ok_or_else(|| format!("there is no object {name}"))
        };
        let (parent, child) = (object(&roll_up.parent)?, object(&roll_up.child)?);
        let (above, below) = (
            &self.schema.objects()[parent],
            &self.schema.objects()[child],
        );
        let field_of_child = |name: &str| {
            let found = below.index(name);
            found.ok_or_else(|| format!("{} has no field {name}", below.name))
        };
        let lookup = field_of_child(&roll_up.lookup)?;
        if !below.fields[lookup].reference_to.contains(&above.name) {
            return Err(format!(
                "{}.{} does not lead to {}",
                below.name, roll_up.lookup, above.name
            ));
        }
        if !roll_up.field.ends_with("__c") || above.index(&roll_up.field).is_some() {
            return Err(format!(
                "{} cannot have a new field {}",
                above.name, roll_up.field
            ));
        }
        self.check_condition(child, roll_up.condition.as_deref())
            .map_err(|error| format!("if: {}", error.message))?;
        let (of, kind) = match &roll_up.of {
            Summary::Count => (None, FieldKind::Double),
            Summary::Sum(name) | Summary::Min(name) | Summary::Max(name) => {
                let at = field_of_child(name)?;
                (Some(at), below.fields[at].kind)
            }
        };
        let may = match (&roll_up.of, kind) {
            (_, FieldKind::Int | FieldKind::Double | FieldKind::Currency | FieldKind::Percent) => {
                true
            }
            (Summary::Min(_) | Summary::Max(_), kind) => {
                matches!(kind, FieldKind::Date | FieldKind::DateTime)
            }
            _ => false,
        };
        if !may {
            return Err(format!("a {} cannot be summed up so", kind.name()));
        }
        let label = roll_up.field.trim_end_matches("__c").replace('_', " ");
        let mut field = FieldDef::new(&roll_up.field, &label, kind);
        if let Some(summed) = of.map(|at| &below.fields[at]) {
            (field.precision, field.scale, field.digits) =
                (summed.precision, summed.scale, summed.digits);
        }
        field.createable = false;
        field.updateable = false;
        field.summed_up = true;
        let known = Known {
            parent,
            field: above.fields.len(),
            child,
            lookup,
            of,
            roll_up,
        };
        Ok((known, field))
    }

    /// Works out anew what sums up the rows that were written since a savepoint.
    pub(super) fn roll_up_since(&mut self, savepoint: &Savepoint) -> Result<(), SaveError> {
        let mut done = 0;
        for _ in 0..LEVELS_MAX {
            let affected = self.summed_up_by(savepoint, done);
            done = self.journal.since(savepoint).len();
            for (at, slot) in affected {
                self.work_out(at, slot)?;
            }
            if self.journal.since(savepoint).len() == done {
                break;
            }
        }
        Ok(())
    }

    /// The roll-ups, and the rows that have them, which sum up what was written since a savepoint but for its first steps.
    fn summed_up_by(&self, savepoint: &Savepoint, first: usize) -> BTreeSet<(usize, Slot)> {
        let mut affected = BTreeSet::new();
        if self.roll_ups.is_empty() {
            return affected;
        }
        for step in self.journal.since(savepoint).iter().skip(first) {
            let Step::Row {
                object,
                slot,
                before,
            } = step
            else {
                continue;
            };
            for (at, known) in self.roll_ups.iter().enumerate() {
                if known.parent == *object && before.is_none() {
                    affected.insert((at, *slot));
                }
                if known.child != *object {
                    continue;
                }
                let named = |row: &Row| {
                    let id = key(row.get(known.lookup)?.as_text()?)?;
                    self.tables[known.parent].find(&id)
                };
                let rows = [before.as_ref(), self.tables[*object].row(*slot)];
                let parents = rows.into_iter().flatten().filter_map(named);
                affected.extend(parents.map(|parent| (at, parent)));
            }
        }
        affected
    }

    /// Works one roll-up of a row out anew. A deleted row keeps what it had.
    fn work_out(&mut self, at: usize, slot: Slot) -> Result<(), SaveError> {
        let known = self.roll_ups[at].clone();
        let table = &self.tables[known.parent];
        if table.is_deleted(slot) {
            return Ok(());
        }
        let value = self.summed_up(&known, slot)?;
        if *table.value(slot, known.field) == value {
            return Ok(());
        }
        self.check_lock(known.parent, slot)?;
        let Some(mut row) = self.whole_row(known.parent, slot) else {
            return Ok(());
        };
        row[known.field] = value;
        if self.config.switches.roll_ups_move_parent {
            self.stamp_system(known.parent, &mut row);
        }
        self.replace_row(known.parent, slot, row.into());
        Ok(())
    }

    /// What a roll-up tells of a row's living children.
    fn summed_up(&self, known: &Known, slot: Slot) -> Result<Value, SaveError> {
        let children = self.living_children(known.child, known.lookup, known.parent, slot);
        let mut values = Vec::with_capacity(children.len());
        for child in children {
            let id = self.tables[known.child].id(child);
            let condition = known.roll_up.condition.as_deref();
            if condition.is_none() || self.fulfils(known.child, condition, id)? {
                values.push(match known.of {
                    Some(of) => self.value(known.child, child, of).into_owned(),
                    None => Value::Null,
                });
            }
        }
        let set = || values.iter().filter(|value| !value.is_null());
        let best = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
        Ok(match known.roll_up.of {
            Summary::Count => Value::Number(Decimal::from(values.len())),
            Summary::Sum(_) => Value::Number(
                set()
                    .filter_map(|value| match value {
                        Value::Number(number) => Some(*number),
                        _ => None,
                    })
                    .fold(Decimal::ZERO, Decimal::saturating_add),
            ),
            Summary::Min(_) => best(set().min_by(|a, b| order(a, b))),
            Summary::Max(_) => best(set().max_by(|a, b| order(a, b))),
        })
    }
}

/// The order of two values of one type that can be compared.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}
