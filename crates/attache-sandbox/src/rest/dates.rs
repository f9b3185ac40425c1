//! The dates of headers and parameters. All are whole seconds since 1970-01-01T00:00:00Z.

use jiff::{
    Timestamp,
    fmt::rfc2822::{DateTimeParser, DateTimePrinter},
    tz::TimeZone,
};

/// Reads an HTTP date, `Tue, 11 Aug 2026 00:00:00 GMT`. The day may have one digit and the weekday
/// may be wrong: recorded clients send both.
pub(crate) fn parse_http(text: &str) -> Option<i64> {
    let parser = DateTimeParser::new().relaxed_weekday(true);
    parser
        .parse_timestamp(text.trim())
        .ok()
        .map(Timestamp::as_second)
}

/// Prints an HTTP date.
pub(crate) fn print_http(seconds: i64) -> String {
    let printed = Timestamp::from_second(seconds).ok().and_then(|stamp| {
        DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&stamp)
            .ok()
    });
    printed.unwrap_or_else(|| "Thu, 01 Jan 1970 00:00:00 GMT".into())
}

/// Reads a dateTime parameter: `2024-01-31T08:00:00Z`, with any offset, with or without its colon.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    // A `+` that nobody encoded arrives as a blank.
    let text = text.trim().replace(' ', "+");
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Prints a dateTime as row JSON has it: `2024-01-31T08:00:00.000+0000`.
pub(crate) fn print_iso(seconds: i64) -> String {
    format(seconds, "%Y-%m-%dT%H:%M:%S.000+0000")
}

/// Prints a dateTime as the identity answer has it: `2024-01-31T08:00:00Z`.
pub(crate) fn print_iso_utc(seconds: i64) -> String {
    format(seconds, "%Y-%m-%dT%H:%M:%SZ")
}

/// Prints a dateTime as the results of list views have it: `Fri Aug 01 21:15:46 GMT 2014`.
pub(crate) fn print_java(seconds: i64) -> String {
    format(seconds, "%a %b %d %H:%M:%S GMT %Y")
}

/// Reads a dateTime of row JSON without its zone: `2024-01-31T08:00:00.000`.
pub(crate) fn parse_iso_utc(text: &str) -> Option<i64> {
    let time = text
        .parse::<jiff::civil::DateTime>()
        .ok()
        .filter(|_| text.contains('T'))?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

fn format(seconds: i64, form: &str) -> String {
    let stamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    stamp.to_zoned(TimeZone::UTC).strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_http_dates() {
        let seconds = parse_http("Sat, 1 Jan 2000 00:00:01 GMT").unwrap();
        assert_eq!(seconds, 946_684_801);
        assert_eq!(print_http(seconds), "Sat, 01 Jan 2000 00:00:01 GMT");
        assert_eq!(
            parse_http("Tue, 10 Aug 2026 00:00:00 GMT"),
            parse_http("Mon, 10 Aug 2026 00:00:00 GMT")
        );
        assert_eq!(parse_http("2026-08-10T00:00:00Z"), None);
    }

    #[test]
    fn reads_and_prints_iso_dates() {
        let seconds = parse_iso("2024-01-31T08:00:00Z").unwrap();
        for same in [
            "2024-01-31T09:00:00+01:00",
            "2024-01-31T09:00:00.000+0100",
            "2024-01-31T09:00:00 01:00",
        ] {
            assert_eq!(parse_iso(same), Some(seconds), "{same}");
        }
        assert_eq!(parse_iso("2024-01-31"), None);
        assert_eq!(print_iso(seconds), "2024-01-31T08:00:00.000+0000");
        assert_eq!(print_iso_utc(seconds), "2024-01-31T08:00:00Z");
    }
}
