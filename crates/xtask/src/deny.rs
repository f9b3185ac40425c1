//! What may come into the house: licences, sources, bans; and what is known against what came.

use crate::run::{Done, Stop, command, quiet};
use crate::tools::{crate_program, find};
use crate::workspace::Workspace;
use std::process::Command;

/// Where weaknesses of crates are told. Both programs read it with git.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// Holds what deny.toml says of licences, sources and bans. It needs the crates, and no other network.
pub fn deny(workspace: &Workspace) -> Done {
    let program = crate_program(workspace, "cargo-deny")?;
    command(Command::new(program).current_dir(workspace.root()).args([
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}

/// Asks the database of advisories, by both programs that know it.
///
/// They mean the same by it: cargo-deny also says which crates were yanked and holds the exceptions of deny.toml with
/// their reasons; cargo-audit is what others ask for by name, and reads a lock file as it is, features or not. No
/// registry of crates has the database, so where its own place cannot be reached nothing is known, and that is told.
pub fn advisories(workspace: &Workspace) -> Done {
    let git = find("git").ok_or_else(|| Stop::Skipped("git is missing: install git".into()))?;
    let mut knock = Command::new(git);
    knock
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["ls-remote", "--quiet", DATABASE, "HEAD"]);
    if quiet(&mut knock).is_err() {
        return Err(Stop::Offline(format!(
            "no advisory was looked up: {DATABASE} cannot be reached from here"
        )));
    }
    let deny = crate_program(workspace, "cargo-deny")?;
    command(
        Command::new(deny)
            .current_dir(workspace.root())
            .args(["check", "advisories"]),
    )?;
    let audit = crate_program(workspace, "cargo-audit")?;
    command(
        Command::new(audit)
            .current_dir(workspace.root())
            .args(["audit", "--deny", "warnings"]),
    )
}
