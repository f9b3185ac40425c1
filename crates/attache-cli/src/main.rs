//! The `attache` command: a store of CRM records that works offline, from a shell.
//!
//! Data goes to stdout, messages and progress to stderr. With `--json` every
//! command prints one JSON object, and an error is one too (`{"error": {...}}`).
//! The exit code is 0 when all went well, 2 for a call that can never work (bad
//! arguments, a query that cannot be read, an unknown object or field), 130 when
//! it was interrupted, and 1 for everything else.

mod asker;
mod commands;
mod demo;
mod error;
mod lines;
mod listener;
mod output;
mod progress;
mod store;
mod tokens;

use clap::Parser;
use error::Failure;
use output::Output;
use std::path::PathBuf;
use std::process::ExitCode;

/// Takes CRM records offline and brings every edit home.
#[derive(Parser)]
#[command(name = "attache", version, disable_help_subcommand = true)]
struct Cli {
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Open an encrypted store with the key in this file: 64 hex digits, or a passphrase.
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let output = Output::new(cli.json);
    let done =
        store::use_key(cli.key_file.as_deref()).and_then(|()| commands::run(cli.command, &output));
    match done {
        Ok(code) => code,
        Err(failure) => output.fail(&failure),
    }
}

/// Prints what clap has to say: help and version on stdout, anything else as an error.
fn refuse(error: &clap::Error) -> ExitCode {
    // Nothing is left to try when even this cannot be printed.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|argument| argument == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let sentence = first.strip_prefix("error: ").unwrap_or(first);
        let _ = Output::new(true).data(&error::Envelope::of(&Failure::usage(sentence)));
    }
    ExitCode::from(error::USAGE)
}
