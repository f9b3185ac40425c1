//! Changesets that the org takes whole or not at all.

use super::{device, refusal};
use attache::{Attache, ErrorKind, JournalSeq, MutationState, RecordId, Result, Value};
use attache_sandbox::org::{DuplicateAction, DuplicateRule};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::World;
use attache_tests::{agrees, at_org, create, edit, server_id, settle, sync, value};

/// An account with two contacts, one of which the org may find fault with, all or none of them.
fn family(device: &Attache, birthdate: &str) -> Result<[RecordId; 3]> {
    device.changeset(|edits| {
        edits.all_or_none();
        let of = |account: &RecordId, name: &str| {
            [
                ("LastName", Value::from(name)),
                ("AccountId", Value::from(account)),
            ]
        };
        let account = edits.create("Account", [("Name", "Acme")])?;
        let one = edits.create("Contact", of(&account, "One"))?;
        let two = edits.create("Contact", of(&account, "Two"))?;
        edits.update(&two, [("Birthdate", birthdate)])?;
        Ok([account, one, two])
    })
}

fn graphs(world: &World) -> usize {
    let log = world.sandbox.log();
    log.iter()
        .filter(|call| call.target.ends_with("/composite/graph"))
        .count()
}

fn named(world: &World, object: &str, condition: &str) -> usize {
    let soql = format!("SELECT Id FROM {object} WHERE {condition}");
    world.rows(world.boss(), &soql).expect("a query").len()
}

fn seqs(device: &Attache, record: &RecordId) -> Vec<JournalSeq> {
    let pending = device.pending().expect("a journal");
    let of_record = pending.iter().filter(|it| it.record == *record);
    of_record.map(|it| it.seq).collect()
}

#[test]
fn a_changeset_arrives_whole_in_one_call() {
    let (world, device) = device(1);
    let [account, one, two] = family(&device, "1999-01-01").expect("a changeset");
    world.sandbox.clear_log();
    let report = sync(&device);
    assert!(report.is_settled(), "{report:?}");
    assert_eq!((report.pushed_creates, graphs(&world)), (3, 1));
    let id = server_id(&device, &account);
    for contact in [&one, &two] {
        let at_org = at_org(&world, "Contact", &server_id(&device, contact), "AccountId");
        assert_eq!(at_org, Some(format!("\"{id}\"")));
        assert_eq!(
            value(&device, contact, "AccountId"),
            Value::from(id.as_str())
        );
    }
    agrees(&world, attache_tests::ME, &device);
}

#[test]
fn what_is_refused_is_blamed_and_nothing_else_arrives() {
    let (world, device) = device(2);
    let [account, one, two] = family(&device, "2199-01-01").expect("a changeset");
    let report = sync(&device);
    assert_eq!(named(&world, "Account", "Name = 'Acme'"), 0);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    assert_eq!(report.rejected[0].record, two);
    assert_eq!((report.blocked, report.pending), (2, 0), "{report:?}");
    let (_, problems) = refusal(&device, &two);
    let codes: Vec<&str> = problems.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "ALL_OR_NONE_OPERATION_ROLLED_BACK"
        ]
    );
    assert_eq!(problems[0].fields, ["Birthdate"]);
    for waiting in [&account, &one] {
        let seq = seqs(&device, waiting)[0];
        let culprits = device.waits_for(seq).expect("an answer");
        assert_eq!(culprits, seqs(&device, &two));
    }
    // Until somebody deals with it, nothing is sent.
    world.sandbox.clear_log();
    sync(&device);
    assert_eq!(graphs(&world), 0);
    edit(&device, &two, "Birthdate", "1999-01-01");
    settle(&world, &device);
    assert_eq!(named(&world, "Contact", "Account.Name = 'Acme'"), 2);
}

#[test]
fn without_the_culprit_the_others_go() {
    let (world, device) = device(3);
    let [account, one, two] = family(&device, "2199-01-01").expect("a changeset");
    sync(&device);
    device.discard_record(&two).expect("let go");
    settle(&world, &device);
    server_id(&device, &account);
    server_id(&device, &one);
    assert_eq!(named(&world, "Contact", "Account.Name = 'Acme'"), 1);
}

#[test]
fn a_changeset_without_that_wish_is_taken_in_parts() {
    let (world, device) = device(4);
    device
        .changeset(|edits| {
            edits.create("Account", [("Name", "Acme")])?;
            edits.create("Contact", [("LastName", "X"), ("Birthdate", "2199-01-01")])
        })
        .expect("a changeset");
    world.sandbox.clear_log();
    let report = sync(&device);
    assert_eq!((report.pushed_creates, report.rejected.len()), (1, 1));
    assert_eq!(graphs(&world), 0);
}

#[test]
fn updates_and_deletes_are_part_of_it_and_stand_upon_what_was_seen() {
    let (world, device) = device(5);
    let [account, one, two] = family(&device, "1999-01-01").expect("a changeset");
    settle(&world, &device);
    world.sandbox.advance(60);
    let both = |site: &str| {
        device.changeset(|edits| {
            edits.all_or_none();
            edits.update(&account, [("Site", site)])?;
            edits.update(&two, [("Title", "Boss")])?;
            edits.delete(&one)
        })
    };
    both("Bern").expect("a changeset");
    // Somebody else edits another field of the account, right before: the whole is merged and sent again.
    let (id, sandbox) = (server_id(&device, &account), world.sandbox.clone());
    let boss = world.boss().to_owned();
    let at = (attache_sim::Moment::Sent, "POST", "/composite/graph");
    let watched = attache_tests::meanwhile(&world, &device, at, move |_| {
        sandbox.advance(3);
        let fax = attache_sim::fields(&[("Fax", "\"9\"")]);
        sandbox
            .with_org(|org| org.update(&boss, "Account", &id, &fax, None))
            .expect("an edit");
    });
    world.sandbox.clear_log();
    sync(&watched);
    settle(&world, &device);
    assert_eq!(graphs(&world), 2);
    let id = server_id(&device, &account);
    assert_eq!(
        at_org(&world, "Account", &id, "Site").as_deref(),
        Some("\"Bern\"")
    );
    assert_eq!(
        at_org(&world, "Account", &id, "Fax").as_deref(),
        Some("\"9\"")
    );
    assert_eq!(value(&device, &two, "Title"), Value::from("Boss"));
    assert!(device.get(&one).expect("a read").is_none());
    agrees(&world, attache_tests::ME, &device);
}

#[test]
fn an_unanswered_changeset_is_looked_for_before_it_is_sent_again() {
    for (kind, arrives) in [
        (FaultKind::LoseRequest, false),
        (FaultKind::LoseAnswer, true),
    ] {
        let (world, device) = device(6);
        family(&device, "1999-01-01").expect("a changeset");
        let fault = Fault::new(kind).method("POST").path("/composite/graph");
        world.sandbox.fail_next(fault);
        let _ = attache_sim::wait(device.sync());
        assert_eq!(
            named(&world, "Account", "Name = 'Acme'"),
            usize::from(arrives)
        );
        let states = device.pending().expect("a journal");
        let in_doubt = |state: &MutationState| matches!(state, MutationState::InDoubt(_));
        assert!(
            states.iter().all(|it| in_doubt(&it.state)),
            "as a whole: {states:?}"
        );
        settle(&world, &device);
        assert_eq!(named(&world, "Account", "Name = 'Acme'"), 1);
        assert_eq!(named(&world, "Contact", "Account.Name = 'Acme'"), 2);
        assert_eq!(device.status().expect("a status").conflicts, 0);
        agrees(&world, attache_tests::ME, &device);
    }
}

#[test]
fn records_that_point_at_each_other_arrive_in_one_call() {
    for count in [1, 2, 3] {
        let (world, device) = device(7 + count as u64);
        let accounts = device
            .changeset(|edits| {
                edits.all_or_none();
                let mut accounts = Vec::new();
                for n in 0..count {
                    accounts.push(edits.create("Account", [("Name", format!("Part {n}"))])?);
                }
                for at in 0..count {
                    let next = Value::from(&accounts[(at + 1) % count]);
                    edits.update(&accounts[at], [("ParentId", next)])?;
                }
                Ok(accounts)
            })
            .expect("a changeset");
        world.sandbox.clear_log();
        let report = sync(&device);
        assert!(report.is_settled(), "{report:?}");
        assert_eq!(graphs(&world), 1);
        for (at, account) in accounts.iter().enumerate() {
            let next = server_id(&device, &accounts[(at + 1) % count]);
            let parent = at_org(&world, "Account", &server_id(&device, account), "ParentId");
            assert_eq!(parent, Some(format!("\"{next}\"")));
        }
        agrees(&world, attache_tests::ME, &device);
    }
}

#[test]
fn it_waits_for_records_outside_of_it() {
    let (world, device) = device(11);
    let parent = create(&device, "Account", [("Name", "Parent")]);
    let child = device
        .changeset(|edits| {
            edits.all_or_none();
            let child = [
                ("Name", Value::from("Child")),
                ("ParentId", Value::from(&parent)),
            ];
            edits.create("Account", child)
        })
        .expect("a changeset");
    settle(&world, &device);
    let parent = server_id(&device, &parent);
    assert_eq!(
        value(&device, &child, "ParentId"),
        Value::from(parent.as_str())
    );
}

#[test]
fn a_changeset_that_no_server_takes_at_once_is_refused_early() {
    let (_world, device) = device(12);
    let many = |count: usize| {
        device.changeset(|edits| {
            edits.all_or_none();
            for n in 0..count {
                edits.create("Account", [("Name", format!("Part {n}"))])?;
            }
            Ok(())
        })
    };
    let error = many(501).expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(device.pending().expect("a journal").is_empty());
    many(500).expect("as many as there may be");
    let report = sync(&device);
    assert_eq!(report.pushed_creates, 500, "{report:?}");
}

#[test]
fn changesets_that_grow_together_too_large_are_told() {
    let (world, device) = device(13);
    let account = create(&device, "Account", [("Name", "Shared")]);
    settle(&world, &device);
    for half in 0..2 {
        device
            .changeset(|edits| {
                edits.all_or_none();
                edits.update(&account, [("Site", format!("{half}"))])?;
                for n in 0..300 {
                    edits.create("Account", [("Name", format!("Part {half} {n}"))])?;
                }
                Ok(())
            })
            .expect("a changeset");
    }
    let report = sync(&device);
    assert_eq!(report.rejected.len(), 601, "{:?}", report.rejected.first());
    assert_eq!(report.rejected[0].problems[0].code, "LIMIT_EXCEEDED");
    assert_eq!(named(&world, "Account", "Name LIKE 'Part %'"), 0);
}

#[test]
fn a_duplicate_among_them_is_saved_anyway_with_the_others() {
    let (world, device) = device(14);
    create(
        &device,
        "Contact",
        [("LastName", "Known"), ("Email", "jo@example.com")],
    );
    settle(&world, &device);
    let rule = DuplicateRule {
        name: "Same mail".into(),
        object: "Contact".into(),
        fields: vec!["Email".into()],
        action: DuplicateAction::Alert,
    };
    world
        .sandbox
        .with_org(|org| org.add_duplicate_rule(rule))
        .expect("a rule");
    let twin = device
        .changeset(|edits| {
            edits.all_or_none();
            edits.create("Account", [("Name", "Acme")])?;
            edits.create(
                "Contact",
                [("LastName", "Twin"), ("Email", "jo@example.com")],
            )
        })
        .expect("a changeset");
    sync(&device);
    let (seq, problems) = refusal(&device, &twin);
    let found = problems[0].duplicates.as_ref().expect("candidates");
    assert_eq!(found.candidates.len(), 1);
    assert_eq!(named(&world, "Account", "Name = 'Acme'"), 0);
    device.save_anyway(seq).expect("a choice");
    settle(&world, &device);
    assert_eq!(named(&world, "Account", "Name = 'Acme'"), 1);
}

#[test]
fn a_text_that_looks_like_a_reference_is_told_and_not_sent() {
    let (world, device) = device(15);
    let account = device
        .changeset(|edits| {
            edits.all_or_none();
            edits.create("Contact", [("LastName", "X")])?;
            edits.create("Account", [("Name", "@{w0.id}")])
        })
        .expect("a changeset");
    world.sandbox.clear_log();
    let report = sync(&device);
    assert_eq!(
        (graphs(&world), report.rejected.len(), report.blocked),
        (0, 1, 1)
    );
    let (_, problems) = refusal(&device, &account);
    assert_eq!(problems[0].fields, ["Name"]);
}

#[test]
fn the_wish_travels_with_unsent_work() {
    let (world, device) = device(16);
    family(&device, "2199-01-01").expect("a changeset");
    let file = device.export_unsent(None).expect("a file");
    let carried = attache::Briefcase::everything(["Account", "Contact"]);
    let other = attache_tests::prime(&world, attache_tests::ME, &carried);
    other.import_unsent(&file, None).expect("an import");
    for _ in 0..3 {
        world.sandbox.advance(700);
        sync(&other);
    }
    assert_eq!(
        named(&world, "Account", "Name = 'Acme'"),
        0,
        "all or none there too"
    );
}

/// A family whose answer was lost, at the org, of which one child went before anybody looked.
fn made_and_gone(seed: u64, hide: bool) -> (World, Attache, [RecordId; 3]) {
    let (world, device) = device(seed);
    let members = family(&device, "1999-01-01").expect("a changeset");
    let lost = Fault::new(FaultKind::LoseAnswer)
        .method("POST")
        .path("/composite/graph");
    world.sandbox.fail_next(lost);
    let _ = attache_sim::wait(device.sync());
    let soql = "SELECT Id FROM Contact WHERE LastName = 'One' AND Account.Name = 'Acme'";
    let row = world.rows(world.boss(), soql).expect("a query").remove(0);
    let one = row.text("Id").expect("an id");
    world.sandbox.advance(30);
    if hide {
        let boss = format!("\"{}\"", world.boss());
        let away = [("OwnerId", boss.as_str()), ("AccountId", "null")];
        world.change("Contact", &one, &away).expect("the boss may");
    } else {
        world.remove("Contact", &one).expect("the boss may");
    }
    (world, device, members)
}

#[test]
fn what_was_made_with_others_and_is_gone_is_not_made_again() {
    for (seed, hide) in [(20, false), (21, true)] {
        let (world, device, [account, one, two]) = made_and_gone(seed, hide);
        world.sandbox.advance(60);
        // It may have been looked for too early: until that is sure, all of it is in doubt.
        let report = sync(&device);
        assert_eq!((report.in_doubt, report.undecided), (4, 0), "{report:?}");
        for pause in [700, 700, 90_000] {
            world.sandbox.advance(pause);
            let report = sync(&device);
            assert_eq!((report.in_doubt, report.undecided), (1, 1), "{report:?}");
        }
        server_id(&device, &account);
        server_id(&device, &two);
        assert_eq!(
            world.times("Contact", "LastName", "One"),
            Ok(1),
            "deleted ones count"
        );
        let pending = device.pending().expect("a journal");
        assert_eq!(pending.len(), 1, "{pending:?}");
        let MutationState::InDoubt(problems) = &pending[0].state else {
            panic!("{pending:?}")
        };
        assert_eq!(problems[0].code, "MADE_AND_GONE");
        assert!(
            device.get(&one).expect("a read").is_some(),
            "a person decides"
        );
        device.discard(pending[0].seq).expect("it may go");
        settle(&world, &device);
        agrees(&world, attache_tests::ME, &device);
    }
}

#[test]
fn what_was_made_with_others_and_is_gone_is_made_again_if_a_person_wants_it() {
    let (world, device, [account, one, _]) = made_and_gone(22, false);
    world.sandbox.advance(700);
    sync(&device);
    let seq = device.pending().expect("a journal")[0].seq;
    device.retry(seq).expect("a person decides");
    settle(&world, &device);
    let parent = at_org(&world, "Contact", &server_id(&device, &one), "AccountId");
    assert_eq!(
        parent,
        Some(format!("\"{}\"", server_id(&device, &account)))
    );
    agrees(&world, attache_tests::ME, &device);
}
