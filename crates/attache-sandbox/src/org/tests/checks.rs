//! What is refused, and in which words.

use crate::org::SaveError;
use crate::org::testing::*;

/// Creates an account with one field more, and gives the only refusal.
fn refusal(field: &str, value: &str) -> SaveError {
    let mut org = org();
    let errors = org.refused(
        JO,
        "Account",
        &format!(r#"{{"Name":"Acme","{field}":{value}}}"#),
    );
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap()
}

#[test]
fn missing_fields_are_named_in_one_error() {
    let errors = org().refused(JO, "Opportunity", r#"{"Amount":1}"#);
    assert_eq!(codes(&errors), ["REQUIRED_FIELD_MISSING"]);
    assert_eq!(errors[0].fields, ["Name", "StageName", "CloseDate"]);
    assert_eq!(
        errors[0].message,
        "Required fields are missing: [Name, StageName, CloseDate]"
    );
}

#[test]
fn a_required_field_cannot_be_cleared() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    assert_eq!(
        codes(&org.set(JO, "Account", &id, r#"{"Name":" "}"#).unwrap_err()),
        ["REQUIRED_FIELD_MISSING"]
    );
}

#[test]
fn an_unknown_field_is_named() {
    let error = refusal("foo", "1");
    assert_eq!((error.code, error.status), ("INVALID_FIELD", 400));
    assert_eq!(
        error.message,
        "No such column 'foo' on sobject of type Account"
    );
}

#[test]
fn fields_the_platform_keeps_cannot_be_written() {
    for field in [
        "CreatedDate",
        "SystemModstamp",
        "IsDeleted",
        "Id",
        "BillingAddress",
    ] {
        let error = refusal(field, "null");
        assert_eq!(error.code, "INVALID_FIELD_FOR_INSERT_UPDATE");
        assert_eq!(error.fields, [field]);
    }
}

#[test]
fn a_value_of_the_wrong_json_type_is_refused() {
    for (field, value) in [
        ("Phone", "5"),
        ("NumberOfEmployees", "true"),
        ("NumberOfEmployees", "1.5"),
        ("AnnualRevenue", r#""a lot""#),
        ("Active__c", "1"),
        ("Renewal_Date__c", r#""2026-02-30""#),
        ("Renewal_Date__c", r#""15/07/2026""#),
        ("Industry", "[]"),
        ("Fax", "{}"),
        ("Fax", r#""half a pair: \ud800""#),
    ] {
        let error = refusal(field, value);
        assert_eq!(error.code, "JSON_PARSER_ERROR", "{field} = {value}");
    }
}

#[test]
fn text_beyond_its_length_is_refused() {
    let error = refusal("Phone", &format!("\"{}\"", "é".repeat(41)));
    assert_eq!(
        (error.code, error.fields.as_slice()),
        ("STRING_TOO_LONG", &["Phone".to_owned()][..])
    );
    assert!(
        error
            .message
            .starts_with("Account Phone: data value too large: é")
    );
    assert!(error.message.ends_with("(max length=40)"));
}

#[test]
fn a_number_with_too_many_digits_is_refused() {
    for (field, value) in [
        ("NumberOfEmployees", "123456789"),
        ("AnnualRevenue", "1e18"),
        ("AnnualRevenue", "1e300"),
    ] {
        assert_eq!(
            refusal(field, value).code,
            "NUMBER_OUTSIDE_VALID_RANGE",
            "{value}"
        );
    }
}

#[test]
fn a_restricted_picklist_takes_listed_values_only() {
    let error = refusal("CleanStatus", r#""Spotless""#);
    assert_eq!(error.code, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    assert_eq!(error.fields, ["CleanStatus"]);
    let mut org = org();
    org.made(JO, "Account", r#"{"Name":"Acme","Industry":"Alchemy"}"#);
}

#[test]
fn a_dependent_picklist_takes_what_its_controller_allows() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let visit = |outcome: &str| {
        format!(
            r#"{{"Account__c":"{account}","Kind__c":"Sales","Outcome__c":"{outcome}","Visited_On__c":"2026-07-01"}}"#
        )
    };
    let id = org.made(JO, "Visit__c", &visit("Order Placed"));
    let errors = org.refused(JO, "Visit__c", &visit("Repaired"));
    assert_eq!(codes(&errors), ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]);
    let errors = org
        .set(JO, "Visit__c", &id, r#"{"Kind__c":"Audit"}"#)
        .unwrap_err();
    assert_eq!(
        errors[0].fields,
        ["Outcome__c"],
        "the controller cannot move away from its dependant"
    );
}

#[test]
fn an_email_must_look_like_one() {
    let mut org = org();
    for bad in ["nobody", "a@b", "a b@c.de", "@c.de", "a@.de"] {
        let errors = org.refused(
            JO,
            "Contact",
            &format!(r#"{{"LastName":"Roe","Email":"{bad}"}}"#),
        );
        assert_eq!(codes(&errors), ["INVALID_EMAIL_ADDRESS"], "{bad}");
    }
    org.made(
        JO,
        "Contact",
        r#"{"LastName":"Roe","Email":"o'neil+1@mail.example.com"}"#,
    );
}

#[test]
fn a_lookup_must_name_a_living_row_of_the_right_object() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let contact = org.made(JO, "Contact", r#"{"LastName":"Roe"}"#);
    let mut refusal = |id: &str| {
        let errors = org.refused(
            JO,
            "Contact",
            &format!(r#"{{"LastName":"Roe","AccountId":"{id}"}}"#),
        );
        codes(&errors)[0].to_owned()
    };
    assert_eq!(refusal("no id"), "MALFORMED_ID");
    assert_eq!(refusal(&contact), "MALFORMED_ID");
    assert_eq!(
        refusal(&crate::id::make("001", 999)),
        "INVALID_CROSS_REFERENCE_KEY"
    );
    org.delete(JO, "Account", &account).unwrap();
    let errors = org.refused(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#),
    );
    assert_eq!(codes(&errors), ["INVALID_CROSS_REFERENCE_KEY"]);
}

#[test]
fn a_lookup_cannot_name_a_hidden_row() {
    let mut org = org();
    let account = org.made(KIM, "Account", r#"{"Name":"Acme"}"#);
    let errors = org.refused(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#),
    );
    assert_eq!(
        codes(&errors),
        ["INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"]
    );
}

#[test]
fn somebody_who_left_cannot_own_a_row() {
    let errors = org().refused(
        JO,
        "Account",
        &format!(r#"{{"Name":"Acme","OwnerId":"{GONE}"}}"#),
    );
    assert_eq!(codes(&errors), ["INACTIVE_OWNER_OR_USER"]);
}

#[test]
fn a_unique_value_is_taken_once_whatever_its_case() {
    let mut org = org();
    let first = org.made(JO, "Account", r#"{"Name":"A","External_Id__c":"X-1"}"#);
    let errors = org.refused(KIM, "Account", r#"{"Name":"B","External_Id__c":"x-1"}"#);
    assert_eq!(codes(&errors), ["DUPLICATE_VALUE"]);
    assert_eq!(
        errors[0].message,
        format!(
            "duplicate value found: External_Id__c duplicates value on record with id: {}",
            &first[..15]
        )
    );
    org.set(JO, "Account", &first, r#"{"External_Id__c":"x-1"}"#)
        .unwrap();
    org.delete(JO, "Account", &first).unwrap();
    org.made(KIM, "Account", r#"{"Name":"B","External_Id__c":"X-1"}"#);
}

#[test]
fn objects_that_are_not_createable_say_so() {
    let errors = org().refused(ADMIN, "Organization", r#"{"Name":"Other"}"#);
    assert_eq!(codes(&errors), ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]);
}

#[test]
fn several_faults_are_told_at_once() {
    let mut org = org();
    let long = "x".repeat(41);
    let errors = org.refused(
        JO,
        "Contact",
        &format!(r#"{{"Phone":"{long}","Email":"nope"}}"#),
    );
    let mut found = codes(&errors);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "INVALID_EMAIL_ADDRESS",
            "REQUIRED_FIELD_MISSING",
            "STRING_TOO_LONG"
        ]
    );
}

#[test]
fn what_a_change_leaves_as_it_was_is_not_judged_again() {
    let mut org = org();
    let account = org.made(JO, "Account", r#"{"Name":"Acme","CleanStatus":"Pending"}"#);
    let contact = org.made(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{account}"}}"#),
    );
    org.transfer_owner("Account", &account, KIM);
    org.set(
        JO,
        "Contact",
        &contact,
        &format!(r#"{{"Phone":"1","AccountId":"{account}"}}"#),
    )
    .unwrap();
    let mut schema = org.schema_mut();
    let mut object = schema.object("Account").unwrap().clone();
    let at = object.index("CleanStatus").unwrap();
    object.fields[at]
        .picklist
        .iter_mut()
        .for_each(|entry| entry.active = false);
    schema.insert(object);
    drop(schema);
    org.set(KIM, "Account", &account, r#"{"CleanStatus":"Pending"}"#)
        .unwrap();
    let errors = org
        .set(KIM, "Account", &account, r#"{"CleanStatus":"Matched"}"#)
        .unwrap_err();
    assert_eq!(codes(&errors), ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]);
}
