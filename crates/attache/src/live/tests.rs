//! What a watch tells, against a fresh run of its query.

use super::*;
use crate::record::{Fields, RecordId, Value};
use crate::store::Durability;
use crate::{Limits, LocalTime, Options, Unsent};
use proptest::prelude::*;
use std::sync::atomic::{AtomicI64, Ordering};

const ACCOUNT: &str = r#"{"name": "Account", "keyPrefix": "001", "createable": true, "updateable": true, "deletable": true, "fields": [
    {"name": "Id", "type": "id"},
    {"name": "Name", "type": "string", "nameField": true, "createable": true, "updateable": true, "nillable": true},
    {"name": "Rank__c", "type": "int", "digits": 9, "createable": true, "updateable": true, "nillable": true},
    {"name": "Due__c", "type": "date", "createable": true, "updateable": true, "nillable": true}],
    "childRelationships": [{"childSObject": "Contact", "field": "AccountId", "relationshipName": "Contacts"}]}"#;
const CONTACT: &str = r#"{"name": "Contact", "keyPrefix": "003", "createable": true, "updateable": true, "deletable": true, "fields": [
    {"name": "Id", "type": "id"},
    {"name": "Name", "type": "string", "nameField": true, "createable": true, "updateable": true, "nillable": true},
    {"name": "AccountId", "type": "reference", "referenceTo": ["Account"], "relationshipName": "Account", "createable": true, "updateable": true, "nillable": true}]}"#;
const DAY: i64 = 86_400_000;
const BY_NAME: &str = "SELECT Id, Name FROM Account ORDER BY Name";

/// A clock that is set, and a sleep that sets it.
#[derive(Default)]
struct Clock(AtomicI64);

struct Clocked(Arc<Clock>);

#[async_trait::async_trait]
impl Env for Clocked {
    fn now(&self) -> LocalTime {
        LocalTime(self.0.0.load(Ordering::SeqCst))
    }

    fn random(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }

    async fn sleep(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap();
        self.0.0.fetch_add(millis, Ordering::SeqCst);
    }
}

fn define(attache: &Attache, describe: &str, fields: &[&str]) {
    let fields: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
    let done = attache
        .store
        .write(Durability::Durable, |w| w.define(describe, None, &fields));
    done.unwrap();
}

fn equipped(attache: Attache) -> (Attache, Arc<Clock>) {
    let clock = Arc::new(Clock::default());
    clock.0.store(20_000 * DAY + DAY / 2, Ordering::SeqCst);
    let attache = attache.with_env(Clocked(Arc::clone(&clock)));
    define(&attache, ACCOUNT, &["Id", "Name", "Rank__c", "Due__c"]);
    define(&attache, CONTACT, &["Id", "Name", "AccountId"]);
    (attache, clock)
}

fn store() -> (Attache, Arc<Clock>) {
    equipped(Attache::open_in_memory().unwrap())
}

fn account(attache: &Attache, name: &str) -> RecordId {
    attache.create("Account", [("Name", name)]).unwrap()
}

/// What a watch says next, in short: `-0 +1:b ~0>2:c`.
fn told(watch: &mut Watch) -> String {
    let Some(change) = watch.try_next() else {
        return String::from("nothing");
    };
    let change = match change {
        Ok(change) => change,
        Err(error) => return format!("{:?}", error.kind()),
    };
    let shown = |row: &Row| {
        let last = row.columns().last().and_then(|name| row.get(name));
        last.map_or_else(String::new, Value::to_string)
    };
    let removed = change.removed.iter().map(|row| format!("-{}", row.from));
    let updated = change
        .updated
        .iter()
        .map(|row| format!("~{}>{}:{}", row.from, row.at, shown(&row.row)));
    let inserted = change
        .inserted
        .iter()
        .map(|row| format!("+{}:{}", row.at, shown(&row.row)));
    let all: Vec<String> = removed.chain(updated).chain(inserted).collect();
    all.join(" ")
}

/// A watch of the accounts by name that has told its first answer.
fn watched(attache: Attache) -> (Attache, Watch) {
    let mut watch = attache.watch(BY_NAME).unwrap();
    told(&mut watch);
    (attache, watch)
}

#[test]
fn the_first_answer_is_all_rows_and_then_come_changes() {
    let (attache, _) = store();
    let (b, d) = (account(&attache, "b"), account(&attache, "d"));
    let mut watch = attache.watch(BY_NAME).unwrap();
    assert_eq!(told(&mut watch), "+0:b +1:d");
    assert_eq!(told(&mut watch), "nothing");
    account(&attache, "c");
    assert_eq!(told(&mut watch), "+1:c");
    attache.update(&b, [("Name", "e")]).unwrap();
    assert_eq!(told(&mut watch), "~0>2:e");
    attache.delete(&d).unwrap();
    attache.update(&b, [("Name", "a")]).unwrap();
    assert_eq!(told(&mut watch), "-1 ~2>0:a");
}

#[test]
fn an_empty_answer_is_told_once() {
    let (attache, _) = store();
    let mut watch = attache.watch(BY_NAME).unwrap();
    let first = watch.try_next().unwrap().unwrap();
    assert!(first.is_empty() && first.total == 0);
    assert_eq!(told(&mut watch), "nothing");
}

#[test]
fn what_cancels_out_is_nothing_and_many_commits_are_one_change() {
    let (attache, _) = store();
    let a = account(&attache, "a");
    let mut watch = attache.watch(BY_NAME).unwrap();
    told(&mut watch);
    attache.update(&a, [("Name", "b")]).unwrap();
    attache.update(&a, [("Name", "a")]).unwrap();
    let c = account(&attache, "c");
    attache.delete(&c).unwrap();
    assert_eq!(told(&mut watch), "nothing");
    for nr in 0..50 {
        attache.update(&a, [("Name", format!("a{nr}"))]).unwrap();
    }
    assert_eq!(told(&mut watch), "~0>0:a49");
}

#[test]
fn a_changeset_is_seen_whole_or_not_at_all_and_a_failed_one_never() {
    let (attache, mut watch) = watched(store().0);
    let failed: Result<()> = attache.changeset(|edits| {
        edits.create("Account", [("Name", "a")])?;
        Err(crate::Error::invalid("no"))
    });
    failed.unwrap_err();
    assert_eq!(told(&mut watch), "nothing");
    attache
        .changeset(|edits| {
            edits.create("Account", [("Name", "a")])?;
            edits.create("Account", [("Name", "b")])
        })
        .unwrap();
    assert_eq!(told(&mut watch), "+0:a +1:b");
}

#[test]
fn parents_and_children_count_as_part_of_a_row() {
    let (attache, _) = store();
    let a = account(&attache, "a");
    let mut parents = attache
        .watch("SELECT Name, Account.Name FROM Contact")
        .unwrap();
    let mut children = attache
        .watch("SELECT Name, (SELECT Name FROM Contacts) FROM Account")
        .unwrap();
    told(&mut parents);
    told(&mut children);
    let fields = [("Name", Value::from("x")), ("AccountId", Value::from(&a))];
    attache.create("Contact", fields).unwrap();
    assert_eq!(told(&mut parents), "+0:a");
    assert_eq!(told(&mut children), "~0>0:");
    attache.update(&a, [("Name", "b")]).unwrap();
    assert_eq!(told(&mut parents), "~0>0:b");
}

#[test]
fn groups_are_known_by_what_they_are_grouped_by() {
    let (attache, _) = store();
    for name in ["x", "z", "z"] {
        account(&attache, name);
    }
    let mut watch = attache
        .watch("SELECT Name, COUNT(Id) n FROM Account GROUP BY Name ORDER BY Name")
        .unwrap();
    let mut nameless = attache
        .watch("SELECT COUNT(Id) n FROM Account GROUP BY Name ORDER BY Name")
        .unwrap();
    let mut count = attache.watch("SELECT COUNT() FROM Account").unwrap();
    assert_eq!(told(&mut watch), "+0:1 +1:2");
    assert_eq!(told(&mut nameless), "+0:1 +1:2");
    assert_eq!(told(&mut count), "+0:3");
    account(&attache, "y");
    account(&attache, "z");
    assert_eq!(told(&mut watch), "~1>2:3 +1:1");
    assert_eq!(told(&mut nameless), "~1>1:1 +2:3");
    assert_eq!(told(&mut count), "~0>0:5");
}

#[test]
fn a_commit_runs_no_query_whoever_watches() {
    let (attache, mut watch) = watched(store().0);
    let run_at = |watch: &Watch| watch.last.as_ref().map(|last| last.commit);
    let before = run_at(&watch);
    for name in ["a", "b", "c"] {
        account(&attache, name);
    }
    assert_eq!(run_at(&watch), before);
    assert_eq!(told(&mut watch), "+0:a +1:b +2:c");
    assert!(run_at(&watch) > before);
}

#[test]
fn other_objects_and_failed_looks_do_not_make_it_run() {
    let (attache, mut watch) = watched(store().0);
    let commit = watch.last.as_ref().map(|last| last.commit);
    attache.create("Contact", [("Name", "x")]).unwrap();
    assert_eq!(told(&mut watch), "nothing");
    assert_eq!(watch.last.as_ref().map(|last| last.commit), commit);
}

#[test]
fn today_is_another_day_after_midnight() {
    let (attache, clock) = store();
    let today = jiff::civil::date(2024, 10, 4);
    for (name, day) in [("a", today), ("b", today.tomorrow().unwrap())] {
        let fields = [("Name", Value::from(name)), ("Due__c", Value::from(day))];
        attache.create("Account", fields).unwrap();
    }
    let mut watch = attache
        .watch("SELECT Name FROM Account WHERE Due__c = TODAY")
        .unwrap();
    assert_eq!(told(&mut watch), "+0:a");
    clock.0.fetch_add(DAY / 4, Ordering::SeqCst);
    assert_eq!(told(&mut watch), "nothing");
    assert_eq!(
        watch.until_another_day(),
        Some(Duration::from_secs(6 * 3600))
    );
    // Nobody commits: the day ends by sleeping.
    let change = watch.next_blocking().unwrap().unwrap();
    assert_eq!((change.removed.len(), change.inserted.len()), (1, 1));
    assert_eq!(change.inserted[0].row.get("Name"), Some(&Value::from("b")));
    let mut still = attache.watch(BY_NAME).unwrap();
    told(&mut still);
    assert_eq!(still.until_another_day(), None, "no day moves this one");
}

#[test]
fn a_schema_that_loses_a_field_is_one_error_and_a_way_back() {
    let (attache, _) = store();
    let a = account(&attache, "a");
    attache.update(&a, [("Rank__c", 1)]).unwrap();
    let mut watch = attache.watch("SELECT Name, Rank__c FROM Account").unwrap();
    assert_eq!(told(&mut watch), "+0:1");
    define(&attache, ACCOUNT, &["Id", "Name"]);
    assert_eq!(told(&mut watch), "UnknownField");
    assert_eq!(told(&mut watch), "nothing");
    account(&attache, "b");
    assert_eq!(told(&mut watch), "nothing");
    define(&attache, ACCOUNT, &["Id", "Name", "Rank__c"]);
    assert_eq!(told(&mut watch), "+1:");
}

#[test]
fn a_watch_ends_with_its_store() {
    let (attache, mut watch) = watched(store().0);
    let other = attache.clone();
    drop(attache);
    assert!(!watch.is_over());
    drop(other);
    assert!(watch.is_over());
    assert!(watch.next_blocking().is_none());
}

#[test]
fn a_watch_ends_when_its_store_is_wiped() {
    let folder = tempfile::tempdir().unwrap();
    let store = equipped(Attache::open(folder.path().join("a.db")).unwrap()).0;
    let (attache, mut watch) = watched(store);
    let waiting = std::thread::spawn(move || watch.next_blocking().is_none());
    attache.clone().wipe(Unsent::Discard).unwrap();
    assert!(waiting.join().unwrap());
    assert_eq!(
        attache.watch(BY_NAME).err().map(|error| error.kind()),
        Some(ErrorKind::Closed)
    );
}

#[test]
fn a_commit_wakes_who_waits_on_another_thread() {
    let folder = tempfile::tempdir().unwrap();
    let (attache, _) = equipped(Attache::open(folder.path().join("a.db")).unwrap());
    let mut watch = attache.watch(BY_NAME).unwrap();
    let host = attache.clone();
    let reader = std::thread::spawn(move || {
        let mut rows = Vec::new();
        while let Some(change) = watch.next_blocking() {
            change.unwrap().apply(&mut rows);
            if rows.len() == 20 {
                break;
            }
        }
        rows
    });
    (0..20).for_each(|nr| {
        account(&host, &format!("{nr:02}"));
    });
    let fresh: Vec<Row> = attache.query(BY_NAME).unwrap().collect();
    assert_eq!(reader.join().unwrap(), fresh);
}

#[test]
fn a_commit_of_another_handle_is_seen_at_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = equipped(Attache::open(&path).unwrap()).0;
    let (_attache, mut watch) = watched(store);
    assert_eq!(told(&mut watch), "nothing");
    let limits = Limits::default();
    let other = Attache::open_with(&path, Options::new().limits(limits)).unwrap();
    account(&other, "a");
    assert_eq!(told(&mut watch), "+0:a");
    assert_eq!(told(&mut watch), "nothing");
}

#[derive(Clone, Debug)]
enum Act {
    Create(u8, u8),
    Rename(u8, u8),
    Rank(u8, u8),
    Delete(u8),
    Child(u8, u8),
    Look,
}

fn act() -> impl Strategy<Value = Act> {
    let any = || any::<u8>();
    prop_oneof![
        4 => (any(), any()).prop_map(|(name, rank)| Act::Create(name, rank)),
        3 => (any(), any()).prop_map(|(at, name)| Act::Rename(at, name)),
        3 => (any(), any()).prop_map(|(at, rank)| Act::Rank(at, rank)),
        2 => any().prop_map(Act::Delete),
        2 => (any(), any()).prop_map(|(at, name)| Act::Child(at, name)),
        3 => Just(Act::Look),
    ]
}

fn play(attache: &Attache, live: &mut Vec<RecordId>, act: &Act) {
    let chosen = |at: &u8| live.get(usize::from(*at) % live.len().max(1)).cloned();
    let name = |nr: &u8| Value::from(format!("n{}", nr % 6));
    let rank = |nr: &u8| Value::from(i32::from(nr % 4));
    match act {
        Act::Create(nr, rank_nr) => {
            let fields = [("Name", name(nr)), ("Rank__c", rank(rank_nr))];
            live.push(attache.create("Account", fields).unwrap());
        }
        Act::Rename(at, nr) => {
            if let Some(id) = chosen(at) {
                attache.update(&id, [("Name", name(nr))]).unwrap();
            }
        }
        Act::Rank(at, nr) => {
            if let Some(id) = chosen(at) {
                attache.update(&id, [("Rank__c", rank(nr))]).unwrap();
            }
        }
        Act::Delete(at) => {
            // Refused while an unsent child points at it: then nothing changes, which is a case too.
            if let Some(id) = chosen(at)
                && attache.delete(&id).is_ok()
            {
                live.retain(|own| *own != id);
            }
        }
        Act::Child(at, nr) => {
            if let Some(id) = chosen(at) {
                let fields: Fields = [("Name", name(nr)), ("AccountId", Value::from(&id))].into();
                attache.create("Contact", fields).unwrap();
            }
        }
        Act::Look => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_copy_that_follows_the_changes_equals_a_fresh_answer(acts in proptest::collection::vec(act(), 1..40)) {
        let (attache, _) = store();
        let mut followed: Vec<(&str, Watch, Vec<Row>)> = [
            BY_NAME,
            "SELECT Name, Rank__c FROM Account WHERE Rank__c > 0 ORDER BY Rank__c DESC, Name LIMIT 5",
            "SELECT Id, (SELECT Name FROM Contacts ORDER BY Name) FROM Account ORDER BY Rank__c, Name",
            "SELECT Name, Account.Name FROM Contact ORDER BY Account.Name, Name LIMIT 4 OFFSET 1",
            "SELECT Name, COUNT(Id) FROM Account GROUP BY Name ORDER BY COUNT(Id) DESC, Name",
            "SELECT MAX(Rank__c) FROM Account GROUP BY Name ORDER BY MAX(Rank__c), Name",
            "SELECT COUNT() FROM Contact",
        ].into_iter().map(|soql| (soql, attache.watch(soql).unwrap(), Vec::new())).collect();
        let mut live = Vec::new();
        for act in acts.iter().chain([&Act::Look]) {
            play(&attache, &mut live, act);
            if !matches!(act, Act::Look) { continue }
            for (soql, watch, copy) in &mut followed {
                if let Some(change) = watch.try_next() {
                    let change = change.unwrap();
                    let total = change.total;
                    change.apply(copy);
                    prop_assert_eq!(total, copy.len());
                }
                let fresh: Vec<Row> = attache.query(soql).unwrap().collect();
                prop_assert_eq!(&*copy, &fresh, "{}", soql);
                prop_assert!(watch.try_next().is_none());
            }
        }
    }

    #[test]
    fn no_more_rows_move_than_must(order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(), gone in 0..12_usize) {
        let (attache, _) = store();
        let made = |names: &[usize]| -> Vec<Row> {
            let ids: Vec<RecordId> = names.iter().map(|nr| account(&attache, &format!("{nr:02}"))).collect();
            let rows: Vec<Row> = attache.query(BY_NAME).unwrap().collect();
            ids.iter().for_each(|id| attache.delete(id).unwrap());
            rows
        };
        let before = made(&(0..12).collect::<Vec<_>>());
        let now: Vec<Row> = order.iter().filter(|nr| **nr != gone).map(|nr| before[*nr].clone()).collect();
        let change = change::difference(&before, &now, &[]);
        let mut copy = before.clone();
        change.clone().apply(&mut copy);
        prop_assert_eq!(&copy, &now);
        prop_assert_eq!(change.removed.len(), 1);
        // One row taken out and put in elsewhere is one move, whichever it is.
        let mut one = before.clone();
        let row = one.remove(order[0]);
        one.insert(order[1].min(one.len()), row);
        prop_assert!(change::difference(&before, &one, &[]).updated.len() <= 1);
    }
}
