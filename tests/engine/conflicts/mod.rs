//! Conflicts: one scene, and all that can happen in it.

mod decisions;
mod deletions;
mod policies;
mod refreshed;
mod resolver;

use attache::{Attache, Conflict, Mutation, Record, RecordId, Resolution};
use attache_sim::World;
use attache_tests::{
    agrees, at_org, briefcase, edit, first, prime, server_id, settle, sync, value,
};

/// A device that carries the accounts of user 0, and one of them by its identity and its id.
struct Scene {
    world: World,
    device: Attache,
    id: RecordId,
    at: String,
}

impl Scene {
    fn new(seed: u64, merge: &str) -> Scene {
        let world = World::new(seed, 60);
        let me = format!("\"{}\"", world.users[0].id);
        let accounts = world.rows(world.boss(), "SELECT Id FROM Account ORDER BY Id LIMIT 3");
        for id in accounts
            .expect("a valid query")
            .iter()
            .filter_map(|row| row.text("Id"))
        {
            world
                .change("Account", &id, &[("OwnerId", &me)])
                .expect("the boss may");
        }
        let device = prime(&world, 0, &carrying(merge));
        let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
        let at = server_id(&device, &id);
        let scene = Scene {
            world,
            device,
            id,
            at,
        };
        scene.there(&[("Phone", "\"1\""), ("Fax", "\"1\""), ("Site", "\"Here\"")]);
        sync(&scene.device);
        scene
    }

    /// A colleague's edit, a while later.
    fn there(&self, fields: &[(&str, &str)]) {
        self.world.sandbox.advance(900);
        self.world
            .change("Account", &self.at, fields)
            .expect("the boss may");
        self.world.sandbox.advance(900);
    }

    fn here(&self, field: &str, value: &str) {
        edit(&self.device, &self.id, field, value);
    }

    /// The same field here and there.
    fn both(&self, field: &str) {
        self.here(field, "mine");
        self.there(&[(field, "\"theirs\"")]);
    }

    fn delete_here(&self) {
        self.device
            .delete(&self.id)
            .expect("an account may be deleted");
    }

    /// A colleague's deletion, a while later.
    fn delete_there(&self) {
        self.world.sandbox.advance(900);
        self.world
            .remove("Account", &self.at)
            .expect("the boss may");
        self.world.sandbox.advance(900);
    }

    fn record(&self) -> Option<Record> {
        self.device.get(&self.id).expect("a read")
    }

    fn pending(&self) -> Vec<Mutation> {
        self.device.pending().expect("a read")
    }

    fn value(&self, field: &str) -> Option<String> {
        value(&self.device, &self.id, field)
            .as_text()
            .map(str::to_owned)
    }

    fn at_org(&self, field: &str) -> Option<String> {
        at_org(&self.world, "Account", &self.at, field)
            .map(|json| json.trim_matches('"').to_owned())
    }

    /// The conflict there is.
    #[track_caller]
    fn conflict(&self) -> Conflict {
        let mut conflicts = self.device.conflicts().expect("a read");
        assert_eq!(conflicts.len(), 1, "{conflicts:?}");
        conflicts.remove(0)
    }

    /// Decides the conflict there is.
    #[track_caller]
    fn resolve(&self, resolution: Resolution) {
        self.device
            .resolve(self.conflict().id, resolution)
            .expect("an open conflict");
    }

    /// The three values of a field in conflict.
    #[track_caller]
    fn sides(&self, field: &str) -> [Option<String>; 3] {
        let conflict = self.conflict();
        let field = conflict
            .fields
            .iter()
            .find(|it| it.name == field)
            .expect("a field in conflict");
        [&field.base, &field.local, &field.remote].map(|value| value.as_text().map(str::to_owned))
    }

    /// Everything settles, and the device agrees with the org.
    #[track_caller]
    fn settles(&self) {
        settle(&self.world, &self.device);
        agrees(&self.world, 0, &self.device);
        assert_eq!(self.device.conflicts().expect("a read"), []);
    }
}

fn carrying(merge: &str) -> attache::Briefcase {
    briefcase(&format!(
        r#"{{"version": 1, "objects": {{"Account": {{"merge": {merge}}}}}, "rules": [{{"object": "Account", "scope": "mine"}}]}}"#
    ))
}

fn some(values: [&str; 3]) -> [Option<String>; 3] {
    values.map(|value| Some(value.to_owned()))
}
