// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chance that repeats itself: the same seed and purpose give the same numbers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The numbers for one purpose. Each has its own, so that switching one change off leaves the others as they were.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose);
        Self(rng)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// 0..1.
    pub(crate) fn unit(&mut self) -> f32 {
        self.0.random()
    }

    /// -1..1.
    pub(crate) fn signed(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }

    pub(crate) fn between(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.unit()
    }

    /// From one to the other, each doubling as likely as the next: for sizes and periods, which differ by factors.
    pub(crate) fn factor(&mut self, from: f32, to: f32) -> f32 {
        from * (to / from).powf(self.unit())
    }

    /// Of the normal distribution with this deviation, cut off at 2.5 of them: nothing drawn is absurd (Box and Muller).
    pub(crate) fn normal(&mut self, deviation: f32) -> f32 {
        let (a, b) = (self.unit().max(1e-7), self.unit());
        let n = (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos();
        n.clamp(-2.5, 2.5) * deviation
    }

    /// 0..n.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f32) as usize).min(n.saturating_sub(1))
    }
}
