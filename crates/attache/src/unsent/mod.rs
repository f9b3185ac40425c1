//! Unsent work leaves a device in a file, and comes to another one.

mod file;

use crate::engine::Attache;
use crate::error::{Error, ErrorKind, Result};
use crate::record::RecordId;
use crate::store::{Document, Durability};
use serde::Serialize;

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// Mutations that wait in the journal of this device now.
    pub mutations: u64,
    /// Mutations that this device had already, sent or not, or whose values it had.
    pub already_there: u64,
    /// Records that came into conflict: see [`Attache::conflicts`].
    pub conflicts: u64,
    /// Records that one side deleted and the other edited: the edit stands, the deletion does not.
    pub withdrawn: Vec<RecordId>,
    /// Records in conflict or on the wire here. Their edits are still in the file only:
    /// sync or decide, and import it once more.
    pub waiting: Vec<RecordId>,
}

impl Attache {
    /// Copies everything that was not sent into one file: to keep, or for [`import_unsent`](Attache::import_unsent) on another device.
    ///
    /// The file holds the mutations with their fields, what each was made upon,
    /// open conflicts, and whose they are. With a passphrase it is sealed
    /// (XChaCha20-Poly1305 under a key made by Argon2id); without, anybody can read it.
    ///
    /// The work also stays here, and both devices may send it: updates and
    /// deletes are sent under a precondition, and a create of which a copy is
    /// elsewhere is looked for at the server before it is sent. With a
    /// `client_key` in the briefcase it cannot become two records. Without one
    /// it can, if both devices send it within the same minutes, or if more than
    /// half of its values were changed at the server meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::NotReady`] before the first session, when nobody owns the store yet.
    ///
    /// # Cost
    /// The journal in memory, about twice. A passphrase costs 64 MiB and a part of a second.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let broken = attache::Attache::open("acme-jo.db")?;
    /// std::fs::write("jo.unsent", broken.export_unsent(Some("correct horse"))?)?;
    ///
    /// let spare = attache::Attache::open("spare.db")?; // another device of the same user
    /// let imported = spare.import_unsent(&std::fs::read("jo.unsent")?, Some("correct horse"))?;
    /// println!("{} edits, {} conflicts", imported.mutations, imported.conflicts);
    /// # Ok(())
    /// # }
    /// ```
    pub fn export_unsent(&self, passphrase: Option<&str>) -> Result<Vec<u8>> {
        let document = self.store.write(Durability::Durable, |w| w.copy_out())?;
        if document.user.is_empty() {
            return Err(unowned());
        }
        pack(&document, passphrase, |buffer| self.env.random(buffer))
    }

    /// Takes in a file of unsent work: all of it, or nothing.
    ///
    /// Importing twice is harmless: each mutation is known by a name of its own,
    /// also after it was sent. A record that is not on this device comes with
    /// the file. One that was edited here as well is joined field by field, and
    /// what both changed is a [`Conflict`](crate::Conflict) whose remote side is the
    /// imported value.
    ///
    /// # Errors
    /// [`ErrorKind::StorageCorrupt`] for a damaged file or a wrong passphrase,
    /// [`ErrorKind::InvalidArgument`] for a sealed file without one,
    /// [`ErrorKind::StorageTooNew`]; [`ErrorKind::WrongOwner`] for the work of
    /// another user or org; [`ErrorKind::NotReady`] before this store's first
    /// session; [`ErrorKind::UnknownObject`] if the briefcase does not carry an
    /// object of the file. Nothing is changed then.
    pub fn import_unsent(&self, file: &[u8], passphrase: Option<&str>) -> Result<Imported> {
        let bytes = file::unpack(file, passphrase)?;
        let document: Document = serde_json::from_slice(&bytes).map_err(|_| file::damaged())?;
        let _alone = self.begin()?;
        self.store.write(Durability::Durable, |w| {
            let reading = w.reading();
            let (Some(user), Some(org)) = (reading.setting("user_id")?, reading.setting("org_id")?)
            else {
                return Err(unowned());
            };
            if (&user, &org) != (&document.user, &document.org) {
                return Err(Error::new(
                    ErrorKind::WrongOwner,
                    "the file holds the work of another user or of another org than this store",
                ));
            }
            let taken = w.copy_in(&document)?;
            Ok(Imported {
                mutations: taken.mutations,
                already_there: taken.already_there,
                conflicts: taken.conflicts,
                withdrawn: taken.withdrawn,
                waiting: taken.waiting,
            })
        })
    }
}

/// Writes a document of unsent work as a file.
pub(crate) fn pack(
    document: &Document,
    passphrase: Option<&str>,
    random: impl Fn(&mut [u8]),
) -> Result<Vec<u8>> {
    let json = zeroize::Zeroizing::new(
        serde_json::to_vec(document)
            .map_err(|error| Error::internal("unsent work prints as JSON").with_source(error))?,
    );
    file::pack(&json, passphrase, random)
}

fn unowned() -> Error {
    Error::new(
        ErrorKind::NotReady,
        "this store belongs to nobody before its first session: sync it once",
    )
}
