//! The Bulk API 2.0: jobs that read or write many rows at once.
//!
//! A job is done when its time has come ([`RestSwitches::bulk_delay_s`](super::RestSwitches)), which
//! is looked at whenever somebody asks for it: there is no thread. What a query finds is written down
//! at that moment and does not change afterwards, whatever happens to the rows.

mod ingest;
mod query;

pub(super) use ingest::{ingest_batches, ingest_job, ingest_jobs, ingest_result};
pub(super) use query::{query_job, query_jobs, query_pages, query_results};

use super::{Call, dates, failure::Failure, limits::Usage, machine::Machine, message::Response};
use crate::id;
use crate::soql::csv::Style;
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

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

/// What every job has.
#[derive(Clone, Debug)]
struct Head {
    id: String,
    owner: String,
    version: String,
    operation: String,
    object: String,
    created_s: i64,
    /// When it was handed over, from which its time runs.
    ready_s: i64,
    state: State,
    delimiter: Delimiter,
    line_ending: LineEnding,
    processed: usize,
    failed: usize,
    error: Option<String>,
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

/// A job as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    id: &'a str,
    operation: &'a str,
    object: &'a str,
    created_by_id: &'a str,
    created_date: String,
    system_modstamp: String,
    state: State,
    concurrency_mode: &'static str,
    content_type: &'static str,
    api_version: f64,
    line_ending: LineEnding,
    column_delimiter: Delimiter,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id_field_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_url: Option<String>,
    #[serde(flatten)]
    progress: Option<Progress<'a>>,
}

/// What is told of a job that is asked for, and not of one that was just made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress<'a> {
    job_type: &'static str,
    number_records_processed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_records_failed: Option<usize>,
    retries: u32,
    total_processing_time: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_pk_chunking_supported: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
}

/// The list of jobs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    done: bool,
    next_records_url: Option<&'a str>,
    records: Vec<Info<'a>>,
}

impl Head {
    fn style(&self) -> Style {
        Style {
            delimiter: self.delimiter.sign(),
            ending: match self.line_ending {
                LineEnding::Lf => "\n",
                LineEnding::Crlf => "\r\n",
            },
        }
    }

    fn info(&self) -> Info<'_> {
        let date = dates::print_iso(self.created_s);
        Info {
            id: &self.id,
            operation: &self.operation,
            object: &self.object,
            created_by_id: &self.owner,
            system_modstamp: date.clone(),
            created_date: date,
            state: self.state,
            concurrency_mode: "Parallel",
            content_type: "CSV",
            api_version: self.version.parse().unwrap_or_default(),
            line_ending: self.line_ending,
            column_delimiter: self.delimiter,
            external_id_field_name: None,
            content_url: None,
            progress: None,
        }
    }

    /// Moves on to the next state its time allows, and says whether the work is to be done now.
    fn is_due(&mut self, now_s: i64, delay_s: i64) -> bool {
        if !matches!(self.state, State::UploadComplete | State::InProgress) {
            return false;
        }
        self.state = State::InProgress;
        now_s >= self.ready_s + delay_s
    }

    /// Refuses whoever it is not for, and another version than it was made with.
    fn check(&self, call: &Call<'_>) -> Result<(), Failure> {
        if self.owner != call.actor {
            return Err(unknown());
        }
        if self.version == call.version {
            return Ok(());
        }
        let message = format!(
            "The job was created with API version {}, use the same",
            self.version
        );
        Err(Failure::new(409, "API_ERROR", message))
    }
}

impl Jobs {
    /// Gives an id to a job that is made now, and forgets the ones that are too old.
    fn next(&mut self, now_s: i64) -> String {
        let lives = |created_s: i64| created_s + KEPT_S >= now_s;
        self.queries.retain(|_, job| lives(job.head.created_s));
        self.ingests.retain(|_, job| lives(job.head.created_s));
        self.last += 1;
        id::make("750", self.last)
    }
}

/// `PATCH {"state": …}` of a job.
#[derive(Deserialize)]
struct Change {
    state: State,
}

fn unknown() -> Failure {
    Failure::new(404, "NOT_FOUND", "The requested resource does not exist")
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(400, "INVALIDJOB", message)
}

fn wrong_state(head: &Head, wanted: &str) -> Failure {
    Failure::new(
        400,
        "INVALIDJOBSTATE",
        format!("the job is {:?} and must be {wanted}", head.state),
    )
}

fn csv(body: impl Into<Vec<u8>>) -> Response {
    Response {
        status: 200,
        headers: Vec::new(),
        body: body.into(),
    }
    .with("Content-Type", "text/csv")
}

fn started(machine: &Machine, call: &Call<'_>) -> Head {
    Head {
        id: String::new(),
        owner: call.actor.to_owned(),
        version: call.version.to_owned(),
        operation: String::new(),
        object: String::new(),
        created_s: machine.now_s(),
        ready_s: machine.now_s(),
        state: State::Open,
        delimiter: Delimiter::default(),
        line_ending: LineEnding::default(),
        processed: 0,
        failed: 0,
        error: None,
    }
}
