//! The functions beside the daily ones: what forms are drawn from, documents, and what a store is told once.

use crate::calls::{Called, resolution, try_told};
use crate::device::{Device, With, told};
use crate::tell;
use attache::{Briefcase, BriefcaseImport, FiscalYearName, MergePolicy, explain_merge};
use serde_json::{Value, json};

/// Calls one of them.
pub fn call(device: &mut Device, name: &str, with: &mut With) -> Called {
    if let Some(told) = form(device, name, with)? {
        return Ok(Some(told));
    }
    match document(name, with)? {
        Some(told) => Ok(Some(told)),
        None => setting(device, name, with),
    }
}

/// What forms are drawn from, and checked by.
fn form(device: &Device, name: &str, with: &mut With) -> Called {
    Ok(Some(match name {
        "objects" => told(device.store()?.schema(), |schema| {
            let objects = schema.objects().into_iter();
            objects.map(|object| json!(object.name)).collect()
        }),
        "schema" => {
            let object = with.text("object")?;
            told(device.store()?.schema(), |schema| {
                schema.object(&object).map_or(Value::Null, |object| {
                    let fields = object.fields.iter();
                    let fields = fields.map(|field| json!({"name": field.name, "label": field.label}));
                    json!({"name": object.name, "label": object.label, "fields": fields.collect::<Value>()})
                })
            })
        }
        "record_types" => told(
            device.store()?.record_types(&with.text("object")?),
            |types| types.iter().map(|one| json!({"name": one.name})).collect(),
        ),
        "layout" => told(
            device.store()?.layout(&with.text("object")?, None),
            tell::plain,
        ),
        "picklist_values" => {
            let (object, field) = (with.text("object")?, with.text("field")?);
            told(
                device.store()?.picklist_values(&object, None, &field),
                |entries| {
                    let entries = entries.iter();
                    entries
                        .map(|one| json!({"value": one.value, "label": one.label}))
                        .collect()
                },
            )
        }
        "compact_layout" => told(
            device.store()?.compact_layout(&with.text("object")?, None),
            tell::plain,
        ),
        "refresh_layouts" => told(device.store()?.refresh_layouts(), |()| Value::Null),
        "check_create" => {
            let fields = with.json("fields")?.to_string();
            let object = try_told!(device.object(&with.text("object")?)?);
            told(object.check_create_json(&fields), tell::plain)
        }
        "check_update" => {
            let (current, changes) = (with.json("current")?, with.json("changes")?);
            let object = try_told!(device.object(&with.text("object")?)?);
            let checked = object.check_update_json(&current.to_string(), &changes.to_string());
            told(checked, tell::plain)
        }
        _ => return Ok(None),
    }))
}

/// Documents that belong to no store.
fn document(name: &str, with: &mut With) -> Called {
    let document = |briefcase: Briefcase| tell::parsed(&briefcase.to_json());
    let imported = |import: BriefcaseImport| json!({"briefcase": document(import.briefcase), "notes": import.notes});
    Ok(Some(match name {
        "briefcase_from_json" => told(with.briefcase()?, document),
        "briefcase_everything" => Ok(document(Briefcase::everything(with.texts("objects")?))),
        "briefcase_templates" => Ok(Briefcase::templates().collect()),
        "briefcase_template" => told(Briefcase::template(&with.text("name")?), document),
        "briefcase_json_schema" => Ok(tell::parsed(Briefcase::json_schema())),
        "briefcase_diff" => {
            let read = |json: Value| Briefcase::from_json(&json.to_string());
            let (older, newer) = (with.json("older")?, with.json("newer")?);
            let (older, newer) = (try_told!(read(older)), try_told!(read(newer)));
            Ok(tell::parsed(&older.diff(&newer).to_json()))
        }
        "briefcase_from_list_view" => told(
            Briefcase::from_list_view(&with.json("list_view")?.to_string()),
            imported,
        ),
        "briefcase_from_briefcase_definition" => told(
            Briefcase::from_briefcase_definition(&with.text("definition")?),
            imported,
        ),
        "briefcase_from_mobile_sync" => {
            let usersyncs = with.json("usersyncs")?.to_string();
            let userstore = with.value("userstore").map(|json| json.to_string());
            told(
                Briefcase::from_mobile_sync(&usersyncs, userstore.as_deref()),
                imported,
            )
        }
        _ => return Ok(None),
    }))
}

/// What a store is told once, and what it tells of itself.
fn setting(device: &mut Device, name: &str, with: &mut With) -> Called {
    let nothing = |()| Value::Null;
    Ok(Some(match name {
        "context" => told(device.store()?.context(), tell::plain),
        "set_fiscal_year" => {
            let month = with
                .number("start_month")?
                .ok_or("start_month is missing")?;
            let month = i8::try_from(month).map_err(|_| "start_month is no small number")?;
            let year = match &*with.text("name")? {
                "start" => FiscalYearName::Start,
                "end" => FiscalYearName::End,
                other => return Err(format!("{other} is neither start nor end")),
            };
            told(device.store()?.set_fiscal_year(month, year), nothing)
        }
        "limits" => Ok(tell::plain(device.store()?.limits())),
        "set_host_value" => {
            let (key, value) = (with.text("key")?, with.text("value")?);
            told(device.store()?.set_host_value(&key, &value), nothing)
        }
        "host_value" => told(device.store()?.host_value(&with.text("key")?), tell::plain),
        "add_index" => {
            let (object, fields) = (with.text("object")?, with.texts("fields")?);
            told(device.store()?.add_index(&object, fields), nothing)
        }
        "remove_index" => {
            let (object, fields) = (with.text("object")?, with.texts("fields")?);
            told(device.store()?.remove_index(&object, fields), nothing)
        }
        "indexes" => told(device.store()?.indexes(), tell::plain),
        "index_words" => {
            let rows_max = with.count("rows_max")?.ok_or("rows_max is missing")?;
            told(device.store()?.index_words(rows_max), tell::plain)
        }
        "set_resolver" => {
            let answer = resolution(&with.json("resolution")?)?;
            let store = device.store()?.clone();
            device.attache = Some(store.with_resolver(move |_| Some(answer.clone())));
            Ok(Value::Null)
        }
        "explain_merge" => {
            let [base, local, remote] = ["base", "local", "remote"].map(|side| with.side(side));
            let (base, local, remote) = (base?, local?, remote?);
            let policy = with.value("policy").map(|policy| policy.to_string());
            let object = match with.optional("object")? {
                Some(name) => Some(try_told!(device.object(&name)?)),
                None => None,
            };
            let policy = match policy {
                Some(json) => try_told!(MergePolicy::from_json(&json)),
                None => MergePolicy::default(),
            };
            told(
                explain_merge(object, &policy, &base, &local, &remote),
                tell::plain,
            )
        }
        _ => return Ok(None),
    }))
}
