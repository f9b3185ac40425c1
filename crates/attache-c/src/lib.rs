//! The C ABI of Attaché. No logic: it checks pointers, converts, and calls the engine.
//!
//! The rules a C program goes by stand at the top of `include/attache.h`
//! (`cbindgen.toml` holds the text). What this side does about them:
//!
//! - A handle is a number in a table, dressed as a pointer and never followed
//!   (`table`): a freed, foreign or made-up handle is an error, not undefined
//!   behaviour, and no number is used twice.
//! - Every function goes through one of the doors in `enter`: the only place that
//!   catches panics, turns errors into status numbers and writes `*out_error`.
//! - `status` repeats the numbers of [`attache::ErrorKind`], tied by assertions.

#![allow(
    unsafe_code,
    reason = "a C ABI reads and writes through its caller's pointers"
)]
#![allow(non_camel_case_types, reason = "C names")]
#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the docs are the header's, where brackets are lists"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the safety rules of every function are those at the top of the header"
)]

mod auth;
mod briefcase;
mod bytes;
mod call;
mod callback;
mod cancel;
mod changeset;
mod conflict;
mod connect;
mod enter;
mod error;
mod explain;
mod file;
mod form;
mod holds;
mod journal;
mod json;
mod log;
mod options;
mod query;
mod record;
mod rows;
#[cfg(feature = "testing")]
mod sandbox;
mod status;
mod store;
mod sync;
mod table;
mod task;
mod text;
mod token;
mod transport;
mod unsent;
mod watch;

pub use auth::*;
pub use briefcase::*;
pub use bytes::*;
pub use callback::*;
pub use cancel::*;
pub use changeset::*;
pub use conflict::*;
pub use connect::*;
pub use error::*;
pub use explain::*;
pub use file::*;
pub use form::*;
pub use holds::*;
pub use journal::*;
pub use log::*;
pub use query::*;
pub use record::*;
pub use rows::*;
#[cfg(feature = "testing")]
pub use sandbox::*;
pub use status::*;
pub use store::*;
pub use sync::*;
pub use task::*;
pub use text::*;
pub use token::*;
pub use transport::*;
pub use unsent::*;
pub use watch::*;
