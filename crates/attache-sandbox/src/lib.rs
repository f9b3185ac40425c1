//! A Salesforce-like org in a process.
//!
//! A pure state machine (request in, response out, its clock injected) with an
//! HTTP front on loopback: for demos, for the tests of Attaché and for the tests
//! of applications that embed it. It shares no code with the engine, so that two
//! readings of the platform's rules check each other.

mod auth;
pub mod catalog;
mod control;
pub mod describe;
mod fault;
mod http;
pub mod id;
mod json;
pub mod load;
pub mod org;
mod rest;
mod sandbox;
pub mod schema;
pub mod seed;
mod soql;
pub mod value;

pub use fault::{Fault, FaultKind, Outcome};
pub use http::{Serving, serve};
pub use rest::{Machine, PreconditionCode, Request, Response, RestSwitches};
pub use sandbox::{Logged, Sandbox, SandboxBuilder, SandboxError, UserAccess};

/// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
