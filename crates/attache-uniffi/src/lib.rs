//! The Swift and Kotlin API of Attaché. No logic: it converts and calls the engine.
//!
//! Swift and Kotlin sources are generated from the attributes in this crate by
//! `cargo xtask codegen`, and committed under `bindings/`.
//!
//! - Calls that touch the disk only are synchronous: the application picks the
//!   thread. What waits for the network (`sync`, `prepare`, `dry_run`, `fetch`,
//!   `fetch_file`, `SignIn::finish`) or for a commit (`Watch::next`) is `async` and runs on a
//!   thread of its own, because a future is polled on whatever thread the application
//!   awaits it on, which may be the one that draws.
//! - Names are those of the Rust API. What Rust says with a builder or a generic argument is a
//!   method or an optional argument here; documents (briefcases) cross as JSON.
//! - Rows cross the boundary by the page, as plain values: an object for each row
//!   would cost a call for each cell.
//! - An error keeps its kind, advice, position and problems.

#![allow(
    clippy::needless_pass_by_value,
    reason = "exported functions own what they are given"
)]

mod auth;
mod background;
mod briefcase;
mod cancel;
mod changeset;
mod connect;
mod context;
mod error;
mod explain;
mod files;
mod form;
mod hold;
mod log;
mod options;
mod outcome;
mod progress;
mod resolver;
mod rows;
mod sandbox;
mod search;
mod secret;
mod session;
mod store;
mod tell;
mod tokens;
mod transport;
mod unsent;
mod value;
mod watch;

pub use auth::{RefreshToken, Revoked, SignIn, SignedIn, TokenStore};
pub use auth::{client_credentials, jwt_bearer};
pub use briefcase::{
    BriefcaseDiff, BriefcaseImport, DryRun, FilesEstimate, RuleEstimate, briefcase_diff,
    briefcase_everything, briefcase_from_briefcase_definition, briefcase_from_json,
    briefcase_from_list_view, briefcase_from_mobile_sync, briefcase_json_schema,
    briefcase_template, briefcase_templates,
};
pub use cancel::CancelToken;
pub use changeset::{Changeset, ChangesetWork};
pub use connect::{Assignment, HttpLimits, SalesforceOptions, default_http_limits};
pub use context::{Context, FiscalYearName, RowVisitor, Weekday};
pub use error::{AttacheError, Candidate, Duplicates, ErrorKind, Problem, Retry};
pub use explain::{Explained, Explanation};
pub use files::{FileInfo, FileSink, FileSource, FileState};
pub use form::{
    ChildRelationship, FieldSchema, Layout, LayoutItem, ListColumn, ListOrder, ObjectSchema,
    PicklistEntry, RecordType, RelatedList, Section,
};
pub use hold::{FetchFailure, Fetched, Holder, Pin, Recent, RuleMembership};
pub use log::{LogLevel, Logger, set_logger};
pub use options::{Key, Limits, Options, default_limits};
pub use outcome::{
    Conflict, ConflictField, ConflictKind, Dropped, FilesReport, Keep, Merged, Mutation,
    MutationKind, MutationState, Rejected, Report, Resolution, Status, StopReason, Stopped,
    Truncated, Unfollowed, Unpinned,
};
pub use progress::{Phase, ProgressObserver, SyncProgress};
pub use resolver::Resolver;
pub use rows::{ChildRows, Row, RowCursor};
pub use sandbox::{Sandbox, SandboxAnswer, SandboxUser};
pub use search::{Found, Hit, Index, Mark};
pub use session::{Pace, SyncOptions};
pub use store::Attache;
pub use tokens::{AccessToken, TokenProvider, static_token};
pub use transport::{HttpHeader, HttpRequest, HttpResponse, Transport, TransportError};
pub use unsent::{Imported, Inspection, Unsent, inspect, salvage};
pub use value::{Record, Value};
pub use watch::{RowChanges, RowInserted, RowRemoved, RowUpdated, Watch};

uniffi::setup_scaffolding!("attache");
