//! Triggers, files of rules, duplicate rules.

use crate::org::testing::*;
use crate::org::{DuplicateAction, DuplicateRule, SaveError};
use crate::value::Value;

#[test]
fn triggers_change_refuse_and_write_elsewhere() {
    let mut org = org();
    org.before_save("Contact", |row| {
        if row.is_new() && row.get("Title").is_null() {
            row.set("Title", Value::text("Newcomer"));
        }
        match row.changes("LastName") && row.get("LastName").as_text() == Some("Bad") {
            true => Err(SaveError::new("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "no")),
            false => Ok(()),
        }
    });
    org.after_save("Contact", |org, saved| {
        let row = org.read(&saved.actor, "Contact", &saved.id);
        let account = row.map(|row| row.get("AccountId").into_owned());
        if let Some(Value::Text(account)) = account {
            let fields = fields(r#"{"Site":"visited"}"#);
            let done = org.update(&saved.actor, "Account", &account, &fields, None);
            done.map_err(|errors| errors[0].clone())?;
        }
        Ok(())
    });
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let contact = format!(r#"{{"LastName":"Öz","AccountId":"{account}"}}"#);
    let contact = org.made(JO, "Contact", &contact);
    assert_eq!(
        org.field("Contact", &contact, "Title"),
        Value::text("Newcomer")
    );
    assert_eq!(
        org.field("Account", &account, "Site"),
        Value::text("visited")
    );
    let refused = org.refused(JO, "Contact", r#"{"LastName":"Bad"}"#);
    assert_eq!(codes(&refused), ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]);
    assert_eq!(org.count("Contact"), 1);
}

#[test]
fn triggers_that_start_each_other_come_to_an_end() {
    let mut org = org();
    org.after_save("Account", |org, saved| {
        let again = fields(r#"{"Site":"again"}"#);
        let done = org.update(&saved.actor, "Account", &saved.id, &again, None);
        done.map_err(|errors| errors[0].clone())
    });
    let refused = org.refused(JO, "Account", r#"{"Name":"Acme"}"#);
    assert_eq!(codes(&refused), ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]);
    assert_eq!(org.count("Account"), 0);
}

#[test]
fn a_file_of_rules_is_followed() {
    let mut org = org();
    org.add_rules(
        r#"{"version": 1,
            "duplicate_rules": [{"name": "Same site", "object": "Account", "fields": ["Site"], "action": "block"}],
            "rules": [
                {"object": "Contact", "on": "create", "set": {"Title": "Newcomer"}},
                {"object": "Contact", "if": "Title = 'Newcomer' AND AccountId != null", "parent": "AccountId", "set": {"Rating": "Hot"}},
                {"object": "Contact", "if": "Email = null AND Phone = null",
                 "refuse": {"message": "Give a mail address or a phone.", "field": "Email"}},
                {"object": "Contact", "if": "Phone = '666'", "throw": "NullPointerException"}]}"#,
    )
    .unwrap();
    let account = org.made(JO, "Account", r#"{"Name":"Acme","Site":"Bern"}"#);
    let contact = format!(r#"{{"LastName":"Öz","Phone":"1","AccountId":"{account}"}}"#);
    let contact = org.made(JO, "Contact", &contact);
    assert_eq!(
        org.field("Contact", &contact, "Title"),
        Value::text("Newcomer")
    );
    assert_eq!(org.field("Account", &account, "Rating"), Value::text("Hot"));
    let refused = org.refused(JO, "Contact", r#"{"LastName":"Öz"}"#);
    assert_eq!(codes(&refused), ["FIELD_CUSTOM_VALIDATION_EXCEPTION"]);
    assert_eq!(refused[0].fields, ["Email"]);
    let refused = org.refused(JO, "Contact", r#"{"LastName":"Öz","Phone":"666"}"#);
    assert_eq!(codes(&refused), ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]);
    let refused = org.refused(JO, "Account", r#"{"Name":"Other","Site":"bern"}"#);
    assert_eq!(codes(&refused), ["DUPLICATES_DETECTED"]);
    assert_eq!((org.count("Account"), org.count("Contact")), (1, 1));
}

#[test]
fn a_file_that_cannot_be_followed_says_why_and_adds_nothing() {
    for (file, word) in [
        ("[]", "invalid length"),
        ("x", "expected"),
        (r#"{"version": 2}"#, "version 2"),
        (r#"{"version": 1, "rulez": []}"#, "rulez"),
        (
            r#"{"version": 1, "rules": [{"object": "Nope", "throw": "x"}]}"#,
            "Nope",
        ),
        (
            r#"{"version": 1, "rules": [{"object": "Account"}]}"#,
            "one of",
        ),
        (
            r#"{"version": 1, "rules": [{"object": "Account", "if": "Foo = 1", "throw": "x"}]}"#,
            "rules[0]: if",
        ),
        (
            r#"{"version": 1, "rules": [{"object": "Account", "set": {"Foo": 1}}]}"#,
            "Foo",
        ),
        (
            r#"{"version": 1, "duplicate_rules": [{"name": "n", "object": "Account", "fields": ["Foo"], "action": "alert"}]}"#,
            "duplicate_rules[0]",
        ),
        (
            r#"{"version": 1, "duplicate_rules": [{"name": "n", "object": "Account", "fields": [], "action": "alert"}]}"#,
            "no fields",
        ),
    ] {
        let mut org = org();
        let error = org.add_rules(file).unwrap_err();
        assert!(error.contains(word), "{file}: {error}");
        org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    }
}

#[test]
fn the_history_of_fields_is_kept_where_that_is_wanted() {
    let mut org = org();
    org.made(JO, "Account", r#"{"Name":"Before"}"#);
    org.track_history("Account", &["Name", "NumberOfEmployees"])
        .unwrap();
    org.track_history("Visit__c", &["Outcome__c"]).unwrap();
    assert!(org.track_history("Account", &["Name"]).is_err());
    assert!(org.track_history("Contact", &["Foo"]).is_err());
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let change = r#"{"Name":"Acme 2","NumberOfEmployees":7,"Site":"Bern"}"#;
    org.set(JO, "Account", &id, change).unwrap();
    let soql = format!(
        "SELECT Field, OldValue, NewValue FROM AccountHistory WHERE AccountId = '{id}' ORDER BY Id"
    );
    let told = org.asked(JO, &soql);
    let told: Vec<serde_json::Value> = serde_json::from_str(&told).unwrap();
    let of = |at: usize| {
        (
            &told[at]["Field"],
            &told[at]["OldValue"],
            &told[at]["NewValue"],
        )
    };
    let null = serde_json::Value::Null;
    assert_eq!(of(0), (&"created".into(), &null, &null));
    assert_eq!(of(1), (&"Name".into(), &"Acme".into(), &"Acme 2".into()));
    assert_eq!(
        (of(2).0, of(2).2.as_f64()),
        (&"NumberOfEmployees".into(), Some(7.0))
    );
    assert_eq!(told.len(), 3, "{told:?}");
    // Who does not see the account does not see what it was.
    assert_eq!(org.column(KIM, "SELECT Id FROM AccountHistory").len(), 0);
    let row = org.column(JO, "SELECT Id FROM AccountHistory")[0].clone();
    assert!(
        org.set(ADMIN, "AccountHistory", &row, r#"{"Field":"x"}"#)
            .is_err()
    );
    // What is refused leaves no trace.
    let refused = org.set(JO, "Account", &id, r#"{"NumberOfEmployees":-1}"#);
    assert!(refused.is_err());
    assert_eq!(org.column(JO, "SELECT Id FROM AccountHistory").len(), 3);
}

#[test]
fn a_duplicate_is_refused_with_what_it_is_one_of() {
    for (action, allowed) in [
        (DuplicateAction::Alert, true),
        (DuplicateAction::Block, false),
    ] {
        let mut org = org();
        let rule = DuplicateRule {
            name: "Same name".into(),
            object: "contact".into(),
            fields: vec!["lastname".into(), "Email".into()],
            action,
        };
        org.add_duplicate_rule(rule).unwrap();
        let same = r#"{"LastName":"Öz","Email":"oz@acme.example"}"#;
        let known = org.made(JO, "Contact", same);
        // Without a mail address nothing is compared.
        org.made(JO, "Contact", r#"{"LastName":"Öz"}"#);
        let refused = org.refused(
            JO,
            "Contact",
            r#"{"LastName":"ÖZ","Email":"OZ@acme.example"}"#,
        );
        let found = refused[0].duplicates.as_deref().unwrap();
        assert_eq!(found.matches, std::slice::from_ref(&known));
        assert_eq!((found.allow_save, found.fields.len()), (allowed, 2));
        // What the user does not see is not told.
        org.made(KIM, "Contact", same);
        let saved = org.allowing_duplicates(|org| org.create(JO, "Contact", &fields(same)));
        assert_eq!(saved.is_ok(), allowed);
        // An edit of another field is none of the rule's business.
        org.set(JO, "Contact", &known, r#"{"Phone":"1"}"#).unwrap();
    }
}
