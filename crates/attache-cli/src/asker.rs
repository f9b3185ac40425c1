//! Whom a query is asked for, and when: the options of `query` and `explain`.

use crate::error::{Failure, Result};
use attache::{Context, ServerTime};
use clap::Args;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// What date literals mean; what is left out is as the store knows its user.
#[derive(Args, Clone, Default)]
pub struct Asker {
    /// The current time, such as 2026-03-02T09:00:00Z.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<String>,
    /// The user's time zone, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// The first day of the user's week.
    #[arg(long, value_name = "DAY")]
    pub week_start: Option<String>,
    /// The first month of the fiscal year, 1 to 12.
    #[arg(long, value_name = "MONTH", allow_negative_numbers = true)]
    pub fiscal_start: Option<i64>,
}

impl Asker {
    /// Changes a context to what was said.
    pub fn apply(&self, context: &mut Context) -> Result<()> {
        if let Some(text) = &self.now {
            let now = text.parse::<jiff::Timestamp>().map_err(|_| {
                Failure::usage("the time cannot be read")
                    .hint("write it as RFC 3339, such as 2026-03-02T09:00:00Z")
            })?;
            context.now = ServerTime(now.as_second());
        }
        if let Some(name) = &self.tz {
            context.time_zone = TimeZone::get(name).map_err(|_| {
                Failure::usage("there is no time zone of this name")
                    .hint("use an IANA name, such as Europe/Berlin")
            })?;
        }
        if let Some(day) = &self.week_start {
            context.week_start = weekday(day).ok_or_else(|| {
                Failure::usage("there is no day of this name")
                    .hint("weeks begin on sunday, monday, friday or saturday")
            })?;
        }
        if let Some(month) = self.fiscal_start {
            let month = i8::try_from(month)
                .ok()
                .filter(|month| (1..=12).contains(month));
            context.fiscal_year_start_month = month
                .ok_or_else(|| Failure::usage("a fiscal year starts in a month from 1 to 12"))?;
        }
        Ok(())
    }

    /// Fills in what this asker leaves open from another.
    pub fn or(self, other: &Asker) -> Asker {
        Asker {
            now: self.now.or_else(|| other.now.clone()),
            tz: self.tz.or_else(|| other.tz.clone()),
            week_start: self.week_start.or_else(|| other.week_start.clone()),
            fiscal_start: self.fiscal_start.or(other.fiscal_start),
        }
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    let days = [
        ("sunday", Weekday::Sunday),
        ("monday", Weekday::Monday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
    ];
    days.into_iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, day)| day)
}
