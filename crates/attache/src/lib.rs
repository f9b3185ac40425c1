//! An embeddable offline-first sync engine for CRM records.

mod briefcase;
mod engine;
mod env;
mod error;
mod filter;
mod json;
mod merge;
mod outcome;
mod plan;
mod record;
mod remote;
mod schema;
mod store;
mod sync;

pub use briefcase::Briefcase;
pub use engine::{Attache, CancelToken, Session};
pub use env::{Env, LocalTime, SystemEnv};
pub use error::{Error, ErrorKind, Problem, Result, Retry};
pub use filter::{Context, DateRange, Filter, FiscalYearName, Select};
pub use merge::{MergePolicy, Policy};
pub use outcome::{
    Conflict, ConflictField, ConflictId, ConflictKind, JournalSeq, Keep, Merged, Mutation,
    MutationKind, MutationState, Phase, Progress, Rejected, Report, Resolution, Status, Truncated,
};
pub use record::{Fields, Record, RecordId, ServerTime, Value};
pub use remote::{
    ApiUsage, Deleted, Describe, Identity, Page, Remote, Updated, Write, WriteAction, WriteOutcome,
};
pub use schema::{ChildRelationship, FieldSchema, FieldType, ObjectSchema, PicklistEntry, Schema};
pub use store::query::{Cell, Row, Rows};
