//! Two devices of one user and one of another, side by side on one machine, while all of this happens.

use crate::{by_the_boss, id, rows};
use attache::{Attache, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{ME, SESSIONS_MAX, agrees, all, briefcase, create, edit, value};
use std::path::Path;

const COLLEAGUE: usize = 1;
const RULES: &str = r#"{"version": 1, "rules": [
    {"object": "Account", "related": [{"children": "Contact.AccountId"}]},
    {"object": "Opportunity", "scope": "mine", "where": "CloseDate = NEXT_N_DAYS:90"}]}"#;

/// A device, and whose it is.
type Owned = (usize, Attache);

fn open(world: &World, folder: &Path) -> Vec<Owned> {
    let open = |user: usize, name: &str| {
        let device = world.device_at(user, &folder.join(name));
        (user, device.expect("the store opens"))
    };
    vec![
        open(ME, "first.db"),
        open(ME, "second.db"),
        open(COLLEAGUE, "colleague.db"),
    ]
}

fn names(world: &World) -> Vec<String> {
    let soql = "SELECT Id FROM Account WHERE Name LIKE 'Shared %' ORDER BY Name";
    rows(world, soql)
}

/// Accounts that everybody here may see and edit.
fn share(world: &World) {
    for name in [
        "\"Shared 1\"",
        "\"Shared 2\"",
        "\"Shared 3\"",
        "\"Shared 4\"",
        "\"Shared 5\"",
    ] {
        let account = world
            .add("Account", &[("Name", name)])
            .expect("the boss may");
        let of = format!("\"{account}\"");
        let contact = world.add("Contact", &[("LastName", name), ("AccountId", &of)]);
        let contact = contact.expect("the boss may");
        for user in [ME, COLLEAGUE] {
            let user = &world.users[user].id;
            by_the_boss(world, |org, _| {
                org.grant("Account", &account, user);
                org.grant("Contact", &contact, user);
            });
        }
    }
}

/// What happens at the org between two rounds of sessions.
fn happen(world: &World, round: usize, shared: &[String]) {
    let now = world.sandbox.now();
    let site = attache_sim::fields(&[("Site", "Slow")]);
    by_the_boss(world, |org, boss| match round {
        0 => {
            org.delete(boss, "Account", &shared[0])
                .expect("the boss may");
        }
        1 => {
            org.undelete(boss, "Account", &shared[0])
                .expect("it is in the bin");
            let boss = boss.to_owned();
            org.hold_open(now + 600, |org| {
                org.update(&boss, "Account", &shared[1], &site, None)
            })
            .expect("the boss may");
        }
        2 => {
            org.merge(boss, "Account", &shared[2], &[&shared[3]])
                .expect("a merge");
            org.prune_delete_log(now);
        }
        3 => {
            for user in [ME, COLLEAGUE] {
                let user = world.users[user].id.clone();
                org.revoke("Account", &shared[4], &user);
            }
        }
        _ => {
            org.merge(boss, "Account", &shared[1], &[&shared[2]])
                .expect("a merge");
        }
    });
}

#[test]
fn devices_side_by_side_all_come_to_what_the_org_has() {
    for seed in 900..906 {
        let folder = tempfile::tempdir().expect("a folder");
        let world = World::new(seed, 500);
        share(&world);
        let shared = names(&world);
        let mut devices = open(&world, folder.path());
        for (_, device) in &devices {
            device
                .set_briefcase(briefcase(RULES))
                .expect("a valid briefcase");
            wait(device.sync()).expect("a first session runs");
        }
        for round in 0..5 {
            // Each edits a field of its own, and creates a record.
            for ((_, device), field) in devices.iter().zip(["Fax", "Phone", "Website"]) {
                for account in &shared {
                    if device.get(&id(account)).expect("a read").is_some() {
                        edit(device, &id(account), field, format!("{round}"));
                    }
                }
                create(
                    device,
                    "Account",
                    [("Name", format!("Made {seed} {round} {field}"))],
                );
            }
            happen(&world, round, &shared);
            world
                .sandbox
                .advance([61, 700, 1_300, 4_000, 90_000][round]);
            world
                .clock_error
                .set([0, 86_400 * 800, -86_400 * 800, 0, 3_600][round]);
            let lost = Fault::new(FaultKind::LoseAnswer).nth(7 + seed as u32 % 5 + round as u32);
            world.sandbox.fail_next(lost);
            let turn = round % devices.len();
            devices.rotate_left(turn);
            for (_, device) in &devices {
                let _ = wait(device.sync());
            }
            world.sandbox.clear_faults();
            if round == 2 {
                // Everybody restarts.
                drop(devices);
                devices = open(&world, folder.path());
            }
        }
        settle_all(&world, &devices);
        for (user, device) in &devices {
            agrees(&world, *user, device);
            assert_eq!(device.pending().expect("a read"), []);
        }
        for round in 0..5 {
            for field in ["Fax", "Phone", "Website"] {
                let name = format!("Made {seed} {round} {field}");
                assert_eq!(world.times("Account", "Name", &name), Ok(1), "{name}");
            }
        }
        let here = all(
            &devices[0].1,
            "SELECT Id FROM Account WHERE Name = 'Shared 2'",
        );
        let sites: Vec<Value> = here
            .iter()
            .map(|it| value(&devices[0].1, it, "Site"))
            .collect();
        assert_eq!(sites, ["Slow".into()]);
    }
}

/// Runs sessions until nobody has anything to send; what a person must decide goes to the org.
fn settle_all(world: &World, devices: &[Owned]) {
    for _ in 0..SESSIONS_MAX {
        world.sandbox.advance(90_000);
        for (_, device) in devices {
            for conflict in device.conflicts().expect("a read") {
                device
                    .resolve(conflict.id, attache::Resolution::Theirs)
                    .expect("a decision");
            }
            for mutation in device.pending().expect("a read") {
                if matches!(mutation.state, attache::MutationState::Rejected(_)) {
                    device.discard(mutation.seq).expect("it is let go");
                }
            }
            wait(device.sync()).expect("a session runs");
        }
    }
}
