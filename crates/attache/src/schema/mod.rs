//! Objects and fields, as a describe tells them.

pub(crate) mod check;
mod describe;

pub(crate) use describe::RawEntry;

use crate::record::Value;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;

/// A field's type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each variant is the describe type of its name")]
pub enum FieldType {
    Id,
    Reference,
    String,
    TextArea,
    Picklist,
    MultiPicklist,
    Combobox,
    Email,
    Phone,
    Url,
    EncryptedString,
    Boolean,
    Int,
    Long,
    Double,
    Currency,
    Percent,
    Date,
    DateTime,
    Time,
    Base64,
    Address,
    Location,
    AnyType,
    /// A type that this version does not know; kept by its name, carried as text.
    Other(String),
}

impl FieldType {
    /// Says whether values are exact numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            FieldType::Int
                | FieldType::Long
                | FieldType::Double
                | FieldType::Currency
                | FieldType::Percent
        )
    }

    /// Says whether values are text of some kind, ids and picklists included.
    pub fn is_text(&self) -> bool {
        !self.is_number()
            && !matches!(
                self,
                FieldType::Boolean
                    | FieldType::Date
                    | FieldType::DateTime
                    | FieldType::Time
                    | FieldType::Address
                    | FieldType::Location
            )
    }

    /// Says whether the field is kept in a column of its own.
    ///
    /// Compound fields are read through their parts, and binary content is
    /// fetched apart from its row.
    pub fn is_stored(&self) -> bool {
        !matches!(
            self,
            FieldType::Address | FieldType::Location | FieldType::Base64
        )
    }
}

/// One entry of a picklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PicklistEntry {
    /// The API value.
    pub value: String,
    /// What a person sees.
    pub label: String,
    /// May be chosen.
    pub active: bool,
    /// Chosen by default.
    pub default: bool,
    /// One bit per entry of the controlling picklist, first entry first; `None`: independent.
    pub valid_for: Option<Vec<bool>>,
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldSchema {
    /// API name.
    pub name: String,
    /// What a person sees.
    pub label: String,
    /// Type.
    pub field_type: FieldType,
    /// Characters at most; 0: no limit known.
    pub length: u32,
    /// Digits in all; 0: no limit known.
    pub precision: u32,
    /// Digits after the point.
    pub scale: u32,
    /// Digits of an integer; 0: no limit known.
    pub digits: u32,
    /// May be null.
    pub nillable: bool,
    /// May be set in a create.
    pub createable: bool,
    /// May be set in an update.
    pub updateable: bool,
    /// The server sets it in a create that does not.
    pub defaulted_on_create: bool,
    /// Computed by the server.
    pub calculated: bool,
    /// Differs by case when compared.
    pub case_sensitive: bool,
    /// Usable in a condition at the server.
    pub filterable: bool,
    /// Usable in an order at the server.
    pub sortable: bool,
    /// No two records share a value.
    pub unique: bool,
    /// Usable as the key of an upsert.
    pub external_id: bool,
    /// Says what a record is called.
    pub name_field: bool,
    /// The compound field this one is a part of (`BillingAddress`).
    pub compound: Option<String>,
    /// The objects a reference may point at.
    pub reference_to: Vec<String>,
    /// The parent's name in a query path (`Account`, `Parent__r`).
    pub relationship_name: Option<String>,
    /// Part of a master-detail: the record cannot live without its parent.
    pub cascade_delete: bool,
    /// Entries, of picklists and multi-select lists.
    pub picklist: Vec<PicklistEntry>,
    /// Only listed values are accepted.
    pub restricted_picklist: bool,
    /// The field that controls this picklist.
    pub controller: Option<String>,
    /// What a form shows until a person changes it; the server sets it in a create that does not name the field.
    pub default_value: Option<Value>,
    /// The formula that the server makes the default of, as text; a device cannot evaluate it.
    pub default_formula: Option<String>,
    /// The formula of a calculated field, as text, where this user may know it.
    pub formula: Option<String>,
    /// What a form explains the field with.
    pub help: Option<String>,
    /// Numbered by the server.
    pub auto_number: bool,
    /// Made by the org, not by Salesforce.
    pub custom: bool,
    /// Encrypted at the server; users without the permission see a mask.
    pub encrypted: bool,
    /// What the type is in particular (`plaintextarea`, `richtextarea`, `personname`, ...).
    pub extra_type: Option<String>,
    /// Text with markup in it.
    pub html: bool,
    /// Usable to find records by in a lookup or an upsert, as `Id` and external ids are.
    pub id_lookup: bool,
    /// Usable to group by at the server.
    pub groupable: bool,
    /// Usable in `COUNT`, `MAX` and the like at the server.
    pub aggregatable: bool,
    /// A reference whose records' names are read through `Name` (`Who.Name`).
    pub name_pointing: bool,
    /// Place of a master in a master-detail: 0 for the first, 1 for the second; `None` for a lookup.
    pub relationship_order: Option<u32>,
    /// Deleting the parent is refused while the record points at it.
    pub restricted_delete: bool,
    /// A detail may be written by who may only read its master.
    pub write_requires_master_read: bool,
}

impl FieldSchema {
    /// Says whether a create must set this field.
    pub fn required_on_create(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted_on_create
    }

    /// Says whether the field points at the master of a master-detail.
    pub fn is_master(&self) -> bool {
        self.relationship_order.is_some()
    }

    /// Says whether the field may point at records of several objects.
    pub fn is_polymorphic(&self) -> bool {
        self.reference_to.len() > 1
    }
}

/// A relationship from a parent to its children.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChildRelationship {
    /// Name in a subquery (`Contacts`); some have none.
    pub name: Option<String>,
    /// The children's object.
    pub child: String,
    /// The children's reference field.
    pub field: String,
    /// Deleting the parent deletes the children.
    pub cascade_delete: bool,
    /// Deleting the parent is refused while there are children.
    pub restricted_delete: bool,
}

/// A kind of an object's records, with picklists and layouts of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordType {
    /// The id that `RecordTypeId` holds, 18 characters.
    pub id: String,
    /// What a person sees.
    pub name: String,
    /// API name; older servers do not tell it.
    pub developer_name: Option<String>,
    /// In use.
    pub active: bool,
    /// This user may make records of it.
    pub available: bool,
    /// The one that this user's records get unless told.
    pub default: bool,
    /// The one that stands for records without a record type.
    pub master: bool,
}

/// One object type of the org, as this user may see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectSchema {
    /// API name.
    pub name: String,
    /// Label of one record.
    pub label: String,
    /// Label of many.
    pub label_plural: String,
    /// The first three characters of its ids; some objects have none.
    pub key_prefix: Option<String>,
    /// Records may be created.
    pub createable: bool,
    /// Records may be changed.
    pub updateable: bool,
    /// Records may be deleted.
    pub deletable: bool,
    /// Records may be queried.
    pub queryable: bool,
    /// Changes and deletions can be asked for by time.
    pub replicateable: bool,
    /// Fields in describe order.
    pub fields: Vec<FieldSchema>,
    /// Relationships to children.
    pub children: Vec<ChildRelationship>,
    /// Scopes that a query may use.
    pub scopes: Vec<String>,
    /// Kinds of records; objects without have the master only.
    pub record_types: Vec<RecordType>,
    /// Made by the org, not by Salesforce.
    pub custom: bool,
    /// Records can be searched at the server.
    pub searchable: bool,
    /// Records have page layouts.
    pub layoutable: bool,
    /// Deleted records can be brought back at the server.
    pub undeletable: bool,
    /// The server keeps whose records were looked at last.
    pub recents: bool,
    #[serde(skip)]
    by_name: HashMap<String, usize>,
}

impl ObjectSchema {
    /// Finds a field by name, whatever its case.
    pub fn field(&self, name: &str) -> Option<&FieldSchema> {
        // Names mostly come in the case of the schema: spare the copy then.
        let at = self
            .by_name
            .get(name)
            .or_else(|| self.by_name.get(&name.to_ascii_lowercase()))?;
        self.fields.get(*at)
    }

    /// Finds the reference field behind a step of a parent path (`Account` in `Account.Name`).
    pub fn parent_field(&self, relationship: &str) -> Option<&FieldSchema> {
        self.fields.iter().find(|field| {
            field
                .relationship_name
                .as_deref()
                .is_some_and(|name| name.eq_ignore_ascii_case(relationship))
        })
    }

    /// Finds a relationship to children by its name (`Contacts`), whatever its case.
    pub fn child_relationship(&self, name: &str) -> Option<&ChildRelationship> {
        self.children.iter().find(|child| {
            child
                .name
                .as_deref()
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    }

    /// The field that says what a record is called, if the object has one.
    pub fn name_field(&self) -> Option<&FieldSchema> {
        self.fields.iter().find(|field| field.name_field)
    }

    /// The fields that are kept in columns, `Id` first.
    pub fn stored_fields(&self) -> impl Iterator<Item = &FieldSchema> {
        self.fields
            .iter()
            .filter(|field| field.field_type.is_stored())
    }

    /// Makes a schema from parts; used by the describe reader.
    pub(crate) fn index_fields(&mut self) {
        self.by_name = HashMap::with_capacity(self.fields.len() * 2);
        for (at, field) in self.fields.iter().enumerate() {
            self.by_name.insert(field.name.to_ascii_lowercase(), at);
            self.by_name.insert(field.name.clone(), at);
        }
    }
}

/// The objects that this device knows.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    objects: HashMap<String, Arc<ObjectSchema>>,
}

impl Schema {
    /// Adds an object, or replaces one of the same name.
    pub fn insert(&mut self, object: impl Into<Arc<ObjectSchema>>) {
        let object = object.into();
        self.objects
            .insert(object.name.to_ascii_lowercase(), object);
    }

    /// Finds an object by name, whatever its case.
    pub fn object(&self, name: &str) -> Option<&Arc<ObjectSchema>> {
        self.objects.get(&name.to_ascii_lowercase())
    }

    /// The objects in order of their names.
    pub fn objects(&self) -> Vec<&Arc<ObjectSchema>> {
        let mut objects: Vec<_> = self.objects.values().collect();
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        objects
    }

    /// Finds the object of a server id by its first three characters.
    pub fn object_of_id(&self, id: &str) -> Option<&Arc<ObjectSchema>> {
        let prefix = id.get(..3)?;
        self.objects
            .values()
            .find(|object| object.key_prefix.as_deref() == Some(prefix))
    }
}
