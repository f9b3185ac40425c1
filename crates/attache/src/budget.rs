//! How many calls sessions may make, and what they are to spare.
//!
//! What is decided here is decided from numbers alone: a fleet can be tried without a
//! session.

use crate::engine::Session;
use crate::error::Result;
use crate::store::{Durability, Store};
use serde::Serialize;

/// How many calls may be made. Nothing is capped by default.
///
/// What is met stops a session between two pages, and its report says so: see
/// [`Report::stopped`](crate::Report::stopped). A session may exceed a cap by the calls of
/// the step that it is in, a batch of writes at most.
///
/// # Examples
/// ```
/// use attache::CallBudget;
///
/// let budget = CallBudget { session_calls: Some(200), day_calls: Some(1_000) };
/// assert_eq!(CallBudget::default().day_calls, None);
/// # let _ = budget;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallBudget {
    /// Calls of one session.
    pub session_calls: Option<u64>,
    /// Calls of all sessions of this store in a day of UTC, across restarts.
    pub day_calls: Option<u64>,
}

/// Why a session ended before it was through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It made all calls that one session may make.
    SessionBudget,
    /// The sessions of today made all calls that they may make in a day.
    DayBudget,
    /// The remote allows no more calls, to this client or to all of them.
    RemoteLimit,
    /// It was [metered](Session::metered), and what is left is too large for that.
    Metered,
}

/// A session that ended before it was through. What it did is done, and the next one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Why.
    pub why: StopReason,
    /// How long it makes no sense to come back, in milliseconds; 0 if the next session may start at once.
    pub retry_after_ms: u64,
}

impl Session {
    /// Caps the calls of this session, and of all sessions of the day.
    ///
    /// Edits are sent first, then what changed is read, and what is large comes last: what a
    /// budget cuts off is what can wait.
    pub fn budget(mut self, budget: CallBudget) -> Session {
        self.terms.budget = budget;
        self
    }

    /// Spares a network that is paid for by the byte: edits are sent and small changes are read.
    ///
    /// First loads, and changes of more than 2,000 records of an object, wait for a session that
    /// is not metered; the report says [`StopReason::Metered`] if there were any. So do looks for
    /// what came and went without being changed, the bytes of files that the briefcase wants, and files of more than
    /// 1 MiB that were attached here: these stay unsent work, and [`pending`](crate::Attache::pending) has them.
    /// What files there are is known all the same, and [`fetch_file`](crate::Attache::fetch_file) brings one.
    pub fn metered(mut self) -> Session {
        self.terms.metered = true;
        self
    }
}

/// What a session is to spare.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    pub budget: CallBudget,
    pub metered: bool,
}

/// A part of the day's calls is remembered under this name: the day, and the calls.
const SETTING: &str = "calls_of_day";
const DAY_MS: i64 = 86_400_000;

/// The calls of a session and of its day.
pub(crate) struct Spending {
    budget: CallBudget,
    day: i64,
    /// Calls of the day before this session.
    before: u64,
}

impl Spending {
    /// Reads what the day has cost so far.
    ///
    /// A clock that was set back by a day goes on with the day that was known. One that was set back further had
    /// been wrong: the day it showed may be years away, and its count must not hold until then.
    pub(crate) fn read(store: &Store, budget: CallBudget, now_ms: i64) -> Result<Spending> {
        let known = store.read(|r| r.setting(SETTING))?.unwrap_or_default();
        let mut numbers = known.split(' ').map_while(|part| part.parse::<i64>().ok());
        let (day, calls) = (numbers.next().unwrap_or(i64::MIN), numbers.next());
        let today = now_ms.div_euclid(DAY_MS);
        let day = if day > today + 1 { i64::MIN } else { day };
        Ok(Spending {
            budget,
            day: today.max(day),
            before: match calls {
                Some(calls) if day >= today => u64::try_from(calls).unwrap_or(0),
                _ => 0,
            },
        })
    }

    /// Remembers the calls of a session.
    pub(crate) fn note(&self, store: &Store, calls: u64) -> Result<()> {
        let text = format!("{} {}", self.day, self.before.saturating_add(calls));
        store.write(Durability::Ordered, |w| w.set_setting(SETTING, &text))
    }

    pub(crate) fn caps_the_day(&self) -> bool {
        self.budget.day_calls.is_some()
    }

    pub(crate) fn is_capped(&self) -> bool {
        self.budget != CallBudget::default()
    }

    /// Tells whether so many calls of a session use a budget up, and which, at a time of the device.
    pub(crate) fn met(&self, calls: u64, now_ms: i64) -> Option<Stopped> {
        let over = |cap: Option<u64>, calls: u64| cap.is_some_and(|cap| calls >= cap);
        if over(self.budget.day_calls, self.before.saturating_add(calls)) {
            let next_day = (self.day + 1).saturating_mul(DAY_MS);
            let left = next_day.saturating_sub(now_ms);
            return Some(Stopped {
                why: StopReason::DayBudget,
                retry_after_ms: u64::try_from(left).unwrap_or(0),
            });
        }
        over(self.budget.session_calls, calls).then_some(Stopped {
            why: StopReason::SessionBudget,
            retry_after_ms: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Attache;

    #[test]
    fn the_count_of_a_day_ends_with_the_day_and_outlives_the_process() {
        let store = Attache::open_in_memory().expect("a store").store;
        let budget = CallBudget {
            session_calls: Some(10),
            day_calls: Some(12),
        };
        let at = |ms| Spending::read(&store, budget, ms).expect("a read");
        let noon = DAY_MS / 2;
        assert_eq!(at(noon).met(9, noon), None);
        let met = at(noon).met(10, noon).map(|stopped| stopped.why);
        assert_eq!(met, Some(StopReason::SessionBudget));
        at(noon).note(&store, 10).expect("a write");
        assert_eq!(at(noon).met(1, noon), None);
        let met = at(noon).met(2, noon).expect("the day is used up");
        assert_eq!(met.why, StopReason::DayBudget);
        assert_eq!(met.retry_after_ms, DAY_MS as u64 / 2);
        assert!(at(noon - DAY_MS).met(2, noon).is_some(), "a clock set back");
        let right = noon - 3_650 * DAY_MS;
        assert_eq!(at(right).met(9, right), None, "a clock set right");
        assert_eq!(at(noon + DAY_MS).met(9, noon + DAY_MS), None);
    }
}
