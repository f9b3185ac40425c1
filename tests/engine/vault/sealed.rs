//! Encryption at rest.

use super::{ANY, CANARIES, files, folder, home, refused, worked};
use async_trait::async_trait;
use attache::{
    Attache, ErrorKind, Key, Options, Unsent, inspect, inspect_with, salvage, salvage_with,
};
use attache_salesforce::{
    HttpRequest, HttpResponse, Salesforce, StaticToken, Transport, TransportError,
};
use attache_sim::{InProcess, World};
use attache_tests::{
    agrees, create, edit, field_sales, first, prime, server_id, settle, sync, value,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PASSPHRASE: &str = "correct horse battery staple";

fn raw(byte: u8) -> Options {
    Options::new().key(Key::raw([byte; 32]))
}

fn phrase(text: &str) -> Options {
    Options::new().key(Key::passphrase(text))
}

/// Asserts that no file of a folder holds a canary, a name of a table or SQLite's own name.
#[track_caller]
fn silent(folder: &Path) {
    for (path, bytes) in files(folder) {
        let words =
            CANARIES
                .iter()
                .chain(&["attache_mutation", "SQLite format", "Account", PASSPHRASE]);
        for word in words {
            let found = bytes
                .windows(word.len())
                .any(|window| window == word.as_bytes());
            assert!(!found, "{} holds {word}", path.display());
        }
    }
}

#[test]
fn no_byte_of_an_encrypted_store_can_be_read_while_it_is_open_or_closed() {
    let world = World::new(21, 400);
    for options in [raw(7), phrase(PASSPHRASE)] {
        let place = folder();
        let path = place.path().join("jo.db");
        let device = worked(&world, &path, options.clone());
        // A question that sorts more than fits into memory that is at hand.
        let rows = device
            .query("SELECT Id, Name, Phone FROM Account ORDER BY Phone, Name DESC")
            .expect("a query");
        assert!(rows.count() > 1);
        let sealed = device
            .export_unsent(Some(PASSPHRASE))
            .expect("a sealed export");
        fs::write(place.path().join("jo.unsent"), sealed).expect("a file");
        assert_eq!(files(place.path()).len(), 4, "store, log, index, export");
        silent(place.path());
        drop(device);
        silent(place.path());
        let saved = salvage_with(&path, options, Some(PASSPHRASE)).expect("a sealed salvage");
        fs::write(place.path().join("jo.saved"), saved).expect("a file");
        silent(place.path());
    }
}

/// An org that looks into the device's folder at each request: what is there a crash would leave behind.
struct Onlooker {
    honest: InProcess,
    folder: PathBuf,
    looks: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Onlooker {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        silent(&self.folder);
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.honest.send(request).await
    }
}

#[test]
fn a_crash_at_any_request_of_a_session_leaves_no_byte_that_can_be_read() {
    let (world, place, path) = home(31, 300);
    let looks = Arc::new(AtomicUsize::new(0));
    let org = Onlooker {
        honest: InProcess::new(world.sandbox.clone()),
        folder: place.path().to_owned(),
        looks: Arc::clone(&looks),
    };
    let tokens = StaticToken::new(&world.users[0].access_token);
    let org = Salesforce::builder("https://acme.my.salesforce.com", tokens)
        .transport(Arc::new(org))
        .build()
        .expect("a good address");
    let store = Attache::open_with(&path, raw(7)).expect("a store");
    let device = world.equip(store, 0).expect("a device").with_remote(org);
    device.set_briefcase(field_sales()).expect("a briefcase");
    sync(&device);
    let first_load = looks.swap(0, Ordering::Relaxed);
    let id = first(&device, ANY);
    let there = server_id(&device, &id);
    edit(&device, &id, "Phone", CANARIES[1]);
    create(&device, "Account", [("Name", CANARIES[0])]);
    // What a colleague wrote meanwhile comes in with it.
    let name = format!("\"{} of another\"", CANARIES[0]);
    world
        .change("Account", &there, &[("Site", &name)])
        .expect("the boss may");
    world.sandbox.advance(60);
    settle(&world, &device);
    assert_eq!(
        value(&device, &id, "Site"),
        format!("{} of another", CANARIES[0]).into()
    );
    let second = looks.load(Ordering::Relaxed);
    assert!(first_load > 5 && second > 3, "{first_load}, {second}");
    silent(place.path());
}

#[test]
fn an_encrypted_store_opens_with_its_key_and_goes_on() {
    let (world, _place, path) = home(22, 300);
    drop(worked(&world, &path, phrase(PASSPHRASE)));
    let store = Attache::open_with(&path, phrase(PASSPHRASE)).expect("a store");
    let device = world.equip(store, 0).expect("a device");
    assert_eq!(device.pending().expect("a read").len(), 2);
    let second = Attache::open_with(&path, phrase(PASSPHRASE)).expect("a second handle");
    assert_eq!(second.pending().expect("a read").len(), 2);
    settle(&world, &device);
    agrees(&world, 0, &device);
    assert!(second.pending().expect("a read").is_empty());
}

#[test]
fn a_wrong_a_missing_and_a_needless_key_are_told_and_change_nothing() {
    let world = World::new(23, 300);
    let (sealed, plain) = (folder(), folder());
    let path = sealed.path().join("jo.db");
    drop(worked(&world, &path, raw(7)));
    let wrong = ErrorKind::StorageWrongKey;
    refused(&path, raw(8), wrong, "the key does not open the store");
    refused(&path, phrase("x"), wrong, "the key does not open the store");
    refused(&path, Options::new(), wrong, "is encrypted");
    for look in [
        inspect(&path).expect_err("no key").kind(),
        inspect_with(&path, raw(8)).expect_err("a wrong key").kind(),
        salvage(&path).expect_err("no key").kind(),
        salvage_with(&path, raw(8), None)
            .expect_err("a wrong key")
            .kind(),
    ] {
        assert_eq!(look, wrong);
    }
    let open = plain.path().join("jo.db");
    drop(worked(&world, &open, Options::new()));
    refused(&open, raw(7), wrong, "is not encrypted");
    // Of a text nobody says that it is encrypted.
    fs::write(&open, "not a store, whatever the key".repeat(1000)).expect("a file");
    refused(&open, raw(7), ErrorKind::StorageCorrupt, "not a store");
}

#[test]
fn an_encrypted_store_can_be_looked_into_and_saved_with_its_key() {
    let world = World::new(24, 300);
    let (place, after) = (folder(), folder());
    let path = place.path().join("jo.db");
    let device = worked(&world, &path, raw(7));
    let before = files(place.path());
    assert_eq!(
        inspect_with(&path, raw(7)).expect("a look").unsent,
        device.pending().expect("a read")
    );
    // As a crash leaves it: with its log and without the log's index.
    let copy = after.path().join("jo.db");
    fs::copy(&path, &copy).expect("a copy");
    fs::copy(
        place.path().join("jo.db-wal"),
        after.path().join("jo.db-wal"),
    )
    .expect("a copy");
    assert_eq!(inspect_with(&copy, raw(7)).expect("a look").unsent.len(), 2);
    drop(device);
    assert_ne!(before.len(), files(place.path()).len());
    let saved = salvage_with(&path, raw(7), None).expect("a salvage");
    let spare = prime(&world, 0, &field_sales());
    assert_eq!(
        spare
            .import_unsent(&saved, None)
            .expect("an import")
            .mutations,
        2
    );
}

#[test]
fn a_store_is_encrypted_rekeyed_and_decrypted_without_losing_anything() {
    let (world, place, path) = home(25, 300);
    let device = worked(&world, &path, Options::new());
    let id = first(&device, ANY);
    let pending = device.pending().expect("a read");
    let status = device.status().expect("a status");
    let mut last = pending.last().expect("an edit").seq;
    let keys = [
        Some(Key::raw([1; 32])),
        Some(Key::passphrase(PASSPHRASE)),
        Some(Key::raw([2; 32])),
        None,
    ];
    for key in keys {
        device.rekey(key.clone()).expect("another key");
        assert_eq!(device.status().expect("a status").records, status.records);
        assert_eq!(device.pending().expect("a read")[..2], pending[..]);
        edit(&device, &id, "Fax", format!("after {last:?}"));
        let seq = device
            .pending()
            .expect("a read")
            .pop()
            .expect("an edit")
            .seq;
        assert!(seq > last, "the journal goes on");
        last = seq;
        if key.is_some() {
            silent(place.path());
        }
        let options = key.map_or(Options::new(), |key| Options::new().key(key));
        let second = Attache::open_with(&path, options).expect("the new key opens it");
        assert_eq!(
            second.pending().expect("a read"),
            device.pending().expect("a read")
        );
    }
    assert!(inspect(&path).expect("a look").damage.is_empty());
    settle(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn what_was_plain_is_overwritten_when_it_is_encrypted() {
    let (world, place, path) = home(26, 300);
    let device = worked(&world, &path, Options::new());
    let kept = place.path().join("kept");
    fs::hard_link(&path, &kept).expect("a link");
    device.rekey(Some(Key::raw([1; 32]))).expect("a key");
    assert!(fs::read(&kept).expect("a file").is_empty());
    silent(place.path());
}

#[test]
fn a_store_that_is_open_elsewhere_keeps_its_key() {
    let (world, _place, path) = home(27, 300);
    let device = worked(&world, &path, raw(1));
    let elsewhere = Attache::open_with(&path, raw(1)).expect("a second handle");
    elsewhere.pending().expect("a read");
    let error = device.rekey(Some(Key::raw([2; 32]))).expect_err("open");
    assert_eq!(error.kind(), ErrorKind::StorageBusy);
    assert_eq!(device.pending().expect("a read").len(), 2);
    create(&elsewhere, "Account", [("Name", "x")]);
    assert_eq!(device.pending().expect("a read").len(), 3);
    drop(elsewhere);
    device.rekey(Some(Key::raw([2; 32]))).expect("a key");
    drop(device);
    refused(
        &path,
        raw(1),
        ErrorKind::StorageWrongKey,
        "the key does not open",
    );
}

#[test]
fn what_a_rekeying_left_that_was_cut_off_is_removed() {
    let (world, place, path) = home(28, 300);
    drop(worked(&world, &path, raw(1)));
    fs::write(place.path().join("jo.db-rekey"), "half a copy").expect("a file");
    let store = Attache::open_with(&path, raw(1)).expect("a store");
    assert!(!place.path().join("jo.db-rekey").exists());
    store.rekey(Some(Key::raw([2; 32]))).expect("a key");
    drop(store);
    assert_eq!(files(place.path()).len(), 1);
}

#[test]
fn an_encrypted_store_is_wiped_and_nothing_is_left() {
    let (world, place, path) = home(29, 300);
    let device = worked(&world, &path, raw(1));
    device.wipe(Unsent::Discard).expect("a wipe");
    assert!(files(place.path()).is_empty());
    // What comes after it has a key of its own.
    let store = Attache::open_with(&path, raw(2)).expect("a new store");
    assert!(store.pending().expect("a read").is_empty());
}

#[test]
fn a_flipped_byte_of_an_encrypted_store_is_found() {
    let (world, _place, path) = home(30, 300);
    drop(worked(&world, &path, raw(1)));
    let sound = fs::read(&path).expect("a file");
    let (pages, mut saved) = (sound.len() / 4096, 0);
    for page in 0..pages {
        let mut damaged = sound.clone();
        damaged[page * 4096 + 1000] ^= 1;
        fs::write(&path, &damaged).expect("a file");
        match inspect_with(&path, raw(1)) {
            Ok(found) => {
                assert!(!found.damage.is_empty(), "page {page}");
                let work = salvage_with(&path, raw(1), None).map_or(0, |work| work.len());
                saved += usize::from(found.unsent.len() == 2 && work > 0);
            }
            // Whether its key is wrong or its first page is damaged, nobody can tell.
            Err(error) if page == 0 => assert_eq!(error.kind(), ErrorKind::StorageWrongKey),
            Err(error) => assert_eq!(error.kind(), ErrorKind::StorageCorrupt, "{error}"),
        }
    }
    assert!(
        saved * 4 > pages * 3,
        "work was saved for {saved} of {pages} pages"
    );
    fs::write(&path, &sound).expect("a file");
    let store = Attache::open_with(&path, raw(1)).expect("a store");
    let device = world.equip(store, 0).expect("a device");
    let id = first(&device, ANY);
    assert_eq!(value(&device, &id, "Phone"), CANARIES[1].into());
    sync(&device);
}
