//! `attache export`, `import`, `inspect` and `wipe`: what was not sent, and the file it is in.

use super::conflicts::conflict_lines;
use super::journal::mutation_lines;
use crate::error::{Failure, Result};
use crate::output::{self, Output};
use crate::store;
use attache::{Conflict, ErrorKind, Imported, Inspection, Mutation, Unsent};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where the passphrase comes from. Never an argument: those are seen by everybody on the machine.
#[derive(Args)]
struct Passphrase {
    /// Read the passphrase from this file; its first line counts.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    fn read(&self) -> Result<Option<String>> {
        let Some(path) = &self.passphrase_file else {
            return Ok(None);
        };
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::file("read the passphrase file", path, &error))?;
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(Some(line.to_owned())),
            _ => Err(Failure::usage(format!(
                "the passphrase file {} begins with an empty line",
                path.display()
            ))),
        }
    }
}

/// Which store, and where the work goes.
#[derive(Args)]
pub struct Export {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The file to make; it must not exist.
    #[arg(value_name = "OUT")]
    to: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Save what is left in a store that no longer opens.
    #[arg(long)]
    salvage: bool,
}

/// Which store, and where the work comes from.
#[derive(Args)]
pub struct Import {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The file that `attache export` made.
    #[arg(value_name = "IN")]
    from: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Which store, and whether unsent work goes with it.
#[derive(Args)]
pub struct Wipe {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// Destroy edits that were not sent as well.
    #[arg(long)]
    discard_unsent: bool,
}

#[derive(Serialize)]
struct Exported {
    file: String,
    bytes: usize,
    sealed: bool,
}

#[derive(Serialize)]
struct InspectionView<'a> {
    store: String,
    format: i32,
    org_id: Option<&'a str>,
    user_id: Option<&'a str>,
    username: Option<&'a str>,
    records: BTreeMap<&'a str, u64>,
    pending: &'a [Mutation],
    conflicts: &'a [Conflict],
    damage: &'a [String],
}

#[derive(Serialize)]
struct Wiped {
    wiped: String,
}

/// Copies what was not sent into a file.
pub fn export(arguments: &Export, output: &Output) -> Result<()> {
    let passphrase = arguments.passphrase.read()?;
    let bytes = if arguments.salvage {
        attache::salvage_with(&arguments.store, store::options(), passphrase.as_deref())?
    } else {
        store::open(&arguments.store)?.export_unsent(passphrase.as_deref())?
    };
    write_new(&arguments.to, &bytes)
        .map_err(|error| Failure::file("write the export", &arguments.to, &error))?;
    let view = Exported {
        file: arguments.to.display().to_string(),
        bytes: bytes.len(),
        sealed: passphrase.is_some(),
    };
    output.show(&view, || {
        let seal = if view.sealed { ", sealed" } else { "" };
        vec![format!("{} has what was not sent{seal}", view.file)]
    })?;
    output.note(format!("next: attache import OTHER-STORE {}", view.file));
    Ok(())
}

/// Writes a file that nobody else can read and that was not there; it is on the disk on return.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file must not be taken for the work.
        let _ = fs::remove_file(path);
    }
    written
}

/// Takes in the work of another device.
pub fn import(arguments: &Import, output: &Output) -> Result<()> {
    let bytes = fs::read(&arguments.from)
        .map_err(|error| Failure::file("read the export", &arguments.from, &error))?;
    let passphrase = arguments.passphrase.read()?;
    let store = store::open(&arguments.store)?;
    let imported = store.import_unsent(&bytes, passphrase.as_deref())?;
    output.show(&imported, || import_lines(&imported))?;
    if imported.conflicts > 0 {
        output.note(format!(
            "next: attache conflicts {}",
            arguments.store.display()
        ));
    }
    Ok(())
}

fn import_lines(imported: &Imported) -> Vec<String> {
    let mut lines = vec![format!(
        "{} came in, {} already there, {}",
        output::count(imported.mutations, "edit", "edits"),
        imported.already_there,
        output::count(imported.conflicts, "conflict", "conflicts"),
    )];
    lines.extend(
        imported
            .withdrawn
            .iter()
            .map(|id| format!("{id} is kept: one device deleted it, the other edited it")),
    );
    lines.extend(imported.waiting.iter().map(|id| {
        format!("{id} is in conflict or on its way here: settle that, then import once more")
    }));
    lines
}

/// Shows what a store's file holds, without touching it.
pub fn inspect(path: &Path, output: &Output) -> Result<()> {
    let found = attache::inspect_with(path, store::options())?;
    let view = InspectionView {
        store: path.display().to_string(),
        format: found.format,
        org_id: found.org_id.as_deref(),
        user_id: found.user_id.as_deref(),
        username: found.username.as_deref(),
        records: found
            .records
            .iter()
            .map(|(object, count)| (object.as_str(), *count))
            .collect(),
        pending: &found.unsent,
        conflicts: &found.conflicts,
        damage: &found.damage,
    };
    output.show(&view, || inspection_lines(&view.store, &found))?;
    if !found.damage.is_empty() {
        output.note(format!("next: attache export --salvage {} OUT", view.store));
    }
    Ok(())
}

fn inspection_lines(store: &str, found: &Inspection) -> Vec<String> {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    let mut lines = vec![
        format!("store      {store} (format {})", found.format),
        format!("org        {}", or(&found.org_id)),
        format!("user       {}", or(&found.username)),
    ];
    lines.extend(
        found
            .damage
            .iter()
            .map(|damage| format!("damage     {damage}")),
    );
    lines.extend(output::record_counts(
        found.records.iter().map(|(object, count)| (object, count)),
    ));
    lines.push(String::new());
    lines.extend(mutation_lines(&found.unsent));
    for conflict in &found.conflicts {
        lines.push(String::new());
        lines.extend(conflict_lines(conflict));
    }
    lines
}

/// Destroys a store.
pub fn wipe(arguments: &Wipe, output: &Output) -> Result<()> {
    let unsent = if arguments.discard_unsent {
        Unsent::Discard
    } else {
        Unsent::Refuse
    };
    let path = arguments.store.display().to_string();
    store::open(&arguments.store)?
        .wipe(unsent)
        .map_err(|error| {
            let is_unsent = error.kind() == ErrorKind::UnsentWork;
            let failure = Failure::from(error);
            if is_unsent {
                failure.hint(format!(
                    "`attache export {path} OUT` saves it; --discard-unsent destroys it"
                ))
            } else {
                failure
            }
        })?;
    output.show(
        &Wiped {
            wiped: path.clone(),
        },
        || vec![format!("{path} is wiped")],
    )
}
