//! An encrypted store shows no byte of a file.

use super::{account_id, at_org, device, file, state};
use attache::{Attache, FileState, Key, Options};
use attache_sim::World;
use attache_tests::sync;

const CANARY: &[u8] = b"Geheimwerk 0815-4711";

#[test]
fn no_file_of_an_encrypted_store_holds_a_byte_of_a_body() {
    let world = World::new(11, 300);
    let place = tempfile::tempdir().expect("a folder");
    let options = Options::new().key(Key::raw([7; 32]));
    let store = Attache::open_with(place.path().join("jo.db"), options).expect("a store");
    let (device, account) = device(&world, store, "{}");
    let body: Vec<u8> = CANARY.repeat(30_000);
    at_org(&world, &account_id(&device, &account), "theirs.txt", &body);
    sync(&device);
    device
        .attach(&account, "ours.txt", &body[..])
        .expect("attached");
    assert_eq!(state(&device, &account, "theirs"), FileState::Present);
    let mut read = Vec::new();
    let theirs = file(&device, &account, "theirs").id;
    device.read_file(&theirs, &mut read).expect("it is here");
    assert_eq!(read, body);
    let mut seen = 0;
    for entry in std::fs::read_dir(place.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY));
        seen += bytes.len();
    }
    assert!(seen > body.len() * 2, "the bodies are in {seen} bytes");
}
