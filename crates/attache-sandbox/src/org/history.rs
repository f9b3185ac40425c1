//! The history of fields: a row for each value that changes, in the transaction that changes it.

use super::row::Row;
use super::{Org, SaveError, Slot};
use crate::catalog;
use crate::value::Value;

/// An object whose history is kept.
#[derive(Clone, Debug)]
pub(super) struct Tracked {
    object: usize,
    /// The object that keeps it.
    history: usize,
    fields: Vec<usize>,
}

/// What a row of the history of a new row says.
const CREATED: &str = "created";

impl Org {
    /// Keeps the history of fields of an object from now on: rows of `AccountHistory`, or `Visit__History`.
    ///
    /// Fields of long text tell that they changed, not from what to what.
    ///
    /// # Errors
    ///
    /// Says which name the org does not know, or that the history is kept already.
    pub fn track_history(&mut self, object: &str, fields: &[&str]) -> Result<(), String> {
        let at = self
            .schema
            .index(object)
            .ok_or_else(|| format!("there is no object {object}"))?;
        if self.tracked.iter().any(|tracked| tracked.object == at) {
            return Err(format!("the history of {object} is kept already"));
        }
        let definition = &self.schema.objects()[at];
        let columns = fields.iter().map(|name| {
            definition
                .index(name)
                .ok_or_else(|| format!("{object} has no field {name}"))
        });
        let fields = columns.collect::<Result<Vec<usize>, String>>()?;
        // The platform gives all of them one prefix, by which no row could be found.
        let made = catalog::history(definition, &format!("h{:02}", self.tracked.len()));
        let name = made.name.clone();
        self.schema_mut().insert(made);
        let history = self
            .schema
            .index(&name)
            .ok_or_else(|| format!("{name} cannot be made"))?;
        self.tracked.push(Tracked {
            object: at,
            history,
            fields,
        });
        Ok(())
    }

    /// Writes what a save changed, or that it made the row.
    pub(super) fn keep_history(
        &mut self,
        actor: &str,
        object: usize,
        slot: Slot,
        before: Option<&Row>,
    ) -> Result<(), SaveError> {
        let of_object = |tracked: &&Tracked| tracked.object == object;
        let Some(tracked) = self.tracked.iter().find(of_object).cloned() else {
            return Ok(());
        };
        let Some(before) = before else {
            return self.add_history(
                actor,
                &tracked,
                slot,
                CREATED,
                "Text",
                [Value::Null, Value::Null],
            );
        };
        for &field in &tracked.fields {
            let old = before.get(field).cloned().unwrap_or(Value::Null);
            let new = self.tables[object].value(slot, field).clone();
            if old == new {
                continue;
            }
            let definition = &self.schema.objects()[object].fields[field];
            let values = match definition.length > 255 {
                true => [Value::Null, Value::Null],
                false => [old, new],
            };
            let (name, kind) = (definition.name.clone(), definition.kind.name());
            self.add_history(actor, &tracked, slot, &name, kind, values)?;
        }
        Ok(())
    }

    fn add_history(
        &mut self,
        actor: &str,
        tracked: &Tracked,
        slot: Slot,
        field: &str,
        kind: &str,
        [old, new]: [Value; 2],
    ) -> Result<(), SaveError> {
        let definition = &self.schema.objects()[tracked.history];
        let id = self.tables[tracked.history].next_id(&definition.key_prefix);
        let parent = self.tables[tracked.object].id(slot);
        let actor = crate::id::parse(actor).map_or(Value::Null, Value::text);
        let row: Vec<Value> = definition
            .fields
            .iter()
            .map(|column| match column.name.as_str() {
                "Id" => Value::text(&id),
                "IsDeleted" => Value::Bool(false),
                "CreatedById" => actor.clone(),
                "CreatedDate" => Value::DateTime(self.now),
                "Field" => Value::text(field),
                "DataType" => Value::text(kind),
                "OldValue" => old.clone(),
                "NewValue" => new.clone(),
                _ => Value::text(parent),
            })
            .collect();
        self.insert_row(tracked.history, row.into())
            .map(|_| ())
            .map_err(|message| SaveError::new("UNKNOWN_EXCEPTION", message).with_status(500))
    }
}
