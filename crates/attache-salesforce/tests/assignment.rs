//! Whether the org's rules hand out what is written.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{Fields, Remote, ServerTime, Write, WriteAction};
use attache_salesforce::{Assignment, Salesforce, StaticToken};
use futures_lite::future::block_on;
use script::{Script, URL, json};
use std::sync::Arc;

const SAVED: &str = r#"[{"id":"00Q000000000001EAA","success":true,"errors":[]}]"#;
const PARTS: &str = r#"{"compositeResponse":[
    {"body":null,"httpHeaders":{},"httpStatusCode":204,"referenceId":"w1"},
    {"body":null,"httpHeaders":{},"httpStatusCode":204,"referenceId":"w2"}]}"#;

fn built(script: &Script, assignment: Assignment) -> attache::Result<Salesforce> {
    Salesforce::builder(URL, StaticToken::new("token-0"))
        .transport(Arc::new(script.clone()))
        .assignment(assignment)
        .build()
}

fn write(action: WriteAction) -> Write {
    Write {
        object: "Lead".into(),
        action,
        allow_duplicates: false,
    }
}

fn guarded(id: &str) -> Write {
    write(WriteAction::Update {
        id: id.into(),
        fields: Fields::from([("Title", "A")]),
        unmodified_since: Some(ServerTime(1_795_339_800)),
    })
}

/// A create, two guarded updates and a delete: three calls.
fn batch() -> [Write; 4] {
    let fields = Fields::from([("LastName", "Roe")]);
    [
        write(WriteAction::Create { fields }),
        guarded("00Q000000000002EAA"),
        guarded("00Q000000000003EAA"),
        write(WriteAction::Delete {
            id: "00Q000000000004EAA".into(),
        }),
    ]
}

/// What the call and the parts of it say of rules.
fn said(script: &Script, nth: usize) -> Vec<String> {
    let request = &script.requests()[nth];
    let own = request.header("Sforce-Auto-Assign").map(str::to_owned);
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let parts = body["compositeRequest"].as_array().cloned();
    let of_parts = parts.unwrap_or_default().into_iter().filter_map(|part| {
        let said = &part["httpHeaders"]["Sforce-Auto-Assign"];
        said.as_str().map(str::to_owned)
    });
    own.into_iter().chain(of_parts).collect()
}

#[test]
fn every_write_but_a_delete_says_whether_rules_hand_it_out() {
    for (assignment, word) in [
        (Assignment::Off, Some("FALSE")),
        (
            Assignment::Rule("01Q000000000001EAA".into()),
            Some("01Q000000000001EAA"),
        ),
        // Unless somebody says so, the org is left to do as it does.
        (Assignment::Org, None),
    ] {
        let script = Script::new([json(200, SAVED), json(200, PARTS), json(200, SAVED)]);
        let org = built(&script, assignment).unwrap();
        block_on(org.push(&batch(), &mut |_, _| Ok(()))).unwrap();
        assert_eq!(said(&script, 0), Vec::from_iter(word));
        let parts = said(&script, 1);
        assert!(parts.iter().all(|said| Some(&**said) == word), "{parts:?}");
        assert!(parts.len() >= 2 * usize::from(word.is_some()), "{parts:?}");
        assert_eq!(said(&script, 2), [""; 0], "a delete hands nothing out");
    }
}

#[test]
fn a_rule_is_named_by_an_id_or_refused_before_anything_is_sent() {
    for (id, sound) in [
        ("01Q000000000001EAA", true),
        ("TRUE", false),
        ("a\r\nb", false),
    ] {
        let org = built(&Script::default(), Assignment::Rule(id.into()));
        assert_eq!(org.is_ok(), sound, "{id:?}");
    }
}
