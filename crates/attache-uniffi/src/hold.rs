//! What holds a record on this device: rules, pins, views, edits.

use crate::background;
use crate::error::{AttacheError, Result};
use crate::store::{Attache, record_id};
use crate::tell::{Tell, mirror};

mirror! {
    /// A record that is kept whatever the rules say.
    Pin of told: attache::Pin {
        /// The record.
        record: String,
        /// Its object; nothing if the briefcase names none with such ids, so that the record cannot be fetched.
        object: Option<String>,
        /// When it was pinned, by this device's clock, in milliseconds since 1970.
        pinned_at_ms: i64 = told.pinned_at.tell(),
        /// It is on this device. If not, the next session fetches it.
        here: bool,
    }
}

mirror! {
    /// A record that somebody looked at.
    Recent of told: attache::Recent {
        /// The record.
        record: String,
        /// Its object.
        object: String,
        /// When somebody looked at it last, by this device's clock, in milliseconds since 1970.
        viewed_at_ms: i64 = told.viewed_at.tell(),
        /// The size of its values when it was looked at.
        bytes: u64,
    }
}

mirror! {
    /// What a rule holds on this device.
    RuleMembership of told: attache::RuleMembership {
        /// The rule's name.
        rule: String,
        /// The object of its records.
        object: String,
        /// Records of this device that it holds.
        records: u64,
        /// About how many bytes their values have.
        bytes: u64,
        /// How many records it matches at the org, if that is more than its limit lets in.
        cut_from: Option<u64>,
        /// All that it matches was read. If not, the next session goes on.
        loaded: bool,
        /// When all that it matches was last looked at, by this device's clock, in milliseconds since 1970.
        swept_at_ms: Option<i64> = told.swept_at.tell(),
    }
}

/// One reason why a record is on this device.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Holder {
    /// A rule of the briefcase.
    Rule {
        /// Its name.
        rule: String,
    },
    /// It is pinned.
    Pinned {
        /// Since when, by this device's clock, in milliseconds since 1970.
        at_ms: i64,
    },
    /// Somebody looked at it.
    Viewed {
        /// When last, by this device's clock, in milliseconds since 1970.
        at_ms: i64,
    },
    /// It has unsent edits.
    Edited,
    /// A record with unsent edits points at it.
    PointedAt {
        /// The record with the edits.
        by: String,
        /// Its lookup.
        field: String,
    },
    /// A reason that is newer than these bindings.
    Other,
}

impl Tell<Holder> for attache::Holder {
    fn tell(&self) -> Holder {
        match self {
            attache::Holder::Rule(rule) => Holder::Rule { rule: rule.clone() },
            attache::Holder::Pinned(at) => Holder::Pinned { at_ms: at.0 },
            attache::Holder::Viewed(at) => Holder::Viewed { at_ms: at.0 },
            attache::Holder::Edited => Holder::Edited,
            attache::Holder::PointedAt { by, field } => Holder::PointedAt {
                by: by.to_string(),
                field: field.clone(),
            },
            _ => Holder::Other,
        }
    }
}

/// What became of one record that was to be fetched: its id on this device, or why not.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Fetched {
    /// The record's id on this device.
    pub record: Option<String>,
    /// Why it is not here.
    pub error: Option<FetchFailure>,
}

/// Why a record was not fetched.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FetchFailure {
    /// What kind of failure it is.
    pub kind: crate::ErrorKind,
    /// One sentence for a person.
    pub reason: String,
}

#[uniffi::export]
impl Attache {
    /// Keeps a record on this device whatever the rules say. One that is not here is fetched by the next session.
    pub fn pin(&self, id: String) -> Result<()> {
        Ok(self.engine()?.pin(&record_id(&id)?)?)
    }

    /// Leaves a record to the rules again. If nothing else holds it, the next session evicts it.
    pub fn unpin(&self, id: String) -> Result<()> {
        Ok(self.engine()?.unpin(&record_id(&id)?)?)
    }

    /// Lists the pinned records, oldest pin first.
    pub fn pins(&self) -> Result<Vec<Pin>> {
        Ok(self.engine()?.pins()?.tell())
    }

    /// Notes that a person looks at a record, which keeps it here for a while.
    pub fn viewed(&self, id: String) -> Result<()> {
        Ok(self.engine()?.viewed(&record_id(&id)?)?)
    }

    /// Lists the records that people looked at on this device, the last first.
    pub fn recents(&self) -> Result<Vec<Recent>> {
        Ok(self.engine()?.recents()?.tell())
    }

    /// Says what holds a record on this device; empty for one that is not here, or that the next session evicts.
    pub fn why(&self, id: String) -> Result<Vec<Holder>> {
        Ok(self.engine()?.why(&record_id(&id)?)?.tell())
    }

    /// Tells what each rule of the briefcase holds on this device, as of the last session.
    pub fn membership(&self) -> Result<Vec<RuleMembership>> {
        Ok(self.engine()?.membership()?.tell())
    }

    /// Brings records onto this device that the briefcase leaves out, one answer for each.
    pub async fn fetch(&self, ids: Vec<String>) -> Result<Vec<Fetched>> {
        let engine = self.engine()?;
        let ids = ids
            .iter()
            .map(|id| record_id(id))
            .collect::<Result<Vec<_>>>()?;
        let told = background::run(move || Ok(futures_lite::future::block_on(engine.fetch(&ids))?))
            .await?;
        Ok(told.into_iter().map(fetched).collect())
    }
}

fn fetched(answer: attache::Result<attache::RecordId>) -> Fetched {
    match answer {
        Ok(id) => Fetched {
            record: Some(id.to_string()),
            error: None,
        },
        Err(error) => {
            let AttacheError::Failed { kind, reason, .. } = error.into();
            Fetched {
                record: None,
                error: Some(FetchFailure { kind, reason }),
            }
        }
    }
}
