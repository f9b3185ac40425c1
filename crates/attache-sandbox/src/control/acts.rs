//! What colleagues and administrators do at the org while a test looks on: calls that nobody counts.

use super::{Refusal, read, told, user_id};
use crate::{
    json,
    rest::{NEWEST, Request},
    sandbox::Sandbox,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};

/// How long a transaction may be held open: a day, of which a real org gives ten minutes.
const HELD_S_MAX: u32 = 86_400;

/// A call of the REST API in a user's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallDoc {
    /// Id or username; nobody: the administrator.
    user: Option<String>,
    method: String,
    /// Below `/services/data/vXX.X`, or with it.
    path: String,
    #[serde(default)]
    headers: IndexMap<String, String>,
    #[serde(default)]
    body: Value,
    /// The transaction commits so much later.
    #[serde(default)]
    commit_after_s: u32,
}

/// Does what a call of the REST API does, without a session, a fault, a count or a line in the log.
pub(super) fn call(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let doc: CallDoc = read(request)?;
    let user = match &doc.user {
        Some(user) => Some(user_id(sandbox, user)?),
        None => None,
    };
    if !doc.path.starts_with('/') {
        let error = "path must begin with a slash, such as /sobjects/Account";
        return Err(Refusal::new(400, error));
    }
    if doc.commit_after_s > HELD_S_MAX {
        let error = format!("commit_after_s must be at most {HELD_S_MAX}");
        return Err(Refusal::new(400, error));
    }
    let target = match doc.path.starts_with("/services/") {
        true => doc.path,
        false => format!("/services/data/v{NEWEST}.0{}", doc.path),
    };
    let mut made = Request::new(&doc.method.to_ascii_uppercase(), &target);
    made.headers.extend(doc.headers);
    match doc.body {
        Value::Null => {}
        Value::String(text) => made.body = text.into_bytes(),
        body => made = made.json(json::write(&body)),
    }
    let answer = sandbox.act(user.as_deref(), &made, doc.commit_after_s);
    let body =
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| Value::String(answer.text()));
    let body = match answer.body.is_empty() {
        true => Value::Null,
        false => body,
    };
    Ok(json!({ "status": answer.status, "body": body }))
}

/// Which row is in an approval, or no longer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalDoc {
    object: String,
    id: String,
    locked: bool,
}

pub(super) fn approve(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let doc: ApprovalDoc = read(request)?;
    sandbox.with_org(|org| match doc.locked {
        true => org.submit_for_approval(&doc.object, &doc.id),
        false => org.release_approval(&doc.object, &doc.id),
    });
    Ok(json!({ "locked": doc.locked, "now": told(sandbox.now()) }))
}
