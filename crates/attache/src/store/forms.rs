//! What forms are drawn from, and the list views that rules are made of.

use super::{Reading, Writing, damaged};
use crate::env::LocalTime;
use crate::error::{Error, Result};
use crate::form::{Form, Picklists};
use crate::schema::{PicklistEntry, RawEntry};
use rusqlite::{OptionalExtension, params};

/// When layouts of an object were asked for, as a setting, is its name behind this.
const ASKED: &str = "layouts:";

/// A list view as the org told it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListView {
    pub id: String,
    pub describe: String,
    pub asked_at: LocalTime,
    pub gone: bool,
}

impl ListView {
    /// Says whether the org ever told what it says; of one that was not there, only that is kept.
    pub(crate) fn is_known(&self) -> bool {
        !self.describe.is_empty()
    }
}

impl Reading<'_> {
    /// The layouts of an object; `None` if they were never asked for.
    pub(crate) fn form(&self, object: &str) -> Result<Option<Form>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT layouts FROM attache_form WHERE object = ?1")?;
        let json: Option<String> = statement.query_row([object], |row| row.get(0)).optional()?;
        let read = |json: String| {
            serde_json::from_str(&json).map_err(|error| damaged("a layout").with_source(error))
        };
        json.map(read).transpose()
    }

    /// When the layouts of an object were asked for; `None` if they are to be asked for anew.
    pub(crate) fn form_asked_at(&self, object: &str) -> Result<Option<LocalTime>> {
        let at = self.setting(&format!("{ASKED}{object}"))?;
        Ok(at.and_then(|at| at.parse().ok()).map(LocalTime))
    }

    /// What a record type, by its id, leaves of a picklist; `None` if that is not known.
    pub(crate) fn picklist(
        &self,
        object: &str,
        record_type: &str,
        field: &str,
    ) -> Result<Option<Vec<PicklistEntry>>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entries FROM attache_picklist WHERE object = ?1 AND record_type = ?2 AND field = ?3",
        )?;
        let json: Option<String> = statement
            .query_row([object, record_type, field], |row| row.get(0))
            .optional()?;
        let Some(json) = json else { return Ok(None) };
        let entries: Vec<RawEntry> = serde_json::from_str(&json)
            .map_err(|error| damaged("the values of a picklist").with_source(error))?;
        Ok(Some(entries.into_iter().map(PicklistEntry::from).collect()))
    }

    /// A list view by the name that the briefcase gives it.
    pub(crate) fn list_view(&self, object: &str, name: &str) -> Result<Option<ListView>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, describe, asked_at, gone FROM attache_list_view WHERE object = ?1 AND name = ?2",
        )?;
        let view = |row: &rusqlite::Row<'_>| {
            Ok(ListView {
                id: row.get(0)?,
                describe: row.get(1)?,
                asked_at: LocalTime(row.get(2)?),
                gone: row.get(3)?,
            })
        };
        Ok(statement.query_row([object, name], view).optional()?)
    }
}

impl Writing<'_> {
    /// Keeps what the org told of an object's forms in place of what it told before.
    pub(crate) fn set_form(&self, object: &str, form: &Form, picklists: &Picklists) -> Result<()> {
        let print = |error| Error::internal("a layout prints as JSON").with_source(error);
        let json = serde_json::to_string(form).map_err(print)?;
        self.connection.execute(
            "INSERT INTO attache_form VALUES (?1, ?2) ON CONFLICT DO UPDATE SET layouts = excluded.layouts
             WHERE layouts <> excluded.layouts",
            [object, &json],
        )?;
        self.connection
            .execute("DELETE FROM attache_picklist WHERE object = ?1", [object])?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR REPLACE INTO attache_picklist VALUES (?1, ?2, ?3, ?4)")?;
        for (record_type, lists) in picklists {
            for (field, entries) in lists {
                let json = serde_json::to_string(entries).map_err(|error| {
                    Error::internal("a picklist prints as JSON").with_source(error)
                })?;
                insert.execute([object, record_type, field, &json])?;
            }
        }
        Ok(())
    }

    /// Notes that the layouts of an object were asked for.
    pub(crate) fn set_form_asked(&self, object: &str, at: LocalTime) -> Result<()> {
        self.set_setting(&format!("{ASKED}{object}"), &at.0.to_string())
    }

    /// Forgets the forms of all objects but these.
    pub(crate) fn keep_forms(&self, objects: &[String]) -> Result<()> {
        let keep = serde_json::to_string(objects)
            .map_err(|error| Error::internal("a list prints as JSON").with_source(error))?;
        for table in ["attache_form", "attache_picklist"] {
            self.connection.execute(
                &format!(
                    "DELETE FROM {table} WHERE object NOT IN (SELECT value FROM json_each(?1))"
                ),
                [&keep],
            )?;
        }
        self.connection.execute(
            "DELETE FROM attache_setting WHERE key LIKE ?2
             AND substr(key, length(?2)) NOT IN (SELECT value FROM json_each(?1))",
            params![keep, format!("{ASKED}%")],
        )?;
        Ok(())
    }

    /// Has the next session ask for layouts and list views anew.
    pub(crate) fn doubt_forms(&self) -> Result<()> {
        let pattern = format!("{ASKED}%");
        self.connection
            .execute("DELETE FROM attache_setting WHERE key LIKE ?1", [pattern])?;
        self.connection
            .execute("UPDATE attache_list_view SET asked_at = 0", [])?;
        Ok(())
    }

    /// Keeps these list views, as (object, name, what it is), and no others.
    pub(crate) fn set_list_views(&self, views: &[(String, String, ListView)]) -> Result<()> {
        let known: i64 =
            self.connection
                .query_row("SELECT count(*) FROM attache_list_view", [], |row| {
                    row.get(0)
                })?;
        // Most briefcases have none.
        if known == 0 && views.is_empty() {
            return Ok(());
        }
        self.connection
            .execute("DELETE FROM attache_list_view", [])?;
        let mut insert = self.connection.prepare_cached(
            "INSERT OR REPLACE INTO attache_list_view (object, name, id, describe, asked_at, gone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (object, name, view) in views {
            insert.execute(params![
                object,
                name,
                view.id,
                view.describe,
                view.asked_at.0,
                view.gone
            ])?;
        }
        Ok(())
    }
}
