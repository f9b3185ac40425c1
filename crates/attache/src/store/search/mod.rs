//! The index of words: kept in step with the record tables, and asked.
//!
//! Nothing of it is on the way of a page or an edit. New records are those behind
//! the last one that was read (`attache_indexed.upto`); triggers note the others
//! that changed or went (`attache_stale`). `index` reads them up, a bounded
//! transaction at a time. The triggers are made by the first search, so a store
//! that is never searched pays for nothing.

mod index;
#[cfg(test)]
mod tests;

use super::{Reading, Table, quote};
use crate::error::{Error, Result};
use crate::record::RecordId;
use crate::schema::{FieldSchema, FieldType};
use crate::search::{Class, Field, Hit, Need, answer, snippet};
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// How far apart the documents of two objects lie.
const DOCS_PER_OBJECT: i64 = 1 << 40;
/// Records that are ranked, of those that match by name, and again of the others.
const RANKED_MAX: usize = 500;

/// A field that is searched.
struct Searched {
    name: String,
    class: Class,
}

/// The records of an object in the index.
struct Indexed {
    nr: i64,
    table: Arc<Table>,
    fields: Vec<Searched>,
    upto: i64,
}

impl Indexed {
    fn first_doc(&self) -> i64 {
        self.nr * DOCS_PER_OBJECT
    }
}

/// The fields of a table that are searched, its name first.
fn searched(table: &Table) -> Vec<Searched> {
    let name_field = table.object.name_field().map(|field| field.name.as_str());
    let mut fields: Vec<Searched> = table
        .columns
        .iter()
        .filter_map(|column| table.object.field(&column.name))
        .filter_map(|field| {
            let class = class_of(field, name_field)?;
            let name = field.name.clone();
            Some(Searched { name, class })
        })
        .collect();
    fields.sort_by_key(|field| field.class);
    fields
}

fn class_of(field: &FieldSchema, name_field: Option<&str>) -> Option<Class> {
    match field.field_type {
        _ if field.name_field => Some(Class::Name),
        FieldType::Email => Some(Class::Mail),
        FieldType::Phone => Some(Class::Phone),
        FieldType::String | FieldType::TextArea | FieldType::Combobox | FieldType::Url => {
            // The parts of a name are in the name already.
            let of_name = name_field.is_some() && field.compound.as_deref() == name_field;
            (!of_name).then_some(Class::Text)
        }
        _ => None,
    }
}

/// What identifies the shape of an object's documents.
fn shape(fields: &[Searched]) -> Result<String> {
    let shape: BTreeMap<&str, u8> = fields
        .iter()
        .map(|field| (field.name.as_str(), field.class as u8))
        .collect();
    serde_json::to_string(&shape)
        .map_err(|error| Error::internal("a list of fields prints as JSON").with_source(error))
}

impl Reading<'_> {
    /// About how many records are not in the index as they are.
    pub(crate) fn unindexed(&self) -> Result<u64> {
        let count = |sql: &str| -> Result<i64> {
            Ok(self
                .connection
                .prepare_cached(sql)?
                .query_row([], |row| row.get(0))?)
        };
        let mut left = count("SELECT count(*) FROM attache_stale")?;
        left += count("SELECT count(*) FROM attache_indexed WHERE object IS NULL")?;
        let indexed = self.indexed()?;
        for table in self.catalogue.tables() {
            let own = indexed
                .iter()
                .find(|own| own.table.object.name == table.object.name);
            left += match own {
                Some(own) => (self.last_row(table)? - own.upto).max(0),
                None if searched(table).is_empty() => 0,
                // Even of an empty table the changes are to be noted from now on.
                None => self.last_row(table)?.max(1),
            };
        }
        Ok(u64::try_from(left).unwrap_or(0))
    }

    fn last_row(&self, table: &Table) -> Result<i64> {
        let sql = format!(
            "SELECT coalesce(max(\"attache_row\"), 0) FROM {}",
            quote(&table.object.name)
        );
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .query_row([], |row| row.get(0))?)
    }

    /// The objects in the index, as far as their documents are what is wanted.
    fn indexed(&self) -> Result<Vec<Indexed>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT nr, object, fields, upto FROM attache_indexed WHERE object IS NOT NULL ORDER BY nr")?;
        let mut rows = statement.query([])?;
        let mut indexed = Vec::new();
        while let Some(row) = rows.next()? {
            let (object, made): (String, String) = (row.get(1)?, row.get(2)?);
            let Some(table) = self.catalogue.table(&object) else {
                continue;
            };
            let fields = searched(table);
            if shape(&fields)? == made {
                indexed.push(Indexed {
                    nr: row.get(0)?,
                    table: Arc::clone(table),
                    fields,
                    upto: row.get(3)?,
                });
            }
        }
        Ok(indexed)
    }

    /// Finds the records that answer a question, the best first.
    pub(crate) fn search(
        &self,
        need: &Need,
        object: Option<&str>,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Hit>> {
        let mut indexed = self.indexed()?;
        if let Some(object) = object {
            indexed.retain(|own| own.table.object.name.eq_ignore_ascii_case(object));
        }
        let docs = match indexed.as_slice() {
            [] => return Ok(Vec::new()),
            [one] => one.first_doc()..=one.first_doc() + DOCS_PER_OBJECT - 1,
            _ => 0..=i64::MAX,
        };
        let ranked = RANKED_MAX.max(offset.saturating_add(limit));
        let matching = need.matching();
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for question in [format!("name : {matching}"), matching] {
            for doc in self.matching_docs(&question, &docs, ranked.saturating_add(seen.len()))? {
                if found.len() < ranked.saturating_mul(2) && seen.insert(doc) {
                    let hit = self.candidate(doc, &indexed, need)?;
                    found.extend(hit.map(|hit| (doc, hit)));
                }
            }
        }
        found.sort_by(|(a, one), (b, other)| other.score.total_cmp(&one.score).then(b.cmp(a)));
        let wanted = found.into_iter().skip(offset).take(limit);
        Ok(wanted.map(|(_, hit)| hit).collect())
    }

    /// Documents that match, the newest first.
    fn matching_docs(
        &self,
        matching: &str,
        docs: &std::ops::RangeInclusive<i64>,
        limit: usize,
    ) -> Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rowid FROM attache_text WHERE attache_text MATCH ?1 AND rowid BETWEEN ?2 AND ?3
             AND NOT EXISTS (SELECT 1 FROM attache_stale WHERE doc = attache_text.rowid)
             ORDER BY rowid DESC LIMIT ?4",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found = statement
            .query_map(params![matching, docs.start(), docs.end(), limit], |row| {
                row.get(0)
            })?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    /// Reads the record of a document and holds the question against it.
    fn candidate(&self, doc: i64, indexed: &[Indexed], need: &Need) -> Result<Option<Hit>> {
        let nr = doc / DOCS_PER_OBJECT;
        let Ok(at) = indexed.binary_search_by_key(&nr, |own| own.nr) else {
            return Ok(None);
        };
        let own = &indexed[at];
        let record = self.text_of(own, doc % DOCS_PER_OBJECT)?;
        Ok(record.and_then(|record| record.hit(own, need)))
    }

    /// The texts of a record.
    fn text_of(&self, own: &Indexed, row: i64) -> Result<Option<RecordText>> {
        let sql = format!("{} WHERE \"attache_row\" = ?1", select(own));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let record = statement.query_row([row], |row| RecordText::of(row, own.fields.len()));
        Ok(record.optional()?)
    }
}

fn select(own: &Indexed) -> String {
    let columns: String = own
        .fields
        .iter()
        .map(|field| format!(", {}", quote(&field.name)))
        .collect();
    format!(
        "SELECT \"attache_row\", coalesce(\"attache_key\", \"Id\"){columns} FROM {}",
        quote(&own.table.object.name)
    )
}

struct RecordText {
    row: i64,
    id: String,
    texts: Vec<String>,
}

impl RecordText {
    fn of(row: &rusqlite::Row<'_>, fields: usize) -> rusqlite::Result<RecordText> {
        let text = |at| -> rusqlite::Result<String> {
            Ok(match row.get_ref(at)? {
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            })
        };
        Ok(RecordText {
            row: row.get(0)?,
            id: text(1)?,
            texts: (2..fields + 2).map(text).collect::<rusqlite::Result<_>>()?,
        })
    }

    fn read(&self, own: &Indexed) -> Vec<Field<'_>> {
        let fields = own.fields.iter().zip(&self.texts);
        fields
            .map(|(field, text)| Field::read(field.class, text))
            .collect()
    }

    fn hit(&self, own: &Indexed, need: &Need) -> Option<Hit> {
        let found = answer(need, &self.read(own))?;
        let name = own
            .fields
            .iter()
            .position(|field| field.class == Class::Name);
        let title = name
            .map(|at| &self.texts[at])
            .filter(|title| !title.is_empty());
        let (snippet, marks) = snippet(&self.texts[found.field], &found.marks);
        Some(Hit {
            id: RecordId::trusted(&self.id),
            object: own.table.object.name.clone(),
            title: title.unwrap_or(&self.id).clone(),
            field: own.fields[found.field].name.clone(),
            snippet,
            marks,
            score: found.score,
        })
    }
}
