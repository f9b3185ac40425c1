//! `attache explain dates`: the days that date literals stand for.

use crate::asker::Asker;
use crate::error::{Failure, Result};
use crate::output::Output;
use attache::{Context, Env, ServerTime, SystemEnv};
use clap::Args;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Which literals, and for whom.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    asker: Asker,
    /// Date literals, such as TODAY or LAST_N_WEEKS:2.
    #[arg(value_name = "LITERAL", required = true)]
    literals: Vec<String>,
}

/// The days of a literal, and the same span in UTC; the end is not inside.
#[derive(Serialize)]
struct Range<'a> {
    literal: &'a str,
    start: String,
    end: String,
    start_at: String,
    end_at: String,
}

/// Prints the range of each literal.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let context = context(&arguments.asker)?;
    for literal in &arguments.literals {
        let range = context
            .dates(literal)
            .map_err(|error| Failure::from(error).in_query(literal))?;
        let (from, to) = range.instants(&context.time_zone);
        output.data(&Range {
            literal,
            start: range.start.to_string(),
            end: range.end.to_string(),
            start_at: from.to_soql(),
            end_at: to.to_soql(),
        })?;
    }
    Ok(())
}

/// The context of somebody without a store: now, in UTC, unless they say otherwise.
pub fn context(asker: &Asker) -> Result<Context> {
    let now = ServerTime(SystemEnv.now().0.div_euclid(1000));
    let mut context = Context::new("", TimeZone::UTC, now);
    asker.apply(&mut context)?;
    Ok(context)
}
