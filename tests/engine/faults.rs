//! Every request of a session meets every fault, one at a time.
//!
//! A session is recorded once without faults. Then, for each of its requests and
//! each kind of fault, the same world runs again with that fault at that
//! request; the sessions after it must bring everything to its place.

use attache::ErrorKind;
use attache_sandbox::{Fault, FaultKind, Logged};
use attache_sim::wait;
use attache_tests::{Case, settle};
use std::collections::BTreeMap;

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
    for kind in ["GET query", "GET query/ID", "GET sobjects/Account/describe"] {
        assert!(kinds.contains_key(kind), "{kind} is not covered: {kinds:?}");
    }
}

fn busy(troubles: &[Trouble]) {
    let kinds = enumerate(|| Case::busy(77, None), troubles);
    for kind in [
        "GET sobjects/Account/updated/",
        "GET sobjects/Account/deleted/",
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
