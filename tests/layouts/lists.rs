//! Rules that are made of list views.

use crate::{A_DAY, asked, seen};
use attache::{Attache, Briefcase, ErrorKind, RuleChange};
use attache_sandbox::org::{ListCondition, ListViewDef};
use attache_sim::{World, wait};
use attache_tests::{ME, all, briefcase, prime, settle, sync};

fn hot() -> ListViewDef {
    ListViewDef::new("Hot", "Hot ones")
        .columns(["Name", "Type", "Owner.Alias"])
        .condition(ListCondition::test("Rating", "equals", "'Hot'"))
        .order("Name", false)
}

/// An org with a list of hot accounts.
fn world(seed: u64) -> World {
    let world = seen(seed);
    world
        .sandbox
        .with_org(|org| org.define_list_view("Account", hot()));
    world
}

fn rule(more: &str) -> Briefcase {
    briefcase(&format!(
        r#"{{"version": 1, "rules": [{{"name": "List", "object": "Account", "list_view": "Hot"{more}}}]}}"#
    ))
}

/// Compares the accounts on a device with what a query of its user gives.
#[track_caller]
fn shows(world: &World, device: &Attache, soql: &str) {
    let rows = world.rows(&world.users[ME].id, soql).expect("a query");
    let mut org: Vec<String> = rows.iter().filter_map(|row| row.text("Id")).collect();
    let mut here: Vec<String> = all(device, "SELECT Id FROM Account")
        .iter()
        .map(ToString::to_string)
        .collect();
    org.sort();
    here.sort();
    assert!(!org.is_empty(), "the query finds something");
    assert_eq!(here, org);
}

#[test]
fn a_rule_takes_what_its_list_shows() {
    let world = world(941);
    let device = prime(&world, ME, &rule(""));
    shows(
        &world,
        &device,
        "SELECT Id FROM Account WHERE Rating = 'Hot'",
    );
    let why = device
        .why(&all(&device, "SELECT Id FROM Account")[0])
        .expect("a read");
    assert_eq!(why, [attache::Holder::Rule("List".into())]);
    assert_eq!(
        (asked(&world, "/listviews"), asked(&world, "/listviews/")),
        (2, 1)
    );

    // A session after it asks for no list view, and costs what one with the rule written out costs.
    world.sandbox.clear_log();
    world.sandbox.advance(3_000);
    let report = sync(&device);
    assert_eq!(asked(&world, "/listviews"), 0);
    let plain = r#"{"version": 1, "rules": [{"object": "Account", "where": "Rating = 'Hot'"}]}"#;
    let plain = prime(&world, ME, &briefcase(plain));
    world.sandbox.advance(3_000);
    assert_eq!(sync(&plain).api_calls, report.api_calls);
}

#[test]
fn the_scope_and_the_order_of_a_list_are_kept() {
    let world = world(942);
    let view = hot().scope("mine").order("AnnualRevenue", true);
    world
        .sandbox
        .with_org(|org| org.define_list_view("Account", view));
    let hot = "SELECT Id FROM Account WHERE Rating = 'Hot' ORDER BY Name LIMIT 4";
    let owner = format!("\"{}\"", world.users[ME].id);
    for row in world.rows(world.boss(), hot).expect("a query") {
        let id = row.text("Id").expect("an id");
        world
            .change("Account", &id, &[("OwnerId", &owner)])
            .expect("the boss may");
    }
    let mine = format!("Rating = 'Hot' AND OwnerId = '{}'", world.users[ME].id);
    let device = prime(&world, ME, &rule(r#", "limit": 2"#));
    shows(
        &world,
        &device,
        &format!(
            "SELECT Id FROM Account WHERE {mine} ORDER BY Name, AnnualRevenue DESC NULLS LAST, Id LIMIT 2"
        ),
    );
    device.set_briefcase(rule("")).expect("stored");
    settle(&world, &device);
    shows(
        &world,
        &device,
        &format!("SELECT Id FROM Account WHERE {mine}"),
    );
}

#[test]
fn related_rules_hang_on_a_list() {
    let world = world(943);
    let device = prime(
        &world,
        ME,
        &rule(r#", "related": [{"children": "Contact.AccountId"}]"#),
    );
    let contacts = all(&device, "SELECT Id FROM Contact").len();
    let led = all(
        &device,
        "SELECT Id FROM Contact WHERE Account.Rating = 'Hot'",
    )
    .len();
    assert!(contacts > 0 && contacts == led);
}

#[test]
fn a_list_that_says_another_thing_changes_what_is_here() {
    let world = world(944);
    let device = prime(&world, ME, &rule(""));
    let cold = hot().condition(ListCondition::test("Rating", "in", "'Cold'"));
    world
        .sandbox
        .with_org(|org| org.define_list_view("Account", cold));
    world.sandbox.advance(3_000);
    sync(&device);
    shows(
        &world,
        &device,
        "SELECT Id FROM Account WHERE Rating = 'Hot'",
    );
    device.refresh_layouts().expect("a write");
    settle(&world, &device);
    shows(
        &world,
        &device,
        "SELECT Id FROM Account WHERE Rating = 'Cold'",
    );
}

#[test]
fn a_list_under_another_name_is_the_same_list() {
    let world = world(945);
    let device = prime(&world, ME, &rule(""));
    world
        .sandbox
        .with_org(|org| org.rename_list_view("Account", "Hot", "VeryHot"));
    world.sandbox.advance(A_DAY);
    let report = sync(&device);
    assert_eq!(report.unfollowed, []);
    shows(
        &world,
        &device,
        "SELECT Id FROM Account WHERE Rating = 'Hot'",
    );
}

#[test]
fn a_list_that_is_gone_evicts_nothing_and_is_told() {
    let world = world(946);
    let device = prime(&world, ME, &rule(""));
    let before = all(&device, "SELECT Id FROM Account");
    world
        .sandbox
        .with_org(|org| org.remove_list_view("Account", "Hot"));
    world.sandbox.advance(A_DAY);
    for _ in 0..2 {
        let report = sync(&device);
        assert_eq!(report.unfollowed.len(), 1, "{:?}", report.unfollowed);
        assert_eq!(report.unfollowed[0].rule, "List");
        assert!(
            report.unfollowed[0]
                .reason
                .contains("no list view Hot of Account"),
            "{}",
            report.unfollowed[0].reason
        );
        assert_eq!(
            (report.evicted, all(&device, "SELECT Id FROM Account").len()),
            (0, before.len())
        );
        world.sandbox.advance(700);
    }
    // Its records go on being kept up to date.
    let id = attache_tests::server_id(&device, &before[0]);
    world
        .change("Account", &id, &[("Site", "Moved")])
        .expect("the boss may");
    world.sandbox.advance(700);
    sync(&device);
    assert_eq!(
        attache_tests::value(&device, &before[0], "Site"),
        "Moved".into()
    );

    // Made again under its name, it is followed again.
    world
        .sandbox
        .with_org(|org| org.define_list_view("Account", hot()));
    device.refresh_layouts().expect("a write");
    let report = sync(&device);
    assert_eq!(report.unfollowed, []);
    settle(&world, &device);
    shows(
        &world,
        &device,
        "SELECT Id FROM Account WHERE Rating = 'Hot'",
    );
}

#[test]
fn a_list_that_was_never_there_is_refused_unless_it_is_optional() {
    let world = world(947);
    world
        .sandbox
        .with_org(|org| org.remove_list_view("Account", "Hot"));
    let device = world.device(ME).expect("a store");
    device.set_briefcase(rule("")).expect("stored");
    let error = wait(device.sync()).expect_err("no such list view");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(
        error.to_string().contains("no list view Hot of Account"),
        "{error}"
    );
    device
        .set_briefcase(rule(r#", "optional": true"#))
        .expect("stored");
    for _ in 0..2 {
        world.sandbox.clear_log();
        let report = sync(&device);
        assert_eq!(report.unfollowed.len(), 1, "{:?}", report.unfollowed);
        assert_eq!(report.unfollowed[0].rule, "List");
        world.sandbox.advance(700);
    }
    assert_eq!(asked(&world, "/listviews"), 0, "once a day");
    assert_eq!(
        device.status().expect("a count").records,
        [],
        "nothing to take"
    );
    world
        .sandbox
        .with_org(|org| org.define_list_view("Account", hot()));
    device.refresh_layouts().expect("a write");
    settle(&world, &device);
    shows(
        &world,
        &device,
        "SELECT Id FROM Account WHERE Rating = 'Hot'",
    );
}

#[test]
fn a_list_is_named_by_its_id_as_well() {
    let world = world(948);
    let id = world
        .sandbox
        .with_org(|org| org.define_list_view("Account", hot()));
    let json =
        format!(r#"{{"version": 1, "rules": [{{"object": "Account", "list_view": "{id}"}}]}}"#);
    let device = prime(&world, ME, &briefcase(&json));
    shows(
        &world,
        &device,
        "SELECT Id FROM Account WHERE Rating = 'Hot'",
    );
    assert_eq!(asked(&world, "/listviews"), 1, "the describe alone");
}

#[test]
fn a_rule_of_a_list_reads_prints_and_differs() {
    let with = rule(r#", "limit": 5"#);
    let again = Briefcase::from_json(&with.to_json()).expect("what was printed");
    assert_eq!(again.to_json(), with.to_json());
    assert!(with.to_json().contains(r#""list_view": "Hot""#));
    let diff = rule("").diff(&briefcase(
        r#"{"version": 1, "rules": [{"name": "List", "object": "Account", "list_view": "Cold"}]}"#,
    ));
    match &diff.rules[0].change {
        RuleChange::Changed {
            keys,
            downloads,
            evicts,
        } => {
            assert_eq!(keys, &["list_view"]);
            assert!(*downloads && *evicts);
        }
        other => panic!("{other:?}"),
    }
    for key in [
        r#""where": "Name != null""#,
        r#""scope": "mine""#,
        r#""order_by": "Name", "limit": 1"#,
    ] {
        let json = format!(
            r#"{{"version": 1, "rules": [{{"object": "Account", "list_view": "Hot", {key}}}]}}"#
        );
        let error = Briefcase::from_json(&json).expect_err("the list says it");
        assert!(
            error.to_string().contains("the list view says this"),
            "{error}"
        );
    }
    let wrong = r#"{"version": 1, "rules": [{"object": "Account", "list_view": "a/../b"}]}"#;
    assert!(Briefcase::from_json(wrong).is_err());
}

#[test]
fn a_dry_run_counts_what_a_list_would_bring() {
    let world = world(949);
    let device = prime(
        &world,
        ME,
        &briefcase(r#"{"version": 1, "rules": ["Lead"]}"#),
    );
    let run = wait(device.dry_run(&rule(""))).expect("a dry run");
    let rows = world
        .rows(
            &world.users[ME].id,
            "SELECT Id FROM Account WHERE Rating = 'Hot'",
        )
        .expect("a query");
    assert_eq!(run.rules[0].matches, rows.len() as u64);
}
