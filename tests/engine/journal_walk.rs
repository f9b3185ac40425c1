//! Two devices of one user, a colleague, and files of unsent work between them, at random.
//!
//! Whatever happens in whatever order: every record is made once, every edit is
//! at the org or was decided against, and both devices end as the org says.

use attache::{Attache, RecordId, Resolution};
use attache_sim::{Prng, World};
use attache_tests::{SESSIONS_MAX, agrees, all, briefcase, field_sales, sync};

const SEEDS: u64 = 60;
const STEPS: usize = 24;
const NO_KEY: &str = r#"{"version": 1, "rules": ["Account"]}"#;

struct Walk {
    world: World,
    devices: [Attache; 2],
    chance: Prng,
    made: Vec<String>,
    files: Vec<Vec<u8>>,
}

impl Walk {
    fn new(seed: u64, rules: &attache::Briefcase) -> Walk {
        let world = World::new(seed, 400);
        let devices = [0; 2].map(|user| {
            let device = world.device(user).expect("a store");
            device.set_briefcase(rules.clone()).expect("a briefcase");
            sync(&device);
            device
        });
        Walk {
            world,
            devices,
            chance: Prng::fork(seed, "files"),
            made: Vec::new(),
            files: Vec::new(),
        }
    }

    fn any(&mut self, device: usize) -> Option<RecordId> {
        let ids = all(
            &self.devices[device],
            "SELECT Id FROM Account ORDER BY Id LIMIT 3",
        );
        let at = self.chance.below(ids.len().max(1));
        ids.into_iter().nth(at)
    }

    fn step(&mut self, number: usize) {
        let at = self.chance.below(2);
        let device = self.devices[at].clone();
        match self.chance.below(10) {
            0 | 1 => {
                let name = format!("Made {number}");
                let fields = [
                    ("Name", name.clone()),
                    ("Phone", format!("+49 {number}")),
                    ("Fax", name.clone()),
                ];
                device.create("Account", fields).expect("a valid account");
                self.made.push(name);
            }
            2..=4 => {
                if let Some(id) = self.any(at) {
                    let field = ["Phone", "Fax"][self.chance.below(2)];
                    device
                        .update(&id, [(field, format!("{at} {number}"))])
                        .expect("a valid edit");
                }
            }
            5 => self
                .files
                .push(device.export_unsent(None).expect("an export")),
            6 | 7 => {
                let from = self.chance.below(self.files.len().max(1));
                if let Some(file) = self.files.get(from) {
                    device.import_unsent(file, None).expect("an import");
                }
            }
            8 => {
                if let Some(id) = self.any(at).filter(|id| !id.is_local()) {
                    let fax = format!("\"colleague {number}\"");
                    self.world
                        .change("Account", id.as_str(), &[("Fax", &fax)])
                        .expect("a change");
                }
            }
            _ => {
                sync(&device);
            }
        }
        // Longer than a server may be at work on a create.
        self.world.sandbox.advance(700);
    }

    /// Decides and syncs until nothing is left to do anywhere.
    fn settle(&mut self) {
        for _ in 0..SESSIONS_MAX {
            let mut settled = true;
            for device in &self.devices {
                for conflict in device.conflicts().expect("a read") {
                    let side = [Resolution::Mine, Resolution::Theirs][self.chance.below(2)].clone();
                    device.resolve(conflict.id, side).expect("a resolution");
                }
                self.world.sandbox.advance(700);
                settled &= sync(device).is_settled();
            }
            if settled {
                return;
            }
        }
        panic!("the devices do not settle");
    }

    fn check(&self, seed: u64) {
        for name in &self.made {
            let soql = format!("SELECT Id FROM Account WHERE Name = '{name}'");
            let found = self
                .world
                .rows(self.world.boss(), &soql)
                .expect("a query")
                .len();
            assert_eq!(found, 1, "seed {seed}: {name} is there {found} times");
        }
        for device in &self.devices {
            assert!(device.pending().expect("a read").is_empty(), "seed {seed}");
            sync(device);
            agrees(&self.world, 0, device);
        }
    }
}

fn walk(rules: &attache::Briefcase, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let mut walk = Walk::new(seed, rules);
        for number in 0..STEPS {
            walk.step(number);
        }
        walk.settle();
        walk.check(seed);
        // What was sent long ago comes once more, to a device that may never have seen it.
        for file in walk.files.clone() {
            for device in &walk.devices {
                device.import_unsent(&file, None).expect("an import");
            }
        }
        walk.settle();
        walk.check(seed);
    }
}

#[test]
fn files_between_devices_lose_nothing_and_make_nothing_twice() {
    walk(&field_sales(), 0..SEEDS);
}

#[test]
fn files_between_devices_make_nothing_twice_without_a_client_key() {
    walk(&briefcase(NO_KEY), SEEDS..2 * SEEDS);
}
