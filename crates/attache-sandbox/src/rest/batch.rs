//! Batch: up to 25 calls in one, each on its own.

use super::{
    Call,
    composite::{body_of, send},
    failure::Failure,
    machine::Machine,
    message::Response,
};
use crate::json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Parts of a call at most.
const PARTS_MAX: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    halt_on_error: bool,
    batch_requests: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    method: String,
    url: String,
    rich_input: Option<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    has_errors: bool,
    results: Vec<PartAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartAnswer {
    status_code: u16,
    result: Option<Box<RawValue>>,
}

/// `POST /composite/batch`: each part commits by itself and counts as a call.
pub(super) fn batch(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("POST")?;
    let body: Body = call.json()?;
    let parts = body.batch_requests.len();
    if parts > PARTS_MAX {
        let message =
            format!("The number of subrequests ({parts}) exceeds the limit of {PARTS_MAX}");
        return Err(Failure::new(400, "LIMIT_EXCEEDED", message));
    }
    // The call itself was counted when it came in.
    let now_s = machine.now_s();
    machine.usage.count(now_s, (parts as u64).saturating_sub(1));
    let mut answered = Answered {
        has_errors: false,
        results: Vec::with_capacity(parts),
    };
    for part in &body.batch_requests {
        let answer = match body.halt_on_error && answered.has_errors {
            true => Failure::new(
                412,
                "BATCH_PROCESSING_HALTED",
                "Batch processing halted per request",
            )
            .answer(),
            false => {
                let path = part
                    .url
                    .trim_start_matches('/')
                    .trim_start_matches("services/data/");
                let call = Call {
                    method: &part.method,
                    headers: &[],
                    ..*call
                };
                send(
                    machine,
                    &call,
                    &format!("/services/data/{path}"),
                    part.rich_input.as_deref(),
                )
            }
        };
        answered.has_errors |= answer.status >= 400;
        answered.results.push(PartAnswer {
            status_code: answer.status,
            result: body_of(&answer),
        });
    }
    Ok(Response::json(200, json::write(&answered)))
}
