//! What happened during the day, line by line.

use crate::error::Result;
use crate::output::{self, JsonFields};
use attache::Value;
use serde::Serialize;

/// One thing somebody did.
#[derive(Serialize)]
pub struct Line {
    /// When, by the org's clock.
    at: String,
    /// Who.
    pub who: String,
    /// What they did: `created`, `changed`, `deleted`.
    pub did: &'static str,
    /// The record's object.
    pub object: &'static str,
    /// The record, as the writer knew it.
    pub record: String,
    /// What the record is called.
    pub title: String,
    /// The values written.
    fields: JsonFields,
}

/// The record that a line is about.
pub struct Subject<'a> {
    /// Its object.
    pub object: &'static str,
    /// The record, as the writer knows it.
    pub record: &'a str,
    /// What it is called.
    pub title: &'a str,
}

/// The lines of a day.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub struct Diary {
    /// In the order of events.
    pub lines: Vec<Line>,
}

impl Diary {
    /// Adds a line.
    pub fn note(
        &mut self,
        at: i64,
        who: &str,
        did: &'static str,
        subject: Subject<'_>,
        fields: &[(String, Value)],
    ) -> Result<()> {
        self.lines.push(Line {
            at: attache::ServerTime(at).to_soql(),
            who: who.into(),
            did,
            object: subject.object,
            record: subject.record.into(),
            title: subject.title.into(),
            fields: output::json_fields(fields.iter().map(|(name, value)| (name.as_str(), value)))?,
        });
        Ok(())
    }

    /// Counts what somebody did.
    pub fn count(&self, who: &str, did: &str) -> u64 {
        self.lines
            .iter()
            .filter(|line| line.who == who && line.did == did)
            .count() as u64
    }
}
