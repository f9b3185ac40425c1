//! Related rules: circles, lookups of an object to itself, and lookups to several objects.

use attache::{Attache, ErrorKind};
use attache_sim::{World, wait};
use attache_tests::{ME, agrees, all, briefcase, prime, quoted, settle, sync};
use std::collections::BTreeSet;

fn ids(device: &Attache, soql: &str) -> BTreeSet<String> {
    let ids = all(device, soql).into_iter();
    ids.map(|id| id.as_str().to_owned()).collect()
}

fn at_org(world: &World, soql: &str, field: &str) -> BTreeSet<String> {
    let rows = world
        .rows(&world.users[ME].id, soql)
        .expect("a valid query");
    rows.iter().filter_map(|row| row.text(field)).collect()
}

#[test]
fn a_circle_of_rules_ends_and_then_costs_nothing() {
    let world = World::new(301, 1_500);
    let circle = briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine", "related": [
            {"children": "Contact.AccountId", "related": [
                {"parent": "AccountId", "related": [
                    {"children": "Contact.AccountId", "related": [{"parent": "AccountId"}]}]}]}]}]}"#,
    );
    let device = prime(&world, ME, &circle);
    agrees(&world, ME, &device);
    let plain = briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine",
            "related": [{"children": "Contact.AccountId"}]}]}"#,
    );
    let other = prime(&world, ME, &plain);
    let (calls, without) = (sync(&device).api_calls, sync(&other).api_calls);
    assert_eq!(calls, without, "a circle leads nowhere new");
    // A new account for a contact of the circle comes by the lookup, and brings its contacts.
    let boss = quoted(world.boss());
    let away = world.add("Account", &[("Name", "\"Away\""), ("OwnerId", &boss)]);
    let away = away.expect("the boss may");
    let contact = all(&device, "SELECT Id FROM Contact ORDER BY Id LIMIT 1").swap_remove(0);
    let user = &world.users[ME].id;
    world.sandbox.with_org(|org| {
        org.grant("Account", &away, user);
        org.grant("Contact", contact.as_str(), user);
    });
    world.sandbox.advance(60);
    let moved = [("AccountId", quoted(&away))];
    let moved: Vec<(&str, &str)> = moved
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    world
        .change("Contact", contact.as_str(), &moved)
        .expect("the boss may");
    settle(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn a_lookup_of_an_object_to_itself_goes_up_and_down_as_deep_as_it_is_written() {
    let world = World::new(302, 1_500);
    let me = quoted(&world.users[ME].id);
    let mut above = None;
    let mut chain = Vec::new();
    for nr in 0..6 {
        let (name, parent) = (format!("\"Link {nr}\""), above.as_deref().map(quoted));
        let mut fields = vec![("Name", name.as_str()), ("OwnerId", me.as_str())];
        fields.extend(parent.as_deref().map(|parent| ("ParentId", parent)));
        let id = world.add("Account", &fields).expect("the boss may");
        above = Some(id.clone());
        chain.push(id);
    }
    // A circle of the data itself: the first has the last as its parent, if the org lets it.
    let _ = world.change("Account", &chain[0], &[("ParentId", &quoted(&chain[5]))]);
    let rules = briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "where": "Name = 'Link 2'", "related": [
            {"parent": "ParentId"},
            {"children": "Account.ParentId", "related": [{"children": "Account.ParentId"}]}]}]}"#,
    );
    let device = prime(&world, ME, &rules);
    let here = ids(&device, "SELECT Id FROM Account");
    assert_eq!(here, chain[1..5].iter().cloned().collect());
    agrees(&world, ME, &device);
    world.sandbox.advance(60);
    world
        .change("Account", &chain[3], &[("ParentId", "null")])
        .expect("the boss may");
    settle(&world, &device);
    agrees(&world, ME, &device);
    assert_eq!(ids(&device, "SELECT Id FROM Account").len(), 2);
}

/// What the tasks of a user lead to through a lookup, with ids of one prefix.
fn led_to(world: &World, lookup: &str, prefix: &str) -> BTreeSet<String> {
    let me = &world.users[ME].id;
    let soql = format!("SELECT Id, {lookup} FROM Task WHERE OwnerId = '{me}'");
    let mut led = at_org(world, &soql, lookup);
    led.retain(|id| id.starts_with(prefix));
    led
}

#[test]
fn a_lookup_to_several_objects_leads_to_one_to_some_or_to_all_that_are_named() {
    let world = World::new(303, 1_500);
    let seen = |object: &str, ids: BTreeSet<String>| -> BTreeSet<String> {
        let all = at_org(&world, &format!("SELECT Id FROM {object}"), "Id");
        ids.intersection(&all).cloned().collect()
    };
    let accounts = seen("Account", led_to(&world, "WhatId", "001"));
    let opportunities = seen("Opportunity", led_to(&world, "WhatId", "006"));
    assert!(!accounts.is_empty() && !opportunities.is_empty());
    let with = |objects: &str, related: &str| {
        briefcase(&format!(
            r#"{{"version": 1, "objects": {{{objects}}},
                "rules": [{{"object": "Task", "scope": "mine", "related": [{related}]}}]}}"#
        ))
    };
    let one = prime(
        &world,
        ME,
        &with("", r#"{"parent": "WhatId", "object": "Account"}"#),
    );
    assert_eq!(ids(&one, "SELECT Id FROM Account"), accounts);
    let some = r#"{"parent": "WhatId", "object": ["Account", "Opportunity"]}"#;
    let some = prime(&world, ME, &with("", some));
    assert_eq!(ids(&some, "SELECT Id FROM Account"), accounts);
    assert_eq!(ids(&some, "SELECT Id FROM Opportunity"), opportunities);
    let named = r#""Account": {}, "Opportunity": {}, "Lead": {}"#;
    let all = prime(&world, ME, &with(named, r#"{"parent": "WhatId"}"#));
    assert_eq!(ids(&all, "SELECT Id FROM Account"), accounts);
    assert_eq!(ids(&all, "SELECT Id FROM Opportunity"), opportunities);
    assert!(
        ids(&all, "SELECT Id FROM Lead").is_empty(),
        "WhatId never leads to a lead"
    );
    assert_eq!(
        sync(&all).api_calls,
        sync(&some).api_calls,
        "leads cost nothing"
    );
    let device = world.device(ME).expect("a store");
    device
        .set_briefcase(with("", r#"{"parent": "WhatId"}"#))
        .expect("stored");
    let error = wait(device.sync()).expect_err("nothing is named");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[test]
fn who_and_owner_lead_to_people() {
    let world = World::new(304, 1_500);
    let rules = briefcase(
        r#"{"version": 1, "rules": [{"object": "Task", "scope": "mine", "related": [
            {"parent": "WhoId", "object": ["Contact", "Lead"]},
            {"parent": "OwnerId", "object": "User"}]}]}"#,
    );
    let device = prime(&world, ME, &rules);
    assert_eq!(
        ids(&device, "SELECT Id FROM User"),
        BTreeSet::from([world.users[ME].id.clone()])
    );
    for (object, prefix) in [("Contact", "003"), ("Lead", "00Q")] {
        let seen = at_org(&world, &format!("SELECT Id FROM {object}"), "Id");
        let led = led_to(&world, "WhoId", prefix);
        let expected: BTreeSet<String> = led.intersection(&seen).cloned().collect();
        assert_eq!(
            ids(&device, &format!("SELECT Id FROM {object}")),
            expected,
            "{object}"
        );
    }
}
