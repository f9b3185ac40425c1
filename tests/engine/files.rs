//! First loads that are large enough for the org to make a file of them.

use attache::{Attache, Briefcase, ErrorKind, RecordId};
use attache_salesforce::Limits;
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{Moment, Watcher, World, abandon, wait};
use attache_tests::{ME, agrees, all, settle, sync, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows enough for a file behind the first page.
pub const CONTACTS: usize = 23_000;

/// An org with many contacts that everybody sees, and a device that has seen none.
pub fn large(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 100);
    let (me, boss) = (world.users[ME].id.clone(), world.boss().to_owned());
    world.sandbox.with_org(|org| {
        for n in 0..CONTACTS {
            let name = format!("{:?}", format!("Many {n}"));
            let owner = format!("{me:?}");
            let fields = attache_sim::fields(&[("LastName", &name), ("OwnerId", &owner)]);
            org.create(&boss, "Contact", &fields).expect("the boss may");
        }
    });
    world.sandbox.advance(60);
    let device = world.device(ME).expect("a store in memory opens");
    device
        .set_briefcase(Briefcase::everything(["Contact"]))
        .expect("a valid briefcase");
    (world, device)
}

pub fn requests(world: &World, part: &str) -> usize {
    let log = world.sandbox.log();
    log.iter()
        .filter(|request| request.target.contains(part))
        .count()
}

#[test]
fn a_large_load_is_read_from_a_file_in_a_tenth_of_the_calls() {
    let (world, device) = large(501);
    world
        .sandbox
        .with_switches(|switches| switches.bulk_delay_s = 45);
    // A colleague changes a record while the file is in the making, and one after it was made.
    let ids: Vec<String> = world
        .rows(
            world.boss(),
            "SELECT Id FROM Contact ORDER BY Id DESC LIMIT 2",
        )
        .expect("a query")
        .iter()
        .filter_map(|row| row.text("Id"))
        .collect();
    let (sandbox, boss, done) = (
        world.sandbox.clone(),
        world.boss().to_owned(),
        AtomicBool::new(false),
    );
    let (early, late) = (ids[0].clone(), ids[1].clone());
    let watcher: Watcher = Arc::new(move |moment, _, target| {
        let write = |id: &str| {
            let fields = attache_sim::fields(&[("Department", "Moved on")]);
            let changed = sandbox.with_org(|org| org.update(&boss, "Contact", id, &fields, None));
            changed.expect("the boss may");
        };
        if moment == Moment::Answered && target.ends_with("/jobs/query") {
            write(&early);
        }
        if moment == Moment::Sent
            && target.contains("/results")
            && !done.swap(true, Ordering::SeqCst)
        {
            write(&late);
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    let report = sync(&device.clone().with_remote(remote));
    assert!(report.inserted as usize >= CONTACTS, "{report:?}");
    assert_eq!(requests(&world, "/results"), 2, "parts of 20,000");
    assert!(report.api_calls < 25, "{report:?}");
    settle(&world, &device);
    for id in &ids {
        let id = RecordId::parse(id).expect("an id");
        assert_eq!(value(&device, &id, "Department"), "Moved on".into());
    }
    agrees(&world, ME, &device);
}

#[test]
fn a_load_from_a_file_goes_on_where_it_was_cut_off() {
    let (world, device) = large(502);
    // Two waits a request: it dies somewhere in the second part.
    let dead = abandon(device.sync(), 40);
    assert!(dead.is_none() || requests(&world, "/results") > 0);
    let fault = Fault::new(FaultKind::LoseAnswer).path("/results").nth(2);
    world.sandbox.fail_next(fault);
    let mut failures = 0;
    for _ in 0..3 {
        match wait(device.sync()) {
            Ok(_) => break,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{error:?}");
                failures += 1;
            }
        }
    }
    let here = all(&device, "SELECT Id FROM Contact").len();
    assert!(here >= 20_000, "{here} after {failures} failures");
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn parts_that_were_stored_are_not_asked_for_again() {
    const PART: usize = 4_000;
    let (world, device) = large(504);
    world
        .sandbox
        .with_switches(|switches| switches.bulk_page_rows_max = PART);
    let here = |device: &Attache| all(device, "SELECT Id FROM Contact").len();
    // The network goes while the fifth part and those beside it are on their way.
    let fault = Fault::new(FaultKind::LoseRequest).path("/results?");
    world.sandbox.fail_next(fault.nth(5).always());
    let error = wait(device.sync()).expect_err("no network");
    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{error:?}");
    let stored = here(&device);
    assert!(stored >= 4 * PART, "{stored} are stored");
    world.sandbox.clear_faults();
    world.sandbox.clear_log();
    sync(&device);
    let rest = here(&device) - stored;
    let parts = requests(&world, "/results?");
    assert!(
        parts <= rest.div_ceil(PART),
        "{parts} parts for {rest} rows"
    );
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn an_org_that_makes_no_file_is_read_by_pages() {
    let (world, device) = large(503);
    let body =
        r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
    let refusal = FaultKind::Status(403, body.into());
    world
        .sandbox
        .fail_next(Fault::new(refusal).path("/jobs/query"));
    let report = sync(&device);
    assert!(report.inserted as usize >= CONTACTS, "{report:?}");
    assert_eq!(requests(&world, "/results"), 0);
    agrees(&world, ME, &device);
}

/// A remote that takes answers of so many bytes at most.
fn narrow(world: &World, device: &Attache, bytes: usize) -> Attache {
    let limits = Limits {
        response_bytes_max: bytes,
        ..Limits::default()
    };
    let remote = world.limited_remote(ME, limits).expect("a remote");
    device.clone().with_remote(remote)
}

#[test]
fn parts_that_are_too_large_are_asked_for_in_smaller_ones() {
    const WIDE: std::ops::Range<usize> = 8_000..11_000;
    const BYTES: usize = 6 << 20;
    let (world, device) = large(505);
    let soql = "SELECT Id FROM Contact ORDER BY Id";
    let rows = world.rows(world.boss(), soql).expect("a query");
    let ids: Vec<String> = rows.iter().filter_map(|row| row.text("Id")).collect();
    let text = format!("{:?}", "wide ".repeat(800));
    for id in &ids[WIDE] {
        let changed = world.change("Contact", id, &[("Description", &text)]);
        changed.expect("the boss may");
    }
    world.sandbox.advance(7_200);
    let narrow = narrow(&world, &device, BYTES);
    let report = sync(&narrow);
    assert!(report.inserted as usize >= CONTACTS, "{report:?}");
    let parts = |rows: usize| requests(&world, &format!("maxRecords={rows}"));
    assert!(
        parts(20_000) == 1 && parts(5_000) > 1,
        "the first is asked for anew"
    );
    agrees(&world, ME, &device);
}

#[test]
fn an_org_whose_smallest_parts_are_too_large_is_read_by_pages() {
    let (world, device) = large(506);
    let body = "x".repeat(7 << 20);
    let fault = Fault::new(FaultKind::Status(200, body)).path("/results?");
    world.sandbox.fail_next(fault.always());
    let report = sync(&narrow(&world, &device, 6 << 20));
    assert!(report.inserted as usize >= CONTACTS, "{report:?}");
    // From 20,000 rows down to one, a quarter each time; then by pages, the first of which came before the file.
    let sizes = [20_000, 5_000, 1_250, 312, 78, 19, 4, 1];
    let log = world.sandbox.log();
    let asked = log.iter().filter_map(|request| {
        let (_, rows) = request.target.split_once("maxRecords=")?;
        rows.parse::<usize>().ok()
    });
    assert_eq!(asked.collect::<Vec<_>>(), sizes);
    assert!(requests(&world, "/query/01g") >= CONTACTS.div_ceil(2_000) - 1);
    agrees(&world, ME, &device);
}
