//! What the org does, one rule per test.

mod automation;
mod checks;
mod deleting;
mod evolving;
mod holding;
mod merging;
mod replicating;
mod rules;
mod saving;
mod sharing;
