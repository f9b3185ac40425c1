//! The values of conditions: texts with their escapes, numbers, dates, literals.

use super::ast::{At, Constant, Glyph, Literal};
use super::cursor::Cursor;
use super::date::DateLiteral;
use super::token::Kind;
use crate::error::Result;
use crate::record::ServerTime;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// The longest text in a condition that the server takes, in characters.
const TEXT_CHARS_MAX: usize = 4_000;

/// Reads the value behind an operator or inside of a list.
pub(super) fn literal(cursor: &mut Cursor<'_>, what: &str) -> Result<Literal> {
    let at = cursor.at();
    let value = match cursor.peek() {
        Kind::Text(raw) => Constant::Text(text(cursor, raw, at)?),
        Kind::Figure(raw) => figure(raw)
            .ok_or_else(|| cursor.refused("expected a number, a date or a datetime with its zone, found something that only begins like one"))?,
        Kind::Word(word) => match word_value(cursor, word, at)? {
            Some(value) => return Ok(Literal { value, at }),
            None => return Err(cursor.expected(what)),
        },
        _ => return Err(cursor.expected(what)),
    };
    cursor.advance();
    Ok(Literal { value, at })
}

/// Reads a text that is a relative date literal and nothing else.
pub(super) fn relative(text: &str) -> Result<DateLiteral> {
    let mut cursor = Cursor::new(text)?;
    match literal(&mut cursor, "a date literal")?.value {
        Constant::Relative(literal) => cursor.end("the end").map(|()| literal),
        _ => Err(cursor.refused_at(At(0), "expected a date literal, found another value")),
    }
}

/// Reads a value that is a word; takes its tokens.
fn word_value(cursor: &mut Cursor<'_>, word: &str, at: At) -> Result<Option<Constant>> {
    for (own, value) in [
        ("TRUE", Constant::Boolean(true)),
        ("FALSE", Constant::Boolean(false)),
        ("NULL", Constant::Null),
    ] {
        if cursor.takes(&[own]) {
            return Ok(Some(value));
        }
    }
    if let Some(money) = money(cursor, word)? {
        return Ok(Some(money));
    }
    if DateLiteral::wants_count(word) {
        cursor.advance();
        let Kind::Count(raw) = cursor.peek() else {
            return Err(cursor.expected("`:` and a whole number directly behind the date literal"));
        };
        let count = raw[1..].parse().ok();
        let Some(literal) = count.and_then(|n| DateLiteral::from_words(word, Some(n))) else {
            return Err(cursor.refused("expected a smaller number"));
        };
        cursor.advance();
        return Ok(Some(Constant::Relative(literal)));
    }
    let Some(literal) = DateLiteral::from_words(word, None) else {
        return Ok(None);
    };
    cursor.advance();
    if let Kind::Count(_) = cursor.peek() {
        return Err(cursor.refused_at(at, "expected no number behind this date literal"));
    }
    Ok(Some(Constant::Relative(literal)))
}

/// Reads an amount of a currency: three letters, then a number without a blank.
fn money(cursor: &mut Cursor<'_>, word: &str) -> Result<Option<Constant>> {
    let Some((code, digits)) = word.split_at_checked(3) else {
        return Ok(None);
    };
    let is_money = code.bytes().all(|b| b.is_ascii_alphabetic())
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_money {
        return Ok(None);
    }
    let mut number = digits.to_owned();
    cursor.advance();
    if let Kind::Figure(fraction) = cursor.peek()
        && cursor.is_adjacent()
    {
        number.push_str(fraction);
        cursor.advance();
    }
    match decimal(&number) {
        Some(amount) => Ok(Some(Constant::Money(code.to_ascii_uppercase(), amount))),
        None => Err(cursor.refused("expected an amount of at most 28 digits")),
    }
}

fn figure(raw: &str) -> Option<Constant> {
    if let Some(number) = decimal(raw) {
        return Some(Constant::Number(number));
    }
    let is_date = raw.as_bytes().get(4) == Some(&b'-') && raw.as_bytes().get(7) == Some(&b'-');
    let day: Date = match raw.get(..10) {
        Some(day) if is_date => day.parse().ok()?,
        _ => return None,
    };
    // The span of the server.
    if !(1700..=4000).contains(&day.year()) {
        return None;
    }
    if raw.len() == 10 {
        return Some(Constant::Date(day));
    }
    instant(raw).map(Constant::DateTime)
}

/// Reads `2024-01-31T23:01:01` with an optional fraction and a zone, which must be there.
fn instant(raw: &str) -> Option<ServerTime> {
    let clock = raw.get(10..19)?.as_bytes();
    let shape = clock
        .iter()
        .zip(b"T00:00:00")
        .all(|(own, like)| match like {
            b'0' => own.is_ascii_digit(),
            like => own.eq_ignore_ascii_case(like),
        });
    let mut zone = &raw[19..];
    if let Some(fraction) = zone.strip_prefix('.') {
        let digits = fraction
            .find(|c: char| !c.is_ascii_digit())
            .filter(|digits| (1..=9).contains(digits))?;
        zone = &fraction[digits..];
    }
    let zone_shape = match zone.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', offset @ ..] => match offset {
            [a, b, b':', c, d] | [a, b, c, d] => [a, b, c, d].iter().all(|c| c.is_ascii_digit()),
            _ => false,
        },
        _ => false,
    };
    if !(shape && zone_shape) {
        return None;
    }
    ServerTime::parse(&raw.to_ascii_uppercase())
}

/// Reads digits, with an optional sign and an optional fraction.
pub(super) fn decimal(raw: &str) -> Option<Decimal> {
    let unsigned = raw.strip_prefix(['+', '-']).unwrap_or(raw);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if fraction.is_empty() || unsigned.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let sign = if raw.starts_with('-') { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    Decimal::from_str_exact(&format!("{sign}{whole}.{fraction}"))
        .ok()
        .map(|number| number.normalize())
}

/// Takes the escapes out of a text.
fn text(cursor: &Cursor<'_>, raw: &str, at: At) -> Result<String> {
    let mut text = String::with_capacity(raw.len());
    for part in unescape(cursor, raw, at)? {
        match part {
            Part::Char(c) | Part::Plain(c) => text.push(c),
            Part::Wildcard(_, offset) => {
                return Err(cursor.refused_at(
                    At(at.0 + 1 + offset),
                    "expected an escape that is known here, found one that only LIKE has",
                ));
            }
        }
    }
    Ok(text)
}

/// Reads the pattern of a LIKE.
pub(super) fn pattern(cursor: &mut Cursor<'_>) -> Result<Vec<Glyph>> {
    let at = cursor.at();
    let Kind::Text(raw) = cursor.peek() else {
        return Err(cursor.expected("a text after LIKE"));
    };
    let glyphs = unescape(cursor, raw, at)?
        .into_iter()
        .map(|part| match part {
            Part::Plain('%') => Glyph::Many,
            Part::Plain('_') => Glyph::One,
            Part::Plain(c) | Part::Char(c) | Part::Wildcard(c, _) => Glyph::Char(c),
        })
        .collect();
    cursor.advance();
    Ok(glyphs)
}

/// A character of a text.
enum Part {
    /// Written as itself.
    Plain(char),
    /// Written with an escape.
    Char(char),
    /// `\%` or `\_`, and where.
    Wildcard(char, usize),
}

fn unescape(cursor: &Cursor<'_>, raw: &str, at: At) -> Result<Vec<Part>> {
    let mut parts = Vec::with_capacity(raw.len());
    let mut rest = raw.char_indices();
    while let Some((offset, c)) = rest.next() {
        if c != '\\' {
            parts.push(Part::Plain(c));
            continue;
        }
        let part = match rest.next().map(|(_, c)| c) {
            Some('n' | 'N') => Part::Char('\n'),
            Some('r' | 'R') => Part::Char('\r'),
            Some('t' | 'T') => Part::Char('\t'),
            Some('b' | 'B') => Part::Char('\u{8}'),
            Some('f' | 'F') => Part::Char('\u{c}'),
            Some(c @ ('"' | '\'' | '\\')) => Part::Char(c),
            Some(c @ ('%' | '_')) => Part::Wildcard(c, offset),
            Some('u' | 'U') => {
                let unit = hex4(&mut rest);
                match unit.and_then(|unit| utf16(unit, &mut rest)) {
                    Some(c) => Part::Char(c),
                    None => return Err(bad_escape(cursor, at, offset)),
                }
            }
            _ => return Err(bad_escape(cursor, at, offset)),
        };
        parts.push(part);
    }
    // Of characters, not of what they are written with: what is printed is written with more escapes.
    if parts.len() > TEXT_CHARS_MAX {
        return Err(cursor.refused_at(
            at,
            format!("expected a text of at most {TEXT_CHARS_MAX} characters, found a longer one"),
        ));
    }
    Ok(parts)
}

fn bad_escape(cursor: &Cursor<'_>, at: At, offset: usize) -> crate::error::Error {
    cursor.refused_at(
        At(at.0 + 1 + offset),
        "expected one of \\n \\r \\t \\b \\f \\\" \\' \\\\ \\uXXXX, found another escape",
    )
}

fn hex4(rest: &mut std::str::CharIndices<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = rest.next()?.1.to_digit(16)?;
        unit = unit << 4 | u16::try_from(digit).ok()?;
    }
    Some(unit)
}

/// Makes a character of one UTF-16 unit, or of two that are a pair.
fn utf16(unit: u16, rest: &mut std::str::CharIndices<'_>) -> Option<char> {
    let mut units = vec![unit];
    if (0xD800..0xDC00).contains(&unit) {
        let escape = (rest.next()?.1, rest.next()?.1);
        if !matches!(escape, ('\\', 'u' | 'U')) {
            return None;
        }
        units.push(hex4(rest)?);
    }
    let mut chars = char::decode_utf16(units);
    match (chars.next(), chars.next()) {
        (Some(Ok(c)), None) => Some(c),
        _ => None,
    }
}
