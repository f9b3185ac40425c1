//! Opening stores, and joining them to their org.

use crate::error::{Failure, Result};
use crate::tokens::Token;
use attache::{Attache, ErrorKind, Key, Options};
use attache_salesforce::{Salesforce, TokenProvider};
use std::path::Path;
use std::sync::OnceLock;

/// The host value under which a store remembers its org's address.
pub const URL_KEY: &str = "attache-cli.url";

/// Opens a store that exists.
///
/// The engine makes a store where there is none; somebody who mistyped a path
/// wants to hear of it instead.
pub fn open(path: &Path) -> Result<Attache> {
    let missing = "make one with `attache init --store FILE --url URL --briefcase FILE`";
    let found = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(
            ErrorKind::StorageUnavailable,
            format!("there is no store at {}", path.display()),
        )
        .hint(missing),
        _ => Failure::file("open the store", path, &error),
    })?;
    if found.is_dir() || found.len() == 0 {
        let what = if found.is_dir() { "a folder" } else { "empty" };
        return Err(Failure::new(
            ErrorKind::StorageCorrupt,
            format!("{} is not a store: it is {what}", path.display()),
        )
        .hint(missing));
    }
    Ok(Attache::open_with(path, options())?)
}

/// The key of the store that this command is about. There is one store to a command.
static KEY: OnceLock<Key> = OnceLock::new();

/// Has stores opened with the key in a file.
pub fn use_key(file: Option<&Path>) -> Result<()> {
    if let Some(file) = file {
        // Only the first is kept, and there is only one.
        let _ = KEY.set(read_key(file)?);
    }
    Ok(())
}

/// What stores are opened with.
pub fn options() -> Options {
    KEY.get()
        .map_or_else(Options::new, |key| Options::new().key(key.clone()))
}

/// Reads a key: 64 hex digits are 32 bytes, anything else is a passphrase.
pub fn read_key(path: &Path) -> Result<Key> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::file("read the key file", path, &error))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::usage(format!(
            "the key file {} begins with an empty line",
            path.display()
        )));
    }
    Ok(raw(line).map_or_else(|| Key::passphrase(line), Key::raw))
}

fn raw(line: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = line
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits: [u8; 64] = digits?.try_into().ok()?;
    Some(std::array::from_fn(|at| {
        digits[2 * at] << 4 | digits[2 * at + 1]
    }))
}

/// Opens a store that exists and joins it to the org it was made for.
pub fn open_online(path: &Path, token: &Token) -> Result<Attache> {
    let store = open(path)?;
    let url = store.host_value(URL_KEY)?.ok_or_else(|| {
        Failure::new(
            ErrorKind::NotReady,
            format!("{} does not know the address of its org", path.display()),
        )
        .hint("it was not made by `attache init`")
    })?;
    Ok(store.with_remote(remote(&url, token.provider()?)?))
}

/// Makes the remote for an org.
pub fn remote(url: &str, tokens: impl TokenProvider + 'static) -> Result<Salesforce> {
    Ok(Salesforce::new(url, tokens)?)
}
