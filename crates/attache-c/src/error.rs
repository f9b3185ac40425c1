//! Errors as C sees them.

use crate::enter::{free, peek};
use crate::json;
use crate::status::{
    ATTACHE_END, ATTACHE_INVALID_ARGUMENT, ATTACHE_PANIC, ATTACHE_PENDING, ATTACHE_RETRY_AFTER,
    ATTACHE_RETRY_AFTER_AUTH, ATTACHE_RETRY_NEVER, attache_status_t,
};
use crate::table::Object;
use crate::text::attache_str_t;
use attache::{Problem, Retry};
use serde::Serialize;

/// Why a call failed: a status, a sentence, and what may be done about it.
pub struct attache_error_t {
    _opaque: (),
}

/// What stands behind an [`attache_error_t`].
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) status: attache_status_t,
    message: String,
    retry: i32,
    retry_after_ms: u64,
    position: i64,
    expected: String,
    problems: String,
}

impl Object for Failure {
    type C = attache_error_t;
    const NAME: &'static str = "attache_error_t";
}

impl Failure {
    fn plain(status: attache_status_t, message: String) -> Failure {
        Failure {
            status,
            message,
            retry: ATTACHE_RETRY_NEVER,
            retry_after_ms: 0,
            position: -1,
            expected: String::new(),
            problems: String::from("[]"),
        }
    }

    /// A wrong argument.
    pub(crate) fn argument(message: impl Into<String>) -> Failure {
        Failure::plain(ATTACHE_INVALID_ARGUMENT, message.into())
    }

    /// A panic that was stopped.
    pub(crate) fn panic(message: &str) -> Failure {
        Failure::plain(ATTACHE_PANIC, format!("a panic was stopped: {message}"))
    }

    /// What a function of the host's came to.
    pub(crate) fn of_host(status: attache_status_t, message: &str) -> Failure {
        Failure::plain(status, message.into())
    }

    /// Not ended yet: a status without an error handle.
    pub(crate) fn pending() -> Failure {
        Failure::plain(ATTACHE_PENDING, String::new())
    }

    /// No more rows: a status without an error handle.
    pub(crate) fn end() -> Failure {
        Failure::plain(ATTACHE_END, String::new())
    }
}

impl From<attache::Error> for Failure {
    fn from(error: attache::Error) -> Failure {
        let (retry, after) = match error.retry() {
            Retry::After(delay) => (ATTACHE_RETRY_AFTER, delay.as_millis()),
            Retry::AfterAuth => (ATTACHE_RETRY_AFTER_AUTH, 0),
            // A kind of advice that is newer than this file is no promise.
            _ => (ATTACHE_RETRY_NEVER, 0),
        };
        Failure {
            status: error.kind() as i32,
            message: error.to_string(),
            retry,
            retry_after_ms: u64::try_from(after).unwrap_or(u64::MAX),
            position: error
                .position()
                .and_then(|position| i64::try_from(position).ok())
                .unwrap_or(-1),
            expected: error.expected().unwrap_or_default().to_owned(),
            problems: problems(&error),
        }
    }
}

/// Prints what is wrong, with the edits that it is of where it is a changeset that was refused.
fn problems(error: &attache::Error) -> String {
    #[derive(Serialize)]
    struct OfEdit<'a> {
        edit: usize,
        #[serde(flatten)]
        problem: &'a Problem,
    }
    let by_edit: Vec<OfEdit<'_>> = error
        .problems_by_edit()
        .map(|(edit, problem)| OfEdit { edit, problem })
        .collect();
    match by_edit.is_empty() {
        true => json::print(error.problems()),
        false => json::print(&by_edit),
    }
}

/// Gives the status, one of the ATTACHE_* numbers; ATTACHE_OK for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_status(error: *const attache_error_t) -> attache_status_t {
    peek(error, 0, |failure: &Failure| failure.status)
}

/// Gives one sentence: what failed and at what. It never holds a field's value, so it may be
/// logged. Valid until the error is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_message(error: *const attache_error_t) -> attache_str_t {
    peek(error, attache_str_t::NONE, |failure: &Failure| {
        attache_str_t::borrowed(&failure.message)
    })
}

/// Gives what may be done about it, one of the ATTACHE_RETRY_* numbers.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_retry(error: *const attache_error_t) -> i32 {
    peek(error, ATTACHE_RETRY_NEVER, |failure: &Failure| {
        failure.retry
    })
}

/// Gives how many milliseconds to wait, for ATTACHE_RETRY_AFTER; else 0.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_retry_after_ms(error: *const attache_error_t) -> u64 {
    peek(error, 0, |failure: &Failure| failure.retry_after_ms)
}

/// Gives where in the query or filter, as a byte offset from 0; -1 if it is about no place.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_position(error: *const attache_error_t) -> i64 {
    peek(error, -1, |failure: &Failure| failure.position)
}

/// Gives what a query or a filter should have had at that place, for people; no text where that is
/// not known. Valid until the error is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_expected(error: *const attache_error_t) -> attache_str_t {
    peek(
        error,
        attache_str_t::NONE,
        |failure: &Failure| match failure.expected.as_str() {
            "" => attache_str_t::NONE,
            expected => attache_str_t::borrowed(expected),
        },
    )
}

/// Gives everything that is wrong with a write, as a JSON array of
/// {"fields": [name, ...], "code", "message"}; for a changeset also "edit", which of its edits,
/// from 0. Valid until the error is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_problems(error: *const attache_error_t) -> attache_str_t {
    peek(error, attache_str_t::NONE, |failure: &Failure| {
        attache_str_t::borrowed(&failure.problems)
    })
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_error_free(error: *mut attache_error_t) {
    free::<Failure>(error);
}
