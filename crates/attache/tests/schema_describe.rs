//! Describes of real orgs load as schemas without loss.
//!
//! Each is read a second time as plain JSON, and the two readings are compared.

use attache::{FieldSchema, FieldType, ObjectSchema};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(folder)
}

/// The recorded describes, each with where it was found.
fn describes() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for folder in ["describe", "recorded"] {
        let mut paths: Vec<_> = std::fs::read_dir(data(folder))
            .expect("the recorded data beside the repository")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths {
            let bytes = std::fs::read(&path).expect("a readable file");
            let text = if path.extension().is_some_and(|extension| extension == "gz") {
                let mut text = String::new();
                flate2::read::GzDecoder::new(bytes.as_slice())
                    .read_to_string(&mut text)
                    .expect("a gzip file of text");
                text
            } else {
                String::from_utf8(bytes).expect("text")
            };
            // One value, or one to a line; the answer to an upsert is empty.
            for value in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
                let value = value.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                collect(&path.display().to_string(), value, &mut found);
            }
        }
    }
    found
}

/// A describe is an object with a name and fields, wherever it stands in an answer.
fn collect(place: &str, value: Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Array(items) => {
            for item in items {
                collect(place, item, found);
            }
        }
        Value::Object(ref members) => {
            let is_describe = value["name"].is_string()
                && value["fields"]
                    .as_array()
                    .is_some_and(|fields| fields.iter().all(|field| field["type"].is_string()));
            if is_describe {
                found.push((format!("{place}: {}", value["name"]), value));
            } else {
                for item in members.values() {
                    collect(place, item.clone(), found);
                }
            }
        }
        _ => {}
    }
}

fn flag(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(String::from)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn names<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<&'a str> {
    values
        .into_iter()
        .map(|value| value.as_str().expect("a text"))
        .collect()
}

/// The type of a field as the API spells it.
fn spelled(ty: &FieldType) -> String {
    match ty {
        FieldType::Other(name) => panic!("the type {name} is not known"),
        FieldType::AnyType => String::from("anyType"),
        ty => format!("{ty:?}").to_lowercase(),
    }
}

/// Reads the bits of `validFor` by a way of its own: base64 by hand, most significant bit first.
fn bits(text: &str) -> Vec<bool> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits: Vec<bool> = text
        .trim_end_matches('=')
        .chars()
        .flat_map(|c| {
            let digit = DIGITS.find(c).expect("base64");
            (0..6).rev().map(move |bit| digit & (1 << bit) != 0)
        })
        .collect();
    bits.truncate(bits.len() / 8 * 8);
    bits
}

fn compare_field(place: &str, field: &FieldSchema, raw: &Value) {
    let place = format!("{place}.{}", field.name);
    assert_eq!(Some(&field.name), text(raw, "name").as_ref(), "{place}");
    assert_eq!(Some(&field.label), text(raw, "label").as_ref(), "{place}");
    assert_eq!(
        spelled(&field.field_type),
        names([&raw["type"]])[0].to_lowercase(),
        "{place}"
    );
    for (own, key) in [
        (field.length, "length"),
        (field.precision, "precision"),
        (field.scale, "scale"),
        (field.digits, "digits"),
    ] {
        assert_eq!(
            u64::from(own),
            raw[key].as_u64().unwrap_or(0),
            "{place} {key}"
        );
    }
    for (own, key) in [
        (field.nillable, "nillable"),
        (field.createable, "createable"),
        (field.updateable, "updateable"),
        (field.defaulted_on_create, "defaultedOnCreate"),
        (field.calculated, "calculated"),
        (field.case_sensitive, "caseSensitive"),
        (field.unique, "unique"),
        (field.external_id, "externalId"),
        (field.name_field, "nameField"),
        (field.cascade_delete, "cascadeDelete"),
        (field.restricted_picklist, "restrictedPicklist"),
        (field.auto_number, "autoNumber"),
        (field.custom, "custom"),
        (field.encrypted, "encrypted"),
        (field.html, "htmlFormatted"),
        (field.id_lookup, "idLookup"),
        (field.name_pointing, "namePointing"),
        (field.restricted_delete, "restrictedDelete"),
        (field.write_requires_master_read, "writeRequiresMasterRead"),
    ] {
        assert_eq!(own, flag(raw, key), "{place} {key}");
    }
    // A describe of an early API is silent about some uses, which forbids none.
    for (own, key) in [
        (field.filterable, "filterable"),
        (field.sortable, "sortable"),
        (field.groupable, "groupable"),
        (field.aggregatable, "aggregatable"),
    ] {
        let told = raw[key].as_bool().unwrap_or(true);
        assert_eq!(own, told, "{place} {key}");
    }
    assert_eq!(field.compound, text(raw, "compoundFieldName"), "{place}");
    assert_eq!(
        field.relationship_name,
        text(raw, "relationshipName"),
        "{place}"
    );
    assert_eq!(field.controller, text(raw, "controllerName"), "{place}");
    assert_eq!(field.default_formula, text(raw, "defaultValueFormula"));
    assert_eq!(field.formula, text(raw, "calculatedFormula"), "{place}");
    assert_eq!(field.help, text(raw, "inlineHelpText"), "{place}");
    assert_eq!(field.extra_type, text(raw, "extraTypeInfo"), "{place}");
    assert_eq!(
        field.relationship_order.map(u64::from),
        raw["relationshipOrder"].as_u64(),
        "{place}"
    );
    let default = field.default_value.as_ref().map(attache::Value::to_json);
    let expected = &raw["defaultValue"];
    assert_eq!(
        default.map(|json| serde_json::from_str(&json).expect("JSON")),
        (!expected.is_null()).then(|| expected.clone()),
        "{place}"
    );
    let targets = names(list(raw, "referenceTo"));
    assert_eq!(field.reference_to, targets, "{place}");

    let entries = list(raw, "picklistValues");
    assert_eq!(field.picklist.len(), entries.len(), "{place}");
    for (entry, raw) in field.picklist.iter().zip(entries) {
        assert_eq!(Some(&entry.value), text(raw, "value").as_ref(), "{place}");
        assert_eq!(Some(&entry.label), text(raw, "label").as_ref(), "{place}");
        assert_eq!(entry.active, flag(raw, "active"), "{place}");
        assert_eq!(entry.default, flag(raw, "defaultValue"), "{place}");
        assert_eq!(
            entry.valid_for,
            raw["validFor"].as_str().map(bits),
            "{place}"
        );
    }
}

fn compare_object(place: &str, object: &ObjectSchema, raw: &Value) {
    assert_eq!(Some(&object.name), text(raw, "name").as_ref(), "{place}");
    assert_eq!(
        object.label,
        text(raw, "label").unwrap_or(object.name.clone()),
        "{place}"
    );
    assert_eq!(
        object.label_plural,
        text(raw, "labelPlural").unwrap_or(object.name.clone()),
        "{place}"
    );
    assert_eq!(object.key_prefix, text(raw, "keyPrefix"), "{place}");
    for (own, key) in [
        (object.createable, "createable"),
        (object.updateable, "updateable"),
        (object.deletable, "deletable"),
        (object.queryable, "queryable"),
        (object.replicateable, "replicateable"),
        (object.custom, "custom"),
        (object.searchable, "searchable"),
        (object.layoutable, "layoutable"),
        (object.undeletable, "undeletable"),
        (object.recents, "mruEnabled"),
    ] {
        assert_eq!(own, flag(raw, key), "{place} {key}");
    }
    let scopes = names(
        list(raw, "supportedScopes")
            .iter()
            .map(|scope| &scope["name"]),
    );
    assert_eq!(object.scopes, scopes, "{place}");

    let types = list(raw, "recordTypeInfos");
    assert_eq!(object.record_types.len(), types.len(), "{place}");
    for (own, raw) in object.record_types.iter().zip(types) {
        assert_eq!(Some(&own.id), text(raw, "recordTypeId").as_ref(), "{place}");
        assert_eq!(Some(&own.name), text(raw, "name").as_ref(), "{place}");
        assert_eq!(own.developer_name, text(raw, "developerName"), "{place}");
        assert_eq!(own.active, raw["active"].as_bool().unwrap_or(true));
        assert_eq!(own.available, flag(raw, "available"), "{place}");
        assert_eq!(own.default, flag(raw, "defaultRecordTypeMapping"));
        assert_eq!(own.master, flag(raw, "master"), "{place}");
    }

    let children = list(raw, "childRelationships");
    assert_eq!(object.children.len(), children.len(), "{place}");
    for (child, raw) in object.children.iter().zip(children) {
        assert_eq!(child.name, text(raw, "relationshipName"), "{place}");
        assert_eq!(
            Some(&child.child),
            text(raw, "childSObject").as_ref(),
            "{place}"
        );
        assert_eq!(Some(&child.field), text(raw, "field").as_ref(), "{place}");
        assert_eq!(child.cascade_delete, flag(raw, "cascadeDelete"), "{place}");
        assert_eq!(
            child.restricted_delete,
            flag(raw, "restrictedDelete"),
            "{place}"
        );
    }

    let fields = list(raw, "fields");
    assert_eq!(object.fields.len(), fields.len(), "{place}");
    for (field, raw) in object.fields.iter().zip(fields) {
        compare_field(place, field, raw);
        let found = object.field(&field.name.to_uppercase());
        assert_eq!(found.map(|found| &found.name), Some(&field.name), "{place}");
    }
}

#[test]
fn recorded_describes_load_without_loss() {
    let describes = describes();
    let mut fields = 0;
    for (place, raw) in &describes {
        let object = ObjectSchema::from_describe(&raw.to_string())
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        compare_object(place, &object, raw);
        fields += object.fields.len();
    }
    assert!(
        describes.len() >= 9,
        "only {} describes were found",
        describes.len()
    );
    assert!(fields >= 370, "only {fields} fields were found");
}

fn account() -> ObjectSchema {
    let json = std::fs::read_to_string(data("describe/Account_v53.json")).expect("a describe");
    ObjectSchema::from_describe(&json).expect("a describe")
}

#[test]
fn dependent_picklists_know_the_values_they_go_with() {
    let indexes = |text: &str| -> Vec<usize> {
        let object = format!(
            r#"{{"name":"X","fields":[{{"name":"F","type":"picklist","picklistValues":
                [{{"value":"v","active":true,"validFor":"{text}"}}]}}]}}"#
        );
        let object = ObjectSchema::from_describe(&object).expect("a describe");
        let bits = object.fields[0].picklist[0]
            .valid_for
            .clone()
            .expect("bits");
        (0..bits.len()).filter(|at| bits[*at]).collect()
    };
    assert_eq!(indexes("gAAA"), [0]);
    assert_eq!(indexes("QAAA"), [1]);
    assert_eq!(indexes("zwAA"), [0, 1, 4, 5, 6, 7]);

    let object = account();
    let chain: Vec<_> = object
        .fields
        .iter()
        .filter_map(|field| Some((field.name.as_str(), field.controller.as_deref()?)))
        .collect();
    assert_eq!(
        chain,
        [
            (
                "playgroundorg__CustomerPriority__c",
                "playgroundorg__Controlled_Picklist__c"
            ),
            (
                "playgroundorg__Controlled_Picklist__c",
                "playgroundorg__Controlling_Picklist__c"
            ),
        ]
    );
}

#[test]
fn an_account_requires_its_name_only() {
    let object = account();
    let required: Vec<_> = object
        .fields
        .iter()
        .filter(|field| field.required_on_create())
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(required, ["Name"]);
}

#[test]
fn a_real_write_passes_the_checks_and_a_wrong_one_names_all_its_problems() {
    let object = account();
    let good = attache::Fields::from_json(
        &object,
        r#"{"name":"Acme","AnnualRevenue":"1250000","BillingLatitude":50.123456789012345,
            "NumberOfEmployees":12,"Website":"https://example.com"}"#,
    )
    .expect("types that fit");
    assert!(object.check_create(&good).is_ok());

    let bad = attache::Fields::from([
        ("AnnualRevenue", attache::Value::from("1.5")),
        ("BillingAddress", attache::Value::from("Elm 1")),
        ("Sic", attache::Value::from("x".repeat(21))),
    ]);
    let error = object.check_create(&bad).expect_err("four problems");
    let mut found: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| (problem.fields[0].as_str(), problem.code.as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("AnnualRevenue", "NUMBER_OUTSIDE_VALID_RANGE"),
            ("BillingAddress", "INVALID_FIELD_FOR_INSERT_UPDATE"),
            ("Name", "REQUIRED_FIELD_MISSING"),
            ("Sic", "STRING_TOO_LONG"),
        ]
    );
}
