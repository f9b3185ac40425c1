//! Takes a store off a device.

use crate::engine::Attache;
use crate::error::{Error, ErrorKind, Result};
use crate::store::State;

/// What [`Attache::wipe`] does with work that was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// Keep the store, and fail.
    Refuse,
    /// Destroy it with the rest.
    Discard,
}

impl Attache {
    /// Destroys the store: its records, its journal, its files.
    ///
    /// The file and its log are overwritten with zeros, and deleted. So nothing
    /// of them can be read from the places where they stood. It cannot be
    /// promised for a medium that writes elsewhere than it was told: flash memory
    /// with wear levelling, file systems that copy on write, snapshots and
    /// backups. There only a store that was encrypted all along is safe.
    ///
    /// Every other clone of this handle fails with [`ErrorKind::Closed`] from then on.
    ///
    /// # Errors
    /// [`ErrorKind::UnsentWork`] if something was not sent and `unsent` does not
    /// say to discard it: see [`export_unsent`](Attache::export_unsent).
    /// [`ErrorKind::StorageBusy`] while a session runs, or if the file is also open
    /// elsewhere. The store is as it was then.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// use attache::{Attache, ErrorKind, Unsent};
    ///
    /// let attache = Attache::open("acme-jo.db")?;
    /// match attache.clone().wipe(Unsent::Refuse) {
    ///     Err(error) if error.kind() == ErrorKind::UnsentWork => println!("sync first: {error}"),
    ///     other => other?,
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn wipe(self, unsent: Unsent) -> Result<()> {
        let _alone = self.begin()?;
        self.store.wipe(|reading| {
            if unsent == Unsent::Discard || planted!(WipesUnsent) {
                return Ok(());
            }
            let entries = reading.entries()?;
            if entries.is_empty() {
                return Ok(());
            }
            let count = |states: &[State]| {
                let of = |entry: &&crate::store::Entry| states.contains(&entry.state);
                entries.iter().filter(of).count()
            };
            Err(Error::new(
                ErrorKind::UnsentWork,
                format!(
                    "{} edits were not sent ({} pending, {} in doubt, {} rejected, {} in conflict): sync or export them, or discard them explicitly",
                    entries.len(),
                    count(&[State::Pending]),
                    count(&[State::Sending, State::InDoubt]),
                    count(&[State::Rejected]),
                    count(&[State::Conflicted]),
                ),
            ))
        })
    }
}
