//! Questions that a session will ask, known before it comes to them: they travel together.
//!
//! A plan is a list of questions in the order in which they will be needed, laid
//! out in packs. A pack is asked when the first of its questions is needed, so
//! that no more than the answers of one pack lie in memory. What was not planned
//! is asked by itself: a plan that misses costs calls, and never a record.

use super::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::question::{Answer, Question};
use crate::record::ServerTime;
use crate::remote::{Deleted, Describe, Page, Updated};
use std::collections::{BTreeMap, BTreeSet};

/// Records that the answers of one pack may hold together, as far as that is known: those of a page.
const PACK_ROWS_MAX: u64 = 2_000;

/// What a describe weighs: half a megabyte or so, as many records as ten to a pack leave room for.
pub(super) const DESCRIBE_ROWS: u64 = 200;
/// What a page of ids weighs.
pub(super) const IDS_ROWS: u64 = 100;
/// What a list of ids weighs.
pub(super) const LIST_ROWS: u64 = 40;

/// Questions in packs, and the answers that nobody has taken yet.
#[derive(Default)]
pub(super) struct Together {
    packs: Vec<Vec<Question>>,
    answers: BTreeMap<Question, Result<Answer>>,
}

/// Lays questions out in packs, in their order. A question comes with the records that its answer may hold.
fn packs(questions: impl IntoIterator<Item = (Question, u64)>) -> Vec<Vec<Question>> {
    let mut packs: Vec<Vec<Question>> = Vec::new();
    let mut known = BTreeSet::new();
    let mut rows = 0;
    for (question, weight) in questions {
        if !known.insert(question.clone()) {
            continue;
        }
        match packs.last_mut() {
            Some(pack) if rows + weight <= PACK_ROWS_MAX => pack.push(question),
            _ => {
                rows = 0;
                packs.push(vec![question]);
            }
        }
        rows += weight;
    }
    packs
}

impl Run<'_> {
    /// Notes which questions are to come, with the records that each answer may hold. What was noted before is
    /// forgotten.
    pub(super) fn plan_ahead(&mut self, questions: impl IntoIterator<Item = (Question, u64)>) {
        self.together = Together {
            packs: packs(questions),
            answers: BTreeMap::new(),
        };
    }

    pub(super) async fn describe_object(
        &mut self,
        object: &str,
        known: Option<&str>,
    ) -> Result<Option<Describe>> {
        let question = Question::Describe {
            object: object.to_owned(),
            known: known.map(str::to_owned),
        };
        match self.answer(question).await? {
            Answer::Describe(describe) => Ok(describe),
            _ => Err(mismatched()),
        }
    }

    pub(super) async fn query(&mut self, soql: &str) -> Result<Page> {
        let question = Question::Query {
            soql: soql.to_owned(),
        };
        match self.answer(question).await? {
            Answer::Page(page) => Ok(page),
            _ => Err(mismatched()),
        }
    }

    pub(super) async fn updated(&mut self, object: &str, start: ServerTime) -> Result<Updated> {
        let object = object.to_owned();
        match self.answer(Question::Updated { object, start }).await? {
            Answer::Updated(updated) => Ok(updated),
            _ => Err(mismatched()),
        }
    }

    pub(super) async fn deleted(&mut self, object: &str, start: ServerTime) -> Result<Deleted> {
        let object = object.to_owned();
        match self.answer(Question::Deleted { object, start }).await? {
            Answer::Deleted(deleted) => Ok(deleted),
            _ => Err(mismatched()),
        }
    }

    /// Takes the answer to a question: from the pack that it is in, or asked by itself.
    async fn answer(&mut self, question: Question) -> Result<Answer> {
        if let Some(answer) = self.together.answers.remove(&question) {
            return answer;
        }
        let mut packs = self.together.packs.iter();
        let at = packs.position(|pack| pack.contains(&question));
        let pack = at.map_or_else(Vec::new, |at| self.together.packs.remove(at));
        if pack.len() < 2 {
            return question.ask(self.remote).await;
        }
        let answers = self.remote.ask(&pack).await?;
        if answers.len() != pack.len() {
            return Err(mismatched());
        }
        self.together.answers = pack.into_iter().zip(answers).collect();
        let answer = self.together.answers.remove(&question);
        answer.ok_or_else(|| Error::internal("a pack answers its own questions"))?
    }
}

fn mismatched() -> Error {
    Error::new(
        ErrorKind::NotARemote,
        "the remote answered another question than it was asked",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(n: u64) -> Question {
        Question::Query {
            soql: n.to_string(),
        }
    }

    #[test]
    fn a_pack_holds_a_page_at_most() {
        let weights = [800, 800, 800, 5_000, 1, 1_999, 0];
        let packs = packs((0..).map(query).zip(weights));
        let sizes: Vec<usize> = packs.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1, 1, 3]);
        assert_eq!(packs.concat(), (0..7).map(query).collect::<Vec<_>>());
    }

    #[test]
    fn a_question_is_asked_once() {
        let packs = packs([(query(1), 10), (query(1), 10), (query(2), 10)]);
        assert_eq!(packs, [[query(1), query(2)]]);
    }

    #[test]
    fn nothing_to_ask_is_no_pack() {
        assert!(packs([]).is_empty());
    }
}
