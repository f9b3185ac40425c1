//! A device of a story, and the arguments of its calls.

use crate::Told;
use crate::tell;
use async_trait::async_trait;
use attache::{
    Attache, Briefcase, ConflictId, Context, Error, ErrorKind, JournalSeq, Key, ObjectSchema,
    Options, RecordId, Watch,
};
use attache_salesforce::{AccessToken, Salesforce, StaticToken, TokenProvider};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A device: a store while it is open, and what it follows.
pub struct Device {
    pub attache: Option<Attache>,
    pub watches: BTreeMap<String, Watch>,
    folder: PathBuf,
    url: String,
    token: String,
}

impl Device {
    pub fn new(folder: &Path, url: &str, token: &str) -> Device {
        Device {
            attache: None,
            watches: BTreeMap::new(),
            folder: folder.into(),
            url: url.into(),
            token: token.into(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn open(&mut self, file: Option<String>, options: Options) -> attache::Result<()> {
        let attache = match file {
            Some(file) => Attache::open_with(self.path(&file), options)?,
            None => Attache::open_in_memory_with(options)?,
        };
        self.attache = Some(attache.with_retries(0).with_remote(self.org(None)?));
        Ok(())
    }

    /// The org, signed in with the right token or with another one.
    pub fn org(&self, token: Option<&str>) -> attache::Result<Salesforce> {
        Salesforce::new(&self.url, StaticToken::new(token.unwrap_or(&self.token)))
    }

    /// The org, of which the application has no token for a reason.
    pub fn org_without_token(&self, kind: &str) -> Result<attache::Result<Salesforce>, String> {
        let kind = tell::kind_named(kind).ok_or_else(|| format!("there is no kind {kind}"))?;
        Ok(Salesforce::new(&self.url, NoToken(kind)))
    }

    pub fn store(&self) -> Result<&Attache, String> {
        let store = self.attache.as_ref();
        store.ok_or_else(|| "the device is not open".into())
    }

    /// What the store knows of an object.
    pub fn object(&self, name: &str) -> Result<attache::Result<Arc<ObjectSchema>>, String> {
        let unknown = || {
            Error::new(
                ErrorKind::UnknownObject,
                format!("{name} was not described"),
            )
        };
        let schema = self.store()?.schema();
        Ok(schema.and_then(|schema| schema.object(name).cloned().ok_or_else(unknown)))
    }
}

pub fn options(key: Option<String>) -> Options {
    match key {
        Some(key) => Options::new().key(Key::passphrase(key)),
        None => Options::new(),
    }
}

/// An application that gets no token.
#[derive(Debug)]
struct NoToken(ErrorKind);

#[async_trait]
impl TokenProvider for NoToken {
    async fn access_token(&self) -> attache::Result<AccessToken> {
        Err(Error::new(self.0, "no token can be had"))
    }

    async fn refresh(&self, _: &AccessToken) -> attache::Result<AccessToken> {
        self.access_token().await
    }
}

/// The arguments of a call. What is left at the end was not known.
pub struct With(Map<String, Value>);

impl With {
    pub fn read(with: &Value) -> Result<With, String> {
        match with {
            Value::Null => Ok(With(Map::new())),
            Value::Object(with) => Ok(With(with.clone())),
            other => Err(format!("{other} are no arguments")),
        }
    }

    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub fn json(&mut self, name: &str) -> Result<Value, String> {
        self.value(name)
            .ok_or_else(|| format!("the argument {name} is missing"))
    }

    pub fn text(&mut self, name: &str) -> Result<String, String> {
        self.optional(name)?
            .ok_or_else(|| format!("the argument {name} is missing"))
    }

    pub fn optional(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{name} is {other}, not a text")),
        }
    }

    pub fn number(&mut self, name: &str) -> Result<Option<i64>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_i64()
                .map(Some)
                .ok_or_else(|| format!("{name} is {value}, not a number")),
        }
    }

    pub fn count(&mut self, name: &str) -> Result<Option<u64>, String> {
        let number = self.number(name)?;
        number
            .map(|number| u64::try_from(number).map_err(|_| format!("{name} is negative")))
            .transpose()
    }

    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let list = self.json(name)?;
        serde_json::from_value(list).map_err(|_| format!("{name} is no list of texts"))
    }

    /// A side of a merge, of which null has a meaning, as JSON.
    pub fn side(&mut self, name: &str) -> Result<String, String> {
        let side = self.0.remove(name);
        side.map(|side| side.to_string())
            .ok_or_else(|| format!("the argument {name} is missing"))
    }

    /// Whom a query is asked for, and when; none if it is as the store says.
    pub fn context(&mut self, store: &Attache) -> Result<attache::Result<Option<Context>>, String> {
        let Some(json) = self.value("context") else {
            return Ok(Ok(None));
        };
        let own = store.context();
        Ok(own.and_then(|own| own.with_json(&json.to_string()).map(Some)))
    }

    pub fn flag(&mut self, name: &str) -> bool {
        self.value(name) == Some(Value::Bool(true))
    }

    pub fn seq(&mut self) -> Result<JournalSeq, String> {
        let seq = self.number("seq")?;
        seq.map(JournalSeq)
            .ok_or_else(|| "the argument seq is missing".into())
    }

    pub fn conflict(&mut self) -> Result<ConflictId, String> {
        let id = self.number("conflict")?;
        id.map(ConflictId)
            .ok_or_else(|| "the argument conflict is missing".into())
    }

    /// A record's id, which the engine reads: a wrong one is an error of the call.
    pub fn id(&mut self, name: &str) -> Result<attache::Result<RecordId>, String> {
        Ok(RecordId::parse(&self.text(name)?))
    }

    pub fn briefcase(&mut self) -> Result<attache::Result<Briefcase>, String> {
        Ok(Briefcase::from_json(&self.json("briefcase")?.to_string()))
    }

    pub fn end(self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("there is no argument {name}")),
        }
    }
}

/// Tells a result.
pub fn told<T>(result: attache::Result<T>, tell: impl FnOnce(T) -> Value) -> Told {
    result.map(tell).map_err(|error| tell::error(&error))
}
