//! Sends what was attached here, each file after its record, and looks for those that were never answered.

use super::Run;
use super::doubt::CLOCK_SLACK_SECONDS;
use super::push::{Batch, settle};
use super::soql::{self, Statement};
use super::spend::SMALL_BYTES_MAX;
use crate::engine::CancelToken;
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::Phase;
use crate::plan::{self, Outgoing, Step};
use crate::record::{ServerTime, remote_id};
use crate::remote::{FileBytes, WriteOutcome};
use crate::store::files::{FILE, PARENT};
use crate::store::{Durability, Entry, Settlement, Store};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Bytes that leave between two words about a file that is sent.
const TOLD_BYTES: u64 = 1 << 20;

/// The bytes of a file in the store, and who hears how many of them have left.
struct StoredBytes<'a> {
    store: &'a Store,
    nr: i64,
    total: u64,
    cancel: &'a CancelToken,
    leaving: Mutex<&'a mut (dyn FnMut(u64) + Send)>,
    /// Why they could not be read.
    failed: Mutex<Option<Error>>,
}

impl FileBytes for StoredBytes<'_> {
    fn total(&self) -> u64 {
        self.total
    }

    fn read_at(&self, start: u64, buffer: &mut [u8]) -> Result<usize> {
        let read = self.store.read(|r| r.file_bytes(self.nr, start, buffer));
        let whole = read.and_then(|count| match count {
            0 if start < self.total && !buffer.is_empty() => Err(Error::new(
                ErrorKind::StorageCorrupt,
                "a file ends before its last byte",
            )),
            count => Ok(count),
        });
        whole.map_err(|error| {
            // A transport can only tell that it could not read.
            let message = error.to_string();
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            let told = Error::new(error.kind(), message);
            failed.get_or_insert(error);
            told
        })
    }

    fn leaving(&self, bytes: u64) -> Result<()> {
        self.cancel.check()?;
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        leaving(bytes);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MadeDoc {
    id: String,
    title: Option<String>,
    checksum: Option<String>,
    content_size: Option<u64>,
}

impl Run<'_> {
    pub(super) async fn send_files(&mut self) -> Result<()> {
        if self.store.read(|r| r.queued_files())?.is_empty() {
            return Ok(());
        }
        self.find_files().await?;
        let mut tried = BTreeSet::new();
        let mut done = 0;
        loop {
            self.check_cancelled()?;
            let ready = self.files_ready(&tried)?;
            let total = done + ready.iter().map(|(_, bytes)| bytes).sum::<u64>();
            if done > 0 || total > 0 {
                self.tell(Phase::Files, FILE, done, Some(total));
            }
            let Some((write, bytes)) = ready.into_iter().next() else {
                return Ok(());
            };
            tried.insert(write.record.clone());
            if !self.send_file(write, (done, total)).await? {
                // What follows would meet the same broken line, and be in doubt as well.
                return self.check_cancelled();
            }
            done += bytes;
        }
    }

    /// Files that can be sent, with their bytes: the server has their records. In the order they were attached.
    fn files_ready(&mut self, tried: &BTreeSet<String>) -> Result<Vec<(Outgoing, u64)>> {
        let (entries, files) = self.store.read(|r| Ok((r.entries()?, r.queued_files()?)))?;
        let of_file = |entry: &&Entry| files.contains(&entry.record);
        let steps: Vec<Step> = entries.iter().filter(of_file).map(Entry::step).collect();
        let mut ready = plan::outgoing(&steps, |_, _| false).ready;
        ready.retain(|write| !tried.contains(&write.record));
        ready.sort_by_key(|write| write.seqs.first().copied());
        let mut sized = Vec::with_capacity(ready.len());
        for write in ready {
            let file = self.store.read(|r| r.file(&write.record))?;
            let bytes = file.map_or(0, |file| file.bytes);
            if !self.is_spared(bytes > SMALL_BYTES_MAX) {
                sized.push((write, bytes));
            }
        }
        Ok(sized)
    }

    /// Sends a file, and says whether an answer came. `progress` are the bytes of those before it, and of all.
    async fn send_file(&mut self, write: Outgoing, (before, all): (u64, u64)) -> Result<bool> {
        let (mut batch, writes) = self.intend(vec![write])?;
        let (Some(write), Some(sent)) = (batch.pop(), writes.first()) else {
            return Ok(true);
        };
        let file = self.store.read(|r| r.file(&write.record))?;
        let file = file.ok_or_else(|| Error::internal("a file in the journal has no bytes"))?;
        let (store, remote, cancel) = (self.store, self.remote, self.cancel);
        let mut told = 0;
        let mut leaving = |bytes: u64| {
            if bytes >= told + TOLD_BYTES {
                told = bytes;
                self.tell(Phase::Files, FILE, before + bytes, Some(all));
            }
        };
        let bytes = StoredBytes {
            store,
            nr: file.nr,
            total: file.bytes,
            cancel,
            leaving: Mutex::new(&mut leaving),
            failed: Mutex::default(),
        };
        let outcome = remote.push_file(sent, &bytes).await;
        let failed = bytes.failed.into_inner();
        let failed = failed.unwrap_or_else(PoisonError::into_inner);
        let now = self.env.now();
        match outcome {
            Ok(outcome) => {
                settle(self.store, &write, &outcome, now, &mut Batch::default())?;
                Ok(outcome != WriteOutcome::Unknown)
            }
            Err(error) => {
                self.store.write(Durability::Durable, |w| {
                    w.settle(&write, &Settlement::NotDone, now)
                })?;
                // One that was stopped looks like a file that cannot be read.
                self.check_cancelled()?;
                Err(failed.unwrap_or(error))
            }
        }
    }

    /// Looks for files that were sent and not answered, before any is sent again.
    async fn find_files(&mut self) -> Result<()> {
        let (entries, files) = self.store.read(|r| Ok((r.entries()?, r.queued_files()?)))?;
        let Some(user) = self.store.read(|r| r.setting("user_id"))? else {
            return Ok(());
        };
        for entry in entries
            .iter()
            .filter(|entry| files.contains(&entry.record) && entry.was_sent())
        {
            self.check_cancelled()?;
            let found = self.find_file(entry, &user).await?;
            let over = match (entry.sent_after, self.remote.server_time()) {
                (Some(sent), Some(now)) => now.0 - sent.0 >= self.settings.doubt_seconds,
                _ => false,
            };
            let settlement = match found {
                Some(id) => Settlement::Created(id),
                None if over => Settlement::NotDone,
                // The server may still be at work on it.
                None => Settlement::InDoubt,
            };
            let step = entry.step();
            let plan = plan::outgoing(
                &[Step {
                    state: crate::MutationState::Pending,
                    ..step
                }],
                |_, _| false,
            );
            let now = self.env.now();
            for write in plan.ready {
                self.store
                    .write(Durability::Durable, |w| w.settle(&write, &settlement, now))?;
            }
        }
        Ok(())
    }

    /// Looks for the version that a file became: made by this user, on this record, since it was sent, with its bytes and title.
    async fn find_file(&mut self, entry: &Entry, user: &str) -> Result<Option<String>> {
        let text = |name: &str| entry.fields.get(name).and_then(crate::Value::as_text);
        let file = self.store.read(|r| r.file(&entry.record))?;
        let (Some(parent), Some(file)) = (text(PARENT), file) else {
            return Ok(None);
        };
        let mut conditions = vec![
            format!("{PARENT} = {}", soql::text(parent)),
            format!("CreatedById = {}", soql::text(user)),
        ];
        conditions.extend(entry.sent_after.map(|time| {
            let time = ServerTime(time.0 - CLOCK_SLACK_SECONDS);
            format!("CreatedDate >= {}", time.to_soql())
        }));
        let statement = Statement {
            fields: "Id, Title, Checksum, ContentSize",
            object: FILE,
            scope: None,
            conditions,
            tail: "ORDER BY CreatedDate, Id",
        };
        let mut pages = super::pages::Pages::default();
        while let Some(page) = self.page(&statement.print(), &mut pages).await? {
            for record in &page.records {
                let made: MadeDoc = serde_json::from_str(record.get()).map_err(|_| {
                    Error::new(
                        ErrorKind::NotARemote,
                        "the server answered with a file that cannot be read",
                    )
                })?;
                let same = made.title.as_deref() == text("Title")
                    && made.content_size == Some(file.bytes)
                    && same_sum(made.checksum.as_deref(), file.checksum.as_deref());
                if let Some(id) = remote_id(&made.id).filter(|_| same)
                    && !self.store.read(|r| r.is_known_version(&id))?
                {
                    return Ok(Some(id));
                }
            }
        }
        Ok(None)
    }
}

/// A server that tells no checksum leaves size and title to tell by.
fn same_sum(theirs: Option<&str>, ours: Option<&str>) -> bool {
    match (theirs, ours) {
        (Some(theirs), Some(ours)) => theirs.eq_ignore_ascii_case(ours),
        _ => true,
    }
}
