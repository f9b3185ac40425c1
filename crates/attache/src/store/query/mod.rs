//! Queries on the device: from SOQL to SQL on the store's tables.
//!
//! ```text
//! Select ── select ─► Compiled ── rows ─► Rows
//!   source     which tables, joined how          condition  WHERE and HAVING
//!   operand    fields, functions, aggregates     functions  what SQLite lacks
//! ```
//!
//! Literals are always bound and names always come, quoted, from the schema: no
//! statement can say anything but what its grammar says.

mod calendar;
mod condition;
mod functions;
mod group;
mod operand;
mod rows;
mod select;
mod source;
mod sql;

pub(crate) use functions::register;
pub use rows::{Cell, Row, Rows};
pub(crate) use rows::{each, explain, run};
pub(crate) use select::{Compiled, compile};

use crate::error::Result;
use crate::filter::ast::At;
use crate::filter::check::Kind;
use crate::filter::resolve::Names;
use crate::filter::{Context, Filter};
use crate::schema::{FieldSchema, FieldType, Schema};
use source::Source;

/// What a query may read.
pub(crate) trait Tables {
    /// The objects that are known.
    fn schema(&self) -> &Schema;

    /// Says whether the object has a table with a column for the field.
    fn has(&self, object: &str, field: &str) -> bool;
}

/// A store that carries all of a schema.
pub(crate) struct Everything<'a>(pub(crate) &'a Schema);

impl Tables for Everything<'_> {
    fn schema(&self) -> &Schema {
        self.0
    }

    fn has(&self, object: &str, field: &str) -> bool {
        let field = self.0.object(object).and_then(|object| object.field(field));
        field.is_some_and(|field| field.field_type.is_stored())
    }
}

/// Compiles a filter to a SQL condition on an object's table, called by its own name.
///
/// It holds, with its parameters in the order of their `?`, in
/// `UPDATE "Account" SET ... WHERE <condition>` and in
/// `SELECT ... FROM "Account" WHERE <condition>`. Numbered parameters of the
/// statement must stand before it.
///
/// # Errors
/// A name that the schema or this device does not have, or a value of a wrong type.
pub(crate) fn where_sql(
    object: &str,
    filter: &Filter,
    tables: &dyn Tables,
    context: &Context,
) -> Result<(String, Vec<rusqlite::types::Value>)> {
    let names = || Names::of_object(tables.schema(), object, At(0));
    let object = names()?.object;
    if !tables.has(&object.name, "Id") {
        return Err(source::not_carried_object(&object.name, At(0)));
    }
    let mut own = Source::unaliased(tables, context, names()?);
    let sql = condition::condition(&mut own, filter.condition())?;
    if !own.has_joins() {
        return Ok((format!("({})", sql.text), sql.params));
    }
    // An UPDATE has no place for joins: look at the row once more, with its parents.
    let mut again = Source::new(tables, context, names()?, "attache_q");
    let sql = condition::condition(&mut again, filter.condition())?;
    let text = format!(
        "EXISTS (SELECT 1 FROM {} WHERE {}.\"attache_row\" = {}.\"attache_row\" AND ({}))",
        again.from(),
        again.root,
        own.root,
        sql.text
    );
    Ok((text, sql.params))
}

/// What to index so that conditions on a field, and orders by it, need not read every row.
///
/// A term of `CREATE INDEX ... ON table (<term>)`; the connection must be
/// [`register`]ed to write to a table with such an index.
pub(crate) fn index_term(field: &FieldSchema) -> String {
    let column = sql::quote(&field.name);
    match (Kind::of(field), &field.field_type) {
        (Kind::Text, _) => format!("{column} COLLATE attache_text"),
        (_, FieldType::Double | FieldType::Currency | FieldType::Percent) => {
            format!("CAST({column} AS REAL)")
        }
        _ => column,
    }
}

#[cfg(test)]
mod tests;
