//! Who may call: tokens, their end, and what they tell about a user.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::{Request, RestSwitches, Sandbox};
use client::{Answer, Client, DATA, NOW, client, org, send};
use serde_json::{Value, json};

fn token(sandbox: &Sandbox, form: &str) -> Answer {
    send(
        sandbox,
        Request::new("POST", "/services/oauth2/token").form(form),
    )
}

fn refresh(sandbox: &Sandbox, refresh_token: &str) -> Answer {
    let (id, _) = sandbox.client();
    token(
        sandbox,
        &format!("grant_type=refresh_token&client_id={id}&refresh_token={refresh_token}"),
    )
}

fn limits(sandbox: &Sandbox, header: &str) -> Answer {
    send(
        sandbox,
        Request::new("GET", &format!("{DATA}/limits")).header("Authorization", header),
    )
}

#[test]
fn client_credentials_are_those_of_the_integration_user() {
    let sandbox = org();
    let (id, secret) = sandbox.client();
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let answer = token(&sandbox, &form);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("Cache-Control"), Some("no-cache, no-store"));
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["issued_at"], "1772442000000");
    assert_eq!(answer.json.get("refresh_token"), None);
    let user = answer.json["id"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    assert!(sandbox.users().iter().all(|other| other.id != user));
    let access = answer.json["access_token"].as_str().unwrap();
    assert_eq!(limits(&sandbox, &format!("Bearer {access}")).status, 200);
    assert_eq!(limits(&sandbox, &format!("OAuth {access}")).status, 200);
}

#[test]
fn client_credentials_may_come_as_http_basic() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let sandbox = org();
    let (id, secret) = sandbox.client();
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
    let request = Request::new("POST", "/services/oauth2/token")
        .form("grant_type=client_credentials")
        .header("Authorization", &basic);
    assert_eq!(send(&sandbox, request).status, 200);
}

#[test]
fn wrong_token_requests_answer_one_object() {
    let sandbox = org();
    let (id, secret) = sandbox.client();
    let cases = [
        (
            format!("grant_type=client_credentials&client_id={id}&client_secret=x"),
            "invalid_client",
        ),
        (
            format!("grant_type=client_credentials&client_id={id}"),
            "invalid_client",
        ),
        (
            format!("grant_type=client_credentials&client_id=x&client_secret={secret}"),
            "invalid_client_id",
        ),
        (
            format!("grant_type=password&client_id={id}&client_secret={secret}"),
            "unsupported_grant_type",
        ),
        (
            format!("client_id={id}&client_secret={secret}"),
            "invalid_request",
        ),
        (
            format!("grant_type=refresh_token&client_id={id}&refresh_token=x"),
            "invalid_grant",
        ),
    ];
    for (form, error) in cases {
        let answer = token(&sandbox, &form);
        assert_eq!(answer.status, 400, "{form}");
        assert_eq!(answer.json["error"], error, "{form}");
        assert!(answer.json["error_description"].is_string());
    }
    assert_eq!(
        token(
            &sandbox,
            &format!("grant_type=refresh_token&client_id={id}&refresh_token=x")
        )
        .json,
        json!({"error": "invalid_grant", "error_description": "expired access/refresh token"})
    );
    assert_eq!(
        send(&sandbox, Request::new("GET", "/services/oauth2/token")).status,
        405
    );
}

#[test]
fn an_expired_session_is_refreshed() {
    let sandbox = org();
    let user = sandbox.users().remove(1);
    assert_eq!(
        limits(&sandbox, &format!("Bearer {}", user.access_token)).status,
        200
    );
    sandbox.expire_tokens(&user.id);
    let expired = limits(&sandbox, &format!("Bearer {}", user.access_token));
    assert_eq!(expired.status, 401);
    assert_eq!(
        expired.json,
        json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
    );
    let answer = refresh(&sandbox, &user.refresh_token);
    assert_eq!(answer.json.get("refresh_token"), None);
    let access = answer.json["access_token"].as_str().unwrap();
    assert_ne!(access, user.access_token);
    assert_eq!(limits(&sandbox, &format!("Bearer {access}")).status, 200);
    assert_eq!(refresh(&sandbox, &user.refresh_token).status, 200);
    sandbox.revoke_tokens(&user.id);
    assert_eq!(
        refresh(&sandbox, &user.refresh_token).json["error"],
        "invalid_grant"
    );
    assert_eq!(limits(&sandbox, &format!("Bearer {access}")).status, 401);
}

#[test]
fn a_rotated_refresh_token_dies_at_once() {
    let sandbox = org();
    sandbox.with_switches(|switches| switches.rotates_refresh_tokens = true);
    let user = sandbox.users().remove(0);
    let next = refresh(&sandbox, &user.refresh_token).json["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        refresh(&sandbox, &user.refresh_token).json["error"],
        "invalid_grant"
    );
    assert_eq!(refresh(&sandbox, &next).status, 200);
}

#[test]
fn a_revoked_token_is_worthless() {
    let sandbox = org();
    let user = sandbox.users().remove(0);
    let revoke = |token: &str| {
        let request = Request::new("POST", "/services/oauth2/revoke");
        send(
            &sandbox,
            request.form(format!("token={}", token.replace('!', "%21"))),
        )
        .status
    };
    assert_eq!(revoke(&user.access_token), 200);
    assert_eq!(
        limits(&sandbox, &format!("Bearer {}", user.access_token)).status,
        401
    );
    assert_eq!(revoke(&user.access_token), 400);
    assert_eq!(refresh(&sandbox, &user.refresh_token).status, 200);
    assert_eq!(revoke(&user.refresh_token), 200);
    assert_eq!(refresh(&sandbox, &user.refresh_token).status, 400);
}

#[test]
fn idle_sessions_end() {
    let switches = RestSwitches {
        session_idle_max_s: Some(7_200),
        ..RestSwitches::default()
    };
    let sandbox = Sandbox::builder()
        .records(0)
        .now(NOW)
        .manual_clock()
        .switches(switches)
        .build()
        .unwrap();
    let client = Client::of(&sandbox, 0);
    for (idle_s, status) in [(7_200, 200), (7_200, 200), (7_201, 401)] {
        sandbox.advance(idle_s);
        assert_eq!(client.get("/limits").status, status);
    }
}

#[test]
fn without_a_session_there_is_nothing_but_the_versions() {
    let sandbox = org();
    assert_eq!(limits(&sandbox, "Bearer x").codes(), ["INVALID_SESSION_ID"]);
    assert_eq!(
        limits(&sandbox, "Digest x").codes(),
        ["INVALID_AUTH_HEADER"]
    );
    let none = send(&sandbox, Request::new("GET", &format!("{DATA}/limits")));
    assert_eq!(
        (none.status, none.codes()),
        (401, vec!["INVALID_SESSION_ID"])
    );
    assert_eq!(
        send(&sandbox, Request::new("GET", "/services/data")).status,
        200
    );
}

#[test]
fn an_inactive_user_is_shut_out() {
    let client = client();
    let at = Client::of(&client.sandbox, 2);
    client.sandbox.with_org(|org| {
        let rights = attache_sandbox::org::Rights {
            view_all: true,
            modify_all: true,
        };
        org.set_rights(&client.user, rights);
    });
    let answer = client.patch(
        &format!("/sobjects/User/{}", at.user),
        json!({ "IsActive": false }),
    );
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(at.get("/limits").status, 401);
    let refresh_token = client.sandbox.users()[2].refresh_token.clone();
    assert_eq!(
        refresh(&client.sandbox, &refresh_token).json["error"],
        "inactive_user"
    );
}

#[test]
fn the_identity_names_zone_and_locale() {
    let sandbox = Sandbox::builder()
        .records(0)
        .now(NOW)
        .manual_clock()
        .time_zone("America/Los_Angeles")
        .locale("de_DE")
        .build()
        .unwrap();
    let client = Client::of(&sandbox, 0);
    let root = client.send(Request::new("GET", &format!("{DATA}/")).header("Host", "localhost:1"));
    let url = root.json["identity"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://localhost:1").unwrap();
    let identity = client
        .send(Request::new("GET", path).header("Host", "localhost:1"))
        .json;
    assert_eq!(identity["id"], url.as_str());
    assert_eq!(identity["user_id"], client.user.as_str());
    assert_eq!(identity["timezone"], "America/Los_Angeles");
    assert_eq!(identity["utcOffset"], -28_800_000);
    assert_eq!(identity["locale"], "de_DE");
    assert_eq!(identity["username"], sandbox.users()[0].username.as_str());
    assert_eq!(
        identity["urls"]["query"],
        "http://localhost:1/services/data/v{version}/query/"
    );
    let info = client
        .send(Request::new("GET", "/services/oauth2/userinfo"))
        .json;
    assert_eq!(info["zoneinfo"], "America/Los_Angeles");
    assert_eq!(
        info["preferred_username"],
        sandbox.users()[0].username.as_str()
    );
    assert_eq!(send(&sandbox, Request::new("GET", path)).status, 401);
}

#[test]
fn the_line_for_programs_has_what_they_need() {
    let sandbox = org();
    let line = sandbox.info("http://127.0.0.1:4711");
    assert!(!line.contains('\n'));
    let info: Value = serde_json::from_str(&line).unwrap();
    let keys: Vec<&str> = info
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "api_version",
            "client_id",
            "client_secret",
            "control_token",
            "control_url",
            "url",
            "users"
        ]
    );
    assert_eq!(info["url"], "http://127.0.0.1:4711");
    assert_eq!(info["api_version"], "67.0");
    assert_eq!(
        info["users"][0]["access_token"],
        sandbox.users()[0].access_token.as_str()
    );
}
