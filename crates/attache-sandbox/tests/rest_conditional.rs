//! Conditional requests: exactly the table of the REST guide.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::Request;
use client::{Answer, Client, DATA, client};
use serde_json::{Value, json};

fn send(
    client: &Client,
    method: &str,
    path: &str,
    header: (&str, &str),
    body: Option<Value>,
) -> Answer {
    let mut request = Request::new(method, &format!("{DATA}{path}")).header(header.0, header.1);
    if let Some(body) = body {
        request = request.json(body.to_string());
    }
    client.send(request)
}

const CREATED: &str = "Mon, 02 Mar 2026 09:00:00 GMT";
const BEFORE: &str = "Mon, 02 Mar 2026 08:59:59 GMT";
const LATER: &str = "Mon, 02 Mar 2026 09:00:05 GMT";

#[test]
fn a_patch_holds_only_for_a_row_unmodified_since() {
    for (object, fields) in [
        ("Account", json!({"Name": "A"})),
        ("Contact", json!({"LastName": "A"})),
    ] {
        let client = client();
        let path = format!("/sobjects/{object}/{}", client.create(object, fields));
        let patch = |date: &str| {
            send(
                &client,
                "PATCH",
                &path,
                ("If-Unmodified-Since", date),
                Some(json!({"Phone": "1"})),
            )
        };
        assert_eq!(patch(BEFORE).status, 412);
        // Two writes in one second cannot be told apart.
        assert_eq!(patch(CREATED).status, 204);
        assert_eq!(patch(CREATED).status, 204);
        client.sandbox.advance(5);
        assert_eq!(patch(CREATED).status, 204);
        let failed = patch(CREATED);
        assert_eq!(failed.status, 412);
        assert_eq!(failed.codes(), ["MATCH_PRECONDITION_FAILED"]);
        assert_eq!(patch(LATER).status, 204);
        let wrong = patch("2026-03-02");
        assert_eq!(wrong.status, 400);
    }
}

#[test]
fn a_read_is_answered_only_if_modified_since() {
    let client = client();
    let path = format!(
        "/sobjects/Contact/{}",
        client.create("Contact", json!({"LastName": "A"}))
    );
    let read = |header, date| send(&client, "GET", &path, (header, date), None);
    let same = read("If-Modified-Since", CREATED);
    assert_eq!((same.status, same.raw.body.len()), (304, 0));
    assert_eq!(same.header("Last-Modified"), Some(CREATED));
    assert_eq!(read("If-Modified-Since", BEFORE).status, 200);
    assert_eq!(read("If-Unmodified-Since", BEFORE).status, 412);
    assert_eq!(read("If-Unmodified-Since", CREATED).status, 200);
    // A date nobody can read is not looked at.
    assert_eq!(read("If-Modified-Since", "yesterday").status, 200);
}

#[test]
fn tags_are_for_accounts_alone() {
    let client = client();
    let path = format!("/sobjects/Account/{}", client.account("A"));
    let tag = client.get(&path).header("ETag").unwrap().to_owned();
    let read = |header, tag: &str| send(&client, "GET", &path, (header, tag), None).status;
    assert_eq!(read("If-None-Match", &tag), 304);
    assert_eq!(read("If-None-Match", "\"x\""), 200);
    assert_eq!(read("If-Match", &tag), 200);
    assert_eq!(read("If-Match", "\"x\""), 412);
    let patch = |header, tag: &str, name| {
        send(
            &client,
            "PATCH",
            &path,
            (header, tag),
            Some(json!({ "Name": name })),
        )
        .status
    };
    assert_eq!(patch("If-None-Match", &tag, "B"), 412);
    assert_eq!(patch("If-Match", &tag, "B"), 204);
    assert_eq!(patch("If-Match", &tag, "C"), 412);
    assert_eq!(client.get(&path).json["Name"], "B");

    let other = format!(
        "/sobjects/Contact/{}",
        client.create("Contact", json!({"LastName": "A"}))
    );
    assert_eq!(client.get(&other).header("ETag"), None);
    let ignored = send(
        &client,
        "PATCH",
        &other,
        ("If-Match", "\"x\""),
        Some(json!({"Title": "T"})),
    );
    assert_eq!(ignored.status, 204);
}

#[test]
fn a_delete_knows_no_conditions() {
    let client = client();
    let header = ("If-Unmodified-Since", BEFORE);
    let path = format!("/sobjects/Account/{}", client.account("A"));
    assert_eq!(send(&client, "DELETE", &path, header, None).status, 204);
    client
        .sandbox
        .with_switches(|switches| switches.refuses_conditional_delete = true);
    let path = format!("/sobjects/Account/{}", client.account("B"));
    assert_eq!(send(&client, "DELETE", &path, header, None).status, 400);
    assert_eq!(client.delete(&path).status, 204);
}

#[test]
fn descriptions_are_sent_when_they_changed() {
    let client = client();
    for path in ["/sobjects", "/sobjects/Account/describe"] {
        let first = client.get(path);
        assert_eq!(first.status, 200);
        let modified = first.header("Last-Modified").unwrap().to_owned();
        let tag = first.header("ETag").unwrap().to_owned();
        let again = send(&client, "GET", path, ("If-Modified-Since", &modified), None);
        assert_eq!((again.status, again.raw.body.len()), (304, 0));
        assert_eq!(again.header("ETag"), Some(&*tag));
        assert_eq!(
            send(&client, "GET", path, ("If-None-Match", &tag), None).status,
            304
        );
        assert_eq!(
            send(
                &client,
                "GET",
                path,
                ("If-Modified-Since", "Sat, 1 Jan 2000 00:00:01 GMT"),
                None
            )
            .status,
            200
        );
    }
}

#[test]
fn a_changed_schema_is_described_anew() {
    use attache_sandbox::schema::{FieldDef, FieldKind};
    let client = client();
    let path = "/sobjects/Account/describe";
    let since = client.get(path).header("Last-Modified").unwrap().to_owned();
    client.sandbox.advance(60);
    client.sandbox.with_org(|org| {
        let mut schema = org.schema_mut();
        let mut account = schema.object("Account").unwrap().clone();
        account.push(FieldDef::new("New__c", "New", FieldKind::String));
        schema.insert(account);
    });
    let changed = send(&client, "GET", path, ("If-Modified-Since", &since), None);
    assert_eq!(changed.status, 200);
    assert_eq!(
        changed.header("Last-Modified"),
        Some("Mon, 02 Mar 2026 09:01:00 GMT")
    );
    let names = changed.json["fields"].as_array().unwrap();
    assert!(names.iter().any(|field| field["name"] == "New__c"));
}

#[test]
fn hidden_fields_are_not_described() {
    let client = client();
    let path = "/sobjects/Account/describe";
    let before = client.get(path).json["fields"].as_array().unwrap().len();
    client
        .sandbox
        .with_org(|org| org.hide_field(&client.user, "Account", "Phone", true));
    let shown = client.get(path).json;
    let fields = shown["fields"].as_array().unwrap();
    assert_eq!(fields.len(), before - 1);
    assert!(fields.iter().all(|field| field["name"] != "Phone"));
    let other = Client::of(&client.sandbox, 1).get(path).json;
    assert_eq!(other["fields"].as_array().unwrap().len(), before);
    assert_eq!(client.get("/sobjects/Foo/describe").codes(), ["NOT_FOUND"]);
}

#[test]
fn conditions_may_be_about_the_system_stamp() {
    use attache_sandbox::value::Value::DateTime;
    let client = client();
    let id = client.account("A");
    let path = format!("/sobjects/Account/{id}");
    let object = client
        .sandbox
        .with_org(|org| org.schema().object("Account").unwrap().clone());
    let row: Vec<_> = client.sandbox.with_org(|org| {
        let row = org.read(&client.user, "Account", &id).unwrap();
        object
            .fields
            .iter()
            .map(|field| row.get(&field.name).into_owned())
            .collect()
    });
    // The same row under another id, touched by the system after a user saved it.
    let twin = attache_sandbox::id::make("001", 4_711_000);
    let touched: Vec<_> = row
        .into_iter()
        .zip(&object.fields)
        .map(|(value, field)| match &*field.name {
            "Id" => attache_sandbox::value::Value::text(&twin),
            "SystemModstamp" => DateTime(client.sandbox.now() + 5),
            _ => value,
        })
        .collect();
    client.sandbox.with_org(|org| {
        let at = org.schema().index("Account").unwrap();
        org.put(at, touched).unwrap();
    });
    let twin = path.replace(&id, &twin);
    let read = || send(&client, "GET", &twin, ("If-Modified-Since", CREATED), None).status;
    assert_eq!(read(), 304);
    client
        .sandbox
        .with_org(|org| org.config_mut().switches.precondition_reads_system_modstamp = true);
    assert_eq!(read(), 200);
}
