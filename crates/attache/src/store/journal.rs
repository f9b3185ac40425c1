//! The journal: every edit made here, until the server confirmed it.

use super::{Reading, Writing};
use crate::env::LocalTime;
use crate::error::{Error, Problem, Result};
pub(crate) use crate::journal_states::State;
use crate::journal_states::{self, Event};
use crate::json;
use crate::outcome::{JournalSeq, Mutation, MutationKind, MutationState};
use crate::plan::Step;
use crate::record::{Fields, RecordId, ServerTime, Value, is_local};
use rusqlite::{OptionalExtension, Row, params};
use std::collections::BTreeSet;

/// One mutation.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub seq: i64,
    pub changeset: i64,
    pub object: String,
    /// The record's current id.
    pub record: String,
    pub kind: MutationKind,
    pub fields: Fields,
    pub state: State,
    pub problems: Vec<Problem>,
    pub client_key: Option<String>,
    pub sent_after: Option<ServerTime>,
    pub made_at: LocalTime,
}

impl Entry {
    fn outward(&self) -> MutationState {
        match self.state {
            State::Pending => MutationState::Pending,
            State::Sending => MutationState::Sending,
            State::InDoubt => MutationState::InDoubt(self.problems.clone()),
            State::Rejected => MutationState::Rejected(self.problems.clone()),
            State::Conflicted => MutationState::Conflicted,
        }
    }

    /// Says whether it may have reached the server.
    pub(crate) fn was_sent(&self) -> bool {
        matches!(self.state, State::Sending | State::InDoubt)
    }

    /// Says whether it is in doubt and a look at the server could not tell what became of it.
    pub(crate) fn is_undecided(&self) -> bool {
        self.state == State::InDoubt && !self.problems.is_empty()
    }

    /// The mutation as the plan sees it.
    pub(crate) fn step(&self) -> Step {
        Step {
            seq: self.seq,
            changeset: self.changeset,
            object: self.object.clone(),
            record: self.record.clone(),
            kind: self.kind,
            fields: self.fields.clone(),
            state: self.outward(),
            client_key: self.client_key.clone(),
        }
    }

    /// The mutation as a host sees it.
    pub(crate) fn mutation(&self, reading: &Reading<'_>) -> Result<Mutation> {
        Ok(self.mutation_of(reading.identity(&self.record)?))
    }

    /// The mutation as a host sees it, of a record that it knows by this identity.
    pub(crate) fn mutation_of(&self, record: RecordId) -> Mutation {
        Mutation {
            seq: JournalSeq(self.seq),
            changeset: self.changeset,
            record,
            object: self.object.clone(),
            kind: self.kind,
            fields: self.fields.clone(),
            state: self.outward(),
            made_at: self.made_at,
        }
    }
}

const COLUMNS: &str = "seq, changeset, object, record, kind, fields, state, problems, client_key, sent_after, made_at";

impl Reading<'_> {
    /// The whole journal, in order.
    pub(crate) fn entries(&self) -> Result<Vec<Entry>> {
        self.entries_where("1 = 1", "")
    }

    /// The mutations of one record, in order.
    pub(crate) fn entries_of(&self, record: &str) -> Result<Vec<Entry>> {
        self.entries_where("record = ?1", record)
    }

    /// The mutations of an object's records, in order.
    pub(crate) fn entries_of_object(&self, object: &str) -> Result<Vec<Entry>> {
        self.entries_where("object = ?1 COLLATE NOCASE", object)
    }

    /// The mutations whose fields hold this id. A local key is looked up; for any other the journal is gone through.
    pub(crate) fn entries_that_mention(&self, id: &str) -> Result<Vec<Entry>> {
        if is_local(id) {
            let mentions = "seq IN (SELECT seq FROM attache_mention WHERE key = ?1)";
            return self.entries_where(mentions, id);
        }
        self.entries_where("instr(fields, ?1) > 0", id)
    }

    /// Looks a mutation up.
    pub(crate) fn entry(&self, seq: JournalSeq) -> Result<Entry> {
        let found = self
            .entries_where("seq = CAST(?1 AS INTEGER)", &seq.0.to_string())?
            .pop();
        found
            .ok_or_else(|| Error::invalid(format!("there is no mutation {} in the journal", seq.0)))
    }

    fn entries_where(&self, condition: &str, text: &str) -> Result<Vec<Entry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM attache_mutation WHERE ({condition}) AND ?1 IS NOT NULL ORDER BY seq"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([text])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(self.read(row)?);
        }
        Ok(entries)
    }

    fn read(&self, row: &Row<'_>) -> Result<Entry> {
        let object: String = row.get(2)?;
        let fields: String = row.get(5)?;
        let problems: Option<String> = row.get(7)?;
        Ok(Entry {
            seq: row.get(0)?,
            changeset: row.get(1)?,
            record: row.get(3)?,
            kind: match row.get(4)? {
                1 => MutationKind::Create,
                2 => MutationKind::Update,
                3 => MutationKind::Delete,
                other => return Err(Error::internal(format!("a mutation has the kind {other}"))),
            },
            fields: json::load_fields(&fields)?
                .into_iter()
                .map(|(name, value)| {
                    let value = self.adapted(&object, &name, value);
                    (name, value)
                })
                .collect(),
            state: state_of(row.get(6)?)?,
            problems: problems
                .map(|text| json::load_problems(&text))
                .transpose()?
                .unwrap_or_default(),
            client_key: row.get(8)?,
            sent_after: row.get::<_, Option<i64>>(9)?.map(ServerTime),
            made_at: LocalTime(row.get(10)?),
            object,
        })
    }

    /// Records that have an edit, by current id.
    pub(crate) fn edited(&self, record: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM attache_mutation WHERE record = ?1")?
            .exists([record])?)
    }

    /// The number of the next changeset.
    pub(crate) fn next_changeset(&self) -> Result<i64> {
        // A sequence outlives its rows, so that a number is never given twice.
        let sql = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'attache_mutation'), 0) + 1";
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))?)
    }
}

/// A mutation about to be appended.
pub(crate) struct NewEntry<'a> {
    pub changeset: i64,
    pub object: &'a str,
    pub record: &'a str,
    pub kind: MutationKind,
    pub fields: &'a Fields,
    pub client_key: Option<&'a str>,
    pub made_at: LocalTime,
}

impl Writing<'_> {
    pub(crate) fn append(&self, entry: &NewEntry<'_>) -> Result<JournalSeq> {
        self.connection
            .prepare_cached(
                "INSERT INTO attache_mutation (changeset, object, record, kind, fields, client_key, made_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                entry.changeset,
                entry.object,
                entry.record,
                kind_number(entry.kind),
                json::store_fields(entry.fields),
                entry.client_key,
                entry.made_at.0,
            ])?;
        let seq = self.connection.last_insert_rowid();
        self.mention(seq, entry.fields)?;
        Ok(JournalSeq(seq))
    }

    /// Notes at which records without an id of the server a mutation points.
    fn mention(&self, seq: i64, fields: &Fields) -> Result<()> {
        let texts = fields.iter().filter_map(|(_, value)| value.as_text());
        for key in texts.filter(|text| is_local(text)) {
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO attache_mention VALUES (?1, ?2)")?
                .execute(params![seq, key])?;
        }
        Ok(())
    }

    fn forget_mentions(&self, seq: i64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM attache_mention WHERE seq = ?1")?
            .execute([seq])?;
        Ok(())
    }

    /// Moves mutations on in their lives. One that has left the journal meanwhile stays away.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind) for what cannot happen in a mutation's state.
    pub(crate) fn advance(&self, seqs: &[i64], event: Event, problems: &[Problem]) -> Result<()> {
        let problems = (!problems.is_empty()).then(|| json::store_problems(problems));
        let mut current = self
            .connection
            .prepare_cached("SELECT state FROM attache_mutation WHERE seq = ?1")?;
        let mut statement = self.connection.prepare_cached(
            "UPDATE attache_mutation SET state = ?2, problems = ?3 WHERE seq = ?1",
        )?;
        for seq in seqs {
            let Some(state) = current.query_row([seq], |row| row.get(0)).optional()? else {
                continue;
            };
            let state = state_of(state)?;
            met!("journal", "{event:?} in {state:?}");
            let next = journal_states::next(state, event).ok_or_else(|| {
                Error::internal(format!(
                    "mutation {seq} is {state:?}, in which {event:?} cannot happen"
                ))
            })?;
            statement.execute(params![seq, next as i64, problems])?;
        }
        Ok(())
    }

    /// Notes the key under which a create is sent (see [`client_key`](crate::plan::client_key)). One that is sent
    /// without cannot be found by it.
    pub(crate) fn set_client_key(&self, seqs: &[i64], key: Option<&str>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE attache_mutation SET client_key = ?2 WHERE seq = ?1 AND client_key IS NOT NULL",
        )?;
        for seq in seqs {
            statement.execute(params![seq, key])?;
        }
        Ok(())
    }

    /// Notes what the server's clock showed before a create was sent: each attempt has its time.
    pub(crate) fn set_sent_after(&self, seqs: &[i64], time: ServerTime) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("UPDATE attache_mutation SET sent_after = ?2 WHERE seq = ?1")?;
        for seq in seqs {
            statement.execute(params![seq, time.0])?;
        }
        Ok(())
    }

    /// Changes what a mutation sets. A value that only its field's type has made another stays as it was written.
    pub(crate) fn set_entry_fields(&self, seq: i64, fields: &Fields) -> Result<()> {
        let written: (String, String) = self
            .connection
            .prepare_cached("SELECT object, fields FROM attache_mutation WHERE seq = ?1")?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (object, written) = (written.0, json::load_fields(&written.1)?);
        let reading = self.reading();
        let kept = |name: &str, value: &Value| {
            let as_written = written.get(name)?.clone();
            (reading.adapted(&object, name, as_written.clone()) == *value).then_some(as_written)
        };
        let fields: Fields = fields
            .iter()
            .map(|(name, value)| (name, kept(name, value).unwrap_or_else(|| value.clone())))
            .collect();
        self.connection
            .prepare_cached("UPDATE attache_mutation SET fields = ?2 WHERE seq = ?1")?
            .execute(params![seq, json::store_fields(&fields)])?;
        self.forget_mentions(seq)?;
        self.mention(seq, &fields)
    }

    pub(crate) fn forget(&self, seqs: &[i64]) -> Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("DELETE FROM attache_mutation WHERE seq = ?1")?;
        for seq in seqs {
            statement.execute([seq])?;
            self.forget_mentions(*seq)?;
        }
        self.allow_duplicates(seqs, false)
    }

    /// Notes that a changeset is to be taken whole.
    pub(crate) fn tie(&self, changeset: i64) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO attache_together VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([changeset])?;
        Ok(())
    }

    /// Forgets of which changesets that was wanted that are no more.
    pub(crate) fn untie(&self) -> Result<()> {
        self.connection
            .prepare_cached(
                "DELETE FROM attache_together
                 WHERE changeset NOT IN (SELECT changeset FROM attache_mutation)",
            )?
            .execute([])?;
        Ok(())
    }

    /// Notes whether the records of mutations are to be saved although the server takes them for duplicates.
    pub(crate) fn allow_duplicates(&self, seqs: &[i64], allowed: bool) -> Result<()> {
        let sql = match allowed {
            true => "INSERT INTO attache_anyway VALUES (?1) ON CONFLICT DO NOTHING",
            false => "DELETE FROM attache_anyway WHERE seq = ?1",
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        seqs.iter()
            .try_for_each(|seq| statement.execute([seq]).map(|_| ()))?;
        Ok(())
    }

    /// Takes fields out of a record's mutations; an update that is left without any is forgotten.
    pub(crate) fn drop_fields(&self, record: &str, names: &[String]) -> Result<()> {
        self.without(self.reading().entries_of(record)?, names)
    }

    /// Takes fields out of some mutations; an update without fields is gone.
    pub(super) fn drop_fields_of(&self, seqs: &[i64], names: &[String]) -> Result<()> {
        let entries = seqs
            .iter()
            .map(|seq| self.reading().entry(JournalSeq(*seq)));
        self.without(entries.collect::<Result<_>>()?, names)
    }

    fn without(&self, entries: Vec<Entry>, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        for mut entry in entries {
            let before = entry.fields.len();
            for name in names {
                entry.fields.remove(name);
            }
            if entry.fields.is_empty() && entry.kind == MutationKind::Update {
                self.forget(&[entry.seq])?;
            } else if entry.fields.len() != before {
                self.set_entry_fields(entry.seq, &entry.fields)?;
            }
        }
        Ok(())
    }
}

fn state_of(number: i64) -> Result<State> {
    State::ALL
        .into_iter()
        .find(|state| *state as i64 == number)
        .ok_or_else(|| Error::internal(format!("a mutation has the state {number}")))
}

fn kind_number(kind: MutationKind) -> i64 {
    match kind {
        MutationKind::Create => 1,
        MutationKind::Update => 2,
        MutationKind::Delete => 3,
    }
}

impl Reading<'_> {
    /// Says whether a person wants one of these mutations saved although it may be a duplicate.
    pub(crate) fn allows_duplicates(&self, seqs: &[i64]) -> Result<bool> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM attache_anyway WHERE seq = ?1")?;
        for seq in seqs {
            if statement.exists([seq])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The changesets that are to be taken whole.
    pub(crate) fn together(&self) -> Result<BTreeSet<i64>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT changeset FROM attache_together")?;
        let changesets: rusqlite::Result<BTreeSet<i64>> =
            statement.query_map([], |row| row.get(0))?.collect();
        Ok(changesets?)
    }

    /// Says whether a record of the server is known to be one that was created here.
    pub(crate) fn is_ours(&self, id: &str) -> Result<bool> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM attache_alias WHERE current = ?1")?
            .exists([id])?)
    }
}
