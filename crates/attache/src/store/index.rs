//! Secondary indexes: those that the briefcase needs, and those that a host asked for.
//!
//! An index that stands during a first load halves its speed (it is written to
//! at random places), so indexes are made when an object's records are there.

use super::catalogue::Table;
use super::query::index_term;
use super::{Reading, Writing, quote};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::ast::{At, Direction, Expr, Order};
use crate::filter::order_terms;
use crate::schema::FieldType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the wishes of the host are kept.
const SETTING: &str = "indexes";
/// What the names of these indexes begin with.
const PREFIX: &str = "attache_on_";
/// Rows of an index that are looked at to tell the planner how selective it is.
const ANALYSIS_ROWS: u32 = 1_000;

/// An index by what it is on: an object, and fields as ORDER BY lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub object: String,
    pub fields: Vec<String>,
}

/// An index as SQLite has it, or is to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Made {
    fields: Vec<String>,
    sql: String,
}

/// One column of an index.
struct Part {
    field: String,
    descends: bool,
}

impl Wish {
    /// Brings the fields into one spelling: the case of the schema, and no more said of the order than needed.
    pub(crate) fn on(table: &Table, fields: &[String]) -> Result<Wish> {
        let parts = parts(table, fields)?;
        Ok(Wish {
            object: table.object.name.clone(),
            fields: parts.iter().map(Part::print).collect(),
        })
    }

    /// Takes a wish for an object that is not known here as it comes, so far as it reads.
    pub(crate) fn unknown(object: &str, fields: &[String]) -> Result<Wish> {
        let mut canonical = Vec::new();
        for field in fields {
            for order in order_terms(field)? {
                let part = Part {
                    field: own_field(object, &order)?.0.to_owned(),
                    descends: order.direction == Direction::Descending,
                };
                canonical.push(part.print());
            }
        }
        Ok(Wish {
            object: object.to_owned(),
            fields: canonical,
        })
    }

    /// Says whether both are the same, whatever the case of their names.
    pub(crate) fn is(&self, other: &Wish) -> bool {
        let same = |(a, b): (&String, &String)| a.eq_ignore_ascii_case(b);
        self.object.eq_ignore_ascii_case(&other.object)
            && self.fields.len() == other.fields.len()
            && self.fields.iter().zip(&other.fields).all(same)
    }

    fn name(&self) -> String {
        let mut name = format!("{PREFIX}{}", self.object);
        for field in &self.fields {
            name.push('_');
            name.push_str(&field.replace(' ', "_"));
        }
        name
    }
}

impl Part {
    fn print(&self) -> String {
        let mut text = self.field.clone();
        if self.descends {
            text.push_str(" DESC");
        }
        text
    }
}

/// Reads fields as ORDER BY has them and finds them among the columns.
fn parts(table: &Table, fields: &[String]) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for field in fields {
        for order in order_terms(field)? {
            parts.push(part(table, &order)?);
        }
    }
    if parts.is_empty() {
        return Err(Error::invalid("an index is on at least one field"));
    }
    Ok(parts)
}

/// The field of a term, which is one of the object itself.
fn own_field<'o>(object: &str, order: &'o Order) -> Result<(&'o str, At)> {
    match &order.by {
        Expr::Field(path) => match path.split() {
            ([], name) => Ok((name, path.at)),
            _ => Err(Error::invalid(format!(
                "an index of {object} is on its own fields, not on those of a parent"
            ))),
        },
        _ => Err(Error::invalid(format!(
            "an index of {object} is on fields, not on functions of them"
        ))),
    }
}

fn part(table: &Table, order: &Order) -> Result<Part> {
    let object = &table.object.name;
    let (name, position) = own_field(object, order)?;
    let Some(at) = table.place(name) else {
        return Err(match table.object.field(name) {
            None => crate::filter::resolve::unknown_field(&table.object, name, position),
            Some(field) => Error::new(
                ErrorKind::UnknownField,
                format!("{object}.{} is not carried by this briefcase", field.name),
            ),
        });
    };
    Ok(Part {
        field: table.columns[at].name.clone(),
        descends: order.direction == Direction::Descending,
    })
}

/// The statement that makes an index.
fn create(table: &Table, wish: &Wish, partial: Partial) -> Result<String> {
    let parts = parts(table, &wish.fields)?;
    let mut columns: Vec<String> = Vec::new();
    // SQLite reads an index backwards as well as forwards: what only descends may as well ascend.
    let turned = parts.iter().all(|part| part.descends);
    let direction = |descends: bool| if descends && !turned { " DESC" } else { "" };
    for part in &parts {
        let field = table.object.field(&part.field);
        let term = field.map_or_else(|| quote(&part.field), index_term);
        columns.push(format!("{term}{}", direction(part.descends)));
    }
    // Orders end with the id, so that equal rows have an order too.
    let last = parts.last().is_some_and(|part| part.descends);
    if !parts.iter().any(|part| part.field == "Id") {
        columns.push(format!("\"Id\"{}", direction(last)));
    }
    let condition = match (partial, parts.first()) {
        (Partial::Filled, Some(part)) => format!(" WHERE {} IS NOT NULL", quote(&part.field)),
        _ => String::new(),
    };
    Ok(format!(
        "CREATE INDEX {} ON {} ({}){condition}",
        quote(&wish.name()),
        quote(&table.object.name),
        columns.join(", ")
    ))
}

/// Which rows an index holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Partial {
    All,
    /// Those that have a value in its first field.
    Filled,
}

impl Reading<'_> {
    /// What the host asked for.
    pub(crate) fn index_wishes(&self) -> Result<Vec<Wish>> {
        let Some(json) = self.setting(SETTING)? else {
            return Ok(Vec::new());
        };
        serde_json::from_str(&json).map_err(|error| {
            Error::new(
                ErrorKind::StorageCorrupt,
                "the list of indexes cannot be read",
            )
            .with_source(error)
        })
    }

    /// The names and statements of an object's indexes that are ours to make and drop.
    fn made(&self, object: &str) -> Result<BTreeMap<String, String>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND substr(name, 1, ?2) = ?3",
        )?;
        let rows = statement.query_map(
            rusqlite::params![object, PREFIX.len() as i64, PREFIX],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Says whether an index stands.
    pub(crate) fn is_made(&self, wish: &Wish) -> Result<bool> {
        let name = wish.name();
        Ok(self.made(&wish.object)?.contains_key(&name))
    }

    /// Says whether an index stands that this statement makes.
    pub(super) fn stands(&self, table: &Table, sql: &str) -> Result<bool> {
        let made = self.made(&table.object.name)?;
        Ok(made.values().any(|made| made == sql))
    }

    /// The statement that makes the index of a wish; `None` if it stands.
    pub(super) fn unmade(&self, table: &Table, wish: &Wish) -> Result<Option<String>> {
        if self.is_made(wish)? {
            return Ok(None);
        }
        create(table, wish, Partial::All).map(Some)
    }

    /// What is to be done so that an object has the indexes of its rules, its lookups and the host, and no others.
    ///
    /// A wish for a field that is not carried now waits.
    pub(crate) fn index_plan(&self, table: &Table, rules: &[Vec<String>]) -> Result<IndexPlan> {
        let mut wanted: BTreeMap<String, Made> = BTreeMap::new();
        let mut want = |fields: &[String], partial: Partial| {
            let Ok(wish) = Wish::on(table, fields) else {
                return Ok(());
            };
            // The table has one on its ids anyhow.
            if wish.fields == ["Id"] {
                return Ok(());
            }
            let sql = create(table, &wish, partial)?;
            let fields = wish.fields.clone();
            wanted.insert(wish.name(), Made { fields, sql });
            Ok::<(), Error>(())
        };
        for field in self.lookups(table) {
            want(&[field], Partial::Filled)?;
        }
        for fields in rules {
            want(fields, Partial::All)?;
        }
        for wish in self.index_wishes()? {
            if wish.object.eq_ignore_ascii_case(&table.object.name) {
                want(&wish.fields, Partial::All)?;
            }
        }
        // One that begins with all fields of another does its work too.
        let begun: Vec<Vec<String>> = wanted.values().map(|made| made.fields.clone()).collect();
        wanted.retain(|_, made| {
            !made.sql.contains(" IS NOT NULL")
                || !begun
                    .iter()
                    .any(|fields| fields.len() > 1 && fields.starts_with(&made.fields))
        });
        let made = self.made(&table.object.name)?;
        Ok(IndexPlan {
            drop: made
                .iter()
                .filter(|(name, sql)| wanted.get(*name).is_none_or(|want| want.sql != **sql))
                .map(|(name, _)| name.clone())
                .collect(),
            create: wanted
                .into_iter()
                .filter(|(name, want)| made.get(name) != Some(&want.sql))
                .map(|(_, want)| want.sql)
                .collect(),
        })
    }

    /// The lookups of a table by which a query finds the children of a record.
    fn lookups(&self, table: &Table) -> Vec<String> {
        let is_carried = |target: &String| self.catalogue.table(target).is_some();
        let leads_here = |name: &str| {
            table.object.field(name).is_some_and(|field| {
                field.field_type == FieldType::Reference
                    && field.reference_to.iter().any(is_carried)
                    && !matches!(name, "CreatedById" | "LastModifiedById" | "OwnerId")
            })
        };
        let names = table.columns.iter().map(|column| &column.name);
        names.filter(|name| leads_here(name)).cloned().collect()
    }
}

/// Indexes to drop, by name, and to make, by statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexPlan {
    pub drop: Vec<String>,
    pub create: Vec<String>,
}

impl Writing<'_> {
    pub(crate) fn set_index_wishes(&self, wishes: &[Wish]) -> Result<()> {
        let json = serde_json::to_string(wishes)
            .map_err(|error| Error::internal("a list of indexes prints").with_source(error))?;
        self.set_setting(SETTING, &json)
    }

    pub(crate) fn drop_index(&self, name: &str) -> Result<()> {
        self.connection
            .execute_batch(&format!("DROP INDEX IF EXISTS {}", quote(name)))?;
        Ok(())
    }

    /// Tells the planner what a table's indexes are worth.
    pub(super) fn analyze(&self, table: &Table) -> Result<()> {
        self.connection.execute_batch(&format!(
            "PRAGMA analysis_limit = {ANALYSIS_ROWS}; ANALYZE {}",
            quote(&table.object.name)
        ))?;
        Ok(())
    }
}
