//! The shape of the org's objects: what a describe is printed from and a save is checked against.

mod record_type;

pub(crate) use record_type::MASTER;
pub use record_type::{PicklistOf, RecordTypeDef};

use crate::value::Value;
use rust_decimal::Decimal;
use std::collections::HashMap;

/// Every object of the org.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    objects: Vec<ObjectDef>,
    by_name: HashMap<String, usize>,
}

/// One object type.
#[derive(Clone, Debug)]
pub struct ObjectDef {
    /// API name, `Account` or `Visit__c`.
    pub name: String,
    /// Singular label.
    pub label: String,
    /// Plural label.
    pub label_plural: String,
    /// The first three characters of each id.
    pub key_prefix: String,
    /// Custom object (`__c`).
    pub custom: bool,
    /// Rows may be inserted, changed, deleted by the API.
    pub createable: bool,
    /// Rows may be changed by the API.
    pub updateable: bool,
    /// Rows may be deleted by the API.
    pub deletable: bool,
    /// The fields in describe order. A row's values stand in this order.
    pub fields: Vec<FieldDef>,
    /// `supportedScopes` of the describe.
    pub scopes: Vec<&'static str>,
    /// Kinds of rows besides the master, which every object has.
    pub record_types: Vec<RecordTypeDef>,
    by_field: HashMap<String, usize>,
}

/// A field's type as a describe names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the describe type of its name")]
pub enum FieldKind {
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
    Boolean,
    Int,
    Double,
    Currency,
    Percent,
    Date,
    DateTime,
    Time,
    Address,
    Base64,
    AnyType,
}

impl FieldKind {
    /// Names the type as a describe does, `multipicklist`.
    pub fn name(self) -> &'static str {
        match self {
            FieldKind::Id => "id",
            FieldKind::Reference => "reference",
            FieldKind::String => "string",
            FieldKind::TextArea => "textarea",
            FieldKind::Picklist => "picklist",
            FieldKind::MultiPicklist => "multipicklist",
            FieldKind::Combobox => "combobox",
            FieldKind::Email => "email",
            FieldKind::Phone => "phone",
            FieldKind::Url => "url",
            FieldKind::Boolean => "boolean",
            FieldKind::Int => "int",
            FieldKind::Double => "double",
            FieldKind::Currency => "currency",
            FieldKind::Percent => "percent",
            FieldKind::Date => "date",
            FieldKind::DateTime => "datetime",
            FieldKind::Time => "time",
            FieldKind::Address => "address",
            FieldKind::Base64 => "base64",
            FieldKind::AnyType => "anyType",
        }
    }
}

/// One entry of a picklist.
#[derive(Clone, Debug)]
pub struct PicklistEntry {
    /// API value.
    pub value: String,
    /// What a person sees.
    pub label: String,
    /// May be chosen.
    pub active: bool,
    /// Chosen when nothing is given on insert.
    pub default: bool,
    /// The controller's value indexes this entry is valid for; `None`: independent.
    pub valid_for: Option<Vec<usize>>,
}

/// How a calculated field gets its value at read time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formula {
    /// First and last name with a blank between (persons' compound `Name`).
    PersonName,
    /// `Amount * Probability / 100` (Opportunity.ExpectedRevenue).
    ExpectedRevenue,
    /// The stage is one of the closed ones (Opportunity.IsClosed).
    StageClosed,
    /// The stage is the won one (Opportunity.IsWon).
    StageWon,
    /// The status is the completed one (Task.IsClosed).
    TaskClosed,
    /// The parent's text field, through a lookup: (lookup field, field of the parent).
    Parent(&'static str, &'static str),
    /// The compound of the address parts with this prefix (`Billing`).
    Address(&'static str),
    /// The first month of the org's fiscal year, out of its settings (Organization.FiscalYearStartMonth).
    FiscalStart,
    /// Fiscal years are named after the year they begin in (Organization.UsesStartDateAsFiscalYearName).
    FiscalNamedByStart,
    /// The path at which the bytes of a file's version are (ContentVersion.VersionData).
    Body,
}

/// One field.
#[derive(Clone, Debug)]
pub struct FieldDef {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// Type.
    pub kind: FieldKind,
    /// Characters at most, text kinds only.
    pub length: u32,
    /// Digits in all, `double`, `currency`, `percent` only.
    pub precision: u32,
    /// Digits after the point.
    pub scale: u32,
    /// Digits at most, `int` only.
    pub digits: u32,
    /// May be null.
    pub nillable: bool,
    /// May be set on insert.
    pub createable: bool,
    /// May be set on update.
    pub updateable: bool,
    /// Gets a value on insert when none is given.
    pub defaulted_on_create: bool,
    /// That value.
    pub default: Option<Value>,
    /// No two rows may share a value.
    pub unique: bool,
    /// An external id: usable as an upsert key.
    pub external_id: bool,
    /// Usable as an upsert key (`Id`, external ids, `Email` on some).
    pub id_lookup: bool,
    /// Values differ by case.
    pub case_sensitive: bool,
    /// Usable in WHERE.
    pub filterable: bool,
    /// Usable in ORDER BY.
    pub sortable: bool,
    /// Usable in GROUP BY.
    pub groupable: bool,
    /// The object's name field.
    pub name_field: bool,
    /// Custom field (`__c`).
    pub custom: bool,
    /// The compound field this one is a part of.
    pub compound: Option<String>,
    /// Computed at read; never stored, never moves a stamp.
    pub formula: Option<Formula>,
    /// Sums up the rows of another object: stored, and worked out whenever one of them is saved.
    pub summed_up: bool,
    /// Numbered on insert with this format, `WO-{00000000}`.
    pub auto_number: Option<String>,
    /// The objects a reference may point at.
    pub reference_to: Vec<String>,
    /// The name of the parent in a query path (`Account`, `Parent__r`).
    pub relationship_name: Option<String>,
    /// The name of this object's rows in a subquery of the parent (`Contacts`).
    pub child_relationship_name: Option<String>,
    /// Deleting the parent deletes this row.
    pub cascade_delete: bool,
    /// Deleting the parent is refused while this row exists.
    pub restricted_delete: bool,
    /// `0` for the primary master of a master-detail.
    pub relationship_order: Option<u8>,
    /// Entries of a picklist, multi-select list or combobox.
    pub picklist: Vec<PicklistEntry>,
    /// Only listed values are accepted.
    pub restricted_picklist: bool,
    /// The field that controls this picklist.
    pub controller: Option<String>,
    /// `plaintextarea`, `richtextarea`, ... where a describe has one.
    pub extra_type_info: Option<&'static str>,
}

/// The standard probability of an opportunity stage, and whether it is closed or won.
#[derive(Clone, Debug)]
pub struct Stage {
    /// `StageName`.
    pub name: &'static str,
    /// Percent.
    pub probability: Decimal,
    /// `ForecastCategory`.
    pub forecast: &'static str,
    /// Closed, lost or won.
    pub closed: bool,
    /// Closed and won.
    pub won: bool,
}

impl Schema {
    /// Builds a schema. A later object of the same name replaces the earlier one.
    pub fn new(objects: impl IntoIterator<Item = ObjectDef>) -> Schema {
        let mut schema = Schema::default();
        for object in objects {
            schema.insert(object);
        }
        schema
    }

    /// Adds or replaces an object. An object's index never changes.
    pub fn insert(&mut self, object: ObjectDef) {
        match self.by_name.get(&object.name.to_ascii_lowercase()) {
            Some(&at) => self.objects[at] = object,
            None => {
                self.by_name
                    .insert(object.name.to_ascii_lowercase(), self.objects.len());
                self.objects.push(object);
            }
        }
    }

    /// Takes an object's name away: nothing finds it by name any more. Its index stays.
    pub fn withdraw(&mut self, object: &str) {
        self.by_name.remove(&object.to_ascii_lowercase());
    }

    /// Gives an object the name back that [`Schema::withdraw`] took.
    pub fn restore(&mut self, object: &str) {
        let at = self
            .objects
            .iter()
            .position(|own| own.name.eq_ignore_ascii_case(object));
        if let Some(at) = at {
            self.by_name.insert(object.to_ascii_lowercase(), at);
        }
    }

    /// All objects, in the order of their index.
    pub fn objects(&self) -> &[ObjectDef] {
        &self.objects
    }

    /// Finds an object by name, whatever its case.
    pub fn object(&self, name: &str) -> Option<&ObjectDef> {
        self.index(name).map(|at| &self.objects[at])
    }

    /// Finds an object's index by name, whatever its case.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// Finds an object by the first three characters of an id.
    pub fn by_prefix(&self, id: &str) -> Option<&ObjectDef> {
        let prefix = id.get(..3)?;
        self.objects
            .iter()
            .find(|object| object.key_prefix == prefix)
    }
}

impl ObjectDef {
    /// Starts an object without fields, fully writable, with the scopes `everything` and `mine`.
    pub fn new(name: &str, label: &str, label_plural: &str, key_prefix: &str) -> ObjectDef {
        ObjectDef {
            name: name.into(),
            label: label.into(),
            label_plural: label_plural.into(),
            key_prefix: key_prefix.into(),
            custom: name.ends_with("__c"),
            createable: true,
            updateable: true,
            deletable: true,
            fields: Vec::new(),
            scopes: vec!["everything", "mine"],
            record_types: Vec::new(),
            by_field: HashMap::new(),
        }
    }

    /// Appends a field and gives its index, which never changes.
    pub fn push(&mut self, field: FieldDef) -> usize {
        let at = self.fields.len();
        self.by_field.insert(field.name.to_ascii_lowercase(), at);
        self.fields.push(field);
        at
    }

    /// Appends fields.
    pub fn extend(&mut self, fields: impl IntoIterator<Item = FieldDef>) {
        for field in fields {
            self.push(field);
        }
    }

    /// Finds a field by name, whatever its case.
    pub fn field(&self, name: &str) -> Option<&FieldDef> {
        self.index(name).map(|at| &self.fields[at])
    }

    /// Finds a field's index by name, whatever its case.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.by_field.get(&name.to_ascii_lowercase()).copied()
    }

    /// Finds the reference field behind a parent path's step (`Account` in `Account.Name`).
    pub fn parent_field(&self, relationship: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|field| {
            field
                .relationship_name
                .as_deref()
                .is_some_and(|name| name.eq_ignore_ascii_case(relationship))
        })
    }
}

impl FieldDef {
    /// Makes a plain, optional, writable field of a type with the defaults of that type.
    pub fn new(name: &str, label: &str, kind: FieldKind) -> FieldDef {
        let long = kind == FieldKind::TextArea;
        FieldDef {
            name: name.into(),
            label: label.into(),
            kind,
            length: match kind {
                FieldKind::Id | FieldKind::Reference => 18,
                FieldKind::String | FieldKind::Url | FieldKind::Picklist | FieldKind::Combobox => {
                    255
                }
                FieldKind::TextArea => 32_000,
                FieldKind::Email => 80,
                FieldKind::Phone => 40,
                FieldKind::MultiPicklist => 4_099,
                _ => 0,
            },
            precision: if matches!(
                kind,
                FieldKind::Double | FieldKind::Currency | FieldKind::Percent
            ) {
                18
            } else {
                0
            },
            scale: if matches!(kind, FieldKind::Currency | FieldKind::Percent) {
                2
            } else {
                0
            },
            digits: if kind == FieldKind::Int { 8 } else { 0 },
            nillable: kind != FieldKind::Boolean,
            createable: true,
            updateable: true,
            defaulted_on_create: kind == FieldKind::Boolean,
            default: (kind == FieldKind::Boolean).then_some(Value::Bool(false)),
            unique: false,
            external_id: false,
            id_lookup: false,
            case_sensitive: false,
            filterable: !long && !matches!(kind, FieldKind::Address | FieldKind::Base64),
            sortable: !long
                && !matches!(
                    kind,
                    FieldKind::MultiPicklist
                        | FieldKind::Address
                        | FieldKind::Base64
                        | FieldKind::AnyType
                ),
            groupable: !long && is_groupable(kind),
            name_field: false,
            custom: name.ends_with("__c"),
            compound: None,
            formula: None,
            summed_up: false,
            auto_number: None,
            reference_to: Vec::new(),
            relationship_name: None,
            child_relationship_name: None,
            cascade_delete: false,
            restricted_delete: false,
            relationship_order: None,
            picklist: Vec::new(),
            restricted_picklist: false,
            controller: None,
            extra_type_info: None,
        }
    }

    /// Says whether a value must be given on insert.
    pub fn required_on_create(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted_on_create
    }
}

/// Groups are of equal values; what is measured, or has parts, makes none.
fn is_groupable(kind: FieldKind) -> bool {
    !matches!(
        kind,
        FieldKind::MultiPicklist
            | FieldKind::Address
            | FieldKind::Double
            | FieldKind::Currency
            | FieldKind::Percent
            | FieldKind::DateTime
            | FieldKind::Time
            | FieldKind::Base64
            | FieldKind::AnyType
    )
}
