//! Questions that travel together, as the parts of composite calls.
//!
//! A composite call counts as one, whatever it asks. Each part has an answer and a
//! status of its own; a part that is refused for a reason that may lie in the
//! company it came in is asked once more by itself, and that answer counts.

use crate::client::{Call, Salesforce, escape};
use crate::codec::{CompositeDoc, SubAnswer};
use crate::error::{not_a_remote, unreadable};
use crate::portion::is_too_large;
use crate::remote::{batch_size, bounds, json};
use crate::transport::HttpResponse;
use attache::{Answer, Error, ErrorKind, Question, Result, ServerTime};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Parts of a composite call, and those of them that may be queries (reference, section 6.2).
const PARTS_MAX: usize = 25;
const QUERIES_MAX: usize = 5;

/// An answer to one question: what came, by whatever call.
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    pub(crate) last_modified: Option<Cow<'a, str>>,
    /// The answer that it was a part of, or all of.
    pub(crate) whole: &'a HttpResponse,
}

impl<'a> Reply<'a> {
    /// Takes an answer that is about one question only.
    pub(crate) fn of(answer: &'a HttpResponse) -> Reply<'a> {
        Reply {
            status: answer.status,
            body: &answer.body,
            last_modified: answer.header("Last-Modified").map(Cow::Borrowed),
            whole: answer,
        }
    }

    fn of_part(part: &SubAnswer<'a>, whole: &'a HttpResponse) -> Reply<'a> {
        let headers = part.headers.map_or("{}", RawValue::get);
        let headers: HashMap<String, String> = serde_json::from_str(headers).unwrap_or_default();
        let last_modified = headers
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("Last-Modified"))
            .map(|(_, value)| Cow::Owned(value));
        Reply {
            status: part.status,
            body: part.body.map_or("", RawValue::get).as_bytes(),
            last_modified,
            whole,
        }
    }

    /// The answer as one of a call of its own.
    pub(crate) fn to_response(&self) -> HttpResponse {
        HttpResponse {
            status: self.status,
            headers: self.whole.headers.clone(),
            body: self.body.to_vec(),
        }
    }
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Composite<'a> {
    all_or_none: bool,
    composite_request: Vec<Part<'a>>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    method: &'static str,
    url: String,
    reference_id: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    http_headers: BTreeMap<&'static str, Cow<'a, str>>,
}

impl Salesforce {
    /// Asks questions in as few calls as can be.
    pub(crate) async fn ask_together(&self, questions: &[Question]) -> Result<Vec<Result<Answer>>> {
        let mut answers = Vec::with_capacity(questions.len());
        for pack in packs(questions) {
            if let [question] = pack {
                answers.push(question.ask(self).await);
                continue;
            }
            match self.ask_pack(pack).await {
                Ok(of_pack) => {
                    for (question, answer) in pack.iter().zip(of_pack) {
                        answers.push(match answer {
                            Err(error) if may_be_the_company(&error) => question.ask(self).await,
                            answer => answer,
                        });
                    }
                }
                // Together they are too much, or not wanted.
                Err(error) if is_too_large(&error) || error.kind() == ErrorKind::RemoteRefused => {
                    for question in pack {
                        answers.push(question.ask(self).await);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    }

    /// Asks the questions of one composite call.
    ///
    /// # Errors
    /// What is wrong with the call, as opposed to one of its parts.
    pub(crate) async fn ask_pack(&self, questions: &[Question]) -> Result<Vec<Result<Answer>>> {
        let windowed = questions.iter().any(has_window);
        if windowed && self.meter.server_time().is_none() {
            self.meet().await?;
        }
        // What has no window has no use for it.
        let asked = self.meter.server_time().unwrap_or(ServerTime(0));
        let parts = questions.iter().enumerate();
        let question = Composite {
            all_or_none: false,
            composite_request: parts.map(|(at, one)| self.part(at, one, asked)).collect(),
        };
        let call = Call::read_by_post("ask", self.path("/composite"), json(&question)?);
        let whole = self.ask(&call).await?;
        let doc: CompositeDoc<'_> = serde_json::from_slice(&whole.body)
            .map_err(|cause| unreadable(&self.address, &cause))?;
        if doc.answers.len() != questions.len() {
            return Err(not_a_remote(&self.address));
        }
        let mut parts: HashMap<&str, &SubAnswer<'_>> = doc
            .answers
            .iter()
            .map(|part| (part.reference.as_ref(), part))
            .collect();
        let answered = self.meter.server_time().unwrap_or(asked);
        let mut answers = Vec::with_capacity(questions.len());
        for (at, question) in questions.iter().enumerate() {
            let Some(part) = parts.remove(reference(at).as_str()) else {
                return Err(not_a_remote(&self.address));
            };
            let reply = Reply::of_part(part, &whole);
            // The last answer before this one may have been long ago: the window ended in the past then.
            answers.push(
                match has_window(question) && answered > bounds(asked, asked).1 {
                    true => question.ask(self).await,
                    false => self.read(question, &reply, answered),
                },
            );
        }
        Ok(answers)
    }

    fn part<'a>(&self, at: usize, question: &'a Question, now: ServerTime) -> Part<'a> {
        let (path, header) = match question {
            Question::Describe { object, known } => {
                let since = known
                    .as_deref()
                    .map(|known| ("If-Modified-Since", Cow::Borrowed(known)));
                (self.describe_path(object), since)
            }
            Question::Query { soql } => {
                let (name, size) = batch_size(self.page_rows.rows());
                let size = Some((name, Cow::Owned(size)));
                (self.path(format_args!("/query?q={}", escape(soql))), size)
            }
            Question::Updated { object, start } => (
                self.window_path(object, "updated", bounds(*start, now)),
                None,
            ),
            Question::Deleted { object, start } => (
                self.window_path(object, "deleted", bounds(*start, now)),
                None,
            ),
        };
        Part {
            method: "GET",
            url: path,
            reference_id: reference(at),
            http_headers: header.into_iter().collect(),
        }
    }

    /// Reads the answer to a question.
    fn read(&self, question: &Question, reply: &Reply<'_>, now: ServerTime) -> Result<Answer> {
        match question {
            Question::Describe { object, .. } => {
                self.read_describe(object, reply).map(Answer::Describe)
            }
            Question::Query { .. } => self.read_page(reply).map(Answer::Page),
            Question::Updated { object, .. } => {
                self.read_updated(object, reply, now).map(Answer::Updated)
            }
            Question::Deleted { object, start } => self
                .read_deleted(object, *start, reply, now)
                .map(Answer::Deleted),
        }
    }
}

fn has_window(question: &Question) -> bool {
    matches!(
        question,
        Question::Updated { .. } | Question::Deleted { .. }
    )
}

fn reference(at: usize) -> String {
    format!("q{at}")
}

/// Lays questions out in calls, in their order.
fn packs(mut questions: &[Question]) -> Vec<&[Question]> {
    let mut packs = Vec::new();
    while !questions.is_empty() {
        let mut queries = 0;
        let fits = |question: &&Question| {
            queries += usize::from(matches!(question, Question::Query { .. }));
            queries <= QUERIES_MAX
        };
        let size = questions.iter().take(PARTS_MAX).take_while(fits).count();
        let (pack, rest) = questions.split_at(size);
        packs.push(pack);
        questions = rest;
    }
    packs
}

/// Says whether a part may have been refused because of the call that it was a part of.
fn may_be_the_company(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RemoteRefused | ErrorKind::NotARemote
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(n: usize) -> Question {
        Question::Query {
            soql: n.to_string(),
        }
    }

    fn describe(n: usize) -> Question {
        Question::Describe {
            object: n.to_string(),
            known: None,
        }
    }

    #[test]
    fn a_call_has_25_parts_at_most_and_5_queries_at_most() {
        let sizes = |questions: &[Question]| -> Vec<usize> {
            packs(questions).iter().map(|pack| pack.len()).collect()
        };
        let described: Vec<Question> = (0..60).map(describe).collect();
        assert_eq!(sizes(&described), [25, 25, 10]);
        let queries: Vec<Question> = (0..11).map(query).collect();
        assert_eq!(sizes(&queries), [5, 5, 1]);
        let mixed: Vec<Question> = (0..30)
            .map(|n| if n % 4 == 0 { query(n) } else { describe(n) })
            .collect();
        assert_eq!(sizes(&mixed), [20, 10]);
        assert!(sizes(&[]).is_empty());
    }
}
