//! Loading rows from a folder: the shared data set, and folders with one thing wrong.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use attache_sandbox::load::{self, FieldProblem, Folder, LoadError};
use attache_sandbox::schema::{FieldKind, Schema};
use attache_sandbox::value::Value;
use attache_sandbox::{catalog, id};
use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/records");

type Rows = Vec<(usize, Vec<Value>)>;

/// The shared data set, read once for all tests.
fn records() -> &'static (Schema, Rows) {
    static LOADED: LazyLock<(Schema, Rows)> = LazyLock::new(|| {
        let mut schema = catalog::standard();
        let rows = load::load_dir(&mut schema, Path::new(RECORDS)).unwrap();
        (schema, rows)
    });
    &LOADED
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn load(files: &[(&str, &str)]) -> Result<(Schema, Rows), LoadError> {
    let mut schema = catalog::standard();
    let rows = load::load_dir(&mut schema, folder(files).path())?;
    Ok((schema, rows))
}

fn get<'a>(schema: &Schema, row: &'a (usize, Vec<Value>), field: &str) -> &'a Value {
    &row.1[schema.objects()[row.0].index(field).unwrap()]
}

fn find<'a>(schema: &Schema, rows: &'a Rows, id: &str) -> &'a (usize, Vec<Value>) {
    rows.iter()
        .find(|row| get(schema, row, "Id").as_text() == Some(id))
        .unwrap()
}

#[test]
fn the_data_set_loads_whole() {
    let (schema, rows) = records();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (object, row) in rows {
        let object = &schema.objects()[*object];
        *counts.entry(&object.name).or_default() += 1;
        assert_eq!(row.len(), object.fields.len());
        for (field, value) in object.fields.iter().zip(row) {
            let full = format!("{}.{}", object.name, field.name);
            assert!(field.formula.is_none() || value.is_null(), "{full}");
            assert!(
                field.kind != FieldKind::Boolean || field.formula.is_some() || !value.is_null(),
                "{full}"
            );
        }
    }
    let expected = [
        ("User", 40),
        ("Account", 2_000),
        ("Contact", 6_000),
        ("Opportunity", 5_000),
        ("Lead", 3_000),
        ("Task", 8_000),
        ("Event", 3_000),
        ("WorkOrder", 1_500),
    ];
    assert_eq!(counts, HashMap::from(expected));
    assert_eq!(rows.len(), 28_540);
}

#[test]
fn values_have_their_types() {
    let (schema, rows) = records();
    let account = find(schema, rows, "001Hx000000000mIAA");
    let value = |field: &str| get(schema, account, field);
    assert_eq!(value("Name"), &Value::text("Mcguire, Case and Jones"));
    assert_eq!(value("AnnualRevenue"), &Value::Number(34_772_128.into()));
    assert_eq!(value("Active__c"), &Value::Bool(true));
    assert_eq!(value("External_Id__c"), &Value::Null);
    assert_eq!(
        value("Renewal_Date__c"),
        &Value::Date("2027-05-06".parse().unwrap())
    );
    let created: jiff::Timestamp = "2025-12-27T21:51:33Z".parse().unwrap();
    assert_eq!(value("CreatedDate"), &Value::DateTime(created.as_second()));
    assert_eq!(value("Regions__c"), &Value::text("AMER"));
    assert_eq!(value("IsPartner"), &Value::Bool(false));

    let user = find(schema, rows, "005Hx000000000mIAA");
    assert_eq!(get(schema, user, "LastName"), &Value::text("User 01"));
    assert_eq!(
        get(schema, user, "CreatedDate"),
        get(schema, user, "SystemModstamp")
    );
}

#[test]
fn an_object_the_schema_lacks_is_defined_from_its_types() {
    let (schema, rows) = records();
    let object = schema.object("WorkOrder").unwrap();
    assert_eq!(object.key_prefix, "0WO");
    assert_eq!(object.label_plural, "Work Orders");
    let account = object.field("AccountId").unwrap();
    assert_eq!(account.reference_to, ["Account"]);
    assert_eq!(account.relationship_name.as_deref(), Some("Account"));
    assert_eq!(
        account.child_relationship_name.as_deref(),
        Some("WorkOrders")
    );
    assert_eq!(object.field("OwnerId").unwrap().reference_to, ["User"]);
    assert!(object.field("WorkOrderNumber").unwrap().name_field);
    assert_eq!(object.field("StartDate").unwrap().kind, FieldKind::DateTime);
    // Not in types.json.
    assert_eq!(
        object.field("DurationType").unwrap().kind,
        FieldKind::String
    );
    let order = find(schema, rows, "0WOHx000000000mOAA");
    assert_eq!(get(schema, order, "Duration"), &Value::Number(2.into()));
    assert_eq!(
        get(schema, order, "AccountId"),
        &Value::text("001Hx0000000J7yIAE")
    );
}

#[test]
fn a_new_field_becomes_a_custom_one_and_money_keeps_every_digit() {
    let types = r#"{"Account": {"Credit__c": "number", "Tier__c": "multi", "Backup__c": "id", "Sla__c": "textarea"}}"#;
    let account = format!(
        r#"{{"attributes": {{}}, "Id": "001000000000001", "Name": " Acme ", "Credit__c": 1234567890123456.78, "Tier__c": "B;A", "Sla__c": "{}"}}"#,
        "x".repeat(300)
    );
    let (schema, rows) = load(&[("types.json", types), ("Account.jsonl", &account)]).unwrap();
    let object = schema.object("Account").unwrap();
    assert!(object.field("Credit__c").unwrap().custom);
    assert_eq!(
        object
            .field("Backup__c")
            .unwrap()
            .relationship_name
            .as_deref(),
        Some("Backup__r")
    );
    let value = |field: &str| get(&schema, &rows[0], field).clone();
    assert_eq!(
        value("Credit__c"),
        Value::Number("1234567890123456.78".parse().unwrap())
    );
    assert_eq!(value("Tier__c"), Value::text("B;A"));
    assert_eq!(value("Id"), Value::text(id::make("001", 1)));
    assert_eq!(value("Name"), Value::text("Acme"));
}

#[test]
fn a_bad_line_is_named_with_its_field() {
    let good = r#"{"Id": "001000000000001AAA", "Name": "A"}"#;
    let cases = [
        (
            r#"{"Id": "001000000000002AAA", "Nmae": "B"}"#,
            "Nmae",
            FieldProblem::Unknown,
        ),
        (
            r#"{"Id": "001000000000002AAA", "AnnualRevenue": "9"}"#,
            "AnnualRevenue",
            FieldProblem::Type("currency"),
        ),
        (
            r#"{"Id": "001000000000002AAA", "CreatedDate": "2025-02-30T00:00:00Z"}"#,
            "CreatedDate",
            FieldProblem::Type("datetime"),
        ),
        (
            r#"{"Id": "001000000000002AAA", "ParentId": "001000000000002AAB"}"#,
            "ParentId",
            FieldProblem::Type("reference"),
        ),
        (
            r#"{"Id": "003000000000002AAA"}"#,
            "Id",
            FieldProblem::Prefix("001".into()),
        ),
        (r#"{"Name": "B"}"#, "Id", FieldProblem::Missing),
        (
            r#"{"Id": "001000000000002AAA", "YearStarted": "20260"}"#,
            "YearStarted",
            FieldProblem::Length(4),
        ),
    ];
    for (bad, expected_field, expected) in cases {
        let error = load(&[("Account.jsonl", &format!("{good}\n\n{bad}\n{good}\n"))])
            .map(|_| ())
            .unwrap_err();
        let LoadError::Field {
            file,
            line,
            field,
            problem,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(
            (*line, field.as_str(), problem),
            (3, expected_field, &expected),
            "{bad}"
        );
        assert!(file.ends_with("Account.jsonl"));
        assert!(
            error.to_string().contains("Account.jsonl line 3, field "),
            "{error}"
        );
    }
}

#[test]
fn a_bad_folder_is_named() {
    let row = r#"{"Id": "0WO000000000001EAA"}"#;
    let text = |files: &[(&str, &str)]| {
        let error = load(files).map(|_| ()).unwrap_err().to_string();
        error.rsplit('/').next().unwrap().to_owned()
    };
    assert_eq!(
        text(&[("Account.jsonl", "{\"Id\": }")]),
        "Account.jsonl line 1: expected a JSON object"
    );
    assert_eq!(
        text(&[("Part__c.jsonl", row)]),
        "Part__c.jsonl: neither the schema nor types.json has the object Part__c"
    );
    assert_eq!(
        text(&[
            ("types.json", r#"{"Account": {"X__c": "blob"}}"#),
            ("Account.jsonl", "")
        ]),
        "types.json: Account.X__c has the type blob, expected text, textarea, number, boolean, \
         multi, date, datetime or id"
    );
    assert_eq!(
        text(&[
            ("types.json", r#"{"Part__c": {}}"#),
            ("Part__c.jsonl", r#"{"Id": "001000000000001AAA"}"#)
        ]),
        "Part__c.jsonl line 1, field Id: ids of this form belong to Account"
    );
    assert_eq!(
        text(&[("types.json", "[]")]),
        "types.json: expected the type of each field, by object"
    );
    assert!(text(&[("Account.jsonl.gz", "no gzip")]).starts_with("Account.jsonl.gz"));
    let missing = Folder::open(&mut catalog::standard(), Path::new("no/such/folder")).unwrap_err();
    assert_eq!(missing.to_string(), "cannot read no/such/folder");
}

#[test]
fn no_row_follows_an_error() {
    let dir = folder(&[
        ("Account.jsonl", "{}\n{\"Id\": \"001000000000001AAA\"}\n"),
        ("Lead.jsonl", "{}\n"),
    ]);
    let mut schema = catalog::standard();
    let folder = Folder::open(&mut schema, dir.path()).unwrap();
    let rows: Vec<_> = folder.rows(&schema).collect();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].is_err());
}
