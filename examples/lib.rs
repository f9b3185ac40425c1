//! The examples of Attaché: the same seven lines in four languages.
//!
//! `quickstart.rs`, `quickstart.c`, `Quickstart.swift` and `Quickstart.kt` are compiled and run
//! against a sandbox by `cargo xtask test`.
