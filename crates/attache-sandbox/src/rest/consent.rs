//! The web server flow: consent in a browser, and the code that it gives.
//!
//! Nobody is asked: whoever is named by `login_hint`, else the first user, is taken to agree.

use super::{
    machine::Machine,
    message::{Request, Response},
    oauth::{Refusal, refusal},
    target::{encode, parameter},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Seconds a code waits to be used.
const CODE_LIFE_S: i64 = 15 * 60;

/// What a person agreed to, and what the client must show to have it.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    user: String,
    redirect_uri: String,
    /// `BASE64URL(SHA256(code_verifier))`, if the client announced one.
    challenge: Option<String>,
    until_s: i64,
}

const WRONG_CODE: Refusal = refusal("invalid_grant", "expired authorization code");
const WRONG_PLACE: Refusal = refusal(
    "redirect_uri_mismatch",
    "redirect_uri must match configuration",
);
const WRONG_VERIFIER: Refusal = refusal("invalid_grant", "invalid code verifier");

/// Answers `/services/oauth2/authorize`: sends the browser back to the client.
pub(super) fn authorize(
    machine: &mut Machine,
    request: &Request,
    pairs: &[(String, String)],
) -> Response {
    let get = |name| parameter(pairs, name).filter(|value| !value.is_empty());
    let redirect_uri = get("redirect_uri").unwrap_or_default();
    // Only a client that is known, at a place that is its own, hears why it is refused.
    if get("client_id") != Some(&*machine.auth.client_id) {
        return page(400, "invalid_client_id", "client identifier invalid");
    }
    if !is_a_clients_place(redirect_uri) {
        return page(400, WRONG_PLACE.error, WRONG_PLACE.error_description);
    }
    let state = get("state").map_or(String::new(), |state| format!("&state={}", encode(state)));
    let outcome = match consent(machine, request, pairs, redirect_uri) {
        Ok(code) => format!("code={}", encode(&code)),
        Err(Refusal {
            error,
            error_description,
        }) => format!(
            "error={error}&error_description={}",
            encode(error_description)
        ),
    };
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    Response::empty(302).with("Location", format!("{redirect_uri}{joint}{outcome}{state}"))
}

fn consent(
    machine: &mut Machine,
    request: &Request,
    pairs: &[(String, String)],
    redirect_uri: &str,
) -> Result<String, Refusal> {
    let get = |name| parameter(pairs, name);
    if request.method != "GET" || get("response_type") != Some("code") {
        return Err(refusal(
            "unsupported_response_type",
            "response type must be code",
        ));
    }
    let challenge = match (get("code_challenge"), get("code_challenge_method")) {
        (None, None) => None,
        // The platform knows no other method, and clients such as jsforce name none.
        (Some(challenge), Some("S256") | None) if challenge.len() == 43 => {
            Some(challenge.to_owned())
        }
        _ => return Err(refusal("invalid_request", "code challenge must be S256")),
    };
    let user = match get("login_hint") {
        Some(name) => machine.user_named(name),
        None => machine.first_user(),
    };
    let user = user.ok_or(refusal("access_denied", "end-user denied authorization"))?;
    let consent = Consent {
        user,
        redirect_uri: redirect_uri.to_owned(),
        challenge,
        until_s: machine.now_s() + CODE_LIFE_S,
    };
    Ok(machine.auth.agree(consent))
}

/// Takes a code back, which is good once, and gives the user who agreed.
pub(super) fn redeem(machine: &mut Machine, pairs: &[(String, String)]) -> Result<String, Refusal> {
    let get = |name| parameter(pairs, name).unwrap_or_default();
    let consent = machine.auth.redeem(get("code")).ok_or(WRONG_CODE)?;
    if consent.until_s < machine.now_s() {
        return Err(WRONG_CODE);
    }
    if consent.redirect_uri != get("redirect_uri") {
        return Err(WRONG_PLACE);
    }
    let shown = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
    match consent.challenge {
        Some(challenge) if challenge != shown => Err(WRONG_VERIFIER),
        _ => Ok(consent.user),
    }
}

/// A place on the client's machine, or an address that only its application answers to.
fn is_a_clients_place(uri: &str) -> bool {
    let plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains('#');
    let Some((scheme, rest)) = uri.split_once(':').filter(|_| plain(uri)) else {
        return false;
    };
    match scheme {
        "http" => ["//127.0.0.1", "//localhost", "//[::1]"]
            .iter()
            .any(|host| {
                rest.strip_prefix(host)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
            }),
        "https" | "javascript" | "data" | "file" => false,
        _ => !scheme.is_empty() && rest.len() > 1,
    }
}

fn page(status: u16, error: &str, description: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html><title>{error}</title><p>error={error}&amp;error_description={description}</p>\n"
    );
    Response {
        body: html.into_bytes(),
        ..Response::empty(status).with("Content-Type", "text/html;charset=UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_the_client_itself_are_sent_a_code() {
        for good in [
            "http://127.0.0.1:4711/callback",
            "http://localhost/",
            "http://[::1]:9",
            "com.acme.app:/callback",
            "acme://done",
        ] {
            assert!(is_a_clients_place(good), "{good}");
        }
        for bad in [
            "",
            "http://127.0.0.1.evil.example/",
            "http://localhost@evil.example/",
            "http://evil.example/",
            "https://evil.example/",
            "javascript:alert(1)",
            "acme:/x\r\nSet-Cookie: a=b",
            "acme:/x#y",
            ":x",
        ] {
            assert!(!is_a_clients_place(bad), "{bad}");
        }
    }
}
