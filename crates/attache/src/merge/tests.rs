//! What holds for every merge. What single cases come to is in `tests/merge_cases`.

use super::row::Merge;
use super::*;
use crate::schema::ObjectSchema;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The object of `tests/merge_cases`: a field of every kind that merges in its own way.
fn object() -> Arc<ObjectSchema> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merge_cases/contact.json");
    let json = std::fs::read_to_string(path).expect("the describe of the cases");
    Arc::new(ObjectSchema::from_describe(&json).expect("a describe"))
}

fn merger(policy: &MergePolicy) -> Merger {
    Merger::new(object(), policy)
}

fn groups_of(merger: &Merger) -> Vec<String> {
    let names: Vec<&str> = merger.fields().map(|field| field.name.as_str()).collect();
    let groups = merger.groups().filter(|group| group.len() > 1);
    let named = groups.map(|group| group.iter().map(|at| names[*at]).collect::<Vec<_>>());
    named.map(|group| group.join(" ")).collect()
}

#[test]
fn fields_group_by_compound_by_controller_and_by_the_host() {
    let described = [
        "Salutation FirstName MiddleName LastName Suffix",
        "Street City PostalCode Latitude Longitude",
        "Shop__Latitude__s Shop__Longitude__s",
        "Country__c Region__c Town__c",
    ];
    assert_eq!(groups_of(&merger(&MergePolicy::default())), described);
    let policy = MergePolicy::default()
        .with_group(["amount", "CurrencyIsoCode"], None)
        .with_group(["Town__c", "Phone", "Name"], None);
    let declared = groups_of(&merger(&policy));
    assert_eq!(declared[..3], described[..3]);
    assert_eq!(
        declared[3..],
        [
            "Country__c Region__c Town__c Phone",
            "Amount CurrencyIsoCode"
        ]
    );
}

/// The describes of real orgs tell the groups of their addresses, names and dependent picklists.
#[test]
fn groups_are_found_in_the_describes_of_real_orgs() {
    let groups = |file: &str| {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/data/describe/"
        );
        let json = std::fs::read_to_string(format!("{path}{file}.json")).expect("a describe");
        let object = ObjectSchema::from_describe(&json).expect("a describe");
        groups_of(&Merger::new(Arc::new(object), &MergePolicy::default()))
    };
    let address = |of: &str| {
        let parts = [
            "Street",
            "City",
            "State",
            "PostalCode",
            "Country",
            "Latitude",
            "Longitude",
            "GeocodeAccuracy",
        ];
        parts.map(|part| format!("{of}{part}")).join(" ")
    };
    assert_eq!(groups("Account"), [address("Billing"), address("Shipping")]);
    assert_eq!(
        groups("Lead"),
        ["LastName FirstName Salutation".into(), address("")]
    );
    let playground = ["Customer", "Controlled", "Controlling"].map(|it| match it {
        "Customer" => "playgroundorg__CustomerPriority__c".to_owned(),
        it => format!("playgroundorg__{it}_Picklist__c"),
    });
    let found = groups("Account_v53");
    assert_eq!(found[..2], [address("Billing"), address("Shipping")]);
    let chain: BTreeSet<&str> = found[2].split(' ').collect();
    assert_eq!(chain, playground.iter().map(String::as_str).collect());
}

/// Where people are accounts, `Name` is made of its parts for some records and their only name for others.
#[test]
fn the_name_of_a_person_account_is_no_part_of_itself() {
    let part = |name: &str, compound: &str| {
        format!(
            r#"{{"name":"{name}","type":"string","createable":true,"updateable":true,"compoundFieldName":"{compound}"}}"#
        )
    };
    let fields = [
        part("Name", "Name"),
        part("LastName", "Name"),
        part("FirstName", "Name"),
        part("PersonMailingStreet", "PersonMailingAddress"),
        part("PersonMailingCity", "PersonMailingAddress"),
        part("BillingStreet", "BillingAddress"),
    ];
    let json = format!(r#"{{"name":"Account","fields":[{}]}}"#, fields.join(","));
    let object = ObjectSchema::from_describe(&json).expect("a describe");
    assert_eq!(
        groups_of(&Merger::new(Arc::new(object), &MergePolicy::default())),
        [
            "LastName FirstName",
            "PersonMailingStreet PersonMailingCity"
        ]
    );
}

#[test]
fn an_edit_that_was_taken_back_follows_the_server() {
    let merger = merger(&MergePolicy::default());
    let row = |phone: &str| -> Vec<Value> {
        let of = |name: &str| {
            if name == "Phone" {
                Value::from(phone)
            } else {
                Value::Null
            }
        };
        merger.fields().map(|field| of(&field.name)).collect()
    };
    let edited: Vec<bool> = merger.fields().map(|field| field.name == "Phone").collect();
    let phone: Vec<usize> = (0..edited.len()).filter(|at| edited[*at]).collect();
    let taken = merger.merged(
        &row("1"),
        &row("1"),
        &row("2"),
        &edited,
        &none(edited.len()),
    );
    assert_eq!((&taken.row, &taken.taken), (&row("2"), &phone));
    let settled = merger.merged(
        &row("1"),
        &row("1"),
        &row("1"),
        &edited,
        &none(edited.len()),
    );
    assert_eq!((&settled.row, &settled.agreed), (&row("1"), &phone));
}

/// What was sent without an answer may be in the server's number already.
#[test]
fn a_count_that_may_have_arrived_is_not_added_again() {
    let policy = MergePolicy::default().with_field("Visits__c", Policy::Counter);
    let merger = merger(&policy);
    let row = |visits: i32| -> Vec<Value> {
        let of = |name: &str| {
            if name == "Visits__c" {
                Value::from(visits)
            } else {
                Value::Null
            }
        };
        merger.fields().map(|field| of(&field.name)).collect()
    };
    let edited: Vec<bool> = merger
        .fields()
        .map(|field| field.name == "Visits__c")
        .collect();
    let run = |sent: &[bool]| merger.merged(&row(10), &row(11), &row(12), &edited, sent);
    let (known, doubtful) = (run(&none(edited.len())), run(&edited));
    assert_eq!((known.row, known.conflicts.len()), (row(13), 0));
    assert_eq!((doubtful.row, doubtful.conflicts.len()), (row(11), 1));
}

/// What was sent without an answer, and is what the server has, is not somebody else's.
#[test]
fn an_edit_upon_one_that_arrived_unheard_is_no_conflict() {
    let policy = MergePolicy::default().with_field("Visits__c", Policy::Counter);
    let merger = merger(&policy);
    let place = |name: &str| {
        merger
            .fields()
            .position(|field| field.name == name)
            .unwrap()
    };
    let (phone, visits) = (place("Phone"), place("Visits__c"));
    let row = |text: &str, count: i32| {
        let mut row = vec![Value::Null; merger.fields().count()];
        (row[phone], row[visits]) = (Value::text(text), Value::from(count));
        row
    };
    let mut edited = vec![false; merger.fields().count()];
    (edited[phone], edited[visits]) = (true, true);
    let mut sent = vec![None; edited.len()];
    (sent[phone], sent[visits]) = (Some(Value::text("sent")), Some(Value::from(12)));
    let after = |remote: &[Value]| {
        let local = row("upon it", 13);
        let base = merger.base_after(row("before", 10), &local, remote, &edited, &sent);
        let merge = merger.merged(&base, &local, remote, &edited, &edited);
        (merge.kept, merge.conflicts)
    };
    // A count asks all the same: two people may have come to one number.
    assert_eq!(after(&row("sent", 12)), (vec![phone], vec![visits]));
    assert_eq!(after(&row("theirs", 10)), (vec![visits], vec![phone]));
}

fn none(fields: usize) -> Vec<bool> {
    vec![false; fields]
}

#[test]
fn sides_of_another_length_are_refused() {
    let merger = merger(&MergePolicy::default());
    let short = [Value::Null];
    let error = merger
        .merge(&short, &short, &short, &[true])
        .expect_err("too short");
    assert!(
        error
            .to_string()
            .contains(&merger.fields().len().to_string()),
        "{error}"
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
    base: Vec<Value>,
    local: Vec<Value>,
    remote: Vec<Value>,
    edited: Vec<bool>,
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
    let edits = || prop::collection::vec((0..fields, 0..8_u8), 0..8);
    (prop::collection::vec(0..8_u8, fields), edits(), edits()).prop_map(|(seeds, here, there)| {
        let object = object();
        let value = |at: usize, seed: u8| value_of(&object.fields[at].field_type, seed);
        let base: Vec<Value> = seeds
            .iter()
            .enumerate()
            .map(|(at, seed)| value(at, *seed))
            .collect();
        let (mut local, mut remote) = (base.clone(), base.clone());
        let mut edited = vec![false; base.len()];
        for (at, seed) in here {
            if object.fields[at].updateable {
                local[at] = value(at, seed);
                edited[at] = true;
            }
        }
        for (at, seed) in there {
            remote[at] = value(at, seed);
        }
        Three {
            base,
            local,
            remote,
            edited,
        }
    })
}

fn policies() -> impl Strategy<Value = MergePolicy> {
    let some = |all: Vec<Policy>| prop::sample::select(all);
    let any = || {
        let joining = [Policy::Union, Policy::Text, Policy::Counter];
        some([&WHOLE[..], &joining].concat())
    };
    let names: Vec<String> = object()
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    let name = prop::sample::select(names);
    let fields = prop::collection::vec((name.clone(), any()), 0..4);
    let group = (
        prop::collection::vec(name, 2..4),
        prop::option::of(some(WHOLE.to_vec())),
    );
    (any(), fields, prop::collection::vec(group, 0..2)).prop_map(|(default, fields, groups)| {
        let policy = MergePolicy::new(default);
        let policy = fields
            .into_iter()
            .fold(policy, |policy, (name, own)| policy.with_field(&name, own));
        groups
            .into_iter()
            .fold(policy, |policy, (names, own)| policy.with_group(names, own))
    })
}

/// The policies that make no value of their own.
const WHOLE: [Policy; 3] = [Policy::Ask, Policy::Local, Policy::Remote];

fn run(t: &Three, policy: &MergePolicy) -> (Merger, Merge) {
    let merger = merger(policy);
    let merge = merger.merged(
        &t.base,
        &t.local,
        &t.remote,
        &t.edited,
        &none(t.edited.len()),
    );
    (merger, merge)
}

/// Compares rows by meaning.
fn agree(merger: &Merger, a: &[Value], b: &[Value]) -> bool {
    let mut values = merger.fields().zip(a.iter().zip(b));
    values.all(|(field, (a, b))| same(&field.field_type, a, b))
}

proptest! {
    #[test]
    fn what_only_the_server_changed_is_taken(mut t in three(), policy in policies()) {
        t.local = t.base.clone();
        let (merger, got) = run(&t, &policy);
        prop_assert!(agree(&merger, &got.row, &t.remote));
        prop_assert!(got.kept.is_empty() && got.conflicts.is_empty());
    }

    #[test]
    fn what_only_this_device_changed_is_kept(mut t in three(), policy in policies()) {
        t.remote = t.base.clone();
        let (_, got) = run(&t, &policy);
        prop_assert_eq!(got.row, t.local);
        prop_assert!(got.taken.is_empty() && got.conflicts.is_empty());
    }

    #[test]
    fn the_same_change_on_both_sides_is_settled(mut t in three(), policy in policies()) {
        t.remote = t.local.clone();
        let (merger, got) = run(&t, &policy);
        prop_assert!(agree(&merger, &got.row, &t.local));
        prop_assert!(got.kept.is_empty() && got.conflicts.is_empty() && got.taken.is_empty());
        prop_assert_eq!(got.agreed.len(), t.edited.iter().filter(|edited| **edited).count());
    }

    #[test]
    fn edits_of_different_groups_both_live(mut t in three(), policy in policies()) {
        let merger = merger(&policy);
        for group in merger.groups().filter(|group| group.iter().any(|at| t.edited[*at])) {
            group.iter().for_each(|at| t.remote[*at] = t.base[*at].clone());
        }
        let got = merger.merged(&t.base, &t.local, &t.remote, &t.edited, &none(t.edited.len()));
        prop_assert!(got.conflicts.is_empty());
        for at in 0..t.edited.len() {
            let side = if t.edited[at] { &t.local } else { &t.remote };
            prop_assert_eq!(&got.row[at], &side[at], "field {}", at);
        }
    }

    /// Whatever the policies of groups are: only `union`, `text` and `counter` make values.
    #[test]
    fn no_value_is_invented_and_groups_stay_whole(t in three(), policy in policies()) {
        let (merger, got) = run(&t, &policy);
        for group in merger.groups() {
            let from = |side: &[Value]| group.iter().all(|at| {
                let ty = &merger.field(*at).field_type;
                same(ty, &got.row[*at], &side[*at])
            });
            let joins = |at: &usize| !WHOLE.contains(&policy.of(&merger.field(*at).name));
            prop_assert!(from(&t.local) || from(&t.remote) || group.len() == 1 && joins(&group[0]));
        }
    }

    #[test]
    fn nothing_edited_here_is_lost(t in three(), policy in policies()) {
        let (merger, got) = run(&t, &policy);
        for change in merger.changes(&t.base, &t.local, &t.remote, &t.edited) {
            let at = change.at;
            let ty = &merger.field(at).field_type;
            let was_edited = t.edited[at] && !same(ty, &t.base[at], &t.local[at]);
            let gone = was_edited && !got.kept.contains(&at) && !got.conflicts.contains(&at);
            if !gone || same(ty, &t.local[at], &t.remote[at]) {
                continue;
            }
            // Only a policy that says so gives an edit up, or one whose join is what the server has.
            let gives_up = |policy| !matches!(policy, Policy::Ask | Policy::Local);
            prop_assert!(matches!(change.reason, Reason::ByPolicy(policy) if gives_up(policy)), "{:?}", change);
        }
    }

    #[test]
    fn each_field_stands_in_at_most_one_list(t in three(), policy in policies()) {
        let (_, got) = run(&t, &policy);
        prop_assert_eq!(got.row.len(), t.edited.len());
        let mut listed = BTreeSet::new();
        for at in got.taken.iter().chain(&got.kept).chain(&got.agreed).chain(&got.conflicts) {
            prop_assert!(listed.insert(*at), "field {} is listed twice", at);
        }
    }

    #[test]
    fn a_merge_depends_on_its_arguments_only(t in three(), policy in policies()) {
        prop_assert_eq!(run(&t, &policy).1, run(&t, &policy).1);
    }

    /// Both devices of two people come to the same record, whoever merges: local and remote change places.
    #[test]
    fn a_conflict_is_one_from_either_side(t in three()) {
        let edited: Vec<bool> = t.base.iter().map(|_| true).collect();
        let here = Three { edited, ..t };
        let there = Three { local: here.remote.clone(), remote: here.local.clone(), ..here.clone() };
        let policy = MergePolicy::default();
        prop_assert_eq!(run(&here, &policy).1.conflicts, run(&there, &policy).1.conflicts);
    }

    /// What was merged once does not merge again: the row against the remote as base.
    #[test]
    fn a_merge_is_stable(t in three(), policy in policies()) {
        let (merger, got) = run(&t, &policy);
        prop_assume!(got.conflicts.is_empty());
        let kept: Vec<bool> = (0..t.edited.len()).map(|at| got.kept.contains(&at)).collect();
        let again = merger.merged(&t.remote, &got.row, &t.remote, &kept, &none(kept.len()));
        prop_assert_eq!(&again.row, &got.row);
        prop_assert_eq!(again.kept, got.kept);
        prop_assert!(again.taken.is_empty() && again.conflicts.is_empty());
    }

    /// A policy read back from its briefcase is the same policy.
    #[test]
    fn a_policy_reads_back_as_it_was_written(policy in policies()) {
        let json = serde_json::to_string(&policy).expect("a policy prints");
        let read: MergePolicy = serde_json::from_str(&json).expect("its own text");
        prop_assert_eq!(read, policy);
    }
}
