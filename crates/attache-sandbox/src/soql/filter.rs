//! Conditions after the check: which values a row must have.

use super::ast::Op;
use crate::org::{IdKey, key};
use crate::value::Value;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

/// A condition on values of `T`: fields of a row, or columns of a group.
#[derive(Clone, Debug)]
pub(crate) enum Pred<T> {
    All(Vec<Pred<T>>),
    Any(Vec<Pred<T>>),
    Not(Box<Pred<T>>),
    Test(T, Test),
}

impl<T> Pred<T> {
    /// Says whether the condition holds for the values that `get` gives.
    pub(crate) fn holds<'v>(&self, get: &impl Fn(&T) -> Cow<'v, Value>) -> bool {
        match self {
            Pred::All(parts) => parts.iter().all(|part| part.holds(get)),
            Pred::Any(parts) => parts.iter().any(|part| part.holds(get)),
            Pred::Not(part) => !part.holds(get),
            Pred::Test(subject, test) => test.holds(&get(subject)),
        }
    }
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Case does not matter.
    Folded,
    Exact,
    /// The first 15 characters, whose case matters.
    Id,
}

/// A question to one value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    IsNull,
    IsNotNull,
    Is(Mode, Value),
    IsNot(Mode, Value),
    /// `<`, `<=`, `>` or `>=`; null is in no order.
    Order(Mode, Op, Value),
    /// From the first value on, before the second.
    Within(Value, Value),
    Outside(Value, Value),
    Like(Pattern),
    /// The flag says whether null counts as not alike.
    NotLike(Pattern, bool),
    In(Set),
    /// The flag says whether null counts as not contained.
    NotIn(Set, bool),
    /// A multi-select list with exactly these entries, folded and sorted.
    Chosen(Vec<String>),
    NotChosen(Vec<String>),
    /// A multi-select list with all entries of one of these sets, folded.
    Includes(Vec<Vec<String>>),
    Excludes(Vec<Vec<String>>),
}

impl Test {
    pub(crate) fn holds(&self, value: &Value) -> bool {
        match self {
            Test::IsNull => value.is_null(),
            Test::IsNotNull => !value.is_null(),
            Test::Is(mode, constant) => is(*mode, value, constant),
            Test::IsNot(mode, constant) => !is(*mode, value, constant),
            Test::Order(mode, op, constant) => {
                compare(*mode, value, constant).is_some_and(|order| match op {
                    Op::Less => order.is_lt(),
                    Op::LessEqual => order.is_le(),
                    Op::Greater => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
            Test::Within(from, to) => within(value, from, to),
            Test::Outside(from, to) => !within(value, from, to),
            Test::Like(pattern) => value.as_text().is_some_and(|text| pattern.matches(text)),
            Test::NotLike(pattern, nulls) => value
                .as_text()
                .map_or(*nulls, |text| !pattern.matches(text)),
            Test::In(set) => set.has(value),
            Test::NotIn(set, nulls) => {
                if value.is_null() {
                    *nulls && !set.null
                } else {
                    !set.has(value)
                }
            }
            Test::Chosen(entries) => chosen(value) == *entries,
            Test::NotChosen(entries) => chosen(value) != *entries,
            Test::Includes(sets) => includes(value, sets),
            Test::Excludes(sets) => !includes(value, sets),
        }
    }
}

fn is(mode: Mode, value: &Value, constant: &Value) -> bool {
    match (value, constant) {
        // A checkbox behind a missing parent reads as not set.
        (Value::Null, Value::Bool(on)) => !on,
        (Value::Text(value), Value::Text(constant)) => match mode {
            Mode::Exact => value == constant,
            Mode::Id => key(value) == key(constant),
            Mode::Folded if value.is_ascii() && constant.is_ascii() => {
                value.eq_ignore_ascii_case(constant)
            }
            Mode::Folded => value.to_lowercase() == constant.to_lowercase(),
        },
        _ => value == constant,
    }
}

/// Orders two values of one kind; `None` if one is null.
pub(crate) fn compare(mode: Mode, a: &Value, b: &Value) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Text(a), Value::Text(b)) => match mode {
            Mode::Exact => a.cmp(b),
            Mode::Id => key(a).cmp(&key(b)),
            Mode::Folded => {
                let upper = |text: &'_ str| {
                    text.chars()
                        .flat_map(char::to_uppercase)
                        .collect::<String>()
                };
                upper(a).cmp(&upper(b))
            }
        },
        (Value::Number(a), Value::Number(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => return None,
    })
}

fn within(value: &Value, from: &Value, to: &Value) -> bool {
    let order = |constant| compare(Mode::Exact, value, constant);
    order(from).is_some_and(Ordering::is_ge) && order(to).is_some_and(Ordering::is_lt)
}

/// The folded, sorted entries of a multi-select list.
pub(crate) fn entries(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = text
        .split(';')
        .map(|entry| entry.trim().to_lowercase())
        .filter(|entry| !entry.is_empty())
        .collect();
    entries.sort();
    entries.dedup();
    entries
}

fn chosen(value: &Value) -> Vec<String> {
    value.as_text().map(entries).unwrap_or_default()
}

fn includes(value: &Value, sets: &[Vec<String>]) -> bool {
    let chosen = chosen(value);
    sets.iter()
        .any(|set| !chosen.is_empty() && set.iter().all(|entry| chosen.contains(entry)))
}

/// A list of constants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    pub null: bool,
    pub ids: HashSet<IdKey>,
    pub folded: HashSet<String>,
    pub exact: Vec<Value>,
}

impl Set {
    pub(crate) fn insert(&mut self, mode: Mode, value: Value) {
        match (mode, value) {
            (_, Value::Null) => self.null = true,
            (Mode::Id, Value::Text(text)) => self.ids.extend(key(&text)),
            (Mode::Folded, Value::Text(text)) => {
                self.folded.insert(text.to_lowercase());
            }
            (_, value) => self.exact.push(value),
        }
    }

    fn has(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.null,
            Value::Text(text) => {
                !self.ids.is_empty() && key(text).is_some_and(|id| self.ids.contains(&id))
                    || !self.folded.is_empty() && self.folded.contains(&text.to_lowercase())
                    || self.exact.contains(value)
            }
            _ => self.exact.contains(value),
        }
    }
}

/// A LIKE pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    /// `%`
    Any,
    /// `_`
    One,
    Char(char),
}

impl Pattern {
    /// Reads a pattern whose escapes are resolved but for `\\`, `\_` and `\%`.
    pub(crate) fn new(mode: Mode, text: &str) -> Pattern {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => pieces.push(Piece::Any),
                '_' => pieces.push(Piece::One),
                '\\' => pieces.extend(chars.next().into_iter().flat_map(|c| folded(mode, c))),
                other => pieces.extend(folded(mode, other)),
            }
        }
        Pattern { pieces, mode }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = match self.mode {
            Mode::Exact => text.chars().collect(),
            _ => text.chars().flat_map(char::to_lowercase).collect(),
        };
        let (mut piece, mut at) = (0, 0);
        // Where to go on when a later `%` has to swallow one character more.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.pieces.get(piece) {
                Some(Piece::Any) => {
                    retry = Some((piece + 1, at));
                    piece += 1;
                    continue;
                }
                Some(Piece::One) => {}
                Some(Piece::Char(c)) if *c == text[at] => {}
                _ => {
                    let Some((after, from)) = retry else {
                        return false;
                    };
                    retry = Some((after, from + 1));
                    (piece, at) = (after, from + 1);
                    continue;
                }
            }
            (piece, at) = (piece + 1, at + 1);
        }
        self.pieces[piece..]
            .iter()
            .all(|piece| *piece == Piece::Any)
    }
}

/// A character of a pattern; it folds to several now and then.
fn folded(mode: Mode, c: char) -> Vec<Piece> {
    match mode {
        Mode::Exact => vec![Piece::Char(c)],
        _ => c.to_lowercase().map(Piece::Char).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_a_case_sensitive_field_matters_to_like() {
        for (mode, expected) in [(Mode::Folded, true), (Mode::Exact, false)] {
            assert_eq!(Pattern::new(mode, "A%").matches("acme"), expected);
            assert!(Pattern::new(mode, "a_M%").matches("acMe"));
        }
    }

    #[test]
    fn wildcards_match_as_like_wants() {
        for (pattern, text, expected) in [
            ("A%", "acme", true),
            ("%m_", "Acme", true),
            ("a_e", "acme", false),
            ("%", "", true),
            ("_", "", false),
            ("", "", true),
            ("%a%b%", "xaxxb", true),
            ("%a%b", "xaxxbc", false),
            (r"100\%", "100%", true),
            (r"100\%", "100x", false),
            (r"a\_b", "a_b", true),
            (r"a\_b", "axb", false),
            (r"a\\%", r"a\bc", true),
            ("straße", "STRASSE", false),
            ("é%", "Éa", true),
        ] {
            assert_eq!(
                Pattern::new(Mode::Folded, pattern).matches(text),
                expected,
                "{text} LIKE {pattern}"
            );
        }
    }
}
