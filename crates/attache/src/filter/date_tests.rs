//! Every literal of the table, on ordinary days and on those that are not.

use super::*;
use jiff::civil::Weekday;

fn context(now: &str, zone: &str) -> Context {
    let zone = TimeZone::get(zone).unwrap();
    Context::new("005", zone, ServerTime::parse(now).unwrap())
}

fn literal(text: &str) -> DateLiteral {
    let (word, count) = match text.split_once(':') {
        Some((word, count)) => (word, count.parse().ok()),
        None => (text, None),
    };
    DateLiteral::from_words(word, count).unwrap_or_else(|| panic!("{text}"))
}

fn days(text: &str, context: &Context) -> String {
    let range = literal(text).range(context);
    format!("{} {}", range.start, range.end)
}

#[test]
fn every_literal_has_its_range() {
    // A Wednesday; the fiscal year begins in October, the week on Sunday.
    let mut context = context("2024-03-13T10:00:00Z", "UTC");
    context.fiscal_year_start_month = 10;
    for (text, expected) in [
        ("YESTERDAY", "2024-03-12 2024-03-13"),
        ("TODAY", "2024-03-13 2024-03-14"),
        ("TOMORROW", "2024-03-14 2024-03-15"),
        ("LAST_90_DAYS", "2023-12-14 2024-03-14"),
        ("NEXT_90_DAYS", "2024-03-14 2024-06-12"),
        ("LAST_N_DAYS:1", "2024-03-12 2024-03-14"),
        ("LAST_N_DAYS:0", "2024-03-13 2024-03-14"),
        ("NEXT_N_DAYS:2", "2024-03-14 2024-03-16"),
        ("N_DAYS_AGO:2", "2024-03-11 2024-03-12"),
        ("LAST_WEEK", "2024-03-03 2024-03-10"),
        ("THIS_WEEK", "2024-03-10 2024-03-17"),
        ("NEXT_WEEK", "2024-03-17 2024-03-24"),
        ("LAST_N_WEEKS:2", "2024-02-25 2024-03-10"),
        ("NEXT_N_WEEKS:2", "2024-03-17 2024-03-31"),
        ("N_WEEKS_AGO:2", "2024-02-25 2024-03-03"),
        ("LAST_MONTH", "2024-02-01 2024-03-01"),
        ("THIS_MONTH", "2024-03-01 2024-04-01"),
        ("NEXT_MONTH", "2024-04-01 2024-05-01"),
        ("LAST_N_MONTHS:4", "2023-11-01 2024-03-01"),
        ("NEXT_N_MONTHS:10", "2024-04-01 2025-02-01"),
        ("N_MONTHS_AGO:3", "2023-12-01 2024-01-01"),
        ("LAST_QUARTER", "2023-10-01 2024-01-01"),
        ("THIS_QUARTER", "2024-01-01 2024-04-01"),
        ("NEXT_QUARTER", "2024-04-01 2024-07-01"),
        ("LAST_N_QUARTERS:2", "2023-07-01 2024-01-01"),
        ("NEXT_N_QUARTERS:2", "2024-04-01 2024-10-01"),
        ("N_QUARTERS_AGO:2", "2023-07-01 2023-10-01"),
        ("LAST_YEAR", "2023-01-01 2024-01-01"),
        ("THIS_YEAR", "2024-01-01 2025-01-01"),
        ("NEXT_YEAR", "2025-01-01 2026-01-01"),
        ("LAST_N_YEARS:2", "2022-01-01 2024-01-01"),
        ("NEXT_N_YEARS:2", "2025-01-01 2027-01-01"),
        ("N_YEARS_AGO:2", "2022-01-01 2023-01-01"),
        ("LAST_FISCAL_QUARTER", "2023-10-01 2024-01-01"),
        ("THIS_FISCAL_QUARTER", "2024-01-01 2024-04-01"),
        ("NEXT_FISCAL_QUARTER", "2024-04-01 2024-07-01"),
        ("LAST_N_FISCAL_QUARTERS:2", "2023-07-01 2024-01-01"),
        ("NEXT_N_FISCAL_QUARTERS:2", "2024-04-01 2024-10-01"),
        ("N_FISCAL_QUARTERS_AGO:2", "2023-07-01 2023-10-01"),
        ("LAST_FISCAL_YEAR", "2022-10-01 2023-10-01"),
        ("THIS_FISCAL_YEAR", "2023-10-01 2024-10-01"),
        ("NEXT_FISCAL_YEAR", "2024-10-01 2025-10-01"),
        ("LAST_N_FISCAL_YEARS:2", "2021-10-01 2023-10-01"),
        ("NEXT_N_FISCAL_YEARS:2", "2024-10-01 2026-10-01"),
        ("N_FISCAL_YEARS_AGO:2", "2021-10-01 2022-10-01"),
    ] {
        assert_eq!(days(text, &context), expected, "{text}");
        let again = literal(&literal(text).to_string());
        assert_eq!(again, literal(text), "{text}");
    }
}

#[test]
fn a_word_that_only_looks_like_a_literal_is_none() {
    for (word, count) in [
        ("THIS_DAY", None),
        ("LAST_N_DAYS", None),
        ("LAST_90_WEEKS", None),
        ("TODAY", Some(1)),
        ("LAST_N_DAY", Some(1)),
        ("N_WEEKS_AGO", None),
        ("N__AGO", Some(1)),
        ("LAST_N_DECADES", Some(1)),
    ] {
        assert_eq!(DateLiteral::from_words(word, count), None, "{word}");
    }
}

#[test]
fn the_week_begins_on_the_users_day() {
    for (start, expected) in [
        (Weekday::Sunday, "2024-03-10 2024-03-17"),
        (Weekday::Monday, "2024-03-11 2024-03-18"),
        (Weekday::Friday, "2024-03-08 2024-03-15"),
        (Weekday::Saturday, "2024-03-09 2024-03-16"),
        (Weekday::Wednesday, "2024-03-13 2024-03-20"),
    ] {
        let mut context = context("2024-03-13T10:00:00Z", "UTC");
        context.week_start = start;
        assert_eq!(days("THIS_WEEK", &context), expected, "{start:?}");
    }
}

#[test]
fn the_fiscal_year_begins_in_any_month() {
    for (now, month, year, quarter) in [
        (
            "2024-03-13T10:00:00Z",
            1,
            "2024-01-01 2025-01-01",
            "2024-01-01 2024-04-01",
        ),
        (
            "2024-03-13T10:00:00Z",
            2,
            "2024-02-01 2025-02-01",
            "2024-02-01 2024-05-01",
        ),
        (
            "2024-01-31T10:00:00Z",
            2,
            "2023-02-01 2024-02-01",
            "2023-11-01 2024-02-01",
        ),
        (
            "2024-03-13T10:00:00Z",
            4,
            "2023-04-01 2024-04-01",
            "2024-01-01 2024-04-01",
        ),
        (
            "2024-04-01T00:00:00Z",
            4,
            "2024-04-01 2025-04-01",
            "2024-04-01 2024-07-01",
        ),
        (
            "2024-11-30T10:00:00Z",
            12,
            "2023-12-01 2024-12-01",
            "2024-09-01 2024-12-01",
        ),
    ] {
        let mut context = context(now, "UTC");
        context.fiscal_year_start_month = month;
        assert_eq!(days("THIS_FISCAL_YEAR", &context), year, "{now} {month}");
        assert_eq!(
            days("THIS_FISCAL_QUARTER", &context),
            quarter,
            "{now} {month}"
        );
    }
}

#[test]
fn today_is_the_users_day_and_not_that_of_greenwich() {
    for (zone, expected) in [
        ("Pacific/Kiritimati", "2024-03-14 2024-03-15"),
        ("UTC", "2024-03-13 2024-03-14"),
        ("Pacific/Pago_Pago", "2024-03-12 2024-03-13"),
    ] {
        let context = context("2024-03-13T10:30:00Z", zone);
        assert_eq!(days("TODAY", &context), expected, "{zone}");
    }
}

#[test]
fn a_day_lasts_from_its_first_instant_to_that_of_the_next() {
    for (now, zone, start, end) in [
        // 23 and 25 hours.
        (
            "2024-03-10T18:00:00Z",
            "America/New_York",
            "2024-03-10T05:00:00Z",
            "2024-03-11T04:00:00Z",
        ),
        (
            "2024-11-03T18:00:00Z",
            "America/New_York",
            "2024-11-03T04:00:00Z",
            "2024-11-04T05:00:00Z",
        ),
        // Midnight is skipped: the day begins at 01:00.
        (
            "2018-11-04T12:00:00Z",
            "America/Sao_Paulo",
            "2018-11-04T03:00:00Z",
            "2018-11-05T02:00:00Z",
        ),
        // The hour before midnight comes twice.
        (
            "2018-02-17T12:00:00Z",
            "America/Sao_Paulo",
            "2018-02-17T02:00:00Z",
            "2018-02-18T03:00:00Z",
        ),
        // Midnight comes twice: the day begins with the first.
        (
            "2024-11-03T12:00:00Z",
            "America/Havana",
            "2024-11-03T04:00:00Z",
            "2024-11-04T05:00:00Z",
        ),
        // Half an hour of summer time.
        (
            "2024-04-07T00:00:00Z",
            "Australia/Lord_Howe",
            "2024-04-06T13:00:00Z",
            "2024-04-07T13:30:00Z",
        ),
    ] {
        let context = context(now, zone);
        let (from, to) = literal("TODAY")
            .range(&context)
            .instants(&context.time_zone);
        assert_eq!(
            (from.to_soql().as_str(), to.to_soql().as_str()),
            (start, end),
            "{now} {zone}"
        );
    }
}

#[test]
fn a_day_that_a_country_left_out_is_empty() {
    // Samoa crossed the date line: there was no 30 December 2011.
    let context = context("2011-12-29T12:00:00-10:00", "Pacific/Apia");
    let (from, to) = literal("TOMORROW")
        .range(&context)
        .instants(&context.time_zone);
    assert_eq!(from, to);
}

#[test]
fn a_month_ends_where_the_calendar_says() {
    for (now, text, expected) in [
        (
            "2024-03-31T12:00:00Z",
            "LAST_MONTH",
            "2024-02-01 2024-03-01",
        ),
        (
            "2023-12-31T12:00:00Z",
            "NEXT_MONTH",
            "2024-01-01 2024-02-01",
        ),
        ("2024-02-29T12:00:00Z", "LAST_YEAR", "2023-01-01 2024-01-01"),
        ("2024-01-01T00:00:00Z", "YESTERDAY", "2023-12-31 2024-01-01"),
    ] {
        assert_eq!(days(text, &context(now, "UTC")), expected, "{now} {text}");
    }
}

#[test]
fn a_count_beyond_the_calendar_stays_inside_of_it() {
    let context = context("2024-03-13T10:00:00Z", "Asia/Kolkata");
    for text in [
        "LAST_N_DAYS:4294967295",
        "NEXT_N_WEEKS:4294967295",
        "N_FISCAL_YEARS_AGO:4294967295",
        "NEXT_N_QUARTERS:4294967295",
    ] {
        let range = literal(text).range(&context);
        assert!(range.start <= range.end, "{text}");
        let (from, to) = range.instants(&context.time_zone);
        assert!(from <= to, "{text}");
    }
}
