//! Who is asked why a record is here, and what each rule holds.

use super::{dropped, id, mine, outside, small};
use attache::{Holder, LocalTime, RecordId, Value};
use attache_sim::World;
use attache_tests::{ME, briefcase, create, edit, prime, sync};

#[test]
fn everything_that_holds_a_record_is_named() {
    let world = World::new(241, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = id(&mine(&world)[0]);
    let now = LocalTime(world.sandbox.now() * 1000);
    let rules = [
        Holder::Rule("Kept".into()),
        Holder::Rule("Mine and kept".into()),
    ];
    assert_eq!(device.why(&account).expect("a read"), rules);
    device.pin(&account).expect("a pin");
    device.viewed(&account).expect("noted");
    edit(&device, &account, "Phone", "1");
    let fields = [
        ("LastName", Value::from("Points")),
        ("AccountId", Value::from(&account)),
    ];
    let by = create(&device, "Contact", fields);
    let field = "AccountId".to_owned();
    let rest = [
        Holder::Pinned(now),
        Holder::Viewed(now),
        Holder::Edited,
        Holder::PointedAt {
            by: by.clone(),
            field,
        },
    ];
    assert_eq!(
        device.why(&account).expect("a read"),
        [&rules[..], &rest].concat()
    );
    assert_eq!(device.why(&by).expect("a read"), [Holder::Edited]);
}

#[test]
fn what_is_not_here_is_held_by_nothing() {
    let world = World::new(242, 1_500);
    let device = prime(&world, ME, &small(&world));
    let account = id(&outside(&world));
    assert_eq!(device.why(&account).expect("a read"), []);
    device.pin(&account).expect("a pin");
    assert_eq!(
        device.why(&account).expect("a read"),
        [],
        "it is yet to come"
    );
}

#[test]
fn each_rule_tells_what_it_holds_and_what_its_limit_left_out() {
    let world = World::new(243, 1_500);
    let rules = r#"{"version": 1, "rules": [
        {"name": "All", "object": "Account", "related": [{"children": "Contact.AccountId"}]},
        {"name": "First", "object": "Account", "order_by": "Name", "limit": 3}]}"#;
    let device = prime(&world, ME, &briefcase(rules));
    let membership = device.membership().expect("a read");
    let named = |name: &str| {
        let found = membership.iter().find(|rule| rule.rule == name);
        found.expect("the rule").clone()
    };
    let (all, first) = (named("All"), named("First"));
    let count = |soql: &str| -> Vec<RecordId> { attache_tests::all(&device, soql) };
    assert_eq!(all.records, count("SELECT Id FROM Account").len() as u64);
    assert_eq!((first.records, first.cut_from), (3, Some(all.records)));
    assert_eq!((all.cut_from, all.loaded), (None, true));
    let contacts = named("All > Contact");
    assert_eq!(
        contacts.records,
        count("SELECT Id FROM Contact").len() as u64
    );
    assert!(contacts.bytes > contacts.records * 50, "{contacts:?}");
    assert_eq!(all.swept_at, Some(LocalTime(world.sandbox.now() * 1000)));
}

#[test]
fn an_evicted_record_is_held_by_nothing_before_it_goes() {
    let (_world, device, account) = dropped(244);
    sync(&device);
    device.unpin(&id(&account)).expect("an end of it");
    assert_eq!(device.why(&id(&account)).expect("a read"), []);
    assert_eq!(sync(&device).evicted, 1);
}
