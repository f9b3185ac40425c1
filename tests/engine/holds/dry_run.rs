//! What a briefcase would bring and take away, told before it is set.

use super::{id, mine, small};
use attache::{Attache, Briefcase, DryRun, ErrorKind, RuleEstimate};
use attache_sim::{World, wait};
use attache_tests::{ME, briefcase, edit, field_sales, prime, sync};
use std::path::Path;

fn told(device: &Attache, briefcase: &Briefcase) -> DryRun {
    wait(device.dry_run(briefcase)).expect("an answer")
}

fn named<'a>(told: &'a DryRun, rule: &str) -> &'a RuleEstimate {
    let found = told.rules.iter().find(|estimate| estimate.rule == rule);
    found.expect("the rule")
}

fn held(device: &Attache, rule: &str) -> u64 {
    let membership = device.membership().expect("a read");
    let found = membership.iter().find(|holds| holds.rule == rule);
    found.expect("the rule").records
}

#[test]
fn before_the_first_session_each_rule_is_counted_as_it_then_comes() {
    let world = World::new(281, 1_500);
    let device = world.device(ME).expect("a store");
    let would = told(&device, &field_sales());
    assert_eq!((would.evict, would.evict_bytes), (0, 0));
    device.set_briefcase(field_sales()).expect("stored");
    let report = sync(&device);
    for rule in &would.rules {
        assert!(rule.exact, "{rule:?}");
        assert_eq!(rule.records, held(&device, &rule.rule), "{rule:?}");
        assert_eq!((rule.here, rule.is_truncated()), (0, false), "{rule:?}");
    }
    assert!(would.download >= report.inserted, "{would:?}");
    // Opportunities and tasks are matched by two rules.
    assert!(would.download <= report.inserted * 2, "{would:?}");
    let real: u64 = device
        .membership()
        .expect("a read")
        .iter()
        .map(|rule| rule.bytes)
        .sum();
    assert!(
        would.download_bytes.abs_diff(real) < real / 4,
        "{} {real}",
        would.download_bytes
    );
    assert!(
        would.calls.abs_diff(report.api_calls) <= 4,
        "{} {}",
        would.calls,
        report.api_calls
    );
}

#[test]
fn a_briefcase_in_force_would_change_nothing() {
    let world = World::new(282, 1_500);
    let device = prime(&world, ME, &field_sales());
    // The second session looks at what the first has just read: the same seconds may hold more.
    sync(&device);
    let would = told(&device, &field_sales());
    assert_eq!((would.download, would.evict), (0, 0), "{would:?}");
    assert!(would.rules.iter().all(|rule| rule.here == rule.records));
    assert_eq!(would.calls, sync(&device).api_calls);
}

#[test]
fn a_smaller_briefcase_tells_what_it_evicts_and_a_larger_one_what_it_brings() {
    let world = World::new(283, 1_500);
    let device = prime(&world, ME, &field_sales());
    let accounts = briefcase(
        r#"{"version": 1, "rules": [{"name": "My Accounts", "object": "Account", "scope": "mine"}]}"#,
    );
    let would = told(&device, &accounts);
    assert_eq!(would.download, 0, "they are all here: {would:?}");
    device.set_briefcase(accounts).expect("stored");
    let report = sync(&device);
    assert_eq!(
        (report.evicted, report.inserted),
        (would.evict, 0),
        "{would:?}"
    );
    let would = told(&device, &field_sales());
    assert_eq!(would.evict, 0, "{would:?}");
    let mine = named(&would, "My Accounts");
    assert_eq!(mine.here, mine.records);
    assert_eq!(named(&would, "My Accounts > Contact").here, 0);
    device.set_briefcase(field_sales()).expect("stored");
    assert!(would.download >= sync(&device).inserted);
}

#[test]
fn what_is_held_by_something_else_would_stay() {
    let world = World::new(284, 1_500);
    let device = prime(&world, ME, &small(&world));
    let mine = mine(&world);
    device.pin(&id(&mine[0])).expect("a pin");
    edit(&device, &id(&mine[1]), "Phone", "1");
    let would = told(&device, &Briefcase::everything(["Lead"]));
    assert_eq!(would.evict, 2, "{would:?}");
    let some = briefcase(&format!(
        r#"{{"version": 1, "rules": [{{"object": "Account", "where": "Id = '{}'"}}]}}"#,
        mine[2]
    ));
    let would = told(&device, &some);
    assert_eq!((would.evict, would.download), (1, 0), "{would:?}");
}

#[test]
fn a_limit_that_would_cut_says_so() {
    let world = World::new(285, 1_500);
    let device = prime(&world, ME, &Briefcase::everything(["Lead"]));
    let top = briefcase(
        r#"{"version": 1, "rules": [{"name": "Top", "object": "Account", "order_by": "Name", "limit": 5,
            "related": [{"children": "Contact.AccountId"}]}]}"#,
    );
    let would = told(&device, &top);
    let rule = named(&would, "Top");
    assert!(
        rule.is_truncated() && rule.records == 5 && rule.matches > 5,
        "{rule:?}"
    );
    let contacts = named(&would, "Top > Contact");
    // The server cannot join what a limit chose.
    assert!(!contacts.exact && contacts.records > 0, "{contacts:?}");
    device.set_briefcase(top).expect("stored");
    let report = sync(&device);
    assert_eq!(report.truncated[0].matches, rule.matches);
    assert!(
        contacts.records.abs_diff(held(&device, "Top > Contact")) < 40,
        "{contacts:?}"
    );
}

#[test]
fn nothing_on_the_disk_changes() {
    let world = World::new(286, 600);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("device.db");
    let device = world.device_at(ME, &file).expect("the store opens");
    device.set_briefcase(field_sales()).expect("stored");
    sync(&device);
    let state = |path: &Path| {
        let read = |name: &str| std::fs::read(path.join(name)).unwrap_or_default();
        (read("device.db"), read("device.db-wal"))
    };
    let before = state(folder.path());
    told(&device, &Briefcase::everything(["Lead", "Event"]));
    assert!(before == state(folder.path()));
    let wrong = briefcase(r#"{"version": 1, "rules": ["Nothing__c"]}"#);
    let error = wait(device.dry_run(&wrong)).expect_err("no such object");
    assert_eq!(error.kind(), ErrorKind::UnknownObject);
    assert!(before == state(folder.path()));
}
