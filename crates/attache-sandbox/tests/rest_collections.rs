//! sObject collections, retrieve and tree.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use client::{Answer, Client, client};
use serde_json::{Value, json};

fn record(object: &str, mut fields: Value) -> Value {
    fields["attributes"] = json!({ "type": object });
    fields
}

fn account(name: &str) -> Value {
    record("Account", json!({ "Name": name }))
}

fn create(client: &Client, all_or_none: bool, records: Vec<Value>) -> Answer {
    client.post(
        "/composite/sobjects",
        json!({"allOrNone": all_or_none, "records": records}),
    )
}

fn ids(answer: &Answer) -> Vec<String> {
    let elements = answer.json.as_array().unwrap().iter();
    elements
        .map(|element| element["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn rows_are_created_each_on_its_own() {
    let client = client();
    let answer = create(
        &client,
        false,
        vec![account("A"), record("Contact", json!({})), account("B")],
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.json[0]["id"].as_str().unwrap();
    assert_eq!(
        answer.json[0],
        json!({"id": id, "success": true, "errors": []})
    );
    assert_eq!(
        answer.json[1],
        json!({"success": false, "errors": [{
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [LastName]",
            "fields": ["LastName"]
        }]})
    );
    assert_eq!(
        client.row("Account", answer.json[2]["id"].as_str().unwrap())["Name"],
        "B"
    );
}

#[test]
fn all_or_none_takes_every_row_back() {
    let client = client();
    let before = client.sandbox.with_org(|org| org.count("Account"));
    let answer = create(
        &client,
        true,
        vec![account("A"), record("Contact", json!({})), account("B")],
    );
    assert_eq!(answer.status, 200);
    let codes: Vec<&str> = (0..3)
        .map(|at| answer.json[at]["errors"][0]["statusCode"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "REQUIRED_FIELD_MISSING",
            "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        ]
    );
    assert_eq!(client.sandbox.with_org(|org| org.count("Account")), before);
    assert_eq!(
        create(&client, true, vec![account("A")]).json[0]["success"],
        true
    );
}

#[test]
fn rows_are_updated_by_id() {
    let client = client();
    let one = client.account("One");
    let two = client.account("Two");
    let change = |id: &str, name: &str| record("Account", json!({"id": id, "Name": name}));
    let records = vec![
        change(&one, "Uno"),
        record("Account", json!({"Id": &two[..15], "Name": "Due"})),
        change(&one, "Eins"),
        change("nonsense", "x"),
        account("without an id"),
    ];
    let answer = client.patch("/composite/sobjects", json!({ "records": records }));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.json[0],
        json!({"id": one, "success": true, "errors": []})
    );
    assert_eq!(answer.json[1]["id"], two.as_str());
    let codes: Vec<&str> = (2..5)
        .map(|at| answer.json[at]["errors"][0]["statusCode"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["DUPLICATE_VALUE", "MALFORMED_ID", "MISSING_ARGUMENT"]
    );
    assert_eq!(client.row("Account", &one)["Name"], "Uno");
    assert_eq!(client.row("Account", &two)["Name"], "Due");
}

#[test]
fn rows_are_upserted_by_external_id() {
    let client = client();
    let keyed =
        |key: Value, name: &str| record("Account", json!({"External_Id__c": key, "Name": name}));
    let path = "/composite/sobjects/Account/External_Id__c";
    let first = client.patch(
        path,
        json!({"records": [keyed(json!("A"), "A"), keyed(json!("B"), "B")]}),
    );
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.json[0]["created"], true);
    let second = client.patch(
        path,
        json!({"records": [keyed(json!("A"), "A2"), keyed(json!("C"), "C"), keyed(Value::Null, "D")]}),
    );
    let made = ids(&first);
    assert_eq!(
        second.json[0],
        json!({"id": made[0], "success": true, "errors": [], "created": false})
    );
    assert_eq!(second.json[1]["created"], true);
    assert_eq!(second.json[2]["success"], false);
    assert_eq!(client.row("Account", &made[0])["Name"], "A2");
    let unknown = client.patch(
        "/composite/sobjects/Account/Industry",
        json!({"records": []}),
    );
    assert_eq!((unknown.status, unknown.codes()), (404, vec!["NOT_FOUND"]));
}

#[test]
fn a_null_id_creates_where_the_key_is_the_id() {
    let client = client();
    let path = "/composite/sobjects/Contact/Id";
    let row = |id: Value, name: &str| record("Contact", json!({"Id": id, "LastName": name}));
    let made = client.patch(
        path,
        json!({"records": [row(Value::Null, "A"), row(Value::Null, "B")]}),
    );
    assert_eq!(made.json[1]["created"], true, "{made:?}");
    let id = ids(&made).remove(0);
    let changed = client.patch(path, json!({"records": [row(json!(id), "C")]}));
    assert_eq!(
        changed.json,
        json!([{"id": id, "success": true, "errors": [], "created": false}])
    );
    assert_eq!(client.row("Contact", &id)["LastName"], "C");
}

#[test]
fn rows_are_deleted_by_id() {
    let client = client();
    let one = client.account("One");
    let two = client.create("Contact", json!({"LastName": "Two"}));
    let answer = client.delete(&format!(
        "/composite/sobjects?ids={one},{two},{one},nonsense"
    ));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.json[0],
        json!({"id": one, "success": true, "errors": []})
    );
    assert_eq!(answer.json[1]["id"], two.as_str());
    assert_eq!(
        answer.json[2]["errors"][0]["statusCode"],
        "ENTITY_IS_DELETED"
    );
    assert_eq!(answer.json[3]["errors"][0]["statusCode"], "MALFORMED_ID");

    let three = client.account("Three");
    let answer = client.delete(&format!(
        "/composite/sobjects?ids={three},{one}&allOrNone=true"
    ));
    assert_eq!(
        answer.json[0]["errors"][0]["statusCode"],
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(client.row("Account", &three)["Name"], "Three");
    assert_eq!(client.delete("/composite/sobjects").status, 400);
}

#[test]
fn a_call_has_200_rows_in_10_chunks() {
    let client = client();
    let most = create(
        &client,
        false,
        (0..200).map(|n| account(&n.to_string())).collect(),
    );
    assert_eq!((most.status, ids(&most).len()), (200, 200));
    let more = create(
        &client,
        false,
        (0..201).map(|n| account(&n.to_string())).collect(),
    );
    assert_eq!(
        (more.status, more.codes()),
        (400, vec!["EXCEEDED_ID_LIMIT"])
    );
    let mixed = |rows: usize| -> Vec<Value> {
        let row = |n| match n % 2 {
            0 => account("A"),
            _ => record("Contact", json!({"LastName": "C"})),
        };
        (0..rows).map(row).collect()
    };
    assert_eq!(create(&client, false, mixed(10)).status, 200);
    assert_eq!(
        create(&client, false, mixed(11)).codes(),
        ["LIMIT_EXCEEDED"]
    );
    assert_eq!(
        create(&client, false, vec![json!({"Name": "typeless"})]).status,
        400
    );
}

#[test]
fn one_call_is_counted_once() {
    let client = client();
    client
        .sandbox
        .with_switches(|switches| switches.usage_wobble = 0);
    let answer = create(
        &client,
        false,
        (0..50).map(|n| account(&n.to_string())).collect(),
    );
    assert_eq!(
        answer.header("Sforce-Limit-Info"),
        Some("api-usage=1/100000")
    );
}

#[test]
fn rows_are_retrieved_in_the_order_of_their_ids() {
    let client = client();
    let (one, two) = (client.account("One"), client.account("Two"));
    client.delete(&format!("/sobjects/Account/{one}"));
    let path = "/composite/sobjects/Account";
    let answer = client.post(
        path,
        json!({"ids": [two, one, "nonsense", two], "fields": ["Id", "name"]}),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json[0]["Name"], "Two");
    assert_eq!(
        (&answer.json[1], &answer.json[2]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(answer.json[3]["Id"], two.as_str());
    let same = client.get(&format!("{path}?ids={two}&fields=Name"));
    assert_eq!(same.json[0]["Name"], "Two");
    assert_eq!(
        client
            .post(path, json!({"ids": [two], "fields": ["Foo"]}))
            .codes(),
        ["INVALID_FIELD"]
    );
    let many = |count| {
        client.post(
            path,
            json!({"ids": vec![two.clone(); count], "fields": vec!["Id"; 50_000]}),
        )
    };
    assert_eq!(many(2_000).json.as_array().unwrap().len(), 2_000);
    assert_eq!(many(2_001).codes(), ["EXCEEDED_ID_LIMIT"]);
}

#[test]
fn a_tree_is_created_as_one() {
    let client = client();
    let contact = |reference: &str, name: Value| json!({"attributes": {"type": "Contact", "referenceId": reference}, "LastName": name});
    let tree = |name: Value| {
        json!({"records": [{
            "attributes": {"type": "Account", "referenceId": "r1"},
            "Name": "Root",
            "Contacts": {"records": [contact("r2", json!("Leaf")), contact("r3", name)]}
        }]})
    };
    let made = client.post("/composite/tree/Account", tree(json!("Other")));
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json["hasErrors"], false);
    let id = |at: usize| made.json["results"][at]["id"].as_str().unwrap();
    assert_eq!(client.row("Contact", id(1))["AccountId"], id(0));
    assert_eq!(made.json["results"][2]["referenceId"], "r3");

    let before = client.sandbox.with_org(|org| org.count("Contact"));
    let failed = client.post("/composite/tree/Account", tree(Value::Null));
    assert_eq!(failed.status, 400);
    assert_eq!(failed.json["hasErrors"], true);
    assert_eq!(failed.json["results"][0]["referenceId"], "r3");
    assert_eq!(
        failed.json["results"][0]["errors"][0]["statusCode"],
        "REQUIRED_FIELD_MISSING"
    );
    assert_eq!(client.sandbox.with_org(|org| org.count("Contact")), before);
}
