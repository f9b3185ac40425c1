//! Jobs that read: a statement in, CSV out, in pages that stay as they are.

use super::job::{self, Head, Progress, State, started, wrong_state};
use super::{Delimiter, Jobs, LineEnding, QUERY_JOBS_MAX, csv, invalid};
use crate::json;
use crate::org::Org;
use crate::rest::{
    Call, failure::Failure, limits, machine::Machine, message::Response, query::STATEMENT_MAX,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows of a page of results if nobody says how many.
const PAGE_ROWS: usize = 50_000;
/// Pages that one call for parallel pages names.
const PAGES_MAX: usize = 5;

#[derive(Debug)]
pub(super) struct Job {
    pub(super) head: Head,
    query: String,
    all_rows: bool,
    found: Option<Found>,
}

/// The rows of a finished job, as text.
#[derive(Debug, Default)]
struct Found {
    header: String,
    lines: String,
    /// Where each row ends in `lines`.
    ends: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    operation: Operation,
    query: String,
    #[serde(default)]
    column_delimiter: Delimiter,
    #[serde(default)]
    line_ending: LineEnding,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Operation {
    Query,
    QueryAll,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pages {
    result_pages: Vec<PageUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_records_url: Option<String>,
    done: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageUrl {
    result_url: String,
}

impl job::Job for Job {
    fn all(jobs: &mut Jobs) -> &mut BTreeMap<String, Job> {
        &mut jobs.queries
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn progress(&self) -> Progress<'_> {
        let mut progress = self.head.progress("V2Query");
        progress.is_pk_chunking_supported = Some(true);
        progress
    }

    fn turn(&mut self, to: State, _now_s: i64) -> Result<(), Failure> {
        if to != State::Aborted || self.head.state == State::JobComplete {
            return Err(wrong_state(
                &self.head,
                "unfinished, and can only be Aborted",
            ));
        }
        self.head.state = to;
        Ok(())
    }

    fn work(machine: &mut Machine, _call: &Call<'_>, id: &str) {
        let Some(mut job) = machine.jobs.queries.remove(id) else {
            return;
        };
        match job.find(&machine.org) {
            Ok(found) => {
                job.head.processed = found.ends.len();
                job.head.state = State::JobComplete;
                job.found = Some(found);
            }
            Err(message) => {
                job.head.error = Some(message);
                job.head.state = State::Failed;
            }
        }
        machine.jobs.queries.insert(id.to_owned(), job);
    }
}

impl Job {
    /// Finds the rows, and writes them down.
    fn find(&self, org: &Org) -> Result<Found, String> {
        let owner = &self.head.owner;
        let cursor = org
            .query(owner, &self.query, self.all_rows)
            .map_err(|error| error.message)?;
        let mut found = Found::default();
        let style = self.head.style();
        org.csv_header(owner, &cursor, style, &mut found.header)?;
        org.csv_lines(owner, &cursor, style, &mut found.lines, &mut found.ends);
        Ok(found)
    }
}

/// `/jobs/query`: `POST` makes a job, `GET` lists them.
pub(in crate::rest) fn query_jobs(
    machine: &mut Machine,
    call: &Call<'_>,
) -> Result<Response, Failure> {
    call.only("HEAD,GET,POST")?;
    if call.verb() == "POST" {
        return create(machine, call);
    }
    Ok(job::list::<Job>(machine, call))
}

fn create(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    let body: Body = call.json()?;
    if body.query.chars().count() > STATEMENT_MAX {
        return Err(invalid(
            "SOQL statements cannot be longer than 100000 characters.",
        ));
    }
    let now_s = machine.now_s();
    if machine.jobs.usage.in_a_day(now_s) >= QUERY_JOBS_MAX {
        return Err(limits::exceeded());
    }
    let all_rows = matches!(body.operation, Operation::QueryAll);
    // What cannot be read at all is refused here; what a file cannot hold fails later.
    let cursor = machine
        .org
        .query(call.actor, &body.query, all_rows)
        .map_err(Failure::of_query)?;
    machine.jobs.usage.count(now_s, 1);
    let head = Head {
        id: machine.jobs.next(now_s),
        operation: if all_rows { "queryAll" } else { "query" }.into(),
        object: machine.org.object_of(&cursor).to_owned(),
        state: State::UploadComplete,
        delimiter: body.column_delimiter,
        line_ending: body.line_ending,
        ..started(machine, call)
    };
    let job = Job {
        query: body.query,
        all_rows,
        found: None,
        head,
    };
    Ok(job::add(machine, job))
}

/// `/jobs/query/<id>`
pub(in crate::rest) fn query_job(
    machine: &mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<Response, Failure> {
    job::one::<Job>(machine, call, id)
}

/// `GET /jobs/query/<id>/results`
pub(in crate::rest) fn query_results(
    machine: &mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let (from, rows) = page_asked(machine, call)?;
    let found = finished(machine, call, id)?;
    let page = found.page(from, rows).ok_or_else(bad_locator)?;
    let next = from + page.rows;
    let locator = match next < found.ends.len() {
        true => locator(next),
        false => "null".into(),
    };
    Ok(csv(page.text)
        .with("Sforce-NumberOfRecords", page.rows.to_string())
        .with("Sforce-Locator", locator))
}

/// `GET /jobs/query/<id>/resultPages`: where the next pages are, to be read side by side.
pub(in crate::rest) fn query_pages(
    machine: &mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let (from, mut rows) = page_asked(machine, call)?;
    if !machine.switches.names_bulk_pages {
        return Err(Failure::not_found());
    }
    if !machine.switches.bulk_page_names_heed_rows {
        rows = (rows / 2).max(1);
    }
    let version = call.version;
    let total = finished(machine, call, id)?.ends.len();
    let url = |part: &str, from: usize| {
        let locator = crate::rest::target::encode(&locator(from));
        format!(
            "/services/data/v{version}/jobs/query/{id}/{part}?maxRecords={rows}&locator={locator}"
        )
    };
    let starts: Vec<usize> = (from..total.max(from + 1)).step_by(rows).collect();
    let rest = starts.get(PAGES_MAX).copied();
    let pages = Pages {
        result_pages: starts
            .iter()
            .take(PAGES_MAX)
            .map(|from| PageUrl {
                result_url: url("results", *from),
            })
            .collect(),
        next_records_url: rest.map(|from| url("resultPages", from)),
        done: rest.is_none(),
    };
    Ok(Response::json(200, json::write(&pages)))
}

struct Page {
    text: String,
    rows: usize,
}

impl Found {
    /// The rows from one on, at most so many, under the header; `None` behind the end.
    fn page(&self, from: usize, most: usize) -> Option<Page> {
        if from > self.ends.len() {
            return None;
        }
        let rows = most.min(self.ends.len() - from);
        let start = if from == 0 { 0 } else { self.ends[from - 1] };
        let end = if rows == 0 {
            start
        } else {
            self.ends[from + rows - 1]
        };
        Some(Page {
            text: format!("{}{}", self.header, &self.lines[start..end]),
            rows,
        })
    }
}

fn page_asked(machine: &Machine, call: &Call<'_>) -> Result<(usize, usize), Failure> {
    let rows = match call.parameter("maxRecords").map(str::parse::<usize>) {
        None => PAGE_ROWS,
        Some(Ok(rows @ 1..)) => rows,
        Some(_) => return Err(Failure::parameter("maxRecords must be a number above 0")),
    };
    let from = match call.parameter("locator") {
        None | Some("") => 0,
        Some(text) => BASE64
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok())
            .ok_or_else(bad_locator)?,
    };
    Ok((from, rows.min(machine.switches.bulk_page_rows_max.max(1))))
}

fn locator(from: usize) -> String {
    BASE64.encode(from.to_string())
}

fn bad_locator() -> Failure {
    Failure::new(400, "INVALID_LOCATOR", "the locator is not one of this job")
}

fn finished<'a>(machine: &'a mut Machine, call: &Call<'_>, id: &str) -> Result<&'a Found, Failure> {
    let job: &mut Job = job::advance(machine, call, id)?;
    job.found
        .as_ref()
        .ok_or_else(|| wrong_state(&job.head, "JobComplete"))
}
