//! `attache briefcase`: documents that say what a device takes along. No store, no network.

use crate::error::{Failure, Result};
use crate::output::Output;
use attache::{Briefcase, BriefcaseDiff, BriefcaseImport};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What to do with a briefcase.
#[derive(Subcommand)]
pub enum Command {
    /// Check a document and list everything that is wrong with it.
    Check(Document),
    /// Print a document in its canonical form.
    Print(Document),
    /// Say what a newer document changes on a device that has the older one.
    Diff(Diff),
    /// Print a template, or list their names.
    Template(Template),
    /// Make a document of what another product is configured with.
    Import(Import),
    /// Print the JSON Schema of the document.
    Schema,
}

/// Which document.
#[derive(Args)]
pub struct Document {
    /// The document's file; `-` reads it from standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Two documents.
#[derive(Args)]
pub struct Diff {
    /// The document that devices have.
    #[arg(value_name = "OLDER")]
    older: PathBuf,
    /// The document that they get.
    #[arg(value_name = "NEWER")]
    newer: PathBuf,
}

/// Which template.
#[derive(Args)]
pub struct Template {
    /// Its name; without it the names are listed.
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// What to import.
#[derive(Args)]
#[group(required = true, multiple = false, args = ["list_view", "definition", "mobile_sync"])]
pub struct Import {
    /// The describe of a list view, as the API answers it.
    #[arg(long, value_name = "FILE")]
    list_view: Option<PathBuf>,
    /// A `.briefcaseDefinition` of Briefcase Builder.
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,
    /// The `usersyncs.json` of a MobileSync app.
    #[arg(long, value_name = "FILE")]
    mobile_sync: Option<PathBuf>,
    /// The `userstore.json` that belongs to it.
    #[arg(long, value_name = "FILE", requires = "mobile_sync")]
    store: Option<PathBuf>,
}

#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    name: Option<&'a str>,
    objects: Vec<String>,
}

#[derive(Serialize)]
struct Printed {
    briefcase: Box<RawValue>,
}

#[derive(Serialize)]
struct Names {
    templates: Vec<&'static str>,
}

#[derive(Serialize)]
struct Imported<'a> {
    briefcase: Box<RawValue>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct SchemaView {
    schema: Box<RawValue>,
}

/// Does what was asked.
pub fn run(command: &Command, output: &Output) -> Result<()> {
    match command {
        Command::Check(document) => check(&document.file, output),
        Command::Print(document) => print(&read(&document.file)?, output),
        Command::Diff(both) => diff(&read(&both.older)?.diff(&read(&both.newer)?), output),
        Command::Template(Template { name: Some(name) }) => {
            print(&Briefcase::template(name)?, output)
        }
        Command::Template(Template { name: None }) => templates(output),
        Command::Import(arguments) => import(&imported(arguments)?, output),
        Command::Schema => schema(output),
    }
}

/// Reads a briefcase from a file, or from standard input for `-`.
pub fn read(path: &Path) -> Result<Briefcase> {
    Ok(Briefcase::from_json(&text(path)?)?)
}

fn text(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Failure::file("read", Path::new("standard input"), &error))?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

fn check(path: &Path, output: &Output) -> Result<()> {
    let briefcase = read(path)?;
    let checked = Checked {
        file: path.display().to_string(),
        name: briefcase.name(),
        objects: briefcase.objects().collect(),
    };
    output.show(&checked, || {
        let objects = match checked.objects.as_slice() {
            [] => String::from("nothing: it has no rules"),
            objects => objects.join(", "),
        };
        vec![format!(
            "{} is a valid briefcase of {objects}",
            checked.file
        )]
    })?;
    output.note("objects and fields are checked against an org by `attache init`");
    Ok(())
}

fn print(briefcase: &Briefcase, output: &Output) -> Result<()> {
    let json = briefcase.to_json();
    let printed = Printed {
        briefcase: raw(&json)?,
    };
    output.show(&printed, || vec![json.clone()])
}

fn diff(diff: &BriefcaseDiff, output: &Output) -> Result<()> {
    let json = diff.to_json();
    output.show(&raw(&json)?, || vec![diff.to_string()])
}

fn templates(output: &Output) -> Result<()> {
    let names = Names {
        templates: Briefcase::templates().collect(),
    };
    output.show(&names, || {
        let lines = names.templates.iter();
        lines.map(|name| (*name).to_owned()).collect()
    })
}

fn imported(arguments: &Import) -> Result<BriefcaseImport> {
    let read = |path: &Option<PathBuf>| path.as_deref().map(text).transpose();
    if let Some(view) = read(&arguments.list_view)? {
        return Ok(Briefcase::from_list_view(&view)?);
    }
    if let Some(definition) = read(&arguments.definition)? {
        return Ok(Briefcase::from_briefcase_definition(&definition)?);
    }
    let syncs = read(&arguments.mobile_sync)?.unwrap_or_default();
    let store = read(&arguments.store)?;
    Ok(Briefcase::from_mobile_sync(&syncs, store.as_deref())?)
}

fn import(import: &BriefcaseImport, output: &Output) -> Result<()> {
    let json = import.briefcase.to_json();
    let view = Imported {
        briefcase: raw(&json)?,
        notes: &import.notes,
    };
    output.show(&view, || vec![json.clone()])?;
    // The document goes to stdout alone, so that it can be sent into a file.
    for note in &import.notes {
        output.note(format!("note: {note}"));
    }
    Ok(())
}

fn schema(output: &Output) -> Result<()> {
    let schema = Briefcase::json_schema().trim_end();
    let view = SchemaView {
        schema: raw(schema)?,
    };
    output.show(&view, || vec![schema.to_owned()])
}

/// JSON on one line, every value as it is written: a number keeps its digits.
fn raw(json: &str) -> Result<Box<RawValue>> {
    // A line never ends inside of a text: there it would be an escape.
    let line: String = json.lines().map(str::trim_start).collect();
    RawValue::from_string(line).map_err(|error| {
        Failure::new(
            attache::ErrorKind::Internal,
            format!("cannot print the result: {error}"),
        )
    })
}
