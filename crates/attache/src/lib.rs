//! An embeddable offline-first sync engine for CRM records.

mod env;
mod error;
#[allow(dead_code, unused_imports, reason = "its callers come with the store")]
mod json;
#[allow(dead_code, unused_imports, reason = "its callers come with the store")]
mod merge;
mod record;
mod remote;
mod schema;
mod store;

pub use env::{Env, LocalTime, SystemEnv};
pub use error::{Error, ErrorKind, Problem, Result, Retry};
pub use merge::{MergePolicy, Policy};
pub use record::{Fields, Record, RecordId, ServerTime, Value};
pub use remote::{
    ApiUsage, Deleted, Describe, Identity, Page, Remote, Updated, Write, WriteAction, WriteOutcome,
};
pub use schema::{ChildRelationship, FieldSchema, FieldType, ObjectSchema, PicklistEntry, Schema};
