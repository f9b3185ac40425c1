//! Every request of a session meets every fault, one at a time.
//!
//! A session is recorded once without faults. Then, for each of its requests and
//! each kind of fault, the same world runs again with that fault at that
//! request; the sessions after it must bring everything to its place.

use attache::ErrorKind;
use attache_salesforce::{AccessToken, Salesforce, TokenProvider};
use attache_sandbox::{Fault, FaultKind, Logged, Request, Sandbox, UserAccess};
use attache_sim::{InProcess, Moment, wait};
use attache_tests::{Case, settle};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A fault, and the errors a session may end with when it meets it.
struct Trouble {
    name: &'static str,
    kind: fn() -> FaultKind,
    ends: &'static [ErrorKind],
}

const NO_ANSWER: &[ErrorKind] = &[
    ErrorKind::RemoteUnreachable,
    ErrorKind::RemoteOutcomeUnknown,
];

const TROUBLES: [Trouble; 7] = [
    Trouble {
        name: "lost request",
        kind: || FaultKind::LoseRequest,
        ends: NO_ANSWER,
    },
    Trouble {
        name: "lost answer",
        kind: || FaultKind::LoseAnswer,
        ends: NO_ANSWER,
    },
    Trouble {
        name: "half an answer",
        kind: || FaultKind::Truncate(60),
        ends: NO_ANSWER,
    },
    Trouble {
        name: "maintenance page",
        kind: || FaultKind::Status(503, "<html><body>Down for maintenance</body></html>".into()),
        ends: &[ErrorKind::RemoteBusy],
    },
    Trouble {
        name: "limit exceeded",
        kind: || {
            let body = r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
            FaultKind::Status(403, body.into())
        },
        // Also said of too many calls at a time, as long as the day is not used up.
        ends: &[ErrorKind::LimitReached, ErrorKind::RemoteBusy],
    },
    Trouble {
        name: "session expired",
        kind: || {
            let body =
                r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
            FaultKind::Status(401, body.into())
        },
        ends: &[ErrorKind::NotAuthorized],
    },
    Trouble {
        name: "another site's page",
        kind: || {
            FaultKind::Status(
                200,
                "<html><body>Sign in to the hotel's network</body></html>".into(),
            )
        },
        ends: &[ErrorKind::NotARemote, ErrorKind::RemoteOutcomeUnknown],
    },
];

const NO_ORG: &[ErrorKind] = &[ErrorKind::NotARemote, ErrorKind::RemoteOutcomeUnknown];

/// What a server answers that means harm.
const HARM: [Trouble; 5] = [
    Trouble {
        name: "arrays inside each other",
        kind: || FaultKind::Deep(100_000),
        ends: NO_ORG,
    },
    Trouble {
        name: "a page before the next",
        kind: || FaultKind::EndlessPages,
        // The place that it names is none.
        ends: &[
            ErrorKind::NotARemote,
            ErrorKind::RemoteOutcomeUnknown,
            ErrorKind::CursorExpired,
        ],
    },
    Trouble {
        name: "links to another host",
        kind: || FaultKind::Rewrite {
            find: "/services/data/".into(),
            replace: "https://evil.example/services/data/".into(),
        },
        ends: NO_ORG,
    },
    Trouble {
        name: "a way to another host",
        kind: || FaultKind::redirect("https://evil.example/services/data/v67.0/query"),
        ends: NO_ORG,
    },
    Trouble {
        name: "bytes of another form",
        kind: || FaultKind::Bomb(1 << 20),
        ends: NO_ORG,
    },
];

/// Runs the session once, then once for each request and each trouble.
#[expect(clippy::print_stdout, reason = "shown only when the test fails")]
fn enumerate(make: impl Fn() -> Case, troubles: &[Trouble]) -> BTreeMap<String, usize> {
    let case = make();
    case.world.sandbox.clear_log();
    wait(case.device.sync()).expect("a session without faults runs");
    let log = case.world.sandbox.log();
    settle(&case.world, &case.device);
    case.check();
    let mut kinds = BTreeMap::new();
    for (nth, request) in (1..).zip(&log) {
        *kinds.entry(kind_of(request)).or_default() += 1;
        for trouble in troubles {
            let case = make();
            case.world
                .sandbox
                .fail_next(Fault::new((trouble.kind)()).nth(nth));
            let what = format!(
                "{} at {nth} {} {}",
                trouble.name, request.method, request.target
            );
            if let Err(error) = wait(case.device.sync()) {
                // Nobody signs in to ask which versions there are.
                let odd =
                    request.target == "/services/data" && error.kind() == ErrorKind::RemoteRefused;
                assert!(
                    odd || trouble.ends.contains(&error.kind()),
                    "{what}: {error:?}"
                );
            }
            assert_eq!(
                case.world.sandbox.clear_faults(),
                0,
                "{what}: did not strike"
            );
            println!("{what}");
            settle(&case.world, &case.device);
            case.check();
        }
    }
    kinds
}

/// What a request is for, without the ids in it.
fn kind_of(request: &Logged) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    let path = path.trim_start_matches("/services/data/v67.0/");
    let parts = path.split('/').map(|part| {
        let is_id = part.len() >= 15 && part.chars().any(|c| c.is_ascii_digit());
        if is_id { "ID" } else { part }
    });
    format!("{} {}", request.method, parts.collect::<Vec<_>>().join("/"))
}

#[test]
fn a_first_session_survives_any_fault_at_any_request() {
    let kinds = enumerate(|| Case::new(77, None), &TROUBLES);
    for kind in ["GET query", "GET query/ID", "POST composite"] {
        assert!(kinds.contains_key(kind), "{kind} is not covered: {kinds:?}");
    }
}

fn busy(troubles: &[Trouble]) {
    let kinds = enumerate(|| Case::busy(77, None), troubles);
    for kind in [
        "POST composite",
        "POST composite/sobjects/Contact",
        "PATCH composite/sobjects/Account/External_Id__c",
        "DELETE composite/sobjects",
    ] {
        assert!(kinds.contains_key(kind), "{kind} is not covered: {kinds:?}");
    }
}

#[test]
fn a_busy_session_survives_the_loss_of_any_request_or_answer() {
    busy(&TROUBLES[..2]);
}

#[test]
fn a_busy_session_survives_a_cut_or_a_maintenance_page_at_any_request() {
    busy(&TROUBLES[2..4]);
}

#[test]
fn a_busy_session_survives_being_turned_away_at_any_request() {
    busy(&TROUBLES[4..]);
}

#[test]
fn a_busy_session_survives_an_answer_without_an_end_at_any_request() {
    busy(&HARM[..2]);
}

#[test]
fn a_busy_session_survives_being_led_astray_at_any_request() {
    busy(&HARM[2..]);
}

/// Somebody who buys a new token when the old one is worthless.
struct Renewing {
    sandbox: Sandbox,
    user: UserAccess,
    token: Mutex<String>,
}

impl Renewing {
    fn renew(&self) -> String {
        let (id, secret) = self.sandbox.client();
        let refresh = &self.user.refresh_token;
        let body = format!(
            "grant_type=refresh_token&client_id={id}&client_secret={secret}&refresh_token={refresh}"
        );
        let mut request = Request::new("POST", "/services/oauth2/token");
        let form = "application/x-www-form-urlencoded";
        request.headers.push(("Content-Type".into(), form.into()));
        request.body = body.into_bytes();
        let answer = self.sandbox.handle(request).answer().expect("an answer");
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

#[async_trait::async_trait]
impl TokenProvider for Renewing {
    async fn access_token(&self) -> attache::Result<AccessToken> {
        let token = self.token.lock().expect("nobody panicked");
        Ok(AccessToken::new(token.as_str()))
    }

    async fn refresh(&self, _rejected: &AccessToken) -> attache::Result<AccessToken> {
        *self.token.lock().expect("nobody panicked") = self.renew();
        self.access_token().await
    }
}

/// A busy device whose token becomes worthless right before its nth request.
fn expiring(nth: usize) -> Case {
    let mut case = Case::busy(78, None);
    let (sandbox, user) = (case.world.sandbox.clone(), case.world.users[0].clone());
    let (count, expire) = (AtomicUsize::new(0), sandbox.clone());
    let id = user.id.clone();
    let transport = InProcess::new(sandbox.clone()).watched(Arc::new(move |moment, _, _| {
        if moment == Moment::Sent && count.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            expire.expire_tokens(&id);
        }
    }));
    let token = Mutex::new(user.access_token.clone());
    let tokens = Renewing {
        sandbox,
        user,
        token,
    };
    let org = Salesforce::builder("http://127.0.0.1:1", tokens).transport(Arc::new(transport));
    case.device = case
        .device
        .with_remote(org.build().expect("a good address"));
    case
}

#[test]
fn a_session_goes_on_with_a_fresh_token_wherever_the_old_one_expires() {
    let case = expiring(0);
    case.world.sandbox.clear_log();
    wait(case.device.sync()).expect("a session without faults runs");
    let requests = case.world.sandbox.log().len();
    for nth in 1..=requests {
        let case = expiring(nth);
        let report = wait(case.device.sync());
        let report = report.unwrap_or_else(|error| panic!("at {nth}: {error:?}"));
        assert!(report.is_settled(), "at {nth}: {report:?}");
        case.check();
    }
}
