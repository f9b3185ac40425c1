//! `attache init`: makes a store.

use crate::error::{Failure, Result};
use crate::output::Output;
use crate::store::{self, URL_KEY};
use crate::tokens::Token;
use attache::{Attache, Briefcase, ErrorKind};
use clap::Args;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// What a new store is made of.
#[derive(Args)]
pub struct Arguments {
    /// The file to make.
    #[arg(long, value_name = "FILE")]
    store: PathBuf,
    /// The org's own address, such as `https://acme.my.salesforce.com`.
    #[arg(long)]
    url: String,
    /// The briefcase document: what to take along.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present_any = ["everything", "template"],
        conflicts_with_all = ["everything", "template"]
    )]
    briefcase: Option<PathBuf>,
    /// Take a template instead: see `attache briefcase template`.
    #[arg(long, value_name = "NAME", conflicts_with = "everything")]
    template: Option<String>,
    /// Take every record of these objects instead of a briefcase: Account,Contact.
    #[arg(long, value_name = "OBJECTS", value_delimiter = ',')]
    everything: Option<Vec<String>>,
    #[command(flatten)]
    token: Token,
}

#[derive(Serialize)]
struct Made<'a> {
    store: String,
    url: &'a str,
    username: Option<String>,
    objects: Vec<String>,
}

/// Makes a store whose briefcase was checked against the org; leaves nothing behind if that fails.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let target = &arguments.store;
    if target.exists() {
        return Err(
            Failure::usage(format!("{} exists already", target.display()))
                .hint("choose another file; a store is never overwritten"),
        );
    }
    let briefcase = briefcase(arguments)?;
    let remote = store::remote(&arguments.url, arguments.token.provider()?)?;
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // The store grows up in a folder of its own and is moved in when it is complete.
    let nursery = tempfile::Builder::new()
        .prefix(".attache-init-")
        .tempdir_in(folder)
        .map_err(|error| Failure::file("make a store in", folder, &error))?;
    let young = nursery.path().join("store");
    let attache = Attache::open_with(&young, store::options())?.with_remote(remote);
    attache.set_host_value(URL_KEY, &arguments.url)?;
    attache.set_briefcase(briefcase)?;
    crate::commands::block_on(attache.prepare())??;
    let made = Made {
        store: target.display().to_string(),
        url: &arguments.url,
        username: attache.status()?.username,
        objects: attache
            .schema()?
            .objects()
            .iter()
            .map(|object| object.name.clone())
            .collect(),
    };
    drop(attache);
    move_in(&young, target)?;
    output.show(&made, || {
        let who = made.username.as_deref().unwrap_or("an unknown user");
        vec![format!("made {} for {who} at {}", made.store, made.url)]
    })?;
    output.note(format!("next: attache sync {}", made.store));
    Ok(())
}

fn briefcase(arguments: &Arguments) -> Result<Briefcase> {
    if let Some(objects) = &arguments.everything {
        let objects: Vec<&str> = objects
            .iter()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
            .collect();
        if objects.is_empty() {
            return Err(Failure::usage("--everything names no object"));
        }
        return Ok(Briefcase::everything(objects));
    }
    if let Some(name) = &arguments.template {
        return Ok(Briefcase::template(name)?);
    }
    super::briefcase::read(arguments.briefcase.as_deref().unwrap_or(Path::new("")))
}

/// Moves a finished store to its place, unless something has appeared there meanwhile.
fn move_in(young: &Path, target: &Path) -> Result<()> {
    let mut log = young.as_os_str().to_owned();
    log.push("-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(Failure::new(
            ErrorKind::Internal,
            "the new store was not closed",
        ));
    }
    // A link, unlike a rename, never replaces a file; some file systems have no links.
    match fs::hard_link(young, target) {
        Ok(()) => Ok(()),
        Err(_) if !target.exists() => fs::rename(young, target)
            .map_err(|error| Failure::file("make the store", target, &error)),
        Err(error) => Err(Failure::file("make the store", target, &error)),
    }
}
