//! A client for the tests of the REST front: calls the sandbox without a socket.
#![allow(
    dead_code,
    reason = "each test file uses a part of it, and each is a crate of its own"
)]

use attache_sandbox::{Outcome, Request, Response, Sandbox};
use serde_json::{Value, json};

pub const NOW: &str = "2026-03-02T09:00:00Z";
pub const DATA: &str = "/services/data/v67.0";

/// A user of the org who calls.
pub struct Client {
    pub sandbox: Sandbox,
    pub user: String,
    pub token: String,
}

/// An answer with its JSON, `Null` if there is none.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub raw: Response,
}

/// Makes a small org at rest: nothing moves but by its tests.
pub fn org() -> Sandbox {
    Sandbox::builder()
        .seed(7)
        .records(100)
        .now(NOW)
        .manual_clock()
        .build()
        .unwrap()
}

/// The first user of a small org.
pub fn client() -> Client {
    Client::of(&org(), 0)
}

impl Client {
    pub fn of(sandbox: &Sandbox, user: usize) -> Client {
        let access = sandbox.users().remove(user);
        Client {
            sandbox: sandbox.clone(),
            user: access.id,
            token: access.access_token,
        }
    }

    pub fn send(&self, request: Request) -> Answer {
        send(&self.sandbox, request.bearer(&self.token))
    }

    /// Gets a path below the version.
    pub fn get(&self, path: &str) -> Answer {
        self.send(Request::new("GET", &format!("{DATA}{path}")))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send(Request::new("DELETE", &format!("{DATA}{path}")))
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Request::new("POST", &format!("{DATA}{path}")).json(body.to_string()))
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Request::new("PATCH", &format!("{DATA}{path}")).json(body.to_string()))
    }

    /// Creates a row and gives its id.
    pub fn create(&self, object: &str, fields: Value) -> String {
        let answer = self.post(&format!("/sobjects/{object}"), fields);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json["id"].as_str().unwrap().to_owned()
    }

    pub fn account(&self, name: &str) -> String {
        self.create("Account", json!({ "Name": name }))
    }

    /// Reads a row; it must be there.
    pub fn row(&self, object: &str, id: &str) -> Value {
        let answer = self.get(&format!("/sobjects/{object}/{id}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json
    }
}

impl Answer {
    /// The error codes of an error body.
    pub fn codes(&self) -> Vec<&str> {
        let problems = self.json.as_array().map(Vec::as_slice).unwrap_or_default();
        problems
            .iter()
            .filter_map(|problem| problem["errorCode"].as_str())
            .collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.raw.get(name)
    }
}

/// Sends a request that nothing happens to.
pub fn send(sandbox: &Sandbox, request: Request) -> Answer {
    match sandbox.handle(request) {
        Outcome::Answer(raw) => Answer {
            status: raw.status,
            json: serde_json::from_slice(&raw.body).unwrap_or(Value::Null),
            raw,
        },
        other => panic!("no answer: {other:?}"),
    }
}
