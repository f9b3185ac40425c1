//! What the org's refusals mean, and how they are told to a person.

use crate::class::{Class, class};
use crate::codec::ApiProblem;
use crate::limits::{Meter, retry_after};
use crate::transport::{HttpResponse, TransportError};
use attache::{Error, ErrorKind, Problem};
use std::fmt::Display;
use std::time::Duration;

/// What a call may have done if its answer does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it only reads.
    Read,
    /// Whatever it asked for.
    Write,
}

/// Says that a request has no answer.
pub(crate) fn no_answer(host: impl Display, cause: TransportError, effect: Effect) -> Error {
    let (kind, message) = match (&cause, effect) {
        (TransportError::NotSent(why), _) => (
            ErrorKind::RemoteUnreachable,
            format!("cannot reach {host}: {why}"),
        ),
        // It would fail the same way again: a page of records is far smaller.
        (TransportError::TooLarge, Effect::Read) => (
            ErrorKind::NotARemote,
            format!("{host} answered with more bytes than are allowed"),
        ),
        (cause, Effect::Read) => (
            ErrorKind::RemoteUnreachable,
            format!("cannot reach {host}: {cause}"),
        ),
        (cause, Effect::Write) => (
            ErrorKind::RemoteOutcomeUnknown,
            format!("no answer from {host}: {cause}; it may have done what was asked"),
        ),
    };
    Error::new(kind, message).with_source(cause)
}

/// Says that something else than an org answers.
pub(crate) fn not_a_remote(host: impl Display) -> Error {
    Error::new(
        ErrorKind::NotARemote,
        format!("{host} does not answer like a Salesforce org: check the instance URL"),
    )
}

/// Says that an answer leads elsewhere.
pub(crate) fn redirected(host: impl Display) -> Error {
    Error::new(
        ErrorKind::NotARemote,
        format!("{host} redirects to another address: check the instance URL"),
    )
}

/// Says that an answer ends before its end.
pub(crate) fn cut_off(host: impl Display) -> Error {
    Error::new(
        ErrorKind::RemoteUnreachable,
        format!("the answer from {host} was cut off"),
    )
}

/// Says that an answer with a good status cannot be read.
pub(crate) fn unreadable(host: impl Display, cause: &serde_json::Error) -> Error {
    if cause.is_eof() {
        return cut_off(host);
    }
    // The cause is not attached: its text may quote the answer.
    not_a_remote(host)
}

/// Says that credentials do not work any more.
pub(crate) fn not_authorized() -> Error {
    Error::new(
        ErrorKind::NotAuthorized,
        "the credentials are expired or revoked: sign in again",
    )
}

/// Says why the org did not do what was asked, from an answer that is no success.
pub(crate) fn refusal(host: impl Display, answer: &HttpResponse, meter: &Meter) -> Error {
    let busy = |default: u64| {
        let wait = retry_after(answer).unwrap_or(Duration::from_secs(default));
        let message = format!("{host} is overloaded or in maintenance");
        Error::new(ErrorKind::RemoteBusy, message).with_retry_after(wait)
    };
    if matches!(answer.status, 420 | 429 | 500..) {
        return busy(30);
    }
    let problems = match crate::codec::problems(&answer.body) {
        Some(problems) if !problems.is_empty() => problems,
        _ => return not_a_remote(host),
    };
    let code = problems[0].code.as_str();
    let kind = match code {
        "REQUEST_LIMIT_EXCEEDED" if meter.day_is_used_up() => {
            let message = "the org has used up its API calls of today";
            let error = Error::new(ErrorKind::LimitReached, message);
            return match retry_after(answer) {
                Some(wait) => error.with_retry_after(wait),
                None => error,
            };
        }
        "REQUEST_LIMIT_EXCEEDED" => return busy(10),
        code if matches!(class(code), Class::Retry | Class::Collateral) => return busy(30),
        code if class(code) == Class::Auth => return not_authorized(),
        "INVALID_QUERY_LOCATOR" | "INVALID_REPLICATION_DATE" | "EXCEEDED_ID_LIMIT" => {
            ErrorKind::CursorExpired
        }
        "INVALID_TYPE" => ErrorKind::UnknownObject,
        "INVALID_FIELD" => ErrorKind::UnknownField,
        _ => ErrorKind::RemoteRefused,
    };
    let message = match spoken(&problems[0]) {
        words if words.is_empty() => format!("{host} refused with {code}"),
        words => format!("{host} refused with {code}: {words}"),
    };
    let problems = problems
        .into_iter()
        .map(|problem| Problem {
            message: spoken(&problem),
            fields: problem.fields,
            code: problem.code,
            duplicates: problem.duplicates,
        })
        .collect();
    Error::new(kind, message).with_problems(problems)
}

/// The org's words about a call, without the text of the query that it quotes.
fn spoken(problem: &ApiProblem) -> String {
    match problem.code.as_str() {
        // These quote a query, literals and all; the words proper follow a line
        // that points into it.
        "INVALID_TYPE" | "INVALID_FIELD" => match problem.message.rsplit_once("ERROR at Row:") {
            Some((_, rest)) => rest.split_once('\n').map_or("", |(_, words)| words).into(),
            None if problem.message.starts_with('\n') => String::new(),
            None => problem.message.clone(),
        },
        code if code.starts_with("MALFORMED") || code.starts_with("INVALID_QUERY_FILTER") => {
            String::new()
        }
        _ => without_values(problem, &[]),
    }
}

/// The org's words about a write, without the values that were sent.
///
/// The words of a validation rule are the administrator's own and stay as they are.
pub(crate) fn without_values(problem: &ApiProblem, sent: &[&str]) -> String {
    let message = problem.message.as_str();
    if problem.code == "FIELD_CUSTOM_VALIDATION_EXCEPTION" {
        return message.to_owned();
    }
    let mut message = match message.split_once("data value too large:") {
        Some((label, rest)) => {
            let max = rest.rfind("(max length=").map_or("", |at| &rest[at..]);
            format!("{label}data value too large {max}")
        }
        None => message.to_owned(),
    };
    for lead in [
        "bad value for restricted picklist field:",
        "invalid email address:",
        "id value of incorrect type:",
    ] {
        if let Some(at) = message.find(lead) {
            message.truncate(at + lead.len() - 1);
        }
    }
    for value in sent.iter().filter(|value| value.len() > 3) {
        if message.contains(value) {
            message = message.replace(value, "…");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Budget;

    const HOST: &str = "https://acme.my.salesforce.com";

    fn refused(status: u16, body: &str) -> Error {
        let answer = HttpResponse {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        };
        refusal(HOST, &answer, &Meter::new(Budget::default()))
    }

    fn problem(code: &str, message: &str) -> ApiProblem {
        ApiProblem {
            code: code.into(),
            message: message.into(),
            fields: Vec::new(),
            duplicates: None,
        }
    }

    #[test]
    fn each_refusal_has_its_kind() {
        for (status, code, kind) in [
            (400, "INVALID_QUERY_LOCATOR", ErrorKind::CursorExpired),
            (400, "INVALID_REPLICATION_DATE", ErrorKind::CursorExpired),
            (400, "INVALID_TYPE", ErrorKind::UnknownObject),
            (400, "INVALID_FIELD", ErrorKind::UnknownField),
            (400, "QUERY_TIMEOUT", ErrorKind::RemoteBusy),
            (400, "QUERY_TOO_COMPLICATED", ErrorKind::RemoteRefused),
            (403, "API_DISABLED_FOR_ORG", ErrorKind::RemoteRefused),
            (403, "REQUEST_LIMIT_EXCEEDED", ErrorKind::LimitReached),
        ] {
            let body = format!(r#"[{{"message":"m","errorCode":"{code}"}}]"#);
            assert_eq!(refused(status, &body).kind(), kind, "{code}");
        }
        assert_eq!(
            refused(503, "<html>").kind(),
            ErrorKind::RemoteBusy,
            "a page of the edge"
        );
        assert_eq!(refused(404, "<html>").kind(), ErrorKind::NotARemote);
        assert_eq!(refused(404, "[]").kind(), ErrorKind::NotARemote);
    }

    #[test]
    fn too_many_calls_at_once_are_not_the_end_of_the_day() {
        let meter = Meter::new(Budget::default());
        let answer = HttpResponse {
            status: 403,
            headers: vec![("Sforce-Limit-Info".into(), "api-usage=5/100".into())],
            body: br#"[{"message":"m","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#.to_vec(),
        };
        meter.observe(&answer);
        assert_eq!(refusal(HOST, &answer, &meter).kind(), ErrorKind::RemoteBusy);
    }

    #[test]
    fn a_refused_query_is_not_quoted() {
        let body = r#"[{"message":"\nSELECT Foo FROM Account WHERE Name = 'Jo Secret'\n       ^\nERROR at Row:1:Column:8\nNo such column 'Foo' on entity 'Account'.","errorCode":"INVALID_FIELD"}]"#;
        assert_eq!(
            refused(400, body).to_string(),
            format!("{HOST} refused with INVALID_FIELD: No such column 'Foo' on entity 'Account'.")
        );
        let body = r#"[{"message":"unexpected token: 'Secret'","errorCode":"MALFORMED_QUERY"}]"#;
        assert!(!refused(400, body).to_string().contains("Secret"));
    }

    #[test]
    fn a_refused_write_does_not_repeat_what_was_sent() {
        for (code, message, expected) in [
            (
                "STRING_TOO_LONG",
                "Account Name: data value too large: Jo Secr (max length=80)",
                "Account Name: data value too large (max length=80)",
            ),
            (
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "Rating: bad value for restricted picklist field: Jo",
                "Rating: bad value for restricted picklist field",
            ),
            (
                "INVALID_CROSS_REFERENCE_KEY",
                "no such thing: Jo Secret!",
                "no such thing: …!",
            ),
        ] {
            let words = without_values(&problem(code, message), &["Jo Secret"]);
            assert_eq!(words, expected);
        }
    }

    #[test]
    fn a_lost_read_is_safe_and_a_lost_write_is_unknown() {
        let lost = || TransportError::NoAnswer("the connection was closed".into());
        let kind = |cause, effect| no_answer(HOST, cause, effect).kind();
        assert_eq!(kind(lost(), Effect::Read), ErrorKind::RemoteUnreachable);
        assert_eq!(kind(lost(), Effect::Write), ErrorKind::RemoteOutcomeUnknown);
        let unsent = TransportError::NotSent("connection refused".into());
        assert_eq!(
            no_answer(HOST, unsent, Effect::Write).to_string(),
            format!("cannot reach {HOST}: connection refused")
        );
    }
}
