//! Dates in statements.

use super::*;

#[test]
fn a_literal_is_a_span_and_every_operator_knows_its_ends() {
    let org = filled();
    for (condition, expected) in [
        ("= TODAY", vec!["beta"]),
        ("!= TODAY", vec!["Acme", "delta_x", "Gamma 100%"]),
        ("< NEXT_N_DAYS:20", vec!["beta"]),
        ("<= NEXT_N_DAYS:20", vec!["beta", "Gamma 100%"]),
        (">= TODAY", vec!["beta", "Gamma 100%"]),
        ("> TODAY", vec!["Gamma 100%"]),
        ("> LAST_N_DAYS:7", vec!["Gamma 100%"]),
        ("= NEXT_MONTH", vec!["Gamma 100%"]),
        ("= 2026-07-15", vec!["beta"]),
    ] {
        assert_eq!(
            names(&org, &format!("Renewal_Date__c {condition}")),
            expected,
            "{condition}"
        );
    }
}

#[test]
fn today_is_the_users_own() {
    let mut org = filled();
    // 02:00 in Greenwich on the 16th is still the 15th in New York.
    org.set_now(NOON + 14 * 3600);
    let admin = org.column(
        ADMIN,
        "SELECT Name FROM Account WHERE Renewal_Date__c = TODAY",
    );
    assert!(admin.is_empty());
    assert_eq!(names(&org, "Renewal_Date__c = TODAY"), ["beta"]);
}

#[test]
fn a_week_starts_on_the_day_of_the_users_locale() {
    let mut org = org();
    // Sunday the 19th belongs to next week in New York and to this week in Berlin.
    org.made(
        JO,
        "Account",
        r#"{"Name":"US","Renewal_Date__c":"2026-07-19"}"#,
    );
    org.made(
        KIM,
        "Account",
        r#"{"Name":"DE","Renewal_Date__c":"2026-07-19"}"#,
    );
    let this_week = "SELECT Name FROM Account WHERE Renewal_Date__c = THIS_WEEK";
    assert!(org.column(JO, this_week).is_empty());
    assert_eq!(org.column(KIM, this_week), ["DE"]);
    org.config_mut().switches.week_follows_locale = false;
    assert!(org.column(KIM, this_week).is_empty());
}

#[test]
fn an_instant_belongs_to_the_local_day() {
    let mut org = org();
    org.set_now(NOON - 11 * 3600);
    org.made(JO, "Account", r#"{"Name":"A"}"#);
    org.set_now(NOON);
    // Made at 01:00 in Greenwich: yesterday evening in New York, today in Berlin.
    assert_eq!(names(&org, "CreatedDate = YESTERDAY"), ["A"]);
    assert_eq!(
        org.column(ADMIN, "SELECT Name FROM Account WHERE CreatedDate = TODAY"),
        ["A"]
    );
}

#[test]
fn instants_are_read_with_any_offset() {
    let org = filled();
    for instant in [
        "2026-07-15T12:00:00Z",
        "2026-07-15T14:00:00+02:00",
        "2026-07-15T08:00:00.000-0400",
    ] {
        assert_eq!(
            names(&org, &format!("CreatedDate = {instant}")),
            ["Acme"],
            "{instant}"
        );
    }
}

#[test]
fn calendar_functions_compare_with_numbers() {
    let org = filled();
    assert_eq!(
        names(&org, "CALENDAR_MONTH(Renewal_Date__c) = 8"),
        ["Gamma 100%"]
    );
    assert_eq!(names(&org, "DAY_IN_WEEK(Renewal_Date__c) = 4"), ["beta"]);
    assert_eq!(names(&org, "CALENDAR_YEAR(CreatedDate) = 2026").len(), 4);
    assert_eq!(names(&org, "HOUR_IN_DAY(CreatedDate) = 12").len(), 4);
    assert_eq!(
        names(&org, "HOUR_IN_DAY(convertTimezone(CreatedDate)) = 8").len(),
        4
    );
    assert_eq!(names(&org, "DAY_ONLY(CreatedDate) = 2026-07-15").len(), 4);
    assert_eq!(
        refusal(
            &org,
            "SELECT Id FROM Account WHERE CALENDAR_YEAR(CreatedDate) = TODAY"
        ),
        "INVALID_FIELD"
    );
}
