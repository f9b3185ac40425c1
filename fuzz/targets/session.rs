//! `attache_fuzz::session`, driven by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| attache_fuzz::session(bytes));
