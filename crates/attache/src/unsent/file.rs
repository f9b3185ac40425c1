//! The file in which unsent work travels.
//!
//! ```text
//! attache-unsent 1 <SHA-256 of all that follows this line, in hex>
//! {"sealed":null}
//! <the document, as JSON>
//! ```
//!
//! With a passphrase the second line says how the key was made of it, and the
//! third part is the document under XChaCha20-Poly1305. The checksum finds
//! damage without a passphrase, so that what fails afterwards is the passphrase.
//!
//! # Source
//! Argon2id with 64 MiB and three passes is RFC 9106's second recommended
//! setting, on one lane. The salt is new for each file, and the nonce too long
//! to come twice.

use crate::error::{Error, ErrorKind, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const NAME: &str = "attache-unsent";
const VERSION: u32 = 1;
/// What a file may ask of the device that opens it: four times what is asked here, and some seconds.
const MEMORY_KIB_MAX: u32 = 256 << 10;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;
/// Bound to the sealed text, so that it opens as nothing else.
const PURPOSE: &[u8] = b"attache-unsent 1";

#[derive(Serialize, Deserialize)]
struct Head {
    sealed: Option<Seal>,
}

/// How the key is made, and the nonce.
#[derive(Serialize, Deserialize)]
struct Seal {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    nonce: String,
}

/// Writes a file. `random` fills a buffer with random bytes.
pub(super) fn pack(
    document: &[u8],
    passphrase: Option<&str>,
    random: impl Fn(&mut [u8]),
) -> Result<Vec<u8>> {
    let sealed;
    let (seal, body) = match passphrase {
        None => (None, document),
        Some(passphrase) => {
            let (mut salt, mut nonce) = ([0; 16], [0; 24]);
            random(&mut salt);
            random(&mut nonce);
            let seal = Seal {
                memory_kib: 64 << 10,
                passes: 3,
                lanes: 1,
                salt: STANDARD.encode(salt),
                nonce: STANDARD.encode(nonce),
            };
            let payload = Payload {
                msg: document,
                aad: PURPOSE,
            };
            sealed = cipher(passphrase, &seal, &salt)?
                .encrypt(&XNonce::from(nonce), payload)
                .map_err(|_| Error::internal("the unsent work is too large to be sealed"))?;
            (Some(seal), &sealed[..])
        }
    };
    let head = serde_json::to_vec(&Head { sealed: seal })
        .map_err(|error| Error::internal("a head prints as JSON").with_source(error))?;
    let rest = [&head[..], b"\n", body].concat();
    let mut file = format!("{NAME} {VERSION} {}\n", checksum(&rest)).into_bytes();
    file.extend(rest);
    Ok(file)
}

/// Reads a file and gives the document in it.
pub(super) fn unpack(file: &[u8], passphrase: Option<&str>) -> Result<Zeroizing<Vec<u8>>> {
    let (first, rest) = line(file).ok_or_else(foreign)?;
    let first = std::str::from_utf8(first).map_err(|_| foreign())?;
    let mut words = first.split(' ');
    if words.next() != Some(NAME) {
        return Err(foreign());
    }
    let version: u32 = words
        .next()
        .and_then(|text| text.parse().ok())
        .ok_or_else(damaged)?;
    if version > VERSION {
        return Err(Error::new(
            ErrorKind::StorageTooNew,
            format!(
                "the file of unsent work has version {version}, and this library reads up to {VERSION}: update the application"
            ),
        ));
    }
    if version == 0 || words.next() != Some(&checksum(rest)) || words.next().is_some() {
        return Err(damaged());
    }
    let (head, body) = line(rest).ok_or_else(damaged)?;
    let head: Head = serde_json::from_slice(head).map_err(|_| damaged())?;
    match (head.sealed, passphrase) {
        (None, _) => Ok(Zeroizing::new(body.to_vec())),
        (Some(_), None) => Err(Error::invalid(
            "the file of unsent work is sealed: give the passphrase it was exported with",
        )),
        (Some(seal), Some(passphrase)) => open(&seal, body, passphrase),
    }
}

fn open(seal: &Seal, body: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| damaged());
    let nonce: [u8; 24] = bytes(&seal.nonce)?.try_into().map_err(|_| damaged())?;
    if seal.memory_kib > MEMORY_KIB_MAX || seal.passes > PASSES_MAX || seal.lanes > LANES_MAX {
        return Err(damaged());
    }
    let payload = Payload {
        msg: body,
        aad: PURPOSE,
    };
    cipher(passphrase, seal, &bytes(&seal.salt)?)?
        .decrypt(&XNonce::from(nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| {
            Error::new(
                ErrorKind::StorageCorrupt,
                "the passphrase is not the one that the file of unsent work was exported with",
            )
        })
}

fn cipher(passphrase: &str, seal: &Seal, salt: &[u8]) -> Result<XChaCha20Poly1305> {
    let params =
        Params::new(seal.memory_kib, seal.passes, seal.lanes, Some(32)).map_err(|_| damaged())?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|_| damaged())?;
    Ok(XChaCha20Poly1305::new(&Key::from(*key)))
}

fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn foreign() -> Error {
    Error::new(
        ErrorKind::StorageCorrupt,
        "this is not a file of unsent work",
    )
}

pub(super) fn damaged() -> Error {
    Error::new(
        ErrorKind::StorageCorrupt,
        "the file of unsent work is damaged: copy it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: &[u8] = br#"{"phone":"secret"}"#;

    fn packed(passphrase: Option<&str>) -> Vec<u8> {
        pack(WORK, passphrase, |buffer| buffer.fill(7)).expect("a file")
    }

    fn kind(file: &[u8], passphrase: Option<&str>) -> ErrorKind {
        unpack(file, passphrase).expect_err("no document").kind()
    }

    #[test]
    fn a_file_without_a_passphrase_opens_and_can_be_read_by_a_person() {
        let file = packed(None);
        assert_eq!(&**unpack(&file, None).expect("a document"), WORK);
        let text = String::from_utf8(file).expect("text");
        assert!(text.starts_with("attache-unsent 1 ") && text.ends_with(r#"{"phone":"secret"}"#));
    }

    #[test]
    fn a_sealed_file_opens_with_its_passphrase_only_and_shows_nothing() {
        let file = packed(Some("correct horse"));
        assert_eq!(
            &**unpack(&file, Some("correct horse")).expect("a document"),
            WORK
        );
        assert_eq!(
            kind(&file, Some("battery staple")),
            ErrorKind::StorageCorrupt
        );
        assert_eq!(kind(&file, None), ErrorKind::InvalidArgument);
        assert!(!file.windows(6).any(|bytes| bytes == b"secret"));
    }

    #[test]
    fn damage_at_any_byte_is_found_before_the_passphrase_is_tried() {
        for file in [packed(None), packed(Some("x"))] {
            for at in 0..file.len() {
                let mut damaged = file.clone();
                damaged[at] ^= 1;
                assert!(unpack(&damaged, None).is_err(), "byte {at}");
            }
            for length in 0..file.len() {
                assert!(unpack(&file[..length], None).is_err(), "{length} bytes");
            }
        }
    }

    #[test]
    fn a_file_of_a_newer_version_asks_for_an_update() {
        let file = packed(None);
        let text = String::from_utf8(file)
            .expect("text")
            .replacen("unsent 1", "unsent 2", 1);
        assert_eq!(kind(text.as_bytes(), None), ErrorKind::StorageTooNew);
    }

    #[test]
    fn a_file_cannot_ask_for_more_memory_than_a_device_may_give() {
        let head = r#"{"sealed":{"memory_kib":4294967295,"passes":1,"lanes":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#;
        let rest = format!("{head}\nx");
        let file = format!("attache-unsent 1 {}\n{rest}", checksum(rest.as_bytes()));
        assert_eq!(kind(file.as_bytes(), Some("x")), ErrorKind::StorageCorrupt);
    }
}
