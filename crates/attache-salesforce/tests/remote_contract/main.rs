//! What the engine relies on, against an org: in the same process, and over a socket.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod asked;
mod bodies;
mod files;
mod reads;
mod rig;
mod tokens;
mod writes;
