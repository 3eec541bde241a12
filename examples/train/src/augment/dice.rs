// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chance that repeats itself: the same seed and purpose give the same numbers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The numbers for one purpose. Each has its own, so that switching one change off leaves the others as they were.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose);
        Self(rng)
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// 0..1.
    pub(super) fn unit(&mut self) -> f32 {
        self.0.random()
    }

    /// -1..1.
    pub(super) fn signed(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }

    pub(super) fn between(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.unit()
    }

    /// 0..n.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f32) as usize).min(n.saturating_sub(1))
    }
}
