//! Unsent work as a file, and stores that are looked at, saved or destroyed.

use crate::error::Result;
use crate::options::{Key, engine_options};
use crate::outcome::{Conflict, Mutation};
use crate::store::Attache;
use crate::tell::{Tell, counts, mirror};
use std::collections::HashMap;

mirror! {
    /// What an import came to.
    Imported of told: attache::Imported {
        /// Mutations that were taken in.
        mutations: u64,
        /// Mutations that were here already.
        already_there: u64,
        /// Conflicts that came along.
        conflicts: u64,
        /// Records whose deletion gave way to an edit.
        withdrawn: Vec<String>,
        /// Records that wait for the next session to be whole.
        waiting: Vec<String>,
    }
}

mirror! {
    /// What a store's file holds.
    Inspection of told: attache::Inspection {
        /// The format of the file.
        format: i32,
        /// The org that the records are of.
        org_id: Option<String>,
        /// The user whose records these are.
        user_id: Option<String>,
        /// The name of that user at sign-in.
        username: Option<String>,
        /// Records per object.
        records: HashMap<String, u64> = counts(&told.records),
        /// What was not sent.
        unsent: Vec<Mutation> = told.unsent.iter().map(Mutation::from).collect(),
        /// Open conflicts.
        conflicts: Vec<Conflict> = told.conflicts.iter().map(Conflict::from).collect(),
        /// What cannot be read, in sentences; empty for a whole file.
        damage: Vec<String>,
    }
}

/// What `wipe` does with work that was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Unsent {
    /// Keep the store, and fail.
    Refuse,
    /// Destroy it with the rest.
    Discard,
}

/// Reads what a store's file holds, without opening it for writing.
#[uniffi::export(default(key = None))]
pub fn inspect(path: String, key: Option<Key>) -> Result<Inspection> {
    Ok(attache::inspect_with(path, engine_options(key, None)?)?.tell())
}

/// Saves unsent work out of a file that no longer opens, as far as its pages are whole; into a sealed file with a
/// passphrase.
#[uniffi::export(default(key = None, passphrase = None))]
pub fn salvage(path: String, key: Option<Key>, passphrase: Option<String>) -> Result<Vec<u8>> {
    let options = engine_options(key, None)?;
    Ok(attache::salvage_with(path, options, passphrase.as_deref())?)
}

#[uniffi::export]
impl Attache {
    /// Copies everything that was not sent into one file, sealed with a passphrase if one is given.
    #[uniffi::method(default(passphrase = None))]
    pub fn export_unsent(&self, passphrase: Option<String>) -> Result<Vec<u8>> {
        Ok(self.engine()?.export_unsent(passphrase.as_deref())?)
    }

    /// Takes in a file of unsent work: all of it, or nothing.
    #[uniffi::method(default(passphrase = None))]
    pub fn import_unsent(&self, file: Vec<u8>, passphrase: Option<String>) -> Result<Imported> {
        Ok(self
            .engine()?
            .import_unsent(&file, passphrase.as_deref())?
            .tell())
    }

    /// Destroys the store: its records, its journal, its files. Later calls fail with `Closed`.
    pub fn wipe(&self, unsent: Unsent) -> Result<()> {
        let unsent = match unsent {
            Unsent::Refuse => attache::Unsent::Refuse,
            Unsent::Discard => attache::Unsent::Discard,
        };
        Ok(self.engine()?.wipe(unsent)?)
    }
}
