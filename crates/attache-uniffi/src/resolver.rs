//! Conflicts that the application decides.

use crate::error::AttacheError;
use crate::outcome::{Conflict, Resolution};

/// Decides conflicts during a session, on the session's own thread, before anything is sent.
///
/// For every device to come to the same end it must depend on the conflict alone.
#[uniffi::export(rust, foreign)]
pub trait Resolver: Send + Sync {
    /// Decides a conflict; nothing leaves it to a person. So does throwing, and a resolution that cannot be done.
    fn resolve(&self, conflict: Conflict) -> Result<Option<Resolution>, AttacheError>;
}
