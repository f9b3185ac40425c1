//! Prints the schema as the platform's describes.
//!
//! The keys, and which of them are always there, follow recorded answers of real orgs. Links to
//! the browser's pages are left out, as the sandbox has none.

use crate::schema::{FieldDef, FieldKind, Formula, MASTER, ObjectDef, PicklistEntry, Schema};
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// Prints the full describe of an object (`GET /sobjects/X/describe`), or `None` if it is unknown.
///
/// `version` is that of the request, `67.0` or `v67.0`; the links carry it.
pub fn describe(schema: &Schema, object: &str, version: &str) -> Option<String> {
    let object = schema.object(object)?;
    Some(print(&full(schema, object, version)))
}

/// Prints the list of all objects (`GET /sobjects`).
pub fn describe_global(schema: &Schema, version: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Global<'a> {
        encoding: &'static str,
        max_batch_size: u32,
        sobjects: Vec<Brief<'a>>,
    }
    let mut sobjects: Vec<Brief> = schema
        .objects()
        .iter()
        .map(|object| brief(object, version))
        .collect();
    sobjects.sort_by_key(|object| object.name);
    print(&Global {
        encoding: "UTF-8",
        max_batch_size: 200,
        sobjects,
    })
}

/// Prints the short form of an object (`GET /sobjects/X`), or `None` if it is unknown.
///
/// `recent` is the JSON array of the rows the user saw last.
pub fn basic(schema: &Schema, object: &str, version: &str, recent: &str) -> Option<String> {
    let object = print(&brief(schema.object(object)?, version));
    Some(format!(
        r#"{{"objectDescribe":{object},"recentItems":{recent}}}"#
    ))
}

fn print(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("the answers have text keys and no failing parts")
}

/// What the list of objects and the full describe both say of an object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Brief<'a> {
    activateable: bool,
    associate_entity_type: Null,
    associate_parent_entity: Null,
    createable: bool,
    custom: bool,
    custom_setting: bool,
    deep_cloneable: bool,
    deletable: bool,
    deprecated_and_hidden: bool,
    feed_enabled: bool,
    has_subtypes: bool,
    is_interface: bool,
    is_subtype: bool,
    key_prefix: &'a str,
    label: &'a str,
    label_plural: &'a str,
    layoutable: bool,
    mergeable: bool,
    mru_enabled: bool,
    name: &'a str,
    queryable: bool,
    replicateable: bool,
    retrieveable: bool,
    searchable: bool,
    triggerable: bool,
    undeletable: bool,
    updateable: bool,
    urls: Urls,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Full<'a> {
    #[serde(flatten)]
    brief: Brief<'a>,
    action_overrides: [Null; 0],
    child_relationships: Vec<ChildRelationship<'a>>,
    compact_layoutable: bool,
    default_implementation: Null,
    extended_by: Null,
    extends_interfaces: Null,
    fields: Vec<Field<'a>>,
    implemented_by: Null,
    implements_interfaces: Null,
    listviewable: Null,
    lookup_layoutable: Null,
    named_layout_infos: [Null; 0],
    network_scope_field_name: Null,
    record_type_infos: Vec<RecordTypeInfo<'a>>,
    search_layoutable: bool,
    sobject_describe_option: &'static str,
    supported_scopes: Vec<Scope>,
}

/// A key that is always null here.
type Null = Option<bool>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Urls {
    approval_layouts: String,
    compact_layouts: String,
    describe: String,
    layouts: String,
    listviews: String,
    quick_actions: String,
    row_template: String,
    sobject: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChildRelationship<'a> {
    cascade_delete: bool,
    #[serde(rename = "childSObject")]
    child: &'a str,
    deprecated_and_hidden: bool,
    field: &'a str,
    junction_id_list_names: [Null; 0],
    junction_reference_to: [Null; 0],
    relationship_name: Option<&'a str>,
    restricted_delete: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordTypeInfo<'a> {
    pub(crate) active: bool,
    pub(crate) available: bool,
    pub(crate) default_record_type_mapping: bool,
    pub(crate) developer_name: &'a str,
    pub(crate) master: bool,
    pub(crate) name: &'a str,
    pub(crate) record_type_id: &'a str,
    pub(crate) urls: RecordTypeUrls,
}

#[derive(Serialize)]
pub(crate) struct RecordTypeUrls {
    pub(crate) layout: String,
}

#[derive(Serialize)]
struct Scope {
    label: String,
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Field<'a> {
    aggregatable: bool,
    ai_prediction_field: bool,
    auto_number: bool,
    byte_length: u32,
    calculated: bool,
    calculated_formula: Option<String>,
    cascade_delete: bool,
    case_sensitive: bool,
    compound_field_name: Option<&'a str>,
    controller_name: Option<&'a str>,
    createable: bool,
    custom: bool,
    #[serde(serialize_with = "default_value")]
    default_value: Option<&'a Value>,
    default_value_formula: Null,
    defaulted_on_create: bool,
    dependent_picklist: bool,
    deprecated_and_hidden: bool,
    digits: u32,
    display_location_in_decimal: bool,
    encrypted: bool,
    external_id: bool,
    extra_type_info: Option<&'a str>,
    filterable: bool,
    filtered_lookup_info: Null,
    formula_treat_null_number_as_zero: bool,
    groupable: bool,
    high_scale_number: bool,
    html_formatted: bool,
    id_lookup: bool,
    inline_help_text: Null,
    label: &'a str,
    length: u32,
    mask: Null,
    mask_type: Null,
    name: &'a str,
    name_field: bool,
    name_pointing: bool,
    nillable: bool,
    permissionable: bool,
    picklist_values: Vec<PicklistValue<'a>>,
    polymorphic_foreign_key: bool,
    precision: u32,
    query_by_distance: bool,
    reference_target_field: Null,
    reference_to: Vec<&'a str>,
    relationship_name: Option<&'a str>,
    relationship_order: Option<u8>,
    restricted_delete: bool,
    restricted_picklist: bool,
    scale: u32,
    search_prefilterable: bool,
    soap_type: &'static str,
    sortable: bool,
    #[serde(rename = "type")]
    kind: &'static str,
    unique: bool,
    updateable: bool,
    write_requires_master_read: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PicklistValue<'a> {
    active: bool,
    default_value: bool,
    label: &'a str,
    valid_for: Option<String>,
    value: &'a str,
}

fn brief<'a>(object: &'a ObjectDef, version: &str) -> Brief<'a> {
    let name = object.name.as_str();
    let activity = matches!(name, "Task" | "Event");
    Brief {
        activateable: false,
        associate_entity_type: None,
        associate_parent_entity: None,
        createable: object.createable,
        custom: object.custom,
        custom_setting: false,
        deep_cloneable: name == "Opportunity",
        deletable: object.deletable,
        deprecated_and_hidden: false,
        feed_enabled: object.deletable && !object.custom && !activity,
        has_subtypes: false,
        is_interface: false,
        is_subtype: false,
        key_prefix: &object.key_prefix,
        label: &object.label,
        label_plural: &object.label_plural,
        layoutable: object.createable,
        mergeable: matches!(name, "Account" | "Contact" | "Lead"),
        mru_enabled: object.createable,
        name,
        queryable: true,
        replicateable: true,
        retrieveable: true,
        searchable: object.createable,
        triggerable: object.createable,
        undeletable: object.deletable,
        updateable: object.updateable,
        urls: urls(name, version),
    }
}

fn full<'a>(schema: &'a Schema, object: &'a ObjectDef, version: &str) -> Full<'a> {
    let scope = |&name: &&'static str| Scope {
        label: scope_label(object, name),
        name,
    };
    Full {
        brief: brief(object, version),
        action_overrides: [],
        child_relationships: child_relationships(schema, &object.name),
        compact_layoutable: object.createable,
        default_implementation: None,
        extended_by: None,
        extends_interfaces: None,
        fields: object
            .fields
            .iter()
            .map(|each| described(object, each))
            .collect(),
        implemented_by: None,
        implements_interfaces: None,
        listviewable: None,
        lookup_layoutable: None,
        named_layout_infos: [],
        network_scope_field_name: None,
        record_type_infos: record_type_infos(object, version),
        search_layoutable: object.createable,
        sobject_describe_option: "FULL",
        supported_scopes: object.scopes.iter().map(scope).collect(),
    }
}

/// Lists the record types of an object, the master last.
pub(crate) fn record_type_infos<'a>(
    object: &'a ObjectDef,
    version: &str,
) -> Vec<RecordTypeInfo<'a>> {
    let root = root(&object.name, version);
    let urls = |id: &str| RecordTypeUrls {
        layout: format!("{root}/describe/layouts/{id}"),
    };
    let own = object.record_types.iter().map(|one| RecordTypeInfo {
        active: one.active,
        available: one.available,
        default_record_type_mapping: one.is_default,
        developer_name: &one.developer_name,
        master: false,
        name: &one.name,
        record_type_id: &one.id,
        urls: urls(&one.id),
    });
    let master = RecordTypeInfo {
        active: true,
        available: true,
        default_record_type_mapping: !object.record_types.iter().any(|one| one.is_default),
        developer_name: "Master",
        master: true,
        name: "Master",
        record_type_id: MASTER,
        urls: urls(MASTER),
    };
    own.chain([master]).collect()
}

pub(crate) fn root(object: &str, version: &str) -> String {
    format!(
        "/services/data/v{}/sobjects/{object}",
        version.trim_start_matches('v')
    )
}

fn urls(object: &str, version: &str) -> Urls {
    let root = root(object, version);
    Urls {
        approval_layouts: format!("{root}/describe/approvalLayouts"),
        compact_layouts: format!("{root}/describe/compactLayouts"),
        describe: format!("{root}/describe"),
        layouts: format!("{root}/describe/layouts"),
        listviews: format!("{root}/listviews"),
        quick_actions: format!("{root}/quickActions"),
        row_template: format!("{root}/{{ID}}"),
        sobject: root,
    }
}

/// Finds the references of all objects that may point at this one, by child name, then field.
fn child_relationships<'a>(schema: &'a Schema, parent: &str) -> Vec<ChildRelationship<'a>> {
    let mut children: Vec<_> = schema
        .objects()
        .iter()
        .flat_map(|child| child.fields.iter().map(move |field| (child, field)))
        .filter(|(_, field)| field.reference_to.iter().any(|to| to == parent))
        .map(|(child, field)| ChildRelationship {
            cascade_delete: field.cascade_delete,
            child: &child.name,
            deprecated_and_hidden: false,
            field: &field.name,
            junction_id_list_names: [],
            junction_reference_to: [],
            relationship_name: field.child_relationship_name.as_deref(),
            restricted_delete: field.restricted_delete,
        })
        .collect();
    children.sort_by_key(|child| (child.child, child.field));
    children
}

fn scope_label(object: &ObjectDef, scope: &str) -> String {
    let rows = object.label_plural.to_lowercase();
    match scope {
        "everything" => format!("All {rows}"),
        "mine" => format!("My {rows}"),
        "team" => format!("My team's {rows}"),
        "delegated" => format!("My delegated {rows}"),
        "queue_owned" => format!("Queue owned {rows}"),
        "user_owned" => format!("User owned {rows}"),
        "scopingRule" => "Filter by scope".into(),
        other => other.into(),
    }
}

/// Describes one field.
pub(crate) fn field<'a>(object: &'a ObjectDef, field: &'a FieldDef) -> impl Serialize + 'a {
    described(object, field)
}

fn described<'a>(object: &'a ObjectDef, field: &'a FieldDef) -> Field<'a> {
    let kind = field.kind;
    let polymorphic = kind == FieldKind::Reference && is_polymorphic(object, field);
    let compound = kind == FieldKind::Address;
    Field {
        aggregatable: is_aggregatable(field),
        ai_prediction_field: false,
        auto_number: field.auto_number.is_some(),
        byte_length: byte_length(field),
        calculated: field.custom && (field.formula.is_some() || field.summed_up),
        calculated_formula: formula_text(object, field),
        cascade_delete: field.relationship_order.is_some() && field.cascade_delete,
        case_sensitive: field.case_sensitive,
        compound_field_name: field.compound.as_deref(),
        controller_name: field.controller.as_deref(),
        createable: field.createable,
        custom: field.custom,
        default_value: field.default.as_ref(),
        default_value_formula: None,
        defaulted_on_create: field.defaulted_on_create,
        dependent_picklist: field.controller.is_some(),
        deprecated_and_hidden: false,
        digits: field.digits,
        display_location_in_decimal: false,
        encrypted: false,
        external_id: field.external_id,
        extra_type_info: field.extra_type_info,
        // By distance only: no row is found by comparing a whole address.
        filterable: field.filterable || compound,
        filtered_lookup_info: None,
        formula_treat_null_number_as_zero: false,
        groupable: field.groupable,
        high_scale_number: false,
        html_formatted: false,
        id_lookup: field.id_lookup,
        inline_help_text: None,
        label: &field.label,
        length: field.length,
        mask: None,
        mask_type: None,
        name: &field.name,
        name_field: field.name_field,
        name_pointing: polymorphic,
        nillable: field.nillable,
        permissionable: compound || field.nillable && field.createable && field.updateable,
        picklist_values: picklist_values(object, field),
        polymorphic_foreign_key: polymorphic,
        precision: field.precision,
        query_by_distance: compound,
        reference_target_field: None,
        reference_to: field.reference_to.iter().map(String::as_str).collect(),
        relationship_name: field.relationship_name.as_deref(),
        relationship_order: field.relationship_order,
        restricted_delete: field.restricted_delete,
        restricted_picklist: field.restricted_picklist,
        scale: field.scale,
        search_prefilterable: kind == FieldKind::Reference && field.createable && field.nillable,
        soap_type: soap_type(kind),
        sortable: field.sortable,
        kind: kind.name(),
        unique: field.unique,
        updateable: field.updateable,
        write_requires_master_read: false,
    }
}

/// Ids are plain, other text has three bytes for a character at most.
fn byte_length(field: &FieldDef) -> u32 {
    match field.kind {
        FieldKind::Id | FieldKind::Reference => field.length,
        _ => field.length * 3,
    }
}

/// An event's owner may also be a calendar, which the sandbox does not have.
fn is_polymorphic(object: &ObjectDef, field: &FieldDef) -> bool {
    field.reference_to.len() > 1 || object.name == "Event" && field.name == "OwnerId"
}

/// Says whether `COUNT`, `MAX` and the like take the field.
pub(crate) fn is_aggregatable(field: &FieldDef) -> bool {
    match field.kind {
        FieldKind::Boolean | FieldKind::Address | FieldKind::MultiPicklist => false,
        FieldKind::TextArea => field.filterable,
        _ => true,
    }
}

/// The source of a custom formula; the platform hides that of its own.
fn formula_text(object: &ObjectDef, field: &FieldDef) -> Option<String> {
    match field.formula? {
        Formula::Parent(lookup, parent_field) if field.custom => {
            let path = object.field(lookup)?.relationship_name.as_deref()?;
            Some(format!("{path}.{parent_field}"))
        }
        _ => None,
    }
}

/// Counts the values of the field that controls a picklist; 0 if none does.
pub(crate) fn control_values(object: &ObjectDef, field: &FieldDef) -> usize {
    let controller = field.controller.as_deref();
    match controller.and_then(|name| object.field(name)) {
        Some(controller) if controller.kind == FieldKind::Boolean => 2,
        Some(controller) => controller.picklist.len(),
        None => 0,
    }
}

fn picklist_values<'a>(object: &ObjectDef, field: &'a FieldDef) -> Vec<PicklistValue<'a>> {
    let indexes = control_values(object, field);
    let value = |entry: &'a PicklistEntry| PicklistValue {
        active: entry.active,
        default_value: entry.default,
        label: &entry.label,
        valid_for: entry
            .valid_for
            .as_deref()
            .map(|valid| bitset(valid, indexes)),
        value: &entry.value,
    };
    field.picklist.iter().map(value).collect()
}

/// Sets a bit per valid index, the first being the highest of the first byte; at least three bytes,
/// so that the text has no padding for the usual list.
pub(crate) fn bitset(valid: &[usize], indexes: usize) -> String {
    let mut bytes = vec![0_u8; indexes.div_ceil(8).next_multiple_of(3).max(3)];
    for &index in valid {
        if let Some(byte) = bytes.get_mut(index / 8) {
            *byte |= 0x80 >> (index % 8);
        }
    }
    STANDARD.encode(bytes)
}

fn soap_type(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Id | FieldKind::Reference => "tns:ID",
        FieldKind::Boolean => "xsd:boolean",
        FieldKind::Int => "xsd:int",
        FieldKind::Double | FieldKind::Currency | FieldKind::Percent => "xsd:double",
        FieldKind::Date => "xsd:date",
        FieldKind::DateTime => "xsd:dateTime",
        FieldKind::Time => "xsd:time",
        FieldKind::Address => "urn:address",
        FieldKind::Base64 => "xsd:base64Binary",
        FieldKind::AnyType => "xsd:anyType",
        FieldKind::String
        | FieldKind::TextArea
        | FieldKind::Picklist
        | FieldKind::MultiPicklist
        | FieldKind::Combobox
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::Url => "xsd:string",
    }
}

/// Prints a default; only checkboxes and texts have one that does not depend on the day.
fn default_value<S: Serializer>(value: &Option<&Value>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(Value::Bool(flag)) => to.serialize_bool(*flag),
        Some(Value::Text(text)) => to.serialize_str(text),
        Some(Value::Number(number)) => to.collect_str(number),
        Some(Value::Null | Value::Date(_) | Value::DateTime(_) | Value::Time(_)) | None => {
            to.serialize_none()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitsets_agree_with_recorded_ones() {
        assert_eq!(bitset(&[0], 2), "gAAA");
        assert_eq!(bitset(&[1], 2), "QAAA");
        assert_eq!(bitset(&[0, 1, 4, 5, 6, 7], 8), "zwAA");
    }
}
