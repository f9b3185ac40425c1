//! Creates in doubt that were sent together: the server did all of them or none, so what one has become says
//! something of the others.

use super::Run;
use super::doubt::Verdict;
use crate::error::{Problem, Result};
use crate::plan::{self, Step};
use crate::record::ServerTime;
use crate::store::{Entry, Settlement};

/// The code of a create that was done, as those that went with it show, and of which nothing is there.
const MADE_AND_GONE: &str = "MADE_AND_GONE";

impl Run<'_> {
    /// Brings what was found out about creates in line with each other, where they were sent together.
    pub(super) fn agree(
        &self,
        entries: &[Entry],
        verdicts: &mut [Verdict],
        now: ServerTime,
    ) -> Result<()> {
        let together = self.store.read(|r| r.together())?;
        let steps: Vec<Step> = entries.iter().map(Entry::step).collect();
        for group in plan::tied(&steps, &together) {
            let of_group = verdicts.iter_mut();
            let mut of_group: Vec<&mut Verdict> = of_group
                .filter(|verdict| group.contains(verdict.doubt.write.record.as_str()))
                .collect();
            let over = of_group
                .iter()
                .all(|verdict| verdict.doubt.is_over(now, self.settings.doubt_seconds));
            decide(&mut of_group, over);
        }
        // What others showed once holds, although nothing is left of it to be found.
        for verdict in verdicts {
            let told = std::mem::take(&mut verdict.doubt.told);
            let gone = told.into_iter().filter(|it| it.code == MADE_AND_GONE);
            let gone: Vec<Problem> = gone.collect();
            if verdict.settlement == Settlement::NotDone && !gone.is_empty() {
                verdict.settlement = Settlement::Undecided(gone);
            }
        }
        Ok(())
    }
}

/// Decides about creates of which some were found and some were not.
///
/// Those that were not found were made as well, and are deleted or out of this user's sight by now: sent again they
/// would be made twice, and in parts. Until it is `over` they may merely have been looked for too early.
fn decide(verdicts: &mut [&mut Verdict], over: bool) {
    let found = |verdict: &Verdict| matches!(verdict.settlement, Settlement::Created(_));
    if verdicts.iter().all(|verdict| found(verdict)) {
        return;
    }
    let id = verdicts.iter().find_map(|verdict| verdict.adopted());
    let Some(id) = id else { return };
    for verdict in verdicts {
        match over {
            false => verdict.settlement = Settlement::InDoubt,
            true if found(verdict) => {}
            true => verdict.settlement = Settlement::Undecided(vec![made_and_gone(&id)]),
        }
    }
}

fn made_and_gone(sibling: &str) -> Problem {
    Problem {
        fields: Vec::new(),
        code: MADE_AND_GONE.into(),
        message: format!(
            "it was sent and not answered, and was made together with {sibling}, but is deleted or out of sight by now: discard it if that is right, retry if it is to be made again"
        ),
        duplicates: None,
    }
}
