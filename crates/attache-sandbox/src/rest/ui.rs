//! The part of the UI API that forms are drawn from: objects, picklists by record type, layouts.

use super::{
    Call, conditional::tag, describe::shown_object, failure::Failure, layouts, machine::Machine,
    message::Response,
};
use crate::{
    describe,
    org::{LayoutDef, LayoutItem},
    schema::{FieldDef, FieldKind, MASTER, ObjectDef, RecordTypeDef},
};
use serde_json::{Map, Value, json};

/// `GET /ui-api/...`
pub(super) fn answer(
    machine: &Machine,
    call: &Call<'_>,
    path: &[&str],
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = match path {
        ["object-info" | "layout", object, ..] => object,
        _ => return Err(Failure::not_found()),
    };
    let object = shown_object(machine, call, object).ok_or_else(|| {
        let message = format!("object '{object}' is not supported in UI API");
        Failure::new(400, "INVALID_TYPE", message)
    })?;
    let mut shown = match &path[2..] {
        [] if path[0] == "layout" => layout(machine, call, &object)?,
        [] => object_info(machine, call, &object),
        ["picklist-values", record_type] if path[0] == "object-info" => {
            let of = record_type_of(&object, record_type)?;
            let fields = object
                .fields
                .iter()
                .filter(|field| !field.picklist.is_empty());
            let all: Map<String, Value> = fields
                .map(|field| (field.name.clone(), picklist(&object, of, field)))
                .collect();
            json!({"picklistFieldValues": all})
        }
        ["picklist-values", record_type, field] if path[0] == "object-info" => {
            let of = record_type_of(&object, record_type)?;
            let field = object
                .field(field)
                .filter(|field| !field.picklist.is_empty());
            picklist(&object, of, field.ok_or_else(Failure::not_found)?)
        }
        _ => return Err(Failure::not_found()),
    };
    let version = tag(&shown.to_string());
    shown["eTag"] = json!(version.trim_matches('"'));
    Ok(Response::json(200, shown.to_string()).with("ETag", version))
}

/// The record type of an id; `None` for the master.
fn record_type_of<'a>(
    object: &'a ObjectDef,
    id: &str,
) -> Result<Option<&'a RecordTypeDef>, Failure> {
    match crate::id::parse(id) {
        Some(id) if id == MASTER => Ok(None),
        Some(id) => object
            .record_type(&id)
            .map(Some)
            .ok_or_else(Failure::not_found),
        None => Err(Failure::not_found()),
    }
}

fn object_info(machine: &Machine, call: &Call<'_>, object: &ObjectDef) -> Value {
    let infos = describe::record_type_infos(object, call.version);
    let default = infos.iter().find(|info| info.default_record_type_mapping);
    let record_types: Map<String, Value> = infos
        .iter()
        .map(|info| {
            let shown = json!({
                "available": info.available, "defaultRecordTypeMapping": info.default_record_type_mapping,
                "master": info.master, "name": info.name, "recordTypeId": info.record_type_id,
            });
            (info.record_type_id.to_owned(), shown)
        })
        .collect();
    let mut children = Vec::new();
    for child in machine.org.schema().objects() {
        for field in &child.fields {
            if field.reference_to.contains(&object.name) {
                children.push(json!({
                    "childObjectApiName": child.name, "fieldName": field.name,
                    "junctionIdListNames": [], "junctionReferenceTo": [],
                    "relationshipName": field.child_relationship_name,
                }));
            }
        }
    }
    let fields: Map<String, Value> = object
        .fields
        .iter()
        .map(|field| (field.name.clone(), self::field(field)))
        .collect();
    let names: Vec<&str> = object
        .fields
        .iter()
        .filter(|field| field.name_field)
        .map(|field| field.name.as_str())
        .collect();
    let dependent: Map<String, Value> = object
        .fields
        .iter()
        .filter_map(|field| Some((field.controller.clone()?, json!({&field.name: {}}))))
        .collect();
    json!({
        "apiName": object.name, "childRelationships": children, "createable": object.createable,
        "custom": object.custom, "defaultRecordTypeId": default.map(|info| info.record_type_id),
        "deletable": object.deletable, "dependentFields": dependent, "feedEnabled": false,
        "fields": fields, "keyPrefix": object.key_prefix, "label": object.label,
        "labelPlural": object.label_plural, "layoutable": object.createable, "mruEnabled": object.createable,
        "nameFields": names, "queryable": true, "recordTypeInfos": record_types,
        "searchable": object.createable, "themeInfo": {"color": "5867E8", "iconUrl": null},
        "updateable": object.updateable,
    })
}

fn field(field: &FieldDef) -> Value {
    let name = field.kind.name();
    let data_type = match field.kind {
        FieldKind::TextArea => "TextArea".into(),
        FieldKind::MultiPicklist => "MultiPicklist".into(),
        FieldKind::DateTime => "DateTime".into(),
        _ => name[..1].to_ascii_uppercase() + &name[1..],
    };
    let controlling: Vec<&String> = field.controller.iter().collect();
    let targets: Vec<Value> = field
        .reference_to
        .iter()
        .map(|to| json!({"apiName": to, "nameFields": ["Name"]}))
        .collect();
    json!({
        "apiName": field.name, "calculated": field.formula.is_some(),
        "compound": field.kind == FieldKind::Address, "compoundFieldName": field.compound,
        "controllerName": field.controller, "controllingFields": controlling,
        "createable": field.createable, "custom": field.custom, "dataType": data_type,
        "extraTypeInfo": field.extra_type_info, "filterable": field.filterable, "htmlFormatted": false,
        "inlineHelpText": null, "label": field.label, "length": field.length,
        "nameField": field.name_field, "polymorphicForeignKey": field.reference_to.len() > 1,
        "precision": field.precision, "reference": field.kind == FieldKind::Reference,
        "referenceTargetField": null, "referenceToInfos": targets,
        "relationshipName": field.relationship_name,
        "required": field.required_on_create(), "scale": field.scale, "sortable": field.sortable,
        "unique": field.unique, "updateable": field.updateable,
    })
}

fn picklist(object: &ObjectDef, of: Option<&RecordTypeDef>, field: &FieldDef) -> Value {
    let value = |label: &str, value: &str, valid_for: &[usize]| json!({"attributes": null, "label": label, "validFor": valid_for, "value": value});
    let entries = object.entries_of(of, field);
    let shown = |(entry, _): &(&crate::schema::PicklistEntry, bool)| {
        value(
            &entry.label,
            &entry.value,
            entry.valid_for.as_deref().unwrap_or_default(),
        )
    };
    let default = entries.iter().find(|(_, default)| *default).map(shown);
    let values: Vec<Value> = entries
        .iter()
        .filter(|(entry, _)| entry.active)
        .map(shown)
        .collect();
    let controller = field
        .controller
        .as_deref()
        .and_then(|name| object.field(name));
    let mut controllers = Map::new();
    match controller {
        Some(controller) if controller.kind == FieldKind::Boolean => {
            controllers = [("false".into(), json!(0)), ("true".into(), json!(1))]
                .into_iter()
                .collect();
        }
        Some(controller) => {
            for (nr, entry) in controller.picklist.iter().enumerate() {
                controllers.insert(entry.value.clone(), json!(nr));
            }
        }
        None => {}
    }
    json!({"controllerValues": controllers, "defaultValue": default, "values": values})
}

/// `GET /ui-api/layout/X?layoutType=&mode=&recordTypeId=`
fn layout(machine: &Machine, call: &Call<'_>, object: &ObjectDef) -> Result<Value, Failure> {
    let kind = call.parameter("layoutType").unwrap_or("Full");
    let mode = call.parameter("mode").unwrap_or("View");
    let known = ["Full", "Compact"].contains(&kind) && ["View", "Edit", "Create"].contains(&mode);
    if !known {
        let message = "layoutType is Full or Compact, mode is View, Edit or Create";
        return Err(Failure::new(400, "ILLEGAL_QUERY_PARAMETER_VALUE", message));
    }
    let default = object.record_types.iter().find(|one| one.is_default);
    let default = default.map_or(MASTER, |one| &one.id);
    let record_type = call.parameter("recordTypeId").unwrap_or(default);
    let (id, defined) = layouts::find(machine, object, record_type)?;
    let sections = match kind {
        "Compact" => {
            let (_, fields) = layouts::compact_fields(machine, object);
            let items = fields.iter().map(|field| LayoutItem::field(&field.name));
            let of = LayoutDef::new("Compact").section("", 1, items);
            sections(object, &of, mode)
        }
        _ => sections(object, &defined, mode),
    };
    Ok(json!({
        "id": (kind == "Full").then_some(id), "layoutType": kind, "mode": mode,
        "objectApiName": object.name, "recordTypeId": crate::id::parse(record_type),
        "saveOptions": [], "sections": sections,
    }))
}

fn sections(object: &ObjectDef, layout: &LayoutDef, mode: &str) -> Vec<Value> {
    let sections = layout.sections.iter().enumerate().map(|(nr, section)| {
        let items: Vec<Value> = section
            .items
            .iter()
            .map(|one| item(object, one, mode))
            .collect();
        let rows: Vec<Value> = items
            .chunks(section.columns)
            .map(|row| json!({"layoutItems": row}))
            .collect();
        json!({
            "collapsible": nr > 0, "columns": section.columns, "heading": section.heading,
            "id": crate::id::make("01B", nr as u64 + 1), "layoutRows": rows, "rows": rows.len(),
            "useHeading": !section.heading.is_empty(),
        })
    });
    sections.collect()
}

fn item(object: &ObjectDef, item: &LayoutItem, mode: &str) -> Value {
    let field = item.field.as_deref().and_then(|name| object.field(name));
    let editable = |right: bool| right && !item.read_only && mode != "View";
    match field {
        None => json!({
            "editableForNew": false, "editableForUpdate": false, "label": "", "layoutComponents": [
                {"apiName": null, "componentType": "EmptySpace"}],
            "lookupIdApiName": null, "required": false, "sortable": false,
        }),
        Some(field) => json!({
            "editableForNew": editable(field.createable),
            "editableForUpdate": editable(field.updateable),
            "label": field.label,
            "layoutComponents": [{"apiName": field.name, "componentType": "Field", "label": field.label}],
            "lookupIdApiName": (field.kind == FieldKind::Reference).then_some(&field.name),
            "required": item.required || field.required_on_create(),
            "sortable": field.sortable,
        }),
    }
}
