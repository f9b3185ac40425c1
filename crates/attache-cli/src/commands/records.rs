//! `attache get`, `new`, `set` and `delete`: one record at a time.

use crate::error::{Failure, Result};
use crate::output::{self, Output, RecordView};
use crate::store;
use attache::{Attache, ErrorKind, FieldType, Fields, ObjectSchema, Record, RecordId};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Which record of which store.
#[derive(Args)]
pub struct One {
    /// The store's file.
    #[arg(value_name = "FILE")]
    pub(super) store: PathBuf,
    /// The record's id: the org's, or one that starts with local-.
    pub(super) id: String,
}

/// A record to be.
#[derive(Args)]
pub struct New {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The object's API name, such as Account.
    object: String,
    #[command(flatten)]
    values: Values,
}

/// A record to change.
#[derive(Args)]
pub struct Set {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The record's id: the org's, or one that starts with local-.
    id: String,
    #[command(flatten)]
    values: Values,
}

/// The fields of a write.
#[derive(Args)]
#[group(required = true, multiple = true)]
struct Values {
    /// Fields to set; nothing after the = clears the field.
    #[arg(value_name = "FIELD=VALUE")]
    assignments: Vec<String>,
    /// Fields to set, as a JSON object.
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
}

#[derive(Serialize)]
struct Done<'a> {
    id: &'a str,
    object: &'a str,
    pending: u64,
}

/// Shows one record.
pub fn get(arguments: &One, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let record = find(&store, &arguments.id)?;
    output.show(&RecordView::of(&record)?, || {
        let rows: Vec<Vec<String>> = record
            .fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| vec![name.to_owned(), output::display(value)])
            .collect();
        let mut lines = vec![format!("{} {}", record.object, record.id)];
        lines.extend(output::table(&["field", "value"], &rows));
        lines
    })
}

/// Creates a record.
pub fn new(arguments: &New, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let object = object(&store, &arguments.object)?;
    let id = store.create(&object.name, arguments.values.fields(&object)?)?;
    done(&store, &id, &object.name, "created", output)
}

/// Changes fields of a record.
pub fn set(arguments: &Set, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let record = find(&store, &arguments.id)?;
    let object = object(&store, &record.object)?;
    store.update(&record.id, arguments.values.fields(&object)?)?;
    done(&store, &record.id, &record.object, "changed", output)
}

/// Deletes a record.
pub fn delete(arguments: &One, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let record = find(&store, &arguments.id)?;
    store.delete(&record.id)?;
    done(&store, &record.id, &record.object, "deleted", output)
}

fn done(store: &Attache, id: &RecordId, object: &str, verb: &str, output: &Output) -> Result<()> {
    let done = Done {
        id: id.as_str(),
        object,
        pending: store.status()?.pending,
    };
    output.show(&done, || vec![done.id.to_owned()])?;
    output.note(format!("{verb} {object} {id}; {} to send", done.pending));
    Ok(())
}

fn find(store: &Attache, id: &str) -> Result<Record> {
    let id = RecordId::parse(id)?;
    store.get(&id)?.ok_or_else(|| {
        Failure::new(
            ErrorKind::RecordNotFound,
            format!("there is no record {id} on this device"),
        )
    })
}

/// Finds an object that the store knows.
pub fn object(store: &Attache, name: &str) -> Result<Arc<ObjectSchema>> {
    let schema = store.schema()?;
    schema.object(name).cloned().ok_or_else(|| {
        let known: Vec<&str> = schema
            .objects()
            .iter()
            .map(|object| object.name.as_str())
            .collect();
        Failure::new(
            ErrorKind::UnknownObject,
            format!("this store has no object {name}"),
        )
        .hint(format!("it knows {}", known.join(", ")))
    })
}

impl Values {
    fn fields(&self, object: &ObjectSchema) -> Result<Fields> {
        let mut fields = match &self.data {
            Some(json) => Fields::from_json(object, json)?,
            None => Fields::new(),
        };
        let mut texts = BTreeMap::new();
        for assignment in &self.assignments {
            let (name, text) = assignment.split_once('=').ok_or_else(|| {
                Failure::usage(format!("{assignment:?} is not of the form FIELD=VALUE"))
            })?;
            if texts.insert(name.to_owned(), text.to_owned()).is_some() || fields.contains(name) {
                return Err(Failure::usage(format!("the field {name} is given twice")));
            }
        }
        for (name, value) in write_fields(object, &texts)? {
            fields.set(name, value);
        }
        Ok(fields)
    }
}

/// Reads values as they are typed in a shell, each by its field's type.
pub fn write_fields(object: &ObjectSchema, texts: &BTreeMap<String, String>) -> Result<Fields> {
    let members: Vec<String> = texts
        .iter()
        .map(|(name, text)| format!("{}:{}", quoted(name), literal(object, name, text)))
        .collect();
    Ok(Fields::from_json(
        object,
        &format!("{{{}}}", members.join(",")),
    )?)
}

/// Turns typed text into the JSON that its field expects; what does not fit is left to be refused.
fn literal(object: &ObjectSchema, name: &str, text: &str) -> String {
    if text.is_empty() {
        return "null".into();
    }
    let Some(field) = object.field(name) else {
        return quoted(text);
    };
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    let is_number = is_json && text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let is_truth = matches!(text, "true" | "false");
    match (&field.field_type, field.field_type.is_number()) {
        (FieldType::Boolean, _) if is_truth => text.into(),
        (_, true) if is_number => text.into(),
        _ => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
