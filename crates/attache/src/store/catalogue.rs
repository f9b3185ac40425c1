//! The objects of this store and their tables.

use super::{Writing, damaged, quote, standing};
use crate::error::{Error, Result};
use crate::record::ServerTime;
use crate::schema::{FieldType, ObjectSchema, Schema};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What is known of the objects: one immutable value, replaced as a whole.
#[derive(Default)]
pub(crate) struct Catalogue {
    pub schema: Schema,
    /// By their objects' names in lower case.
    tables: BTreeMap<String, Arc<Table>>,
    /// What each object was made of, by its name.
    made_of: BTreeMap<String, Digest>,
}

/// Tells two describes with their lists of carried fields apart: to read one takes long.
type Digest = u64;

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

/// Reads the catalogue of a store. Objects that are as they were known are taken over as they are: any change of the
/// tables, be it an index, has it looked at anew, and a describe of hundreds of kilobytes takes milliseconds to read.
pub(super) fn load(connection: &Connection, known: &Catalogue) -> Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    let shapes = shapes(connection)?;
    let mut statement = connection.prepare("SELECT name, describe, carried FROM attache_object")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |at| -> rusqlite::Result<&str> { Ok(row.get_ref(at)?.as_str()?) };
        let (name, describe, carried) = (text(0)?, text(1)?, text(2)?);
        let digest = digest(describe, carried);
        if known.made_of.get(name) == Some(&digest)
            && let Some(object) = known.schema.object(name)
        {
            let table = known.tables.get(&name.to_ascii_lowercase());
            catalogue.insert(name, Arc::clone(object), table.cloned(), digest);
            continue;
        }
        let carried = parse_list(carried)?;
        // It could be read when it was stored, so that it is no fault of the remote's now.
        let mut object = ObjectSchema::from_describe(describe)
            .map_err(|error| damaged("the description of an object").with_source(error))?;
        name.clone_into(&mut object.name);
        let object = Arc::new(object);
        let mut table = (!carried.is_empty()).then(|| Table::new(Arc::clone(&object), &carried));
        if let Some(table) = &mut table {
            table.shape = shapes.get(&list(&table.names())?).copied();
        }
        catalogue.insert(name, object, table.map(Arc::new), digest);
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

impl Catalogue {
    fn insert(
        &mut self,
        name: &str,
        object: Arc<ObjectSchema>,
        table: Option<Arc<Table>>,
        digest: Digest,
    ) {
        self.schema.insert(object);
        let lower = name.to_ascii_lowercase();
        match table {
            Some(table) => self.tables.insert(lower, table),
            None => self.tables.remove(&lower),
        };
        self.made_of.insert(name.to_owned(), digest);
    }
}

fn digest(describe: &str, carried: &str) -> Digest {
    let mut hasher = DefaultHasher::new();
    (describe, carried).hash(&mut hasher);
    hasher.finish()
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
        let mut wanted = Table::new(Arc::new(object), carried);
        let name = wanted.object.name.clone();
        let version = super::schema_version(self.connection)?;
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
        if super::schema_version(self.connection)? == version {
            // Other handles look for what is new when the tables have changed.
            self.connection
                .execute_batch("CREATE VIEW attache_news AS SELECT 1; DROP VIEW attache_news")?;
        }
        let mut next = Catalogue {
            schema: self.catalogue.schema.clone(),
            tables: self.catalogue.tables.clone(),
            made_of: self.catalogue.made_of.clone(),
        };
        let object = Arc::clone(&wanted.object);
        let digest = digest(describe, &json);
        if carried.is_empty() {
            next.insert(&name, object, None, digest);
        } else {
            wanted.shape = Some(self.shape(&list(&wanted.names())?)?);
            next.insert(&name, object, Some(Arc::new(wanted)), digest);
        }
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

#[cfg(test)]
mod tests {
    use crate::Options;
    use crate::store::{Durability, Store};
    use std::sync::Arc;

    fn define(store: &Store, label: &str) {
        let describe = format!(
            r#"{{"name": "Contact", "label": "{label}", "fields": [{{"name": "Id", "type": "id"}}]}}"#
        );
        let done = store.write(Durability::Durable, |w| {
            w.define(&describe, None, &["Id".to_owned()])
        });
        done.unwrap();
    }

    fn label(store: &Store) -> String {
        let label = |label: &str| Ok(label.to_owned());
        let read = store.read(|r| label(&r.catalogue.known("Contact")?.object.label));
        read.unwrap()
    }

    #[test]
    fn another_handle_sees_a_describe_that_changes_no_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jo.db");
        let open = || Store::open(&path, Options::new()).unwrap();
        let (here, there) = (open(), open());
        define(&here, "Contact");
        assert_eq!(label(&there), "Contact");
        define(&here, "Person");
        assert_eq!(
            (label(&here), label(&there)),
            ("Person".into(), "Person".into())
        );
    }

    #[test]
    fn a_describe_is_not_read_again_because_an_index_was_made() {
        let store = Store::open_in_memory(Options::new()).unwrap();
        define(&store, "Contact");
        let table = || Arc::clone(store.catalogue().known("Contact").unwrap());
        let before = table();
        let index = |w: &mut crate::store::Writing<'_>| {
            w.connection
                .execute_batch("CREATE INDEX one ON \"Contact\" (\"attache_rules\")")?;
            Ok(())
        };
        store.write(Durability::Durable, index).unwrap();
        assert_eq!(label(&store), "Contact");
        assert!(Arc::ptr_eq(&before, &table()));
        define(&store, "Person");
        assert!(!Arc::ptr_eq(&before, &table()));
    }
}
