//! Aggregates and groups.

use super::*;

#[test]
fn aggregates_of_all_rows_are_one_record() {
    let org = filled();
    assert_eq!(
        org.asked(JO, "SELECT COUNT(Id), COUNT(AnnualRevenue) n, SUM(AnnualRevenue), AVG(NumberOfEmployees), MIN(Name), MAX(Renewal_Date__c), COUNT_DISTINCT(Industry) FROM Account"),
        r#"[{"attributes":{"type":"AggregateResult"},"expr0":4,"n":3,"expr1":400.0,"expr2":6.0,"expr3":"Acme","expr4":"2026-08-01","expr5":2}]"#
    );
}

#[test]
fn aggregates_of_no_rows_are_zero_and_null() {
    let org = filled();
    assert_eq!(
        org.asked(
            JO,
            "SELECT COUNT(Id), SUM(AnnualRevenue) FROM Account WHERE Name = 'none'"
        ),
        r#"[{"attributes":{"type":"AggregateResult"},"expr0":0,"expr1":null}]"#
    );
    assert_eq!(
        org.asked(
            JO,
            "SELECT Industry FROM Account WHERE Name = 'none' GROUP BY Industry"
        ),
        "[]"
    );
}

#[test]
fn groups_have_their_keys_null_included() {
    let org = filled();
    assert_eq!(
        org.asked(
            JO,
            "SELECT industry, COUNT(Id) FROM Account GROUP BY Industry ORDER BY Industry NULLS LAST"
        ),
        concat!(
            r#"[{"attributes":{"type":"AggregateResult"},"Industry":"Banking","expr0":1},"#,
            r#"{"attributes":{"type":"AggregateResult"},"Industry":"Energy","expr0":2},"#,
            r#"{"attributes":{"type":"AggregateResult"},"Industry":null,"expr0":1}]"#
        )
    );
}

#[test]
fn having_picks_groups() {
    let org = filled();
    assert_eq!(
        org.column(
            JO,
            "SELECT Industry FROM Account GROUP BY Industry HAVING COUNT(Id) > 1"
        ),
        ["Energy"]
    );
    assert_eq!(
        org.column(JO, "SELECT Industry FROM Account GROUP BY Industry HAVING Industry LIKE 'B%' OR SUM(AnnualRevenue) = 150 ORDER BY COUNT(Id) DESC"),
        ["Energy", "Banking"]
    );
}

#[test]
fn groups_by_date_functions_and_parents_work() {
    let org = filled();
    assert_eq!(
        org.column(
            JO,
            "SELECT CALENDAR_YEAR(CreatedDate) y FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)"
        ),
        ["2026"]
    );
    let json = org.asked(JO, "SELECT Account.Name, COUNT(Id) n FROM Contact GROUP BY Account.Name ORDER BY COUNT(Id) DESC LIMIT 1");
    assert!(json.contains(r#""Name":"Acme","n":2"#), "{json}");
}

#[test]
fn rollup_adds_subtotals() {
    let org = filled();
    let json = org.asked(JO, "SELECT Industry, Rating, COUNT(Id) n, GROUPING(Rating) g FROM Account WHERE Industry = 'Energy' GROUP BY ROLLUP(Industry, Rating)");
    let records: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let shown: Vec<String> = records
        .iter()
        .map(|r| format!("{} {} {} {}", r["Industry"], r["Rating"], r["n"], r["g"]))
        .collect();
    assert_eq!(
        shown,
        [
            r#""Energy" "Hot" 1 0"#,
            r#""Energy" "Warm" 1 0"#,
            r#""Energy" null 2 1"#,
            "null null 2 1"
        ]
    );
    let cube = org.query(JO, "SELECT Industry, Rating, COUNT(Id) FROM Account WHERE Industry = 'Energy' GROUP BY CUBE(Industry, Rating)", false);
    assert_eq!(cube.unwrap().total(), 2 + 1 + 2 + 1);
}

#[test]
fn groups_must_fit_one_page() {
    let mut org = org();
    for n in 0..2_001 {
        org.made(JO, "Account", &format!(r#"{{"Name":"{n}"}}"#));
    }
    assert_eq!(
        refusal(&org, "SELECT Name FROM Account GROUP BY Name"),
        "EXCEEDED_ID_LIMIT"
    );
    let limited = org.query(
        JO,
        "SELECT Name FROM Account GROUP BY Name LIMIT 2000",
        false,
    );
    assert_eq!(limited.unwrap().total(), 2_000);
}
