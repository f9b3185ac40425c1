//! The link to the next page of a query, as it is handed to the engine and comes back.

use std::fmt;

/// How many pages in a row may hold no record before the org is not believed any more.
///
/// Rows that were deleted since the query ran are missing from its later pages, so a page may be
/// empty; a chain of empty pages without an end would keep a session busy for ever.
pub(crate) const EMPTY_PAGES_MAX: u32 = 100;

/// What the link begins with if pages before it were empty; no path does.
const MARK: &str = "empty:";

/// A path on the org's host, and how many pages before it were empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) path: String,
    pub(crate) empty: u32,
}

impl Link {
    /// Reads a link; anything but the form with a mark is a path that nothing is known of.
    pub(crate) fn parse(text: &str) -> Link {
        let marked = text.strip_prefix(MARK).and_then(|rest| {
            let (empty, path) = rest.split_once(' ')?;
            Some((empty.parse().ok()?, path))
        });
        let (empty, path) = marked.unwrap_or((0, text));
        Link {
            path: path.to_owned(),
            empty,
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.empty {
            0 => f.write_str(&self.path),
            empty => write!(f, "{MARK}{empty} {}", self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_read_back() {
        for text in ["/services/data/v67.0/query/01g-2000", "empty:7 /x y", ""] {
            assert_eq!(Link::parse(text).to_string(), text);
        }
        assert_eq!(Link::parse("empty:7 /x").empty, 7);
        assert_eq!(Link::parse("empty:x /x").path, "empty:x /x");
    }
}
