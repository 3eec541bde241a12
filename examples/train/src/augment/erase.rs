// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small part is hidden (Zhong et al., *Random Erasing Data Augmentation*, AAAI 2020): so that no single spot decides.

use liveness::dataset::picture::Rgb;

use super::dice::Dice;
use super::kinds::Augment;

/// A fifth.
const ERASE: f32 = 0.2;
/// Share of the area: smaller than the 2 to 40 % of the paper, as the evidence of a spoof can be small itself.
const ERASE_AREA: (f32, f32) = (0.02, 0.1);
/// Width over height, up or down.
const ERASE_SHAPE: f32 = 2.5;

/// Fills a rectangle with one colour.
pub(super) fn draw(rgb: &mut Rgb, kinds: &Augment, seed: u64, strength: f32) {
    let mut dice = Dice::new(seed, 13);
    if !(kinds.erase && dice.chance(ERASE)) {
        return;
    }
    let area = (dice.between(ERASE_AREA.0, ERASE_AREA.1) * strength).min(0.5);
    let shape = ERASE_SHAPE.powf(dice.signed()).sqrt();
    let side = |n: usize, share: f32| ((n as f32 * share).round() as usize).clamp(1, n);
    let w = side(rgb.width, area.sqrt() * shape);
    let h = side(rgb.height, area.sqrt() / shape);
    let (x, y) = (
        dice.below(rgb.width - w + 1),
        dice.below(rgb.height - h + 1),
    );
    let color: [u8; 3] = std::array::from_fn(|_| dice.below(256) as u8);
    for row in rgb.data.chunks_exact_mut(3 * rgb.width).skip(y).take(h) {
        row[3 * x..3 * (x + w)].as_chunks_mut::<3>().0.fill(color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_part_is_hidden_now_and_then() {
        let mut hidden = 0;
        for seed in 0..300 {
            let (width, height) = (40, 30);
            let mut rgb = Rgb {
                width,
                height,
                data: [7, 77, 177].repeat(width * height),
            };
            draw(&mut rgb, &Augment::ALL, seed, 1.0);
            let pixels = rgb.data.as_chunks::<3>().0;
            let changed = pixels.iter().filter(|p| **p != [7, 77, 177]).count();
            let share = changed as f32 / (width * height) as f32;
            assert!(share < 0.12, "{share}");
            hidden += usize::from(changed > 0);
        }
        assert!((35..90).contains(&hidden), "{hidden} of 300");
    }
}
