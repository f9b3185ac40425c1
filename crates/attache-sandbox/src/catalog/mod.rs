//! The objects of a new org: what a developer edition has, as far as the sandbox goes.
//!
//! The standard fields follow recorded describes of real orgs; `tests/describe.rs` compares them
//! field by field and names those left out. `Visit__c` and the other custom fields are the
//! sandbox's own: between them they use each field type, a dependent picklist, a master-detail,
//! an auto-number and an external id.

mod account;
mod activity;
mod build;
mod case;
pub(crate) mod coverage;
mod file;
mod history;
mod lead;
mod opportunity;
mod person;
mod setup;
pub(crate) mod sharing;
mod visit;

pub(crate) use build::common;
pub(crate) use case::case;
pub(crate) use history::history;
pub use opportunity::stages;
pub(crate) use setup::assignment_rule;
pub(crate) use visit::{KINDS, OUTCOMES, VALID_FOR};

use crate::schema::Schema;

/// Makes the schema of a new org.
///
/// The order of the objects, and of the fields within one, is fixed: parents stand before the
/// children that need them.
pub fn standard() -> Schema {
    Schema::new([
        setup::organization(),
        person::user(),
        setup::group(),
        setup::group_member(),
        setup::record_type(),
        account::account(),
        person::contact(),
        opportunity::opportunity(),
        lead::lead(),
        visit::visit(),
        activity::task(),
        activity::event(),
        file::document(),
        file::version(),
        file::link(),
    ])
}
