//! Copies of unsent work: reads them out of a store, and takes them in.

mod document;
mod import;

pub(crate) use document::{
    Copied, CopiedFile, CopiedKind, CopiedState, Dispute, DisputeKind, Document, HeldRecord,
};

use super::files::PIECE_BYTES;
use super::{Entry, Reading, State, Writing, damaged};
use crate::error::Result;
use crate::journal_states::Event;
use crate::json;
use crate::outcome::MutationKind;
use crate::record::ServerTime;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeSet;

/// The numbers of `attache_conflict.kind`.
pub(super) const KIND_FIELDS: i64 = 0;
pub(super) const KIND_DELETED_AT_REMOTE: i64 = 1;
pub(super) const KIND_IMPORTED: i64 = 2;
pub(super) const KIND_DELETED_HERE: i64 = 3;

impl Reading<'_> {
    /// Everything that was not sent, with what it was made upon.
    pub(crate) fn unsent(&self) -> Result<Document> {
        let entries = self.entries()?;
        let mut document = Document {
            org: self.setting("org_id")?.unwrap_or_default(),
            user: self.setting("user_id")?.unwrap_or_default(),
            username: self.setting("username")?,
            ..Document::default()
        };
        let mut seen = BTreeSet::new();
        for entry in &entries {
            if seen.insert(entry.record.clone()) {
                document.records.push(self.held_record(entry)?);
            }
            document.mutations.push(self.copied(entry)?);
            document.files.extend(self.copied_file(entry)?);
        }
        Ok(document)
    }

    /// The file that a mutation makes, with its bytes.
    pub(super) fn copied_file(&self, entry: &Entry) -> Result<Option<CopiedFile>> {
        let Some(file) = self.file_of(&entry.object, &entry.record)? else {
            return Ok(None);
        };
        let mut body = Vec::new();
        let mut piece = vec![0; PIECE_BYTES];
        while (body.len() as u64) < file.bytes {
            match self.file_bytes(file.nr, body.len() as u64, &mut piece)? {
                0 => return Err(damaged("a file")),
                count => body.extend_from_slice(&piece[..count]),
            }
        }
        Ok(Some(CopiedFile {
            record: file.key,
            title: file.title,
            extension: file.extension,
            body: STANDARD.encode(body),
        }))
    }

    fn held_record(&self, entry: &Entry) -> Result<HeldRecord> {
        let id = entry.record.clone();
        let identity = self.identity(&id)?.as_str().to_owned();
        let mut statement = self
            .connection
            .prepare_cached("SELECT key FROM attache_alias WHERE current = ?1 ORDER BY key")?;
        let aliases: rusqlite::Result<Vec<String>> =
            statement.query_map([&id], |row| row.get(0))?.collect();
        Ok(HeldRecord {
            object: entry.object.clone(),
            identity: (identity != id).then_some(identity),
            aliases: aliases?,
            base: self.base(&id)?.map(|base| base.fields),
            conflict: self.dispute(&id)?,
            id,
        })
    }

    fn copied(&self, entry: &Entry) -> Result<Copied> {
        // A pending create was not sent yet, so the last server time known bounds it.
        let sent_after = match (entry.kind, entry.sent_after) {
            (MutationKind::Create, None) => self.low(&entry.object)?,
            (_, sent_after) => sent_after,
        };
        Ok(copied(entry, self.uid(entry)?, sent_after))
    }

    /// What names a mutation on every device.
    ///
    /// The time is part of it because a store may be copied, and both copies
    /// then give the same numbers to different edits.
    fn uid(&self, entry: &Entry) -> Result<String> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT uid FROM attache_copy WHERE seq = ?1")?;
        let known: Option<String> = statement
            .query_row([entry.seq], |row| row.get(0))
            .optional()?;
        Ok(match known {
            Some(uid) => uid,
            None => format!(
                "{}-{}-{}",
                self.setting("store_id")?.unwrap_or_default(),
                entry.seq,
                entry.made_at.0
            ),
        })
    }

    /// What can still be read of an edited record in a damaged file.
    pub(super) fn held_as_far_as_read(&self, entry: &Entry) -> HeldRecord {
        self.held_record(entry).unwrap_or_else(|_| HeldRecord {
            id: entry.record.clone(),
            object: entry.object.clone(),
            base: self
                .base(&entry.record)
                .ok()
                .flatten()
                .map(|base| base.fields),
            ..HeldRecord::default()
        })
    }

    /// A mutation of a damaged file, under a name made of what never changes in it.
    pub(super) fn copied_as_far_as_read(&self, entry: &Entry) -> Copied {
        let low = || self.low(&entry.object).ok().flatten();
        let store = self.setting("store_id").ok().flatten();
        let known = self.uid(entry).ok().filter(|_| store.is_some());
        let uid = known.unwrap_or_else(|| {
            let made = entry.client_key.as_deref().unwrap_or(&entry.record);
            format!("{made}-{}-{}", entry.seq, entry.made_at.0)
        });
        let sent_after = entry.sent_after.or_else(low);
        copied(entry, uid, sent_after)
    }

    pub(super) fn dispute(&self, record: &str) -> Result<Option<Dispute>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT kind, base, remote FROM attache_conflict WHERE record = ?1")?;
        let found: Option<(i64, String, String)> = statement
            .query_row([record], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((kind, base, remote)) = found else {
            return Ok(None);
        };
        Ok(Some(Dispute {
            kind: match kind {
                KIND_FIELDS | KIND_DELETED_HERE => DisputeKind::Fields,
                KIND_IMPORTED => DisputeKind::Imported,
                _ => DisputeKind::DeletedAtRemote,
            },
            base: json::load_fields(&base)?,
            remote: json::load_fields(&remote)?,
        }))
    }

    /// Says whether a record waits for a decision about imported work.
    pub(super) fn is_disputed_by_import(&self, record: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM attache_conflict WHERE record = ?1 AND kind = ?2")?
            .exists(params![record, KIND_IMPORTED])?)
    }

    /// Says whether a mutation is or was here, or has left from here.
    fn knows_copy(&self, uid: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM attache_copy WHERE uid = ?1")?
            .exists([uid])?)
    }
}

impl Writing<'_> {
    /// Reads out everything that was not sent, and remembers that it has left.
    pub(crate) fn copy_out(&self) -> Result<Document> {
        let reading = self.reading();
        let mut document = reading.unsent()?;
        let left = |changeset: &i64| {
            let mut copies = document.mutations.iter();
            copies.any(|copy| copy.changeset == *changeset)
        };
        document.together = reading.together()?.into_iter().filter(left).collect();
        for (entry, copy) in reading.entries()?.iter().zip(&document.mutations) {
            self.note_copy(&copy.uid, Some(entry.seq))?;
        }
        Ok(document)
    }

    fn note_copy(&self, uid: &str, seq: Option<i64>) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO attache_copy VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![uid, seq])?;
        Ok(())
    }

    /// Has creates looked for that another device may have sent by now, before they are sent from here, and those
    /// whose first attempt may have arrived since it was looked for: a second one under the same key makes no second
    /// record, but goes over what was written there meanwhile.
    pub(crate) fn doubt_copies(&self) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE attache_mutation SET sent_after = coalesce(sent_after,
                (SELECT low FROM attache_object WHERE name = attache_mutation.object), 0)
             WHERE kind = 1 AND state = 0 AND problems IS NULL
                AND (seq IN (SELECT seq FROM attache_copy) OR instr(client_key, ':')) RETURNING seq",
        )?;
        let seqs: rusqlite::Result<Vec<i64>> = statement.query_map([], |row| row.get(0))?.collect();
        self.advance(&seqs?, Event::Suspect, &[])
    }
}

fn copied(entry: &Entry, uid: String, sent_after: Option<ServerTime>) -> Copied {
    Copied {
        uid,
        changeset: entry.changeset,
        record: entry.record.clone(),
        object: entry.object.clone(),
        kind: match entry.kind {
            MutationKind::Create => CopiedKind::Create,
            MutationKind::Update => CopiedKind::Update,
            MutationKind::Delete => CopiedKind::Delete,
        },
        fields: entry.fields.clone(),
        state: match entry.state {
            State::Pending => CopiedState::Pending,
            State::Sending => CopiedState::Sending,
            State::InDoubt => CopiedState::InDoubt,
            State::Rejected => CopiedState::Rejected,
            State::Conflicted => CopiedState::Conflicted,
        },
        problems: entry
            .problems
            .iter()
            .map(|p| (p.fields.clone(), p.code.clone(), p.message.clone()))
            .collect(),
        duplicates: entry
            .problems
            .iter()
            .enumerate()
            .filter_map(|(at, problem)| Some((at, problem.duplicates.as_deref()?.clone())))
            .collect(),
        client_key: entry.client_key.clone(),
        sent_after: sent_after.map(|time| time.0),
        made_at: entry.made_at.0,
    }
}
