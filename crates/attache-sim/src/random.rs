//! Numbers that only a seed decides.

/// SplitMix64 (Steele, Lea, Flood 2014): kept in the tree, so that a seed always means the same.
#[derive(Clone, Debug)]
pub struct Prng(Option<u64>);

impl Prng {
    /// Opens the stream of a name: a new stream does not shift the others.
    pub fn fork(seed: u64, name: &str) -> Prng {
        // FNV-1a, then one step to mix.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let mut prng = Prng(Some(seed ^ hash));
        prng.0 = Some(prng.next());
        prng
    }

    /// A stream that is always at its end: it draws the highest number.
    pub(crate) fn still() -> Prng {
        Prng(None)
    }

    /// Draws 64 bits.
    #[expect(
        clippy::should_implement_trait,
        reason = "an endless stream is no iterator to loop over"
    )]
    pub fn next(&mut self) -> u64 {
        let Some(state) = &mut self.0 else {
            return u64::MAX;
        };
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws from `0..bound`; zero if the bound is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// Is true so many times out of a hundred.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Picks one; `None` of nothing.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_a_seed_repeat_and_do_not_follow_each_other() {
        let draw = |seed, name| {
            let mut prng = Prng::fork(seed, name);
            [prng.next(), prng.next()]
        };
        assert_eq!(draw(7, "network"), draw(7, "network"));
        assert_ne!(draw(7, "network"), draw(7, "users"));
        assert_ne!(draw(7, "network"), draw(8, "network"));
    }
}
