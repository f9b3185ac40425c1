//! A session: pull, merge, push, read back. Linear code over [`Remote`], on no runtime in particular.

mod agree;
mod ahead;
mod answer;
mod apply;
mod calendar;
mod changes;
mod derived;
mod doubt;
mod draft;
mod drift;
mod fate;
mod fetch;
mod file;
mod files;
mod forms;
mod held;
mod ids;
mod index;
mod merges;
mod pages;
mod patience;
mod prepare;
mod pull;
mod push;
mod relate;
mod scan;
mod soql;
mod space;
mod spend;
mod survey;
mod tasks;
mod together;
mod units;
mod uploads;
mod weigh;

use crate::budget::{Spending, Stopped};
use crate::engine::CancelToken;
use crate::env::{Env, LocalTime};
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::{
    Conflict, ConflictId, JournalSeq, MutationKind, Phase, Progress, Rejected, Report, Truncated,
};
use crate::record::{RecordId, ServerTime};
use crate::remote::Remote;
use crate::resolver::Resolver;
use crate::store::{Durability, Entry, State, Store, Table};
pub(crate) use patience::Patient;
use prepare::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
pub(crate) use survey::{Survey, Surveyed};

/// A set of this many pages and more is looked at once a day, if a small one is looked at every hour.
const SWEEP_PAGES_A_DAY_MAX: i64 = 24;

/// The limits and windows of a session.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How far each window of changes reaches back into the last one: a row may
    /// become visible this long after its stamp. Salesforce lets a transaction
    /// run ten minutes (reference, section 7.2).
    pub overlap_seconds: i64,
    /// How long after an unanswered create the server may still be at work on it.
    pub doubt_seconds: i64,
    /// How old a complete look at a small rule may get before it is looked at anew.
    pub sweep_seconds: i64,
    /// How old a describe may get.
    pub describe_seconds: i64,
    /// Writes in one batch.
    pub batch_rows_max: usize,
    /// Ids in one condition, if its statement has room for them: those of a page of records.
    pub ids_per_query_max: usize,
    /// Ids in one call that reads records by id.
    pub ids_per_read_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            overlap_seconds: 600,
            doubt_seconds: 600,
            sweep_seconds: 3600,
            describe_seconds: 24 * 3600,
            batch_rows_max: 200,
            ids_per_query_max: 2_000,
            ids_per_read_max: 2_000,
        }
    }
}

/// A session at work.
pub(crate) struct Run<'a> {
    pub store: &'a Store,
    pub remote: &'a dyn Remote,
    pub env: &'a dyn Env,
    pub cancel: &'a CancelToken,
    pub progress: &'a mut (dyn FnMut(Progress) + Send),
    pub settings: Settings,
    pub report: Report,
    nodes: Vec<Node>,
    /// What is to be asked soon, and was answered already.
    together: together::Together,
    /// The calls that it may make; `None`: as many as it needs.
    spending: Option<Spending>,
    calls_before: u64,
    /// The credentials are those of the user whose store it is.
    is_owner: bool,
    /// Only what is small is read, and something else was left.
    metered: bool,
    postponed: bool,
    /// Tables of records that something but a rule holds, their objects described in this session.
    held: Vec<Arc<Table>>,
    /// Objects that are no longer there for this user.
    gone: BTreeSet<String>,
    /// Which formulas read which parents.
    ways: Vec<derived::Way>,
    /// Records that came in with a change that a formula below them reads, by the place of the way to them.
    moved: BTreeMap<usize, ids::Ids>,
    /// What this session has written of records that it reads back.
    pushed: BTreeMap<String, BTreeSet<String>>,
    /// A describe was not the one that the store had.
    org_has_changed: bool,
    /// What the server's clock showed when this session began to read.
    began: Option<ServerTime>,
    /// Whom the host lets decide conflicts.
    resolver: Option<&'a Resolver>,
    /// The conflicts that were put to it, as they were then.
    shown: BTreeMap<ConflictId, Conflict>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        store: &'a Store,
        remote: &'a dyn Remote,
        env: &'a dyn Env,
        cancel: &'a CancelToken,
        progress: &'a mut (dyn FnMut(Progress) + Send),
        settings: Settings,
    ) -> Run<'a> {
        Run {
            store,
            remote,
            env,
            cancel,
            progress,
            settings,
            report: Report::default(),
            nodes: Vec::new(),
            together: together::Together::default(),
            spending: None,
            calls_before: remote.usage().calls,
            is_owner: false,
            metered: false,
            postponed: false,
            held: Vec::new(),
            gone: BTreeSet::new(),
            ways: Vec::new(),
            moved: BTreeMap::new(),
            pushed: BTreeMap::new(),
            org_has_changed: false,
            began: None,
            resolver: None,
            shown: BTreeMap::new(),
        }
    }

    pub(crate) fn with_resolver(mut self, resolver: Option<&'a Resolver>) -> Run<'a> {
        self.resolver = resolver;
        self
    }

    /// Runs a whole session.
    pub(crate) async fn sync(mut self) -> Result<Report> {
        let ended = match self.whole().await {
            Ok(()) => Ok(self.left_over()),
            // A limit is no failure: what was done is done, and the next session goes on.
            Err(error) if error.kind() == ErrorKind::LimitReached => {
                Ok(Some(self.stopped_by(&error)))
            }
            Err(error) => Err(error),
        };
        // A limit may be met before it is known who this is, and is no less a reason to stay away.
        if self.is_owner || matches!(ended, Ok(Some(_))) {
            self.note_calls(*ended.as_ref().unwrap_or(&None))?;
        }
        self.finish(ended?)
    }

    async fn whole(&mut self) -> Result<()> {
        let prepared = self.prepare(false).await;
        let is_org = prepared.is_ok();
        let first = match prepared {
            Ok(()) => self.steps().await,
            failed => failed,
        };
        if let Err(error) = first {
            // An object or a field went away or became another since it was described: look at the org anew, once.
            self.settings.describe_seconds = 0;
            match error.kind() {
                ErrorKind::UnknownObject | ErrorKind::UnknownField => self.prepare(false).await?,
                // A value of another type than described may be one of a type that is new. What did not even say
                // who it is has no types: its answer stands.
                ErrorKind::NotARemote
                    if is_org && self.prepare(false).await.is_ok() && self.org_has_changed => {}
                _ => return Err(error),
            }
            self.steps().await?;
        }
        self.files().await?;
        self.name_users().await
    }

    /// What follows once the org is known.
    async fn steps(&mut self) -> Result<()> {
        self.began = self.remote.server_time();
        self.resolve_doubt().await?;
        self.find_lost().await?;
        if self.push_first().await? {
            self.resolve_doubt().await?;
        }
        let lacking = self.lacks_columns()?;
        if !self.is_spared(lacking) {
            self.fill_in().await?;
        }
        self.pull(!self.metered).await?;
        self.answer_conflicts().await?;
        if self.push().await? {
            // What our writes moved elsewhere (roll-ups, memberships) is ours to know now.
            self.resolve_doubt().await?;
            self.pull(false).await?;
            self.answer_conflicts().await?;
        }
        Ok(())
    }

    /// Checks the briefcase against the org, and nothing else.
    pub(crate) async fn prepare_only(mut self) -> Result<()> {
        self.prepare(true).await
    }

    /// Takes what sessions have to tell, and notes the end of this one if it is `whole`.
    fn take_untold(
        &self,
        now: LocalTime,
        whole: bool,
    ) -> Result<(Report, Vec<(RecordId, String)>)> {
        self.store.write(Durability::Durable, |w| {
            if whole {
                w.set_setting("last_sync", &now.0.to_string())?;
            }
            w.forget_decisions()?;
            Ok((w.take_notices()?, w.take_unpinned()?))
        })
    }

    fn finish(mut self, stopped: Option<Stopped>) -> Result<Report> {
        let (now, calls) = (self.env.now(), self.calls());
        let (untold, unpinned) = match self.is_owner {
            true => self.take_untold(now, stopped.is_none())?,
            // A limit met before it was known who this is: what is told once is not told to anybody.
            false => Default::default(),
        };
        self.report = Report {
            unpinned,
            unfollowed: self.report.unfollowed,
            stopped,
            files: self.report.files,
            ..untold
        };
        let entries = self.store.read(|r| r.entries())?;
        let steps: Vec<_> = entries.iter().map(Entry::step).collect();
        let blocked: BTreeSet<i64> = self.waiting(&steps)?;
        let count =
            |state: State| entries.iter().filter(|entry| entry.state == state).count() as u64;
        self.report.blocked = blocked.len() as u64;
        self.report.rejected = self.rejections(&entries)?;
        self.report.pending = count(State::Pending).saturating_sub(self.report.blocked);
        self.report.in_doubt = count(State::InDoubt) + count(State::Sending);
        self.report.undecided = entries
            .iter()
            .filter(|entry| entry.kind == MutationKind::Create && entry.is_undecided())
            .count() as u64;
        self.report.conflicts = self.store.read(|r| r.conflict_count())?;
        self.report.truncated = self.truncations()?;
        self.report.api_calls = calls;
        Ok(self.report)
    }

    /// What the server refused, in this session or before, a record each.
    fn rejections(&self, entries: &[Entry]) -> Result<Vec<Rejected>> {
        let mut rejected: BTreeMap<&str, Rejected> = BTreeMap::new();
        for entry in entries
            .iter()
            .filter(|entry| entry.state == State::Rejected)
        {
            let record = self.store.read(|r| r.identity(&entry.record))?;
            let of_record = rejected.entry(&entry.record).or_insert_with(|| Rejected {
                record,
                object: entry.object.clone(),
                mutations: Vec::new(),
                problems: entry.problems.clone(),
            });
            of_record.mutations.push(JournalSeq(entry.seq));
        }
        Ok(rejected.into_values().collect())
    }

    /// Pending mutations that wait for one that cannot be sent as things are.
    fn waiting(&self, steps: &[crate::plan::Step]) -> Result<BTreeSet<i64>> {
        let units = self.units(steps)?;
        let (tied, free) = apart(steps, &units);
        let held = units.iter().filter(|unit| !unit.ready);
        let held: BTreeSet<&str> = held
            .flat_map(|unit| &unit.writes)
            .map(|write| write.record.as_str())
            .collect();
        let pending = |step: &&crate::plan::Step| {
            step.state == crate::MutationState::Pending && held.contains(step.record.as_str())
        };
        let mut blocked: BTreeSet<i64> = tied.iter().filter(pending).map(|step| step.seq).collect();
        blocked.extend(crate::plan::outgoing(&free, |_, _| false).blocked);
        Ok(blocked)
    }

    fn truncations(&self) -> Result<Vec<Truncated>> {
        let mut truncated = Vec::new();
        for node in &self.nodes {
            let Some(limit) = node.limit() else { continue };
            let rule = self.store.read(|r| r.rule(&node.key))?;
            truncated.extend(rule.cut_from.map(|matches| Truncated {
                rule: node.name.clone(),
                limit,
                matches,
            }));
        }
        Ok(truncated)
    }

    /// Learns what the users are called who changed what is in conflict.
    async fn name_users(&mut self) -> Result<()> {
        let users = self.store.read(|r| r.unnamed_users())?;
        for chunk in users.chunks(self.settings.ids_per_query_max) {
            let soql = format!(
                "SELECT Id, Name FROM User WHERE Id IN ({})",
                soql::list(chunk)
            );
            // A name is a comfort: a user who may not read users still sees the id.
            let Ok(page) = self.query(&soql).await else {
                return Ok(());
            };
            let reader = crate::json::RecordReader::new(vec![
                ("Id".into(), crate::FieldType::Id),
                ("Name".into(), crate::FieldType::String),
            ]);
            let mut names = Vec::new();
            for record in &page.records {
                if let [id, name] = reader.read(record)?.as_slice() {
                    names.push((format!("user:{id}"), name.to_string()));
                }
            }
            self.store.write(Durability::Ordered, |w| {
                names
                    .iter()
                    .try_for_each(|(key, name)| w.set_setting(key, name))
            })?;
        }
        Ok(())
    }

    /// The server's clock, as far as it is known.
    fn server_now(&self) -> Result<ServerTime> {
        self.remote.server_time().ok_or_else(|| {
            Error::new(
                ErrorKind::NotARemote,
                "the server does not tell the time (no Date header)",
            )
        })
    }

    /// Stops here if somebody asked to, or the calls are made that may be made.
    fn check_cancelled(&self) -> Result<()> {
        self.cancel.check()?;
        self.check_budget()
    }

    fn tell(&mut self, phase: Phase, object: &str, done: u64, total: Option<u64>) {
        (self.progress)(Progress {
            phase,
            object: object.to_owned(),
            done,
            total,
        });
    }

    /// The tables of the rules and of what else is held, each once, in order of their names.
    fn objects(&self) -> Vec<Arc<Table>> {
        let of_rules = self.nodes.iter().map(|node| &node.table);
        let tables: BTreeMap<_, _> = of_rules
            .chain(&self.held)
            .map(|table| (table.object.name.clone(), Arc::clone(table)))
            .collect();
        tables.into_values().collect()
    }
}

/// Parts the mutations of units from those that are sent by themselves.
fn apart(
    steps: &[crate::plan::Step],
    units: &[crate::plan::Unit],
) -> (Vec<crate::plan::Step>, Vec<crate::plan::Step>) {
    let records: BTreeSet<&str> = units
        .iter()
        .flat_map(|unit| &unit.writes)
        .map(|write| write.record.as_str())
        .collect();
    steps
        .iter()
        .cloned()
        .partition(|step| records.contains(step.record.as_str()))
}

/// How many seconds a look at so many ids holds.
///
/// A person whose access was taken away should not keep the records for a
/// day, and a look costs a call for each 2,000 ids: so the more there are,
/// the longer they rest.
fn sweep_rest(settings: &Settings, ids: u64) -> i64 {
    let pages = i64::try_from(ids / settings.ids_per_read_max as u64).unwrap_or(i64::MAX);
    settings
        .sweep_seconds
        .saturating_mul(pages.clamp(1, SWEEP_PAGES_A_DAY_MAX))
}

/// Makes a fresh local key.
pub(crate) fn new_key(env: &dyn Env) -> RecordId {
    let mut random = [0; 10];
    env.random(&mut random);
    RecordId::local(env.now(), random)
}
