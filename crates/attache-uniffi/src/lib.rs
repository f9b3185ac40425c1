//! The Swift and Kotlin API of Attaché. No logic: it converts and calls the engine.
//!
//! Swift and Kotlin sources are generated from the attributes in this crate by
//! `cargo xtask codegen`, and committed under `bindings/`.
//!
//! - Calls that touch the disk only are synchronous: the application picks the
//!   thread. `sync` is `async`; a session runs on a thread of its own, because a
//!   future is polled on whatever thread the application awaits it on, which may
//!   be the one that draws.
//! - Rows cross the boundary by the page, as plain values: an object for each row
//!   would cost a call for each cell.
//! - An error keeps its kind, advice, position and problems.

#![allow(
    clippy::needless_pass_by_value,
    reason = "exported functions own what they are given"
)]

mod cancel;
mod error;
mod outcome;
mod progress;
mod rows;
mod sandbox;
mod session;
mod store;
mod tokens;
mod value;

pub use cancel::CancelToken;
pub use error::{AttacheError, ErrorKind, Problem, Retry};
pub use outcome::{
    Conflict, ConflictField, ConflictKind, Dropped, Keep, Merged, Mutation, MutationKind,
    MutationState, Rejected, Report, Resolution, Status, StopReason, Stopped, Truncated,
    Unfollowed, Unpinned,
};
pub use progress::{Phase, ProgressObserver, SyncProgress};
pub use rows::{ChildRows, Row, RowCursor};
pub use sandbox::{Sandbox, SandboxUser};
pub use store::Attache;
pub use tokens::{TokenProvider, static_token};
pub use value::{Record, Value};

uniffi::setup_scaffolding!("attache");
