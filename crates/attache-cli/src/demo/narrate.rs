//! The story for a person: six steps, short.

use crate::commands::conflict_lines;
use crate::demo::Story;
use crate::demo::diary::Diary;
use crate::demo::ledger::Choice;
use crate::demo::settle::Settled;
use crate::demo::world::Device;
use crate::error::{Result, sentence};
use crate::output::{self, Output, count, grouped};
use attache::{ConflictKind, Report};
use std::cmp::Reverse;

/// Conflicts that are shown in full.
const CONFLICTS_SHOWN: usize = 3;
/// Merges that are shown.
const MERGES_SHOWN: usize = 3;
/// Differences that are shown; with `--json` all are.
const DIFFERENCES_SHOWN: usize = 40;

/// Tells the story as it happens; silent when the caller reads JSON.
pub struct Narrator<'a> {
    output: &'a Output,
    colour: bool,
}

impl<'a> Narrator<'a> {
    /// Starts telling.
    pub fn new(output: &'a Output) -> Narrator<'a> {
        Narrator {
            output,
            colour: output::is_colourful(),
        }
    }

    /// Says whether bars may be drawn.
    pub fn shows_bars(&self) -> bool {
        !self.output.is_json()
    }

    /// Introduces the org.
    pub fn opening(&self, story: &Story) -> Result<()> {
        self.line(self.bold(&format!("Attaché demo, seed {}", story.seed)))?;
        self.line(
            "Two people take a Salesforce org's records offline, work a day without a network",
        )?;
        self.line("while colleagues change the same records, come home, and compare every value.")?;
        self.line(format!(
            "The org: a sandbox at {}, {}.",
            story.url,
            count(story.records, "record", "records")
        ))
    }

    /// Step 1.
    pub fn packed(&self, story: &Story, devices: &[Device; 2]) -> Result<()> {
        self.step(1, "Pack the briefcases")?;
        self.line(
            "My Accounts, My Opportunities Closing in the Next 90 Days, Tasks Due This Week,",
        )?;
        self.line("and what belongs to them.")?;
        for (packed, device) in story.packed.iter().zip(devices) {
            let total = packed.objects.iter().map(|(_, count)| count).sum();
            let objects: Vec<String> = packed
                .objects
                .iter()
                .map(|(object, count)| format!("{} {object}", grouped(*count)))
                .collect();
            let cost = format!(
                "{:.2} s, {}",
                packed.seconds,
                calls(packed.report.api_calls)
            );
            self.line(format!(
                "{}: {}, {cost}",
                self.name(device),
                count(total, "record", "records")
            ))?;
            self.line(format!("  {}", objects.join(", ")))?;
        }
        Ok(())
    }

    /// Step 2.
    pub fn offline(&self, story: &Story, devices: &[Device; 2]) -> Result<()> {
        self.step(2, "Cut the network")?;
        if let Some(tried) = story.offline.first() {
            self.line(format!(
                "{} syncs anyway: \"{}\".",
                self.name(&devices[0]),
                tried.error
            ))?;
        }
        let soql = "SELECT Name, Account.Name, Amount FROM Opportunity \
                    WHERE CloseDate = NEXT_N_DAYS:90 AND Amount != null ORDER BY Amount DESC LIMIT 3";
        self.line("Nothing is lost, and questions are still answered, from the device alone:")?;
        let rows = devices[0].store.query(soql)?;
        let columns: Vec<String> = rows.columns().to_vec();
        let header: Vec<&str> = columns.iter().map(String::as_str).collect();
        let cells: Vec<Vec<String>> = rows
            .map(|row| row.cells().iter().map(output::cell).collect())
            .collect();
        self.lines("  ", output::table(&header, &cells))
    }

    /// Step 3.
    pub fn day(&self, story: &Story, devices: &[Device; 2], diary: &Diary) -> Result<()> {
        self.step(3, "A working day offline")?;
        for (device, waiting) in devices.iter().zip(&story.waiting) {
            let who = &device.person.name;
            self.line(format!(
                "{}: {} created, {} changed, {} deleted; {waiting} edits wait, each durable since it was typed",
                self.name(device),
                diary.count(who, "created"),
                diary.count(who, "changed"),
                diary.count(who, "deleted")
            ))?;
        }
        let customer = diary
            .lines
            .iter()
            .find(|line| line.did == "created" && line.object == "Account");
        if let Some(line) = customer {
            self.line(format!(
                "{} met a new customer, {}, and put a contact, an opportunity,",
                line.who, line.title
            ))?;
            self.line("a visit and a task under it, all linked before the org knows any of them.")?;
        }
        self.line(
            "One opportunity was refused on the spot, with everything that was wrong with it:",
        )?;
        self.lines("  ", story.refused_locally.iter().map(sentence).collect())
    }

    /// Step 4.
    pub fn meanwhile(&self, colleague: &str, diary: &Diary) -> Result<()> {
        self.step(4, "Meanwhile, at the org")?;
        self.line(format!(
            "{} changed {} and deleted {}: the same records, fields and dates among them,",
            self.bold(colleague),
            count(diary.count(colleague, "changed"), "record", "records"),
            diary.count(colleague, "deleted")
        ))?;
        self.line("owners and parents too, so that records leave and enter the briefcases; triggers followed.")
    }

    /// Step 5.
    pub fn home(&self, story: &Story, devices: &[Device; 2]) -> Result<()> {
        self.step(5, "The next morning: reconnect and sync")?;
        self.sessions(story, devices)?;
        self.merges(story, devices)?;
        self.conflicts(&story.home.conflicts, devices)?;
        self.refusals(story, devices)
    }

    fn sessions(&self, story: &Story, devices: &[Device; 2]) -> Result<()> {
        let header = [
            "round",
            "device",
            "pulled",
            "pushed",
            "merged",
            "conflicts",
            "refused",
            "calls",
            "time",
        ];
        let rows: Vec<Vec<String>> = story
            .home
            .sessions
            .iter()
            .map(|session| {
                let mut row = vec![
                    session.round.to_string(),
                    devices[session.device].person.name.clone(),
                ];
                match &session.outcome {
                    Ok(report) => row.extend(figures(report)),
                    Err(_) => row.extend(vec!["–".into(); header.len() - 3]),
                }
                row.push(format!("{:.0} ms", session.seconds * 1_000.0));
                row
            })
            .collect();
        self.lines("", output::table(&header, &rows))?;
        for session in story
            .home
            .sessions
            .iter()
            .filter(|session| session.lost_an_answer)
        {
            let who = self.name(&devices[session.device]);
            let what = match &session.outcome {
                Ok(_) => {
                    "the answer to a write was lost after the org had saved it; it was found, not sent twice"
                }
                Err(_) => {
                    "an answer was lost and the session broke off; the next one went on from there"
                }
            };
            self.line(format!("{who}: {what}."))?;
        }
        Ok(())
    }

    fn merges(&self, story: &Story, devices: &[Device; 2]) -> Result<()> {
        let mut merged: Vec<_> = story
            .home
            .sessions
            .iter()
            .filter_map(|session| Some((session.device, session.outcome.as_ref().ok()?)))
            .flat_map(|(device, report)| report.merged.iter().map(move |merged| (device, merged)))
            .collect();
        // The richest first: a deletion that gave way, then what joins the most fields.
        merged.sort_by_key(|(_, merged)| {
            let fields = merged
                .taken
                .iter()
                .filter(|field| !is_automatic(field))
                .count()
                .min(2);
            Reverse((
                merged.delete_withdrawn,
                fields.min(merged.kept.len()),
                fields,
            ))
        });
        let records = count(merged.len() as u64, "record", "records");
        self.line(format!(
            "{} {records}, among them:",
            self.bold("Merged without asking:")
        ))?;
        for (device, merged) in merged.iter().take(MERGES_SHOWN) {
            let title =
                crate::demo::edits::title(&devices[*device], &merged.object, &merged.record)?;
            let mut parts = Vec::new();
            if merged.delete_withdrawn {
                parts.push("deleted here, edited there, so it lives".to_owned());
            }
            if !merged.kept.is_empty() {
                parts.push(format!("mine: {}", merged.kept.join(", ")));
            }
            let taken: Vec<&str> = merged
                .taken
                .iter()
                .map(String::as_str)
                .filter(|field| !is_automatic(field))
                .collect();
            if !taken.is_empty() {
                parts.push(format!("theirs: {}", taken.join(", ")));
            }
            self.line(format!(
                "  {} “{}”: {}",
                merged.object,
                output::cut(&title),
                parts.join("; ")
            ))?;
        }
        Ok(())
    }

    fn conflicts(&self, settled: &[Settled], devices: &[Device; 2]) -> Result<()> {
        self.line(format!(
            "{} {}",
            self.bold("Asked:"),
            count(settled.len() as u64, "conflict", "conflicts")
        ))?;
        for one in examples(settled, devices) {
            self.lines("  ", conflict_lines(&one.conflict))?;
            let choices: Vec<String> = one
                .choices
                .iter()
                .map(|(field, choice)| format!("{} ({field})", choice.word()))
                .collect();
            self.line(format!(
                "  {} {}",
                self.name(&devices[one.device]),
                choices.join(", ")
            ))?;
        }
        let tally: Vec<String> = [Choice::Mine, Choice::Theirs, Choice::Value, Choice::Again]
            .iter()
            .map(|choice| {
                let times = settled
                    .iter()
                    .flat_map(|one| &one.choices)
                    .filter(|(_, made)| made == choice)
                    .count();
                format!("{} {times}×", choice.word())
            })
            .collect();
        self.line(format!("  in all: {}", tally.join(", ")))
    }

    fn refusals(&self, story: &Story, devices: &[Device; 2]) -> Result<()> {
        let refusals = &story.home.refusals;
        let edits = count(refusals.len() as u64, "edit", "edits");
        self.line(format!(
            "{} {edits}, by rules that only the org knows:",
            self.bold("Refused by the org:")
        ))?;
        for refusal in refusals {
            let reasons: Vec<String> = refusal
                .problems
                .iter()
                .map(|problem| problem.message.clone())
                .collect();
            self.line(format!(
                "  {} “{}”: {} → {} {}",
                refusal.object,
                output::cut(&refusal.title),
                reasons.join(" "),
                self.name(&devices[refusal.device]),
                refusal.choice.word()
            ))?;
        }
        Ok(())
    }

    /// Step 6.
    pub fn verdict(&self, story: &Story, devices: &[Device; 2]) -> Result<()> {
        self.step(6, "Compare every record and every field")?;
        let findings = &story.findings;
        for (device, (records, values)) in devices
            .iter()
            .zip(findings.records.iter().zip(&findings.values))
        {
            self.line(format!(
                "{}: {} and {} held against the org",
                self.name(device),
                count(*records, "record", "records"),
                count(*values, "value", "values")
            ))?;
        }
        self.line(format!(
            "{} edits: {} written values and deletions are at the org, {} were decided otherwise",
            story.typed, findings.in_org, findings.decided
        ))?;
        self.line(format!(
            "{} made on a device are at the org exactly once; {} of colleagues and {} bystanders stand",
            count(findings.once, "record", "records"),
            count(findings.colleagues, "value", "values"),
            grouped(findings.bystanders)
        ))?;
        for (device, (report, seconds)) in devices.iter().zip(&story.again) {
            self.line(format!(
                "{} syncs once more: nothing to do, {}, {:.0} ms",
                self.name(device),
                calls(report.api_calls),
                seconds * 1_000.0
            ))?;
        }
        self.line("")?;
        let cost = format!("{:.2} s, {}", story.seconds, calls(story.api_calls()));
        if findings.differences.is_empty() {
            return self.line(self.bold(&format!(
                "All agree: nothing lost, nothing twice, nothing different. {cost}."
            )));
        }
        self.line(self.bold(&format!(
            "{}. {cost}.",
            count(
                findings.differences.len() as u64,
                "difference",
                "differences"
            )
        )))?;
        for difference in findings.differences.iter().take(DIFFERENCES_SHOWN) {
            self.line(format!("  {difference}"))?;
        }
        Ok(())
    }

    fn step(&self, number: u32, title: &str) -> Result<()> {
        self.line("")?;
        self.line(self.bold(&format!("{number}  {title}")))
    }

    fn line(&self, line: impl AsRef<str>) -> Result<()> {
        if self.output.is_json() {
            Ok(())
        } else {
            self.output.text(line.as_ref())
        }
    }

    fn lines(&self, indent: &str, lines: Vec<String>) -> Result<()> {
        lines
            .iter()
            .try_for_each(|line| self.line(format!("{indent}{line}")))
    }

    fn name(&self, device: &Device) -> String {
        self.bold(&device.person.name)
    }

    fn bold(&self, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn figures(report: &Report) -> Vec<String> {
    let pulled =
        report.inserted + report.updated + report.evicted + report.deleted + report.out_of_sight;
    vec![
        pulled.to_string(),
        crate::demo::settle::pushed(report).to_string(),
        report.merged.len().to_string(),
        report.conflicts.to_string(),
        report.rejected.len().to_string(),
        report.api_calls.to_string(),
    ]
}

fn calls(calls: u64) -> String {
    count(calls, "API call", "API calls")
}

/// Fields that a save moves by itself.
fn is_automatic(field: &str) -> bool {
    matches!(
        field,
        "LastModifiedDate"
            | "LastModifiedById"
            | "SystemModstamp"
            | "LastActivityDate"
            | "LastStageChangeDate"
    )
}

/// Three conflicts that differ: with a colleague, with the other device, about a deletion.
fn examples<'a>(settled: &'a [Settled], devices: &[Device; 2]) -> Vec<&'a Settled> {
    let by_device = |one: &Settled| {
        let who = one.conflict.changed_by.as_deref();
        devices
            .iter()
            .any(|device| who == Some(device.person.name.as_str()))
    };
    let deleted = |one: &Settled| one.conflict.kind == ConflictKind::DeletedAtRemote;
    let shapes: [&dyn Fn(&Settled) -> bool; CONFLICTS_SHOWN] = [
        &|one| !by_device(one) && !deleted(one),
        &by_device,
        &deleted,
    ];
    shapes
        .iter()
        .filter_map(|shape| settled.iter().find(|one| shape(one)))
        .collect()
}
