//! `attache status`: what a store holds.

use crate::error::Result;
use crate::output::{self, Output};
use crate::store::{self, URL_KEY};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Serialize)]
struct StatusView {
    store: String,
    url: Option<String>,
    username: Option<String>,
    records: BTreeMap<String, u64>,
    pending: u64,
    in_doubt: u64,
    rejected: u64,
    conflicts: u64,
    last_sync: Option<String>,
    store_bytes: u64,
}

/// Shows what a store holds and what waits in it.
pub fn run(path: &Path, output: &Output) -> Result<()> {
    let store = store::open(path)?;
    let status = store.status()?;
    let view = StatusView {
        store: path.display().to_string(),
        url: store.host_value(URL_KEY)?,
        username: status.username,
        records: status.records.into_iter().collect(),
        pending: status.pending,
        in_doubt: status.in_doubt,
        rejected: status.rejected,
        conflicts: status.conflicts,
        last_sync: status.last_sync.map(|time| {
            output::local_time(time)
                .replace(' ', "T")
                .replace("TUTC", "Z")
        }),
        store_bytes: status.store_bytes,
    };
    output.show(&view, || lines(&view))?;
    if view.conflicts > 0 {
        output.note(format!("next: attache conflicts {}", view.store));
    } else if view.pending + view.rejected + view.in_doubt > 0 {
        output.note(format!("next: attache pending {}", view.store));
    }
    Ok(())
}

fn lines(view: &StatusView) -> Vec<String> {
    let or = |text: &Option<String>, other: &str| text.clone().unwrap_or_else(|| other.into());
    let mut lines = vec![
        format!(
            "store      {} ({} bytes)",
            view.store,
            output::grouped(view.store_bytes)
        ),
        format!("org        {}", or(&view.url, "unknown")),
        format!(
            "user       {}",
            or(&view.username, "unknown until the first sync")
        ),
        format!("last sync  {}", or(&view.last_sync, "never")),
        format!(
            "waiting    {} to send, {} in doubt, {} rejected, {}",
            view.pending,
            view.in_doubt,
            view.rejected,
            output::count(view.conflicts, "conflict", "conflicts")
        ),
    ];
    lines.extend(output::record_counts(&view.records));
    lines
}
