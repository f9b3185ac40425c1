//! How many calls a session costs, counted by the org, beside what MobileSync needs for the same.
//!
//! The sandbox counts every call that a real org would count. The numbers of MobileSync
//! are worked out from its sources: a query for each soup whatever changed, one more for
//! each 2,000 ids of each soup to find what was deleted, one record or one family of
//! records to a call where a conflict is to be noticed. Attaché's are bounds as well:
//! what costs more calls than here fails. A day's first session asks for the org's fiscal year,
//! one call that is in the first and the last row.

#![allow(clippy::print_stdout, reason = "the table is for people")]

use attache::{Attache, Briefcase, Report, Value};
use attache_sandbox::Sandbox;
use attache_sandbox::org::Rights;
use attache_sandbox::seed::Seed;
use attache_sim::World;
use attache_tests::{ME, agrees, all, briefcase, create, edit, sync};
use std::fmt::Write as _;
use std::ops::RangeInclusive;

const ROWS: usize = 104_000;
const OBJECTS: [&str; 6] = ["Account", "Contact", "Opportunity", "Lead", "Task", "Event"];

/// Three rules for each of six objects, and two that are cut at a limit: twenty, and all there is.
fn twenty_rules() -> Briefcase {
    let day = "DAY_IN_MONTH(CreatedDate)";
    let thirds = [
        format!("{day} <= 10"),
        format!("{day} > 10 AND {day} <= 20"),
        format!("{day} > 20"),
    ];
    let mut rules: Vec<String> = Vec::new();
    for object in OBJECTS {
        for (at, third) in thirds.iter().enumerate() {
            rules.push(format!(
                r#"{{"name": "{object} {at}", "object": "{object}", "where": "{third}"}}"#
            ));
        }
    }
    for object in ["Account", "Opportunity"] {
        rules.push(format!(
            r#"{{"name": "New {object}", "object": "{object}", "order_by": "CreatedDate DESC", "limit": 50}}"#
        ));
    }
    assert_eq!(rules.len(), 20);
    briefcase(&format!(
        r#"{{"version": 1, "rules": [{}]}}"#,
        rules.join(",")
    ))
}

/// An org and a device, and the table of what its sessions cost.
struct Bill {
    world: World,
    device: Attache,
    table: String,
}

impl Bill {
    fn of(world: World, carried: Briefcase) -> Bill {
        let me = world.users[ME].id.clone();
        let everything = Rights {
            view_all: true,
            modify_all: true,
        };
        world
            .sandbox
            .with_org(|org| org.set_rights(&me, everything));
        let device = world.device(ME).expect("a store opens");
        device
            .set_briefcase(carried)
            .expect("a briefcase is stored");
        let mut table = String::new();
        writeln!(
            table,
            "{:44} {:>8} {:>8}  MobileSync",
            "", "Attaché", "at most"
        )
        .expect("text");
        Bill {
            world,
            device,
            table,
        }
    }

    /// Runs a session, and holds what it cost against what it may.
    fn session(&mut self, what: &str, calls: RangeInclusive<u64>, mobile_sync: &str) -> Report {
        let before = self.world.sandbox.requests();
        let report = sync(&self.device);
        let cost = self.world.sandbox.requests() - before;
        let most = calls.end();
        writeln!(self.table, "{what:44} {cost:>8} {most:>8}  {mobile_sync}").expect("text");
        assert!(
            calls.contains(&cost),
            "{what} took {cost} calls\n{}",
            self.table
        );
        assert!(report.is_settled(), "{report:?}");
        report
    }
}

#[test]
fn a_session_costs_no_more_calls_than_this() {
    let mut bill = Bill::of(World::new(2_026, ROWS), twenty_rules());
    let loaded = bill.session(
        "first load of 100,000, 20 rules",
        1..=69,
        "72: 20 soups, 52 pages",
    );
    assert!(loaded.inserted >= 100_000, "{loaded:?}");
    // The session after a first load looks at the seconds again in which it began.
    bill.world.sandbox.advance(1_200);
    sync(&bill.device);

    bill.world.sandbox.advance(300);
    bill.session(
        "nothing changed",
        2..=2,
        "20 without deletions, 72 with them",
    );

    let accounts = all(
        &bill.device,
        "SELECT Id FROM Account ORDER BY Id LIMIT 1000",
    );
    let contacts = all(
        &bill.device,
        "SELECT Id FROM Contact ORDER BY Id LIMIT 1000",
    );
    bill.world.sandbox.advance(300);
    for id in &accounts {
        edit(&bill.device, id, "Site", "moved");
    }
    let report = bill.session(
        "1,000 updates",
        // The formulas of opportunities read names of accounts, and these keep theirs: nothing is read again for them.
        1..=52,
        "6 unguarded, 1,040 or 2,000 guarded",
    );
    assert_eq!(report.pushed_updates, 1_000, "{report:?}");

    bill.world.sandbox.advance(1_200);
    sync(&bill.device);
    for n in 0..1_000 {
        let parent = create(&bill.device, "Account", [("Name", format!("Made {n}"))]);
        let of_parent = [
            ("LastName", Value::from(format!("Of {n}"))),
            ("AccountId", Value::from(&parent)),
        ];
        create(&bill.device, "Contact", of_parent);
    }
    bill.world.sandbox.advance(300);
    let report = bill.session(
        "1,000 creates with a child each",
        1..=30,
        "1,000: a family a call",
    );
    assert_eq!(report.pushed_creates, 2_000, "{report:?}");

    bill.world.sandbox.advance(1_200);
    sync(&bill.device);
    for id in &contacts {
        let done = bill
            .world
            .change("Contact", id.as_str(), &[("Title", "\"changed\"")]);
        done.expect("the boss may");
    }
    bill.world.sandbox.advance(300);
    let report = bill.session(
        "1,000 changed at the server",
        1..=5,
        "20 without deletions, 72 with them",
    );
    assert_eq!(report.updated, 1_000, "{report:?}");

    bill.world.sandbox.advance(86_400);
    bill.session(
        "a look at all 100,000, once a day",
        1..=55,
        "72, whenever deletions matter",
    );
    agrees(&bill.world, ME, &bill.device);
    println!("{}", bill.table);
}

/// A million rows are made and read in a test's time if little of each is carried: calls go by rows, not by fields.
#[test]
fn a_first_load_of_a_million_costs_no_more_calls_than_this() {
    const ROWS: usize = 1_000_000;
    let begin = 1_795_339_800;
    let spec = Seed {
        users: 2,
        accounts: 0,
        contacts: 0,
        opportunities: 0,
        leads: 0,
        visits: 0,
        events: 0,
        tasks: ROWS,
        ..Seed::standard(2_027, begin)
    };
    let world = World::built(2_027, Sandbox::builder().rows(spec));
    // The org has them in memory, each in little.
    let held = world.sandbox.with_org(|org| org.bytes_held()) / ROWS;
    assert!(held < 800, "{held} bytes a record");
    println!("the org holds {ROWS} records, {held} bytes each");
    let lean = r#"{"version": 1, "objects": {"Task": {"fields": ["Subject"]}}, "rules": ["Task"]}"#;
    let mut bill = Bill::of(world, briefcase(lean));
    // Fifty parts of a file, ten lists of five of them, and nine calls around.
    let loaded = bill.session("first load of 1,000,000", 1..=69, "500: a page a call");
    assert_eq!(loaded.inserted, ROWS as u64, "{loaded:?}");
    println!("{}", bill.table);
}
