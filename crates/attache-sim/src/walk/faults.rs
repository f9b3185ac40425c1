//! What goes wrong between a device and the org.

use super::Scene;
use super::ledger::By;
use super::scenario::Class;
use crate::random::Prng;
use attache_sandbox::{Fault, FaultKind};
use std::time::Duration;

/// What an edge server says instead of the org.
const MAINTENANCE: &str = "<html><body>Down for maintenance</body></html>";

impl Scene {
    /// The kinds of faults that this walk may meet.
    fn kinds(&self, chance: &mut Prng) -> Vec<FaultKind> {
        let mut kinds = Vec::new();
        let mut of = |class: Class, these: &[FaultKind]| {
            if self.has(class) {
                kinds.extend_from_slice(these);
            }
        };
        of(
            Class::LostRequests,
            &[FaultKind::LoseRequest, FaultKind::Reset],
        );
        of(
            Class::LostAnswers,
            &[FaultKind::LoseAnswer, FaultKind::LoseAnswer],
        );
        let cut = FaultKind::Truncate(chance.below(400));
        of(
            Class::TornAnswers,
            &[cut, FaultKind::Garbage(b"\x00\xff\x00".to_vec())],
        );
        let pause = chance.below(40) as u32;
        of(
            Class::BusyServer,
            &[
                FaultKind::busy(503, Some(pause)),
                FaultKind::busy(429, Some(pause)),
                FaultKind::Status(200, MAINTENANCE.into()),
                FaultKind::Status(500, MAINTENANCE.into()),
            ],
        );
        of(Class::Unauthorized, &[FaultKind::unauthorized()]);
        of(Class::Limits, &[FaultKind::limit_exceeded()]);
        if self.has(Class::Stragglers) {
            let wait = Duration::from_secs(2 + chance.below(120) as u64);
            kinds.extend([FaultKind::Straggle(wait), FaultKind::Straggle(wait)]);
        }
        kinds
    }

    /// Plans what goes wrong in the next session.
    pub(super) fn plan_faults(&self, chance: &mut Prng) {
        let kinds = self.kinds(chance);
        for _ in 0..chance.below(4) {
            let Some(kind) = chance.pick(&kinds) else {
                return;
            };
            let nth = 1 + chance.below(30) as u32;
            // A fault that strikes often outlasts the patience of a session.
            let times = if chance.percent(20) { 5 } else { 1 };
            let mut fault = Fault::new(kind.clone()).nth(nth).times(times);
            // A gateway may give up on what the org goes on to do; a refused token is a promise that it does not.
            if matches!(kind, FaultKind::Status(..)) && chance.percent(50) {
                fault = fault.after_commit();
            }
            if chance.percent(40) {
                // What writes is rarer than what reads, and matters more.
                fault = fault.method("POST");
            }
            self.tell(format_args!("fault: {fault:?}"));
            self.world.sandbox.fail_next(fault);
        }
    }

    /// Changes how the org answers.
    pub(super) fn change_manners(&self, chance: &mut Prng) {
        if !self.has(Class::Pages) {
            return;
        }
        let short = chance.percent(50);
        let few = chance.percent(30);
        self.world.sandbox.with_switches(|switches| {
            switches.page_rows_max = if short { 3 } else { 2_000 };
            switches.locators_max = few.then_some(1);
            switches.locks_fail_chunks = chance.percent(50);
            switches.usage_wobble = chance.below(5) as u64;
            switches.refuses_conditional_delete = chance.percent(50);
            switches.upsert_update_has_body = chance.percent(50);
        });
    }

    /// Lets requests reach the org that were cut off a while ago, whoever sent them.
    pub(super) fn let_stragglers_in(&self) {
        if self.world.sandbox.let_stragglers_in() > 0 {
            self.tell(format_args!("what was cut off reaches the org"));
            self.ledger().look(&self.world, By::Straggler);
        }
    }

    /// Takes back all that goes wrong.
    pub(super) fn calm(&self) {
        self.world.sandbox.clear_faults();
        self.world.sandbox.offline(false);
        self.world.sandbox.with_switches(|switches| {
            // Short pages are no fault, but an org's way.
            switches.page_rows_max = if self.has(Class::Pages) { 7 } else { 2_000 };
            switches.locators_max = None;
            switches.locks_fail_chunks = false;
        });
        self.lift_all();
    }
}
