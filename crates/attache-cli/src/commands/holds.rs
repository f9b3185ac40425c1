//! `attache why`, `rules`, `dry-run`, `pin`, `unpin` and `fetch`: what is on the device, and why.

use super::records::One;
use super::sync::block_on;
use crate::error::{Failure, Result};
use crate::output::{self, Output};
use crate::store;
use crate::tokens::Token;
use attache::{
    Briefcase, DryRun, ErrorKind, FilesEstimate, Holder, LocalTime, RecordId, RuleEstimate,
    RuleMembership,
};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Which records to bring.
#[derive(Args)]
pub struct Fetch {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The records' ids at the org.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    token: Token,
}

/// Which briefcase to try.
#[derive(Args)]
pub struct Try {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The briefcase document to try [default: the store's own].
    #[arg(long, value_name = "FILE")]
    briefcase: Option<PathBuf>,
    #[command(flatten)]
    token: Token,
}

#[derive(Serialize)]
struct WhyView<'a> {
    id: &'a str,
    here: bool,
    held: Vec<HolderView>,
}

#[derive(Serialize)]
struct HolderView {
    by: &'static str,
    rule: Option<String>,
    record: Option<String>,
    field: Option<String>,
    at: Option<String>,
}

fn instant(time: LocalTime) -> String {
    let text = output::local_time(time);
    text.replace(' ', "T").replace("TUTC", "Z")
}

fn holder(holder: Holder) -> HolderView {
    let mut view = HolderView {
        by: "other",
        rule: None,
        record: None,
        field: None,
        at: None,
    };
    match holder {
        Holder::Rule(rule) => (view.by, view.rule) = ("rule", Some(rule)),
        Holder::Pinned(at) => (view.by, view.at) = ("pin", Some(instant(at))),
        Holder::Viewed(at) => (view.by, view.at) = ("view", Some(instant(at))),
        Holder::Edited => view.by = "edit",
        Holder::PointedAt { by, field } => {
            view.by = "lookup";
            (view.record, view.field) = (Some(by.to_string()), Some(field));
        }
        _ => {}
    }
    view
}

fn sentence(view: &HolderView) -> String {
    let or = |text: &Option<String>| text.clone().unwrap_or_default();
    match view.by {
        "rule" => format!("the rule {:?} matches it", or(&view.rule)),
        "pin" => format!("pinned since {}", or(&view.at)),
        "view" => format!("last looked at {}", or(&view.at)),
        "edit" => "it has unsent edits".into(),
        "lookup" => format!(
            "{} of {} points at it, which has unsent edits",
            or(&view.field),
            or(&view.record)
        ),
        _ => "something that this program does not know".into(),
    }
}

/// Says what holds a record.
pub fn why(arguments: &One, output: &Output) -> Result<()> {
    let attache = store::open(&arguments.store)?;
    let id = RecordId::parse(&arguments.id)?;
    let view = WhyView {
        id: id.as_str(),
        here: attache.get(&id)?.is_some(),
        held: attache.why(&id)?.into_iter().map(holder).collect(),
    };
    output.show(&view, || match (view.here, view.held.as_slice()) {
        (false, _) => vec![format!("{id} is not on this device")],
        (true, []) => vec!["nothing holds it: the next sync evicts it".into()],
        (true, held) => held.iter().map(sentence).collect(),
    })
}

#[derive(Serialize)]
struct RulesView {
    rules: Vec<RuleMembership>,
}

/// Lists what each rule holds.
pub fn rules(path: &Path, output: &Output) -> Result<()> {
    let attache = store::open(path)?;
    let view = RulesView {
        rules: attache.membership()?,
    };
    output.show(&view, || {
        let row = |rule: &RuleMembership| {
            vec![
                rule.rule.clone(),
                rule.object.clone(),
                output::grouped(rule.records),
                output::grouped(rule.bytes),
                rule.cut_from.map(output::grouped).unwrap_or_default(),
            ]
        };
        let rows: Vec<Vec<String>> = view.rules.iter().map(row).collect();
        output::table(&["rule", "object", "records", "bytes", "cut from"], &rows)
    })
}

fn files_line(files: &FilesEstimate) -> String {
    let object = &files.object;
    match (files.files, files.bytes) {
        (Some(count), Some(bytes)) => format!(
            "files  {}{} of {object}, {} bytes",
            if files.exact { "" } else { "about " },
            output::count(count, "file", "files"),
            output::grouped(bytes)
        ),
        _ => format!("files  those of {object}, which the org cannot count"),
    }
}

/// Tells what a briefcase would bring and take away.
pub fn dry_run(arguments: &Try, output: &Output) -> Result<()> {
    let attache = store::open_online(&arguments.store, &arguments.token)?;
    let briefcase = match &arguments.briefcase {
        Some(path) => {
            let json = std::fs::read_to_string(path)
                .map_err(|error| Failure::file("read the briefcase", path, &error))?;
            Briefcase::from_json(&json)?
        }
        None => attache.briefcase()?.ok_or_else(|| {
            Failure::new(ErrorKind::NotReady, "the store has no briefcase".to_owned())
                .hint("give one with --briefcase FILE")
        })?,
    };
    let would = block_on(attache.dry_run(&briefcase))??;
    output.show(&would, || dry_run_lines(&would))
}

fn dry_run_lines(would: &DryRun) -> Vec<String> {
    let about = |rule: &RuleEstimate| if rule.exact { "" } else { "about " };
    let row = |rule: &RuleEstimate| {
        vec![
            rule.rule.clone(),
            rule.object.clone(),
            format!("{}{}", about(rule), output::grouped(rule.matches)),
            match rule.is_truncated() {
                true => format!("{} (limit)", output::grouped(rule.records)),
                false => output::grouped(rule.records),
            },
            output::grouped(rule.bytes),
            output::grouped(rule.here),
        ]
    };
    let rows: Vec<Vec<String>> = would.rules.iter().map(row).collect();
    let mut lines = output::table(
        &["rule", "object", "matches", "holds", "bytes", "here"],
        &rows,
    );
    lines.extend([
        String::new(),
        format!(
            "bring  {} at most, about {} bytes",
            output::count(would.download, "record", "records"),
            output::grouped(would.download_bytes)
        ),
        format!(
            "evict  {}, about {} bytes",
            output::count(would.evict, "record", "records"),
            output::grouped(would.evict_bytes)
        ),
    ]);
    lines.extend(would.files.iter().map(files_line));
    lines.push(format!(
        "cost   about {}",
        output::count(would.calls, "API call", "API calls")
    ));
    lines
}

#[derive(Serialize)]
struct PinView<'a> {
    id: &'a str,
    pinned: bool,
    here: bool,
}

/// Keeps a record whatever the rules say.
pub fn pin(arguments: &One, output: &Output) -> Result<()> {
    let attache = store::open(&arguments.store)?;
    let id = RecordId::parse(&arguments.id)?;
    attache.pin(&id)?;
    let here = attache.get(&id)?.is_some();
    let view = PinView {
        id: id.as_str(),
        pinned: true,
        here,
    };
    output.show(&view, || vec![format!("pinned {id}")])?;
    if !here {
        output.note(format!("next: attache sync {}", arguments.store.display()));
    }
    Ok(())
}

/// Leaves a record to the rules again.
pub fn unpin(arguments: &One, output: &Output) -> Result<()> {
    let attache = store::open(&arguments.store)?;
    let id = RecordId::parse(&arguments.id)?;
    attache.unpin(&id)?;
    let view = PinView {
        id: id.as_str(),
        pinned: false,
        here: attache.get(&id)?.is_some(),
    };
    output.show(&view, || vec![format!("unpinned {id}")])
}

#[derive(Serialize)]
struct FetchView {
    records: Vec<FetchedView>,
}

#[derive(Serialize)]
struct FetchedView {
    id: String,
    here: bool,
    problem: Option<String>,
}

/// Brings single records onto the device.
pub fn fetch(arguments: &Fetch, output: &Output) -> Result<()> {
    let attache = store::open_online(&arguments.store, &arguments.token)?;
    let ids: Vec<RecordId> = arguments
        .ids
        .iter()
        .map(|id| RecordId::parse(id))
        .collect::<attache::Result<_>>()?;
    let fetched = block_on(attache.fetch(&ids))??;
    let view = |(id, result): (&RecordId, attache::Result<RecordId>)| FetchedView {
        id: id.to_string(),
        here: result.is_ok(),
        problem: result.err().map(|error| error.to_string()),
    };
    let view = FetchView {
        records: ids.iter().zip(fetched).map(view).collect(),
    };
    output.show(&view, || {
        let line = |record: &FetchedView| match &record.problem {
            None => format!("{} is here", record.id),
            Some(problem) => format!("{}: {problem}", record.id),
        };
        view.records.iter().map(line).collect()
    })
}
