//! A first load over HTTP, held against a pipeline written by hand, and its memory.
//!
//! `cargo bench -p attache-benches --bench pipeline -- [ROWS]`
//!
//! An org of so many opportunities answers on loopback, as anybody's would. Each
//! run is a process of its own, so that its peak of memory is its own: the engine,
//! and by turns the bare pipeline, which fetches on one thread, and on the other
//! decodes twenty fields into a struct and inserts them, a transaction a page, with
//! an index on the id, another connection checkpointing meanwhile and the index on
//! the stamp made at the end. No membership, no journal, no base, no resumption.
//! At last the engine loads ten times as many rows, to see whether its memory grows.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{Attache, Briefcase};
use attache_salesforce::{Salesforce, StaticToken};
use attache_sandbox::org::Rights;
use attache_sandbox::seed::Seed;
use attache_sandbox::{Sandbox, Serving};
use attache_sim::wait;
use rusqlite::{Connection, params};
use serde::Deserialize;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

const RUNS: usize = 5;
/// Pages that are fetched and not yet stored.
const AHEAD: usize = 2;
const FIELDS: &str = "Id, AccountId, Name, StageName, Amount, Probability, ExpectedRevenue, CloseDate, Type, NextStep, \
                      LeadSource, IsClosed, IsWon, ForecastCategory, ForecastCategoryName, OwnerId, CreatedDate, \
                      LastModifiedDate, LastModifiedById, SystemModstamp";

/// What a run tells when it ends: `rows seconds peak-kilobytes`.
struct Told {
    rows: usize,
    seconds: f64,
    peak_kb: u64,
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["engine", url, token, file] => tell(Path::new(file), |file| engine(url, token, file)),
        ["by-hand", url, token, file] => tell(Path::new(file), |file| by_hand(url, token, file)),
        [] => compare(100_000),
        [rows] => compare(rows.parse().expect("a number of rows")),
        _ => panic!("the only argument is a number of rows"),
    }
}

fn compare(rows: usize) {
    println!(
        "machine: {}; {rows} opportunities of 20 fields, median of {RUNS} processes each",
        attache_benches::machine()
    );
    let org = Org::new(rows);
    let (mut engine, mut by_hand) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        by_hand.push(org.run("by-hand"));
        engine.push(org.run("engine"));
    }
    drop(org);
    let (engine, by_hand) = (median(engine), median(by_hand));
    assert_eq!(
        (engine.rows, by_hand.rows),
        (rows, rows),
        "all did the same work"
    );
    line("by hand (the bare limit)", &by_hand);
    line("engine", &engine);
    println!("engine / limit  {:5.2}", by_hand.seconds / engine.seconds);
    let many = Org::new(rows * 10).run("engine");
    line("engine, ten times the rows", &many);
    println!(
        "rate at ten times the rows / rate {:5.2}, peak / peak {:5.2}",
        (many.rows as f64 / many.seconds) / (engine.rows as f64 / engine.seconds),
        many.peak_kb as f64 / engine.peak_kb as f64
    );
}

fn line(what: &str, told: &Told) {
    println!(
        "{what:28} {:9.0} records/s, {:6.2} s, peak {:5} MB",
        told.rows as f64 / told.seconds,
        told.seconds,
        told.peak_kb / 1_024
    );
}

fn median(mut runs: Vec<Told>) -> Told {
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    runs.swap_remove(RUNS / 2)
}

/// An org on loopback, and a folder for those who load it.
struct Org {
    serving: Serving,
    token: String,
    folder: tempfile::TempDir,
}

impl Org {
    fn new(rows: usize) -> Org {
        let now = jiff::Timestamp::now();
        let seed = Seed {
            accounts: 2_000,
            contacts: 0,
            opportunities: rows,
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
    fn run(&self, part: &str) -> Told {
        let place = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        let file: PathBuf = place.path().join("store.db");
        let done = Command::new(std::env::current_exe().expect("this program"))
            .args([part, self.serving.url(), &self.token])
            .arg(&file)
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&done.stdout);
        let mut words = text.split_whitespace();
        let mut next = || words.next().unwrap_or_default();
        let (rows, seconds, peak) = (next(), next(), next());
        match (rows.parse(), seconds.parse(), peak.parse()) {
            (Ok(rows), Ok(seconds), Ok(peak_kb)) => Told {
                rows,
                seconds,
                peak_kb,
            },
            _ => panic!("{part}: {}", String::from_utf8_lossy(&done.stderr)),
        }
    }
}

fn tell(file: &Path, load: impl FnOnce(&Path) -> usize) {
    let begun = Instant::now();
    let rows = load(file);
    let seconds = begun.elapsed().as_secs_f64();
    let peak = attache_benches::peak_memory_kb().unwrap_or_default();
    println!("{rows} {seconds} {peak}");
}

fn engine(url: &str, token: &str, file: &Path) -> usize {
    let device = Attache::open(file)
        .expect("a store opens")
        .with_remote(Salesforce::new(url, StaticToken::new(token)).expect("a remote"));
    let fields: Vec<&str> = FIELDS.split(", ").collect();
    let briefcase = serde_json::json!({
        "version": 1,
        "objects": {"Opportunity": {"fields": fields}},
        "rules": ["Opportunity"],
    });
    device
        .set_briefcase(Briefcase::from_json(&briefcase.to_string()).expect("a briefcase"))
        .expect("a briefcase is stored");
    let report = wait(device.sync()).expect("a first session");
    report.inserted as usize
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    next_records_url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    records: Vec<Row<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    account_id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    stage_name: Option<Cow<'a, str>>,
    amount: Option<f64>,
    probability: Option<f64>,
    expected_revenue: Option<f64>,
    close_date: Option<Cow<'a, str>>,
    r#type: Option<Cow<'a, str>>,
    next_step: Option<Cow<'a, str>>,
    lead_source: Option<Cow<'a, str>>,
    is_closed: bool,
    is_won: bool,
    forecast_category: Option<Cow<'a, str>>,
    forecast_category_name: Option<Cow<'a, str>>,
    owner_id: Cow<'a, str>,
    created_date: Cow<'a, str>,
    last_modified_date: Cow<'a, str>,
    last_modified_by_id: Option<Cow<'a, str>>,
    system_modstamp: Cow<'a, str>,
}

fn by_hand(url: &str, token: &str, file: &Path) -> usize {
    let (sender, pages) = sync_channel::<Vec<u8>>(AHEAD);
    let (url, token) = (url.to_owned(), token.to_owned());
    let fetching = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        // An error means that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        runtime.block_on(async {
            let client = reqwest::Client::new();
            let soql = format!("SELECT {FIELDS} FROM Opportunity ORDER BY Id");
            let soql = soql.replace(' ', "+");
            let mut next = Some(format!("/services/data/v67.0/query?q={soql}"));
            while let Some(path) = next {
                let asked = client.get(format!("{url}{path}")).bearer_auth(&token);
                let answer = asked.send().await.expect("an answer");
                let body = answer.bytes().await.expect("a body").to_vec();
                next = next_path(&body);
                sender.send(body).expect("somebody stores it");
            }
        });
    });
    let rows = store_by_hand(file, &pages);
    fetching.join().expect("all was fetched");
    rows
}

/// Where the next page is: the answer says so before its records.
fn next_path(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        next_records_url: Option<String>,
    }
    serde_json::from_slice::<Head>(body)
        .expect("a page")
        .next_records_url
}

fn store_by_hand(file: &Path, pages: &std::sync::mpsc::Receiver<Vec<u8>>) -> usize {
    let mut connection = open(file);
    connection
        .execute_batch(
            "CREATE TABLE Opportunity (Id TEXT PRIMARY KEY, AccountId, Name, StageName, Amount, Probability, \
             ExpectedRevenue, CloseDate, Type, NextStep, LeadSource, IsClosed, IsWon, ForecastCategory, \
             ForecastCategoryName, OwnerId, CreatedDate, LastModifiedDate, LastModifiedById, SystemModstamp)",
        )
        .expect("a table");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let other = open(file);
            while !done.load(Ordering::Relaxed) {
                // A busy database is left alone until the next time.
                let _ = other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                std::thread::park_timeout(Duration::from_millis(50));
            }
        });
        let mut rows = 0;
        for body in pages {
            let page: Page<'_> = serde_json::from_slice(&body).expect("a page");
            let transaction = connection.transaction().expect("a transaction");
            for row in &page.records {
                insert(&transaction, row);
            }
            rows += page.records.len();
            transaction.commit().expect("a commit");
            drop(page.next_records_url);
        }
        let index = "CREATE INDEX stamp ON Opportunity (SystemModstamp)";
        connection.execute_batch(index).expect("an index");
        done.store(true, Ordering::Relaxed);
        rows
    })
}

fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("a database opens");
    for (name, value) in [("journal_mode", "WAL"), ("synchronous", "NORMAL")] {
        connection
            .pragma_update(None, name, value)
            .expect("a pragma");
    }
    for (name, value) in [("wal_autocheckpoint", 20_000), ("cache_size", -65_536)] {
        connection
            .pragma_update(None, name, value)
            .expect("a pragma");
    }
    connection
}

fn insert(connection: &Connection, row: &Row<'_>) {
    let sql = "INSERT INTO Opportunity VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
    let mut statement = connection.prepare_cached(sql).expect("a statement");
    let stamp = |text: &str| {
        let text = text.replace("+0000", "Z");
        text.parse::<jiff::Timestamp>()
            .expect("an instant")
            .as_second()
    };
    statement
        .execute(params![
            row.id,
            row.account_id,
            row.name,
            row.stage_name,
            row.amount,
            row.probability,
            row.expected_revenue,
            row.close_date,
            row.r#type,
            row.next_step,
            row.lead_source,
            row.is_closed,
            row.is_won,
            row.forecast_category,
            row.forecast_category_name,
            row.owner_id,
            stamp(&row.created_date),
            stamp(&row.last_modified_date),
            row.last_modified_by_id,
            stamp(&row.system_modstamp)
        ])
        .expect("an insert");
}
