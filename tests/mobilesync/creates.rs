//! 7–10: records that are made twice, or taken for gone.

use attache::{Attache, ErrorKind, RecordId, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{
    ME, agrees, all, at_org, briefcase, create, edit, first, prime, server_id, settle, sync, value,
};

/// Accounts have a client key, contacts have none: both ways of making a create happen once.
fn primed(seed: u64, rows: usize) -> (World, Attache) {
    let world = World::new(seed, rows);
    let document = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}},
        "rules": ["Account", "Contact"]}"#;
    let boss = world.users.len() - 1;
    assert_ne!(boss, ME, "somebody else is the boss");
    let device = prime(&world, ME, &briefcase(document));
    world.sandbox.advance(60);
    (world, device)
}

fn make(device: &Attache, many: usize) -> Vec<(RecordId, &'static str, &'static str, String)> {
    (0..many)
        .map(|n| {
            let (object, field) = [("Account", "Name"), ("Contact", "LastName")][n % 2];
            let name = format!("Once {n}");
            let id = create(device, object, [(field, name.as_str())]);
            (id, object, field, name)
        })
        .collect()
}

fn each_once(world: &World, made: &[(RecordId, &'static str, &'static str, String)]) {
    for (_, object, field, name) in made {
        assert_eq!(world.times(object, field, name), Ok(1), "{object} {name}");
    }
}

/// A timeout after the commit: up to 200 records of one call were posted again.
#[test]
fn w07_a_lost_answer_makes_no_record_twice() {
    for kind in [|| FaultKind::LoseAnswer, || FaultKind::Truncate(100)] {
        let (world, device) = primed(1_007, 300);
        let made = make(&device, 400);
        for path in ["/composite/sobjects/Account", "/composite/sobjects"] {
            world.sandbox.fail_next(Fault::new(kind()).path(path));
        }
        let mut unanswered = 0;
        for _ in 0..3 {
            match wait(device.sync()) {
                Ok(report) => unanswered = unanswered.max(report.in_doubt),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{error:?}");
                    let status = device.status().expect("a read");
                    unanswered = unanswered.max(status.in_doubt);
                }
            }
        }
        assert_eq!(world.sandbox.clear_faults(), 0, "every fault struck");
        assert!(unanswered > 0, "nothing was ever in doubt");
        settle(&world, &device);
        each_once(&world, &made);
        agrees(&world, ME, &device);
    }
}

/// The results of a mixed batch were stored only when all of its calls had come through.
#[test]
fn w08_a_call_that_fails_does_not_undo_what_the_calls_before_it_did() {
    let (world, device) = primed(1_008, 300);
    let edited = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    edit(&device, &edited, "Site", "Edited");
    let gone = first(&device, "SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1");
    device.delete(&gone).expect("a contact may be deleted");
    let made = make(&device, 20);
    // The creates come through; the update's call meets an error page, then the deletion's does.
    let down = || FaultKind::Status(503, "<html>down</html>".into());
    world.sandbox.fail_next(
        Fault::new(down())
            .method("POST")
            .path("v67.0/composite")
            .nth(3),
    );
    world.sandbox.fail_next(Fault::new(down()).method("DELETE"));
    let mut failures = 0;
    for _ in 0..4 {
        failures += usize::from(wait(device.sync()).is_err());
    }
    assert!(failures > 0, "no session met the fault");
    assert_eq!(world.sandbox.clear_faults(), 0, "every fault struck");
    settle(&world, &device);
    each_once(&world, &made);
    let there = at_org(&world, "Account", edited.as_str(), "Site");
    assert_eq!(there.as_deref(), Some("\"Edited\""));
    assert_eq!(at_org(&world, "Contact", gone.as_str(), "Id"), None);
    agrees(&world, ME, &device);
}

/// After the first record that was gone at the server, the rest of a batch's results were dropped.
#[test]
fn w09_a_record_that_is_gone_does_not_cost_the_rest_of_its_batch() {
    let (world, device) = primed(1_009, 300);
    let ids = all(&device, "SELECT Id FROM Contact ORDER BY Id LIMIT 6");
    let made = make(&device, 10);
    for id in &ids {
        edit(&device, id, "Department", "Edited");
    }
    // Two go at the org, so late that the pull before the push does not see it.
    let (sandbox, boss) = (world.sandbox.clone(), world.boss().to_owned());
    let victims: Vec<String> = ids
        .iter()
        .step_by(3)
        .map(|id| server_id(&device, id))
        .collect();
    let at = (attache_sim::Moment::Sent, "POST", "v67.0/composite");
    let gone = victims.clone();
    let watched = attache_tests::meanwhile(&world, &device, at, move |_| {
        for id in &gone {
            let deleted = sandbox.with_org(|org| org.delete(&boss, "Contact", id));
            deleted.expect("the boss may");
        }
    });
    sync(&watched);
    for _ in 0..3 {
        world.sandbox.advance(700);
        sync(&device);
    }
    each_once(&world, &made);
    for id in &ids {
        let there = at_org(&world, "Contact", id.as_str(), "Department");
        let lives = !victims.iter().any(|victim| victim == id.as_str());
        assert_eq!(there.as_deref(), lives.then_some("\"Edited\""), "{id}");
    }
    // What was typed into the two is neither thrown away nor made into new records.
    let conflicts = device.conflicts().expect("a read");
    assert_eq!(conflicts.len(), victims.len(), "{conflicts:?}");
    assert_eq!(world.times("Contact", "Department", "Edited"), Ok(4));
}

/// A wrong lookup was read as "the record is gone": it was made again, or dropped here.
#[test]
fn w10_a_bad_lookup_is_not_taken_for_a_record_that_is_gone() {
    let (world, device) = primed(1_010, 300);
    let contact = first(
        &device,
        "SELECT Id FROM Contact WHERE AccountId != null ORDER BY Id LIMIT 1",
    );
    let account = world
        .add("Account", &[("Name", "\"Soon gone\"")])
        .expect("the boss may");
    let me = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.grant("Account", &account, &me));
    world.sandbox.advance(90_000);
    settle(&world, &device);
    let target = RecordId::parse(&account).expect("an id");
    edit(&device, &contact, "AccountId", &target);
    let (sandbox, boss) = (world.sandbox.clone(), world.boss().to_owned());
    let at = (attache_sim::Moment::Sent, "POST", "v67.0/composite");
    let watched = attache_tests::meanwhile(&world, &device, at, move |_| {
        let deleted = sandbox.with_org(|org| org.delete(&boss, "Account", &account));
        deleted.expect("the boss may");
    });
    let before = world
        .rows(world.boss(), "SELECT Id FROM Contact")
        .expect("a query")
        .len();
    let report = sync(&watched);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    let problem = &report.rejected[0].problems[0];
    assert_eq!(problem.fields, ["AccountId"], "{problem:?}");
    for _ in 0..3 {
        world.sandbox.advance(700);
        sync(&device);
    }
    let after = world
        .rows(world.boss(), "SELECT Id FROM Contact")
        .expect("a query")
        .len();
    assert_eq!(before, after, "a contact was made again");
    let record = device
        .get(&contact)
        .expect("a read")
        .expect("the contact is here");
    assert_eq!(record.fields.get("AccountId"), Some(&Value::from(&target)));
    // The person takes the edit back, and all is as at the org.
    let seq = device.pending().expect("a read")[0].seq;
    device
        .discard(seq)
        .expect("a rejected edit may be taken back");
    settle(&world, &device);
    assert_eq!(server_id(&device, &contact), contact.as_str());
    assert_ne!(value(&device, &contact, "AccountId"), Value::from(&target));
    agrees(&world, ME, &device);
}
