//! Files of unsent work, plain and sealed: taken whole or refused whole, and what was taken goes on.

use crate::home::{Home, settled_counts};
use crate::swap::spoil;
use argon2::{Algorithm, Argon2, Params, Version};
use attache::{Attache, ErrorKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const PASSPHRASE: &str = "correct horse";
const SALT: [u8; 16] = [7; 16];
const HEAD: &[u8] = b"{\"sealed\":null}\n";
const NONCE: [u8; 24] = [9; 24];

/// Two devices of one user: one whose work travels, and one that takes it in.
static HOME: LazyLock<Home> = LazyLock::new(Home::new);

/// Makes a file with a checksum that is right, whatever is in it.
fn whole(rest: &[u8]) -> Vec<u8> {
    let sum: String = Sha256::digest(rest)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    [format!("attache-unsent 1 {sum}\n").as_bytes(), rest].concat()
}

/// Seals a document as the engine does, with a key that costs little.
fn sealed(document: &[u8]) -> Vec<u8> {
    let params = Params::new(8, 1, 1, Some(32)).expect("the least that Argon2 allows");
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(PASSPHRASE.as_bytes(), &SALT, &mut key)
        .expect("a key");
    let payload = Payload {
        msg: document,
        aad: b"attache-unsent 1",
    };
    let body = XChaCha20Poly1305::new(&Key::from(key))
        .encrypt(&XNonce::from(NONCE), payload)
        .expect("a sealed text");
    let head = format!(
        "{{\"sealed\":{{\"memory_kib\":8,\"passes\":1,\"lanes\":1,\"salt\":\"{}\",\"nonce\":\"{}\"}}}}\n",
        STANDARD.encode(SALT),
        STANDARD.encode(NONCE)
    );
    whole(&[head.as_bytes(), &body].concat())
}

fn import(device: &Attache, file: &[u8]) -> bool {
    let before = settled_counts(device);
    match device.import_unsent(file, Some(PASSPHRASE)) {
        Ok(imported) => {
            let after = device.pending().expect("a read").len();
            assert!(
                after as u64 <= before.0 as u64 + imported.mutations,
                "{imported:?}"
            );
            let again = device
                .import_unsent(file, Some(PASSPHRASE))
                .expect("a second time");
            assert_eq!(again.mutations, 0, "twice is once");
            assert_eq!(device.pending().expect("a read").len(), after);
            device.export_unsent(None).expect("an export");
            true
        }
        Err(error) => {
            assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
            assert_eq!(settled_counts(device), before, "{error}");
            false
        }
    }
}

thread_local! {
    static DEVICE: std::cell::RefCell<Option<Attache>> = const { std::cell::RefCell::new(None) };
}

/// Takes bytes in as a file of unsent work.
pub fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = crate::headed(bytes) else {
        return;
    };
    let file = match kind % 6 {
        0 => bytes.to_vec(),
        1 => whole(bytes),
        2 => sealed(bytes),
        3 => whole(&[HEAD, bytes].concat()),
        4 => whole(&spoil(&HOME.unsent, bytes)),
        _ => sealed(&spoil(&HOME.unsent[HEAD.len()..], bytes)),
    };
    DEVICE.with_borrow_mut(|slot| {
        let device = slot.take().unwrap_or_else(|| HOME.spare());
        // What took something in is not what the next one expects.
        if !import(&device, &file) {
            *slot = Some(device);
        }
    });
}
