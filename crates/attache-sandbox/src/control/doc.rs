//! What a control call carries.

use crate::{
    fault::{Fault, FaultKind},
    rest::Response,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// How long a fault may hold an answer back: ten minutes.
const WAIT_MS_MAX: u64 = 600_000;
/// How large an answer made by a fault may be, inflated.
const BYTES_MAX: usize = 1 << 30;
/// How deep the arrays of an answer may stand in each other.
const DEPTH_MAX: usize = 50_000_000;

/// One fault, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum FaultDocs {
    One(Map<String, Value>),
    Many(Vec<Map<String, Value>>),
}

impl FaultDocs {
    /// Reads the faults, all or none of them.
    pub(super) fn faults(self) -> Result<Vec<Fault>, String> {
        let docs = match self {
            FaultDocs::One(doc) => vec![doc],
            FaultDocs::Many(docs) => docs,
        };
        match docs.is_empty() {
            true => Err("the list of faults is empty".into()),
            false => docs.into_iter().map(fault).collect(),
        }
    }
}

/// What every fault may say besides its kind.
#[derive(Debug, Deserialize)]
struct Which {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default = "one")]
    nth: u32,
    /// Null: until the plan is cleared.
    #[serde(default = "once")]
    times: Option<u32>,
    #[serde(default)]
    after_commit: bool,
}

fn one() -> u32 {
    1
}

#[expect(clippy::unnecessary_wraps, reason = "a default has its field's type")]
fn once() -> Option<u32> {
    Some(1)
}

/// A kind of fault, with what only it needs.
// Structs without fields, because a variant without them would take any field.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum KindDoc {
    LoseRequest {},
    LoseAnswer {},
    Straggle {
        ms: u64,
    },
    Reset {},
    Unauthorized {},
    LimitExceeded {},
    Busy {
        #[serde(default = "unavailable")]
        status: u16,
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    Redirect {
        to: String,
    },
    Status {
        status: u16,
        #[serde(default)]
        headers: IndexMap<String, String>,
        #[serde(default)]
        body: String,
    },
    Truncate {
        bytes: usize,
    },
    Delay {
        ms: u64,
    },
    Drip {
        ms: u64,
    },
    Garbage {
        #[serde(default = "noise")]
        text: String,
    },
    Deep {
        depth: usize,
    },
    EndlessPages {},
    Bomb {
        bytes: usize,
    },
    Rewrite {
        find: String,
        replace: String,
    },
}

fn unavailable() -> u16 {
    503
}

/// No status line, and no end of a line.
fn noise() -> String {
    "\u{1}\u{2}NOT HTTP \u{fffd}\u{0}".repeat(20)
}

fn fault(mut doc: Map<String, Value>) -> Result<Fault, String> {
    let common = ["method", "path", "nth", "times", "after_commit"];
    let which = common
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), doc.remove(name)?)))
        .collect();
    let unread = |error: serde_json::Error| format!("the fault cannot be read: {error}");
    let which: Which = serde_json::from_value(Value::Object(which)).map_err(unread)?;
    let kind = serde_json::from_value(Value::Object(doc)).map_err(unread)?;
    let mut fault = Fault::new(make(kind)?);
    if let Some(method) = &which.method {
        fault = fault.method(method);
    }
    if let Some(path) = &which.path {
        fault = fault.path(path);
    }
    if which.nth == 0 || which.times == Some(0) {
        return Err("nth and times count from 1; times null strikes until it is cleared".into());
    }
    fault = fault.nth(which.nth);
    fault = match which.times {
        Some(times) => fault.times(times),
        None => fault.always(),
    };
    Ok(match which.after_commit {
        true => fault.after_commit(),
        false => fault,
    })
}

fn make(doc: KindDoc) -> Result<FaultKind, String> {
    Ok(match doc {
        KindDoc::LoseRequest {} => FaultKind::LoseRequest,
        KindDoc::LoseAnswer {} => FaultKind::LoseAnswer,
        KindDoc::Reset {} => FaultKind::Reset,
        KindDoc::Unauthorized {} => FaultKind::unauthorized(),
        KindDoc::LimitExceeded {} => FaultKind::limit_exceeded(),
        KindDoc::Busy {
            status,
            retry_after_s,
        } => FaultKind::busy(checked_status(status)?, retry_after_s),
        KindDoc::Redirect { to } => {
            checked_header("Location", &to)?;
            FaultKind::redirect(&to)
        }
        KindDoc::Status {
            status,
            headers,
            body,
        } => answer(checked_status(status)?, headers, body)?,
        KindDoc::Truncate { bytes } => FaultKind::Truncate(bytes),
        KindDoc::Straggle { ms } => FaultKind::Straggle(Duration::from_millis(ms)),
        KindDoc::Delay { ms } => FaultKind::Delay(wait(ms)?),
        KindDoc::Drip { ms } => FaultKind::Drip(wait(ms)?),
        KindDoc::Garbage { text } => FaultKind::Garbage(text.into_bytes()),
        KindDoc::Deep { depth } => FaultKind::Deep(at_most("depth", depth, DEPTH_MAX)?),
        KindDoc::EndlessPages {} => FaultKind::EndlessPages,
        KindDoc::Bomb { bytes } => FaultKind::Bomb(at_most("bytes", bytes, BYTES_MAX)?),
        KindDoc::Rewrite { find, .. } if find.is_empty() => {
            return Err("find must not be empty".into());
        }
        KindDoc::Rewrite { find, replace } => FaultKind::Rewrite { find, replace },
    })
}

fn answer(
    status: u16,
    headers: IndexMap<String, String>,
    body: String,
) -> Result<FaultKind, String> {
    if headers.is_empty() {
        return Ok(FaultKind::Status(status, body));
    }
    for (name, value) in &headers {
        checked_header(name, value)?;
    }
    Ok(FaultKind::Answer(Response {
        status,
        headers: headers.into_iter().collect(),
        body: body.into_bytes(),
    }))
}

fn checked_status(status: u16) -> Result<u16, String> {
    match status {
        200..=599 => Ok(status),
        _ => Err("status must be from 200 to 599".into()),
    }
}

fn checked_header(name: &str, value: &str) -> Result<(), String> {
    let named = hyper::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
    match named && hyper::header::HeaderValue::from_str(value).is_ok() {
        true => Ok(()),
        false => Err(format!("{name} is no header, or its value cannot be sent")),
    }
}

fn wait(ms: u64) -> Result<Duration, String> {
    match ms {
        0..=WAIT_MS_MAX => Ok(Duration::from_millis(ms)),
        _ => Err(format!("ms must be at most {WAIT_MS_MAX}")),
    }
}

fn at_most(name: &str, value: usize, max: usize) -> Result<usize, String> {
    match value <= max {
        true => Ok(value),
        false => Err(format!("{name} must be at most {max}")),
    }
}

/// How the clock moves.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum ClockDoc {
    Advance { advance_s: u32 },
    Set { now: String },
}

/// Whether anybody reaches the org.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkDoc {
    pub(super) offline: bool,
}

/// Which row nobody can write to, and how long by the org's clock.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LockDoc {
    pub(super) object: String,
    pub(super) id: String,
    pub(super) seconds: u32,
}

/// Which public key assertions may be signed with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyDoc {
    pub(super) pem: String,
}
