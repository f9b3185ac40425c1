//! Queries as hosts ask them: for somebody else, and row by row.

use attache::{ErrorKind, FiscalYearName};
use attache_sim::World;
use attache_tests::{all, briefcase, prime};
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
