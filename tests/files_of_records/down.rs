//! What the org has comes to the device.

use super::{account_id, accounts, at_org, body, bytes, device, file, primed, requests, state};
use attache::{Attache, ErrorKind, FileState, Limits, Options};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, abandon, fields, wait};
use attache_tests::{ME, sync};

const DAY: u32 = 24 * 3_600;
const MIB: usize = 1 << 20;

#[test]
fn what_there_is_is_known_and_the_bytes_come_by_policy() {
    let (world, device, account) = primed(r#"{"max_bytes": 1000, "types": ["JPG"]}"#);
    let id = account_id(&device, &account);
    let small = bytes(900, 1);
    at_org(&world, &id, "small.jpg", &small);
    at_org(&world, &id, "large.jpg", &bytes(5_000, 2));
    at_org(&world, &id, "paper.pdf", &bytes(10, 3));
    let report = sync(&device);
    assert_eq!((report.files.fetched, report.files.fetched_bytes), (1, 900));
    assert_eq!(state(&device, &account, "small"), FileState::Present);
    assert_eq!(state(&device, &account, "large"), FileState::Absent);
    assert_eq!(state(&device, &account, "paper"), FileState::Absent);
    assert_eq!(file(&device, &account, "large").bytes, 5_000);
    assert_eq!(body(&device, &file(&device, &account, "small").id), small);
    let unread = device.read_file(&file(&device, &account, "paper").id, &mut Vec::new());
    assert_eq!(unread.expect_err("not here").kind(), ErrorKind::NotReady);
}

#[test]
fn a_file_comes_when_it_is_wanted_and_goes_when_it_is_not() {
    let (world, device, account) = primed(r#""none""#);
    let id = account_id(&device, &account);
    let version = at_org(&world, &id, "plan.pdf", b"a plan");
    sync(&device);
    let plan = file(&device, &account, "plan").id;
    assert_eq!(state(&device, &account, "plan"), FileState::Absent);
    wait(device.fetch_file(&plan)).expect("it comes");
    assert_eq!(body(&device, &plan), b"a plan");
    let calls = world.sandbox.log().len();
    wait(device.fetch_file(&plan)).expect("it is here");
    assert_eq!(requests(&world, "GET", "/VersionData"), 1, "{calls}");
    let by_version = attache::RecordId::parse(&version).expect("an id");
    assert_eq!(
        device
            .file(&by_version)
            .expect("a read")
            .expect("a file")
            .id,
        plan
    );
    device.evict_file(&plan).expect("it goes");
    assert_eq!(state(&device, &account, "plan"), FileState::Absent);
    let nobody = attache::RecordId::parse("069000000000999AAA").expect("an id");
    assert_eq!(
        device.evict_file(&nobody).expect_err("none").kind(),
        ErrorKind::RecordNotFound
    );
}

#[test]
fn without_a_policy_nothing_is_asked_and_with_one_a_quiet_session_asks_once() {
    let world = World::new(11, 300);
    let plain = world.device(ME).expect("a device");
    plain
        .set_briefcase(attache_tests::briefcase(
            r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"}]}"#,
        ))
        .expect("a briefcase");
    sync(&plain);
    assert_eq!(requests(&world, "GET", "ContentDocumentLink"), 0);
    let (with, account) = device(&world, Attache::open_in_memory().expect("a store"), "{}");
    at_org(&world, &account_id(&with, &account), "a.txt", b"hello");
    sync(&with);
    world.sandbox.advance(60);
    sync(&plain);
    let quiet = (sync(&with).api_calls, sync(&plain).api_calls);
    assert_eq!(quiet.0, quiet.1 + 1);
}

#[test]
fn news_are_found_at_once_and_what_was_taken_off_within_a_day() {
    let (world, device, account) = primed("{}");
    let id = account_id(&device, &account);
    let first = at_org(&world, &id, "plan.txt", b"first");
    sync(&device);
    let plan = file(&device, &account, "plan").id;
    assert_eq!(body(&device, &plan), b"first");
    world.sandbox.advance(3_600);
    let user = world.users[ME].id.clone();
    world.sandbox.with_org(|org| {
        let document = org
            .read(&user, "ContentVersion", &first)
            .expect("a version")
            .get("ContentDocumentId")
            .into_owned();
        let document = document.as_text().expect("an id").to_owned();
        let next = fields(&[
            ("PathOnClient", "plan B.txt"),
            ("ContentDocumentId", &document),
        ]);
        org.create_file(&user, &next, b"second".to_vec())
            .expect("a version");
    });
    sync(&device);
    let renamed = file(&device, &account, "plan B");
    assert_eq!(
        (&renamed.id, body(&device, &plan)),
        (&plan, b"second".to_vec())
    );
    world.sandbox.with_org(|org| {
        let document = plan.as_str();
        org.delete(&user, "ContentDocument", document)
            .expect("it is deleted");
    });
    world.sandbox.advance(DAY + 60);
    sync(&device);
    assert!(device.files(&account).expect("a read").is_empty());
    assert!(
        device.file(&plan).expect("a read").is_none(),
        "its bytes are gone, too"
    );
}

#[test]
fn a_download_that_was_cut_off_goes_on_where_it_was() {
    let (world, device, account) = primed("{}");
    let id = account_id(&device, &account);
    let whole = bytes(10 * MIB, 5);
    at_org(&world, &id, "film.mp4", &whole);
    world.sandbox.fail_next(
        Fault::new(FaultKind::LoseAnswer)
            .method("GET")
            .path("/VersionData")
            .nth(2),
    );
    wait(device.sync()).expect_err("the line broke");
    let part = FileState::Partial { bytes: 4 << 20 };
    assert_eq!(state(&device, &account, "film"), part);
    assert_eq!(sync(&device).files.fetched_bytes, 6 << 20);
    assert_eq!(body(&device, &file(&device, &account, "film").id), whole);
    assert_eq!(requests(&world, "GET", "/VersionData"), 4);
}

#[test]
fn a_fetch_that_is_dropped_anywhere_is_gone_on_with() {
    let (world, device, account) = primed(r#""none""#);
    let whole = bytes(9 * MIB, 6);
    at_org(&world, &account_id(&device, &account), "film.mp4", &whole);
    sync(&device);
    let film = file(&device, &account, "film").id;
    let mut dropped = 0;
    while abandon(device.fetch_file(&film), dropped).is_none() {
        dropped += 1;
        assert!(dropped < 50, "it never comes");
    }
    assert!(dropped > 2);
    assert_eq!(body(&device, &film), whole);
}

#[test]
fn an_org_without_ranges_gives_the_whole_file() {
    let (world, device, account) = primed("{}");
    world
        .sandbox
        .with_switches(|switches| switches.serves_ranges = false);
    let whole = bytes(9 * MIB, 7);
    at_org(&world, &account_id(&device, &account), "film.mp4", &whole);
    sync(&device);
    assert_eq!(body(&device, &file(&device, &account, "film").id), whole);
    assert_eq!(requests(&world, "GET", "/VersionData"), 1);
}

#[test]
fn of_a_huge_file_a_stretch_is_in_memory() {
    let world = World::new(11, 300);
    let place = tempfile::tempdir().expect("a folder");
    let store = Attache::open(place.path().join("jo.db")).expect("a store");
    let (device, account) = device(&world, store, "{}");
    at_org(
        &world,
        &account_id(&device, &account),
        "film.mp4",
        &bytes(64 * MIB, 8),
    );
    // An answer of more bytes than this is not taken.
    let tokens = attache_salesforce::StaticToken::new(&world.users[ME].access_token);
    let org = attache_salesforce::Salesforce::builder("http://localhost", tokens)
        .transport(std::sync::Arc::new(attache_sim::InProcess::new(
            world.sandbox.clone(),
        )))
        .limits(attache_salesforce::Limits {
            response_bytes_max: 5 * MIB,
            ..Default::default()
        })
        .build()
        .expect("a client");
    let device = device.with_remote(org);
    assert_eq!(sync(&device).files.fetched_bytes, 64 << 20);
    let mut out = Counter(0, 0);
    let film = file(&device, &account, "film").id;
    assert_eq!(
        device.read_file(&film, &mut out).expect("it is here"),
        64 << 20
    );
    assert_eq!(
        (out.0, out.1 <= 256 << 10),
        (64 << 20, true),
        "pieces of {} bytes",
        out.1
    );
}

/// Counts what is written, and remembers the largest piece.
struct Counter(usize, usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (self.0, self.1) = (self.0 + bytes.len(), self.1.max(bytes.len()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn limited(file_bytes: u64, session_file_bytes: u64) -> Attache {
    let limits = Limits {
        file_bytes,
        session_file_bytes,
        ..Limits::default()
    };
    Attache::open_in_memory_with(Options::new().limits(limits)).expect("a store")
}

#[test]
fn files_have_a_budget_and_what_was_used_longest_ago_gives_way() {
    let world = World::new(11, 300);
    let (device, account) = device(&world, limited(10_000, 1 << 30), "{}");
    let id = account_id(&device, &account);
    for name in ["a.bin", "b.bin", "c.bin"] {
        at_org(&world, &id, name, &bytes(4_000, name.len()));
    }
    let report = sync(&device);
    assert_eq!((report.files.fetched, report.files.left), (2, 1));
    let calls = requests(&world, "GET", "/VersionData");
    assert_eq!(
        sync(&device).files.left,
        1,
        "what is wanted does not push out what is wanted"
    );
    assert_eq!(requests(&world, "GET", "/VersionData"), calls);
    world.sandbox.advance(60);
    body(&device, &file(&device, &account, "a").id);
    world.sandbox.advance(60);
    wait(device.fetch_file(&file(&device, &account, "c").id)).expect("a person's wish counts");
    let states = ["a", "b", "c"].map(|title| state(&device, &account, title));
    assert_eq!(
        states,
        [FileState::Present, FileState::Absent, FileState::Present]
    );
    at_org(&world, &id, "d.bin", &bytes(20_000, 4));
    sync(&device);
    let too_large = wait(device.fetch_file(&file(&device, &account, "d").id));
    assert_eq!(
        too_large.expect_err("no room").kind(),
        ErrorKind::StorageFull
    );
    // Nothing was given up for it.
    assert_eq!(state(&device, &account, "a"), FileState::Present);
}

#[test]
fn a_session_downloads_so_much_and_the_next_one_goes_on() {
    let world = World::new(11, 300);
    let (device, account) = device(&world, limited(1 << 30, 5_000), "{}");
    let id = account_id(&device, &account);
    for name in ["a.bin", "b.bin", "c.bin"] {
        at_org(&world, &id, name, &bytes(2_000, 9));
    }
    let report = sync(&device);
    assert_eq!((report.files.fetched, report.files.left), (2, 1));
    let report = sync(&device);
    assert_eq!((report.files.fetched, report.files.left), (1, 0));
}

#[test]
fn bytes_that_are_not_what_was_told_are_told_of_and_not_kept() {
    let (world, device, account) = primed("{}");
    let id = account_id(&device, &account);
    let lies = [
        ("long", bytes(90_000, 1)),
        ("short", bytes(10, 1)),
        ("other", bytes(1_000, 2)),
        ("none", Vec::new()),
    ];
    for (name, lie) in &lies {
        let version = at_org(&world, &id, &format!("{name}.bin"), &bytes(1_000, 1));
        world
            .sandbox
            .with_org(|org| org.replace_file_body(&version, lie.clone()));
    }
    at_org(&world, &id, "true.bin", &bytes(1_000, 1));
    let report = sync(&device);
    assert_eq!((report.files.fetched, report.files.unfit), (1, 4));
    for (name, _) in &lies {
        let file = file(&device, &account, name);
        assert_eq!(file.state, FileState::Absent, "{name}");
        assert!(file.problem.is_some(), "{name}");
    }
    let calls = requests(&world, "GET", "/VersionData");
    assert_eq!(sync(&device).files.unfit, 4);
    assert_eq!(
        requests(&world, "GET", "/VersionData"),
        calls,
        "it is not asked for every time"
    );
    let version = at_org(&world, &id, "late.bin", b"x");
    sync(&device);
    let late = file(&device, &account, "late").id;
    device.evict_file(&late).expect("it goes");
    world
        .sandbox
        .with_org(|org| org.replace_file_body(&version, b"y".to_vec()));
    let error = wait(device.fetch_file(&late)).expect_err("another byte");
    assert_eq!(error.kind(), ErrorKind::RemoteRefused);
    world
        .sandbox
        .with_org(|org| org.replace_file_body(&version, b"x".to_vec()));
    wait(device.fetch_file(&late)).expect("it is tried again");
    assert_eq!(body(&device, &late), b"x");
}

#[test]
fn a_file_that_is_gone_is_refused_and_harms_nothing_else() {
    let (world, device, account) = primed(r#""none""#);
    at_org(
        &world,
        &account_id(&device, &account),
        "plan.pdf",
        b"a plan",
    );
    sync(&device);
    let plan = file(&device, &account, "plan").id;
    let user = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.delete(&user, "ContentDocument", plan.as_str()))
        .expect("deleted");
    let error = wait(device.fetch_file(&plan)).expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::RemoteRefused);
    device.set_briefcase(accounts("{}")).expect("a briefcase");
    assert!(sync(&device).is_settled());
}

#[test]
fn files_of_records_that_left_go_with_them() {
    let (world, device, account) = primed("{}");
    at_org(
        &world,
        &account_id(&device, &account),
        "plan.pdf",
        b"a plan",
    );
    sync(&device);
    let plan = file(&device, &account, "plan").id;
    let nobody = attache_tests::briefcase(
        r#"{"version": 1, "objects": {"Account": {"files": {}}}, "rules": [{"object": "Account", "where": "Name = 'Nobody'"}]}"#,
    );
    device.set_briefcase(nobody).expect("a briefcase");
    sync(&device);
    assert!(device.file(&plan).expect("a read").is_none());
}
