//! What is refused: with its place, and why.

use super::*;

#[test]
fn what_is_not_here_is_named_with_its_place() {
    let store = store();
    for (soql, kind, message) in [
        (
            "SELECT Id FROM Acount",
            ErrorKind::UnknownObject,
            "there is no object Acount here; did you mean Account?",
        ),
        (
            "SELECT Nmae FROM Account",
            ErrorKind::UnknownField,
            "Account has no field Nmae; did you mean Name?",
        ),
        (
            "SELECT Fax FROM Account",
            ErrorKind::UnknownField,
            "Account.Fax is not carried by this briefcase",
        ),
        (
            "SELECT Place__c FROM Account",
            ErrorKind::UnknownField,
            "Account.Place__c is made of parts: name those",
        ),
        (
            "SELECT Id FROM Case",
            ErrorKind::UnknownObject,
            "Case is not carried by this briefcase",
        ),
        (
            "SELECT Owner.Name FROM Account",
            ErrorKind::UnknownObject,
            "there is no object User here",
        ),
        (
            "SELECT Parnt.Name FROM Account",
            ErrorKind::UnknownField,
            "Account has no parent relationship Parnt; did you mean Parent?",
        ),
        (
            "SELECT What.Industry FROM Task",
            ErrorKind::UnknownField,
            "a path through What ends in what all its parents share (Id, Name, Type, FirstName, Email, ...), which Industry is not; for other fields use TYPEOF",
        ),
        (
            "SELECT (SELECT Id FROM Cases) FROM Account",
            ErrorKind::UnknownField,
            "Account has no child relationship of that name",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 5",
            ErrorKind::MalformedQuery,
            "expected a text, found a value of another type",
        ),
        (
            "SELECT Id FROM Account WHERE Name = TODAY",
            ErrorKind::MalformedQuery,
            "expected a text, found a value of another type",
        ),
        (
            "SELECT Id FROM Account WHERE Renewal__c > 2024-01-01T00:00:00Z",
            ErrorKind::MalformedQuery,
            "expected a date, found a value of another type",
        ),
        (
            "SELECT Id FROM Account WHERE Employees__c LIKE '5%'",
            ErrorKind::MalformedQuery,
            "LIKE compares texts only",
        ),
        (
            "SELECT Id FROM Account WHERE Name INCLUDES ('x')",
            ErrorKind::MalformedQuery,
            "INCLUDES and EXCLUDES compare multi-select lists only",
        ),
        (
            "SELECT Id FROM Account WHERE Active__c = 'true'",
            ErrorKind::MalformedQuery,
            "expected TRUE or FALSE, found a value of another type",
        ),
        (
            "SELECT Name, COUNT(Id) FROM Account GROUP BY Rating",
            ErrorKind::MalformedQuery,
            "Name must be grouped by or aggregated",
        ),
        (
            "SELECT Name, COUNT(Id) FROM Account GROUP BY Name HAVING COUNT(Id) > 1 AND (NOT Rating = 'Hot')",
            ErrorKind::MalformedQuery,
            "Rating must be grouped by or aggregated",
        ),
    ] {
        assert_eq!(store.fails(soql), (kind, message.to_owned()), "{soql}");
    }
}

#[test]
fn what_the_org_refuses_is_refused_here_with_its_place() {
    const CONDITION: &str = "cannot stand in a condition at the server";
    const ORDER: &str = "cannot be ordered by at the server";
    const GROUP: &str = "cannot be grouped by at the server";
    const AGGREGATE: &str = "cannot be aggregated at the server";
    let store = store();
    for (before, field, after, why) in [
        (
            "SELECT Id FROM Account WHERE ",
            "Notes__c",
            " LIKE 'a%'",
            CONDITION,
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'x' OR (NOT ",
            "Notes__c",
            " = null)",
            CONDITION,
        ),
        (
            "SELECT Id FROM Contact WHERE ",
            "Account.Notes__c",
            " = 'x'",
            CONDITION,
        ),
        (
            "SELECT Id, (SELECT Id FROM ChildAccounts WHERE ",
            "Notes__c",
            " = 'x') FROM Account",
            CONDITION,
        ),
        (
            "SELECT Id FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE ",
            "Notes__c",
            " = 'x')",
            CONDITION,
        ),
        (
            "SELECT COUNT() FROM Account WHERE ",
            "Notes__c",
            " != null",
            CONDITION,
        ),
        (
            "SELECT Id FROM Account ORDER BY Name, ",
            "Regions__c",
            "",
            ORDER,
        ),
        (
            "SELECT Id FROM Account ORDER BY ",
            "Notes__c",
            " DESC NULLS LAST",
            ORDER,
        ),
        (
            "SELECT Id FROM Contact ORDER BY ",
            "Account.Regions__c",
            "",
            ORDER,
        ),
        (
            "SELECT COUNT(Id) FROM Account GROUP BY Name, ",
            "Regions__c",
            "",
            GROUP,
        ),
        (
            "SELECT COUNT(Id) FROM Account GROUP BY ROLLUP(",
            "CreatedDate",
            ")",
            GROUP,
        ),
        (
            "SELECT COUNT(Id) FROM Account GROUP BY ",
            "Grade__c",
            "",
            GROUP,
        ),
        (
            "SELECT COUNT(Id) FROM Contact GROUP BY ",
            "Account.Notes__c",
            "",
            GROUP,
        ),
        ("SELECT COUNT(", "Active__c", ") FROM Account", AGGREGATE),
        ("SELECT MAX(", "Notes__c", ") FROM Account", AGGREGATE),
        (
            "SELECT Name FROM Account GROUP BY Name ORDER BY COUNT(",
            "Regions__c",
            ")",
            AGGREGATE,
        ),
        (
            "SELECT Name FROM Account GROUP BY Name HAVING COUNT_DISTINCT(",
            "Notes__c",
            ") > 1",
            AGGREGATE,
        ),
    ] {
        let soql = format!("{before}{field}{after}");
        let error = match compile(&Select::parse(&soql).unwrap(), &store, &store.context) {
            Ok(_) => panic!("{soql} compiled"),
            Err(error) => error,
        };
        let name = field.rsplit('.').next().unwrap();
        assert_eq!(error.kind(), ErrorKind::MalformedQuery, "{soql}");
        assert_eq!(error.position(), Some(before.len()), "{soql}");
        let told = error.to_string();
        assert!(
            told.ends_with(&format!("Account.{name} {why}")),
            "{soql}: {told}"
        );
    }
    for soql in [
        "SELECT Notes__c, Regions__c FROM Account WHERE Regions__c INCLUDES ('x')",
        "SELECT CALENDAR_YEAR(CreatedDate) FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)",
        "SELECT Id FROM Account WHERE Grade__c = 'A' ORDER BY CreatedDate, Grade__c",
        "SELECT MAX(CreatedDate) late FROM Account GROUP BY Name ORDER BY MAX(CreatedDate)",
    ] {
        assert!(
            compile(&Select::parse(soql).unwrap(), &store, &store.context).is_ok(),
            "{soql}"
        );
    }
}

#[test]
fn a_check_reports_all_problems_at_once() {
    let store = store();
    let filter = Filter::parse(
        "Nmae = 'x' AND (Employees__c = 'y' OR Notes__c LIKE 'z%') AND Name = 'fine'",
    )
    .unwrap();
    let error = filter.check(&store.schema, "Account").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownField);
    assert_eq!(error.position(), Some(0));
    let fields: Vec<&str> = error
        .problems()
        .iter()
        .flat_map(|problem| &problem.fields)
        .map(String::as_str)
        .collect();
    assert_eq!(fields, ["Nmae", "Employees__c", "Notes__c"]);
    assert!(
        Filter::parse("Name = 'x'")
            .unwrap()
            .check(&store.schema, "account")
            .is_ok()
    );
}
