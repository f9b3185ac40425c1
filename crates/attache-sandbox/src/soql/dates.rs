//! What a date literal means on a given day, and the calendar functions.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The day a request is made on, and the calendar of who makes it.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    pub today: Date,
    pub zone: TimeZone,
    pub week_start: Weekday,
    /// First month of the fiscal year.
    pub fiscal_start: i8,
    /// A fiscal year bears the name of the year it begins in.
    pub fiscal_named_by_start: bool,
}

impl Calendar {
    /// Gives the first second of a day in the user's zone.
    pub(crate) fn midnight(&self, date: Date) -> i64 {
        match date.to_zoned(self.zone.clone()) {
            Ok(zoned) => zoned.timestamp().as_second(),
            Err(_) if date.year() > 0 => i64::MAX,
            Err(_) => i64::MIN,
        }
    }

    /// Gives the days a literal covers, the second one excluded.
    pub(crate) fn span(&self, name: &str, n: Option<i64>) -> Option<(Date, Date)> {
        let n = n.unwrap_or(0);
        let day = |from, to| Some((add_days(self.today, from), add_days(self.today, to)));
        match name {
            "YESTERDAY" => return day(-1, 0),
            "TODAY" => return day(0, 1),
            "TOMORROW" => return day(1, 2),
            "LAST_90_DAYS" => return day(-90, 1),
            "NEXT_90_DAYS" => return day(1, 91),
            // Today belongs to the last n days, but not to the next n.
            "LAST_N_DAYS" => return day(-n, 1),
            "NEXT_N_DAYS" => return day(1, n + 1),
            "N_DAYS_AGO" => return day(-n, 1 - n),
            _ => {}
        }
        let (unit, from, to) = [
            ("LAST_N_", -n, 0),
            ("NEXT_N_", 1, n + 1),
            ("N_", -n, 1 - n),
            ("THIS_", 0, 1),
            ("LAST_", -1, 0),
            ("NEXT_", 1, 2),
        ]
        .into_iter()
        .find_map(|(prefix, from, to)| Some((name.strip_prefix(prefix)?, from, to)))?;
        let unit = unit.strip_suffix("_AGO").unwrap_or(unit);
        let start = |steps| self.start(unit.strip_suffix('S').unwrap_or(unit), steps);
        Some((start(from)?, start(to)?))
    }

    /// Gives the first day of the unit that lies `steps` after the present one.
    fn start(&self, unit: &str, steps: i64) -> Option<Date> {
        let month = i64::from(self.today.year()) * 12 + i64::from(self.today.month()) - 1;
        let fiscal = i64::from(self.fiscal_start) - 1;
        let floor = |length: i64, origin: i64| month - (month - origin).rem_euclid(length);
        Some(match unit {
            "WEEK" => {
                let passed = self.today.weekday().since(self.week_start);
                add_days(self.today, steps.saturating_mul(7) - i64::from(passed))
            }
            "MONTH" => first_of(month.saturating_add(steps)),
            "QUARTER" => first_of(floor(3, 0).saturating_add(steps.saturating_mul(3))),
            "YEAR" => first_of(floor(12, 0).saturating_add(steps.saturating_mul(12))),
            "FISCAL_QUARTER" => first_of(floor(3, fiscal).saturating_add(steps.saturating_mul(3))),
            "FISCAL_YEAR" => first_of(floor(12, fiscal).saturating_add(steps.saturating_mul(12))),
            _ => return None,
        })
    }
}

/// Adds days; what no calendar holds becomes its first or last day.
fn add_days(date: Date, days: i64) -> Date {
    let span = jiff::Span::new().try_days(days);
    span.map_or(if days < 0 { Date::MIN } else { Date::MAX }, |span| {
        date.saturating_add(span)
    })
}

/// Gives the first day of a month counted from the year 0.
fn first_of(month: i64) -> Date {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let date = i16::try_from(year)
        .ok()
        .and_then(|year| Date::new(year, month as i8, 1).ok());
    date.unwrap_or(if year < 0 { Date::MIN } else { Date::MAX })
}

const UNITS: [&str; 6] = [
    "WEEK",
    "MONTH",
    "QUARTER",
    "YEAR",
    "FISCAL_QUARTER",
    "FISCAL_YEAR",
];

/// Says whether a date literal of this name takes a number; `None` if there is no such literal.
pub(crate) fn is_counted(name: &str) -> Option<bool> {
    match name {
        "YESTERDAY" | "TODAY" | "TOMORROW" | "LAST_90_DAYS" | "NEXT_90_DAYS" => return Some(false),
        "LAST_N_DAYS" | "NEXT_N_DAYS" | "N_DAYS_AGO" => return Some(true),
        _ => {}
    }
    let plural = |rest: &str| {
        rest.strip_suffix('S')
            .is_some_and(|unit| UNITS.contains(&unit))
    };
    let after = |prefix: &str| name.strip_prefix(prefix);
    if let Some(rest) = after("LAST_N_").or_else(|| after("NEXT_N_")) {
        return plural(rest).then_some(true);
    }
    if let Some(rest) = after("N_").and_then(|rest| rest.strip_suffix("_AGO")) {
        return plural(rest).then_some(true);
    }
    let rest = after("THIS_")
        .or_else(|| after("LAST_"))
        .or_else(|| after("NEXT_"))?;
    UNITS.contains(&rest).then_some(false)
}

/// Tells the first day of the week of a locale such as `de_DE`, as the Unicode CLDR has it.
pub(crate) fn week_start(locale: &str) -> Weekday {
    const SUNDAY: &str = "AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN JM JP KE KH KR LA MH MM MO MT MX MZ \
                          NI NP PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW";
    const SATURDAY: &str = "AE AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY";
    let mut parts = locale.split(['_', '-']);
    let language = parts.next().unwrap_or("");
    let region = parts
        .find(|part| part.len() == 2)
        .unwrap_or(if language == "en" { "US" } else { "" });
    let listed = |list: &str| list.split(' ').any(|one| one == region);
    match () {
        () if listed(SUNDAY) => Weekday::Sunday,
        () if listed(SATURDAY) => Weekday::Saturday,
        () => Weekday::Monday,
    }
}

/// A function of a day that gives a number (`DAY_ONLY` and `HOUR_IN_DAY` apart).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateFn {
    CalendarMonth,
    CalendarQuarter,
    CalendarYear,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    FiscalMonth,
    FiscalQuarter,
    FiscalYear,
    HourInDay,
    WeekInMonth,
    WeekInYear,
}

impl DateFn {
    pub(crate) fn of(name: &str) -> Option<DateFn> {
        Some(match name.to_ascii_uppercase().as_str() {
            "CALENDAR_MONTH" => DateFn::CalendarMonth,
            "CALENDAR_QUARTER" => DateFn::CalendarQuarter,
            "CALENDAR_YEAR" => DateFn::CalendarYear,
            "DAY_IN_MONTH" => DateFn::DayInMonth,
            "DAY_IN_WEEK" => DateFn::DayInWeek,
            "DAY_IN_YEAR" => DateFn::DayInYear,
            "DAY_ONLY" => DateFn::DayOnly,
            "FISCAL_MONTH" => DateFn::FiscalMonth,
            "FISCAL_QUARTER" => DateFn::FiscalQuarter,
            "FISCAL_YEAR" => DateFn::FiscalYear,
            "HOUR_IN_DAY" => DateFn::HourInDay,
            "WEEK_IN_MONTH" => DateFn::WeekInMonth,
            "WEEK_IN_YEAR" => DateFn::WeekInYear,
            _ => return None,
        })
    }

    /// Says whether the function reads an instant and not a day.
    pub(crate) fn needs_instant(self) -> bool {
        matches!(self, DateFn::DayOnly | DateFn::HourInDay)
    }

    /// Computes the number for a day.
    pub(crate) fn of_day(self, date: Date, calendar: &Calendar) -> i64 {
        let (year, month) = (i64::from(date.year()), i64::from(date.month()));
        let fiscal_start = i64::from(calendar.fiscal_start);
        let fiscal_month = (month - fiscal_start).rem_euclid(12) + 1;
        match self {
            DateFn::CalendarMonth => month,
            DateFn::CalendarQuarter => (month + 2) / 3,
            DateFn::CalendarYear => year,
            DateFn::DayInMonth | DateFn::DayOnly | DateFn::HourInDay => i64::from(date.day()),
            DateFn::DayInWeek => i64::from(date.weekday().to_sunday_one_offset()),
            DateFn::DayInYear => i64::from(date.day_of_year()),
            DateFn::FiscalMonth => fiscal_month,
            DateFn::FiscalQuarter => (fiscal_month + 2) / 3,
            DateFn::FiscalYear => {
                let ends_later = fiscal_start > 1 && !calendar.fiscal_named_by_start;
                year - i64::from(month < fiscal_start) + i64::from(ends_later)
            }
            DateFn::WeekInMonth => (i64::from(date.day()) + 6) / 7,
            DateFn::WeekInYear => (i64::from(date.day_of_year()) + 6) / 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(today: Date, week_start: Weekday, fiscal_start: i8) -> Calendar {
        Calendar {
            today,
            zone: TimeZone::UTC,
            week_start,
            fiscal_start,
            fiscal_named_by_start: false,
        }
    }

    fn span(name: &str, n: Option<i64>) -> String {
        // A Wednesday.
        let calendar = calendar(jiff::civil::date(2026, 7, 15), Weekday::Sunday, 4);
        let (from, to) = calendar.span(name, n).unwrap();
        format!("{from}..{to}")
    }

    #[test]
    fn literals_cover_the_days_of_the_table() {
        for (name, n, expected) in [
            ("YESTERDAY", None, "2026-07-14..2026-07-15"),
            ("TODAY", None, "2026-07-15..2026-07-16"),
            ("TOMORROW", None, "2026-07-16..2026-07-17"),
            ("LAST_90_DAYS", None, "2026-04-16..2026-07-16"),
            ("NEXT_90_DAYS", None, "2026-07-16..2026-10-14"),
            ("LAST_N_DAYS", Some(1), "2026-07-14..2026-07-16"),
            ("NEXT_N_DAYS", Some(1), "2026-07-16..2026-07-17"),
            ("N_DAYS_AGO", Some(2), "2026-07-13..2026-07-14"),
            ("THIS_WEEK", None, "2026-07-12..2026-07-19"),
            ("LAST_WEEK", None, "2026-07-05..2026-07-12"),
            ("NEXT_N_WEEKS", Some(2), "2026-07-19..2026-08-02"),
            ("N_WEEKS_AGO", Some(1), "2026-07-05..2026-07-12"),
            ("THIS_MONTH", None, "2026-07-01..2026-08-01"),
            ("LAST_N_MONTHS", Some(7), "2025-12-01..2026-07-01"),
            ("THIS_QUARTER", None, "2026-07-01..2026-10-01"),
            ("LAST_N_QUARTERS", Some(3), "2025-10-01..2026-07-01"),
            ("THIS_YEAR", None, "2026-01-01..2027-01-01"),
            ("NEXT_N_YEARS", Some(2), "2027-01-01..2029-01-01"),
            ("N_YEARS_AGO", Some(1), "2025-01-01..2026-01-01"),
            ("THIS_FISCAL_QUARTER", None, "2026-07-01..2026-10-01"),
            ("THIS_FISCAL_YEAR", None, "2026-04-01..2027-04-01"),
            ("LAST_N_FISCAL_YEARS", Some(2), "2024-04-01..2026-04-01"),
            ("N_FISCAL_QUARTERS_AGO", Some(2), "2026-01-01..2026-04-01"),
        ] {
            assert_eq!(is_counted(name), Some(n.is_some()), "{name}");
            assert_eq!(span(name, n), expected, "{name}");
        }
    }

    #[test]
    fn a_week_starts_where_the_locale_says() {
        assert_eq!(week_start("en_US"), Weekday::Sunday);
        assert_eq!(week_start("de_DE_EURO"), Weekday::Monday);
        assert_eq!(week_start("ar_EG"), Weekday::Saturday);
    }

    #[test]
    fn a_day_starts_when_the_clocks_say_so() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let calendar = Calendar {
            zone,
            ..calendar(jiff::civil::date(2026, 3, 29), Weekday::Monday, 1)
        };
        let (from, to) = calendar.span("TODAY", None).unwrap();
        assert_eq!(
            calendar.midnight(to) - calendar.midnight(from),
            23 * 3600,
            "the day the clocks go forward"
        );
    }

    #[test]
    fn counts_beyond_any_calendar_are_clamped() {
        assert_eq!(
            span("NEXT_N_YEARS", Some(100_000)),
            "2027-01-01..9999-12-31"
        );
        assert_eq!(
            span("LAST_N_DAYS", Some(100_000_000)),
            "-009999-01-01..2026-07-16"
        );
    }
}
