//! What holds a record on this device: rules, pins, views, edits.

use crate::engine::Attache;
use crate::env::LocalTime;
use crate::error::Result;
use crate::record::{RecordId, not_found};
use crate::store::{Durability, Hold};
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A record that is kept whatever the rules say: see [`Attache::pin`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pin {
    /// The record.
    pub record: RecordId,
    /// Its object; `None` if the briefcase names none with such ids, so that the record cannot be fetched.
    pub object: Option<String>,
    /// When it was pinned, by this device's clock.
    pub pinned_at: LocalTime,
    /// It is on this device. If not, the next session fetches it.
    pub here: bool,
}

/// A record that somebody looked at: see [`Attache::viewed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recent {
    /// The record.
    pub record: RecordId,
    /// Its object.
    pub object: String,
    /// When somebody looked at it last, by this device's clock.
    pub viewed_at: LocalTime,
    /// The size of its values when it was looked at.
    pub bytes: u64,
}

/// One reason why a record is on this device: see [`Attache::why`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// A rule of the briefcase, by its name.
    Rule(String),
    /// It is pinned, since this time of the device's clock.
    Pinned(LocalTime),
    /// Somebody looked at it, last at this time of the device's clock.
    Viewed(LocalTime),
    /// It has unsent edits.
    Edited,
    /// A record with unsent edits points at it.
    PointedAt {
        /// The record with the edits.
        by: RecordId,
        /// Its lookup.
        field: String,
    },
}

/// What a rule holds on this device: see [`Attache::membership`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuleMembership {
    /// The rule's name.
    pub rule: String,
    /// The object of its records.
    pub object: String,
    /// Records of this device that it holds.
    pub records: u64,
    /// About how many bytes their values have.
    pub bytes: u64,
    /// How many records it matches at the server, if that is more than its limit lets in.
    pub cut_from: Option<u64>,
    /// All that it matches was read. If not, the next session goes on.
    pub loaded: bool,
    /// When all that it matches was last looked at, by this device's clock.
    pub swept_at: Option<LocalTime>,
}

impl Attache {
    /// Keeps a record on this device whatever the rules say.
    ///
    /// A record that is not here is fetched by the next session. It is kept up
    /// to date like any other, over changes of the briefcase as well, until
    /// [`unpin`](Attache::unpin); if the server deletes it, or shows it to this user no
    /// longer, the pin ends and the [`Report`](crate::Report) says so.
    ///
    /// Its object must be one that the briefcase names, among its rules or in
    /// its `objects`; the pin waits until it does.
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`](crate::ErrorKind::RecordNotFound) for a local key of no record.
    pub fn pin(&self, id: &RecordId) -> Result<()> {
        let now = self.env.now();
        self.store.write(Durability::Durable, |w| {
            let current = w.reading().current(id.as_str())?;
            if crate::record::is_local(&current) && w.reading().locate(id)?.is_none() {
                return Err(not_found(id));
            }
            w.pin(&current, now)
        })
    }

    /// Leaves a record to the rules again. If nothing else holds it, the next session evicts it.
    pub fn unpin(&self, id: &RecordId) -> Result<()> {
        self.store.write(Durability::Durable, |w| {
            let current = w.reading().current(id.as_str())?;
            w.unpin(&current)
        })
    }

    /// The pinned records, oldest pin first.
    pub fn pins(&self) -> Result<Vec<Pin>> {
        self.store.read(|r| {
            let pin = |hold: Hold| {
                Ok(Pin {
                    record: r.identity(&hold.record)?,
                    object: hold.table.map(|table| table.object.name.clone()),
                    pinned_at: hold.at,
                    here: hold.here,
                })
            };
            r.pins()?.into_iter().map(pin).collect()
        })
    }

    /// Notes that a person looks at a record, which keeps it here for a while: see [`recents`](Attache::recents).
    ///
    /// To be called whenever a record is shown. It costs next to nothing: views
    /// are collected in memory and written some at a time, at the latest when
    /// the last handle of the store is dropped. A crash forgets the last of them.
    /// A record that is not here is none to look at, and is not noted.
    ///
    /// # Errors
    /// Those of writing the store, in the rare call that does.
    pub fn viewed(&self, id: &RecordId) -> Result<()> {
        self.store.view(id, self.env.now())
    }

    /// The records that people looked at on this device, the last first.
    ///
    /// They are a cache: the newest stay whatever the rules say, up to a number
    /// and a size. What is beyond is forgotten by the next session, and evicted
    /// unless a rule, a pin or an unsent edit holds it.
    pub fn recents(&self) -> Result<Vec<Recent>> {
        self.store.flush_views()?;
        self.store.read(|r| {
            let mut recents = Vec::new();
            for hold in r.recents()?.into_iter().filter(|hold| hold.here) {
                if let Some(table) = &hold.table {
                    recents.push(Recent {
                        record: r.identity(&hold.record)?,
                        object: table.object.name.clone(),
                        viewed_at: hold.at,
                        bytes: hold.bytes,
                    });
                }
            }
            Ok(recents)
        })
    }

    /// Brings records onto this device that the briefcase leaves out: the hits of a search at the org, the target of
    /// a link.
    ///
    /// They stay as [`recents`](Attache::recents), and are up to date: a record that is here already is read
    /// anew. Gives for each id, in their order, the identity of the record or why
    /// it is not here.
    ///
    /// # Errors
    /// Of one id: [`ErrorKind::RecordNotFound`](crate::ErrorKind::RecordNotFound) if the org has no such
    /// record or does not show it to this user, [`ErrorKind::UnknownObject`](crate::ErrorKind::UnknownObject) if
    /// the briefcase names its object neither in a rule nor in its `objects`. Of all:
    /// [`ErrorKind::StorageBusy`](crate::ErrorKind::StorageBusy) while a session runs, and those of
    /// [`prepare`](Attache::prepare).
    ///
    /// # Cost
    /// One call for the identity of the user, and one for each object and 2,000 ids.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn open(attache: attache::Attache, link: &str) -> attache::Result<()> {
    /// let id = attache::RecordId::parse(link)?;
    /// match attache.fetch(&[id]).await?.remove(0) {
    ///     Ok(id) => println!("{:?}", attache.get(&id)?),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn fetch(&self, ids: &[RecordId]) -> Result<Vec<Result<RecordId>>> {
        self.errand()?.run().fetch(ids).await
    }

    /// Says what holds a record on this device; empty for one that is not here, or that the next session evicts.
    ///
    /// The rules are those of the last session: a briefcase that was set since
    /// has not been looked at.
    pub fn why(&self, id: &RecordId) -> Result<Vec<Holder>> {
        self.store.flush_views()?;
        self.store.read(|r| {
            let current = r.current(id.as_str())?;
            let Some(place) = r.locate(id)? else {
                return Ok(Vec::new());
            };
            let bits = r.row(&place.table, &place.id)?.map_or(0, |row| row.rules);
            let mut holders: Vec<Holder> = r
                .rules()?
                .into_iter()
                .filter(|rule| rule.object == place.table.object.name && bits & rule.mask != 0)
                .map(|rule| Holder::Rule(rule.name))
                .collect();
            holders.extend(r.pinned_at(&current)?.map(Holder::Pinned));
            holders.extend(r.viewed_at(&current)?.map(Holder::Viewed));
            if r.edited(&current)? {
                holders.push(Holder::Edited);
            }
            for need in r.needs()? {
                if need.target == current {
                    holders.push(Holder::PointedAt {
                        by: r.identity(&need.record)?,
                        field: need.field,
                    });
                }
            }
            Ok(holders)
        })
    }

    /// What each rule of the briefcase holds on this device, as of the last session.
    ///
    /// # Cost
    /// Goes once through the records of each object.
    pub fn membership(&self) -> Result<Vec<RuleMembership>> {
        self.store.read(|r| {
            let mut known = BTreeMap::new();
            let mut membership = Vec::new();
            for rule in r.rules()? {
                let (shares, bytes) = match known.entry(rule.object.clone()) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(vacant) => {
                        let table = r.catalogue.known(&rule.object)?;
                        let bytes = r.record_bytes(table)?.unwrap_or(0);
                        vacant.insert((r.shares(table)?, bytes))
                    }
                };
                let held = shares.iter().filter(|(rules, _)| rules & rule.mask != 0);
                let records: u64 = held.map(|(_, count)| count).sum();
                membership.push(RuleMembership {
                    rule: rule.name,
                    object: rule.object,
                    records,
                    bytes: records * *bytes,
                    cut_from: rule.cut_from,
                    loaded: rule.loaded,
                    swept_at: rule.swept_at,
                });
            }
            Ok(membership)
        })
    }
}
