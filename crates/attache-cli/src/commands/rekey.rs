//! `attache rekey`: another key for a store.

use crate::error::Result;
use crate::output::Output;
use crate::store;
use clap::{ArgGroup, Args};
use serde::Serialize;
use std::path::PathBuf;

/// Which store, and the key it gets. The key it has is in --key-file.
#[derive(Args)]
#[command(group(ArgGroup::new("key").required(true).args(["new_key_file", "decrypt"])))]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// Encrypt it with the key in this file: 64 hex digits, or a passphrase.
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
    /// Take its encryption away.
    #[arg(long)]
    decrypt: bool,
}

#[derive(Serialize)]
struct Rekeyed {
    store: String,
    encrypted: bool,
}

/// Gives a store another key.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let key = arguments
        .new_key_file
        .as_deref()
        .map(store::read_key)
        .transpose()?;
    let view = Rekeyed {
        store: arguments.store.display().to_string(),
        encrypted: key.is_some(),
    };
    store::open(&arguments.store)?.rekey(key)?;
    output.show(&view, || {
        let what = if view.encrypted {
            "encrypted with its new key"
        } else {
            "not encrypted any more"
        };
        vec![format!("{} is {what}", view.store)]
    })
}
