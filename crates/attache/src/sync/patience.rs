//! Calls that failed for a passing reason are made again, after a pause.

use crate::engine::CancelToken;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::filter::FiscalYear;
use crate::question::{Answer, Question};
use crate::record::ServerTime;
use crate::remote::{
    ApiUsage, BodyPart, Deleted, Describe, FileBytes, Identity, Joined, Layouts, ListViewName,
    Page, Remote, TakePart, Updated, Write, WriteOutcome,
};
use async_trait::async_trait;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The first pause is at most this long, each later one at most twice as long as the one before.
const FIRST_PAUSE_MAX: Duration = Duration::from_secs(1);
/// A server that asks for more time than this is left alone: the session ends and says so.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A remote that is asked again.
///
/// Reads change nothing, and a batch of writes fails as a whole only when nothing of it was
/// sent: both can be repeated. The pauses are drawn between nothing and their most ("full
/// jitter"), so that devices which lost one server at the same moment do not come back at the
/// same moment. A device without a network is told at once: until the first answer nothing is
/// repeated.
///
/// # Source
/// M. Brooker, *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015.
pub(crate) struct Patient {
    remote: Arc<dyn Remote>,
    env: Arc<dyn Env>,
    cancel: CancelToken,
    retries: u32,
    answered: AtomicBool,
}

impl Patient {
    /// Makes each call up to `retries` times more.
    pub(crate) fn new(
        remote: Arc<dyn Remote>,
        env: Arc<dyn Env>,
        cancel: CancelToken,
        retries: u32,
    ) -> Patient {
        Patient {
            remote,
            env,
            cancel,
            retries,
            answered: AtomicBool::new(false),
        }
    }

    /// Waits before another try; gives the error back if there should be none.
    async fn pause(&self, tries: u32, error: Error) -> Result<()> {
        let asked = match error.retry() {
            Retry::After(asked) if error.kind() == ErrorKind::RemoteBusy => asked,
            _ => Duration::ZERO,
        };
        let answered = self.answered.load(Ordering::Relaxed);
        if !is_passing(&error) || !answered || tries >= self.retries || asked > PAUSE_MAX {
            return Err(error);
        }
        self.env.sleep(asked + backoff(tries, &*self.env)).await;
        self.cancel.check()
    }

    fn note<T>(&self, answer: Result<T>) -> Result<T> {
        let heard = match &answer {
            Ok(_) => true,
            Err(error) => error.kind() != ErrorKind::RemoteUnreachable,
        };
        self.answered.fetch_or(heard, Ordering::Relaxed);
        answer
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RemoteUnreachable | ErrorKind::RemoteBusy
    )
}

/// Draws the pause that comes after so many tries, the first of which is try 0.
fn backoff(tries: u32, env: &dyn Env) -> Duration {
    let most = FIRST_PAUSE_MAX
        .saturating_mul(1 << tries.min(16))
        .min(PAUSE_MAX);
    part_of(most, env)
}

/// Draws a pause between nothing and its most.
pub(super) fn part_of(most: Duration, env: &dyn Env) -> Duration {
    let mut bytes = [0; 4];
    env.random(&mut bytes);
    most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

/// Makes a call until it is answered, or there is no more patience.
macro_rules! again {
    ($self:ident, $call:expr) => {{
        let mut tries = 0;
        loop {
            match $self.note($call.await) {
                Ok(answer) => break Ok(answer),
                Err(error) => $self.pause(tries, error).await?,
            }
            tries += 1;
        }
    }};
}

#[async_trait]
impl Remote for Patient {
    async fn identity(&self) -> Result<Identity> {
        again!(self, self.remote.identity())
    }

    async fn describe(&self, object: &str, known: Option<&str>) -> Result<Option<Describe>> {
        again!(self, self.remote.describe(object, known))
    }

    async fn fiscal_year(&self, org_id: &str) -> Result<Option<FiscalYear>> {
        again!(self, self.remote.fiscal_year(org_id))
    }

    async fn query(&self, soql: &str) -> Result<Page> {
        again!(self, self.remote.query(soql))
    }

    async fn query_more(&self, next: &str) -> Result<Page> {
        again!(self, self.remote.query_more(next))
    }

    async fn query_file(&self, soql: &str) -> Result<Option<String>> {
        again!(self, self.remote.query_file(soql))
    }

    async fn file_page(&self, file: &str) -> Result<Option<Page>> {
        again!(self, self.remote.file_page(file))
    }

    async fn layouts(&self, object: &str) -> Result<Option<Layouts>> {
        again!(self, self.remote.layouts(object))
    }

    async fn list_views(&self, object: &str) -> Result<Vec<ListViewName>> {
        again!(self, self.remote.list_views(object))
    }

    async fn list_view(&self, object: &str, id: &str) -> Result<Option<String>> {
        again!(self, self.remote.list_view(object, id))
    }

    async fn retrieve(
        &self,
        object: &str,
        ids: &[String],
        fields: &[String],
    ) -> Result<Vec<Option<Box<RawValue>>>> {
        again!(self, self.remote.retrieve(object, ids, fields))
    }

    async fn merged_into(&self, object: &str, ids: &[String]) -> Result<Vec<(String, String)>> {
        again!(self, self.remote.merged_into(object, ids))
    }

    async fn updated(&self, object: &str, start: ServerTime) -> Result<Updated> {
        again!(self, self.remote.updated(object, start))
    }

    async fn deleted(&self, object: &str, start: ServerTime) -> Result<Deleted> {
        again!(self, self.remote.deleted(object, start))
    }

    async fn ask(&self, questions: &[Question]) -> Result<Vec<Result<Answer>>> {
        let answers: Result<Vec<_>> = again!(self, self.remote.ask(questions));
        let mut answers = answers?;
        for (question, answer) in questions.iter().zip(&mut answers) {
            // Its neighbours have their answers: this one is asked again by itself.
            if self.retries > 0 && answer.as_ref().is_err_and(is_passing) {
                *answer = question.ask(self).await;
            }
        }
        Ok(answers)
    }

    async fn push(
        &self,
        batch: &[Write],
        settled: &mut (dyn FnMut(usize, WriteOutcome) -> Result<()> + Send),
    ) -> Result<()> {
        // An outcome that could not be stored is an error too, and nothing to be repeated.
        let mut told = false;
        let mut tries = 0;
        loop {
            let answer = self
                .remote
                .push(batch, &mut |at, outcome| {
                    told = true;
                    settled(at, outcome)
                })
                .await;
            match self.note(answer) {
                Err(error) if !told => self.pause(tries, error).await?,
                answer => return answer,
            }
            tries += 1;
        }
    }

    async fn read_body(
        &self,
        version: &str,
        start: u64,
        total: u64,
        take: &mut TakePart<'_>,
    ) -> Result<()> {
        let (mut reached, mut tries) = (start, 0);
        loop {
            let from = reached;
            let mut each = |part: BodyPart| {
                let end = part.start.saturating_add(part.bytes.len() as u64);
                let wanted = take(part)?;
                reached = end;
                Ok(wanted)
            };
            let answer = self.remote.read_body(version, from, total, &mut each).await;
            match self.note(answer) {
                // A line that breaks now and then is no reason to give a large file up.
                Err(error) if reached > from => self.pause(0, error).await?,
                Err(error) => self.pause(tries, error).await?,
                Ok(()) => return Ok(()),
            }
            tries = if reached > from { 1 } else { tries + 1 };
        }
    }

    async fn push_file(&self, write: &Write, bytes: &dyn FileBytes) -> Result<WriteOutcome> {
        again!(self, self.remote.push_file(write, bytes))
    }

    async fn push_together(&self, batch: &[Joined]) -> Result<Vec<WriteOutcome>> {
        again!(self, self.remote.push_together(batch))
    }

    fn server_time(&self) -> Option<ServerTime> {
        self.remote.server_time()
    }

    fn usage(&self) -> ApiUsage {
        self.remote.usage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::LocalTime;
    use std::sync::atomic::AtomicU64;

    /// Draws by a seed (SplitMix64), and never waits.
    struct Seeded(AtomicU64);

    #[async_trait]
    impl Env for Seeded {
        fn now(&self) -> LocalTime {
            LocalTime(0)
        }

        fn random(&self, buffer: &mut [u8]) {
            for byte in buffer {
                let mut z = self
                    .0
                    .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
                    .wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                *byte = (z ^ (z >> 31)).to_le_bytes()[7];
            }
        }

        async fn sleep(&self, _duration: Duration) {}
    }

    #[test]
    fn pauses_are_drawn_evenly_between_nothing_and_a_most_that_doubles() {
        const DRAWS: usize = 4_000;
        const PARTS: usize = 10;
        for seed in 0..8 {
            let env = Seeded(AtomicU64::new(seed));
            for (tries, most) in [1, 2, 4, 8, 16, 30, 30, 30].into_iter().enumerate() {
                let most = Duration::from_secs(most);
                let mut parts = [0; PARTS];
                for _ in 0..DRAWS {
                    let pause = backoff(tries as u32, &env);
                    assert!(pause <= most, "{pause:?} after {tries} tries");
                    let part = pause.div_duration_f64(most) * PARTS as f64;
                    parts[(part as usize).min(PARTS - 1)] += 1;
                }
                // Six standard deviations of the count of a part.
                let (even, off) = (DRAWS / PARTS, 6 * 19);
                for part in parts {
                    assert!(
                        (even - off..even + off).contains(&part),
                        "after {tries} tries: {parts:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_devices_that_lost_a_server_together_do_not_come_back_together() {
        let pauses = |seed| {
            let env = Seeded(AtomicU64::new(seed));
            (0..8).map(|tries| backoff(tries, &env)).collect::<Vec<_>>()
        };
        assert_eq!(pauses(1), pauses(1), "the same seed draws the same");
        let together = pauses(1)
            .iter()
            .zip(pauses(2))
            .filter(|(a, b)| **a == *b)
            .count();
        assert_eq!(together, 0);
    }
}
