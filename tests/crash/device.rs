//! A device in a process of its own, for tests to kill and to starve of room.
//!
//! Arguments: the store's file, the org's address, an access token; then nothing to sync the store once,
//! or `edit` to edit its accounts until something fails. Says what it saved, a line each, and why it failed.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "how it speaks to its test"
)]

use attache::{Attache, RecordId};
use attache_salesforce::{Salesforce, StaticToken};
use attache_sim::wait;
use std::process::ExitCode;

/// Edits after which nothing is going to fail any more.
const EDITS_MAX: usize = 20_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [file, url, token] => sync(file, url, token),
        [file, _, _, "edit"] => edit(file),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{:?}: {error}", error.kind());
            ExitCode::FAILURE
        }
    }
}

fn sync(file: &str, url: &str, token: &str) -> attache::Result<()> {
    let org = Salesforce::new(url, StaticToken::new(token))?;
    let device = Attache::open(file)?.with_remote(org);
    wait(device.sync()).map(|_| ())
}

fn edit(file: &str) -> attache::Result<()> {
    let device = Attache::open(file)?;
    let rows = device.query("SELECT Id FROM Account ORDER BY Id")?;
    let ids: Vec<RecordId> = rows.filter_map(|row| row.id().cloned()).collect();
    for (n, id) in ids.iter().cycle().take(EDITS_MAX).enumerate() {
        let text = format!("{n} {}", "long ".repeat(800));
        device.update(id, [("Description", text.trim_end())])?;
        println!("{id} {n}");
    }
    Ok(())
}
