//! Record types: made by an administrator, given to new rows, and held against picklists at a save.

use super::save::Draft;
use super::{Org, SaveError};
use crate::id;
use crate::schema::{FieldDef, FieldKind, MASTER, ObjectDef, RecordTypeDef};
use crate::value::Value;

impl Org {
    /// Makes a record type of an object, or changes the one of the same API name, and gives its id.
    ///
    /// As at the platform, the object has a field `RecordTypeId` from its first record type on, and
    /// the record type is a row of `RecordType`. Rows that are there keep the master.
    ///
    /// # Panics
    /// If there is no such object.
    pub fn define_record_type(&mut self, object: &str, record_type: RecordTypeDef) -> String {
        let at = self.schema.index(object).expect("the object exists");
        let name = self.schema.objects()[at].name.clone();
        let known = self.schema.objects()[at]
            .record_type(&record_type.developer_name)
            .map(|known| known.id.clone());
        let is_new = known.is_none();
        let id = known.unwrap_or_else(|| self.next_record_type());
        let record_type = RecordTypeDef {
            id: id.clone(),
            ..record_type
        };
        if is_new {
            self.put_record_type(&name, &record_type);
        }
        self.alter_object(&name, |object| {
            if object.index("RecordTypeId").is_none() {
                object.push(FieldDef {
                    reference_to: vec!["RecordType".into()],
                    relationship_name: Some("RecordType".into()),
                    ..FieldDef::new("RecordTypeId", "Record Type ID", FieldKind::Reference)
                });
            }
            if record_type.is_default {
                for other in &mut object.record_types {
                    other.is_default = false;
                }
            }
            object.record_types.retain(|one| one.id != record_type.id);
            object.record_types.push(record_type);
        });
        id
    }

    fn next_record_type(&self) -> String {
        let known = self
            .schema
            .objects()
            .iter()
            .map(|one| one.record_types.len());
        id::make("012", known.sum::<usize>() as u64 + 1)
    }

    fn put_record_type(&mut self, object: &str, record_type: &RecordTypeDef) {
        let Some(at) = self.schema.index("RecordType") else {
            return;
        };
        let definition = &self.schema.objects()[at];
        let now = self.now;
        let row = definition.fields.iter().map(|field| match &*field.name {
            "Id" => Value::text(&record_type.id),
            "Name" => Value::text(&record_type.name),
            "DeveloperName" => Value::text(&record_type.developer_name),
            "SobjectType" => Value::text(object),
            "IsActive" => Value::Bool(record_type.active),
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" => Value::DateTime(now),
            _ => field.default.clone().unwrap_or(Value::Null),
        });
        let row = row.collect();
        self.put(at, row).expect("the id of a record type is new");
    }
}

/// The record type of a draft; `None` for the master.
fn of_draft<'a>(draft: &Draft, object: &'a ObjectDef) -> Option<&'a RecordTypeDef> {
    let at = object.index("RecordTypeId")?;
    object.record_type(draft.row[at].as_text()?)
}

/// Rows of the master have no record type, however they were told so.
pub(super) fn unname_master(draft: &mut Draft, object: &ObjectDef) {
    if let Some(at) = object.index("RecordTypeId")
        && draft.row[at].as_text() == Some(MASTER)
    {
        draft.row[at] = Value::Null;
    }
}

/// Gives a new row the record type that creates without one get, and the defaults of its record type's picklists.
pub(super) fn fill_in(draft: &mut Draft, object: &ObjectDef) {
    let Some(at) = object.index("RecordTypeId") else {
        return;
    };
    let default = object.record_types.iter().find(|one| one.is_default);
    if let Some(default) = default.filter(|_| !draft.touched.contains(&at)) {
        draft.row[at] = Value::text(&default.id);
    }
    let Some(record_type) = of_draft(draft, object) else {
        return;
    };
    for (field, of) in &record_type.picklists {
        if let (Some(at), Some(default)) = (object.index(field), &of.default)
            && draft.row[at].is_null()
            && !draft.touched.contains(&at)
        {
            draft.row[at] = Value::text(default);
        }
    }
}

/// Lists what a record type forbids: itself to this user, and values it leaves out of a restricted picklist.
pub(super) fn check(draft: &Draft, object: &ObjectDef, picklists: bool) -> Vec<SaveError> {
    let Some(at) = object.index("RecordTypeId") else {
        return Vec::new();
    };
    let record_type = of_draft(draft, object);
    let given = draft.row[at].as_text();
    if let Some(id) = given.filter(|_| draft.moves(at))
        && !record_type.is_some_and(|one| one.active && one.available)
    {
        let message = format!("Record Type ID: this ID value isn't valid for the user: {id}");
        return vec![SaveError::field(
            "INVALID_CROSS_REFERENCE_KEY",
            "RecordTypeId",
            message,
        )];
    }
    let Some(record_type) = record_type.filter(|_| picklists) else {
        return Vec::new();
    };
    let forbidden = record_type.picklists.iter().filter_map(|(field, of)| {
        let at = object.index(field)?;
        let definition = &object.fields[at];
        let text = draft.row[at].as_text()?;
        let looked_at = definition.restricted_picklist && draft.moves(at);
        let wrong = text
            .split(';')
            .find(|one| !of.values.iter().any(|own| own == one));
        wrong
            .filter(|_| looked_at)
            .map(|one| super::check::bad_entry(definition, one))
    });
    forbidden.collect()
}
