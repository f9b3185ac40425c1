//! What jobs that read and jobs that write have in common: the document, the list, the states.

use super::{Delimiter, Jobs, LineEnding, is_kept};
use crate::json;
use crate::rest::{Call, dates, failure::Failure, machine::Machine, message::Response};
use crate::soql::csv::Style;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A job of one kind.
pub(super) trait Job: Sized {
    /// The jobs of this kind.
    fn all(jobs: &mut Jobs) -> &mut BTreeMap<String, Self>;

    fn head(&self) -> &Head;

    fn head_mut(&mut self) -> &mut Head;

    /// The job as it is shown when it is made, and in the list.
    fn info(&self) -> Info<'_> {
        self.head().info()
    }

    /// What is told of it when it is asked for.
    fn progress(&self) -> Progress<'_>;

    /// Takes it to the state that somebody asks for, unless it cannot go there.
    fn turn(&mut self, to: State, now_s: i64) -> Result<(), Failure>;

    /// Does the work of a job whose time has come.
    fn work(machine: &mut Machine, call: &Call<'_>, id: &str);
}

/// `GET` of all jobs of a kind: the user's own.
pub(super) fn list<J: Job>(machine: &mut Machine, call: &Call<'_>) -> Response {
    let own = J::all(&mut machine.jobs).values();
    let list = List {
        done: true,
        next_records_url: None,
        records: own
            .filter(|job| job.head().owner == call.actor)
            .map(Job::info)
            .collect(),
    };
    Response::json(200, json::write(&list))
}

/// Adds a job that was just made, and shows it.
pub(super) fn add<J: Job>(machine: &mut Machine, job: J) -> Response {
    let answer = Response::json(200, json::write(&job.info()));
    J::all(&mut machine.jobs).insert(job.head().id.clone(), job);
    answer
}

/// One job: `GET` shows it, `PATCH` takes it to another state, `DELETE` forgets it at its end.
pub(super) fn one<J: Job>(
    machine: &mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET,PATCH,DELETE")?;
    let change: Option<Change> = match call.verb() {
        "PATCH" => Some(call.json()?),
        _ => None,
    };
    let now_s = machine.now_s();
    let job = advance::<J>(machine, call, id)?;
    if call.verb() == "DELETE" {
        if matches!(
            job.head().state,
            State::Open | State::UploadComplete | State::InProgress
        ) {
            return Err(wrong_state(job.head(), "at its end"));
        }
        J::all(&mut machine.jobs).remove(id);
        return Ok(Response::empty(204));
    }
    if let Some(Change { state }) = change {
        job.turn(state, now_s)?;
    }
    let mut info = job.info();
    info.progress = Some(job.progress());
    Ok(Response::json(200, json::write(&info)))
}

/// Brings a job to where it is by now.
pub(super) fn advance<'a, J: Job>(
    machine: &'a mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<&'a mut J, Failure> {
    let (now_s, delay_s) = (machine.now_s(), machine.switches.bulk_delay_s);
    if find::<J>(machine, call, id)?
        .head_mut()
        .is_due(now_s, delay_s)
    {
        J::work(machine, call, id);
    }
    find(machine, call, id)
}

/// The job of an id, if it is the caller's and still kept.
pub(super) fn find<'a, J: Job>(
    machine: &'a mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<&'a mut J, Failure> {
    let now_s = machine.now_s();
    let job = J::all(&mut machine.jobs).get_mut(id);
    let job = job
        .filter(|job| is_kept(job.head().created_s, now_s))
        .ok_or_else(unknown)?;
    job.head().check(call)?;
    Ok(job)
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

/// What every job has.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) version: String,
    pub(super) operation: String,
    pub(super) object: String,
    pub(super) created_s: i64,
    /// When it was handed over, from which its time runs.
    pub(super) ready_s: i64,
    pub(super) state: State,
    pub(super) delimiter: Delimiter,
    pub(super) line_ending: LineEnding,
    pub(super) processed: usize,
    pub(super) failed: usize,
    pub(super) error: Option<String>,
}

/// A job as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info<'a> {
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
    pub(super) external_id_field_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_url: Option<String>,
    #[serde(flatten)]
    progress: Option<Progress<'a>>,
}

/// What is told of a job that is asked for, and not of one that was just made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress<'a> {
    job_type: &'static str,
    number_records_processed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number_records_failed: Option<usize>,
    retries: u32,
    total_processing_time: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_pk_chunking_supported: Option<bool>,
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
    pub(super) fn style(&self) -> Style {
        Style {
            delimiter: self.delimiter.sign(),
            ending: match self.line_ending {
                LineEnding::Lf => "\n",
                LineEnding::Crlf => "\r\n",
            },
        }
    }

    pub(super) fn info(&self) -> Info<'_> {
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

    pub(super) fn progress(&self, job_type: &'static str) -> Progress<'_> {
        Progress {
            job_type,
            number_records_processed: self.processed,
            number_records_failed: None,
            retries: 0,
            total_processing_time: 0,
            is_pk_chunking_supported: None,
            error_message: self.error.as_deref(),
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

/// `PATCH {"state": …}` of a job.
#[derive(Deserialize)]
struct Change {
    state: State,
}

fn unknown() -> Failure {
    Failure::new(404, "NOT_FOUND", "The requested resource does not exist")
}

pub(super) fn wrong_state(head: &Head, wanted: &str) -> Failure {
    Failure::new(
        400,
        "INVALIDJOBSTATE",
        format!("the job is {:?} and must be {wanted}", head.state),
    )
}

pub(super) fn started(machine: &Machine, call: &Call<'_>) -> Head {
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
