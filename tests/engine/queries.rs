//! Queries as hosts ask them: for somebody else, and row by row.

use attache::{Attache, ErrorKind, FiscalYearName};
use attache_sandbox::Sandbox;
use attache_sim::World;
use attache_tests::{all, briefcase, prime, sync};
use std::ops::ControlFlow;

const RULES: &str = r#"{"version": 1, "rules": ["Account", "Contact", "Opportunity"]}"#;

#[test]
fn rows_are_shown_one_by_one_until_told_to_stop() {
    let device = prime(&World::new(11, 600), 0, &briefcase(RULES));
    let context = device.context().expect("the user is known");
    let soql = "SELECT Name, (SELECT Name FROM Contacts) FROM Account ORDER BY Name";
    let wanted: Vec<_> = device.query(soql).expect("a valid query").collect();
    assert!(wanted.len() > 3, "{}", wanted.len());
    let mut shown = Vec::new();
    let each = device.query_each(soql, &context, |row| {
        shown.push(row);
        ControlFlow::Continue(())
    });
    each.expect("a valid query");
    assert_eq!(shown, wanted);
    shown.clear();
    let each = device.query_each(soql, &context, |row| {
        shown.push(row);
        if shown.len() == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    each.expect("a valid query");
    assert_eq!(shown, wanted[..2]);
    let wrong = device.query_each("SELECT", &context, |_| ControlFlow::Continue(()));
    assert_eq!(wrong.expect_err("no query").position(), Some(6));
}

#[test]
fn a_fiscal_year_is_kept_with_the_store() {
    let device = prime(&World::new(12, 200), 0, &briefcase(RULES));
    // The world begins in November 2026.
    let begun = device
        .context()
        .expect("a context")
        .dates("THIS_FISCAL_YEAR");
    assert_eq!(begun.expect("a literal").start.to_string(), "2026-01-01");
    device
        .set_fiscal_year(4, FiscalYearName::Start)
        .expect("April");
    let context = device.context().expect("a context");
    assert_eq!(context.fiscal_year_name, FiscalYearName::Start);
    let begun = context.dates("THIS_FISCAL_YEAR").expect("a literal").start;
    assert_eq!(begun.to_string(), "2026-04-01");
    let soql = |literal: &str| {
        format!("SELECT Id FROM Opportunity WHERE CloseDate = {literal} ORDER BY Id")
    };
    let april_on = "SELECT Id FROM Opportunity WHERE CloseDate >= 2026-04-01 AND CloseDate < 2027-04-01 ORDER BY Id";
    assert_eq!(
        all(&device, &soql("THIS_FISCAL_YEAR")),
        all(&device, april_on)
    );
    let error = device
        .set_fiscal_year(13, FiscalYearName::End)
        .expect_err("no month");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

fn begins(device: &Attache, literal: &str) -> String {
    let context = device.context().expect("a context");
    let dates = context.dates(literal).expect("a literal");
    dates.start.to_string()
}

fn asked_of_the_organization(world: &World) -> usize {
    let log = world.sandbox.log();
    log.iter()
        .filter(|one| format!("{one:?}").contains("Organization"))
        .count()
}

#[test]
fn the_fiscal_year_is_the_orgs_and_asked_for_once_a_day() {
    let fiscal = Sandbox::builder().records(1_500).fiscal_year(5, true);
    let world = World::built(14, fiscal);
    let device = prime(&world, 0, &briefcase(RULES));
    assert_eq!(begins(&device, "THIS_FISCAL_YEAR"), "2026-05-01");
    assert_eq!(begins(&device, "NEXT_FISCAL_QUARTER"), "2027-02-01");
    for condition in [
        "CloseDate = THIS_FISCAL_QUARTER",
        "FISCAL_YEAR(CloseDate) = 2026",
        "FISCAL_QUARTER(CloseDate) = 1",
    ] {
        let soql = format!("SELECT Id FROM Opportunity WHERE {condition} ORDER BY Id");
        let rows = world.rows(&world.users[0].id, &soql).expect("valid");
        let at_org: Vec<_> = rows.iter().filter_map(|row| row.text("Id")).collect();
        let here: Vec<_> = all(&device, &soql)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(!here.is_empty(), "{condition}");
        assert_eq!(here, at_org, "{condition}");
    }
    assert_eq!(asked_of_the_organization(&world), 1);
    sync(&device);
    world.sandbox.advance(3_600);
    sync(&device);
    assert_eq!(asked_of_the_organization(&world), 1, "no call for nothing");
    world
        .sandbox
        .with_org(|org| org.config_mut().fiscal_year_start = 7);
    world.sandbox.advance(86_400);
    sync(&device);
    assert_eq!(asked_of_the_organization(&world), 2);
    assert_eq!(begins(&device, "THIS_FISCAL_YEAR"), "2026-07-01");
    device
        .set_fiscal_year(2, FiscalYearName::End)
        .expect("February");
    world.sandbox.advance(86_400);
    sync(&device);
    assert_eq!(
        begins(&device, "THIS_FISCAL_YEAR"),
        "2026-02-01",
        "the host's word holds"
    );
}

#[test]
fn a_user_who_may_not_know_the_fiscal_year_keeps_the_one_known() {
    let fiscal = Sandbox::builder().records(200).fiscal_year(10, false);
    let world = World::built(15, fiscal);
    let device = prime(&world, 0, &briefcase(RULES));
    assert_eq!(begins(&device, "THIS_FISCAL_YEAR"), "2026-10-01");
    let me = world.users[0].id.clone();
    world.sandbox.with_org(|org| {
        org.hide_field(&me, "Organization", "FiscalYearStartMonth", true);
    });
    world.sandbox.advance(86_400);
    sync(&device);
    assert_eq!(begins(&device, "THIS_FISCAL_YEAR"), "2026-10-01");
}

#[test]
fn the_week_begins_as_in_the_users_locale() {
    for (locale, monday_or_sunday) in [("de_DE", "2026-11-16"), ("en_US", "2026-11-22")] {
        let world = World::built(16, Sandbox::builder().records(200).locale(locale));
        let device = prime(&world, 0, &briefcase(RULES));
        // The world begins on a Sunday.
        assert_eq!(begins(&device, "THIS_WEEK"), monday_or_sunday, "{locale}");
    }
}

#[test]
fn a_query_is_asked_for_another_user_and_another_day() {
    let device = prime(&World::new(13, 200), 0, &briefcase(RULES));
    let mine = "SELECT Id FROM Account USING SCOPE mine";
    let own = all(&device, mine);
    assert!(!own.is_empty());
    let mut context = device.context().expect("a context");
    context.user_id = String::from("005000000000000AAA");
    assert_eq!(
        device
            .query_with(mine, &context)
            .expect("a valid query")
            .count(),
        0
    );
    context.now.0 -= 100 * 365 * 86_400;
    let today = "SELECT Id FROM Account WHERE CreatedDate <= TODAY";
    assert_eq!(
        device
            .query_with(today, &context)
            .expect("a valid query")
            .count(),
        0
    );
    assert!(!all(&device, today).is_empty());
}

#[test]
fn what_all_parents_of_a_lookup_share_is_read_where_the_parent_is_here() {
    let world = World::new(17, 600);
    let rules = r#"{"version": 1, "rules": ["Task", "User", "Contact", "Account"]}"#;
    let device = prime(&world, 0, &briefcase(rules));
    let me = &world.users[0].id;
    for condition in [
        "Who.LastName != null",
        "Who.FirstName LIKE 'A%' OR Who.LastName LIKE 'S%'",
        "Who.LastName != null AND Who.Email = null",
        "Who.Name != null AND What.Phone = null",
    ] {
        // Leads are not carried: the device knows no name of theirs.
        let soql = format!("SELECT Id FROM Task WHERE ({condition}) AND Who.Type = 'Contact'");
        let rows = world.rows(me, &soql).expect("valid");
        let mut there: Vec<_> = rows.iter().filter_map(|row| row.text("Id")).collect();
        let mut here: Vec<_> = all(&device, &soql)
            .iter()
            .map(ToString::to_string)
            .collect();
        there.sort();
        here.sort();
        assert!(!here.is_empty(), "{condition}");
        assert_eq!(here, there, "{condition}");
    }
    let error = device
        .query("SELECT Who.Salutation FROM Task")
        .expect_err("not shared");
    assert_eq!(error.kind(), ErrorKind::UnknownField);
    let events = r#"{"version": 1, "rules": ["Task", "Account"]}"#;
    let poor = prime(&world, 0, &briefcase(events));
    let error = poor
        .query("SELECT Who.LastName FROM Task")
        .expect_err("no people here");
    assert_eq!(error.kind(), ErrorKind::UnknownObject, "{error}");
}
