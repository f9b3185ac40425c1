//! Errors as Swift and Kotlin see them.

use attache::Retry as EngineRetry;

/// What kind of failure it is. The numbers are those of the C ABI and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
#[repr(i32)]
pub enum ErrorKind {
    /// A kind that is newer than these bindings.
    Unknown = 0,
    /// The caller passed a value that can never work. Fix the call.
    InvalidArgument = 1,
    /// The record is not on this device.
    RecordNotFound = 2,
    /// The caller asked to stop. The store is as it was after the last commit.
    Interrupted = 3,
    /// The write breaks rules of the object; `problems` lists all of them.
    InvalidRecord = 4,
    /// A query or a filter cannot be read; `position` says where.
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
    /// The remote refused; its code and words are in the reason.
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

macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        $(const _: () = assert!(ErrorKind::$kind as i32 == attache::ErrorKind::$kind as i32);)*

        impl From<attache::ErrorKind> for ErrorKind {
            fn from(kind: attache::ErrorKind) -> ErrorKind {
                match kind {
                    $(attache::ErrorKind::$kind => ErrorKind::$kind,)*
                    _ => ErrorKind::Unknown,
                }
            }
        }

        impl From<ErrorKind> for attache::ErrorKind {
            fn from(kind: ErrorKind) -> attache::ErrorKind {
                match kind {
                    $(ErrorKind::$kind => attache::ErrorKind::$kind,)*
                    ErrorKind::Unknown => attache::ErrorKind::Internal,
                }
            }
        }
    };
}

kinds! {
    InvalidArgument, RecordNotFound, Interrupted, InvalidRecord, MalformedQuery, UnknownObject,
    UnknownField, UnsentWork, WrongOwner, NotReady, Closed, StorageUnavailable, StorageFull,
    StorageCorrupt, StorageBusy, StorageTooNew, StorageWrongKey, RemoteUnreachable, RemoteOutcomeUnknown,
    RemoteRefused, RemoteBusy, NotAuthorized, NotARemote, LimitReached, CursorExpired, Internal,
}

/// What a caller may do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Retry {
    /// The same call will fail the same way.
    Never,
    /// The same call may succeed after this long.
    After {
        /// How long to wait, in milliseconds.
        milliseconds: u64,
    },
    /// The same call may succeed with fresh credentials.
    AfterAuth,
}

/// What a rule of the org found when it refused a write as a duplicate.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Duplicates {
    /// What the org calls the rule; empty if it did not tell.
    pub rule: String,
    /// The org saves the record all the same if a person wants that: see `save_anyway`.
    pub may_save: bool,
    /// The records that it may be.
    pub candidates: Vec<Candidate>,
}

/// A record of the org that a write may be a duplicate of. It need not be on this device.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Candidate {
    /// The record's id at the org.
    pub id: String,
    /// The record's object.
    pub object: String,
    /// The fields in which the two agree, by API name; empty if the org did not tell.
    pub fields: Vec<String>,
}

impl From<&attache::Duplicates> for Duplicates {
    fn from(found: &attache::Duplicates) -> Duplicates {
        let candidates = found.candidates.iter().map(|candidate| Candidate {
            id: candidate.id.clone(),
            object: candidate.object.clone(),
            fields: candidate.fields.clone(),
        });
        Duplicates {
            rule: found.rule.clone(),
            may_save: found.may_save,
            candidates: candidates.collect(),
        }
    }
}

/// One thing that is wrong with a write, or that the org refused in one.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// The fields concerned, by API name; empty when it is about the whole record.
    pub fields: Vec<String>,
    /// A stable code: those of the Salesforce API (`REQUIRED_FIELD_MISSING`, ...).
    pub code: String,
    /// One sentence for a person. It may name the field's label, never its value.
    pub message: String,
    /// The records that the org takes it for a duplicate of.
    #[uniffi(default = None)]
    pub duplicates: Option<Duplicates>,
    /// Of the refusal of a changeset, the place of the edit that it is about, counted from 0.
    #[uniffi(default = None)]
    pub edit: Option<u64>,
}

impl From<&attache::Problem> for Problem {
    fn from(problem: &attache::Problem) -> Problem {
        Problem {
            fields: problem.fields.clone(),
            code: problem.code.clone(),
            message: problem.message.clone(),
            duplicates: problem.duplicates.as_deref().map(Duplicates::from),
            edit: None,
        }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum AttacheError {
    /// The engine, the org or a token provider said no.
    #[error("{reason}")]
    Failed {
        /// What kind of failure it is.
        kind: ErrorKind,
        /// One sentence: what failed and at what. It never holds a field's value, so it may be logged.
        reason: String,
        /// What may be done about it.
        retry: Retry,
        /// Where in the query or filter, as a byte offset from 0.
        position: Option<u64>,
        /// What would have been taken at the position, in words for a person.
        expected: Option<String>,
        /// Everything that is wrong with the write; empty for other kinds.
        problems: Vec<Problem>,
    },
}

/// A result of this crate.
pub(crate) type Result<T> = std::result::Result<T, AttacheError>;

impl From<attache::Error> for AttacheError {
    fn from(error: attache::Error) -> AttacheError {
        AttacheError::Failed {
            kind: error.kind().into(),
            reason: error.to_string(),
            retry: match error.retry() {
                EngineRetry::After(delay) => Retry::After {
                    milliseconds: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                },
                EngineRetry::AfterAuth => Retry::AfterAuth,
                // A kind of advice that is newer than this file is no promise.
                _ => Retry::Never,
            },
            position: error
                .position()
                .and_then(|position| u64::try_from(position).ok()),
            expected: error.expected().map(str::to_owned),
            problems: problems(&error),
        }
    }
}

/// The problems of an error, those of a changeset with the places of their edits.
fn problems(error: &attache::Error) -> Vec<Problem> {
    let mut problems: Vec<Problem> = error.problems().iter().map(Problem::from).collect();
    for (problem, (edit, _)) in problems.iter_mut().zip(error.problems_by_edit()) {
        problem.edit = Some(edit as u64);
    }
    problems
}

impl From<AttacheError> for attache::Error {
    fn from(error: AttacheError) -> attache::Error {
        let AttacheError::Failed { kind, reason, .. } = error;
        attache::Error::new(kind.into(), reason)
    }
}

// What a host throws that is not an `AttacheError` lands here.
impl From<uniffi::UnexpectedUniFFICallbackError> for AttacheError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> AttacheError {
        failed(
            ErrorKind::Internal,
            format!("the application threw: {}", error.reason),
        )
    }
}

/// Makes an error of this side of the boundary.
pub(crate) fn failed(kind: ErrorKind, reason: impl Into<String>) -> AttacheError {
    attache::Error::new(kind.into(), reason.into()).into()
}
