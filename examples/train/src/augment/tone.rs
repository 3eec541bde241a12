// SPDX-License-Identifier: MIT OR Apache-2.0
//! Light and colour: what changes each pixel by itself.

use super::dice::Dice;
use super::equalise::Plan;
use super::kinds::Augment;

/// Lamps and cameras change colours more than the difference of skin and print does. Half of the examples keep theirs.
const COLOR: f32 = 0.5;
/// Saturation by this factor up or down: between cameras it differs by half.
const SATURATION: f32 = 0.4;
/// Small: green faces do not exist, live or not.
const HUE_DEGREES: f32 = 8.0;
/// Red and blue against green, each by this share: automatic white balance is off by as much under lamps.
const WHITE_BALANCE: f32 = 0.1;

/// More than half: the commonest difference between two recordings.
const LIGHT: f32 = 0.7;
/// Of 255, up or down.
const BRIGHTNESS: f32 = 0.12;
/// By this factor up or down. With more, dark faces before a window are a black patch.
const CONTRAST: f32 = 0.3;
/// By this factor up or down.
const GAMMA: f32 = 0.3;

/// ITU-R BT.601 luma.
pub(super) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// What happens to each pixel: a matrix, an offset, then a curve for each channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tone {
    matrix: [[f32; 3]; 3],
    add: [f32; 3],
    gamma: f32,
}

const CALM: Tone = Tone {
    matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    add: [0.0; 3],
    gamma: 1.0,
};

impl Tone {
    /// `brightness` is the mean luma of the picture, 0..255: contrast turns around it.
    pub(super) fn draw(
        kinds: &Augment,
        plan: Option<&Plan>,
        brightness: f32,
        seed: u64,
        strength: f32,
    ) -> Self {
        let mut tone = CALM;
        let mut middle = brightness;
        if let Some(plan) = plan {
            tone.contrast(plan.contrast, middle);
            tone.saturation(plan.saturation);
            tone.brightness(plan.brightness);
            middle += plan.brightness;
        }
        let factor = |u: f32, by: f32| (1.0 + by * strength).powf(u);
        let mut dice = Dice::new(seed, 6);
        if kinds.color && dice.chance(COLOR) {
            tone.saturation(factor(dice.signed(), SATURATION));
            tone.hue(dice.signed() * HUE_DEGREES * strength);
            let (red, blue) = (dice.signed(), dice.signed());
            tone.gains([factor(red, WHITE_BALANCE), 1.0, factor(blue, WHITE_BALANCE)]);
        }
        let mut dice = Dice::new(seed, 7);
        if kinds.light && dice.chance(LIGHT) {
            tone.contrast(factor(dice.signed(), CONTRAST), middle);
            tone.brightness(dice.signed() * BRIGHTNESS * strength * 255.0);
            tone.gamma = factor(dice.signed(), GAMMA);
        }
        tone
    }

    /// Changes the pixels.
    pub(super) fn apply(&self, rgb: &mut [u8]) {
        if *self == CALM {
            return;
        }
        let curve: [u8; 256] = std::array::from_fn(|v| {
            let v = (v as f32 / 255.0).powf(self.gamma);
            (v * 255.0 + 0.5) as u8
        });
        let Self { matrix: m, add, .. } = self;
        for pixel in rgb.as_chunks_mut::<3>().0 {
            let [r, g, b] = pixel.map(f32::from);
            for (c, v) in pixel.iter_mut().enumerate() {
                let sum = m[c][0] * r + m[c][1] * g + m[c][2] * b + add[c] + 0.5;
                // The cast cuts off at 0 and 255.
                *v = curve[usize::from(sum as u8)];
            }
        }
    }

    /// This matrix after what is there.
    fn then(&mut self, next: [[f32; 3]; 3], add: [f32; 3]) {
        let times = |row: &[f32; 3], column: [f32; 3]| -> f32 {
            row.iter().zip(column).map(|(a, b)| a * b).sum()
        };
        let old = self.clone();
        for (c, row) in next.iter().enumerate() {
            for k in 0..3 {
                self.matrix[c][k] = times(row, old.matrix.map(|r| r[k]));
            }
            self.add[c] = times(row, old.add) + add[c];
        }
    }

    fn gains(&mut self, gains: [f32; 3]) {
        let mut matrix = CALM.matrix;
        for (c, gain) in gains.into_iter().enumerate() {
            matrix[c][c] = gain;
        }
        self.then(matrix, [0.0; 3]);
    }

    fn contrast(&mut self, by: f32, middle: f32) {
        let diagonal = CALM.matrix.map(|row| row.map(|v| v * by));
        self.then(diagonal, [middle * (1.0 - by); 3]);
    }

    fn brightness(&mut self, by: f32) {
        self.then(CALM.matrix, [by; 3]);
    }

    /// Away from the pixel's own grey.
    fn saturation(&mut self, by: f32) {
        let mut matrix = [LUMA.map(|l| l * (1.0 - by)); 3];
        for (c, row) in matrix.iter_mut().enumerate() {
            row[c] += by;
        }
        self.then(matrix, [0.0; 3]);
    }

    /// Around the axis from black to white (Rodrigues' rotation).
    fn hue(&mut self, degrees: f32) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (third, root) = ((1.0 - cos) / 3.0, sin / 3f32.sqrt());
        let (a, b, c) = (cos + third, third - root, third + root);
        self.then([[a, b, c], [c, a, b], [b, c, a]], [0.0; 3]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(tone: &Tone, pixel: [u8; 3]) -> [u8; 3] {
        let mut pixels = pixel;
        tone.apply(&mut pixels);
        pixels
    }

    fn with(change: impl Fn(&mut Tone)) -> Tone {
        let mut tone = CALM;
        change(&mut tone);
        tone
    }

    #[test]
    fn each_does_what_it_says() {
        let pixel = [200, 100, 50];
        assert_eq!(applied(&CALM, pixel), pixel);
        assert_eq!(
            applied(&with(|t| t.brightness(10.0)), pixel),
            [210, 110, 60]
        );
        assert_eq!(
            applied(&with(|t| t.brightness(100.0)), pixel),
            [255, 200, 150]
        );
        assert_eq!(
            applied(&with(|t| t.contrast(0.5, 100.0)), pixel),
            [150, 100, 75]
        );
        assert_eq!(
            applied(&with(|t| t.gains([1.1, 1.0, 0.5])), pixel),
            [220, 100, 25]
        );
        let [r, g, b] = applied(&with(|t| t.saturation(0.0)), pixel);
        assert_eq!((r, g), (b, r), "grey is left");
        assert_eq!(applied(&with(|t| t.hue(120.0)), pixel), [50, 200, 100]);
        assert_eq!(applied(&with(|t| t.hue(37.0)), [90; 3]), [90; 3]);
        let dark = applied(&with(|t| t.gamma = 2.0), pixel);
        assert!(dark[0] < 200 && dark[2] < 15, "{dark:?}");
    }

    #[test]
    fn one_after_the_other_is_both() {
        let both = with(|t| {
            t.contrast(0.5, 100.0);
            t.brightness(20.0);
        });
        assert_eq!(applied(&both, [200, 100, 50]), [170, 120, 95]);
    }

    #[test]
    fn what_is_off_changes_nothing() {
        for seed in 0..50 {
            assert_eq!(Tone::draw(&Augment::NONE, None, 100.0, seed, 1.0), CALM);
        }
        let moved = |seed| Tone::draw(&Augment::ALL, None, 100.0, seed, 1.0) != CALM;
        let n = (0..200).filter(|&seed| moved(seed)).count();
        assert!((140..195).contains(&n), "{n} of 200");
    }
}
