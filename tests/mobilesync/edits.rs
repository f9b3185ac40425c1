//! 1–6: edits that are lost, overwritten or in conflict without a word.

use attache::{Keep, Resolution, Value};
use attache_sim::{Moment, World};
use attache_tests::{
    ME, agrees, all, asks, colleague, colleague_at_once, create, edit, field_sales, meanwhile,
    org_says, prime, primed, server_id, settle, sync, value,
};

/// A row was read, sent, and the copy in memory saved as clean: what was typed meanwhile vanished.
#[test]
fn w01_an_edit_made_during_a_push_is_not_lost() {
    for moment in [Moment::Sent, Moment::Answered] {
        let (world, device, id) = primed(1_001);
        edit(&device, &id, "Site", "before");
        let at = id.clone();
        let watched = meanwhile(&world, &device, (moment, "POST", "/composite"), move |d| {
            edit(d, &at, "Site", "during");
        });
        sync(&watched);
        assert_eq!(value(&device, &id, "Site"), Value::from("during"));
        settle(&world, &device);
        org_says(&world, id.as_str(), "Site", "during");
        agrees(&world, ME, &device);
    }
}

/// The ids to skip were worked out after the first page: what was typed during the others was overwritten.
#[test]
fn w02_an_edit_made_during_any_page_of_a_pull_is_not_lost() {
    let world = World::new(1_002, 600);
    let device = prime(&world, ME, &field_sales());
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 3);
    let accounts = all(&device, "SELECT Id FROM Account ORDER BY Id");
    assert!(accounts.len() > 8, "there must be several pages");
    for (round, id) in accounts.iter().enumerate().step_by(3) {
        let theirs = format!("theirs {round}");
        for id in &accounts {
            colleague(&world, &server_id(&device, id), "Fax", &theirs);
        }
        // The person types into a record of each page in turn, while the second page is on its way.
        let (at, text) = (id.clone(), format!("mine {round}"));
        let during = (Moment::Answered, "GET", "/query/");
        let watched = meanwhile(&world, &device, during, move |d| {
            edit(d, &at, "Site", text.as_str());
        });
        sync(&watched);
        settle(&world, &device);
        let id = server_id(&device, id);
        org_says(&world, &id, "Site", &format!("mine {round}"));
        org_says(&world, &id, "Fax", &theirs);
    }
    agrees(&world, ME, &device);
}

/// After a push the stamp was stale: the next edit looked older than one's own write, for ever.
#[test]
fn w03_our_own_write_never_looks_like_somebody_elses() {
    let (world, device, id) = primed(1_003);
    for round in 0..3 {
        edit(&device, &id, "Site", format!("round {round}"));
        let report = sync(&device);
        assert_eq!(
            (report.pushed_updates, report.conflicts),
            (1, 0),
            "{report:?}"
        );
    }
    // A record created offline has a stamp afterwards, so its conflicts are seen too.
    let made = create(&device, "Account", [("Name", "Made offline")]);
    sync(&device);
    edit(&device, &made, "Site", "mine");
    colleague(&world, &server_id(&device, &made), "Site", "theirs");
    let report = sync(&device);
    assert_eq!(report.conflicts, 1, "{report:?}");
    org_says(&world, &server_id(&device, &made), "Site", "theirs");
}

/// A conflict was one line in a debug log.
#[test]
fn w04_a_conflict_is_told_with_all_that_a_person_needs() {
    let (world, device, id) = primed(1_004);
    let base = value(&device, &id, "Site");
    edit(&device, &id, "Site", "mine");
    colleague(&world, id.as_str(), "Site", "theirs");
    let report = sync(&device);
    assert_eq!(report.conflicts, 1);
    assert!(!report.is_settled(), "{report:?}");
    let conflict = device.conflicts().expect("a read").remove(0);
    let field = &conflict.fields[0];
    assert_eq!(
        (
            field.name.as_str(),
            &field.base,
            &field.local,
            &field.remote
        ),
        ("Site", &base, &Value::from("mine"), &Value::from("theirs"))
    );
    assert!(!field.label.is_empty());
    assert!(conflict.changed_by.is_some() && conflict.changed_at.is_some());
    // It stays until somebody decides, and each field is decided by itself.
    assert_eq!(sync(&device).conflicts, 1);
    device
        .resolve(conflict.id, Resolution::per_field([("Site", Keep::Mine)]))
        .expect("a valid resolution");
    settle(&world, &device);
    org_says(&world, id.as_str(), "Site", "mine");
}

/// All listed fields went out, and reverted what others had written into those nobody here had touched.
#[test]
fn w05_only_changed_fields_travel() {
    let (world, device, id) = primed(1_005);
    edit(&device, &id, "Site", "mine");
    for (field, text) in [("Fax", "theirs"), ("Description", "theirs as well")] {
        colleague(&world, id.as_str(), field, text);
    }
    let report = sync(&device);
    assert_eq!(
        (report.conflicts, report.merged.len()),
        (0, 1),
        "{report:?}"
    );
    settle(&world, &device);
    for (field, text) in [
        ("Site", "mine"),
        ("Fax", "theirs"),
        ("Description", "theirs as well"),
    ] {
        org_says(&world, id.as_str(), field, text);
    }
    agrees(&world, ME, &device);
}

/// Stamps were compared in one call and the writes followed in others.
#[test]
fn w06_what_happens_between_the_look_and_the_write_is_not_overwritten() {
    let (world, device, id) = primed(1_006);
    edit(&device, &id, "Site", "mine");
    let theirs = colleague_at_once(&world, &id, [("Site", "theirs")]);
    let sandbox = world.sandbox.clone();
    let just_before = (Moment::Sent, "POST", "v67.0/composite");
    let watched = meanwhile(&world, &device, just_before, move |_| {
        sandbox.advance(3);
        theirs();
    });
    asks(&sync(&watched));
    org_says(&world, id.as_str(), "Site", "theirs");
    assert_eq!(value(&device, &id, "Site"), Value::from("mine"));
}
