//! `attache sync`: one session.

use super::journal::duplicate_lines;
use crate::error::{Failure, Result, sentence};
use crate::output::{self, Output};
use crate::progress::Bar;
use crate::store;
use crate::tokens::Token;
use attache::{Attache, CallBudget, CancelToken, ErrorKind, Report, StopReason, Stopped};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Which store, and who.
#[derive(Args)]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    #[command(flatten)]
    token: Token,
    #[command(flatten)]
    terms: Terms,
}

/// What the session is to spare.
#[derive(Args, Clone, Copy, Default)]
pub struct Terms {
    /// API calls that this session may make, about; the next one goes on from there.
    #[arg(long, value_name = "CALLS")]
    calls_max: Option<u64>,
    /// API calls that all sessions of this store may make in a day of UTC, about.
    #[arg(long, value_name = "CALLS")]
    day_calls_max: Option<u64>,
    /// Sends edits and reads small changes only: first loads wait, and so do the bytes of files.
    #[arg(long)]
    metered: bool,
}

/// A report as data: what the engine tells, and what this run took.
#[derive(Serialize)]
pub struct ReportView<'a> {
    #[serde(flatten)]
    report: &'a Report,
    pushed: Pushed,
    seconds: f64,
    peak_memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Pushed {
    creates: u64,
    updates: u64,
    deletes: u64,
}

impl<'a> ReportView<'a> {
    /// Shows a report as data.
    pub fn of(report: &'a Report, seconds: f64) -> ReportView<'a> {
        ReportView {
            report,
            pushed: Pushed {
                creates: report.pushed_creates,
                updates: report.pushed_updates,
                deletes: report.pushed_deletes,
            },
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            peak_memory_bytes: peak_memory_bytes(),
        }
    }
}

/// Runs one session and prints its report.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let attache = store::open_online(&arguments.store, &arguments.token)?;
    let started = Instant::now();
    let bar = Bar::new("sync", !output.is_json());
    let report = session(&attache, arguments.terms, &bar);
    bar.finish();
    let report = report?;
    let seconds = started.elapsed().as_secs_f64();
    output.show(&ReportView::of(&report, seconds), || {
        lines(&report, seconds)
    })?;
    let store = arguments.store.display();
    if report.conflicts > 0 {
        output.note(format!("next: attache conflicts {store}"));
    } else if !report.is_settled() {
        output.note(format!("next: attache pending {store}"));
    }
    Ok(())
}

/// Runs a session to its end, or until Ctrl-C stops it at its next step.
fn session(attache: &Attache, terms: Terms, bar: &Bar) -> Result<Report> {
    let cancel = CancelToken::new();
    let shown = bar.clone();
    let mut session = attache.sync().budget(CallBudget {
        session_calls: terms.calls_max,
        day_calls: terms.day_calls_max,
    });
    if terms.metered {
        session = session.metered();
    }
    let session = session
        .on_progress(move |progress| shown.set(&progress))
        .cancel_token(cancel.clone());
    let report = block_on(async move {
        let mut session = session.into_future();
        tokio::select! {
            report = &mut session => report,
            _ = tokio::signal::ctrl_c() => {
                cancel.cancel();
                session.await
            }
        }
    })?;
    Ok(report?)
}

/// Runs a future to its end on this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                ErrorKind::Internal,
                format!("cannot start an event loop: {error}"),
            )
        })?;
    Ok(runtime.block_on(future))
}

fn lines(report: &Report, seconds: f64) -> Vec<String> {
    let mut lines = vec![
        format!(
            "pulled   {} new, {} changed, {} deleted, {} left the briefcase",
            output::grouped(report.inserted),
            output::grouped(report.updated),
            output::grouped(report.deleted),
            output::grouped(report.evicted)
        ),
        format!(
            "pushed   {} created, {} changed, {} deleted",
            report.pushed_creates, report.pushed_updates, report.pushed_deletes
        ),
    ];
    if report.out_of_sight > 0 {
        let records = output::count(report.out_of_sight, "record", "records");
        lines.push(format!("gone     {records} out of sight"));
    }
    if !report.merged.is_empty() {
        let records = output::count(report.merged.len() as u64, "record", "records");
        lines.push(format!("merged   {records}, without asking"));
    }
    for dropped in &report.dropped {
        lines.push(format!(
            "gone     {} {}, whose deletion was refused",
            dropped.object, dropped.record
        ));
    }
    for rejected in &report.rejected {
        lines.push(format!("refused  {} {}", rejected.object, rejected.record));
        for problem in &rejected.problems {
            lines.push(format!("         {}", sentence(problem)));
            let seq = rejected.mutations.first().copied();
            let told = seq.map(|seq| duplicate_lines(problem, seq));
            lines.extend(
                told.into_iter()
                    .flatten()
                    .map(|line| format!("         {line}")),
            );
        }
    }
    let files = &report.files;
    if files.fetched + files.left + files.unfit > 0 {
        let fetched = output::count(files.fetched, "file", "files");
        let bytes = output::grouped(files.fetched_bytes);
        lines.push(format!(
            "files    {fetched} fetched ({bytes} bytes), {} left for want of room, {} not as the org describes them",
            files.left, files.unfit
        ));
    }
    for cut in &report.truncated {
        let matches = output::count(cut.matches, "record", "records");
        lines.push(format!(
            "cut      rule {:?} matches {matches}, its limit is {}",
            cut.rule, cut.limit
        ));
    }
    if report.undecided > 0 {
        let creates = output::count(report.undecided, "record", "records");
        lines.push(format!(
            "decide   {creates} may have been created or not: retry or discard"
        ));
    }
    for (record, object) in &report.unpinned {
        lines.push(format!(
            "unpinned {object} {record}: the org has it no longer"
        ));
    }
    lines.extend(report.stopped.map(stopped_line));
    lines.push(match report.is_settled() {
        true => "settled  nothing is left to send or to decide".into(),
        false => format!(
            "open     {}, {} rejected, {} blocked, {} in doubt, {} to send",
            output::count(report.conflicts, "conflict", "conflicts"),
            report.rejected.len(),
            report.blocked,
            report.in_doubt,
            report.pending
        ),
    });
    lines.push(format!(
        "cost     {}, {seconds:.2} s",
        output::count(report.api_calls, "API call", "API calls")
    ));
    lines
}

fn stopped_line(stopped: Stopped) -> String {
    let why = match stopped.why {
        StopReason::SessionBudget => "the calls of this session are used up",
        StopReason::DayBudget => "the calls of today are used up",
        StopReason::RemoteLimit => "the org allows no more calls",
        StopReason::Metered => "what is large waits for a session that is not metered",
    };
    match stopped.retry_after_ms.div_ceil(60_000) {
        0 => format!("stopped  {why}"),
        minutes => format!("stopped  {why}: sync again in {minutes} minutes"),
    }
}

/// The most memory this process has had, where the system tells (Linux).
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}
