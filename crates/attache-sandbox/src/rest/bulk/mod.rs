//! The Bulk API 2.0: jobs that read or write many rows at once.
//!
//! A job is done when its time has come ([`RestSwitches::bulk_delay_s`](super::RestSwitches)), which
//! is looked at whenever somebody asks for it: there is no thread. What a query finds is written down
//! at that moment and does not change afterwards, whatever happens to the rows.

mod ingest;
mod job;
mod query;

pub(super) use ingest::{ingest_batches, ingest_job, ingest_jobs, ingest_result};
pub(super) use query::{query_job, query_jobs, query_pages, query_results};

use super::{failure::Failure, limits::Usage, message::Response};
use crate::id;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds a job and its results are kept.
const KEPT_S: i64 = 7 * 86_400;
/// Query jobs of a day.
const QUERY_JOBS_MAX: u64 = 10_000;

/// The jobs of the org, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    last: u64,
    queries: BTreeMap<String, query::Job>,
    ingests: BTreeMap<String, ingest::Job>,
    usage: Usage,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Delimiter {
    Backquote,
    Caret,
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Tab,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum LineEnding {
    #[default]
    Lf,
    Crlf,
}

impl Delimiter {
    fn sign(self) -> char {
        match self {
            Delimiter::Backquote => '`',
            Delimiter::Caret => '^',
            Delimiter::Comma => ',',
            Delimiter::Pipe => '|',
            Delimiter::Semicolon => ';',
            Delimiter::Tab => '\t',
        }
    }
}

impl Jobs {
    /// Gives an id to a job that is made now, and forgets the ones that are too old.
    fn next(&mut self, now_s: i64) -> String {
        self.queries
            .retain(|_, job| is_kept(job.head.created_s, now_s));
        self.ingests
            .retain(|_, job| is_kept(job.head.created_s, now_s));
        self.last += 1;
        id::make("750", self.last)
    }
}

/// Says whether a job of some age is still there.
fn is_kept(created_s: i64, now_s: i64) -> bool {
    created_s + KEPT_S >= now_s
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(400, "INVALIDJOB", message)
}

fn csv(body: impl Into<Vec<u8>>) -> Response {
    Response {
        status: 200,
        headers: Vec::new(),
        body: body.into(),
    }
    .with("Content-Type", "text/csv")
}
