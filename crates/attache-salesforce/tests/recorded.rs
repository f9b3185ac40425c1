//! Answers of real orgs, recorded by others, read by the client.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{Fields, RecordId, Remote, Write, WriteAction, WriteOutcome};
use flate2::read::GzDecoder;
use futures_lite::future::block_on;
use script::{Script, json};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};

/// The recorded calls whose path contains `part`: method, body, status, answer.
fn recordings(part: &str) -> Vec<(String, Value, u16, Value)> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/recorded/cumulusci.jsonl.gz"
    );
    let lines = BufReader::new(GzDecoder::new(File::open(path).unwrap())).lines();
    let cases = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let calls = cases.flat_map(|mut case| match case["interactions"].take() {
        Value::Array(calls) => calls,
        _ => Vec::new(),
    });
    calls
        .filter(|call| call["uri"].as_str().unwrap().contains(part))
        .map(|mut call| {
            let status = u16::try_from(call["status"].as_u64().unwrap()).unwrap();
            let method = call["method"].as_str().unwrap().to_owned();
            (method, call["body"].take(), status, call["response"].take())
        })
        .collect()
}

#[test]
fn every_recorded_page_is_read() {
    let pages = recordings("/query/?q=");
    assert!(pages.len() > 50, "{}", pages.len());
    for (_, _, status, answer) in pages {
        let org = Script::new([json(status, answer.to_string())]).org();
        let page = block_on(org.query("SELECT Id FROM Account")).unwrap();
        let records: Vec<Value> = page
            .records
            .iter()
            .map(|record| serde_json::from_str(record.get()).unwrap())
            .collect();
        assert_eq!(&records, answer["records"].as_array().unwrap());
        assert_eq!(answer["totalSize"], page.total);
        assert_eq!(answer["done"], page.next.is_none());
    }
}

#[test]
fn every_recorded_collection_settles_record_by_record() {
    let calls = recordings("/composite/sobjects");
    let mut settled = 0;
    for (method, body, status, answer) in calls {
        let answers = answer.as_array().unwrap();
        assert_eq!(body["records"].as_array().unwrap().len(), answers.len());
        let action = |n: usize| match method.as_str() {
            "POST" => WriteAction::Create {
                fields: Fields::from([("Name", "A")]),
            },
            _ => WriteAction::CreateByKey {
                key_field: "Key__c".into(),
                key: n.to_string(),
                fields: Fields::new(),
            },
        };
        let batch: Vec<Write> = (0..answers.len())
            .map(|n| Write {
                object: "Account".into(),
                action: action(n),
                allow_duplicates: false,
            })
            .collect();
        let script = Script::new([json(status, answer.to_string())]);
        let mut told = 0;
        let store = &mut |place: usize, outcome| {
            let recorded = &answers[place];
            match outcome {
                WriteOutcome::Done { id } => assert_eq!(recorded["id"], id.as_str()),
                WriteOutcome::Refused(problems) => {
                    assert_eq!(recorded["success"], false);
                    let code = &recorded["errors"][0]["statusCode"];
                    assert_eq!(code, problems[0].code.as_str());
                }
                // The publishers masked some ids: a success without an id that can be.
                WriteOutcome::Unknown => {
                    let id = recorded["id"].as_str().unwrap();
                    assert!(recorded["success"] == true && RecordId::parse(id).is_err());
                }
                other => panic!("{other:?} for {recorded}"),
            }
            told += 1;
            Ok(())
        };
        block_on(script.org().push(&batch, store)).unwrap();
        assert_eq!(told, answers.len());
        settled += told;
    }
    assert!(settled > 30, "{settled}");
}
