//! Rights that are taken from a user in mid-life, and given again.

use crate::{holds, id, next_day, owned};
use attache::{Attache, ErrorKind, MutationState, RecordId};
use attache_sandbox::org::Access;
use attache_sim::{World, wait};
use attache_tests::{
    ME, agrees, all, at_org, briefcase, create, edit, first, me, prime, settle, sync, value,
};

/// A device with accounts of this user, the contacts under them, and one of the accounts.
fn device(seed: u64) -> (World, Attache, RecordId) {
    let world = World::new(seed, 600);
    let rules = r#"{"version": 1, "rules": [
        {"object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]}]}"#;
    let device = prime(&world, ME, &briefcase(rules));
    let account = owned(&world, ME, "Account", "Id != null").swap_remove(0);
    assert!(holds(&device, &account));
    (world, device, id(&account))
}

fn give(world: &World, object: &str, access: Access) {
    let user = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.set_access(&user, object, access));
}

fn hide(world: &World, field: &str, hidden: bool) {
    let user = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.hide_field(&user, "Account", field, hidden));
}

fn count(device: &Attache, object: &str) -> usize {
    all(device, &format!("SELECT Id FROM {object}")).len()
}

/// The state of the only unsent edit.
#[track_caller]
fn state(device: &Attache) -> MutationState {
    let pending = device.pending().expect("a read");
    assert_eq!(pending.len(), 1, "{pending:?}");
    pending[0].state.clone()
}

#[test]
fn an_edit_of_a_field_hidden_meanwhile_is_parked_and_told_and_sent_when_it_is_shown() {
    let (world, device, account) = device(721);
    edit(&device, &account, "Site", "Typed before");
    hide(&world, "Site", true);
    let before = count(&device, "Account");
    let report = next_day(&world, &device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    let problem = &report.rejected[0].problems[0];
    assert_eq!(problem.fields, ["Site"], "{problem:?}");
    assert!(matches!(state(&device), MutationState::Rejected(_)));
    assert_eq!(count(&device, "Account"), before, "nothing is deleted");
    // It parks its own record and no other.
    let contact = first(&device, "SELECT Id FROM Contact ORDER BY Id");
    edit(&device, &contact, "Title", "Sent");
    sync(&device);
    let title = at_org(&world, "Contact", &contact.to_string(), "Title");
    assert_eq!(title.as_deref(), Some("\"Sent\""));
    hide(&world, "Site", false);
    next_day(&world, &device);
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Account", &account.to_string(), "Site").as_deref(),
        Some("\"Typed before\"")
    );
    agrees(&world, ME, &device);
}

#[test]
fn a_field_hidden_between_two_describes_stops_no_session_and_loses_no_record() {
    let (world, device, account) = device(722);
    edit(&device, &account, "Fax", "123");
    let before = (count(&device, "Account"), count(&device, "Contact"));
    // No describe is due: the org refuses the field in a query, and that is how the device learns of it.
    hide(&world, "Site", true);
    world.sandbox.advance(60);
    let contact = first(&device, "SELECT Id FROM Contact ORDER BY Id");
    let boss_says = [("Title", "\"Changed\"")];
    world
        .change("Contact", &contact.to_string(), &boss_says)
        .expect("the boss may");
    sync(&device);
    settle(&world, &device);
    assert_eq!(
        (count(&device, "Account"), count(&device, "Contact")),
        before
    );
    assert_eq!(value(&device, &contact, "Title").to_string(), "Changed");
    let fax = at_org(&world, "Account", &account.to_string(), "Fax");
    assert_eq!(fax.as_deref(), Some("\"123\""));
    let hidden = device
        .query("SELECT Site FROM Account")
        .expect_err("hidden");
    assert_eq!(hidden.kind(), ErrorKind::UnknownField, "{hidden}");
}

#[test]
fn the_right_to_edit_taken_parks_the_edit_and_given_again_sends_it() {
    let (world, device, account) = device(723);
    edit(&device, &account, "Site", "Mine");
    give(&world, "Account", Access::read_only());
    let before = count(&device, "Account");
    let report = next_day(&world, &device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    assert_eq!(count(&device, "Account"), before);
    assert_eq!(value(&device, &account, "Site").to_string(), "Mine");
    let refused = device
        .update(&account, [("Fax", "1")])
        .expect_err("the describe says so");
    assert_eq!(refused.kind(), ErrorKind::InvalidRecord, "{refused}");
    give(&world, "Account", Access::default());
    next_day(&world, &device);
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Account", &account.to_string(), "Site").as_deref(),
        Some("\"Mine\"")
    );
}

#[test]
fn the_right_to_edit_taken_between_two_describes_is_told_by_the_refusal() {
    let (world, device, account) = device(724);
    edit(&device, &account, "Site", "Mine");
    give(&world, "Account", Access::read_only());
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    assert_eq!(value(&device, &account, "Site").to_string(), "Mine");
    give(&world, "Account", Access::default());
    device
        .retry(report.rejected[0].mutations[0])
        .expect("it can be sent again");
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn the_right_to_create_taken_keeps_the_new_record_with_its_children() {
    let (world, device, _) = device(725);
    let parent = create(&device, "Account", [("Name", "New")]);
    let child = create(&device, "Contact", [("LastName", "Child")]);
    edit(&device, &child, "AccountId", parent.to_string().as_str());
    let no_create = Access {
        create: false,
        ..Access::default()
    };
    give(&world, "Account", no_create);
    let report = next_day(&world, &device);
    assert!(!report.rejected.is_empty(), "{report:?}");
    assert!(device.get(&parent).expect("a read").is_some());
    assert!(device.get(&child).expect("a read").is_some());
    assert_eq!(world.times("Account", "Name", "New"), Ok(0));
    give(&world, "Account", Access::default());
    next_day(&world, &device);
    for rejected in sync(&device).rejected {
        for mutation in rejected.mutations {
            device.retry(mutation).expect("it can be sent again");
        }
    }
    settle(&world, &device);
    assert_eq!(world.times("Account", "Name", "New"), Ok(1));
    agrees(&world, ME, &device);
}

#[test]
fn the_right_to_delete_taken_parks_the_delete_and_given_again_sends_it() {
    let (world, device, _) = device(726);
    let contact = first(&device, "SELECT Id FROM Contact ORDER BY Id");
    device.delete(&contact).expect("a valid delete");
    let no_delete = Access {
        delete: false,
        ..Access::default()
    };
    give(&world, "Contact", no_delete);
    let report = next_day(&world, &device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    let there = || at_org(&world, "Contact", &contact.to_string(), "Id").is_some();
    assert!(there());
    give(&world, "Contact", Access::default());
    next_day(&world, &device);
    for rejected in sync(&device).rejected {
        device.retry(rejected.mutations[0]).expect("again");
    }
    settle(&world, &device);
    assert!(!there());
    agrees(&world, ME, &device);
}

#[test]
fn an_object_out_of_sight_takes_its_records_and_leaves_the_edits_until_it_is_back() {
    let (world, device, _) = device(727);
    let contact = first(&device, "SELECT Id FROM Contact ORDER BY Id");
    let before = count(&device, "Contact");
    edit(&device, &contact, "Title", "Keeper");
    give(&world, "Contact", Access::none());
    let report = next_day(&world, &device);
    assert!(!report.unfollowed.is_empty(), "{report:?}");
    assert_eq!(device.pending().expect("a read").len(), 1, "the edit stays");
    assert!(device.get(&contact).expect("a read").is_some());
    give(&world, "Contact", Access::default());
    next_day(&world, &device);
    settle(&world, &device);
    assert_eq!(count(&device, "Contact"), before);
    let title = at_org(&world, "Contact", &contact.to_string(), "Title");
    assert_eq!(title.as_deref(), Some("\"Keeper\""));
    agrees(&world, ME, &device);
}

#[test]
fn a_frozen_user_loses_nothing_and_goes_on_where_they_were() {
    let (world, device, account) = device(728);
    edit(&device, &account, "Site", "Frozen");
    let before = (count(&device, "Account"), count(&device, "Contact"));
    let me = me(&world).trim_matches('"').to_owned();
    for (active, day) in [("false", 1), ("false", 40)] {
        world
            .change("User", &me, &[("IsActive", active)])
            .expect("the boss may");
        world.sandbox.advance(day * 86_400);
        let error = wait(device.sync()).expect_err("nobody may call");
        assert_eq!(error.kind(), ErrorKind::NotAuthorized, "{error}");
        assert_eq!(
            (count(&device, "Account"), count(&device, "Contact")),
            before
        );
        assert_eq!(state(&device), MutationState::Pending);
    }
    world
        .change("User", &me, &[("IsActive", "true")])
        .expect("the boss may");
    settle(&world, &device);
    assert_eq!(
        at_org(&world, "Account", &account.to_string(), "Site").as_deref(),
        Some("\"Frozen\"")
    );
    agrees(&world, ME, &device);
}
