//! Questions that may travel together.

use crate::error::{Error, ErrorKind, Result};
use crate::record::ServerTime;
use crate::remote::{Deleted, Describe, Page, Remote, Updated};

/// A question that changes nothing at the remote, and hangs on the answer to no other.
///
/// [`Remote::ask`] takes many at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What an object is like: [`Remote::describe`].
    Describe {
        /// The object's API name.
        object: String,
        /// An earlier `last_modified`.
        known: Option<String>,
    },
    /// The first page of a query: [`Remote::query`].
    Query {
        /// The statement.
        soql: String,
    },
    /// What changed: [`Remote::updated`].
    Updated {
        /// The object's API name.
        object: String,
        /// Where the window starts.
        start: ServerTime,
    },
    /// What was deleted: [`Remote::deleted`].
    Deleted {
        /// The object's API name.
        object: String,
        /// Where the window starts.
        start: ServerTime,
    },
}

/// The answer to a [`Question`] of the same name.
#[derive(Debug)]
pub enum Answer {
    /// What an object is like; `None` if that did not change.
    Describe(Option<Describe>),
    /// The first page; [`Remote::query_more`] gives the others.
    Page(Page),
    /// What changed.
    Updated(Updated),
    /// What was deleted.
    Deleted(Deleted),
}

impl Question {
    /// Asks this question by itself.
    ///
    /// # Errors
    /// Those of the call it stands for.
    pub async fn ask<R: Remote + ?Sized>(&self, remote: &R) -> Result<Answer> {
        match self {
            Question::Describe { object, known } => remote
                .describe(object, known.as_deref())
                .await
                .map(Answer::Describe),
            Question::Query { soql } => remote.query(soql).await.map(Answer::Page),
            Question::Updated { object, start } => {
                remote.updated(object, *start).await.map(Answer::Updated)
            }
            Question::Deleted { object, start } => {
                remote.deleted(object, *start).await.map(Answer::Deleted)
            }
        }
    }
}

/// Asks one question after the other; stops at an error that the next one would meet as well.
pub(crate) async fn ask_in_turn<R: Remote + ?Sized>(
    remote: &R,
    questions: &[Question],
) -> Result<Vec<Result<Answer>>> {
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        match question.ask(remote).await {
            Err(error) if is_of_all(&error) => return Err(error),
            answer => answers.push(answer),
        }
    }
    Ok(answers)
}

/// Says whether an error is about the remote, as opposed to what it was asked.
fn is_of_all(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RemoteUnreachable
            | ErrorKind::RemoteOutcomeUnknown
            | ErrorKind::RemoteBusy
            | ErrorKind::NotAuthorized
            | ErrorKind::LimitReached
            | ErrorKind::Interrupted
    )
}
