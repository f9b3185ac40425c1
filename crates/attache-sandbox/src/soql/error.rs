//! Refusals of a statement, with the place in it.

use crate::org::SaveError;

/// What is wrong, and where: `at` is a byte offset into the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SoqlError {
    pub code: &'static str,
    pub at: usize,
    pub message: String,
}

impl SoqlError {
    pub(crate) fn new(code: &'static str, at: usize, message: impl Into<String>) -> SoqlError {
        SoqlError {
            code,
            at,
            message: message.into(),
        }
    }

    pub(crate) fn malformed(at: usize, message: impl Into<String>) -> SoqlError {
        SoqlError::new("MALFORMED_QUERY", at, message)
    }

    pub(crate) fn field(at: usize, message: impl Into<String>) -> SoqlError {
        SoqlError::new("INVALID_FIELD", at, message)
    }

    /// A refusal without the place.
    pub(crate) fn plain(code: &'static str, message: impl Into<String>) -> SoqlError {
        SoqlError::new(code, usize::MAX, message)
    }

    /// Words the refusal as the platform does: the line, a caret under the place, row and column, the message.
    pub(crate) fn worded(self, soql: &str) -> SaveError {
        if self.at == usize::MAX {
            return SaveError::new(self.code, self.message);
        }
        let at = (0..=self.at.min(soql.len()))
            .rev()
            .find(|&at| soql.is_char_boundary(at))
            .unwrap_or(0);
        let start = soql[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = soql[at..]
            .find('\n')
            .map_or(soql.len(), |newline| at + newline);
        let row = soql[..at].matches('\n').count() + 1;
        let column = soql[start..at].chars().count() + 1;
        let message = format!(
            "\n{}\n{}^\nERROR at Row:{row}:Column:{column}\n{}",
            &soql[start..end],
            " ".repeat(column - 1),
            self.message
        );
        SaveError::new(self.code, message)
    }
}
