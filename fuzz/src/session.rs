//! A session some of whose answers are not the org's: nothing panics, no edit is lost, and an honest org settles it.

use crate::home::Home;
use crate::swap::Swap;
use attache::{CancelToken, ErrorKind};
use attache_sim::wait;
use std::sync::LazyLock;

static HOME: LazyLock<Home> = LazyLock::new(Home::new);

/// Runs two sessions of a device, some of whose answers are made of bytes.
pub fn run(bytes: &[u8]) {
    let Some((first, script)) = crate::headed(bytes) else {
        return;
    };
    let device = HOME.device();
    let mine: Vec<_> = device.pending().expect("a read");
    assert!(!mine.is_empty());
    let org = Swap::org(&HOME.world, usize::from(first % 24), script);
    let device = device.with_remote(org);
    for _ in 0..2 {
        let token = CancelToken::new();
        match wait(device.sync().cancel_token(token)) {
            Ok(report) => {
                // What the report says of unsent work is what the journal holds.
                if report.is_settled() {
                    assert_eq!(device.pending().expect("a read"), []);
                }
            }
            Err(error) => assert_ne!(error.kind(), ErrorKind::Internal, "{error}"),
        }
        device.status().expect("the store answers");
        for object in ["Account", "Contact"] {
            // An answer may have said that the object is no more.
            if let Ok(rows) = device.query(&format!("SELECT Id, Name FROM {object}")) {
                rows.count();
            }
        }
        device
            .export_unsent(None)
            .expect("unsent work can be taken out");
    }
}
