//! What the engine tells a host: reports, progress, pending work, conflicts.
//!
//! What is told serializes with the names of its fields, for hosts that want JSON; see
//! `json::outcome` for what is written in another way.

use crate::budget::Stopped;
use crate::env::LocalTime;
use crate::error::Problem;
use crate::record::{Fields, RecordId, ServerTime, Value};
use crate::schema::FieldType;
use serde::Serialize;
use std::collections::BTreeMap;

/// A place in the journal. Later mutations have greater numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct JournalSeq(pub i64);

/// What a mutation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MutationKind {
    /// Makes a record.
    Create,
    /// Changes fields of a record.
    Update,
    /// Deletes a record.
    Delete,
}

/// Where a mutation stands between this device and the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MutationState {
    /// Waits for the next session.
    Pending,
    /// Is on the wire; its intent is durable.
    Sending,
    /// Was sent and not answered: the next session finds out what became of it.
    ///
    /// With problems, that was tried: a create may or may not be one of the records that they
    /// name. It waits for a person: [`retry`](crate::Attache::retry) sends it once more,
    /// [`discard`](crate::Attache::discard) lets it go.
    InDoubt(Vec<Problem>),
    /// The server refused it. It waits for a person: edit the record, retry or discard.
    Rejected(Vec<Problem>),
    /// The server has another value for a field it changes: see [`Conflict`].
    Conflicted,
}

/// One local create, update or delete that the server has not confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// Its place in the journal.
    pub seq: JournalSeq,
    /// Mutations made in one transaction share this number.
    pub changeset: i64,
    /// The record.
    pub record: RecordId,
    /// The record's object.
    pub object: String,
    /// What it does.
    pub kind: MutationKind,
    /// The fields it sets; empty for a delete.
    pub fields: Fields,
    /// Where it stands.
    pub state: MutationState,
    /// When it was made, by this device's clock.
    pub made_at: LocalTime,
}

/// Names a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ConflictId(pub i64);

/// What the two sides disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Both changed a field, to different values.
    Fields,
    /// Edited here, deleted at the server (or moved out of this user's sight).
    DeletedAtRemote,
    /// Deleted here, edited at the server, where the briefcase wants to be asked about that.
    DeletedHere,
}

/// One field in a conflict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConflictField {
    /// API name.
    pub name: String,
    /// What a person sees.
    pub label: String,
    /// Type. It is not part of the JSON form.
    #[serde(skip)]
    pub field_type: FieldType,
    /// What both sides last agreed on.
    pub base: Value,
    /// What this device has; null if the record is deleted here.
    pub local: Value,
    /// What the server has; null if the record is gone there.
    pub remote: Value,
}

/// A record that both sides changed in a way no rule can settle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// Its name; it stays the same while the conflict is open.
    pub id: ConflictId,
    /// The record.
    pub record: RecordId,
    /// The record's object.
    pub object: String,
    /// What the record is called, if its object has a name field.
    pub title: Option<String>,
    /// What it is about.
    pub kind: ConflictKind,
    /// The fields in dispute. For a deletion: the fields that the other side edited.
    pub fields: Vec<ConflictField>,
    /// Who changed the record at the server last: a name, else a user's id.
    pub changed_by: Option<String>,
    /// When.
    #[serde(serialize_with = "crate::json::instant")]
    pub changed_at: Option<ServerTime>,
}

/// What to keep of one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Keep {
    /// This device's value.
    Mine,
    /// The server's value.
    Theirs,
    /// Another value.
    Value(Value),
    /// Nothing yet: the field stays in conflict, and the record is not sent until it is decided.
    Later,
}

/// How a person settles a conflict.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// This device's values; a record deleted at the server is created again, and one deleted here is deleted there.
    Mine,
    /// The server's values; the edits of these fields are dropped, and a record deleted here comes back.
    Theirs,
    /// Field by field. Every field of the conflict must be named.
    PerField(BTreeMap<String, Keep>),
}

impl Resolution {
    /// Settles field by field.
    pub fn per_field<K: Into<String>>(fields: impl IntoIterator<Item = (K, Keep)>) -> Resolution {
        Resolution::PerField(
            fields
                .into_iter()
                .map(|(name, keep)| (name.into(), keep))
                .collect(),
        )
    }
}

/// The step of a session that is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading who and what the org is.
    Prepare,
    /// Reading records.
    Pull,
    /// Sending edits.
    Push,
    /// Reading back what was sent.
    ReadBack,
    /// Sending the bytes of files that were attached here, then fetching those that the briefcase wants.
    Files,
}

/// How far a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub phase: Phase,
    /// The object at work; empty where there is none.
    pub object: String,
    /// Records done in this step for this object; bytes in [`Phase::Files`].
    pub done: u64,
    /// Records, or bytes, in all, where the server has told.
    pub total: Option<u64>,
}

/// A record whose two sides were joined without asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// The record.
    pub record: RecordId,
    /// Its object.
    pub object: String,
    /// The fields the server had changed, which this device took.
    pub taken: Vec<String>,
    /// The fields edited here, which stay on top.
    pub kept: Vec<String>,
    /// A deletion made here gave way to an edit made at the server.
    pub delete_withdrawn: bool,
}

/// A record whose deletion the server had refused, and which it no longer shows to this user.
///
/// It may be deleted by now, or out of sight; nobody here can tell, or do anything about it. The
/// deletion has left the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The record.
    pub record: RecordId,
    /// Its object.
    pub object: String,
    /// Why the server had refused.
    pub problems: Vec<Problem>,
}

/// A record whose mutations the server refused. They wait for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The record.
    pub record: RecordId,
    /// Its object.
    pub object: String,
    /// The mutations that were sent together.
    pub mutations: Vec<JournalSeq>,
    /// The server's reasons.
    pub problems: Vec<Problem>,
}

/// What was done since the last report, and what is left. What is not counted as settled is counted under a name of
/// its own.
///
/// A session that fails gives no report: what it did is told by the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Records that are new on this device.
    pub inserted: u64,
    /// Records that were brought up to date.
    pub updated: u64,
    /// Records that left the briefcase.
    pub evicted: u64,
    /// Records that the server says were deleted.
    pub deleted: u64,
    /// Records that the server no longer shows to this user: deleted since, given away, or no longer shared.
    pub out_of_sight: u64,
    /// Records created at the server.
    pub pushed_creates: u64,
    /// Records changed at the server.
    pub pushed_updates: u64,
    /// Records deleted at the server by this device.
    pub pushed_deletes: u64,
    /// Records of both sides that were joined without asking.
    pub merged: Vec<Merged>,
    /// Deletions that the server had refused, and that have nothing left to delete.
    pub dropped: Vec<Dropped>,
    /// What the server refused, in this session or before, and nobody has dealt with.
    pub rejected: Vec<Rejected>,
    /// Open conflicts, of this and earlier sessions.
    pub conflicts: u64,
    /// Mutations that wait for another one that is rejected, in conflict or in doubt.
    pub blocked: u64,
    /// Mutations without an answer.
    pub in_doubt: u64,
    /// Of those in doubt, the creates that wait for a person: see [`MutationState::InDoubt`].
    pub undecided: u64,
    /// Mutations that are to be sent by the next session.
    pub pending: u64,
    /// Rules whose limit cut something off.
    pub truncated: Vec<Truncated>,
    /// Pinned records that the server no longer has, or no longer shows to this user, with their objects: their
    /// pins ended.
    pub unpinned: Vec<(RecordId, String)>,
    /// Rules that the org can no longer follow as they are.
    pub unfollowed: Vec<Unfollowed>,
    /// Why the session ended before it was through; `None` if it was through.
    pub stopped: Option<Stopped>,
    /// What became of the files of records.
    pub files: FilesReport,
    /// Calls to the remote.
    pub api_calls: u64,
}

/// What a session did about the bytes of files. Files that were sent count as created records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FilesReport {
    /// Files whose bytes came.
    pub fetched: u64,
    /// Bytes that came, those of files that are not whole yet included.
    pub fetched_bytes: u64,
    /// Files that the briefcase wants and for which the session, the store or the disk had no room.
    pub left: u64,
    /// Files, of this and earlier sessions, whose bytes are not what the server tells of them: nothing of those is
    /// kept. See [`FileInfo::problem`](crate::FileInfo).
    pub unfit: u64,
}

impl Report {
    /// Says whether nothing is left to send, read, ask or decide.
    pub fn is_settled(&self) -> bool {
        self.stopped.is_none()
            && self.rejected.is_empty()
            && self.conflicts == 0
            && self.blocked == 0
            && self.in_doubt == 0
            && self.pending == 0
    }
}

/// A rule whose limit left records out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truncated {
    /// The rule's name.
    pub rule: String,
    /// Its limit.
    pub limit: u32,
    /// How many records the rule matches.
    pub matches: u64,
}

/// A rule that was followed and cannot be any more, because the org changed under it, or an optional one that names
/// what the org never had.
///
/// While a field that it names is gone, its records stay on the device and are kept up to date, and new ones do not
/// come. While its object is gone, its records are too, but for those with unsent edits. It is followed again as soon
/// as it can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unfollowed {
    /// The rule's name; `layouts of Account` where those of an object could not be had.
    pub rule: String,
    /// What is in its way.
    pub reason: String,
}

/// What the store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Whose records these are; `None` before the first session.
    pub username: Option<String>,
    /// Records per object, in order of the objects' names.
    #[serde(serialize_with = "crate::json::counts")]
    pub records: Vec<(String, u64)>,
    /// Mutations waiting to be sent.
    pub pending: u64,
    /// Mutations without an answer.
    pub in_doubt: u64,
    /// Mutations that the server refused.
    pub rejected: u64,
    /// Open conflicts.
    pub conflicts: u64,
    /// When a session last finished, by this device's clock.
    pub last_sync: Option<LocalTime>,
    /// Size of the store's file.
    pub store_bytes: u64,
}
