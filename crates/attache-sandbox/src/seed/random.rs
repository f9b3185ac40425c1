//! SplitMix64, and the few draws the rows need.

use rust_decimal::Decimal;

/// A stream of random numbers that only its seed, topic and number decide.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Opens the `n`th stream of a topic.
    pub(super) fn new(seed: u64, topic: &str, n: u64) -> Random {
        // FNV-1a over the topic, then one mixing step each, so that near numbers give far streams.
        let topic = topic.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Random(mix(mix(mix(seed) ^ topic) ^ n))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Draws from `0..bound`; zero if the bound is zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Draws from `0..bound`, the low ones far more often: the mean is `bound / (power + 1)`.
    pub(super) fn skewed(&mut self, bound: u64, power: u32) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let drawn = (0..power).fold(bound as f64, |product, _| product * unit);
        (drawn as u64).min(bound.saturating_sub(1))
    }

    /// Draws from `low..=high`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// Is true so many times out of a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Picks one.
    pub(super) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    /// Picks some of a list, in its order, as a multi-select value; at least one.
    pub(super) fn some(&mut self, of: &[&str]) -> String {
        let bits = self.below((1 << of.len()) - 1) + 1;
        let chosen = of.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
        chosen
            .map(|(_, &value)| value)
            .collect::<Vec<_>>()
            .join(";")
    }

    /// Draws money with cents, up to about this many units, small sums more often.
    pub(super) fn money(&mut self, units: u64) -> Decimal {
        Decimal::new(self.skewed(units * 100, 3) as i64 + 1, 2)
    }
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
