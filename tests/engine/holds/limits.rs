//! What a limit cuts off is told, whatever moves records in and out of it.

use super::mine;
use attache::{Attache, Report, Truncated};
use attache_sim::World;
use attache_tests::{ME, agrees, briefcase, prime, settle, sync};

/// The three accounts of this user with the most employees, and their contacts.
fn top(world: &World) -> Attache {
    let boss = format!("{:?}", world.boss());
    for (nr, account) in mine(world).iter().enumerate() {
        let employees = (100 - nr).to_string();
        let fields = match nr {
            0..5 => [("NumberOfEmployees", employees.as_str())],
            _ => [("OwnerId", boss.as_str())],
        };
        world
            .change("Account", account, &fields)
            .expect("the boss may");
    }
    let rules = r#"{"version": 1, "rules": [{"name": "Top", "object": "Account", "scope": "mine",
        "order_by": "NumberOfEmployees DESC NULLS LAST", "limit": 3, "related": [{"children": "Contact.AccountId"}]}]}"#;
    prime(world, ME, &briefcase(rules))
}

fn cut(report: &Report) -> Option<(u32, u64)> {
    let of = |cut: &Truncated| (cut.rule == "Top").then_some((cut.limit, cut.matches));
    report.truncated.iter().find_map(of)
}

#[test]
fn records_that_move_in_and_out_of_a_limit_take_their_children_along() {
    let world = World::new(321, 1_500);
    let accounts = mine(&world);
    let device = top(&world);
    assert_eq!(cut(&sync(&device)), Some((3, 5)));
    agrees(&world, ME, &device);
    world.sandbox.advance(60);
    let most = [("NumberOfEmployees", "500")];
    world
        .change("Account", &accounts[4], &most)
        .expect("the boss may");
    assert_eq!(cut(&settle(&world, &device)), Some((3, 5)));
    agrees(&world, ME, &device);
    assert!(super::holds(&device, &accounts[4]) && !super::holds(&device, &accounts[2]));
}

#[test]
fn a_deletion_makes_room_until_nothing_is_cut() {
    let world = World::new(322, 1_500);
    let accounts = mine(&world);
    let device = top(&world);
    let mut told = vec![cut(&sync(&device))];
    for account in &accounts[..3] {
        world.sandbox.advance(60);
        world.remove("Account", account).expect("the boss may");
        told.push(cut(&settle(&world, &device)));
        agrees(&world, ME, &device);
    }
    assert_eq!(told, [Some((3, 5)), Some((3, 4)), None, None]);
}

#[test]
fn what_another_owner_gets_makes_room_and_what_comes_back_is_cut_again() {
    let world = World::new(323, 1_500);
    let accounts = mine(&world);
    let device = top(&world);
    let owner = |id: &str| format!("{id:?}");
    let (boss, me) = (owner(world.boss()), owner(&world.users[ME].id));
    let mut told = Vec::new();
    for (account, owner) in [(0, &boss), (1, &boss), (0, &me)] {
        world.sandbox.advance(60);
        let fields = [("OwnerId", owner.as_str())];
        world
            .change("Account", &accounts[account], &fields)
            .expect("the boss may");
        // What went out of sight is found by the look of the next hour.
        world.sandbox.advance(3_700);
        told.push(cut(&settle(&world, &device)));
        agrees(&world, ME, &device);
    }
    assert_eq!(told, [Some((3, 4)), None, Some((3, 4))]);
    let membership = device.membership().expect("a read");
    assert_eq!(
        (membership[0].records, membership[0].cut_from),
        (3, Some(4))
    );
}
