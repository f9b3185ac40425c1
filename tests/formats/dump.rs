//! A store's file as SQL text, and back.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use std::fmt::Write;
use std::path::Path;

/// Writes a whole file as SQL, in an order that does not change.
///
/// An index under the engine's own collation is left out: no other program can
/// keep it in order, and the engine makes it when it is missing.
pub fn dump(path: &Path) -> Result<String> {
    let file = Connection::open(path)?;
    let number =
        |pragma: &str| -> Result<i64> { file.pragma_query_value(None, pragma, |row| row.get(0)) };
    let mut text = format!(
        "PRAGMA application_id = {};\nPRAGMA user_version = {};\nBEGIN;\n",
        number("application_id")?,
        number("user_version")?
    );
    let (tables, rest) = objects(&file)?;
    for (name, kind, sql) in &tables {
        let _ = writeln!(text, "{sql};");
        if kind == "table" {
            rows(&file, name, &mut text)?;
        } else {
            // What a virtual table keeps is in tables of its own, which were made with it.
            for own in own_tables(&file, name)? {
                let _ = writeln!(text, "DELETE FROM {};", quoted(&own));
                rows(&file, &own, &mut text)?;
            }
        }
    }
    text.push_str("DELETE FROM sqlite_sequence;\n");
    rows(&file, "sqlite_sequence", &mut text)?;
    for sql in rest.iter().filter(|sql| !sql.contains("COLLATE attache_")) {
        let _ = writeln!(text, "{sql};");
    }
    text.push_str("COMMIT;\n");
    Ok(text)
}

/// Tables as (name, kind, SQL), without those that virtual ones keep for themselves; indexes and triggers as SQL.
#[allow(clippy::type_complexity, reason = "three texts of one row")]
fn objects(file: &Connection) -> Result<(Vec<(String, String, String)>, Vec<String>)> {
    let mut statement = file.prepare(
        "SELECT s.name, l.type, s.sql FROM sqlite_schema s JOIN pragma_table_list l ON l.name = s.name AND l.schema = 'main'
         WHERE s.type = 'table' AND l.type IN ('table', 'virtual') AND s.name NOT LIKE 'sqlite_%' ORDER BY l.type, s.name",
    )?;
    let tables = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_>>()?;
    let mut statement = file.prepare(
        "SELECT sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type, name",
    )?;
    let rest = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    Ok((tables, rest))
}

fn own_tables(file: &Connection, table: &str) -> Result<Vec<String>> {
    let mut statement = file.prepare(
        "SELECT name FROM pragma_table_list WHERE type NOT IN ('table', 'virtual', 'view') AND schema = 'main' AND name LIKE ?1 || '%' ORDER BY name",
    )?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

fn rows(file: &Connection, table: &str, text: &mut String) -> Result<()> {
    let all = format!("SELECT * FROM {}", quoted(table));
    let order = match file.prepare(&all)?.column_count() {
        1 => "1",
        _ => "1, 2",
    };
    let mut statement = file.prepare(&format!("{all} ORDER BY {order}"))?;
    let names: Vec<String> = statement.column_names().map(quoted).collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // Most columns of most rows are empty.
        let (mut given, mut values) = (Vec::new(), Vec::new());
        for (at, name) in names.iter().enumerate() {
            let value = literal(row.get_ref(at)?);
            if value != "NULL" {
                given.push(name.as_str());
                values.push(value);
            }
        }
        let _ = writeln!(
            text,
            "INSERT INTO {} ({}) VALUES ({});",
            quoted(table),
            given.join(", "),
            values.join(", ")
        );
    }
    Ok(())
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''")),
        ValueRef::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
