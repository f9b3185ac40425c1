//! What the org does, one rule per test.

mod assignment;
mod automation;
mod checks;
mod deleting;
mod evolving;
mod hierarchy;
mod holding;
mod merging;
mod replicating;
mod roll_ups;
mod rules;
mod saving;
mod shares;
mod sharing;
