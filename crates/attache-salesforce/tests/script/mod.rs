//! A transport that answers by script, and tells what it was sent.
#![allow(dead_code, reason = "each test program uses a part of it")]

use async_trait::async_trait;
use attache_salesforce::{
    HttpRequest, HttpResponse, Salesforce, StaticToken, Transport, TransportError,
};
use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

pub const URL: &str = "https://acme.my.salesforce.com";
pub const NOW: &str = "Sun, 22 Nov 2026 09:30:00 GMT";
pub const JSON: &str = "application/json;charset=UTF-8";

/// What an org tells anybody.
pub const VERSIONS: &str =
    r#"[{"label":"Summer '26","url":"/services/data/v67.0","version":"67.0"}]"#;

pub type Answer = Result<HttpResponse, TransportError>;

/// Answers in the order of its script; a request beyond it is a failure of the test.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    requests: Vec<HttpRequest>,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = Answer>) -> Script {
        let script = Script::default();
        script.0.lock().unwrap().answers = answers.into_iter().collect();
        script
    }

    /// A client of a static token over this script.
    pub fn org(&self) -> Salesforce {
        Salesforce::builder(URL, StaticToken::new("token-0"))
            .transport(Arc::new(self.clone()))
            .build()
            .unwrap()
    }

    pub fn requests(&self) -> Vec<HttpRequest> {
        self.0.lock().unwrap().requests.clone()
    }

    /// `GET /path` of each request, without the part that all share.
    pub fn calls(&self) -> Vec<String> {
        let short = |request: &HttpRequest| {
            let path = request.url.strip_prefix(URL).unwrap_or(&request.url);
            format!(
                "{} {}",
                request.method,
                path.replace("/services/data/v67.0", "")
            )
        };
        self.requests().iter().map(short).collect()
    }

    /// The body of the nth request.
    pub fn body(&self, nth: usize) -> serde_json::Value {
        serde_json::from_slice(&self.requests()[nth].body).unwrap()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: HttpRequest) -> Answer {
        let mut state = self.0.lock().unwrap();
        let told = format!("{request:?}");
        state.requests.push(request);
        let answer = state.answers.pop_front();
        answer.unwrap_or_else(|| panic!("the script has no answer for {told}"))
    }
}

/// An answer with a JSON body.
pub fn json(status: u16, body: impl Into<String>) -> Answer {
    Ok(HttpResponse {
        status,
        headers: vec![
            ("Content-Type".into(), JSON.into()),
            ("Date".into(), NOW.into()),
            ("Sforce-Limit-Info".into(), "api-usage=5/15000".into()),
        ],
        body: body.into().into_bytes(),
    })
}

/// An answer with one more header.
pub fn with(answer: Answer, name: &str, value: &str) -> Answer {
    answer.map(|mut answer| {
        answer.headers.push((name.into(), value.into()));
        answer
    })
}

/// An error of the org.
pub fn error(status: u16, code: &str) -> Answer {
    let body = format!(r#"[{{"message":"words of {code}","errorCode":"{code}"}}]"#);
    json(status, body)
}

pub fn html(status: u16) -> Answer {
    Ok(HttpResponse {
        status,
        headers: vec![("Content-Type".into(), "text/html".into())],
        body: b"<!DOCTYPE html><title>Login</title>".to_vec(),
    })
}

pub fn lost() -> Answer {
    Err(TransportError::NoAnswer("the connection was closed".into()))
}

pub fn unsent() -> Answer {
    Err(TransportError::NotSent("connection refused".into()))
}

/// The text of a recorded answer of a real org.
pub fn recorded(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/recorded");
    fs::read_to_string(Path::new(folder).join(name)).unwrap()
}
