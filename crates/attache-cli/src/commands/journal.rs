//! `attache pending`, `discard` and `retry`: the edits that were not confirmed.

use crate::error::{Result, sentence};
use crate::output::{self, Output};
use crate::store;
use attache::{JournalSeq, Mutation, MutationKind, MutationState, Problem};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Which edit of which store.
#[derive(Args)]
pub struct Arguments {
    /// The store's file.
    #[arg(value_name = "FILE")]
    store: PathBuf,
    /// The edit's number, as `attache pending` shows it.
    seq: i64,
}

#[derive(Serialize)]
struct PendingView<'a> {
    pending: &'a [Mutation],
}

#[derive(Serialize)]
struct Handled {
    seq: i64,
    state: &'static str,
}

/// Which rejected edit of which store, and how it is sent again.
#[derive(Args)]
pub struct Retry {
    #[command(flatten)]
    edit: Arguments,
    /// Save the record although the org takes it for a duplicate; `attache pending` shows of which.
    #[arg(long)]
    save_anyway: bool,
}

/// Lists the edits that the org has not confirmed.
pub fn pending(path: &Path, output: &Output) -> Result<()> {
    let store = store::open(path)?;
    let pending = store.pending()?;
    let mut waiting = Vec::new();
    for mutation in &pending {
        let edits: Vec<String> = match mutation.state {
            MutationState::Pending => store.waits_for(mutation.seq)?,
            _ => Vec::new(),
        }
        .iter()
        .map(|seq| seq.0.to_string())
        .collect();
        if !edits.is_empty() {
            waiting.push(format!(
                "edit {} waits for {}: all edits of their changeset are saved, or none",
                mutation.seq.0,
                edits.join(", ")
            ));
        }
    }
    let view = PendingView { pending: &pending };
    output.show(&view, || {
        let mut lines = mutation_lines(&pending);
        lines.extend(waiting);
        lines
    })
}

/// Takes an unsent edit back.
pub fn discard(arguments: &Arguments, output: &Output) -> Result<()> {
    store::open(&arguments.store)?.discard(JournalSeq(arguments.seq))?;
    handled(arguments.seq, "discarded", output)
}

/// Sends a rejected edit again with the next session.
pub fn retry(arguments: &Retry, output: &Output) -> Result<()> {
    let Arguments { store, seq } = &arguments.edit;
    let store = store::open(store)?;
    match arguments.save_anyway {
        true => store.save_anyway(JournalSeq(*seq))?,
        false => store.retry(JournalSeq(*seq))?,
    }
    handled(*seq, "pending", output)
}

fn handled(seq: i64, state: &'static str, output: &Output) -> Result<()> {
    output.show(&Handled { seq, state }, || {
        vec![format!("edit {seq} is {state}")]
    })
}

/// Edits as a table, with what was refused about them.
pub(super) fn mutation_lines(pending: &[Mutation]) -> Vec<String> {
    if pending.is_empty() {
        return vec!["nothing waits: the org has confirmed every edit".into()];
    }
    let rows: Vec<Vec<String>> = pending
        .iter()
        .map(|mutation| {
            let fields: Vec<String> = mutation
                .fields
                .iter()
                .map(|(name, value)| format!("{name}={}", output::display(value)))
                .collect();
            vec![
                mutation.seq.0.to_string(),
                state(&mutation.state).into(),
                kind(mutation.kind).into(),
                mutation.object.clone(),
                mutation.record.to_string(),
                fields.join(", "),
            ]
        })
        .collect();
    let mut lines = output::table(
        &["edit", "state", "does", "object", "record", "fields"],
        &rows,
    );
    for mutation in pending {
        if let MutationState::Rejected(reasons) | MutationState::InDoubt(reasons) = &mutation.state
        {
            for problem in reasons {
                lines.push(format!("edit {}: {}", mutation.seq.0, sentence(problem)));
                lines.extend(duplicate_lines(problem, mutation.seq));
            }
        }
    }
    lines
}

/// Which records a duplicate may be, and what a person can do about it.
pub(super) fn duplicate_lines(problem: &Problem, seq: JournalSeq) -> Vec<String> {
    let Some(found) = &problem.duplicates else {
        return Vec::new();
    };
    let mut lines: Vec<String> = found
        .candidates
        .iter()
        .map(|candidate| {
            let fields = match candidate.fields.as_slice() {
                [] => String::new(),
                fields => format!(", the same in {}", fields.join(", ")),
            };
            format!("  it may be {} {}{fields}", candidate.object, candidate.id)
        })
        .collect();
    if found.may_save {
        lines.push(format!(
            "  to save it all the same: attache retry FILE {} --save-anyway",
            seq.0
        ));
    }
    lines
}

fn kind(kind: MutationKind) -> &'static str {
    match kind {
        MutationKind::Create => "create",
        MutationKind::Update => "update",
        MutationKind::Delete => "delete",
    }
}

fn state(state: &MutationState) -> &'static str {
    match state {
        MutationState::Pending => "pending",
        MutationState::Sending => "sending",
        MutationState::InDoubt(_) => "in doubt",
        MutationState::Rejected(_) => "rejected",
        MutationState::Conflicted => "conflicted",
    }
}
