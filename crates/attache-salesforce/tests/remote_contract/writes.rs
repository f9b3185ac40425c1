//! Writes: each action with each outcome, and answers that are lost.

use crate::rig::{
    Rig, create, create_by_key, delete, id_of, named, push, read, refused, text, update,
};
use attache::{ErrorKind, Fields, ServerTime, Write, WriteOutcome};
use attache_sandbox::{Fault, FaultKind};

#[test]
fn every_action_is_done_in_one_batch() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let [a, b, c] = ["A", "B", "C"].map(|name| rig.create_there(0, "Account", name));
        rig.sandbox.advance(10);
        let batch = [
            create("Account", named("New")),
            create("Contact", Fields::from([("LastName", "Person")])),
            create_by_key("key-1", named("Keyed")),
            update(&a, named("A2"), Some(rig.now())),
            update(&b, named("B2"), None),
            delete(&c),
        ];
        let outcomes = push(&org, &batch).unwrap();
        let ids: Vec<String> = outcomes.iter().map(id_of).collect();
        assert_eq!(ids[3..], [a, b, c.clone()]);
        let name = |id: &str| read(&org, "Account", id, &["Name"]).unwrap()["Name"].clone();
        assert_eq!(name(&ids[0]), "New");
        assert_eq!(name(&ids[2]), "Keyed");
        assert_eq!(name(&ids[3]), "A2");
        assert_eq!(name(&ids[4]), "B2");
        assert!(read(&org, "Account", &c, &["Name"]).is_none());
        let keyed = read(&org, "Account", &ids[2], &["External_Id__c"]).unwrap();
        assert_eq!(keyed["External_Id__c"], "key-1");
    }
}

#[test]
fn a_guarded_update_writes_over_nobody() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let id = rig.create_there(0, "Account", "A");
        let seen = rig.now();
        rig.sandbox.advance(5);
        rig.change_there(0, "Account", &id, "Phone", "1");
        let outcomes = push(&org, &[update(&id, named("Mine"), Some(seen))]).unwrap();
        assert_eq!(outcomes, [WriteOutcome::Stale]);
        // Text that a composite call would take for a reference goes another way.
        let outcomes = push(&org, &[update(&id, named("@{x}"), Some(seen))]).unwrap();
        assert_eq!(outcomes, [WriteOutcome::Stale]);
        let outcomes = push(&org, &[update(&id, named("@{x}"), Some(rig.now()))]).unwrap();
        assert_eq!(id_of(&outcomes[0]), id);
        let row = read(&org, "Account", &id, &["Name", "Phone"]).unwrap();
        assert_eq!((&row["Name"], &row["Phone"]), (&"@{x}".into(), &"1".into()));
    }
}

#[test]
fn what_the_org_refuses_is_told_field_by_field() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let id = rig.create_there(0, "Account", "A");
        let long = Fields::from([("Name", text(&"x".repeat(300)))]);
        let batch = [
            create("Account", Fields::new()),
            create("Account", long.clone()),
            create("Account", named("Good")),
            create(
                "Contact",
                Fields::from([("LastName", "P"), ("AccountId", "001000000000000AAA")]),
            ),
            update(&id, long.clone(), Some(rig.now())),
            update(&id, long, None),
        ];
        let outcomes = push(&org, &batch).unwrap();
        assert_eq!(refused(&outcomes[0]), "REQUIRED_FIELD_MISSING");
        assert_eq!(refused(&outcomes[1]), "STRING_TOO_LONG");
        assert!(matches!(outcomes[2], WriteOutcome::Done { .. }));
        assert!(
            matches!(outcomes[3], WriteOutcome::Refused(_)),
            "{:?}",
            outcomes[3]
        );
        for place in [1, 4, 5] {
            let WriteOutcome::Refused(problems) = &outcomes[place] else {
                panic!("{place}: {:?}", outcomes[place]);
            };
            assert_eq!(problems[0].fields, ["Name"]);
            assert!(
                !problems[0].message.contains("xxxx"),
                "{}",
                problems[0].message
            );
        }
    }
}

#[test]
fn an_unknown_field_refuses_its_own_write_only() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let bad = Fields::from([("Name", "B"), ("No_Such__c", "x")]);
        let before = rig.count("Account");
        let batch: Vec<Write> = (0..60)
            .map(|n| match n {
                31 => create("Account", bad.clone()),
                _ => create("Account", named("A")),
            })
            .collect();
        let outcomes = push(&org, &batch).unwrap();
        for (place, outcome) in outcomes.iter().enumerate() {
            match place {
                31 => assert!(matches!(outcome, WriteOutcome::Refused(_)), "{outcome:?}"),
                _ => assert!(matches!(outcome, WriteOutcome::Done { .. }), "{outcome:?}"),
            }
        }
        assert_eq!(rig.count("Account"), before + 59);
    }
}

#[test]
fn what_is_gone_is_gone() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let deleted = rig.create_there(0, "Account", "Deleted");
        rig.delete_there(0, "Account", &deleted);
        let hidden = rig.create_there(1, "Account", "Theirs");
        let batch = [
            update(&deleted, named("X"), Some(rig.now())),
            update(&deleted, named("X"), None),
            update(&hidden, named("X"), Some(rig.now())),
            update(&hidden, named("X"), None),
            delete(&deleted),
            delete(&hidden),
        ];
        let outcomes = push(&org, &batch).unwrap();
        assert_eq!(outcomes[..4], vec![WriteOutcome::Gone; 4]);
        assert_eq!(id_of(&outcomes[4]), deleted);
        assert_eq!(outcomes[5], WriteOutcome::Gone);
    }
}

#[test]
fn a_bad_lookup_does_not_make_a_record_gone() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let id = rig.create_there(0, "Account", "A");
        let parent = rig.create_there(0, "Account", "Parent");
        rig.delete_there(0, "Account", &parent);
        let lookup = Fields::from([("ParentId", parent.as_str())]);
        for since in [None, Some(rig.now())] {
            let outcomes = push(&org, &[update(&id, lookup.clone(), since)]).unwrap();
            assert!(
                matches!(outcomes[0], WriteOutcome::Refused(_)),
                "{outcomes:?}"
            );
        }
    }
}

#[test]
fn lost_creates_are_in_doubt_and_their_keys_find_them() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let before = rig.count("Account");
        let batch: Vec<Write> = (0..201)
            .map(|n| create_by_key(&format!("key-{n}"), named("A")))
            .collect();
        rig.lose_answer("PATCH", "/composite/sobjects/Account");
        let outcomes = push(&org, &batch).unwrap();
        assert!(outcomes[..200].iter().all(|o| *o == WriteOutcome::Unknown));
        assert!(matches!(outcomes[200], WriteOutcome::Later(_)));
        assert_eq!(rig.count("Account"), before + 200, "the org acted");
        let outcomes = push(&org, &batch).unwrap();
        assert!(
            outcomes
                .iter()
                .all(|o| matches!(o, WriteOutcome::Done { .. }))
        );
        assert_eq!(rig.count("Account"), before + 201, "nothing is there twice");
    }
}

#[test]
fn every_write_whose_answer_is_lost_is_in_doubt() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let id = rig.create_there(0, "Account", "A");
        let writes: [(Write, &str, &str); 5] = [
            (create("Account", named("B")), "POST", "/composite/sobjects"),
            (
                update(&id, named("A1"), Some(rig.now())),
                "POST",
                "/composite",
            ),
            (
                update(&id, named("@{A}"), Some(rig.now())),
                "PATCH",
                "/sobjects/Account/",
            ),
            (
                update(&id, named("A2"), None),
                "PATCH",
                "/composite/sobjects",
            ),
            (delete(&id), "DELETE", "/composite/sobjects"),
        ];
        for (write, method, path) in writes {
            for kind in [FaultKind::LoseAnswer, FaultKind::Truncate(10)] {
                if method == "PATCH"
                    && path == "/sobjects/Account/"
                    && matches!(kind, FaultKind::Truncate(_))
                {
                    continue; // It has no body that could be cut.
                }
                rig.sandbox
                    .fail_next(Fault::new(kind).method(method).path(path));
                let outcomes = push(&org, std::slice::from_ref(&write)).unwrap();
                assert_eq!(outcomes, [WriteOutcome::Unknown], "{write:?}");
            }
            assert_eq!(rig.sandbox.clear_faults(), 0, "the fault struck");
        }
        assert!(
            read(&org, "Account", &id, &["Id"]).is_none(),
            "the delete was done"
        );
    }
}

#[test]
fn an_overloaded_org_leaves_a_write_in_doubt() {
    for rig in Rig::both() {
        let org = rig.org(0);
        rig.sandbox
            .fail_next(Fault::new(FaultKind::Status(503, "<html>".into())));
        let outcomes = push(&org, &[create("Account", named("A"))]).unwrap();
        assert_eq!(outcomes, [WriteOutcome::Unknown]);
        rig.sandbox.expire_tokens(&rig.user(0).id);
        let error = push(&org, &[create("Account", named("A"))]).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::NotAuthorized,
            "nothing was written, for certain"
        );
    }
}

#[test]
fn a_thousand_writes_take_five_calls() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let batch: Vec<Write> = (0..1_000).map(|_| create("Account", named("A"))).collect();
        rig.sandbox.clear_log();
        let ids: Vec<String> = push(&org, &batch).unwrap().iter().map(id_of).collect();
        assert_eq!(rig.sandbox.requests(), 5);
        rig.sandbox.clear_log();
        let updates: Vec<Write> = ids.iter().map(|id| update(id, named("B"), None)).collect();
        push(&org, &updates).unwrap();
        assert_eq!(rig.sandbox.requests(), 5);
        rig.sandbox.clear_log();
        let guarded = |id: &String| update(id, named("C"), Some(ServerTime(rig.now().0)));
        let updates: Vec<Write> = ids[..100].iter().map(guarded).collect();
        push(&org, &updates).unwrap();
        assert_eq!(rig.sandbox.requests(), 4);
    }
}

#[test]
fn a_locked_record_may_be_written_later() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let id = rig.create_there(0, "Account", "A");
        let until = rig.sandbox.now() + 60;
        rig.sandbox.with_org(|org| org.lock("Account", &id, until));
        let now = rig.now();
        let writes = [
            update(&id, named("B"), Some(now)),
            update(&id, named("B"), None),
            delete(&id),
        ];
        for write in &writes {
            let outcomes = push(&org, std::slice::from_ref(write)).unwrap();
            let WriteOutcome::Later(problems) = &outcomes[0] else {
                panic!("{write:?}: {outcomes:?}");
            };
            assert_eq!(problems[0].code, "UNABLE_TO_LOCK_ROW");
        }
        rig.sandbox.advance(61);
        let outcomes = push(&org, &writes[..1]).unwrap();
        assert_eq!(id_of(&outcomes[0]), id);
    }
}
