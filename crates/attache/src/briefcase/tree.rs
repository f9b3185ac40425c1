//! Walks through JSON text and keeps every problem on the way, each with its JSON pointer.

use super::document::BYTES_MAX;
use crate::error::{Error, ErrorKind, Problem, Result};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// Problems that are listed at most; more are counted.
const PROBLEMS_MAX: usize = 100;
/// Letters that may differ for a key to be taken for a mistyped one.
const TYPING_ERRORS_MAX: usize = 3;

pub(super) const MALFORMED_QUERY: &str = "MALFORMED_QUERY";

/// What is wrong with a document, in the order of the document.
#[derive(Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    /// Problems that were found behind the last one listed.
    more: usize,
    /// Where in its filter the first one is.
    position: Option<usize>,
}

impl Problems {
    pub(super) fn add(&mut self, at: &str, code: &str, message: impl Into<String>) {
        if self.list.len() == PROBLEMS_MAX {
            self.more += 1;
            return;
        }
        self.list.push(Problem {
            fields: vec![at.to_owned()],
            code: code.to_owned(),
            message: message.into(),
            duplicates: None,
        });
    }

    /// Adds what is wrong with a condition or an order, which stands so many bytes into its text.
    pub(super) fn add_query(&mut self, at: &str, message: String, position: Option<usize>) {
        if self.list.is_empty() {
            self.position = position;
        }
        self.add(at, MALFORMED_QUERY, message);
    }

    /// Says whether nothing was found.
    pub(super) fn none(&self) -> bool {
        self.list.is_empty()
    }

    /// Makes one error of them all.
    ///
    /// A briefcase that is wrong in its filters alone is a malformed query.
    pub(super) fn error(self) -> Error {
        let queries_only = self
            .list
            .iter()
            .all(|problem| problem.code == MALFORMED_QUERY);
        let kind = if queries_only {
            ErrorKind::MalformedQuery
        } else {
            ErrorKind::InvalidArgument
        };
        let first = self.list.first().map_or_else(String::new, |problem| {
            let at = problem.fields.first().filter(|at| !at.is_empty());
            at.map_or_else(String::new, |at| format!("{at}: ")) + &problem.message
        });
        let message = match self.list.len() + self.more {
            0 | 1 => format!("the briefcase is not valid: {first}"),
            many => format!("the briefcase has {many} problems; the first is {first}"),
        };
        let error = Error::new(kind, message);
        let error = match self.position {
            Some(position) if self.list.len() == 1 => error.at(position),
            _ => error,
        };
        error.with_problems(self.list)
    }
}

/// Checks that a text is JSON of bearable size.
pub(super) fn root(json: &str) -> Result<&RawValue> {
    if json.len() > BYTES_MAX {
        return Err(Error::invalid(format!(
            "the briefcase has {} bytes; at most {BYTES_MAX} are read",
            json.len()
        )));
    }
    // Some editors put a byte order mark at the beginning.
    serde_json::from_str(json.trim_start_matches('\u{feff}'))
        .map_err(|error| Error::invalid(format!("the briefcase is not a valid document: {error}")))
}

/// The members of an object, in their order.
pub(super) struct Members<'a> {
    at: String,
    list: Vec<(String, &'a RawValue)>,
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl<'a> Members<'a> {
    /// Takes a member out by its key.
    pub(super) fn take(&mut self, key: &str) -> Option<(&'a RawValue, String)> {
        let place = self.list.iter().position(|(own, _)| own == key)?;
        let (key, value) = self.list.remove(place);
        Some((value, below(&self.at, &key)))
    }

    /// The members with their places.
    pub(super) fn all(self) -> impl Iterator<Item = (String, &'a RawValue, String)> {
        let at = self.at;
        self.list.into_iter().map(move |(key, value)| {
            let place = below(&at, &key);
            (key, value, place)
        })
    }
}

/// The place of a member: a JSON pointer (RFC 6901).
pub(super) fn below(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

impl Problems {
    /// Reads an object that has these keys only, or any if none is given.
    pub(super) fn object<'a>(
        &mut self,
        raw: &'a RawValue,
        at: &str,
        keys: &[&str],
    ) -> Option<Members<'a>> {
        let read = serde_json::Deserializer::from_str(raw.get()).deserialize_map(Entries);
        let Some(entries) = read.ok().filter(|_| raw.get().starts_with('{')) else {
            self.wrong_type(at, "an object");
            return None;
        };
        let mut list: Vec<(String, &RawValue)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let place = below(at, &key);
            if list.iter().any(|(own, _)| *own == key) {
                self.add(
                    &place,
                    "DUPLICATE_KEY",
                    "the key stands here twice; keep one",
                );
            } else if keys.is_empty() || keys.contains(&key.as_str()) {
                list.push((key, value));
            } else {
                self.unknown_key(&place, &key, keys);
            }
        }
        Some(Members {
            at: at.to_owned(),
            list,
        })
    }

    fn unknown_key(&mut self, at: &str, key: &str, keys: &[&str]) {
        let advice = match nearest(key, keys) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known here are `{}`", keys.join("`, `")),
        };
        self.add(at, "UNKNOWN_KEY", format!("unknown key; {advice}"));
    }

    pub(super) fn wrong_type(&mut self, at: &str, expected: &str) {
        self.add(at, "WRONG_TYPE", format!("expected {expected}"));
    }

    /// Reads a list of at most so many.
    pub(super) fn list<'a>(
        &mut self,
        raw: &'a RawValue,
        at: &str,
        most: usize,
    ) -> Option<Vec<&'a RawValue>> {
        let list: Option<Vec<&RawValue>> = serde_json::from_str(raw.get()).ok();
        let Some(list) = list else {
            self.wrong_type(at, "a list");
            return None;
        };
        if list.len() > most {
            let message = format!("{} are too many; at most {most} are read", list.len());
            self.add(at, "TOO_MANY", message);
            return None;
        }
        Some(list)
    }

    /// Reads a text that is not empty.
    pub(super) fn text(&mut self, raw: &RawValue, at: &str) -> Option<String> {
        match read::<String>(raw) {
            Some(text) if text.trim().is_empty() => {
                self.add(
                    at,
                    "EMPTY",
                    "expected some text, found none; leave the key out",
                );
                None
            }
            Some(text) => Some(text),
            None => {
                self.wrong_type(at, "a text");
                None
            }
        }
    }

    /// Reads the API name of an object or of a field.
    pub(super) fn name(&mut self, raw: &RawValue, at: &str, what: &str) -> Option<String> {
        let text = self.text(raw, at)?;
        if is_api_name(&text) {
            return Some(text);
        }
        let advice = "letters, digits and underscores, a letter first";
        self.add(
            at,
            "INVALID_NAME",
            format!("expected the API name of {what}: {advice}"),
        );
        None
    }

    /// Reads the API name or the id of what an administrator made.
    pub(super) fn name_or_id(&mut self, raw: &RawValue, at: &str, what: &str) -> Option<String> {
        let text = self.text(raw, at)?;
        let is_id = crate::record::RecordId::parse(&text).is_ok();
        if is_id || is_api_name(&text) {
            return Some(text);
        }
        self.add(
            at,
            "INVALID_NAME",
            format!("expected the API name or the id of {what}"),
        );
        None
    }

    /// Reads a number of records.
    pub(super) fn limit(&mut self, raw: &RawValue, at: &str) -> Option<u32> {
        let limit = read::<u32>(raw).filter(|limit| *limit > 0);
        if limit.is_none() {
            self.add(
                at,
                "OUT_OF_RANGE",
                "expected a whole number from 1 to 4294967295",
            );
        }
        limit
    }

    /// Reads true or false.
    pub(super) fn boolean(&mut self, raw: &RawValue, at: &str) -> Option<bool> {
        let value = read(raw);
        if value.is_none() {
            self.wrong_type(at, "true or false");
        }
        value
    }
}

pub(super) fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

/// Says whether a text can be the API name of an object or a field.
pub(crate) fn is_api_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 255
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The known word that is most like a mistyped one, if any is.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // A long word is like none of them, and would take long to compare.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let nearest = known
        .iter()
        .map(|own| {
            (
                strsim::damerau_levenshtein(&word, &own.to_lowercase()),
                *own,
            )
        })
        .min()?;
    let most = TYPING_ERRORS_MAX.min(nearest.1.len() / 2);
    Some(nearest.1).filter(|_| nearest.0 <= most)
}
