//! Signing in: with a browser, with a key, and by many callers at once.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{Error, ErrorKind, Remote, Result};
use attache_salesforce::{AccessToken, JwtBearer, RefreshToken, Salesforce, SignIn, TokenProvider};
use attache_sandbox::{Outcome, Request, Sandbox, Serving};
use futures_lite::future::{block_on, poll_once, yield_now};
use script::{Script, URL, json};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

const BACK: &str = "http://127.0.0.1:4711/signed-in";
const SOQL: &str = "SELECT Id FROM Account LIMIT 1";

fn start() -> (Sandbox, Serving) {
    let sandbox = Sandbox::builder()
        .records(20)
        .now("2026-03-02T09:00:00Z")
        .manual_clock()
        .build()
        .unwrap();
    let serving = Serving::spawn(sandbox.clone(), 0).unwrap();
    (sandbox, serving)
}

/// Opens a page as a browser does, and gives where the person ends up.
fn browse(sandbox: &Sandbox, url: &str, page: &str) -> String {
    let path = page.strip_prefix(url).unwrap();
    match sandbox.handle(Request::new("GET", path)) {
        Outcome::Answer(answer) => answer.get("Location").unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn key(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../attache-sandbox/tests/keys");
    fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

#[test]
fn a_person_signs_in_with_a_browser_and_stays_signed_in() {
    let (sandbox, serving) = start();
    let (client_id, secret) = sandbox.client();
    let jo = sandbox.users()[2].clone();
    let sign_in = SignIn::new(serving.url(), &client_id, BACK)
        .unwrap()
        .with_client_secret(&secret)
        .with_login_hint(&jo.username);
    let back = browse(&sandbox, serving.url(), &sign_in.url());
    assert!(back.starts_with(BACK), "{back}");
    let signed_in = block_on(sign_in.finish(&back)).unwrap();
    assert_eq!(signed_in.instance_url(), Some(serving.url()));

    let tokens = RefreshToken::new(
        serving.url(),
        &client_id,
        signed_in.refresh_token().unwrap(),
    )
    .unwrap()
    .with_client_secret(&secret)
    .with_access_token(signed_in.access_token().clone());
    let org = Salesforce::new(serving.url(), tokens).unwrap();
    assert_eq!(block_on(org.identity()).unwrap().username, jo.username);
    sandbox.expire_tokens(&jo.id);
    assert_eq!(block_on(org.identity()).unwrap().username, jo.username);
    sandbox.revoke_tokens(&jo.id);
    let error = block_on(org.identity()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAuthorized);

    let again = block_on(sign_in.finish(&back)).unwrap_err();
    assert_eq!(
        again.kind(),
        ErrorKind::NotAuthorized,
        "a code is good once"
    );
    let told = format!("{sign_in:?} {signed_in:?} {again:?}");
    let code = back
        .split_once("code=")
        .unwrap()
        .1
        .split('&')
        .next()
        .unwrap();
    assert!(!told.contains(code) && !told.contains(&secret), "{told}");
    serving.stop();
}

#[test]
fn an_answer_to_another_sign_in_is_not_redeemed() {
    let (sandbox, serving) = start();
    let (client_id, _) = sandbox.client();
    let ours = SignIn::new(serving.url(), &client_id, BACK).unwrap();
    let theirs = SignIn::new(serving.url(), &client_id, BACK).unwrap();
    assert_ne!(ours.url(), theirs.url());
    let back = browse(&sandbox, serving.url(), &theirs.url());
    sandbox.clear_log();
    for answer in [
        &*back,
        "",
        "code=x",
        "?state=",
        "code=x&state=y",
        "#state=z",
    ] {
        assert!(!ours.is_ours(answer));
        let error = block_on(ours.finish(answer)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{answer}");
    }
    assert_eq!(sandbox.requests(), 0, "nobody was told of the code");
    // Nor does one that bears our state help without our verifier.
    let query = ours.url();
    let state = query
        .split_once("&state=")
        .unwrap()
        .1
        .split('&')
        .next()
        .unwrap();
    let (head, _) = back.split_once("&state=").unwrap();
    let mixed = format!("{head}&state={state}");
    assert!(ours.is_ours(&mixed));
    let error = block_on(ours.finish(&mixed)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAuthorized);
    serving.stop();
}

#[test]
fn somebody_who_says_no_is_not_signed_in() {
    let script = Script::default();
    let sign_in = SignIn::new(URL, "client", BACK)
        .unwrap()
        .with_transport(Arc::new(script.clone()));
    let url = sign_in.url();
    let state = url
        .split_once("&state=")
        .unwrap()
        .1
        .split('&')
        .next()
        .unwrap();
    for (answer, words) in [
        (
            "error=access_denied",
            "the sign-in was cancelled in the browser",
        ),
        (
            "error=server_error<b>",
            "https://acme.my.salesforce.com refused the sign-in: server_errorb",
        ),
        (
            "nothing=here",
            "the credentials are expired or revoked: sign in again",
        ),
    ] {
        let error =
            block_on(sign_in.finish(&format!("{BACK}?{answer}&state={state}"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAuthorized);
        assert_eq!(error.to_string(), words);
    }
    assert!(script.requests().is_empty());
}

#[test]
fn a_key_signs_in_by_the_orgs_clock() {
    for file in ["robot.pem", "robot.pkcs1.pem"] {
        let (sandbox, serving) = start();
        let (client_id, _) = sandbox.client();
        let jo = sandbox.users()[1].clone();
        let tokens =
            || JwtBearer::new(serving.url(), &client_id, &jo.username, &key(file)).unwrap();
        let org = Salesforce::new(serving.url(), tokens()).unwrap();
        let error = block_on(org.identity()).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::NotAuthorized,
            "nobody uploaded the key"
        );
        assert!(sandbox.trust_key(&key("robot.pub.pem")));
        assert_eq!(block_on(org.identity()).unwrap().user_id, jo.id);
        // The org's clock is far from this machine's, and a day later by now.
        sandbox.advance(86_400);
        sandbox.expire_tokens(&jo.id);
        assert_eq!(block_on(org.identity()).unwrap().user_id, jo.id);
        let told = format!("{:?} {error:?}", tokens());
        assert!(!told.contains("MII"), "{told}");
        serving.stop();
    }
}

#[test]
fn what_is_no_private_key_is_refused_when_it_is_given() {
    let encrypted = key("robot.pem").replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let cut: String = key("robot.pem")
        .lines()
        .filter(|line| !line.starts_with("MII"))
        .map(|line| format!("{line}\n"))
        .collect();
    for bad in ["", "MII", &key("robot.pub.pem"), &encrypted, &cut] {
        let error = JwtBearer::new(URL, "client", "jo", bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(
            error.to_string().starts_with("the private key is no"),
            "{error}"
        );
    }
}

#[test]
fn an_org_that_does_not_tell_the_time_is_none() {
    let mut answer = json(200, "[]");
    if let Ok(answer) = &mut answer {
        answer.headers.clear();
    }
    let script = Script::new([answer]);
    let tokens = JwtBearer::new(URL, "client", "jo", &key("robot.pem"))
        .unwrap()
        .with_transport(Arc::new(script.clone()));
    let error = block_on(tokens.access_token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotARemote);
    assert_eq!(script.calls(), ["GET /services/data"]);
}

#[test]
fn a_refresh_whose_caller_went_away_is_not_lost() {
    /// Answers when it is asked for the second time, as a slow network does.
    struct Slow(Script);
    #[async_trait::async_trait]
    impl attache_salesforce::Transport for Slow {
        async fn send(&self, request: attache_salesforce::HttpRequest) -> script::Answer {
            let answer = self.0.send(request).await;
            yield_now().await;
            answer
        }
    }
    let granted = |n: u32| {
        json(
            200,
            format!(r#"{{"access_token":"token-{n}","refresh_token":"refresh-{n}"}}"#),
        )
    };
    let script = Script::new([granted(1), granted(2)]);
    let tokens = RefreshToken::new(URL, "client", "refresh-0")
        .unwrap()
        .with_transport(Arc::new(Slow(script.clone())));
    block_on(async {
        // The org has killed refresh-0 by now, and the person cancels the session.
        assert!(poll_once(tokens.access_token()).await.is_none());
        assert_eq!(script.requests().len(), 1);
        let token = tokens.access_token().await.unwrap();
        assert_eq!(token.expose(), "token-1", "the answer was waiting");
        assert_eq!(
            script.requests().len(),
            1,
            "the dead token was not sent again"
        );
        assert_eq!(tokens.refresh(&token).await.unwrap().expose(), "token-2");
    });
    let form = String::from_utf8(script.requests()[1].body.clone()).unwrap();
    assert!(form.contains("refresh_token=refresh-1"), "{form}");
}

/// A token service that takes its time, and may be out of order.
struct Service {
    asked: Arc<AtomicU32>,
    works: bool,
}

#[async_trait::async_trait]
impl TokenProvider for Service {
    async fn access_token(&self) -> Result<AccessToken> {
        Ok(AccessToken::new("old"))
    }

    async fn refresh(&self, _rejected: &AccessToken) -> Result<AccessToken> {
        for _ in 0..1_000 {
            yield_now().await;
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.works {
            true => Ok(AccessToken::new("new")),
            false => Err(Error::new(ErrorKind::RemoteBusy, "out of order")),
        }
    }
}

/// An org that knows the new token only.
struct Expired(Barrier);

#[async_trait::async_trait]
impl attache_salesforce::Transport for Expired {
    async fn send(&self, request: attache_salesforce::HttpRequest) -> script::Answer {
        if request.header("Authorization") == Some("Bearer new") {
            return json(200, r#"{"totalSize":0,"done":true,"records":[]}"#);
        }
        // All callers hold the old token when the first of them hears that it is over.
        self.0.wait();
        script::error(401, "INVALID_SESSION_ID")
    }
}

#[test]
fn a_hundred_callers_share_one_refresh_whether_it_works_or_not() {
    const CALLERS: usize = 100;
    for works in [true, false] {
        let asked = Arc::new(AtomicU32::new(0));
        let service = Service {
            asked: Arc::clone(&asked),
            works,
        };
        let org = Salesforce::builder(URL, service)
            .transport(Arc::new(Expired(Barrier::new(CALLERS))))
            .build()
            .unwrap();
        let told: Vec<Option<ErrorKind>> = thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| scope.spawn(|| block_on(org.query(SOQL)).err().map(|error| error.kind())))
                .collect();
            callers
                .into_iter()
                .map(|caller| caller.join().unwrap())
                .collect()
        });
        let expected = (!works).then_some(ErrorKind::RemoteBusy);
        assert_eq!(told, vec![expected; CALLERS]);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "works: {works}");
    }
}
