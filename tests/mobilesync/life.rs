//! 18–25: what a device meets in its life: memory, logout, limits, drift, silence.

use attache::{
    Attache, Briefcase, ErrorKind, Fields, MutationState, RecordId, StopReason, Unsent, Value,
};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{Moment, Watcher, World, wait};
use attache_tests::{
    ME, agrees, all, at_org, briefcase, create, edit, field_sales, first, meanwhile, prime,
    server_id, settle, sync, value,
};
use std::sync::{Arc, Mutex};

/// Without a network every record was judged "not newer" and skipped, and the sync said DONE.
#[test]
fn w18_nothing_is_called_done_that_was_not_sent() {
    let world = World::new(1_018, 3_000);
    let document = Briefcase::everything(["Account", "Contact"]);
    let device = prime(&world, ME, &document);
    let ids = all(&device, "SELECT Id FROM Contact ORDER BY Id");
    for id in &ids {
        edit(&device, id, "Department", "Edited");
    }
    world.sandbox.offline(true);
    let error = wait(device.sync()).expect_err("there is no network");
    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable);
    let status = device.status().expect("a read");
    assert_eq!(status.pending as usize, ids.len());
    world.sandbox.offline(false);
    let report = sync(&device);
    assert_eq!(report.pushed_updates as usize, ids.len());
    assert!(report.is_settled(), "{report:?}");
    let times = world.times("Contact", "Department", "Edited");
    assert_eq!(times, Ok(ids.len()));
}

/// All dirty records were in memory at once, and their ids in one condition.
#[test]
fn w19_no_request_grows_with_the_work() {
    let world = World::new(1_019, 3_000);
    let device = prime(&world, ME, &Briefcase::everything(["Account", "Contact"]));
    for id in all(&device, "SELECT Id FROM Contact ORDER BY Id") {
        edit(&device, &id, "Department", "Edited");
    }
    for n in 0..450 {
        create(&device, "Contact", [("LastName", format!("New {n}"))]);
    }
    let longest: Arc<Mutex<usize>> = Arc::default();
    let seen = Arc::clone(&longest);
    let watcher: Watcher = Arc::new(move |_, _, target| {
        let mut longest = seen.lock().expect("no test panics here");
        *longest = target.len().max(*longest);
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    world.sandbox.clear_log();
    let report = sync(&device.clone().with_remote(remote));
    assert!(report.is_settled(), "{report:?}");
    assert!(*longest.lock().expect("no test panics here") < 16_384);
    let writes = |method: &str| {
        let log = world.sandbox.log();
        log.iter()
            .filter(|request| request.method == method && request.target.contains("composite"))
            .count() as u64
    };
    // 200 records a call at most, and never a call a record.
    assert!(writes("POST") <= (report.pushed_creates + report.pushed_updates) / 25 + 2);
    assert!(writes("POST") >= report.pushed_creates / 200);
}

/// Reading waited for the writes of a sync although the log of the database would have allowed it.
#[test]
fn w20_reading_and_editing_go_on_during_a_sync() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(1_020, 600);
    let device = world
        .device_at(ME, &folder.path().join("device.db"))
        .expect("a store opens");
    device
        .set_briefcase(field_sales())
        .expect("a valid briefcase");
    let (host, seen) = (device.clone(), Arc::new(Mutex::new(Vec::new())));
    let counts = Arc::clone(&seen);
    let watcher: Watcher = Arc::new(move |moment, _, target| {
        if moment == Moment::Answered && target.contains("/query") {
            let rows = all(&host, "SELECT Id FROM Account").len();
            counts.lock().expect("no test panics here").push(rows);
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    sync(&device.clone().with_remote(remote));
    let counts = seen.lock().expect("no test panics here").clone();
    assert!(
        counts.windows(2).all(|pair| pair[0] <= pair[1]),
        "{counts:?}"
    );
    assert!(counts.last() > counts.first(), "{counts:?}");
}

/// A logout, or a refresh token that had been revoked, deleted the databases with all that was unsent.
#[test]
fn w21_no_logout_destroys_unsent_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("device.db");
    let world = World::new(1_021, 300);
    let device = world.device_at(ME, &file).expect("a store opens");
    device
        .set_briefcase(field_sales())
        .expect("a valid briefcase");
    sync(&device);
    let made = create(&device, "Account", [("Name", "Typed on the road")]);
    world.sandbox.revoke_tokens(&world.users[ME].id);
    let error = wait(device.sync()).expect_err("the token was revoked");
    assert_eq!(error.kind(), ErrorKind::NotAuthorized);
    assert_eq!(device.pending().expect("a read").len(), 1);
    let error = device
        .clone()
        .wipe(Unsent::Refuse)
        .expect_err("there is unsent work");
    assert_eq!(error.kind(), ErrorKind::UnsentWork);
    assert!(device.get(&made).expect("a read").is_some());
    // The work leaves in a file, and arrives from another device of the same user.
    let world_again = World::new(1_021, 300);
    let other = prime(&world_again, ME, &field_sales());
    let mut bytes = Vec::new();
    bytes.extend(device.export_unsent(None).expect("an export"));
    other.import_unsent(&bytes, None).expect("an import");
    device.wipe(Unsent::Discard).expect("told twice");
    assert!(!file.exists());
    settle(&world_again, &other);
    assert_eq!(
        world_again.times("Account", "Name", "Typed on the road"),
        Ok(1)
    );
}

/// A limit, a busy org and an expired locator each failed a sync for good, or were hammered.
#[test]
fn w22_a_limit_stops_politely_and_the_next_session_goes_on() {
    let world = World::new(1_022, 3_000);
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 2);
    let device = world.device(ME).expect("a store opens");
    device
        .set_briefcase(field_sales())
        .expect("a valid briefcase");
    let used = world.sandbox.requests();
    world
        .sandbox
        .with_switches(|switches| switches.daily_calls_max = used + 40);
    let report = sync(&device);
    let stopped = report.stopped.expect("the day's calls are used up");
    assert_eq!(stopped.why, StopReason::RemoteLimit, "{report:?}");
    assert!(stopped.retry_after_ms >= 60_000, "{stopped:?}");
    assert!(!report.is_settled());
    let log = world.sandbox.log();
    let refused = log
        .iter()
        .filter(|request| request.status == Some(403))
        .count();
    assert_eq!(refused, 1, "nobody goes on asking: {log:?}");
    let here = all(&device, "SELECT Id FROM Account").len();
    world
        .sandbox
        .with_switches(|switches| switches.daily_calls_max = 100_000);
    world.sandbox.advance(60);
    settle(&world, &device);
    assert!(all(&device, "SELECT Id FROM Account").len() >= here);
    agrees(&world, ME, &device);
}

/// A field added later was not filled in, and one that may not be written made every update fail.
#[test]
fn w23_a_new_field_is_filled_in_and_a_read_only_one_stops_nothing_else() {
    let world = World::new(1_023, 300);
    let fields = |names: &str| {
        briefcase(&format!(
            r#"{{"version": 1, "objects": {{"Account": {{"fields": [{names}]}}}}, "rules": ["Account"]}}"#
        ))
    };
    let device = prime(&world, ME, &fields(r#""Name", "Site""#));
    device
        .set_briefcase(fields(r#""Name", "Site", "Phone", "Industry""#))
        .expect("a valid briefcase");
    settle(&world, &device);
    agrees(&world, ME, &device);
    let filled = all(&device, "SELECT Id FROM Account WHERE Phone != null");
    let [id, other, ..] = filled.as_slice() else {
        panic!("two accounts have a phone")
    };
    // The person may no longer write one of the fields that were edited.
    edit(&device, id, "Site", "Edited");
    edit(&device, id, "Phone", "555-0199");
    edit(&device, other, "Site", "Edited as well");
    let me = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.hide_field(&me, "Account", "Phone", true));
    let report = sync(&device);
    assert_eq!((report.pushed_updates, report.rejected.len()), (1, 1));
    let there = |id: &RecordId| at_org(&world, "Account", id.as_str(), "Site");
    assert_eq!(there(other).as_deref(), Some("\"Edited as well\""));
    assert_ne!(there(id).as_deref(), Some("\"Edited\""));
    // What cannot be sent is there to be seen with its reason, and goes without the field.
    for mutation in device.pending().expect("a read") {
        assert!(
            matches!(mutation.state, MutationState::Rejected(_)),
            "{mutation:?}"
        );
        if mutation.fields.contains("Phone") {
            device
                .discard(mutation.seq)
                .expect("a person may let it go");
        } else {
            device.retry(mutation.seq).expect("a person may try again");
        }
    }
    settle(&world, &device);
    assert_eq!(there(id).as_deref(), Some("\"Edited\""));
}

/// A lookup to an unsent record was sent as it was, outside of one parent with its children.
#[test]
fn w24_lookups_to_unsent_records_are_rewritten_anywhere() {
    let world = World::new(1_024, 300);
    let device = prime(
        &world,
        ME,
        &Briefcase::everything(["Account", "Contact", "Opportunity", "Task"]),
    );
    let point = |name: &'static str, text: &'static str, at: &[(&'static str, &RecordId)]| {
        let own = std::iter::once((name, Value::from(text)));
        let lookups = at.iter().map(|(field, id)| (*field, Value::from(*id)));
        own.chain(lookups).collect::<Fields>()
    };
    let parent = create(&device, "Account", point("Name", "Grandparent", &[]));
    let account = create(
        &device,
        "Account",
        point("Name", "Parent", &[("ParentId", &parent)]),
    );
    let boss = create(
        &device,
        "Contact",
        point("LastName", "Boss", &[("AccountId", &account)]),
    );
    let contact = create(
        &device,
        "Contact",
        point(
            "LastName",
            "Report",
            &[("AccountId", &parent), ("ReportsToId", &boss)],
        ),
    );
    let task = create(
        &device,
        "Task",
        point(
            "Subject",
            "Call",
            &[("WhatId", &account), ("WhoId", &contact)],
        ),
    );
    // An old record is hung under a new one, and the new one under the old one's parent.
    let old = first(
        &device,
        "SELECT Id FROM Contact WHERE AccountId != null AND LastName != 'Boss' AND LastName != 'Report' ORDER BY Id LIMIT 1",
    );
    edit(&device, &old, "ReportsToId", &contact);
    settle(&world, &device);
    for (object, id, field, target) in [
        ("Account", &account, "ParentId", &parent),
        ("Contact", &boss, "AccountId", &account),
        ("Contact", &contact, "ReportsToId", &boss),
        ("Task", &task, "WhatId", &account),
        ("Task", &task, "WhoId", &contact),
        ("Contact", &old, "ReportsToId", &contact),
    ] {
        let there = at_org(&world, object, &server_id(&device, id), field);
        assert_eq!(
            there,
            Some(format!("{:?}", server_id(&device, target))),
            "{object}.{field}"
        );
        assert_eq!(
            value(&device, id, field),
            Value::from(server_id(&device, target).as_str())
        );
    }
    agrees(&world, ME, &device);
}

/// A callback was called on success only: failure was silence.
#[test]
fn w25_every_failure_is_told() {
    let make = || {
        let world = World::new(1_025, 300);
        world
            .sandbox
            .with_switches(|switches| switches.page_rows_max = 4);
        let device: Attache = world.device(ME).expect("a store opens");
        device
            .set_briefcase(field_sales())
            .expect("a valid briefcase");
        (world, device)
    };
    let (world, device) = make();
    world.sandbox.clear_log();
    sync(&device);
    let calls = world.sandbox.log().len() as u32;
    assert!(calls > 10, "{calls} calls");
    for nth in 1..=calls {
        let (world, device) = make();
        let page = FaultKind::Status(500, "<html>oops</html>".into());
        world.sandbox.fail_next(Fault::new(page).nth(nth));
        let error = wait(device.sync()).expect_err("a call failed");
        assert!(!error.to_string().is_empty());
        assert_ne!(error.kind(), ErrorKind::Internal, "call {nth}: {error:?}");
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
    let (world, device) = make();
    let cut = meanwhile(&world, &device, (Moment::Sent, "GET", "/describe"), |_| {});
    world.sandbox.offline(true);
    let error = wait(cut.sync()).expect_err("there is no network");
    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable);
}
