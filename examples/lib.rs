//! The examples of Attaché; see README.md.
