//! Search over the life of a record: what is found is what is on the device now.

use attache::{Attache, ErrorKind, RecordId};
use attache_sim::World;
use attache_tests::{ME, all, create, edit, field_sales, first, prime, server_id, settle, sync};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";

fn device(seed: u64) -> (World, Attache, RecordId) {
    let world = World::new(seed, 300);
    let device = prime(&world, ME, &field_sales());
    let id = first(&device, ANY);
    (world, device, id)
}

fn found(device: &Attache, words: &str) -> Vec<RecordId> {
    let found = device.search(words).run().expect("a search runs");
    assert_eq!(found.waiting, 0);
    found.hits.into_iter().map(|hit| hit.id).collect()
}

#[test]
fn an_unsent_edit_is_found_when_its_call_returns_and_by_its_old_words_no_more() {
    let (_world, device, id) = device(1);
    edit(&device, &id, "Name", "Zyxwick Häuser");
    assert_eq!(found(&device, "zyxw haus"), std::slice::from_ref(&id));
    edit(&device, &id, "Name", "Quuxley");
    assert_eq!(found(&device, "quuxley"), std::slice::from_ref(&id));
    assert_eq!(found(&device, "zyxwick"), []);
    device.undo().expect("an undo");
    assert_eq!(found(&device, "zyxwick"), [id]);
}

#[test]
fn a_record_made_here_is_found_by_one_identity_for_life() {
    let (world, device, _) = device(2);
    let id = create(
        &device,
        "Account",
        [("Name", "Zyxwick"), ("Phone", "+1 (415) 555-0132")],
    );
    assert_eq!(found(&device, "zyxwick"), std::slice::from_ref(&id));
    settle(&world, &device);
    assert!(!server_id(&device, &id).is_empty());
    assert_eq!(found(&device, "415 5550132"), std::slice::from_ref(&id));
    device.delete(&id).expect("it may be deleted");
    assert_eq!(found(&device, "zyxwick"), []);
}

#[test]
fn what_the_server_changes_deletes_and_takes_away_is_followed() {
    let (world, device, id) = device(3);
    let at_org = server_id(&device, &id);
    let lonely = create(&device, "Account", [("Name", "Quuxley")]);
    settle(&world, &device);
    let lonely_at_org = server_id(&device, &lonely);
    world.sandbox.advance(60);
    world
        .change("Account", &at_org, &[("Name", "\"Zyxwick\"")])
        .expect("the boss may");
    world.sandbox.advance(60);
    sync(&device);
    // Its opportunities name it by a formula, and are found by that name as well.
    let mut named = vec![id.clone()];
    let below = format!("SELECT Id FROM Opportunity WHERE AccountId = '{at_org}'");
    named.extend(all(&device, &below));
    let mut hits = found(&device, "zyxwick");
    assert_eq!(hits.first(), Some(&id));
    hits.sort();
    named.sort();
    assert_eq!(hits, named);

    let boss = format!("{:?}", world.boss());
    world
        .change("Account", &lonely_at_org, &[("OwnerId", boss.as_str())])
        .expect("the boss may");
    world.remove("Account", &at_org).expect("the boss may");
    world.sandbox.advance(4_000);
    settle(&world, &device);
    for (id, name) in [(&id, "zyxwick"), (&lonely, "quuxley")] {
        assert!(device.get(id).expect("a read").is_none(), "{name} left");
        assert_eq!(found(&device, name), []);
    }
}

#[test]
fn a_search_in_the_middle_of_a_load_works_on_what_is_indexed_and_says_what_is_not() {
    let (_world, device, _) = device(4);
    let left = device.index_words(10).expect("a step");
    assert!(left > 0);
    let total: u64 = device
        .status()
        .expect("a read")
        .records
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert!(left < total, "{left} of {total}");
    let hits = device.search("a").limit(5).run().expect("a search runs");
    assert_eq!(hits.waiting, 0, "a search reads up as much as it may");
    assert_eq!(device.index_words(10).expect("nothing to do"), 0);
}

#[test]
fn every_record_is_found_by_its_name() {
    let (_world, device, _) = device(5);
    for row in device.query("SELECT Name FROM Contact").expect("a query") {
        let name = row
            .get("Name")
            .and_then(|name| name.as_text())
            .expect("a name");
        let found = device
            .search(name)
            .object("Contact")
            .limit(300)
            .run()
            .expect("a search runs");
        let hit = found.hits.iter().find(|hit| Some(&hit.id) == row.id());
        let hit = hit.unwrap_or_else(|| panic!("{name} is not found"));
        assert_eq!((hit.title.as_str(), hit.object.as_str()), (name, "Contact"));
        assert!(!hit.marks.is_empty());
    }
}

#[test]
fn no_text_is_an_operator_or_an_error() {
    let (_world, device, _) = device(6);
    for words in [
        "",
        "\0",
        "\"",
        "* * *",
        "name:x",
        "NOT",
        "a OR b AND",
        "NEAR(a b, 1)",
        "{name} : a",
        "^a",
        "a + b",
        "-a",
        "');--",
        "\u{E000}",
        "phone : \"1\" *",
        "((((",
        "🦀",
        "\u{202e}abc",
    ] {
        device
            .search(words)
            .run()
            .unwrap_or_else(|error| panic!("{words:?}: {error:?}"));
    }
    let long = "ab \"c d\" 0170 ".repeat(80_000);
    assert_eq!(device.search(&long).run().expect("a search runs").hits, []);
    let error = device
        .search("x")
        .object("Nothing")
        .run()
        .expect_err("no such object");
    assert_eq!(error.kind(), ErrorKind::UnknownObject);
}

/// In a changeset nothing can be written beside it, so nothing is read up: who searches there must not wait for it.
#[test]
fn a_search_inside_a_changeset_finds_what_is_indexed_and_says_what_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(9, 300);
    let device = world.device_at(ME, &folder.path().join("jo.db"));
    let device = device.expect("a store opens");
    device.set_briefcase(field_sales()).expect("it is kept");
    sync(&device);
    let id = first(&device, ANY);
    let search = |edits: &mut attache::Changeset<'_>| {
        edits.update(&id, [("Name", "Zyxwick")])?;
        device.search("zyxwick").run()
    };
    let hits = device.changeset(search).expect("nobody waits");
    assert!(hits.waiting > 0 && hits.hits.is_empty(), "{hits:?}");
    assert_eq!(found(&device, "zyxwick"), std::slice::from_ref(&id));
    // Once the words are in the index, a changeset is found as it was before.
    edit(&device, &id, "Name", "Quuxley");
    let hits = device.changeset(|edits| {
        edits.update(&id, [("Name", "Other")])?;
        device.search("zyxwick").run()
    });
    let hits = hits.expect("nobody waits");
    assert!(hits.waiting > 0 && hits.hits.is_empty(), "{hits:?}");
    // In memory there is one connection, which the changeset has.
    let refused = self::device(10).1;
    let error = refused.changeset(|_| refused.search("zyxwick").run());
    let error = error.expect_err("it is not waited for");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}
