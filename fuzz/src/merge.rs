//! What holds for every merge, whatever was changed, by whom, and under which policies.

use arbitrary::{Result, Unstructured};
use attache::{
    Change, FieldSchema, FieldType, MergePolicy, Merger, ObjectSchema, Outcome, Policy, Reason,
    Value, explain_merge,
};
use std::sync::{Arc, LazyLock};

static OBJECT: LazyLock<Arc<ObjectSchema>> = LazyLock::new(|| {
    let describe = include_str!("../../crates/attache/tests/merge_cases/contact.json");
    Arc::new(ObjectSchema::from_describe(describe).expect("a describe"))
});

const POLICIES: [Policy; 6] = [
    Policy::Ask,
    Policy::Local,
    Policy::Remote,
    Policy::Union,
    Policy::Text,
    Policy::Counter,
];

fn policy(u: &mut Unstructured<'_>, joins: bool) -> Result<MergePolicy> {
    let of = &POLICIES[..if joins { 6 } else { 3 }];
    let mut policy = MergePolicy::new(*u.choose(of)?);
    for _ in 0..u.int_in_range(0..=4)? {
        let field = u.choose(&OBJECT.fields)?;
        policy = policy.with_field(&field.name, *u.choose(of)?);
    }
    if u.ratio(1, 4)? {
        let (one, other) = (u.choose(&OBJECT.fields)?, u.choose(&OBJECT.fields)?);
        let own = if u.arbitrary()? {
            Some(*u.choose(&POLICIES[..3])?)
        } else {
            None
        };
        if one.name != other.name {
            policy = policy.with_group([one.name.as_str(), other.name.as_str()], own);
        }
    }
    Ok(policy)
}

fn text(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(Value::from(match u.int_in_range(0..=5)? {
        0 => "a".to_owned(),
        1 => "a;b".to_owned(),
        2 => "b;c;a".to_owned(),
        3 => "one\ntwo\nthree\n".to_owned(),
        4 => "one\n2\nthree\n".to_owned(),
        _ => u.arbitrary::<&str>()?.chars().take(80).collect(),
    }))
}

fn value(u: &mut Unstructured<'_>, field: &FieldSchema) -> Result<Value> {
    if u.ratio(1, 5)? {
        return Ok(Value::Null);
    }
    Ok(match &field.field_type {
        FieldType::Boolean => Value::Boolean(u.arbitrary()?),
        ty if ty.is_number() => {
            let choices = [
                "0",
                "1",
                "-1",
                "1.0",
                "0.10",
                "999999999999999.99",
                "-5",
                "12345678901234567890",
            ];
            Value::parse(field, u.choose(&choices)?).unwrap_or(Value::Null)
        }
        FieldType::Date => Value::Date(jiff::civil::date(2026, 1, u.int_in_range(1..=3)?)),
        _ => text(u)?,
    })
}

fn side(u: &mut Unstructured<'_>, fields: &[&FieldSchema], base: &[Value]) -> Result<Vec<Value>> {
    let mut side = base.to_vec();
    for (at, field) in fields.iter().enumerate() {
        if u.ratio(1, 3)? {
            side[at] = value(u, field)?;
        }
    }
    Ok(side)
}

/// Says whether a side keeps what it has, if it has anything of its own: another spelling of a value is none.
fn kept(change: &Change) -> bool {
    match change.outcome {
        Outcome::Kept => true,
        Outcome::Agreed => change.reason == Reason::Untouched,
        _ => false,
    }
}

fn laws(u: &mut Unstructured<'_>) -> Result<()> {
    let joins = u.arbitrary()?;
    let policy = policy(u, joins)?;
    let merger = Merger::new(Arc::clone(&OBJECT), &policy);
    let fields: Vec<&FieldSchema> = merger.fields().collect();
    let nothing = vec![Value::Null; fields.len()];
    let base = side(u, &fields, &nothing)?;
    let local = side(u, &fields, &base)?;
    let remote = side(u, &fields, &base)?;
    let edited: Vec<bool> = base
        .iter()
        .zip(&local)
        .map(|(base, local)| base != local)
        .collect();
    let merge = |local: &[Value], remote: &[Value], edited: &[bool]| {
        merger
            .merge(&base, local, remote, edited)
            .expect("rows of one length")
    };

    let changes = merge(&local, &remote, &edited);
    assert_eq!(merge(&local, &remote, &edited), changes, "the same again");
    assert!(
        changes.is_sorted_by(|a, b| a.at < b.at),
        "each field once, in order"
    );
    for change in &changes {
        match &change.outcome {
            Outcome::Joined(_) => assert!(joins, "nobody asked for {change:?}"),
            Outcome::Kept | Outcome::Agreed => {}
            Outcome::Taken => {}
            Outcome::Conflict => assert!(edited.iter().any(|edited| *edited)),
            other => panic!("{other:?} is new: say what holds of it"),
        }
    }
    // A group comes from one side, unless a policy joins or a person decides.
    for group in merger.groups().filter(|group| group.len() > 1) {
        let of = |at: &usize| {
            changes
                .iter()
                .find(|change| change.at == *at)
                .map(|change| &change.outcome)
        };
        let kept = group
            .iter()
            .filter_map(of)
            .any(|outcome| *outcome == Outcome::Kept);
        let conflict = group
            .iter()
            .filter_map(of)
            .any(|outcome| *outcome == Outcome::Conflict);
        assert!(!(kept && conflict), "half a group is kept: {changes:?}");
    }
    // Who is alone with a change gets it.
    let only_here = merge(&local, &base, &edited);
    assert!(only_here.iter().all(kept), "{only_here:?}");
    let only_there = merge(&base, &remote, &vec![false; fields.len()]);
    assert!(
        only_there
            .iter()
            .all(|change| change.outcome == Outcome::Taken),
        "{only_there:?}"
    );
    // Who made the same change agrees.
    let same = merge(&local, &local, &edited);
    assert!(
        same.iter().all(|change| change.outcome == Outcome::Agreed),
        "{same:?}"
    );
    // What a person keeps after the server's row became the base is theirs alone.
    let asked = changes
        .iter()
        .any(|change| change.outcome == Outcome::Conflict);
    if !asked {
        let mut row = remote.clone();
        for change in &changes {
            match &change.outcome {
                Outcome::Kept => row[change.at] = local[change.at].clone(),
                Outcome::Joined(value) => row[change.at] = value.clone(),
                _ => {}
            }
        }
        let edited: Vec<bool> = row
            .iter()
            .zip(&remote)
            .map(|(row, remote)| row != remote)
            .collect();
        let again = merger
            .merge(&remote, &row, &remote, &edited)
            .expect("rows of one length");
        assert!(again.iter().all(kept), "settles in one step: {again:?}");
    }
    Ok(())
}

fn documents(u: &mut Unstructured<'_>) -> Result<()> {
    let text: &str = u.arbitrary()?;
    let mut parts = text.split('\u{1e}');
    let mut next = || parts.next().unwrap_or("{}");
    let Ok(policy) = MergePolicy::from_json(next()) else {
        return Ok(());
    };
    let (base, local, remote) = (next(), next(), next());
    for object in [None, Some(Arc::clone(&OBJECT))] {
        let explained = explain_merge(object.clone(), &policy, base, local, remote);
        if let Err(error) = explained {
            assert!(!error.to_string().is_empty());
        }
    }
    Ok(())
}

/// Merges what bytes say.
pub fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    let mut u = Unstructured::new(rest);
    // Bytes that end too early say nothing.
    let _ = if kind % 4 == 0 {
        documents(&mut u)
    } else {
        laws(&mut u)
    };
}
