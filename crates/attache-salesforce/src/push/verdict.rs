//! What the answer to one write means.

use crate::class::may_pass;
use crate::codec::{self, ApiProblem, SaveResult, remote_id};
use crate::error::without_values;
use attache::{Fields, Problem, Value, Write, WriteAction, WriteOutcome};

/// The answer to one write, whichever way it travelled.
#[derive(Debug)]
pub(super) enum SubResult {
    /// It was done; an update or a delete of a row tells no id.
    Done(Option<String>),
    /// It was not done. The status is that of a row call; collections have none.
    Failed(Option<u16>, Vec<ApiProblem>),
    /// There is no answer for it.
    Missing,
}

impl SubResult {
    pub(super) fn of_collection(result: SaveResult) -> SubResult {
        match result {
            SaveResult {
                success: true, id, ..
            } => SubResult::Done(id),
            SaveResult { errors, .. } => SubResult::Failed(None, errors),
        }
    }

    /// Reads the answer of a row call; `None` if it is not one.
    pub(super) fn of_row(status: u16, body: Option<&[u8]>) -> Option<SubResult> {
        let body = body.filter(|body| *body != b"null");
        match (status, body) {
            (200..300, None) => Some(SubResult::Done(None)),
            (200..300, Some(body)) => {
                let result: SaveResult = serde_json::from_slice(body).ok()?;
                Some(match result.success {
                    true => SubResult::Done(result.id),
                    false => SubResult::Failed(Some(status), result.errors),
                })
            }
            (412, _) => Some(SubResult::Failed(Some(412), Vec::new())),
            // The body lists the records that have the key.
            (300, _) => {
                let words = "several records have this key";
                Some(SubResult::refused(300, "DUPLICATE_EXTERNAL_ID", words))
            }
            (413, _) => {
                let words = "the record is too large for one call";
                Some(SubResult::refused(413, "EXCEEDED_MAX_SIZE_REQUEST", words))
            }
            (_, body) => {
                let problems = codec::problems(body?).filter(|problems| !problems.is_empty())?;
                Some(SubResult::Failed(Some(status), problems))
            }
        }
    }
}

impl SubResult {
    /// A refusal that only its status tells.
    fn refused(status: u16, code: &str, words: &str) -> SubResult {
        let problem = ApiProblem {
            code: code.into(),
            message: words.into(),
            fields: Vec::new(),
            duplicates: None,
        };
        SubResult::Failed(Some(status), vec![problem])
    }
}

/// What an answer means.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// This became of the write.
    Settled(WriteOutcome),
    /// The record is gone, or something that it was to point to is: only looking tells.
    Unclear {
        /// The record's server id.
        id: String,
        /// The org's words.
        problems: Vec<Problem>,
    },
}

impl Verdict {
    /// Says whether the write was refused as a duplicate without a word of which records it may be one.
    pub(super) fn is_untold_duplicate(&self) -> bool {
        let Verdict::Settled(WriteOutcome::Refused(problems)) = self else {
            return false;
        };
        problems
            .iter()
            .any(|problem| problem.code == "DUPLICATES_DETECTED" && problem.duplicates.is_none())
    }
}

impl Verdict {
    /// Says whether the write may have failed only because another one of its call did.
    ///
    /// Triggers run once for many rows, and so do locks: the error of one is told of all.
    pub(super) fn may_be_anothers(&self) -> bool {
        let (Verdict::Settled(WriteOutcome::Refused(problems) | WriteOutcome::Later(problems))
        | Verdict::Unclear { problems, .. }) = self
        else {
            return false;
        };
        let code = problems.first().map_or("", |problem| problem.code.as_str());
        matches!(
            code,
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
                | "UNABLE_TO_LOCK_ROW"
                | "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        )
    }
}

/// Says what an answer means for its write.
pub(super) fn judge(write: &Write, result: SubResult) -> Verdict {
    match result {
        SubResult::Missing => Verdict::Settled(WriteOutcome::Unknown),
        SubResult::Done(id) => Verdict::Settled(done(write, id)),
        SubResult::Failed(status, problems) => failed(write, status, &problems),
    }
}

fn done(write: &Write, answered: Option<String>) -> WriteOutcome {
    let answered = answered.map(|id| remote_id(&id));
    let id = match (&write.action, answered) {
        // Row calls do not repeat the id.
        (WriteAction::Update { id, .. } | WriteAction::Delete { id }, None) => Some(id.clone()),
        (WriteAction::Update { id, .. } | WriteAction::Delete { id }, Some(told)) => {
            // The answer of another record says nothing of this one.
            (told.is_some() && told == remote_id(id)).then(|| id.clone())
        }
        // A success that does not say which record it made is as good as no answer.
        (_, told) => told.flatten(),
    };
    id.map_or(WriteOutcome::Unknown, |id| WriteOutcome::Done { id })
}

fn failed(write: &Write, status: Option<u16>, problems: &[ApiProblem]) -> Verdict {
    let (fields, id) = match &write.action {
        WriteAction::Create { fields } | WriteAction::CreateByKey { fields, .. } => {
            (Some(fields), None)
        }
        WriteAction::Update { id, fields, .. } => (Some(fields), Some(id)),
        WriteAction::Delete { id } => (None, Some(id)),
    };
    let texts: Vec<&str> = fields.map(texts).unwrap_or_default();
    let told = spoken(problems, &texts);
    let first = problems.first();
    let code = first.map_or("", |problem| problem.code.as_str());
    let stale = [
        "MATCH_PRECONDITION_FAILED",
        "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE",
    ];
    if status == Some(412) || stale.contains(&code) {
        return Verdict::Settled(WriteOutcome::Stale);
    }
    // An error of a trigger may wrap a lock that somebody else held.
    let locked = |problem: &ApiProblem| problem.message.contains("UNABLE_TO_LOCK_ROW");
    if problems.iter().any(|p| may_pass(&p.code)) || first.is_some_and(locked) {
        return Verdict::Settled(WriteOutcome::Later(told));
    }
    if status.is_some_and(|status| status >= 500) {
        return Verdict::Settled(WriteOutcome::Later(told));
    }
    // Two creates under one key at the same time: the next attempt finds the winner.
    let by_key = matches!(write.action, WriteAction::CreateByKey { .. });
    if by_key && code == "DUPLICATE_VALUE" && only_field(write, first) {
        return Verdict::Settled(WriteOutcome::Later(told));
    }
    if let Some(id) = id
        && let Some(verdict) = missing(write, status, problems, &texts, id, &told)
    {
        return verdict;
    }
    Verdict::Settled(WriteOutcome::Refused(told))
}

/// Judges a refusal that may mean that the record is not there (any more).
fn missing(
    write: &Write,
    status: Option<u16>,
    problems: &[ApiProblem],
    sent: &[&str],
    id: &str,
    told: &[Problem],
) -> Option<Verdict> {
    let [problem] = problems else { return None };
    let names_fields = problem
        .fields
        .iter()
        .any(|field| field != "Id" && field != "id");
    if names_fields {
        return None;
    }
    let sends_ids = sent.iter().any(|text| remote_id(text).is_some());
    let certain = status == Some(404) || !sends_ids;
    let is_delete = matches!(write.action, WriteAction::Delete { .. });
    match problem.code.as_str() {
        "ENTITY_IS_DELETED" if is_delete => {
            Some(Verdict::Settled(WriteOutcome::Done { id: id.to_owned() }))
        }
        "ENTITY_IS_DELETED" | "NOT_FOUND" if certain => Some(Verdict::Settled(WriteOutcome::Gone)),
        // A lookup, an owner or a record type that does not exist has the same code.
        "ENTITY_IS_DELETED" | "NOT_FOUND" | "INVALID_CROSS_REFERENCE_KEY" => {
            Some(Verdict::Unclear {
                id: id.to_owned(),
                problems: told.to_vec(),
            })
        }
        _ => None,
    }
}

/// Says whether a duplicate value is that of the key itself.
fn only_field(write: &Write, problem: Option<&ApiProblem>) -> bool {
    match (&write.action, problem) {
        (WriteAction::CreateByKey { key_field, .. }, Some(problem)) => {
            problem.message.contains(key_field.as_str()) || problem.fields == [key_field.as_str()]
        }
        _ => false,
    }
}

/// The texts that a write sends; the org's words may repeat them.
fn texts(fields: &Fields) -> Vec<&str> {
    let texts = fields.iter().filter_map(|(_, value)| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Tells the org's reasons without the values that were sent.
pub(super) fn spoken(problems: &[ApiProblem], sent: &[&str]) -> Vec<Problem> {
    let told = problems.iter().map(|problem| Problem {
        fields: problem.fields.clone(),
        code: problem.code.clone(),
        message: without_values(problem, sent),
        duplicates: problem.duplicates.clone(),
    });
    told.collect()
}
