//! Where the command gets its tokens, and the file that keeps a sign-in.

use crate::error::{Failure, Result};
use attache::{Error, ErrorKind};
use attache_salesforce::{RefreshToken, StaticToken, TokenProvider};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The environment variable that carries the access token.
const TOKEN_VARIABLE: &str = "ATTACHE_ACCESS_TOKEN";

/// Where tokens come from. Never an argument: those are seen by everybody on the machine.
#[derive(Args)]
pub struct Token {
    /// Read an access token, or the sign-in that `attache login` keeps, from this file [default: the
    /// variable ATTACHE_ACCESS_TOKEN].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Token {
    /// Makes what gives tokens.
    pub fn provider(&self) -> Result<Box<dyn TokenProvider>> {
        let text = match &self.token_file {
            Some(path) => fs::read_to_string(path)
                .map_err(|error| Failure::file("read the token file", path, &error))?,
            None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
        };
        let token = text.trim();
        match &self.token_file {
            _ if token.is_empty() => Err(Failure::usage("there is no access token").hint(format!(
                "set {TOKEN_VARIABLE}, give --token-file FILE, or run `attache login`"
            ))),
            Some(path) if token.starts_with('{') => kept(path, token),
            _ => Ok(Box::new(StaticToken::new(token))),
        }
    }
}

/// A person's sign-in as a file keeps it: everything that renews it.
#[derive(Clone, Deserialize, Serialize)]
pub struct SignInFile {
    /// Where tokens are renewed.
    pub url: String,
    /// The connected app.
    pub client_id: String,
    /// Its secret, if it demands one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Buys the next access token.
    pub refresh_token: String,
}

impl SignInFile {
    /// Reads a document; `None` if it is something else.
    pub fn parse(text: &str) -> Option<SignInFile> {
        serde_json::from_str(text).ok()
    }

    /// Writes the file, whole or not at all, for its owner's eyes only (mode 0600).
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut file = tempfile::Builder::new()
            .prefix(".attache-sign-in-")
            .tempfile_in(folder)?;
        serde_json::to_writer(&mut file, self)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The name must last as well: the token that stood there before is dead.
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

/// Renews from a kept sign-in, and keeps what an org that rotates gives in place of it.
fn kept(path: &Path, text: &str) -> Result<Box<dyn TokenProvider>> {
    let file = SignInFile::parse(text).ok_or_else(|| {
        let message = format!("{} holds no sign-in that can be read", path.display());
        Failure::usage(message).hint("run `attache login` again")
    })?;
    let mut tokens = RefreshToken::new(&file.url, &file.client_id, &file.refresh_token)?;
    if let Some(secret) = &file.client_secret {
        tokens = tokens.with_client_secret(secret);
    }
    let path = path.to_owned();
    Ok(Box::new(tokens.on_rotated(move |token| {
        let next = SignInFile {
            refresh_token: token.to_owned(),
            ..file.clone()
        };
        next.write(&path).map_err(|cause| {
            let message = format!("cannot keep the new token in {}", path.display());
            Error::new(ErrorKind::StorageUnavailable, message).with_source(cause)
        })
    })))
}
