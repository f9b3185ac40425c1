//! A Salesforce-like org in a process.
//!
//! A pure state machine (request in, response out, its clock injected) with an
//! HTTP front on loopback: for demos, for the tests of Attaché and for the tests
//! of applications that embed it. It shares no code with the engine, so that two
//! readings of the platform's rules check each other.

pub mod catalog;
pub mod describe;
pub mod id;
pub mod org;
pub mod schema;
pub mod value;
