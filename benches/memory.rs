//! How much memory a session takes for each record that it hears of.
//!
//! `cargo bench -p attache-benches --bench memory -- [RECORDS]` (200,000 unless told otherwise)
//!
//! A remote that makes its answers up page by page, and keeps nothing itself, tells of so many records that were
//! changed, or that were deleted; or edits of a tenth of them are pushed. Each is done with a tenth of that, too, in a
//! process of its own: what a session takes on top of that for each further record is the figure, and what it takes for
//! any number of them is not.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use async_trait::async_trait;
use attache::{
    ApiUsage, Attache, Briefcase, Deleted, Describe, Identity, Page, RecordId, Remote, Result,
    ServerTime, Updated, Write, WriteAction, WriteOutcome,
};
use serde_json::value::RawValue;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

const PAGE_ROWS: usize = 2_000;
const BEGIN: i64 = 1_795_339_800;
/// Records of one host transaction.
const CHANGESET: usize = 1_000;

/// What the org would answer now.
#[derive(Default)]
struct State {
    rows: usize,
    changed: AtomicUsize,
    deleted: AtomicUsize,
    now: AtomicI64,
    stamp: AtomicI64,
    calls: AtomicU64,
}

/// An org of one object that holds no record.
#[derive(Clone)]
struct MadeUp(Arc<State>);

fn id(n: usize) -> String {
    let short = format!("003{n:012}");
    RecordId::parse(&short).expect("an id").as_str().to_owned()
}

impl MadeUp {
    fn record(&self, n: usize) -> Box<RawValue> {
        let stamp = ServerTime(self.0.stamp.load(Ordering::SeqCst)).to_string();
        let id = id(n);
        let text = format!(
            r#"{{"attributes":{{"type":"Contact"}},"Id":"{id}","LastName":"Made up {n}","SystemModstamp":"{stamp}"}}"#
        );
        RawValue::from_string(text).expect("JSON")
    }

    /// A page of the first `total` records, from one on.
    fn page(&self, from: usize, total: usize) -> Page {
        let to = (from + PAGE_ROWS).min(total);
        Page {
            records: (from..to).map(|n| self.record(n)).collect(),
            total: total as u64,
            next: (to < total).then(|| format!("{to} {total}")),
        }
    }

    fn count(&self) {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
    }

    fn time(&self) -> ServerTime {
        ServerTime(self.0.now.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Remote for MadeUp {
    async fn identity(&self) -> Result<Identity> {
        Ok(Identity {
            user_id: "005000000000001AAA".into(),
            org_id: "00D000000000001AAA".into(),
            username: "jo@acme.example".into(),
            time_zone: "UTC".into(),
            locale: "en_US".into(),
        })
    }

    async fn describe(&self, object: &str, known: Option<&str>) -> Result<Option<Describe>> {
        let fields = r#"[{"name":"Id","type":"id"},{"name":"LastName","type":"string","length":80,"createable":true,"updateable":true},{"name":"SystemModstamp","type":"datetime"}]"#;
        let json = format!(
            r#"{{"name":"{object}","label":"{object}","labelPlural":"{object}","keyPrefix":"003","queryable":true,"createable":true,"updateable":true,"deletable":true,"replicateable":true,"fields":{fields}}}"#
        );
        Ok(known.is_none().then(|| Describe {
            json,
            last_modified: Some("once".into()),
        }))
    }

    async fn query(&self, soql: &str) -> Result<Page> {
        self.count();
        let total = match soql {
            soql if soql.contains("SystemModstamp >=") => self.0.changed.load(Ordering::SeqCst),
            soql if soql.contains("Id >") || soql.contains(" IN (") => 0,
            _ => self.0.rows,
        };
        Ok(self.page(0, total))
    }

    async fn query_more(&self, next: &str) -> Result<Page> {
        self.count();
        let (from, total) = next.split_once(' ').unwrap_or_default();
        let number = |text: &str| text.parse().unwrap_or_default();
        Ok(self.page(number(from), number(total)))
    }

    async fn retrieve(
        &self,
        _object: &str,
        ids: &[String],
        _fields: &[String],
    ) -> Result<Vec<Option<Box<RawValue>>>> {
        self.count();
        let number = |id: &String| id.get(3..15)?.parse().ok();
        Ok(ids
            .iter()
            .map(|id| number(id).map(|n| self.record(n)))
            .collect())
    }

    async fn updated(&self, _object: &str, _start: ServerTime) -> Result<Updated> {
        self.count();
        Ok(Updated {
            ids: (0..self.0.changed.load(Ordering::SeqCst)).map(id).collect(),
            latest_covered: self.time(),
        })
    }

    async fn deleted(&self, _object: &str, _start: ServerTime) -> Result<Deleted> {
        self.count();
        let at = self.time();
        Ok(Deleted {
            records: (0..self.0.deleted.load(Ordering::SeqCst))
                .map(|n| (id(n), at))
                .collect(),
            earliest_available: ServerTime(0),
            latest_covered: at,
        })
    }

    async fn push(
        &self,
        batch: &[Write],
        settled: &mut (dyn FnMut(usize, WriteOutcome) -> Result<()> + Send),
    ) -> Result<()> {
        self.count();
        for (at, write) in batch.iter().enumerate() {
            let WriteAction::Update { id, .. } = &write.action else {
                continue;
            };
            settled(at, WriteOutcome::Done { id: id.clone() })?;
        }
        Ok(())
    }

    fn server_time(&self) -> Option<ServerTime> {
        Some(self.time())
    }

    fn usage(&self) -> ApiUsage {
        ApiUsage {
            calls: self.0.calls.load(Ordering::SeqCst),
            ..ApiUsage::default()
        }
    }
}

/// Runs a session, and gives by how many KiB memory has grown over what it was before.
fn session(device: &Attache) -> u64 {
    attache_benches::forget_peak();
    let before = attache_benches::peak_memory_kb().unwrap_or_default();
    let report = attache_sim::wait(device.sync()).expect("a session");
    let peak = attache_benches::peak_memory_kb().unwrap_or_default();
    assert!(report.is_settled(), "{report:?}");
    peak.saturating_sub(before)
}

/// What a session of so many records takes, in KiB.
fn figure(what: &str, rows: usize) -> u64 {
    let state = State {
        rows,
        ..State::default()
    };
    state.now.store(BEGIN, Ordering::SeqCst);
    state.stamp.store(BEGIN - 86_400, Ordering::SeqCst);
    let org = MadeUp(Arc::new(state));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let device = Attache::open(folder.path().join("memory.db")).expect("a store opens");
    let device = device.with_remote(org.clone());
    device
        .set_briefcase(Briefcase::everything(["Contact"]))
        .expect("a briefcase");
    let loading = session(&device);
    let later = org.0.now.fetch_add(7_200, Ordering::SeqCst) + 7_200;
    match what {
        "changed" => {
            org.0.stamp.store(later - 60, Ordering::SeqCst);
            org.0.changed.store(rows, Ordering::SeqCst);
        }
        "deleted" => org.0.deleted.store(rows, Ordering::SeqCst),
        "pushed" => edit_all(&device, rows),
        _ => return loading,
    }
    session(&device)
}

/// Edits each record, in changesets of a thousand.
fn edit_all(device: &Attache, rows: usize) {
    for from in (0..rows).step_by(CHANGESET) {
        let done = device.changeset(|changeset| {
            (from..(from + CHANGESET).min(rows)).try_for_each(|n| {
                let id = RecordId::parse(&id(n))?;
                changeset.update(&id, [("LastName", format!("Made up {n}!"))])
            })
        });
        done.expect("an edit");
    }
}

/// The figure of a process of its own, whose memory goes back to the system as soon as it is free.
fn alone(what: &str, rows: usize) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program)
        .args([what, &rows.to_string()])
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .env("MALLOC_TRIM_THRESHOLD_", "0")
        .output()
        .expect("this program runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("a number")
}

fn main() {
    let rows: usize = attache_benches::argument(200_000);
    let scenarios = ["loaded", "changed", "deleted", "pushed"];
    if let Some(what) = std::env::args().nth(1)
        && scenarios.contains(&what.as_str())
    {
        println!("{}", figure(&what, rows));
        return;
    }
    println!(
        "{rows} records of one object, a tenth as many edits: a session's peak over what it began with"
    );
    for what in scenarios {
        let many = if what == "pushed" { rows / 10 } else { rows };
        let few = many / 10;
        let (of_few, of_many) = (alone(what, few), alone(what, many));
        let each = of_many.saturating_sub(of_few) * 1_024 / (many - few).max(1) as u64;
        println!(
            "{what:8} {of_few:8} KiB of {few:7}, {of_many:8} KiB of {many:7}, {each:6} bytes for each further one"
        );
    }
}
