//! Files of unsent work.

use crate::spoiled;
use attache::{Attache, Error, ErrorKind};
use attache_sim::World;
use attache_tests::{ME, create, edit, field_sales, first, prime, settle};
use sha2::{Digest, Sha256};
use std::fs;

const PASSPHRASE: &str = "correct horse";

/// Two devices of one user, the first with work of several kinds.
fn two(seed: u64) -> (World, Attache, Attache) {
    let world = World::new(seed, 300);
    let a = prime(&world, ME, &field_sales());
    let b = prime(&world, ME, &field_sales());
    create(&a, "Account", [("Name", "Carried")]);
    let id = first(
        &a,
        "SELECT Id FROM Account WHERE Name != 'Carried' ORDER BY Id LIMIT 1",
    );
    edit(&a, &id, "Phone", "+49 1");
    edit(&b, &id, "Fax", "its own");
    (world, a, b)
}

/// A file with a checksum that is right, whatever is in it.
fn made(version: u32, rest: &[u8]) -> Vec<u8> {
    let sum: String = Sha256::digest(rest)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    [format!("attache-unsent {version} {sum}\n").as_bytes(), rest].concat()
}

/// Imports a file that must be refused, and asserts that the device is as it was.
#[track_caller]
fn refused(device: &Attache, file: &[u8], passphrase: Option<&str>, what: &str) -> Error {
    let before = (
        device.pending().expect("a read"),
        device.conflicts().expect("a read"),
        device.status().expect("a read").records,
    );
    let error = match device.import_unsent(file, passphrase) {
        Err(error) => error,
        Ok(imported) => panic!("{what} is taken: {imported:?}"),
    };
    let after = (
        device.pending().expect("a read"),
        device.conflicts().expect("a read"),
        device.status().expect("a read").records,
    );
    assert_eq!(before, after, "{what}");
    let told = error.to_string();
    assert!((10..300).contains(&told.len()), "{what}: {told}");
    error
}

#[test]
fn a_file_that_was_cut_or_flipped_anywhere_is_refused_and_changes_nothing() {
    let (world, a, b) = two(841);
    for passphrase in [None, Some(PASSPHRASE)] {
        let file = a.export_unsent(passphrase).expect("an export");
        for (what, file) in spoiled(&file) {
            let error = refused(&b, &file, passphrase, &what);
            let kinds = [ErrorKind::StorageCorrupt, ErrorKind::StorageTooNew];
            assert!(kinds.contains(&error.kind()), "{what}: {error}");
        }
    }
    // What was refused so often is taken when it is whole.
    let file = a.export_unsent(Some(PASSPHRASE)).expect("an export");
    let taken = b.import_unsent(&file, Some(PASSPHRASE)).expect("an import");
    assert_eq!(taken.mutations, 2);
    settle(&world, &b);
}

#[test]
fn a_file_of_a_newer_version_asks_for_an_update_although_its_checksum_is_right() {
    let (_world, a, b) = two(842);
    let file = String::from_utf8(a.export_unsent(None).expect("an export")).expect("text");
    let (_, rest) = file.split_once('\n').expect("a first line");
    for version in [2, 3, u32::MAX] {
        let error = refused(&b, &made(version, rest.as_bytes()), None, "a newer file");
        assert_eq!(error.kind(), ErrorKind::StorageTooNew, "{error}");
        assert!(error.to_string().contains("update"), "{error}");
    }
    let error = refused(&b, &made(0, rest.as_bytes()), None, "version 0");
    assert_eq!(error.kind(), ErrorKind::StorageCorrupt);
}

/// The most memory that this process has had, in KiB, where the system says.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_header_cannot_claim_the_memory_or_the_time_of_the_device() {
    let (_world, _, b) = two(843);
    let before = peak_kib();
    for (memory_kib, passes, lanes) in [
        (1 << 20, 3, 1),
        (u32::MAX, 1, 1),
        (64 << 10, u32::MAX, 1),
        (64 << 10, 1, u32::MAX),
        (0, 0, 0),
        (8, 1, 16),
    ] {
        let seal = format!(
            r#"{{"memory_kib":{memory_kib},"passes":{passes},"lanes":{lanes},"salt":"AAAAAAAAAAAAAAAAAAAAAA==","nonce":"{}"}}"#,
            "A".repeat(32)
        );
        let file = made(1, format!("{{\"sealed\":{seal}}}\nnothing").as_bytes());
        let error = refused(&b, &file, Some(PASSPHRASE), &seal);
        assert_eq!(error.kind(), ErrorKind::StorageCorrupt, "{error}");
        // Without a passphrase nothing of it is tried.
        let error = refused(&b, &file, None, &seal);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    if let (Some(before), Some(after)) = (before, peak_kib()) {
        // Others of these tests run beside it, and none needs more than a sealed file of ours.
        assert!(after < before + (512 << 10), "{before} KiB became {after}");
    }
}

#[test]
fn what_is_nested_too_deep_or_is_no_work_at_all_is_damage() {
    let (_world, a, b) = two(844);
    let file = String::from_utf8(a.export_unsent(None).expect("an export")).expect("text");
    let document = file.splitn(3, '\n').nth(2).expect("a document");
    let deep = |open: &str, close: &str| open.repeat(200_000) + "0" + &close.repeat(200_000);
    let nested = [deep("[", "]"), deep("{\"a\":", "}")];
    let mut documents: Vec<String> = ["", "null", "[]", "{}", "{\"org\":1}", "\u{0}", "\u{feff}{}"]
        .map(String::from)
        .into();
    for deep in &nested {
        documents.push(deep.clone());
        documents.push(document.replacen("\"fields\":", &format!("\"fields\":{deep},\"x\":"), 1));
        documents.push(document.replacen("\"records\":", &format!("\"records\":{deep},\"x\":"), 1));
        documents.push(document.replacen('{', &format!("{{\"unknown\":{deep},\"records\":0,"), 1));
    }
    for document in documents {
        let shown: String = document.chars().take(60).collect();
        let file = made(1, format!("{{\"sealed\":null}}\n{document}").as_bytes());
        let error = refused(&b, &file, None, &shown);
        assert_eq!(error.kind(), ErrorKind::StorageCorrupt, "{shown}: {error}");
    }
    for head in ["", "{}}", "{\"sealed\":0}", &nested[0]] {
        let file = made(1, format!("{head}\n{document}").as_bytes());
        let error = refused(&b, &file, None, "a head");
        assert_eq!(error.kind(), ErrorKind::StorageCorrupt, "{error}");
    }
}

/// A mutation may name a record of the file, an object and fields; whatever it says, it is checked or it is nothing.
#[test]
fn work_that_names_what_is_not_there_is_refused_whole() {
    let (_world, a, b) = two(845);
    let file = String::from_utf8(a.export_unsent(None).expect("an export")).expect("text");
    let document = file.splitn(3, '\n').nth(2).expect("a document");
    let file = |document: &str| made(1, format!("{{\"sealed\":null}}\n{document}").as_bytes());
    for (from, to, kind) in [
        (
            "\"object\":\"Account\"",
            "\"object\":\"attache_setting\"",
            ErrorKind::UnknownObject,
        ),
        (
            "\"object\":\"Account\"",
            "\"object\":\"Account\\\"; DROP TABLE Account; --\"",
            ErrorKind::UnknownObject,
        ),
        ("\"org\":\"", "\"org\":\"x", ErrorKind::WrongOwner),
        ("\"user\":\"", "\"user\":\"x", ErrorKind::WrongOwner),
        (
            "\"kind\":\"create\"",
            "\"kind\":\"drop\"",
            ErrorKind::StorageCorrupt,
        ),
        (
            "\"changeset\":",
            "\"changeset\":99999999999999999999",
            ErrorKind::StorageCorrupt,
        ),
    ] {
        assert!(document.contains(from), "{from}");
        let error = refused(&b, &file(&document.replace(from, to)), None, to);
        assert_eq!(error.kind(), kind, "{to}: {error}");
    }
}
