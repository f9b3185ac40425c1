//! Rules that the org can no longer follow.

use super::{device, hide, next_day, parked};
use attache::{ErrorKind, Value};
use attache_sim::{World, wait};
use attache_tests::{
    agrees, all, at_org, briefcase, create, edit, first, prime, server_id, settle, sync, value,
};

#[test]
fn an_object_that_went_away_takes_its_records_and_leaves_the_edits() {
    let (world, device) = device(40);
    let id = first(
        &device,
        "SELECT Id FROM Contact WHERE AccountId != null ORDER BY Id LIMIT 1",
    );
    edit(&device, &id, "Phone", "kept");
    let account = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    let accounts = all(&device, "SELECT Id FROM Account").len();
    world.sandbox.with_org(|org| org.remove_object("Contact"));
    world.sandbox.advance(60);
    world
        .change("Account", account.as_str(), &[("Fax", "\"new\"")])
        .expect("the boss may");
    // Within the day of the describe, the org's answer to a query tells of it.
    let report = sync(&device);
    assert_eq!(report.unfollowed.len(), 1, "{report:?}");
    assert!(report.unfollowed[0].reason.contains("Contact"));
    assert_eq!(parked(&device), [(String::new(), "INVALID_TYPE".into())]);
    assert_eq!(
        all(&device, "SELECT Id FROM Contact"),
        std::slice::from_ref(&id)
    );
    assert_eq!(all(&device, "SELECT Id FROM Account").len(), accounts);
    assert_eq!(value(&device, &account, "Fax"), "new".into());
    let file = device.export_unsent(None).expect("a file");
    assert!(String::from_utf8_lossy(&file).contains("\"kept\""));
    // Edits of what is gone go on waiting; those of others go on.
    edit(&device, &account, "Site", "goes");
    let report = next_day(&world, &device);
    assert_eq!((report.pushed_updates, report.rejected.len()), (1, 1));

    world.sandbox.with_org(|org| org.restore_object("Contact"));
    let report = sync(&device);
    assert!(report.unfollowed.is_empty(), "{report:?}");
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Contact", id.as_str(), "Phone").as_deref(),
        Some("\"kept\"")
    );
    agrees(&world, 0, &device);
}

#[test]
fn a_record_made_while_its_object_was_gone_is_sent_when_it_is_back() {
    let (world, device) = device(41);
    world.sandbox.with_org(|org| org.remove_object("Contact"));
    sync(&device);
    let made = create(&device, "Contact", [("LastName", "Waits")]);
    let report = sync(&device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    world.sandbox.with_org(|org| org.restore_object("Contact"));
    settle(&world, &device);
    server_id(&device, &made);
    agrees(&world, 0, &device);
}

#[test]
fn a_create_in_doubt_stays_so_while_its_object_is_gone() {
    let (world, device) = device(42);
    create(&device, "Contact", [("LastName", "Doubtful")]);
    let lost = attache_sandbox::Fault::new(attache_sandbox::FaultKind::LoseAnswer)
        .method("POST")
        .path("/composite/sobjects");
    world.sandbox.fail_next(lost);
    let report = sync(&device);
    assert_eq!(report.in_doubt, 1, "{report:?}");
    world.sandbox.with_org(|org| org.remove_object("Contact"));
    world.sandbox.advance(700);
    let report = sync(&device);
    assert_eq!(
        (report.in_doubt, report.rejected.len()),
        (1, 0),
        "{report:?}"
    );
    world.sandbox.with_org(|org| org.restore_object("Contact"));
    settle(&world, &device);
    assert_eq!(world.times("Contact", "LastName", "Doubtful"), Ok(1));
    agrees(&world, 0, &device);
}

#[test]
fn a_rule_whose_field_is_hidden_rests_and_its_records_stay() {
    let world = World::new(43, 600);
    let mine = briefcase(
        r#"{"version": 1, "rules": [{"name": "Named", "object": "Account", "where": "Site != 'Nowhere'",
            "related": [{"children": "Contact.AccountId"}]}]}"#,
    );
    let device = prime(&world, 0, &mine);
    let held = all(&device, "SELECT Id FROM Account");
    hide(&world, true);
    let report = next_day(&world, &device);
    assert_eq!(report.unfollowed[0].rule, "Named");
    assert!(report.unfollowed[0].reason.contains("Site"), "{report:?}");
    assert_eq!(all(&device, "SELECT Id FROM Account"), held);
    // What is here is kept up to date all the same.
    let me = &world.users[0].id;
    let own = format!("SELECT Id FROM Account WHERE OwnerId = '{me}' ORDER BY Id LIMIT 1");
    let id = first(&device, &own);
    world
        .change("Account", id.as_str(), &[("Fax", "\"new\"")])
        .expect("the boss may");
    world.sandbox.advance(60);
    sync(&device);
    assert_eq!(value(&device, &id, "Fax"), "new".into());
    edit(&device, &id, "Phone", "goes");
    assert_eq!(sync(&device).pushed_updates, 1);

    hide(&world, false);
    assert!(next_day(&world, &device).unfollowed.is_empty());
    settle(&world, &device);
    assert_ne!(value(&device, &id, "Id"), Value::Null);
    agrees(&world, 0, &device);
}

#[test]
fn a_relation_whose_lookup_is_hidden_rests() {
    let world = World::new(44, 600);
    let both = briefcase(
        r#"{"version": 1, "rules": [{"object": "Contact", "scope": "mine", "related": [{"parent": "AccountId"}]}]}"#,
    );
    let device = prime(&world, 0, &both);
    let held = all(&device, "SELECT Id FROM Account");
    let remove = |gone| {
        world.sandbox.with_org(|org| {
            if gone {
                org.remove_field("Contact", "AccountId");
            } else {
                org.restore_field("Contact", "AccountId");
            }
        });
    };
    remove(true);
    let report = next_day(&world, &device);
    assert_eq!(report.unfollowed.len(), 1, "{report:?}");
    assert_eq!(all(&device, "SELECT Id FROM Account"), held);
    remove(false);
    next_day(&world, &device);
    settle(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn fields_and_keys_that_a_briefcase_names_may_go() {
    let world = World::new(45, 300);
    let named = briefcase(
        r#"{"version": 1, "objects": {"Account": {"fields": ["Site", "Phone"], "client_key": "External_Id__c"}},
            "rules": ["Account"]}"#,
    );
    let device = prime(&world, 0, &named);
    world.sandbox.with_org(|org| {
        org.remove_field("Account", "Site");
        org.remove_field("Account", "External_Id__c");
    });
    let made = create(&device, "Account", [("Name", "Keyless")]);
    let report = next_day(&world, &device);
    assert!(report.is_settled(), "{report:?}");
    server_id(&device, &made);
    assert_eq!(world.times("Account", "Name", "Keyless"), Ok(1));
}

#[test]
fn what_a_new_briefcase_asks_for_wrongly_is_an_error_as_ever() {
    let (world, device) = device(46);
    device
        .set_briefcase(attache::Briefcase::everything(["Account", "Nonsense__c"]))
        .expect("stored");
    let error = wait(device.sync()).expect_err("no such object");
    assert_eq!(error.kind(), ErrorKind::UnknownObject);
    world.sandbox.with_org(|org| org.remove_object("Contact"));
    device
        .set_briefcase(attache::Briefcase::everything(["Account", "Contact"]))
        .expect("stored");
    world.sandbox.advance(86_400);
    // Nobody who asks whether the briefcase can be followed is told that it can.
    let error = wait(device.prepare()).expect_err("the object is gone");
    assert_eq!(error.kind(), ErrorKind::UnknownObject);
}
