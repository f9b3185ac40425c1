//! Reports, pending work, conflicts and status.

use crate::error::{Problem, Result};
use crate::form;
use crate::tell::{Tell, mirror};
use crate::value::{self, Value};
use std::collections::HashMap;

/// What a mutation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum MutationKind {
    /// Makes a record.
    Create,
    /// Changes fields of a record.
    Update,
    /// Deletes a record.
    Delete,
}

/// Where a mutation stands between this device and the org.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum MutationState {
    /// Waits for the next session.
    Pending,
    /// Is on the wire; its intent is durable.
    Sending,
    /// Was sent and not answered: the next session finds out what became of it.
    InDoubt {
        /// What stands in the way of finding out. Empty, unless it waits for a person: the records at the org that
        /// it may be, of a create that nothing tells from them. Retry or discard it.
        problems: Vec<Problem>,
    },
    /// The org refused it. It waits for a person: edit the record, retry or discard.
    Rejected {
        /// The org's reasons.
        problems: Vec<Problem>,
    },
    /// The org has another value for a field it changes: see `conflicts`.
    Conflicted,
}

/// One local create, update or delete that the org has not confirmed.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Mutation {
    /// Its place in the journal.
    pub seq: i64,
    /// Mutations made in one transaction share this number.
    pub changeset: i64,
    /// The record's id.
    pub record: String,
    /// The record's object.
    pub object: String,
    /// What it does.
    pub kind: MutationKind,
    /// The fields it sets; empty for a delete.
    pub fields: HashMap<String, Value>,
    /// Where it stands.
    pub state: MutationState,
    /// When it was made, by this device's clock, in milliseconds since 1970.
    pub made_at_ms: i64,
}

impl From<&attache::Mutation> for Mutation {
    fn from(mutation: &attache::Mutation) -> Mutation {
        Mutation {
            seq: mutation.seq.0,
            changeset: mutation.changeset,
            record: mutation.record.to_string(),
            object: mutation.object.clone(),
            kind: match mutation.kind {
                attache::MutationKind::Create => MutationKind::Create,
                attache::MutationKind::Update => MutationKind::Update,
                attache::MutationKind::Delete => MutationKind::Delete,
            },
            fields: value::shown(&mutation.fields),
            state: match &mutation.state {
                attache::MutationState::Pending => MutationState::Pending,
                attache::MutationState::Sending => MutationState::Sending,
                attache::MutationState::InDoubt(problems) => MutationState::InDoubt {
                    problems: problems.iter().map(Problem::from).collect(),
                },
                attache::MutationState::Rejected(problems) => MutationState::Rejected {
                    problems: problems.iter().map(Problem::from).collect(),
                },
                attache::MutationState::Conflicted => MutationState::Conflicted,
            },
            made_at_ms: mutation.made_at.0,
        }
    }
}

/// What the two sides disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ConflictKind {
    /// Both changed a field, to different values.
    Fields,
    /// Edited here, deleted at the org (or moved out of this user's sight).
    DeletedAtRemote,
    /// Deleted here, edited at the org, where the briefcase wants to be asked about that.
    DeletedHere,
}

/// One field in a conflict.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ConflictField {
    /// API name.
    pub name: String,
    /// What a person sees.
    pub label: String,
    /// The name of its type, as a describe has it: `string`, `currency`, ...
    pub field_type: String,
    /// What both sides last agreed on.
    pub base: Value,
    /// What this device has.
    pub local: Value,
    /// What the org has; null if the record is gone there.
    pub remote: Value,
}

/// A record that both sides changed in a way no rule can settle.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Conflict {
    /// Its number; it stays the same while the conflict is open.
    pub id: i64,
    /// The record's id.
    pub record: String,
    /// The record's object.
    pub object: String,
    /// What the record is called, if its object has a name field.
    pub title: Option<String>,
    /// What it is about.
    pub kind: ConflictKind,
    /// The fields in dispute. For a deletion: the fields edited here.
    pub fields: Vec<ConflictField>,
    /// Who changed the record at the org last: a name, else a user's id.
    pub changed_by: Option<String>,
    /// When, in seconds since 1970 by the org's clock.
    pub changed_at: Option<i64>,
}

impl From<&attache::Conflict> for Conflict {
    fn from(conflict: &attache::Conflict) -> Conflict {
        Conflict {
            id: conflict.id.0,
            record: conflict.record.to_string(),
            object: conflict.object.clone(),
            title: conflict.title.clone(),
            kind: match conflict.kind {
                attache::ConflictKind::Fields => ConflictKind::Fields,
                attache::ConflictKind::DeletedAtRemote => ConflictKind::DeletedAtRemote,
                attache::ConflictKind::DeletedHere => ConflictKind::DeletedHere,
            },
            fields: conflict
                .fields
                .iter()
                .map(|field| ConflictField {
                    name: field.name.clone(),
                    label: field.label.clone(),
                    field_type: form::field_type(&field.field_type),
                    base: (&field.base).into(),
                    local: (&field.local).into(),
                    remote: (&field.remote).into(),
                })
                .collect(),
            changed_by: conflict.changed_by.clone(),
            changed_at: conflict.changed_at.map(|time| time.0),
        }
    }
}

/// What to keep of one field.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Keep {
    /// This device's value.
    Mine,
    /// The org's value.
    Theirs,
    /// Another value.
    NewValue {
        /// The value.
        value: Value,
    },
    /// Nothing yet: the field stays in conflict, and the record is not sent until it is decided.
    Later,
}

/// How a person settles a conflict.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Resolution {
    /// This device's values; a record deleted at the org is created again.
    Mine,
    /// The org's values; the edits of these fields are dropped.
    Theirs,
    /// Field by field. Every field of the conflict must be named.
    PerField {
        /// What to keep, by API name.
        fields: HashMap<String, Keep>,
    },
}

/// Reads a resolution that the host gave.
pub(crate) fn read_resolution(resolution: Resolution) -> Result<attache::Resolution> {
    let fields = match resolution {
        Resolution::Mine => return Ok(attache::Resolution::Mine),
        Resolution::Theirs => return Ok(attache::Resolution::Theirs),
        Resolution::PerField { fields } => fields,
    };
    let mut kept = Vec::with_capacity(fields.len());
    let mut new_values = HashMap::new();
    for (name, keep) in fields {
        match keep {
            Keep::Mine => kept.push((name, attache::Keep::Mine)),
            Keep::Theirs => kept.push((name, attache::Keep::Theirs)),
            Keep::Later => kept.push((name, attache::Keep::Later)),
            Keep::NewValue { value } => {
                new_values.insert(name, value);
            }
        }
    }
    kept.extend(
        value::fields(new_values)?
            .into_iter()
            .map(|(name, value)| (name, attache::Keep::Value(value))),
    );
    Ok(attache::Resolution::per_field(kept))
}

/// A record whose two sides were joined without asking.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Merged {
    /// The record's id.
    pub record: String,
    /// Its object.
    pub object: String,
    /// The fields the org had changed, which this device took.
    pub taken: Vec<String>,
    /// The fields edited here, which stay on top.
    pub kept: Vec<String>,
    /// A deletion made here gave way to an edit made at the org.
    pub delete_withdrawn: bool,
}

/// Mutations of one record that the org refused in this session.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Rejected {
    /// The record's id.
    pub record: String,
    /// Its object.
    pub object: String,
    /// The mutations that were sent together.
    pub mutations: Vec<i64>,
    /// The org's reasons.
    pub problems: Vec<Problem>,
}

/// A rule whose limit left records out.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Truncated {
    /// The rule's name.
    pub rule: String,
    /// Its limit.
    pub limit: u32,
    /// How many records the rule matches.
    pub matches: u64,
}

/// A refused deletion that has nothing left to delete.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Dropped {
    /// The record's id.
    pub record: String,
    /// The record's object.
    pub object: String,
    /// Why the org had refused it.
    pub problems: Vec<Problem>,
}

/// A record whose pin ended.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Unpinned {
    /// The record's id.
    pub record: String,
    /// The record's object.
    pub object: String,
}

/// A rule that the org can no longer follow.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Unfollowed {
    /// The rule's name.
    pub rule: String,
    /// Why, in a sentence for a person.
    pub reason: String,
}

/// Why a session ended before it was through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum StopReason {
    /// It made all calls that one session may make.
    SessionBudget,
    /// The sessions of today made all calls that they may make in a day.
    DayBudget,
    /// The org allows no more calls, to this client or to all of them.
    RemoteLimit,
    /// It was metered, and what is left is too large for that.
    Metered,
}

/// A session that ended before it was through. What it did is done, and the next one goes on.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Stopped {
    /// Why.
    pub why: StopReason,
    /// How long it makes no sense to come back, in milliseconds; 0 if the next session may start at once.
    pub retry_after_ms: u64,
}

impl From<attache::Stopped> for Stopped {
    fn from(stopped: attache::Stopped) -> Stopped {
        Stopped {
            why: match stopped.why {
                attache::StopReason::SessionBudget => StopReason::SessionBudget,
                attache::StopReason::DayBudget => StopReason::DayBudget,
                attache::StopReason::RemoteLimit => StopReason::RemoteLimit,
                attache::StopReason::Metered => StopReason::Metered,
            },
            retry_after_ms: stopped.retry_after_ms,
        }
    }
}

mirror! {
    /// What a session did with the bytes of files.
    FilesReport of told: attache::FilesReport {
        /// Files that were fetched.
        fetched: u64,
        /// Bytes of these, and of parts.
        fetched_bytes: u64,
        /// Files that the briefcase wants, and that are left for a later session.
        left: u64,
        /// Files whose bytes were not what the org tells of them.
        unfit: u64,
    }
}

/// What one session did. What is not counted as settled is counted under a name of its own.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Report {
    /// Nothing is left to send, ask or decide.
    pub settled: bool,
    /// Records that are new on this device.
    pub inserted: u64,
    /// Records that were brought up to date.
    pub updated: u64,
    /// Records that left the briefcase.
    pub evicted: u64,
    /// Records that the org says were deleted.
    pub deleted: u64,
    /// Records that the org no longer shows to this user: deleted since, given away, or no longer shared.
    pub out_of_sight: u64,
    /// Records created at the org.
    pub pushed_creates: u64,
    /// Records changed at the org.
    pub pushed_updates: u64,
    /// Records deleted at the org by this device.
    pub pushed_deletes: u64,
    /// Records of both sides that were joined without asking.
    pub merged: Vec<Merged>,
    /// Deletions that the org had refused, and that have nothing left to delete.
    pub dropped: Vec<Dropped>,
    /// What the org refused.
    pub rejected: Vec<Rejected>,
    /// Open conflicts, of this and earlier sessions.
    pub conflicts: u64,
    /// Mutations that wait for another one that is rejected, in conflict or in doubt.
    pub blocked: u64,
    /// Mutations without an answer.
    pub in_doubt: u64,
    /// Of those in doubt, the creates that wait for a person.
    pub undecided: u64,
    /// Mutations that are to be sent by the next session.
    pub pending: u64,
    /// Rules whose limit cut something off.
    pub truncated: Vec<Truncated>,
    /// Pinned records whose pins ended: the org no longer has them, or no longer shows them to this user.
    pub unpinned: Vec<Unpinned>,
    /// Rules that the org can no longer follow as they are.
    pub unfollowed: Vec<Unfollowed>,
    /// Why the session ended before it was through; nothing if it was through.
    pub stopped: Option<Stopped>,
    /// What became of files.
    pub files: FilesReport,
    /// Calls to the org.
    pub api_calls: u64,
}

impl From<&attache::Report> for Report {
    fn from(report: &attache::Report) -> Report {
        Report {
            settled: report.is_settled(),
            inserted: report.inserted,
            updated: report.updated,
            evicted: report.evicted,
            deleted: report.deleted,
            out_of_sight: report.out_of_sight,
            pushed_creates: report.pushed_creates,
            pushed_updates: report.pushed_updates,
            pushed_deletes: report.pushed_deletes,
            merged: report.merged.iter().map(merged).collect(),
            dropped: report.dropped.iter().map(dropped).collect(),
            rejected: report.rejected.iter().map(rejected).collect(),
            conflicts: report.conflicts,
            blocked: report.blocked,
            in_doubt: report.in_doubt,
            undecided: report.undecided,
            pending: report.pending,
            truncated: report
                .truncated
                .iter()
                .map(|cut| Truncated {
                    rule: cut.rule.clone(),
                    limit: cut.limit,
                    matches: cut.matches,
                })
                .collect(),
            unpinned: report
                .unpinned
                .iter()
                .map(|(record, object)| Unpinned {
                    record: record.to_string(),
                    object: object.clone(),
                })
                .collect(),
            unfollowed: report
                .unfollowed
                .iter()
                .map(|rule| Unfollowed {
                    rule: rule.rule.clone(),
                    reason: rule.reason.clone(),
                })
                .collect(),
            stopped: report.stopped.map(Stopped::from),
            files: report.files.tell(),
            api_calls: report.api_calls,
        }
    }
}

fn merged(merged: &attache::Merged) -> Merged {
    Merged {
        record: merged.record.to_string(),
        object: merged.object.clone(),
        taken: merged.taken.clone(),
        kept: merged.kept.clone(),
        delete_withdrawn: merged.delete_withdrawn,
    }
}

fn dropped(dropped: &attache::Dropped) -> Dropped {
    Dropped {
        record: dropped.record.to_string(),
        object: dropped.object.clone(),
        problems: dropped.problems.iter().map(Problem::from).collect(),
    }
}

fn rejected(rejected: &attache::Rejected) -> Rejected {
    Rejected {
        record: rejected.record.to_string(),
        object: rejected.object.clone(),
        mutations: rejected.mutations.iter().map(|seq| seq.0).collect(),
        problems: rejected.problems.iter().map(Problem::from).collect(),
    }
}

/// What the store holds.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Status {
    /// Whose records these are; absent before the first session.
    pub username: Option<String>,
    /// Records per object.
    pub records: HashMap<String, u64>,
    /// Mutations waiting to be sent.
    pub pending: u64,
    /// Mutations without an answer.
    pub in_doubt: u64,
    /// Mutations that the org refused.
    pub rejected: u64,
    /// Open conflicts.
    pub conflicts: u64,
    /// When a session last finished, by this device's clock, in milliseconds since 1970.
    pub last_sync_ms: Option<i64>,
    /// Size of the store's file.
    pub store_bytes: u64,
}

impl From<&attache::Status> for Status {
    fn from(status: &attache::Status) -> Status {
        Status {
            username: status.username.clone(),
            records: status.records.iter().cloned().collect(),
            pending: status.pending,
            in_doubt: status.in_doubt,
            rejected: status.rejected,
            conflicts: status.conflicts,
            last_sync_ms: status.last_sync.map(|time| time.0),
            store_bytes: status.store_bytes,
        }
    }
}
