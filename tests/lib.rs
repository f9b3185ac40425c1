//! The tests of Attaché; see README.md.
