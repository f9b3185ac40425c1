//! The clock and the chance of a device in a world.

use crate::random::Prng;
use attache::{Env, LocalTime};
use attache_sandbox::Sandbox;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// By how much the clock of a device is wrong. A handle: clones are the same error.
#[derive(Clone, Debug, Default)]
pub struct ClockError(Arc<AtomicI64>);

impl ClockError {
    /// Sets the clock this many seconds ahead of the org's, or behind it if negative; 0 puts it right.
    pub fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// An [`Env`] whose clock is the sandbox's, but for an error, and whose chance is a number's.
///
/// Clones are of the same device: they draw on from where the others are, and show the same time.
#[derive(Clone)]
pub struct SimEnv {
    sandbox: Sandbox,
    chance: Arc<Mutex<Prng>>,
    clock_error: ClockError,
}

impl SimEnv {
    /// Makes an environment. The same seed draws the same numbers.
    pub fn new(sandbox: Sandbox, seed: u64) -> SimEnv {
        SimEnv {
            sandbox,
            chance: Arc::new(Mutex::new(Prng::fork(seed, "keys"))),
            clock_error: ClockError::default(),
        }
    }

    /// Lets the clock be wrong by what somebody sets.
    #[must_use]
    pub fn with_clock_error(mut self, clock_error: ClockError) -> SimEnv {
        self.clock_error = clock_error;
        self
    }

    /// By how much the clock is wrong.
    pub fn clock_error(&self) -> &ClockError {
        &self.clock_error
    }
}

#[async_trait::async_trait]
impl Env for SimEnv {
    fn now(&self) -> LocalTime {
        LocalTime((self.sandbox.now() + self.clock_error.seconds()) * 1000)
    }

    fn random(&self, buffer: &mut [u8]) {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in buffer {
            *byte = chance.next().to_le_bytes()[0];
        }
    }

    async fn sleep(&self, duration: Duration) {
        self.sandbox
            .advance(u32::try_from(duration.as_secs().max(1)).unwrap_or(u32::MAX));
    }
}
