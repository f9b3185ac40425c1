//! Rows of the record tables, and bases.

use super::catalogue::Column;
use super::files::{FILE, PARENT};
use super::{Reading, Table, Writing, quote, value};
use crate::error::Result;
use crate::json;
use crate::record::{Fields, Record, RecordId, Value, is_local};
use crate::schema::FieldType;
use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, params, params_from_iter};
use std::sync::Arc;

/// A row as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Values in column order.
    pub values: Vec<Value>,
    /// Membership.
    pub rules: i64,
    /// The record's identity, if it is not its current id.
    pub key: Option<String>,
}

/// Where a record is.
pub(crate) struct Place {
    pub table: Arc<Table>,
    /// Its current id: the server's, or a local key until there is one.
    pub id: String,
}

/// What the server last confirmed of a record that was edited here.
pub(crate) struct Base {
    pub fields: Fields,
    pub rules: i64,
    pub key: Option<String>,
}

impl Table {
    /// Values in column order as fields.
    pub(crate) fn fields(&self, values: &[Value]) -> Fields {
        self.columns
            .iter()
            .zip(values)
            .map(|(column, value)| (column.name.clone(), value.clone()))
            .collect()
    }

    /// Fields as values in column order; a field that is absent, or of another type than its column, is null.
    pub(crate) fn values(&self, fields: &Fields) -> Vec<Value> {
        let value = |column: &Column| value::adapt(fields.get(&column.name)?, &column.ty);
        self.columns
            .iter()
            .map(|column| value(column).unwrap_or(Value::Null))
            .collect()
    }

    /// Says whether a row can show this value of a field.
    pub(crate) fn shows(&self, field: &str, value: &Value) -> bool {
        self.place(field)
            .is_some_and(|at| value::adapt(value, &self.columns[at].ty).is_some())
    }
}

impl Table {
    /// Reads all columns, then rules and key.
    pub(super) fn read(&self, row: &rusqlite::Row<'_>) -> Result<Row> {
        let mut values = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            values.push(value::from_sql(row.get_ref(at)?, &column.ty));
        }
        Ok(Row {
            values,
            rules: row.get(self.columns.len())?,
            key: row.get(self.columns.len() + 1)?,
        })
    }
}

impl Reading<'_> {
    /// The current id behind an identity.
    pub(crate) fn current(&self, id: &str) -> Result<String> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT current FROM attache_alias WHERE key = ?1")?;
        Ok(statement
            .query_row([id], |row| row.get(0))
            .optional()?
            .unwrap_or_else(|| id.to_owned()))
    }

    /// The identity behind a current id.
    pub(crate) fn identity(&self, current: &str) -> Result<RecordId> {
        // Several keys lead to a record that was created anew; the first one given out
        // is the one that hosts hold, and the row or its base remembers it.
        if let Some(base) = self.base(current)?
            && let Some(key) = base.key
        {
            return Ok(RecordId::trusted(&key));
        }
        for table in self.candidates(current)? {
            let sql = format!(
                "SELECT \"attache_key\" FROM {} WHERE \"Id\" = ?1",
                quote(&table.object.name)
            );
            let key: Option<Option<String>> = self
                .connection
                .prepare_cached(&sql)?
                .query_row([current], |row| row.get(0))
                .optional()?;
            if let Some(key) = key.flatten() {
                return Ok(RecordId::trusted(&key));
            }
        }
        Ok(RecordId::trusted(current))
    }

    /// Finds a record by its identity or its server id.
    pub(crate) fn locate(&self, id: &RecordId) -> Result<Option<Place>> {
        let current = self.current(id.as_str())?;
        for table in self.candidates(&current)? {
            let sql = format!(
                "SELECT 1 FROM {} WHERE \"Id\" = ?1",
                quote(&table.object.name)
            );
            if self.connection.prepare_cached(&sql)?.exists([&current])? {
                return Ok(Some(Place { table, id: current }));
            }
        }
        Ok(None)
    }

    /// Finds a record with its row.
    pub(crate) fn find(&self, id: &RecordId) -> Result<Option<(Place, Row)>> {
        let current = self.current(id.as_str())?;
        for table in self.candidates(&current)? {
            if let Some(row) = self.row(&table, &current)? {
                return Ok(Some((Place { table, id: current }, row)));
            }
        }
        Ok(None)
    }

    /// The tables in which an id can be.
    pub(super) fn candidates(&self, current: &str) -> Result<Vec<Arc<Table>>> {
        if is_local(current) {
            let mut statement = self
                .connection
                .prepare_cached("SELECT object FROM attache_mutation WHERE record = ?1")?;
            let object: Option<String> = statement
                .query_row([current], |row| row.get(0))
                .optional()?;
            return Ok(object
                .and_then(|name| self.catalogue.table(&name).cloned())
                .into_iter()
                .collect());
        }
        let prefix = current.get(..3);
        let tables = self.catalogue.tables();
        // Some objects have no prefix of their own, and some share one.
        Ok(tables
            .filter(|t| t.object.key_prefix.is_none() || t.object.key_prefix.as_deref() == prefix)
            .cloned()
            .collect())
    }

    /// Reads a row by its current id.
    pub(crate) fn row(&self, table: &Table, id: &str) -> Result<Option<Row>> {
        let mut statement = self.connection.prepare_cached(&table.select)?;
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(table.read(row)?))
    }

    /// Reads a record by its identity.
    pub(crate) fn record(&self, id: &RecordId) -> Result<Option<Record>> {
        let Some((place, row)) = self.find(id)? else {
            return Ok(None);
        };
        Ok(Some(Record {
            id: row
                .key
                .as_deref()
                .map_or_else(|| RecordId::trusted(&place.id), RecordId::trusted),
            object: place.table.object.name.clone(),
            fields: place.table.fields(&row.values),
        }))
    }

    /// What the server last confirmed of an edited record.
    pub(crate) fn base(&self, id: &str) -> Result<Option<Base>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT object, fields, rules, key FROM attache_base WHERE record = ?1",
        )?;
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let object: String = row.get(0)?;
        let fields: String = row.get(1)?;
        let names = |shape| match self.catalogue.table(&object) {
            Some(table) if table.shape == Some(shape) => Ok(table.names()),
            // It was kept when the table had other columns.
            _ => self.names(shape),
        };
        Ok(Some(Base {
            fields: json::load_base(&fields, names)?,
            rules: row.get(2)?,
            key: row.get(3)?,
        }))
    }

    /// Says whether a record has a base, which is long, without reading it.
    pub(super) fn has_base(&self, id: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM attache_base WHERE record = ?1")?
            .exists([id])?)
    }

    /// How many records each table holds.
    pub(crate) fn counts(&self) -> Result<Vec<(String, u64)>> {
        let mut counts = Vec::new();
        for table in self.catalogue.tables() {
            let sql = format!("SELECT count(*) FROM {}", quote(&table.object.name));
            let count: i64 = self
                .connection
                .prepare_cached(&sql)?
                .query_row([], |row| row.get(0))?;
            counts.push((table.object.name.clone(), u64::try_from(count).unwrap_or(0)));
        }
        Ok(counts)
    }
}

impl Writing<'_> {
    /// Stores a new row.
    pub(crate) fn insert_row(&self, table: &Table, row: &Row) -> Result<()> {
        let mut statement = self.connection.prepare_cached(&table.insert)?;
        for (at, (column, value)) in table.columns.iter().zip(&row.values).enumerate() {
            statement.raw_bind_parameter(at + 1, value::bind(value, &column.ty))?;
        }
        statement.raw_bind_parameter(table.columns.len() + 1, row.rules)?;
        statement.raw_bind_parameter(table.columns.len() + 2, row.key.as_deref())?;
        statement.raw_execute()?;
        Ok(())
    }

    /// Stores values over a row, and adds to its membership.
    pub(crate) fn replace_row(&self, table: &Table, values: &[Value], rules: i64) -> Result<()> {
        if table.columns.len() < 2 {
            return self.add_rules(table, values[0].as_text().unwrap_or_default(), rules);
        }
        let mut statement = self.connection.prepare_cached(&table.replace)?;
        for (at, (column, value)) in table.columns.iter().zip(values).enumerate() {
            statement.raw_bind_parameter(at + 1, value::bind(value, &column.ty))?;
        }
        statement.raw_bind_parameter(table.columns.len() + 1, rules)?;
        statement.raw_execute()?;
        Ok(())
    }

    /// Adds to a row's membership.
    pub(crate) fn add_rules(&self, table: &Table, id: &str, rules: i64) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET \"attache_rules\" = \"attache_rules\" | ?2 WHERE \"Id\" = ?1",
            quote(&table.object.name)
        );
        self.connection
            .prepare_cached(&sql)?
            .execute(params![id, rules])?;
        Ok(())
    }

    /// Sets some columns of a row. What a column cannot show stays away from it.
    pub(crate) fn set_fields(&self, table: &Table, id: &str, fields: &Fields) -> Result<()> {
        let mut sets = Vec::new();
        let mut leads_elsewhere = false;
        let mut binds: Vec<Box<dyn ToSql>> = vec![Box::new(id.to_owned())];
        for (name, value) in fields.iter() {
            let Some(at) = table.place(name) else {
                continue;
            };
            let column = &table.columns[at];
            let Some(value) = value::adapt(value, &column.ty) else {
                continue;
            };
            leads_elsewhere |= column.ty == FieldType::Reference;
            binds.push(Box::new(value::to_sql(&value, &column.ty)));
            sets.push(format!("{} = ?{}", quote(&column.name), binds.len()));
        }
        if !sets.is_empty() {
            let sql = format!(
                "UPDATE {} SET {} WHERE \"Id\" = ?1",
                quote(&table.object.name),
                sets.join(", ")
            );
            self.connection
                .prepare_cached(&sql)?
                .execute(params_from_iter(binds))?;
        }
        if leads_elsewhere {
            self.unsettle_relations(&table.object.name)?;
        }
        Ok(())
    }

    /// Has a row known by another identity, if it is not yet.
    pub(super) fn set_key(&self, table: &Table, id: &str, identity: &RecordId) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET \"attache_key\" = coalesce(\"attache_key\", ?2) WHERE \"Id\" = ?1",
            quote(&table.object.name)
        );
        self.connection
            .prepare_cached(&sql)?
            .execute([id, identity.as_str()])?;
        self.connection
            .prepare_cached("UPDATE attache_base SET key = coalesce(key, ?2) WHERE record = ?1")?
            .execute([id, identity.as_str()])?;
        Ok(())
    }

    /// Takes a row away. What was related to it may go as well.
    pub(crate) fn delete_row(&self, table: &Table, id: &str) -> Result<()> {
        let sql = format!(
            "DELETE FROM {} WHERE \"Id\" = ?1",
            quote(&table.object.name)
        );
        self.connection.prepare_cached(&sql)?.execute([id])?;
        self.unsettle_relations(&table.object.name)
    }

    /// Keeps what the server last confirmed of a record.
    ///
    /// Of a field that is hidden now, or that has a type in which an edit of it cannot be shown, the value stays that the
    /// edit was made upon: it is sent when the field is back.
    pub(crate) fn put_base(
        &self,
        table: &Table,
        id: &str,
        fields: &Fields,
        rules: i64,
        key: Option<&str>,
    ) -> Result<()> {
        let mut fields = fields.clone();
        let before = self.reading().base(id)?.map(|base| base.fields);
        let edits = self.reading().entries_of(id)?;
        let is_hidden = |name: &str| {
            table.object.field(name).is_none()
                || edits
                    .iter()
                    .filter_map(|edit| edit.fields.get(name))
                    .any(|value| !table.shows(name, value))
        };
        for (name, value) in before.into_iter().flatten() {
            if is_hidden(&name) {
                fields.set(name, value);
            }
        }
        self.store_base(table, id, &json::store_fields(&fields), rules, key)
    }

    /// Keeps a row as the base of its record.
    pub(super) fn store_row_as_base(&self, table: &Table, id: &str, row: &Row) -> Result<()> {
        let fields = match table.shape {
            Some(shape) => json::store_values(shape, row.values.iter()),
            None => json::store_fields(&table.fields(&row.values)),
        };
        self.store_base(table, id, &fields, row.rules, row.key.as_deref())
    }

    /// Writes a base as it is given.
    fn store_base(
        &self,
        table: &Table,
        id: &str,
        fields: &str,
        rules: i64,
        key: Option<&str>,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO attache_base VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET fields = excluded.fields, rules = excluded.rules, key = excluded.key",
            )?
            .execute(params![id, table.object.name, fields, rules, key])?;
        Ok(())
    }

    /// Keeps the membership and the identity of a row that is about to be deleted here.
    pub(crate) fn keep_membership(&self, id: &str, row: &Row) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE attache_base SET rules = ?2, key = ?3 WHERE record = ?1")?
            .execute(params![id, row.rules, row.key])?;
        Ok(())
    }

    /// Forgets the identities of a record that will never be.
    pub(crate) fn forget_aliases(&self, current: &str) -> Result<()> {
        self.let_go(current)?;
        self.connection
            .prepare_cached("DELETE FROM attache_alias WHERE current = ?1")?
            .execute([current])?;
        Ok(())
    }

    pub(crate) fn drop_base(&self, id: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM attache_base WHERE record = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Gives a record another current id, everywhere: its row, its journal, the lookups that point at it.
    ///
    /// Only rows edited here can point at a local key, so the journal names them all.
    pub(crate) fn rename(&self, table: &Table, from: &str, to: &str) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET \"Id\" = ?2 WHERE \"Id\" = ?1",
            quote(&table.object.name)
        );
        self.connection.prepare_cached(&sql)?.execute([from, to])?;
        self.connection.execute(
            "UPDATE attache_mutation SET record = ?2 WHERE record = ?1",
            [from, to],
        )?;
        self.connection.execute(
            "UPDATE attache_base SET record = ?2 WHERE record = ?1",
            [from, to],
        )?;
        self.connection.execute(
            "UPDATE attache_conflict SET record = ?2 WHERE record = ?1",
            [from, to],
        )?;
        self.point_elsewhere(table, from, to)
    }

    /// Lets all that names a record by one id name it by another: hosts, pins, and the lookups of unsent edits.
    pub(super) fn point_elsewhere(&self, table: &Table, from: &str, to: &str) -> Result<()> {
        let object = &table.object.name;
        self.rename_holds(from, to)?;
        self.connection.execute(
            "UPDATE attache_alias SET current = ?2 WHERE current = ?1",
            [from, to],
        )?;
        self.connection.execute(
            "INSERT INTO attache_alias VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET current = excluded.current",
            [from, to, object],
        )?;
        if planted!(LookupsNotRewritten) {
            return Ok(());
        }
        for mut entry in self.reading().entries_that_mention(from)? {
            let pointing = self.catalogue().table(&entry.object);
            if pointing.is_none() && entry.object != FILE {
                continue;
            }
            let is_lookup =
                |name: &str| pointing.map_or(name == PARENT, |pointing| pointing.is_lookup(name));
            // A text that quotes an id stays as it was written.
            let lookups: Vec<String> = entry
                .fields
                .iter()
                .filter(|(name, value)| value.as_text() == Some(from) && is_lookup(name))
                .map(|(name, _)| name.to_owned())
                .collect();
            for name in &lookups {
                entry.fields.set(name.as_str(), to);
                if let Some(pointing) = pointing.filter(|table| table.place(name).is_some()) {
                    let sql = format!(
                        "UPDATE {} SET {field} = ?2 WHERE \"Id\" = ?1 AND {field} = ?3",
                        quote(&pointing.object.name),
                        field = quote(name)
                    );
                    self.connection.prepare_cached(&sql)?.execute([
                        entry.record.as_str(),
                        to,
                        from,
                    ])?;
                }
            }
            if !lookups.is_empty() {
                self.set_entry_fields(entry.seq, &entry.fields)?;
            }
        }
        Ok(())
    }
}
