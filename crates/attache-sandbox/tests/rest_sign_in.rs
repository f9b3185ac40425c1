//! Signing in with a browser and with a signed assertion.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::{Outcome, Request, Sandbox};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use client::{Answer, org, send};
use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;

const HERE: &str = "http://127.0.0.1:4711/done";
const VERIFIER: &str = "a-verifier-of-forty-three-letters-and-more-of-them";
/// 2026-03-02T09:00:00Z, when the org stands still.
const NOW_S: i64 = 1_772_442_000;

fn challenge() -> String {
    BASE64.encode(Sha256::digest(VERIFIER))
}

fn authorize(sandbox: &Sandbox, changes: &[(&str, &str)]) -> Answer {
    let (client_id, _) = sandbox.client();
    let challenge = challenge();
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", &client_id),
        ("redirect_uri", HERE),
        ("scope", "api refresh_token"),
        ("state", "s t&te"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for change in changes {
        pairs.retain(|(name, _)| *name != change.0);
        pairs.push(*change);
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    send(
        sandbox,
        Request::new("GET", &format!("/services/oauth2/authorize?{query}")),
    )
}

fn token(sandbox: &Sandbox, pairs: &[(&str, &str)]) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    send(
        sandbox,
        Request::new("POST", "/services/oauth2/token").form(form),
    )
}

/// A code for the first user, whatever is asked of it.
fn code(sandbox: &Sandbox) -> String {
    let answer = authorize(sandbox, &[]);
    assert_eq!(answer.status, 302);
    let place = answer.header("Location").unwrap();
    let rest = place.strip_prefix(&format!("{HERE}?code=")).unwrap();
    let (code, state) = rest.split_once('&').unwrap();
    assert_eq!(state, "state=s%20t%26te");
    code.to_owned()
}

fn redeem(sandbox: &Sandbox, code: &str, changes: &[(&str, &str)]) -> Answer {
    let (client_id, _) = sandbox.client();
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("client_id", &client_id),
        ("code", code),
        ("redirect_uri", HERE),
        ("code_verifier", VERIFIER),
    ];
    for change in changes {
        pairs.retain(|(name, _)| *name != change.0);
        pairs.push(*change);
    }
    token(sandbox, &pairs)
}

fn whose(sandbox: &Sandbox, access: &Value) -> Value {
    let request = Request::new("GET", "/services/oauth2/userinfo").bearer(access.as_str().unwrap());
    send(sandbox, request).json["user_id"].clone()
}

#[test]
fn a_code_buys_both_tokens_once() {
    let sandbox = org();
    let code = code(&sandbox);
    let granted = redeem(&sandbox, &code, &[]);
    assert_eq!(granted.status, 200, "{granted:?}");
    assert_eq!(
        whose(&sandbox, &granted.json["access_token"]),
        sandbox.users()[0].id.as_str()
    );
    let (client_id, _) = sandbox.client();
    let refresh = granted.json["refresh_token"].as_str().unwrap();
    let pairs = [
        ("grant_type", "refresh_token"),
        ("client_id", &client_id),
        ("refresh_token", refresh),
    ];
    assert_eq!(token(&sandbox, &pairs).status, 200);
    let again = redeem(&sandbox, &code, &[]);
    assert_eq!(
        (again.status, &again.json["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[test]
fn a_code_is_worth_nothing_to_anybody_else_or_too_late() {
    for (changes, error) in [
        (
            [(
                "code_verifier",
                "another-verifier-of-forty-three-letters-at-least",
            )],
            "invalid_grant",
        ),
        ([("code_verifier", "")], "invalid_grant"),
        (
            [("redirect_uri", "http://127.0.0.1:9/other")],
            "redirect_uri_mismatch",
        ),
        ([("client_id", "another")], "invalid_client_id"),
        ([("client_secret", "wrong")], "invalid_client"),
        ([("code", "another")], "invalid_grant"),
    ] {
        let sandbox = org();
        let refused = redeem(&sandbox, &code(&sandbox), &changes);
        assert_eq!(
            (refused.status, &refused.json["error"]),
            (400, &json!(error)),
            "{changes:?}"
        );
    }
    let sandbox = org();
    let late = code(&sandbox);
    sandbox.advance(901);
    assert_eq!(redeem(&sandbox, &late, &[]).json["error"], "invalid_grant");
}

#[test]
fn a_browser_is_sent_back_to_the_client_only() {
    let sandbox = org();
    let other = sandbox.users()[3].clone();
    for (changes, status, told) in [
        ([("login_hint", &*other.username)], 302, "?code="),
        (
            [("login_hint", "nobody@sandbox.example")],
            302,
            "?error=access_denied&",
        ),
        (
            [("response_type", "token")],
            302,
            "?error=unsupported_response_type&",
        ),
        (
            [("code_challenge_method", "plain")],
            302,
            "?error=invalid_request&",
        ),
        ([("client_id", "another")], 400, "invalid_client_id"),
        (
            [("redirect_uri", "https://evil.example/")],
            400,
            "redirect_uri_mismatch",
        ),
        (
            [("redirect_uri", "http://127.0.0.1@evil.example/")],
            400,
            "redirect_uri_mismatch",
        ),
        ([("redirect_uri", "")], 400, "redirect_uri_mismatch"),
    ] {
        let answer = authorize(&sandbox, &changes);
        assert_eq!(answer.status, status, "{changes:?}");
        let place = answer.header("Location").map(str::to_owned);
        assert_eq!(place.is_some(), status == 302, "{changes:?}");
        let text = place.unwrap_or_else(|| answer.raw.text());
        assert!(text.contains(told), "{changes:?}: {text}");
    }
    let answer = authorize(&sandbox, &[("login_hint", &other.username)]);
    let place = answer.header("Location").unwrap();
    let code = place
        .split_once("code=")
        .unwrap()
        .1
        .split('&')
        .next()
        .unwrap();
    let granted = redeem(&sandbox, code, &[]);
    assert_eq!(
        whose(&sandbox, &granted.json["access_token"]),
        other.id.as_str()
    );
}

fn key(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");
    fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

fn signed(head: &Value, claims: &Value) -> String {
    let pem = key("robot.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::prelude::BASE64_STANDARD.decode(body).unwrap();
    let pair = KeyPair::from_pkcs8(&der).unwrap();
    let text = format!(
        "{}.{}",
        BASE64.encode(head.to_string()),
        BASE64.encode(claims.to_string())
    );
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{text}.{}", BASE64.encode(signature))
}

fn claims(sandbox: &Sandbox) -> Value {
    json!({
        "iss": sandbox.client().0,
        "sub": sandbox.users()[2].username,
        "aud": "https://login.salesforce.com",
        "exp": NOW_S + 180,
    })
}

fn bear(sandbox: &Sandbox, assertion: &str) -> Answer {
    let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    token(
        sandbox,
        &[("grant_type", grant_type), ("assertion", assertion)],
    )
}

#[test]
fn an_assertion_with_a_known_signature_signs_its_user_in() {
    let sandbox = org();
    let rs256 = json!({"alg": "RS256"});
    let good = signed(&rs256, &claims(&sandbox));
    assert_eq!(
        bear(&sandbox, &good).json["error_description"],
        "invalid assertion",
        "no key yet"
    );
    assert!(!sandbox.trust_key("no key"));
    assert!(
        !sandbox.trust_key(&key("robot.pem")),
        "a private key is none to trust"
    );
    assert!(sandbox.trust_key(&key("robot.pub.pem")));
    let granted = bear(&sandbox, &good);
    assert_eq!(granted.status, 200, "{granted:?}");
    assert_eq!(
        whose(&sandbox, &granted.json["access_token"]),
        sandbox.users()[2].id.as_str()
    );
    assert_eq!(granted.json.get("refresh_token"), None);

    let own = json!("http://localhost");
    for (name, value, error) in [
        ("aud", own, None),
        ("exp", json!((NOW_S + 60).to_string()), None),
        ("iss", json!("another"), Some("client identifier invalid")),
        (
            "sub",
            json!("nobody@sandbox.example"),
            Some("user hasn't approved this consumer"),
        ),
        (
            "aud",
            json!("https://evil.example"),
            Some("audience is invalid"),
        ),
        ("exp", json!(NOW_S), Some("expired authorization code")),
        (
            "exp",
            json!(NOW_S + 301),
            Some("expired authorization code"),
        ),
        ("exp", json!("soon"), Some("invalid assertion")),
        ("exp", json!(null), Some("invalid assertion")),
    ] {
        let mut changed = claims(&sandbox);
        changed[name] = value.clone();
        let answer = bear(&sandbox, &signed(&rs256, &changed));
        match error {
            None => assert_eq!(answer.status, 200, "{name} {value}: {answer:?}"),
            Some(error) => assert_eq!(answer.json["error_description"], error, "{name} {value}"),
        }
    }
    let (text, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = text.split_once('.').unwrap();
    let mut other = claims(&sandbox);
    other["sub"] = json!(sandbox.users()[0].username);
    let forged = format!("{head}.{}.{signature}", BASE64.encode(other.to_string()));
    let unsigned = format!(
        "{}.{}.",
        BASE64.encode(r#"{"alg":"none"}"#),
        BASE64.encode(other.to_string())
    );
    let none = signed(&json!({"alg": "none"}), &claims(&sandbox));
    for bad in [
        &*forged,
        &unsigned,
        &none,
        "",
        "a.b.c",
        "..",
        &good[..good.len() - 4],
    ] {
        assert_eq!(
            bear(&sandbox, bad).json["error_description"],
            "invalid assertion",
            "{bad}"
        );
    }
}

#[test]
fn authorize_takes_no_other_method() {
    let post = Request::new("POST", "/services/oauth2/authorize");
    match org().handle(post) {
        Outcome::Answer(answer) => assert_eq!(answer.status, 405),
        other => panic!("{other:?}"),
    }
}
