//! One value: from its piece of JSON text, or from plain text.

use crate::record::{ServerTime, Value, remote_id};
use crate::schema::FieldType;
use jiff::civil;
use rust_decimal::Decimal;

/// Reads a value of this type from its JSON text; `None` if it is of another kind.
///
/// A real number with more than 28 decimals is rounded there, far below what any
/// field keeps: formula fields do come with such noise, and one must not stop a pull.
pub(super) fn read(ty: &FieldType, json: &str) -> Option<Value> {
    match ty {
        FieldType::AnyType | FieldType::Other(_) | FieldType::Address | FieldType::Location => {
            Some(untyped(json))
        }
        _ => match json.as_bytes().first()? {
            b'n' => Some(Value::Null),
            b'"' => read_string(ty, json),
            b't' | b'f' if *ty == FieldType::Boolean => Some(Value::Boolean(json == "true")),
            b'-' | b'0'..=b'9' if ty.is_number() => number(json).map(Value::Number),
            _ => None,
        },
    }
}

fn read_string(ty: &FieldType, json: &str) -> Option<Value> {
    let unescaped;
    let text = match plain(json) {
        Some(text) => text,
        None => {
            unescaped = unescape(json);
            &unescaped
        }
    };
    if text.is_empty() {
        return Some(Value::Null);
    }
    match ty {
        FieldType::Date => date(text).map(Value::Date),
        FieldType::DateTime => instant(text).map(Value::DateTime),
        FieldType::Time => time(text).map(Value::Time),
        FieldType::Id => remote_id(text).map(Value::Text),
        // Files of large answers know texts only.
        FieldType::Boolean => parse_text(ty, text),
        ty if ty.is_number() => number(text).map(Value::Number),
        _ => Some(Value::Text(reference(ty, text))),
    }
}

/// The text between the quotes of a JSON string that has no escapes.
fn plain(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    (!text.as_bytes().contains(&b'\\')).then_some(text)
}

/// Reads a JSON string with escapes. Half a surrogate pair becomes U+FFFD: servers
/// do cut text in the middle of one.
fn unescape(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = String;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
                Ok(String::from_utf8_lossy(bytes).into_owned())
            }
        }
        let mut json = serde_json::Deserializer::from_str(json);
        serde::Deserializer::deserialize_bytes(&mut json, Bytes).unwrap_or_default()
    })
}

/// Scalars as text, anything else as the JSON text it is.
fn untyped(json: &str) -> Value {
    match json.as_bytes().first() {
        Some(b'n') | None => Value::Null,
        Some(b'"') => Value::text(plain(json).map_or_else(|| unescape(json), String::from)),
        Some(_) => Value::text(json),
    }
}

/// Reads a value of this type from plain text; empty text is null, `None` means it is none.
///
/// Numbers must be exact: one that would have to be rounded is none.
pub(crate) fn parse_text(ty: &FieldType, text: &str) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Null);
    }
    match ty {
        FieldType::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Boolean(true)),
        FieldType::Boolean if text.eq_ignore_ascii_case("false") => Some(Value::Boolean(false)),
        FieldType::Boolean | FieldType::Address | FieldType::Location => None,
        FieldType::Date => date(text).map(Value::Date),
        FieldType::DateTime => instant(text).map(Value::DateTime),
        FieldType::Time => time(text).map(Value::Time),
        ty if ty.is_number() => exact(text).map(Value::Number),
        ty => Some(Value::Text(reference(ty, text))),
    }
}

/// Gives ids their 18-character form; other text and local keys stay.
fn reference(ty: &FieldType, text: &str) -> String {
    match ty {
        FieldType::Id | FieldType::Reference => remote_id(text).unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

/// Reads a JSON number, rounding below 28 decimals; `None` if it is out of range.
fn number(text: &str) -> Option<Decimal> {
    match text.split_once(['e', 'E']) {
        None => text.parse().ok(),
        Some((digits, exponent)) => shift(digits, exponent.parse().ok()?)?.parse().ok(),
    }
}

/// Reads a number as a person writes it; `None` if it cannot be kept exactly.
fn exact(text: &str) -> Option<Decimal> {
    // The decimal reader takes `1_000` for a number. People do not write that.
    let known = |c: u8| c.is_ascii_digit() || matches!(c, b'+' | b'-' | b'.' | b'e' | b'E');
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    if !text.bytes().all(known) || !digits.bytes().any(|c| c.is_ascii_digit()) {
        return None;
    }
    match exponent.parse().ok()? {
        0 => Decimal::from_str_exact(digits).ok(),
        exponent => Decimal::from_str_exact(&shift(digits, exponent)?).ok(),
    }
}

/// Moves the point of a decimal number by writing it out; `None` if no decimal is so large.
fn shift(text: &str, exponent: i32) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    if !significant.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    if significant.is_empty() {
        return Some(String::from("0"));
    }
    let leading = all.len() - significant.len();
    // Digits of `significant` before the point; negative: zeros after the point.
    let point = i32::try_from(whole.len()).ok()? - i32::try_from(leading).ok()?;
    let point = point.checked_add(exponent)?;
    let length = i32::try_from(significant.len()).ok()?;
    match point {
        30.. => None,
        // So small that writing out more zeros changes nothing.
        ..=-40 => Some(format!("{sign}0.{}1", "0".repeat(40))),
        -39..=0 => {
            let zeros = "0".repeat(usize::try_from(-point).ok()?);
            Some(format!("{sign}0.{zeros}{significant}"))
        }
        _ if point >= length => {
            let zeros = "0".repeat(usize::try_from(point - length).ok()?);
            Some(format!("{sign}{significant}{zeros}"))
        }
        _ => {
            let (whole, fraction) = significant.split_at(usize::try_from(point).ok()?);
            Some(format!("{sign}{whole}.{fraction}"))
        }
    }
}

/// Reads `2024-01-31`.
fn date(text: &str) -> Option<civil::Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    civil::Date::new(
        i16::try_from(digits(&bytes[..4])?).ok()?,
        i8::try_from(digits(&bytes[5..7])?).ok()?,
        i8::try_from(digits(&bytes[8..])?).ok()?,
    )
    .ok()
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u32::from(byte - b'0'))
    })
}

/// Reads an instant with an offset; what is below a second is dropped.
fn instant(text: &str) -> Option<ServerTime> {
    utc(text).or_else(|| ServerTime::parse(text))
}

/// Reads the one spelling that the API writes, several times faster than any spelling.
fn utc(text: &str) -> Option<ServerTime> {
    let clock = text.strip_suffix(".000+0000")?;
    let (day, clock) = (clock.get(..10)?, clock.get(10..)?.as_bytes());
    if clock.len() != 9 || clock[0] != b'T' || clock[3] != b':' || clock[6] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&clock[1..3])?, digits(&clock[4..6])?);
    let second = digits(&clock[7..])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    const EPOCH: civil::Date = civil::date(1970, 1, 1);
    let days = EPOCH.until(date(day)?).ok()?.get_days();
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(ServerTime(i64::from(days) * 86_400 + seconds))
}

/// Reads `10:30:00.000Z`, and the same without what follows the seconds.
fn time(text: &str) -> Option<civil::Time> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    // The library's reader passes over a day before and an offset behind the time.
    let plain = |c: u8| c.is_ascii_digit() || matches!(c, b':' | b'.');
    if !text.bytes().all(plain) {
        return None;
    }
    let time = text.parse::<civil::Time>().ok()?;
    (time.subsec_nanosecond() % 1_000_000 == 0).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(ty: FieldType, text: &str) -> Option<String> {
        read(&ty, text).map(|value| value.to_json())
    }

    #[test]
    fn numbers_are_exact_in_every_form() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.00", "0.00"),
            ("12.50", "12.50"),
            ("1234567890123456.78", "1234567890123456.78"),
            ("0.1", "0.1"),
            ("1.0E9", "1000000000"),
            ("1.23456789E8", "123456789"),
            ("1.23456789e3", "1234.56789"),
            ("-2.5e-3", "-0.0025"),
            ("0e400", "0"),
            ("2.7755575615628914E-17", "0.0000000000000000277555756156"),
            ("1e-400", "0.0000000000000000000000000000"),
        ] {
            assert_eq!(
                json(FieldType::Currency, text).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(json(FieldType::Double, "1e30"), None);
        assert_eq!(
            json(FieldType::Double, "99999999999999999999999999999999"),
            None
        );
    }

    #[test]
    fn numbers_typed_by_a_person_are_exact_or_none() {
        let parse = |text| parse_text(&FieldType::Double, text).map(|value| value.to_json());
        assert_eq!(parse("12.50").as_deref(), Some("12.50"));
        assert_eq!(parse("+1.5e2").as_deref(), Some("150"));
        assert_eq!(parse("").as_deref(), Some("null"));
        for text in [
            "1_000", "1,5", "abc", ".", "e5", "1e-40", "NaN", "1 ", "--1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_times_read_as_the_api_writes_them() {
        let same = |ty, text: &str, expected: &str| {
            assert_eq!(
                json(ty, &format!("\"{text}\"")),
                Some(format!("\"{expected}\""))
            );
        };
        same(FieldType::Date, "2024-02-29", "2024-02-29");
        same(FieldType::Time, "10:30:00.000Z", "10:30:00.000Z");
        same(FieldType::Time, "10:30:00.250Z", "10:30:00.250Z");
        for text in [
            "2024-01-31T08:00:00.000+0000",
            "2024-01-31T08:00:00.000Z",
            "2024-01-31T09:00:00+01:00",
            "2024-01-31T08:00:00.999+0000",
        ] {
            same(FieldType::DateTime, text, "2024-01-31T08:00:00.000+0000");
        }
        for (ty, text) in [
            (FieldType::Date, "2023-02-29"),
            (FieldType::Date, "2023-2-09"),
            (FieldType::Date, "20230209"),
            (FieldType::DateTime, "2024-01-31"),
            (FieldType::DateTime, "2024-01-31T24:00:00.000+0000"),
            (FieldType::Time, "25:00:00.000Z"),
            (FieldType::Time, "10:30:00+05:00"),
            (FieldType::Time, "2024-01-31T10:30:00"),
            (FieldType::Time, "10:30:00.0001Z"),
            (FieldType::Id, "not an id"),
        ] {
            assert_eq!(json(ty, &format!("\"{text}\"")), None, "{text}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_none() {
        for (ty, text) in [
            (FieldType::String, "1"),
            (FieldType::String, "{}"),
            (FieldType::Boolean, "\"yes\""),
            (FieldType::Double, "\"one\""),
            (FieldType::Date, "20240131"),
        ] {
            assert_eq!(json(ty, text), None, "{text}");
        }
    }

    #[test]
    fn numbers_and_checkboxes_may_come_as_text() {
        let number = Some(Value::Number(Decimal::new(15, 1)));
        assert_eq!(
            read(&FieldType::Boolean, "\"true\""),
            Some(Value::Boolean(true))
        );
        assert_eq!(read(&FieldType::Currency, "\"1.5\""), number);
        assert_eq!(read(&FieldType::Double, "\"1.5E0\""), number);
    }

    #[test]
    fn text_is_unescaped_and_half_a_surrogate_pair_does_not_stop_it() {
        let text = |json| read(&FieldType::String, json);
        assert_eq!(text(r#""a\"b\u00e9\n""#), Some(Value::from("a\"b\u{e9}\n")));
        assert_eq!(text(r#""\ud83d\ude00""#), Some(Value::from("\u{1f600}")));
        assert!(
            text(r#""cut \ud83d""#)
                .and_then(|value| value.as_text().map(|text| text.starts_with("cut \u{fffd}")))
                .unwrap_or(false)
        );
        assert_eq!(text("\"\""), Some(Value::Null));
    }

    #[test]
    fn untyped_values_are_kept_as_text() {
        let untyped = |json| read(&FieldType::AnyType, json);
        assert_eq!(untyped("12.50"), Some(Value::from("12.50")));
        assert_eq!(untyped("true"), Some(Value::from("true")));
        assert_eq!(untyped("\"x\""), Some(Value::from("x")));
        assert_eq!(untyped("{\"a\":1}"), Some(Value::from("{\"a\":1}")));
        assert_eq!(untyped("null"), Some(Value::Null));
    }

    const TYPES: [FieldType; 8] = [
        FieldType::String,
        FieldType::Id,
        FieldType::Boolean,
        FieldType::Currency,
        FieldType::Date,
        FieldType::DateTime,
        FieldType::Time,
        FieldType::AnyType,
    ];

    proptest! {
        #[test]
        fn no_text_stops_the_readers(text in "[-+0-9eE.:TZ é]{0,40}|.*") {
            let json = serde_json::to_string(&text).unwrap();
            for ty in &TYPES {
                let typed = parse_text(ty, &text);
                let sent = read(ty, &json);
                // What both take, both take for the same.
                if let (Some(typed), Some(sent)) = (typed, sent) {
                    prop_assert_eq!(typed, sent);
                }
            }
        }

        #[test]
        fn an_exponent_only_moves_the_point(digits in any::<i64>(), exponent in -9..9_i32) {
            let moved = number(&format!("{digits}e{exponent}"));
            let mut expected = Decimal::from(digits);
            for _ in 0..exponent.unsigned_abs() {
                if exponent < 0 {
                    let scale = expected.scale() + 1;
                    expected.set_scale(scale).unwrap();
                } else {
                    expected *= Decimal::TEN;
                }
            }
            prop_assert_eq!(moved, Some(expected));
        }

        #[test]
        fn both_readers_of_instants_agree(seconds in -60_000_000_000..200_000_000_000_i64) {
            let text = ServerTime(seconds).to_string();
            prop_assert_eq!(utc(&text), Some(ServerTime(seconds)));
            prop_assert_eq!(ServerTime::parse(&text), Some(ServerTime(seconds)));
        }
    }
}
