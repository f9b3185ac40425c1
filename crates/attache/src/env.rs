//! All that is not determined: the clock, chance and waiting.

use async_trait::async_trait;
use std::path::Path;
use std::time::Duration;

/// An instant of this device's clock, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Device clocks are wrong by minutes and by years: a `LocalTime` is shown to
/// people and paces retries, and is never compared with a
/// [`ServerTime`](crate::ServerTime).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(pub i64);

/// The outside world as the engine sees it.
///
/// Only implementations of this trait read a clock, sleep or draw a random
/// number; with another one, the same engine runs in virtual time.
#[async_trait]
pub trait Env: Send + Sync + 'static {
    /// Reads the clock.
    fn now(&self) -> LocalTime;
    /// Fills a buffer with random bytes.
    fn random(&self, buffer: &mut [u8]);
    /// Waits.
    async fn sleep(&self, duration: Duration);
    /// Gives the bytes that are free on the disk of a file; `None` where nobody can tell.
    fn free_bytes(&self, _file: &Path) -> Option<u64> {
        None
    }
}

/// The real clock and the system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnv;

#[async_trait]
impl Env for SystemEnv {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the injected environment"
    )]
    fn now(&self) -> LocalTime {
        LocalTime(jiff::Timestamp::now().as_millisecond())
    }

    fn random(&self, buffer: &mut [u8]) {
        // Without entropy no key is unique, and a repeated key could merge two
        // records into one: stopping is the only safe answer.
        getrandom::fill(buffer).expect("the system has a source of random numbers");
    }

    async fn sleep(&self, duration: Duration) {
        futures_timer::Delay::new(duration).await;
    }

    fn free_bytes(&self, file: &Path) -> Option<u64> {
        fs4::available_space(file).ok()
    }
}
