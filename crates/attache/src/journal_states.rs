//! The life of a mutation, from the edit to the server's confirmation.
//!
//! ```text
//!              send              answer: done
//!   Pending ─────────► Sending ───────────────► (gone: confirmed)
//!    ▲ ▲ ▲               │ │
//!    │ │ └── not done ───┤ └─ refused ──► Rejected ── retry ──► Pending
//!    │ └──── found out ──┤
//!    │                no answer
//!    │                   ▼
//!    │                InDoubt ── retry, if nobody can find it out ──► Pending
//!  decide
//!    └── Conflicted ◄── dispute ── (any)
//! ```
//!
//! [`next`] is the whole table. A mutation that is discarded or confirmed leaves
//! the journal, whatever its state; only what is on the wire cannot be discarded,
//! and what is in doubt only once it was looked for in vain.

/// A mutation's state, as the journal numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum State {
    Pending = 0,
    Sending = 1,
    InDoubt = 2,
    Rejected = 3,
    Conflicted = 4,
}

impl State {
    pub(crate) const ALL: [State; 5] = [
        State::Pending,
        State::Sending,
        State::InDoubt,
        State::Rejected,
        State::Conflicted,
    ];
}

/// What happens to a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It is about to leave; from here on the server may act.
    Send,
    /// The server did nothing, or what it did was looked at and merged.
    NotDone,
    /// No answer came.
    NoAnswer,
    /// The server refused it.
    Refuse,
    /// Both sides changed something, or the record is gone at the server: a person decides.
    Dispute,
    /// A person has decided, or there is nothing left to decide.
    Decide,
    /// A person wants it sent once more, or edited the record.
    Retry,
    /// Another device may have sent it.
    Suspect,
}

#[cfg(feature = "simulation")]
impl Event {
    pub(crate) const ALL: [Event; 8] = [
        Event::Send,
        Event::NotDone,
        Event::NoAnswer,
        Event::Refuse,
        Event::Dispute,
        Event::Decide,
        Event::Retry,
        Event::Suspect,
    ];
}

/// Gives the state after an event; `None` for what cannot happen.
pub(crate) fn next(state: State, event: Event) -> Option<State> {
    use Event::*;
    use State::*;
    match (event, state) {
        (Send, Pending) => Some(Sending),
        (Send, Sending | InDoubt | Rejected | Conflicted) => None,

        // Pending: another process read the record while this one waited for its answer.
        (NotDone, Pending | Sending | InDoubt) => Some(Pending),
        (NotDone, Rejected | Conflicted) => None,

        (NoAnswer, Pending | Sending | InDoubt) => Some(InDoubt),
        (NoAnswer, Rejected | Conflicted) => None,

        (Refuse, Pending | Sending | InDoubt) => Some(Rejected),
        (Refuse, Rejected | Conflicted) => None,

        // A record is in dispute as a whole, whatever became of single edits of it.
        (Dispute, Pending | Sending | InDoubt | Rejected | Conflicted) => Some(Conflicted),

        (Decide, Conflicted) => Some(Pending),
        (Decide, Pending | Sending | InDoubt | Rejected) => None,

        (Retry, Rejected | InDoubt) => Some(Pending),
        (Retry, Pending | Sending | Conflicted) => None,

        (Suspect, Pending) => Some(InDoubt),
        (Suspect, Sending | InDoubt | Rejected | Conflicted) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states that an event may meet, and the one it leads to.
    fn check(event: Event, from: &[State], to: State) {
        for state in State::ALL {
            let expected = from.contains(&state).then_some(to);
            assert_eq!(next(state, event), expected, "{event:?} in {state:?}");
        }
    }

    #[test]
    fn only_a_pending_mutation_leaves() {
        check(Event::Send, &[State::Pending], State::Sending);
    }

    #[test]
    fn what_was_not_done_waits_again() {
        let from = [State::Pending, State::Sending, State::InDoubt];
        check(Event::NotDone, &from, State::Pending);
    }

    #[test]
    fn without_an_answer_it_is_in_doubt() {
        let from = [State::Pending, State::Sending, State::InDoubt];
        check(Event::NoAnswer, &from, State::InDoubt);
    }

    #[test]
    fn what_was_sent_can_be_refused() {
        let from = [State::Pending, State::Sending, State::InDoubt];
        check(Event::Refuse, &from, State::Rejected);
    }

    #[test]
    fn a_dispute_holds_every_mutation_of_the_record() {
        check(Event::Dispute, &State::ALL, State::Conflicted);
    }

    #[test]
    fn a_decision_frees_what_was_in_dispute() {
        check(Event::Decide, &[State::Conflicted], State::Pending);
    }

    #[test]
    fn what_was_refused_or_is_in_doubt_is_retried() {
        let from = [State::Rejected, State::InDoubt];
        check(Event::Retry, &from, State::Pending);
    }

    #[test]
    fn what_another_device_may_have_sent_is_in_doubt() {
        check(Event::Suspect, &[State::Pending], State::InDoubt);
    }
}
