//! Tokens: from where, how long, and to whom.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{Error, ErrorKind, Remote, Result};
use attache_salesforce::{
    AccessToken, ClientCredentials, HttpResponse, RefreshToken, Revoked, Salesforce, StaticToken,
    TokenProvider,
};
use futures_lite::future::{block_on, zip};
use script::{Script, URL, error, html, json, lost, recorded, unsent};
use std::sync::{Arc, Mutex};

const EMPTY: &str = r#"{"totalSize":0,"done":true,"records":[]}"#;
const SOQL: &str = "SELECT Id FROM Account";

fn expired() -> script::Answer {
    json(401, recorded("expired_session_response.json"))
}

fn granted(access: &str, refresh: Option<&str>) -> script::Answer {
    let refresh = refresh.map_or(String::new(), |r| format!(r#""refresh_token":"{r}","#));
    json(
        200,
        format!(
            r#"{{"access_token":"{access}",{refresh}"instance_url":"{URL}","token_type":"Bearer","id":"x","issued_at":"1435348669239"}}"#
        ),
    )
}

/// An org whose calls and whose tokens travel over one script.
fn org(script: &Script) -> Salesforce {
    let tokens = RefreshToken::new(URL, "client", "refresh-0")
        .unwrap()
        .with_client_secret("s&cret")
        .with_transport(Arc::new(script.clone()));
    Salesforce::builder(URL, tokens)
        .transport(Arc::new(script.clone()))
        .build()
        .unwrap()
}

fn bearer(script: &Script, nth: usize) -> String {
    let requests = script.requests();
    requests[nth].header("Authorization").unwrap().to_owned()
}

#[test]
fn a_rejected_token_is_renewed_once_and_kept() {
    let script = Script::new([
        granted("token-0", None),
        expired(),
        granted("token-1", None),
        json(200, EMPTY),
        json(200, EMPTY),
    ]);
    let org = org(&script);
    block_on(async {
        org.query(SOQL).await.unwrap();
        org.query(SOQL).await.unwrap();
    });
    assert_eq!(bearer(&script, 1), "Bearer token-0");
    assert_eq!(bearer(&script, 3), "Bearer token-1");
    assert_eq!(bearer(&script, 4), "Bearer token-1");
    let form = String::from_utf8(script.requests()[0].body.clone()).unwrap();
    assert_eq!(
        form,
        "grant_type=refresh_token&client_id=client&refresh_token=refresh-0&client_secret=s%26cret"
    );
}

#[test]
fn a_fresh_token_that_is_rejected_ends_the_matter() {
    let script = Script::new([
        granted("token-0", None),
        expired(),
        granted("token-1", None),
        expired(),
    ]);
    let error = block_on(org(&script).query(SOQL)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAuthorized);
    assert_eq!(
        error.to_string(),
        "the credentials are expired or revoked: sign in again"
    );
    assert_eq!(script.requests().len(), 4);
}

#[test]
fn a_provider_that_gives_the_same_token_again_is_not_believed() {
    let script = Script::new([
        granted("token-0", None),
        expired(),
        granted("token-0", None),
    ]);
    let error = block_on(org(&script).query(SOQL)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAuthorized);
}

#[test]
fn calls_at_a_time_share_one_refresh() {
    let script = Script::new([
        granted("token-0", None),
        expired(),
        granted("token-1", None),
        json(200, EMPTY),
        json(200, EMPTY),
    ]);
    let org = org(&script);
    let (a, b) = block_on(zip(org.query(SOQL), org.query(SOQL)));
    assert!(a.is_ok() && b.is_ok());
    let refreshes = script
        .calls()
        .iter()
        .filter(|call| call.contains("/oauth2/"))
        .count();
    assert_eq!(refreshes, 2, "the first token, and one refresh");
}

#[test]
fn a_401_of_another_server_asks_for_no_token() {
    let script = Script::new([granted("token-0", None), html(401)]);
    let error = block_on(org(&script).query(SOQL)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotARemote);
}

#[test]
fn a_rotated_refresh_token_is_stored_before_its_access_token_is_used() {
    let script = Script::new([granted("token-0", Some("refresh-1")), json(200, EMPTY)]);
    let seen: Arc<Mutex<Vec<(String, usize)>>> = Arc::default();
    let (log, watched) = (Arc::clone(&seen), script.clone());
    let tokens = RefreshToken::new(URL, "client", "refresh-0")
        .unwrap()
        .with_transport(Arc::new(script.clone()))
        .on_rotated(move |token| {
            let sent = watched.requests().len();
            log.lock().unwrap().push((token.to_owned(), sent));
            Ok(())
        });
    let org = Salesforce::builder(URL, tokens)
        .transport(Arc::new(script.clone()))
        .build()
        .unwrap();
    block_on(org.query(SOQL)).unwrap();
    assert_eq!(*seen.lock().unwrap(), [("refresh-1".to_owned(), 1)]);
    assert_eq!(script.requests().len(), 2);
}

#[test]
fn a_rotated_refresh_token_that_cannot_be_stored_is_kept_and_tried_again() {
    let script = Script::new([
        granted("token-0", Some("refresh-1")),
        granted("token-1", None),
    ]);
    let disk_full = Arc::new(Mutex::new(true));
    let stored: Arc<Mutex<Vec<String>>> = Arc::default();
    let (full, log) = (Arc::clone(&disk_full), Arc::clone(&stored));
    let tokens = RefreshToken::new(URL, "client", "refresh-0")
        .unwrap()
        .with_transport(Arc::new(script.clone()))
        .on_rotated(move |token| -> Result<()> {
            if *full.lock().unwrap() {
                return Err(Error::new(ErrorKind::StorageFull, "the disk is full"));
            }
            log.lock().unwrap().push(token.to_owned());
            Ok(())
        });
    block_on(async {
        let failed = tokens.access_token().await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::StorageFull);
        *disk_full.lock().unwrap() = false;
        let token = tokens.access_token().await.unwrap();
        assert_eq!(token.expose(), "token-0", "nothing was asked for twice");
        tokens.refresh(&token).await.unwrap();
    });
    assert_eq!(*stored.lock().unwrap(), ["refresh-1"]);
    let form = String::from_utf8(script.requests()[1].body.clone()).unwrap();
    assert!(
        form.contains("refresh_token=refresh-1"),
        "the old one is dead"
    );
}

#[test]
fn client_credentials_sign_in() {
    let script = Script::new([granted("token-0", None), granted("token-1", None)]);
    let tokens = ClientCredentials::new(URL, "client", "secret")
        .unwrap()
        .with_transport(Arc::new(script.clone()));
    block_on(async {
        let first = tokens.access_token().await.unwrap();
        assert_eq!(
            (first.expose(), first.instance_url()),
            ("token-0", Some(URL))
        );
        assert_eq!(tokens.refresh(&first).await.unwrap().expose(), "token-1");
    });
    let request = &script.requests()[0];
    assert_eq!(request.url, format!("{URL}/services/oauth2/token"));
    let form = String::from_utf8(request.body.clone()).unwrap();
    assert_eq!(
        form,
        "grant_type=client_credentials&client_id=client&client_secret=secret"
    );
    assert!(!format!("{tokens:?}{request:?}").contains("secret"));
}

#[test]
fn refusals_to_sign_in_have_their_kinds() {
    let unknown_client = json(
        400,
        r#"{"error":"invalid_client_id","error_description":"x"}"#,
    );
    for (answer, kind) in [
        (
            json(400, recorded("refresh_error_response.json")),
            ErrorKind::NotAuthorized,
        ),
        (
            json(400, recorded("auth_error_response.json")),
            ErrorKind::NotAuthorized,
        ),
        (unknown_client, ErrorKind::NotAuthorized),
        (html(404), ErrorKind::NotARemote),
        (html(200), ErrorKind::NotARemote),
        (json(307, ""), ErrorKind::NotARemote),
        (html(503), ErrorKind::RemoteBusy),
        (lost(), ErrorKind::RemoteUnreachable),
        (unsent(), ErrorKind::RemoteUnreachable),
    ] {
        let script = Script::new([answer]);
        let error = block_on(org(&script).query(SOQL)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(script.requests().len(), 1, "the org was not asked");
    }
}

#[test]
fn a_token_goes_where_it_is_good() {
    struct Moved(&'static str);
    #[async_trait::async_trait]
    impl TokenProvider for Moved {
        async fn access_token(&self) -> Result<AccessToken> {
            Ok(AccessToken::new("t").with_instance_url(self.0))
        }
        async fn refresh(&self, _: &AccessToken) -> Result<AccessToken> {
            self.access_token().await
        }
    }
    let ask = |url| {
        let script = Script::new([json(200, EMPTY)]);
        let org = Salesforce::builder(URL, Moved(url))
            .transport(Arc::new(script.clone()))
            .build()
            .unwrap();
        let kind = block_on(org.query(SOQL)).err().map(|error| error.kind());
        (
            kind,
            script.requests().first().map(|request| request.url.clone()),
        )
    };
    let (kind, url) = ask("https://acme2.my.salesforce.com");
    assert_eq!(kind, None);
    assert!(
        url.unwrap()
            .starts_with("https://acme2.my.salesforce.com/services/")
    );
    assert_eq!(ask("http://127.0.0.1"), (Some(ErrorKind::NotARemote), None));
    assert_eq!(ask("nonsense"), (Some(ErrorKind::NotARemote), None));
}

#[test]
fn a_token_that_would_begin_a_header_is_not_sent() {
    for token in ["", "a\r\nHost: evil.example", "a b", "a\0", "t\u{f6}ken"] {
        let script = Script::default();
        let org = Salesforce::builder(URL, StaticToken::new(token))
            .transport(Arc::new(script.clone()))
            .build()
            .unwrap();
        let error = block_on(org.query(SOQL)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAuthorized, "{token:?}");
        assert!(script.requests().is_empty());
    }
}

#[test]
fn a_refused_write_is_sent_again_with_its_body() {
    let created = r#"[{"id":"001D000000JliSTIAZ","success":true,"errors":[]}]"#;
    let script = Script::new([
        granted("token-0", None),
        error(401, "INVALID_SESSION_ID"),
        granted("token-1", None),
        Ok(HttpResponse {
            status: 200,
            body: created.into(),
            ..HttpResponse::default()
        }),
    ]);
    let batch = [attache::Write {
        object: "Account".into(),
        action: attache::WriteAction::Create {
            fields: attache::Fields::from([("Name", "Acme")]),
        },
        allow_duplicates: false,
    }];
    let mut outcomes = Vec::new();
    block_on(org(&script).push(&batch, &mut |_, outcome| {
        outcomes.push(outcome);
        Ok(())
    }))
    .unwrap();
    let id = "001D000000JliSTIAZ".into();
    assert_eq!(outcomes, [attache::WriteOutcome::Done { id }]);
    assert_eq!(script.body(1), script.body(3));
}

#[test]
fn signing_out_ends_the_newest_token_and_says_if_it_had_ended_before() {
    let gone = r#"{"error":"unsupported_token_type","error_description":"this token type is not supported"}"#;
    for (answer, expected) in [
        (json(200, ""), Ok(Revoked::Now)),
        (json(400, gone), Ok(Revoked::Before)),
        (html(400), Err(ErrorKind::NotARemote)),
        (html(404), Err(ErrorKind::NotARemote)),
        (html(302), Err(ErrorKind::NotARemote)),
        (html(503), Err(ErrorKind::RemoteBusy)),
        (lost(), Err(ErrorKind::RemoteUnreachable)),
    ] {
        let script = Script::new([granted("token-0", Some("refresh-1")), answer]);
        let tokens = RefreshToken::new(URL, "client", "refresh-0")
            .unwrap()
            .with_transport(Arc::new(script.clone()));
        block_on(tokens.access_token()).unwrap();
        let revoked = block_on(tokens.revoke()).map_err(|error| error.kind());
        assert_eq!(revoked, expected);
        let request = &script.requests()[1];
        assert_eq!(request.url, format!("{URL}/services/oauth2/revoke"));
        assert_eq!(request.body, b"token=refresh-1");
    }
}
