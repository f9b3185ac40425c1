//! Devices whose clocks are wrong by years: what is kept, missed and asked goes by the org's clock.

use crate::{by_the_boss, holds, id, rows};
use attache::{Attache, CallBudget, Value};
use attache_sim::{Moment, Watcher, World};
use attache_tests::{
    ME, agrees, all, briefcase, create, edit, org_says, prime, server_id, settle, sync, value,
};
use std::sync::Arc;

const YEAR: i64 = 365 * 86_400;
/// Years ahead, years behind, and before the epoch.
const WRONG: [i64; 4] = [10 * YEAR, 30, -10 * YEAR, -70 * YEAR];

/// Rules with and without dates, with relatives and with a limit.
const RULES: &str = r#"{"version": 1, "rules": [
    {"object": "Account", "related": [{"children": "Contact.AccountId"}]},
    {"object": "Opportunity", "where": "CloseDate = NEXT_N_DAYS:90"},
    {"name": "Newest", "object": "Task", "order_by": "CreatedDate DESC, Id", "limit": 20}]}"#;

/// A world with accounts of this user to change and to delete.
fn world_of(seed: u64) -> World {
    let world = World::new(seed, 400);
    let me = format!("{:?}", world.users[ME].id);
    for n in 0..16 {
        let name = format!("\"Of mine {n:02}\"");
        world
            .add("Account", &[("Name", &name), ("OwnerId", &me)])
            .expect("the boss may");
    }
    world
}

fn day_of_changes(world: &World, n: usize) -> (String, String, String) {
    let mine = "SELECT Id FROM Account WHERE Name LIKE 'Of mine %' ORDER BY Name";
    let accounts = rows(world, mine);
    let (changed, gone) = (&accounts[n], &accounts[accounts.len() - 1]);
    let site = format!("\"Day {n}\"");
    world
        .change("Account", changed, &[("Site", &site)])
        .expect("the boss may");
    world.remove("Account", gone).expect("the boss may");
    let made = world
        .add("Account", &[("Name", "\"New\"")])
        .expect("the boss may");
    by_the_boss(world, |org, _| {
        org.grant("Account", &made, &world.users[ME].id)
    });
    (changed.clone(), gone.clone(), made)
}

fn sees(device: &Attache, day: &(String, String, String), n: usize) {
    let (changed, gone, made) = day;
    let site = value(device, &id(changed), "Site");
    assert_eq!(site, Value::from(format!("Day {n}")));
    assert!(!holds(device, gone) && holds(device, made));
}

#[test]
fn a_clock_that_is_wrong_from_the_start_misses_and_deletes_nothing() {
    for (seed, wrong) in (200..).zip(WRONG) {
        let world = world_of(seed);
        world.clock_error.set(wrong);
        let device = prime(&world, ME, &briefcase(RULES));
        agrees(&world, ME, &device);
        for n in 0..4 {
            world.sandbox.advance([300, 4_000, 90_000, 700][n]);
            let day = day_of_changes(&world, n);
            world.sandbox.advance(90);
            sync(&device);
            sees(&device, &day, n);
        }
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_clock_that_jumps_between_sessions_misses_and_deletes_nothing() {
    for (seed, wrong) in (210..).zip(WRONG) {
        let world = world_of(seed);
        let device = prime(&world, ME, &briefcase(RULES));
        for (n, error) in [wrong, 0, -wrong, 0].into_iter().enumerate() {
            world.clock_error.set(error);
            world.sandbox.advance(2_000);
            let day = day_of_changes(&world, n);
            world.sandbox.advance(90);
            let before = all(&device, "SELECT Id FROM Account").len();
            let report = sync(&device);
            sees(&device, &day, n);
            assert_eq!(report.deleted, 1, "{report:?}");
            assert_eq!(all(&device, "SELECT Id FROM Account").len(), before);
        }
        // Each look comes in its time again: what left unseen is found within a day.
        let me = world.users[ME].id.clone();
        let account = world
            .add("Account", &[("Name", "\"Shared\"")])
            .expect("the boss may");
        by_the_boss(&world, |org, _| org.grant("Account", &account, &me));
        world.sandbox.advance(90_000);
        sync(&device);
        assert!(holds(&device, &account));
        by_the_boss(&world, |org, _| org.revoke("Account", &account, &me));
        world.sandbox.advance(90_000);
        sync(&device);
        assert!(!holds(&device, &account));
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_clock_that_jumps_in_the_middle_of_a_session_misses_and_deletes_nothing() {
    for (seed, wrong) in (220..).zip(WRONG) {
        for nth in [1, 4, 8] {
            let world = world_of(seed);
            world
                .sandbox
                .with_switches(|switches| switches.page_rows_max = 20);
            let device = world.device(ME).expect("a store opens");
            device
                .set_briefcase(briefcase(RULES))
                .expect("a valid briefcase");
            let (clock, calls) = (
                world.clock_error.clone(),
                std::sync::atomic::AtomicU32::new(0),
            );
            let watcher: Watcher = Arc::new(move |moment, _, _| {
                let call = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                if moment == Moment::Sent && call / 2 % nth == 0 {
                    clock.set(if call % 3 == 0 { wrong } else { 0 });
                }
            });
            let remote = world.watched_remote(ME, watcher).expect("a remote");
            let jumping = device.clone().with_remote(remote);
            sync(&jumping);
            for n in 0..3 {
                world.sandbox.advance(1_000);
                let day = day_of_changes(&world, n);
                world.sandbox.advance(90);
                sync(&jumping);
                sees(&device, &day, n);
            }
            settle(&world, &jumping);
            agrees(&world, ME, &device);
        }
    }
}

#[test]
fn edits_and_lost_answers_under_a_wrong_clock_arrive_once() {
    for (seed, wrong) in (230..).zip(WRONG) {
        let world = world_of(seed);
        let device = prime(&world, ME, &briefcase(RULES));
        world.clock_error.set(wrong);
        let account = create(&device, "Account", [("Name", "Made")]);
        let known = all(
            &device,
            "SELECT Id FROM Account WHERE Name != 'Made' ORDER BY Id",
        )
        .remove(0);
        edit(&device, &known, "Site", "Edited");
        let lost = attache_sandbox::Fault::new(attache_sandbox::FaultKind::LoseAnswer)
            .method("POST")
            .path("/composite/sobjects");
        world.sandbox.fail_next(lost);
        let _ = attache_sim::wait(device.sync());
        world.clock_error.set(-wrong / 2);
        let second = create(&device, "Account", [("Name", "Made later")]);
        settle(&world, &device);
        assert_eq!(world.times("Account", "Name", "Made"), Ok(1));
        assert_eq!(world.times("Account", "Name", "Made later"), Ok(1));
        assert_ne!(server_id(&device, &account), server_id(&device, &second));
        org_says(&world, &server_id(&device, &known), "Site", "Edited");
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_days_budget_that_a_wrong_clock_spent_comes_back_with_the_right_one() {
    let world = world_of(240);
    let device = prime(&world, ME, &briefcase(RULES));
    let budget = || CallBudget {
        day_calls: Some(20),
        ..CallBudget::default()
    };
    world.clock_error.set(10 * YEAR);
    for _ in 0..30 {
        world.sandbox.advance(300);
        let session = device.sync().budget(budget());
        attache_sim::wait(session).expect("a session runs");
    }
    world.clock_error.set(0);
    world.sandbox.advance(86_400);
    let report = attache_sim::wait(device.sync().budget(budget())).expect("a session runs");
    assert_eq!(report.stopped, None, "a new day has begun long ago");
    // On one and the same day it holds, and its end is not years away.
    let mut stopped = None;
    for _ in 0..30 {
        world.sandbox.advance(300);
        let report = attache_sim::wait(device.sync().budget(budget())).expect("a session runs");
        stopped = stopped.or(report.stopped);
    }
    let stopped = stopped.expect("the day's calls are used up");
    assert!(stopped.retry_after_ms <= 86_400_000, "{stopped:?}");
}
