//! What queries need of SQL and SQLite does not have.
//!
//! All are deterministic and named `attache_...`:
//!
//! | name | gives |
//! |---|---|
//! | collation `attache_text` | the order of texts without regard to case |
//! | `attache_like(text, pattern, exact)` | whether a text fits a pattern |
//! | `attache_compare(a, b)` | -1, 0 or 1, of two numbers in any stored form |
//! | `attache_remainder(n)` | what a number is beyond its nearest real |
//! | `attache_tie(n, id, sign)` | a key that orders by `sign` times that, then by id |
//! | `attache_same_set(a, b)` | whether two multi-select lists hold the same values |
//! | `attache_includes(a, b)` | whether list `a` holds all of `b` |
//! | `attache_date(part, value, zone, month, name)` | a part of a date or datetime |
//! | `attache_distance(lat, lon, lat, lon, unit)` | a distance on the globe |
//! | aggregates `attache_sum`, `attache_avg`, `attache_min`, `attache_max` | of numbers, exactly |

use super::calendar;
use crate::store::value::{decimal, number};
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, Error, Result};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::cmp::Ordering;

/// Makes the functions and the collation known to a connection.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_collation("attache_text", compare_text)?;
    connection.create_scalar_function("attache_like", 3, flags, like)?;
    connection.create_scalar_function("attache_compare", 2, flags, |context| {
        Ok(decimal_pair(context)?.map(|(a, b)| a.cmp(&b) as i64))
    })?;
    connection.create_scalar_function("attache_remainder", 1, flags, |context| {
        Ok(remainder(context.get_raw(0)))
    })?;
    connection.create_scalar_function("attache_tie", 3, flags, tie)?;
    connection.create_scalar_function("attache_same_set", 2, flags, |context| {
        Ok(set_pair(context)?.map(|(a, b)| a == *b))
    })?;
    connection.create_scalar_function("attache_includes", 2, flags, |context| {
        Ok(set_pair(context)?.map(|(a, b)| b.iter().all(|value| a.contains(value))))
    })?;
    connection.create_scalar_function("attache_date", 5, flags, calendar::date_part)?;
    connection.create_scalar_function("attache_distance", 5, flags, distance)?;
    connection.create_aggregate_function("attache_sum", 1, flags, Fold::Sum)?;
    connection.create_aggregate_function("attache_avg", 1, flags, Fold::Average)?;
    connection.create_aggregate_function("attache_min", 1, flags, Fold::Min)?;
    connection.create_aggregate_function("attache_max", 1, flags, Fold::Max)
}

/// Brings characters that differ only in case to the same one.
///
/// Upper case, because the server sorts so, and always one character for one,
/// so that `_` in a pattern still stands for one.
pub(super) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

fn compare_text(a: &str, b: &str) -> Ordering {
    // Indexes call this for each step of each insertion: most text is ASCII, at least at its head.
    for (at, (x, y)) in a.bytes().zip(b.bytes()).enumerate() {
        if !x.is_ascii() || !y.is_ascii() {
            return a[at..].chars().map(fold).cmp(b[at..].chars().map(fold));
        }
        match x.to_ascii_uppercase().cmp(&y.to_ascii_uppercase()) {
            Ordering::Equal => {}
            order => return order,
        }
    }
    a.len().cmp(&b.len())
}

fn text<'a>(context: &'a Context<'_>, nr: usize) -> Result<Option<&'a str>> {
    match context.get_raw(nr) {
        ValueRef::Text(text) => std::str::from_utf8(text)
            .map(Some)
            .map_err(|error| Error::UserFunctionError(error.into())),
        _ => Ok(None),
    }
}

/// A pattern, made ready once for a whole statement.
struct Pattern(Vec<Element>);

enum Element {
    Char(char),
    One,
    Many,
}

impl Pattern {
    /// Reads the form in which `condition.rs` binds patterns: SQL's own, with `\` as escape.
    fn new(text: &str, exact: bool) -> Pattern {
        let mut elements = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            elements.push(match c {
                '%' => Element::Many,
                '_' => Element::One,
                '\\' => match chars.next() {
                    Some(c) if !exact => Element::Char(fold(c)),
                    Some(c) => Element::Char(c),
                    None => break,
                },
                c if exact => Element::Char(c),
                c => Element::Char(fold(c)),
            });
        }
        Pattern(elements)
    }

    /// Matches without recursion: after a mismatch, only the last `%` takes one more character.
    fn fits(&self, text: &str, exact: bool) -> bool {
        let mut text = text.chars();
        let mut at = 0;
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = text.clone();
            let c = text.next().map(|c| if exact { c } else { fold(c) });
            match (self.0.get(at), c) {
                (Some(Element::Many), _) => {
                    at += 1;
                    text = before.clone();
                    retry = Some((at, before));
                    continue;
                }
                (Some(Element::One), Some(_)) => {
                    at += 1;
                    continue;
                }
                (Some(Element::Char(wanted)), Some(c)) if *wanted == c => {
                    at += 1;
                    continue;
                }
                (None, None) => return true,
                // The text is used up: taking more of it cannot help.
                (Some(_), None) => return false,
                _ => {}
            }
            let Some((from, rest)) = &mut retry else {
                return false;
            };
            if rest.next().is_none() {
                return false;
            }
            at = *from;
            text = rest.clone();
        }
    }
}

fn like(context: &Context<'_>) -> Result<Option<bool>> {
    let exact = context.get::<i64>(2)? != 0;
    let pattern = context.get_or_create_aux(
        1,
        |value| -> Result<Pattern, rusqlite::types::FromSqlError> {
            Ok(Pattern::new(value.as_str()?, exact))
        },
    )?;
    Ok(text(context, 0)?.map(|text| pattern.fits(text, exact)))
}

fn decimal_pair(context: &Context<'_>) -> Result<Option<(Decimal, Decimal)>> {
    Ok(decimal(context.get_raw(0)).zip(decimal(context.get_raw(1))))
}

/// The difference between a number and its nearest real, which orders numbers whose reals are equal.
fn remainder(cell: ValueRef<'_>) -> Option<f64> {
    match cell {
        ValueRef::Real(_) | ValueRef::Null => Some(0.0),
        cell => {
            let exact = decimal(cell)?;
            let real: f64 = exact.to_string().parse().ok()?;
            // All digits of the real, not only the shortest that name it.
            let nearest = Decimal::from_f64_retain(real)?;
            (exact - nearest).to_f64()
        }
    }
}

/// One key for two orders: SQLite's planner leaves an index when more than one term is behind it.
fn tie(context: &Context<'_>) -> Result<Vec<u8>> {
    let remainder = remainder(context.get_raw(0)).unwrap_or(0.0);
    let bits = (remainder * context.get::<f64>(2)?).to_bits();
    // Bytes of reals sort as the reals do once the sign is turned, and all bits of negative ones.
    let sortable = if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    let mut key = sortable.to_be_bytes().to_vec();
    key.extend(text(context, 1)?.unwrap_or_default().bytes());
    Ok(key)
}

/// A multi-select list as a set: folded, sorted, each value once.
fn set(text: &str) -> Vec<String> {
    let mut values: Vec<String> = text
        .split(';')
        .map(|value| value.trim().chars().map(fold).collect())
        .filter(|value: &String| !value.is_empty())
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// What the column holds and what is asked for.
type SetPair = (Vec<String>, std::sync::Arc<Vec<String>>);

fn set_pair(context: &Context<'_>) -> Result<Option<SetPair>> {
    let wanted = context.get_or_create_aux(
        1,
        |value| -> Result<Vec<String>, rusqlite::types::FromSqlError> { Ok(set(value.as_str()?)) },
    )?;
    Ok(text(context, 0)?.map(|text| (set(text), wanted)))
}

/// The great-circle distance.
///
/// # Source
/// The haversine formula on a globe of mean radius.
fn distance(context: &Context<'_>) -> Result<Option<f64>> {
    let mut degrees = [0.0; 4];
    for (nr, slot) in degrees.iter_mut().enumerate() {
        match decimal(context.get_raw(nr)).and_then(|value| value.to_f64()) {
            Some(value) => *slot = value,
            None => return Ok(None),
        }
    }
    let radius = match text(context, 4)? {
        Some("mi") => 3_958.761_3,
        _ => 6_371.008_8,
    };
    let [lat1, lon1, lat2, lon2] = degrees.map(f64::to_radians);
    let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
    let chord = half(lat1, lat2) + lat1.cos() * lat2.cos() * half(lon1, lon2);
    Ok(Some(2.0 * radius * chord.clamp(0.0, 1.0).sqrt().asin()))
}

/// What is made of the numbers of a group.
#[derive(Clone, Copy)]
enum Fold {
    Sum,
    Average,
    Min,
    Max,
}

impl Aggregate<Option<(Decimal, u32)>, Sql> for Fold {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<(Decimal, u32)>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, so_far: &mut Option<(Decimal, u32)>) -> Result<()> {
        let Some(value) = decimal(context.get_raw(0)) else {
            return Ok(());
        };
        let Some((total, count)) = so_far else {
            *so_far = Some((value, 1));
            return Ok(());
        };
        match self {
            Fold::Sum | Fold::Average => {
                *total = total.checked_add(value).ok_or_else(|| {
                    Error::UserFunctionError("a sum has more than 28 digits".into())
                })?;
            }
            Fold::Min => *total = value.min(*total),
            Fold::Max => *total = value.max(*total),
        }
        *count = count.saturating_add(1);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, result: Option<Option<(Decimal, u32)>>) -> Result<Sql> {
        Ok(match result.flatten() {
            None => Sql::Null,
            Some((total, count)) => match self {
                Fold::Average => number(total / Decimal::from(count)),
                Fold::Sum | Fold::Min | Fold::Max => number(total),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_character_folds_to_one() {
        for (c, folded) in [
            ('a', 'A'),
            ('é', 'É'),
            ('ß', 'ß'),
            ('ŉ', 'ŉ'),
            ('ς', 'Σ'),
            ('1', '1'),
        ] {
            assert_eq!(fold(c), folded, "{c}");
        }
    }

    proptest! {
        #[test]
        fn texts_compare_as_their_folded_characters(a in "[aAbBéÉß_\u{10FFFF}]{0,6}", b in "[aAbBéÉß_\u{10FFFF}]{0,6}") {
            let slow = |text: &str| -> Vec<char> { text.chars().map(fold).collect() };
            prop_assert_eq!(compare_text(&a, &b), slow(&a).cmp(&slow(&b)));
        }
    }
}
