//! `attache logout`: a person signs out; what is on the device stays.

use crate::commands::block_on;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::store;
use crate::tokens::SignInFile;
use attache_salesforce::{RefreshToken, Revoked};
use clap::Args;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Whose sign-in, and which store to look at.
#[derive(Args)]
pub struct Arguments {
    /// The file in which `attache login` keeps the sign-in.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Say what waits to be sent in this store. Nothing in it is touched.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Delete the file only, without a network: the org goes on honouring the token until it ends by itself.
    #[arg(long)]
    local_only: bool,
}

#[derive(Serialize)]
struct Done {
    token_file: String,
    /// The org ended the token, or had before.
    revoked: bool,
    /// Edits that the store holds and the org does not have; null without a store.
    unsent: Option<usize>,
}

/// Ends the sign-in at the org, and deletes the file that keeps it.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let path = &arguments.token_file;
    let kept = read(path)?;
    // A store that cannot be read is told before anything is ended.
    let unsent = arguments.store.as_deref().map(unsent).transpose()?;
    let outcome = match arguments.local_only {
        true => None,
        false => Some(block_on(revoke(&kept))??),
    };
    fs::remove_file(path).map_err(|error| Failure::file("delete the sign-in", path, &error))?;
    let done = Done {
        token_file: path.display().to_string(),
        revoked: outcome.is_some(),
        unsent,
    };
    output.show(&done, || vec![sentence(&done, outcome)])?;
    if let (Some(count @ 1..), Some(store)) = (done.unsent, &arguments.store) {
        let store = store.display();
        output.note(format!(
            "{count} of its edits are not sent: they wait in {store} for the next `attache login`; a copy: attache \
             export {store} OUT"
        ));
    }
    Ok(())
}

fn sentence(done: &Done, outcome: Option<Revoked>) -> String {
    let file = &done.token_file;
    match outcome {
        None => format!("deleted {file}; the org was not told"),
        Some(Revoked::Before) => format!("deleted {file}; the org had ended the sign-in already"),
        Some(_) => format!("signed out; {file} is deleted"),
    }
}

fn read(path: &Path) -> Result<SignInFile> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::file("read the token file", path, &error))?;
    SignInFile::parse(&text).ok_or_else(|| {
        Failure::usage(format!("{} holds no sign-in", path.display()))
            .hint("name the file that `attache login` wrote; another is not deleted")
    })
}

fn unsent(path: &Path) -> Result<usize> {
    Ok(store::open(path)?.pending()?.len())
}

async fn revoke(kept: &SignInFile) -> Result<Revoked> {
    let tokens = RefreshToken::new(&kept.url, &kept.client_id, &kept.refresh_token)?;
    tokens.revoke().await.map_err(|error| {
        Failure::from(error)
            .hint("the sign-in is kept: try again, or --local-only to delete the file alone")
    })
}
