//! The benches of Attaché; see README.md.
