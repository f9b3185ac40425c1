//! Opening stores, and joining them to their org.

use crate::error::{Failure, Result};
use attache::{Attache, ErrorKind};
use attache_salesforce::{Salesforce, StaticToken};
use clap::Args;
use std::path::{Path, PathBuf};

/// The host value under which a store remembers its org's address.
pub const URL_KEY: &str = "attache-cli.url";

/// The environment variable that carries the access token.
const TOKEN_VARIABLE: &str = "ATTACHE_ACCESS_TOKEN";

/// Where the access token comes from. Never an argument: those are seen by everybody on the machine.
#[derive(Args)]
pub struct Token {
    /// Read the access token from this file [default: the variable ATTACHE_ACCESS_TOKEN].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Token {
    /// Reads the token.
    pub fn read(&self) -> Result<String> {
        let text = match &self.token_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| Failure::file("read the token file", path, &error))?,
            None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
        };
        let token = text.trim();
        if token.is_empty() {
            return Err(Failure::usage("there is no access token")
                .hint(format!("set {TOKEN_VARIABLE} or give --token-file FILE")));
        }
        Ok(token.to_owned())
    }
}

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
    Ok(Attache::open(path)?)
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
    Ok(store.with_remote(remote(&url, &token.read()?)?))
}

/// Makes the remote for an org.
pub fn remote(url: &str, token: &str) -> Result<Salesforce> {
    Ok(Salesforce::new(url, StaticToken::new(token))?)
}
