//! Jobs that write: CSV in, and which rows came to be, which did not and why.

use super::job::{self, Head, Info, Progress, State, started, wrong_state};
use super::{Delimiter, Jobs, LineEnding, csv, invalid};
use crate::json::{self, Fields};
use crate::org::{SaveError, UpsertFailure};
use crate::rest::{
    Call,
    external::{key_field, upsert_row},
    failure::Failure,
    machine::Machine,
    message::Response,
    rows::object_name,
};
use crate::schema::FieldKind;
use crate::soql::csv::{Style, cell};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Bytes of a job's data at most.
const DATA_BYTES_MAX: usize = 100 * 1024 * 1024;
/// What sets a field to null; an empty cell leaves it as it is.
const NOTHING: &str = "#N/A";

#[derive(Debug)]
pub(super) struct Job {
    pub(super) head: Head,
    action: Action,
    /// The external id of an upsert.
    key: Option<String>,
    data: Option<Vec<u8>>,
    successful: String,
    failed: String,
    unprocessed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Action {
    Insert,
    Update,
    Upsert,
    Delete,
    HardDelete,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    object: String,
    operation: Action,
    external_id_field_name: Option<String>,
    #[serde(default)]
    column_delimiter: Delimiter,
    #[serde(default)]
    line_ending: LineEnding,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Action::Insert => "insert",
            Action::Update => "update",
            Action::Upsert => "upsert",
            Action::Delete => "delete",
            Action::HardDelete => "hardDelete",
        }
    }
}

impl job::Job for Job {
    fn all(jobs: &mut Jobs) -> &mut BTreeMap<String, Job> {
        &mut jobs.ingests
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn info(&self) -> Info<'_> {
        let mut info = self.head.info();
        info.external_id_field_name = self.key.as_deref();
        info.content_url = Some(format!(
            "services/data/v{}/jobs/ingest/{}/batches",
            self.head.version, self.head.id
        ));
        info
    }

    fn progress(&self) -> Progress<'_> {
        let mut progress = self.head.progress("V2Ingest");
        progress.number_records_failed = Some(self.head.failed);
        progress
    }

    fn turn(&mut self, to: State, now_s: i64) -> Result<(), Failure> {
        match (to, self.head.state) {
            (State::UploadComplete, State::Open) => {
                if self.data.is_none() {
                    return Err(wrong_state(&self.head, "given its data first"));
                }
                self.head.ready_s = now_s;
            }
            (State::Aborted, from) if from != State::JobComplete => {}
            _ => return Err(wrong_state(&self.head, "Open")),
        }
        self.head.state = to;
        Ok(())
    }

    fn work(machine: &mut Machine, call: &Call<'_>, id: &str) {
        if let Some(mut job) = machine.jobs.ingests.remove(id) {
            run(machine, call, &mut job);
            machine.jobs.ingests.insert(id.to_owned(), job);
        }
    }
}

/// `/jobs/ingest`: `POST` makes a job, `GET` lists them.
pub(in crate::rest) fn ingest_jobs(
    machine: &mut Machine,
    call: &Call<'_>,
) -> Result<Response, Failure> {
    call.only("HEAD,GET,POST")?;
    if call.verb() != "POST" {
        return Ok(job::list::<Job>(machine, call));
    }
    let body: Body = call.json()?;
    let object = object_name(machine, &body.object)
        .map_err(|_| invalid(format!("Unable to find object: {}", body.object)))?;
    let key = match (body.operation, body.external_id_field_name) {
        (Action::Upsert, Some(field)) => Some(key_field(&machine.org, &object, &field)?),
        (Action::Upsert, None) => {
            return Err(invalid("externalIdFieldName is required for upsert"));
        }
        _ => None,
    };
    let now_s = machine.now_s();
    let job = Job {
        head: Head {
            id: machine.jobs.next(now_s),
            operation: body.operation.name().into(),
            object,
            delimiter: body.column_delimiter,
            line_ending: body.line_ending,
            ..started(machine, call)
        },
        action: body.operation,
        key,
        data: None,
        successful: String::new(),
        failed: String::new(),
        unprocessed: String::new(),
    };
    Ok(job::add(machine, job))
}

/// `/jobs/ingest/<id>`
pub(in crate::rest) fn ingest_job(
    machine: &mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<Response, Failure> {
    job::one::<Job>(machine, call, id)
}

/// `PUT /jobs/ingest/<id>/batches`: the data of a job, once.
pub(in crate::rest) fn ingest_batches(
    machine: &mut Machine,
    call: &Call<'_>,
    id: &str,
) -> Result<Response, Failure> {
    call.only("PUT")?;
    let job: &mut Job = job::find(machine, call, id)?;
    if job.head.state != State::Open || job.data.is_some() {
        return Err(wrong_state(&job.head, "Open and without data"));
    }
    if call.body.len() > DATA_BYTES_MAX {
        return Err(invalid("the data is larger than 100 MB"));
    }
    job.data = Some(call.body.to_vec());
    Ok(Response::empty(201))
}

/// `GET /jobs/ingest/<id>/successfulResults`, `failedResults`, `unprocessedrecords`
pub(in crate::rest) fn ingest_result(
    machine: &mut Machine,
    call: &Call<'_>,
    id: &str,
    kind: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let job: &mut Job = job::advance(machine, call, id)?;
    let text = match kind.to_ascii_lowercase().as_str() {
        "successfulresults" => &job.successful,
        "failedresults" => &job.failed,
        "unprocessedrecords" => &job.unprocessed,
        _ => return Err(Failure::not_found()),
    };
    Ok(csv(text.as_str()))
}

/// Writes every row of a job's data, each by itself.
fn run(machine: &mut Machine, call: &Call<'_>, job: &mut Job) {
    let data = job.data.take().unwrap_or_default();
    let style = job.head.style();
    let delimiter = u8::try_from(job.head.delimiter.sign()).unwrap_or(b',');
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(data.as_slice());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(str::to_owned).collect(),
        Err(error) => return fail(job, &error),
    };
    let line = |lead: &[&str], cells: &[&str]| line(style, lead.iter().chain(cells));
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    job.successful = line(&["sf__Id", "sf__Created"], &columns);
    job.failed = line(&["sf__Id", "sf__Error"], &columns);
    job.unprocessed = line(&[], &columns);
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => return fail(job, &error),
        };
        let cells: Vec<&str> = record.iter().collect();
        job.head.processed += 1;
        match write(machine, call, job, &names, &cells) {
            Ok((id, created)) => {
                let created = if created { "true" } else { "false" };
                job.successful += &line(&[&id, created], &cells);
            }
            Err(problems) => {
                job.head.failed += 1;
                let given = position(&names, "Id").map_or("", |at| cells[at]);
                job.failed += &line(&[given, &worded(&problems)], &cells);
            }
        }
    }
    job.head.state = State::JobComplete;
}

fn fail(job: &mut Job, error: &::csv::Error) {
    job.head.state = State::Failed;
    job.head.error = Some(format!("InvalidBatch : {error}"));
}

fn line<'a>(style: Style, cells: impl Iterator<Item = &'a &'a str>) -> String {
    let mut out = String::new();
    for (n, text) in cells.enumerate() {
        if n > 0 {
            out.push(style.delimiter);
        }
        cell(text, &mut out);
    }
    out.push_str(style.ending);
    out
}

/// Words the refusal of a row as the failed results do: `CODE:message:Field --`.
fn worded(problems: &[SaveError]) -> String {
    let worded = problems.iter().map(|problem| {
        let fields = problem.fields.join(",");
        format!("{}:{}:{fields}--", problem.code, problem.message)
    });
    worded.collect::<Vec<_>>().join(";")
}

fn position(names: &[String], name: &str) -> Option<usize> {
    names
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
}

/// Writes one row, and gives its id and whether it is new.
fn write(
    machine: &mut Machine,
    call: &Call<'_>,
    job: &Job,
    names: &[String],
    cells: &[&str],
) -> Result<(String, bool), Vec<SaveError>> {
    let (owner, object) = (&job.head.owner, &job.head.object);
    let at = |name: &str| position(names, name).map(|at| cells[at].to_owned());
    let needed = |name: &str| {
        at(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            let message = format!("{name} not specified");
            vec![SaveError::new("MISSING_ARGUMENT", message)]
        })
    };
    match (job.action, &job.key) {
        (Action::Insert, _) => {
            let fields = fields(machine, object, names, cells, None);
            Ok((machine.org.create(owner, object, &fields)?, true))
        }
        (Action::Update, _) => {
            let id = needed("Id")?;
            let fields = fields(machine, object, names, cells, Some("Id"));
            machine.org.update(owner, object, &id, &fields, None)?;
            Ok((id, false))
        }
        (Action::Upsert, Some(key)) => {
            let value = needed(key)?;
            let fields = fields(machine, object, names, cells, Some(key));
            let done = upsert_row(machine, call, object, key, &value, &Fields(fields));
            let done = done.map_err(|failure| match failure {
                UpsertFailure::Errors(problems) => problems,
                UpsertFailure::Multiple(ids) => {
                    let message = format!("{key}: more than one record found: {}", ids.join(", "));
                    vec![SaveError::new("DUPLICATE_EXTERNAL_ID", message)]
                }
            })?;
            Ok((done.id, done.created))
        }
        (Action::Upsert, None) => Err(vec![SaveError::new(
            "MISSING_ARGUMENT",
            "external id not specified",
        )]),
        (Action::Delete | Action::HardDelete, _) => {
            let id = needed("Id")?;
            machine.org.delete(owner, object, &id)?;
            Ok((id, false))
        }
    }
}

/// Makes the fields of a row: cells are texts, and what they stand for depends on the field.
fn fields(
    machine: &Machine,
    object: &str,
    names: &[String],
    cells: &[&str],
    except: Option<&str>,
) -> Vec<(String, Box<RawValue>)> {
    let schema = machine.org.schema().object(object);
    let mut out = Vec::new();
    let mut parents: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, text) in names.iter().zip(cells) {
        if text.is_empty() || except.is_some_and(|key| key.eq_ignore_ascii_case(name)) {
            continue;
        }
        if let Some((relationship, field)) = name.split_once('.') {
            let pair = format!("{}:{}", json::quoted(field), json::quoted(text));
            parents.entry(relationship).or_default().push(pair);
            continue;
        }
        let kind = schema
            .and_then(|object| object.field(name))
            .map(|field| field.kind);
        let value = match kind {
            _ if *text == NOTHING => "null".to_owned(),
            Some(FieldKind::Boolean) => text.to_ascii_lowercase(),
            Some(FieldKind::Int | FieldKind::Double | FieldKind::Currency | FieldKind::Percent) => {
                (*text).to_owned()
            }
            _ => json::quoted(text),
        };
        // What is no JSON is no number or checkbox either: it is refused as a text.
        let value = RawValue::from_string(value).unwrap_or_else(|_| json::raw(json::quoted(text)));
        out.push((name.clone(), value));
    }
    for (relationship, pairs) in parents {
        let parent = format!("{{{}}}", pairs.join(","));
        out.push((relationship.to_owned(), json::raw(parent)));
    }
    out
}
