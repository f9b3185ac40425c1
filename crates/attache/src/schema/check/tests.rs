use super::*;
use crate::error::{Error, ErrorKind};
use rust_decimal::Decimal;

/// An object with a field for every rule.
fn object() -> ObjectSchema {
    let mut object = ObjectSchema::from_describe(
        r#"{"name":"Account","label":"Account","labelPlural":"Accounts","createable":true,
        "updateable":true,"fields":[
        {"name":"Id","label":"Account ID","type":"id","length":18},
        {"name":"Name","label":"Account Name","type":"string","length":8},
        {"name":"Phone","label":"Phone","type":"phone","length":40,"nillable":true},
        {"name":"Email__c","label":"E-mail","type":"email","length":80,"nillable":true},
        {"name":"Revenue","label":"Revenue","type":"currency","precision":6,"scale":2,"nillable":true},
        {"name":"Staff","label":"Staff","type":"int","digits":3,"nillable":true},
        {"name":"Since__c","label":"Since","type":"date","nillable":true},
        {"name":"Call__c","label":"Call","type":"datetime","nillable":true},
        {"name":"Opens__c","label":"Opens","type":"time","nillable":true},
        {"name":"Active__c","label":"Active","type":"boolean","defaultedOnCreate":true},
        {"name":"Flag__c","label":"Flag","type":"boolean"},
        {"name":"ParentId","label":"Parent","type":"reference","length":18,"nillable":true},
        {"name":"OwnerId","label":"Owner","type":"reference","length":18,"defaultedOnCreate":true},
        {"name":"Rating","label":"Rating","type":"picklist","length":255,"restrictedPicklist":true,
            "nillable":true,"picklistValues":[{"value":"Hot","active":true},{"value":"Old","active":false}]},
        {"name":"Type","label":"Type","type":"picklist","length":5,"nillable":true,
            "picklistValues":[{"value":"A","active":true}]},
        {"name":"Langs__c","label":"Languages","type":"multipicklist","length":4099,"nillable":true,
            "restrictedPicklist":true,
            "picklistValues":[{"value":"de","active":true},{"value":"en","active":true},{"value":"fr","active":true}]},
        {"name":"Country__c","label":"Country","type":"picklist","length":255,"nillable":true,"picklistValues":[
            {"value":"XX","active":false},{"value":"DE","active":true},{"value":"FR","active":true}]},
        {"name":"Region__c","label":"Region","type":"picklist","length":255,"nillable":true,"controllerName":"Country__c",
            "picklistValues":[{"value":"Hesse","active":true,"validFor":"QAAA"},
                {"value":"Alsace","active":true,"validFor":"IAAA"},{"value":"Any","active":true}]},
        {"name":"Why__c","label":"Reason","type":"multipicklist","length":4099,"nillable":true,"controllerName":"Active__c",
            "picklistValues":[{"value":"off","active":true,"validFor":"gAAA"},
                {"value":"on","active":true,"validFor":"QAAA"}]},
        {"name":"Address","label":"Address","type":"address","nillable":true},
        {"name":"Score__c","label":"Score","type":"double","calculated":true,"precision":18,"scale":2,"nillable":true},
        {"name":"Once__c","label":"Once","type":"string","length":8,"nillable":true}]}"#,
    )
    .expect("the describe of the tests");
    for field in &mut object.fields {
        let fixed = matches!(field.name.as_str(), "Id" | "Address" | "Score__c");
        field.createable = !fixed;
        field.updateable = !fixed && field.name != "Once__c";
    }
    object
}

fn problems(result: Result<Fields>) -> Vec<(String, String)> {
    let error: Error = result.expect_err("a write with problems");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    error
        .problems()
        .iter()
        .map(|problem| (problem.fields.join(","), problem.code.clone()))
        .collect()
}

/// Checks one change of an otherwise empty record: `None` if it passes, else its code.
fn update(name: &str, value: impl Into<Value>) -> Option<String> {
    update_of(Fields::new(), name, value)
}

fn update_of(current: Fields, name: &str, value: impl Into<Value>) -> Option<String> {
    let changes: Fields = [(name, value.into())].into();
    match object().check_update(&current, &changes) {
        Ok(_) => None,
        Err(error) => Some(error.problems()[0].code.clone()),
    }
}

#[test]
fn a_good_write_comes_back_in_the_form_of_the_schema() {
    let fields = Fields::from([
        ("name", Value::from("Acme")),
        ("flag__c", Value::from(true)),
        ("PHONE", Value::Text(String::new())),
        ("Langs__c", Value::from("fr;de;fr")),
        ("ParentId", Value::from("001D000000JliST")),
        ("Revenue", Value::from("12.50")),
        ("Staff", Value::from(7_i64)),
        ("Since__c", Value::from("2024-01-31")),
        ("Active__c", Value::from("true")),
    ]);
    let written = object().check_create(&fields).expect("a good write");
    assert_eq!(
        written.to_json(),
        concat!(
            r#"{"Active__c":true,"Flag__c":true,"Langs__c":"de;fr","Name":"Acme","#,
            r#""ParentId":"001D000000JliSTIAZ","Phone":null,"Revenue":12.50,"#,
            r#""Since__c":"2024-01-31","Staff":7}"#
        )
    );
}

#[test]
fn blanks_around_text_go_as_they_would_at_the_server() {
    let changes = Fields::from([("Phone", " 1 2\n"), ("Type", "\t"), ("Revenue", " 1.5 ")]);
    let written = object()
        .check_update(&Fields::new(), &changes)
        .expect("a good write");
    assert_eq!(
        written.to_json(),
        r#"{"Phone":"1 2","Revenue":1.5,"Type":null}"#
    );
    let blank = object().check_create(&Fields::from([("Name", "  ")]));
    assert_eq!(
        problems(blank),
        [("Name".into(), "REQUIRED_FIELD_MISSING".into())]
    );
}

#[test]
fn all_problems_come_at_once_and_none_shows_a_value() {
    let fields = Fields::from([
        ("Nmae", Value::from("secret")),
        ("Phone", Value::from("secret".repeat(9))),
        ("Email__c", Value::from("secret")),
        ("Revenue", Value::from("secret")),
        ("Rating", Value::from("secret")),
        ("ParentId", Value::from("secret")),
        ("Score__c", Value::from(1)),
    ]);
    let error = object().check_create(&fields).expect_err("many problems");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    assert!(error.to_string().ends_with("(and 7 more)"), "{error}");
    let mut found = problems(Err(error));
    found.sort();
    let expected = [
        ("Email__c", "INVALID_EMAIL_ADDRESS"),
        ("Name", "REQUIRED_FIELD_MISSING"),
        ("Nmae", "INVALID_FIELD"),
        ("ParentId", "MALFORMED_ID"),
        ("Phone", "STRING_TOO_LONG"),
        ("Rating", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Revenue", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Score__c", "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ];
    let expected = expected.map(|(field, code)| (String::from(field), String::from(code)));
    assert_eq!(found, expected);
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest_one() {
    let changes = Fields::from([("Pohne", "1")]);
    let error = object()
        .check_update(&Fields::new(), &changes)
        .expect_err("no such field");
    assert_eq!(
        error.to_string(),
        "Account has no field of this name; did you mean Phone?"
    );
    let far = object().check_update(&Fields::new(), &Fields::from([("Zzzzzzzz", "1")]));
    assert_eq!(
        far.expect_err("no such field").to_string(),
        "Account has no field of this name"
    );
}

#[test]
fn one_field_under_two_spellings_is_refused() {
    let changes = Fields::from([("Phone", "1"), ("PHONE", "2")]);
    assert_eq!(
        problems(object().check_update(&Fields::new(), &changes)),
        [("Phone".into(), "INVALID_FIELD".into())]
    );
}

#[test]
fn what_a_create_requires_may_not_be_missing_or_empty() {
    let missing = object().check_create(&Fields::new());
    assert_eq!(
        problems(missing),
        [("Name".into(), "REQUIRED_FIELD_MISSING".into())]
    );
    let empty = object().check_create(&Fields::from([("Name", "")]));
    assert_eq!(
        problems(empty),
        [("Name".into(), "REQUIRED_FIELD_MISSING".into())]
    );
}

#[test]
fn a_wrong_value_of_a_required_field_is_told_once() {
    let result = object().check_create(&Fields::from([("Name", true)]));
    assert_eq!(
        problems(result),
        [("Name".into(), "INVALID_TYPE_ON_FIELD_IN_RECORD".into())]
    );
}

#[test]
fn an_update_may_leave_required_fields_out_but_not_clear_them() {
    assert_eq!(update("Phone", "1"), None);
    assert_eq!(
        update("Name", "").as_deref(),
        Some("REQUIRED_FIELD_MISSING")
    );
    assert_eq!(
        update("OwnerId", Value::Null).as_deref(),
        Some("REQUIRED_FIELD_MISSING")
    );
}

#[test]
fn a_cleared_checkbox_is_off() {
    let changes = Fields::new().cleared("Flag__c");
    let written = object()
        .check_update(&Fields::new(), &changes)
        .expect("an edit");
    assert_eq!(written.get("Flag__c"), Some(&Value::Boolean(false)));
}

#[test]
fn what_may_be_set_only_once_is_refused_in_an_update() {
    let code = update("Once__c", "x");
    assert_eq!(code.as_deref(), Some("INVALID_FIELD_FOR_INSERT_UPDATE"));
    let created = Fields::from([("Name", "x"), ("Once__c", "x")]);
    assert!(object().check_create(&created).is_ok());
}

#[test]
fn an_object_this_user_may_not_write_says_so() {
    let mut object = object();
    object.createable = false;
    object.updateable = false;
    let code = [(String::new(), String::from("INVALID_TYPE_FOR_OPERATION"))];
    assert_eq!(
        problems(object.check_create(&Fields::from([("Name", "x")]))),
        code
    );
    let update = object.check_update(&Fields::new(), &Fields::from([("Phone", "x")]));
    assert_eq!(problems(update), code);
}

#[test]
fn length_counts_as_the_server_does() {
    assert_eq!(update("Name", "ÄÄÄÄÄÄÄÄ"), None);
    assert_eq!(update("Name", "\u{1f600}".repeat(4)), None);
    assert_eq!(
        update("Name", "\u{1f600}".repeat(5)).as_deref(),
        Some("STRING_TOO_LONG")
    );
    let local = "local-0193562e-0000-7000-8000-000000000000";
    assert_eq!(update("ParentId", local), None);
}

#[test]
fn numbers_keep_their_digits_and_decimals() {
    let number = |text: &str| Value::Number(text.parse::<Decimal>().expect("a number"));
    let range = Some(String::from("NUMBER_OUTSIDE_VALID_RANGE"));
    assert_eq!(update("Revenue", number("9999.99")), None);
    assert_eq!(update("Revenue", number("-9999.99")), None);
    assert_eq!(update("Revenue", number("1.500")), None);
    assert_eq!(update("Revenue", number("10000")), range);
    assert_eq!(update("Revenue", number("0.001")), range);
    assert_eq!(update("Staff", number("999.0")), None);
    assert_eq!(update("Staff", number("1000")), range);
    assert_eq!(update("Staff", number("0.5")), range);
}

#[test]
fn days_outside_the_calendar_of_the_server_are_refused() {
    let code = Some(String::from("FIELD_INTEGRITY_EXCEPTION"));
    assert_eq!(update("Since__c", jiff::civil::date(1700, 1, 1)), None);
    assert_eq!(update("Since__c", jiff::civil::date(1699, 12, 31)), code);
    assert_eq!(update("Since__c", jiff::civil::date(4001, 1, 1)), code);
    assert_eq!(update("Call__c", "4000-12-31T23:59:59Z"), None);
    assert_eq!(update("Call__c", "4001-01-01T00:00:00Z"), code);
}

#[test]
fn values_of_another_kind_are_not_guessed_at() {
    let code = Some(String::from("INVALID_TYPE_ON_FIELD_IN_RECORD"));
    assert_eq!(update("Phone", 1), code);
    assert_eq!(update("Active__c", 1), code);
    assert_eq!(update("Active__c", "yes"), code);
    assert_eq!(update("Call__c", jiff::civil::date(2024, 1, 1)), code);
    assert_eq!(update("Revenue", true), code);
    assert_eq!(update("Opens__c", "10:30:00"), None);
}

#[test]
fn only_what_cannot_be_an_address_is_refused_as_one() {
    for good in [
        "jo@example.com",
        "o'neil+x@mail.example.co.uk",
        "ü@exämple.de",
    ] {
        assert_eq!(update("Email__c", good), None, "{good}");
    }
    for bad in [
        "jo",
        "jo@",
        "@example.com",
        "jo@example",
        "j o@example.com",
        "a@b@c.d",
        "jo@.com",
        "jo.@x.com",
    ] {
        assert_eq!(
            update("Email__c", bad).as_deref(),
            Some("INVALID_EMAIL_ADDRESS"),
            "{bad}"
        );
    }
}

#[test]
fn a_restricted_picklist_takes_active_values_in_their_case() {
    let code = Some(String::from("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"));
    assert_eq!(update("Rating", "Hot"), None);
    assert_eq!(update("Rating", Value::Null), None);
    assert_eq!(update("Rating", "hot"), code);
    assert_eq!(update("Rating", "Old"), code);
    let retired = Fields::from([("Rating", "Old")]);
    assert_eq!(update_of(retired, "Rating", "Old"), None);
    assert_eq!(update("Langs__c", "en;de"), None);
    assert_eq!(update("Langs__c", "en;nl"), code);
    assert_eq!(update("Type", "B"), None);
    assert_eq!(update("Type", "longer").as_deref(), Some("STRING_TOO_LONG"));
}

#[test]
fn a_dependent_picklist_must_go_with_its_controller_after_the_write() {
    let code = Some(String::from("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"));
    let germany = || Fields::from([("Country__c", "DE"), ("Region__c", "Hesse")]);
    assert_eq!(update_of(germany(), "Region__c", "Any"), None);
    assert_eq!(update_of(germany(), "Region__c", "Alsace"), code);
    assert_eq!(update_of(germany(), "Country__c", "FR"), code);
    assert_eq!(update_of(germany(), "Country__c", Value::Null), code);
    // What the write does not touch is not held against it.
    let odd = Fields::from([("Country__c", "FR"), ("Region__c", "Hesse")]);
    assert_eq!(update_of(odd, "Phone", "1"), None);
    // A controller that this device does not carry cannot be checked.
    assert_eq!(update("Region__c", "Alsace"), None);
    let both = Fields::from([("Country__c", "FR"), ("Region__c", "Alsace")]);
    assert!(object().check_update(&germany(), &both).is_ok());
}

#[test]
fn a_dependent_picklist_of_a_new_record_needs_its_controller() {
    let create = |fields: &[(&str, &str)]| {
        let mut all: Fields = fields.iter().copied().collect();
        all.set("Name", "x");
        object().check_create(&all).is_ok()
    };
    assert!(create(&[("Region__c", "Any")]));
    assert!(create(&[("Country__c", "FR"), ("Region__c", "Alsace")]));
    assert!(!create(&[("Country__c", "DE"), ("Region__c", "Alsace")]));
    assert!(!create(&[("Region__c", "Alsace")]));
}

#[test]
fn a_checkbox_controls_as_off_and_on() {
    let code = Some(String::from("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"));
    let is = |active: bool| Fields::from([("Active__c", active)]);
    assert_eq!(update_of(is(true), "Why__c", "on"), None);
    assert_eq!(update_of(is(true), "Why__c", "off;on"), code);
    assert_eq!(update_of(is(false), "Why__c", "off"), None);
}
