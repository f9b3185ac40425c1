//! The sandbox against answers of real orgs: the same call must give an answer of the same shape.
//!
//! Each recorded case is replayed in order on an org of its own. Ids and versions are put in the
//! sandbox's words; everything else of a request goes out as it was recorded. Two answers have the
//! same shape if their objects have the same keys, their values the same JSON types (null fits any
//! of a record's fields), and their errors the same codes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::{Request, Sandbox, org::Rights};
use client::{Answer, Client, client};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/recorded");

/// What the sandbox has not: the Tooling API, Bulk 1, and objects outside of its schema.
const ELSEWHERE: [&str; 6] = [
    "/services/async/",
    "/tooling/",
    "FROM+RecordType",
    "PermissionSet",
    "/sobjects/Campaign",
    "/sobjects/Organization",
];

/// Cases whose answers the publisher cut short by hand.
const EDITED: [&str; 1] = ["ManualEditTestDescribeOrg.test_minimal_schema"];

/// Before the dates that recorded conditions name, and after the first of them.
const THEN: &str = "2020-08-14T20:53:02Z";

/// A recorded case: its name and its calls.
fn cases() -> Vec<(String, Vec<Value>)> {
    let file = File::open(Path::new(RECORDED).join("cumulusci.jsonl.gz")).unwrap();
    BufReader::new(GzDecoder::new(file))
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .filter_map(|case| {
            let calls = case["interactions"].as_array()?.clone();
            Some((case["case"].as_str()?.to_owned(), calls))
        })
        .collect()
}

fn recorded(name: &str) -> Value {
    let text =
        fs::read_to_string(Path::new(RECORDED).join(format!("{name}_response.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Replays a case and knows which of our ids stand for the recorded ones.
struct Replay {
    client: Client,
    ids: BTreeMap<String, String>,
}

impl Replay {
    fn new() -> Replay {
        let sandbox = Sandbox::builder()
            .records(100)
            .now(THEN)
            .manual_clock()
            .build()
            .unwrap();
        let client = Client::of(&sandbox, 0);
        // The recorded user saw everything.
        let rights = Rights {
            view_all: true,
            modify_all: true,
        };
        sandbox.with_org(|org| org.set_rights(&client.user, rights));
        Replay {
            client,
            ids: BTreeMap::new(),
        }
    }

    /// Puts a recorded text in the sandbox's words. Ids never seen before stand for rows made for them.
    fn translate(&mut self, text: &str) -> String {
        let mut out = text.replace("vxx.0", "v67.0");
        for id in ids_in(text) {
            let own = match self.ids.get(&id) {
                Some(own) => own.clone(),
                None => {
                    let own = match &id[..3] {
                        "001" => self.client.account("made for a recorded id"),
                        "003" => self
                            .client
                            .create("Contact", json!({"LastName": "made for a recorded id"})),
                        other => panic!("a recorded id of an object unknown: {other}"),
                    };
                    self.ids.insert(id.clone(), own.clone());
                    own
                }
            };
            out = out.replace(&id, &own);
        }
        out
    }

    fn send(&mut self, call: &Value) -> Answer {
        let uri = call["uri"].as_str().unwrap();
        let path = self.translate(&uri[uri.find("/services").unwrap()..]);
        let mut request = Request::new(call["method"].as_str().unwrap(), &path);
        request = match &call["body"] {
            Value::Null => request,
            Value::String(text) => request.json(self.translate(text)),
            body => request.json(self.translate(&body.to_string())),
        };
        self.client.send(request)
    }

    /// Learns which of our ids stands where a recorded one stood.
    fn learn(&mut self, recorded: &Value, ours: &Value) {
        match (recorded, ours) {
            (Value::Array(recorded), Value::Array(ours)) => {
                recorded
                    .iter()
                    .zip(ours)
                    .for_each(|(recorded, ours)| self.learn(recorded, ours));
            }
            (Value::Object(recorded), Value::Object(ours)) => {
                if let (Some(Value::String(recorded)), Some(Value::String(ours))) =
                    (recorded.get("id"), ours.get("id"))
                {
                    self.ids.insert(recorded.clone(), ours.clone());
                }
            }
            _ => {}
        }
    }
}

/// Finds the quoted ids of a text: 18 letters and digits of an object the sandbox has.
fn ids_in(text: &str) -> Vec<String> {
    let is_id = |word: &&str| {
        word.len() == 18
            && matches!(&word[..3], "001" | "003")
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(is_id).map(str::to_owned).collect()
}

/// Lists how an answer of ours differs in shape from a recorded one.
fn differences(recorded: &Value, ours: &Value, at: &str, out: &mut Vec<String>) {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            for key in recorded.keys().filter(|key| !ours.contains_key(*key)) {
                out.push(format!("{at}.{key} is missing"));
            }
            for key in ours.keys().filter(|key| !recorded.contains_key(*key)) {
                out.push(format!("{at}.{key} was never recorded"));
            }
            for (key, value) in recorded {
                let Some(own) = ours.get(key) else { continue };
                if matches!(
                    key.as_str(),
                    "errorCode"
                        | "statusCode"
                        | "httpStatusCode"
                        | "referenceId"
                        | "success"
                        | "created"
                        | "encoding"
                        | "maxBatchSize"
                ) && value != own
                {
                    out.push(format!("{at}.{key} is {own}, recorded {value}"));
                }
                differences(value, own, &format!("{at}.{key}"), out);
            }
        }
        // How many rows there are, and in which order, is the org's affair: one must be alike.
        (Value::Array(recorded), Value::Array(ours))
            if at.ends_with("records") || at.ends_with("sObjects") =>
        {
            for value in recorded {
                let alike = |own: &Value| {
                    let mut found = Vec::new();
                    differences(value, own, &format!("{at}[]"), &mut found);
                    found
                };
                out.extend(
                    ours.iter()
                        .map(alike)
                        .min_by_key(Vec::len)
                        .unwrap_or_default(),
                );
            }
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            if recorded.len() != ours.len() {
                out.push(format!(
                    "{at} has {} elements, recorded {}",
                    ours.len(),
                    recorded.len()
                ));
            }
            for (index, (value, own)) in recorded.iter().zip(ours).enumerate() {
                differences(value, own, &format!("{at}[{index}]"), out);
            }
        }
        (Value::Null, _) | (_, Value::Null) if at.contains("records[]") => {}
        _ if std::mem::discriminant(recorded) == std::mem::discriminant(ours) => {}
        _ => out.push(format!("{at} is {ours}, recorded {recorded}")),
    }
}

fn same_shape(recorded: &Value, ours: &Value) -> Vec<String> {
    let mut out = Vec::new();
    differences(recorded, ours, "", &mut out);
    out.sort();
    out.dedup();
    out
}

#[test]
fn recorded_calls_give_answers_of_the_same_shape() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for (case, calls) in cases() {
        let mut replay = Replay::new();
        for call in &calls {
            let text = call.to_string();
            let is_ours = !ELSEWHERE.iter().any(|part| text.contains(part))
                && !EDITED.iter().any(|name| case.contains(name));
            if call["status"] == 500 || !is_ours {
                continue;
            }
            let answer = replay.send(call);
            let mut found = same_shape(&call["response"], &answer.json);
            if u64::from(answer.status) != call["status"].as_u64().unwrap() {
                found.push(format!(
                    "status {}, recorded {}",
                    answer.status, call["status"]
                ));
            }
            replay.learn(&call["response"], &answer.json);
            compared += 1;
            if !found.is_empty() {
                wrong.push(format!(
                    "{case}\n  {} {}\n  {}",
                    call["method"],
                    call["uri"],
                    found.join("\n  ")
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(compared, 119);
}

/// Says that an answer has at least the keys of one recorded in an older version, with the same types.
fn covers(name: &str, ours: &Value) {
    let found = same_shape(&recorded(name), ours);
    let missing: Vec<_> = found
        .iter()
        .filter(|difference| !difference.ends_with("was never recorded"))
        .collect();
    assert!(missing.is_empty(), "{name}: {missing:?} in {ours}");
}

#[test]
fn errors_are_worded_as_recorded() {
    let client = client();
    let get = |path: &str| client.get(path).json;
    assert_eq!(
        get("/sobjects/Whizbang/describe"),
        recorded("sobject_describe_error")
    );
    assert_eq!(
        get("/sobjects/Account/23foo"),
        recorded("sobject_find_error")
    );
    assert_eq!(
        client.delete("/sobjects/Account/rid").json,
        recorded("delete_error")
    );
    let upsert = client.patch("/sobjects/Account/Namez/1", json!({}));
    assert_eq!(upsert.json, recorded("upsert_error"));
    let write = client.post("/sobjects/Account", json!({"Name": "x", "foo": 1}));
    let write: Value =
        serde_json::from_str(&write.json.to_string().replace("Account", "Bar")).unwrap();
    assert_eq!(write, recorded("write_error"));
    client.sandbox.expire_tokens(&client.user);
    assert_eq!(get("/limits"), recorded("expired_session"));
    let (id, _) = client.sandbox.client();
    let form = format!("grant_type=refresh_token&refresh_token=x&client_id={id}");
    let refused = client.send(Request::new("POST", "/services/oauth2/token").form(form));
    assert_eq!(refused.json, recorded("refresh_error"));
    covers("auth_error", &refused.json);
}

#[test]
fn answers_of_older_versions_are_covered() {
    let client = client();
    client
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 1);
    let made = client.post(
        "/sobjects/Account",
        json!({"Name": "A", "External_Id__c": "K"}),
    );
    covers("create_success", &made.json);
    covers(
        "upsert_created_success",
        &client
            .patch("/sobjects/Account/External_Id__c/L", json!({"Name": "B"}))
            .json,
    );
    covers(
        "recent_success",
        &json!([client.get("/recent").json[0], client.get("/recent").json[1]]),
    );
    for _ in 0..2 {
        client.create(
            "Contact",
            json!({"LastName": "Twin", "Email": "twin@example.com"}),
        );
    }
    let several = client.patch("/sobjects/Contact/Email/twin@example.com", json!({}));
    covers("upsert_multiple_error", &several.json);
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let first = client
        .get("/query?q=SELECT+Id+FROM+Account+WHERE+Name+IN+('A','B')")
        .json;
    assert_eq!(keys(&first), keys(&recorded("query_paginated_first_page")));
    let next = Request::new("GET", first["nextRecordsUrl"].as_str().unwrap());
    assert_eq!(
        keys(&client.send(next).json),
        keys(&recorded("query_paginated_last_page"))
    );
    let none = client
        .get("/query?q=SELECT+Id+FROM+Account+WHERE+Name='nobody'")
        .json;
    assert_eq!(none, recorded("query_empty"));
    let wrong = client.get("/query?q=SELECT+Foo+FROM+Account").json;
    covers("query_error", &wrong);
    let span = "start=2026-03-02T08:00:00Z&end=2026-03-02T09:00:00Z";
    let updated = client
        .get(&format!("/sobjects/Contact/updated?{span}"))
        .json;
    assert_eq!(keys(&updated), keys(&recorded("get_updated_success")));
    let deleted = client
        .get(&format!("/sobjects/Contact/deleted?{span}"))
        .json;
    assert_eq!(keys(&deleted), keys(&recorded("get_deleted_success")));
    let versions = client.send(Request::new("GET", "/services/data")).json;
    assert_eq!(
        keys(&versions[0]),
        keys(&recorded("services_data_success")[0])
    );
    let global = client.get("/sobjects").json;
    let account = global["sobjects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|object| object["name"] == "Account");
    let shown = json!({"encoding": global["encoding"], "maxBatchSize": global["maxBatchSize"], "sobjects": [account]});
    covers("describe_sobjects_success", &shown);
}

#[test]
fn the_limits_are_those_recorded() {
    let text = fs::read_to_string(Path::new(RECORDED).join("swiftly_MockLimits.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let ours = client().get("/limits").json;
    assert_eq!(same_shape(&strip(&recorded), &ours), Vec::<String>::new());
}

/// Takes away the allowances of single connected apps.
fn strip(limits: &Value) -> Value {
    let limit = |limit: &Value| json!({"Max": limit["Max"], "Remaining": limit["Remaining"]});
    limits
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), limit(value)))
        .collect()
}

#[test]
fn groups_are_shown_as_recorded() {
    let client = client();
    let ask = |soql: &str| {
        let path = format!("/query?q={}", soql.replace(' ', "+"));
        client.get(&path).json
    };
    let task = ask(
        "SELECT WhatId, ActivityDate, Status, COUNT(Id) MyCount FROM Task GROUP BY WhatId, ActivityDate, Status",
    );
    assert!(!task["records"].as_array().unwrap().is_empty());
    let file = Path::new(RECORDED).join("swiftly_MockAggregateQueryResult.json");
    let recorded_groups: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(same_shape(&recorded_groups, &task), Vec::<String>::new());
    // The name of the column was another object's.
    let by_source = ask("SELECT LeadSource, COUNT(Id) FROM Contact GROUP BY LeadSource");
    let ours = by_source.to_string().replace("LeadSource", "CampaignId");
    let ours: Value = serde_json::from_str(&ours).unwrap();
    covers("query_aggregate_success", &ours);
    assert_eq!(
        ours["records"][0]["attributes"],
        json!({"type": "AggregateResult"})
    );
}

#[test]
fn rows_by_a_key_and_upserts_that_update_are_shown_as_recorded() {
    let client = client();
    let fields = json!({"Name": "A", "External_Id__c": "1234"});
    client.create("Account", fields.clone());
    let path = "/sobjects/Account/External_Id__c/1234";
    let row = client.get(&format!("{path}?fields=External_Id__c")).json;
    let ours = row
        .to_string()
        .replace("External_Id__c", "External_Field__c");
    covers(
        "sobject_select_success",
        &serde_json::from_str(&ours).unwrap(),
    );
    let whole = client.get(path).json;
    let found = recorded("sobject_find_success");
    for key in [
        "attributes",
        "Id",
        "OwnerId",
        "IsDeleted",
        "Name",
        "CreatedById",
    ] {
        let same = std::mem::discriminant(&whole[key]) == std::mem::discriminant(&found[key]);
        assert!(same, "{key}: {} and {}", whole[key], found[key]);
    }
    let file = Path::new(RECORDED).join("upsert_updated_success_response.json");
    let said = fs::read_to_string(file).unwrap();
    client
        .sandbox
        .with_switches(|switches| switches.upsert_update_has_body = false);
    let again = client.patch(path, json!({"Name": "B"}));
    assert_eq!((again.status, again.raw.text().trim()), (204, said.trim()));
}

#[test]
fn the_organization_is_told_as_recorded_as_far_as_it_goes() {
    let client = client();
    let ask = |soql: &str| {
        client
            .get(&format!("/query?q={}", soql.replace(' ', "+")))
            .json
    };
    covers("org_query", &ask("SELECT Id FROM Organization"));
    let id = ask("SELECT Id FROM Organization")["records"][0]["Id"].clone();
    let ours = client
        .get(&format!("/sobjects/Organization/{}", id.as_str().unwrap()))
        .json;
    let file = Path::new(RECORDED).join("Organization.json");
    let recorded: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    for (key, value) in ours.as_object().unwrap() {
        let told = &recorded[key];
        let fits = value.is_null()
            || told.is_null()
            || std::mem::discriminant(value) == std::mem::discriminant(told);
        assert!(
            recorded.get(key).is_some() && fits,
            "{key}: {value} and {told}"
        );
    }
}

#[test]
fn a_page_of_rows_and_a_describe_have_what_was_recorded_of_older_ones() {
    let client = client();
    let page = client.get("/query?q=SELECT+Id+FROM+Account+LIMIT+2").json;
    let recorded_page = recorded("query_success");
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&page), keys(&recorded_page));
    assert_eq!(
        keys(&page["records"][0]["attributes"]),
        keys(&recorded_page["records"][0]["attributes"])
    );
    let describe = client.get("/sobjects/Account/describe").json;
    let older = recorded("sobject_describe_success");
    let gone = |ours: &Value, older: &Value| -> Vec<String> {
        let ours = keys(ours);
        keys(older)
            .into_iter()
            .filter(|key| !ours.contains(key))
            .collect()
    };
    assert_eq!(gone(&describe["fields"][0], &older["fields"][0]), [""; 0]);
    assert_eq!(gone(&describe, &older), [""; 0]);
}

/// SOSL is not spoken here.
const UNSPOKEN: [&str; 2] = ["search_error_response.json", "search_success_response.json"];

#[test]
fn every_recorded_answer_is_compared_with_ours() {
    let sources = [
        include_str!("recorded.rs"),
        include_str!("rest_forms.rs"),
        include_str!("describe.rs"),
    ];
    let mut seen = 0;
    for file in fs::read_dir(RECORDED).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let stem = file.strip_suffix(".json").unwrap_or(&file);
        let name = stem.strip_suffix("_response").unwrap_or(stem);
        let named = sources
            .iter()
            .any(|source| source.contains(&format!("{name}\"")))
            || sources.iter().any(|source| source.contains(stem));
        assert!(named || UNSPOKEN.contains(&&*file), "{file}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}
