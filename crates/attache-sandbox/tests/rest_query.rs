//! Queries and their pages, what changed in a span of time, and the day's calls.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::Request;
use client::{Answer, Client, DATA, client, org};
use serde_json::{Value, json};

fn query(client: &Client, soql: &str) -> Answer {
    client.get(&format!("/query/?q={}", soql.replace(' ', "+")))
}

fn sized(client: &Client, path: &str, batch: &str) -> Answer {
    let options = format!("batchSize={batch}");
    let target = if path.starts_with("/services") {
        path.to_owned()
    } else {
        format!("{DATA}{path}")
    };
    client.send(Request::new("GET", &target).header("Sforce-Query-Options", &options))
}

/// Follows a result to its end and gives every id.
fn all_ids(client: &Client, first: Answer) -> (Vec<String>, Vec<usize>) {
    let (mut page, mut ids, mut sizes) = (first, Vec::new(), Vec::new());
    loop {
        assert_eq!(page.status, 200, "{page:?}");
        let records = page.json["records"].as_array().unwrap();
        sizes.push(records.len());
        ids.extend(
            records
                .iter()
                .map(|row| row["Id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page.json["nextRecordsUrl"].as_str() else {
            break;
        };
        assert_eq!(page.json["done"], false);
        page =
            client.send(Request::new("GET", next).header("Sforce-Query-Options", "batchSize=200"));
    }
    assert_eq!(page.json["done"], true);
    (ids, sizes)
}

/// An org of a user who owns 450 accounts and nothing else.
fn crowded() -> (Client, Vec<String>) {
    let sandbox = attache_sandbox::Sandbox::builder()
        .records(0)
        .now(client::NOW)
        .manual_clock()
        .build()
        .unwrap();
    let client = Client::of(&sandbox, 0);
    let ids = (0..450)
        .map(|n| client.account(&format!("A{n:03}")))
        .collect();
    (client, ids)
}

#[test]
fn a_short_result_is_one_page() {
    let client = client();
    let id = client.account("Only this one");
    let answer = query(
        &client,
        "SELECT Id, Name FROM Account WHERE Name = 'Only this one'",
    );
    assert_eq!(
        answer.json,
        json!({"totalSize": 1, "done": true, "records": [{
            "attributes": {"type": "Account", "url": format!("{DATA}/sobjects/Account/{id}")},
            "Id": id,
            "Name": "Only this one"
        }]})
    );
    let none = query(&client, "SELECT Id FROM Account WHERE Name = 'nobody'");
    assert_eq!(
        none.json,
        json!({"totalSize": 0, "done": true, "records": []})
    );
}

#[test]
fn a_long_result_comes_in_pages() {
    let (client, ids) = crowded();
    let first = sized(
        &client,
        "/query?q=SELECT+Id+FROM+Account+ORDER+BY+Name",
        "200",
    );
    assert_eq!(first.json["totalSize"], 450);
    let next = first.json["nextRecordsUrl"].as_str().unwrap();
    assert!(
        next.starts_with(&format!("{DATA}/query/01g")) && next.ends_with("-200"),
        "{next}"
    );
    let (found, sizes) = all_ids(&client, first);
    assert_eq!(found, ids);
    assert_eq!(sizes, [200, 200, 50]);
    assert_eq!(
        all_ids(&client, query(&client, "SELECT Id FROM Account")).1,
        [450]
    );
}

#[test]
fn pages_may_be_shorter_than_asked_for() {
    let (client, ids) = crowded();
    client
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 7);
    let (found, sizes) = all_ids(
        &client,
        sized(
            &client,
            "/query?q=SELECT+Id+FROM+Account+ORDER+BY+Name",
            "2000",
        ),
    );
    assert_eq!(found, ids);
    assert_eq!((sizes[0], sizes.len()), (7, 65));
}

#[test]
fn many_children_come_in_pages_of_their_own() {
    let client = client();
    let account = client.account("Big");
    let record = |n| json!({"attributes": {"type": "Contact"}, "LastName": format!("C{n:03}"), "AccountId": account});
    for from in [0, 200, 400] {
        let records: Vec<Value> = (from..450.min(from + 200)).map(record).collect();
        let made = client.post("/composite/sobjects", json!({ "records": records }));
        assert_eq!(made.status, 200);
    }
    let soql = format!(
        "SELECT+Id,(SELECT+Id+FROM+Contacts+ORDER+BY+LastName)+FROM+Account+WHERE+Id='{account}'"
    );
    let path = format!("/query?q={soql}");
    let whole = client.get(&path).json["records"][0]["Contacts"].clone();
    assert_eq!(
        (&whole["totalSize"], &whole["done"]),
        (&450.into(), &true.into())
    );
    let ids: Vec<&str> = rows(&whole)
        .map(|row| row["Id"].as_str().unwrap())
        .collect();

    let cut = sized(&client, &path, "200");
    assert_eq!(cut.json["done"], true);
    let children = cut.json["records"][0]["Contacts"].clone();
    assert_eq!(children["totalSize"], 450);
    let stranger = Client::of(&client.sandbox, 1);
    let next = children["nextRecordsUrl"].as_str().unwrap();
    assert_eq!(
        stranger.send(Request::new("GET", next)).codes(),
        ["INVALID_QUERY_LOCATOR"]
    );
    let first = Answer {
        json: children,
        ..cut
    };
    let (paged, sizes) = all_ids(&client, first);
    assert_eq!(sizes, [200, 200, 50]);
    assert_eq!(paged, ids);
    client
        .sandbox
        .with_switches(|switches| switches.child_rows_max = 3);
    let few = client.get(&path).json["records"][0]["Contacts"].clone();
    assert_eq!((rows(&few).count(), &few["done"]), (3, &false.into()));
}

fn rows(page: &Value) -> impl Iterator<Item = &Value> {
    page["records"].as_array().unwrap().iter()
}

#[test]
fn the_batch_size_has_bounds() {
    let client = client();
    let path = "/query?q=SELECT+Id+FROM+Account";
    for (size, status) in [
        ("199", 400),
        ("200", 200),
        ("2000", 200),
        ("2001", 400),
        ("x", 400),
    ] {
        assert_eq!(sized(&client, path, size).status, status, "{size}");
    }
    assert_eq!(sized(&client, path, "1").codes(), ["INVALID_BATCH_SIZE"]);
}

#[test]
fn a_locator_dies_after_two_days_or_when_there_are_too_many() {
    let (client, _) = crowded();
    let open = || {
        let first = sized(&client, "/query?q=SELECT+Id+FROM+Account", "200");
        first.json["nextRecordsUrl"].as_str().unwrap().to_owned()
    };
    let status = |url: &str| sized(&client, url, "200").status;
    let old = open();
    client.sandbox.advance(2 * 86_400);
    assert_eq!(status(&old), 200);
    client.sandbox.advance(1);
    let lost = sized(&client, &old, "200");
    assert_eq!(
        (lost.status, lost.codes()),
        (400, vec!["INVALID_QUERY_LOCATOR"])
    );
    client
        .sandbox
        .with_switches(|switches| switches.locators_max = Some(2));
    let (one, two, three) = (open(), open(), open());
    assert_eq!(
        [status(&one), status(&two), status(&three)],
        [400, 200, 200]
    );
    assert_eq!(
        client.get("/query/nonsense").codes(),
        ["INVALID_QUERY_LOCATOR"]
    );
    let stranger = Client::of(&client.sandbox, 1);
    assert_eq!(sized(&stranger, &three, "200").status, 400);
}

#[test]
fn a_count_has_a_total_and_no_records() {
    let (client, _) = crowded();
    let count = query(&client, "select count() from Account");
    assert_eq!(
        count.json,
        json!({"totalSize": 450, "done": true, "records": []})
    );
    let aggregate = query(&client, "select count(Id) from Account");
    assert_eq!(
        aggregate.json,
        json!({"totalSize": 1, "done": true, "records": [
            {"attributes": {"type": "AggregateResult"}, "expr0": 450}
        ]})
    );
}

#[test]
fn deleted_rows_are_found_by_query_all_alone() {
    let client = client();
    let id = client.account("Gone");
    client.delete(&format!("/sobjects/Account/{id}"));
    let soql = "SELECT+Id,IsDeleted+FROM+Account+WHERE+Name='Gone'";
    assert_eq!(client.get(&format!("/query?q={soql}")).json["totalSize"], 0);
    let all = client.get(&format!("/queryAll?q={soql}")).json;
    assert_eq!(
        (&all["totalSize"], &all["records"][0]["IsDeleted"]),
        (&json!(1), &json!(true))
    );
}

#[test]
fn wrong_queries_are_refused() {
    let client = client();
    let cases = [
        ("select count() from XYZZY", "INVALID_TYPE"),
        ("SELECT Foo FROM Account", "INVALID_FIELD"),
        ("SELECT Id FORM Account", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
    ];
    for (soql, code) in cases {
        let answer = query(&client, soql);
        assert_eq!((answer.status, answer.codes()), (400, vec![code]), "{soql}");
        assert_eq!(answer.json[0].get("fields"), None);
    }
    assert_eq!(client.get("/query").codes(), ["MALFORMED_QUERY"]);
}

#[test]
fn what_changed_in_a_span_is_told() {
    let client = client();
    client.sandbox.advance(600);
    let id = client.create("Contact", json!({"LastName": "New"}));
    client.sandbox.advance(600);
    let span = "start=2026-03-02T09:05:00Z&end=2026-03-02T09:15:00%2B00:00";
    let updated = client.get(&format!("/sobjects/Contact/updated/?{span}"));
    assert_eq!(updated.status, 200, "{updated:?}");
    assert_eq!(
        updated.json,
        json!({"ids": [id], "latestDateCovered": "2026-03-02T09:15:00.000+0000"})
    );

    client.delete(&format!("/sobjects/Contact/{id}"));
    client.sandbox.advance(120);
    let span = "start=2026-03-02T09:15:00Z&end=2026-03-02T09:21:00Z";
    let deleted = client.get(&format!("/sobjects/Contact/deleted?{span}"));
    assert_eq!(deleted.status, 200, "{deleted:?}");
    assert_eq!(
        deleted.json["deletedRecords"],
        json!([{"id": id, "deletedDate": "2026-03-02T09:20:00.000+0000"}])
    );
    assert_eq!(
        deleted.json["latestDateCovered"],
        "2026-03-02T09:21:00.000+0000"
    );
    assert!(deleted.json["earliestDateAvailable"].is_string());
}

#[test]
fn wrong_spans_are_refused() {
    let client = client();
    let updated = |span: &str| client.get(&format!("/sobjects/Contact/updated?{span}"));
    assert_eq!(updated("start=2026-03-02T09:00:00Z").status, 400);
    let code = "INVALID_REPLICATION_DATE";
    assert_eq!(
        updated("start=yesterday&end=2026-03-02T09:00:00Z").codes(),
        [code]
    );
    assert_eq!(
        updated("start=2026-03-02T09:00:00Z&end=2026-03-02T08:00:00Z").codes(),
        [code]
    );
    assert_eq!(
        updated("start=2025-03-02T09:00:00Z&end=2026-03-02T08:00:00Z").codes(),
        [code]
    );
    assert_eq!(
        client.get("/sobjects/Foo/updated?start=x&end=y").codes(),
        ["NOT_FOUND"]
    );
}

#[test]
fn the_days_calls_are_counted_and_capped() {
    let sandbox = org();
    let client = Client::of(&sandbox, 0);
    sandbox.with_switches(|switches| {
        switches.usage_wobble = 0;
        switches.daily_calls_max = 3;
    });
    assert_eq!(
        client.get("/limits").json["DailyApiRequests"],
        json!({"Max": 3, "Remaining": 2})
    );
    assert_eq!(
        client.get("/limits").header("Sforce-Limit-Info"),
        Some("api-usage=2/3")
    );
    assert_eq!(
        client.get("/nonsense").header("Sforce-Limit-Info"),
        Some("api-usage=3/3")
    );
    let refused = client.get("/limits");
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json,
        json!([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}])
    );
    let versions = client.send(Request::new("GET", "/services/data"));
    assert_eq!(
        (versions.status, versions.header("Sforce-Limit-Info")),
        (200, None)
    );
    sandbox.advance(86_400);
    assert_eq!(client.get("/limits").status, 200);
}

#[test]
fn rows_are_counted() {
    let (client, _) = crowded();
    let counts = client.get("/limits/recordCount?sObjects=Account,Lead");
    assert_eq!(
        counts.json,
        json!({"sObjects": [{"count": 450, "name": "Account"}]})
    );
    let all = client.get("/limits/recordCount").json;
    let names: Vec<&Value> = all["sObjects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| &count["name"])
        .collect();
    assert!(names.contains(&&json!("User")), "{names:?}");
}
