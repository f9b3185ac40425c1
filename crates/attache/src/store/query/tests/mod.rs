//! Queries on a small store.

mod agreement;
mod conditions;
mod refusals;
mod statements;

use super::*;
use crate::filter::Select;
use crate::record::{ServerTime, Value};
use crate::schema::{FieldType, ObjectSchema};
use crate::store::value::to_sql;
use crate::{Error, ErrorKind};
use jiff::tz::TimeZone;
use rusqlite::{Connection, params_from_iter};
use std::collections::HashSet;

const ACCOUNT: &str = r#"{"name": "Account", "keyPrefix": "001", "fields": [
    {"name": "Id", "type": "id", "filterable": true},
    {"name": "Name", "type": "string", "nameField": true, "filterable": true},
    {"name": "Code__c", "type": "string", "caseSensitive": true, "filterable": true},
    {"name": "Rating", "type": "picklist", "nillable": true, "filterable": true, "picklistValues": [
        {"value": "Hot", "label": "Heiß", "active": true}, {"value": "Warm", "active": true}, {"value": "Cold", "active": true}]},
    {"name": "Regions__c", "type": "multipicklist", "filterable": true, "sortable": false, "groupable": false, "aggregatable": false},
    {"name": "Active__c", "type": "boolean", "filterable": true, "aggregatable": false},
    {"name": "Employees__c", "type": "int", "filterable": true},
    {"name": "Revenue__c", "type": "currency", "nillable": true, "filterable": true},
    {"name": "Renewal__c", "type": "date", "nillable": true, "filterable": true},
    {"name": "CreatedDate", "type": "datetime", "filterable": true, "groupable": false},
    {"name": "Fax", "type": "phone", "filterable": true},
    {"name": "Notes__c", "type": "textarea", "filterable": false, "sortable": false, "groupable": false, "aggregatable": false},
    {"name": "Grade__c", "type": "string", "calculated": true},
    {"name": "Place__c", "type": "location"},
    {"name": "Place__Latitude__s", "type": "double", "compoundFieldName": "Place__c"},
    {"name": "Place__Longitude__s", "type": "double", "compoundFieldName": "Place__c"},
    {"name": "OwnerId", "type": "reference", "referenceTo": ["User"], "relationshipName": "Owner", "filterable": true},
    {"name": "ParentId", "type": "reference", "referenceTo": ["Account"], "relationshipName": "Parent", "filterable": true}
  ], "childRelationships": [
    {"childSObject": "Contact", "field": "AccountId", "relationshipName": "Contacts"},
    {"childSObject": "Account", "field": "ParentId", "relationshipName": "ChildAccounts"}]}"#;
const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "fields": [
    {"name": "Id", "type": "id", "filterable": true},
    {"name": "Name", "type": "string", "nameField": true, "filterable": true},
    {"name": "AccountId", "type": "reference", "referenceTo": ["Account"], "relationshipName": "Account", "filterable": true}
  ]}"#;
const TASK: &str = r#"{"name": "Task", "keyPrefix": "00T", "fields": [
    {"name": "Id", "type": "id", "filterable": true},
    {"name": "Subject", "type": "string", "nameField": true, "filterable": true},
    {"name": "WhatId", "type": "reference", "referenceTo": ["Account", "Case"], "relationshipName": "What", "filterable": true},
    {"name": "WhoId", "type": "reference", "referenceTo": ["Contact", "Lead"], "relationshipName": "Who", "filterable": true},
    {"name": "AboveId", "type": "reference", "referenceTo": ["Task", "Account"], "relationshipName": "Above", "filterable": true}
  ]}"#;
const CASE: &str = r#"{"name": "Case", "keyPrefix": "500", "fields": [
    {"name": "Id", "type": "id", "filterable": true},
    {"name": "Subject", "type": "string", "filterable": true}]}"#;

/// A store of four objects; `Account.Fax`, `Case` and `User` are known and not carried.
struct Store {
    schema: Schema,
    absent: HashSet<(String, String)>,
    connection: Connection,
    context: Context,
}

impl Tables for Store {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn has(&self, object: &str, field: &str) -> bool {
        let stored = self
            .schema
            .object(object)
            .and_then(|object| object.field(field));
        stored.is_some_and(|field| field.field_type.is_stored())
            && !self.absent.contains(&(object.to_owned(), field.to_owned()))
            && object != "Case"
    }
}

/// An id whose last character of 15 is `tail`.
fn id(prefix: &str, tail: char) -> String {
    crate::record::remote_id(&format!("{prefix}00000000000{tail}")).expect("15 characters")
}

fn store() -> Store {
    let connection = Connection::open_in_memory().unwrap();
    register(&connection).unwrap();
    let mut schema = Schema::default();
    for describe in [ACCOUNT, CONTACT, TASK, CASE] {
        let object = ObjectSchema::from_describe(describe).unwrap();
        let columns: String = object
            .stored_fields()
            .filter(|field| field.name != "Id")
            .map(|field| {
                let column = match field.field_type {
                    FieldType::Boolean | FieldType::Int | FieldType::DateTime => "INTEGER",
                    FieldType::Currency | FieldType::Double => "ANY",
                    _ => "TEXT",
                };
                format!(", \"{}\" {column}", field.name)
            })
            .collect();
        connection
            .execute_batch(&format!(
                "CREATE TABLE \"{}\" (\"attache_row\" INTEGER PRIMARY KEY, \"Id\" TEXT NOT NULL UNIQUE{columns},
                 \"attache_rules\" INTEGER NOT NULL DEFAULT 0, \"attache_key\" TEXT) STRICT",
                object.name
            ))
            .unwrap();
        schema.insert(object);
    }
    let now = ServerTime::parse("2024-03-13T10:00:00Z").unwrap();
    Store {
        schema,
        absent: HashSet::from([("Account".to_owned(), "Fax".to_owned())]),
        connection,
        context: Context::new(id("005", 'u'), TimeZone::UTC, now),
    }
}

impl Store {
    /// Puts a record in, field by field.
    fn put(&self, object: &str, fields: &[(&str, Value)]) {
        let schema = self.schema.object(object).unwrap();
        let names: Vec<String> = fields
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let marks = vec!["?"; fields.len()].join(", ");
        let values = fields.iter().map(|(name, value)| {
            let text = FieldType::String;
            to_sql(
                value,
                schema.field(name).map_or(&text, |field| &field.field_type),
            )
        });
        let sql = format!(
            "INSERT INTO \"{object}\" ({}) VALUES ({marks})",
            names.join(", ")
        );
        self.connection
            .execute(&sql, params_from_iter(values))
            .unwrap();
    }

    /// Accounts `a`, `b`, ... with one field each.
    fn accounts(&self, field: &str, values: &[Value]) {
        for (tail, value) in ('a'..).zip(values) {
            self.put(
                "Account",
                &[("Id", id("001", tail).into()), (field, value.clone())],
            );
        }
    }

    fn query(&self, soql: &str) -> Result<Vec<Row>, Error> {
        let compiled = compile(&Select::parse(soql)?, self, &self.context)?;
        Ok(run(&self.connection, &compiled)?.collect())
    }

    /// The letters of the accounts that a condition and its SQL for an UPDATE find.
    fn finds(&self, condition: &str) -> String {
        let rows = self.query(&format!("SELECT Id FROM Account WHERE {condition}"));
        let mut found = letters(&rows.unwrap_or_else(|error| panic!("{condition}: {error}")));
        let filter = Filter::parse(condition).unwrap();
        let (sql, params) = where_sql("Account", &filter, self, &self.context).unwrap();
        let sql = format!("SELECT substr(\"Id\", 15, 1) FROM \"Account\" WHERE {sql}");
        let mut statement = self.connection.prepare(&sql).unwrap();
        let mut again: Vec<String> = statement
            .query_map(params_from_iter(params), |row| row.get(0))
            .unwrap()
            .map(|letter| letter.unwrap())
            .collect();
        again.sort();
        found.sort();
        assert_eq!(found, again, "{condition}");
        found.concat()
    }

    fn column(&self, soql: &str) -> Vec<String> {
        self.query(soql)
            .unwrap_or_else(|error| panic!("{soql}: {error}"))
            .iter()
            .map(|row| match &row.cells()[0] {
                Cell::Value(value) => value.to_string(),
                Cell::Rows(rows) => format!("{} rows", rows.len()),
            })
            .collect()
    }

    fn fails(&self, soql: &str) -> (ErrorKind, String) {
        let error = self.query(soql).expect_err(soql);
        assert!(error.position().is_some(), "{soql}: {error}");
        (error.kind(), error.to_string())
    }
}

fn letters(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| row.id().expect("a record").as_str()[14..15].to_owned())
        .collect()
}

fn texts(values: &[&str]) -> Vec<Value> {
    values.iter().map(|value| Value::text(*value)).collect()
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

fn family() -> Store {
    let store = store();
    store.put(
        "Account",
        &[
            ("Id", id("001", 'a').into()),
            ("Name", "Acme".into()),
            ("Active__c", true.into()),
        ],
    );
    store.put(
        "Account",
        &[
            ("Id", id("001", 'b').into()),
            ("Name", "Beta".into()),
            ("ParentId", id("001", 'a').into()),
        ],
    );
    store.put(
        "Account",
        &[
            ("Id", id("001", 'c').into()),
            ("Name", "Cell".into()),
            ("ParentId", id("001", 'b').into()),
        ],
    );
    store.put(
        "Contact",
        &[
            ("Id", id("003", 'x').into()),
            ("Name", "Xenia".into()),
            ("AccountId", id("001", 'a').into()),
        ],
    );
    store.put(
        "Contact",
        &[("Id", id("003", 'y').into()), ("Name", "Yann".into())],
    );
    store
}
