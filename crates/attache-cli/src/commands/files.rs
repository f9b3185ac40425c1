//! `attache files`, `attach` and `file`: what hangs on records.

use super::block_on;
use crate::error::{Failure, Result};
use crate::output::{self, Output};
use crate::store;
use crate::tokens::Token;
use attache::{FileInfo, FileState, RecordId};
use clap::Args;
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file for a record.
#[derive(Args)]
pub struct Attach {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The record's id: the org's, or one that starts with local-.
    id: String,
    /// The file to attach.
    path: PathBuf,
}

/// A file to save.
#[derive(Args)]
pub struct Save {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The file's id, as `attache files` lists it.
    #[arg(value_name = "FILEID")]
    id: String,
    /// Where to; nothing is overwritten.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// Bring it from the org first, if it is not on the device.
    #[arg(long)]
    fetch: bool,
    #[command(flatten)]
    token: Token,
}

#[derive(Serialize)]
struct ListView<'a> {
    record: &'a str,
    files: Vec<FileView<'a>>,
}

#[derive(Serialize)]
struct FileView<'a> {
    id: &'a str,
    title: &'a str,
    name: String,
    bytes: u64,
    state: &'static str,
    bytes_here: u64,
    problem: Option<&'a str>,
}

impl<'a> FileView<'a> {
    fn of(file: &'a FileInfo) -> FileView<'a> {
        let (state, bytes_here) = match file.state {
            FileState::Absent => ("absent", 0),
            FileState::Partial { bytes } => ("partial", bytes),
            FileState::Queued => ("queued", file.bytes),
            _ => ("present", file.bytes),
        };
        FileView {
            id: file.id.as_str(),
            title: &file.title,
            name: file.file_name(),
            bytes: file.bytes,
            state,
            bytes_here,
            problem: file.problem.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Attached<'a> {
    id: &'a str,
    record: &'a str,
    pending: u64,
}

#[derive(Serialize)]
struct Saved<'a> {
    id: &'a str,
    file: String,
    bytes: u64,
}

/// Lists the files of a record.
pub fn list(arguments: &super::records::One, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let record = RecordId::parse(&arguments.id)?;
    let files = store.files(&record)?;
    let view = ListView {
        record: record.as_str(),
        files: files.iter().map(FileView::of).collect(),
    };
    output.show(&view, || {
        if view.files.is_empty() {
            return vec!["no files are known of this record".into()];
        }
        let rows: Vec<Vec<String>> = view
            .files
            .iter()
            .map(|file| {
                let state = file.problem.unwrap_or(file.state);
                vec![
                    file.id.into(),
                    output::cut(&file.name),
                    output::grouped(file.bytes),
                    state.into(),
                ]
            })
            .collect();
        output::table(&["id", "name", "bytes", "state"], &rows)
    })
}

/// Attaches a file to a record.
pub fn attach(arguments: &Attach, output: &Output) -> Result<()> {
    let store = store::open(&arguments.store)?;
    let record = RecordId::parse(&arguments.id)?;
    let unreadable = |error: io::Error| Failure::file("read the file", &arguments.path, &error);
    let file = File::open(&arguments.path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(Failure::usage(format!(
            "{} is a folder",
            arguments.path.display()
        )));
    }
    let name = arguments.path.file_name().unwrap_or_default();
    let id = store.attach(&record, &name.to_string_lossy(), file)?;
    let view = Attached {
        id: id.as_str(),
        record: record.as_str(),
        pending: store.status()?.pending,
    };
    output.show(&view, || vec![view.id.to_owned()])?;
    output.note(format!("attached to {record}; {} to send", view.pending));
    Ok(())
}

/// Saves a file, and brings it from the org first if that is wanted.
pub fn save(arguments: &Save, output: &Output) -> Result<()> {
    let id = RecordId::parse(&arguments.id)?;
    let store = match arguments.fetch {
        true => store::open_online(&arguments.store, &arguments.token)?,
        false => store::open(&arguments.store)?,
    };
    let here = store
        .file(&id)?
        .is_some_and(|file| matches!(file.state, FileState::Present | FileState::Queued));
    if arguments.fetch && !here {
        block_on(store.fetch_file(&id).into_future())??;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let file = options
        .open(&arguments.out)
        .map_err(|error| Failure::file("write the file", &arguments.out, &error))?;
    let bytes = write(&store, &id, file).inspect_err(|_| forget(&arguments.out))?;
    let view = Saved {
        id: id.as_str(),
        file: arguments.out.display().to_string(),
        bytes,
    };
    output.show(&view, || {
        vec![format!(
            "{} has {} bytes",
            view.file,
            output::grouped(bytes)
        )]
    })
}

fn write(store: &attache::Attache, id: &RecordId, file: File) -> Result<u64> {
    let mut file = BufWriter::new(file);
    let bytes = store.read_file(id, &mut file).map_err(|error| {
        let absent = error.kind() == attache::ErrorKind::NotReady;
        let failure = Failure::from(error);
        match absent {
            true => failure.hint("add --fetch to bring it from the org"),
            false => failure,
        }
    })?;
    file.flush()
        .map_err(|error| Failure::usage(format!("the file cannot be written: {error}")))?;
    Ok(bytes)
}

/// Half a file must not be taken for the whole.
fn forget(path: &Path) {
    let _ = fs::remove_file(path);
}
