// SPDX-License-Identifier: MIT OR Apache-2.0
//! Noise of a sensor.

use std::sync::LazyLock;

use super::dice::Dice;
use super::kinds::Augment;

/// A third: cameras in the light show none, phones at night much.
const NOISE: f32 = 0.3;
/// Standard deviation in the dark, in levels of 255, at the most.
const READ: f32 = 6.0;
/// Variance that each level of brightness adds at the most: light comes in photons (Poisson), so bright parts are noisier.
const SHOT: f32 = 0.15;

/// Numbers of the normal distribution, drawn once: a hundred thousand new ones a patch would take longer than all the rest. A prime
/// number of them, so that no pattern of the pixels meets one in them.
static NORMAL: LazyLock<Vec<f32>> = LazyLock::new(|| {
    const MANY: usize = 65_537;
    let mut dice = Dice::new(0, 100);
    // Box and Muller.
    let normal = |_| {
        let (a, b) = (dice.unit().max(1e-7), dice.unit());
        (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
    };
    (0..MANY).map(normal).collect()
});

/// Adds noise to pixels.
pub(super) fn draw(rgb: &mut [u8], kinds: &Augment, seed: u64, strength: f32) {
    let mut dice = Dice::new(seed, 10);
    if !(kinds.noise && dice.chance(NOISE)) {
        return;
    }
    let read = (dice.unit() * READ * strength).powi(2);
    let shot = dice.unit() * SHOT * strength;
    add(rgb, read, shot, &mut dice);
}

/// Adds noise of this variance in the dark, and more by `shot` for each level of brightness.
pub(crate) fn add(rgb: &mut [u8], read: f32, shot: f32, dice: &mut Dice) {
    let sigmas: [f32; 256] = std::array::from_fn(|v| (read + shot * v as f32).sqrt());
    let mut normal = &NORMAL[dice.below(NORMAL.len())..];
    let mut rest = rgb;
    while !rest.is_empty() {
        let (now, later) = rest.split_at_mut(normal.len().min(rest.len()));
        for (v, n) in now.iter_mut().zip(normal) {
            *v = (f32::from(*v) + n * sigmas[usize::from(*v)] + 0.5) as u8;
        }
        (rest, normal) = (later, &NORMAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_stays_and_bright_parts_are_noisier() {
        let mean = NORMAL.iter().sum::<f32>() / NORMAL.len() as f32;
        let variance = NORMAL.iter().map(|n| n * n).sum::<f32>() / NORMAL.len() as f32;
        assert!(
            mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02,
            "{mean} {variance}"
        );
        let kinds = Augment::ALL;
        let (mut noisy, mut dark, mut bright) = (0, 0.0, 0.0);
        for seed in 0..200 {
            let spread = |level: u8| {
                let mut rgb = vec![level; 3000];
                draw(&mut rgb, &kinds, seed, 1.0);
                let off = |v: &u8| f32::from(*v) - f32::from(level);
                let mean = rgb.iter().map(off).sum::<f32>() / 3000.0;
                assert!(mean.abs() < 0.7, "{mean}");
                rgb.iter().map(|v| off(v).powi(2)).sum::<f32>() / 3000.0
            };
            let spread = (spread(40), spread(200));
            noisy += usize::from(spread.1 > 0.0);
            dark += spread.0;
            bright += spread.1;
        }
        assert!((35..85).contains(&noisy), "{noisy} of 200");
        assert!(bright > 1.3 * dark, "{dark} {bright}");
    }
}
