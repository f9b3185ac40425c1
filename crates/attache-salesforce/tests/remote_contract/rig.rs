//! An org at rest, and the two ways to it.

use async_trait::async_trait;
use attache::{Fields, Remote, Result, ServerTime, Value, Write, WriteAction, WriteOutcome};
use attache_salesforce::{
    HttpRequest, HttpResponse, Limits, Reqwest, Salesforce, StaticToken, TokenProvider, Transport,
    TransportError,
};
use attache_sandbox::{Fault, FaultKind, Outcome, Request, Sandbox, Serving, UserAccess};
use futures_lite::future::block_on;
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;

/// An org whose clock stands still, and one way to it.
pub struct Rig {
    pub sandbox: Sandbox,
    pub url: String,
    pub transport: Arc<dyn Transport>,
    // Stops the server when the rig goes.
    _serving: Option<Serving>,
}

impl Rig {
    /// The same org twice: in this process, and behind a socket.
    pub fn both() -> [Rig; 2] {
        let sandbox = || {
            let builder = Sandbox::builder().seed(7).records(300).manual_clock();
            builder
                .now("2026-03-02T09:00:00Z")
                .time_zone("Europe/Berlin")
                .build()
                .unwrap()
        };
        let near = sandbox();
        let far = sandbox();
        let serving = Serving::spawn(far.clone(), 0).unwrap();
        [
            Rig {
                transport: Arc::new(InProcess(near.clone())),
                sandbox: near,
                url: "http://localhost".into(),
                _serving: None,
            },
            Rig {
                sandbox: far,
                url: serving.url().to_owned(),
                transport: Arc::new(Reqwest::new(Limits::default())),
                _serving: Some(serving),
            },
        ]
    }

    pub fn user(&self, nth: usize) -> UserAccess {
        self.sandbox.users().remove(nth)
    }

    /// A client of the nth user.
    pub fn org(&self, nth: usize) -> Salesforce {
        self.org_of(StaticToken::new(self.user(nth).access_token))
    }

    pub fn org_of(&self, tokens: impl TokenProvider + 'static) -> Salesforce {
        Salesforce::builder(&self.url, tokens)
            .transport(Arc::clone(&self.transport))
            .build()
            .unwrap()
    }

    /// Plans that the org acts on the next request of this kind and nobody hears of it.
    pub fn lose_answer(&self, method: &str, path: &str) {
        self.sandbox
            .fail_next(Fault::new(FaultKind::LoseAnswer).method(method).path(path));
    }

    /// Lets a user create a record at the org.
    pub fn create_there(&self, nth: usize, object: &str, name: &str) -> String {
        let user = self.user(nth).id;
        let fields = [("Name".to_owned(), raw(name))];
        self.sandbox
            .with_org(|org| org.create(&user, object, &fields).unwrap())
    }

    /// Lets a user change a field of a record at the org.
    pub fn change_there(&self, nth: usize, object: &str, id: &str, field: &str, value: &str) {
        let user = self.user(nth).id;
        let fields = [(field.to_owned(), raw(value))];
        self.sandbox
            .with_org(|org| org.update(&user, object, id, &fields, None).unwrap());
    }

    pub fn delete_there(&self, nth: usize, object: &str, id: &str) {
        let user = self.user(nth).id;
        self.sandbox
            .with_org(|org| org.delete(&user, object, id).unwrap());
    }

    pub fn count(&self, object: &str) -> usize {
        self.sandbox.with_org(|org| org.count(object))
    }

    pub fn now(&self) -> ServerTime {
        ServerTime(self.sandbox.now())
    }

    /// Paths of the requests since the log was cleared, without their queries.
    pub fn paths(&self) -> Vec<String> {
        let short = |logged: attache_sandbox::Logged| {
            let path = logged
                .target
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned();
            format!(
                "{} {}",
                logged.method,
                path.replace("/services/data/v67.0", "")
            )
        };
        self.sandbox.log().into_iter().map(short).collect()
    }
}

fn raw(text: &str) -> Box<RawValue> {
    to_raw_value(text).unwrap()
}

/// Hands requests to an org in this process.
struct InProcess(Sandbox);

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let (_, rest) = request.url.split_once("://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let mut sent = Request::new(request.method.as_str(), &format!("/{path}"));
        sent.headers = request.headers;
        let limit = request.response_bytes_max;
        sent.headers.push(("Host".into(), host.into()));
        sent.body = request.body;
        match self.0.handle(sent) {
            Outcome::Answer(answer) if answer.body.len() > limit => Err(TransportError::TooLarge),
            Outcome::Answer(answer) => Ok(HttpResponse {
                status: answer.status,
                headers: answer.headers,
                body: answer.body,
            }),
            Outcome::Truncated(_) => Err(TransportError::NoAnswer("it was cut off".into())),
            Outcome::NoAnswer => Err(TransportError::NoAnswer("the line was cut".into())),
        }
    }
}

pub fn create(object: &str, fields: Fields) -> Write {
    Write {
        object: object.into(),
        action: WriteAction::Create { fields },
        allow_duplicates: false,
    }
}

pub fn create_by_key(key: &str, fields: Fields) -> Write {
    Write {
        object: "Account".into(),
        action: WriteAction::CreateByKey {
            key_field: "External_Id__c".into(),
            key: key.into(),
            fields,
        },
        allow_duplicates: false,
    }
}

pub fn update(id: &str, fields: Fields, unmodified_since: Option<ServerTime>) -> Write {
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

pub fn delete(id: &str) -> Write {
    Write {
        object: "Account".into(),
        action: WriteAction::Delete { id: id.into() },
        allow_duplicates: false,
    }
}

pub fn named(name: &str) -> Fields {
    Fields::from([("Name", name)])
}

/// Pushes and gives the outcomes by place; each must be told exactly once.
pub fn push(org: &Salesforce, batch: &[Write]) -> Result<Vec<WriteOutcome>> {
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

/// The id of a write that is done.
pub fn id_of(outcome: &WriteOutcome) -> String {
    match outcome {
        WriteOutcome::Done { id } => id.clone(),
        other => panic!("not done: {other:?}"),
    }
}

/// The code of a write that was refused.
pub fn refused(outcome: &WriteOutcome) -> &str {
    match outcome {
        WriteOutcome::Refused(problems) => &problems[0].code,
        other => panic!("not refused: {other:?}"),
    }
}

/// Reads fields of one record.
pub fn read(org: &Salesforce, object: &str, id: &str, fields: &[&str]) -> Option<Json> {
    let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    let records = block_on(org.retrieve(object, &[id.to_owned()], &fields)).unwrap();
    let record = records.into_iter().next().unwrap()?;
    Some(serde_json::from_str(record.get()).unwrap())
}

pub fn text(value: &str) -> Value {
    Value::text(value)
}
