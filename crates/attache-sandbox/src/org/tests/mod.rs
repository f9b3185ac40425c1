//! What the org does, one rule per test.

mod checks;
mod deleting;
mod evolving;
mod holding;
mod replicating;
mod rules;
mod saving;
mod sharing;
