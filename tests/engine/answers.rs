//! Lost answers and lost requests: nothing twice, nothing lost.
//!
//! Each case makes a day's edits of one kind, loses one request or the answer to
//! it, and syncs again. A create without a client key that is not found is sent
//! again only when the org can no longer be at work on it: see `settle`.

use attache::{Attache, Briefcase, ErrorKind, RecordId, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{agrees, all, at_org, briefcase, create, edit, prime, server_id, settle};

/// What becomes of the one write request.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Request,
    Answer,
    /// The answer stops in the middle.
    Half,
    /// Two in a row.
    AnswerTwice,
}

const LOSSES: [Loss; 4] = [Loss::Request, Loss::Answer, Loss::Half, Loss::AnswerTwice];

fn lose(world: &World, loss: Loss, method: &str, path: &str) -> usize {
    let fault = |kind| Fault::new(kind).method(method).path(path);
    let kinds = match loss {
        Loss::Request => vec![FaultKind::LoseRequest],
        Loss::Answer => vec![FaultKind::LoseAnswer],
        Loss::Half => vec![FaultKind::Truncate(20)],
        Loss::AnswerTwice => vec![FaultKind::LoseAnswer, FaultKind::LoseAnswer],
    };
    let planned = kinds.len();
    for kind in kinds {
        world.sandbox.fail_next(fault(kind));
    }
    planned
}

fn everything() -> Briefcase {
    briefcase(
        r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}},
            "rules": ["Account", "Contact", "Task"]}"#,
    )
}

/// Two sessions that meet the loss, whatever they say of it, then as many as it takes.
fn ride_out(world: &World, device: &Attache, planned: usize) {
    for _ in 0..2 {
        match wait(device.sync()) {
            Ok(_) => {}
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    ErrorKind::RemoteUnreachable | ErrorKind::RemoteOutcomeUnknown
                ),
                "{error:?}"
            ),
        }
        world.sandbox.advance(30);
    }
    let planned = planned.saturating_sub(world.sandbox.clear_faults());
    assert!(planned > 0, "no request met its fault");
    settle(world, device);
}

/// Creates so many, loses, settles, and counts at the org.
fn creates(object: &str, name: &str, many: usize, method: &str, path: &str) {
    for (seed, loss) in (20..).zip(LOSSES) {
        let world = World::new(seed, 300);
        let device = prime(&world, 7, &everything());
        let planned = lose(&world, loss, method, path);
        let made: Vec<RecordId> = (0..many)
            .map(|n| create(&device, object, [(name, format!("Lost {n}"))]))
            .collect();
        ride_out(&world, &device, planned);
        for (n, id) in made.iter().enumerate() {
            let times = world.times(object, name, &format!("Lost {n}"));
            assert_eq!(times, Ok(1), "{object} {n}, {loss:?}");
            assert!(server_id(&device, id).len() == 18);
        }
        agrees(&world, 7, &device);
    }
}

#[test]
fn one_create_under_a_client_key() {
    creates("Account", "Name", 1, "PATCH", "/Account/External_Id__c");
}

#[test]
fn two_hundred_creates_under_client_keys() {
    creates("Account", "Name", 200, "PATCH", "/Account/External_Id__c");
}

#[test]
fn one_create_without_a_client_key() {
    creates("Contact", "LastName", 1, "POST", "sobjects");
}

#[test]
fn two_hundred_creates_without_a_client_key() {
    creates("Contact", "LastName", 200, "POST", "sobjects");
    creates("Task", "Subject", 200, "POST", "sobjects");
}

#[test]
fn creates_that_are_all_alike_are_told_apart_by_their_number() {
    for (seed, loss) in (30..).zip(LOSSES) {
        let world = World::new(seed, 300);
        let device = prime(&world, 7, &everything());
        let planned = lose(&world, loss, "POST", "sobjects");
        for _ in 0..5 {
            create(&device, "Task", [("Subject", "Call back")]);
        }
        ride_out(&world, &device, planned);
        assert_eq!(
            world.times("Task", "Subject", "Call back"),
            Ok(5),
            "{loss:?}"
        );
        agrees(&world, 7, &device);
    }
}

#[test]
fn a_family_whose_parent_is_in_doubt_is_made_once() {
    for (seed, loss) in (40..).zip(LOSSES) {
        let world = World::new(seed, 300);
        let device = prime(&world, 7, &everything());
        let planned = lose(&world, loss, "POST", "sobjects")
            + lose(&world, loss, "PATCH", "/Account/External_Id__c");
        let account = create(&device, "Account", [("Name", "Family")]);
        let child = [
            ("LastName", "Child".into()),
            ("AccountId", (&account).into()),
        ];
        let contact = create(&device, "Contact", child.map(|(k, v): (_, Value)| (k, v)));
        ride_out(&world, &device, planned);
        assert_eq!(world.times("Account", "Name", "Family"), Ok(1), "{loss:?}");
        assert_eq!(
            world.times("Contact", "LastName", "Child"),
            Ok(1),
            "{loss:?}"
        );
        let parent = at_org(
            &world,
            "Contact",
            &server_id(&device, &contact),
            "AccountId",
        );
        assert_eq!(parent, Some(format!("{:?}", server_id(&device, &account))));
        agrees(&world, 7, &device);
    }
}

/// Updates so many, loses, settles, and looks at the org.
fn updates(many: usize) {
    for (seed, loss) in (50..).zip(LOSSES) {
        let world = World::new(seed, 1_200);
        let device = prime(&world, 7, &everything());
        let planned =
            lose(&world, loss, "POST", "/composite") + lose(&world, loss, "PATCH", "sobjects");
        let ids = all(
            &device,
            &format!("SELECT Id FROM Contact ORDER BY Id LIMIT {many}"),
        );
        assert_eq!(ids.len(), many);
        for (n, id) in ids.iter().enumerate() {
            edit(&device, id, "Department", format!("Edit {n}"));
        }
        ride_out(&world, &device, planned);
        for (n, id) in ids.iter().enumerate() {
            let there = at_org(&world, "Contact", id.as_str(), "Department");
            assert_eq!(there, Some(format!("\"Edit {n}\"")), "{loss:?}");
        }
        assert_eq!(device.pending().expect("a read"), []);
        agrees(&world, 7, &device);
    }
}

#[test]
fn one_update() {
    updates(1);
}

#[test]
fn two_hundred_updates() {
    updates(200);
}

/// Deletes so many, loses, settles, and looks at the org.
fn deletes(many: usize) {
    for (seed, loss) in (60..).zip(LOSSES) {
        let world = World::new(seed, 1_200);
        let device = prime(&world, 7, &everything());
        let planned = lose(&world, loss, "DELETE", "sobjects");
        let ids = all(
            &device,
            &format!("SELECT Id FROM Contact ORDER BY Id LIMIT {many}"),
        );
        assert_eq!(ids.len(), many);
        for id in &ids {
            device.delete(id).expect("a record may be deleted");
        }
        ride_out(&world, &device, planned);
        for id in &ids {
            let there = at_org(&world, "Contact", id.as_str(), "Id");
            assert_eq!(there, None, "{loss:?}");
        }
        assert_eq!(device.pending().expect("a read"), []);
        agrees(&world, 7, &device);
    }
}

#[test]
fn one_delete() {
    deletes(1);
}

#[test]
fn two_hundred_deletes() {
    deletes(200);
}

/// Somebody else is quick: the lookup by which the create would be known is another one by the time it is looked for.
#[test]
fn a_create_in_doubt_is_found_although_a_colleague_moved_it() {
    let world = World::new(310, 300);
    let device = prime(&world, 0, &everything());
    let accounts = all(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 2");
    let fields = [
        ("LastName", Value::from("Movable")),
        ("Title", Value::from("Captain")),
        ("AccountId", Value::from(&accounts[0])),
    ];
    let contact = create(&device, "Contact", fields);
    lose(&world, Loss::Answer, "POST", "/composite/sobjects");
    let _ = wait(device.sync());
    let rows = world.all_rows("SELECT Id FROM Contact WHERE LastName = 'Movable'");
    let there = rows.expect("a query")[0].text("Id").expect("an id");
    world.sandbox.advance(5);
    let to = format!("{:?}", accounts[1].as_str());
    world
        .change("Contact", &there, &[("AccountId", &to)])
        .expect("the boss may");
    settle(&world, &device);
    assert_eq!(server_id(&device, &contact), there);
    let rows = world.all_rows("SELECT Id FROM Contact WHERE LastName = 'Movable'");
    assert_eq!(rows.expect("a query").len(), 1);
    agrees(&world, 0, &device);
}

/// The record is at the org, and this device has never read what the org made of it.
#[test]
fn a_record_deleted_before_it_was_read_back_is_deleted() {
    let world = World::new(311, 300);
    let device = prime(&world, 0, &everything());
    let contact = create(&device, "Contact", [("LastName", "Brief")]);
    let unread = Fault::new(FaultKind::LoseAnswer)
        .method("POST")
        .path("/composite/sobjects/Contact");
    world.sandbox.fail_next(unread);
    wait(device.sync()).expect_err("the read-back is lost");
    let there = server_id(&device, &contact);
    device.delete(&contact).expect("it is here");
    let report = settle(&world, &device);
    assert!(report.is_settled(), "{report:?}");
    assert_eq!(at_org(&world, "Contact", &there, "Id"), None);
    agrees(&world, 0, &device);
}
