//! First loads that are cut off while they are read from a file of the org.

use crate::files::{CONTACTS, large, requests};
use attache::{Attache, Briefcase, ErrorKind};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, abandon, wait};
use attache_tests::{ME, agrees, all, briefcase, settle, sync};

/// Rows of a part: some twenty to a file.
const PART: usize = 1_000;

/// Has the org give files in small parts, one after the other.
fn in_small_parts(world: &World) {
    world.sandbox.with_switches(|switches| {
        switches.bulk_page_rows_max = PART;
        switches.names_bulk_pages = false;
    });
}

/// How many files the org was asked to make.
fn jobs(world: &World) -> usize {
    let log = world.sandbox.log();
    let asked = |request: &&attache_sandbox::Logged| {
        request.method == "POST" && request.target.ends_with("/jobs/query")
    };
    log.iter().filter(asked).count()
}

fn here(device: &Attache) -> usize {
    all(device, "SELECT Id FROM Contact").len()
}

/// Runs a session whose network goes with the `nth` part of a file.
fn cut_at_part(world: &World, device: &Attache, nth: u32) {
    let fault = Fault::new(FaultKind::LoseRequest).path("/results?");
    world.sandbox.fail_next(fault.nth(nth).always());
    let error = wait(device.sync()).expect_err("no network");
    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{error:?}");
    world.sandbox.clear_faults();
}

/// Ids of the contacts that the org gives last.
fn last_ids(world: &World, count: usize) -> Vec<String> {
    let soql = format!("SELECT Id FROM Contact ORDER BY Id DESC LIMIT {count}");
    let rows = world.rows(world.boss(), &soql).expect("a query");
    rows.iter().filter_map(|row| row.text("Id")).collect()
}

#[test]
fn a_load_whose_process_dies_again_and_again_has_one_file_made() {
    let (world, _) = large(521);
    in_small_parts(&world);
    // What was made long ago is no change of today.
    world.sandbox.advance(7_200);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let open = || world.device_at(ME, &path).expect("a store opens");
    open()
        .set_briefcase(Briefcase::everything(["Contact"]))
        .expect("a valid briefcase");
    let mut deaths = 0;
    // Two waits a request: each session comes some parts further.
    while abandon(open().sync(), 20).is_none() {
        deaths += 1;
        assert!(deaths < 20, "{} are here", here(&open()));
        if deaths == 2 {
            // What a colleague does meanwhile is newer than the file, which has its last records as they were.
            let ids = last_ids(&world, 3);
            world
                .change("Contact", &ids[0], &[("Department", "\"Moved on\"")])
                .expect("the boss may");
            world.remove("Contact", &ids[1]).expect("the boss may");
            world.sandbox.advance(3_600);
        }
    }
    assert!(deaths > 2, "it died {deaths} times");
    assert_eq!(jobs(&world), 1);
    let parts = requests(&world, "/results?");
    let in_flight = deaths;
    assert!(
        parts <= CONTACTS.div_ceil(PART) + in_flight,
        "{parts} parts, {deaths} deaths"
    );
    let device = open();
    settle(&world, &device);
    assert!(here(&device) >= CONTACTS - 1);
    agrees(&world, ME, &device);
}

#[test]
fn a_file_in_the_making_is_waited_for_by_the_next_session() {
    let (world, device) = large(522);
    world
        .sandbox
        .with_switches(|switches| switches.bulk_delay_s = 500);
    for _ in 0..3 {
        assert!(abandon(device.sync(), 26).is_none(), "it is in the making");
    }
    assert_eq!((jobs(&world), requests(&world, "/results?")), (1, 0));
    sync(&device);
    assert_eq!(jobs(&world), 1);
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn a_file_that_the_org_has_dropped_is_made_anew_from_where_the_load_stood() {
    let (world, device) = large(523);
    in_small_parts(&world);
    cut_at_part(&world, &device, 6);
    let stored = here(&device);
    assert!(stored >= 5 * PART, "{stored} are stored");
    let ids = last_ids(&world, 2);
    world.remove("Contact", &ids[0]).expect("the boss may");
    // An org keeps jobs for a week.
    world.sandbox.advance(8 * 86_400);
    world.sandbox.clear_log();
    let report = sync(&device);
    assert_eq!(jobs(&world), 0, "what is left fits in pages");
    assert_eq!(requests(&world, "/results?"), 1, "it is asked for once");
    assert!(report.inserted as usize >= CONTACTS - 1, "{report:?}");
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn a_file_of_other_fields_is_not_gone_on_with() {
    let (world, device) = large(524);
    in_small_parts(&world);
    let narrow =
        r#"{"version": 1, "objects": {"Contact": {"fields": ["LastName"]}}, "rules": ["Contact"]}"#;
    device
        .set_briefcase(briefcase(narrow))
        .expect("a briefcase");
    cut_at_part(&world, &device, 3);
    let wider = narrow.replace(r#"["LastName"]"#, r#"["LastName", "Department"]"#);
    device
        .set_briefcase(briefcase(&wider))
        .expect("a briefcase");
    for id in last_ids(&world, 2) {
        let changed = world.change("Contact", &id, &[("Department", "\"Here\"")]);
        changed.expect("the boss may");
    }
    world.sandbox.clear_log();
    sync(&device);
    let gone_on = requests(&world, "/results?");
    assert_eq!(gone_on, 0, "what is left fits in pages of the new fields");
    settle(&world, &device);
    agrees(&world, ME, &device);
    let found = all(&device, "SELECT Id FROM Contact WHERE Department = 'Here'");
    assert_eq!(found.len(), 2);
}

#[test]
fn a_file_that_the_org_fails_to_give_is_given_up_after_some_sessions() {
    let (world, device) = large(525);
    in_small_parts(&world);
    cut_at_part(&world, &device, 3);
    let stored = here(&device);
    let body = r#"[{"message":"An unexpected error","errorCode":"UNKNOWN_EXCEPTION"}]"#;
    let broken = Fault::new(FaultKind::Status(500, body.into())).path("/results?");
    world.sandbox.fail_next(broken.always());
    let mut failures = 0;
    while let Err(error) = wait(device.sync()) {
        assert_eq!(error.kind(), ErrorKind::RemoteBusy, "{error:?}");
        failures += 1;
        assert!(failures <= 5, "it never gives up");
    }
    assert!(failures > 0 && here(&device) > stored);
    agrees(&world, ME, &device);
}
