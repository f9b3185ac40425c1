//! The home of a device that is made once, and laid out anew for every input.

use attache::{Attache, Briefcase, Fields, RecordId};
use attache_sim::{World, wait};
use std::collections::VecDeque;
use std::fs;
use std::sync::{Mutex, PoisonError};

const BRIEFCASE: &str = r#"{"version": 1, "objects": {"Account": {"client_key": "External_Id__c"}}, "rules": [
    {"name": "My Accounts", "object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]}]}"#;

/// An org, and the files of a device that has seen it once and holds work of several kinds.
pub(crate) struct Home {
    /// The org.
    pub(crate) world: World,
    /// The unsent work of the device, plain, without its first line.
    pub(crate) unsent: Vec<u8>,
    fresh: Vec<u8>,
    main: Vec<u8>,
    log: Vec<u8>,
}

impl Home {
    /// Makes the org and the device.
    ///
    /// # Panics
    /// If either cannot be made.
    pub(crate) fn new() -> Home {
        let world = World::new(5, 300);
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("jo.db");
        let device = world.device_at(0, &path).expect("a store");
        device
            .set_briefcase(Briefcase::from_json(BRIEFCASE).expect("a briefcase"))
            .expect("a briefcase");
        wait(device.sync()).expect("a session");
        drop(device);
        let fresh = fs::read(&path).expect("a file");
        world.sandbox.advance(1);
        let device = world.device_at(0, &path).expect("a store");
        let fields = Fields::from([("Name", "Made here")]);
        device.create("Account", fields).expect("a create");
        let rows =
            device.query("SELECT Id FROM Account WHERE Name != 'Made here' ORDER BY Id LIMIT 2");
        let ids: Vec<RecordId> = rows
            .expect("a query")
            .filter_map(|row| row.id().cloned())
            .collect();
        device
            .update(&ids[0], [("Phone", "+49 30 0815")])
            .expect("an edit");
        drop(device);
        let main = fs::read(&path).expect("a file");
        // What comes now is in the log only, as a crash leaves it.
        world.sandbox.advance(1);
        let device = world.device_at(0, &path).expect("a store");
        device
            .update(&ids[1], [("Phone", "+49 30 4711")])
            .expect("an edit");
        let log = fs::read(path.with_extension("db-wal")).expect("a log");
        let file = device.export_unsent(None).expect("an export");
        let line = file
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("a first line");
        drop(device);
        Home {
            world,
            unsent: file[line + 1..].to_vec(),
            fresh,
            main,
            log,
        }
    }

    /// The store's file and its log after a crash.
    pub(crate) fn crashed(&self) -> (Vec<u8>, Vec<u8>) {
        (self.main.clone(), self.log.clone())
    }

    /// The device with its work.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub(crate) fn device(&self) -> Attache {
        self.lay(&self.main)
    }

    /// Another device of the same user, with an edit where the first one has another.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub(crate) fn spare(&self) -> Attache {
        let device = self.lay(&self.fresh);
        let rows = device
            .query("SELECT Id FROM Account ORDER BY Id LIMIT 1")
            .expect("a query");
        for id in rows.filter_map(|row| row.id().cloned()) {
            device.update(&id, [("Phone", "its own")]).expect("an edit");
        }
        device
    }

    fn lay(&self, bytes: &[u8]) -> Attache {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("jo.db");
        fs::write(&path, bytes).expect("a file");
        let device = self.world.device_at(0, &path).expect("the store opens");
        // Readers open the file by its name: the folder stays as long as the process.
        KEPT.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(place);
        device
    }
}

/// The folders of devices that may still be open; older ones are removed.
static KEPT: Mutex<Folders> = Mutex::new(Folders(VecDeque::new()));

struct Folders(VecDeque<tempfile::TempDir>);

impl Folders {
    fn push_back(&mut self, place: tempfile::TempDir) {
        self.0.push_back(place);
        if self.0.len() > 2 {
            self.0.pop_front();
        }
    }
}

/// What a refused import must leave as it was: mutations, conflicts, records.
///
/// # Panics
/// If the store does not answer.
pub(crate) fn settled_counts(device: &Attache) -> (usize, usize, u64) {
    let status = device.status().expect("a status");
    let records = status.records.iter().map(|(_, count)| *count).sum();
    (
        device.pending().expect("a read").len(),
        device.conflicts().expect("a read").len(),
        records,
    )
}
