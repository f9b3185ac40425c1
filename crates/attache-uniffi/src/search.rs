//! Search by words, and what helps queries.

use crate::error::Result;
use crate::store::Attache;
use crate::tell::{Tell, mirror};

/// A part of a text, in bytes of UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Mark {
    /// Where it begins.
    pub start: u64,
    /// Where it ends; not part of it.
    pub end: u64,
}

mirror! {
    /// A record that was found.
    Hit of told: attache::Hit {
        /// The record's id.
        id: String,
        /// Its object.
        object: String,
        /// What it is called.
        title: String,
        /// The field in which it was found.
        field: String,
        /// A part of that field's text, around what was found.
        snippet: String,
        /// What was found in the snippet.
        marks: Vec<Mark> = told.marks.iter().map(|mark| Mark { start: mark.start as u64, end: mark.end as u64 }).collect(),
        /// How well it fits; the best first.
        score: f64,
    }
}

mirror! {
    /// What a search found, the best first.
    Found of told: attache::Found {
        /// The records.
        hits: Vec<Hit>,
        /// About how many records are not in the index yet, and were not looked at.
        waiting: u64,
    }
}

mirror! {
    /// A secondary index of an object's records.
    Index of told: attache::Index {
        /// The object.
        object: String,
        /// The fields in their order, each as ORDER BY has it.
        fields: Vec<String>,
        /// It stands; otherwise the object or a field is not carried yet.
        built: bool,
    }
}

#[uniffi::export]
impl Attache {
    /// Searches the records of this device for words, unsent edits included; those of one object if it is named.
    #[uniffi::method(default(object = None, limit = 20, offset = 0))]
    pub fn search(
        &self,
        words: String,
        object: Option<String>,
        limit: u32,
        offset: u32,
    ) -> Result<Found> {
        let engine = self.engine()?;
        let mut search = engine
            .search(&words)
            .limit(limit.try_into().unwrap_or(usize::MAX))
            .offset(offset.try_into().unwrap_or(usize::MAX));
        if let Some(object) = &object {
            search = search.object(object);
        }
        Ok(search.run()?.tell())
    }

    /// Brings the search index forward by at most so many records, and gives about how many are left.
    pub fn index_words(&self, rows_max: u64) -> Result<u64> {
        Ok(self.engine()?.index_words(rows_max)?)
    }

    /// Says how a query would be run. For people; its form may change.
    pub fn explain(&self, soql: String) -> Result<String> {
        Ok(self.engine()?.explain(&soql)?)
    }

    /// Asks for an index, for lists that this device finds or orders by these fields.
    pub fn add_index(&self, object: String, fields: Vec<String>) -> Result<()> {
        Ok(self.engine()?.add_index(&object, fields)?)
    }

    /// Takes back the wish for an index.
    pub fn remove_index(&self, object: String, fields: Vec<String>) -> Result<()> {
        Ok(self.engine()?.remove_index(&object, fields)?)
    }

    /// Lists the indexes that were asked for.
    pub fn indexes(&self) -> Result<Vec<Index>> {
        Ok(self.engine()?.indexes()?.tell())
    }
}
