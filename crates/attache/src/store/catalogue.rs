//! The objects of this store and their tables.

use super::{Writing, damaged, quote, standing};
use crate::error::{Error, Result};
use crate::record::ServerTime;
use crate::schema::{FieldType, ObjectSchema, Schema};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What is known of the objects: one immutable value, replaced as a whole.
#[derive(Default)]
pub(crate) struct Catalogue {
    pub schema: Schema,
    /// By their objects' names in lower case.
    tables: BTreeMap<String, Arc<Table>>,
}

/// The table of one object.
pub(crate) struct Table {
    pub object: Arc<ObjectSchema>,
    /// The carried fields in column order; `Id` is the first.
    pub columns: Vec<Column>,
    places: HashMap<String, usize>,
    /// `INSERT ... VALUES` of all columns, then `attache_rules`, `attache_key`.
    pub insert: String,
    /// All columns, `attache_rules`, `attache_key` of the row of an id.
    pub select: String,
    /// Sets all columns but the id, and adds rule bits, of the row of an id.
    pub replace: String,
    /// What an edit asks of the row behind an id, see [`standing`].
    pub stand: String,
    /// For each column those that go with it in an edit, see [`standing`].
    pub bound: Vec<Vec<usize>>,
    /// The number of the columns' names, by which bases are kept; `None` until the table is in the catalogue.
    pub shape: Option<i64>,
}

/// One carried field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    pub ty: FieldType,
}

impl Catalogue {
    /// Finds the table of an object, whatever the case of its name.
    pub(crate) fn table(&self, object: &str) -> Option<&Arc<Table>> {
        self.tables.get(&object.to_ascii_lowercase())
    }

    /// The tables, in order of their names, whatever the case.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// Says whether an object has a table of just these fields.
    pub(crate) fn carries(&self, object: &str, fields: &[String]) -> bool {
        self.table(object)
            .is_some_and(|table| table.columns.iter().map(|column| &column.name).eq(fields))
    }

    /// Finds a table that our own statements are sure to have.
    pub(crate) fn known(&self, object: &str) -> Result<&Arc<Table>> {
        self.table(object)
            .ok_or_else(|| Error::internal(format!("there is no table for {object}")))
    }
}

impl super::query::Tables for Catalogue {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn has(&self, object: &str, field: &str) -> bool {
        self.table(object)
            .is_some_and(|table| table.place(field).is_some())
    }
}

impl Table {
    /// Lays out a table. It is made by [`Writing::define`].
    pub(crate) fn new(object: Arc<ObjectSchema>, carried: &[String]) -> Table {
        let columns: Vec<Column> = carried
            .iter()
            .filter_map(|name| object.field(name))
            .map(|field| Column {
                name: field.name.clone(),
                ty: field.field_type.clone(),
            })
            .collect();
        let places = columns
            .iter()
            .enumerate()
            .map(|(at, column)| (column.name.to_ascii_lowercase(), at))
            .collect();
        let names: Vec<String> = columns.iter().map(|column| quote(&column.name)).collect();
        let table = quote(&object.name);
        let marks: Vec<String> = (1..=columns.len() + 2).map(|at| format!("?{at}")).collect();
        let sets: Vec<String> = names
            .iter()
            .enumerate()
            .skip(1)
            .map(|(at, name)| format!("{name} = ?{}", at + 1))
            .collect();
        let plain: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        Table {
            stand: standing::statement(&object.name, &names.join(", ")),
            bound: standing::bound(&object, &plain),
            shape: None,
            insert: format!(
                "INSERT INTO {table} ({}, \"attache_rules\", \"attache_key\") VALUES ({})",
                names.join(", "),
                marks.join(", ")
            ),
            select: format!(
                "SELECT {}, \"attache_rules\", \"attache_key\" FROM {table} WHERE \"Id\" = ?1",
                names.join(", ")
            ),
            replace: format!(
                "UPDATE {table} SET {}, \"attache_rules\" = \"attache_rules\" | ?{} WHERE \"Id\" = ?1",
                sets.join(", "),
                columns.len() + 1
            ),
            object,
            columns,
            places,
        }
    }

    /// The place of a field among the columns, whatever the case of its name.
    pub(crate) fn place(&self, field: &str) -> Option<usize> {
        self.places.get(&field.to_ascii_lowercase()).copied()
    }

    /// The carried fields' names, in column order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    /// Says whether a field points at records.
    pub(crate) fn is_lookup(&self, field: &str) -> bool {
        self.object
            .field(field)
            .is_some_and(|field| field.field_type == FieldType::Reference)
    }
}

pub(super) fn declared(ty: &FieldType) -> &'static str {
    match ty {
        FieldType::Boolean | FieldType::Int | FieldType::Long | FieldType::DateTime => "INTEGER",
        FieldType::Double | FieldType::Currency | FieldType::Percent => "ANY",
        _ => "TEXT",
    }
}

/// Reads what is known of the objects.
pub(super) fn load(connection: &Connection) -> Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    let shapes = shapes(connection)?;
    let mut statement = connection.prepare("SELECT name, describe, carried FROM attache_object")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, describe): (String, String) = (row.get(0)?, row.get(1)?);
        let carried: String = row.get(2)?;
        let carried = parse_list(&carried)?;
        // It could be read when it was stored, so that it is no fault of the remote's now.
        add(&mut catalogue, &name, &describe, &carried, |names| {
            Ok(shapes.get(names).copied())
        })
        .map_err(|error| damaged("the description of an object").with_source(error))?;
    }
    Ok(catalogue)
}

/// The numbers of lists of names, by the lists as JSON; none in a store of a format that had no such lists.
fn shapes(connection: &Connection) -> Result<HashMap<String, i64>> {
    let mut known = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'attache_shape'")?;
    if !known.exists([])? {
        return Ok(HashMap::new());
    }
    let mut statement = connection.prepare("SELECT fields, nr FROM attache_shape")?;
    let shapes: rusqlite::Result<_> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect();
    Ok(shapes?)
}

fn add(
    catalogue: &mut Catalogue,
    name: &str,
    describe: &str,
    carried: &[String],
    shape: impl FnOnce(&str) -> Result<Option<i64>>,
) -> Result<()> {
    let mut object = ObjectSchema::from_describe(describe)?;
    name.clone_into(&mut object.name);
    catalogue.schema.insert(object);
    let object = catalogue
        .schema
        .object(name)
        .ok_or_else(|| Error::internal("an object just added is there"))?;
    if carried.is_empty() {
        catalogue.tables.remove(&name.to_ascii_lowercase());
    } else {
        let mut table = Table::new(Arc::clone(object), carried);
        table.shape = shape(&list(&table.names())?)?;
        catalogue
            .tables
            .insert(name.to_ascii_lowercase(), Arc::new(table));
    }
    Ok(())
}

fn list(names: &[String]) -> Result<String> {
    serde_json::to_string(names)
        .map_err(|error| Error::internal("a list prints as JSON").with_source(error))
}

fn parse_list(json: &str) -> Result<Vec<String>> {
    serde_json::from_str(json).map_err(|error| damaged("a list of fields").with_source(error))
}

impl Writing<'_> {
    /// Takes over an object's describe and the list of fields to carry, and brings its table into that shape.
    ///
    /// An object keeps the name that it was first described under: the server
    /// does not mind its case, and rows, rules and edits go by it here.
    pub(crate) fn define(
        &mut self,
        describe: &str,
        last_modified: Option<&str>,
        carried: &[String],
    ) -> Result<()> {
        let mut object = ObjectSchema::from_describe(describe)?;
        if let Some(known) = self.reading().stored_name(&object.name)? {
            object.name = known;
        }
        let wanted = Table::new(Arc::new(object), carried);
        let name = wanted.object.name.clone();
        match self.catalogue.table(&name).cloned() {
            Some(have) => self.alter(&have, &wanted)?,
            None => self.create(&wanted)?,
        }
        let json = list(carried)?;
        self.connection.execute(
            "INSERT INTO attache_object (name, describe, last_modified, carried) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET describe = ?2, last_modified = ?3, carried = ?4",
            params![name, describe, last_modified, json],
        )?;
        let mut next = Catalogue {
            schema: self.catalogue.schema.clone(),
            tables: self.catalogue.tables.clone(),
        };
        add(&mut next, &name, describe, carried, |names| {
            self.shape(names).map(Some)
        })?;
        self.catalogue = Arc::new(next);
        self.changed = true;
        Ok(())
    }

    /// The number of a list of names, given to it now if it has none.
    fn shape(&self, names: &str) -> Result<i64> {
        self.connection.execute(
            "INSERT OR IGNORE INTO attache_shape (fields) VALUES (?1)",
            [names],
        )?;
        let number = "SELECT nr FROM attache_shape WHERE fields = ?1";
        Ok(self
            .connection
            .query_row(number, [names], |row| row.get(0))?)
    }

    fn create(&self, table: &Table) -> Result<()> {
        self.reload(&table.object.name)?;
        let columns: Vec<String> = table
            .columns
            .iter()
            .skip(1)
            .map(|c| format!("{} {}", quote(&c.name), declared(&c.ty)))
            .collect();
        self.connection.execute_batch(&format!(
            "CREATE TABLE {} (\"attache_row\" INTEGER PRIMARY KEY, \"Id\" TEXT NOT NULL UNIQUE, {}{} \
             \"attache_rules\" INTEGER NOT NULL DEFAULT 0, \"attache_key\" TEXT) STRICT",
            quote(&table.object.name),
            columns.join(", "),
            if columns.is_empty() { "" } else { "," },
        ))?;
        // Few rows have a key of their own, and hosts find them by it.
        self.connection.execute_batch(&format!(
            "CREATE INDEX {} ON {} (\"attache_key\") WHERE \"attache_key\" IS NOT NULL",
            quote(&format!("attache_key_{}", table.object.name)),
            quote(&table.object.name),
        ))?;
        // What no rule holds is found without a walk through the table.
        self.connection.execute_batch(&format!(
            "CREATE INDEX {} ON {} (\"Id\") WHERE \"attache_rules\" = 0",
            quote(&format!("attache_idle_{}", table.object.name)),
            quote(&table.object.name),
        ))?;
        Ok(())
    }

    /// Moves the time from which an object's changes are to be read.
    pub(crate) fn set_low(&self, object: &str, low: ServerTime) -> Result<()> {
        self.connection.execute(
            "UPDATE attache_object SET low = ?2 WHERE name = ?1",
            params![object, low.0],
        )?;
        Ok(())
    }
}

impl super::Reading<'_> {
    /// The names that a number stands for.
    pub(super) fn names(&self, shape: i64) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT fields FROM attache_shape WHERE nr = ?1")?;
        let names: Option<String> = statement.query_row([shape], |row| row.get(0)).optional()?;
        parse_list(&names.ok_or_else(|| damaged("a list of fields"))?)
    }

    /// The time from which an object's changes are to be read; `None` before its first load.
    pub(crate) fn low(&self, object: &str) -> Result<Option<ServerTime>> {
        let low: Option<Option<i64>> = self
            .connection
            .query_row(
                "SELECT low FROM attache_object WHERE name = ?1",
                [object],
                |row| row.get(0),
            )
            .optional()?;
        Ok(low.flatten().map(ServerTime))
    }

    /// What to send with a describe to hear only of changes.
    pub(crate) fn describe_stamp(&self, object: &str) -> Result<Option<(String, Option<String>)>> {
        Ok(self
            .connection
            .query_row(
                "SELECT describe, last_modified FROM attache_object WHERE name = ?1 COLLATE NOCASE",
                [object],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?)
    }
}
