//! Triggers, validation rules and what follows a save.

use crate::org::testing::*;
use crate::value::Value;
use rust_decimal::Decimal;

#[test]
fn a_website_is_normalised_at_save() {
    let mut org = org();
    let id = org.made(
        JO,
        "Account",
        r#"{"Name":"Acme","Website":"WWW.Acme.COM/Path"}"#,
    );
    assert_eq!(
        org.field("Account", &id, "Website"),
        Value::text("https://www.acme.com/Path")
    );
    org.set(JO, "Account", &id, r#"{"Website":"HTTP://Acme.com"}"#)
        .unwrap();
    assert_eq!(
        org.field("Account", &id, "Website"),
        Value::text("http://acme.com")
    );
}

#[test]
fn a_stage_brings_its_probability_and_forecast() {
    let mut org = org();
    let json = r#"{"Name":"Deal","StageName":"Prospecting","CloseDate":"2026-09-01","Amount":200}"#;
    let id = org.made(JO, "Opportunity", json);
    assert_eq!(
        org.field("Opportunity", &id, "Probability"),
        Value::Number(Decimal::from(10))
    );
    assert_eq!(
        org.field("Opportunity", &id, "ExpectedRevenue"),
        Value::Number(Decimal::from(20))
    );
    assert_eq!(
        org.field("Opportunity", &id, "IsClosed"),
        Value::Bool(false)
    );
    org.set(JO, "Opportunity", &id, r#"{"StageName":"Closed Won"}"#)
        .unwrap();
    assert_eq!(
        org.field("Opportunity", &id, "Probability"),
        Value::Number(Decimal::from(100))
    );
    assert_eq!(
        org.field("Opportunity", &id, "ForecastCategory"),
        Value::text("Closed")
    );
    assert_eq!(org.field("Opportunity", &id, "IsWon"), Value::Bool(true));
}

#[test]
fn a_probability_that_comes_with_the_stage_stays() {
    let mut org = org();
    let json =
        r#"{"Name":"Deal","StageName":"Prospecting","CloseDate":"2026-09-01","Probability":55}"#;
    let id = org.made(JO, "Opportunity", json);
    assert_eq!(
        org.field("Opportunity", &id, "Probability"),
        Value::Number(Decimal::from(55))
    );
}

#[test]
fn a_broken_validation_rule_writes_nothing() {
    let mut org = org();
    let json = r#"{"Name":"Deal","StageName":"Prospecting","CloseDate":"2026-09-01"}"#;
    let id = org.made(JO, "Opportunity", json);
    let errors = org
        .set(
            JO,
            "Opportunity",
            &id,
            r#"{"StageName":"Closed Won","NextStep":"Party"}"#,
        )
        .unwrap_err();
    assert_eq!(codes(&errors), ["FIELD_CUSTOM_VALIDATION_EXCEPTION"]);
    assert_eq!(errors[0].message, "A won opportunity needs an amount.");
    assert!(errors[0].fields.is_empty());
    assert_eq!(org.field("Opportunity", &id, "NextStep"), Value::Null);
}

#[test]
fn all_broken_validation_rules_are_told() {
    let mut org = org();
    let errors = org.refused(JO, "Account", r#"{"Name":"Acme","NumberOfEmployees":-1}"#);
    assert_eq!(errors[0].fields, ["NumberOfEmployees"]);
    let errors = org.refused(
        JO,
        "Contact",
        r#"{"LastName":"Roe","Birthdate":"2027-01-01"}"#,
    );
    assert_eq!(errors[0].fields, ["Birthdate"]);
    let errors = org.refused(JO, "Task", r#"{"Subject":"Call","Priority":"High"}"#);
    assert_eq!(errors[0].fields, ["ActivityDate"]);
}

#[test]
fn an_activity_moves_its_accounts_last_activity_and_only_the_system_stamp() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.wait(60);
    org.made(
        JO,
        "Task",
        &format!(r#"{{"Subject":"Call","WhatId":"{account}","ActivityDate":"2026-07-10"}}"#),
    );
    assert_eq!(
        org.field("Account", &account, "LastActivityDate"),
        Value::Date(jiff::civil::date(2026, 7, 10))
    );
    let row = org.read(JO, "Account", &account).unwrap();
    assert_eq!(
        (row.last_modified(), row.system_modstamp()),
        (NOON, NOON + 60)
    );
}

#[test]
fn a_formula_follows_the_other_record_without_a_stamp() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let visit = org.made(JO, "Visit__c", &format!(r#"{{"Account__c":"{account}"}}"#));
    org.wait(60);
    org.set(JO, "Account", &account, r#"{"Name":"Bcme"}"#)
        .unwrap();
    assert_eq!(
        org.field("Visit__c", &visit, "Account_Name__c"),
        Value::text("Bcme")
    );
    assert_eq!(
        org.field("Visit__c", &visit, "SystemModstamp"),
        Value::DateTime(NOON)
    );
}

#[test]
fn the_name_of_a_person_is_made_of_its_parts() {
    let mut org = org();
    let id = org.made(JO, "Contact", r#"{"FirstName":"Kim","LastName":"Roe"}"#);
    assert_eq!(org.field("Contact", &id, "Name"), Value::text("Kim Roe"));
}

#[test]
fn validation_rules_may_run_first() {
    let mut org = org();
    let json = r#"{"NumberOfEmployees":-1}"#;
    assert_eq!(
        codes(&org.refused(JO, "Account", json)),
        ["REQUIRED_FIELD_MISSING"]
    );
    org.config_mut().switches.validation_rules_first = true;
    assert_eq!(
        codes(&org.refused(JO, "Account", json)),
        ["FIELD_CUSTOM_VALIDATION_EXCEPTION"]
    );
}
