//! Rules of the house that no compiler holds (DESIGN.md section 2, style B1 to B3).

mod claims;
mod graph;
mod licences;
mod text;
mod words;

use crate::run::{Done, failed, io_failed};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file and what it is called from the root.
struct Source {
    name: String,
    text: String,
}

/// Checks all rules and tells every breach.
pub fn run(workspace: &Workspace) -> Done {
    let sources = sources(workspace)?;
    let mut breaches = Vec::new();
    for source in &sources {
        text::check(source, &mut breaches);
        words::check(source, &mut breaches);
    }
    graph::check(workspace, &mut breaches);
    graph::check_planted(workspace, &mut breaches);
    licences::check(workspace, &mut breaches)?;
    claims::check(workspace, &mut breaches)?;
    map(workspace, &mut breaches)?;
    unwinding(workspace, &mut breaches)?;
    for breach in &breaches {
        eprintln!("{breach}");
    }
    match breaches.len() {
        0 => Ok(()),
        1 => Err(failed("1 breach of the rules")),
        many => Err(failed(format!("{many} breaches of the rules"))),
    }
}

/// Every Rust file of ours.
fn sources(workspace: &Workspace) -> Done<Vec<Source>> {
    let mut files = Vec::new();
    for folder in ["crates", "examples", "benches", "fuzz", "tests"] {
        collect(&workspace.path(folder), &mut files)?;
    }
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(workspace.root()).unwrap_or(&path);
            Ok(Source {
                name: name.to_string_lossy().into_owned(),
                text: fs::read_to_string(&path).map_err(io_failed("read", &path))?,
            })
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Done {
    let entries = fs::read_dir(folder).map_err(io_failed("read", folder))?;
    for entry in entries {
        let path = entry.map_err(io_failed("read", folder))?.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// ARCHITECTURE.md has a line for each folder of crates/.
fn map(workspace: &Workspace, breaches: &mut Vec<String>) -> Done {
    let path = workspace.path("ARCHITECTURE.md");
    // A map that is not there says nothing.
    let map = fs::read_to_string(&path).unwrap_or_default();
    let crates = workspace.path("crates");
    for entry in fs::read_dir(&crates).map_err(io_failed("read", &crates))? {
        let name = entry
            .map_err(io_failed("read", &crates))?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !map.contains(&format!("crates/{name}")) {
            breaches.push(format!(
                "ARCHITECTURE.md: does not say what crates/{name} is"
            ));
        }
    }
    Ok(())
}

/// A panic can be stopped at the C boundary only if it unwinds.
fn unwinding(workspace: &Workspace, breaches: &mut Vec<String>) -> Done {
    let path = workspace.path("Cargo.toml");
    let manifest = fs::read_to_string(&path).map_err(io_failed("read", &path))?;
    if manifest.contains("panic = \"abort\"") || !manifest.contains("panic = \"unwind\"") {
        breaches.push("Cargo.toml: profiles must say panic = \"unwind\"".into());
    }
    Ok(())
}
