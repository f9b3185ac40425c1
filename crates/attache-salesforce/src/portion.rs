//! How many rows are asked for at once: fewer, once an answer was larger than may be in memory.

use crate::client::Salesforce;
use crate::transport::TransportError;
use attache::{Error, ErrorKind};
use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};

/// By how much a portion becomes smaller.
const SMALLER: usize = 4;

/// A number of rows that only falls, for the life of a client.
pub(crate) struct Portion {
    rows: AtomicUsize,
    least: usize,
}

impl Portion {
    pub(crate) fn new(most: usize, least: usize) -> Portion {
        Portion {
            rows: AtomicUsize::new(most),
            least,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Takes an error that so many rows met; says whether fewer may do better.
    pub(crate) fn shrinks_for(&self, error: &Error, rows: usize) -> bool {
        if !is_too_large(error) {
            return false;
        }
        let fewer = (rows / SMALLER).max(self.least);
        self.rows.fetch_min(fewer, Ordering::Relaxed);
        self.rows() < rows
    }
}

/// Says whether an answer was larger than may be in memory.
pub(crate) fn is_too_large(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(TransportError::TooLarge))
}

impl Salesforce {
    /// Says that as few records of an object as can be asked for are larger than may be in memory.
    pub(crate) fn too_wide(&self, kind: ErrorKind, object: &str) -> Error {
        let message = format!(
            "records of {object} have more than {} bytes together, and fewer cannot be asked for: carry fewer of \
             its fields, or raise response_bytes_max",
            self.limits.response_bytes_max
        );
        Error::new(kind, message).with_source(TransportError::TooLarge)
    }
}

/// The object that a query is about.
pub(crate) fn object_of(soql: &str) -> &str {
    let (_, rest) = soql.split_once(" FROM ").unwrap_or_default();
    rest.split([' ', ',', ')']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Effect, no_answer};

    #[test]
    fn a_portion_falls_to_its_least_and_says_when_that_is_too_much() {
        let portion = Portion::new(2_000, 200);
        let too_large = no_answer("here", TransportError::TooLarge, Effect::Read);
        let mut met = Vec::new();
        while portion.shrinks_for(&too_large, portion.rows()) {
            met.push(portion.rows());
        }
        assert_eq!(met, [500, 200]);
        // One that was asked before it fell is asked again as it is now.
        assert!(portion.shrinks_for(&too_large, 2_000));
        assert_eq!(portion.rows(), 200);
    }

    #[test]
    fn a_query_is_about_the_object_behind_its_from() {
        assert_eq!(object_of("SELECT Id, Name FROM Contact"), "Contact");
        let joined = "SELECT Id FROM Case WHERE AccountId IN (SELECT Id FROM Account) LIMIT 1";
        assert_eq!(object_of(joined), "Case");
        assert_eq!(object_of("SELECT"), "");
    }

    #[test]
    fn another_error_changes_nothing() {
        let portion = Portion::new(2_000, 200);
        let other = Error::new(ErrorKind::NotARemote, "it answers in riddles");
        assert!(!portion.shrinks_for(&other, 2_000));
        assert_eq!(portion.rows(), 2_000);
    }
}
