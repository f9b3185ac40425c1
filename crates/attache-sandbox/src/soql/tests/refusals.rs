//! The words and codes of refusals.

use super::*;

#[test]
fn an_unknown_object_is_refused_in_the_recorded_words() {
    let error = filled()
        .query(JO, "select count() from XYZZY", false)
        .unwrap_err();
    assert_eq!(error.code, "INVALID_TYPE");
    assert_eq!(
        error.message,
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported. \
         If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference \
         your WSDL or the describe call for the appropriate names."
    );
}

#[test]
fn an_unknown_field_is_shown_in_its_line() {
    let error = filled()
        .query(JO, "SELECT Id,\n  Foo FROM Account", false)
        .unwrap_err();
    assert_eq!(error.code, "INVALID_FIELD");
    assert!(error.message.starts_with("\n  Foo FROM Account\n  ^\nERROR at Row:2:Column:3\nNo such column 'Foo' on entity 'Account'."));
}

/// Statements that are well formed, each with one fault, and the code it is refused with.
const FAULTS: &[(&str, &str)] = &[
    ("SELECT Id FROM Account WHERE Foo = 1", "INVALID_FIELD"),
    ("SELECT Foo.Name FROM Account", "INVALID_FIELD"),
    ("SELECT Id, id FROM Account", "INVALID_FIELD"),
    (
        "SELECT Id FROM Account WHERE Description = 'x'",
        "INVALID_FIELD",
    ),
    (
        "SELECT Id FROM Account WHERE AnnualRevenue = '5'",
        "INVALID_FIELD",
    ),
    ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
    (
        "SELECT Id FROM Account WHERE CreatedDate = 2026-01-01",
        "INVALID_FIELD",
    ),
    (
        "SELECT Id FROM Account WHERE Renewal_Date__c = 2026-01-01T00:00:00Z",
        "INVALID_FIELD",
    ),
    ("SELECT Id FROM Account WHERE Name = TODAY", "INVALID_FIELD"),
    (
        "SELECT Id FROM Account WHERE AnnualRevenue LIKE '5%'",
        "INVALID_QUERY_FILTER_OPERATOR",
    ),
    (
        "SELECT Id FROM Account WHERE Active__c > true",
        "INVALID_QUERY_FILTER_OPERATOR",
    ),
    (
        "SELECT Id FROM Account WHERE Name INCLUDES ('a')",
        "INVALID_QUERY_FILTER_OPERATOR",
    ),
    (
        "SELECT Id FROM Account WHERE Name < null",
        "INVALID_QUERY_FILTER_OPERATOR",
    ),
    (
        "SELECT Id FROM Account ORDER BY Regions__c",
        "MALFORMED_QUERY",
    ),
    (
        "SELECT Id FROM Account USING SCOPE delegated",
        "INVALID_QUERY_SCOPE",
    ),
    (
        "SELECT Id FROM Account OFFSET 2001",
        "NUMBER_OUTSIDE_VALID_RANGE",
    ),
    (
        "SELECT Id, (SELECT Id FROM Kittens) FROM Account",
        "INVALID_TYPE",
    ),
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
    (
        "SELECT FIELDS(ALL) FROM Account LIMIT 201",
        "MALFORMED_QUERY",
    ),
    ("SELECT Id, FIELDS(STANDARD) FROM Account", "INVALID_FIELD"),
    ("SELECT FIELDS(CUSTOM) FROM User LIMIT 5", "MALFORMED_QUERY"),
    ("SELECT Industry, COUNT(Id) FROM Account", "MALFORMED_QUERY"),
    ("SELECT COUNT(Id) FROM Account LIMIT 5", "MALFORMED_QUERY"),
    ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY"),
    (
        "SELECT Description FROM Account GROUP BY Description",
        "MALFORMED_QUERY",
    ),
    (
        "SELECT Id FROM Account WHERE Name = 'a' OR Id IN (SELECT AccountId FROM Contact)",
        "MALFORMED_QUERY",
    ),
    (
        "SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)",
        "MALFORMED_QUERY",
    ),
    (
        "SELECT Id FROM Account WHERE Id IN (SELECT ParentId FROM Account)",
        "MALFORMED_QUERY",
    ),
    (
        "SELECT Id FROM Contact WHERE AccountId IN (SELECT WhatId FROM Task)",
        "MALFORMED_QUERY",
    ),
    (
        "SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account",
        "MALFORMED_QUERY",
    ),
];

#[test]
fn each_fault_has_its_code() {
    let org = filled();
    for (soql, code) in FAULTS {
        assert_eq!(refusal(&org, soql), *code, "{soql}");
    }
}

#[test]
fn a_statement_or_text_may_be_too_long() {
    let org = filled();
    let long = format!(
        "SELECT Id FROM Account WHERE Name = '{}'",
        "a".repeat(4_001)
    );
    assert_eq!(refusal(&org, &long), "MALFORMED_QUERY");
    let long = format!(
        "SELECT Id FROM Account WHERE Name IN ({})",
        vec!["'aaaaaaaa'"; 10_000].join(",")
    );
    assert_eq!(refusal(&org, &long), "MALFORMED_QUERY");
}
