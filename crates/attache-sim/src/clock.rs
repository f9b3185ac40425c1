//! The clock and the chance of a device in a world.

use attache::{Env, LocalTime};
use attache_sandbox::Sandbox;
use std::sync::Mutex;
use std::time::Duration;

/// An [`Env`] whose clock is the sandbox's and whose chance is a number's.
pub struct SimEnv {
    sandbox: Sandbox,
    state: Mutex<u64>,
}

impl SimEnv {
    /// Makes an environment. The same seed draws the same numbers.
    pub fn new(sandbox: Sandbox, seed: u64) -> SimEnv {
        SimEnv {
            sandbox,
            state: Mutex::new(seed),
        }
    }
}

#[async_trait::async_trait]
impl Env for SimEnv {
    fn now(&self) -> LocalTime {
        LocalTime(self.sandbox.now() * 1000)
    }

    fn random(&self, buffer: &mut [u8]) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in buffer {
            *byte = split_mix(&mut state).to_le_bytes()[0];
        }
    }

    async fn sleep(&self, duration: Duration) {
        self.sandbox
            .advance(u32::try_from(duration.as_secs().max(1)).unwrap_or(u32::MAX));
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): kept in the tree, so that a seed always means the same.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
