//! For whom and when a query is asked, as JSON.

use crate::error::{Error, Result};
use crate::filter::{Context, FiscalYearName};
use crate::record::ServerTime;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

const DAYS: [(&str, Weekday); 7] = [
    ("sunday", Weekday::Sunday),
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
];

const NAMES: [(&str, FiscalYearName); 2] = [
    ("start", FiscalYearName::Start),
    ("end", FiscalYearName::End),
];

impl Serialize for Context {
    /// Writes `{user_id, time_zone, week_start, fiscal_year_start_month, fiscal_year_name, now}`; the zone is an IANA
    /// name, null for one without.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Context {
            user_id,
            time_zone,
            week_start,
            fiscal_year_start_month,
            fiscal_year_name,
            now,
        } = self;
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("user_id", user_id)?;
        map.serialize_entry("time_zone", &time_zone.iana_name())?;
        map.serialize_entry("week_start", &name_of(&DAYS, *week_start))?;
        map.serialize_entry("fiscal_year_start_month", fiscal_year_start_month)?;
        map.serialize_entry("fiscal_year_name", &name_of(&NAMES, *fiscal_year_name))?;
        map.serialize_entry("now", &now.to_soql())?;
        map.end()
    }
}

/// What is said differently.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    user_id: Option<String>,
    time_zone: Option<String>,
    week_start: Option<String>,
    fiscal_year_start_month: Option<i8>,
    fiscal_year_name: Option<String>,
    now: Option<String>,
}

impl Context {
    /// Changes what a JSON object names, in the form that a context serializes to; null and what is left out stay.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) for anything else.
    ///
    /// # Examples
    /// ```
    /// use attache::{Context, ServerTime};
    ///
    /// let context = Context::new("005000000000001AAA", jiff::tz::TimeZone::UTC, ServerTime(0));
    /// let in_rome = context.with_json(r#"{"time_zone": "Europe/Rome", "week_start": "monday"}"#)?;
    /// assert_eq!(in_rome.time_zone.iana_name(), Some("Europe/Rome"));
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn with_json(mut self, json: &str) -> Result<Context> {
        let said: Said = serde_json::from_str(json)
            .map_err(|error| Error::invalid(format!("the context cannot be read: {error}")))?;
        if let Some(user) = said.user_id {
            self.user_id = user;
        }
        if let Some(zone) = said.time_zone {
            self.time_zone = TimeZone::get(&zone)
                .map_err(|_| Error::invalid("there is no time zone of this name"))?;
        }
        if let Some(day) = said.week_start {
            self.week_start = named(&DAYS, &day)
                .ok_or_else(|| Error::invalid("week_start is the name of a day, in lower case"))?;
        }
        if let Some(month) = said.fiscal_year_start_month {
            if !(1..=12).contains(&month) {
                return Err(Error::invalid("fiscal_year_start_month is 1 to 12"));
            }
            self.fiscal_year_start_month = month;
        }
        if let Some(name) = said.fiscal_year_name {
            self.fiscal_year_name = named(&NAMES, &name)
                .ok_or_else(|| Error::invalid("fiscal_year_name is \"start\" or \"end\""))?;
        }
        if let Some(now) = said.now {
            self.now = ServerTime::parse(&now)
                .ok_or_else(|| Error::invalid("now is an instant such as 2026-03-02T09:00:00Z"))?;
        }
        Ok(self)
    }
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> Option<&'static str> {
    let found = names.iter().find(|(_, own)| *own == value);
    found.map(|(name, _)| *name)
}

fn named<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    let found = names.iter().find(|(own, _)| *own == name);
    found.map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        Context::new("005000000000001AAA", zone, ServerTime(1_795_339_800))
    }

    #[test]
    fn a_context_reads_what_it_prints() {
        let mut other = context();
        other.week_start = Weekday::Monday;
        other.fiscal_year_start_month = 4;
        other.fiscal_year_name = FiscalYearName::Start;
        let json = serde_json::to_string(&other).expect("it prints");
        assert_eq!(
            json,
            concat!(
                r#"{"user_id":"005000000000001AAA","time_zone":"Europe/Berlin","week_start":"monday","#,
                r#""fiscal_year_start_month":4,"fiscal_year_name":"start","now":"2026-11-22T09:30:00Z"}"#
            )
        );
        let read = context().with_json(&json).expect("a context");
        assert_eq!(serde_json::to_string(&read).expect("it prints"), json);
    }

    #[test]
    fn what_is_no_context_is_refused() {
        for json in [
            "",
            "[]",
            r#"{"zone": "UTC"}"#,
            r#"{"time_zone": "Middle/Earth"}"#,
            r#"{"week_start": "Monday"}"#,
            r#"{"fiscal_year_start_month": 13}"#,
            r#"{"fiscal_year_name": "middle"}"#,
            r#"{"now": "noon"}"#,
        ] {
            assert!(context().with_json(json).is_err(), "{json}");
        }
    }
}
