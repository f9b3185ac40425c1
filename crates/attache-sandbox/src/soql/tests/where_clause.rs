//! WHERE.

use super::*;

#[test]
fn text_is_compared_without_regard_to_case() {
    let org = filled();
    assert_eq!(names(&org, "Name = 'ACME'"), ["Acme"]);
    assert_eq!(names(&org, "Name IN ('BETA', 'acme')"), ["Acme", "beta"]);
    assert_eq!(names(&org, "Name LIKE 'GAMMA%'"), ["Gamma 100%"]);
    assert_eq!(names(&org, "Name < 'C'"), ["Acme", "beta"]);
}

#[test]
fn a_case_sensitive_field_minds_case() {
    let mut org = filled();
    let mut schema = org.schema_mut();
    let mut object = schema.object("Account").unwrap().clone();
    let at = object.index("Name").unwrap();
    object.fields[at].case_sensitive = true;
    schema.insert(object);
    drop(schema);
    assert!(names(&org, "Name = 'ACME'").is_empty());
    assert_eq!(names(&org, "Name = 'Acme'"), ["Acme"]);
}

#[test]
fn wildcards_can_be_escaped() {
    let org = filled();
    assert_eq!(names(&org, r"Name LIKE '%100\%'"), ["Gamma 100%"]);
    assert_eq!(names(&org, r"Name LIKE 'delta\_x'"), ["delta_x"]);
    assert_eq!(names(&org, r"Name LIKE 'b_ta'"), ["beta"]);
}

#[test]
fn an_empty_text_is_null() {
    let org = filled();
    assert_eq!(names(&org, "Industry = ''"), ["delta_x"]);
    assert_eq!(names(&org, "Industry = null"), ["delta_x"]);
    assert_eq!(names(&org, "Industry != ''").len(), 3);
}

#[test]
fn not_equal_finds_null_and_order_does_not() {
    let org = filled();
    assert_eq!(names(&org, "Industry != 'Energy'"), ["beta", "delta_x"]);
    assert_eq!(names(&org, "AnnualRevenue < 1000000").len(), 3);
    assert_eq!(names(&org, "AnnualRevenue >= 100"), ["Acme", "beta"]);
}

#[test]
fn the_open_points_of_null_follow_their_switches() {
    let mut org = filled();
    assert_eq!(
        names(&org, "Industry NOT IN ('Energy')"),
        ["beta", "delta_x"]
    );
    assert_eq!(names(&org, "(NOT Industry LIKE 'E%')"), ["beta", "delta_x"]);
    org.config_mut().switches.not_in_matches_null = false;
    org.config_mut().switches.not_like_matches_null = false;
    assert_eq!(names(&org, "Industry NOT IN ('Energy')"), ["beta"]);
    assert_eq!(names(&org, "(NOT Industry LIKE 'E%')"), ["beta"]);
}

#[test]
fn a_checkbox_is_never_null() {
    let org = filled();
    assert_eq!(names(&org, "Active__c = null").len(), 3);
    assert_eq!(names(&org, "Active__c != null"), ["Acme"]);
    assert_eq!(names(&org, "Active__c = TRUE"), ["Acme"]);
}

#[test]
fn multi_select_lists_are_sets() {
    let org = filled();
    assert_eq!(names(&org, "Regions__c = 'EMEA;AMER'"), ["Acme"]);
    assert_eq!(
        names(&org, "Regions__c INCLUDES ('AMER;EMEA', 'apac')"),
        ["Acme", "Gamma 100%"]
    );
    assert_eq!(
        names(&org, "Regions__c EXCLUDES ('EMEA')"),
        ["delta_x", "Gamma 100%"]
    );
}

#[test]
fn ids_may_be_short_and_mind_case() {
    let org = filled();
    let id = org
        .column(JO, "SELECT Id FROM Account WHERE Name = 'Acme'")
        .remove(0);
    assert_eq!(names(&org, &format!("Id = '{}'", &id[..15])), ["Acme"]);
    assert_eq!(names(&org, &format!("Id IN ('{id}')")), ["Acme"]);
    assert_eq!(names(&org, &format!("Id > '{id}'")).len(), 3);
    assert_eq!(
        refusal(&org, "SELECT Id FROM Account WHERE Id = 'nonsense'"),
        "INVALID_QUERY_FILTER_OPERATOR"
    );
}

#[test]
fn a_missing_parent_reads_as_null() {
    let org = filled();
    let last = |condition: &str| {
        org.column(
            JO,
            &format!("SELECT LastName FROM Contact WHERE {condition} ORDER BY LastName"),
        )
    };
    assert_eq!(last("Account.Name = null"), ["Alone"]);
    assert_eq!(last("Account.Name = 'acme'"), ["Doe", "Roe"]);
    assert_eq!(last("Account.Active__c = false"), ["Alone"]);
    assert_eq!(last("Account.Owner.Name LIKE 'Jo%'"), ["Doe", "Roe"]);
}

#[test]
fn a_semi_join_finds_rows_by_the_rows_of_another_object() {
    let org = filled();
    assert_eq!(
        names(
            &org,
            "Id IN (SELECT AccountId FROM Contact WHERE LastName = 'Roe')"
        ),
        ["Acme"]
    );
    assert_eq!(
        names(&org, "Id NOT IN (SELECT AccountId FROM Contact)").len(),
        3
    );
}

#[test]
fn money_is_compared_to_the_last_digit() {
    let mut org = filled();
    let id = org
        .column(JO, "SELECT Id FROM Account WHERE Name = 'Acme'")
        .remove(0);
    org.made(
        JO,
        "Visit__c",
        &format!(r#"{{"Account__c":"{id}","Fee__c":9999999999999999.98}}"#),
    );
    let fee = |condition: &str| {
        org.column(
            JO,
            &format!("SELECT Name FROM Visit__c WHERE Fee__c {condition}"),
        )
        .len()
    };
    assert_eq!(
        (
            fee("= 9999999999999999.98"),
            fee("= 9999999999999999.99"),
            fee("> 9999999999999999.97")
        ),
        (1, 0, 1)
    );
}

#[test]
fn a_keyset_condition_pages_through_ties() {
    let org = filled();
    let all = org.column(JO, "SELECT Id FROM Account ORDER BY SystemModstamp, Id");
    let mut seen = Vec::new();
    let mut last = (
        "1970-01-01T00:00:00Z".to_owned(),
        "000000000000000AAA".to_owned(),
    );
    loop {
        let soql = format!(
            "SELECT Id FROM Account WHERE (SystemModstamp > {t} OR (SystemModstamp = {t} AND Id > '{id}')) \
             ORDER BY SystemModstamp, Id LIMIT 2",
            t = last.0,
            id = last.1
        );
        let page = org.column(JO, &soql);
        let Some(id) = page.last() else { break };
        let stamp = org
            .column(
                JO,
                &format!("SELECT SystemModstamp FROM Account WHERE Id = '{id}'"),
            )
            .remove(0);
        last = (stamp, id.clone());
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

#[test]
fn every_index_finds_what_a_scan_finds() {
    let org = filled();
    for (indexed, scanned) in [
        ("External_Id__c = 'a-1'", "Name = 'Acme'"),
        ("External_Id__c IN ('A-1')", "Name = 'Acme'"),
        (
            "SystemModstamp >= 2026-07-15T12:00:01Z AND SystemModstamp < 2026-07-15T12:00:03Z",
            "Name IN ('beta','Gamma 100%')",
        ),
        (
            "SystemModstamp = 2026-07-15T12:00:03Z OR SystemModstamp = 2026-07-15T12:00:00Z",
            "Name IN ('delta_x','Acme')",
        ),
        ("SystemModstamp = TODAY", "Id != null"),
    ] {
        assert_eq!(names(&org, indexed), names(&org, scanned), "{indexed}");
    }
}
