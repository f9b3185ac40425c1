//! The demo's own random numbers, so that a seed keeps its meaning whatever its dependencies do.

/// A stream of random numbers that its seed and topic decide.
pub struct Random(u64);

impl Random {
    /// Opens the stream of a topic; streams of other topics do not shift it.
    pub fn new(seed: u64, topic: &str) -> Random {
        // FNV-1a spreads the topic over the state.
        let hash = topic.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        Random(seed ^ hash)
    }

    /// Draws 64 bits (SplitMix64; Steele, Lea, Flood 2014).
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Draws from `0..bound`; 0 if the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.bits()) * bound as u128;
        (wide >> 64) as usize
    }

    /// Draws from `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(usize::try_from(high - low + 1).unwrap_or(1)) as i64
    }

    /// Is true so many times out of a hundred.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Picks one of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Brings a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }

    /// Picks some of a list, at least one, in the list's order.
    pub fn some<'a, T>(&mut self, list: &'a [T]) -> Vec<&'a T> {
        let always = self.below(list.len());
        let mut chosen = Vec::new();
        for (at, one) in list.iter().enumerate() {
            if self.percent(40) || at == always {
                chosen.push(one);
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_keeps_its_meaning() {
        assert_eq!(Random(0).bits(), 0xE220_A839_7B1D_CDAF);
        let draw = |seed, topic| Random::new(seed, topic).bits();
        assert_eq!(draw(7, "edits"), draw(7, "edits"));
        assert_ne!(draw(7, "edits"), draw(8, "edits"));
        assert_ne!(draw(7, "edits"), draw(7, "colleagues"));
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut random = Random::new(1, "bounds");
        for _ in 0..1_000 {
            assert!(random.below(3) < 3);
            assert!((-2..=2).contains(&random.between(-2, 2)));
            assert!(!random.some(&[1, 2, 3]).is_empty());
        }
    }
}
