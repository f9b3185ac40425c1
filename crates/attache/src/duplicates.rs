//! What a server takes for a duplicate, and saving it all the same.

use crate::engine::Attache;
use crate::error::{Error, Result};
use crate::outcome::JournalSeq;
use crate::store::{Durability, State};
use serde::{Deserialize, Serialize};

/// What a rule of the server found when it refused a write as a duplicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// What the server calls the rule; empty if it did not tell.
    pub rule: String,
    /// The server saves the record all the same if a person wants that: see [`Attache::save_anyway`].
    pub may_save: bool,
    /// The records that it may be, as far as the server told them; at most 50.
    pub candidates: Vec<Candidate>,
}

/// A record of the server that a write may be a duplicate of. It need not be on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The record's server id, 18 characters.
    pub id: String,
    /// The record's object.
    pub object: String,
    /// The fields in which the two agree, by API name; empty if the server did not tell.
    pub fields: Vec<String>,
}

impl Attache {
    /// Has the next session send a write once more that was refused as a duplicate, and save it all the same.
    ///
    /// It is a person's choice about this one write: [`Duplicates::candidates`] of its
    /// [`Problem`](crate::Problem) say which records it may be. Once it was sent, whatever became of it, the choice
    /// is used up. To go along with the server instead, [`discard`](Attache::discard) the create and edit the record
    /// that is there already.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) if the write was not refused as a duplicate, or by a rule that
    /// saves none.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// # let attache = attache::Attache::open("acme-jo.db")?;
    /// use attache::MutationState;
    ///
    /// for mutation in attache.pending()? {
    ///     let MutationState::Rejected(problems) = &mutation.state else { continue };
    ///     let found = problems.iter().find_map(|problem| problem.duplicates.as_ref());
    ///     if found.is_some_and(|found| found.may_save) {
    ///         attache.save_anyway(mutation.seq)?; // after a person was asked
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn save_anyway(&self, seq: JournalSeq) -> Result<()> {
        self.store.write(Durability::Durable, |w| {
            let entry = w.reading().entry(seq)?;
            let mut found = entry
                .problems
                .iter()
                .filter(|problem| problem.code == DUPLICATES_DETECTED)
                .peekable();
            if entry.state != State::Rejected || found.peek().is_none() {
                return Err(Error::invalid(format!(
                    "mutation {} was not refused as a duplicate",
                    seq.0
                )));
            }
            // Of what a rule did not tell, only a try can tell.
            let blocked =
                found.any(|problem| problem.duplicates.as_ref().is_some_and(|it| !it.may_save));
            if blocked {
                return Err(Error::invalid(format!(
                    "mutation {} was refused by a duplicate rule that saves none: change the record, or discard it",
                    seq.0
                )));
            }
            w.retry(seq)?;
            w.allow_duplicates(&[seq.0], true)
        })
    }
}

/// The code of a write that was refused as a duplicate.
pub(crate) const DUPLICATES_DETECTED: &str = "DUPLICATES_DETECTED";
