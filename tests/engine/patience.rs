//! Calls that fail for a passing reason, and how often they are made again.

use attache::{Attache, CancelToken, ErrorKind};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{ME, agrees, create, edit, field_sales, first, prime, sync};

const BUSY: &str = "<html>down for a moment</html>";

fn primed(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 300);
    let device = prime(&world, ME, &field_sales());
    world.sandbox.advance(60);
    (world, device)
}

fn fail(world: &World, times: usize, path: &str) {
    for n in 0..times {
        let kind = match n % 2 {
            0 => FaultKind::LoseRequest,
            _ => FaultKind::Status(503, BUSY.into()),
        };
        world.sandbox.fail_next(Fault::new(kind).path(path));
    }
}

#[test]
fn what_fails_three_times_is_asked_a_fourth_time() {
    for path in ["/updated", "/deleted", "/query"] {
        let (world, device) = primed(601);
        let name = format!("{:?}", world.users[ME].id);
        world
            .add("Account", &[("Name", "\"New\""), ("OwnerId", &name)])
            .expect("the boss may");
        world.sandbox.advance(60);
        fail(&world, 3, path);
        let before = world.sandbox.now();
        let report = sync(&device.clone().with_retries(3));
        assert_eq!(report.inserted, 1, "{path}: {report:?}");
        assert_eq!(world.sandbox.clear_faults(), 0, "{path}");
        assert!(world.sandbox.now() - before >= 3, "{path}: it paused");
        agrees(&world, ME, &device);
    }
}

#[test]
fn what_fails_once_more_ends_the_session() {
    let (world, device) = primed(602);
    fail(&world, 4, "/updated");
    let error = wait(device.clone().with_retries(3).sync()).expect_err("four failures");
    assert_eq!(error.kind(), ErrorKind::RemoteBusy);
    assert_eq!(world.sandbox.clear_faults(), 0);
    sync(&device);
    agrees(&world, ME, &device);
}

#[test]
fn a_device_without_a_network_is_told_at_once() {
    let (world, device) = primed(603);
    world.sandbox.offline(true);
    let (requests, now) = (world.sandbox.log().len(), world.sandbox.now());
    let error = wait(device.with_retries(3).sync()).expect_err("there is no network");
    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable);
    assert!(world.sandbox.log().len() <= requests + 1);
    assert_eq!(world.sandbox.now(), now, "it did not wait");
}

#[test]
fn writes_that_were_not_sent_are_sent_again_and_others_are_looked_for() {
    for kind in [FaultKind::LoseRequest, FaultKind::LoseAnswer] {
        let (world, device) = primed(604);
        for n in 0..30 {
            create(&device, "Contact", [("LastName", format!("Once {n}"))]);
        }
        let fault = Fault::new(kind).method("POST").path("/composite/sobjects");
        world.sandbox.fail_next(fault);
        let patient = device.clone().with_retries(3);
        for _ in 0..3 {
            sync(&patient);
            world.sandbox.advance(700);
        }
        assert_eq!(world.sandbox.clear_faults(), 0);
        for n in 0..30 {
            let times = world.times("Contact", "LastName", &format!("Once {n}"));
            assert_eq!(times, Ok(1));
        }
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_locked_record_is_sent_again_after_a_pause() {
    let (world, device) = primed(605);
    let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
    edit(&device, &id, "Site", "Locked out");
    let until = world.sandbox.now() + 2;
    world
        .sandbox
        .with_org(|org| org.lock("Account", id.as_str(), until));
    let report = sync(&device);
    assert_eq!(
        (report.pushed_updates, report.pending),
        (1, 0),
        "{report:?}"
    );
    agrees(&world, ME, &device);
}

#[test]
fn a_session_that_waits_can_be_cancelled() {
    let (world, device) = primed(606);
    fail(&world, 2, "/updated");
    let token = CancelToken::new();
    let at = token.clone();
    let watcher = std::sync::Arc::new(move |_, _: &str, target: &str| {
        if target.contains("/updated") {
            at.cancel();
        }
    });
    let remote = world.watched_remote(ME, watcher).expect("a remote");
    let device = device.with_remote(remote).with_retries(3);
    let error = wait(device.sync().cancel_token(token)).expect_err("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}
