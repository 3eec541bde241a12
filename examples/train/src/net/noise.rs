// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random numbers that depend on nothing but their seed, so that a run that is taken up again goes on as it would have.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seed for one purpose out of a run's seed and where the run is. SplitMix64's finaliser (Steele, Lea, Flood 2014) over each part:
/// neighbouring parts give unrelated seeds.
pub fn seed(parts: &[u64]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for part in parts {
        state = mix(state ^ part.wrapping_mul(0xff51_afd7_ed55_8ccd));
    }
    state
}

fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of random numbers. ChaCha's output is fixed by its specification, so files made with one version stay reproducible.
#[derive(Debug)]
pub struct Noise(ChaCha8Rng);

impl Noise {
    /// The stream of a seed, see [`seed`].
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Even over 0..1, 1 excluded.
    pub fn unit(&mut self) -> f32 {
        // 24 bits are what an f32 holds.
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Even over `low..high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Even over `0..n`; 0 where `n` is 0. The bias of the multiplication is below `n` / 2^32.
    pub fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.unit()).cos()
    }

    /// Puts `list` in a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_streams_and_neighbours_do_not() {
        let take = |s: u64| -> Vec<f32> {
            let mut noise = Noise::new(s);
            (0..8).map(|_| noise.unit()).collect()
        };
        assert_eq!(take(seed(&[1, 2])), take(seed(&[1, 2])));
        assert_ne!(take(seed(&[1, 2])), take(seed(&[2, 1])));
        assert_ne!(seed(&[0]), seed(&[0, 0]));
    }

    #[test]
    fn the_normal_is_normal() {
        let mut noise = Noise::new(7);
        let values: Vec<f32> = (0..20_000).map(|_| noise.normal()).collect();
        let mean = values.iter().sum::<f32>() / 20_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_shuffle_keeps_all() {
        let mut list: Vec<usize> = (0..50).collect();
        Noise::new(3).shuffle(&mut list);
        assert_ne!(list, (0..50).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..50).collect::<Vec<_>>());
    }
}
