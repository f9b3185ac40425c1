//! The records of this device in one SQLite file.

pub(crate) mod query;
pub(crate) mod value;
