//! Edits that meet a session, a colleague, a refusal or each other.

use attache::{Attache, ConflictKind, Keep, MutationState, RecordId, Resolution, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{Moment, Watcher, World, wait};
use attache_tests::{
    ME, agrees, asks, briefcase, colleague, colleague_at_once, create, decide, edit, meanwhile,
    org_says, prime, primed, server_id, settle, sync, value,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

#[test]
fn an_edit_made_while_its_record_is_on_the_wire_stays_pending_on_top() {
    for moment in [Moment::Sent, Moment::Answered] {
        let (world, device, id) = primed(201);
        edit(&device, &id, "Site", "first");
        let at = id.clone();
        let watched = meanwhile(
            &world,
            &device,
            (moment, "POST", "/composite"),
            move |host| {
                edit(host, &at, "Site", "second");
                edit(host, &at, "Fax", "third");
            },
        );
        sync(&watched);
        assert_eq!(
            value(&device, &id, "Site"),
            Value::from("second"),
            "{moment:?}"
        );
        settle(&world, &device);
        org_says(&world, id.as_str(), "Site", "second");
        org_says(&world, id.as_str(), "Fax", "third");
        agrees(&world, ME, &device);
    }
}

#[test]
fn an_edit_made_while_its_page_is_on_the_way_is_not_overwritten() {
    let (world, device, id) = primed(202);
    colleague(&world, id.as_str(), "Fax", "theirs");
    let at = id.clone();
    let watched = meanwhile(
        &world,
        &device,
        (Moment::Answered, "GET", "/query"),
        move |host| {
            edit(host, &at, "Site", "mine");
        },
    );
    sync(&watched);
    settle(&world, &device);
    assert_eq!(value(&device, &id, "Site"), Value::from("mine"));
    assert_eq!(value(&device, &id, "Fax"), Value::from("theirs"));
    agrees(&world, ME, &device);
}

#[test]
fn a_record_created_while_a_session_runs_waits_for_the_next() {
    let (world, device, _) = primed(203);
    let made: Arc<OnceLock<RecordId>> = Arc::default();
    let keep = Arc::clone(&made);
    let watched = meanwhile(
        &world,
        &device,
        (Moment::Sent, "GET", "/updated"),
        move |host| {
            let _ = keep.set(create(host, "Account", [("Name", "Meanwhile")]));
        },
    );
    sync(&watched);
    settle(&world, &device);
    assert_eq!(world.times("Account", "Name", "Meanwhile"), Ok(1));
    server_id(&device, made.get().expect("it was made"));
    agrees(&world, ME, &device);
}

#[test]
fn an_edit_upon_one_whose_answer_is_lost_is_no_conflict() {
    let (world, device, id) = primed(205);
    edit(&device, &id, "Fax", "first");
    let (host, record, sandbox) = (device.clone(), id.clone(), world.sandbox.clone());
    let done = AtomicBool::new(false);
    let watcher: Watcher = Arc::new(move |moment, method, target| {
        // A call that only reads is told of as its parts.
        let writes = method == "POST" && target.ends_with("/composite");
        if !writes || done.load(Ordering::SeqCst) {
            return;
        }
        if moment == Moment::Sent {
            sandbox.fail_next(Fault::new(FaultKind::LoseAnswer));
        } else {
            done.store(true, Ordering::SeqCst);
            edit(&host, &record, "Fax", "second");
            // The network stays away: what became of the first edit is looked at by a later session.
            sandbox.fail_next(Fault::new(FaultKind::LoseRequest).always());
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    let _ = wait(device.clone().with_remote(remote).sync());
    world.sandbox.clear_faults();
    org_says(&world, id.as_str(), "Fax", "first");
    let pending = device.pending().expect("a journal");
    assert_eq!(pending.len(), 2, "{pending:?}");
    let report = settle(&world, &device);
    assert_eq!(report.conflicts, 0);
    org_says(&world, id.as_str(), "Fax", "second");
    agrees(&world, ME, &device);
}

#[test]
fn a_session_ends_although_its_person_goes_on_editing() {
    const ENDLESS: usize = 100;
    let (world, device, id) = primed(204);
    edit(&device, &id, "Fax", "1");
    let (host, made) = (device.clone(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&made);
    let watcher: Watcher = Arc::new(move |moment, method, _| {
        // One more edit for each request that writes, as fast as they can be sent.
        if moment == Moment::Sent && method != "GET" {
            let nr = count.fetch_add(1, Ordering::SeqCst);
            if nr < ENDLESS {
                create(&host, "Account", [("Name", format!("More {nr}"))]);
            }
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    let report = sync(&device.clone().with_remote(remote));
    let made = made.load(Ordering::SeqCst);
    assert!(made < ENDLESS, "the session went on after {made} edits");
    assert!(report.pending > 0, "{report:?}");
    settle(&world, &device);
    for nr in 0..made {
        assert_eq!(world.times("Account", "Name", &format!("More {nr}")), Ok(1));
    }
    agrees(&world, ME, &device);
}

#[test]
fn a_record_may_be_edited_again_right_after_its_own_push() {
    let (world, device, id) = primed(204);
    for round in ["one", "two", "three"] {
        edit(&device, &id, "Site", round);
        let report = sync(&device);
        assert_eq!(
            (report.pushed_updates, report.conflicts),
            (1, 0),
            "{round}: {report:?}"
        );
    }
    agrees(&world, ME, &device);
}

#[test]
fn a_colleague_who_writes_between_pull_and_push_is_not_overwritten() {
    let (world, device, id) = primed(205);
    edit(&device, &id, "Site", "mine");
    let theirs = colleague_at_once(&world, &id, [("Site", "theirs"), ("Fax", "theirs")]);
    let sandbox = world.sandbox.clone();
    let just_before = (Moment::Sent, "POST", "v67.0/composite");
    let watched = meanwhile(&world, &device, just_before, move |_| {
        sandbox.advance(3);
        theirs();
    });
    asks(&sync(&watched));
    org_says(&world, id.as_str(), "Site", "theirs");
    decide(&device, Resolution::Mine);
    settle(&world, &device);
    org_says(&world, id.as_str(), "Site", "mine");
    org_says(&world, id.as_str(), "Fax", "theirs");
    agrees(&world, ME, &device);
}

#[test]
fn a_child_that_is_refused_is_parked_and_its_parent_and_siblings_go() {
    let (world, device, _) = primed(206);
    let parent = create(&device, "Account", [("Name", "Parent")]);
    let child = |last: &str| {
        [
            ("LastName", Value::from(last)),
            ("AccountId", Value::from(&parent)),
        ]
    };
    let good = create(&device, "Contact", child("Good"));
    let born = Value::Date(jiff::civil::date(2090, 1, 1));
    let bad = [child("Bad").as_slice(), &[("Birthdate", born)]].concat();
    let bad = create(
        &device,
        "Contact",
        bad.into_iter().collect::<attache::Fields>(),
    );
    let report = sync(&device);
    assert_eq!(report.pushed_creates, 2, "{report:?}");
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    assert_eq!(report.rejected[0].record, bad);
    assert_eq!(report.rejected[0].problems[0].fields, ["Birthdate"]);
    let pending = device.pending().expect("a read");
    assert!(
        matches!(pending[0].state, MutationState::Rejected(_)),
        "{pending:?}"
    );
    // It is refused until somebody does something about it, and says so each time.
    assert!(!sync(&device).is_settled());
    edit(&device, &bad, "Birthdate", Value::Null);
    settle(&world, &device);
    for id in [&parent, &good, &bad] {
        server_id(&device, id);
    }
    agrees(&world, ME, &device);
}

#[test]
fn a_record_deleted_at_the_org_comes_back_or_goes_as_the_person_says() {
    for (resolution, times) in [(Resolution::Mine, 2), (Resolution::Theirs, 1)] {
        let (world, device, _) = primed(207);
        let id = create(&device, "Account", [("Name", "Deleted there")]);
        settle(&world, &device);
        let before = server_id(&device, &id);
        edit(&device, &id, "Site", "mine");
        world.remove("Account", &before).expect("the boss may");
        world.sandbox.advance(60);
        let report = sync(&device);
        assert_eq!(report.conflicts, 1, "{report:?}");
        let conflict = device.conflicts().expect("a read").remove(0);
        assert_eq!(
            (conflict.kind, &conflict.record),
            (ConflictKind::DeletedAtRemote, &id)
        );
        device
            .resolve(conflict.id, resolution.clone())
            .expect("a valid resolution");
        settle(&world, &device);
        assert_eq!(world.times("Account", "Name", "Deleted there"), Ok(times));
        if resolution == Resolution::Mine {
            assert_ne!(server_id(&device, &id), before);
            assert_eq!(value(&device, &id, "Site"), Value::from("mine"));
        } else {
            assert!(device.get(&id).expect("a read").is_none());
        }
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_deletion_gives_way_to_a_colleagues_edit_and_says_so() {
    let (world, device, id) = primed(208);
    device.delete(&id).expect("an account may be deleted");
    colleague(&world, id.as_str(), "Fax", "theirs");
    let report = sync(&device);
    assert!(
        report
            .merged
            .iter()
            .any(|merged| merged.delete_withdrawn && merged.record == id),
        "{report:?}"
    );
    settle(&world, &device);
    assert_eq!(value(&device, &id, "Fax"), Value::from("theirs"));
    agrees(&world, ME, &device);
}

#[test]
fn a_chain_of_unsent_parents_four_deep_arrives_whole() {
    let (world, device, _) = primed(209);
    let mut above: Option<RecordId> = None;
    let mut chain = Vec::new();
    for depth in 0..4 {
        let mut fields = attache::Fields::from([("Name", format!("Depth {depth}"))]);
        if let Some(above) = &above {
            fields.set("ParentId", above);
        }
        let id = create(&device, "Account", fields);
        chain.push(id.clone());
        above = Some(id);
    }
    let last = above.expect("a chain");
    let contact = [
        ("LastName", Value::from("Deep")),
        ("AccountId", Value::from(&last)),
    ];
    let contact = create(&device, "Contact", contact);
    let task = create(
        &device,
        "Task",
        [
            ("Subject", Value::from("Deep")),
            ("WhatId", Value::from(&last)),
            ("WhoId", Value::from(&contact)),
        ],
    );
    let report = sync(&device);
    assert_eq!(report.pushed_creates, 6, "{report:?}");
    for pair in chain.windows(2) {
        assert_eq!(
            value(&device, &pair[1], "ParentId"),
            Value::from(server_id(&device, &pair[0]))
        );
    }
    assert_eq!(
        value(&device, &task, "WhoId"),
        Value::from(server_id(&device, &contact))
    );
    agrees(&world, ME, &device);
}

#[test]
fn two_unsent_records_that_point_at_each_other_arrive() {
    let world = World::new(210, 600);
    let everything =
        briefcase(r#"{"version": 1, "rules": [{"object": "Contact", "scope": "mine"}]}"#);
    let device = prime(&world, ME, &everything);
    let a = create(&device, "Contact", [("LastName", "Hen")]);
    let b = create(
        &device,
        "Contact",
        [
            ("LastName", Value::from("Egg")),
            ("ReportsToId", Value::from(&a)),
        ],
    );
    edit(&device, &a, "ReportsToId", &b);
    settle(&world, &device);
    assert_eq!(
        value(&device, &a, "ReportsToId"),
        Value::from(server_id(&device, &b))
    );
    assert_eq!(
        value(&device, &b, "ReportsToId"),
        Value::from(server_id(&device, &a))
    );
    assert_eq!(world.times("Contact", "LastName", "Hen"), Ok(1));
    agrees(&world, ME, &device);
}

/// What the colleague wrote had become the base, so that the edit that was left went out over it.
#[test]
fn taking_back_another_edit_does_not_settle_a_conflict() {
    let (world, device, id) = primed(211);
    edit(&device, &id, "Site", "mine");
    colleague(&world, id.as_str(), "Site", "theirs");
    edit(&device, &id, "Fax", "mine too");
    assert_eq!(sync(&device).conflicts, 1);
    let fax = device.pending().expect("a read").pop().expect("an edit");
    assert!(fax.fields.contains("Fax"), "{fax:?}");
    device.discard(fax.seq).expect("it may be taken back");
    asks(&sync(&device));
    org_says(&world, id.as_str(), "Site", "theirs");
    decide(&device, Resolution::per_field([("Site", Keep::Theirs)]));
    settle(&world, &device);
    agrees(&world, ME, &device);
}

/// What was refused went out again over the colleague's value, although the conflict was open.
#[test]
fn sending_once_more_what_was_refused_does_not_settle_a_conflict() {
    let again: [fn(&Attache, &RecordId); 2] = [
        |device, _| {
            let refused = device.pending().expect("a read").remove(0);
            device.retry(refused.seq).expect("it was refused");
        },
        |device, id| edit(device, id, "Fax", "mine too"),
    ];
    for again in again {
        let (world, device, id) = primed(212);
        let refused = [
            ("Site", Value::from("mine")),
            ("NumberOfEmployees", Value::from(-1)),
        ];
        device.update(&id, refused).expect("a valid edit");
        assert_eq!(sync(&device).rejected.len(), 1);
        colleague(&world, id.as_str(), "Site", "theirs");
        assert_eq!(sync(&device).conflicts, 1);
        again(&device, &id);
        // The org would take it now.
        edit(&device, &id, "NumberOfEmployees", 1);
        asks(&sync(&device));
        org_says(&world, id.as_str(), "Site", "theirs");
        decide(&device, Resolution::Mine);
        settle(&world, &device);
        org_says(&world, id.as_str(), "Site", "mine");
        agrees(&world, ME, &device);
    }
}

/// Stamps have whole seconds: the precondition of a write cannot tell two versions of one second apart.
#[test]
fn a_colleague_who_writes_in_the_second_in_which_a_record_was_read_is_not_overwritten() {
    let (world, device, id) = primed(213);
    edit(&device, &id, "Site", "mine");
    let change = |field, value| {
        let fields = [(field, value)];
        world
            .change("Account", id.as_str(), &fields)
            .expect("the boss may");
    };
    change("Phone", "\"1\"");
    let theirs = colleague_at_once(&world, &id, [("Site", "theirs")]);
    let as_it_is_read = (Moment::Answered, "GET", "FROM%20Account");
    let watched = meanwhile(&world, &device, as_it_is_read, move |_| theirs());
    asks(&sync(&watched));
    org_says(&world, id.as_str(), "Site", "theirs");
}
