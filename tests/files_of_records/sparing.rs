//! Files on a network that somebody pays for by the byte, and what a person sees of them on the way.

use super::{account_id, accounts, at_org, body, bytes, file, primed, requests, state};
use attache::{Attache, FileState, Phase, Progress, Report, StopReason};
use attache_sim::wait;
use attache_tests::{briefcase, sync};
use std::sync::{Arc, Mutex};

const MIB: usize = 1 << 20;

fn metered(device: &Attache) -> Report {
    wait(device.sync().metered()).expect("a session")
}

#[test]
fn a_metered_session_knows_of_files_and_leaves_their_bytes() {
    let (world, device, account) = primed("{}");
    let id = account_id(&device, &account);
    at_org(&world, &id, "plan.pdf", b"a plan");
    let report = metered(&device);
    assert_eq!(
        report.stopped.map(|one| one.why),
        Some(StopReason::Metered),
        "{report:?}"
    );
    assert_eq!((report.files.fetched, report.files.left), (0, 1));
    assert_eq!(state(&device, &account, "plan"), FileState::Absent);
    assert_eq!(requests(&world, "GET", "/VersionData"), 0);
    let plan = file(&device, &account, "plan").id;
    wait(device.fetch_file(&plan)).expect("a person wants it");
    assert_eq!(body(&device, &plan), b"a plan");
    let report = metered(&device);
    assert_eq!((report.stopped, report.files.left), (None, 0), "{report:?}");
}

#[test]
fn a_metered_session_sends_a_small_photo_and_keeps_a_large_one() {
    let (_world, device, account) = primed("{}");
    let attach = |name: &str, count: usize| {
        let body = bytes(count, 1);
        device.attach(&account, name, &body[..]).expect("attached")
    };
    attach("large.jpg", MIB + 1);
    attach("small.jpg", MIB);
    let report = metered(&device);
    assert_eq!(
        report.stopped.map(|one| one.why),
        Some(StopReason::Metered),
        "{report:?}"
    );
    assert_eq!((report.pushed_creates, report.pending), (1, 1));
    assert!(!report.is_settled());
    assert_eq!(state(&device, &account, "large"), FileState::Queued);
    assert_eq!(state(&device, &account, "small"), FileState::Present);
    let report = sync(&device);
    assert!(report.is_settled(), "{report:?}");
    assert_eq!(state(&device, &account, "large"), FileState::Present);
}

/// A session, and what it told of its files.
fn watched(device: &Attache) -> Vec<(u64, Option<u64>)> {
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let hears = Arc::clone(&told);
    let session = device
        .sync()
        .on_progress(move |progress| hears.lock().expect("no panic").push(progress));
    wait(session).expect("a session");
    let told = told.lock().expect("no panic");
    let of_files = told.iter().filter(|one| one.phase == Phase::Files);
    of_files.map(|one| (one.done, one.total)).collect()
}

#[test]
fn files_are_told_of_in_bytes_as_they_come_and_go() {
    let (world, device, account) = primed("{}");
    let id = account_id(&device, &account);
    let (large, small) = (5 * MIB as u64, 10);
    at_org(&world, &id, "a.jpg", &bytes(5 * MIB, 1));
    let told = watched(&device);
    let total = Some(large);
    assert_eq!(told.first(), Some(&(0, total)));
    assert!(told.contains(&(4 * MIB as u64, total)), "{told:?}");
    assert_eq!(told.last(), Some(&(large, total)));
    device
        .attach(&account, "b.jpg", &bytes(10, 2)[..])
        .expect("attached");
    assert_eq!(watched(&device), [(0, Some(small)), (small, Some(small))]);
    assert_eq!(watched(&device), []);
}

/// Object, files, bytes, and whether that was counted.
type Told = (String, Option<u64>, Option<u64>, bool);

fn dry(device: &Attache, briefcase: &attache::Briefcase) -> Vec<Told> {
    let would = wait(device.dry_run(briefcase)).expect("an answer");
    let told = would.files.into_iter();
    told.map(|one| (one.object, one.files, one.bytes, one.exact))
        .collect()
}

#[test]
fn a_dry_run_counts_the_files_that_would_come() {
    let (world, device, account) = primed(r#""none""#);
    let id = account_id(&device, &account);
    at_org(&world, &id, "a.JPG", &bytes(900, 1));
    at_org(&world, &id, "b.jpg", &bytes(1_000, 2));
    at_org(&world, &id, "large.jpg", &bytes(1_001, 3));
    at_org(&world, &id, "paper.pdf", &bytes(10, 4));
    let told = |count, bytes| vec![("Account".to_owned(), Some(count), Some(bytes), true)];
    let small = accounts(r#"{"max_bytes": 1000, "types": ["jpg"]}"#);
    assert_eq!(dry(&device, &small), told(2, 1_900));
    assert_eq!(dry(&device, &accounts("{}")), told(4, 2_911));
    assert_eq!(dry(&device, &accounts(r#"{"types": ["gif"]}"#)), told(0, 0));
    assert_eq!(dry(&device, &accounts(r#""none""#)), []);
    let before = world.sandbox.requests();
    let without = wait(device.dry_run(&accounts(r#""none""#))).expect("an answer");
    let between = world.sandbox.requests();
    let with = wait(device.dry_run(&small)).expect("an answer");
    assert_eq!(with.calls_made, without.calls_made + 1);
    assert_eq!(world.sandbox.requests() - between, between - before + 1);
    device.set_briefcase(small).expect("a briefcase");
    let report = sync(&device);
    assert_eq!(
        (report.files.fetched, report.files.fetched_bytes),
        (2, 1_900)
    );
}

#[test]
fn a_dry_run_counts_a_file_once_where_two_rules_meet_and_shares_where_a_limit_cuts() {
    let (world, device, account) = primed(r#""none""#);
    let id = account_id(&device, &account);
    at_org(&world, &id, "a.jpg", &bytes(900, 1));
    let of = |rules: &str| {
        briefcase(&format!(
            r#"{{"version": 1, "objects": {{"Account": {{"files": {{}}}}, "Task": {{"files": {{}}}}}}, "rules": [{rules}]}}"#
        ))
    };
    let both = format!(
        r#"{{"object": "Account", "scope": "mine"}}, {{"object": "Account", "where": "Id = '{id}'"}}, "Task""#
    );
    assert_eq!(
        dry(&device, &of(&both)),
        [
            ("Account".to_owned(), Some(1), Some(900), true),
            ("Task".to_owned(), None, None, false)
        ]
    );
    let told = dry(&device, &of(r#"{"object": "Account", "limit": 1}"#));
    let all = attache_tests::all(&device, "SELECT Id FROM Account").len() as u64;
    let (_, files, bytes, exact) = &told[0];
    assert!(!exact && *files <= Some(1), "{told:?}");
    assert!(
        all > 1 && *bytes > Some(0) && *bytes <= Some(900 / all + 1),
        "{told:?}"
    );
}
