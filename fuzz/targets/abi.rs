//! `attache_fuzz::abi`, driven by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(
    init: attache_fuzz::silence_asked_panics(),
    |bytes: &[u8]| attache_fuzz::abi(bytes)
);
