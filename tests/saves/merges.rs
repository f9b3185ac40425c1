//! Records that are merged at the org while somebody works on them: nothing of that work is lost.

use super::device;
use attache::{Attache, ConflictKind, Keep, RecordId, Resolution, Value};
use attache_sim::World;
use attache_tests::{agrees, at_org, create, edit, server_id, settle, sync, value};

/// Two accounts that are the same, both settled.
fn twins(seed: u64) -> (World, Attache, RecordId, RecordId) {
    let (world, device) = device(seed);
    let stays = create(&device, "Account", [("Name", "Stays"), ("Phone", "1")]);
    let goes = create(&device, "Account", [("Name", "Goes"), ("Phone", "1")]);
    settle(&world, &device);
    world.sandbox.advance(60);
    (world, device, stays, goes)
}

fn merge(world: &World, object: &str, stays: &str, goes: &str) {
    world
        .sandbox
        .with_org(|org| org.merge(world.boss(), object, stays, &[goes]))
        .expect("a merge");
}

fn merge_twins(world: &World, device: &Attache, stays: &RecordId, goes: &RecordId) {
    let (stays, goes) = (server_id(device, stays), server_id(device, goes));
    merge(world, "Account", &stays, &goes);
}

#[test]
fn an_edit_of_a_merged_record_goes_to_the_one_that_stayed() {
    for told in [true, false] {
        let (world, device, stays, goes) = twins(1);
        world
            .sandbox
            .with_org(|org| org.config_mut().switches.merges_are_in_delete_log = told);
        merge_twins(&world, &device, &stays, &goes);
        edit(&device, &goes, "Site", "Bern");
        settle(&world, &device);
        let id = server_id(&device, &stays);
        assert_eq!(
            at_org(&world, "Account", &id, "Site").as_deref(),
            Some("\"Bern\"")
        );
        // A screen that still shows the old record shows the one that stayed.
        assert_eq!(value(&device, &goes, "Name"), Value::from("Stays"));
        agrees(&world, attache_tests::ME, &device);
    }
}

#[test]
fn an_edit_that_the_merge_contradicts_is_a_conflict() {
    let (world, device, stays, goes) = twins(2);
    let id = server_id(&device, &stays);
    world
        .change("Account", &id, &[("Phone", "\"2\"")])
        .expect("an edit");
    merge_twins(&world, &device, &stays, &goes);
    edit(&device, &goes, "Phone", "3");
    let report = sync(&device);
    assert_eq!(report.conflicts, 1, "{report:?}");
    let conflict = device.conflicts().expect("conflicts").remove(0);
    assert_eq!(conflict.kind, ConflictKind::Fields);
    let field = &conflict.fields[0];
    assert_eq!(
        (&field.base, &field.local, &field.remote),
        (&Value::from("1"), &Value::from("3"), &Value::from("2"))
    );
    device
        .resolve(conflict.id, Resolution::per_field([("Phone", Keep::Mine)]))
        .expect("a decision");
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Account", &id, "Phone").as_deref(),
        Some("\"3\"")
    );
}

#[test]
fn children_follow_be_they_sent_or_not() {
    let (world, device, stays, goes) = twins(3);
    let sent = create(
        &device,
        "Contact",
        [("LastName", "Sent"), ("AccountId", goes.as_str())],
    );
    settle(&world, &device);
    world.sandbox.advance(60);
    merge_twins(&world, &device, &stays, &goes);
    let unsent = [
        ("LastName", Value::from("Unsent")),
        ("AccountId", Value::from(&goes)),
    ];
    let unsent = create(&device, "Contact", unsent);
    settle(&world, &device);
    let id = server_id(&device, &stays);
    for contact in [&sent, &unsent] {
        assert_eq!(
            value(&device, contact, "AccountId"),
            Value::from(id.as_str())
        );
        let at_org = at_org(&world, "Contact", &server_id(&device, contact), "AccountId");
        assert_eq!(at_org, Some(format!("\"{id}\"")));
    }
    agrees(&world, attache_tests::ME, &device);
}

#[test]
fn a_merge_of_a_merge_is_followed_to_its_end() {
    let (world, device, stays, goes) = twins(4);
    let last = create(&device, "Account", [("Name", "Last")]);
    settle(&world, &device);
    world.sandbox.advance(60);
    merge_twins(&world, &device, &stays, &goes);
    merge_twins(&world, &device, &last, &stays);
    edit(&device, &goes, "Site", "Bern");
    settle(&world, &device);
    assert_eq!(value(&device, &last, "Site"), Value::from("Bern"));
    assert_eq!(value(&device, &goes, "Name"), Value::from("Last"));
}

#[test]
fn edits_of_both_records_are_kept() {
    let (world, device, stays, goes) = twins(5);
    merge_twins(&world, &device, &stays, &goes);
    edit(&device, &stays, "Site", "Bern");
    edit(&device, &goes, "Fax", "9");
    settle(&world, &device);
    let id = server_id(&device, &stays);
    assert_eq!(
        at_org(&world, "Account", &id, "Site").as_deref(),
        Some("\"Bern\"")
    );
    assert_eq!(
        at_org(&world, "Account", &id, "Fax").as_deref(),
        Some("\"9\"")
    );
}

#[test]
fn a_field_that_was_edited_of_both_records_is_asked_about() {
    for (keep, kept) in [(Keep::Mine, "3"), (Keep::Theirs, "4")] {
        let (world, device, stays, goes) = twins(9);
        let id = server_id(&device, &stays);
        edit(&device, &stays, "Phone", "3");
        edit(&device, &goes, "Phone", "4");
        edit(&device, &goes, "Site", "Bern");
        world
            .change("Account", &id, &[("Fax", "\"7\"")])
            .expect("an edit");
        merge_twins(&world, &device, &stays, &goes);
        let report = sync(&device);
        assert_eq!(
            (report.conflicts, report.pushed_updates),
            (1, 0),
            "{report:?}"
        );
        let conflict = device.conflicts().expect("conflicts").remove(0);
        assert_eq!(conflict.kind, ConflictKind::Fields);
        assert_eq!(conflict.fields.len(), 1, "{conflict:?}");
        let field = &conflict.fields[0];
        assert_eq!(field.name, "Phone");
        assert_eq!(
            (&field.base, &field.local, &field.remote),
            (&Value::from("1"), &Value::from("3"), &Value::from("4"))
        );
        device
            .resolve(conflict.id, Resolution::per_field([("Phone", keep)]))
            .expect("a decision");
        settle(&world, &device);
        let there = |field: &str| at_org(&world, "Account", &id, field);
        assert_eq!(there("Phone"), Some(format!("\"{kept}\"")));
        assert_eq!(there("Site").as_deref(), Some("\"Bern\""));
        assert_eq!(value(&device, &goes, "Fax"), Value::from("7"));
        agrees(&world, attache_tests::ME, &device);
    }
}

/// What one decision does not tell of, nobody has seen.
#[test]
fn what_the_merge_contradicts_is_asked_about_together_with_what_was_edited_of_both_records() {
    for (resolution, site) in [
        (Resolution::Mine, "\"theirs\""),
        (Resolution::Theirs, "\"Bern\""),
    ] {
        let (world, device, stays, goes) = twins(11);
        let id = server_id(&device, &stays);
        edit(&device, &stays, "Phone", "3");
        edit(&device, &goes, "Phone", "4");
        edit(&device, &goes, "Site", "Bern");
        world
            .change("Account", &id, &[("Site", "\"theirs\"")])
            .expect("an edit");
        merge_twins(&world, &device, &stays, &goes);
        let report = sync(&device);
        assert_eq!((report.conflicts, report.pushed_updates), (1, 0));
        let conflict = device.conflicts().expect("conflicts").remove(0);
        let shown: Vec<_> = conflict
            .fields
            .iter()
            .map(|field| {
                (
                    field.name.as_str(),
                    &field.base,
                    &field.local,
                    &field.remote,
                )
            })
            .collect();
        let [one, three, four] = ["1", "3", "4"].map(Value::from);
        let [theirs, bern] = ["theirs", "Bern"].map(Value::from);
        assert_eq!(
            shown,
            [
                ("Phone", &one, &three, &four),
                ("Site", &Value::Null, &theirs, &bern)
            ]
        );
        device.resolve(conflict.id, resolution).expect("a decision");
        settle(&world, &device);
        assert_eq!(
            at_org(&world, "Account", &id, "Site").as_deref(),
            Some(site)
        );
        agrees(&world, attache_tests::ME, &device);
    }
}

#[test]
fn the_same_edit_of_both_records_is_one() {
    let (world, device, stays, goes) = twins(10);
    for id in [&stays, &goes] {
        edit(&device, id, "Phone", "3");
    }
    merge_twins(&world, &device, &stays, &goes);
    settle(&world, &device);
    let there = at_org(&world, "Account", &server_id(&device, &stays), "Phone");
    assert_eq!(there.as_deref(), Some("\"3\""));
}

#[test]
fn a_merge_into_a_record_out_of_sight_asks_a_person() {
    let (world, device, _, goes) = twins(6);
    let hidden = world
        .add("Account", &[("Name", "\"Hidden\"")])
        .expect("an account of the boss");
    merge(&world, "Account", &hidden, &server_id(&device, &goes));
    edit(&device, &goes, "Site", "Bern");
    let report = sync(&device);
    assert_eq!(report.conflicts, 1, "{report:?}");
    let conflict = device.conflicts().expect("conflicts").remove(0);
    assert_eq!(conflict.kind, ConflictKind::DeletedAtRemote);
}

#[test]
fn a_deletion_of_a_merged_record_is_done() {
    let (world, device, stays, goes) = twins(7);
    merge_twins(&world, &device, &stays, &goes);
    device.delete(&goes).expect("a deletion");
    settle(&world, &device);
    assert!(device.get(&stays).expect("a read").is_some());
    assert!(at_org(&world, "Account", &server_id(&device, &stays), "Id").is_some());
}

#[test]
fn a_contact_that_was_merged_during_a_session_is_followed() {
    let (world, device) = device(8);
    let stays = create(&device, "Contact", [("LastName", "Stays")]);
    let goes = create(&device, "Contact", [("LastName", "Goes")]);
    settle(&world, &device);
    world.sandbox.advance(60);
    edit(&device, &goes, "Title", "Boss");
    let (winner, loser) = (server_id(&device, &stays), server_id(&device, &goes));
    let (sandbox, boss) = (world.sandbox.clone(), world.boss().to_owned());
    let at = (attache_sim::Moment::Sent, "POST", "/composite");
    let watched = attache_tests::meanwhile(&world, &device, at, move |_| {
        sandbox
            .with_org(|org| org.merge(&boss, "Contact", &winner, &[&loser]))
            .expect("a merge");
    });
    sync(&watched);
    settle(&world, &device);
    assert_eq!(value(&device, &stays, "Title"), Value::from("Boss"));
}
