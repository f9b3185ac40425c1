//! `attache conflicts` and `attache resolve`: what both sides changed.

use crate::commands::records;
use crate::error::{Failure, Result};
use crate::output::{self, Output};
use crate::store;
use attache::{
    Attache, Conflict, ConflictId, ConflictKind, ErrorKind, Keep, RecordId, Resolution, Value,
};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which conflict, and how it ends.
#[derive(Args)]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The conflict's number, as `attache conflicts` shows it, or its record's id.
    id: String,
    #[command(flatten)]
    choice: Choice,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Choice {
    /// Keep this device's values.
    #[arg(long)]
    mine: bool,
    /// Take the org's values.
    #[arg(long)]
    theirs: bool,
    /// Decide field by field: Phone=mine, Phone=theirs, Phone=value:555-0100 or Phone=later.
    #[arg(long = "field", value_name = "FIELD=CHOICE")]
    fields: Vec<String>,
}

#[derive(Serialize)]
struct ConflictsView<'a> {
    conflicts: &'a [Conflict],
}

#[derive(Serialize)]
struct Resolved {
    resolved: i64,
    conflicts: u64,
    pending: u64,
}

/// Lists the open conflicts.
pub fn list(path: &Path, output: &Output) -> Result<()> {
    let conflicts = store::open(path)?.conflicts()?;
    let view = ConflictsView {
        conflicts: &conflicts,
    };
    output.show(&view, || {
        if conflicts.is_empty() {
            return vec!["no conflicts".into()];
        }
        conflicts
            .iter()
            .flat_map(|conflict| conflict_lines(conflict).into_iter().chain([String::new()]))
            .collect()
    })?;
    if let Some(first) = conflicts.first() {
        output.note(format!(
            "next: attache resolve {} {} --mine (or --theirs, --field …)",
            path.display(),
            first.id.0
        ));
    }
    Ok(())
}

/// A conflict for a person: a headline, then field × base, mine, theirs.
pub fn conflict_lines(conflict: &Conflict) -> Vec<String> {
    let title = conflict
        .title
        .as_deref()
        .unwrap_or(conflict.record.as_str());
    let who = conflict.changed_by.as_deref().unwrap_or("somebody");
    let when = conflict
        .changed_at
        .map(|time| format!(" at {}", output::server_time(time)))
        .unwrap_or_default();
    let what = match conflict.kind {
        ConflictKind::Fields => format!("changed by {who}{when}"),
        ConflictKind::DeletedAtRemote if conflict.changed_by.is_some() => {
            format!("deleted by {who}{when}")
        }
        ConflictKind::DeletedAtRemote => "gone from the org".into(),
        ConflictKind::DeletedHere => format!("deleted here, changed by {who}{when}"),
    };
    let rows: Vec<Vec<String>> = conflict
        .fields
        .iter()
        .map(|field| {
            let (mut mine, mut theirs) = (
                output::display(&field.local),
                output::display(&field.remote),
            );
            match conflict.kind {
                ConflictKind::Fields => {}
                ConflictKind::DeletedAtRemote => theirs = "deleted".into(),
                ConflictKind::DeletedHere => mine = "deleted".into(),
            }
            vec![
                field.label.clone(),
                output::display(&field.base),
                mine,
                theirs,
            ]
        })
        .collect();
    let mut lines = vec![format!(
        "conflict {}: {} “{title}”, {what}",
        conflict.id.0, conflict.object
    )];
    let table = output::table(&["field", "base", "mine", "theirs"], &rows);
    lines.extend(table.into_iter().map(|line| format!("  {line}")));
    lines
}

/// Settles a conflict.
pub fn resolve(arguments: &Arguments, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let conflict = find(&store, &arguments.id)?;
    let resolution = match &arguments.choice {
        Choice { mine: true, .. } => Resolution::Mine,
        Choice { theirs: true, .. } => Resolution::Theirs,
        Choice { fields, .. } => per_field(&store, &conflict, fields)?,
    };
    store.resolve(conflict.id, resolution)?;
    let status = store.status()?;
    let resolved = Resolved {
        resolved: conflict.id.0,
        conflicts: status.conflicts,
        pending: status.pending,
    };
    output.show(&resolved, || {
        let left = output::count(resolved.conflicts, "conflict", "conflicts");
        vec![format!(
            "conflict {} is resolved; {left} left, {} to send",
            resolved.resolved, resolved.pending
        )]
    })
}

fn find(store: &Attache, id: &str) -> Result<Conflict> {
    let conflicts = store.conflicts()?;
    let found = match id.parse::<i64>() {
        Ok(number) => conflicts
            .into_iter()
            .find(|conflict| conflict.id == ConflictId(number)),
        Err(_) => {
            let record = RecordId::parse(id)?;
            conflicts
                .into_iter()
                .find(|conflict| conflict.record == record)
        }
    };
    found.ok_or_else(|| {
        Failure::new(
            ErrorKind::RecordNotFound,
            format!("there is no open conflict {id}"),
        )
        .hint("`attache conflicts FILE` lists them")
    })
}

fn per_field(store: &Attache, conflict: &Conflict, choices: &[String]) -> Result<Resolution> {
    let object = records::object(store, &conflict.object)?;
    let mut keeps = BTreeMap::new();
    for choice in choices {
        let (name, keep) = choice
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("{choice:?} is not of the form FIELD=CHOICE")))?;
        let name = object.field(name).map_or(name, |field| &field.name);
        let keep = match (keep, keep.strip_prefix("value:")) {
            ("mine", _) => Keep::Mine,
            ("theirs", _) => Keep::Theirs,
            ("later", _) => Keep::Later,
            (_, Some(text)) => {
                let typed = [(name.to_owned(), text.to_owned())].into();
                let fields = records::write_fields(&object, &typed)?;
                Keep::Value(fields.get(name).cloned().unwrap_or(Value::Null))
            }
            _ => {
                return Err(Failure::usage(format!(
                    "{keep:?} is not a choice for {name}: mine, theirs, later or value:…"
                )));
            }
        };
        keeps.insert(name.to_owned(), keep);
    }
    Ok(Resolution::PerField(keeps))
}
