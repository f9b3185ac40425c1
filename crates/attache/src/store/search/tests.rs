//! The index against the rows it was made from.

use super::*;
use crate::env::LocalTime;
use crate::options::Options;
use crate::record::{Fields, Value};
use crate::search::question;
use crate::store::{Durability, Stamp, Store};
use proptest::prelude::*;

const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "createable": true, "updateable": true, "deletable": true, "fields": [
    {"name": "Id", "type": "id"},
    {"name": "Name", "type": "string", "nameField": true, "nillable": true},
    {"name": "LastName", "type": "string", "compoundFieldName": "Name", "createable": true, "updateable": true, "nillable": true},
    {"name": "Email", "type": "email", "createable": true, "updateable": true, "nillable": true},
    {"name": "Phone", "type": "phone", "createable": true, "updateable": true, "nillable": true},
    {"name": "Title", "type": "string", "createable": true, "updateable": true, "nillable": true},
    {"name": "Notes", "type": "textarea", "createable": true, "updateable": true, "nillable": true},
    {"name": "Rating", "type": "picklist", "createable": true, "updateable": true, "nillable": true}]}"#;
const TASK: &str = r#"{"name": "Task", "keyPrefix": "00T", "createable": true, "updateable": true, "deletable": true, "fields": [
    {"name": "Id", "type": "id"},
    {"name": "Subject", "type": "combobox", "nameField": true, "createable": true, "updateable": true, "nillable": true}]}"#;

const NOW: Stamp = Stamp {
    changeset: 1,
    now: LocalTime(0),
};

fn store() -> Store {
    let store = Store::open_in_memory(Options::new()).unwrap();
    let all = [
        "Id", "Name", "LastName", "Email", "Phone", "Title", "Notes", "Rating",
    ];
    define(&store, CONTACT, &all);
    define(&store, TASK, &["Id", "Subject"]);
    store
}

fn define(store: &Store, describe: &str, fields: &[&str]) {
    let fields: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
    let done = store.write(Durability::Durable, |w| w.define(describe, None, &fields));
    done.unwrap();
}

fn put(store: &Store, object: &str, nr: u8, fields: &[(&str, &str)]) -> RecordId {
    let key = RecordId::local(LocalTime(0), [nr; 10]);
    let fields: Fields = fields.iter().copied().collect();
    let done = store.write(Durability::Durable, |w| {
        w.create_record(object, &fields, &key, NOW)
    });
    done.unwrap();
    key
}

fn set(store: &Store, id: &RecordId, field: &str, value: impl Into<Value>) {
    let fields = Fields::from([(field, value.into())]);
    let done = store.write(Durability::Durable, |w| w.update_record(id, &fields, NOW));
    done.unwrap();
}

fn found(store: &Store, words: &str) -> Vec<Hit> {
    store.index(u64::MAX).unwrap();
    let Some(need) = question::read(words) else {
        return Vec::new();
    };
    store.read(|r| r.search(&need, None, 0, 20)).unwrap()
}

fn titles(store: &Store, words: &str) -> Vec<String> {
    found(store, words)
        .into_iter()
        .map(|hit| hit.title)
        .collect()
}

#[test]
fn a_record_is_found_by_what_a_person_remembers() {
    let store = store();
    let jo = [
        ("LastName", "Müller-Lüdenscheidt"),
        ("Email", "jo.mueller@acme-corp.com"),
        ("Phone", "+49 (30) 555-0132"),
        ("Title", "Vice President, Sales"),
        ("Rating", "Hot"),
    ];
    put(&store, "Contact", 1, &jo);
    put(&store, "Task", 2, &[("Subject", "Call Müller")]);
    for words in [
        "muller",
        "MÜLL lüd",
        "müllerlüd",
        "acme",
        "jo.mueller@acme",
        "@acme-corp.com",
        "acmecorp",
        "030 555",
        "+4930555",
        "0049305550132",
        "555-0132",
        "\"vice president\"",
        "pres vice",
        "sales 0132",
    ] {
        let hits = found(&store, words);
        assert!(
            hits.iter().any(|hit| hit.object == "Contact"),
            "{words:?}: {hits:?}"
        );
    }
    for words in [
        "\"president vice\"",
        "\"vice pres\"",
        "hot",
        "mullerx",
        "muller purchase",
        "5550133",
        "\"corp 49\"",
        "s",
    ] {
        assert!(
            found(&store, words)
                .iter()
                .all(|hit| hit.object != "Contact"),
            "{words:?}"
        );
    }
    let hit = &found(&store, "president")[0];
    assert_eq!(
        (hit.field.as_str(), hit.snippet.as_str()),
        ("Title", "Vice President, Sales")
    );
    assert_eq!(&hit.snippet[hit.marks[0].clone()], "President");
}

#[test]
fn a_name_comes_before_an_address_and_both_before_text() {
    let store = store();
    put(
        &store,
        "Contact",
        1,
        &[("LastName", "Text"), ("Notes", "met at Acme")],
    );
    put(
        &store,
        "Contact",
        2,
        &[("LastName", "Mail"), ("Email", "x@acme.com")],
    );
    put(&store, "Task", 3, &[("Subject", "Acme")]);
    put(&store, "Task", 4, &[("Subject", "Acmena")]);
    let objects: Vec<String> = found(&store, "acme")
        .into_iter()
        .map(|hit| hit.field)
        .collect();
    assert_eq!(objects, ["Subject", "Subject", "Email", "Notes"]);
    assert_eq!(titles(&store, "acme")[..2], ["Acme", "Acmena"]);
    let need = question::read("acme").unwrap();
    let page = |object, offset, limit| {
        store
            .read(|r| r.search(&need, object, offset, limit))
            .unwrap()
            .len()
    };
    assert_eq!(page(Some("task"), 0, 20), 2);
    assert_eq!(page(None, 3, 20), 1);
    assert_eq!(page(None, 0, 0), 0);
    assert_eq!(page(None, usize::MAX, usize::MAX), 0);
}

#[test]
fn a_text_of_a_megabyte_is_searched_and_asked_for() {
    let store = store();
    let text = format!(
        "{}needle{}",
        "\u{301}x\0y ".repeat(100_000),
        " z".repeat(1_000)
    );
    put(
        &store,
        "Contact",
        1,
        &[("LastName", "Long"), ("Notes", &text)],
    );
    let hit = &found(&store, "needle")[0];
    assert_eq!(&hit.snippet[hit.marks[0].clone()], "needle");
    assert!(hit.snippet.len() < 1_000);
    found(&store, &text);
    found(&store, &"\"".repeat(1 << 20));
}

#[test]
fn fields_that_go_come_and_change_their_type_are_searched_as_they_are() {
    let store = store();
    put(
        &store,
        "Contact",
        1,
        &[
            ("LastName", "Ray"),
            ("Title", "Pilot"),
            ("Phone", "030 1234567"),
        ],
    );
    assert_eq!(titles(&store, "pilot").len(), 1);
    define(&store, CONTACT, &["Id", "Name", "LastName", "Phone"]);
    assert_eq!(titles(&store, "pilot"), Vec::<String>::new());
    assert_eq!(titles(&store, "301234567").len(), 1);
    define(
        &store,
        &CONTACT.replace("\"phone\"", "\"string\""),
        &["Id", "Name", "LastName", "Phone"],
    );
    assert_eq!(
        titles(&store, "301234567").len(),
        0,
        "a text keeps its zero"
    );
    assert_eq!(titles(&store, "0301234567").len(), 0, "and its spaces");
    assert_eq!(titles(&store, "\"030 1234567\"").len(), 1);
    define(
        &store,
        CONTACT,
        &["Id", "Name", "LastName", "Phone", "Title"],
    );
    assert_eq!(
        titles(&store, "pilot").len(),
        1,
        "an unsent edit is shown again"
    );
    let docs = |r: &Reading<'_>| {
        let sql =
            "SELECT (SELECT count(*) FROM attache_text), (SELECT count(*) FROM attache_indexed)";
        Ok(r.connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    };
    assert_eq!(
        store.read(docs).unwrap(),
        (1, 2),
        "nothing old is left behind"
    );
}

#[test]
fn a_row_that_is_used_again_is_not_found_by_the_record_before() {
    let store = store();
    for step in [true, false] {
        let first = put(&store, "Task", 1, &[("Subject", "First")]);
        assert_eq!(titles(&store, "first").len(), 1);
        let gone = store.write(Durability::Durable, |w| w.delete_record(&first, NOW));
        gone.unwrap();
        if step {
            assert_eq!(titles(&store, "first").len(), 0);
        }
        let second = put(&store, "Task", 2, &[("Subject", "Second")]);
        assert_eq!(titles(&store, "first").len(), 0);
        assert_eq!(titles(&store, "second").len(), 1);
        let gone = store.write(Durability::Durable, |w| w.delete_record(&second, NOW));
        gone.unwrap();
    }
}

#[test]
fn a_row_that_was_free_all_along_is_not_passed_over() {
    let store = store();
    let two = [1, 2].map(|nr| put(&store, "Task", nr, &[("Subject", "Before")]));
    for (nr, id) in two.iter().enumerate() {
        let gone = store.write(Durability::Durable, |w| w.delete_record(id, NOW));
        gone.unwrap();
        assert_eq!(titles(&store, "before").len(), 1 - nr);
    }
    put(&store, "Task", 3, &[("Subject", "Reused")]);
    assert_eq!(titles(&store, "reused").len(), 1);
}

#[derive(Clone, Debug)]
enum Act {
    Put(u8, String, String),
    Set(u8, String),
    Delete(u8),
    Index(u64),
    Shape(bool),
}

fn act() -> impl Strategy<Value = Act> {
    let text = "(ann|anna|bo|b|o'bo|Ö|12 345|0|東京| |-|\"|@){0,4}";
    prop_oneof![
        4 => (any::<u8>(), text, text).prop_map(|(nr, name, phone)| Act::Put(nr, name, phone)),
        3 => (any::<u8>(), text).prop_map(|(nr, text)| Act::Set(nr, text)),
        2 => any::<u8>().prop_map(Act::Delete),
        2 => (1..4_u64).prop_map(Act::Index),
        1 => any::<bool>().prop_map(Act::Shape),
    ]
}

fn play(store: &Store, live: &mut Vec<RecordId>, act: &Act) {
    let chosen = |live: &[RecordId], nr: u8| live.get(usize::from(nr) % live.len().max(1)).cloned();
    match act {
        Act::Put(nr, name, phone) => {
            let key = RecordId::local(LocalTime(live.len() as i64), [*nr; 10]);
            if live.contains(&key) {
                return;
            }
            let fields = [("LastName", name.as_str()), ("Phone", phone.as_str())];
            let fields: Fields = fields.into_iter().collect();
            let done = store.write(Durability::Durable, |w| {
                w.create_record("Contact", &fields, &key, NOW)
            });
            done.unwrap();
            live.push(key);
        }
        Act::Set(nr, text) => {
            if let Some(id) = chosen(live, *nr) {
                set(store, &id, "Phone", text.as_str());
            }
        }
        Act::Delete(nr) => {
            if let Some(id) = chosen(live, *nr) {
                let done = store.write(Durability::Durable, |w| w.delete_record(&id, NOW));
                done.unwrap();
                live.retain(|own| *own != id);
            }
        }
        Act::Index(rows) => {
            store.index(*rows).unwrap();
        }
        Act::Shape(text) => {
            let ty = if *text { "\"string\"" } else { "\"phone\"" };
            define(
                store,
                &CONTACT.replace("\"phone\"", ty),
                &["Id", "Name", "LastName", "Phone"],
            );
        }
    }
}

/// Every record that meets a need, by reading them all.
fn by_reading(store: &Store, need: &Need) -> Vec<String> {
    let all = |r: &Reading<'_>| {
        let mut found = Vec::new();
        for own in r.indexed()? {
            for row in 0..=r.last_row(&own.table)? {
                if let Some(record) = r.text_of(&own, row)?
                    && answer(need, &record.read(&own)).is_some()
                {
                    found.push(record.id);
                }
            }
        }
        found.sort();
        Ok(found)
    };
    store.read(all).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_search_finds_what_reading_every_record_finds(
        acts in proptest::collection::vec(act(), 1..24),
        questions in proptest::collection::vec("(an|ann|bo|b|o'b|obo|ö|12|345|12345|12 34|東|京|東京|\"|@| ){1,4}", 1..6),
    ) {
        let store = store();
        let mut live = Vec::new();
        acts.iter().for_each(|act| play(&store, &mut live, act));
        for words in questions {
            let Some(need) = question::read(&words) else { continue };
            let mut hits: Vec<String> = found(&store, &words).into_iter().map(|hit| hit.id.to_string()).collect();
            hits.sort();
            prop_assert_eq!(hits, by_reading(&store, &need), "{:?}", words);
        }
        prop_assert_eq!(store.index(u64::MAX).unwrap(), 0);
    }
}
