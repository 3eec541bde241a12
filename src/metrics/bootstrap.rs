// SPDX-License-Identifier: MIT OR Apache-2.0
//! Draws groups with replacement, again and again, the same way for the same seed.

use serde::{Deserialize, Serialize};

/// How intervals are made: whole groups are drawn with replacement (the cluster bootstrap), since pictures of one person or session
/// resemble each other and pictures drawn one by one would promise a precision that is not there (B. Efron, R. J. Tibshirani, "An
/// Introduction to the Bootstrap", 1993). With fewer than about 20 groups the percentiles are too narrow still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// How often they are drawn.
    pub resamples: usize,
    /// Where the random numbers begin.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: 2000,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// Gives each resample to `f`, as how often each of the `groups` groups was drawn.
    pub(super) fn each(&self, groups: usize, mut f: impl FnMut(&[u32])) {
        let mut random = SplitMix(self.seed);
        let mut drawn = vec![0; groups];
        for _ in 0..self.resamples {
            drawn.fill(0);
            for _ in 0..groups {
                if let Some(times) = drawn.get_mut(random.below(groups)) {
                    *times += 1;
                }
            }
            f(&drawn);
        }
    }
}

/// Random numbers: SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`. What the multiplication favours is less than n / 2^64.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}
