//! Five thousand devices share one org's calls, through a week in which every day is a Monday.
//!
//! What a session costs is measured with the engine. In the week itself each device is a client
//! of the org, with its budget, and asks [`Pace`] when to come again; a session is as many calls
//! as were measured. Time is virtual. Run with `--nocapture` for the tables.

#![allow(clippy::print_stdout, reason = "the tables are for people")]

mod week;

use attache::Pace;
use attache_tests::{field_sales, prime, sync};
use week::{DAYS, DEVICES, Day, Fleet, Rules};

/// Calls that the org allows in a day, as an Enterprise Edition does before its licences count: twenty a device.
const CALLS_A_DAY: u64 = 100_000;
/// Percent of them beyond which a device makes none.
const PERCENT_MAX: u8 = 90;
/// Sessions that every device gets through each day, at the least.
const SESSIONS_MIN: u32 = 2;

/// What a session costs: where nothing changed, and on the morning after a day away.
fn costs() -> (u64, u64) {
    let world = attache_sim::World::new(5, 600);
    let device = prime(&world, 0, &field_sales());
    world.sandbox.advance(60);
    sync(&device);
    world.sandbox.advance(900);
    let idle = sync(&device).api_calls;
    world.sandbox.advance(16 * 3_600);
    for object in ["Account", "Contact", "Opportunity", "Task"] {
        world.add(object, week::sample(object)).expect("a record");
    }
    (idle, sync(&device).api_calls)
}

#[test]
fn a_week_of_mondays_starves_nobody_and_never_meets_the_limit() {
    let (idle, morning) = costs();
    assert!(0 < idle && idle < morning, "{idle} {morning}");
    println!("a session costs {idle} calls where nothing changed, {morning} in the morning");
    let rules = Rules {
        calls_a_day: CALLS_A_DAY,
        percent_max: Some(PERCENT_MAX),
        pace: Some(Pace::default()),
        idle,
        morning,
    };
    let days = Fleet::new(rules).live(DAYS);
    Day::print(&days);
    let spread = Pace::default().spread.as_secs() / 60;
    // A device comes once in the spread of a morning; chance makes some minutes fuller than others.
    let peak_max = DEVICES as u64 * morning / spread * 3 / 2;
    for (at, day) in days.iter().enumerate() {
        assert_eq!(day.refused, 0, "day {at}: the org turned somebody away");
        assert!(day.used_max <= CALLS_A_DAY, "day {at}: {}", day.used_max);
        assert!(
            day.fewest() >= SESSIONS_MIN,
            "day {at}: a device had {} sessions",
            day.fewest()
        );
        assert!(day.peak() <= peak_max, "day {at}: {} a minute", day.peak());
    }
}

/// The same fleet with a timer of a quarter of an hour and no budget: what the test above would find.
#[test]
fn without_pace_and_budget_the_same_fleet_meets_the_limit() {
    let (idle, morning) = costs();
    let rules = Rules {
        calls_a_day: CALLS_A_DAY,
        percent_max: None,
        pace: None,
        idle,
        morning,
    };
    let days = Fleet::new(rules).live(1);
    Day::print(&days);
    assert!(days[0].refused > 0, "the limit is never met");
    assert!(days[0].peak() >= DEVICES as u64, "nobody stampedes");
}
