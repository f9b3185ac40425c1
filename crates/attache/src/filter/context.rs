//! Who asks, where and when: what a condition means beyond its words.

use super::date::DateRange;
use crate::error::Result;
use crate::record::ServerTime;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// Whom a query is evaluated for, and when.
///
/// The same condition holds for other records tomorrow, in another time zone or
/// for another user. Nothing of this is read from the device: what is here is
/// all there is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    /// The user's id, in its 18-character form: what the scope `mine` means.
    pub user_id: String,
    /// The user's time zone: where days begin.
    pub time_zone: TimeZone,
    /// The first day of the week.
    pub week_start: Weekday,
    /// The first month of the org's fiscal year, 1 to 12.
    pub fiscal_year_start_month: i8,
    /// Which calendar year a fiscal year is named after.
    pub fiscal_year_name: FiscalYearName,
    /// The current time.
    pub now: ServerTime,
}

/// Which calendar year a fiscal year is named after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FiscalYearName {
    /// The year in which it begins.
    Start,
    /// The year in which it ends.
    #[default]
    End,
}

/// When an org's fiscal year begins, and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FiscalYear {
    /// Its first month, 1 to 12.
    pub start_month: i8,
    /// Which calendar year it is named after.
    pub name: FiscalYearName,
}

impl FiscalYear {
    /// Reads the text that a store keeps.
    pub(crate) fn parse(text: &str) -> Option<FiscalYear> {
        let (month, name) = text.split_once(' ')?;
        let start_month = month
            .parse()
            .ok()
            .filter(|month| (1..=12).contains(month))?;
        let name = match name {
            "start" => FiscalYearName::Start,
            "end" => FiscalYearName::End,
            _ => return None,
        };
        Some(FiscalYear { start_month, name })
    }
}

/// The text that a store keeps.
impl std::fmt::Display for FiscalYear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.name {
            FiscalYearName::Start => "start",
            FiscalYearName::End => "end",
        };
        write!(f, "{} {name}", self.start_month)
    }
}

impl Context {
    /// Makes a context with weeks from Sunday and fiscal years from January.
    pub fn new(user_id: impl Into<String>, time_zone: TimeZone, now: ServerTime) -> Context {
        Context {
            user_id: user_id.into(),
            time_zone,
            week_start: Weekday::Sunday,
            fiscal_year_start_month: 1,
            fiscal_year_name: FiscalYearName::default(),
            now,
        }
    }

    /// The first day of the week in a locale of the server (`en_US`, `de`, `zh_Hant_TW`).
    ///
    /// # Source
    /// `weekData` of the Unicode CLDR. A language without a country is taken for
    /// the country that CLDR holds for likely.
    pub fn week_start_of_locale(locale: &str) -> Weekday {
        const FRIDAY: &str = "MV";
        const SATURDAY: &str = "AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY";
        const SUNDAY: &str = "AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN JM JP \
            KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE \
            VI WS YE ZA ZW";
        let country = country(locale);
        let among = |countries: &str| countries.split_ascii_whitespace().any(|own| own == country);
        if among(SUNDAY) {
            Weekday::Sunday
        } else if among(SATURDAY) {
            Weekday::Saturday
        } else if among(FRIDAY) {
            Weekday::Friday
        } else {
            Weekday::Monday
        }
    }

    /// The days that a relative date literal stands for (`TODAY`, `LAST_N_WEEKS:2`).
    ///
    /// # Errors
    /// [`MalformedQuery`](crate::ErrorKind::MalformedQuery) if there is no such literal.
    ///
    /// # Examples
    /// ```
    /// use attache::{Context, ServerTime};
    ///
    /// let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    /// let context = Context::new("005000000000001AAA", zone, ServerTime(1_710_072_000));
    /// let today = context.dates("today")?;
    /// assert_eq!(today.start.to_string(), "2024-03-10");
    /// // The clocks go forward: the day has 23 hours.
    /// let (from, to) = today.instants(&context.time_zone);
    /// assert_eq!(to.0 - from.0, 23 * 3600);
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn dates(&self, literal: &str) -> Result<DateRange> {
        super::value::relative(literal).map(|literal| literal.range(self))
    }

    /// The day that it is for the user.
    pub(crate) fn today(&self) -> Date {
        self.local(self.now).date()
    }

    /// An instant as the user's clock shows it.
    pub(crate) fn local(&self, instant: ServerTime) -> jiff::civil::DateTime {
        self.time_zone.to_datetime(timestamp(instant))
    }

    /// How many months of the fiscal year lie before the month of a day: 0 to 11.
    pub(crate) fn fiscal_month(&self, day: Date) -> i64 {
        (i64::from(day.month()) - i64::from(self.fiscal_year_start_month)).rem_euclid(12)
    }
}

/// An instant as jiff has it, kept inside of the calendar.
pub(crate) fn timestamp(instant: ServerTime) -> jiff::Timestamp {
    jiff::Timestamp::from_second(instant.0).unwrap_or(if instant.0 < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    })
}

/// The country of a locale: its own, or the likely one of its language.
fn country(locale: &str) -> String {
    /// Languages whose likely country does not begin its week on Monday.
    const LIKELY: &[(&str, &str)] = &[
        ("am", "ET"),
        ("ar", "EG"),
        ("bn", "BD"),
        ("dv", "MV"),
        ("en", "US"),
        ("fa", "IR"),
        ("fil", "PH"),
        ("gu", "IN"),
        ("he", "IL"),
        ("hi", "IN"),
        ("id", "ID"),
        ("in", "ID"),
        ("iw", "IL"),
        ("ja", "JP"),
        ("km", "KH"),
        ("kn", "IN"),
        ("ko", "KR"),
        ("lo", "LA"),
        ("ml", "IN"),
        ("mr", "IN"),
        ("mt", "MT"),
        ("my", "MM"),
        ("ne", "NP"),
        ("pa", "IN"),
        ("ps", "AF"),
        ("pt", "BR"),
        ("sw", "TZ"),
        ("ta", "IN"),
        ("te", "IN"),
        ("th", "TH"),
        ("tl", "PH"),
        ("ur", "PK"),
        ("zu", "ZA"),
        ("af", "ZA"),
        ("xh", "ZA"),
    ];
    let mut parts = locale.split(['_', '-']);
    let language = parts.next().unwrap_or_default().to_ascii_lowercase();
    // A script has four letters (`zh_Hant_TW`), a country two.
    if let Some(country) = parts.find(|part| part.len() == 2) {
        return country.to_ascii_uppercase();
    }
    LIKELY
        .iter()
        .find(|(own, _)| *own == language)
        .map_or_else(String::new, |(_, country)| String::from(*country))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_begins_with_the_users_country() {
        for (locale, day) in [
            ("en_US", Weekday::Sunday),
            ("en_GB", Weekday::Monday),
            ("en_AU", Weekday::Monday),
            ("de", Weekday::Monday),
            ("de_DE_EURO", Weekday::Monday),
            ("pt_BR", Weekday::Sunday),
            ("pt_PT", Weekday::Sunday),
            ("ar_EG", Weekday::Saturday),
            ("ar_AE", Weekday::Monday),
            ("ar", Weekday::Saturday),
            ("dv_MV", Weekday::Friday),
            ("ja", Weekday::Sunday),
            ("zh_CN", Weekday::Monday),
            ("zh_Hant_TW", Weekday::Sunday),
            ("th_TH_TH", Weekday::Sunday),
            ("iw", Weekday::Sunday),
            ("en", Weekday::Sunday),
            ("fr-CA", Weekday::Sunday),
            ("", Weekday::Monday),
        ] {
            assert_eq!(Context::week_start_of_locale(locale), day, "{locale}");
        }
    }
}
