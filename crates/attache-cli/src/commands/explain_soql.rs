//! `attache explain soql`: what statements and conditions are read as.

use super::explain_dates::context;
use crate::asker::Asker;
use crate::error::{Failure, Result};
use crate::lines;
use crate::output::Output;
use crate::store;
use attache::{Context, Error, ErrorKind, Filter, ObjectSchema, Schema, Select};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What an object is called that nobody named.
const UNNAMED: &str = "Record";

/// Against which schema.
#[derive(Args)]
pub struct Arguments {
    /// Take names and types from the describes of this store [default: as the statement uses them].
    #[arg(long, value_name = "FILE", conflicts_with = "describe")]
    store: Option<PathBuf>,
    /// Take names and types from the describes in this folder, a .json file each.
    #[arg(long, value_name = "DIR")]
    describe: Option<PathBuf>,
    /// The object that conditions are about; needed with --store and --describe.
    #[arg(long, value_name = "NAME")]
    object: Option<String>,
    #[command(flatten)]
    asker: Asker,
}

/// What a line came to.
#[derive(Serialize)]
struct Explained {
    ok: bool,
    error: Option<Refusal>,
    canonical: Option<String>,
    sql: Option<String>,
}

#[derive(Serialize)]
struct Refusal {
    message: String,
    position: Option<usize>,
    expected: Option<String>,
}

/// Explains each line of standard input.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let schema = match (&arguments.store, &arguments.describe) {
        (Some(file), _) => Some((*store::open(file)?.schema()?).clone()),
        (None, Some(folder)) => Some(described(folder)?),
        (None, None) => None,
    };
    let context = context(&arguments.asker)?;
    let object = arguments.object.as_deref();
    lines::each(|line| {
        output.data(&match line {
            Ok(line) if is_statement(line) => statement(line, schema.as_ref(), &context),
            Ok(line) => condition(line, schema.as_ref(), object, &context),
            Err(failure) => Explained::unread(&failure),
        })
    })
}

fn is_statement(line: &str) -> bool {
    let word = line.split_ascii_whitespace().next().unwrap_or_default();
    word.eq_ignore_ascii_case("SELECT")
}

fn statement(line: &str, schema: Option<&Schema>, context: &Context) -> Explained {
    let select = match Select::parse(line) {
        Ok(select) => select,
        Err(error) => return Explained::refused(None, &error),
    };
    let sql = match schema {
        Some(schema) => select.to_sql(schema, context),
        None => select
            .sketch()
            .and_then(|schema| select.to_sql(&schema, context)),
    };
    Explained::new(select.to_string(), sql)
}

fn condition(
    line: &str,
    schema: Option<&Schema>,
    object: Option<&str>,
    context: &Context,
) -> Explained {
    let filter = match Filter::parse(line) {
        Ok(filter) => filter,
        Err(error) => return Explained::refused(None, &error),
    };
    let sql = match (schema, object) {
        (Some(schema), Some(object)) => filter.to_sql(schema, object, context),
        (Some(_), None) => Err(Error::new(
            ErrorKind::InvalidArgument,
            "a condition does not say what it is about: name the object with --object",
        )),
        (None, object) => {
            let object = object.unwrap_or(UNNAMED);
            filter
                .sketch(object)
                .and_then(|schema| filter.to_sql(&schema, object, context))
        }
    };
    Explained::new(filter.to_string(), sql)
}

impl Explained {
    fn new(canonical: String, sql: attache::Result<String>) -> Explained {
        match sql {
            Ok(sql) => Explained {
                ok: true,
                error: None,
                canonical: Some(canonical),
                sql: Some(sql),
            },
            Err(error) => Explained::refused(Some(canonical), &error),
        }
    }

    fn unread(failure: &Failure) -> Explained {
        Explained {
            ok: false,
            error: Some(Refusal {
                message: failure.sentence(),
                position: None,
                expected: None,
            }),
            canonical: None,
            sql: None,
        }
    }

    fn refused(canonical: Option<String>, error: &Error) -> Explained {
        Explained {
            ok: false,
            error: Some(Refusal {
                message: error.to_string(),
                position: error.position(),
                expected: error.expected().map(str::to_owned),
            }),
            canonical,
            sql: None,
        }
    }
}

/// Reads a folder of describes.
fn described(folder: &Path) -> Result<Schema> {
    let cannot = |error| Failure::file("read the describes in", folder, &error);
    let mut schema = Schema::default();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::file("read the describe", &path, &error))?;
        let object = ObjectSchema::from_describe(&text).map_err(|_| {
            Failure::usage(format!("{} is not a describe", path.display()))
                .hint("a describe is what GET /services/data/vXX.X/sobjects/NAME/describe answers")
        })?;
        schema.insert(object);
    }
    if schema.objects().is_empty() {
        return Err(Failure::usage(format!(
            "there is no describe in {}",
            folder.display()
        )));
    }
    Ok(schema)
}
