//! `attache rekey`: a store gets a key, another one, and none again.

use crate::support::{EVERYTHING, Ran, Stage, text};
use std::fs;

const NAME: &str = "Geheimwerk";

/// Asserts that the store holds its unsent record for those who have its key.
#[track_caller]
fn opens(stage: &Stage, store: &str, key: &[&str]) {
    let soql = format!("SELECT Name FROM Account WHERE Name = '{NAME}'");
    let ran = stage.run(&[&["query", store, &soql], key].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains(NAME), "{}", ran.out);
}

#[track_caller]
fn refused(ran: &Ran) {
    assert_ne!(ran.code, 0);
    assert_eq!(ran.json()["error"]["kind"], "StorageWrongKey");
}

fn readable(store: &str) -> bool {
    let bytes = fs::read(store).expect("the store");
    bytes
        .windows(NAME.len())
        .any(|part| part == NAME.as_bytes())
}

#[test]
fn a_store_is_encrypted_given_another_key_and_decrypted() {
    let stage = Stage::open();
    let store = stage.store("jo", EVERYTHING);
    stage.json(&["new", &store, "Account", &format!("Name={NAME}")]);
    assert!(readable(&store));
    let phrase = text(&stage.file("phrase", "correct horse battery staple\n"));
    let raw = text(&stage.file("raw", &"5a".repeat(32)));
    let (by_phrase, by_raw) = (["--key-file", &phrase], ["--key-file", &raw]);

    let sealed = stage.json(&["rekey", &store, "--new-key-file", &phrase]);
    assert_eq!(sealed["encrypted"], true);
    assert!(!readable(&store));
    opens(&stage, &store, &by_phrase);
    refused(&stage.run(&["status", &store, "--json"]));
    refused(&stage.run(&["status", &store, "--json", "--key-file", &raw]));

    // Who has not the key cannot give the store another one, and it stays as it is.
    let before = fs::read(&store).expect("the store");
    refused(&stage.run(&["rekey", &store, "--new-key-file", &raw, "--json"]));
    assert!(fs::read(&store).expect("the store") == before);

    stage.json(&[&["rekey", &store, "--new-key-file", &raw][..], &by_phrase].concat());
    opens(&stage, &store, &by_raw);
    refused(&stage.run(&["status", &store, "--json", "--key-file", &phrase]));

    let opened = stage.json(&[&["rekey", &store, "--decrypt"][..], &by_raw].concat());
    assert_eq!(opened["encrypted"], false);
    opens(&stage, &store, &[]);
    assert_eq!(stage.json(&["sync", &store])["pushed"]["creates"], 1);
}
