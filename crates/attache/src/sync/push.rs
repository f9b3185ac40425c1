//! Sends the journal: in order of dependence, with the intent durable first, each answer stored as it comes.

use super::patience::part_of;
use super::{Run, apart};
use crate::briefcase::Briefcase;
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::outcome::{MutationKind, Phase};
use crate::plan::{self, Outgoing, Step};
use crate::record::{ServerTime, Value};
use crate::remote::{Write, WriteAction, WriteOutcome};
use crate::store::{Durability, Entry, Settlement, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often a record that somebody else keeps changing is merged and sent again in one session.
const ATTEMPTS_MAX: u32 = 3;

/// A session sends so many times what it finds unsent, and then leaves the rest to the next: each record its attempts, and
/// what it was created without. Whoever edits as fast as it sends would have it never end.
const FOUND_TIMES_MAX: u64 = ATTEMPTS_MAX as u64 + 1;

/// Long enough for the server's clock to show another second.
const A_SECOND_OVER: Duration = Duration::from_millis(1_100);

/// A locked record is sent again after a part of this: the org itself waits ten seconds for a lock.
const LOCKED_MAX: Duration = Duration::from_secs(10);

/// What one batch came to.
#[derive(Default)]
pub(super) struct Batch {
    /// Records that were written, by object: what the server made of them is read back.
    written: BTreeMap<String, BTreeSet<String>>,
    /// What was written of each.
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Records that somebody else changed or deleted, by object: they are read, merged and sent again.
    pub stale: BTreeMap<String, BTreeSet<String>>,
    /// Records that may be sent again.
    pub again: Vec<String>,
    /// Creates whose client key another record has, and the server's words: the next attempt finds that record, if
    /// this user may see it.
    key_taken: Vec<(Outgoing, Vec<Problem>)>,
    /// Somebody else is at work on one of the records.
    pub locked: bool,
    /// Somebody may have been served without our hearing of it.
    pub unanswered: bool,
    /// The org is not as it was.
    pub changed: bool,
}

impl Batch {
    /// Notes that a record was written, which the server knows by this id.
    pub fn wrote(&mut self, write: &Outgoing, id: &str) {
        self.changed = true;
        let ids = self.written.entry(write.object.clone()).or_default();
        ids.insert(id.to_owned());
        let fields = self.fields.entry(id.to_owned()).or_default();
        let names = write.fields.names().chain(write.deferred.names());
        fields.extend(names.map(str::to_owned));
    }

    /// Notes that somebody else changed or deleted a record.
    pub fn found_stale(&mut self, object: &str, id: &str) {
        let ids = self.stale.entry(object.to_owned()).or_default();
        ids.insert(id.to_owned());
    }
}

/// How many mutations these writes carry.
fn mutations(writes: &[Outgoing]) -> u64 {
    writes.iter().map(|write| write.seqs.len() as u64).sum()
}

/// What may leave now.
enum Leaving {
    /// Writes of one kind that depend on nothing unsent, each by itself.
    Apart(Vec<Outgoing>),
    /// Writes that are taken whole.
    Together(Vec<Outgoing>),
    Nothing,
}

impl Run<'_> {
    /// Pushes, and says whether anything was written.
    ///
    /// The journal is planned in waves: all that depends on nothing unsent, of one
    /// kind, leaves in batches, and only then is the journal looked at anew. So it
    /// is read as often as unsent records hang on each other, not once for each batch.
    pub(super) async fn push(&mut self) -> Result<bool> {
        let mut attempts: BTreeMap<String, u32> = BTreeMap::new();
        let mut checked: BTreeMap<String, (Option<ServerTime>, u32)> = BTreeMap::new();
        let mut written = false;
        let mut total = None;
        let mut sent = 0;
        loop {
            self.check_cancelled()?;
            let (leaving, left) = self.leaving(&attempts)?;
            let total = *total.get_or_insert(left);
            if sent >= total.saturating_mul(FOUND_TIMES_MAX) {
                return Ok(written);
            }
            let mut done = total.saturating_sub(left);
            self.tell(Phase::Push, "", done, Some(total));
            let wave = match leaving {
                Leaving::Nothing => return Ok(written),
                Leaving::Apart(wave) => wave,
                Leaving::Together(unit) => {
                    sent += mutations(&unit);
                    let batch = self.send_together(unit, &mut checked).await?;
                    written |= batch.changed;
                    if !self.follow_up(batch, &mut attempts).await? {
                        return Ok(written);
                    }
                    continue;
                }
            };
            for planned in wave.chunks(self.settings.batch_rows_max) {
                self.check_cancelled()?;
                let ready = self.look_before(planned, &mut checked).await?;
                let batch = self.send(ready).await?;
                written |= batch.changed;
                if !self.follow_up(batch, &mut attempts).await? {
                    return Ok(written);
                }
                sent += mutations(planned);
                done += mutations(planned);
                self.tell(Phase::Push, "", done.min(total), Some(total));
            }
        }
    }

    /// Reads what a batch changed, and says whether anything more may be sent.
    async fn follow_up(
        &mut self,
        batch: Batch,
        attempts: &mut BTreeMap<String, u32>,
    ) -> Result<bool> {
        for record in batch.again {
            *attempts.entry(record).or_default() += 1;
        }
        self.doubt_taken(batch.key_taken, attempts)?;
        if batch.locked {
            self.env.sleep(part_of(LOCKED_MAX, self.env)).await;
        }
        let read = !batch.written.is_empty() || !batch.stale.is_empty();
        self.pushed.extend(batch.fields);
        self.read_all_by_id(Phase::ReadBack, batch.written).await?;
        self.read_all_by_id(Phase::Push, batch.stale).await?;
        if read {
            self.answer_conflicts().await?;
        }
        Ok(!batch.unanswered)
    }

    /// Takes creates for done, as far as anybody can tell, whose client keys records have that stay out of sight: nobody
    /// but this device makes such a key, so the record was made, and was given away since. A person hears of it, and
    /// the next session looks again.
    fn doubt_taken(
        &self,
        taken: Vec<(Outgoing, Vec<Problem>)>,
        attempts: &BTreeMap<String, u32>,
    ) -> Result<()> {
        let now = self.env.now();
        let in_vain = |record: &String| attempts.get(record) >= Some(&ATTEMPTS_MAX);
        for (write, problems) in taken.into_iter().filter(|(it, _)| in_vain(&it.record)) {
            self.store.write(Durability::Durable, |w| {
                w.settle(&write, &Settlement::Undecided(problems), now)
            })?;
        }
        Ok(())
    }

    /// What may leave now, and how many mutations there are in all.
    fn leaving(&self, attempts: &BTreeMap<String, u32>) -> Result<(Leaving, u64)> {
        let mut entries = self.store.read(|r| r.entries())?;
        // Files follow their records, in a step of their own, and nothing waits for them.
        let files = self.store.read(|r| r.queued_files())?;
        entries.retain(|entry| !files.contains(&entry.record));
        let tired = |record: &str| {
            attempts
                .get(record)
                .is_some_and(|times| *times >= ATTEMPTS_MAX)
        };
        let steps: Vec<Step> = entries.iter().map(Entry::step).collect();
        let mut units = self.units(&steps)?;
        let (_, mut steps) = apart(&steps, &units);
        steps.retain(|step| !tired(&step.record));
        units.retain(|unit| unit.ready && !unit.writes.iter().any(|it| tired(&it.record)));
        let mut ready =
            plan::outgoing(&steps, |object, field| self.is_optional(object, field)).ready;
        // A child of a record that was set aside waits as well: its lookup still holds a local key.
        ready.retain(|write| {
            !write
                .fields
                .iter()
                .any(|(_, value)| value.as_text().is_some_and(crate::record::is_local))
        });
        let kind = ready.first().map(|write| write.kind);
        ready.retain(|write| Some(write.kind) == kind);
        // Deletes come last: what hangs on their records may be moved away by a unit.
        let leaving = match (kind, units.pop()) {
            (Some(MutationKind::Delete) | None, Some(unit)) => Leaving::Together(unit.writes),
            (Some(_), _) => Leaving::Apart(ready),
            (None, None) => Leaving::Nothing,
        };
        Ok((leaving, entries.len() as u64))
    }

    /// Planned writes as they are by now, once all was looked at that has to be right before they leave.
    async fn look_before(
        &mut self,
        planned: &[Outgoing],
        checked: &mut BTreeMap<String, (Option<ServerTime>, u32)>,
    ) -> Result<Vec<Outgoing>> {
        let mut ready = self.renewed(planned)?;
        match ready.first().map(|write| write.kind) {
            // A delete cannot be made conditional: what is to be deleted is looked at once more, right before.
            Some(MutationKind::Delete) => {
                let mut objects: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
                for write in ready {
                    let ids = objects.entry(write.object).or_default();
                    ids.insert(write.record);
                }
                self.read_all_by_id(Phase::Push, objects).await?;
                ready = self.renewed(planned)?;
            }
            Some(MutationKind::Update) => {
                while self.look_again(&ready, checked).await? {
                    ready = self.renewed(planned)?;
                }
            }
            Some(MutationKind::Create) | None => {}
        }
        Ok(ready)
    }

    /// Planned writes as they are by now, but for those that are to be planned anew.
    fn renewed(&self, planned: &[Outgoing]) -> Result<Vec<Outgoing>> {
        self.store.read(|r| {
            let mut ready = Vec::with_capacity(planned.len());
            for write in planned {
                let entries = r.entries_of(&write.record)?;
                let steps: Vec<Step> = entries.iter().map(Entry::step).collect();
                ready.extend(plan::renewed(write, &steps));
            }
            Ok(ready)
        })
    }

    pub(super) async fn read_all_by_id(
        &mut self,
        phase: Phase,
        objects: BTreeMap<String, BTreeSet<String>>,
    ) -> Result<()> {
        for (object, ids) in objects {
            let table = self.store.catalogue().known(&object)?.clone();
            let ids: Vec<String> = ids.into_iter().collect();
            self.read_by_id(phase, &table, &ids, 0).await?;
        }
        Ok(())
    }

    /// Reads records once more that were read in the very second of their stamp or never, and says whether there
    /// were any.
    ///
    /// Stamps have whole seconds, so a write's precondition cannot tell two
    /// versions of one second apart. Once that second is over, nobody can make
    /// another, and what is read then is the last. Versions from before this
    /// session were read again by its pull, if another shares their second.
    ///
    /// A record made here whose read-back was lost has no stamp to make its write
    /// conditional, and no rule need hold it: it is read before anything is written
    /// over what others made of it.
    pub(super) async fn look_again(
        &mut self,
        writes: &[Outgoing],
        checked: &mut BTreeMap<String, (Option<ServerTime>, u32)>,
    ) -> Result<bool> {
        let mut objects: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut newest = None;
        for write in writes {
            let stamp = self.base_stamp(&write.record)?;
            if planted!(NoPrecondition) {
                continue;
            }
            if stamp.is_some() && stamp < self.began {
                continue;
            }
            let (known, times) = checked.get(&write.record).copied().unzip();
            let times = times.unwrap_or(0);
            // A record that changes every second is sent under its precondition in the end.
            if known != Some(stamp) && times < ATTEMPTS_MAX {
                checked.insert(write.record.clone(), (stamp, times + 1));
                newest = newest.max(stamp);
                let ids = objects.entry(&write.object).or_default();
                ids.push(write.record.clone());
            }
        }
        if newest >= self.remote.server_time() && newest.is_some() {
            self.env.sleep(A_SECOND_OVER).await;
        }
        for (object, ids) in &objects {
            let table = self.store.catalogue().known(object)?.clone();
            self.read_by_id(Phase::Push, &table, ids, 0).await?;
        }
        Ok(!objects.is_empty())
    }

    async fn send(&mut self, batch: Vec<Outgoing>) -> Result<Batch> {
        let (batch, writes) = self.intend(batch)?;
        if batch.is_empty() {
            return Ok(Batch::default());
        }
        let batch = &batch;
        let (store, now) = (self.store, self.env.now());
        let mut done = Batch::default();
        let mut outcomes: BTreeMap<usize, Settlement> = BTreeMap::new();
        let mut told = false;
        let sent = self
            .remote
            .push(&writes, &mut |at, outcome| {
                told = true;
                let Some(write) = batch.get(at).filter(|_| !outcomes.contains_key(&at)) else {
                    return Err(Error::new(
                        ErrorKind::NotARemote,
                        "the remote answered for a write that was not in the batch, or answered twice",
                    ));
                };
                let settlement = settle(store, write, &outcome, now, &mut done)?;
                outcomes.insert(at, settlement);
                Ok(())
            })
            .await;
        let rest: Vec<&Outgoing> = batch
            .iter()
            .enumerate()
            .filter(|(at, _)| !outcomes.contains_key(at))
            .map(|(_, write)| write)
            .collect();
        if !rest.is_empty() {
            // An error before the first outcome says that nothing was sent. After it, what has
            // none may have been done: an answer that cannot be stored is an answer all the same.
            let fate = if sent.is_err() && !told {
                Settlement::NotDone
            } else {
                Settlement::InDoubt
            };
            done.unanswered |= fate == Settlement::InDoubt;
            self.store.write(Durability::Durable, |w| {
                rest.iter()
                    .try_for_each(|write| w.settle(write, &fate, now))
            })?;
        }
        sent?;
        Ok(done)
    }

    /// Makes the intent to send durable, and gives what may be sent with the writes it makes.
    pub(super) fn intend(&self, batch: Vec<Outgoing>) -> Result<(Vec<Outgoing>, Vec<Write>)> {
        let keys = self.client_keys()?;
        let known = self.remote.server_time();
        let batch = self
            .store
            .write(Durability::Durable, |w| w.intend(batch, known, &keys))?;
        let writes: Result<Vec<Write>> = batch.iter().map(|write| self.write_of(write)).collect();
        Ok((batch, writes?))
    }

    /// The external-id field of each object that carries a client key.
    pub(super) fn client_keys(&self) -> Result<BTreeMap<String, String>> {
        let Some(json) = self.store.read(|r| r.setting("briefcase"))? else {
            return Ok(BTreeMap::new());
        };
        let briefcase = Briefcase::from_json(&json)?;
        let tables = self.objects();
        let key = |name: &str| briefcase.options(name).client_key;
        Ok(tables
            .iter()
            .filter_map(|table| {
                let field = table.object.field(&key(&table.object.name)?)?;
                Some((table.object.name.clone(), field.name.clone()))
            })
            .collect())
    }

    pub(super) fn write_of(&self, write: &Outgoing) -> Result<Write> {
        let object = write.object.clone();
        let action = match write.kind {
            MutationKind::Create => match write.client_key.as_deref().map(plan::client_key) {
                Some((Some(field), key)) => WriteAction::CreateByKey {
                    key_field: field.to_owned(),
                    key: key.to_owned(),
                    fields: write.fields.clone(),
                },
                _ => WriteAction::Create {
                    fields: write.fields.clone(),
                },
            },
            // Always under its precondition, although two hundred unguarded updates would fit a call
            // that takes twenty-five guarded ones: however lately a record was read, somebody may
            // save it before the write arrives, and the org has no other way to notice.
            MutationKind::Update => WriteAction::Update {
                id: write.record.clone(),
                fields: write.fields.clone(),
                unmodified_since: self
                    .base_stamp(&write.record)?
                    .filter(|_| !planted!(NoPrecondition)),
            },
            MutationKind::Delete => WriteAction::Delete {
                id: write.record.clone(),
            },
        };
        Ok(Write {
            object,
            action,
            allow_duplicates: self.store.read(|r| r.allows_duplicates(&write.seqs))?,
        })
    }

    /// The stamp of the version that was edited.
    ///
    /// The system stamp is never before the last modification, so it is right
    /// whichever of the two the server compares.
    fn base_stamp(&self, record: &str) -> Result<Option<ServerTime>> {
        let base = self.store.read(|r| r.base(record))?;
        Ok(base.and_then(|base| {
            ["SystemModstamp", "LastModifiedDate"]
                .iter()
                .find_map(|name| match base.fields.get(name) {
                    Some(Value::DateTime(stamp)) => Some(*stamp),
                    _ => None,
                })
        }))
    }

    pub(super) fn is_optional(&self, object: &str, field: &str) -> bool {
        let catalogue = self.store.catalogue();
        let field = catalogue
            .schema
            .object(object)
            .and_then(|object| object.field(field));
        field.is_some_and(|field| field.nillable && field.updateable)
    }
}

/// Says whether a create was put off because another record has its client key.
fn is_key_taken(write: &Outgoing, problems: &[Problem]) -> bool {
    let is_taken = |problem: &Problem| problem.code == "DUPLICATE_VALUE";
    write.kind == MutationKind::Create
        && write.client_key.is_some()
        && problems.first().is_some_and(is_taken)
}

/// Stores what became of a write as soon as it is known.
pub(super) fn settle(
    store: &Store,
    write: &Outgoing,
    outcome: &WriteOutcome,
    now: crate::LocalTime,
    done: &mut Batch,
) -> Result<Settlement> {
    let settlement = match (outcome, write.kind) {
        (WriteOutcome::Done { id }, MutationKind::Create) => {
            let id = crate::record::remote_id(id).ok_or_else(|| {
                Error::new(
                    ErrorKind::NotARemote,
                    "the server gave a new record an id that is none",
                )
            })?;
            done.wrote(write, &id);
            Settlement::Created(id)
        }
        (WriteOutcome::Done { .. }, MutationKind::Update) => {
            done.wrote(write, &write.record);
            Settlement::Updated
        }
        (WriteOutcome::Done { .. }, MutationKind::Delete) => Settlement::Deleted,
        (WriteOutcome::Gone, MutationKind::Delete) => Settlement::Gone,
        (WriteOutcome::Stale, MutationKind::Update)
        | (WriteOutcome::Gone, MutationKind::Update) => {
            done.found_stale(&write.object, &write.record);
            done.again.push(write.record.clone());
            Settlement::NotDone
        }
        (WriteOutcome::Refused(problems), _) => Settlement::Rejected(problems.clone()),
        (WriteOutcome::Unknown, _) => {
            done.unanswered = true;
            Settlement::InDoubt
        }
        (WriteOutcome::Later(_) | WriteOutcome::Stale | WriteOutcome::Gone, _) => {
            if let WriteOutcome::Later(problems) = outcome {
                done.locked = true;
                if is_key_taken(write, problems) {
                    done.key_taken.push((write.clone(), problems.clone()));
                }
            }
            done.again.push(write.record.clone());
            Settlement::NotDone
        }
    };
    done.changed |= matches!(
        settlement,
        Settlement::Created(_) | Settlement::Updated | Settlement::Deleted | Settlement::Gone
    );
    store.write(Durability::Durable, |w| w.settle(write, &settlement, now))?;
    Ok(settlement)
}
