//! The pages of an answer: asked for one by one, and held against what the server tells of them.

use super::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::remote::Page;

/// How often one answer is begun anew when the server forgets its place.
pub(super) const RESTARTS_MAX: u32 = 20;

/// How many pages of an answer may hold nothing.
const EMPTY_PAGES_MAX: u64 = 16;

/// Counts the pages of an answer, so that one without an end, or that ends too early, is noticed.
#[derive(Default)]
pub(super) struct Pages {
    pages: u64,
    rows: u64,
    restarts: u32,
    next: Next,
}

/// Which page of an answer is to be asked for.
#[derive(Default)]
enum Next {
    #[default]
    First,
    At(String),
    None,
}

impl Pages {
    /// Goes on behind the first so many rows of an answer.
    pub(super) fn behind(rows: u64) -> Pages {
        Pages {
            rows,
            ..Pages::default()
        }
    }

    /// How many rows of the answer were read.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn count(&mut self, page: &Page) -> Result<()> {
        self.pages += 1;
        self.rows += page.records.len() as u64;
        let endless =
            self.rows > page.total || self.pages > page.total.saturating_add(EMPTY_PAGES_MAX);
        if page.next.is_some() && endless {
            return Err(Error::new(
                ErrorKind::NotARemote,
                "the server's answer goes on after its end",
            ));
        }
        Ok(())
    }

    /// Says whether the page that was counted last is the first one since the answer began.
    pub(super) fn is_first(&self) -> bool {
        self.pages == 1
    }

    /// Says whether an answer ends with this page although it told of more records.
    pub(super) fn are_cut_short(&self, page: &Page) -> bool {
        page.next.is_none() && self.rows < page.total
    }
}

impl Run<'_> {
    /// Gives the next page of an answer, `None` behind the last.
    ///
    /// Where the server forgets its place, or ends before its end, the answer begins anew:
    /// [`Pages::is_first`] says so, and whoever puts pages together begins anew as well.
    pub(super) async fn page(&mut self, soql: &str, pages: &mut Pages) -> Result<Option<Page>> {
        loop {
            self.check_cancelled()?;
            let asked = match std::mem::take(&mut pages.next) {
                Next::First => self.query(soql).await,
                Next::At(next) => self.remote.query_more(&next).await,
                Next::None => return Ok(None),
            };
            let error = match asked {
                Ok(page) => {
                    pages.count(&page)?;
                    if !pages.are_cut_short(&page) {
                        pages.next = page.next.clone().map_or(Next::None, Next::At);
                        return Ok(Some(page));
                    }
                    cut_short()
                }
                Err(error) if error.kind() == ErrorKind::CursorExpired => error,
                Err(error) => return Err(error),
            };
            if pages.restarts == RESTARTS_MAX {
                return Err(error);
            }
            *pages = Pages {
                restarts: pages.restarts + 1,
                ..Pages::default()
            };
        }
    }
}

fn cut_short() -> Error {
    Error::new(
        ErrorKind::NotARemote,
        "the server's answers hold fewer records than they tell of",
    )
}
