//! The command from outside: the real program, real files, a real socket.

mod bad_input;
mod briefcase;
mod demo;
mod everyday;
mod explain;
mod files;
mod holds;
mod layout;
mod login;
#[cfg(any(feature = "sqlcipher", feature = "sqlcipher-vendored"))]
mod rekey;
mod sandbox;
mod search;
mod support;
mod unsent;
