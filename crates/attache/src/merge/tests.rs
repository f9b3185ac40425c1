use super::*;
use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;

/// An object with a field of every kind that merges in its own way.
fn object() -> ObjectSchema {
    let field = |name: &str, ty: &str, more: &str| {
        format!(
            r#"{{"name":"{name}","label":"{name}","type":"{ty}","nillable":true,
                "createable":true,"updateable":true{more}}}"#
        )
    };
    let entries = |list: &str| {
        let entries: Vec<_> = list
            .split(' ')
            .map(|value| format!(r#"{{"value":"{value}","active":true}}"#))
            .collect();
        format!(r#","picklistValues":[{}]"#, entries.join(","))
    };
    let part = |compound: &str| format!(r#","compoundFieldName":"{compound}""#);
    let fields = [
        r#"{"name":"Id","type":"id"}"#.into(),
        r#"{"name":"Name","type":"string","compoundFieldName":"Name"}"#.into(),
        field("Salutation", "picklist", &part("Name")),
        field("FirstName", "string", &part("Name")),
        field("LastName", "string", &part("Name")),
        field("Street", "textarea", &part("Address")),
        field("City", "string", &part("Address")),
        field("PostalCode", "string", &part("Address")),
        field("Shop__Latitude__s", "double", &part("Shop__c")),
        field("Shop__Longitude__s", "double", &part("Shop__c")),
        field("Country__c", "picklist", &entries("DE FR")),
        field(
            "Region__c",
            "picklist",
            &(entries("Hesse Alsace") + r#","controllerName":"Country__c""#),
        ),
        field(
            "Town__c",
            "picklist",
            &(entries("Kassel Colmar") + r#","controllerName":"Region__c""#),
        ),
        field("Phone", "phone", r#","length":40"#),
        field("Fax", "phone", r#","length":40"#),
        field("Description", "textarea", r#","length":60"#),
        field("Languages__c", "multipicklist", &entries("de en fr it")),
        field("Amount", "currency", r#","precision":6,"scale":2"#),
        field("Visits__c", "int", r#","digits":3"#),
        field("CloseDate", "date", ""),
        field("DoNotCall", "boolean", ""),
        field("OwnerId", "reference", ""),
    ];
    let json = format!(r#"{{"name":"Contact","fields":[{}]}}"#, fields.join(","));
    ObjectSchema::from_describe(&json).expect("the describe of the tests")
}

/// One case of `tests/merge_cases`; its README tells the form.
#[derive(Default)]
struct Case {
    title: String,
    policy: MergePolicy,
    base: Fields,
    local: Fields,
    remote: Fields,
    dirty: BTreeSet<String>,
    expected: Merge,
}

fn read_cases(object: &ObjectSchema, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            cases.push(Case {
                title: title.into(),
                ..Case::default()
            });
            continue;
        }
        let case = cases.last_mut().expect("a line before the first title");
        let (key, rest) = line.split_once(':').expect("a line without a colon");
        let list = || rest.split_whitespace().map(String::from).collect();
        match key {
            "policy" => case.policy = read_policy(rest),
            "taken" => case.expected.taken = list(),
            "kept" => case.expected.kept = list(),
            "agreed" => case.expected.agreed = list(),
            "conflicts" => case.expected.conflicts = list(),
            _ => read_field(object, case, key, rest),
        }
    }
    cases
}

fn read_policy(text: &str) -> MergePolicy {
    let named = |name: &str| match name {
        "ask" => Policy::Ask,
        "local" => Policy::Local,
        "remote" => Policy::Remote,
        "union" => Policy::Union,
        "text" => Policy::Text,
        "counter" => Policy::Counter,
        _ => panic!("no policy is called {name}"),
    };
    text.split_whitespace()
        .fold(MergePolicy::default(), |policy, word| {
            match word.split_once('=') {
                Some((field, name)) => policy.with_field(field, named(name)),
                None => MergePolicy::new(named(word)),
            }
        })
}

fn read_field(object: &ObjectSchema, case: &mut Case, key: &str, rest: &str) {
    let name = key.trim_end_matches('*');
    if key.ends_with('*') {
        case.dirty.insert(name.into());
    }
    let (sides, row) = rest.split_once("->").expect("a field without a result");
    let value = |text: &str| match (text.trim(), object.field(name)) {
        (".", _) => None,
        ("-", _) => Some(Value::Null),
        (text, Some(field)) => {
            Some(Value::parse(field, &text.replace("\\n", "\n")).expect("a value"))
        }
        (text, None) => Some(Value::from(text)),
    };
    let sides: Vec<_> = sides.split('|').map(value).collect();
    let [base, local, remote] = sides.as_slice() else {
        panic!("{name} needs three sides");
    };
    for (side, value) in [
        (&mut case.base, base),
        (&mut case.local, local),
        (&mut case.remote, remote),
    ] {
        if let Some(value) = value {
            side.set(name, value.clone());
        }
    }
    if let Some(value) = value(row) {
        case.expected.row.push((name.into(), value));
    }
}

fn check(path: &Path, object: &ObjectSchema, failures: &mut String) -> usize {
    let text = std::fs::read_to_string(path).expect("a case file");
    let cases = read_cases(object, &text);
    for case in &cases {
        let got = merge(
            object,
            &case.base,
            &case.local,
            &case.remote,
            &case.dirty,
            &case.policy,
        );
        if got != case.expected {
            writeln!(
                failures,
                "{}: {}\n  expected {:?}\n  got      {got:?}",
                path.display(),
                case.title,
                case.expected
            )
            .expect("a string takes it");
        }
    }
    cases.len()
}

#[test]
fn every_case_in_the_files_merges_as_written() {
    let object = object();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merge_cases");
    let (mut failures, mut count) = (String::new(), 0);
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            count += check(&path, &object, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count > 30, "only {count} cases were found");
}

#[test]
fn fields_group_by_compound_and_by_controller() {
    let object = object();
    let groups: Vec<String> = groups(&object, &MergePolicy::default())
        .iter()
        .filter(|group| group.len() > 1)
        .map(|group| {
            let names: Vec<_> = group
                .iter()
                .map(|at| object.fields[*at].name.as_str())
                .collect();
            names.join(" ")
        })
        .collect();
    assert_eq!(
        groups,
        [
            "Salutation FirstName LastName",
            "Street City PostalCode",
            "Shop__Latitude__s Shop__Longitude__s",
            "Country__c Region__c Town__c",
        ]
    );
}

#[test]
fn equality_is_by_meaning() {
    let number = |text: &str| Value::Number(text.parse().expect("a number"));
    let same_text = |ty, a: &str, b: &str| same(&ty, &Value::text(a), &Value::text(b));
    assert!(same(&FieldType::Currency, &number("1.0"), &number("1.00")));
    assert!(!same(&FieldType::Currency, &number("0"), &Value::Null));
    assert!(same_text(FieldType::MultiPicklist, "a;b", "b;a;b"));
    assert!(!same_text(FieldType::MultiPicklist, "a;b", "a"));
    assert!(!same_text(FieldType::String, "a;b", "b;a"));
    assert!(same_text(
        FieldType::Reference,
        "001D000000JliST",
        "001D000000JliSTIAZ"
    ));
    assert!(!same_text(
        FieldType::Reference,
        "001D000000JliST",
        "001D000000JliSt"
    ));
    assert!(!same_text(FieldType::String, "a", "A"));
    assert!(!same_text(FieldType::String, "a", "a "));
    assert!(same_text(FieldType::String, "", ""));
    assert!(same(&FieldType::Boolean, &Value::from(false), &Value::Null));
    assert!(!same(&FieldType::Boolean, &Value::from(true), &Value::Null));
}

/// Three sides made by perturbing one, so that they overlap.
#[derive(Clone, Debug)]
struct Three {
    base: Fields,
    local: Fields,
    remote: Fields,
    dirty: BTreeSet<String>,
}

fn value_of(ty: &FieldType, seed: u8) -> Value {
    // A checkbox is never null.
    if seed == 0 && *ty != FieldType::Boolean {
        return Value::Null;
    }
    match ty {
        FieldType::Boolean => Value::from(seed.is_multiple_of(2)),
        FieldType::Date => Value::Date(jiff::civil::date(2024, 1, i8::try_from(seed).unwrap_or(1))),
        FieldType::MultiPicklist => {
            let members = ["de", "en", "fr", "it"].iter().enumerate();
            let chosen = members.filter(|(bit, _)| seed & (1 << bit) != 0);
            Value::text(chosen.map(|(_, name)| *name).collect::<Vec<_>>().join(";"))
        }
        ty if ty.is_number() => Value::from(i32::from(seed)),
        FieldType::TextArea => Value::from(format!("one\n{}\nthree\n{}", seed & 3, seed >> 2)),
        _ => Value::from(format!("v{seed}")),
    }
}

fn three() -> impl Strategy<Value = Three> {
    let fields = object().fields.len();
    let edits = || prop::collection::vec((0..fields, 0..8_u8), 0..6);
    (prop::collection::vec(0..8_u8, fields), edits(), edits()).prop_map(|(seeds, here, there)| {
        let object = object();
        let base: Fields = object
            .fields
            .iter()
            .zip(seeds)
            .map(|(field, seed)| (field.name.clone(), value_of(&field.field_type, seed)))
            .collect();
        let (mut local, mut remote) = (base.clone(), base.clone());
        let mut dirty = BTreeSet::new();
        for (at, seed) in here {
            let field = &object.fields[at];
            if field.updateable {
                local.set(&field.name, value_of(&field.field_type, seed));
                dirty.insert(field.name.clone());
            }
        }
        for (at, seed) in there {
            let field = &object.fields[at];
            remote.set(&field.name, value_of(&field.field_type, seed));
        }
        Three {
            base,
            local,
            remote,
            dirty,
        }
    })
}

fn policies() -> impl Strategy<Value = MergePolicy> {
    let one = || {
        prop::sample::select(vec![
            Policy::Ask,
            Policy::Local,
            Policy::Remote,
            Policy::Union,
            Policy::Text,
            Policy::Counter,
        ])
    };
    let names: Vec<_> = object()
        .fields
        .into_iter()
        .map(|field| field.name)
        .collect();
    (
        one(),
        prop::collection::vec((prop::sample::select(names), one()), 0..4),
    )
        .prop_map(|(default, fields)| {
            fields
                .into_iter()
                .fold(MergePolicy::new(default), |policy, (name, own)| {
                    policy.with_field(&name, own)
                })
        })
}

fn row_of(merge: &Merge) -> Fields {
    merge.row.iter().cloned().collect()
}

/// Compares by meaning, field by field.
fn agree(object: &ObjectSchema, a: &Fields, b: &Fields) -> bool {
    object.fields.iter().all(|field| {
        let null = Value::Null;
        same(
            &field.field_type,
            a.get(&field.name).unwrap_or(&null),
            b.get(&field.name).unwrap_or(&null),
        )
    })
}

proptest! {
    #[test]
    fn what_only_the_server_changed_is_taken(t in three(), policy in policies()) {
        let object = object();
        let got = merge(&object, &t.base, &t.base, &t.remote, &t.dirty, &policy);
        prop_assert!(agree(&object, &row_of(&got), &t.remote));
        prop_assert!(got.kept.is_empty() && got.conflicts.is_empty());
    }

    #[test]
    fn what_only_this_device_changed_is_kept(t in three(), policy in policies()) {
        let object = object();
        let got = merge(&object, &t.base, &t.local, &t.base, &t.dirty, &policy);
        prop_assert_eq!(row_of(&got), t.local);
        prop_assert!(got.taken.is_empty() && got.conflicts.is_empty());
    }

    #[test]
    fn the_same_change_on_both_sides_is_settled(t in three(), policy in policies()) {
        let object = object();
        let got = merge(&object, &t.base, &t.local, &t.local, &t.dirty, &policy);
        prop_assert!(agree(&object, &row_of(&got), &t.local));
        prop_assert!(got.kept.is_empty() && got.conflicts.is_empty() && got.taken.is_empty());
        prop_assert_eq!(got.agreed.len(), t.dirty.len());
    }

    #[test]
    fn edits_of_different_groups_both_live(t in three(), policy in policies()) {
        let object = object();
        let mut remote = t.remote.clone();
        for group in groups(&object, &MergePolicy::default()).iter() {
            let names = || group.iter().map(|at| object.fields[*at].name.as_str());
            if names().any(|name| t.dirty.contains(name)) {
                for name in names() {
                    remote.set(name, t.base.get(name).expect("a value").clone());
                }
            }
        }
        let got = merge(&object, &t.base, &t.local, &remote, &t.dirty, &policy);
        let row = row_of(&got);
        prop_assert!(got.conflicts.is_empty());
        for field in &object.fields {
            let side = if t.dirty.contains(&field.name) { &t.local } else { &remote };
            prop_assert_eq!(row.get(&field.name), side.get(&field.name), "{}", field.name);
        }
    }

    #[test]
    fn no_value_is_invented_and_groups_stay_whole(t in three(), ask in prop::sample::select(
        vec![Policy::Ask, Policy::Local, Policy::Remote]
    )) {
        let object = object();
        let policy = MergePolicy::new(ask);
        let got = merge(&object, &t.base, &t.local, &t.remote, &t.dirty, &policy);
        let row = row_of(&got);
        for group in groups(&object, &MergePolicy::default()).iter() {
            let from = |side: &Fields| {
                let mut names = group.iter().map(|at| object.fields[*at].name.as_str());
                names.all(|name| row.get(name) == side.get(name))
            };
            prop_assert!(from(&t.local) || from(&t.remote));
        }
    }

    #[test]
    fn nothing_edited_here_is_lost(t in three(), policy in policies()) {
        let object = object();
        let got = merge(&object, &t.base, &t.local, &t.remote, &t.dirty, &policy);
        let null = Value::Null;
        for name in &t.dirty {
            let field = object.field(name).expect("a field");
            let of = |side: &Fields| side.get(name).unwrap_or(&null).clone();
            let (base, local, remote) = (of(&t.base), of(&t.local), of(&t.remote));
            let gone = !same(&field.field_type, &base, &local)
                && !same(&field.field_type, &local, &remote)
                && !got.kept.contains(name)
                && !got.conflicts.contains(name);
            // Only a policy that says so gives up an edit.
            prop_assert!(!gone || policy.of(name) == Policy::Remote || got.taken.contains(name) && policy.of(name) != Policy::Ask, "{}", name);
        }
    }

    #[test]
    fn each_field_has_one_value_and_stands_in_at_most_one_list(t in three(), policy in policies()) {
        let object = object();
        let got = merge(&object, &t.base, &t.local, &t.remote, &t.dirty, &policy);
        prop_assert_eq!(got.row.len(), object.fields.len());
        let mut listed = BTreeSet::new();
        for name in got.taken.iter().chain(&got.kept).chain(&got.agreed).chain(&got.conflicts) {
            prop_assert!(listed.insert(name.clone()), "{} is listed twice", name);
        }
        let again = merge(&object, &t.base, &t.local, &t.remote, &t.dirty, &policy);
        prop_assert_eq!(again, got);
    }

    /// What was merged once does not merge again: the row against the remote as base.
    #[test]
    fn a_merge_is_stable(t in three(), policy in policies()) {
        let object = object();
        let got = merge(&object, &t.base, &t.local, &t.remote, &t.dirty, &policy);
        prop_assume!(got.conflicts.is_empty());
        let row = row_of(&got);
        let kept: BTreeSet<_> = got.kept.iter().cloned().collect();
        let again = merge(&object, &t.remote, &row, &t.remote, &kept, &policy);
        prop_assert_eq!(row_of(&again), row);
        prop_assert_eq!(again.kept, got.kept);
        prop_assert!(again.taken.is_empty() && again.conflicts.is_empty());
    }
}
