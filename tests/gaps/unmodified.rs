//! What entered or left a rule without being modified: by the calendar, by its parent, by sharing; and looks at it
//! that are cut off, cut short, or show less than there is.

use crate::{by_the_boss, holds, rows};
use attache::Attache;
use attache_sandbox::{Fault, FaultKind, Sandbox};
use attache_sim::{World, abandon, wait};
use attache_tests::{ME, agrees, all, briefcase, edit, prime, settle, sync};

/// What moves with the calendar: days, weeks, years, and moments that are compared with days.
const CALENDAR: &str = r#"{"version": 1, "rules": [
    {"object": "Task", "where": "ActivityDate = TODAY"},
    {"object": "Opportunity", "where": "CloseDate = NEXT_N_DAYS:7"},
    {"object": "Event", "where": "ActivityDateTime = TODAY"},
    {"object": "Lead", "where": "CreatedDate = THIS_YEAR"},
    {"object": "Account", "where": "CreatedDate < TODAY", "related": [{"children": "Contact.AccountId"}]}]}"#;

fn at(time: &str) -> i64 {
    let time: jiff::Timestamp = time.parse().expect("a time");
    time.as_second()
}

/// Lets time pass until a moment.
fn until(world: &World, time: &str) {
    let left = at(time) - world.sandbox.now();
    world
        .sandbox
        .advance(u32::try_from(left).expect("times ascend"));
}

/// Adds records around the days that are about to begin and end.
fn around(world: &World, day: &str) {
    let me = format!("\"{}\"", world.users[ME].id);
    let day: jiff::civil::Date = day.parse().expect("a day");
    for offset in -2..=9 {
        let date = day.saturating_add(jiff::Span::new().days(offset));
        let date = format!("\"{date}\"");
        let task = [
            ("Subject", "\"Due\""),
            ("ActivityDate", date.as_str()),
            ("OwnerId", me.as_str()),
        ];
        world.add("Task", &task).expect("the boss may");
        let deal = [
            ("Name", "\"Deal\""),
            ("StageName", "\"Prospecting\""),
            ("CloseDate", date.as_str()),
            ("OwnerId", me.as_str()),
        ];
        world.add("Opportunity", &deal).expect("the boss may");
    }
    for name in ["\"Of this day\"", "\"Of this year\""] {
        let lead = [
            ("LastName", name),
            ("Company", "\"X\""),
            ("OwnerId", me.as_str()),
        ];
        world.add("Lead", &lead).expect("the boss may");
        world
            .add("Account", &[("Name", name), ("OwnerId", me.as_str())])
            .expect("the boss may");
    }
}

#[test]
fn what_moves_with_the_calendar_is_right_over_the_ends_of_days_and_years_and_summer_time() {
    // A user's zone, and the moments right before and after its midnights: in UTC.
    for (seed, zone, moments) in [
        (
            800,
            "Europe/Berlin",
            [
                "2026-12-31T22:58:00Z",
                "2026-12-31T23:02:00Z",
                "2027-03-27T22:58:00Z",
                "2027-03-27T23:02:00Z",
                "2027-03-28T21:58:00Z",
                "2027-03-28T22:02:00Z",
                "2027-10-31T21:58:00Z",
                "2027-10-31T23:02:00Z",
            ],
        ),
        (
            801,
            "America/New_York",
            [
                "2027-01-01T04:58:00Z",
                "2027-01-01T05:02:00Z",
                "2027-03-14T04:58:00Z",
                "2027-03-14T05:02:00Z",
                "2027-03-15T03:58:00Z",
                "2027-03-15T04:02:00Z",
                "2027-11-08T04:58:00Z",
                "2027-11-08T05:02:00Z",
            ],
        ),
        (
            802,
            "Australia/Lord_Howe",
            [
                "2026-12-31T12:58:00Z",
                "2026-12-31T13:02:00Z",
                "2027-04-03T12:58:00Z",
                "2027-04-03T13:02:00Z",
                "2027-04-04T13:28:00Z",
                "2027-04-04T13:32:00Z",
                "2027-10-03T12:58:00Z",
                "2027-10-03T13:02:00Z",
            ],
        ),
    ] {
        let world = World::built(seed, Sandbox::builder().records(1_200).time_zone(zone));
        let device = prime(&world, ME, &briefcase(CALENDAR));
        agrees(&world, ME, &device);
        for (nr, moment) in moments.into_iter().enumerate() {
            until(&world, moment);
            if nr % 2 == 0 {
                around(&world, &moment[..10]);
            }
            world.sandbox.advance(30);
            sync(&device);
            agrees(&world, ME, &device);
        }
    }
}

/// Accounts that a colleague shared with this user, of which some are out of sight since, and others came into it.
fn moved(seed: u64) -> (World, Attache, Vec<String>, Vec<String>) {
    let world = World::new(seed, 800);
    let me = world.users[ME].id.clone();
    let theirs = rows(
        &world,
        &format!(
            "SELECT Id FROM Account WHERE OwnerId = '{}' ORDER BY Id",
            world.users[1].id
        ),
    );
    let (come, go) = theirs.split_at(theirs.len() / 2);
    by_the_boss(&world, |org, _| {
        go.iter().for_each(|id| org.grant("Account", id, &me))
    });
    let device = prime(
        &world,
        ME,
        &briefcase(
            r#"{"version": 1, "rules": [{"object": "Account", "where": "Name != null",
            "related": [{"children": "Contact.AccountId"}]}]}"#,
        ),
    );
    by_the_boss(&world, |org, _| {
        go.iter().for_each(|id| org.revoke("Account", id, &me));
        come.iter().for_each(|id| org.grant("Account", id, &me));
    });
    world
        .sandbox
        .with_switches(|switches| switches.page_rows_max = 4);
    world.sandbox.advance(90_000);
    (world, device, come.to_vec(), go.to_vec())
}

#[test]
fn a_look_that_is_cut_off_at_any_call_goes_on_and_ends_right() {
    let calls = {
        let (world, device, ..) = moved(810);
        world.sandbox.clear_log();
        sync(&device);
        world.sandbox.log().len()
    };
    assert!(calls > 8, "{calls}");
    for nth in 1..=calls {
        let (world, device, come, go) = moved(810);
        let nth_call = u32::try_from(nth).expect("few calls");
        let fault = Fault::new(FaultKind::LoseAnswer).nth(nth_call);
        world.sandbox.fail_next(fault);
        wait(device.sync()).expect_err("the look is cut off");
        abandon(device.sync(), nth);
        sync(&device);
        assert!(come.iter().all(|id| holds(&device, id)), "call {nth}");
        assert!(go.iter().all(|id| !holds(&device, id)), "call {nth}");
        agrees(&world, ME, &device);
    }
}

/// An answer of a query with fewer records than it says there are, or with none all of a sudden.
fn short(total: usize) -> Fault {
    let body = format!(r#"{{"totalSize":{total},"done":true,"records":[]}}"#);
    Fault::new(FaultKind::Status(200, body)).path("/query")
}

#[test]
fn an_answer_with_fewer_records_than_it_tells_of_takes_nothing_away() {
    for nth in 1..=6 {
        let (world, device, _, go) = moved(820);
        let before = all(&device, "SELECT Id FROM Account ORDER BY Id");
        // What the page at hand says is the end, and is not.
        world.sandbox.fail_next(short(25).nth(nth));
        let _ = wait(device.sync());
        let here = all(&device, "SELECT Id FROM Account ORDER BY Id");
        let lost: Vec<_> = before
            .iter()
            .filter(|id| !here.contains(id) && !go.contains(&id.to_string()))
            .collect();
        assert!(lost.is_empty(), "page {nth}: {lost:?}");
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_look_that_shows_nothing_all_of_a_sudden_takes_nothing_away_that_is_there() {
    for nth in 1..=6 {
        let (world, device, _, go) = moved(830);
        let kept = all(&device, "SELECT Id FROM Account ORDER BY Id");
        let kept: Vec<_> = kept
            .into_iter()
            .filter(|id| !go.contains(&id.to_string()))
            .collect();
        edit(&device, &kept[0], "Site", "Edited");
        world.sandbox.fail_next(short(0).nth(nth));
        let _ = wait(device.sync());
        let here = all(&device, "SELECT Id FROM Account ORDER BY Id");
        assert!(kept.iter().all(|id| here.contains(id)), "answer {nth}");
        // What came is found by the next look.
        world.sandbox.advance(90_000);
        settle(&world, &device);
        assert!(go.iter().all(|id| !holds(&device, id)));
        agrees(&world, ME, &device);
    }
}

#[test]
fn an_answer_whose_later_pages_lack_what_went_meanwhile_is_no_lost_answer() {
    for seed in 840..844 {
        let (world, device, _, go) = moved(seed);
        by_the_boss(&world, |org, _| {
            org.config_mut().switches.rows_vanish_from_later_pages = true
        });
        let me = world.users[ME].id.clone();
        let (sandbox, last) = (
            world.sandbox.clone(),
            all(&device, "SELECT Id FROM Account ORDER BY Id DESC"),
        );
        let at = (attache_sim::Moment::Answered, "GET", "ORDER+BY+Id");
        let victims: Vec<String> = last.iter().take(3).map(|id| id.to_string()).collect();
        let watched = attache_tests::meanwhile(&world, &device, at, move |_| {
            sandbox.with_org(|org| victims.iter().for_each(|id| org.revoke("Account", id, &me)));
        });
        sync(&watched);
        settle(&world, &device);
        assert!(go.iter().all(|id| !holds(&device, id)));
        world.sandbox.advance(90_000);
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}
