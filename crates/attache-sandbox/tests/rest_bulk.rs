//! Bulk jobs: what a query finds as CSV in pages, and rows written from CSV.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::Request;
use client::{Answer, Client, DATA, client};
use serde_json::json;

fn start(client: &Client, soql: &str) -> String {
    let made = client.post("/jobs/query", json!({"operation": "query", "query": soql}));
    assert_eq!(
        (made.status, &made.json["state"]),
        (200, &json!("UploadComplete"))
    );
    assert_eq!(made.json["contentType"], "CSV");
    made.json["id"].as_str().unwrap().to_owned()
}

fn rows(answer: &Answer) -> Vec<Vec<String>> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(answer.raw.body.as_slice());
    let rows = reader.deserialize::<Vec<String>>();
    rows.collect::<Result<_, _>>().unwrap()
}

fn put(client: &Client, path: &str, body: &str) -> Answer {
    let mut request =
        Request::new("PUT", &format!("{DATA}{path}")).header("Content-Type", "text/csv");
    request.body = body.as_bytes().to_vec();
    client.send(request)
}

/// Hands data over to a new job and gives its id at its end.
fn ingest(client: &Client, job: serde_json::Value, data: &str) -> String {
    let made = client.post("/jobs/ingest", job);
    assert_eq!(
        (made.status, &made.json["state"]),
        (200, &json!("Open")),
        "{made:?}"
    );
    let id = made.json["id"].as_str().unwrap().to_owned();
    let url = made.json["contentUrl"].as_str().unwrap();
    assert_eq!(
        url,
        &format!("services/data/v67.0/jobs/ingest/{id}/batches")
    );
    assert_eq!(
        put(client, &format!("/jobs/ingest/{id}/batches"), data).status,
        201
    );
    let closed = client.patch(
        &format!("/jobs/ingest/{id}"),
        json!({"state": "UploadComplete"}),
    );
    assert_eq!(closed.status, 200, "{closed:?}");
    let done = client.get(&format!("/jobs/ingest/{id}"));
    assert_eq!(done.json["state"], "JobComplete", "{done:?}");
    id
}

#[test]
fn a_query_job_gives_what_the_query_gives() {
    let client = client();
    client.create(
        "Account",
        json!({"Name": "Say \"hi\", twice", "AnnualRevenue": 15}),
    );
    let soql = "SELECT Id, Name, AnnualRevenue, CreatedDate, Owner.Name, Parent.Name FROM Account ORDER BY Id";
    let id = start(&client, soql);
    let info = client.get(&format!("/jobs/query/{id}"));
    assert_eq!(info.json["state"], "JobComplete");
    let page = client.get(&format!("/jobs/query/{id}/results"));
    assert_eq!(page.header("Sforce-Locator"), Some("null"));
    let rows = rows(&page);
    assert_eq!(
        rows[0],
        [
            "Id",
            "Name",
            "AnnualRevenue",
            "CreatedDate",
            "Owner.Name",
            "Parent.Name"
        ]
    );
    let plain = client.get(&format!("/query?q={}", soql.replace(' ', "+")));
    let records = plain.json["records"].as_array().unwrap();
    assert_eq!(rows.len() - 1, records.len());
    assert_eq!(info.json["numberRecordsProcessed"], records.len());
    for (row, record) in rows[1..].iter().zip(records) {
        assert_eq!(row[0], record["Id"].as_str().unwrap());
        assert_eq!(row[1], record["Name"].as_str().unwrap());
        let revenue = &record["AnnualRevenue"];
        let revenue = revenue.as_f64().map_or(String::new(), |n| format!("{n:?}"));
        assert_eq!(row[2], revenue);
        let created = record["CreatedDate"].as_str().unwrap();
        assert_eq!(row[3], created.replace("+0000", "Z"));
        assert_eq!(row[4], record["Owner"]["Name"].as_str().unwrap());
        assert_eq!(
            row[5],
            record["Parent"]["Name"].as_str().unwrap_or_default()
        );
    }
}

#[test]
fn results_come_in_pages_that_stay_as_they_are() {
    let client = client();
    for n in 0..25 {
        client.account(&format!("Paged {n:02}"));
    }
    let id = start(
        &client,
        "SELECT Id, Name FROM Account WHERE Name LIKE 'Paged %' ORDER BY Name",
    );
    let first = client.get(&format!("/jobs/query/{id}/results?maxRecords=10"));
    assert_eq!(first.header("Sforce-NumberOfRecords"), Some("10"));
    // What happens to the rows now does not change what was found.
    let changed = rows(&first)[1][0].clone();
    client.patch(
        &format!("/sobjects/Account/{changed}"),
        json!({"Name": "Renamed"}),
    );
    client.account("Paged too late");
    let again = client.get(&format!("/jobs/query/{id}/results?maxRecords=10"));
    assert_eq!(first.raw.body, again.raw.body);
    let (mut names, mut locator) = (Vec::new(), String::new());
    while locator != "null" {
        let page = client.get(&format!(
            "/jobs/query/{id}/results?maxRecords=10&locator={locator}"
        ));
        names.extend(rows(&page).into_iter().skip(1).map(|row| row[1].clone()));
        locator = page.header("Sforce-Locator").unwrap().to_owned();
    }
    let expected: Vec<String> = (0..25).map(|n| format!("Paged {n:02}")).collect();
    assert_eq!(names, expected);
    let bad = client.get(&format!("/jobs/query/{id}/results?locator=MTAw"));
    assert_eq!(bad.status, 400);
}

#[test]
fn pages_can_be_read_side_by_side() {
    let client = client();
    for n in 0..33 {
        client.account(&format!("Side {n:02}"));
    }
    let id = start(
        &client,
        "SELECT Name FROM Account WHERE Name LIKE 'Side %' ORDER BY Name",
    );
    let (mut next, mut names) = (
        Some(format!("{DATA}/jobs/query/{id}/resultPages?maxRecords=5")),
        Vec::new(),
    );
    let mut counts = Vec::new();
    while let Some(url) = next {
        let pages = client.send(Request::new("GET", &url));
        let urls = pages.json["resultPages"].as_array().unwrap();
        counts.push(urls.len());
        for page in urls {
            let page = client.send(Request::new("GET", page["resultUrl"].as_str().unwrap()));
            names.extend(rows(&page).into_iter().skip(1).map(|row| row[0].clone()));
        }
        next = pages.json["nextRecordsUrl"].as_str().map(str::to_owned);
        assert_eq!(pages.json["done"], next.is_none());
    }
    assert_eq!(counts, [5, 2]);
    assert_eq!(
        names,
        (0..33).map(|n| format!("Side {n:02}")).collect::<Vec<_>>()
    );
}

#[test]
fn a_job_takes_its_time_and_can_be_stopped() {
    let client = client();
    client
        .sandbox
        .with_switches(|switches| switches.bulk_delay_s = 60);
    let id = start(&client, "SELECT Id FROM Account");
    let state = |client: &Client| client.get(&format!("/jobs/query/{id}")).json["state"].clone();
    assert_eq!(state(&client), "InProgress");
    let early = client.get(&format!("/jobs/query/{id}/results"));
    assert_eq!(early.codes(), ["INVALIDJOBSTATE"]);
    client.sandbox.advance(60);
    assert_eq!(state(&client), "JobComplete");
    let other = start(&client, "SELECT Id FROM Account");
    let stopped = client.patch(&format!("/jobs/query/{other}"), json!({"state": "Aborted"}));
    assert_eq!(stopped.json["state"], "Aborted");
    assert_eq!(client.delete(&format!("/jobs/query/{id}")).status, 204);
    assert_eq!(client.get(&format!("/jobs/query/{id}")).status, 404);
}

#[test]
fn a_job_belongs_to_its_user_and_its_version() {
    let sandbox = client::org();
    let (one, other) = (Client::of(&sandbox, 0), Client::of(&sandbox, 1));
    let id = start(&one, "SELECT Id FROM Account");
    assert_eq!(other.get(&format!("/jobs/query/{id}")).status, 404);
    let older = Request::new(
        "GET",
        &format!("/services/data/v60.0/jobs/query/{id}/results"),
    );
    assert_eq!(one.send(older).status, 409);
    one.sandbox.advance(8 * 86_400);
    start(&one, "SELECT Id FROM Account");
    assert_eq!(
        one.get(&format!("/jobs/query/{id}")).status,
        404,
        "kept seven days"
    );
}

#[test]
fn what_a_file_cannot_hold_fails_and_what_is_no_query_is_refused() {
    let client = client();
    let refused = client.post(
        "/jobs/query",
        json!({"operation": "query", "query": "SELECT Nope FROM Account"}),
    );
    assert_eq!(refused.codes(), ["INVALID_FIELD"]);
    for soql in [
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT COUNT(Id) FROM Account",
        "SELECT BillingAddress FROM Account",
        "SELECT Id FROM Account LIMIT 5 OFFSET 5",
    ] {
        let id = start(&client, soql);
        let info = client.get(&format!("/jobs/query/{id}"));
        assert_eq!(info.json["state"], "Failed", "{soql}");
        assert!(
            info.json["errorMessage"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
}

#[test]
fn rows_are_written_from_a_file_each_by_itself() {
    let client = client();
    let insert = json!({"object": "Account", "operation": "insert", "contentType": "CSV"});
    let data = "Name,AnnualRevenue,External_Id__c\nOne,10,k-1\n,3,k-2\n\"Two, Inc\",,k-3\n";
    let id = ingest(&client, insert, data);
    let info = client.get(&format!("/jobs/ingest/{id}"));
    assert_eq!(
        (
            &info.json["numberRecordsProcessed"],
            &info.json["numberRecordsFailed"]
        ),
        (&json!(3), &json!(1))
    );
    let good = rows(&client.get(&format!("/jobs/ingest/{id}/successfulResults")));
    assert_eq!(
        good[0],
        [
            "sf__Id",
            "sf__Created",
            "Name",
            "AnnualRevenue",
            "External_Id__c"
        ]
    );
    assert_eq!(
        (good.len(), good[1][1].as_str(), good[2][2].as_str()),
        (3, "true", "Two, Inc")
    );
    assert_eq!(client.row("Account", &good[1][0])["AnnualRevenue"], 10.0);
    let bad = rows(&client.get(&format!("/jobs/ingest/{id}/failedResults")));
    assert!(bad[1][1].starts_with("REQUIRED_FIELD_MISSING:"), "{bad:?}");

    let upsert = json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"});
    let id = ingest(
        &client,
        upsert,
        "External_Id__c,AnnualRevenue,Name\nk-1,#N/A,One more\nk-9,1,New\n",
    );
    let done = rows(&client.get(&format!("/jobs/ingest/{id}/successfulResults")));
    assert_eq!(
        (done[1][1].as_str(), done[2][1].as_str()),
        ("false", "true")
    );
    let row = client.row("Account", &good[1][0]);
    assert_eq!(
        (&row["AnnualRevenue"], &row["Name"]),
        (&json!(null), &json!("One more"))
    );

    let contact = json!({"object": "Contact", "operation": "insert"});
    let id = ingest(
        &client,
        contact,
        "LastName,Account.External_Id__c\nHung,k-1\n",
    );
    let done = rows(&client.get(&format!("/jobs/ingest/{id}/successfulResults")));
    assert_eq!(
        client.row("Contact", &done[1][0])["AccountId"],
        good[1][0].as_str()
    );

    let delete = json!({"object": "Account", "operation": "delete"});
    let id = ingest(
        &client,
        delete,
        &format!("Id\n{}\n001000000000000AAA\n", good[2][0]),
    );
    let info = client.get(&format!("/jobs/ingest/{id}"));
    assert_eq!(info.json["numberRecordsFailed"], 1);
    assert_eq!(
        client
            .get(&format!("/sobjects/Account/{}", good[2][0]))
            .status,
        404
    );
}
