// SPDX-License-Identifier: MIT OR Apache-2.0
//! Out of focus, or moved while the shutter was open.

use liveness::dataset::picture::Rgb;

use super::dice::Dice;
use super::kinds::Augment;

/// Seldom: fine detail is what tells skin from print, and a net that never sees it cannot learn it.
const BLUR: f32 = 0.2;
/// Standard deviation in pixels of the model's input: from just visible to what a fixed focus makes of a near face.
const BLUR_SIGMA: (f32, f32) = (0.3, 1.0);

/// Rarer than out of focus: shutters are short where there is light.
const MOTION: f32 = 0.1;
/// Length in pixels of the model's input.
const MOTION_LENGTH: (f32, f32) = (1.5, 4.0);

/// Widest filter in pixels to each side: bounds the time where a patch is much larger than the input.
const MOST_RADIUS: usize = 16;

/// Blurs pictures; keeps its memory.
#[derive(Debug, Default)]
pub(crate) struct Blur {
    /// Rows with their outermost pixels repeated on both sides.
    padded: Vec<f32>,
    sum: Vec<f32>,
}

/// A weight and where it is: pixels to the right and down.
type Tap = (isize, isize, f32);

impl Blur {
    /// `ratio` is how many pixels of the picture are one of the model's input.
    pub(super) fn draw(
        &mut self,
        rgb: &mut Rgb,
        kinds: &Augment,
        ratio: f32,
        seed: u64,
        strength: f32,
    ) {
        let mut dice = Dice::new(seed, 8);
        if kinds.blur && dice.chance(BLUR) {
            let sigma = dice.between(BLUR_SIGMA.0, BLUR_SIGMA.1) * strength * ratio;
            self.soften(rgb, sigma);
        }
        let mut dice = Dice::new(seed, 9);
        if kinds.motion && dice.chance(MOTION) {
            let length = dice.between(MOTION_LENGTH.0, MOTION_LENGTH.1) * strength * ratio;
            let angle = dice.unit() * std::f32::consts::PI;
            self.apply(rgb, &streak(length, angle));
        }
    }

    /// Out of focus by this standard deviation, in pixels of the picture.
    pub(crate) fn soften(&mut self, rgb: &mut Rgb, sigma: f32) {
        let line = gaussian(sigma);
        let along: Vec<Tap> = line.iter().map(|&(i, w)| (i, 0, w)).collect();
        let across: Vec<Tap> = line.iter().map(|&(i, w)| (0, i, w)).collect();
        self.apply(rgb, &along);
        self.apply(rgb, &across);
    }

    /// Each pixel becomes the weighted mean of those around it; the outermost ones are repeated.
    fn apply(&mut self, rgb: &mut Rgb, taps: &[Tap]) {
        let (width, height) = (rgb.width, rgb.height);
        let radius = taps.iter().map(|t| t.0.unsigned_abs()).max().unwrap_or(0);
        let row = 3 * width;
        let stride = row + 6 * radius;
        self.padded.clear();
        self.padded.reserve(stride * height);
        for line in rgb.data.chunks_exact(row) {
            let end = [line[row - 3], line[row - 2], line[row - 1]];
            let repeat = |pixel: [u8; 3]| std::iter::repeat_n(pixel, radius).flatten();
            let left = repeat([line[0], line[1], line[2]]);
            let values = left.chain(line.iter().copied()).chain(repeat(end));
            self.padded.extend(values.map(f32::from));
        }
        self.sum.resize(row, 0.0);
        for (y, line) in rgb.data.chunks_exact_mut(row).enumerate() {
            // A half, so that the cast rounds.
            self.sum.fill(0.5);
            for &(dx, dy, weight) in taps {
                let y = y.saturating_add_signed(dy).min(height - 1);
                let from = y * stride + 3 * (radius.saturating_add_signed(dx));
                let source = &self.padded[from..from + row];
                for (sum, v) in self.sum.iter_mut().zip(source) {
                    *sum += weight * v;
                }
            }
            for (v, sum) in line.iter_mut().zip(&self.sum) {
                *v = *sum as u8;
            }
        }
    }
}

/// A normal distribution, cut off where it is below a twentieth.
fn gaussian(sigma: f32) -> Vec<(isize, f32)> {
    let sigma = sigma.max(0.05);
    let radius = ((2.5 * sigma).ceil() as usize).clamp(1, MOST_RADIUS) as isize;
    let weight = |i: isize| (-0.5 * (i as f32 / sigma).powi(2)).exp();
    let sum: f32 = (-radius..=radius).map(weight).sum();
    (-radius..=radius).map(|i| (i, weight(i) / sum)).collect()
}

/// A line of this length in pixels, each of its points spread over the four pixels around it.
fn streak(length: f32, angle: f32) -> Vec<Tap> {
    let length = length.clamp(0.0, 2.0 * MOST_RADIUS as f32 - 2.0);
    let points = (2.0 * length).ceil() as usize + 1;
    let (sin, cos) = angle.sin_cos();
    let mut taps = std::collections::BTreeMap::<(isize, isize), f32>::new();
    for i in 0..points {
        let at = length * (i as f32 / (points.max(2) - 1) as f32 - 0.5);
        let (x, y) = (at * cos, at * sin);
        let (x0, y0) = (x.floor(), y.floor());
        let (ax, ay) = (x - x0, y - y0);
        for (dx, dy, weight) in [
            (0, 0, (1.0 - ax) * (1.0 - ay)),
            (1, 0, ax * (1.0 - ay)),
            (0, 1, (1.0 - ax) * ay),
            (1, 1, ax * ay),
        ] {
            let key = (x0 as isize + dx, y0 as isize + dy);
            *taps.entry(key).or_default() += weight / points as f32;
        }
    }
    taps.into_iter()
        .filter(|(_, w)| *w > 1e-4)
        .map(|((x, y), w)| (x, y, w))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot() -> Rgb {
        let (width, height) = (31, 21);
        let mut data = vec![0; 3 * width * height];
        data[3 * (10 * width + 15)..][..3].fill(255);
        Rgb {
            width,
            height,
            data,
        }
    }

    fn total(rgb: &Rgb) -> u32 {
        rgb.data.iter().map(|&v| u32::from(v)).sum()
    }

    #[test]
    fn a_dot_becomes_a_bell_or_a_streak() {
        let line = gaussian(1.5);
        assert!((line.iter().map(|(_, w)| w).sum::<f32>() - 1.0).abs() < 1e-5);
        let mut bell = dot();
        let mut blur = Blur::default();
        let along: Vec<Tap> = line.iter().map(|&(i, w)| (i, 0, w)).collect();
        blur.apply(&mut bell, &along);
        assert!((total(&bell) as i32 - 3 * 255).abs() < 12);
        assert_eq!(bell.data[3 * (10 * 31 + 14)], bell.data[3 * (10 * 31 + 16)]);
        let mut moved = dot();
        blur.apply(&mut moved, &streak(6.0, 0.0));
        let row = &moved.data[3 * 10 * 31..3 * 11 * 31];
        let lit = row.iter().step_by(3).filter(|v| **v > 10).count();
        assert!((6..=8).contains(&lit), "{lit}");
        assert!((total(&moved) as i32 - 3 * 255).abs() < 30);
    }

    #[test]
    fn an_even_picture_stays_even() {
        let (width, height) = (9, 7);
        let mut rgb = Rgb {
            width,
            height,
            data: vec![77; 3 * width * height],
        };
        let mut blur = Blur::default();
        for angle in [0.0, 0.5, 1.0, 2.0, 3.0] {
            blur.apply(&mut rgb, &streak(30.0, angle));
        }
        for seed in 0..40 {
            blur.draw(&mut rgb, &Augment::ALL, 40.0, seed, 1.0);
        }
        assert!(rgb.data.iter().all(|v| v.abs_diff(77) <= 1));
    }
}
