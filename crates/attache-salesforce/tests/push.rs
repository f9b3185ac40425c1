//! How writes are packed, and what is told of each.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{
    ErrorKind, Fields, Problem, Remote, Result, ServerTime, Value, Write, WriteAction, WriteOutcome,
};
use attache_salesforce::Salesforce;
use futures_lite::future::block_on;
use rust_decimal::Decimal;
use script::{Script, error, html, json, lost, unsent};
use serde_json::json as value;

const ID: &str = "001D000000JliSTIAZ";
const OTHER: &str = "0015500001QdQWaAAN";
const SINCE: ServerTime = ServerTime(1_795_339_800);

fn fields(name: &str) -> Fields {
    Fields::from([("Name", name)])
}

fn create(object: &str, name: &str) -> Write {
    Write {
        object: object.into(),
        action: WriteAction::Create {
            fields: fields(name),
        },
        allow_duplicates: false,
    }
}

fn create_by_key(key: &str) -> Write {
    Write {
        object: "Account".into(),
        action: WriteAction::CreateByKey {
            key_field: "External_Id__c".into(),
            key: key.into(),
            fields: fields("Acme"),
        },
        allow_duplicates: false,
    }
}

fn update(id: &str, fields: Fields, unmodified_since: Option<ServerTime>) -> Write {
    Write {
        object: "Account".into(),
        action: WriteAction::Update {
            id: id.into(),
            fields,
            unmodified_since,
        },
        allow_duplicates: false,
    }
}

fn delete(id: &str) -> Write {
    Write {
        object: "Account".into(),
        action: WriteAction::Delete { id: id.into() },
        allow_duplicates: false,
    }
}

/// Pushes and gives the outcomes by place; each must be told exactly once.
fn push(org: &Salesforce, batch: &[Write]) -> Result<Vec<WriteOutcome>> {
    let mut outcomes: Vec<Option<WriteOutcome>> = vec![None; batch.len()];
    block_on(org.push(batch, &mut |place, outcome| {
        assert!(outcomes[place].is_none(), "write {place} settled twice");
        outcomes[place] = Some(outcome);
        Ok(())
    }))?;
    Ok(outcomes
        .into_iter()
        .map(|o| o.expect("every write settles"))
        .collect())
}

fn done(id: &str) -> WriteOutcome {
    WriteOutcome::Done { id: id.into() }
}

fn code(outcome: &WriteOutcome) -> (&'static str, String) {
    let (word, problems) = match outcome {
        WriteOutcome::Refused(problems) => ("refused", problems),
        WriteOutcome::Later(problems) => ("later", problems),
        other => panic!("{other:?} has no code"),
    };
    (word, problems[0].code.clone())
}

/// The answer of a collection call to records that all succeed.
fn saved(count: usize) -> String {
    let one = format!(r#"{{"id":"{ID}","success":true,"errors":[]}}"#);
    format!("[{}]", vec![one; count].join(","))
}

/// The answer of a collection call to one record that fails.
fn failed(code: &str) -> String {
    format!(
        r#"[{{"success":false,"errors":[{{"statusCode":"{code}","message":"m","fields":[]}}]}}]"#
    )
}

/// The answer of a composite call: reference, status, body.
fn composite(answers: &[(&str, u16, &str)]) -> String {
    let one = |(reference, status, body): &(&str, u16, &str)| {
        format!(
            r#"{{"body":{body},"httpHeaders":{{}},"httpStatusCode":{status},"referenceId":"{reference}"}}"#
        )
    };
    let all: Vec<String> = answers.iter().map(one).collect();
    format!(r#"{{"compositeResponse":[{}]}}"#, all.join(","))
}

#[test]
fn each_action_travels_its_own_way() {
    let script = Script::new([
        json(200, saved(2)),
        json(
            200,
            format!(r#"[{{"id":"{OTHER}","success":true,"errors":[],"created":false}}]"#),
        ),
        json(200, saved(1).replace(ID, OTHER)),
        json(200, composite(&[("w1", 204, "null")])),
        json(200, saved(1).replace(ID, OTHER)),
    ]);
    let money = Fields::from([(
        "Amount",
        Value::from("9999999999999999.99".parse::<Decimal>().unwrap()),
    )]);
    let batch = [
        create("Contact", "A"),
        update(ID, money, Some(SINCE)),
        create_by_key("k-1"),
        delete(OTHER),
        update(OTHER, fields("C"), None),
        create("Account", "B"),
    ];
    let outcomes = push(&script.org(), &batch).unwrap();
    assert_eq!(
        outcomes,
        [
            done(ID),
            done(ID),
            done(OTHER),
            done(OTHER),
            done(OTHER),
            done(ID)
        ]
    );
    assert_eq!(
        script.calls(),
        [
            "POST /composite/sobjects",
            "PATCH /composite/sobjects/Account/External_Id__c",
            "PATCH /composite/sobjects",
            "POST /composite",
            &format!("DELETE /composite/sobjects?ids={OTHER}&allOrNone=false"),
        ]
    );
    assert_eq!(
        script.body(0),
        value!({"allOrNone": false, "records": [
            {"attributes": {"type": "Account"}, "Name": "B"},
            {"attributes": {"type": "Contact"}, "Name": "A"},
        ]})
    );
    assert_eq!(script.body(1)["records"][0]["External_Id__c"], "k-1");
    assert_eq!(script.body(2)["records"][0]["id"], OTHER);
    let guarded = String::from_utf8(script.requests()[3].body.clone()).unwrap();
    assert!(
        guarded.contains(r#""body":{"Amount":9999999999999999.99}"#),
        "{guarded}"
    );
    assert_eq!(
        script.body(3)["compositeRequest"][0]["httpHeaders"],
        value!({"If-Unmodified-Since": "Sun, 22 Nov 2026 09:30:00 GMT"})
    );
    assert_eq!(script.body(3)["compositeRequest"][0]["method"], "PATCH");
    assert_eq!(
        script.body(3)["compositeRequest"][0]["url"],
        format!("/services/data/v67.0/sobjects/Account/{ID}")
    );
}

#[test]
fn calls_are_as_large_as_the_api_allows() {
    let creates: Vec<Write> = (0..450).map(|_| create("Account", "A")).collect();
    let script = Script::new([200, 200, 50].map(|n| json(200, saved(n))));
    push(&script.org(), &creates).unwrap();
    assert_eq!(script.requests().len(), 3);

    let types: Vec<Write> = (0..12)
        .map(|n| create(&format!("T{n:02}__c"), "A"))
        .collect();
    let script = Script::new([10, 2].map(|n| json(200, saved(n))));
    push(&script.org(), &types).unwrap();
    assert_eq!(script.body(0)["records"].as_array().unwrap().len(), 10);

    let keyed = [create_by_key("same"), create_by_key("same")];
    let script = Script::new([1, 1].map(|n| json(200, saved(n))));
    push(&script.org(), &keyed).unwrap();
    assert_eq!(
        script.requests().len(),
        2,
        "one record twice is never in one call"
    );

    let large: Vec<Write> = (0..3)
        .map(|_| create("Account", &"x".repeat(3 << 20)))
        .collect();
    let script = Script::new([2, 1].map(|n| json(200, saved(n))));
    push(&script.org(), &large).unwrap();
    assert_eq!(script.requests().len(), 2, "bounded in bytes");

    let guarded: Vec<Write> = (0..26)
        .map(|n| update(&format!("001D0000000{n:04}"), fields("A"), Some(SINCE)))
        .collect();
    let answer = |places: std::ops::Range<usize>| {
        let names: Vec<String> = places.map(|n| format!("w{n}")).collect();
        let all: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), 204, "null"))
            .collect();
        json(200, composite(&all))
    };
    let script = Script::new([answer(0..25), answer(25..26)]);
    push(&script.org(), &guarded).unwrap();
    assert_eq!(script.requests().len(), 2);
}

#[test]
fn a_lost_call_puts_its_writes_in_doubt_and_stops_the_batch() {
    for answer in [
        lost(),
        html(502),
        error(500, "UNKNOWN_EXCEPTION"),
        json(200, "[{\"id\":\"001"),
        json(200, saved(199)),
        html(200),
        json(200, ""),
    ] {
        let script = Script::new([answer]);
        let batch: Vec<Write> = (0..201).map(|_| create("Account", "A")).collect();
        let outcomes = push(&script.org(), &batch).unwrap();
        assert!(outcomes[..200].iter().all(|o| *o == WriteOutcome::Unknown));
        assert_eq!(code(&outcomes[200]), ("later", "SERVER_UNAVAILABLE".into()));
        assert_eq!(script.requests().len(), 1);
    }
}

#[test]
fn a_batch_of_which_nothing_left_is_an_error() {
    for (answers, kind) in [
        (vec![unsent()], ErrorKind::RemoteUnreachable),
        (
            vec![error(403, "REQUEST_LIMIT_EXCEEDED")],
            ErrorKind::RemoteBusy,
        ),
        (vec![html(404)], ErrorKind::NotARemote),
        (vec![json(302, "")], ErrorKind::NotARemote),
        (vec![error(429, "X")], ErrorKind::RemoteBusy),
        (
            vec![error(401, "INVALID_SESSION_ID")],
            ErrorKind::NotAuthorized,
        ),
    ] {
        let script = Script::new(answers);
        let failed = push(&script.org(), &[create("Account", "A")]).unwrap_err();
        assert_eq!(failed.kind(), kind);
    }
}

#[test]
fn what_follows_a_failed_call_waits() {
    for (answer, expected) in [
        (unsent(), "SERVER_UNAVAILABLE"),
        (error(401, "INVALID_SESSION_ID"), "INVALID_SESSION_ID"),
    ] {
        let script = Script::new([json(200, saved(1)), answer]);
        let batch = [create("Account", "A"), delete(ID), delete(ID)];
        let outcomes = push(&script.org(), &batch).unwrap();
        assert_eq!(outcomes[0], done(ID));
        assert_eq!(code(&outcomes[1]), ("later", expected.into()));
        assert_eq!(code(&outcomes[2]), ("later", expected.into()));
    }
}

#[test]
fn guarded_updates_have_an_outcome_each() {
    let answers = composite(&[
        (
            "w3",
            400,
            r#"[{"errorCode":"UNABLE_TO_LOCK_ROW","message":"m"}]"#,
        ),
        ("w1", 412, r#"[{"errorCode":"X","message":"m"}]"#),
        ("w0", 204, "null"),
        ("w2", 404, r#"[{"errorCode":"NOT_FOUND","message":"m"}]"#),
        (
            "w4",
            400,
            r#"[{"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"Name is wrong","fields":["Name"]}]"#,
        ),
        ("w6", 500, r#"[{"errorCode":"APEX_ERROR","message":"m"}]"#),
    ]);
    let script = Script::new([json(200, answers)]);
    let batch: Vec<Write> = (0..7)
        .map(|n| update(&format!("001D0000000{n:04}"), fields("A"), Some(SINCE)))
        .collect();
    let outcomes = push(&script.org(), &batch).unwrap();
    assert_eq!(outcomes[0], done("001D00000000000"));
    assert_eq!(outcomes[1], WriteOutcome::Stale);
    assert_eq!(outcomes[2], WriteOutcome::Gone);
    assert_eq!(code(&outcomes[3]), ("later", "UNABLE_TO_LOCK_ROW".into()));
    assert_eq!(
        outcomes[4],
        WriteOutcome::Refused(vec![Problem {
            fields: vec!["Name".into()],
            code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
            message: "Name is wrong".into(),
            duplicates: None,
        }])
    );
    assert_eq!(
        outcomes[5],
        WriteOutcome::Unknown,
        "it is missing in the answer"
    );
    assert_eq!(code(&outcomes[6]), ("later", "APEX_ERROR".into()));
}

#[test]
fn text_that_looks_like_a_reference_travels_alone() {
    let script = Script::new([Ok(attache_salesforce::HttpResponse {
        status: 204,
        ..Default::default()
    })]);
    let batch = [update(ID, fields("see @{w0.id}"), Some(SINCE))];
    assert_eq!(push(&script.org(), &batch).unwrap(), [done(ID)]);
    assert_eq!(script.calls(), [format!("PATCH /sobjects/Account/{ID}")]);
    let guard = script.requests()[0]
        .header("If-Unmodified-Since")
        .map(str::to_owned);
    assert_eq!(guard.as_deref(), Some("Sun, 22 Nov 2026 09:30:00 GMT"));
}

#[test]
fn one_bad_write_does_not_hold_up_its_call() {
    let script = Script::new([
        error(400, "INVALID_FIELD"),
        json(
            200,
            composite(&[
                (
                    "w0",
                    201,
                    &format!(r#"{{"id":"{ID}","success":true,"errors":[]}}"#),
                ),
                (
                    "w2",
                    400,
                    r#"[{"errorCode":"INVALID_FIELD","message":"No such column 'X'"}]"#,
                ),
            ]),
        ),
        json(
            201,
            format!(r#"{{"id":"{OTHER}","success":true,"errors":[]}}"#),
        ),
    ]);
    let batch = [
        create("Account", "A"),
        create("Account", "@{x}"),
        create("Account", "C"),
    ];
    let outcomes = push(&script.org(), &batch).unwrap();
    assert_eq!(outcomes[..2], [done(ID), done(OTHER)]);
    assert_eq!(code(&outcomes[2]), ("refused", "INVALID_FIELD".into()));
    let mut calls = script.calls();
    calls[1..].sort();
    assert_eq!(
        calls,
        [
            "POST /composite/sobjects",
            "POST /composite",
            "POST /sobjects/Account"
        ]
    );
}

#[test]
fn a_record_that_is_too_large_is_refused_alone() {
    let created = format!(r#"{{"id":"{ID}","success":true,"errors":[]}}"#);
    let script = Script::new([html(413), html(413), json(201, created), html(413)]);
    let batch = [create("Account", "A"), create("Account", "B")];
    let outcomes = push(&script.org(), &batch).unwrap();
    assert_eq!(outcomes[0], done(ID));
    assert_eq!(
        code(&outcomes[1]),
        ("refused", "EXCEEDED_MAX_SIZE_REQUEST".into())
    );
}

#[test]
fn a_single_write_refused_with_its_call_is_refused() {
    let script = Script::new([
        error(400, "JSON_PARSER_ERROR"),
        error(400, "JSON_PARSER_ERROR"),
        error(400, "JSON_PARSER_ERROR"),
    ]);
    let outcomes = push(&script.org(), &[create("Account", "A")]).unwrap();
    assert_eq!(code(&outcomes[0]), ("refused", "JSON_PARSER_ERROR".into()));
}

#[test]
fn a_bad_lookup_is_not_a_missing_record() {
    let lookup = || Fields::from([("OwnerId", "0051a000000UGT8AAO")]);
    for (there, expected) in [(true, "refused"), (false, "gone")] {
        let look = match there {
            true => format!(r#"[{{"Id":"{ID}"}}]"#),
            false => "[null]".into(),
        };
        let script = Script::new([
            json(200, failed("INVALID_CROSS_REFERENCE_KEY")),
            json(200, look),
        ]);
        let outcomes = push(&script.org(), &[update(ID, lookup(), None)]).unwrap();
        let word = match &outcomes[0] {
            WriteOutcome::Gone => "gone",
            other => code(other).0,
        };
        assert_eq!(word, expected);
        assert_eq!(script.body(1), value!({"ids": [ID], "fields": ["Id"]}));
    }
    let script = Script::new([json(200, failed("INVALID_CROSS_REFERENCE_KEY")), lost()]);
    let outcomes = push(&script.org(), &[update(ID, lookup(), None)]).unwrap();
    assert_eq!(code(&outcomes[0]).0, "later", "nobody could look");
    let script = Script::new([json(200, failed("ENTITY_IS_DELETED"))]);
    let outcomes = push(&script.org(), &[update(ID, fields("A"), None)]).unwrap();
    assert_eq!(outcomes, [WriteOutcome::Gone]);
    let script = Script::new([json(200, failed("ENTITY_IS_DELETED"))]);
    let outcomes = push(&script.org(), &[create("Contact", "A")]).unwrap();
    assert_eq!(code(&outcomes[0]).0, "refused", "its parent is deleted");
}

#[test]
fn deleting_what_is_deleted_is_done() {
    let script = Script::new([json(200, failed("ENTITY_IS_DELETED"))]);
    assert_eq!(push(&script.org(), &[delete(ID)]).unwrap(), [done(ID)]);
    let script = Script::new([
        json(200, failed("INVALID_CROSS_REFERENCE_KEY")),
        json(200, "[null]"),
    ]);
    assert_eq!(
        push(&script.org(), &[delete(ID)]).unwrap(),
        [WriteOutcome::Gone]
    );
    let script = Script::new([json(200, failed("DELETE_FAILED"))]);
    let outcomes = push(&script.org(), &[delete(ID)]).unwrap();
    assert_eq!(code(&outcomes[0]), ("refused", "DELETE_FAILED".into()));
}

#[test]
fn a_create_needs_an_id_to_be_done() {
    for body in [
        r#"[{"success":true,"errors":[]}]"#,
        r#"[{"id":"nonsense","success":true,"errors":[]}]"#,
    ] {
        let script = Script::new([json(200, body)]);
        let outcomes = push(&script.org(), &[create("Account", "A")]).unwrap();
        assert_eq!(outcomes, [WriteOutcome::Unknown]);
    }
}

#[test]
fn the_answer_of_another_record_is_none() {
    for write in [update(OTHER, fields("A"), None), delete(OTHER)] {
        let script = Script::new([json(200, saved(1))]);
        let outcomes = push(&script.org(), &[write]).unwrap();
        assert_eq!(outcomes, [WriteOutcome::Unknown]);
    }
}

#[test]
fn two_attempts_under_one_key_do_not_refuse_each_other() {
    let duplicate = r#"[{"success":false,"errors":[{"statusCode":"DUPLICATE_VALUE","message":"duplicate value found: External_Id__c duplicates value on record with id: 001","fields":[]}]}]"#;
    let script = Script::new([json(200, duplicate)]);
    let outcomes = push(&script.org(), &[create_by_key("k")]).unwrap();
    assert_eq!(code(&outcomes[0]), ("later", "DUPLICATE_VALUE".into()));
}

#[test]
fn values_do_not_leak_into_problems() {
    let body = r#"[{"success":false,"errors":[{"statusCode":"STRING_TOO_LONG","message":"Account Name: data value too large: Jo Secret (max length=4)","fields":["Name"]}]}]"#;
    let script = Script::new([json(200, body)]);
    let outcomes = push(&script.org(), &[create("Account", "Jo Secret")]).unwrap();
    let WriteOutcome::Refused(problems) = &outcomes[0] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(
        problems[0].message,
        "Account Name: data value too large (max length=4)"
    );
    assert_eq!(problems[0].fields, ["Name"]);
}

#[test]
fn outcomes_are_handed_over_even_if_one_cannot_be_stored() {
    let script = Script::new([json(200, saved(3))]);
    let batch: Vec<Write> = (0..3).map(|_| create("Account", "A")).collect();
    let mut told = Vec::new();
    let org = script.org();
    let failure = block_on(org.push(&batch, &mut |place, _| {
        told.push(place);
        match place {
            0 => Err(attache::Error::new(
                ErrorKind::StorageFull,
                "the disk is full",
            )),
            _ => Ok(()),
        }
    }));
    assert_eq!(failure.unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(told, [0, 1, 2]);
}

#[test]
fn an_empty_batch_sends_nothing() {
    let script = Script::new([]);
    assert!(push(&script.org(), &[]).unwrap().is_empty());
}

#[test]
fn an_answer_cut_anywhere_never_says_that_something_was_done() {
    let collection = saved(2);
    let composite = composite(&[("w0", 204, "null"), ("w1", 204, "null")]);
    let creates = [create("Account", "A"), create("Account", "B")];
    let guarded = [OTHER, ID].map(|id| update(id, fields("A"), Some(SINCE)));
    for (answer, batch) in [(collection, creates), (composite, guarded)] {
        for end in 0..answer.len() {
            let script = Script::new([json(200, &answer[..end])]);
            let outcomes = push(&script.org(), &batch).unwrap();
            assert_eq!(
                outcomes,
                [WriteOutcome::Unknown, WriteOutcome::Unknown],
                "{end}"
            );
        }
        for at in 0..answer.len() {
            let mut bytes = answer.clone().into_bytes();
            bytes[at] = b'}';
            let script = Script::new([json(200, String::from_utf8(bytes).unwrap())]);
            // Whatever it says, it says something of each write, and of no other record.
            for (outcome, write) in push(&script.org(), &batch).unwrap().iter().zip(&batch) {
                if let (WriteOutcome::Done { id }, WriteAction::Update { id: sent, .. }) =
                    (outcome, &write.action)
                {
                    assert_eq!(id, sent);
                }
            }
        }
    }
}
