//! What the command says when it cannot do what was asked.

use attache::{Error, ErrorKind, Problem};
use serde::Serialize;

/// A result of the command.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Exit code of a call that can never work as it was written.
pub const USAGE: u8 = 2;
/// Exit code of an interrupted command, as shells count it.
const INTERRUPTED: u8 = 130;

/// A failure: the engine's error, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    error: Error,
    hint: Option<String>,
    /// The text that the error's position counts in.
    source: Option<String>,
}

impl Failure {
    /// Makes a failure of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Failure {
        Failure::from(Error::new(kind, message))
    }

    /// Makes a failure of a call that can never work.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(ErrorKind::InvalidArgument, message)
    }

    /// Makes a failure of a file that is not the store.
    pub fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
        Failure::new(
            ErrorKind::StorageUnavailable,
            format!("cannot {action} {}: {}", path.display(), plain(error)),
        )
    }

    /// Makes a failure of reading standard input.
    pub fn stdin(error: &std::io::Error) -> Failure {
        Failure::new(
            ErrorKind::StorageUnavailable,
            format!("cannot read standard input: {}", plain(error)),
        )
    }

    /// Adds one line about what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the query in which the error's position counts.
    #[must_use]
    pub fn in_query(mut self, text: &str) -> Failure {
        self.source = Some(text.into());
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// The sentence alone.
    pub fn sentence(&self) -> String {
        self.error.to_string()
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        use ErrorKind::*;
        match self.kind() {
            InvalidArgument | MalformedQuery | UnknownObject | UnknownField => USAGE,
            Interrupted => INTERRUPTED,
            _ => 1,
        }
    }

    /// The whole failure for a person: a sentence, the place, each problem, the hint.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("attache: {}", self.error)];
        lines.extend(self.place());
        lines.extend(
            self.error
                .problems()
                .iter()
                .map(|problem| format!("  {}", sentence(problem))),
        );
        lines.extend(self.advice().map(|hint| format!("  hint: {hint}")));
        lines
    }

    /// Shows the place in a query that is a single line: it was typed here, so it may be shown here.
    fn place(&self) -> Vec<String> {
        let (Some(text), Some(at)) = (&self.source, self.error.position()) else {
            return Vec::new();
        };
        match text.get(..at) {
            Some(before) if !text.contains('\n') => {
                vec![
                    format!("  {text}"),
                    format!("  {}^", " ".repeat(before.chars().count())),
                ]
            }
            _ => Vec::new(),
        }
    }

    fn advice(&self) -> Option<&str> {
        if self.hint.is_some() {
            return self.hint.as_deref();
        }
        use ErrorKind::*;
        Some(match self.kind() {
            NotAuthorized => {
                "get a new access token and put it in ATTACHE_ACCESS_TOKEN or in --token-file"
            }
            RemoteUnreachable => {
                "what was edited here is kept; run `attache sync` again when the network is back"
            }
            RemoteOutcomeUnknown => {
                "run `attache sync` again: it finds out what became of the request"
            }
            NotARemote => {
                "give the address of the org itself, such as https://acme.my.salesforce.com"
            }
            StorageBusy => "another program is using the store; try again in a moment",
            StorageTooNew => "use a newer version of attache",
            StorageWrongKey => {
                "--key-file FILE names the file with its key; a store that is not encrypted is opened without"
            }
            _ => return None,
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure {
            error,
            hint: None,
            source: None,
        }
    }
}

/// Says what is wrong and with which fields.
pub fn sentence(problem: &Problem) -> String {
    // A problem of a whole document stands at the empty path.
    if problem.fields.iter().all(String::is_empty) {
        format!("{} ({})", problem.message, problem.code)
    } else {
        format!(
            "{}: {} ({})",
            problem.fields.join(", "),
            problem.message,
            problem.code
        )
    }
}

/// The words of an i/o error, without the number of the operating system.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    let mut words = text[..end].to_owned();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    words
}

/// A failure as data: `{"error": {kind, code, message, hint, position, problems}}`.
#[derive(Serialize)]
pub struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    kind: String,
    code: i32,
    message: String,
    hint: Option<&'a str>,
    position: Option<usize>,
    expected: Option<&'a str>,
    problems: &'a [Problem],
}

impl<'a> Envelope<'a> {
    /// Shows a failure as data.
    pub fn of(failure: &'a Failure) -> Envelope<'a> {
        Envelope {
            error: Body {
                kind: format!("{:?}", failure.kind()),
                code: failure.kind() as i32,
                message: failure.sentence(),
                hint: failure.advice(),
                position: failure.error.position(),
                expected: failure.error.expected(),
                problems: failure.error.problems(),
            },
        }
    }
}
