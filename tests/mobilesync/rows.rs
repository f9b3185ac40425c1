//! 11–17: rows that are missed, and rows that are deleted although they live.

use attache::{Attache, ErrorKind, RecordId};
use attache_sandbox::org::Org;
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{
    ME, agrees, all, briefcase, field_sales, first, me, prime, quoted, server_id, settle, sync,
    value,
};

fn by_the_boss<T>(world: &World, act: impl FnOnce(&mut Org, &str) -> T) -> T {
    let boss = world.boss().to_owned();
    world.sandbox.with_org(|org| act(org, &boss))
}

/// A failed session kept the stamp of its last page and went on behind it: the rest of that second was lost.
#[test]
fn w11_a_page_lost_in_the_middle_of_one_second_loses_no_row() {
    for nth in 1..=6 {
        let world = World::new(1_011, 300);
        let device = prime(&world, ME, &field_sales());
        world
            .sandbox
            .with_switches(|switches| switches.page_rows_max = 4);
        world.sandbox.advance(60);
        let owner = me(&world);
        for n in 0..30 {
            let name = quoted(&format!("Same second {n}"));
            let fields = [("Name", name.as_str()), ("OwnerId", owner.as_str())];
            world.add("Account", &fields).expect("the boss may");
        }
        world.sandbox.advance(30);
        let fault = Fault::new(FaultKind::LoseAnswer).path("/query").nth(nth);
        world.sandbox.fail_next(fault);
        let error = wait(device.sync()).expect_err("a page is lost");
        assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{error:?}");
        settle(&world, &device);
        let here = all(
            &device,
            "SELECT Id FROM Account WHERE Name LIKE 'Same second %'",
        );
        assert_eq!(here.len(), 30, "answer {nth} lost");
        agrees(&world, ME, &device);
    }
}

/// A transaction that was stamped early and came to light late lay behind the cursor for ever.
#[test]
fn w12_a_row_that_appears_behind_the_cursor_is_found() {
    let world = World::new(1_012, 600);
    let device = prime(&world, ME, &field_sales());
    let mine = format!(
        "SELECT Id FROM Account WHERE OwnerId = {}",
        me(&world).replace('"', "'")
    );
    let ids = all(&device, &mine);
    let (late, early) = (server_id(&device, &ids[0]), server_id(&device, &ids[1]));
    world.sandbox.advance(60);
    let until = world.sandbox.now() + 400;
    by_the_boss(&world, |org, boss| {
        let fields = attache_sim::fields(&[("Site", "late")]);
        org.hold_open(until, |org| {
            org.update(boss, "Account", &late, &fields, None)
        })
    })
    .expect("the boss may");
    world.sandbox.advance(60);
    let younger = world.change("Account", &early, &[("Site", "\"early\"")]);
    younger.expect("the boss may");
    world.sandbox.advance(10);
    let report = sync(&device);
    assert_eq!(report.updated, 1, "{report:?}");
    settle(&world, &device);
    assert_eq!(value(&device, &ids[0], "Site"), "late".into());
    agrees(&world, ME, &device);
}

/// The stamp covered children, the pages went by parents: after an interruption those between were never read.
#[test]
fn w13_children_and_parents_have_cursors_of_their_own() {
    for nth in 1..=5 {
        let world = World::new(1_013, 1_500);
        let device = prime(&world, ME, &field_sales());
        world
            .sandbox
            .with_switches(|switches| switches.page_rows_max = 3);
        let accounts = all(&device, "SELECT Id FROM Account ORDER BY Id");
        for (n, id) in accounts.iter().enumerate() {
            world.sandbox.advance(2);
            let id = server_id(&device, id);
            let site = quoted(&format!("Site {n}"));
            world
                .change("Account", &id, &[("Site", &site)])
                .expect("the boss may");
            let contact = [
                ("LastName", "\"Child\""),
                ("AccountId", &quoted(&id)),
                ("OwnerId", &me(&world)),
            ];
            world.add("Contact", &contact).expect("the boss may");
        }
        world.sandbox.advance(10);
        let fault = Fault::new(FaultKind::LoseRequest).path("/query").nth(nth);
        world.sandbox.fail_next(fault);
        wait(device.sync()).expect_err("a page is lost");
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

/// The pages of nested children behind the first were not asked for.
#[test]
fn w14_no_child_behind_the_first_page_is_cut_off() {
    let world = World::new(1_014, 300);
    let device = prime(&world, ME, &field_sales());
    world.sandbox.with_switches(|switches| {
        switches.page_rows_max = 50;
        switches.child_rows_max = 20;
    });
    let account = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    let parent = quoted(&server_id(&device, &account));
    let owner = me(&world);
    for n in 0..260 {
        let name = quoted(&format!("Child {n}"));
        let fields = [
            ("LastName", name.as_str()),
            ("AccountId", parent.as_str()),
            ("OwnerId", owner.as_str()),
        ];
        world.add("Contact", &fields).expect("the boss may");
    }
    // A rule that is new, so that it is loaded, and one that is old, which reads what changed.
    world.sandbox.advance(30);
    settle(&world, &device);
    let fresh = prime(&world, ME, &field_sales());
    for device in [&device, &fresh] {
        let soql = format!(
            "SELECT Id FROM Contact WHERE AccountId = '{account}' AND LastName LIKE 'Child %'"
        );
        assert_eq!(all(device, &soql).len(), 260);
        agrees(&world, ME, device);
    }
}

/// Cleaning up deleted children whose parents' pages went on, rows of other soups, and rows two rules wanted.
#[test]
fn w15_cleaning_up_takes_nothing_that_lives() {
    let world = World::new(1_015, 900);
    let document = |first: &str| {
        briefcase(&format!(
            r#"{{"version": 1, "rules": [{first}
                {{"name": "Everything of theirs", "object": "Account", "scope": "mine",
                  "related": [{{"children": "Contact.AccountId"}}, {{"children": "Opportunity.AccountId"}}]}}]}}"#
        ))
    };
    let big = r#"{"name": "Named", "object": "Account", "where": "Name != null"},"#;
    let device = prime(&world, ME, &document(big));
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 2);
    let before: Vec<RecordId> = all(&device, "SELECT Id FROM Contact ORDER BY Id");
    assert!(before.len() > 6, "there must be several pages of children");
    // A day later everything is swept, over pages of two.
    world.sandbox.advance(90_000);
    settle(&world, &device);
    assert_eq!(all(&device, "SELECT Id FROM Contact ORDER BY Id"), before);
    agrees(&world, ME, &device);
    // One of two rules goes: what the other wants stays, without being read again.
    device
        .set_briefcase(document(""))
        .expect("a valid briefcase");
    let report = sync(&device);
    assert_eq!(report.inserted, 0, "{report:?}");
    settle(&world, &device);
    assert_eq!(all(&device, "SELECT Id FROM Contact ORDER BY Id"), before);
    agrees(&world, ME, &device);
    // A sweep that is cut off in the middle deletes nothing.
    world.sandbox.advance(90_000);
    let fault = Fault::new(FaultKind::LoseRequest).path("/query").nth(2);
    world.sandbox.fail_next(fault);
    wait(device.sync()).expect_err("the sweep is cut off");
    assert_eq!(all(&device, "SELECT Id FROM Contact ORDER BY Id"), before);
    settle(&world, &device);
    agrees(&world, ME, &device);
}

/// The clean-up went over the types that the server named: a type without rows was never cleaned.
#[test]
fn w16_an_object_whose_last_record_leaves_is_empty() {
    let world = World::new(1_016, 300);
    let device = prime(&world, ME, &field_sales());
    let tasks = all(&device, "SELECT Id FROM Task");
    assert!(!tasks.is_empty());
    world.sandbox.advance(60);
    // Half of them is deleted, the other half is given to somebody whose records nobody here sees.
    let rows = world.all_rows("SELECT Id FROM Task WHERE IsDeleted = false");
    let ids: Vec<String> = rows
        .expect("a query")
        .iter()
        .filter_map(|row| row.text("Id"))
        .collect();
    let boss = quoted(world.boss());
    for (n, id) in ids.iter().enumerate() {
        if n % 2 == 0 {
            world.remove("Task", id).expect("the boss may");
        } else {
            let moved = [
                ("OwnerId", boss.as_str()),
                ("WhatId", "null"),
                ("WhoId", "null"),
            ];
            world.change("Task", id, &moved).expect("the boss may");
        }
    }
    world.sandbox.advance(90_000);
    settle(&world, &device);
    assert_eq!(all(&device, "SELECT Id FROM Task"), []);
    agrees(&world, ME, &device);
}

/// The token of the next page was stored in a variable of the same name: one page was loaded.
#[test]
fn w17_a_first_load_goes_to_the_last_page() {
    let world = World::new(1_017, 3_000);
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 5);
    let device = world.device(ME).expect("a store in memory opens");
    device
        .set_briefcase(field_sales())
        .expect("a valid briefcase");
    let report = sync(&device);
    assert!(report.inserted > 50, "more than ten pages: {report:?}");
    agrees(&world, ME, &device);
    let again: &Attache = &device;
    assert_eq!(sync(again).inserted, 0);
}
