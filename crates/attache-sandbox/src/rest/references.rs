//! `@{reference.field}`: how a part of a composite call names what an earlier part answered.

use super::{BODY_BYTES_MAX, target::encode};
use crate::json::{self, Fields};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// References of one part at most; a collection of 200 rows may well hold a thousand.
const REFERENCES_MAX: usize = 10_000;

/// The answers that later parts may name.
#[derive(Debug, Default)]
pub(super) struct Answers(BTreeMap<String, Option<Box<RawValue>>>);

/// Why a part cannot be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfilled {
    /// The reference that led nowhere.
    Unresolved(String),
    /// There are too many references, or what they stand for is too long: a few bytes that name a
    /// long answer over and over must not fill the memory.
    TooLarge,
}

/// Fills in the references of one part.
#[derive(Debug)]
pub(super) struct Filling<'a> {
    answers: &'a Answers,
    references_left: usize,
    bytes_left: usize,
}

impl Answers {
    /// Notes an answer; one that failed, or has no body, has nothing to name.
    pub(super) fn insert(&mut self, reference: &str, body: Option<Box<RawValue>>) {
        self.0.insert(reference.into(), body);
    }

    /// Starts with a part.
    pub(super) fn filling(&self) -> Filling<'_> {
        Filling {
            answers: self,
            references_left: REFERENCES_MAX,
            bytes_left: BODY_BYTES_MAX,
        }
    }

    /// Follows `reference.field[0].field` into an answer.
    fn resolve(&self, expression: &str) -> Option<Box<RawValue>> {
        let (reference, path) =
            expression.split_at(expression.find(['.', '[']).unwrap_or(expression.len()));
        let mut value = self.0.get(reference)?.to_owned()?;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            value = match step.strip_suffix(']') {
                Some(index) => element(&value, index),
                None => field(&value, step),
            }?;
        }
        Some(value)
    }
}

impl Filling<'_> {
    /// Fills in the references of a URL, percent-encoded.
    pub(super) fn url(&mut self, url: &str) -> Result<String, Unfilled> {
        self.fill(url, |value| encode(&plain(value)))
    }

    /// Fills in the references of a body. A text that is one reference and nothing else becomes the
    /// value itself; elsewhere the value stands inside the text.
    pub(super) fn body(&mut self, body: &RawValue) -> Result<Box<RawValue>, Unfilled> {
        if !body.get().contains("@{") {
            return Ok(body.to_owned());
        }
        let filled = match body.get().as_bytes().first() {
            Some(b'"') => self.text(&json::text(body).unwrap_or_default())?,
            Some(b'[') => {
                let elements: Vec<&RawValue> = serde_json::from_str(body.get()).unwrap_or_default();
                let mut filled = Vec::with_capacity(elements.len());
                for element in elements {
                    filled.push(self.body(element)?.get().to_owned());
                }
                format!("[{}]", filled.join(","))
            }
            Some(b'{') => {
                let fields: Fields = serde_json::from_str(body.get()).unwrap_or_default();
                let mut filled = Vec::with_capacity(fields.0.len());
                for (name, value) in &fields.0 {
                    let value = self.body(value)?;
                    filled.push(format!("{}:{}", json::quoted(name), value.get()));
                }
                format!("{{{}}}", filled.join(","))
            }
            _ => return Ok(body.to_owned()),
        };
        Ok(json::raw(filled))
    }

    fn text(&mut self, text: &str) -> Result<String, Unfilled> {
        let whole = text
            .strip_prefix("@{")
            .and_then(|rest| rest.strip_suffix('}'));
        match whole.filter(|expression| !expression.contains('}')) {
            Some(expression) => Ok(self.resolve(expression)?.get().to_owned()),
            None => Ok(json::quoted(&self.fill(text, plain)?)),
        }
    }

    fn fill(
        &mut self,
        text: &str,
        print: impl Fn(&RawValue) -> String,
    ) -> Result<String, Unfilled> {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, after)) = rest.split_once("@{") {
            let Some((expression, after)) = after.split_once('}') else {
                break;
            };
            out.push_str(before);
            out.push_str(&print(&self.resolve(expression)?));
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn resolve(&mut self, expression: &str) -> Result<Box<RawValue>, Unfilled> {
        let less = |left: usize, by: usize| left.checked_sub(by).ok_or(Unfilled::TooLarge);
        self.references_left = less(self.references_left, 1)?;
        let value = self
            .answers
            .resolve(expression)
            .ok_or_else(|| Unfilled::Unresolved(expression.into()))?;
        self.bytes_left = less(self.bytes_left, value.get().len())?;
        Ok(value)
    }
}

fn element(value: &RawValue, index: &str) -> Option<Box<RawValue>> {
    let mut elements: Vec<Box<RawValue>> = serde_json::from_str(value.get()).ok()?;
    let index: usize = index.trim().parse().ok()?;
    (index < elements.len()).then(|| elements.swap_remove(index))
}

/// Names are case-sensitive: the answer to a POST has `id`, a row has `Id`.
fn field(value: &RawValue, name: &str) -> Option<Box<RawValue>> {
    let fields: Fields = serde_json::from_str(value.get()).ok()?;
    fields
        .0
        .into_iter()
        .find(|(field, _)| field == name)
        .map(|(_, value)| value)
}

/// Prints a value as it stands inside a text.
fn plain(value: &RawValue) -> String {
    json::text(value).unwrap_or_else(|| value.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    fn answers() -> Answers {
        let mut answers = Answers::default();
        answers.insert(
            "acc",
            Some(raw(
                r#"{"id":"001","n":10.50,"records":[{"Id":"a'b"},{"Id":"c"}]}"#,
            )),
        );
        answers.insert("bad", None);
        answers
    }

    #[test]
    fn bodies_are_filled_in() {
        let body = raw(
            r#"{"AccountId":"@{acc.id}","x":["@{acc.records[1].Id}","y"],"n":"@{acc.n}","t":"<@{acc.id}>"}"#,
        );
        let filled = answers().filling().body(&body).unwrap();
        assert_eq!(
            filled.get(),
            r#"{"AccountId":"001","x":["c","y"],"n":10.50,"t":"<001>"}"#
        );
    }

    #[test]
    fn urls_are_filled_in_and_encoded() {
        let url = answers()
            .filling()
            .url("/sobjects/Contact/@{acc.id}?q=@{acc.records[0].Id}")
            .unwrap();
        assert_eq!(url, "/sobjects/Contact/001?q=a%27b");
    }

    #[test]
    fn what_cannot_be_found_is_named() {
        for wrong in [
            "bad.id",
            "none.id",
            "acc.Id",
            "acc.records[2].Id",
            "acc.records.Id",
        ] {
            let body = json::raw(json::quoted(&format!("@{{{wrong}}}")));
            assert_eq!(
                answers().filling().body(&body).unwrap_err(),
                Unfilled::Unresolved(wrong.into())
            );
        }
    }

    #[test]
    fn a_part_cannot_grow_without_end() {
        let mut long = Answers::default();
        long.insert("a", Some(json::raw(json::quoted(&"x".repeat(1 << 20)))));
        let body = |times| json::raw(json::quoted(&"<@{a}>".repeat(times)));
        assert!(long.filling().body(&body(49)).is_ok());
        assert_eq!(
            long.filling().body(&body(51)).unwrap_err(),
            Unfilled::TooLarge
        );
        let url = "@{acc.id}".repeat(REFERENCES_MAX + 1);
        assert_eq!(
            answers().filling().url(&url).unwrap_err(),
            Unfilled::TooLarge
        );
    }
}
