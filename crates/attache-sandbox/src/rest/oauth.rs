//! OAuth 2.0: tokens for the connected app, and the session behind a call.

use super::{
    assertion, consent,
    failure::Failure,
    identity,
    machine::Machine,
    message::{Request, Response},
    target::{form, parameter},
};
use crate::{json, value::Value};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use serde::Serialize;
use sha2::Sha256;

const SCOPE: &str = "refresh_token api id";

/// Why no token is given; OAuth has an error body of its own, one object.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    pub(super) error: &'static str,
    pub(super) error_description: &'static str,
}

const WRONG_CLIENT: Refusal = refusal("invalid_client_id", "client identifier invalid");
const WRONG_SECRET: Refusal = refusal("invalid_client", "invalid client credentials");
const WRONG_GRANT: Refusal = refusal("invalid_grant", "expired access/refresh token");
const WRONG_TYPE: Refusal = refusal("unsupported_grant_type", "grant type not supported");
const NO_TYPE: Refusal = refusal("invalid_request", "must supply grant_type");
const INACTIVE: Refusal = refusal("inactive_user", "user is inactive");
const WRONG_TOKEN: Refusal = refusal("unsupported_token_type", "this token type is not supported");

pub(super) const fn refusal(error: &'static str, error_description: &'static str) -> Refusal {
    Refusal {
        error,
        error_description,
    }
}

#[derive(Debug, Serialize)]
struct Granted {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    signature: String,
    scope: &'static str,
    instance_url: String,
    id: String,
    token_type: &'static str,
    /// Milliseconds since the epoch, as text.
    issued_at: String,
}

/// Answers `/services/oauth2/…`.
pub(super) fn answer(
    machine: &mut Machine,
    request: &Request,
    endpoint: &str,
    query: &[(String, String)],
) -> Response {
    let mut pairs = form(&String::from_utf8_lossy(&request.body));
    pairs.extend_from_slice(query);
    match (endpoint, &*request.method) {
        ("token", "POST") => match token(machine, request, &pairs) {
            Ok(granted) => uncached(Response::json(200, json::write(&granted))),
            Err(refusal) => refuse(&refusal),
        },
        ("revoke", "POST" | "GET") => match parameter(&pairs, "token") {
            Some(token) if machine.auth.revoke(token) => uncached(Response::empty(200)),
            _ => refuse(&WRONG_TOKEN),
        },
        ("authorize", "GET") => uncached(consent::authorize(machine, request, &pairs)),
        ("authorize", _) => Failure::method(&request.method, "GET").answer(),
        ("userinfo", "GET" | "POST") => identity::user_info(machine, request),
        ("token", _) => Failure::method(&request.method, "POST").answer(),
        ("revoke" | "userinfo", _) => Failure::method(&request.method, "GET,POST").answer(),
        _ => Failure::not_found().answer(),
    }
}

fn refuse(refusal: &Refusal) -> Response {
    uncached(Response::json(400, json::write(refusal)))
}

fn uncached(answer: Response) -> Response {
    answer
        .with("Cache-Control", "no-cache, no-store")
        .with("Pragma", "no-cache")
}

fn token(
    machine: &mut Machine,
    request: &Request,
    pairs: &[(String, String)],
) -> Result<Granted, Refusal> {
    let client = client(request, pairs);
    match parameter(pairs, "grant_type") {
        Some("client_credentials") => {
            check_client(machine, &client, true)?;
            let user = machine.integration_user.clone();
            grant(machine, request, &user, None)
        }
        Some("refresh_token") => {
            check_client(machine, &client, false)?;
            let token = parameter(pairs, "refresh_token").unwrap_or_default();
            let user = machine.auth.granted(token).ok_or(WRONG_GRANT)?.to_owned();
            let rotates = machine.switches.rotates_refresh_tokens;
            let next = rotates.then(|| machine.auth.rotate(token)).flatten();
            grant(machine, request, &user, next)
        }
        Some("authorization_code") => {
            check_client(machine, &client, false)?;
            let user = consent::redeem(machine, pairs)?;
            let refresh = machine.auth.grant(&user);
            grant(machine, request, &user, Some(refresh))
        }
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
            let token = parameter(pairs, "assertion").unwrap_or_default();
            let user = assertion::user(machine, request, token)?;
            grant(machine, request, &user, None)
        }
        Some(_) => Err(WRONG_TYPE),
        None => Err(NO_TYPE),
    }
}

/// Reads the client's name and secret from the body, or from HTTP Basic.
fn client(request: &Request, pairs: &[(String, String)]) -> (String, Option<String>) {
    let basic = request
        .get("Authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| BASE64_STANDARD.decode(encoded.trim()).ok())
        .and_then(|decoded| String::from_utf8(decoded).ok());
    match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (id.into(), Some(secret.into())),
        None => (
            parameter(pairs, "client_id").unwrap_or_default().into(),
            parameter(pairs, "client_secret").map(str::to_owned),
        ),
    }
}

fn check_client(
    machine: &Machine,
    client: &(String, Option<String>),
    needs_secret: bool,
) -> Result<(), Refusal> {
    if client.0 != machine.auth.client_id {
        return Err(WRONG_CLIENT);
    }
    match &client.1 {
        Some(secret) if *secret == machine.auth.client_secret => Ok(()),
        None if !needs_secret => Ok(()),
        _ => Err(WRONG_SECRET),
    }
}

fn grant(
    machine: &mut Machine,
    request: &Request,
    user: &str,
    refresh_token: Option<String>,
) -> Result<Granted, Refusal> {
    if !is_active(machine, user) {
        return Err(INACTIVE);
    }
    let instance_url = identity::base_url(machine, &request.headers);
    let id = format!("{instance_url}/id/{}/{user}", machine.org.config().org_id);
    let issued_at = machine.now_ms.to_string();
    let now_s = machine.now_s();
    Ok(Granted {
        access_token: machine.auth.open_session(user, now_s),
        refresh_token,
        signature: sign(&machine.auth.client_secret, &id, &issued_at),
        scope: SCOPE,
        instance_url,
        id,
        token_type: "Bearer",
        issued_at,
    })
}

/// Signs an identity, so that the app knows that the org said so.
fn sign(secret: &str, id: &str, issued_at: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(id.as_bytes());
    mac.update(issued_at.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn is_active(machine: &Machine, user: &str) -> bool {
    machine
        .org
        .read(user, "User", user)
        .is_some_and(|row| *row.get("IsActive") != Value::Bool(false))
}

/// Tells which user a call to a data resource comes from.
pub(super) fn caller(machine: &mut Machine, request: &Request) -> Result<String, Failure> {
    let expired = || Failure::new(401, "INVALID_SESSION_ID", "Session expired or invalid");
    let header = request.get("Authorization").ok_or_else(expired)?;
    let token = match header.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("Bearer") || scheme.eq_ignore_ascii_case("OAuth") =>
        {
            token
        }
        _ => {
            return Err(Failure::new(
                401,
                "INVALID_AUTH_HEADER",
                "INVALID_HEADER_TYPE",
            ));
        }
    };
    let (now_s, idle_max_s) = (machine.now_s(), machine.switches.session_idle_max_s);
    let user = machine
        .auth
        .user_of(token.trim(), now_s, idle_max_s)
        .ok_or_else(expired)?;
    if is_active(machine, &user) {
        Ok(user)
    } else {
        Err(expired())
    }
}
