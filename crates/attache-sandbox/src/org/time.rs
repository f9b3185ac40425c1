//! Reading and writing of days, instants and times of day as the API spells them.

use jiff::civil;
use jiff::tz::Offset;
use std::fmt::Write;

/// The days the platform can hold.
pub(crate) fn is_valid_year(year: i16) -> bool {
    (1700..=4000).contains(&year)
}

/// Reads `2024-01-31`.
pub(crate) fn parse_date(text: &str) -> Option<civil::Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let date = civil::Date::new(
        digits(&text[..4])?.try_into().ok()?,
        digits(text.get(5..7)?)?.try_into().ok()?,
        digits(text.get(8..)?)?.try_into().ok()?,
    )
    .ok()?;
    is_valid_year(date.year()).then_some(date)
}

/// Reads `2024-01-31T23:01:01Z`, with an offset (`+01:00`, `+0100`) or a fraction if need be.
///
/// Gives whole seconds since the epoch; the fraction is cut. An instant without
/// a zone is none.
pub(crate) fn parse_datetime(text: &str) -> Option<i64> {
    let date = parse_date(text.get(..10)?)?;
    let rest = text[10..].strip_prefix('T')?;
    let at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(at);
    let seconds = i64::from(parse_clock(clock)? / 1000);
    let midnight = Offset::UTC
        .to_timestamp(date.to_datetime(civil::Time::midnight()))
        .ok()?;
    Some(midnight.as_second() + seconds - parse_offset(zone)?)
}

/// Reads `10:30:00.000Z`; the fraction and the `Z` may be missing. Gives milliseconds since midnight.
pub(crate) fn parse_time(text: &str) -> Option<u32> {
    parse_clock(text.strip_suffix('Z').unwrap_or(text))
}

fn parse_clock(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = whole.split(':');
    let mut next = |below: u32| digits(parts.next()?).filter(|&n| n < below);
    let (hour, minute, second) = (next(24)?, next(60)?, next(60)?);
    if parts.next().is_some() || whole.len() != 8 || fraction.len() > 9 {
        return None;
    }
    digits(fraction)?;
    let millis = digits(&format!("{fraction:0<3}")[..3])?;
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

/// Reads `Z`, `+01:00` or `+0100` as seconds east of Greenwich.
fn parse_offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'Z' | b'z' => return (text.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let body = text[1..].replacen(':', "", 1);
    if body.len() != 4 {
        return None;
    }
    let (hours, minutes) = (digits(&body[..2])?, digits(&body[2..])?);
    (hours <= 14 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes) * 60)
}

fn digits(text: &str) -> Option<u32> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// Appends `2024-01-31`.
pub(crate) fn write_date(date: civil::Date, out: &mut String) {
    pad(date.year().unsigned_abs().into(), 4, out);
    out.push('-');
    pad(date.month().unsigned_abs().into(), 2, out);
    out.push('-');
    pad(date.day().unsigned_abs().into(), 2, out);
}

/// Appends `2024-01-31T08:00:00.000+0000`.
pub(crate) fn write_datetime(epoch_seconds: i64, out: &mut String) {
    let civil = civil_utc(epoch_seconds);
    write_date(civil.date(), out);
    for (mark, part) in [
        ('T', civil.hour()),
        (':', civil.minute()),
        (':', civil.second()),
    ] {
        out.push(mark);
        pad(part.unsigned_abs().into(), 2, out);
    }
    out.push_str(".000+0000");
}

/// Appends `10:30:00.000Z`.
pub(crate) fn write_time(millis: u32, out: &mut String) {
    let seconds = millis / 1000;
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}.{:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1000
    );
}

/// Tells the clock in Greenwich.
pub(crate) fn civil_utc(epoch_seconds: i64) -> civil::DateTime {
    let timestamp = jiff::Timestamp::from_second(epoch_seconds).unwrap_or_default();
    Offset::UTC.to_datetime(timestamp)
}

fn pad(number: u32, width: u32, out: &mut String) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(char::from(b'0' + digit as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_may_carry_a_fraction_and_any_form_of_offset() {
        for text in [
            "2024-01-31T23:01:01Z",
            "2024-01-31T23:01:01.999Z",
            "2024-01-31T23:01:01.000+0000",
            "2024-02-01T00:01:01+01:00",
            "2024-01-31T15:01:01-0800",
        ] {
            assert_eq!(parse_datetime(text), Some(1_706_742_061), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_instant_is_refused() {
        for text in [
            "",
            "2024-01-31",
            "2024-01-31T23:01:01",
            "2024-02-30T00:00:00Z",
            "2024-01-31T24:00:00Z",
            "2024-01-31T1:01:01Z",
            "2024-01-31T23:01:01+25:00",
            "1699-12-31T00:00:00Z",
            "2024-01-31T23:01:01Zjunk",
            "2024-01-31T23:01:01.Z",
            "ééééééééééé",
        ] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for at in [0, -1, 1_706_742_061, -8_520_336_000] {
            let mut text = String::new();
            write_datetime(at, &mut text);
            assert_eq!(parse_datetime(&text), Some(at), "{text}");
        }
        let mut text = String::new();
        write_time(37_800_500, &mut text);
        assert_eq!(text, "10:30:00.500Z");
        assert_eq!(parse_time(&text), Some(37_800_500));
    }
}
