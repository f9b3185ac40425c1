//! Sessions that may not make all the calls they want, or that somebody pays for by the byte.

use attache::{Attache, Briefcase, CallBudget, Pace, Report, StopReason};
use attache_sandbox::org::Rights;
use attache_sim::{World, wait};
use attache_tests::{
    ME, agrees, all, at_org, briefcase, create, edit, field_sales, first, prime, server_id, settle,
    sync, value,
};
use std::time::Duration;

/// What a session may exceed its budget by: the step that it is in.
const STEP: u64 = 6;
/// Sessions after which a budgeted device must be through.
const SESSIONS_MAX: usize = 60;

fn capped(device: &Attache, calls: u64) -> Report {
    let budget = CallBudget {
        session_calls: Some(calls),
        ..CallBudget::default()
    };
    wait(device.sync().budget(budget)).expect("a session that is stopped is no failure")
}

fn why(report: &Report) -> Option<StopReason> {
    report.stopped.map(|stopped| stopped.why)
}

/// An org whose pages are so short that everything takes many of them.
fn short_pages(seed: u64, rows: usize) -> World {
    let world = World::new(seed, rows);
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 4);
    world
}

/// The briefcase of most tests, and all leads.
fn leads_too() -> Briefcase {
    let mut document: serde_json::Value =
        serde_json::from_str(&field_sales().to_json()).expect("JSON");
    let leads = serde_json::json!({"name": "Leads", "object": "Lead"});
    document["rules"]
        .as_array_mut()
        .expect("a list")
        .insert(0, leads);
    briefcase(&document.to_string())
}

#[test]
fn a_session_stops_at_its_budget_and_the_next_ones_go_on() {
    let world = short_pages(901, 1_000);
    let device = world.device(ME).expect("a store opens");
    device
        .set_briefcase(field_sales())
        .expect("a briefcase is stored");
    let (mut here, mut sessions) = (0, 0);
    loop {
        let before = world.sandbox.requests();
        let report = capped(&device, 15);
        let made = world.sandbox.requests() - before;
        assert!(made <= 15 + STEP, "{made} calls");
        sessions += 1;
        let now = all(&device, "SELECT Id FROM Account").len();
        assert!(now >= here, "nothing that is here goes away");
        here = now;
        match why(&report) {
            None => break,
            stopped => assert_eq!(stopped, Some(StopReason::SessionBudget), "{report:?}"),
        }
        assert!(!report.is_settled());
        assert!(sessions < SESSIONS_MAX, "it does not get anywhere");
    }
    assert!(sessions > 2, "{sessions} sessions");
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn edits_go_first_and_changes_come_before_what_is_large() {
    let world = short_pages(902, 1_500);
    let me = world.users[ME].id.clone();
    let everything = Rights {
        view_all: true,
        modify_all: true,
    };
    world
        .sandbox
        .with_org(|org| org.set_rights(&me, everything));
    let device = prime(&world, ME, &field_sales());
    world.sandbox.advance(1_200);
    settle(&world, &device);
    let mine = all(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 2");
    edit(&device, &mine[0], "Site", "Sent first");
    create(&device, "Task", [("Subject", "Sent first")]);
    let colleague = world.change(
        "Account",
        &server_id(&device, &mine[1]),
        &[("Site", "\"x\"")],
    );
    colleague.expect("the boss may");
    world.sandbox.advance(300);
    device
        .set_briefcase(leads_too())
        .expect("a briefcase is stored");
    let report = capped(&device, 16);
    assert_eq!(why(&report), Some(StopReason::SessionBudget), "{report:?}");
    let pushed = (report.pushed_updates, report.pushed_creates);
    assert_eq!(pushed, (1, 1), "{report:?}");
    assert_eq!(value(&device, &mine[1], "Site").to_string(), "x");
    let leads = all(&device, "SELECT Id FROM Lead").len();
    let there = world.sandbox.with_org(|org| org.count("Lead"));
    assert!(leads < there, "the load was cut off: {leads} of {there}");
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn what_others_did_to_an_edited_record_is_seen_before_it_is_sent_first() {
    let world = short_pages(903, 1_500);
    let device = prime(&world, ME, &field_sales());
    settle(&world, &device);
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    edit(&device, &id, "Site", "mine");
    let theirs = [("Site", "\"theirs\""), ("Fax", "\"theirs\"")];
    world
        .change("Account", &server_id(&device, &id), &theirs)
        .expect("the boss may");
    world.sandbox.advance(300);
    let report = capped(&device, 12);
    assert_eq!(
        (report.pushed_updates, report.conflicts),
        (0, 1),
        "{report:?}"
    );
    let there = at_org(&world, "Account", &server_id(&device, &id), "Site");
    assert_eq!(there.as_deref(), Some("\"theirs\""));
}

#[test]
fn the_calls_of_a_day_are_counted_across_restarts() {
    let world = short_pages(904, 1_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let budget = CallBudget {
        day_calls: Some(15),
        ..CallBudget::default()
    };
    let open = || world.device_at(ME, &path).expect("the store opens");
    let device = open();
    device
        .set_briefcase(field_sales())
        .expect("a briefcase is stored");
    let report = wait(device.sync().budget(budget)).expect("a session");
    assert_eq!(why(&report), Some(StopReason::DayBudget), "{report:?}");
    drop(device);
    let device = open();
    let report = wait(device.sync().budget(budget)).expect("a session");
    assert_eq!(why(&report), Some(StopReason::DayBudget), "{report:?}");
    assert!(report.api_calls <= 1, "{report:?}");
    let wait_ms = report.stopped.expect("it is").retry_after_ms;
    let wait_s = u32::try_from(wait_ms.div_ceil(1_000)).expect("less than a day");
    assert!((1..=86_400).contains(&wait_s), "{wait_s}");
    world.sandbox.advance(wait_s);
    let report = wait(device.sync().budget(budget)).expect("a session");
    assert!(report.api_calls > 10 && report.inserted > 0, "{report:?}");
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn a_metered_session_sends_and_reads_what_is_small_and_leaves_the_rest() {
    let world = World::new(905, 2_000);
    let device = prime(&world, ME, &field_sales());
    settle(&world, &device);
    let mine = all(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 2");
    edit(&device, &mine[0], "Site", "On the road");
    world
        .change(
            "Account",
            &server_id(&device, &mine[1]),
            &[("Site", "\"x\"")],
        )
        .expect("the boss may");
    world.sandbox.advance(300);
    let report = wait(device.sync().metered()).expect("a session");
    assert_eq!(report.stopped, None, "all of it was small: {report:?}");
    assert_eq!(report.pushed_updates, 1, "{report:?}");
    assert_eq!(value(&device, &mine[1], "Site").to_string(), "x");
    agrees(&world, ME, &device);

    device
        .set_briefcase(leads_too())
        .expect("a briefcase is stored");
    edit(&device, &mine[1], "Fax", "On the road");
    for _ in 0..2 {
        world.sandbox.advance(7_200);
        let report = wait(device.sync().metered()).expect("a session");
        assert_eq!(why(&report), Some(StopReason::Metered), "{report:?}");
        assert!(all(&device, "SELECT Id FROM Lead").is_empty());
    }
    let there = at_org(&world, "Account", &server_id(&device, &mine[1]), "Fax");
    assert_eq!(there.as_deref(), Some("\"On the road\""));
    let report = settle(&world, &device);
    assert_eq!(report.stopped, None);
    assert!(!all(&device, "SELECT Id FROM Lead").is_empty());
    agrees(&world, ME, &device);
}

#[test]
fn a_change_that_a_metered_session_left_is_not_forgotten() {
    let world = short_pages(906, 1_000);
    let device = world.device(ME).expect("a store opens");
    device
        .set_briefcase(field_sales())
        .expect("a briefcase is stored");
    // A first load that is cut off, and metered sessions while the org moves on.
    assert_eq!(why(&capped(&device, 20)), Some(StopReason::SessionBudget));
    let here = all(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    for round in 0..3 {
        let site = format!("\"round {round}\"");
        for id in &here {
            world
                .change("Account", id.as_str(), &[("Site", &site)])
                .expect("the boss may");
        }
        world.sandbox.advance(7_200);
        let report = wait(device.sync().metered()).expect("a session");
        assert_eq!(why(&report), Some(StopReason::Metered), "{report:?}");
    }
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn a_limit_of_the_org_is_told_with_the_time_to_come_back() {
    let world = short_pages(907, 1_000);
    let device = prime(&world, ME, &field_sales());
    settle(&world, &device);
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    edit(&device, &id, "Site", "Waits");
    world
        .sandbox
        .with_switches(|switches| switches.daily_calls_max = 1);
    let report = sync(&device);
    let stopped = report.stopped.expect("there are no calls left");
    assert_eq!(stopped.why, StopReason::RemoteLimit);
    assert_eq!(stopped.retry_after_ms, 3_600_000);
    assert_eq!((report.pending, report.pushed_updates), (1, 0));
    let hurried = Pace {
        often: Duration::from_secs(1),
        seldom: Duration::from_secs(1),
        spread: Duration::ZERO,
    };
    let next = || device.next_sync(&hurried).expect("a read");
    assert_eq!(next(), Duration::from_secs(3_600), "whatever the pace");
    world.sandbox.advance(3_000);
    assert_eq!(next(), Duration::from_secs(600));
    world.sandbox.advance(600);
    assert!(next() <= Duration::from_secs(2), "{:?}", next());
    world
        .sandbox
        .with_switches(|switches| switches.daily_calls_max = 100_000);
    settle(&world, &device);
    let there = at_org(&world, "Account", &server_id(&device, &id), "Site");
    assert_eq!(there.as_deref(), Some("\"Waits\""));
}
