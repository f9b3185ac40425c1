//! Relative date literals and the days they stand for.

use super::context::Context;
use crate::record::ServerTime;
use jiff::civil::Date;
use jiff::{Span, tz::TimeZone};
use std::fmt;

/// A span of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
    FiscalQuarter,
    FiscalYear,
}

/// Which of its units a literal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Last,
    This,
    Next,
    LastN(u32),
    NextN(u32),
    Ago(u32),
}

/// A date literal that is relative to now: `TODAY`, `LAST_N_FISCAL_QUARTERS:2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateLiteral {
    pub(crate) which: Which,
    pub(crate) unit: Unit,
}

/// Days from `start` up to, but without, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// The first day.
    pub start: Date,
    /// The first day that is no longer inside.
    pub end: Date,
}

const UNITS: [(Unit, &str); 7] = [
    (Unit::Day, "DAY"),
    (Unit::Week, "WEEK"),
    (Unit::Month, "MONTH"),
    (Unit::Quarter, "QUARTER"),
    (Unit::Year, "YEAR"),
    (Unit::FiscalQuarter, "FISCAL_QUARTER"),
    (Unit::FiscalYear, "FISCAL_YEAR"),
];

impl DateLiteral {
    /// Reads a literal and, of the counted ones, the count behind the colon.
    ///
    /// `None` if there is no such literal, or it has a count and should not, or the reverse.
    pub(crate) fn from_words(word: &str, count: Option<u32>) -> Option<DateLiteral> {
        let word = word.to_ascii_uppercase();
        let (which, unit) = match (word.as_str(), count) {
            ("YESTERDAY", None) => (Which::Last, Unit::Day),
            ("TODAY", None) => (Which::This, Unit::Day),
            ("TOMORROW", None) => (Which::Next, Unit::Day),
            ("LAST_90_DAYS", None) => (Which::LastN(90), Unit::Day),
            ("NEXT_90_DAYS", None) => (Which::NextN(90), Unit::Day),
            (word, None) => {
                let (which, unit) = word.split_once('_')?;
                let which = match which {
                    "LAST" => Which::Last,
                    "THIS" => Which::This,
                    "NEXT" => Which::Next,
                    _ => return None,
                };
                (which, unit_of(unit).filter(|unit| *unit != Unit::Day)?)
            }
            (word, Some(n)) => {
                let (which, units) = if let Some(units) = word.strip_prefix("LAST_N_") {
                    (Which::LastN(n), units)
                } else if let Some(units) = word.strip_prefix("NEXT_N_") {
                    (Which::NextN(n), units)
                } else {
                    let units = word.strip_prefix("N_")?.strip_suffix("_AGO")?;
                    (Which::Ago(n), units)
                };
                (which, unit_of(units.strip_suffix('S')?)?)
            }
        };
        Some(DateLiteral { which, unit })
    }

    /// Says whether a word is the name of a literal that wants a count.
    pub(crate) fn wants_count(word: &str) -> bool {
        DateLiteral::from_words(word, Some(1)).is_some()
    }

    /// The days that the literal stands for, as the user sees the calendar.
    ///
    /// # Source
    /// The table of the reference, section 4.4.
    pub(crate) fn range(self, context: &Context) -> DateRange {
        let today = context.today();
        let first = match self.unit {
            Unit::Day => today,
            Unit::Week => {
                let days = today.weekday().since(context.week_start);
                add(today, Span::new().days(-i64::from(days)))
            }
            Unit::Month => today.first_of_month(),
            Unit::Quarter => months(today, -((i64::from(today.month()) - 1) % 3)),
            Unit::Year => months(today, 1 - i64::from(today.month())),
            Unit::FiscalQuarter => months(today, -(context.fiscal_month(today) % 3)),
            Unit::FiscalYear => months(today, -context.fiscal_month(today)),
        };
        let (from, to) = match self.which {
            Which::Last => (-1, 0),
            Which::This => (0, 1),
            Which::Next => (1, 2),
            // Days are the one unit of which "the last n" takes in the current one.
            Which::LastN(n) if self.unit == Unit::Day => (-i64::from(n), 1),
            Which::LastN(n) => (-i64::from(n), 0),
            Which::NextN(n) => (1, 1 + i64::from(n)),
            Which::Ago(n) => (-i64::from(n), 1 - i64::from(n)),
        };
        DateRange {
            start: self.unit.step(first, from),
            end: self.unit.step(first, to),
        }
    }
}

impl Unit {
    /// Moves the first day of a unit by so many units.
    fn step(self, first: Date, count: i64) -> Date {
        match self {
            Unit::Day => add(first, bounded_days(count)),
            Unit::Week => add(first, bounded_days(count.saturating_mul(7))),
            Unit::Month => months(first, count),
            Unit::Quarter | Unit::FiscalQuarter => months(first, count.saturating_mul(3)),
            Unit::Year | Unit::FiscalYear => months(first, count.saturating_mul(12)),
        }
    }
}

impl DateRange {
    /// The first second of the range in a time zone, and the first one after it.
    ///
    /// A day begins with its first instant: where a clock change skips midnight
    /// that is 01:00, and where midnight comes twice it is the first.
    pub fn instants(self, zone: &TimeZone) -> (ServerTime, ServerTime) {
        (midnight(self.start, zone), midnight(self.end, zone))
    }
}

fn midnight(day: Date, zone: &TimeZone) -> ServerTime {
    let second = match day.to_zoned(zone.clone()) {
        Ok(zoned) => zoned.timestamp().as_second(),
        // Only at the very ends of the calendar.
        Err(_) if day.year() < 0 => jiff::Timestamp::MIN.as_second(),
        Err(_) => jiff::Timestamp::MAX.as_second(),
    };
    ServerTime(second)
}

fn unit_of(name: &str) -> Option<Unit> {
    UNITS
        .iter()
        .find(|(_, own)| *own == name)
        .map(|(unit, _)| *unit)
}

fn bounded_days(count: i64) -> Span {
    const DAYS_MAX: i64 = 7_000_000;
    Span::new().days(count.clamp(-DAYS_MAX, DAYS_MAX))
}

/// The first day of the month that lies so many months away.
fn months(day: Date, count: i64) -> Date {
    const MONTHS_MAX: i64 = 230_000;
    let span = Span::new().months(count.clamp(-MONTHS_MAX, MONTHS_MAX));
    add(day.first_of_month(), span)
}

/// Adds, and stays inside of the calendar.
fn add(day: Date, span: Span) -> Date {
    day.saturating_add(span)
}

impl fmt::Display for DateLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS
            .iter()
            .find(|(unit, _)| *unit == self.unit)
            .map_or("DAY", |(_, name)| name);
        match (self.which, self.unit) {
            (Which::Last, Unit::Day) => f.write_str("YESTERDAY"),
            (Which::This, Unit::Day) => f.write_str("TODAY"),
            (Which::Next, Unit::Day) => f.write_str("TOMORROW"),
            (Which::Last, _) => write!(f, "LAST_{unit}"),
            (Which::This, _) => write!(f, "THIS_{unit}"),
            (Which::Next, _) => write!(f, "NEXT_{unit}"),
            (Which::LastN(n), _) => write!(f, "LAST_N_{unit}S:{n}"),
            (Which::NextN(n), _) => write!(f, "NEXT_N_{unit}S:{n}"),
            (Which::Ago(n), _) => write!(f, "N_{unit}S_AGO:{n}"),
        }
    }
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
