//! Writes that are done together or not at all: one graph.

use super::group::{Row, Sub, manner, row_body};
use super::of_the_call;
use super::verdict::{self, SubResult, Verdict};
use crate::client::{Call, Salesforce, escape};
use crate::codec::{self, CompositeDoc};
use crate::error::refusal;
use crate::remote::json;
use crate::transport::{HttpResponse, Method};
use attache::{
    ErrorKind, Fields, Joined, Problem, Remote, Result, Value, Write, WriteAction, WriteOutcome,
};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Sends writes as one graph: see [`Remote::push_together`].
pub(crate) async fn push_together(org: &Salesforce, batch: &[Joined]) -> Result<Vec<WriteOutcome>> {
    if let Some(outcomes) = unsendable(batch) {
        return Ok(outcomes);
    }
    let (call, writes) = call(org, batch)?;
    match org.send(&call).await {
        Ok(answer) => read(org, &writes, &answer).await,
        Err(error) if error.kind() == ErrorKind::RemoteOutcomeUnknown => {
            Ok(vec![WriteOutcome::Unknown; batch.len()])
        }
        Err(error) => Err(error),
    }
}

/// Refuses a text that the org would take for a reference: it says of no way to send one.
fn unsendable(batch: &[Joined]) -> Option<Vec<WriteOutcome>> {
    let refers = |joined: &Joined| -> Vec<String> {
        let fields = fields_of(&joined.write.action)
            .into_iter()
            .flat_map(Fields::iter);
        fields
            .filter(|(_, value)| value.as_text().is_some_and(|text| text.contains("@{")))
            .map(|(name, _)| name.to_owned())
            .collect()
    };
    let wrong: Vec<Vec<String>> = batch.iter().map(refers).collect();
    if wrong.iter().all(Vec::is_empty) {
        return None;
    }
    let outcome = |names: Vec<String>| {
        match names.is_empty() {
        true => WriteOutcome::Later(vec![Problem::new(
            "PROCESSING_HALTED",
            "another write of its changeset cannot be sent",
        )]),
        false => WriteOutcome::Refused(vec![
            Problem::new(
                "INVALID_INPUT",
                "a text with \"@{\" cannot be saved together with other records: change it, or save it by itself",
            )
            .of_fields(names),
        ]),
    }
    };
    Some(wrong.into_iter().map(outcome).collect())
}

fn fields_of(action: &WriteAction) -> Option<&Fields> {
    match action {
        WriteAction::Create { fields }
        | WriteAction::CreateByKey { fields, .. }
        | WriteAction::Update { fields, .. } => Some(fields),
        WriteAction::Delete { .. } => None,
    }
}

/// What names the write at a place of the graph.
fn reference(place: usize) -> String {
    format!("w{place}")
}

/// The call that carries the graph, and the writes as they travel in it.
fn call(org: &Salesforce, batch: &[Joined]) -> Result<(Call, Vec<Write>)> {
    #[derive(serde::Serialize)]
    struct Body {
        graphs: [Graph; 1],
    }
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Graph {
        graph_id: &'static str,
        composite_request: Vec<Sub>,
    }
    let mut made: HashMap<&str, String> = HashMap::new();
    let mut nodes = Vec::with_capacity(batch.len());
    let mut writes = Vec::with_capacity(batch.len());
    for (place, joined) in batch.iter().enumerate() {
        let mut write = joined.write.clone();
        refer(&mut write.action, &made);
        let row = Row::of(org, &write)?;
        let url = match &joined.write.action {
            WriteAction::Update { id, .. } if made.contains_key(id.as_str()) => {
                let object = escape(&write.object);
                org.path(format_args!("/sobjects/{object}/{}", made[id.as_str()]))
            }
            _ => row.path,
        };
        let guard = row
            .unmodified_since
            .map(|date| ("If-Unmodified-Since", date));
        let manner = manner(org, write.allow_duplicates);
        nodes.push(Sub {
            method: row.method.as_str(),
            url,
            reference_id: reference(place),
            http_headers: guard.into_iter().chain(manner).collect(),
            body: match row.method {
                Method::Delete => None,
                _ => Some(row_body(&write)?),
            },
        });
        if matches!(
            write.action,
            WriteAction::Create { .. } | WriteAction::CreateByKey { .. }
        ) {
            made.insert(&joined.record, format!("@{{{}.id}}", reference(place)));
        }
        writes.push(write);
    }
    let body = json(&Body {
        graphs: [Graph {
            graph_id: "changeset",
            composite_request: nodes,
        }],
    })?;
    let path = org.path("/composite/graph");
    Ok((Call::write("graph", Method::Post, path, body), writes))
}

/// Lets lookups of records that the graph makes name the parts that make them.
fn refer(action: &mut WriteAction, made: &HashMap<&str, String>) {
    let fields = match action {
        WriteAction::Create { fields }
        | WriteAction::CreateByKey { fields, .. }
        | WriteAction::Update { fields, .. } => fields,
        WriteAction::Delete { .. } => return,
    };
    let referring: Vec<(String, String)> = fields
        .iter()
        .filter_map(|(name, value)| Some((name.to_owned(), made.get(value.as_text()?)?.clone())))
        .collect();
    for (name, reference) in referring {
        fields.set(name, Value::Text(reference));
    }
}

#[derive(serde::Deserialize)]
struct GraphsDoc<'a> {
    #[serde(borrow)]
    graphs: Vec<GraphDoc<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphDoc<'a> {
    #[serde(borrow)]
    graph_response: CompositeDoc<'a>,
    is_successful: bool,
}

async fn read(
    org: &Salesforce,
    writes: &[Write],
    answer: &HttpResponse,
) -> Result<Vec<WriteOutcome>> {
    let unknown = || Ok(vec![WriteOutcome::Unknown; writes.len()]);
    let problems = codec::problems(&answer.body).unwrap_or_default();
    match answer.status {
        200 => {}
        201..300 | 500.. => return unknown(),
        400 | 404 | 409 if !problems.is_empty() && !of_the_call(&problems) => {
            let told = verdict::spoken(&problems, &[]);
            return Ok(vec![WriteOutcome::Refused(told); writes.len()]);
        }
        _ => return Err(refusal(&org.address, answer, &org.meter)),
    }
    let doc: Option<GraphsDoc<'_>> = serde_json::from_slice(&answer.body).ok();
    let Some([graph]) = doc.as_ref().map(|doc| doc.graphs.as_slice()) else {
        return unknown();
    };
    let mut outcomes = Vec::with_capacity(writes.len());
    for (place, write) in writes.iter().enumerate() {
        let name = reference(place);
        let of_write = |sub: &&codec::SubAnswer<'_>| sub.reference == name;
        let sub = graph.graph_response.answers.iter().find(of_write);
        let result = sub.and_then(|sub| {
            let body = sub.body.map(|body| RawValue::get(body).as_bytes());
            SubResult::of_row(sub.status, body)
        });
        let verdict = verdict::judge(write, result.unwrap_or(SubResult::Missing));
        outcomes.push(settled(org, write, verdict).await);
    }
    let is_done = |it: &WriteOutcome| matches!(it, WriteOutcome::Done { .. });
    if graph.is_successful {
        // One whose answer cannot be read leaves all in doubt: they were done.
        return match outcomes.iter().all(is_done) {
            true => Ok(outcomes),
            false => unknown(),
        };
    }
    for outcome in &mut outcomes {
        if is_done(outcome) || *outcome == WriteOutcome::Unknown {
            *outcome = WriteOutcome::Later(vec![Problem::new(
                "PROCESSING_HALTED",
                "another write of its changeset failed",
            )]);
        }
    }
    Ok(outcomes)
}

/// Looks at the record of a write whose refusal may mean that it is gone.
async fn settled(org: &Salesforce, write: &Write, verdict: Verdict) -> WriteOutcome {
    let (id, problems) = match verdict {
        Verdict::Settled(outcome) => return outcome,
        Verdict::Unclear { id, problems } => (id, problems),
    };
    let there = org.retrieve(&write.object, &[id], &["Id".to_owned()]).await;
    match there.as_ref().map(|there| there.first()) {
        Ok(Some(None)) => WriteOutcome::Gone,
        Ok(_) => WriteOutcome::Refused(problems),
        Err(_) => WriteOutcome::Later(problems),
    }
}
