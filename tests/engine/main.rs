//! The engine against the sandbox, subject by subject.
//!
//! They are one program: each program of tests holds the whole of what it tests, and there is one disk.

mod answers;
mod conflicts;
mod damage;
mod death;
mod doubt;
mod drift;
mod edits;
mod faults;
mod files;
mod holds;
mod indexes;
mod journal_api;
mod journal_edits;
mod journal_files;
mod journal_unsent;
mod journal_walk;
mod live;
mod loads;
mod membership;
mod patience;
mod queries;
mod reports;
mod review;
mod search;
mod service;
mod session;
mod shrunk;
mod sight;
mod templates;
mod waits;
mod walk;
mod writes;
