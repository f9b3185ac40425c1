//! What the org accepts, the device accepts: two readings of one describe.

use attache::{Fields, ObjectSchema};
use attache_sandbox::describe;
use attache_sandbox::schema::{FieldDef, FieldKind};
use attache_sim::World;
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// Values for a field, as JSON: good ones, ones at its limits, and some that are none.
///
/// Left out is what the device refuses on purpose: decimals that the org would cut without a word, and years and
/// characters of which its own limits are unknown.
fn value(field: &FieldDef) -> BoxedStrategy<String> {
    let text = |max: u32| {
        let max = max.clamp(1, 300) as usize;
        prop_oneof![
            4 => "[a-zA-Z0-9 äß.,;]{0,20}".prop_map(|text| format!("{text:?}")),
            1 => Just(format!("{:?}", "x".repeat(max))),
            1 => Just(format!("{:?}", "x".repeat(max + 1))),
        ]
    };
    let listed: Vec<String> = field
        .picklist
        .iter()
        .map(|entry| format!("{:?}", entry.value))
        .chain([String::from("\"Not listed\"")])
        .collect();
    let scale = field.scale;
    let good = match field.kind {
        FieldKind::Boolean => prop_oneof![Just("true"), Just("false"), Just("\"true\""), Just("1")]
            .prop_map(String::from)
            .boxed(),
        FieldKind::Int => prop_oneof![
            any::<i32>().prop_map(|number| number.to_string()),
            Just(String::from("99999999999")),
        ]
        .boxed(),
        FieldKind::Double | FieldKind::Currency | FieldKind::Percent => any::<i64>()
            .prop_map(move |digits| decimal(digits, scale))
            .boxed(),
        FieldKind::Date => (1700..4000, 1..=12, 1..=31)
            .prop_map(|(y, m, d)| format!("\"{y:04}-{m:02}-{d:02}\""))
            .boxed(),
        FieldKind::DateTime => (1700..4000, 0..24)
            .prop_map(|(y, h)| format!("\"{y:04}-02-03T{h:02}:00:00Z\""))
            .boxed(),
        FieldKind::Email => prop_oneof![
            "[a-z.]{1,8}@[a-z]{1,5}\\.[a-z]{2,3}".prop_map(|text| format!("{text:?}")),
            "[a-z@.]{1,9}".prop_map(|text| format!("{text:?}")),
        ]
        .boxed(),
        FieldKind::Picklist => prop::sample::select(listed).boxed(),
        FieldKind::MultiPicklist => prop::collection::vec(prop::sample::select(listed), 0..4)
            .prop_map(|list| {
                let list: Vec<_> = list.iter().map(|text| text.trim_matches('"')).collect();
                format!("{:?}", list.join("; "))
            })
            .boxed(),
        FieldKind::Reference => prop_oneof![
            Just("\"005000000000001AAA\""),
            Just("\"001000000000001AAA\""),
            Just("\"nothing\""),
        ]
        .prop_map(String::from)
        .boxed(),
        _ => text(field.length).boxed(),
    };
    prop_oneof![6 => good, 1 => Just(String::from("null")), 1 => text(20)].boxed()
}

/// A number with so many decimals.
fn decimal(digits: i64, scale: u32) -> String {
    let power = 10_u64.pow(scale.min(18));
    let (whole, rest) = (digits.unsigned_abs() / power, digits.unsigned_abs() % power);
    let sign = if digits < 0 { "-" } else { "" };
    match scale {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{rest:0width$}", width = scale as usize),
    }
}

fn fields(object: &attache_sandbox::schema::ObjectDef) -> BoxedStrategy<Vec<(String, String)>> {
    let given: Vec<_> = object
        .fields
        .iter()
        .map(|field| {
            let name = field.name.clone();
            let often = if field.nillable || field.defaulted_on_create {
                0.12
            } else {
                0.95
            };
            let often = if field.createable { often } else { 0.004 };
            prop::option::weighted(often, value(field))
                .prop_map(move |value| Some((name.clone(), value?)))
        })
        .collect();
    given
        .prop_map(|fields| fields.into_iter().flatten().collect())
        .boxed()
}

#[test]
fn the_device_takes_every_write_that_the_org_takes() {
    let world = World::new(90, 200);
    let boss = world.boss().to_owned();
    let (accepted, gaps) = (Mutex::new(0), Mutex::new(BTreeSet::new()));
    for name in ["Account", "Contact", "Opportunity", "Lead", "Task"] {
        let (object, json) = world.sandbox.with_org(|org| {
            let object = org.schema().object(name).expect("an object").clone();
            (object, describe::describe(org.schema(), name, "67.0"))
        });
        let schema = ObjectSchema::from_describe(&json.expect("a describe")).expect("a schema");
        let config = ProptestConfig {
            cases: 400,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        proptest!(config, |(given in fields(&object))| {
            let members: Vec<String> = given.iter().map(|(k, v)| format!("{k:?}:{v}")).collect();
            let json = format!("{{{}}}", members.join(","));
            let here = Fields::from_json(&schema, &json)
                .and_then(|fields| schema.check_create(&fields));
            let input: Vec<(String, Box<RawValue>)> = given
                .iter()
                .map(|(name, value)| {
                    (name.clone(), RawValue::from_string(value.clone()).expect("JSON"))
                })
                .collect();
            let there = world.sandbox.with_org(|org| org.create(&boss, name, &input));
            match (&here, &there) {
                (Err(error), Ok(_)) => prop_assert!(
                    false,
                    "{name} {json}: the org takes it, the device says {:?}", error.problems()
                ),
                (Ok(_), Err(errors)) => {
                    let codes = errors.iter().map(|error| error.code.to_owned());
                    gaps.lock().expect("one thread").extend(codes);
                }
                (Ok(_), Ok(_)) => *accepted.lock().expect("one thread") += 1,
                (Err(_), Err(_)) => {}
            }
        });
    }
    let accepted = accepted.into_inner().expect("one thread");
    assert!(accepted > 20, "only {accepted} writes were taken by both");
    // What no describe tells: rules of the org, its other records, and what its users may see. A form that the org's
    // parser would not read (an empty text for a checkbox) is sent by a device in one that it does. Of the fields with a
    // default, the org takes some that are cleared in a create, and some not.
    let known = [
        "JSON_PARSER_ERROR",
        "DUPLICATE_VALUE",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "FIELD_INTEGRITY_EXCEPTION",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_EMAIL_ADDRESS",
        "MALFORMED_ID",
        "REQUIRED_FIELD_MISSING",
    ];
    let gaps = gaps.into_inner().expect("one thread");
    let unknown: Vec<_> = gaps
        .iter()
        .filter(|code| !known.contains(&code.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "the org refuses what could be known here: {unknown:?}"
    );
}
