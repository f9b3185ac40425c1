//! What a report says is true, whatever became of the session before.

use attache::{Attache, Briefcase, MutationState};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{all, briefcase, create, edit, first, prime, server_id, sync};

const ME: usize = 0;

fn mine() -> Briefcase {
    briefcase(
        r#"{"version": 1, "rules": [{"object": "Account", "scope": "mine"}, {"object": "Task", "scope": "mine"}]}"#,
    )
}

fn lose(world: &World, method: &str, path: &str) {
    let lost = Fault::new(FaultKind::LoseAnswer).method(method).path(path);
    world.sandbox.fail_next(lost);
}

fn records(device: &Attache) -> u64 {
    let status = device.status().expect("a read");
    status.records.iter().map(|(_, count)| count).sum()
}

#[test]
fn a_session_cut_off_is_counted_by_the_next_report() {
    let world = World::new(600, 300);
    let device = world.device(ME).expect("a store in memory opens");
    device.set_briefcase(mine()).expect("it is stored");
    // The accounts are here, the tasks are not.
    lose(&world, "GET", "FROM%20Task");
    wait(device.sync()).expect_err("the answer is lost");
    assert!(records(&device) > 0);
    let report = sync(&device);
    assert_eq!(report.inserted, records(&device));
    assert_eq!(sync(&device).inserted, 0, "it is told once");

    let account = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    create(&device, "Task", [("Subject", "Told")]);
    edit(&device, &account, "Site", "Told");
    let gone = first(
        &device,
        "SELECT Id FROM Task WHERE Subject != 'Told' ORDER BY Id LIMIT 1",
    );
    device.delete(&gone).expect("it is here");
    world.sandbox.advance(60);
    // All is written, and what the org made of it is not read to its end.
    lose(&world, "DELETE", "/composite/sobjects");
    wait(device.sync()).expect("a delete without an answer is no error");
    lose(&world, "GET", "updated");
    wait(device.sync()).expect_err("the answer is lost");
    let report = sync(&device);
    let pushed = (report.pushed_creates, report.pushed_updates);
    assert_eq!(pushed, (0, 0), "the session before has told of them");
}

#[test]
fn what_a_session_pushed_before_it_broke_is_told() {
    let world = World::new(601, 300);
    let device = prime(&world, ME, &mine());
    create(&device, "Task", [("Subject", "Told")]);
    lose(&world, "POST", "/composite/sobjects/Task");
    wait(device.sync()).expect_err("the read-back is lost");
    let report = sync(&device);
    assert_eq!(report.pushed_creates, 1);
    assert_eq!(sync(&device).pushed_creates, 0, "it is told once");
}

#[test]
fn a_record_that_is_not_shown_any_more_is_out_of_sight_and_one_deleted_is_deleted() {
    let world = World::new(602, 600);
    let device = prime(&world, ME, &mine());
    let accounts = all(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 2");
    world.sandbox.advance(60);
    // Whoever gives a record away reads in vain what became of it.
    edit(&device, &accounts[0], "OwnerId", world.boss());
    let deleted = accounts[1].as_str();
    world.remove("Account", deleted).expect("the boss may");
    let report = sync(&device);
    assert_eq!(report.pushed_updates, 1);
    assert_eq!(
        (report.out_of_sight, report.deleted, report.evicted),
        (1, 1, 0)
    );
}

/// Nothing is left to retry or to discard, and whoever wanted it deleted should know.
#[test]
fn a_refused_deletion_of_a_record_that_is_gone_by_now_is_told() {
    let world = World::new(603, 600);
    let device = prime(&world, ME, &mine());
    let account = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    let there = server_id(&device, &account);
    let refused = r#"[{"id":"ID","success":false,"errors":[{"statusCode":"DELETE_FAILED","message":"It is needed.","fields":[]}]}]"#;
    let refused = FaultKind::Status(200, refused.replace("ID", &there));
    let fault = Fault::new(refused).method("DELETE");
    world.sandbox.fail_next(fault);
    device.delete(&account).expect("it is here");
    let report = sync(&device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    let pending = device.pending().expect("a read");
    assert!(matches!(pending[0].state, MutationState::Rejected(_)));
    world.sandbox.advance(60);
    world.remove("Account", &there).expect("the boss may");
    world.sandbox.advance(60);
    let report = sync(&device);
    assert!(
        report.is_settled() && report.rejected.is_empty(),
        "{report:?}"
    );
    assert_eq!(report.dropped.len(), 1, "{report:?}");
    assert_eq!(report.dropped[0].record, account);
    assert_eq!(report.dropped[0].problems[0].code, "DELETE_FAILED");
    assert_eq!(sync(&device).dropped.len(), 0, "it is told once");
}
