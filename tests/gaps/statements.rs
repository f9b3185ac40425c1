//! Related rules over thousands of parents: no statement is too long for the org, and no row is missed.

use attache::{Attache, Value};
use attache_sim::{Moment, Watcher, World};
use attache_tests::{ME, agrees, all, briefcase, settle, sync};
use std::sync::{Arc, Mutex};

const PARENTS: usize = 6_000;
/// Characters of a statement, and bytes of a URL with its host and headers (salesforce-api.md, 3.1).
const STATEMENT_CHARS_MAX: usize = 100_000;
const URL_BYTES_MAX: usize = 16_384;

/// Children, grandchildren by a condition that is long, and parents.
fn rules(condition: &str) -> String {
    let few = r#"{"fields": ["Name"]}"#;
    format!(
        r#"{{"version": 1,
            "objects": {{"Account": {few}, "Contact": {{"fields": ["LastName", "AccountId"]}}, "Opportunity": {few}}},
            "rules": [{{"object": "Account", "where": "Name LIKE 'Parent %'", "related": [
                {{"children": "Contact.AccountId", "where": "{condition}"}},
                {{"children": "Opportunity.AccountId"}}]}}]}}"#
    )
}

fn parents(world: &World) -> Vec<String> {
    let me = format!("\"{}\"", world.users[ME].id);
    let mut ids = Vec::with_capacity(PARENTS);
    for n in 0..PARENTS {
        let name = format!("\"Parent {n}\"");
        let account = world.add("Account", &[("Name", &name), ("OwnerId", &me)]);
        let account = account.expect("the boss may");
        if n % 3 == 0 {
            let of = format!("\"{account}\"");
            let child = [
                ("LastName", "\"Child\""),
                ("AccountId", &of),
                ("OwnerId", &me),
            ];
            world.add("Contact", &child).expect("the boss may");
        }
        ids.push(account);
    }
    ids
}

/// What was asked: whether by a URL of its own, and the target.
type Asked = Arc<Mutex<Vec<(bool, String)>>>;

/// A device whose questions are written down, those inside of composite calls as well.
fn listened(world: &World) -> (Attache, Asked) {
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    let watcher: Watcher = Arc::new(move |moment, method, target| {
        if moment == Moment::Sent && method == "GET" {
            let mut heard = heard.lock().expect("nobody panicked");
            heard.push((target.starts_with("/services"), target.to_owned()));
        }
    });
    let device = world.device(ME).expect("a store opens");
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    (device.with_remote(remote), asked)
}

/// The statement of a question, as it is after the wire.
fn statement(target: &str) -> Option<String> {
    let (_, query) = target.split_once("?q=")?;
    let mut bytes = Vec::new();
    let mut rest = query.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn none_is_too_long(world: &World, asked: &Asked) -> usize {
    let asked = std::mem::take(&mut *asked.lock().expect("nobody panicked"));
    let statements: Vec<String> = asked.iter().filter_map(|(_, it)| statement(it)).collect();
    let longest = statements.iter().map(String::len).max().unwrap_or(0);
    assert!(longest < STATEMENT_CHARS_MAX, "{longest} characters");
    // What travels in a body is no URL of its own; the org's log has the URLs.
    for call in world.sandbox.log() {
        assert!(call.target.len() < URL_BYTES_MAX, "{}", call.target.len());
        assert_ne!(call.status, Some(414));
        assert_ne!(call.status, Some(431));
    }
    longest
}

#[test]
fn a_related_rule_over_six_thousand_parents_stays_within_the_limits() {
    let long = format!("LastName != '{}'", "x".repeat(3_000));
    let conditions = ["LastName != null".to_owned(), long];
    for (seed, condition) in (500..).zip(conditions) {
        let world = World::new(seed, 100);
        let ids = parents(&world);
        world.sandbox.clear_log();
        let (device, asked) = listened(&world);
        device
            .set_briefcase(briefcase(&rules(&condition)))
            .expect("a valid briefcase");
        sync(&device);
        let children = all(&device, "SELECT Id FROM Contact WHERE LastName = 'Child'");
        assert_eq!(children.len(), PARENTS / 3);
        let longest = none_is_too_long(&world, &asked);
        assert!(longest > 20_000, "the list was long: {longest}");
        agrees(&world, ME, &device);

        // One that has no child yet gets one, and all are looked at anew.
        world.sandbox.advance(1_200);
        let me = format!("\"{}\"", world.users[ME].id);
        for of in [&ids[1], &ids[PARENTS - 2]] {
            let of = format!("\"{of}\"");
            let child = [
                ("LastName", "\"Late\""),
                ("AccountId", &of),
                ("OwnerId", &me),
            ];
            world.add("Contact", &child).expect("the boss may");
        }
        world.sandbox.advance(90_000);
        settle(&world, &device);
        let late = all(&device, "SELECT Id FROM Contact WHERE LastName = 'Late'");
        assert_eq!(late.len(), 2);
        assert_ne!(
            attache_tests::value(&device, &late[0], "AccountId"),
            Value::Null
        );
        none_is_too_long(&world, &asked);
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_list_is_filled_up_to_the_limit_and_not_beyond_with_any_condition() {
    // A condition that leaves room for few ids, and one that leaves room for hardly any.
    for (seed, length) in (510..).zip([60_000, 95_000]) {
        let world = World::new(seed, 300);
        let (device, asked) = listened(&world);
        let text = "x".repeat(200);
        let parts: Vec<String> = (0..length / 220)
            .map(|n| format!("LastName != '{n}{text}'"))
            .collect();
        let rules = format!(
            r#"{{"version": 1, "rules": [{{"object": "Account", "related": [
                {{"children": "Contact.AccountId", "where": "{}"}}]}}]}}"#,
            parts.join(" AND ")
        );
        device
            .set_briefcase(briefcase(&rules))
            .expect("a valid briefcase");
        sync(&device);
        let longest = none_is_too_long(&world, &asked);
        assert!(longest > length / 220 * 210, "{longest}");
        agrees(&world, ME, &device);
    }
}
