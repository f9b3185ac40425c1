//! A large file on its way up and down, and what it takes in memory.
//!
//! `cargo bench -p attache-benches --bench files -- [MEGABYTES]`
//!
//! An org answers on loopback, as anybody's would. Each run is a process of its own, so that its peak of
//! memory is its own, less what it was before the file. The bare parts: the same bytes written to a file
//! and flushed to the disk; and the same bytes fetched by one request and written into rows of 256 KiB,
//! without a checksum and without resumption.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{Attache, Briefcase, Limits, Options, RecordId};
use attache_salesforce::{Salesforce, StaticToken};
use attache_sandbox::org::Rights;
use attache_sandbox::seed::Seed;
use attache_sandbox::{Sandbox, Serving};
use attache_sim::wait;
use rusqlite::{Connection, params};
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const RUNS: usize = 5;
const PIECE_BYTES: usize = 256 << 10;

/// What a run tells when it ends: `seconds before-kilobytes peak-kilobytes`.
struct Told {
    seconds: f64,
    before_kb: u64,
    peak_kb: u64,
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let size = |text: &str| text.parse::<u64>().expect("a number of megabytes") << 20;
    match words[..] {
        [part, url, token, file, bytes] => run(
            part,
            (url, token),
            Path::new(file),
            bytes.parse().expect("bytes"),
        ),
        [] => compare(size("100")),
        [megabytes] => compare(size(megabytes)),
        _ => panic!("the only argument is a number of megabytes"),
    }
}

fn compare(bytes: u64) {
    println!(
        "machine: {}; a file of {} MB; sent once, every other line the median of {RUNS} processes",
        attache_benches::machine(),
        bytes >> 20
    );
    let org = Org::new();
    let sent = org.start("send", bytes);
    let parts = ["write", "by-hand", "fetch"];
    let mut told = parts.map(|_| Vec::new());
    for _ in 0..RUNS {
        for (part, told) in parts.iter().zip(&mut told) {
            told.push(org.start(part, bytes));
        }
    }
    let [write, by_hand, fetch] = told.map(median);
    let line = |what: &str, told: &Told| {
        println!(
            "{what:34} {:7.1} MB/s, {:6.2} s, {:5.1} MB of memory for it, peak {:5.1} MB",
            bytes as f64 / told.seconds / 1e6,
            told.seconds,
            told.peak_kb.saturating_sub(told.before_kb) as f64 / 1024.0,
            told.peak_kb as f64 / 1024.0
        );
    };
    line("written to a file (the bare limit)", &write);
    line("fetched by hand into rows", &by_hand);
    line("engine, fetched and stored", &fetch);
    line("engine, sent", &sent);
    println!(
        "engine / plain write {:5.2}, engine / by hand {:5.2}",
        write.seconds / fetch.seconds,
        by_hand.seconds / fetch.seconds
    );
}

fn median(mut runs: Vec<Told>) -> Told {
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    runs.swap_remove(RUNS / 2)
}

/// An org on loopback, and a folder for those who use it.
struct Org {
    serving: Serving,
    token: String,
    folder: tempfile::TempDir,
}

impl Org {
    fn new() -> Org {
        let now = jiff::Timestamp::now();
        let seed = Seed {
            accounts: 1,
            contacts: 0,
            opportunities: 0,
            leads: 0,
            visits: 0,
            tasks: 0,
            events: 0,
            ..Seed::standard(1, now.as_second())
        };
        let sandbox = Sandbox::builder()
            .rows(seed)
            .now(now.to_string())
            .build()
            .expect("an org");
        let user = sandbox.users()[0].clone();
        let all = Rights {
            view_all: true,
            modify_all: true,
        };
        sandbox.with_org(|org| org.set_rights(&user.id, all));
        Org {
            serving: Serving::spawn(sandbox, 0).expect("a port"),
            token: user.access_token,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// Runs a part in a process of its own, and removes what it stored.
    fn start(&self, part: &str, bytes: u64) -> Told {
        let place = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        let done = Command::new(std::env::current_exe().expect("this program"))
            .args([part, self.serving.url(), &self.token])
            .arg(place.path().join("store.db"))
            .arg(bytes.to_string())
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&done.stdout);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            [seconds, before, peak] => Told {
                seconds: seconds.parse().expect("seconds"),
                before_kb: before.parse().expect("kilobytes"),
                peak_kb: peak.parse().expect("kilobytes"),
            },
            _ => panic!("{part}: {}", String::from_utf8_lossy(&done.stderr)),
        }
    }
}

fn run(part: &str, org: (&str, &str), file: &Path, bytes: u64) {
    match part {
        "send" => {
            let (device, account) = device(org, file);
            let photo = device
                .attach(&account, "film.mp4", Noise::of(bytes))
                .expect("it is attached");
            measure(|| wait(device.sync()).expect("a session"));
            let file = device.file(&photo).expect("a read").expect("a file");
            assert_eq!(file.state, attache::FileState::Present, "{file:?}");
        }
        "fetch" => {
            let (device, account) = device(org, file);
            let film = device.files(&account).expect("a read").remove(0);
            assert_eq!(film.bytes, bytes);
            measure(|| wait(device.fetch_file(&film.id)).expect("it comes"));
        }
        "by-hand" => {
            let (device, account) = device(org, file);
            let film = device.files(&account).expect("a read").remove(0);
            let version = version(org, film.id.as_str());
            measure(|| by_hand(org, &version, &file.with_extension("hand"), bytes));
        }
        "write" => measure(|| {
            let mut to = std::fs::File::create(file).expect("a file");
            std::io::copy(&mut Noise::of(bytes), &mut to).expect("it is written");
            to.sync_all().expect("it is on the disk");
        }),
        _ => panic!("no such part: {part}"),
    }
}

fn measure<T>(work: impl FnOnce() -> T) {
    let before = attache_benches::peak_memory_kb().unwrap_or_default();
    let begun = Instant::now();
    drop(work());
    let seconds = begun.elapsed().as_secs_f64();
    let peak = attache_benches::peak_memory_kb().unwrap_or_default();
    println!("{seconds} {before} {peak}");
}

/// A device with its one account, which leaves files at the org.
fn device((url, token): (&str, &str), file: &Path) -> (Attache, RecordId) {
    let limits = Limits {
        attach_bytes: 1 << 40,
        file_bytes: 1 << 40,
        ..Limits::default()
    };
    let device = Attache::open_with(file, Options::new().limits(limits))
        .expect("a store opens")
        .with_remote(Salesforce::new(url, StaticToken::new(token)).expect("a remote"));
    let briefcase = serde_json::json!({
        "version": 1,
        "objects": {"Account": {"fields": ["Id", "Name"], "files": "none"}},
        "rules": ["Account"],
    });
    device
        .set_briefcase(Briefcase::from_json(&briefcase.to_string()).expect("a briefcase"))
        .expect("a briefcase is stored");
    wait(device.sync()).expect("a first session");
    let mut rows = device.query("SELECT Id FROM Account").expect("a query");
    let account = rows.next().and_then(|row| row.id().cloned());
    drop(rows);
    (device, account.expect("an account"))
}

/// The latest version of a document.
fn version((url, token): (&str, &str), document: &str) -> String {
    use attache::Remote;
    let org = Salesforce::new(url, StaticToken::new(token)).expect("a remote");
    let soql = format!("SELECT Id FROM ContentVersion WHERE ContentDocumentId = '{document}'");
    let page = wait(org.query(&soql)).expect("an answer");
    let row: serde_json::Value =
        serde_json::from_str(page.records[0].get()).expect("a record is JSON");
    row["Id"].as_str().expect("an id").to_owned()
}

fn by_hand((url, token): (&str, &str), version: &str, file: &Path, bytes: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut connection = Connection::open(file).expect("a database opens");
    for (name, value) in [("journal_mode", "WAL"), ("synchronous", "NORMAL")] {
        let set = connection.pragma_update(None, name, value);
        set.expect("a pragma");
    }
    connection
        .execute_batch("CREATE TABLE piece (start INTEGER PRIMARY KEY, bytes BLOB)")
        .expect("a table");
    let path = format!("{url}/services/data/v67.0/sobjects/ContentVersion/{version}/VersionData");
    runtime.block_on(async {
        let asked = reqwest::Client::new().get(path).bearer_auth(token);
        let mut answer = asked.send().await.expect("an answer");
        let (mut held, mut start) = (Vec::new(), 0);
        loop {
            let chunk = answer.chunk().await.expect("bytes");
            held.extend_from_slice(chunk.as_deref().unwrap_or_default());
            if held.len() >= 4 * PIECE_BYTES || chunk.is_none() {
                let transaction = connection.transaction().expect("a transaction");
                for piece in held.chunks(PIECE_BYTES) {
                    transaction
                        .execute("INSERT INTO piece VALUES (?, ?)", params![start, piece])
                        .expect("an insert");
                    start += piece.len() as i64;
                }
                transaction.commit().expect("a commit");
                held.clear();
            }
            if chunk.is_none() {
                break;
            }
        }
        assert_eq!(start as u64, bytes);
    });
}

/// Bytes that no two places share for long.
struct Noise {
    left: u64,
    state: u64,
}

impl Noise {
    fn of(bytes: u64) -> Noise {
        Noise {
            left: bytes,
            state: 0x9E37_79B9_7F4A_7C15,
        }
    }
}

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        for word in buffer[..count].chunks_mut(8) {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            let bytes = self.state.to_le_bytes();
            word.copy_from_slice(&bytes[..word.len()]);
        }
        self.left -= count as u64;
        Ok(count)
    }
}
