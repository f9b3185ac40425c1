//! Looks into a store's file without touching it.

use crate::env::{Env, SystemEnv};
use crate::error::{Error, ErrorKind, Result};
use crate::options::Options;
use crate::outcome::{Conflict, Mutation};
use crate::store::look::Look;
use serde::Serialize;
use std::path::Path;

/// What a store's file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The version of the file's format.
    pub format: i32,
    /// The org; `None` before the first session.
    pub org_id: Option<String>,
    /// The user; `None` before the first session.
    pub user_id: Option<String>,
    /// The user's name at the org.
    pub username: Option<String>,
    /// Records per object, in order of the objects' names.
    #[serde(serialize_with = "crate::json::counts")]
    pub records: Vec<(String, u64)>,
    /// What was not sent, in the order it was made.
    pub unsent: Vec<Mutation>,
    /// Open conflicts, oldest first.
    pub conflicts: Vec<Conflict>,
    /// What is damaged, a sentence each; empty for a sound file. [`salvage`] saves what is left.
    pub damage: Vec<String>,
}

/// Reads what a store's file holds, without opening it for writing.
///
/// Works on a file that another process uses, on a read-only file in a
/// read-only folder, and on a damaged one as far as its pages are whole. It
/// changes no file and leaves none behind.
///
/// # Errors
/// [`ErrorKind::StorageUnavailable`] if the file cannot be read,
/// [`ErrorKind::StorageTooNew`], [`ErrorKind::StorageWrongKey`] if it is encrypted,
/// [`ErrorKind::StorageCorrupt`] if it is not a store
/// or one of the first pages is destroyed, on which it says where its tables are.
///
/// # Cost
/// Reads the whole file once, to find damage. A file that was left with a log
/// beside it is copied to the temporary folder first.
///
/// # Examples
/// ```no_run
/// # fn main() -> attache::Result<()> {
/// let found = attache::inspect("acme-jo.db")?;
/// println!("{} edits of {:?} were not sent", found.unsent.len(), found.username);
/// # Ok(())
/// # }
/// ```
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection> {
    inspect_with(path, Options::new())
}

/// Reads what a store's file holds as [`inspect`] does; an encrypted one with its key.
///
/// # Errors
/// Those of [`inspect`]; [`ErrorKind::StorageWrongKey`].
pub fn inspect_with(path: impl AsRef<Path>, options: Options) -> Result<Inspection> {
    let mut look = Look::open(path.as_ref(), options.key.as_ref())?;
    let mut damage = look.damage();
    let (entries, whole) = look.entries();
    if !whole {
        damage.push("the journal cannot be read in full".into());
    }
    let conflicts = look.conflicts().unwrap_or_else(|_| {
        damage.push("the conflicts cannot be read".into());
        Vec::new()
    });
    let mut records = Vec::new();
    for (object, count) in look.counts() {
        match count {
            Some(count) => records.push((object, count)),
            None => damage.push(format!("the records of {object} cannot be read in full")),
        }
    }
    let owner = |key| look.setting(key).ok().flatten();
    Ok(Inspection {
        format: look.format,
        org_id: owner("org_id"),
        user_id: owner("user_id"),
        username: owner("username"),
        records,
        unsent: entries.iter().map(|entry| look.mutation(entry)).collect(),
        conflicts,
        damage,
    })
}

/// Saves unsent work out of a file that no longer opens, as far as its pages are whole.
///
/// Gives a file for [`import_unsent`](crate::Attache::import_unsent), not sealed. For an edit
/// whose base is lost, the server is asked before it is sent. The store's file
/// is read as [`inspect`] does.
///
/// # Errors
/// Those of [`inspect`]; [`ErrorKind::StorageCorrupt`] if nothing of the journal can be read.
pub fn salvage(path: impl AsRef<Path>) -> Result<Vec<u8>> {
    salvage_with(path, Options::new(), None)
}

/// Saves unsent work as [`salvage`] does, out of an encrypted store with its key; with a passphrase, into a sealed file.
///
/// # Errors
/// Those of [`salvage`]; [`ErrorKind::StorageWrongKey`].
pub fn salvage_with(
    path: impl AsRef<Path>,
    options: Options,
    passphrase: Option<&str>,
) -> Result<Vec<u8>> {
    let mut look = Look::open(path.as_ref(), options.key.as_ref())?;
    let (document, whole) = look.document();
    if document.mutations.is_empty() && !whole {
        return Err(Error::new(
            ErrorKind::StorageCorrupt,
            "nothing of the journal can be read",
        ));
    }
    crate::unsent::pack(&document, passphrase, |buffer| SystemEnv.random(buffer))
}
