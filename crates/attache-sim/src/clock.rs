//! The clock and the chance of a device in a world.

use crate::random::Prng;
use attache::{Env, LocalTime};
use attache_sandbox::Sandbox;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An [`Env`] whose clock is the sandbox's and whose chance is a number's.
///
/// Clones are of the same device: they draw on from where the others are, and show the same time.
#[derive(Clone)]
pub struct SimEnv {
    sandbox: Sandbox,
    chance: Arc<Mutex<Prng>>,
    wrong_by: Arc<AtomicI64>,
}

impl SimEnv {
    /// Makes an environment. The same seed draws the same numbers.
    pub fn new(sandbox: Sandbox, seed: u64) -> SimEnv {
        SimEnv {
            sandbox,
            chance: Arc::new(Mutex::new(Prng::fork(seed, "keys"))),
            wrong_by: Arc::default(),
        }
    }

    /// Has the clock show another time than the org's, by so many seconds.
    pub fn set_wrong_by(&self, seconds: i64) {
        self.wrong_by.store(seconds, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl Env for SimEnv {
    fn now(&self) -> LocalTime {
        LocalTime((self.sandbox.now() + self.wrong_by.load(Ordering::Relaxed)) * 1000)
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
