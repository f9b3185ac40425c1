//! Slow transactions: rows that are stamped early and can be seen ten minutes later.

use crate::{by_the_boss, holds, rows};
use attache::{Attache, Briefcase};
use attache_sandbox::org::{Org, SaveError};
use attache_sim::World;
use attache_tests::{ME, agrees, prime, settle, sync};

/// How long a transaction may run: a server ends it after ten minutes.
const SECONDS: [i64; 4] = [599, 600, 601, 660];

fn device(seed: u64) -> (World, Attache, String) {
    let world = World::new(seed, 300);
    let device = prime(&world, ME, &Briefcase::everything(["Account", "Contact"]));
    world.sandbox.advance(1_200);
    sync(&device);
    let me = &world.users[ME].id;
    let mine = format!("SELECT Id FROM Account WHERE OwnerId = '{me}' ORDER BY Id LIMIT 1");
    let account = rows(&world, &mine).remove(0);
    (world, device, account)
}

/// Opens a transaction that takes so long, while sessions run and others write, and ends when all can be seen.
fn slowly<T>(
    world: &World,
    device: &Attache,
    seconds: i64,
    write: impl FnOnce(&mut Org, &str) -> Result<T, Vec<SaveError>>,
) -> T {
    let until = world.sandbox.now() + seconds;
    let done = by_the_boss(world, |org, boss| {
        let boss = boss.to_owned();
        org.hold_open(until, |org| write(org, &boss))
    })
    .expect("the boss may");
    // Whatever others commit meanwhile is younger, and must not carry the window past it.
    let mut busy = 0;
    while world.sandbox.now() < until {
        let left = until - world.sandbox.now();
        world
            .sandbox
            .advance(u32::try_from(left.min(97)).expect("a few seconds"));
        busy += 1;
        let name = format!("\"Meanwhile {busy}\"");
        world
            .add("Account", &[("Name", &name)])
            .expect("the boss may");
        if world.sandbox.now() < until {
            sync(device);
        }
    }
    done
}

#[test]
fn a_create_that_took_long_is_found() {
    for (seed, seconds) in (100..).zip(SECONDS) {
        let (world, device, _) = device(seed);
        let me = format!("{:?}", world.users[ME].id);
        let name = attache_sim::fields(&[("Name", "Slow"), ("OwnerId", &me)]);
        let made = slowly(&world, &device, seconds, |org, boss| {
            org.create(boss, "Account", &name)
        });
        assert!(!holds(&device, &made), "nobody can see it yet");
        sync(&device);
        assert!(holds(&device, &made), "{seconds} s");
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

#[test]
fn an_update_that_took_long_is_found() {
    for (seed, seconds) in (110..).zip(SECONDS) {
        let (world, device, account) = device(seed);
        let site = attache_sim::fields(&[("Site", "Slow")]);
        slowly(&world, &device, seconds, |org, boss| {
            org.update(boss, "Account", &account, &site, None)
        });
        sync(&device);
        let here = attache_tests::value(&device, &crate::id(&account), "Site");
        assert_eq!(here, "Slow".into(), "{seconds} s");
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

#[test]
fn a_deletion_that_took_long_is_found() {
    for (seed, seconds) in (120..).zip(SECONDS) {
        let (world, device, account) = device(seed);
        slowly(&world, &device, seconds, |org, boss| {
            org.delete(boss, "Account", &account)
        });
        assert!(holds(&device, &account), "it can be seen still");
        sync(&device);
        assert!(!holds(&device, &account), "{seconds} s");
        settle(&world, &device);
        agrees(&world, ME, &device);
    }
}

/// Nothing tells how far the org's list reaches: only how far back a window goes decides.
#[test]
fn a_create_is_found_within_ten_minutes_even_if_the_org_does_not_hold_its_list_back() {
    for (seed, seconds) in (130..).zip([599, 600]) {
        let (world, device, _) = device(seed);
        let me = format!("{:?}", world.users[ME].id);
        let name = attache_sim::fields(&[("Name", "Slow"), ("OwnerId", &me)]);
        // The first load notes where the next window begins: nothing is asked of the org's list for that.
        let fresh = world.device(ME).expect("a store opens");
        fresh
            .set_briefcase(Briefcase::everything(["Account", "Contact"]))
            .expect("a valid briefcase");
        let until = world.sandbox.now() + seconds;
        let made = by_the_boss(&world, |org, boss| {
            org.hold_open(until, |org| org.create(boss, "Account", &name))
        })
        .expect("the boss may");
        world
            .sandbox
            .advance(u32::try_from(seconds - 1).expect("ten minutes"));
        sync(&fresh);
        assert!(!holds(&fresh, &made));
        world.sandbox.advance(1);
        sync(&fresh);
        assert!(holds(&fresh, &made), "{seconds} s");
        agrees(&world, ME, &fresh);
        drop(device);
    }
}
