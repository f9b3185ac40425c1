//! Why something failed, and what may be done about it.

use crate::duplicates::Duplicates;
use std::fmt;
use std::time::Duration;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed. Numbers are ABI: append, never renumber or reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum ErrorKind {
    /// The caller passed a value that can never work. Fix the call.
    InvalidArgument = 1,
    /// The record is not on this device.
    RecordNotFound = 2,
    /// The caller asked to stop. The store is as it was after the last commit.
    Interrupted = 3,
    /// The write breaks rules of the object; [`Error::problems`] lists all of them.
    InvalidRecord = 4,
    /// A query or a filter cannot be read; [`Error::position`] says where.
    MalformedQuery = 5,
    /// A query, a filter or a briefcase names an object that the org or this store does not have.
    UnknownObject = 6,
    /// A query, a filter or a briefcase names a field that its object does not have.
    UnknownField = 7,
    /// There is work that was not sent; the call would lose it.
    UnsentWork = 8,
    /// The store belongs to another user or another org.
    WrongOwner = 9,
    /// The call needs something that was not set up: a remote, a briefcase, a first sync.
    NotReady = 10,
    /// The store was wiped through another handle.
    Closed = 11,

    /// The file cannot be opened, read or written.
    StorageUnavailable = 100,
    /// The disk is full. Nothing was written.
    StorageFull = 101,
    /// The file is not a store, or is damaged. It was not changed.
    StorageCorrupt = 102,
    /// Another process is writing to the store.
    StorageBusy = 103,
    /// The store was written by a newer version. It was not changed.
    StorageTooNew = 104,
    /// The store is encrypted and the key is missing or another one, or it is not encrypted and
    /// a key was given. It was not changed.
    StorageWrongKey = 105,

    /// No answer, and the remote cannot have acted: safe to send again.
    RemoteUnreachable = 200,
    /// The request left us and no answer came: the remote may have acted.
    RemoteOutcomeUnknown = 201,
    /// The remote refused; its code and words are in the message.
    RemoteRefused = 202,
    /// The remote is overloaded or in maintenance.
    RemoteBusy = 203,
    /// The credentials are expired, revoked or wrong.
    NotAuthorized = 204,
    /// What answers at this address is not the service that was expected.
    NotARemote = 205,
    /// The budget of API calls is used up.
    LimitReached = 206,

    /// The remote no longer knows our cursor. The pull starts over from the last page kept.
    CursorExpired = 300,

    /// A broken invariant of ours. Please report it.
    Internal = 900,
}

/// What a caller may do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// The same call will fail the same way.
    Never,
    /// The same call may succeed after this long.
    After(Duration),
    /// The same call may succeed with fresh credentials.
    AfterAuth,
}

/// One thing that is wrong with a write, or that a remote refused in one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The fields concerned, by API name; empty when it is about the whole record.
    pub fields: Vec<String>,
    /// A stable code: those of the Salesforce API (`REQUIRED_FIELD_MISSING`, ...).
    pub code: String,
    /// One sentence for a person. It may name the field's label, never its value.
    pub message: String,
    /// What a duplicate rule of the server found, if that is why it refused and it told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Box<Duplicates>>,
}

impl Problem {
    /// Makes a problem with the whole record.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem {
            fields: Vec::new(),
            code: code.into(),
            message: message.into(),
            duplicates: None,
        }
    }

    /// Says which fields it concerns.
    #[must_use]
    pub fn of_fields<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Problem {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }
}

/// An error of this crate: a [kind](ErrorKind), a sentence and a cause.
///
/// The sentence never holds a field's value, a query's literals or a token, so
/// it may be logged.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    retry_after: Option<Duration>,
    position: Option<usize>,
    expected: Option<String>,
    problems: Vec<Problem>,
    /// The edit of a changeset that each problem is of.
    edits: Vec<usize>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error. For implementers of [`Remote`](crate::Remote) and of the other traits.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            retry_after: None,
            position: None,
            expected: None,
            problems: Vec::new(),
            edits: Vec::new(),
            source: None,
        }))
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// Says how long to wait before the same call may succeed.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Error {
        self.0.retry_after = Some(delay);
        self
    }

    pub(crate) fn at(mut self, position: usize) -> Error {
        self.0.position = Some(position);
        self
    }

    pub(crate) fn expecting(mut self, what: impl Into<String>) -> Error {
        self.0.expected = Some(what.into());
        self
    }

    /// Adds what is wrong, field by field.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Error {
        self.0.problems = problems;
        self
    }

    /// Says of which edit of a changeset each problem is.
    pub(crate) fn of_edits(mut self, edits: Vec<usize>) -> Error {
        self.0.edits = edits;
        self
    }

    pub(crate) fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where in the query or filter, as a byte offset from 0.
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// What the grammar or the type of a field would have taken at the [position](Error::position),
    /// in words for a person; `None` where that cannot be said, as of an unknown name.
    pub fn expected(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// Everything that is wrong with the write; empty for other kinds.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// What is wrong with each edit of a [changeset](crate::Attache::changeset): the problems with the places of their
    /// edits, counted from 0. Empty for what is not the refusal of a changeset.
    pub fn problems_by_edit(&self) -> impl Iterator<Item = (usize, &Problem)> {
        self.0.edits.iter().copied().zip(&self.0.problems)
    }

    /// What may be done about it.
    pub fn retry(&self) -> Retry {
        use ErrorKind::*;
        match self.0.kind {
            InvalidArgument | RecordNotFound | Interrupted | InvalidRecord | MalformedQuery
            | UnknownObject | UnknownField | UnsentWork | WrongOwner | NotReady | Closed
            | StorageUnavailable | StorageFull | StorageCorrupt | StorageTooNew
            | StorageWrongKey | RemoteRefused | NotARemote | Internal => Retry::Never,
            NotAuthorized => Retry::AfterAuth,
            StorageBusy => Retry::After(self.0.retry_after.unwrap_or(Duration::from_secs(1))),
            RemoteUnreachable | RemoteOutcomeUnknown | RemoteBusy | CursorExpired => {
                Retry::After(self.0.retry_after.unwrap_or(Duration::from_secs(5)))
            }
            LimitReached => Retry::After(self.0.retry_after.unwrap_or(Duration::from_secs(3600))),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
