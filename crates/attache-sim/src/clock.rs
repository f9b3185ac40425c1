//! The clock and the chance of a device in a world.

use crate::random::Prng;
use attache::{Env, LocalTime};
use attache_sandbox::Sandbox;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// An [`Env`] whose clock is the sandbox's and whose chance is a number's.
pub struct SimEnv {
    sandbox: Sandbox,
    chance: Mutex<Prng>,
}

impl SimEnv {
    /// Makes an environment. The same seed draws the same numbers.
    pub fn new(sandbox: Sandbox, seed: u64) -> SimEnv {
        SimEnv {
            sandbox,
            chance: Mutex::new(Prng::fork(seed, "keys")),
        }
    }
}

#[async_trait::async_trait]
impl Env for SimEnv {
    fn now(&self) -> LocalTime {
        LocalTime(self.sandbox.now() * 1000)
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
