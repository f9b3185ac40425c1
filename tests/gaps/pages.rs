//! Thousands of rows on one stamp, over short pages, locators that die, answers that are lost and a process that dies.

use crate::rows;
use attache::Attache;
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, abandon, wait};
use attache_tests::{ME, agrees, all, briefcase, prime, settle};

/// Few fields, so that many rows are soon made.
const RULES: &str = r#"{"version": 1,
    "objects": {"Account": {"fields": ["Name", "Site"]}}, "rules": ["Account"]}"#;
const NEW: &str = "SELECT Id FROM Account WHERE Site = 'One second'";

/// A device, and this many rows that came since, all on one stamp.
fn one_second(seed: u64, count: usize, page: usize) -> (World, Attache) {
    let world = World::new(seed, 200);
    let me = world.users[ME].id.clone();
    let device = prime(&world, ME, &briefcase(RULES));
    world.sandbox.advance(1_200);
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = page);
    let fields = [
        ("Name", "\"One\""),
        ("Site", "\"One second\""),
        ("OwnerId", &format!("\"{me}\"")),
    ];
    for _ in 0..count {
        world.add("Account", &fields).expect("the boss may");
    }
    let stamps = format!("{NEW} AND SystemModstamp != {}", stamp(&world));
    assert_eq!(rows(&world, &stamps), Vec::<String>::new(), "one stamp");
    world.sandbox.advance(60);
    (world, device)
}

fn stamp(world: &World) -> String {
    let soql = "SELECT SystemModstamp FROM Account WHERE Site = 'One second' LIMIT 1";
    let row = world.rows(world.boss(), soql).expect("valid").remove(0);
    row.text("SystemModstamp")
        .expect("a stamp")
        .replace(".000+0000", "Z")
}

fn locator_dies(nth: u32) -> Fault {
    let answer = r#"[{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]"#;
    Fault::new(FaultKind::Status(400, answer.into()))
        .path("/query/")
        .nth(nth)
}

#[test]
fn fifteen_thousand_rows_of_one_second_survive_a_dead_locator_and_a_dead_process() {
    let (world, device) = one_second(400, 15_000, 200);
    // The locator dies in the middle of the window, and the process a few pages behind that.
    world.sandbox.fail_next(locator_dies(31));
    let waits = 2 * (31 + 20);
    assert!(abandon(device.sync(), waits).is_none(), "it died");
    assert_eq!(world.sandbox.clear_faults(), 0, "after its locator");
    let here = all(&device, NEW).len();
    assert!(here > 0 && here < 15_000, "{here}");
    settle(&world, &device);
    assert_eq!(all(&device, NEW).len(), 15_000);
    agrees(&world, ME, &device);
}

#[test]
fn pages_of_any_length_lose_no_row() {
    for (seed, page) in (410..).zip([1, 7, 199, 200, 201]) {
        let (world, device) = one_second(seed, 401, page);
        settle(&world, &device);
        assert_eq!(all(&device, NEW).len(), 401, "pages of {page}");
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_page_that_is_lost_or_cut_off_anywhere_loses_no_row() {
    for nth in 1..=9 {
        for fault in [
            FaultKind::LoseRequest,
            FaultKind::LoseAnswer,
            FaultKind::Truncate(300),
            FaultKind::Status(500, "<html>oops</html>".into()),
        ] {
            let (world, device) = one_second(420, 160, 20);
            world
                .sandbox
                .fail_next(Fault::new(fault).path("/query").nth(nth));
            let ended = wait(device.sync());
            assert_eq!(world.sandbox.clear_faults() == 0, ended.is_err(), "{nth}");
            settle(&world, &device);
            assert_eq!(all(&device, NEW).len(), 160);
            agrees(&world, ME, &device);
        }
    }
}

#[test]
fn a_locator_that_dies_at_any_page_costs_no_session() {
    for nth in 1..=7 {
        let (world, device) = one_second(430, 160, 20);
        for _ in 0..3 {
            world.sandbox.fail_next(locator_dies(nth));
        }
        wait(device.sync()).expect("the query is asked again");
        assert_eq!(all(&device, NEW).len(), 160, "page {nth}");
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_process_that_dies_at_any_page_goes_on() {
    for waits in (4..40).step_by(3) {
        let (world, device) = one_second(440, 160, 20);
        abandon(device.sync(), waits);
        settle(&world, &device);
        assert_eq!(all(&device, NEW).len(), 160, "after {waits} waits");
        agrees(&world, ME, &device);
    }
}
