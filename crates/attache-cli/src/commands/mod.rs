//! One module per family of commands: arguments, what they do, what they print.

mod briefcase;
mod conflicts;
mod explain;
mod explain_dates;
mod explain_merge;
mod explain_soql;
mod files;
mod holds;
mod init;
mod journal;
mod layout;
mod login;
mod logout;
mod query;
mod records;
mod rekey;
mod sandbox;
mod search;
mod status;
mod sync;
mod unsent;
mod watch;

pub use conflicts::conflict_lines;
pub use sync::{ReportView, block_on};

use crate::demo;
use crate::error::Result;
use crate::output::Output;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Show the whole product at work: two devices, a day offline, and the way home.
    Demo(demo::Arguments),
    /// Run a Salesforce-like org on this machine until interrupted.
    Sandbox(sandbox::Arguments),
    /// Sign in with a browser, and keep what that gives in a file.
    Login(login::Arguments),
    /// Sign out: end what `login` keeps, at the org and on this machine. Stores stay as they are.
    Logout(logout::Arguments),
    /// Make a store for a briefcase of an org.
    Init(init::Arguments),
    /// Check, print, compare and make documents that say what a device takes along.
    #[command(subcommand)]
    Briefcase(briefcase::Command),
    /// Bring a store and its org into step.
    Sync(sync::Arguments),
    /// Show what a store holds and what waits.
    Status(Place),
    /// Tell what a briefcase would bring and take away; changes nothing.
    DryRun(holds::Try),
    /// List what each rule of the briefcase holds.
    Rules(Place),
    /// Say what holds a record on this device.
    Why(records::One),
    /// Keep a record whatever the briefcase says; the next sync fetches it.
    Pin(records::One),
    /// Leave a pinned record to the briefcase again.
    Unpin(records::One),
    /// Bring records that the briefcase leaves out, for a while.
    Fetch(holds::Fetch),
    /// Ask a store a SOQL question; nothing leaves the device.
    Query(query::Arguments),
    /// Find records by their words; nothing leaves the device.
    Search(search::Arguments),
    /// Show how a form for an object's records is laid out; nothing leaves the device.
    Layout(layout::Arguments),
    /// Show what the engine makes of a query or a date literal.
    #[command(subcommand)]
    Explain(explain::Arguments),
    /// Show one record.
    Get(records::One),
    /// Create a record; the next sync sends it.
    New(records::New),
    /// Change fields of a record; the next sync sends them.
    Set(records::Set),
    /// Delete a record; the next sync deletes it at the org.
    Delete(records::One),
    /// List the files of a record, and say which are on the device.
    Files(records::One),
    /// Attach a file to a record; the next sync sends it.
    Attach(files::Attach),
    /// Save a file of a record.
    File(files::Save),
    /// List the edits that the org has not confirmed.
    Pending(Place),
    /// Take an unsent edit back.
    Discard(journal::Arguments),
    /// Send a rejected edit again with the next sync.
    Retry(journal::Retry),
    /// List what both sides changed.
    Conflicts(Place),
    /// Settle a conflict.
    Resolve(conflicts::Arguments),
    /// Copy what was not sent into a file, to keep or for another device.
    Export(unsent::Export),
    /// Take in what another device of the same user did not send.
    Import(unsent::Import),
    /// Show what a store's file holds without touching it, a damaged one too.
    Inspect(Place),
    /// Encrypt a store with another key, or for the first time.
    Rekey(rekey::Arguments),
    /// Destroy a store and its records.
    Wipe(unsent::Wipe),
}

/// Which store.
#[derive(Args)]
pub struct Place {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
}

/// Does what was asked.
pub fn run(command: Command, output: &Output) -> Result<ExitCode> {
    match command {
        Command::Demo(arguments) => return demo::run(&arguments, output),
        Command::Sandbox(arguments) => sandbox::run(&arguments, output),
        Command::Login(arguments) => login::run(&arguments, output),
        Command::Logout(arguments) => logout::run(&arguments, output),
        Command::Init(arguments) => init::run(&arguments, output),
        Command::Briefcase(command) => briefcase::run(&command, output),
        Command::Sync(arguments) => sync::run(&arguments, output),
        Command::Status(place) => status::run(&place.store, output),
        Command::DryRun(arguments) => holds::dry_run(&arguments, output),
        Command::Rules(place) => holds::rules(&place.store, output),
        Command::Why(arguments) => holds::why(&arguments, output),
        Command::Pin(arguments) => holds::pin(&arguments, output),
        Command::Unpin(arguments) => holds::unpin(&arguments, output),
        Command::Fetch(arguments) => holds::fetch(&arguments, output),
        Command::Query(arguments) => query::run(&arguments, output),
        Command::Search(arguments) => search::run(&arguments, output),
        Command::Layout(arguments) => layout::run(&arguments, output),
        Command::Explain(arguments) => explain::run(&arguments, output),
        Command::Get(arguments) => records::get(&arguments, output),
        Command::New(arguments) => records::new(&arguments, output),
        Command::Set(arguments) => records::set(&arguments, output),
        Command::Delete(arguments) => records::delete(&arguments, output),
        Command::Files(arguments) => files::list(&arguments, output),
        Command::Attach(arguments) => files::attach(&arguments, output),
        Command::File(arguments) => files::save(&arguments, output),
        Command::Pending(place) => journal::pending(&place.store, output),
        Command::Discard(arguments) => journal::discard(&arguments, output),
        Command::Retry(arguments) => journal::retry(&arguments, output),
        Command::Conflicts(place) => conflicts::list(&place.store, output),
        Command::Resolve(arguments) => conflicts::resolve(&arguments, output),
        Command::Export(arguments) => unsent::export(&arguments, output),
        Command::Import(arguments) => unsent::import(&arguments, output),
        Command::Inspect(place) => unsent::inspect(&place.store, output),
        Command::Rekey(arguments) => rekey::run(&arguments, output),
        Command::Wipe(arguments) => unsent::wipe(&arguments, output),
    }?;
    Ok(ExitCode::SUCCESS)
}
