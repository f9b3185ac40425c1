//! List views: which there are, what they say, and the rows they show.

use super::{Call, dates, failure::Failure, machine::Machine, message::Response};
use crate::{
    org::{ListCondition, ListViewDef},
    schema::{FieldDef, FieldKind, ObjectDef},
};
use serde_json::{Value, json};

/// Rows of an answer unless asked for more, and at most.
const ROWS: usize = 25;
const ROWS_MAX: usize = 2_000;

/// Columns that every list has, hidden ones.
const HIDDEN: [&str; 4] = ["Id", "CreatedDate", "LastModifiedDate", "SystemModstamp"];

/// List views of a user's that `listviews/recent` remembers of an object.
const RECENT_MAX: usize = 25;

/// `GET /sobjects/X/listviews`
pub(super) fn all(machine: &Machine, call: &Call<'_>, object: &str) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = object_of(machine, object)?;
    let views = machine.org.list_views(&object.name);
    Ok(list(call, object, views.iter().collect()))
}

/// `GET /sobjects/X/listviews/recent`: those the caller asked the rows of, the latest first.
pub(super) fn recent(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let object = object_of(machine, object)?;
    let opened = machine.opened.get(call.actor).into_iter().flatten();
    let views = machine.org.list_views(&object.name);
    let views = opened.filter_map(|id| views.iter().find(|view| view.id == *id));
    Ok(list(call, object, views.take(RECENT_MAX).collect()))
}

/// Notes that the caller opened a list view.
pub(super) fn open(machine: &mut Machine, call: &Call<'_>, object: &str, id: &str) {
    let known = shown(machine, call, object, id).map(|(_, view)| view.id.clone());
    if let Ok(id) = known {
        let opened = machine.opened.entry(call.actor.to_owned()).or_default();
        opened.retain(|other| *other != id);
        opened.insert(0, id);
    }
}

fn list(call: &Call<'_>, object: &ObjectDef, views: Vec<&ListViewDef>) -> Response {
    let views: Vec<Value> = views
        .into_iter()
        .map(|view| brief(call, object, view))
        .collect();
    let shown = json!({
        "done": true, "size": views.len(), "listviews": views, "nextRecordsUrl": null,
        "sobjectType": object.name,
    });
    Response::json(200, shown.to_string())
}

/// `GET /sobjects/X/listviews/<id>`
pub(super) fn one(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Response, Failure> {
    let (object, view) = shown(machine, call, object, id)?;
    Ok(Response::json(200, brief(call, object, view).to_string()))
}

/// `GET /sobjects/X/listviews/<id>/describe`
pub(super) fn describe(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Response, Failure> {
    let (object, view) = shown(machine, call, object, id)?;
    let mut order: Vec<Value> = Vec::new();
    for (field, descending) in &view.order {
        order.push(json!({
            "fieldNameOrPath": field,
            "nullsPosition": if *descending { "last" } else { "first" },
            "sortDirection": direction(*descending),
        }));
    }
    order.push(json!({
        "fieldNameOrPath": "Id", "nullsPosition": "first", "sortDirection": "ascending",
    }));
    let shown = json!({
        "columns": columns(machine, object, view),
        "id": view.id,
        "orderBy": order,
        "query": query(machine, object, view),
        "scope": (view.scope != "everything").then_some(&view.scope),
        "sobjectType": object.name,
        "whereCondition": view.condition.as_ref().map(tree),
    });
    Ok(Response::json(200, shown.to_string()))
}

/// `GET /sobjects/X/listviews/<id>/results`
pub(super) fn results(
    machine: &Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<Response, Failure> {
    let (object, view) = shown(machine, call, object, id)?;
    let limit = number(call, "limit", ROWS, 1..=ROWS_MAX)?;
    let offset = number(call, "offset", 0, 0..=usize::MAX)?;
    let fields: Vec<String> = shown_columns(object, view).map(|(path, _)| path).collect();
    let soql = select(object, view, &fields.join(", "));
    let cursor = machine
        .org
        .query(call.actor, &soql, false)
        .map_err(Failure::of_query)?;
    let mut rows = String::new();
    let left = cursor.total().saturating_sub(offset);
    if left > 0 {
        machine
            .org
            .render(call.actor, &cursor, offset, limit, call.version, &mut rows);
    }
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap_or_default();
    let records: Vec<Value> = rows
        .iter()
        .map(|row| {
            let cells: Vec<Value> = fields
                .iter()
                .map(|path| json!({"fieldNameOrPath": path, "value": cell(row, path)}))
                .collect();
            json!({"columns": cells})
        })
        .collect();
    let shown = json!({
        "columns": columns(machine, object, view),
        "developerName": view.developer_name,
        "done": records.len() >= left,
        "id": view.id,
        "label": view.label,
        "size": records.len(),
        "records": records,
    });
    Ok(Response::json(200, shown.to_string()))
}

/// The list view that a call reads, with its object.
fn shown<'a>(
    machine: &'a Machine,
    call: &Call<'_>,
    object: &str,
    id: &str,
) -> Result<(&'a ObjectDef, &'a ListViewDef), Failure> {
    call.only("HEAD,GET")?;
    let object = object_of(machine, object)?;
    Ok((object, view_of(machine, object, id)?))
}

fn object_of<'a>(machine: &'a Machine, name: &str) -> Result<&'a ObjectDef, Failure> {
    machine
        .org
        .schema()
        .object(name)
        .ok_or_else(Failure::not_found)
}

/// Finds a list view by its id, of 15 or 18 characters.
fn view_of<'a>(
    machine: &'a Machine,
    object: &ObjectDef,
    id: &str,
) -> Result<&'a ListViewDef, Failure> {
    let id = crate::id::parse(id).ok_or_else(Failure::not_found)?;
    let mut views = machine.org.list_views(&object.name).iter();
    views
        .find(|view| view.id == id[..15])
        .ok_or_else(Failure::not_found)
}

fn number(
    call: &Call<'_>,
    name: &str,
    absent: usize,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<usize, Failure> {
    let Some(text) = call.parameter(name) else {
        return Ok(absent);
    };
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        Failure::parameter(format!(
            "{name} must be a number between {} and {}",
            allowed.start(),
            allowed.end()
        ))
    })
}

fn brief(call: &Call<'_>, object: &ObjectDef, view: &ListViewDef) -> Value {
    let id = crate::id::to18(&view.id).unwrap_or_default();
    let root = crate::describe::root(&object.name, call.version);
    let url = format!("{root}/listviews/{id}");
    json!({
        "describeUrl": format!("{url}/describe"),
        "developerName": view.developer_name,
        "id": id,
        "label": view.label,
        "resultsUrl": format!("{url}/results"),
        "soqlCompatible": true,
        "url": url,
    })
}

fn direction(descending: bool) -> &'static str {
    if descending {
        "descending"
    } else {
        "ascending"
    }
}

/// The columns that a list shows and those it hides, each with whether it is hidden.
fn shown_columns<'a>(
    object: &'a ObjectDef,
    view: &'a ListViewDef,
) -> impl Iterator<Item = (String, bool)> + 'a {
    let shown = view.columns.iter().map(|path| (path.clone(), false));
    let hidden = HIDDEN
        .into_iter()
        .filter(|name| object.index(name).is_some())
        .map(|name| (name.to_owned(), true));
    shown.chain(hidden)
}

fn columns(machine: &Machine, object: &ObjectDef, view: &ListViewDef) -> Vec<Value> {
    let column = |(path, hidden): (String, bool)| {
        let field = field_of(machine, object, &path);
        let kind = field.map_or("string", |field| field.kind.name());
        let place = view.order.iter().position(|(own, _)| *own == path);
        let sorted = place.map(|at| direction(view.order[at].1));
        let (up, down) = match kind {
            _ if hidden => (None, None),
            "picklist" => (Some("Low to High"), Some("High to Low")),
            "phone" | "int" | "double" | "currency" | "percent" => (Some("9-0"), Some("0-9")),
            _ => (Some("Z-A"), Some("A-Z")),
        };
        json!({
            "ascendingLabel": up, "descendingLabel": down, "fieldNameOrPath": path, "hidden": hidden,
            "label": field.map_or(path.as_str(), |field| &field.label),
            "selectListItem": item(field, &path),
            "sortDirection": sorted, "sortIndex": place, "sortable": !hidden, "type": kind,
        })
    };
    shown_columns(object, view).map(column).collect()
}

/// How a list selects a column: picklists by their labels.
fn item(field: Option<&FieldDef>, path: &str) -> String {
    match field {
        Some(field) if field.kind == FieldKind::Picklist => format!("toLabel({path})"),
        _ => path.to_owned(),
    }
}

fn field_of<'a>(machine: &'a Machine, object: &'a ObjectDef, path: &str) -> Option<&'a FieldDef> {
    let mut object = object;
    let mut steps: Vec<&str> = path.split('.').collect();
    let last = steps.pop()?;
    for step in steps {
        let to = object.parent_field(step)?.reference_to.first()?;
        object = machine.org.schema().object(to)?;
    }
    object.field(last)
}

/// The query that a describe tells; the names of its fields are in lower case there.
fn query(machine: &Machine, object: &ObjectDef, view: &ListViewDef) -> String {
    let items: Vec<String> = shown_columns(object, view)
        .map(|(path, _)| item(field_of(machine, object, &path), &path).to_ascii_lowercase())
        .collect();
    select(object, view, &items.join(", "))
}

fn select(object: &ObjectDef, view: &ListViewDef, items: &str) -> String {
    let mut soql = format!("SELECT {items} FROM {}", object.name);
    if view.scope != "everything" {
        soql.push_str(&format!(" USING SCOPE {}", view.scope));
    }
    if let Some(condition) = &view.condition {
        soql.push_str(&format!(" WHERE {}", condition.soql()));
    }
    soql.push_str(&format!(" ORDER BY {}", view.order_by()));
    soql
}

fn tree(condition: &ListCondition) -> Value {
    let list = |parts: &[ListCondition], word: &str| {
        let parts: Vec<Value> = parts.iter().map(tree).collect();
        json!({"conditions": parts, "conjunction": word})
    };
    match condition {
        ListCondition::Test(field, operator, values) => {
            json!({"field": field, "operator": operator, "values": values})
        }
        ListCondition::All(parts) => list(parts, "and"),
        ListCondition::Any(parts) => list(parts, "or"),
        ListCondition::Not(inner) => json!({"condition": tree(inner)}),
    }
}

/// A value as text, as results tell every value; a dateTime as Java prints it.
fn cell(row: &Value, path: &str) -> Value {
    let value = path
        .split('.')
        .try_fold(row, |value, step| value.get(step))
        .unwrap_or(&Value::Null);
    match value {
        Value::Null => Value::Null,
        Value::String(text) => match text.strip_suffix("+0000").and_then(dates::parse_iso_utc) {
            Some(seconds) => json!(dates::print_java(seconds)),
            None => json!(text),
        },
        other => json!(other.to_string()),
    }
}
