//! Parts of dates and datetimes.

use crate::filter::ast::DateFunction;
use crate::filter::{Context as Asker, FiscalYearName, timestamp};
use crate::record::ServerTime;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use rusqlite::functions::Context;
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Error, Result};

/// Names a time zone so that [`zone_of`] finds it again.
pub(super) fn zone_name(zone: &TimeZone, now: ServerTime) -> String {
    match zone.iana_name() {
        Some(name) => String::from(name),
        // A zone without a name has one offset, or none that we could ask for by another time.
        None => zone.to_offset(timestamp(now)).seconds().to_string(),
    }
}

fn zone_of(name: &str) -> Result<TimeZone, Box<dyn std::error::Error + Send + Sync>> {
    match name.parse::<i32>() {
        Ok(seconds) => Ok(TimeZone::fixed(Offset::from_seconds(seconds)?)),
        Err(_) => Ok(TimeZone::get(name)?),
    }
}

/// `attache_date(part, value, zone, fiscal_month, fiscal_name)`.
///
/// The value is a day as text or an instant in seconds; the zone counts for instants only.
pub(super) fn date_part(context: &Context<'_>) -> Result<Sql> {
    let outside = |message: &str| Error::UserFunctionError(message.into());
    let local = match context.get_raw(1) {
        ValueRef::Text(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<Date>().ok())
            .map(DateTime::from),
        ValueRef::Integer(second) => {
            let zone = context.get_or_create_aux(2, |name| {
                let name = name.as_str().map_err(|error| Box::new(error) as Box<_>)?;
                zone_of(name)
            })?;
            Some(zone.to_datetime(timestamp(ServerTime(second))))
        }
        _ => None,
    };
    let Some(local) = local else {
        return Ok(Sql::Null);
    };
    let word = context.get::<String>(0)?;
    let function =
        DateFunction::from_word(&word).ok_or_else(|| outside("there is no such part of a date"))?;
    let fiscal_start = context.get::<i64>(3)?;
    let fiscal_name = match context.get::<i64>(4)? {
        0 => FiscalYearName::Start,
        _ => FiscalYearName::End,
    };
    Ok(part(function, local, fiscal_start, fiscal_name))
}

/// How `attache_date` is told of the fiscal year.
pub(super) fn fiscal(asker: &Asker) -> (i64, i64) {
    let name = match asker.fiscal_year_name {
        FiscalYearName::Start => 0,
        FiscalYearName::End => 1,
    };
    (i64::from(asker.fiscal_year_start_month), name)
}

fn part(function: DateFunction, local: DateTime, start: i64, name: FiscalYearName) -> Sql {
    let day = local.date();
    let month = i64::from(day.month());
    let fiscal_month = (month - start).rem_euclid(12);
    Sql::Integer(match function {
        DateFunction::CalendarMonth => month,
        DateFunction::CalendarQuarter => (month - 1) / 3 + 1,
        DateFunction::CalendarYear => i64::from(day.year()),
        DateFunction::DayInMonth => i64::from(day.day()),
        DateFunction::DayInWeek => i64::from(day.weekday().to_sunday_one_offset()),
        DateFunction::DayInYear => i64::from(day.day_of_year()),
        DateFunction::DayOnly => return Sql::Text(day.to_string()),
        DateFunction::FiscalMonth => fiscal_month + 1,
        DateFunction::FiscalQuarter => fiscal_month / 3 + 1,
        DateFunction::FiscalYear => {
            let begins_in = i64::from(day.year()) - i64::from(month < start);
            match name {
                FiscalYearName::End if start > 1 => begins_in + 1,
                _ => begins_in,
            }
        }
        DateFunction::HourInDay => i64::from(local.hour()),
        DateFunction::WeekInMonth => (i64::from(day.day()) - 1) / 7 + 1,
        DateFunction::WeekInYear => (i64::from(day.day_of_year()) - 1) / 7 + 1,
    })
}
