//! Files: made with their bytes, read in stretches, seen by whoever sees what they hang on.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod client;

use attache_sandbox::{Request, Sandbox};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use client::{Answer, Client, DATA, client, org};
use serde_json::{Value, json};

const HELLO_MD5: &str = "5d41402abc4b2a76b9719d911017c592";

fn query(client: &Client, soql: &str) -> Answer {
    let text: String = form_urlencoded::byte_serialize(soql.as_bytes()).collect();
    client.get(&format!("/query?q={text}"))
}

fn records(client: &Client, soql: &str) -> Vec<Value> {
    let answer = query(client, soql);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json["records"].as_array().unwrap().clone()
}

/// Sends a form as the documentation prints it.
fn upload(client: &Client, fields: &Value, body: &[u8]) -> Answer {
    let mut form = format!(
        "--bound\r\nContent-Disposition: form-data; name=\"entity_content\";\r\n\
         Content-Type: application/json\r\n\r\n{fields}\r\n--bound\r\n\
         Content-Type: application/octet-stream\r\n\
         Content-Disposition: form-data; name=\"VersionData\"; filename=\"f.bin\"\r\n\r\n"
    )
    .into_bytes();
    form.extend_from_slice(body);
    form.extend_from_slice(b"\r\n--bound--");
    let mut request = Request::new("POST", &format!("{DATA}/sobjects/ContentVersion"))
        .header("Content-Type", "multipart/form-data; boundary=\"bound\"");
    request.body = form;
    client.send(request)
}

fn attach(client: &Client, holder: &str, name: &str, body: &[u8]) -> String {
    let fields = json!({"PathOnClient": name, "FirstPublishLocationId": holder});
    let answer = upload(client, &fields, body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json["id"].as_str().unwrap().to_owned()
}

fn body(client: &Client, version: &str, range: Option<&str>) -> Answer {
    let path = format!("{DATA}/sobjects/ContentVersion/{version}/VersionData");
    let request = Request::new("GET", &path).header("Accept-Encoding", "gzip");
    client.send(match range {
        Some(range) => request.header("Range", range),
        None => request,
    })
}

fn document_of(client: &Client, version: &str) -> String {
    let row = client.row("ContentVersion", version);
    row["ContentDocumentId"].as_str().unwrap().to_owned()
}

#[test]
fn a_first_version_makes_its_document_and_its_links() {
    let client = client();
    let account = client.account("Acme");
    let version = attach(&client, &account, "plans/Plan A.TXT", b"hello");
    let row = client.row("ContentVersion", &version);
    assert_eq!(row["Title"], "Plan A");
    assert_eq!(row["FileExtension"], "TXT");
    assert_eq!(row["FileType"], "TXT");
    assert_eq!(row["ContentSize"], 5);
    assert_eq!(row["Checksum"], HELLO_MD5);
    assert_eq!(
        (&row["VersionNumber"], &row["IsLatest"]),
        (&json!("1"), &json!(true))
    );
    let path = format!("{DATA}/sobjects/ContentVersion/{version}/VersionData");
    assert_eq!(row["VersionData"], path);
    let document = client.row(
        "ContentDocument",
        row["ContentDocumentId"].as_str().unwrap(),
    );
    assert_eq!(document["LatestPublishedVersionId"], version);
    assert_eq!(document["Title"], "Plan A");
    let soql = format!(
        "SELECT LinkedEntityId, ContentDocument.LatestPublishedVersion.Checksum FROM ContentDocumentLink \
         WHERE ContentDocumentId = '{}'",
        document["Id"].as_str().unwrap()
    );
    let links = records(&client, &soql);
    let holders: Vec<&str> = links
        .iter()
        .map(|link| link["LinkedEntityId"].as_str().unwrap())
        .collect();
    assert_eq!(holders, [client.user.as_str(), account.as_str()]);
    assert_eq!(
        links[0]["ContentDocument"]["LatestPublishedVersion"]["Checksum"],
        HELLO_MD5
    );
}

#[test]
fn a_later_version_takes_the_place_of_the_one_before() {
    let client = client();
    let account = client.account("Acme");
    let first = attach(&client, &account, "a.txt", b"hello");
    let document = document_of(&client, &first);
    let fields = json!({"PathOnClient": "b.pdf", "ContentDocumentId": document});
    let second = upload(&client, &fields, b"other").json["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(client.row("ContentVersion", &first)["IsLatest"], false);
    assert_eq!(client.row("ContentVersion", &second)["VersionNumber"], "2");
    let row = client.row("ContentDocument", &document);
    assert_eq!(
        (&row["LatestPublishedVersionId"], &row["FileType"]),
        (&json!(second), &json!("PDF"))
    );
    assert_eq!(body(&client, &first, None).raw.body, b"hello");
    assert_eq!(body(&client, &second, None).raw.body, b"other");
    let both = json!({"PathOnClient": "b", "ContentDocumentId": document, "FirstPublishLocationId": account});
    assert_eq!(
        upload(&client, &both, b"x").codes(),
        ["FIELD_INTEGRITY_EXCEPTION"]
    );
}

#[test]
fn bytes_come_in_stretches_and_are_never_compressed() {
    let client = client();
    let bytes: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let version = attach(&client, &client.user, "x.bin", &bytes);
    let whole = body(&client, &version, None);
    assert_eq!((whole.status, &whole.raw.body), (200, &bytes));
    assert_eq!(whole.header("Content-Encoding"), None);
    let part = body(&client, &version, Some("bytes=10-19"));
    assert_eq!(
        (part.status, part.header("Content-Range")),
        (206, Some("bytes 10-19/5000"))
    );
    assert_eq!(part.raw.body, &bytes[10..20]);
    let rest = body(&client, &version, Some("bytes=4990-9999"));
    assert_eq!(
        (rest.status, rest.raw.body.as_slice()),
        (206, &bytes[4990..])
    );
    let last = body(&client, &version, Some("bytes=-3"));
    assert_eq!(last.raw.body, &bytes[4997..]);
    let behind = body(&client, &version, Some("bytes=5000-"));
    assert_eq!(
        (behind.status, behind.header("Content-Range")),
        (416, Some("bytes */5000"))
    );
    assert_eq!(body(&client, &version, Some("lines=1-2")).status, 200);
    client
        .sandbox
        .with_switches(|switches| switches.serves_ranges = false);
    let whole = body(&client, &version, Some("bytes=10-19"));
    assert_eq!((whole.status, whole.raw.body), (200, bytes));
}

#[test]
fn base64_in_json_makes_the_same_file() {
    let client = client();
    let fields = json!({"PathOnClient": "a.txt", "VersionData": BASE64.encode(b"hello")});
    let id = client.create("ContentVersion", fields);
    assert_eq!(client.row("ContentVersion", &id)["Checksum"], HELLO_MD5);
    let refused = |fields: Value| {
        let answer = client.post("/sobjects/ContentVersion", fields);
        (
            answer.status,
            answer.json[0]["errorCode"].as_str().unwrap().to_owned(),
        )
    };
    let missing = (400, "REQUIRED_FIELD_MISSING".to_owned());
    assert_eq!(refused(json!({"PathOnClient": "a.txt"})), missing);
    assert_eq!(refused(json!({"VersionData": "aGVsbG8="})), missing);
    assert_eq!(
        refused(json!({"PathOnClient": "a", "VersionData": "%"})).1,
        "JSON_PARSER_ERROR"
    );
    let hangs_nowhere = json!({"PathOnClient": "a", "VersionData": "", "FirstPublishLocationId": "001000000000999AAA"});
    assert_eq!(refused(hangs_nowhere).1, "INVALID_CROSS_REFERENCE_KEY");
}

#[test]
fn links_are_found_from_one_of_their_ends_only() {
    let client = client();
    let account = client.account("Acme");
    attach(&client, &account, "a.txt", b"hello");
    let through = [
        "",
        "WHERE ShareType = 'V'",
        "WHERE LinkedEntityId != null",
        "WHERE LinkedEntityId = '001000000000001AAA' OR ShareType = 'V'",
        "WHERE ContentDocument.Title = 'a'",
    ];
    for clause in through {
        let answer = query(
            &client,
            &format!("SELECT Id FROM ContentDocumentLink {clause}"),
        );
        assert_eq!(answer.codes(), ["MALFORMED_QUERY"], "{clause}");
    }
    let soql = "SELECT Id FROM ContentDocumentLink WHERE SystemModstamp > 2000-01-01T00:00:00Z \
                AND LinkedEntityId IN (SELECT Id FROM Account)";
    assert_eq!(records(&client, soql).len(), 1);
    let soql = format!(
        "SELECT (SELECT ContentDocument.Title FROM ContentDocumentLinks) FROM Account WHERE Id = '{account}'"
    );
    assert_eq!(
        records(&client, &soql)[0]["ContentDocumentLinks"]["totalSize"],
        1
    );
}

#[test]
fn a_file_is_seen_by_whoever_sees_what_it_hangs_on() {
    let sandbox: Sandbox = org();
    let (jo, kim) = (Client::of(&sandbox, 0), Client::of(&sandbox, 1));
    let account = jo.account("Acme");
    let version = attach(&jo, &account, "a.txt", b"hello");
    let document = document_of(&jo, &version);
    let sees = |client: &Client| {
        let soql = format!("SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{account}'");
        (
            body(client, &version, None).status,
            client
                .get(&format!("/sobjects/ContentDocument/{document}"))
                .status,
            records(client, &soql).len(),
        )
    };
    assert_eq!(sees(&jo), (200, 200, 1));
    assert_eq!(sees(&kim), (404, 404, 0));
    sandbox.with_org(|org| org.grant_read("Account", &account, &kim.user));
    assert_eq!(sees(&kim), (200, 200, 1));
    let fields = json!({"PathOnClient": "b.txt", "ContentDocumentId": document});
    assert_eq!(upload(&kim, &fields, b"x").status, 403);
    assert_eq!(
        kim.delete(&format!("/sobjects/ContentDocument/{document}"))
            .status,
        403
    );
    sandbox.with_org(|org| org.revoke("Account", &account, &kim.user));
    assert_eq!(sees(&kim), (404, 404, 0));
}

#[test]
fn a_deleted_document_takes_versions_and_links_along() {
    let client = client();
    let account = client.account("Acme");
    let version = attach(&client, &account, "a.txt", b"hello");
    let document = document_of(&client, &version);
    let refused = client.delete(&format!("/sobjects/ContentVersion/{version}"));
    assert_eq!(refused.codes(), ["INSUFFICIENT_ACCESS_OR_READONLY"]);
    assert_eq!(
        client
            .delete(&format!("/sobjects/ContentDocument/{document}"))
            .status,
        204
    );
    assert_eq!(body(&client, &version, None).status, 404);
    let soql = format!("SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{account}'");
    assert_eq!(records(&client, &soql).len(), 0);
    let user = client.user.clone();
    client
        .sandbox
        .with_org(|org| org.undelete(&user, "ContentDocument", &document))
        .unwrap();
    assert_eq!(body(&client, &version, None).raw.body, b"hello");
    assert_eq!(records(&client, &soql).len(), 1);
}

#[test]
fn a_deleted_row_lets_go_of_its_files() {
    let client = client();
    let account = client.account("Acme");
    let version = attach(&client, &account, "a.txt", b"hello");
    assert_eq!(
        client
            .delete(&format!("/sobjects/Account/{account}"))
            .status,
        204
    );
    assert_eq!(
        body(&client, &version, None).status,
        200,
        "its owner still has it"
    );
    let soql = format!("SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{account}'");
    assert_eq!(records(&client, &soql).len(), 0);
}

#[test]
fn storage_is_bounded_and_forms_are_read_with_care() {
    let client = client();
    client
        .sandbox
        .with_org(|org| org.config_mut().switches.file_storage_bytes_max = 9);
    attach(&client, &client.user, "a", b"hello");
    let fields = json!({"PathOnClient": "b"});
    assert_eq!(
        upload(&client, &fields, b"world").codes(),
        ["STORAGE_LIMIT_EXCEEDED"]
    );
    for form in [
        "",
        "--bound",
        "--bound\r\n",
        "--bound--",
        "--bound\r\n\r\nx\r\n--bound--",
        "--bound\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n\r\n{}\r\n--bound--",
        "--bound\r\nContent-Disposition: form-data; name=\"VersionData\"\r\n\r\n{}",
    ] {
        let mut request = Request::new("POST", &format!("{DATA}/sobjects/ContentVersion"))
            .header("Content-Type", "multipart/form-data; boundary=bound");
        request.body = form.into();
        let answer = client.send(request);
        assert_eq!(answer.status, 400, "{form}: {answer:?}");
    }
}
