//! Encryption at rest: SQLCipher's, so that its tools open the file as well.
//!
//! # Source
//! The file is SQLCipher 4's: AES-256-CBC and HMAC-SHA512 per page. A passphrase
//! is stretched here as SQLCipher does it (PBKDF2-HMAC-SHA512, 256,000 rounds,
//! over the salt that the file begins with), but once for each opened store and
//! not for each of its connections.

use super::file::Salt;
use crate::error::{Error, Result};
use crate::key::{Key, Secret};
use rusqlite::Connection;
use zeroize::Zeroizing;

/// A key and a file's salt, as SQLCipher takes them: `x'...'`.
pub(super) struct Spec {
    text: Zeroizing<String>,
    pub salt: Salt,
}

/// Says whether a key can be used at all.
pub(super) fn check(key: &Key) -> Result<()> {
    key.check()?;
    if cfg!(feature = "sqlcipher") {
        Ok(())
    } else {
        Err(cannot_encrypt())
    }
}

impl Spec {
    /// Makes what opens a file with this salt, or makes a file.
    pub(super) fn new(key: &Key, salt: Option<Salt>) -> Result<Spec> {
        let salt = salt.unwrap_or_else(fresh_salt);
        let text = match &key.0 {
            Secret::Raw(bytes) => Spec::print(bytes, &salt),
            Secret::Passphrase(text) => Spec::print(&*stretch(text, &salt)?, &salt),
        };
        Ok(Spec { text, salt })
    }

    fn print(key: &[u8; 32], salt: &Salt) -> Zeroizing<String> {
        // As long as it gets, so that no part of it stays behind where it grew out of.
        let mut text = Zeroizing::new(String::with_capacity(128));
        text.push_str("x'");
        for byte in key.iter().chain(salt) {
            for half in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(half.into(), 16));
            }
        }
        text.push('\'');
        text
    }

    /// Gives a new connection its key.
    pub(super) fn unlock(&self, connection: &Connection) -> Result<()> {
        // A library does not write to its host's terminal.
        connection.execute_batch("PRAGMA cipher_log_level = NONE")?;
        let mut sql = Zeroizing::new(String::with_capacity(160));
        sql.push_str("PRAGMA main.key = \"");
        sql.push_str(&self.text);
        sql.push('"');
        run(connection, || connection.execute_batch(&sql).map(|()| 0))
    }

    /// Joins another file to a connection, under this key.
    pub(super) fn attach(&self, connection: &Connection, path: &str) -> Result<()> {
        run(connection, || {
            connection.execute("ATTACH ?1 AS copy KEY ?2", [path, &self.text])
        })
    }
}

/// Runs a statement that holds a key.
///
/// Memory that SQLite frees is overwritten meanwhile, the text of the statement too. Its keys are
/// at any time; its pages are not, since that costs a call to the system for each.
fn run(connection: &Connection, work: impl FnOnce() -> rusqlite::Result<usize>) -> Result<()> {
    connection.execute_batch("PRAGMA cipher_memory_security = ON")?;
    let ran = work();
    connection.execute_batch("PRAGMA cipher_memory_security = OFF")?;
    ran?;
    Ok(())
}

fn fresh_salt() -> Salt {
    use crate::env::Env;
    let mut salt = [0; 16];
    crate::env::SystemEnv.random(&mut salt);
    salt
}

#[cfg(feature = "sqlcipher")]
fn stretch(passphrase: &str, salt: &Salt) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<sha2::Sha512>(passphrase.as_bytes(), salt, 256_000, &mut *key);
    Ok(key)
}

#[cfg(not(feature = "sqlcipher"))]
fn stretch(_: &str, _: &Salt) -> Result<Zeroizing<[u8; 32]>> {
    Err(cannot_encrypt())
}

fn cannot_encrypt() -> Error {
    Error::invalid(
        "this build of the library cannot encrypt a store: it lacks the cargo feature `sqlcipher`",
    )
}
