//! What reads bytes of others, one function for each kind, to be called with any bytes at all.
//!
//! Each ends with a value or one clear error, and says by an assertion what must hold whatever the bytes are.
//! `cargo xtask fuzz` lets libFuzzer look for bytes that break one, with AddressSanitizer; `cargo test` replays the
//! seeds, and bytes that are near to them, with every change. What was found lives on among the seeds.

mod abi;
mod answers;
mod briefcase;
mod csv;
mod home;
mod liar;
mod merge;
mod session;
mod soql;
mod store;
mod swap;
mod unsent;

pub use abi::{run as abi, silence_asked_panics};
pub use answers::run as answers;
pub use briefcase::run as briefcase;
pub use csv::run as csv;
pub use merge::run as merge;
pub use session::run as session;
pub use soql::run as soql;
pub use store::run as store;
pub use unsent::run as unsent;

/// What takes bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its folder of seeds.
pub const TARGETS: [(&str, Target); 9] = [
    ("abi", abi),
    ("answers", answers),
    ("briefcase", briefcase),
    ("csv", csv),
    ("merge", merge),
    ("session", session),
    ("soql", soql),
    ("store", store),
    ("unsent", unsent),
];

/// The first byte, which says what is done with the others; nothing if there is none.
fn headed(bytes: &[u8]) -> Option<(u8, &[u8])> {
    bytes.split_first().map(|(first, rest)| (*first, rest))
}

/// The text that bytes begin with.
fn text(bytes: &[u8]) -> &str {
    let (Ok(text) | Err(text)) = std::str::from_utf8(bytes).map_err(|error| {
        std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("it is valid up to there")
    });
    text
}
