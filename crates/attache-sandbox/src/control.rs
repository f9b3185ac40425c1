//! The sandbox's own resources, beside those of the org: `/sandbox/…`.
//!
//! A test in any language plans faults, moves the clock, ends sessions, sets switches and acts as a colleague with
//! them. They answer to the control token alone, meet no fault, and are neither logged nor counted.

mod acts;
mod doc;
mod meter;
mod settings;

pub(crate) use meter::Meter;

use crate::{
    fault::Fault,
    json,
    rest::{Request, Response, Target},
    sandbox::Sandbox,
};
use doc::{ClockDoc, FaultDocs, KeyDoc, LockDoc, NetworkDoc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Where the resources stand.
pub(crate) const ROOT: &str = "/sandbox";

/// Bytes of a request's body at most.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Why a call was not done.
#[derive(Debug)]
struct Refusal {
    status: u16,
    error: String,
}

impl Refusal {
    fn new(status: u16, error: impl Into<String>) -> Refusal {
        Refusal {
            status,
            error: error.into(),
        }
    }
}

/// Says whether a request is for the sandbox and not for the org in it.
pub(crate) fn is_addressed(request: &Request) -> bool {
    let path = request.target.split('?').next().unwrap_or_default();
    path.strip_prefix(ROOT)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a call.
pub(crate) fn answer(sandbox: &Sandbox, request: &Request) -> Response {
    let answer = match admit(sandbox, request).and_then(|()| route(sandbox, request)) {
        Ok(done) => Response::json(200, json::write(&done)),
        Err(Refusal { status, error }) => {
            Response::json(status, json::write(&json!({ "error": error })))
        }
    };
    answer.with("Cache-Control", "no-store")
}

impl Sandbox {
    /// Uses one of the sandbox's own resources without a socket: `/sandbox/clock`, `/sandbox/faults`, ...
    ///
    /// What they do stands in the README. No control token is needed here.
    pub fn control(&self, request: &Request) -> Response {
        let request = request.clone().bearer(&self.control_token());
        answer(self, &request)
    }
}

fn admit(sandbox: &Sandbox, request: &Request) -> Result<(), Refusal> {
    let token = request
        .get("Authorization")
        .and_then(|header| header.strip_prefix("Bearer "));
    if token != Some(&*sandbox.control_token()) {
        let error = "send Authorization: Bearer and the control_token that the sandbox printed";
        return Err(Refusal::new(401, error));
    }
    if request.body.len() > BODY_BYTES_MAX {
        let error = format!("the body is larger than {BODY_BYTES_MAX} bytes");
        return Err(Refusal::new(413, error));
    }
    Ok(())
}

fn route(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let target = Target::parse(&request.target);
    let path: Vec<&str> = target.segments.iter().skip(1).map(String::as_str).collect();
    match (path.as_slice(), &*request.method) {
        ([], "GET") => Ok(state(sandbox)),
        (["faults"], "GET") => Ok(json!({ "faults": sandbox.waiting_faults() })),
        (["faults"], "POST") => plan(sandbox, request),
        (["faults"], "DELETE") => Ok(json!({ "cleared": sandbox.clear_faults() })),
        (["clock"], "GET") => Ok(clock(sandbox)),
        (["clock"], "POST") => move_clock(sandbox, read(request)?),
        (["network"], "GET") => Ok(network(sandbox)),
        (["network"], "POST") => {
            let doc: NetworkDoc = read(request)?;
            sandbox.offline(doc.offline);
            Ok(network(sandbox))
        }
        (["users"], "GET") => Ok(json!({ "users": sandbox.users() })),
        (["users", user, act], "POST") => person(sandbox, user, act),
        (["keys"], "POST") => trust(sandbox, &read(request)?),
        (["locks"], "POST") => lock(sandbox, &read(request)?),
        (["calls"], "POST") => acts::call(sandbox, request),
        (["approvals"], "POST") => acts::approve(sandbox, request),
        (["switches"], "GET") => settings::switches(sandbox),
        (["switches"], "POST") => settings::set_switches(sandbox, request),
        (["features"], "GET") => Ok(settings::features(sandbox)),
        (["features"], "POST") => settings::turn_on(sandbox, request),
        (["sharing"], "POST") => settings::share(sandbox, request),
        (["rights"], "POST") => settings::rights(sandbox, request),
        (["rules"], "POST") => settings::add_rules(sandbox, request),
        (["meter"], "GET") => Ok(json!({
            "requests": sandbox.requests(),
            "kinds": sandbox.meter(),
        })),
        (["log"], "GET") => log(sandbox, crate::rest::parameter(&target.query, "skip")),
        (["meter" | "log"], "DELETE") => {
            let cleared = sandbox.requests();
            sandbox.clear_log();
            Ok(json!({ "cleared": cleared }))
        }
        (known, method) => Err(misdirected(known, method)),
    }
}

/// Says what is wrong with a path, or with a method on it.
fn misdirected(path: &[&str], method: &str) -> Refusal {
    let allowed = match path {
        [] | ["users"] => "GET",
        ["faults"] => "GET, POST and DELETE",
        ["clock" | "network" | "switches" | "features"] => "GET and POST",
        ["keys" | "locks" | "calls" | "approvals" | "sharing" | "rights" | "rules"]
        | ["users", _, _] => "POST",
        ["meter" | "log"] => "GET and DELETE",
        _ => {
            let error = format!(
                "there is no {ROOT}/{}; there are faults, clock, network, users, keys, locks, approvals, calls, switches, \
                 features, sharing, rights, rules, meter and log",
                path.join("/")
            );
            return Refusal::new(404, error);
        }
    };
    Refusal::new(405, format!("{method} is not for this: use {allowed}"))
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::new(400, format!("the body cannot be read: {error}")))
}

fn state(sandbox: &Sandbox) -> Value {
    json!({
        "now": told(sandbox.now()),
        "offline": sandbox.is_offline(),
        "faults": sandbox.waiting_faults().as_array().map_or(0, Vec::len),
        "requests": sandbox.requests(),
    })
}

fn plan(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let faults: Vec<Fault> = read::<FaultDocs>(request)?
        .faults()
        .map_err(|error| Refusal::new(400, error))?;
    for fault in faults {
        sandbox.fail_next(fault);
    }
    Ok(json!({ "faults": sandbox.waiting_faults() }))
}

fn told(now_s: i64) -> Option<String> {
    Some(jiff::Timestamp::from_second(now_s).ok()?.to_string())
}

fn clock(sandbox: &Sandbox) -> Value {
    let now_s = sandbox.now();
    json!({ "now": told(now_s), "now_s": now_s })
}

fn move_clock(sandbox: &Sandbox, doc: ClockDoc) -> Result<Value, Refusal> {
    match doc {
        ClockDoc::Advance { advance_s } => sandbox.advance(advance_s),
        ClockDoc::Set { now } => {
            let time: jiff::Timestamp = now.parse().map_err(|_| {
                let error = "now must be an RFC 3339 time, such as 2026-03-02T09:00:00Z";
                Refusal::new(400, error)
            })?;
            sandbox.set_time_ms(time.as_millisecond());
        }
    }
    Ok(clock(sandbox))
}

fn network(sandbox: &Sandbox) -> Value {
    json!({ "offline": sandbox.is_offline() })
}

/// Does something to the tokens of a user, who is named by id or by username.
fn person(sandbox: &Sandbox, user: &str, act: &str) -> Result<Value, Refusal> {
    let id = user_id(sandbox, user)?;
    match act {
        "expire" => sandbox.expire_tokens(&id),
        "revoke" => sandbox.revoke_tokens(&id),
        "sign-in" => return Ok(value(&sandbox.sign_in(&id))),
        _ => {
            let error = "a user's tokens take expire, revoke or sign-in";
            return Err(Refusal::new(404, error));
        }
    }
    Ok(json!({ "user": id }))
}

/// Finds the id of a user who is named by id or by username.
fn user_id(sandbox: &Sandbox, user: &str) -> Result<String, Refusal> {
    let users = sandbox.users().into_iter();
    users
        .map(|known| (known.id, known.username))
        .find(|(id, username)| id == user || username == user)
        .map(|(id, _)| id)
        .ok_or_else(|| Refusal::new(404, "there is no such user: name one of GET users"))
}

fn trust(sandbox: &Sandbox, doc: &KeyDoc) -> Result<Value, Refusal> {
    match sandbox.trust_key(&doc.pem) {
        true => Ok(json!({ "trusted": true })),
        false => {
            let error = "pem must be a public RSA key: openssl x509 -pubkey -noout -in cert.pem";
            Err(Refusal::new(400, error))
        }
    }
}

fn lock(sandbox: &Sandbox, doc: &LockDoc) -> Result<Value, Refusal> {
    let until = sandbox.now().saturating_add(i64::from(doc.seconds));
    if !sandbox.lock_row(&doc.object, &doc.id, until) {
        return Err(Refusal::new(404, "there is no such row to lock"));
    }
    Ok(json!({ "until": told(until) }))
}

fn log(sandbox: &Sandbox, skip: Option<&str>) -> Result<Value, Refusal> {
    let skip: u64 = match skip {
        Some(skip) => skip
            .parse()
            .map_err(|_| Refusal::new(400, "skip must be a number of requests"))?,
        None => 0,
    };
    let (log, requests) = (sandbox.log(), sandbox.requests());
    // The log forgets its oldest lines; what is skipped is counted from the first ever.
    let forgotten = requests.saturating_sub(log.len() as u64);
    let skip = usize::try_from(skip.saturating_sub(forgotten)).unwrap_or(usize::MAX);
    Ok(json!({
        "requests": requests,
        "log": log.get(skip..).unwrap_or_default(),
    }))
}

/// Everything told here has text keys and finite numbers.
fn value(told: &impl Serialize) -> Value {
    serde_json::to_value(told).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox() -> Sandbox {
        Sandbox::builder()
            .records(20)
            .now("2026-03-02T09:00:00Z")
            .manual_clock()
            .build()
            .unwrap()
    }

    fn call(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request = Request::new(method, path)
            .bearer(&sandbox.control_token())
            .json(body);
        let answer = answer(sandbox, &request);
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    #[test]
    fn only_paths_below_the_root_are_the_sandboxs_own() {
        for (target, own) in [
            ("/sandbox", true),
            ("/sandbox/", true),
            ("/sandbox?x", true),
            ("/sandbox/faults", true),
            ("/sandboxes", false),
            ("/services/data/v67.0/sandbox", false),
            ("/services/data?x=/sandbox/", false),
        ] {
            assert_eq!(is_addressed(&Request::new("GET", target)), own, "{target}");
        }
    }

    #[test]
    fn nobody_but_the_bearer_of_the_control_token_is_heard() {
        let sandbox = sandbox();
        let jo = sandbox.users().remove(0);
        let (client_id, client_secret) = sandbox.client();
        for token in [
            &jo.access_token,
            &jo.refresh_token,
            &client_id,
            &client_secret,
            "",
        ] {
            let request = Request::new("DELETE", "/sandbox/log").bearer(token);
            assert_eq!(answer(&sandbox, &request).status, 401);
        }
        let request = Request::new("GET", "/sandbox");
        assert_eq!(answer(&sandbox, &request).status, 401);
        // And the org does not know it.
        let request =
            Request::new("GET", "/services/data/v67.0/limits").bearer(&sandbox.control_token());
        assert_eq!(sandbox.handle(request).answer().unwrap().status, 401);
    }

    #[test]
    fn a_call_that_makes_no_sense_is_told_so_and_changes_nothing() {
        let sandbox = sandbox();
        for (method, path, body, status) in [
            ("GET", "/sandbox/nonsense", "", 404),
            ("PUT", "/sandbox/faults", "", 405),
            ("POST", "/sandbox/faults", "", 400),
            ("POST", "/sandbox/faults", "[]", 400),
            ("POST", "/sandbox/faults", r#"{"kind":"nonsense"}"#, 400),
            (
                "POST",
                "/sandbox/faults",
                r#"{"kind":"reset","pathh":"/x"}"#,
                400,
            ),
            ("POST", "/sandbox/faults", r#"{"kind":"truncate"}"#, 400),
            (
                "POST",
                "/sandbox/faults",
                r#"{"kind":"status","status":99}"#,
                400,
            ),
            (
                "POST",
                "/sandbox/faults",
                r#"{"kind":"reset","nth":0}"#,
                400,
            ),
            (
                "POST",
                "/sandbox/faults",
                r#"{"kind":"bomb","bytes":99999999999}"#,
                400,
            ),
            // All or none of a list.
            (
                "POST",
                "/sandbox/faults",
                r#"[{"kind":"reset"},{"kind":"x"}]"#,
                400,
            ),
            ("POST", "/sandbox/keys", r#"{"pem":"x"}"#, 400),
            ("POST", "/sandbox/clock", r#"{"now":"tomorrow"}"#, 400),
            ("POST", "/sandbox/clock", r#"{"advance_s":-1}"#, 400),
            ("POST", "/sandbox/network", "{}", 400),
            ("POST", "/sandbox/users/nobody/expire", "", 404),
            (
                "POST",
                "/sandbox/locks",
                r#"{"object":"Account","id":"001","seconds":1}"#,
                404,
            ),
            ("GET", "/sandbox/log?skip=x", "", 400),
            ("POST", "/sandbox/switches", r#"{"no_such":true}"#, 400),
            ("POST", "/sandbox/switches", r#"{"page_rows_max":0}"#, 400),
            (
                "POST",
                "/sandbox/switches",
                r#"{"tunnels_methods":false,"trims_blanks":1}"#,
                400,
            ),
            ("POST", "/sandbox/features", r#"{"wings":true}"#, 400),
            (
                "POST",
                "/sandbox/sharing",
                r#"{"object":"Account","default":"open"}"#,
                400,
            ),
            (
                "POST",
                "/sandbox/sharing",
                r#"{"object":"Nothing","hierarchy":true}"#,
                400,
            ),
            (
                "POST",
                "/sandbox/rights",
                r#"{"user":"nobody","object":"Account"}"#,
                404,
            ),
            ("POST", "/sandbox/rules", r#"{"version":2}"#, 400),
            (
                "POST",
                "/sandbox/calls",
                r#"{"method":"GET","path":"limits"}"#,
                400,
            ),
            (
                "POST",
                "/sandbox/calls",
                r#"{"user":"nobody","method":"GET","path":"/limits"}"#,
                404,
            ),
        ] {
            let (told, body) = call(&sandbox, method, path, body);
            assert_eq!(told, status, "{method} {path}: {body}");
            assert!(body["error"].as_str().is_some_and(|text| text.len() > 10));
        }
        assert!(sandbox.with_switches(|switches| switches.tunnels_methods));
        let (_, state) = call(&sandbox, "GET", "/sandbox", "");
        let expected = r#"{"now":"2026-03-02T09:00:00Z","offline":false,"faults":0,"requests":0}"#;
        assert_eq!(state, serde_json::from_str::<Value>(expected).unwrap());
    }
}
