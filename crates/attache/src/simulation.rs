//! What only simulations need: mistakes that are made on purpose, and which transitions of the journal were met.
//!
//! A simulation that finds nothing proves nothing, unless it finds what is wrong when something is. So known
//! mistakes of sync engines stand in the source, each a line at its place, and do nothing until they are
//! planted. They are not compiled at all without the cargo feature `simulation`, which no build but that of the
//! simulation's own tests has (`cargo xtask tidy` sees to it).

use crate::journal_states::{self, Event, State};
use crate::plan::{Known, Seen};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A mistake that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Bug { $($(#[$doc])* $name,)* }

        impl Bug {
            /// All of them.
            pub const ALL: &[Bug] = &[$(Bug::$name,)*];
        }
    };
}

bugs! {
    /// The window of changes counts as read before its records are.
    CursorBeforeRows,
    /// An answer settles every mutation of the record, those made since it was sent included.
    AcknowledgesWholeRecord,
    /// Updates are sent without a precondition, and without another look.
    NoPrecondition,
    /// A sweep that came no further than its first page takes away what the others hold.
    DeletesOnIncompleteSweep,
    /// What is read back replaces the row, edits made meanwhile included.
    ReadBackReplacesEdits,
    /// A create without an answer is sent again without being looked for.
    ResendsBlindly,
    /// An update without an answer counts as done.
    TakesSilenceForSuccess,
    /// What was sent does not become the base of what was edited meanwhile.
    BaseStaysAfterPush,
    /// Lookups keep the local key of a record that the server has given an id.
    LookupsNotRewritten,
    /// What leaves the briefcase is deleted at the server.
    EvictsAtServer,
    /// Children leave before the records that they hang on, without them.
    ChildrenFirst,
    /// Of several edits of a record, the fields of the first are forgotten.
    SquashForgetsFields,
    /// An edit that is taken back stays in the row.
    UndoKeepsRow,
    /// The token of another user is taken.
    ServesAnyUser,
    /// Both sides' edits of a field: this device's are sent without a word.
    MergeTakesLocal,
    /// Both sides' edits of a field: this device's are dropped without a word.
    MergeTakesRemote,
    /// What was deleted before the server's memory begins stays here.
    IgnoresHorizon,
    /// Eviction takes pinned records as well.
    ForgetsPins,
    /// Each import adds its mutations once more.
    ImportsTwice,
    /// Windows of changes do not overlap: what commits late is never seen.
    NoOverlap,
    /// The intent to send is not kept.
    ForgetsIntent,
    /// Each attempt at a create has a key of its own.
    FreshKeyEachTime,
    /// What is to be taken whole is sent record by record.
    SendsUnitsApart,
    /// A record that left a rule stays a member.
    NeverLeaves,
    /// A record that somebody deleted at the server loses its edits here.
    DeletionDropsEdits,
    /// A store with unsent edits is wiped without being told so twice.
    WipesUnsent,
    /// A refused write counts as done.
    TakesRefusalForSuccess,
    /// An edit of a record that somebody deleted here and changed there is dropped with it.
    DeletesOverEdits,
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    static MET: RefCell<BTreeSet<(&'static str, String)>> = const { RefCell::new(BTreeSet::new()) };
}

/// Plants a mistake in everything that this thread does from here on; `None` takes it out.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

pub(crate) fn is_planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Notes that an arm of one of the engine's tables was met.
pub(crate) fn meet(table: &'static str, arm: impl FnOnce() -> String) {
    MET.with_borrow_mut(|met| {
        met.insert((table, arm()));
    });
}

/// Takes the arms that this thread has met since it was last asked: a table's name and the arm.
pub fn take_met() -> BTreeSet<(&'static str, String)> {
    MET.with_borrow_mut(std::mem::take)
}

/// Every arm of the engine's tables that can be met, those for what cannot happen left out: each transition of a
/// mutation, and each decision about a record that comes in.
pub fn arms() -> BTreeSet<(&'static str, String)> {
    let mut arms = BTreeSet::new();
    for state in State::ALL {
        for event in Event::ALL {
            if journal_states::next(state, event).is_some() {
                arms.insert(("journal", format!("{event:?} in {state:?}")));
            }
        }
    }
    let seen = [Seen::Changed, Seen::Same, Seen::Missing];
    for known in [Known::Absent, Known::Clean, Known::Edited, Known::Deleted] {
        // A record that is not here was never seen before.
        let possible = |seen: &Seen| (known, *seen) != (Known::Absent, Seen::Same);
        for seen in seen.into_iter().filter(possible) {
            arms.insert(("incoming", format!("{known:?} and {seen:?}")));
        }
    }
    arms
}
