//! Composite: up to 25 calls in one, later ones naming what earlier ones answered.

use super::{
    Call,
    failure::Failure,
    machine::{Machine, check_version, too_large},
    message::Response,
    references::{Answers, Unfilled},
    target::Target,
};
use crate::json;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// Parts of a call at most.
const PARTS_MAX: usize = 25;
/// Parts that query or write collections at most.
const HEAVY_MAX: usize = 5;
/// Headers of a part's answer that the composite answer repeats.
const SHOWN_HEADERS: [&str; 3] = ["ETag", "Last-Modified", "Location"];
/// Headers a part may not set.
const OUTER_HEADERS: [&str; 3] = ["Accept", "Authorization", "Content-Type"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    all_or_none: bool,
    composite_request: Vec<Part>,
}

/// One call of a composite one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) reference_id: String,
    #[serde(default)]
    http_headers: Option<IndexMap<String, String>>,
    body: Option<Box<RawValue>>,
}

/// The answers of a composite call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    composite_response: Vec<PartAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartAnswer {
    body: Option<Box<RawValue>>,
    http_headers: IndexMap<&'static str, String>,
    http_status_code: u16,
    reference_id: String,
}

impl Answered {
    /// The answers of parts that were not run.
    pub(super) fn halted(parts: &[Part]) -> Answered {
        Answered {
            composite_response: parts
                .iter()
                .map(|part| show(part, &rolled_back()))
                .collect(),
        }
    }
}

/// `POST /composite`
pub(super) fn composite(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("POST")?;
    let body: Body = call.json()?;
    check(&body.composite_request)?;
    let (answered, _) = run(machine, call, &body.composite_request, body.all_or_none);
    Ok(Response::json(200, json::write(&answered)))
}

fn check(parts: &[Part]) -> Result<(), Failure> {
    check_references(parts)?;
    let limit = |message: String| Err(Failure::new(400, "LIMIT_EXCEEDED", message));
    if parts.len() > PARTS_MAX {
        return limit(format!(
            "The number of subrequests ({}) exceeds the limit of {PARTS_MAX}",
            parts.len()
        ));
    }
    let heavy = parts.iter().filter(|part| is_heavy(&part.url)).count();
    if heavy > HEAVY_MAX {
        return limit(format!(
            "The number of query and collection subrequests ({heavy}) exceeds the limit of {HEAVY_MAX}"
        ));
    }
    Ok(())
}

/// Refuses reference ids that are repeated or not made of letters, digits and underscores.
pub(super) fn check_references(parts: &[Part]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    for part in parts {
        let id = part.reference_id.as_str();
        let well_formed = !id.is_empty()
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !well_formed || !seen.insert(id) {
            return Err(Failure::new(
                400,
                "INVALID_INPUT",
                format!("referenceId '{id}' is malformed or given twice"),
            ));
        }
    }
    Ok(())
}

fn is_heavy(url: &str) -> bool {
    let segments = Target::parse(url).segments;
    segments
        .get(3)
        .is_some_and(|family| matches!(&**family, "query" | "queryAll" | "composite"))
}

/// Runs the parts in order, and says whether all went well.
///
/// With `all_or_none`, nothing is kept if one fails.
pub(super) fn run(
    machine: &mut Machine,
    call: &Call<'_>,
    parts: &[Part],
    all_or_none: bool,
) -> (Answered, bool) {
    let savepoint = all_or_none.then(|| {
        (
            machine.org.savepoint(),
            machine.org.saved_recents(call.actor),
        )
    });
    let mut known = Answers::default();
    let mut answers: Vec<Response> = Vec::with_capacity(parts.len());
    let mut ok = true;
    for part in parts {
        let answer = match all_or_none && !ok {
            true => rolled_back(),
            false => fill_and_send(machine, call, part, &known, all_or_none),
        };
        let succeeded = succeeded(&answer);
        ok &= succeeded && !(all_or_none && has_failed_element(&answer));
        known.insert(
            &part.reference_id,
            succeeded.then(|| body_of(&answer)).flatten(),
        );
        answers.push(answer);
    }
    match savepoint {
        Some((savepoint, _)) if ok => machine.org.release(savepoint),
        Some((savepoint, recents)) => {
            machine.org.rollback(savepoint);
            machine.org.restore_recents(call.actor, recents);
            for answer in answers
                .iter_mut()
                .filter(|answer| succeeded(answer) && !has_failed_element(answer))
            {
                *answer = rolled_back();
            }
        }
        None => {}
    }
    let composite_response = parts
        .iter()
        .zip(&answers)
        .map(|(part, answer)| show(part, answer))
        .collect();
    (Answered { composite_response }, ok)
}

fn fill_and_send(
    machine: &mut Machine,
    call: &Call<'_>,
    part: &Part,
    known: &Answers,
    all_or_none: bool,
) -> Response {
    let mut filling = known.filling();
    let filled = part
        .body
        .as_deref()
        .map(|body| filling.body(body))
        .transpose()
        .and_then(|body| Ok((filling.url(&part.url)?, body)));
    let (url, body) = match filled {
        Ok(filled) => filled,
        Err(Unfilled::Unresolved(reference)) => {
            let message =
                format!("Invalid reference specified. No value for {reference} found in body.");
            return Failure::new(400, "PROCESSING_HALTED", message).answer();
        }
        Err(Unfilled::TooLarge) => return too_large().answer(),
    };
    let headers: Vec<(String, String)> = part
        .http_headers
        .iter()
        .flatten()
        .filter(|(name, _)| {
            !OUTER_HEADERS
                .iter()
                .any(|outer| outer.eq_ignore_ascii_case(name))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    send(
        machine,
        &Call {
            method: &part.method,
            headers: &headers,
            all_or_none: Some(all_or_none),
            ..*call
        },
        &url,
        body.as_deref(),
    )
}

/// Sends one part as a call of its own. `call` gives everything but the URL and the body.
pub(super) fn send(
    machine: &mut Machine,
    call: &Call<'_>,
    url: &str,
    body: Option<&RawValue>,
) -> Response {
    let target = Target::parse(url);
    let path: Vec<&str> = target.segments.iter().map(String::as_str).collect();
    let (version, path) = match path.as_slice() {
        ["services", "data", version, path @ ..] => match check_version(version) {
            Ok(version) => (version, path),
            Err(failure) => return failure.answer(),
        },
        _ => return Failure::not_found().answer(),
    };
    if let ["composite", rest @ ..] = path
        && !matches!(rest, ["sobjects", ..] | ["tree", _])
    {
        return Failure::new(
            400,
            "INVALID_INPUT",
            "A composite request cannot contain another one",
        )
        .answer();
    }
    let body = body.map_or("", RawValue::get).as_bytes();
    machine.dispatch(&Call {
        version,
        path,
        query: &target.query,
        body,
        ..*call
    })
}

fn succeeded(answer: &Response) -> bool {
    answer.status < 300 || answer.status == 304
}

/// Says whether a collection's answer, which is 200 either way, tells of a row that was refused.
fn has_failed_element(answer: &Response) -> bool {
    #[derive(Deserialize)]
    struct Element {
        success: bool,
    }
    answer.status == 200
        && serde_json::from_slice::<Vec<Element>>(&answer.body)
            .is_ok_and(|elements| elements.iter().any(|element| !element.success))
}

fn rolled_back() -> Response {
    let message =
        "The transaction was rolled back since another operation in the same transaction failed.";
    Failure::new(400, "PROCESSING_HALTED", message).answer()
}

/// Reads an answer's body; `None` if there is none.
pub(super) fn body_of(answer: &Response) -> Option<Box<RawValue>> {
    serde_json::from_slice(&answer.body).ok()
}

fn show(part: &Part, answer: &Response) -> PartAnswer {
    PartAnswer {
        body: body_of(answer),
        http_headers: SHOWN_HEADERS
            .into_iter()
            .filter_map(|name| Some((name, answer.get(name)?.to_owned())))
            .collect(),
        http_status_code: answer.status,
        reference_id: part.reference_id.clone(),
    }
}
