//! Conflicts: who decides them, and taking a decision back.

use crate::engine::Attache;
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::{Conflict, ConflictId, Mutation, Resolution};
use crate::store::{Durability, Stamp, Writing};
use crate::sync::new_key;
use std::sync::Arc;

/// What a host answers to a conflict: see [`Attache::with_resolver`].
pub(crate) type Resolver = dyn Fn(&Conflict) -> Option<Resolution> + Send + Sync;

impl Attache {
    /// Lets the host decide conflicts that the policies of the briefcase leave.
    ///
    /// A session shows each open conflict to `resolver` before it sends anything, and once
    /// more if it changed meanwhile. The answer settles it as [`resolve`](Attache::resolve)
    /// does, and [`Report::merged`](crate::Report) tells of it; with `None` it stays open for a person.
    /// So it does if the resolver panics, or gives what cannot be done.
    ///
    /// It runs on the session's thread and outside of any transaction, so that neither readers
    /// nor a person's edit wait for it. For every device to come to the same end it must depend on
    /// the conflict alone.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// use attache::{Attache, Keep, Resolution};
    ///
    /// let attache = Attache::open("acme-jo.db")?.with_resolver(|conflict| {
    ///     // The larger amount stands; a person decides everything else.
    ///     let [field] = conflict.fields.as_slice() else { return None };
    ///     let (attache::Value::Number(mine), attache::Value::Number(theirs)) = (&field.local, &field.remote) else {
    ///         return None;
    ///     };
    ///     let keep = if mine > theirs { Keep::Mine } else { Keep::Theirs };
    ///     (field.name == "Amount").then(|| Resolution::per_field([("Amount", keep)]))
    /// });
    /// # let _ = attache;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_resolver(
        mut self,
        resolver: impl Fn(&Conflict) -> Option<Resolution> + Send + Sync + 'static,
    ) -> Attache {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Open conflicts, oldest first.
    pub fn conflicts(&self) -> Result<Vec<Conflict>> {
        self.store.read(|r| r.conflicts())
    }

    /// Settles a conflict.
    ///
    /// With [`Keep::Later`](crate::Keep) for some of its fields it stays open for those.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is not open, or not every field is
    /// decided; [`ErrorKind::InvalidRecord`] if a new value breaks a rule. Nothing was changed then.
    pub fn resolve(&self, id: ConflictId, resolution: Resolution) -> Result<()> {
        self.decide(|w, stamp| w.resolve(id, &resolution, stamp, || new_key(&*self.env)))
    }

    /// Settles all open conflicts, or those of one object, the same way: all of them, or none. Gives which.
    ///
    /// They are one changeset, so that one [`undo`](Attache::undo) takes them back together.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for [`Resolution::PerField`], which suits one conflict only;
    /// [`ErrorKind::UnknownObject`]. Nothing was changed then.
    pub fn resolve_all(
        &self,
        object: Option<&str>,
        resolution: &Resolution,
    ) -> Result<Vec<ConflictId>> {
        if matches!(resolution, Resolution::PerField(_)) {
            return Err(Error::invalid(
                "field by field is for one conflict: all are settled with Mine or Theirs",
            ));
        }
        self.decide(|w, stamp| {
            if let Some(name) = object.filter(|name| w.catalogue().table(name).is_none()) {
                return Err(Error::new(
                    ErrorKind::UnknownObject,
                    format!("the briefcase does not carry the object {name}"),
                ));
            }
            let mut settled = Vec::new();
            for conflict in w.reading().conflicts()? {
                if object.is_none_or(|name| name.eq_ignore_ascii_case(&conflict.object)) {
                    w.resolve(conflict.id, resolution, stamp, || new_key(&*self.env))?;
                    settled.push(conflict.id);
                }
            }
            Ok(settled)
        })
    }

    /// Opens a conflict again that was settled, with its base, local and remote. Gives the mutations that this takes back.
    ///
    /// That is possible until something of its record is sent, and to the end of the next
    /// session at the latest if nothing was left to send. Edits made since stay on top; if the
    /// server changed the record since, the conflict is about that as well.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it was not settled, or is past that. Nothing was changed then.
    pub fn reopen(&self, id: ConflictId) -> Result<Vec<Mutation>> {
        self.store.write(Durability::Durable, |w| w.reopen(id))
    }

    fn decide<T>(&self, work: impl FnOnce(&Writing<'_>, Stamp) -> Result<T>) -> Result<T> {
        let now = self.env.now();
        self.store.write(Durability::Durable, |w| {
            let changeset = w.reading().next_changeset()?;
            work(w, Stamp { changeset, now })
        })
    }
}
