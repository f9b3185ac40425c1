//! The briefcase's document from outside: its schema, its printing, what it refuses.

use attache::Briefcase;
use jsonschema::Validator;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

fn schema() -> &'static Validator {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let schema: Value = serde_json::from_str(Briefcase::json_schema()).expect("JSON");
        jsonschema::draft202012::meta::validate(&schema).expect("a valid schema");
        jsonschema::validator_for(&schema).expect("a schema that compiles")
    });
    &SCHEMA
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}

/// Checks that the schema takes what the library takes, and that printing changes nothing.
fn holds(json: &str) -> Briefcase {
    let briefcase =
        Briefcase::from_json(json).unwrap_or_else(|error| panic!("{json}: {:?}", error.problems()));
    for text in [json, &briefcase.to_json()] {
        let errors: Vec<String> = schema()
            .iter_errors(&value(text))
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{text}: {errors:?}");
    }
    let again = Briefcase::from_json(&briefcase.to_json()).expect("what was printed");
    assert_eq!(again, briefcase);
    assert_eq!(again.to_json(), briefcase.to_json());
    briefcase
}

fn api_name() -> BoxedStrategy<String> {
    prop_oneof![
        Just("Account".to_owned()),
        Just("Contact".to_owned()),
        "Q[a-z]{1,6}(__c)?",
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    prop_oneof![
        Just("Name = 'O\\'Neil'".to_owned()),
        Just("CloseDate = NEXT_N_DAYS:90 and (Amount>1000.50 or IsWon = true)".to_owned()),
        Just("Id IN (SELECT AccountId FROM Contact WHERE Email = null)".to_owned()),
        "Q[a-z]{1,4} LIKE '[a-z%_]{0,5}'",
    ]
    .boxed()
}

fn row_value() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1_000_000_i64..1_000_000).prop_map(|n| json!(n as f64 / 100.0)),
        "\\PC{0,8}".prop_map(Value::from),
        Just(json!({"literal": "THIS_WEEK"})),
        Just(json!({"literal": "2026-01-31"})),
    ]
    .boxed()
}

fn row() -> BoxedStrategy<Value> {
    prop_oneof![
        (api_name(), row_value()).prop_map(|(f, v)| json!({"field": f, "op": "!=", "value": v})),
        (
            api_name(),
            "\\PC{0,8}",
            prop::sample::select(vec!["contains", "starts with", "like"])
        )
            .prop_map(|(f, v, op)| json!({"field": f, "op": op, "value": v})),
        (
            api_name(),
            vec(row_value(), 1..4),
            prop::sample::select(vec!["in", "not in"])
        )
            .prop_map(|(f, v, op)| json!({"field": f, "op": op, "value": v})),
    ]
    .boxed()
}

/// The keys of a condition, in one form or the other, or none.
fn filters() -> BoxedStrategy<Vec<(&'static str, Value)>> {
    prop_oneof![
        Just(Vec::new()),
        condition().prop_map(|text| vec![("where", text.into())]),
        vec(row(), 1..4).prop_map(|rows| vec![("filters", rows.into())]),
        (
            vec(row(), 3..4),
            prop::sample::select(vec!["1 AND (2 OR 3)", "not (1 or 2 or 3)", "1 or 3 or 2"])
        )
            .prop_map(|(rows, logic)| vec![("filters", rows.into()), ("logic", logic.into())]),
    ]
    .boxed()
}

fn object(members: Vec<(&'static str, Value)>) -> Value {
    let members = members
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    Value::Object(members.collect::<Map<String, Value>>())
}

fn related() -> BoxedStrategy<Value> {
    let path = prop_oneof![
        (api_name(), api_name()).prop_map(|(o, f)| vec![("children", json!(format!("{o}.{f}")))]),
        api_name().prop_map(|f| vec![("parent", f.into())]),
        (api_name(), api_name())
            .prop_map(|(f, o)| vec![("parent", f.into()), ("object", o.into())]),
    ];
    let leaf =
        (path.clone(), filters(), any::<bool>()).prop_map(|(mut path, filters, optional)| {
            path.extend(filters);
            path.push(("optional", optional.into()));
            object(path)
        });
    leaf.prop_recursive(4, 8, 3, move |inner| {
        (path.clone(), vec(inner, 0..3)).prop_map(|(mut path, related)| {
            path.push(("related", related.into()));
            object(path)
        })
    })
    .boxed()
}

fn scope() -> BoxedStrategy<Value> {
    prop_oneof![
        prop::sample::select(vec![
            "everything",
            "Mine",
            "queue",
            "team",
            "my_territory",
            "whatever"
        ])
        .prop_map(Value::from),
        api_name().prop_map(|field| json!({"mine": field})),
    ]
    .boxed()
}

fn rule(nr: usize) -> BoxedStrategy<Value> {
    let order = prop::sample::select(vec!["Name", "Name desc nulls last, Id", "CreatedDate asc"]);
    let chosen = (
        (
            any::<bool>(),
            api_name(),
            any::<bool>(),
            proptest::option::of(scope()),
        ),
        filters(),
        proptest::option::of((1..u32::MAX, proptest::option::of(order))),
        vec(related(), 0..3),
    );
    let chosen = chosen.prop_map(
        move |((named, name, optional, scope), filters, limit, related)| {
            let mut members = vec![("object", name.into()), ("optional", optional.into())];
            if named {
                members.push(("name", format!("rule {nr}").into()));
            }
            members.extend(scope.map(|scope| ("scope", scope)));
            members.extend(filters);
            if let Some((limit, order)) = limit {
                members.push(("limit", limit.into()));
                members.extend(order.map(|order| ("order_by", order.into())));
            }
            members.push(("related", related.into()));
            object(members)
        },
    );
    prop_oneof![3 => chosen, 1 => api_name().prop_map(Value::from)].boxed()
}

fn document() -> BoxedStrategy<Value> {
    let merge = prop::sample::select(vec![
        json!({}),
        json!({"default": "remote", "fields": {"Description": "text"}}),
        json!({"groups": [["A", "B"], {"fields": ["C", "D"], "policy": "local"}], "deletion": "edit"}),
        json!({"deletion": {"here": "ask"}}),
    ]);
    let options = (any::<bool>(), any::<bool>(), merge).prop_map(|(fields, key, merge)| {
        let mut members = vec![("merge", merge)];
        members.extend(fields.then(|| ("fields", json!(["Name", "Phone"]))));
        members.extend(key.then(|| ("client_key", json!("Key__c"))));
        object(members)
    });
    let recent =
        (1..u32::MAX).prop_map(|limit| json!({"objects": ["Account", "Lead"], "limit": limit}));
    let rules = (rule(0), rule(1), rule(2), 0..4_usize)
        .prop_map(|(a, b, c, count)| [a, b, c].into_iter().take(count).collect::<Vec<_>>());
    (
        rules,
        proptest::option::of(options),
        proptest::option::of(recent),
        proptest::option::of("[A-Za-z ]{0,9}x"),
    )
        .prop_map(|(rules, options, recent, name)| {
            let mut members = vec![("version", json!(1)), ("rules", rules.into())];
            members.extend(options.map(|options| ("objects", json!({"Account": options}))));
            members.extend(recent.map(|recent| ("recent", recent)));
            members.extend(name.map(|name| ("name", name.into())));
            object(members)
        })
        .boxed()
}

/// The places of all values of a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(list) => {
            for (nr, value) in list.iter().enumerate() {
                places(value, &format!("{at}/{nr}"), found);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                places(value, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_read_is_valid_and_prints_as_itself(document in document()) {
        holds(&document.to_string());
    }

    #[test]
    fn what_is_bent_is_refused_or_still_valid(
        document in document(),
        place in any::<prop::sample::Index>(),
        with in prop::sample::select(vec![json!(null), json!(0), json!(-1), json!(""), json!("x y"), json!([]), json!({}), json!([[]]), json!(true), json!(1.5), json!("mine")]),
    ) {
        let mut document = document;
        let mut found = Vec::new();
        places(&document, "", &mut found);
        let at = place.get(&found);
        *document.pointer_mut(at).expect("a place of its own") = with;
        if Briefcase::from_json(&document.to_string()).is_ok() {
            holds(&document.to_string());
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_both(document in document(), place in any::<prop::sample::Index>()) {
        let mut document = document;
        let mut found = Vec::new();
        places(&document, "", &mut found);
        // In `objects` and in the fields of a merge policy keys are names.
        found.retain(|at| at != "/objects" && at != "/objects/Account/merge/fields");
        found.retain(|at| document.pointer(at).is_some_and(Value::is_object));
        let members = document.pointer_mut(place.get(&found).as_str()).and_then(Value::as_object_mut);
        members.expect("an object").insert("extra".into(), json!(1));
        prop_assert!(Briefcase::from_json(&document.to_string()).is_err(), "{document}");
        prop_assert!(!schema().is_valid(&document), "{document}");
    }
}

#[test]
fn what_the_schema_can_see_both_refuse() {
    for json in [
        r#"[]"#,
        r#"{"version":1}"#,
        r#"{"rules":[]}"#,
        r#"{"version":2,"rules":[]}"#,
        r#"{"version":1,"rules":{}}"#,
        r#"{"version":1,"rules":[],"name":" "}"#,
        r#"{"version":1,"rules":[],"name":null}"#,
        r#"{"version":1,"rules":["a b"]}"#,
        r#"{"version":1,"rules":[{}]}"#,
        r#"{"version":1,"rules":[{"object":"A","limit":0}]}"#,
        r#"{"version":1,"rules":[{"object":"A","limit":1.5}]}"#,
        r#"{"version":1,"rules":[{"object":"A","order_by":"Name"}]}"#,
        r#"{"version":1,"rules":[{"object":"A","logic":"1"}]}"#,
        r#"{"version":1,"rules":[{"object":"A","where":"B = 1","filters":[{"field":"B","op":"=","value":1}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","filters":[]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","filters":[{"field":"B","op":"~","value":1}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","filters":[{"field":"B","op":"=","value":{}}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","filters":[{"field":"B","op":"in","value":[[1]]}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","scope":{"mine":""}}]}"#,
        r#"{"version":1,"rules":[{"object":"A","scope":["mine"]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","optional":"yes"}]}"#,
        r#"{"version":1,"rules":[{"object":"A","related":[{}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","related":[{"children":"B"}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","related":[{"children":"B.C","object":"B"}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","related":[{"children":"B.C","parent":"D"}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","related":[{"children":"B.C","limit":5}]}]}"#,
        r#"{"version":1,"rules":[{"object":"A","related":[{"parent":"B","object":[]}]}]}"#,
        r#"{"version":1,"rules":[],"recent":{"limit":5}}"#,
        r#"{"version":1,"rules":[],"objects":{"A":{"client_key":""}}}"#,
        r#"{"version":1,"rules":[],"objects":{"A":{"fields":["B","B"]}}}"#,
        r#"{"version":1,"rules":[],"objects":{"A":{"merge":{"default":"mine"}}}}"#,
        r#"{"version":1,"rules":[],"objects":{"A":{"merge":{"groups":[{"fields":["B","C"]}]}}}}"#,
        r#"{"version":1,"rules":[],"objects":{"A":{"merge":{"groups":[["B"]]}}}}"#,
        r#"{"version":1,"rules":[],"objects":{"A":{"merge":{"deletion":{"here":null}}}}}"#,
    ] {
        assert!(Briefcase::from_json(json).is_err(), "{json}");
        assert!(!schema().is_valid(&value(json)), "{json}");
    }
}

/// The documents in the texts of the repository: code blocks that begin like one.
fn documents(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in text
        .match_indices("{\"version\": 1")
        .chain(text.match_indices("{\n  \"version\": 1"))
    {
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        if let Some(Ok(document)) = values.next() {
            found.push(document.to_string());
        }
    }
    found
}

#[test]
fn every_document_in_the_docs_is_valid() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).expect(path);
    let readme = documents(&read("README.md"));
    assert_eq!(readme.len(), 1, "the readme shows one briefcase");
    let source = read("crates/attache/src/briefcase/mod.rs").replace("/// ", "");
    let own = documents(&source);
    assert!(own.len() >= 2, "{own:?}");
    for json in readme
        .iter()
        .chain(&own)
        .filter(|json| !json.contains("limt"))
    {
        holds(json);
    }
}

/// What the rules of a document read of each object: pairs of an object and a field of its own.
fn reads(rule: &Value, above: Option<&str>, found: &mut Vec<(String, String)>) {
    let text = |key: &str| rule.get(key).and_then(Value::as_str);
    let mut add = |object: &str, field: &str| found.push((object.to_owned(), field.to_owned()));
    let object =
        if let Some((object, field)) = text("children").and_then(|path| path.split_once('.')) {
            add(object, field);
            object
        } else {
            if let (Some(above), Some(field)) = (above, text("parent")) {
                add(above, field);
            }
            text("object").unwrap_or_default()
        };
    if let Some(condition) = text("where") {
        let filter = attache::Filter::parse(condition).expect("a condition");
        for field in filter.fields().iter().filter(|field| !field.contains('.')) {
            add(object, field);
        }
    }
    if let Some(field) = rule.pointer("/scope/mine").and_then(Value::as_str) {
        add(object, field);
    }
    for below in rule
        .get("related")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        reads(below, Some(object), found);
    }
}

#[test]
fn templates_are_valid_and_name_what_orgs_have() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/describe/standard_schema.json"
    );
    let standard = value(&std::fs::read_to_string(path).expect("the schema of standard objects"));
    let mut known = 0;
    for name in Briefcase::templates() {
        let template = Briefcase::template(name).expect(name);
        let json = value(&holds(&template.to_json()).to_json());
        let mut found = Vec::new();
        for rule in json["rules"].as_array().expect("rules") {
            reads(rule, None, &mut found);
        }
        for (object, field) in found {
            if let Some(fields) = standard.pointer(&format!("/{object}/fields")) {
                known += 1;
                assert!(fields.get(&field).is_some(), "{name}: {object}.{field}");
            }
        }
    }
    assert!(known > 20, "{known} fields were looked up");
}
