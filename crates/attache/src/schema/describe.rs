//! Reads a describe.

use super::{ChildRelationship, FieldSchema, FieldType, ObjectSchema, PicklistEntry, RecordType};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use base64::Engine;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawObject {
    name: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    label_plural: Option<String>,
    #[serde(default)]
    key_prefix: Option<String>,
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    updateable: bool,
    #[serde(default)]
    deletable: bool,
    #[serde(default)]
    queryable: bool,
    #[serde(default)]
    replicateable: bool,
    fields: Vec<RawField>,
    #[serde(default)]
    child_relationships: Vec<RawChild>,
    #[serde(default)]
    supported_scopes: Option<Vec<RawScope>>,
    #[serde(default)]
    record_type_infos: Option<Vec<RawRecordType>>,
    #[serde(default)]
    custom: bool,
    #[serde(default)]
    searchable: bool,
    #[serde(default)]
    layoutable: bool,
    #[serde(default)]
    undeletable: bool,
    #[serde(default)]
    mru_enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRecordType {
    record_type_id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    developer_name: Option<String>,
    // Servers that do not tell show the ones in use only.
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    available: bool,
    #[serde(default)]
    default_record_type_mapping: bool,
    #[serde(default)]
    master: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct RawScope {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawChild {
    #[serde(default)]
    relationship_name: Option<String>,
    #[serde(rename = "childSObject")]
    child_sobject: String,
    field: String,
    #[serde(default)]
    cascade_delete: bool,
    #[serde(default)]
    restricted_delete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawField {
    name: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(rename = "type")]
    field_type: String,
    #[serde(default)]
    length: u32,
    #[serde(default)]
    precision: u32,
    #[serde(default)]
    scale: u32,
    #[serde(default)]
    digits: u32,
    #[serde(default)]
    nillable: bool,
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    updateable: bool,
    #[serde(default)]
    defaulted_on_create: bool,
    #[serde(default)]
    calculated: bool,
    #[serde(default)]
    case_sensitive: bool,
    #[serde(default = "unless_told")]
    filterable: bool,
    #[serde(default = "unless_told")]
    sortable: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    external_id: bool,
    #[serde(default)]
    name_field: bool,
    #[serde(default)]
    compound_field_name: Option<String>,
    #[serde(default)]
    reference_to: Option<Vec<String>>,
    #[serde(default)]
    relationship_name: Option<String>,
    #[serde(default)]
    cascade_delete: bool,
    #[serde(default)]
    picklist_values: Option<Vec<RawEntry>>,
    #[serde(default)]
    restricted_picklist: bool,
    #[serde(default)]
    controller_name: Option<String>,
    #[serde(default)]
    default_value: Option<Box<RawValue>>,
    #[serde(default)]
    default_value_formula: Option<String>,
    #[serde(default)]
    calculated_formula: Option<String>,
    #[serde(default)]
    inline_help_text: Option<String>,
    #[serde(default)]
    auto_number: bool,
    #[serde(default)]
    custom: bool,
    #[serde(default)]
    encrypted: bool,
    #[serde(default)]
    extra_type_info: Option<String>,
    #[serde(default)]
    html_formatted: bool,
    #[serde(default)]
    id_lookup: bool,
    #[serde(default = "unless_told")]
    groupable: bool,
    #[serde(default = "unless_told")]
    aggregatable: bool,
    #[serde(default)]
    name_pointing: bool,
    #[serde(default)]
    relationship_order: Option<u32>,
    #[serde(default)]
    restricted_delete: bool,
    #[serde(default)]
    write_requires_master_read: bool,
}

/// A field may be used for what its describe is silent about: a shortened one forbids nothing.
fn unless_told() -> bool {
    true
}

/// An entry of a picklist, as describes and layouts tell it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawEntry {
    value: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    default_value: bool,
    #[serde(default)]
    valid_for: Option<String>,
}

impl ObjectSchema {
    /// Reads the answer of a describe call.
    ///
    /// Keys that this version does not know are passed over; a type that it does
    /// not know is kept by its name.
    ///
    /// # Errors
    /// [`ErrorKind::NotARemote`] if the text is not a describe.
    ///
    /// # Source
    /// The keys are those of the reference, sections 8.2 and 8.3.
    pub fn from_describe(json: &str) -> Result<ObjectSchema> {
        let raw: RawObject = serde_json::from_str(json).map_err(|error| {
            Error::new(
                ErrorKind::NotARemote,
                "the answer to a describe cannot be read",
            )
            .with_source(error)
        })?;
        let mut object = ObjectSchema {
            label: raw.label.unwrap_or_else(|| raw.name.clone()),
            label_plural: raw.label_plural.unwrap_or_else(|| raw.name.clone()),
            name: raw.name,
            key_prefix: raw.key_prefix,
            createable: raw.createable,
            updateable: raw.updateable,
            deletable: raw.deletable,
            queryable: raw.queryable,
            replicateable: raw.replicateable,
            fields: raw.fields.into_iter().map(field).collect(),
            children: raw
                .child_relationships
                .into_iter()
                .map(|child| ChildRelationship {
                    name: child.relationship_name,
                    child: child.child_sobject,
                    field: child.field,
                    cascade_delete: child.cascade_delete,
                    restricted_delete: child.restricted_delete,
                })
                .collect(),
            scopes: raw
                .supported_scopes
                .unwrap_or_default()
                .into_iter()
                .map(|scope| scope.name)
                .collect(),
            record_types: raw
                .record_type_infos
                .unwrap_or_default()
                .into_iter()
                .map(record_type)
                .collect(),
            custom: raw.custom,
            searchable: raw.searchable,
            layoutable: raw.layoutable,
            undeletable: raw.undeletable,
            recents: raw.mru_enabled,
            by_name: HashMap::new(),
        };
        object.index_fields();
        Ok(object)
    }
}

fn record_type(raw: RawRecordType) -> RecordType {
    RecordType {
        id: raw.record_type_id,
        name: raw.name,
        developer_name: raw.developer_name,
        active: raw.active,
        available: raw.available,
        default: raw.default_record_type_mapping,
        master: raw.master,
    }
}

fn field(raw: RawField) -> FieldSchema {
    let field_type = field_type(raw.field_type);
    FieldSchema {
        label: raw.label.unwrap_or_else(|| raw.name.clone()),
        name: raw.name,
        default_value: raw
            .default_value
            .and_then(|raw| json::read_value(&field_type, &raw))
            .filter(|value| !value.is_null()),
        default_formula: raw.default_value_formula,
        formula: raw.calculated_formula,
        help: raw.inline_help_text,
        auto_number: raw.auto_number,
        custom: raw.custom,
        encrypted: raw.encrypted,
        extra_type: raw.extra_type_info,
        html: raw.html_formatted,
        id_lookup: raw.id_lookup,
        groupable: raw.groupable,
        aggregatable: raw.aggregatable,
        name_pointing: raw.name_pointing,
        relationship_order: raw.relationship_order,
        restricted_delete: raw.restricted_delete,
        write_requires_master_read: raw.write_requires_master_read,
        field_type,
        length: raw.length,
        precision: raw.precision,
        scale: raw.scale,
        digits: raw.digits,
        nillable: raw.nillable,
        createable: raw.createable,
        updateable: raw.updateable,
        defaulted_on_create: raw.defaulted_on_create,
        calculated: raw.calculated,
        case_sensitive: raw.case_sensitive,
        filterable: raw.filterable,
        sortable: raw.sortable,
        unique: raw.unique,
        external_id: raw.external_id,
        name_field: raw.name_field,
        compound: raw.compound_field_name,
        reference_to: raw.reference_to.unwrap_or_default(),
        relationship_name: raw.relationship_name,
        cascade_delete: raw.cascade_delete,
        picklist: raw
            .picklist_values
            .unwrap_or_default()
            .into_iter()
            .map(PicklistEntry::from)
            .collect(),
        restricted_picklist: raw.restricted_picklist,
        controller: raw.controller_name,
    }
}

macro_rules! types {
    ($($name:literal = $type:ident),* $(,)?) => {
        fn field_type(name: String) -> FieldType {
            match name.as_str() {
                $($name => FieldType::$type,)*
                _ => FieldType::Other(name),
            }
        }

        impl FieldType {
            /// The type's name in a describe: `currency`, `multipicklist`.
            pub fn name(&self) -> &str {
                match self {
                    $(FieldType::$type => $name,)*
                    FieldType::Other(name) => name,
                }
            }
        }
    };
}

types! {
    "id" = Id,
    "reference" = Reference,
    "string" = String,
    "textarea" = TextArea,
    "picklist" = Picklist,
    "multipicklist" = MultiPicklist,
    "combobox" = Combobox,
    "email" = Email,
    "phone" = Phone,
    "url" = Url,
    "encryptedstring" = EncryptedString,
    "boolean" = Boolean,
    "int" = Int,
    "long" = Long,
    "double" = Double,
    "currency" = Currency,
    "percent" = Percent,
    "date" = Date,
    "datetime" = DateTime,
    "time" = Time,
    "base64" = Base64,
    "address" = Address,
    "location" = Location,
    "anyType" = AnyType,
}

impl From<RawEntry> for PicklistEntry {
    fn from(raw: RawEntry) -> PicklistEntry {
        PicklistEntry {
            label: raw.label.unwrap_or_else(|| raw.value.clone()),
            value: raw.value,
            active: raw.active,
            default: raw.default_value,
            valid_for: raw.valid_for.and_then(|text| {
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(text)
                    .ok()?;
                Some(
                    bytes
                        .iter()
                        .flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0))
                        .collect(),
                )
            }),
        }
    }
}
