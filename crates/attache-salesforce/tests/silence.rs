//! What is logged and what errors say holds no token, no query and nobody's data.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;
mod socket;

use attache::{Fields, Remote, ServerTime, Write, WriteAction};
use attache_salesforce::{RefreshToken, Salesforce};
use futures_lite::future::block_on;
use script::{Answer, Script, URL, VERSIONS, error, html, json, lost, unsent};
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Words that must come out nowhere.
const CANARIES: [&str; 7] = [
    "canary-access",
    "canary-refresh",
    "canary-secret",
    "canary-query",
    "canary-value",
    "canary-answer",
    "canary-rotated",
];

/// Writes down everything that anybody logs at any level.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

impl Everything {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Visit for &Everything {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "  {field} = {value:?}").unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        writeln!(self.0.lock().unwrap(), "span {}", span.metadata().name()).unwrap();
        span.record(&mut { self });
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut { self });
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        writeln!(
            self.0.lock().unwrap(),
            "{} {}",
            metadata.level(),
            metadata.target()
        )
        .unwrap();
        event.record(&mut { self });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn granted() -> Answer {
    json(
        200,
        r#"{"access_token":"canary-access","refresh_token":"canary-rotated"}"#,
    )
}

fn org(answers: Vec<Answer>) -> Salesforce {
    let script = Script::new([granted()].into_iter().chain(answers));
    let tokens = RefreshToken::new(URL, "client", "canary-refresh")
        .unwrap()
        .with_client_secret("canary-secret")
        .with_transport(Arc::new(script.clone()));
    Salesforce::builder(URL, tokens)
        .transport(Arc::new(script))
        .build()
        .unwrap()
}

/// An answer of each kind, good and bad, that quotes what was asked and what is at the org.
fn answers() -> Vec<Vec<Answer>> {
    let quoting = |status, code: &str| {
        let body = format!(
            r#"[{{"message":"\nSELECT Id FROM Account WHERE Name = 'canary-query'\n   ^\nERROR at Row:1:Column:8\nbad","errorCode":"{code}"}}]"#
        );
        json(status, body)
    };
    let page = r#"{"totalSize":1,"done":true,"records":[{"Id":"001D000000JliSTIAZ","Name":"canary-answer"}]}"#;
    let no_token = json(
        400,
        r#"{"error":"invalid_grant","error_description":"canary-answer"}"#,
    );
    vec![
        vec![json(200, page)],
        vec![json(200, "canary-answer"), json(200, VERSIONS)],
        vec![json(200, r#"{"totalSize":"canary-answer"}"#)],
        vec![quoting(400, "INVALID_FIELD")],
        vec![quoting(400, "MALFORMED_QUERY")],
        vec![quoting(400, "INVALID_TYPE")],
        vec![html(404)],
        vec![html(503)],
        vec![lost()],
        vec![unsent()],
        vec![error(401, "INVALID_SESSION_ID"), no_token],
        vec![
            error(401, "INVALID_SESSION_ID"),
            granted(),
            error(401, "INVALID_SESSION_ID"),
        ],
        vec![error(403, "REQUEST_LIMIT_EXCEEDED")],
        vec![json(302, "canary-answer")],
    ]
}

/// Every call of a remote, with data in it.
fn ask(org: &Salesforce, nth: usize) -> String {
    let soql = "SELECT Id FROM Account WHERE Name = 'canary-query'";
    let ids = ["001D000000JliSTIAZ".to_owned()];
    let batch = [Write {
        object: "Account".into(),
        action: WriteAction::Create {
            fields: Fields::from([("Name", "canary-value")]),
        },
        allow_duplicates: false,
    }];
    let told = block_on(async {
        match nth {
            0 => org.query(soql).await.map(drop),
            1 => org
                .query_more("/services/data/v67.0/query/01g-1")
                .await
                .map(drop),
            2 => org.query_file(soql).await.map(drop),
            3 => org.file_page("750").await.map(drop),
            4 => org.describe("Account", None).await.map(drop),
            5 => org.retrieve("Account", &ids, &[]).await.map(drop),
            6 => org.updated("Account", ServerTime(0)).await.map(drop),
            7 => org.deleted("Account", ServerTime(0)).await.map(drop),
            8 => org.identity().await.map(drop),
            _ => org.push(&batch, &mut |_, _| Ok(())).await,
        }
    });
    match told {
        Ok(()) => format!("{org:?}"),
        Err(error) => format!("{error} {error:?} {org:?}"),
    }
}

#[test]
fn no_log_line_and_no_error_tells_a_secret() {
    let log = Everything::default();
    let mut said = String::new();
    tracing::subscriber::with_default(log.clone(), || {
        for nth in 0..10 {
            for mut answers in answers() {
                // What a call asks beyond its script is lost.
                answers.extend((0..6).map(|_| lost()));
                said += &ask(&org(answers), nth);
                said.push('\n');
            }
        }
    });
    let log = log.text();
    for canary in CANARIES {
        assert!(!log.contains(canary), "{canary} is in the log: {log}");
        assert!(!said.contains(canary), "{canary} is in an error: {said}");
    }
    // The net does catch: calls are logged, and errors are told.
    assert!(log.matches("answered").count() > 100, "{log}");
    assert!(said.matches("cannot reach").count() > 5, "{said}");
}

#[test]
fn nothing_is_told_of_what_travels_over_a_real_socket() {
    let log = Everything::default();
    let (url, heard) = socket::serve(|stream| {
        let body = br#"[{"message":"canary-answer","errorCode":"MALFORMED_QUERY"}]"#;
        socket::answer(stream, "400 Bad Request\r\nX-Echo: canary-answer", body);
    });
    // Also what the libraries below say, on the thread that they run on.
    let _ = tracing::subscriber::set_global_default(log.clone());
    let tokens = attache_salesforce::StaticToken::new("canary-access");
    let org = Salesforce::new(&url, tokens).unwrap();
    let soql = "SELECT Id FROM Account WHERE Name = 'canary-query'";
    let error = block_on(org.query(soql)).unwrap_err();
    assert!(
        heard.recv().unwrap().contains("canary-access"),
        "it was sent"
    );
    let text = format!("{} {error} {error:?}", log.text());
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary}: {text}");
    }
    assert!(text.contains("answered"), "{text}");
}
