//! A record about to be changed: all that an edit has to know of it, by one statement.

use super::catalogue::Table;
use super::rows::Row;
use super::{Reading, State, quote, value};
use crate::error::Result;
use crate::record::{Fields, RecordId, is_local};
use crate::schema::ObjectSchema;
use std::sync::Arc;

/// How a record stands before an edit.
pub(super) struct Standing {
    pub table: Arc<Table>,
    /// Its current id.
    pub current: String,
    /// What it holds in the fields that the edit concerns.
    pub before: Fields,
    /// The whole of it, if it is yet to be kept as the base.
    pub unkept: Option<Row>,
    /// An edit of it was refused or disputed, or it is in a conflict.
    pub is_held_up: bool,
}

impl Reading<'_> {
    /// Finds a record by its identity or its server id, for an edit of these fields.
    pub(super) fn standing(&self, id: &RecordId, edit: &Fields) -> Result<Option<Standing>> {
        // A server's id has the prefix of its table, whatever id the record has now.
        let prefixed = match is_local(id.as_str()) {
            true => self.current(id.as_str())?,
            false => id.as_str().to_owned(),
        };
        for table in self.candidates(&prefixed)? {
            let mut statement = self.connection.prepare_cached(&table.stand)?;
            // The statement follows the identity, once: what it leads to may be another record's in turn.
            let mut rows = statement.query([id.as_str()])?;
            let Some(row) = rows.next()? else {
                continue;
            };
            let current: String = row.get(0)?;
            let width = table.columns.len();
            let is_kept = is_local(&current) || row.get(width + 2)?;
            let mut before = Fields::new();
            for at in table.concerned(edit) {
                let column = &table.columns[at];
                before.set(
                    column.name.as_str(),
                    value::from_sql(row.get_ref(at)?, &column.ty),
                );
            }
            return Ok(Some(Standing {
                before,
                unkept: match is_kept {
                    true => None,
                    false => Some(table.read(row)?),
                },
                is_held_up: row.get(width + 3)?,
                current,
                table: Arc::clone(&table),
            }));
        }
        Ok(None)
    }
}

impl Table {
    /// The columns that an edit changes, and those that a check of it looks at.
    fn concerned(&self, edit: &Fields) -> Vec<usize> {
        let mut concerned: Vec<usize> = edit
            .names()
            .filter_map(|name| self.place(name))
            .flat_map(|at| self.bound[at].iter().copied().chain([at]))
            .collect();
        concerned.sort_unstable();
        concerned.dedup();
        concerned
    }
}

/// The statement behind [`Reading::standing`]: of the row behind an id all columns, rules and key, whether it has a
/// base, and whether it is held up.
pub(super) fn statement(table: &str, columns: &str) -> String {
    let table = quote(table);
    let (rejected, conflicted) = (State::Rejected as i64, State::Conflicted as i64);
    format!(
        "SELECT {columns}, \"attache_rules\", \"attache_key\",
            EXISTS (SELECT 1 FROM attache_base WHERE record = r.\"Id\"),
            EXISTS (SELECT 1 FROM attache_mutation WHERE record = r.\"Id\" AND state IN ({rejected}, {conflicted}))
                OR EXISTS (SELECT 1 FROM attache_conflict WHERE record = r.\"Id\")
         FROM {table} r WHERE r.\"Id\" = coalesce((SELECT current FROM attache_alias WHERE key = ?1), ?1)"
    )
}

/// For each column those that a check looks at when it changes: what controls it or hangs on it, the
/// record type behind a restricted picklist, and the parts of a person's name with the whole.
pub(super) fn bound(object: &ObjectSchema, names: &[&str]) -> Vec<Vec<usize>> {
    let mut bound = vec![Vec::new(); names.len()];
    let place = |name: &str| names.iter().position(|column| *column == name);
    for (at, name) in names.iter().enumerate() {
        let Some(field) = object.field(name) else {
            continue;
        };
        // What may be chosen hangs on the record's type.
        if field.restricted_picklist {
            bound[at].extend(place("RecordTypeId"));
        }
        let controller = field
            .controller
            .as_deref()
            .and_then(|name| object.field(name));
        if let Some(controller) = controller.and_then(|field| place(&field.name)) {
            bound[at].push(controller);
            bound[controller].push(at);
        }
    }
    let whole = object.name_field().filter(|field| !field.createable);
    let parts: Vec<usize> = whole
        .iter()
        .flat_map(|whole| ["FirstName", "LastName", &whole.name])
        .filter_map(place)
        .collect();
    for at in &parts {
        bound[*at].extend(&parts);
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::wipe::beside;
    use crate::store::{Durability, Store};
    use crate::{Attache, ErrorKind, Options, Value};

    /// A page in the log, with the head that goes before it.
    const FRAME_BYTES: u64 = 4096 + 24;

    const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "createable": true, "updateable": true, "fields": [
        {"name": "Id", "type": "id"},
        {"name": "Name", "type": "string", "nameField": true},
        {"name": "FirstName", "type": "string", "length": 40, "compoundFieldName": "Name", "updateable": true, "nillable": true},
        {"name": "LastName", "type": "string", "length": 80, "compoundFieldName": "Name", "updateable": true, "nillable": true},
        {"name": "Phone", "type": "phone", "length": 40, "updateable": true, "nillable": true},
        {"name": "Land__c", "type": "picklist", "length": 9, "updateable": true, "nillable": true,
         "picklistValues": [{"value": "DE", "active": true}, {"value": "FR", "active": true}]},
        {"name": "Part__c", "type": "picklist", "length": 9, "updateable": true, "nillable": true,
         "dependentPicklist": true, "controllerName": "Land__c",
         "picklistValues": [{"value": "BY", "active": true, "validFor": "gAAA"}]}]}"#;

    /// A store in memory with a contact as the server has it.
    fn store() -> (Attache, RecordId) {
        with_a_contact(Store::open_in_memory(Options::new()).unwrap())
    }

    /// Puts a contact into a store, as the server has it.
    fn with_a_contact(store: Store) -> (Attache, RecordId) {
        let fields = [
            "Id",
            "Name",
            "FirstName",
            "LastName",
            "Phone",
            "Land__c",
            "Part__c",
        ];
        let id = RecordId::parse("003000000000001AAA").unwrap();
        let contact = [
            id.as_str(),
            "Dr. Ada K. Lovelace",
            "Ada",
            "Lovelace",
            "1",
            "DE",
            "BY",
        ];
        let filled = store.write(Durability::Durable, |w| {
            w.define(CONTACT, None, &fields.map(str::to_owned))?;
            let table = Arc::clone(w.catalogue().known("Contact")?);
            let row = Row {
                values: contact.map(Value::text).to_vec(),
                rules: 1,
                key: None,
            };
            w.insert_row(&table, &row)
        });
        filled.unwrap();
        (Attache::with_store(store), id)
    }

    fn name(attache: &Attache, id: &RecordId) -> String {
        let record = attache.get(id).unwrap().unwrap();
        record.fields.get("Name").unwrap().to_string()
    }

    #[test]
    fn a_name_that_the_server_made_outlives_an_edit_of_something_else() {
        let (attache, id) = store();
        attache.update(&id, [("Phone", "2")]).unwrap();
        assert_eq!(name(&attache, &id), "Dr. Ada K. Lovelace");
        attache.update(&id, [("lastname", "King")]).unwrap();
        assert_eq!(name(&attache, &id), "Ada King");
    }

    #[test]
    fn what_depends_on_an_edited_field_is_checked_with_it() {
        let (attache, id) = store();
        let refused = attache.update(&id, [("Land__c", "FR")]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidRecord);
        let both = Fields::new().with("Land__c", "FR").cleared("Part__c");
        attache.update(&id, both).unwrap();
        let refused = attache.update(&id, [("Part__c", "BY")]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidRecord);
    }

    #[test]
    fn the_first_edit_keeps_the_whole_row_as_its_base() {
        let (attache, id) = store();
        for phone in ["2", "3"] {
            attache.update(&id, [("Phone", phone)]).unwrap();
            let base = attache
                .store
                .read(|r| r.base(id.as_str()))
                .unwrap()
                .unwrap();
            assert_eq!(base.fields.get("Phone"), Some(&Value::text("1")));
            assert_eq!((base.fields.len(), base.rules), (7, 1));
        }
    }

    #[test]
    fn an_edit_writes_the_pages_of_its_row_journal_and_base_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jo.db");
        let (attache, id) = with_a_contact(Store::open(&path, Options::new()).unwrap());
        // Before anything is moved from the log into the file, each page written makes the log longer.
        let frames = || std::fs::metadata(beside(&path, "-wal")).unwrap().len() / FRAME_BYTES;
        let pages = ["2", "3", "3"].map(|phone| {
            let before = frames();
            attache.update(&id, [("Phone", phone)]).unwrap();
            frames() - before
        });
        // The row; the journal, its index and its sequence; at first the base and its index.
        assert_eq!(pages, [1 + 3 + 2, 1 + 3, 0]);
    }

    /// An object as orgs have them: of its sixty fields its records fill twelve.
    fn with_wide_records(store: Store) -> (Attache, Vec<RecordId>) {
        let fields: Vec<String> = (0..60)
            .map(|nr| format!("SomeCustomField{nr}__c"))
            .collect();
        let each = fields.iter().map(|name| {
            format!(r#"{{"name": "{name}", "type": "string", "length": 80, "updateable": true, "nillable": true}}"#)
        });
        let wide = format!(
            r#"{{"name": "Wide__c", "keyPrefix": "a00", "updateable": true, "fields": [{{"name": "Id", "type": "id"}}, {}]}}"#,
            each.collect::<Vec<_>>().join(", ")
        );
        let ids: Vec<RecordId> = (0..RECORDS)
            .map(|nr| RecordId::parse(&format!("a00{nr:012}")).unwrap())
            .collect();
        let filled = store.write(Durability::Durable, |w| {
            let carried: Vec<String> = ["Id".to_owned()]
                .into_iter()
                .chain(fields.clone())
                .collect();
            w.define(&wide, None, &carried)?;
            let table = Arc::clone(w.catalogue().known("Wide__c")?);
            ids.iter().try_for_each(|id| {
                let value = |nr| {
                    if nr % 5 == 0 {
                        Value::text("twenty letters or so")
                    } else {
                        Value::Null
                    }
                };
                let values = [Value::text(id.as_str())]
                    .into_iter()
                    .chain((0..60).map(value));
                let row = Row {
                    values: values.collect(),
                    rules: 1,
                    key: None,
                };
                w.insert_row(&table, &row)
            })
        });
        filled.unwrap();
        (Attache::with_store(store), ids)
    }

    /// Few enough that nothing is moved from the log into the file meanwhile.
    const RECORDS: u64 = 100;

    #[test]
    fn the_bases_of_mostly_empty_records_share_their_pages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jo.db");
        let (attache, ids) = with_wide_records(Store::open(&path, Options::new()).unwrap());
        let frames = || std::fs::metadata(beside(&path, "-wal")).unwrap().len() / FRAME_BYTES;
        let before = frames();
        for id in &ids {
            attache.update(id, [("SomeCustomField7__c", "1")]).unwrap();
        }
        // The six of one edit, and what every new page of bases costs beside: its parent and the file's first page.
        let each = (frames() - before) as f64 / RECORDS as f64;
        assert!(each < 6.5, "{each} pages for each first edit");
    }

    #[test]
    fn a_base_outlives_the_columns_that_it_was_kept_by() {
        let (attache, id) = store();
        attache.update(&id, [("Phone", "2")]).unwrap();
        let narrow = ["Id", "Phone"].map(str::to_owned);
        let define = |fields: &[String]| {
            let defined = attache
                .store
                .write(Durability::Durable, |w| w.define(CONTACT, None, fields));
            defined.unwrap();
        };
        define(&narrow);
        let base = || {
            attache
                .store
                .read(|r| r.base(id.as_str()))
                .unwrap()
                .unwrap()
        };
        assert_eq!(
            base().fields.get("LastName"),
            Some(&Value::text("Lovelace"))
        );
        assert_eq!(base().fields.get("Phone"), Some(&Value::text("1")));
        // One that is kept by names is read beside it.
        attache
            .store
            .write(Durability::Durable, |w| {
                let table = Arc::clone(w.catalogue().known("Contact")?);
                w.put_base(
                    &table,
                    id.as_str(),
                    &[("Phone", Value::text("3"))].into(),
                    1,
                    None,
                )
            })
            .unwrap();
        assert_eq!(base().fields.get("Phone"), Some(&Value::text("3")));
    }

    #[test]
    fn what_an_edit_asks_is_looked_up_and_not_searched_for() {
        let (attache, _) = store();
        let plan: Vec<String> = attache
            .store
            .read(|r| {
                let sql = format!("EXPLAIN QUERY PLAN {}", r.catalogue.known("Contact")?.stand);
                let mut statement = r.connection.prepare(&sql)?;
                let steps = statement.query_map(["1"], |row| row.get("detail"))?;
                Ok(steps.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap();
        let searches = plan
            .iter()
            .filter(|step| step.starts_with("SEARCH"))
            .count();
        assert_eq!(searches, 5, "{plan:?}");
        assert!(
            !plan
                .iter()
                .any(|step| step.starts_with("SCAN r") || step.starts_with("SCAN attache")),
            "{plan:?}"
        );
    }
}
