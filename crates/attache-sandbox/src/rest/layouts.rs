//! What forms look like: page layouts and compact layouts, by record type.

use super::{Call, describe::shown_object, failure::Failure, machine::Machine, message::Response};
use crate::{
    describe,
    org::{LayoutDef, LayoutItem, LayoutSection},
    schema::{FieldDef, MASTER, ObjectDef, RecordTypeDef},
};
use serde_json::{Value, json};

/// Fields of a compact layout at most, the one that the platform makes by itself.
const COMPACT_FIELDS: usize = 5;

/// `GET /sobjects/X/describe/layouts`
pub(super) fn all(machine: &Machine, call: &Call<'_>, object: &str) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = shown_object(machine, call, object).ok_or_else(Failure::not_found)?;
    let mappings: Vec<Value> = describe::record_type_infos(&object, call.version)
        .iter()
        .map(|info| mapping(machine, &object, info))
        .collect();
    let apart = machine.switches.layouts_come_apart && mappings.len() > 1;
    let layouts = match apart {
        true => Vec::new(),
        false => machine
            .org
            .layouts_of(&object)
            .iter()
            .map(|(id, layout)| page(machine, &object, id, layout))
            .collect(),
    };
    let shown = json!({
        "layouts": layouts,
        "recordTypeMappings": mappings,
        "recordTypeSelectorRequired": [mappings.len() > 1],
    });
    Ok(Response::json(200, shown.to_string()))
}

/// `GET /sobjects/X/describe/layouts/<record type>`
pub(super) fn one(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
    record_type: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = shown_object(machine, call, object).ok_or_else(Failure::not_found)?;
    let (id, layout) = find(machine, &object, record_type)?;
    let shown = page(machine, &object, &id, &layout);
    Ok(Response::json(200, shown.to_string()))
}

/// The layout of a record type given by its id.
pub(super) fn find(
    machine: &Machine,
    object: &ObjectDef,
    record_type: &str,
) -> Result<(String, LayoutDef), Failure> {
    let name = match crate::id::parse(record_type) {
        Some(id) if id == MASTER => "Master",
        Some(id) => {
            let known = object.record_type(&id).ok_or_else(Failure::not_found)?;
            &known.developer_name
        }
        None => return Err(Failure::not_found()),
    };
    let id = machine.org.layout_of(object, name);
    let mut layouts = machine.org.layouts_of(object).into_iter();
    layouts
        .find(|(own, _)| *own == id)
        .ok_or_else(Failure::not_found)
}

fn mapping(machine: &Machine, object: &ObjectDef, info: &describe::RecordTypeInfo<'_>) -> Value {
    let record_type = object.record_type(info.record_type_id);
    let picklists: Vec<Value> = object
        .fields
        .iter()
        .filter(|field| !field.picklist.is_empty())
        .map(|field| {
            json!({
                "picklistName": field.name,
                "picklistValues": picklist_values(object, record_type, field),
            })
        })
        .collect();
    json!({
        "active": info.active,
        "available": info.available,
        "defaultRecordTypeMapping": info.default_record_type_mapping,
        "developerName": info.developer_name,
        "layoutId": machine.org.layout_of(object, info.developer_name),
        "master": info.master,
        "name": info.name,
        "picklistsForRecordType": picklists,
        "recordTypeId": info.record_type_id,
        "urls": {"layout": info.urls.layout},
    })
}

/// The values of a picklist that a record type leaves, in the order of the picklist.
fn picklist_values(
    object: &ObjectDef,
    record_type: Option<&RecordTypeDef>,
    field: &FieldDef,
) -> Vec<Value> {
    let indexes = describe::control_values(object, field);
    object
        .entries_of(record_type, field)
        .into_iter()
        .map(|(entry, default)| {
            json!({
                "active": entry.active,
                "defaultValue": default,
                "label": entry.label,
                "validFor": entry.valid_for.as_deref().map(|valid| describe::bitset(valid, indexes)),
                "value": entry.value,
            })
        })
        .collect()
}

fn page(machine: &Machine, object: &ObjectDef, id: &str, layout: &LayoutDef) -> Value {
    let sections = |edit: bool| -> Vec<Value> {
        let shown = layout.sections.iter().enumerate();
        shown
            .map(|(nr, of)| section(machine, object, id, (nr, of), edit))
            .collect()
    };
    json!({
        "buttonLayoutSection": {"detailButtons": []},
        "detailLayoutSections": sections(false),
        "editLayoutSections": sections(true),
        "feedView": null,
        "highlightsPanelLayoutSection": null,
        "id": id,
        "multirowEditLayoutSections": [],
        "offlineLinks": [],
        "quickActionList": null,
        "relatedContent": null,
        "relatedLists": related_lists(machine, object, layout),
        "saveOptions": [],
    })
}

fn section(
    machine: &Machine,
    object: &ObjectDef,
    layout: &str,
    (nr, section): (usize, &LayoutSection),
    edit: bool,
) -> Value {
    let mut tab = 0;
    let items: Vec<Value> = section
        .items
        .iter()
        .map(|of| {
            tab += 1;
            item(machine, object, of, edit, tab)
        })
        .collect();
    let rows: Vec<Value> = items
        .chunks(section.columns)
        .map(|row| json!({"layoutItems": row, "numItems": row.len()}))
        .collect();
    json!({
        "collapsed": false,
        "columns": section.columns,
        "heading": section.heading,
        "layoutSectionId": crate::id::make("01B", nr as u64 + 1),
        "parentLayoutId": layout,
        "rows": rows.len(),
        "layoutRows": rows,
        "tabOrder": "LeftToRight",
        "useCollapsibleSection": nr > 0,
        "useHeading": !section.heading.is_empty(),
    })
}

fn item(machine: &Machine, object: &ObjectDef, item: &LayoutItem, edit: bool, tab: usize) -> Value {
    let Some(name) = &item.field else {
        return blank();
    };
    let Some(field) = object.field(name) else {
        return match machine.switches.layouts_show_hidden_fields {
            true => hidden(item, name, tab),
            false => blank(),
        };
    };
    let parts = object
        .fields
        .iter()
        .filter(|part| part.compound.as_deref() == Some(&*field.name) && part.name != field.name);
    let parts: Vec<&FieldDef> = parts.collect();
    let may = |right: fn(&FieldDef) -> bool| {
        !item.read_only && (right(field) || parts.iter().any(|part| right(part)))
    };
    let (new, update) = (may(|field| field.createable), may(|field| field.updateable));
    if edit && !new && !update {
        return blank();
    }
    let mut component = component(object, field, tab);
    if !parts.is_empty() {
        let parts: Vec<Value> = parts
            .iter()
            .enumerate()
            .map(|(nr, part)| self::component(object, part, nr + 1))
            .collect();
        component["fieldType"] = json!(field.kind.name());
        component["components"] = json!(parts);
    }
    json!({
        "editableForNew": new,
        "editableForUpdate": update,
        "label": field.label,
        "layoutComponents": [component],
        "placeholder": false,
        "required": item.required || field.required_on_create(),
    })
}

fn component(object: &ObjectDef, field: &FieldDef, tab: usize) -> Value {
    json!({
        "details": serde_json::to_value(describe::field(object, field)).unwrap_or_default(),
        "displayLines": 1,
        "tabOrder": tab,
        "type": "Field",
        "value": field.name,
    })
}

fn blank() -> Value {
    json!({
        "editableForNew": false, "editableForUpdate": false, "label": "",
        "layoutComponents": [], "placeholder": true, "required": false,
    })
}

/// An item whose field this user may not see, where the org shows it all the same.
fn hidden(item: &LayoutItem, name: &str, tab: usize) -> Value {
    let component = json!({
        "details": null, "displayLines": 1, "tabOrder": tab, "type": "Field", "value": name,
    });
    json!({
        "editableForNew": !item.read_only, "editableForUpdate": !item.read_only, "label": name,
        "layoutComponents": [component], "placeholder": false, "required": item.required,
    })
}

fn related_lists(machine: &Machine, object: &ObjectDef, layout: &LayoutDef) -> Vec<Value> {
    let schema = machine.org.schema();
    let list = |(name, columns): &(String, Vec<String>)| {
        let (child, field) = schema.objects().iter().find_map(|child| {
            let field = child.fields.iter().find(|field| {
                field.child_relationship_name.as_ref() == Some(name)
                    && field.reference_to.contains(&object.name)
            })?;
            Some((child, field))
        })?;
        let columns: Vec<Value> = columns
            .iter()
            .filter_map(|column| child.field(column))
            .map(|column| {
                json!({
                    "field": format!("{}.{}", child.name, column.name),
                    "fieldApiName": column.name,
                    "format": null,
                    "label": column.label,
                    "lookupId": null,
                    "name": column.name,
                })
            })
            .collect();
        Some(json!({
            "accessLevelRequiredForCreate": null,
            "buttons": [],
            "columns": columns,
            "custom": child.custom,
            "field": field.name,
            "label": child.label_plural,
            "limitRows": 5,
            "name": name,
            "sobject": child.name,
            "sort": [],
        }))
    };
    layout.related.iter().filter_map(list).collect()
}

/// `GET /sobjects/X/describe/compactLayouts`
pub(super) fn compact(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = shown_object(machine, call, object).ok_or_else(Failure::not_found)?;
    let (defined, fields) = compact_fields(machine, &object);
    let (id, name) = match defined {
        true => (json!(crate::id::make("0AH", 1)), "Custom"),
        false => (Value::Null, "SYSTEM"),
    };
    let items: Vec<Value> = fields
        .iter()
        .map(|field| {
            let component = json!({
                "displayLines": 1, "tabOrder": 0, "type": "Field", "value": field.name,
            });
            json!({
                "editableForNew": field.createable, "editableForUpdate": field.updateable,
                "label": field.label, "layoutComponents": [component], "placeholder": false,
                "required": false,
            })
        })
        .collect();
    let label = if defined { "Custom" } else { "System Default" };
    let mappings: Vec<Value> = describe::record_type_infos(&object, call.version)
        .iter()
        .map(|info| {
            json!({
                "available": info.available, "compactLayoutId": id, "compactLayoutName": name,
                "recordTypeId": info.record_type_id, "recordTypeName": info.developer_name,
            })
        })
        .collect();
    let shown = json!({
        "compactLayouts": [{
            "actions": [], "fieldItems": items, "id": id, "imageItems": [], "label": label,
            "name": name, "objectType": object.name,
        }],
        "defaultCompactLayoutId": id,
        "recordTypeCompactLayoutMappings": mappings,
    });
    Ok(Response::json(200, shown.to_string()))
}

/// The fields of a compact layout, and whether it was defined.
pub(super) fn compact_fields<'a>(
    machine: &Machine,
    object: &'a ObjectDef,
) -> (bool, Vec<&'a FieldDef>) {
    match machine.org.compact_layout(&object.name) {
        Some(names) => {
            let fields = names.iter().filter_map(|name| object.field(name));
            (true, fields.collect())
        }
        None => {
            let name = object.fields.iter().filter(|field| field.name_field);
            let others = object
                .fields
                .iter()
                .filter(|field| !field.name_field && field.updateable && field.compound.is_none());
            (false, name.chain(others).take(COMPACT_FIELDS).collect())
        }
    }
}
