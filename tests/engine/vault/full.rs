//! No room: too little for a download, and none in the middle of anything.

use super::{ANY, folder, home};
use attache::{Attache, Briefcase, Env, ErrorKind, Limits, LocalTime, Options, Result, inspect};
use attache_sim::{SimEnv, World, wait};
use attache_tests::{agrees, at_org, field_sales, first, server_id, settle, sync};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A device whose disk has as many free bytes as is said.
struct Disk {
    env: SimEnv,
    free: Arc<AtomicU64>,
}

#[async_trait::async_trait]
impl Env for Disk {
    fn now(&self) -> LocalTime {
        self.env.now()
    }
    fn random(&self, buffer: &mut [u8]) {
        self.env.random(buffer);
    }
    async fn sleep(&self, duration: Duration) {
        self.env.sleep(duration).await;
    }
    fn free_bytes(&self, _: &Path) -> Option<u64> {
        Some(self.free.load(Ordering::Relaxed))
    }
}

#[test]
fn a_big_download_that_would_fill_the_disk_is_not_begun_and_goes_on_when_there_is_room() {
    let world = World::new(41, 60_000);
    let boss = world.users[0].id.clone();
    let all = attache_sandbox::org::Rights {
        view_all: true,
        modify_all: true,
    };
    world.sandbox.with_org(|org| org.set_rights(&boss, all));
    let place = folder();
    let free = Arc::new(AtomicU64::new(270 << 20));
    let store = Attache::open(place.path().join("jo.db")).expect("a store");
    let device = world.equip(store, 0).expect("a device").with_env(Disk {
        env: SimEnv::new(world.sandbox.clone(), 41),
        free: Arc::clone(&free),
    });
    device
        .set_briefcase(Briefcase::everything(["Contact"]))
        .expect("a briefcase");
    let error = wait(device.sync()).expect_err("no room");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(error.to_string().contains("Contact"), "{error}");
    assert!(
        error.to_string().contains("would not leave 269 MB"),
        "{error}"
    );
    let before = device.status().expect("a status").records;
    assert_eq!(before, [("Contact".to_owned(), 0)], "not begun");
    free.store(1 << 40, Ordering::Relaxed);
    let report = sync(&device);
    assert!(report.inserted > 10_000, "{report:?}");
    // Once it is here, a full disk stops no session that needs little of it.
    free.store(0, Ordering::Relaxed);
    sync(&device);
}

/// What a person and an application do in a day; gives what was saved.
fn day(device: &Attache, round: u64) -> Result<Vec<String>> {
    let mut saved = Vec::new();
    let attempt = |done: Result<()>| match done {
        Err(error) if error.kind() != ErrorKind::StorageFull => Err(error),
        done => Ok(done.is_ok()),
    };
    attempt(device.set_briefcase(field_sales()))?;
    if !attempt(wait(device.sync()).map(|_| ()))? && device.schema()?.objects().is_empty() {
        // Not even what an account is has found room.
        return Ok(saved);
    }
    for n in 0..4 {
        let name = format!("Full {round} {n}");
        let fields = [
            ("Name", name.as_str()),
            ("Description", &"long ".repeat(800)),
        ];
        if attempt(device.create("Account", fields).map(|_| ()))? {
            saved.push(name);
        }
    }
    attempt(device.export_unsent(None).map(|_| ()))?;
    attempt(wait(device.sync()).map(|_| ()))?;
    Ok(saved)
}

#[test]
fn whatever_a_full_disk_stops_nothing_is_lost_and_it_goes_on() {
    let (mut stopped, mut whole) = (0, 0);
    let mut bytes: u64 = 100 << 10;
    while whole < 2 {
        let world = World::new(42, 120);
        let place = folder();
        let path = place.path().join("jo.db");
        let limits = Limits {
            store_bytes: Some(bytes),
            ..Limits::default()
        };
        let saved = match Attache::open_with(&path, Options::new().limits(limits)) {
            Ok(store) => {
                let device = world.equip(store, 0).expect("a device");
                day(&device, bytes).expect("only room is missing")
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
                Vec::new()
            }
        };
        if saved.len() < 4 {
            stopped += 1;
        } else {
            whole += 1;
        }
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > 4096) {
            assert_eq!(inspect(&path).expect("a look").damage, [""; 0]);
        }
        let store = Attache::open(&path).expect("a store with room");
        let device = world.equip(store, 0).expect("a device");
        device.set_briefcase(field_sales()).expect("a briefcase");
        settle(&world, &device);
        agrees(&world, 0, &device);
        for name in saved {
            let soql = format!("SELECT Id FROM Account WHERE Name = '{name}'");
            let id = first(&device, &soql);
            assert!(at_org(&world, "Account", &server_id(&device, &id), "Id").is_some());
            let rows = world.rows(world.boss(), &soql).expect("a query");
            assert_eq!(rows.len(), 1, "{name} is there once");
        }
        bytes += 24 << 10;
    }
    assert!(stopped > 5, "{stopped} sizes stopped anything");
}

#[test]
fn a_migration_without_room_leaves_the_store_at_its_old_format() {
    let place = folder();
    let path = place.path().join("old.db");
    let old = Connection::open(&path).expect("a database");
    old.execute_batch(include_str!(
        "../../../crates/attache/src/store/sql/001_engine.sql"
    ))
    .expect("the first format");
    old.pragma_update(None, "application_id", 0x4154_4348)
        .expect("a name");
    old.pragma_update(None, "user_version", 1)
        .expect("a format");
    old.close().expect("closed");
    let bytes = std::fs::metadata(&path).expect("a file").len();
    let limits = Limits {
        store_bytes: Some(bytes),
        ..Limits::default()
    };
    let Err(error) = Attache::open_with(&path, Options::new().limits(limits)) else {
        panic!("there is no room for new tables");
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    assert_eq!(inspect(&path).expect("a look").format, 1);
    let store = Attache::open(&path).expect("with room it is migrated");
    assert!(store.pending().expect("a read").is_empty());
}

#[test]
fn a_full_store_still_answers_and_lets_work_be_taken_back() {
    let (world, _place, path) = home(43, 200);
    let device = super::worked(&world, &path, Options::new());
    let pending = device.pending().expect("a read");
    drop(device);
    let limits = Limits {
        store_bytes: Some(std::fs::metadata(&path).expect("a file").len()),
        ..Limits::default()
    };
    let store = Attache::open_with(&path, Options::new().limits(limits)).expect("a full store");
    let device = world.equip(store, 0).expect("a device");
    // Keys of the world's devices are made of its clock.
    world.sandbox.advance(1);
    let fields = [("Name", "x"), ("Description", &"long ".repeat(6000))];
    let made = (0..1000).find_map(|_| device.create("Account", fields).err());
    assert_eq!(made.expect("no room").kind(), ErrorKind::StorageFull);
    let full = device.pending().expect("a read");
    assert_eq!(full[..2], pending[..]);
    device.discard(pending[1].seq).expect("work is taken back");
    assert_eq!(
        device.pending().expect("a read").len(),
        full.len() - 1,
        "one less"
    );
    assert!(device.get(&first(&device, ANY)).expect("a read").is_some());
}
