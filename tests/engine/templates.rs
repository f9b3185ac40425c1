//! Templates and optional rules against an org: what it has is taken, what it lacks is told.

use attache::{Attache, Briefcase, ErrorKind, Report};
use attache_sim::{World, wait};
use attache_tests::{ME, all, briefcase, prime, sync};

fn device(world: &World, briefcase: Briefcase) -> Attache {
    let device = world.device(ME).expect("a store in memory opens");
    device
        .set_briefcase(briefcase)
        .expect("a briefcase is stored");
    device
}

fn told(report: &Report) -> Vec<&str> {
    report
        .unfollowed
        .iter()
        .map(|rule| rule.rule.as_str())
        .collect()
}

#[test]
fn the_template_of_field_sales_brings_what_a_rep_works_with() {
    let world = World::new(71, 600);
    let template = Briefcase::template("field-sales").expect("a template");
    let device = prime(&world, ME, &template);
    let mine = format!(
        "SELECT Id FROM Account WHERE OwnerId = '{}'",
        world.users[ME].id
    );
    assert!(!all(&device, &mine).is_empty());
    assert!(!all(&device, "SELECT Id FROM Contact").is_empty());
    let report = sync(&device);
    assert!(told(&report).is_empty(), "{report:?}");
    assert!(report.is_settled(), "{report:?}");
}

#[test]
fn an_org_without_field_service_is_told_so_and_asked_once_a_day() {
    let world = World::new(72, 300);
    let template = Briefcase::template("field-service").expect("a template");
    let device = device(&world, template);
    let first = sync(&device);
    assert!(told(&first).contains(&"Me as a Resource"), "{first:?}");
    assert!(
        first.unfollowed[0].reason.contains("ServiceResource"),
        "{first:?}"
    );
    let again = sync(&device);
    assert_eq!(told(&again), told(&first));
    // All that is asked is who the user is.
    assert_eq!(again.api_calls, 1, "{again:?}");
    world.sandbox.advance(25 * 3_600);
    let next_day = sync(&device);
    assert!(next_day.api_calls > 2, "{next_day:?}");
    // Whoever asks outright is answered by the org: still without an error.
    wait(device.prepare()).expect("nothing that is needed is missing");
}

#[test]
fn a_rule_that_is_not_optional_insists() {
    let world = World::new(73, 300);
    let document = |optional: bool| {
        briefcase(&format!(
            r#"{{"version": 1, "rules": ["Lead",
                {{"name": "Odd", "object": "Account", "optional": {optional}, "where": "Nobody_Has__c = 1",
                  "related": [{{"children": "Contact.AccountId", "related": [{{"parent": "OwnerId", "object": "User"}}]}}]}}]}}"#
        ))
    };
    let error = wait(device(&world, document(false)).sync()).expect_err("no such field");
    assert_eq!(error.kind(), ErrorKind::UnknownField);
    let device = device(&world, document(true));
    for _ in 0..2 {
        let report = sync(&device);
        assert_eq!(
            told(&report),
            ["Odd", "Odd > Contact", "Odd > Contact > User"]
        );
        assert!(report.is_settled(), "{report:?}");
    }
    assert!(!all(&device, "SELECT Id FROM Lead").is_empty());
    assert!(all(&device, "SELECT Id FROM Account").is_empty());
}

#[test]
fn what_an_org_gets_later_is_followed_from_then_on() {
    let world = World::new(74, 300);
    world.sandbox.with_org(|org| org.remove_object("Contact"));
    let document = briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "related": [
            {"children": "Contact.AccountId", "optional": true}]}]}"#,
    );
    let device = device(&world, document);
    let report = sync(&device);
    assert_eq!(told(&report), ["Account > Contact"]);
    assert!(report.inserted > 0, "{report:?}");
    world.sandbox.with_org(|org| org.restore_object("Contact"));
    world.sandbox.advance(25 * 3600);
    let report = sync(&device);
    assert!(told(&report).is_empty(), "{report:?}");
    assert!(!all(&device, "SELECT Id FROM Contact").is_empty());
}
