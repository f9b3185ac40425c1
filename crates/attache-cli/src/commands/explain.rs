//! `attache explain`: shows what the engine makes of something, for people who debug.

use super::{explain_dates, explain_merge, explain_soql};
use crate::error::Result;
use crate::output::Output;
use clap::Subcommand;

/// What to explain.
#[derive(Subcommand)]
pub enum Arguments {
    /// Read a SOQL statement or condition per line, and print as JSON what it is read as.
    Soql(explain_soql::Arguments),
    /// Print the days that date literals stand for, as JSON, a line each.
    Dates(explain_dates::Arguments),
    /// Read base, local and remote of a record per line, and print as JSON what a merge makes of each field.
    Merge(explain_merge::Arguments),
}

/// Explains.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    match arguments {
        Arguments::Soql(arguments) => explain_soql::run(arguments, output),
        Arguments::Dates(arguments) => explain_dates::run(arguments, output),
        Arguments::Merge(arguments) => explain_merge::run(arguments, output),
    }
}
