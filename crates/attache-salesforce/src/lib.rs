//! The Salesforce REST API as a remote for Attaché.
//!
//! [`Salesforce`] implements [`attache::Remote`]: it signs in with the tokens
//! that a host provides, reads pages of records without decoding them, and
//! sends writes in as few API calls as the platform allows.
//!
//! ```
//! use attache_salesforce::{RefreshToken, Salesforce};
//!
//! # fn store(_: &str) -> attache::Result<()> { Ok(()) }
//! let url = "https://acme.my.salesforce.com";
//! let tokens = RefreshToken::new(url, "client id", "refresh token")?.on_rotated(store);
//! let org = Salesforce::builder(url, tokens)
//!     .client_name("acme-field-app/2.1")
//!     .build()?;
//! # let _ = org;
//! # Ok::<_, attache::Error>(())
//! ```
//!
//! # What is promised
//! - A token goes to the org's own host only: redirects are not followed, and a
//!   link in an answer that leads elsewhere is an error.
//! - A request that got no answer is never sent again by this crate. A read that
//!   got none is [`RemoteUnreachable`](attache::ErrorKind::RemoteUnreachable);
//!   a write is [`WriteOutcome::Unknown`](attache::WriteOutcome::Unknown), and
//!   what was to follow it in the same batch is not sent.
//! - An answer is bounded in bytes after inflation, and one that is not what the
//!   API documents is an error, never a panic.
//! - Numbers travel as their digits: money is not rounded.
//! - No error and no log line holds a token, a query or a field's value.
//!
//! # Runtime
//! The futures of this crate run on any executor. [`Reqwest`], the transport
//! that is used unless the host brings one, keeps a thread with a tokio runtime
//! of its own.

mod address;
mod ask;
mod assignment;
mod auth;
mod body;
mod bulk;
mod class;
mod client;
mod codec;
mod error;
mod forms;
mod grants;
mod limits;
mod link;
mod merged;
mod network;
mod organization;
mod person;
mod portion;
mod push;
mod remote;
mod stream;
mod transport;

pub use assignment::Assignment;
pub use auth::{AccessToken, StaticToken, TokenProvider};
pub use client::{Salesforce, SalesforceBuilder};
pub use grants::{ClientCredentials, JwtBearer, RefreshToken, Revoked, SignIn, SignedIn};
pub use limits::{Budget, Limits};
pub use network::Reqwest;
pub use transport::{HttpRequest, HttpResponse, Method, Take, Transport, TransportError};
