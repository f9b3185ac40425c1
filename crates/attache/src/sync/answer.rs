//! Lets the briefcase and the host answer conflicts, before anything is sent and after anything was read.

use super::{Run, new_key};
use crate::error::{ErrorKind, Result};
use crate::outcome::{Conflict, Resolution};
use crate::plan;
use crate::resolver::Resolver;
use crate::store::{Durability, Stamp};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Run<'_> {
    /// Settles the open conflicts that the briefcase or the host has an answer to.
    pub(super) async fn answer_conflicts(&mut self) -> Result<()> {
        if self.store.read(|r| r.conflict_count())? == 0 {
            return Ok(());
        }
        if self.resolver.is_some() {
            // Whoever changed a record has a name where somebody decides about it.
            self.name_users().await?;
        }
        for conflict in self.store.read(|r| r.conflicts())? {
            self.check_cancelled()?;
            if self.shown.get(&conflict.id) == Some(&conflict) {
                continue;
            }
            let policy = self.store.read(|r| r.merge_policy(&conflict.object))?;
            let answer = plan::answer(conflict.kind, policy.deletion().there)
                .or_else(|| ask(self.resolver?, &conflict));
            if let Some(resolution) = answer {
                self.apply_answer(&conflict, &resolution)?;
            }
            self.shown.insert(conflict.id, conflict);
        }
        Ok(())
    }

    /// Settles a conflict as it was answered. An answer that cannot be followed leaves it open.
    fn apply_answer(&mut self, conflict: &Conflict, resolution: &Resolution) -> Result<()> {
        let now = self.env.now();
        let answered = self.store.write(Durability::Durable, |w| {
            let changeset = w.reading().next_changeset()?;
            let key = || new_key(self.env);
            w.answer(conflict, resolution, Stamp { changeset, now }, key)
        });
        match answered {
            Ok(_) => Ok(()),
            Err(error) if is_nonsense(error.kind()) => {
                tracing::warn!(object = conflict.object, kind = ?error.kind(), "an answer to a conflict cannot be followed");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Asks the host. A resolver that panics has no answer.
fn ask(resolver: &Resolver, conflict: &Conflict) -> Option<Resolution> {
    // What it captured is the host's, and none of ours is in its hands.
    catch_unwind(AssertUnwindSafe(|| resolver(conflict)))
        .inspect_err(|_| tracing::warn!(object = conflict.object, "the resolver panicked"))
        .ok()
        .flatten()
}

/// Says whether an error is about the answer, as opposed to the store.
fn is_nonsense(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidArgument | ErrorKind::InvalidRecord | ErrorKind::UnsentWork
    )
}
