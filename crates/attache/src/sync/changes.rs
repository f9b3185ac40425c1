//! What a session knows of the changes of an object.

use super::ids::{Ids, Marks};
use crate::error::Result;
use crate::record::ServerTime;
use std::collections::BTreeMap;

/// Records that are looked at in one transaction: it holds the writer for some milliseconds.
pub(super) const STEP_ROWS: usize = 2_000;

/// What is known of an object's changes in this session: some twenty bytes for each record that changed.
pub(super) struct Changes {
    /// Where the window starts; `None`: the object is loaded for the first time.
    pub(super) low: Option<ServerTime>,
    /// Where the next one is to start.
    pub(super) next_low: ServerTime,
    /// What changed in the window; `None`: the server cannot tell.
    pub(super) ids: Option<Ids>,
    /// Which of it was read in this session already.
    pub(super) read: Marks,
    /// Which of it each rule that was asked about the window still matches.
    pub(super) matched: BTreeMap<i64, Marks>,
    pub(super) deleted: Deletions,
    /// Records that were read in this session.
    pub(super) rows_read: u64,
    /// Some of it is left to another session: the window is asked for again.
    pub(super) waits: bool,
}

/// What was deleted in a window.
#[derive(Default)]
pub(super) struct Deletions {
    ids: Ids,
    /// When, by the places of the ids.
    times: Vec<ServerTime>,
    /// Which of it was read in this session: it came back.
    back: Marks,
}

impl Deletions {
    pub(super) fn of(mut records: Vec<(String, ServerTime)>) -> Result<Deletions> {
        // Of a record that was deleted twice the last time counts.
        records.sort();
        records.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 = later.1;
            }
            same
        });
        Ok(Deletions {
            ids: Ids::of(records.iter().map(|(id, _)| id))?,
            times: records.into_iter().map(|(_, at)| at).collect(),
            back: Marks::default(),
        })
    }

    /// The next that did not come back, with the times, from a place on, which moves behind them.
    pub(super) fn next(&self, from: &mut usize) -> Vec<(String, ServerTime)> {
        let ids = self.ids.next(from, STEP_ROWS, |at| !self.back.has(at));
        let time = |id: String| {
            let at = self.times[self.ids.place(&id)?];
            Some((id, at))
        };
        ids.into_iter().filter_map(time).collect()
    }
}

impl Changes {
    pub(super) fn new(low: Option<ServerTime>, next_low: ServerTime) -> Changes {
        Changes {
            low,
            next_low,
            ids: None,
            read: Marks::default(),
            matched: BTreeMap::new(),
            deleted: Deletions::default(),
            rows_read: 0,
            waits: false,
        }
    }

    /// Notes that a rule is asked what it matches of what changed. Until it says so, it matches none of it.
    pub(super) fn ask(&mut self, rule: i64) {
        self.matched.entry(rule).or_default();
    }

    /// Notes what a rule that was asked matches.
    pub(super) fn note_matched(&mut self, rule: i64, ids: &[String]) {
        let matched = self.matched.entry(rule).or_default();
        let places = ids.iter().filter_map(|id| self.ids.as_ref()?.place(id));
        places.for_each(|at| matched.set(at));
    }

    /// Notes that records were read.
    pub(super) fn note_read(&mut self, ids: &[String]) {
        self.rows_read += ids.len() as u64;
        for id in ids {
            if let Some(at) = self.ids.as_ref().and_then(|listed| listed.place(id)) {
                self.read.set(at);
            }
            if let Some(at) = self.deleted.ids.place(id) {
                self.deleted.back.set(at);
            }
        }
    }

    /// What changed in the window, if the server can tell.
    pub(super) fn listed(&self) -> Option<&Ids> {
        self.ids.as_ref()
    }

    /// Says whether the server can tell what changed.
    pub(super) fn are_listed(&self) -> bool {
        self.ids.is_some()
    }

    /// Where the rules are to be asked from: where the window starts, unless nothing changed in it.
    pub(super) fn window(&self) -> Option<ServerTime> {
        self.low.filter(|_| !self.is_empty())
    }

    /// Leaves what changed to another session.
    pub(super) fn wait(&mut self) {
        self.waits = true;
    }

    /// Says whether anything changed or was deleted, as far as the server can tell.
    pub(super) fn tell_of_any(&self) -> bool {
        !self.is_empty() || !self.deleted.ids.is_empty()
    }

    /// How many records a rule that is asked about the window may answer with.
    pub(super) fn rows(&self) -> u64 {
        self.ids.as_ref().map_or(u64::MAX, |ids| ids.len() as u64)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.as_ref().is_some_and(Ids::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(from: usize, to: usize) -> Vec<String> {
        (from..to).map(|n| format!("003{n:015}")).collect()
    }

    fn of_a_window(changed: usize, deleted: usize) -> Changes {
        let mut changes = Changes::new(Some(ServerTime(0)), ServerTime(60));
        changes.ids = Some(Ids::of(ids(0, changed)).unwrap());
        let at = |id| (id, ServerTime(30));
        let deleted = ids(changed, changed + deleted).into_iter().map(at);
        changes.deleted = Deletions::of(deleted.collect()).unwrap();
        changes
    }

    #[test]
    fn what_changed_takes_some_twenty_bytes_a_record_however_many_rules_match_it() {
        let mut changes = of_a_window(100_000, 0);
        for rule in 0..20 {
            changes.ask(1 << rule);
            changes.note_matched(1 << rule, &ids(0, 100_000));
        }
        changes.note_read(&ids(0, 100_000));
        let matched: usize = changes.matched.values().map(Marks::bytes).sum();
        let held = changes.ids.as_ref().unwrap().bytes() + changes.read.bytes() + matched;
        assert!(held < 24 * 100_000, "{held} bytes");
    }

    #[test]
    fn what_was_deleted_and_came_back_is_not_among_the_deletions() {
        let mut changes = of_a_window(2, 5);
        changes.note_read(&ids(3, 5));
        let mut from = 0;
        let left = changes.deleted.next(&mut from);
        let expected = [ids(2, 3), ids(5, 7)].concat();
        assert!(left.iter().map(|(id, _)| id).eq(&expected), "{left:?}");
        assert!(changes.deleted.next(&mut from).is_empty());
    }

    #[test]
    fn of_what_was_deleted_twice_the_last_time_counts() {
        let twice = [60, 30].map(|at| (ids(0, 1).remove(0), ServerTime(at)));
        let deletions = Deletions::of(twice.to_vec()).unwrap();
        let expected = (ids(0, 1).remove(0), ServerTime(60));
        assert_eq!(deletions.next(&mut 0), [expected]);
    }
}
