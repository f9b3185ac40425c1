//! Composite, batch and graph.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::Request;
use client::{Answer, Client, DATA, client};
use serde_json::{Value, json};

fn part(reference: &str, method: &str, path: &str, body: Value) -> Value {
    let mut part =
        json!({"referenceId": reference, "method": method, "url": format!("{DATA}{path}")});
    if !body.is_null() {
        part["body"] = body;
    }
    part
}

fn composite(client: &Client, all_or_none: bool, parts: Vec<Value>) -> Answer {
    client.post(
        "/composite",
        json!({"allOrNone": all_or_none, "compositeRequest": parts}),
    )
}

fn statuses(answer: &Answer) -> Vec<u64> {
    let parts = answer.json["compositeResponse"].as_array().unwrap().iter();
    parts
        .map(|part| part["httpStatusCode"].as_u64().unwrap())
        .collect()
}

#[test]
fn later_parts_name_what_earlier_ones_answered() {
    let client = client();
    let answer = composite(
        &client,
        false,
        vec![
            part("acc", "POST", "/sobjects/Account", json!({"Name": "Acme"})),
            part(
                "con",
                "POST",
                "/sobjects/Contact",
                json!({"LastName": "Jo", "AccountId": "@{acc.id}"}),
            ),
            part(
                "row",
                "GET",
                "/sobjects/Contact/@{con.id}?fields=AccountId,LastName",
                Value::Null,
            ),
            part(
                "up",
                "PATCH",
                "/sobjects/Account/@{row.AccountId}",
                json!({"Site": "of @{row.LastName}"}),
            ),
        ],
    );
    assert_eq!(answer.status, 200);
    assert_eq!(statuses(&answer), [201, 201, 200, 204], "{answer:?}");
    let parts = &answer.json["compositeResponse"];
    let id = parts[0]["body"]["id"].as_str().unwrap();
    assert_eq!(
        parts[0],
        json!({
            "body": {"id": id, "success": true, "errors": []},
            "httpHeaders": {"Location": format!("{DATA}/sobjects/Account/{id}")},
            "httpStatusCode": 201,
            "referenceId": "acc"
        })
    );
    assert_eq!(parts[3]["body"], Value::Null);
    assert_eq!(client.row("Account", id)["Site"], "of Jo");
}

#[test]
fn a_body_as_deep_as_a_stack_is_refused() {
    let client = client();
    for deep in [101, 100_000] {
        let body = format!("{}\"@{{acc.id}}\"{}", "[".repeat(deep), "]".repeat(deep));
        let call = format!(
            r#"{{"compositeRequest":[{{"method":"POST","url":"{DATA}/sobjects/Account","referenceId":"acc","body":{{"Name":{body}}}}}]}}"#
        );
        let answer = client.send(Request::new("POST", &format!("{DATA}/composite")).json(call));
        assert_eq!(
            (answer.status, answer.codes()),
            (400, vec!["JSON_PARSER_ERROR"])
        );
    }
}

#[test]
fn a_part_that_needs_a_failed_one_is_not_run() {
    let client = client();
    let answer = composite(
        &client,
        false,
        vec![
            part("bad", "POST", "/sobjects/Account", json!({})),
            part(
                "needy",
                "POST",
                "/sobjects/Contact",
                json!({"LastName": "x", "AccountId": "@{bad.id}"}),
            ),
            part("free", "POST", "/sobjects/Account", json!({"Name": "Free"})),
            part("none", "GET", "/sobjects/Account/@{nobody.id}", Value::Null),
        ],
    );
    assert_eq!(statuses(&answer), [400, 400, 201, 400]);
    let parts = &answer.json["compositeResponse"];
    assert_eq!(parts[0]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(parts[1]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(parts[3]["body"][0]["errorCode"], "PROCESSING_HALTED");
}

#[test]
fn all_or_none_keeps_nothing_when_a_part_fails() {
    let client = client();
    let before = client.sandbox.with_org(|org| org.count("Account"));
    let answer = composite(
        &client,
        true,
        vec![
            part("one", "POST", "/sobjects/Account", json!({"Name": "One"})),
            part("bad", "POST", "/sobjects/Account", json!({"foo": 1})),
            part("two", "POST", "/sobjects/Account", json!({"Name": "Two"})),
        ],
    );
    assert_eq!(statuses(&answer), [400, 400, 400]);
    let code = |at: usize| &answer.json["compositeResponse"][at]["body"][0]["errorCode"];
    assert_eq!(
        (code(0), code(2)),
        (&json!("PROCESSING_HALTED"), &json!("PROCESSING_HALTED"))
    );
    assert_ne!(code(1), "PROCESSING_HALTED");
    assert_eq!(client.sandbox.with_org(|org| org.count("Account")), before);
    assert_eq!(client.get("/recent").json, json!([]));
}

#[test]
fn all_or_none_overrules_a_collection_inside() {
    let client = client();
    let before = client.sandbox.with_org(|org| org.count("Account"));
    let records = json!({"allOrNone": false, "records": [
        {"attributes": {"type": "Account"}, "Name": "A"},
        {"attributes": {"type": "Account"}}
    ]});
    let parts = || {
        vec![
            part("one", "POST", "/sobjects/Account", json!({"Name": "One"})),
            part("many", "POST", "/composite/sobjects", records.clone()),
        ]
    };
    let answer = composite(&client, true, parts());
    assert_eq!(statuses(&answer), [400, 200], "{answer:?}");
    let errors = &answer.json["compositeResponse"][1]["body"];
    assert_eq!(
        errors[0]["errors"][0]["statusCode"],
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(client.sandbox.with_org(|org| org.count("Account")), before);
    assert_eq!(statuses(&composite(&client, false, parts())), [201, 200]);
    assert_eq!(
        client.sandbox.with_org(|org| org.count("Account")),
        before + 2
    );
}

#[test]
fn each_part_may_have_its_condition() {
    let client = client();
    let ids = [client.account("One"), client.account("Two")];
    client.sandbox.advance(60);
    client.patch(
        &format!("/sobjects/Account/{}", ids[1]),
        json!({"Phone": "1"}),
    );
    let guarded = |reference: &str, id: &str| {
        let mut part = part(
            reference,
            "PATCH",
            &format!("/sobjects/Account/{id}"),
            json!({"Site": "x"}),
        );
        part["httpHeaders"] = json!({"If-Unmodified-Since": "Mon, 02 Mar 2026 09:00:30 GMT"});
        part
    };
    let answer = composite(
        &client,
        false,
        vec![guarded("a", &ids[0]), guarded("b", &ids[1])],
    );
    assert_eq!(statuses(&answer), [204, 412]);
    assert_eq!(client.row("Account", &ids[1])["Site"], Value::Null);
    let mut read = part("d", "GET", "/sobjects/Account/describe", Value::Null);
    read["httpHeaders"] = json!({"If-Modified-Since": "Mon, 02 Mar 2026 10:00:00 GMT"});
    let answer = composite(&client, false, vec![read]);
    let part = &answer.json["compositeResponse"][0];
    assert_eq!(
        (&part["body"], &part["httpStatusCode"]),
        (&Value::Null, &json!(304))
    );
    assert!(
        part["httpHeaders"]["ETag"].is_string() && part["httpHeaders"]["Last-Modified"].is_string()
    );
}

#[test]
fn a_call_has_25_parts_5_of_them_heavy() {
    let client = client();
    let light = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| part(&format!("p{n}"), "GET", "/limits", Value::Null))
            .collect()
    };
    assert_eq!(
        statuses(&composite(&client, false, light(25))),
        vec![200; 25]
    );
    assert_eq!(
        composite(&client, false, light(26)).codes(),
        ["LIMIT_EXCEEDED"]
    );
    let heavy = |count: usize| -> Vec<Value> {
        let path = |n| match n % 2 {
            0 => "/query?q=SELECT Id FROM Account LIMIT 1",
            _ => "/composite/sobjects/Account?ids=x&fields=Id",
        };
        (0..count)
            .map(|n| part(&format!("p{n}"), "GET", path(n), Value::Null))
            .collect()
    };
    assert_eq!(composite(&client, false, heavy(5)).status, 200);
    assert_eq!(
        composite(&client, false, heavy(6)).codes(),
        ["LIMIT_EXCEEDED"]
    );
}

#[test]
fn wrong_parts_are_refused() {
    let client = client();
    let twice = vec![
        part("a", "GET", "/limits", Value::Null),
        part("a", "GET", "/limits", Value::Null),
    ];
    assert_eq!(composite(&client, false, twice).status, 400);
    assert_eq!(
        composite(
            &client,
            false,
            vec![part("a-b", "GET", "/limits", Value::Null)]
        )
        .status,
        400
    );
    let nested = vec![part(
        "a",
        "POST",
        "/composite",
        json!({"compositeRequest": []}),
    )];
    assert_eq!(statuses(&composite(&client, false, nested)), [400]);
    let elsewhere = vec![json!({"referenceId": "a", "method": "GET", "url": "/limits"})];
    assert_eq!(statuses(&composite(&client, false, elsewhere)), [404]);
    assert_eq!(
        client.post("/composite", json!({"requests": []})).codes(),
        ["JSON_PARSER_ERROR"]
    );
}

#[test]
fn batch_parts_stand_alone_and_count_alone() {
    let client = client();
    client
        .sandbox
        .with_switches(|switches| switches.usage_wobble = 0);
    let parts = json!([
        {"method": "POST", "url": "v67.0/sobjects/Account", "richInput": {"Name": "A"}},
        {"method": "POST", "url": "v67.0/sobjects/Account", "richInput": {}},
        {"method": "GET", "url": "v67.0/limits"}
    ]);
    let answer = client.post("/composite/batch", json!({ "batchRequests": parts }));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["hasErrors"], true);
    let status = |at: usize| answer.json["results"][at]["statusCode"].as_u64().unwrap();
    assert_eq!([status(0), status(1), status(2)], [201, 400, 200]);
    assert_eq!(
        answer.json["results"][1]["result"][0]["errorCode"],
        "REQUIRED_FIELD_MISSING"
    );
    assert_eq!(
        answer.header("Sforce-Limit-Info"),
        Some("api-usage=3/100000")
    );

    let halted = client.post(
        "/composite/batch",
        json!({"haltOnError": true, "batchRequests": parts}),
    );
    assert_eq!(halted.json["results"][2]["statusCode"], 412);
    assert_eq!(
        halted.json["results"][2]["result"][0]["errorCode"],
        "BATCH_PROCESSING_HALTED"
    );
}

#[test]
fn graphs_are_each_all_or_nothing() {
    let client = client();
    let graph = |id: &str, name: Value| {
        json!({"graphId": id, "compositeRequest": [
            part("acc", "POST", "/sobjects/Account", json!({"Name": "G"})),
            part("con", "POST", "/sobjects/Contact", json!({"LastName": name, "AccountId": "@{acc.id}"})),
        ]})
    };
    let before = client.sandbox.with_org(|org| org.count("Account"));
    let answer = client.post(
        "/composite/graph",
        json!({"graphs": [graph("1", json!("Jo")), graph("2", Value::Null)]}),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    let graphs = &answer.json["graphs"];
    assert_eq!(
        (&graphs[0]["isSuccessful"], &graphs[1]["isSuccessful"]),
        (&json!(true), &json!(false))
    );
    let refused = &graphs[1]["graphResponse"]["compositeResponse"];
    assert_eq!(refused[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(refused[1]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(
        client.sandbox.with_org(|org| org.count("Account")),
        before + 1
    );
    let query = json!({"graphs": [{"graphId": "1", "compositeRequest": [
        part("q", "GET", "/query?q=SELECT+Id+FROM+Account", Value::Null)
    ]}]});
    assert_eq!(client.post("/composite/graph", query).status, 400);
}

#[test]
fn a_graph_is_one_call_or_as_many_as_its_nodes() {
    let client = client();
    client
        .sandbox
        .with_switches(|switches| switches.usage_wobble = 0);
    let graphs = json!({"graphs": [{"graphId": "1", "compositeRequest": [
        part("a", "POST", "/sobjects/Account", json!({"Name": "A"})),
        part("b", "POST", "/sobjects/Account", json!({"Name": "B"})),
    ]}]});
    let used = |answer: Answer| answer.header("Sforce-Limit-Info").unwrap().to_owned();
    assert_eq!(
        used(client.post("/composite/graph", graphs.clone())),
        "api-usage=1/100000"
    );
    client
        .sandbox
        .with_switches(|switches| switches.counts_graph_nodes = true);
    assert_eq!(
        used(client.post("/composite/graph", graphs)),
        "api-usage=3/100000"
    );
}
