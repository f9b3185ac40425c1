//! Leaves room on the disk.

use super::Run;
use crate::error::{Error, ErrorKind, Result};
use crate::remote::Page;

/// A download below this is not measured: it must not fail because others filled the disk.
const BIG_BYTES: u64 = 16 << 20;

impl Run<'_> {
    /// Refuses to go on with a big download that would not leave the free bytes of the limits.
    ///
    /// A record is taken to need as many bytes in its table and indexes as its JSON on a page of
    /// the same download has, which is twice of what it mostly does.
    pub(super) fn check_space(&self, object: &str, page: &Page, left: u64) -> Result<()> {
        let rows = page.records.len() as u64;
        let json: u64 = page
            .records
            .iter()
            .map(|record| record.get().len() as u64)
            .sum();
        let needed = left.saturating_mul(json.checked_div(rows).unwrap_or(0));
        if needed < BIG_BYTES {
            return Ok(());
        }
        let free = self.store.path().and_then(|path| self.env.free_bytes(path));
        let leave = self.store.limits.free_bytes;
        if free.is_none_or(|free| free >= needed.saturating_add(leave)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::StorageFull,
            format!(
                "the download of {object} needs some {} MB and would not leave {} MB of the disk free: make room, or narrow the briefcase",
                needed.div_ceil(1_000_000),
                leave.div_ceil(1_000_000),
            ),
        ))
    }
}
