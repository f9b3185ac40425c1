//! Sends a batch of writes, and tells what became of each.

mod file;
mod graph;
mod group;
mod verdict;

use crate::client::{Call, Salesforce};
use crate::codec::{self, CompositeDoc, SaveResult};
use crate::error::refusal;
use crate::transport::HttpResponse;
use attache::{Error, ErrorKind, Problem, Remote, Result, Write, WriteOutcome};
pub(crate) use file::push_file;
pub(crate) use graph::push_together;
use group::{Group, Way};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap, VecDeque};
use verdict::{SubResult, Verdict};

type Settled<'a> = &'a mut (dyn FnMut(usize, WriteOutcome) -> Result<()> + Send);

/// Sends a batch: see [`Remote::push`].
pub(crate) async fn push(org: &Salesforce, batch: &[Write], settled: Settled<'_>) -> Result<()> {
    let mut groups: VecDeque<Group> = group::groups(batch, org.limits.request_bytes_max)?.into();
    let mut nothing_sent = true;
    while let Some(mut group) = groups.pop_front() {
        match deliver(org, batch, &group).await {
            Delivery::Answered(mut verdicts) => {
                nothing_sent = false;
                // A collection says that a record is a duplicate, not of which: a row call does. And where
                // many fail alike, one may have failed for all.
                let alike = verdicts.iter().filter(|v| v.may_be_anothers()).count() > 1;
                let again = group.send_again(&mut verdicts, |verdict| {
                    verdict.is_untold_duplicate() || alike && verdict.may_be_anothers()
                });
                again.into_iter().rev().for_each(|g| groups.push_front(g));
                settle(org, batch, &group, verdicts, settled).await?;
            }
            Delivery::Refused(problems) => match group.one_by_one() {
                Some(finer) => finer.into_iter().rev().for_each(|g| groups.push_front(g)),
                None => {
                    nothing_sent = false;
                    let outcome = WriteOutcome::Refused(problems);
                    settle_all(&group, &outcome, settled)?;
                }
            },
            Delivery::NotDone(error) if nothing_sent => return Err(error),
            Delivery::NotDone(error) => {
                groups.push_front(group);
                return postpone(&groups, &error, settled);
            }
            // What follows would meet the same broken line, and each lost call
            // leaves more writes in doubt.
            Delivery::Lost(error) => {
                settle_all(&group, &WriteOutcome::Unknown, settled)?;
                return postpone(&groups, &error, settled);
            }
        }
    }
    Ok(())
}

/// What became of one call.
enum Delivery {
    /// Each of its writes has an answer.
    Answered(Vec<Verdict>),
    /// The call as a whole was refused for what stands in it; nothing was written.
    Refused(Vec<Problem>),
    /// Nothing was written, for a reason that does not lie in the writes.
    NotDone(Error),
    /// It may have been done.
    Lost(Error),
}

async fn deliver(org: &Salesforce, batch: &[Write], group: &Group) -> Delivery {
    let call = match group.call(org, batch) {
        Ok(call) => call,
        Err(error) => return Delivery::NotDone(error),
    };
    match org.send(&call).await {
        Ok(answer) => read(org, batch, group, &call, &answer),
        Err(error) if error.kind() == ErrorKind::RemoteOutcomeUnknown => Delivery::Lost(error),
        Err(error) => Delivery::NotDone(error),
    }
}

fn read(
    org: &Salesforce,
    batch: &[Write],
    group: &Group,
    call: &Call,
    answer: &HttpResponse,
) -> Delivery {
    if answer.status >= 500 {
        return Delivery::Lost(refusal(&org.address, answer, &org.meter));
    }
    let problems = codec::problems(&answer.body).unwrap_or_default();
    let of_the_call = of_the_call(&problems);
    let not_done = || Delivery::NotDone(refusal(&org.address, answer, &org.meter));
    match (group.way, answer.status) {
        (_, 420 | 429) => not_done(),
        (_, 403) if of_the_call => not_done(),
        (Way::Alone, 200..=204 | 300 | 400 | 403 | 404 | 409 | 412 | 413) => {
            let body = (!answer.body.is_empty()).then_some(answer.body.as_slice());
            match SubResult::of_row(answer.status, body) {
                Some(result) => {
                    let write = &batch[group.items[0].place];
                    Delivery::Answered(vec![verdict::judge(write, result)])
                }
                None if answer.status < 300 => Delivery::Lost(cut_off(org, call)),
                None => not_done(),
            }
        }
        (_, 200) => match results(group, &answer.body) {
            Some(results) => {
                let places = group.items.iter().map(|item| &batch[item.place]);
                let judged = places.zip(results).map(|(w, r)| verdict::judge(w, r));
                Delivery::Answered(judged.collect())
            }
            None => Delivery::Lost(cut_off(org, call)),
        },
        (_, 201..300) => Delivery::Lost(cut_off(org, call)),
        (_, 400 | 403 | 404 | 409) if !problems.is_empty() => {
            Delivery::Refused(verdict::spoken(&problems, &[]))
        }
        // One record is too much, or all of them are: apart, it shows.
        (_, 413) => Delivery::Refused(verdict::spoken(&problems, &[])),
        _ => not_done(),
    }
}

/// Takes the results of a call apart, in the order of its writes; `None` if they cannot be told.
fn results(group: &Group, body: &[u8]) -> Option<Vec<SubResult>> {
    if group.way == Way::Collection {
        let results: Vec<SaveResult> = serde_json::from_slice(body).ok()?;
        let complete = results.len() == group.items.len();
        return complete.then(|| results.into_iter().map(SubResult::of_collection).collect());
    }
    let doc: CompositeDoc<'_> = serde_json::from_slice(body).ok()?;
    let mut answers: HashMap<&str, _> = doc
        .answers
        .iter()
        .map(|answer| (answer.reference.as_ref(), answer))
        .collect();
    let results = group
        .items
        .iter()
        .map(|item| {
            let sub = answers.remove(item.reference().as_str());
            sub.map_or(SubResult::Missing, |sub| {
                let body = sub.body.map(|body| RawValue::get(body).as_bytes());
                SubResult::of_row(sub.status, body).unwrap_or(SubResult::Missing)
            })
        })
        .collect();
    Some(results)
}

/// What becomes of a write that a collection refuses with this code; `None` if that has to be looked at.
#[cfg(test)]
pub(crate) fn judged(write: &Write, code: &str) -> Option<WriteOutcome> {
    let problem = codec::ApiProblem {
        code: code.into(),
        message: String::from("words"),
        fields: Vec::new(),
        duplicates: None,
    };
    match verdict::judge(write, SubResult::Failed(None, vec![problem])) {
        Verdict::Settled(outcome) => Some(outcome),
        Verdict::Unclear { .. } => None,
    }
}

/// Says whether a refusal is about calls as such, and not about what stands in this one.
fn of_the_call(problems: &[codec::ApiProblem]) -> bool {
    problems.first().is_some_and(|problem| {
        matches!(
            problem.code.as_str(),
            "REQUEST_LIMIT_EXCEEDED" | "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED"
        )
    })
}

fn cut_off(org: &Salesforce, call: &Call) -> Error {
    let message = format!(
        "the answer from {} to {} cannot be read",
        org.address, call.name
    );
    Error::new(ErrorKind::RemoteOutcomeUnknown, message)
}

/// A refused write whose record may be gone.
struct Unclear {
    place: usize,
    id: String,
    problems: Vec<Problem>,
}

/// Hands over the outcomes of one call, those that are certain first.
async fn settle(
    org: &Salesforce,
    batch: &[Write],
    group: &Group,
    verdicts: Vec<Verdict>,
    settled: Settled<'_>,
) -> Result<()> {
    let mut failure = Ok(());
    let mut unclear: BTreeMap<&str, Vec<Unclear>> = BTreeMap::new();
    for (item, verdict) in group.items.iter().zip(verdicts) {
        match verdict {
            // Even if one cannot be stored, the others are: each is known only here.
            Verdict::Settled(outcome) => failure = failure.and(settled(item.place, outcome)),
            Verdict::Unclear { id, problems } => {
                let object = batch[item.place].object.as_str();
                let of_object = unclear.entry(object).or_default();
                of_object.push(Unclear {
                    place: item.place,
                    id,
                    problems,
                });
            }
        }
    }
    failure?;
    for (object, unclear) in unclear {
        let ids: Vec<String> = unclear.iter().map(|write| write.id.clone()).collect();
        let there = org.retrieve(object, &ids, &["Id".to_owned()]).await;
        for (
            nth,
            Unclear {
                place, problems, ..
            },
        ) in unclear.into_iter().enumerate()
        {
            let outcome = match there.as_ref().map(|there| there[nth].is_some()) {
                Ok(true) => WriteOutcome::Refused(problems),
                Ok(false) => WriteOutcome::Gone,
                Err(_) => WriteOutcome::Later(problems),
            };
            settled(place, outcome)?;
        }
    }
    Ok(())
}

fn settle_all(group: &Group, outcome: &WriteOutcome, settled: Settled<'_>) -> Result<()> {
    let mut result = Ok(());
    for item in &group.items {
        result = result.and(settled(item.place, outcome.clone()));
    }
    result
}

/// Settles what was not sent, or was turned away before anything was written.
fn postpone(groups: &VecDeque<Group>, why: &Error, settled: Settled<'_>) -> Result<()> {
    let code = match why.kind() {
        ErrorKind::LimitReached => "REQUEST_LIMIT_EXCEEDED",
        ErrorKind::NotAuthorized => "INVALID_SESSION_ID",
        _ => "SERVER_UNAVAILABLE",
    };
    let outcome = WriteOutcome::Later(vec![Problem {
        fields: Vec::new(),
        code: code.into(),
        message: format!("not sent, since an earlier call failed: {why}"),
        duplicates: None,
    }]);
    let mut result = Ok(());
    for group in groups {
        result = result.and(settle_all(group, &outcome, settled));
    }
    result
}
