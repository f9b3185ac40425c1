//! What a result looks like.

use super::*;

#[test]
fn records_have_attributes_and_canonical_names_in_the_order_asked() {
    let org = filled();
    let id = org
        .column(JO, "SELECT Id FROM Account WHERE Name = 'Acme'")
        .remove(0);
    assert_eq!(
        org.asked(JO, "select NAME, annualrevenue, numberofemployees, createddate, id from account where name = 'acme'"),
        format!(
            r#"[{{"attributes":{{"type":"Account","url":"/services/data/v67.0/sobjects/Account/{id}"}},"Name":"Acme","AnnualRevenue":100.0,"NumberOfEmployees":5,"CreatedDate":"2026-07-15T12:00:00.000+0000","Id":"{id}"}}]"#
        )
    );
}

#[test]
fn parents_are_objects_or_null_and_paths_of_one_parent_join() {
    let org = filled();
    let json = org.asked(JO, "SELECT Account.Name, LastName, Account.Owner.FirstName, Account.Id FROM Contact ORDER BY LastName LIMIT 2");
    let records: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(records[0]["Account"], serde_json::Value::Null, "{json}");
    assert_eq!(records[1]["Account"]["Name"], "Acme");
    assert_eq!(records[1]["Account"]["attributes"]["type"], "Account");
    assert_eq!(records[1]["Account"]["Owner"]["FirstName"], "Jo");
    let keys: Vec<&String> = records[1].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
}

#[test]
fn children_are_a_result_of_their_own_or_null() {
    let org = filled();
    let json = org.asked(
        JO,
        "SELECT Name, (SELECT LastName FROM Contacts WHERE FirstName = 'Kim' ORDER BY LastName DESC) FROM Account ORDER BY Name LIMIT 2",
    );
    let records: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(records[0]["Contacts"]["totalSize"], 2);
    assert_eq!(records[0]["Contacts"]["done"], true);
    assert_eq!(records[0]["Contacts"]["records"][0]["LastName"], "Roe");
    assert_eq!(records[1]["Contacts"], serde_json::Value::Null);
}

#[test]
fn children_of_a_custom_relationship_end_in_r() {
    let mut org = filled();
    let id = org
        .column(JO, "SELECT Id FROM Account WHERE Name = 'Acme'")
        .remove(0);
    org.made(JO, "Visit__c", &format!(r#"{{"Account__c":"{id}"}}"#));
    let json = org.asked(
        JO,
        "SELECT (SELECT Name, Account__r.Name FROM Visits__r) FROM Account WHERE Name = 'Acme'",
    );
    assert!(json.contains(r#""Visits__r":{"totalSize":1"#), "{json}");
    assert!(json.contains(r#""Account__r":{"attributes""#), "{json}");
}

#[test]
fn child_rows_count_toward_a_page() {
    let org = filled();
    let cursor = org
        .query(
            JO,
            "SELECT Id, (SELECT Id FROM Contacts) FROM Account ORDER BY Name",
            false,
        )
        .unwrap();
    assert_eq!(cursor.total(), 4);
    let mut pages = Vec::new();
    let mut from = 0;
    while from < cursor.total() {
        let mut out = String::new();
        let consumed = org.render(JO, &cursor, from, 2, "67.0", &mut out);
        pages.push(consumed);
        from += consumed;
    }
    assert_eq!(
        pages,
        [1, 2, 1],
        "Acme and its two contacts fill the first page"
    );
}

#[test]
fn count_has_a_size_and_no_records() {
    let org = filled();
    let cursor = org
        .query(
            JO,
            "SELECT COUNT() FROM Account WHERE Industry = 'Energy'",
            false,
        )
        .unwrap();
    assert_eq!((cursor.total(), cursor.records()), (2, 0));
    assert_eq!(org.asked(JO, "SELECT COUNT() FROM Account"), "[]");
}

#[test]
fn nulls_come_first_unless_told_otherwise() {
    let mut org = filled();
    let first = |org: &Org, order: &str| {
        org.column(
            JO,
            &format!("SELECT Name FROM Account ORDER BY {order} LIMIT 1"),
        )
        .remove(0)
    };
    assert_eq!(first(&org, "AnnualRevenue"), "delta_x");
    assert_eq!(first(&org, "AnnualRevenue NULLS LAST"), "Gamma 100%");
    assert_eq!(first(&org, "AnnualRevenue DESC"), "delta_x");
    assert_eq!(first(&org, "AnnualRevenue DESC NULLS LAST"), "beta");
    org.config_mut().switches.nulls_first_when_descending = false;
    assert_eq!(first(&org, "AnnualRevenue DESC"), "beta");
}

#[test]
fn text_sorts_without_regard_to_case_and_picklists_by_definition() {
    let org = filled();
    assert_eq!(
        org.column(JO, "SELECT Name FROM Account ORDER BY Name"),
        ["Acme", "beta", "delta_x", "Gamma 100%"]
    );
    assert_eq!(
        org.column(
            JO,
            "SELECT Rating FROM Account WHERE Rating != null ORDER BY Rating"
        ),
        ["Hot", "Warm", "Cold"]
    );
}

#[test]
fn limit_and_offset_cut_the_result() {
    let org = filled();
    assert_eq!(
        org.column(
            JO,
            "SELECT Name FROM Account ORDER BY Name LIMIT 2 OFFSET 1"
        ),
        ["beta", "delta_x"]
    );
    assert_eq!(
        org.query(JO, "SELECT Name FROM Account LIMIT 0", false)
            .unwrap()
            .total(),
        0
    );
    assert_eq!(
        org.column(JO, "SELECT Id FROM Account ORDER BY Id LIMIT 2 OFFSET 3")
            .len(),
        1
    );
}

#[test]
fn fields_stands_for_all_standard_or_custom_ones() {
    let org = filled();
    let keys = |soql: &str| {
        let records: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(&org.asked(JO, soql)).unwrap();
        records[0].len() - 1
    };
    let fields = &org.schema().object("Account").unwrap().fields;
    let custom = fields.iter().filter(|field| field.custom).count();
    assert_eq!(
        keys("SELECT FIELDS(ALL) FROM Account LIMIT 200"),
        fields.len()
    );
    assert_eq!(
        keys("SELECT FIELDS(STANDARD) FROM Account"),
        fields.len() - custom
    );
    assert_eq!(
        keys("SELECT Id, FIELDS(CUSTOM) FROM Account LIMIT 1"),
        custom + 1
    );
    let id = org.column(JO, "SELECT Id FROM Account").remove(0);
    assert_eq!(
        keys(&format!(
            "SELECT FIELDS(ALL) FROM Account WHERE Id IN ('{id}')"
        )),
        fields.len()
    );
}

#[test]
fn a_lookup_to_several_objects_has_a_name_and_a_type() {
    let mut org = filled();
    let id = org
        .column(JO, "SELECT Id FROM Account WHERE Name = 'Acme'")
        .remove(0);
    org.made(
        JO,
        "Task",
        &format!(r#"{{"Subject":"Call","WhatId":"{id}"}}"#),
    );
    org.made(JO, "Task", r#"{"Subject":"Think"}"#);
    let json = org.asked(
        JO,
        "SELECT What.Name, What.Type FROM Task WHERE What.Type IN ('Account', 'Opportunity')",
    );
    assert!(json.contains(&format!(
        r#""What":{{"attributes":{{"type":"Name","url":"/services/data/v67.0/sobjects/Account/{id}"}},"Name":"Acme","Type":"Account"}}"#
    )), "{json}");
    assert_eq!(
        org.column(JO, "SELECT Subject FROM Task WHERE What.Name = null"),
        ["Think"]
    );
    assert_eq!(
        refusal(&org, "SELECT What.Industry FROM Task"),
        "INVALID_FIELD"
    );
    // A phone is told of users only, and nobody is missing a field that all of them have.
    assert_eq!(
        org.column(
            JO,
            "SELECT Subject FROM Task WHERE What.Phone != null OR What.IsActive = true"
        ),
        [""; 0]
    );
}

#[test]
fn typeof_shows_the_fields_of_what_it_meets() {
    let mut org = filled();
    let id = org
        .column(JO, "SELECT Id FROM Account WHERE Name = 'Acme'")
        .remove(0);
    org.made(
        JO,
        "Task",
        &format!(r#"{{"Subject":"Call","WhatId":"{id}"}}"#),
    );
    let json = org.asked(JO, "SELECT TYPEOF What WHEN Account THEN Industry, Phone WHEN Opportunity THEN Amount END FROM Task");
    assert!(
        json.contains(r#""What":{"attributes":{"type":"Account""#),
        "{json}"
    );
    assert!(
        json.contains(r#""Industry":"Energy","Phone":null}"#),
        "{json}"
    );
    let json = org.asked(
        JO,
        "SELECT TYPEOF What WHEN Opportunity THEN Amount END FROM Task",
    );
    assert!(json.contains(r#""What":null"#), "{json}");
    let json = org.asked(
        JO,
        "SELECT TYPEOF What WHEN Opportunity THEN Amount ELSE Name END FROM Task",
    );
    assert!(json.contains(r#""Name":"Acme""#), "{json}");
}

#[test]
fn mine_is_what_i_own_and_team_what_i_was_given_too() {
    let mut org = filled();
    let id = org.made(KIM, "Account", r#"{"Name":"Kims"}"#);
    org.grant("Account", &id, JO);
    assert_eq!(
        org.query(JO, "SELECT Id FROM Account", false)
            .unwrap()
            .total(),
        5
    );
    assert_eq!(
        org.query(JO, "SELECT Id FROM Account USING SCOPE mine", false)
            .unwrap()
            .total(),
        4
    );
    assert_eq!(
        org.query(JO, "SELECT Id FROM Account USING SCOPE team", false)
            .unwrap()
            .total(),
        5
    );
    assert_eq!(
        org.query(ADMIN, "SELECT Id FROM Account USING SCOPE mine", false)
            .unwrap()
            .total(),
        0
    );
}

#[test]
fn a_parent_one_may_not_see_is_null() {
    let mut org = filled();
    let id = org.made(KIM, "Account", r#"{"Name":"Kims"}"#);
    org.grant("Account", &id, JO);
    org.made(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Zed","AccountId":"{id}"}}"#),
    );
    let name = |org: &Org| {
        org.asked(
            JO,
            "SELECT Account.Name FROM Contact WHERE LastName = 'Zed'",
        )
    };
    assert!(name(&org).contains("Kims"));
    org.revoke("Account", &id, JO);
    assert!(name(&org).contains(r#""Account":null"#));
    org.config_mut().switches.hidden_parents_are_null = false;
    assert!(name(&org).contains("Kims"));
}

#[test]
fn later_pages_show_rows_as_they_are_then() {
    let mut org = filled();
    let cursor = org
        .query(JO, "SELECT Name FROM Account ORDER BY Name", false)
        .unwrap();
    let id = org
        .column(JO, "SELECT Id FROM Account WHERE Name = 'delta_x'")
        .remove(0);
    org.set(JO, "Account", &id, r#"{"Name":"changed"}"#)
        .unwrap();
    let mut out = String::new();
    assert_eq!(org.render(JO, &cursor, 2, 1, "67.0", &mut out), 1);
    assert!(out.contains("changed"));
    org.config_mut().switches.rows_vanish_from_later_pages = true;
    org.delete(JO, "Account", &id).unwrap();
    out.clear();
    assert_eq!(org.render(JO, &cursor, 2, 2, "67.0", &mut out), 2);
    assert!(!out.contains("changed") && out.contains("Gamma"));
}

#[test]
fn to_label_shows_the_label_of_a_value() {
    let org = filled();
    assert_eq!(
        org.column(
            JO,
            "SELECT toLabel(Rating) FROM Account WHERE Name = 'Acme'"
        ),
        ["Hot"]
    );
    let json = org.asked(
        JO,
        "SELECT toLabel(Rating) shown FROM Account WHERE Name = 'Acme'",
    );
    assert!(json.contains(r#""shown":"Hot""#), "{json}");
}

#[test]
fn nulls_last_is_not_honoured_through_a_lookup() {
    let org = filled();
    let soql = "SELECT LastName FROM Contact ORDER BY Account.Name NULLS LAST, LastName";
    assert_eq!(org.column(JO, soql), ["Alone", "Doe", "Roe"]);
}
