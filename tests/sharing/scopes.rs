//! Scopes that only the org can tell: teams, territories, what was delegated.

use crate::{COLLEAGUE, holds, id, next_day, owned, untouched};
use attache::ErrorKind;
use attache_sim::World;
use attache_tests::{ME, briefcase, edit, prime, settle, sync};

/// An org with territories, and one that a user works in: its id.
fn territory(world: &World, user: usize) -> String {
    world.sandbox.with_org(|org| org.enable_territories());
    let south = [("Name", "\"South\""), ("DeveloperName", "\"South\"")];
    let south = world.add("Territory2", &south).expect("the boss may");
    works_in(world, user, &south);
    south
}

fn works_in(world: &World, user: usize, territory: &str) -> String {
    let fields = [
        ("Territory2Id", territory),
        ("UserId", &world.users[user].id),
    ];
    let added = world.add("UserTerritory2Association", &fields);
    added.expect("the boss may")
}

fn assign(world: &World, account: &str, territory: &str) -> String {
    let fields = [("Territory2Id", territory), ("ObjectId", account)];
    let added = world.add("ObjectTerritory2Association", &fields);
    added.expect("the boss may")
}

fn rule(object: &str, scope: &str) -> attache::Briefcase {
    briefcase(&format!(
        r#"{{"version": 1, "rules": [{{"object": "{object}", "scope": "{scope}"}}]}}"#
    ))
}

#[test]
fn an_account_enters_and_leaves_with_its_territory_without_being_modified() {
    let world = World::new(701, 600);
    let south = territory(&world, ME);
    let theirs = owned(&world, COLLEAGUE, "Account", "Id != null");
    let (first, second) = (&theirs[0], &theirs[1]);
    assign(&world, first, &south);
    let device = prime(&world, ME, &rule("Account", "my_territory"));
    assert!(holds(&device, first) && !holds(&device, second));
    let assignment = untouched(&world, "Account", second, || assign(&world, second, &south));
    next_day(&world, &device);
    assert!(holds(&device, first) && holds(&device, second));
    untouched(&world, "Account", second, || {
        world.remove("ObjectTerritory2Association", &assignment)
    })
    .expect("the boss may");
    next_day(&world, &device);
    assert!(holds(&device, first) && !holds(&device, second));
    assert_eq!(world.times("Account", "Id", second), Ok(1), "no deletion");
}

#[test]
fn a_user_taken_out_of_a_territory_keeps_nothing_of_it_but_what_is_theirs() {
    let world = World::new(702, 600);
    let south = territory(&world, COLLEAGUE);
    let place = works_in(&world, ME, &south);
    let theirs = owned(&world, COLLEAGUE, "Account", "Id != null").swap_remove(0);
    let mine = owned(&world, ME, "Account", "Id != null").swap_remove(0);
    for account in [&theirs, &mine] {
        assign(&world, account, &south);
    }
    let both = briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"},
            {"object": "Account", "scope": "my_territory", "related": [{"children": "Contact.AccountId"}]}]}"#,
    );
    let device = prime(&world, ME, &both);
    assert!(holds(&device, &theirs) && holds(&device, &mine));
    let contact = attache_tests::all(
        &device,
        &format!("SELECT Id FROM Contact WHERE AccountId = '{theirs}'"),
    );
    untouched(&world, "Account", &theirs, || {
        world.remove("UserTerritory2Association", &place)
    })
    .expect("the boss may");
    next_day(&world, &device);
    assert!(!holds(&device, &theirs) && holds(&device, &mine));
    for contact in contact {
        assert!(device.get(&contact).expect("a read").is_none());
    }
}

#[test]
fn a_manager_of_a_territory_finds_what_lies_below_it_by_its_own_scope() {
    let world = World::new(703, 600);
    let south = territory(&world, ME);
    let below = [
        ("Name", "\"Deep South\""),
        ("DeveloperName", "\"Deep\""),
        ("ParentTerritory2Id", south.as_str()),
    ];
    let below = world.add("Territory2", &below).expect("the boss may");
    let theirs = owned(&world, COLLEAGUE, "Account", "Id != null");
    assign(&world, &theirs[0], &south);
    assign(&world, &theirs[1], &below);
    let narrow = prime(&world, ME, &rule("Account", "my_territory"));
    assert!(holds(&narrow, &theirs[0]) && !holds(&narrow, &theirs[1]));
    let wide = prime(&world, ME, &rule("Account", "my_team_territory"));
    assert!(holds(&wide, &theirs[0]) && holds(&wide, &theirs[1]));
}

#[test]
fn a_record_enters_and_leaves_with_its_team_without_being_modified() {
    for (object, seed) in [("Account", 704), ("Opportunity", 705)] {
        let world = World::new(seed, 600);
        world.sandbox.with_org(|org| org.enable_teams());
        let device = prime(&world, ME, &rule(object, "team"));
        let mine = world.users[ME].id.clone();
        let theirs = owned(&world, COLLEAGUE, object, "Id != null");
        let theirs = theirs.iter().find(|id| !holds(&device, id));
        let theirs = theirs.expect("one that is not shared");
        let lookup = format!("{object}Id");
        let member = [(lookup.as_str(), theirs.as_str()), ("UserId", &mine)];
        let members = format!("{object}TeamMember");
        let member = untouched(&world, object, theirs, || world.add(&members, &member));
        let member = member.expect("the boss may");
        next_day(&world, &device);
        assert!(holds(&device, theirs), "{object}");
        untouched(&world, object, theirs, || world.remove(&members, &member))
            .expect("the boss may");
        next_day(&world, &device);
        assert!(!holds(&device, theirs), "{object}");
        assert_eq!(world.times(object, "Id", theirs), Ok(1), "no deletion");
    }
}

#[test]
fn what_a_team_may_only_read_is_parked_and_goes_when_the_level_is_raised() {
    let world = World::new(706, 600);
    world.sandbox.with_org(|org| org.enable_teams());
    let theirs = owned(&world, COLLEAGUE, "Account", "Id != null").swap_remove(0);
    let member = [
        ("AccountId", theirs.as_str()),
        ("UserId", &world.users[ME].id),
        ("AccountAccessLevel", "Read"),
    ];
    let member = world
        .add("AccountTeamMember", &member)
        .expect("the boss may");
    let device = prime(&world, ME, &rule("Account", "team"));
    edit(&device, &id(&theirs), "Site", "Ours");
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    let level = [("AccountAccessLevel", "Edit")];
    world
        .change("AccountTeamMember", &member, &level)
        .expect("the boss may");
    device
        .retry(report.rejected[0].mutations[0])
        .expect("it can be sent again");
    settle(&world, &device);
    let site = attache_tests::at_org(&world, "Account", &theirs, "Site");
    assert_eq!(site.as_deref(), Some("\"Ours\""));
}

#[test]
fn a_task_given_to_a_colleague_is_found_as_delegated() {
    let world = World::new(707, 600);
    let account = owned(&world, ME, "Account", "Id != null").swap_remove(0);
    let me = world.users[ME].id.clone();
    let fields = attache_sim::fields(&[
        ("Subject", "\"Please call\""),
        ("WhatId", &account),
        ("OwnerId", &world.users[COLLEAGUE].id),
    ]);
    let task = world
        .sandbox
        .with_org(|org| org.create(&me, "Task", &fields));
    let task = task.expect("the user may");
    let device = prime(&world, ME, &rule("Task", "delegated"));
    assert!(holds(&device, &task));
    let owner = [("OwnerId", me.as_str())];
    world.sandbox.advance(60);
    world.change("Task", &task, &owner).expect("the boss may");
    next_day(&world, &device);
    assert!(!holds(&device, &task), "it is no longer somebody else's");
}

#[test]
fn a_device_says_of_a_scope_that_only_the_org_can_tell() {
    let world = World::new(708, 300);
    world.sandbox.with_org(|org| org.enable_territories());
    let device = prime(&world, ME, &rule("Account", "mine"));
    assert!(
        device
            .query("SELECT Id FROM Account USING SCOPE mine")
            .is_ok()
    );
    for scope in ["my_territory", "my_team_territory", "team", "delegated"] {
        let soql = format!("SELECT Id FROM Account USING SCOPE {scope}");
        let error = device.query(&soql).expect_err("not here");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{scope}");
        assert!(error.to_string().contains("by the org only"), "{error}");
    }
}
