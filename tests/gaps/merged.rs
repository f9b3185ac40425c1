//! Merges upon merges between two sessions, and a record that stays where this device does not look.

use crate::{by_the_boss, holds, id, rows};
use attache::{Attache, Briefcase, RecordId, Value};
use attache_sim::World;
use attache_tests::{
    ME, agrees, at_org, briefcase, create, edit, org_says, prime, server_id, settle, sync, value,
};

fn merge(world: &World, object: &str, stays: &str, goes: &str) {
    by_the_boss(world, |org, boss| org.merge(boss, object, stays, &[goes])).expect("a merge");
}

/// Accounts that are all the same, with a contact each.
fn chain(seed: u64, in_log: bool) -> (World, Attache, Vec<RecordId>, Vec<RecordId>) {
    let world = World::new(seed, 200);
    by_the_boss(&world, |org, _| {
        org.config_mut().switches.merges_are_in_delete_log = in_log
    });
    let carried = Briefcase::everything(["Account", "Contact"]);
    let device = prime(&world, ME, &carried);
    let (mut accounts, mut contacts) = (Vec::new(), Vec::new());
    for name in ["A", "B", "C", "D"] {
        let account = create(&device, "Account", [("Name", name)]);
        let fields = [
            ("LastName", Value::from(format!("Of {name}"))),
            ("AccountId", Value::from(&account)),
        ];
        contacts.push(create(&device, "Contact", fields));
        accounts.push(account);
    }
    settle(&world, &device);
    world.sandbox.advance(60);
    (world, device, accounts, contacts)
}

#[test]
fn a_chain_of_merges_between_two_sessions_is_followed_with_all_work_on_the_way() {
    for (seed, in_log) in [(700, true), (701, false)] {
        let (world, device, accounts, contacts) = chain(seed, in_log);
        let ids: Vec<String> = accounts.iter().map(|it| server_id(&device, it)).collect();
        for (account, field) in accounts.iter().zip(["Site", "Fax", "Phone"]) {
            edit(&device, account, field, "Edited");
        }
        let unsent = [
            ("LastName", Value::from("Unsent")),
            ("AccountId", Value::from(&accounts[0])),
        ];
        let unsent = create(&device, "Contact", unsent);
        // A into B, B into C, C into D.
        for at in 0..3 {
            merge(&world, "Account", &ids[at + 1], &ids[at]);
            world.sandbox.advance(20);
        }
        settle(&world, &device);
        for field in ["Site", "Fax", "Phone"] {
            org_says(&world, &ids[3], field, "Edited");
        }
        for account in &accounts {
            assert_eq!(value(&device, account, "Name"), Value::from("D"));
        }
        for contact in contacts.iter().chain([&unsent]) {
            assert_eq!(
                value(&device, contact, "AccountId"),
                Value::from(ids[3].as_str())
            );
        }
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_chain_without_work_on_it_leaves_the_last_and_moves_what_hung_on_the_others() {
    for (seed, in_log) in [(710, true), (711, false)] {
        let (world, device, accounts, contacts) = chain(seed, in_log);
        let ids: Vec<String> = accounts.iter().map(|it| server_id(&device, it)).collect();
        for at in 0..3 {
            merge(&world, "Account", &ids[at + 1], &ids[at]);
        }
        world.sandbox.advance(90);
        sync(&device);
        if !in_log {
            // Nothing lists them: a look at the ids finds that they are gone.
            world.sandbox.advance(90_000);
            sync(&device);
        }
        assert!(holds(&device, &ids[3]) && ids[..3].iter().all(|it| !holds(&device, it)));
        for contact in &contacts {
            assert_eq!(
                value(&device, contact, "AccountId"),
                Value::from(ids[3].as_str())
            );
        }
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_chain_that_goes_on_while_a_session_follows_it_arrives_at_its_end() {
    let (world, device, accounts, _) = chain(720, true);
    let ids: Vec<String> = accounts.iter().map(|it| server_id(&device, it)).collect();
    edit(&device, &accounts[0], "Site", "Edited");
    merge(&world, "Account", &ids[1], &ids[0]);
    world.sandbox.advance(90);
    let (sandbox, boss) = (world.sandbox.clone(), world.boss().to_owned());
    let (b, c) = (ids[1].clone(), ids[2].clone());
    let at = (attache_sim::Moment::Sent, "GET", "/queryAll");
    let watched = attache_tests::meanwhile(&world, &device, at, move |_| {
        sandbox
            .with_org(|org| org.merge(&boss, "Account", &c, &[&b]))
            .expect("a merge");
    });
    sync(&watched);
    settle(&world, &device);
    org_says(&world, &ids[2], "Site", "Edited");
    assert_eq!(value(&device, &accounts[0], "Name"), Value::from("C"));
    agrees(&world, ME, &device);
}

#[test]
fn an_edit_of_a_record_whose_winner_is_out_of_the_briefcase_goes_there_and_leaves_nothing_behind() {
    let world = World::new(730, 300);
    let rules = r#"{"version": 1, "rules": [{"object": "Account", "where": "Site = 'Carried'"}]}"#;
    let device = world.device(ME).expect("a store opens");
    device
        .set_briefcase(briefcase(rules))
        .expect("a valid briefcase");
    sync(&device);
    let me = format!("\"{}\"", world.users[ME].id);
    let goes = create(&device, "Account", [("Name", "Goes"), ("Site", "Carried")]);
    settle(&world, &device);
    let stays = world
        .add("Account", &[("Name", "\"Stays\""), ("OwnerId", &me)])
        .expect("the boss may");
    merge(&world, "Account", &stays, &server_id(&device, &goes));
    world.sandbox.advance(60);
    edit(&device, &goes, "Fax", "9");
    settle(&world, &device);
    org_says(&world, &stays, "Fax", "9");
    assert_eq!(device.conflicts().expect("a read"), []);
    assert!(!holds(&device, &stays), "no rule wants it");
    agrees(&world, ME, &device);
}

#[test]
fn a_deletion_in_a_chain_does_not_delete_the_one_that_stayed() {
    let (world, device, accounts, _) = chain(740, true);
    let ids: Vec<String> = accounts.iter().map(|it| server_id(&device, it)).collect();
    device.delete(&accounts[0]).expect("it may be deleted");
    edit(&device, &accounts[1], "Site", "Edited");
    merge(&world, "Account", &ids[1], &ids[0]);
    merge(&world, "Account", &ids[2], &ids[1]);
    settle(&world, &device);
    org_says(&world, &ids[2], "Site", "Edited");
    assert!(at_org(&world, "Account", &ids[3], "Id").is_some());
    agrees(&world, ME, &device);
}

#[test]
fn a_winner_that_is_deleted_in_turn_asks_a_person() {
    let (world, device, accounts, _) = chain(750, true);
    let ids: Vec<String> = accounts.iter().map(|it| server_id(&device, it)).collect();
    edit(&device, &accounts[0], "Site", "Edited");
    merge(&world, "Account", &ids[1], &ids[0]);
    world.remove("Account", &ids[1]).expect("the boss may");
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!(report.conflicts, 1, "{report:?}");
    assert_eq!(
        value(&device, &id(accounts[0].as_str()), "Site"),
        Value::from("Edited")
    );
    assert_eq!(
        rows(&world, "SELECT Id FROM Account WHERE Name = 'A'"),
        Vec::<String>::new()
    );
}
