//! What goes to the remote for a store: a session, or a part of one.

use crate::engine::{Attache, Busy, CancelToken};
use crate::error::Result;
use crate::outcome::Progress;
use crate::sync::{Patient, Run, Settings};

/// The store's one place for a session, taken, with all that a session needs.
pub(crate) struct Errand<'a> {
    attache: &'a Attache,
    remote: Patient,
    cancel: CancelToken,
    progress: Box<dyn FnMut(Progress) + Send>,
    _place: Busy,
}

impl Attache {
    /// Takes the place of the session for a part of one, which nobody watches or stops.
    pub(crate) fn errand(&self) -> Result<Errand<'_>> {
        self.watched_errand(CancelToken::new(), Box::new(|_| {}))
    }

    /// Takes the place of the session.
    pub(crate) fn watched_errand(
        &self,
        cancel: CancelToken,
        progress: Box<dyn FnMut(Progress) + Send>,
    ) -> Result<Errand<'_>> {
        Ok(Errand {
            attache: self,
            _place: self.begin()?,
            remote: self.patient(&cancel)?,
            cancel,
            progress,
        })
    }
}

impl Errand<'_> {
    pub(crate) fn run(&mut self) -> Run<'_> {
        Run::new(
            &self.attache.store,
            &self.remote,
            &*self.attache.env,
            &self.cancel,
            &mut *self.progress,
            Settings::default(),
        )
        .with_resolver(self.attache.resolver.as_deref())
    }
}
