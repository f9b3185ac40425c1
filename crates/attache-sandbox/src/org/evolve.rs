//! What an administrator does to the schema while people work: fields and objects come, change and go.
//!
//! None of it stamps a row, as at the platform: whoever keeps copies learns of it from describes alone.

use super::Org;
use crate::schema::ObjectDef;
use crate::value::Value;

impl Org {
    /// Alters an object: adds fields, changes fields where they stand. Does nothing if it is unknown.
    pub fn alter_object(&mut self, object: &str, change: impl FnOnce(&mut ObjectDef)) {
        if let Some(mut definition) = self.schema.object(object).cloned() {
            change(&mut definition);
            self.schema_mut().insert(definition);
        }
    }

    /// Takes a field from everybody, as its deletion does. The values are kept for [`Org::restore_field`].
    pub fn remove_field(&mut self, object: &str, field: &str) {
        self.set_field_gone(object, field, true);
    }

    /// Brings a removed field back with its values, as from the platform's list of deleted fields.
    pub fn restore_field(&mut self, object: &str, field: &str) {
        self.set_field_gone(object, field, false);
    }

    fn set_field_gone(&mut self, object: &str, field: &str, gone: bool) {
        let Some(at) = self.schema.index(object) else {
            return;
        };
        if let Some(field) = self.schema.objects()[at].index(field) {
            self.sharing.set_gone(at, field, gone);
        }
    }

    /// Takes an object from everybody, as its deletion does. The rows are kept for [`Org::restore_object`].
    pub fn remove_object(&mut self, object: &str) {
        self.schema_mut().withdraw(object);
    }

    /// Brings a removed object back with its rows.
    pub fn restore_object(&mut self, object: &str) {
        self.schema_mut().restore(object);
    }

    /// Rewrites a field in every row, deleted ones too, as a change of its type or length does. No row is stamped.
    pub fn rewrite_field(
        &mut self,
        object: &str,
        field: &str,
        mut rewrite: impl FnMut(&Value) -> Value,
    ) {
        let Some(at) = self.schema.index(object) else {
            return;
        };
        let definition = self.schema.objects()[at].clone();
        let Some(field) = definition.index(field) else {
            return;
        };
        let width = definition.fields.len();
        let rows: Vec<_> = self.tables[at]
            .slots()
            .map(|(slot, row)| (slot, row.to_vec(width)))
            .collect();
        for (slot, mut values) in rows {
            values[field] = rewrite(&values[field]);
            self.tables[at].replace(&definition, slot, Some(values.into()));
        }
    }
}
