//! Finds records by their words: by what a person remembers of them.

mod mark;
pub(crate) mod question;
mod words;

pub(crate) use mark::{Class, Field, answer, snippet};
pub(crate) use question::Need;

use crate::engine::Attache;
use crate::error::{Error, ErrorKind, Result};
use crate::record::RecordId;
use crate::store::Store;
use serde::Serialize;
use std::ops::Range;

/// Records that are brought into the index before a search, at most.
const CATCH_UP_ROWS_MAX: u64 = 20_000;
/// What a search gives unless told otherwise.
const LIMIT_DEFAULT: usize = 20;

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Hit {
    /// The record.
    pub id: RecordId,
    /// Its object's API name.
    pub object: String,
    /// What it is called: the value of its name field, or its id if it has none.
    pub title: String,
    /// The field that answers best.
    pub field: String,
    /// What stands there, on one line: the place around the words, with `…` where it was cut.
    pub snippet: String,
    /// The words in the snippet: ranges of bytes, in order, none touching another.
    #[serde(serialize_with = "crate::json::ranges")]
    pub marks: Vec<Range<usize>>,
    /// How well it answers. Comparable within one search only; higher is better.
    pub score: f64,
}

/// What a search found, the best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Found {
    /// The records.
    pub hits: Vec<Hit>,
    /// About how many records are on the device and not in the index yet: see [`Attache::index_words`].
    pub waiting: u64,
}

/// A search about to run: see [`Attache::search`].
#[must_use = "a search runs when `run` is called"]
pub struct Search<'a> {
    attache: &'a Attache,
    words: &'a str,
    object: Option<&'a str>,
    limit: usize,
    offset: usize,
}

impl Attache {
    /// Searches the records of this device for words, unsent edits included.
    ///
    /// Every word must be in the record, in any of its fields, and may be the
    /// beginning of a longer one (`mul ber` finds Müller in Berlin); a word of one
    /// letter stands for itself. Words in quotation marks stand together in that
    /// order. Case, accents and punctuation do not count. An e-mail address is found
    /// by its parts; a telephone number by its digits, from its beginning, from
    /// behind the country code and from each group as it is written, whatever
    /// stands between and without zeros in front. Nothing typed is an operator or
    /// an error: a text without any word finds nothing.
    ///
    /// Searched are, of the fields that the briefcase carries, by their described
    /// types: the name field; `email`; `phone`; and of other text `string`, `textarea`,
    /// `combobox` and `url`. Picklists, ids and encrypted text are not: they are for
    /// conditions of a query.
    ///
    /// What is found in a name comes before what is found in an address or a
    /// number, and that before other text; whole words come before beginnings, and
    /// short fields before long ones. Of more than a thousand records that match,
    /// those matching by name and the newest of the others are ranked.
    ///
    /// # Cost
    /// Some milliseconds, also in a million records; two letters that begin a large
    /// part of all words cost up to a quarter of a second there. A search first brings up to
    /// 20,000 changed records into the index (10 to 25 µs each) and waits for the writer
    /// then, as an edit does; [`Found::waiting`] says what is still left: see
    /// [`index_words`](Attache::index_words).
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// let attache = attache::Attache::open("acme-jo.db")?;
    /// let found = attache.search("jo smi").object("Contact").limit(10).run()?;
    /// for hit in &found.hits {
    ///     println!("{} {}: {}", hit.object, hit.title, hit.snippet);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search<'a>(&'a self, words: &'a str) -> Search<'a> {
        Search {
            attache: self,
            words,
            object: None,
            limit: LIMIT_DEFAULT,
            offset: 0,
        }
    }

    /// Brings the search index forward by at most so many records, and gives about how many are left.
    ///
    /// Nothing waits for the index: pulls and edits leave a note of what they
    /// change, and a search reads up what changed since the last one. Only after a
    /// large first load is that more than a search should do by itself: then call
    /// this, on any thread, until it gives 0. It works in transactions of a
    /// part of a second, so that edits and sessions get their turn.
    ///
    /// # Errors
    /// [`ErrorKind::StorageFull`], [`ErrorKind::StorageBusy`]. What was done so far stays.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// let attache = attache::Attache::open("acme-jo.db")?;
    /// while attache.index_words(10_000)? > 0 {}
    /// # Ok(())
    /// # }
    /// ```
    pub fn index_words(&self, rows_max: u64) -> Result<u64> {
        self.store.index(rows_max)
    }
}

impl<'a> Search<'a> {
    /// Searches the records of one object only.
    pub fn object(mut self, object: &'a str) -> Search<'a> {
        self.object = Some(object);
        self
    }

    /// Gives so many records at most, instead of 20.
    pub fn limit(mut self, limit: usize) -> Search<'a> {
        self.limit = limit;
        self
    }

    /// Passes over so many of the best first.
    pub fn offset(mut self, offset: usize) -> Search<'a> {
        self.offset = offset;
        self
    }

    /// Runs the search.
    ///
    /// Inside a [`changeset`](Attache::changeset) it finds what was there before it, and brings nothing into the
    /// index: the writer is taken.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownObject`] for an object that this device does not carry.
    pub fn run(self) -> Result<Found> {
        let store = &self.attache.store;
        if let Some(object) = self.object
            && store.read(|r| Ok(r.catalogue.table(object).is_none()))?
        {
            return Err(Error::new(
                ErrorKind::UnknownObject,
                format!("{object} is not carried by this briefcase"),
            ));
        }
        let Some(need) = question::read(self.words) else {
            return Ok(Found::default());
        };
        let waiting = catch_up(store)?;
        let hits = store.read(|r| r.search(&need, self.object, self.offset, self.limit))?;
        Ok(Found { hits, waiting })
    }
}

/// Brings the index forward, and says about how many records it still lacks.
fn catch_up(store: &Store) -> Result<u64> {
    if !store.has_turn() {
        match store.index(CATCH_UP_ROWS_MAX) {
            // What is in the index can still be searched.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::StorageBusy | ErrorKind::StorageFull
                ) => {}
            done => return done,
        }
    }
    store.read(|r| r.unindexed())
}
