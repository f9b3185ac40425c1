//! JSON in and out. Records stay text: only the engine knows their types.

use attache::{Candidate, Duplicates, Fields, RecordId, Value};
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One error of an answer. `message` may quote data: see `error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiProblem {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) fields: Vec<String>,
    /// What a duplicate rule found.
    pub(crate) duplicates: Option<Box<Duplicates>>,
}

#[derive(serde::Deserialize)]
struct ProblemDoc<'a> {
    #[serde(rename = "errorCode", borrow, default)]
    error_code: Option<Cow<'a, str>>,
    // Collections call it so.
    #[serde(rename = "statusCode", borrow, default)]
    status_code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
    #[serde(default)]
    fields: Option<Vec<Option<String>>>,
    // Orgs have been seen to misspell it.
    #[serde(rename = "duplicateResult", alias = "duplicateResut", borrow, default)]
    duplicates: Option<&'a RawValue>,
}

/// What a duplicate rule found.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct DuplicateDoc {
    allow_save: bool,
    duplicate_rule: Option<String>,
    match_results: Vec<MatchDoc>,
}

#[derive(serde::Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct MatchDoc {
    entity_type: String,
    match_records: Vec<MatchedDoc>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct MatchedDoc {
    record: MatchedRecordDoc,
    #[serde(default)]
    field_diffs: Vec<FieldDiffDoc>,
}

#[derive(serde::Deserialize)]
struct MatchedRecordDoc {
    #[serde(rename = "Id")]
    id: String,
}

#[derive(serde::Deserialize)]
struct FieldDiffDoc {
    difference: String,
    name: String,
}

/// Reads what a duplicate rule found; `None` if it is something else.
fn duplicates(doc: &RawValue) -> Option<Duplicates> {
    let doc: DuplicateDoc = serde_json::from_str(doc.get()).ok()?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for found in &doc.match_results {
        for matched in &found.match_records {
            let Some(id) = remote_id(&matched.record.id) else {
                continue;
            };
            let known = candidates.iter().any(|candidate| candidate.id == id);
            if known || candidates.len() == CANDIDATES_MAX {
                continue;
            }
            let same = matched
                .field_diffs
                .iter()
                .filter(|diff| diff.difference.eq_ignore_ascii_case("same"));
            candidates.push(Candidate {
                id,
                object: found.entity_type.clone(),
                fields: same.map(|diff| diff.name.clone()).collect(),
            });
        }
    }
    Some(Duplicates {
        rule: doc.duplicate_rule.unwrap_or_default(),
        may_save: doc.allow_save,
        candidates,
    })
}

/// What one answer may cost us in memory, whatever a hostile one holds.
const PROBLEMS_MAX: usize = 50;
const MESSAGE_CHARS_MAX: usize = 1000;
const CANDIDATES_MAX: usize = 50;

impl From<ProblemDoc<'_>> for ApiProblem {
    fn from(doc: ProblemDoc<'_>) -> ApiProblem {
        let bounded = |text: Option<Cow<'_, str>>| -> String {
            text.unwrap_or_default()
                .chars()
                .take(MESSAGE_CHARS_MAX)
                .collect()
        };
        ApiProblem {
            code: bounded(doc.error_code.or(doc.status_code)),
            message: bounded(doc.message),
            fields: doc.fields.into_iter().flatten().flatten().collect(),
            duplicates: doc.duplicates.and_then(duplicates).map(Box::new),
        }
    }
}

/// Reads the errors of an answer; `None` if it holds something else.
pub(crate) fn problems(body: &[u8]) -> Option<Vec<ApiProblem>> {
    // Told apart by hand: a derived struct would be read from an array as well.
    let many = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let problems: Vec<ApiProblem> = if many {
        let docs: Vec<&RawValue> = serde_json::from_slice(body).ok()?;
        let docs = docs.into_iter().take(PROBLEMS_MAX).map(problem);
        docs.collect::<Option<_>>()?
    } else {
        vec![problem(serde_json::from_slice(body).ok()?)?]
    };
    let all_coded = problems.iter().all(|problem| !problem.code.is_empty());
    all_coded.then_some(problems)
}

fn problem(doc: &RawValue) -> Option<ApiProblem> {
    let doc = doc.get().starts_with('{').then_some(doc.get())?;
    let doc: ProblemDoc<'_> = serde_json::from_str(doc).ok()?;
    Some(doc.into())
}

/// One page of a query.
#[derive(serde::Deserialize)]
pub(crate) struct PageDoc {
    #[serde(rename = "totalSize")]
    pub(crate) total: u64,
    pub(crate) done: bool,
    #[serde(rename = "nextRecordsUrl", default)]
    pub(crate) next: Option<String>,
    // Splitting the page keeps each record's text once: one allocation each.
    pub(crate) records: Vec<Box<RawValue>>,
}

/// The answer to getUpdated.
#[derive(serde::Deserialize)]
pub(crate) struct UpdatedDoc {
    pub(crate) ids: Vec<String>,
    #[serde(rename = "latestDateCovered")]
    pub(crate) latest: String,
}

/// The answer to getDeleted.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedDoc {
    pub(crate) deleted_records: Vec<DeletedRecordDoc>,
    pub(crate) earliest_date_available: String,
    pub(crate) latest_date_covered: String,
}

/// One deletion.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedRecordDoc {
    pub(crate) id: String,
    pub(crate) deleted_date: String,
}

/// One version of the API that the org offers.
#[derive(serde::Deserialize)]
pub(crate) struct VersionDoc {
    pub(crate) version: String,
}

/// What the root of a version tells; the rest of it is paths that we know.
#[derive(serde::Deserialize)]
pub(crate) struct RootDoc {
    pub(crate) identity: String,
}

/// What the identity service tells.
#[derive(serde::Deserialize)]
pub(crate) struct IdentityDoc {
    pub(crate) username: String,
    pub(crate) timezone: String,
    pub(crate) locale: String,
}

/// The same, as fields of the user.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UserDoc {
    pub(crate) username: String,
    pub(crate) time_zone_sid_key: String,
    pub(crate) locale_sid_key: String,
}

/// Only the id of a record.
#[derive(serde::Deserialize)]
pub(crate) struct IdDoc<'a> {
    #[serde(rename = "Id", borrow)]
    pub(crate) id: Cow<'a, str>,
}

/// A describe, looked at just enough to know that it is one.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "that the keys are there is all that is asked")]
pub(crate) struct DescribeDoc {
    name: String,
    fields: Vec<IgnoredAny>,
}

/// What became of one record of a collection.
#[derive(Debug)]
pub(crate) struct SaveResult {
    pub(crate) id: Option<String>,
    pub(crate) success: bool,
    pub(crate) errors: Vec<ApiProblem>,
}

impl<'de> Deserialize<'de> for SaveResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SaveResult, D::Error> {
        #[derive(serde::Deserialize)]
        struct Doc<'a> {
            #[serde(default)]
            id: Option<String>,
            success: bool,
            #[serde(borrow, default)]
            errors: Vec<ProblemDoc<'a>>,
        }
        let doc = Doc::deserialize(deserializer)?;
        Ok(SaveResult {
            id: doc.id,
            success: doc.success,
            errors: doc.errors.into_iter().map(Into::into).collect(),
        })
    }
}

/// The answer to a composite call.
#[derive(serde::Deserialize)]
pub(crate) struct CompositeDoc<'a> {
    #[serde(rename = "compositeResponse", borrow)]
    pub(crate) answers: Vec<SubAnswer<'a>>,
}

/// What became of one call of a composite.
#[derive(serde::Deserialize)]
pub(crate) struct SubAnswer<'a> {
    #[serde(borrow, default)]
    pub(crate) body: Option<&'a RawValue>,
    #[serde(rename = "httpHeaders", borrow, default)]
    pub(crate) headers: Option<&'a RawValue>,
    #[serde(rename = "httpStatusCode")]
    pub(crate) status: u16,
    #[serde(rename = "referenceId", borrow)]
    pub(crate) reference: Cow<'a, str>,
}

/// Brings an id of the org to 18 characters; `None` if it is none.
pub(crate) fn remote_id(text: &str) -> Option<String> {
    let id = RecordId::parse(text).ok()?;
    (!id.is_local()).then(|| id.as_str().to_owned())
}

/// One value, as the API wants it.
struct JsonValue<'a>(&'a Value);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_none(),
            Value::Boolean(value) => serializer.serialize_bool(*value),
            // The digits themselves: a float would round money.
            Value::Number(value) => RawValue::from_string(value.to_string())
                .map_err(S::Error::custom)?
                .serialize(serializer),
            Value::Text(value) => serializer.serialize_str(value),
            other => serializer.collect_str(other),
        }
    }
}

/// A record as a write's body.
pub(crate) struct JsonRecord<'a> {
    /// Written as `attributes.type`, which collections want.
    pub(crate) object: Option<&'a str>,
    /// Written first: `id`, or the key of an upsert.
    pub(crate) key: Option<(&'a str, &'a str)>,
    pub(crate) fields: &'a Fields,
}

impl JsonRecord<'_> {
    pub(crate) fn to_json(&self) -> serde_json::Result<Box<RawValue>> {
        serde_json::value::to_raw_value(self)
    }
}

impl Serialize for JsonRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Attributes<'a> {
            r#type: &'a str,
        }
        let mut map = serializer.serialize_map(None)?;
        if let Some(object) = self.object {
            map.serialize_entry("attributes", &Attributes { r#type: object })?;
        }
        if let Some((name, value)) = self.key {
            map.serialize_entry(name, value)?;
        }
        for (name, value) in self.fields.iter() {
            map.serialize_entry(name, &JsonValue(value))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attache::ServerTime;
    use jiff::civil;
    use rust_decimal::Decimal;

    fn json(value: impl Into<Value>) -> String {
        let fields = Fields::from([("F", value.into())]);
        let record = JsonRecord {
            object: None,
            key: None,
            fields: &fields,
        };
        record.to_json().unwrap().get().to_owned()
    }

    #[test]
    fn values_are_written_by_their_type() {
        assert_eq!(json(Value::Null), r#"{"F":null}"#);
        assert_eq!(json(true), r#"{"F":true}"#);
        assert_eq!(json("a\"b\n"), r#"{"F":"a\"b\n"}"#);
        assert_eq!(json(civil::date(2026, 11, 22)), r#"{"F":"2026-11-22"}"#);
        assert_eq!(
            json(ServerTime(1_795_339_800)),
            r#"{"F":"2026-11-22T09:30:00.000+0000"}"#
        );
        assert_eq!(json(civil::time(9, 30, 0, 0)), r#"{"F":"09:30:00.000Z"}"#);
    }

    #[test]
    fn money_keeps_every_digit() {
        for digits in [
            "9999999999999999.99",
            "1234567890123456.78",
            "-0.10",
            "0",
            "1000000000000000000",
        ] {
            let money: Decimal = digits.parse().unwrap();
            assert_eq!(json(money), format!(r#"{{"F":{digits}}}"#));
        }
    }

    #[test]
    fn a_record_of_a_collection_names_its_type_first() {
        let fields = Fields::from([("Name", "Acme")]);
        let record = JsonRecord {
            object: Some("Account"),
            key: Some(("id", "001")),
            fields: &fields,
        };
        assert_eq!(
            record.to_json().unwrap().get(),
            r#"{"attributes":{"type":"Account"},"id":"001","Name":"Acme"}"#
        );
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        let one = problems(br#"[{"message":"m","errorCode":"X","fields":["A",null]}]"#).unwrap();
        assert_eq!(one[0].code, "X");
        assert_eq!(one[0].fields, ["A"]);
        let bare = problems(br#"{"message":"m","errorCode":"X"}"#).unwrap();
        assert_eq!(bare[0].message, "m");
        let collection = problems(br#"[{"statusCode":"Y","message":null,"fields":null}]"#).unwrap();
        assert_eq!(collection[0].code, "Y");
        for junk in [
            "",
            "<html>",
            "{}",
            "[{}]",
            "[1]",
            r#"["/a"]"#,
            "null",
            "\"x\"",
        ] {
            assert_eq!(problems(junk.as_bytes()), None, "{junk}");
        }
        assert!(problems("[".repeat(100_000).as_bytes()).is_none());
    }

    #[test]
    fn a_page_is_split_into_the_text_of_its_records() {
        let page: PageDoc = serde_json::from_str(
            r#"{"totalSize":1,"done":true,"records":[{"Amount": 9999999999999999.990}]}"#,
        )
        .unwrap();
        assert_eq!(page.records[0].get(), r#"{"Amount": 9999999999999999.990}"#);
    }
}
