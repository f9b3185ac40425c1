//! Every request of a session meets every fault, one at a time.
//!
//! A session is recorded once without faults. Then, for each of its requests and
//! each kind of fault, the same world runs again with that fault at that
//! request; the sessions after it must bring everything to its place.

use attache::{Attache, ErrorKind, RecordId};
use attache_sandbox::{Fault, FaultKind, Logged};
use attache_sim::{World, wait};
use attache_tests::{agrees, at_org, create, edit, field_sales, first, server_id, settle, value};
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

/// A device in a world, and what it has to bring to the org.
struct Case {
    world: World,
    device: Attache,
    account: Option<RecordId>,
    contact: Option<RecordId>,
    edited: Option<RecordId>,
    deleted: Option<String>,
}

impl Case {
    /// A device that has seen nothing yet.
    fn new() -> Case {
        let world = World::new(77, 120);
        world
            .sandbox
            .with_switches(|switches| switches.page_rows_max = 4);
        let me = format!("\"{}\"", world.users[0].id);
        for id in all_at_org(
            &world,
            "SELECT Id FROM Account WHERE OwnerId != ME ORDER BY Id LIMIT 6",
        ) {
            world
                .change("Account", &id, &[("OwnerId", &me)])
                .expect("the boss may");
        }
        let device = world.device(0).expect("a store in memory opens");
        device
            .set_briefcase(field_sales())
            .expect("a briefcase is stored");
        Case {
            world,
            device,
            account: None,
            contact: None,
            edited: None,
            deleted: None,
        }
    }

    /// A device with edits of each kind, a day after its first session, with changes of others at the org.
    fn busy() -> Case {
        let mut case = Case::new();
        wait(case.device.sync()).expect("a first session runs");
        let device = &case.device;
        let mine = "SELECT Id FROM Account WHERE Name != null ORDER BY Id LIMIT 1";
        let edited = first(device, mine);
        edit(device, &edited, "Site", "Edited offline");
        let me = &case.world.users[0].id;
        let gone = first(
            device,
            &format!("SELECT Id FROM Task WHERE OwnerId = '{me}' ORDER BY Id LIMIT 1"),
        );
        case.deleted = Some(server_id(device, &gone));
        device.delete(&gone).expect("a task may be deleted");
        let account = create(device, "Account", [("Name", "Made offline")]);
        let fields = [
            ("LastName", "Made offline".into()),
            ("AccountId", attache::Value::from(&account)),
        ];
        case.contact = Some(create(device, "Contact", fields));
        case.account = Some(account);
        case.world.sandbox.advance(86_400);
        let id = server_id(device, &edited);
        case.others(&id);
        case.edited = Some(edited);
        case.world.sandbox.advance(300);
        case
    }

    /// What colleagues do meanwhile: edit the edited record elsewhere, delete, give away and take over.
    fn others(&self, edited: &str) {
        let world = &self.world;
        let me = format!("\"{}\"", world.users[0].id);
        let boss = format!("\"{}\"", world.boss());
        world
            .change("Account", edited, &[("Fax", "Faxed")])
            .expect("the boss may");
        let mine = all_at_org(
            world,
            "SELECT Id FROM Contact WHERE Account.OwnerId = ME ORDER BY Id",
        );
        world.remove("Contact", &mine[0]).expect("the boss may");
        let opportunities = all_at_org(
            world,
            "SELECT Id FROM Opportunity WHERE OwnerId = ME ORDER BY Id",
        );
        world
            .change("Opportunity", &opportunities[0], &[("OwnerId", &boss)])
            .expect("the boss may");
        let accounts = all_at_org(
            world,
            "SELECT Id FROM Account WHERE OwnerId != ME ORDER BY Id",
        );
        world
            .change("Account", &accounts[0], &[("OwnerId", &me)])
            .expect("the boss may");
    }

    /// Checks that all arrived, once, and that device and org agree.
    fn check(&self) {
        let (world, device) = (&self.world, &self.device);
        agrees(world, 0, device);
        assert_eq!(device.pending().expect("a read"), []);
        if let (Some(account), Some(contact)) = (&self.account, &self.contact) {
            assert_eq!(world.times("Account", "Name", "Made offline"), Ok(1));
            assert_eq!(world.times("Contact", "LastName", "Made offline"), Ok(1));
            assert_eq!(
                value(device, contact, "AccountId"),
                value(device, account, "Id")
            );
        }
        if let Some(edited) = &self.edited {
            let id = server_id(device, edited);
            let there = |field| at_org(world, "Account", &id, field);
            assert_eq!(there("Site").as_deref(), Some("\"Edited offline\""));
            assert_eq!(there("Fax").as_deref(), Some("\"Faxed\""));
        }
        if let Some(deleted) = &self.deleted {
            assert_eq!(at_org(world, "Task", deleted, "Id"), None);
        }
    }
}

fn all_at_org(world: &World, soql: &str) -> Vec<String> {
    let soql = soql.replace("ME", &format!("'{}'", world.users[0].id));
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows.iter().filter_map(|row| row.text("Id")).collect()
}

/// Runs the session once, then once for each request and each trouble.
#[expect(clippy::print_stdout, reason = "shown only when the test fails")]
fn enumerate(make: fn() -> Case) -> BTreeMap<String, usize> {
    let case = make();
    case.world.sandbox.clear_log();
    wait(case.device.sync()).expect("a session without faults runs");
    let log = case.world.sandbox.log();
    settle(&case.world, &case.device);
    case.check();
    let mut kinds = BTreeMap::new();
    for (nth, request) in (1..).zip(&log) {
        *kinds.entry(kind_of(request)).or_default() += 1;
        for trouble in &TROUBLES {
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
    let kinds = enumerate(Case::new);
    for kind in ["GET query", "GET query/ID", "GET sobjects/Account/describe"] {
        assert!(kinds.contains_key(kind), "{kind} is not covered: {kinds:?}");
    }
}

#[test]
fn a_busy_session_survives_any_fault_at_any_request() {
    let kinds = enumerate(Case::busy);
    for kind in [
        "GET sobjects/Account/updated/",
        "GET sobjects/Account/deleted/",
    ] {
        assert!(kinds.contains_key(kind), "{kind} is not covered: {kinds:?}");
    }
    let writes = kinds.keys().filter(|kind| !kind.starts_with("GET")).count();
    assert!(writes >= 4, "{kinds:?}");
}
