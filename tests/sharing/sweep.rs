//! What entered or left a rule without being modified: found by a look at the ids, and never by an incomplete one.

use crate::{COLLEAGUE, holds, next_day, owned, untouched};
use attache_sandbox::{Fault, FaultKind, Sandbox};
use attache_sim::{World, wait};
use attache_tests::{ME, agrees, all, briefcase, prime, settle, sync};

/// Contacts whose account is in energy, and nothing of the account itself.
const BY_PARENT: &str = r#"{"version": 1, "objects": {"Account": {}}, "rules": [
    {"object": "Contact", "where": "Account.Site = 'Sold to'"}]}"#;

#[test]
fn a_record_enters_and_leaves_with_a_field_of_its_parent() {
    let world = World::new(741, 600);
    let account = owned(
        &world,
        ME,
        "Account",
        "Id IN (SELECT AccountId FROM Contact)",
    );
    let (first, second) = (&account[0], &account[1]);
    let site = |account: &str, site: &str| {
        let site = [("Site", site)];
        world
            .change("Account", account, &site)
            .expect("the boss may");
    };
    site(first, "\"Sold to\"");
    let device = prime(&world, ME, &briefcase(BY_PARENT));
    let of_second = format!("SELECT Id FROM Contact WHERE AccountId = '{second}' ORDER BY Id");
    let rows = world.rows(world.boss(), &of_second).expect("valid");
    let contact = rows[0].text("Id").expect("an id");
    assert!(!holds(&device, &contact));
    untouched(&world, "Contact", &contact, || site(second, "\"Sold to\""));
    next_day(&world, &device);
    assert!(holds(&device, &contact));
    agrees(&world, ME, &device);
    untouched(&world, "Contact", &contact, || site(second, "null"));
    next_day(&world, &device);
    assert!(!holds(&device, &contact));
    agrees(&world, ME, &device);
}

#[test]
fn a_record_enters_and_leaves_with_the_orgs_fiscal_year() {
    // The world begins in the first month of the third quarter.
    let fiscal = Sandbox::builder().records(1_500).fiscal_year(5, false);
    let world = World::built(742, fiscal);
    let rules = r#"{"version": 1, "rules": [
        {"object": "Opportunity", "where": "CloseDate = THIS_FISCAL_QUARTER"}]}"#;
    let device = prime(&world, ME, &briefcase(rules));
    let here = |device: &attache::Attache| all(device, "SELECT Id FROM Opportunity ORDER BY Id");
    let before = here(&device);
    agrees(&world, ME, &device);
    world.sandbox.advance(80 * 86_400);
    settle(&world, &device);
    let after = here(&device);
    assert!(!after.is_empty() && after.iter().all(|id| !before.contains(id)));
    agrees(&world, ME, &device);
}

/// A device of accounts of which half are out of sight since, untold.
fn half_hidden(seed: u64) -> (World, attache::Attache, Vec<String>, Vec<String>) {
    let world = World::new(seed, 2_000);
    let theirs = owned(&world, COLLEAGUE, "Account", "Id != null");
    let me = world.users[ME].id.clone();
    for account in &theirs {
        world
            .sandbox
            .with_org(|org| org.grant("Account", account, &me));
    }
    let rules = r#"{"version": 1, "rules": [{"object": "Account", "where": "Name != null"}]}"#;
    let device = prime(&world, ME, &briefcase(rules));
    let (gone, kept): (Vec<_>, Vec<_>) = theirs
        .into_iter()
        .enumerate()
        .partition(|(n, _)| n % 2 == 0);
    let [gone, kept] =
        [gone, kept].map(|part| part.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
    for account in &gone {
        world
            .sandbox
            .with_org(|org| org.revoke("Account", account, &me));
    }
    (world, device, gone, kept)
}

#[test]
fn an_incomplete_look_takes_away_only_what_it_looked_at_and_goes_on_there() {
    for (seed, fault) in [
        (743, FaultKind::LoseRequest),
        (744, FaultKind::LoseAnswer),
        (745, FaultKind::Truncate(700)),
        (746, FaultKind::Status(503, "<html>busy</html>".into())),
    ] {
        let (world, device, gone, kept) = half_hidden(seed);
        assert!(gone.len() > 6, "{}", gone.len());
        world
            .sandbox
            .with_switches(|switches| switches.page_rows_max = 5);
        world.sandbox.advance(90_000);
        let third = Fault::new(fault).path("/query").nth(3);
        world.sandbox.fail_next(third);
        wait(device.sync()).expect_err("the look is cut off");
        let here: Vec<&String> = gone.iter().filter(|id| holds(&device, id)).collect();
        assert!(!here.is_empty(), "what was not looked at stays");
        // Ids ascend: what is left lies behind all that went.
        assert_eq!(
            here,
            gone[gone.len() - here.len()..].iter().collect::<Vec<_>>()
        );
        assert!(kept.iter().all(|id| holds(&device, id)));
        let asked = world.sandbox.log().len();
        sync(&device);
        let log = world.sandbox.log();
        let resumed = log[asked..].iter().any(|one| {
            let one = format!("{one:?}");
            one.contains("Id+%3E+") || one.contains("Id%20%3E%20") || one.contains("Id > ")
        });
        assert!(resumed, "it goes on behind its last page");
        assert!(gone.iter().all(|id| !holds(&device, id)));
        assert!(kept.iter().all(|id| holds(&device, id)));
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_small_rule_is_looked_at_once_an_hour_and_no_more() {
    let (world, device, gone, _) = half_hidden(747);
    world.sandbox.advance(4_000);
    sync(&device);
    assert!(gone.iter().all(|id| !holds(&device, id)), "an hour is over");
    let looks = |world: &World| {
        let log = world.sandbox.log();
        let query = |one: &String| one.contains("/query");
        log.iter()
            .map(|one| format!("{one:?}"))
            .filter(query)
            .count()
    };
    let before = looks(&world);
    for _ in 0..5 {
        world.sandbox.advance(300);
        sync(&device);
    }
    assert_eq!(
        looks(&world),
        before,
        "nothing changed, and the last look is young"
    );
}
