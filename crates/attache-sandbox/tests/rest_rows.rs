//! Single rows: create, read, change, delete, by id and by external id.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::Request;
use client::{Client, DATA, client, org};
use serde_json::json;

#[test]
fn a_row_is_created_read_changed_and_deleted() {
    let client = client();
    let created = client.post("/sobjects/Account/", json!({"Name": "Acme", "Phone": "1"}));
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.json["id"].as_str().unwrap().to_owned();
    assert_eq!(
        created.json,
        json!({"id": id, "success": true, "errors": []})
    );
    let place = format!("{DATA}/sobjects/Account/{id}");
    assert_eq!(created.header("Location"), Some(&*place));

    let row = client.row("Account", &id);
    assert_eq!(row["attributes"], json!({"type": "Account", "url": place}));
    assert_eq!((&row["Name"], &row["Phone"]), (&json!("Acme"), &json!("1")));
    assert_eq!(row["OwnerId"], client.user.as_str());
    assert_eq!(row["CreatedDate"], "2026-03-02T09:00:00.000+0000");

    let changed = client.patch(&format!("/sobjects/Account/{id}"), json!({"Phone": null}));
    assert_eq!((changed.status, changed.raw.body.len()), (204, 0));
    assert_eq!(client.row("Account", &id)["Phone"], json!(null));

    let path = format!("/sobjects/Account/{id}");
    assert_eq!(client.delete(&path).status, 204);
    assert_eq!(client.get(&path).codes(), ["NOT_FOUND"]);
    let again = client.delete(&path);
    assert_eq!(again.status, 404);
    assert_eq!(
        again.json,
        json!([{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}])
    );
}

#[test]
fn a_read_may_name_its_fields() {
    let client = client();
    let id = client.account("Acme");
    let row = client
        .get(&format!("/sobjects/account/{id}?fields=name,%20Phone"))
        .json;
    let keys: Vec<&str> = row
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert!(
        keys.contains(&"Name") && keys.contains(&"Phone"),
        "{keys:?}"
    );
    assert!(!keys.contains(&"Industry"), "{keys:?}");
    let wrong = client.get(&format!("/sobjects/Account/{id}?fields=Nonsense"));
    assert_eq!((wrong.status, wrong.codes()), (400, vec!["INVALID_FIELD"]));
}

#[test]
fn money_passes_unchanged() {
    let client = client();
    let path = "/sobjects/Opportunity";
    for amount in [
        "12345678901234.56",
        "0.1",
        "9007199254740.93",
        "99999999999999.99",
    ] {
        let body = format!(
            r#"{{"Name":"Rich","StageName":"Prospecting","CloseDate":"2026-06-30","Amount":{amount}}}"#
        );
        let made = client.send(Request::new("POST", &format!("{DATA}{path}")).json(body));
        assert_eq!(made.status, 201, "{amount}: {made:?}");
        let id = made.json["id"].as_str().unwrap();
        let shown = client.get(&format!("{path}/{id}?fields=Amount")).raw.text();
        let found = [format!(":{amount}}}"), format!(":{amount}0}}")];
        assert!(
            found.iter().any(|end| shown.ends_with(end)),
            "{amount}: {shown}"
        );
    }
}

#[test]
fn refusals_name_their_fields() {
    let client = client();
    let missing = client.post("/sobjects/Contact", json!({"FirstName": "Jo"}));
    assert_eq!(missing.status, 400);
    assert_eq!(
        missing.json,
        json!([{
            "message": "Required fields are missing: [LastName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName"]
        }])
    );
    let unknown = client.post("/sobjects/Account", json!({"Name": "x", "foo": 1}));
    assert_eq!(
        unknown.json,
        json!([{"message": "No such column 'foo' on sobject of type Account", "errorCode": "INVALID_FIELD"}])
    );
    assert_eq!(
        client.post("/sobjects/Foo", json!({})).codes(),
        ["NOT_FOUND"]
    );
}

#[test]
fn what_is_not_an_id_is_taken_for_an_external_id_field() {
    let client = client();
    let expected = json!([{
        "message": "Provided external ID field does not exist or is not accessible: 23foo",
        "errorCode": "NOT_FOUND"
    }]);
    assert_eq!(client.get("/sobjects/Account/23foo").json, expected);
    assert_eq!(client.delete("/sobjects/Account/23foo").json, expected);
    let contact_id = "003000000000001AAA";
    assert_eq!(
        client
            .get(&format!("/sobjects/Account/{contact_id}"))
            .codes(),
        ["NOT_FOUND"]
    );
}

#[test]
fn bodies_that_are_not_json_are_refused() {
    let client = client();
    let url = format!("{DATA}/sobjects/Account");
    let malformed = client.send(Request::new("POST", &url).json(r#"{"Name": "#));
    assert_eq!(
        (malformed.status, malformed.codes()),
        (400, vec!["JSON_PARSER_ERROR"])
    );
    let array = client.send(Request::new("POST", &url).json("[]"));
    assert_eq!(array.codes(), ["JSON_PARSER_ERROR"]);
    let form = client.send(Request::new("POST", &url).form("Name=x"));
    assert_eq!(
        (form.status, form.codes()),
        (415, vec!["UNSUPPORTED_MEDIA_TYPE"])
    );
}

#[test]
fn methods_a_resource_lacks_are_refused_with_those_it_has() {
    let client = client();
    let patch = client.patch("/sobjects/Account/", json!({"Name": "x"}));
    assert_eq!(patch.status, 405);
    assert_eq!(
        patch.json,
        json!([{
            "message": "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST",
            "errorCode": "METHOD_NOT_ALLOWED"
        }])
    );
    assert_eq!(client.delete("/query?q=x").status, 405);
}

#[test]
fn head_is_a_get_without_a_body() {
    let client = client();
    let id = client.account("Acme");
    let head = client.send(Request::new(
        "HEAD",
        &format!("{DATA}/sobjects/Account/{id}"),
    ));
    assert_eq!((head.status, head.raw.body.len()), (200, 0));
    assert!(head.header("ETag").is_some());
    let missing = client.send(Request::new(
        "HEAD",
        &format!("{DATA}/sobjects/Account/001000000zzzzzz"),
    ));
    assert_eq!(missing.status, 404);
}

#[test]
fn a_post_may_stand_for_a_patch() {
    let client = client();
    let id = client.account("Acme");
    let path = format!("/sobjects/Account/{id}?_HttpMethod=PATCH");
    assert_eq!(client.post(&path, json!({"Name": "Ajax"})).status, 204);
    assert_eq!(client.row("Account", &id)["Name"], "Ajax");
    client
        .sandbox
        .with_switches(|switches| switches.tunnels_methods = false);
    assert_eq!(client.post(&path, json!({"Name": "Ajax"})).status, 405);
}

#[test]
fn an_upsert_creates_then_updates() {
    let client = client();
    let path = "/sobjects/Account/External_Id__c/K%2F1";
    let made = client.patch(path, json!({"Name": "Acme"}));
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json["id"].as_str().unwrap().to_owned();
    assert_eq!(
        made.json,
        json!({"id": id, "success": true, "errors": [], "created": true})
    );
    assert!(made.header("Location").unwrap().ends_with(&id));
    assert_eq!(client.row("Account", &id)["External_Id__c"], "K/1");

    let changed = client.patch(path, json!({"Name": "Ajax"}));
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(
        changed.json,
        json!({"id": id, "success": true, "errors": [], "created": false})
    );
    client
        .sandbox
        .with_switches(|switches| switches.upsert_update_has_body = false);
    let changed = client.patch(path, json!({"Name": "Ajax 2"}));
    assert_eq!((changed.status, changed.raw.body.len()), (204, 0));
    assert_eq!(client.row("Account", &id)["Name"], "Ajax 2");
}

#[test]
fn an_upsert_names_its_key_once() {
    let client = client();
    let path = "/sobjects/Account/External_Id__c/K1";
    let body = json!({"Name": "Acme", "External_Id__c": "K1"});
    assert_eq!(client.patch(path, body.clone()).codes(), ["INVALID_FIELD"]);
    client
        .sandbox
        .with_switches(|switches| switches.upsert_body_may_repeat_key = true);
    assert_eq!(client.patch(path, body).status, 201);
    let other = json!({"Name": "Acme", "External_Id__c": "K2"});
    assert_eq!(client.patch(path, other).codes(), ["INVALID_FIELD"]);
    assert_eq!(
        client.patch("/sobjects/Account/Industry/x", json!({})).json,
        json!([{
            "message": "Provided external ID field does not exist or is not accessible: Industry",
            "errorCode": "NOT_FOUND"
        }])
    );
}

#[test]
fn an_upsert_may_be_forbidden_to_create() {
    let client = client();
    let path = "/sobjects/Account/External_Id__c/K1?updateOnly=true";
    assert_eq!(client.patch(path, json!({"Name": "Acme"})).status, 404);
    client.create("Account", json!({"Name": "Acme", "External_Id__c": "K1"}));
    assert_eq!(client.patch(path, json!({"Name": "Ajax"})).status, 200);
}

#[test]
fn rows_are_read_by_external_id() {
    let client = client();
    let id = client.create(
        "Account",
        json!({"Name": "O'Neil", "External_Id__c": "it's"}),
    );
    let row = client
        .get("/sobjects/Account/External_Id__c/it%27s?fields=Name")
        .json;
    assert_eq!(row["Name"], "O'Neil");
    assert_eq!(
        client.get("/sobjects/Account/External_Id__c/none").codes(),
        ["NOT_FOUND"]
    );
    assert_eq!(
        client
            .delete("/sobjects/Account/External_Id__c/it's")
            .status,
        204
    );
    assert_eq!(client.get(&format!("/sobjects/Account/{id}")).status, 404);
}

#[test]
fn a_key_of_several_rows_answers_where_they_are() {
    let client = client();
    let twins: Vec<String> = ["A", "B"]
        .iter()
        .map(|name| {
            let id = client.create(
                "Contact",
                json!({"LastName": name, "Email": "twin@example.com"}),
            );
            format!("{DATA}/sobjects/Contact/{id}")
        })
        .collect();
    let several = client.patch(
        "/sobjects/Contact/Email/twin@example.com",
        json!({"Title": "x"}),
    );
    assert_eq!(several.status, 300, "{several:?}");
    assert_eq!(several.json, json!(twins));
    assert_eq!(
        client.get("/sobjects/Contact/Email/twin@example.com").json,
        json!(twins)
    );
}

#[test]
fn giving_a_row_away_may_cost_the_sight_of_it() {
    let sandbox = org();
    let (jo, ann) = (Client::of(&sandbox, 1), Client::of(&sandbox, 2));
    let id = jo.account("Acme");
    let path = format!("/sobjects/Account/{id}");
    assert_eq!(jo.patch(&path, json!({"OwnerId": ann.user})).status, 204);
    assert_eq!(ann.get(&path).status, 200);
    assert_eq!(jo.get(&path).codes(), ["NOT_FOUND"]);
}

#[test]
fn recent_rows_are_those_read_and_written() {
    let client = client();
    assert_eq!(client.get("/recent").json, json!([]));
    let one = client.account("One");
    let two = client.account("Two");
    client.row("Account", &one);
    let quiet = Request::new("GET", &format!("{DATA}/sobjects/Account/{two}"))
        .header("Sforce-Mru", "updateMru=false");
    assert_eq!(client.send(quiet).status, 200);
    let recent = client.get("/recent").json;
    let names: Vec<&str> = recent
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["Name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["One", "Two"]);
    assert_eq!(recent[0]["attributes"]["type"], "Account");
    assert_eq!(recent[0]["Id"], one.as_str());
    assert_eq!(
        client.get("/recent?limit=1").json.as_array().unwrap().len(),
        1
    );
    assert_eq!(client.get("/recent?limit=0").status, 400);
    let basic = client.get("/sobjects/Account").json;
    assert_eq!(basic["recentItems"][1]["Name"], "Two");
    assert_eq!(basic["objectDescribe"]["keyPrefix"], "001");
    client.delete(&format!("/sobjects/Account/{one}"));
    assert_eq!(client.get("/recent").json.as_array().unwrap().len(), 1);
}
