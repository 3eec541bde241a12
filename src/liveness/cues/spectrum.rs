// SPDX-License-Identifier: MIT OR Apache-2.0
//! Moiré: whether the spectrum of a face has a peak that stands out of its fall-off, as the grid of a screen or a printer's leaves one.
//!
//! Skin, hair and noise have no grid: their power falls off smoothly, about with the square of the frequency (D. J. Field, "Relations between
//! the statistics of natural images and the response properties of cortical cells", 1987). A camera that sees another device's grid folds it
//! down into a few sharp peaks (K. Patel et al., "Live face video vs. spoof face video: use of moiré patterns to detect replay
//! video attacks", ICB 2015). So each frequency is held against the ring around it, not against a model of the fall-off.

use std::fmt;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::luma::Luma;
use super::{is_here, sigmoid};
use crate::geometry::Rect;
use crate::image::Pixels;
use crate::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Side of the square that is transformed, in cells.
const SIDE: usize = 128;
/// Rows of the spectrum that are kept: the others mirror them, as the picture is real.
const HALF: usize = SIDE / 2;
/// Most pixels of the frame along the square: scaling by more would wipe the finest grids out. Of larger faces the middle is seen.
const MOST: f32 = 2.0 * SIDE as f32;
/// And least: of a smaller face the detail is the scaling's.
const LEAST: f32 = 48.0;

/// Radii of the ring around a peak, in frequencies: a peak of the tapered square is 5 wide …
const INNER: usize = 3;
/// … and the fall-off bends only slowly.
const OUTER: usize = 8;
/// Side of the spectrum with the ring's room before and behind.
const PADDED: (usize, usize) = (HALF + 1 + 2 * OUTER, SIDE + 2 * OUTER);

/// Lowest and highest frequency that is looked at, in cycles per cell: below lie the features of the face …
const BAND: (f32, f32) = (0.1, 0.48);
/// … and near the axes the blocks of JPEG and video codecs, and interlaced lines.
const AXIS: usize = 4;

/// Height of a peak over its ring, as a natural logarithm of power, that speaks for neither, and how much higher makes the odds e times
/// worse: above what 95 of 100 live faces of fas_nuaa and fas_celebaspoof_full have, 1.9 and 2.1. Their prints and screens have no more.
const PEAK: (f32, f32) = (2.5, 0.3);

/// Measures faces; keeps its memory from one to the next.
pub(super) struct Moire {
    luma: Luma,
    resizer: Resizer,
    format: TensorFormat,
    gray: Vec<f32>,
    taper: Vec<f32>,
    fft: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Row by row, then column by column: rows of the transposed.
    rows: Vec<Complex<f32>>,
    columns: Vec<Complex<f32>>,
    /// Power, then that of three neighbours, then the logarithm of nine's.
    power: Vec<f32>,
    three: Vec<f32>,
    log: Vec<f32>,
    /// Sums of `log` over all that lies above and to the left, with the ring's room around.
    sums: Vec<f32>,
}

impl fmt::Debug for Moire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moire").finish_non_exhaustive()
    }
}

impl Default for Moire {
    fn default() -> Self {
        let fft = FftPlanner::new().plan_fft_forward(SIDE);
        let format = TensorFormat::levels(SIDE, SIDE, Channels::Gray);
        let half = (HALF + 1) * SIDE;
        Self {
            luma: Luma::default(),
            resizer: Resizer::new(),
            gray: vec![0.0; format.len()],
            format,
            // Hann's.
            taper: (0..SIDE)
                .map(|i| {
                    let at = std::f32::consts::TAU * (i as f32 + 0.5) / SIDE as f32;
                    0.5 - 0.5 * at.cos()
                })
                .collect(),
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()],
            fft,
            rows: vec![Complex::default(); SIDE * SIDE],
            columns: vec![Complex::default(); half],
            power: vec![0.0; half],
            three: vec![0.0; half],
            log: vec![0.0; half],
            sums: vec![0.0; (PADDED.0 + 1) * (PADDED.1 + 1)],
        }
    }
}

impl Moire {
    /// 1 where nothing stands out of the spectrum of the face at `rect` (pixels of `frame`), 0 where something surely does. `None` for a face
    /// that is too small to tell.
    pub(super) fn score(&mut self, frame: &dyn Pixels, rect: &Rect) -> Option<f32> {
        let side = rect.w.max(rect.h).min(MOST);
        if !is_here(frame, rect) || side < LEAST {
            return None;
        }
        let middle = rect.center();
        let span = side.round() as i64;
        let from = |at: f32| (at - side / 2.0).round() as i64;
        let window = Window {
            x: from(middle.x),
            y: from(middle.y),
            w: span,
            h: span,
        };
        let target = (SIDE, SIDE);
        let gray = &mut self.gray;
        let border = Border::Reflect;
        self.resizer.run(
            &self.luma.of(frame, 1),
            window,
            border,
            &self.format,
            target,
            gray,
        );
        self.transform();
        let (middle, width) = PEAK;
        Some(sigmoid((middle - self.peak()) / width))
    }

    /// From grey values to the logarithm of the power of each frequency, a mean of three by three.
    fn transform(&mut self) {
        let mean = self.gray.iter().sum::<f32>() / self.gray.len() as f32;
        let lines = self.rows.chunks_exact_mut(SIDE);
        for ((line, gray), down) in lines.zip(self.gray.chunks_exact(SIDE)).zip(&self.taper) {
            for ((out, v), across) in line.iter_mut().zip(gray).zip(&self.taper) {
                *out = Complex::new((v - mean) * across * down, 0.0);
            }
        }
        self.fft
            .process_with_scratch(&mut self.rows, &mut self.scratch);
        for (u, column) in self.columns.chunks_exact_mut(SIDE).enumerate() {
            for (out, line) in column.iter_mut().zip(self.rows.chunks_exact(SIDE)) {
                *out = line[u];
            }
        }
        self.fft
            .process_with_scratch(&mut self.columns, &mut self.scratch);
        for (power, c) in self.power.iter_mut().zip(&self.columns) {
            *power = c.norm_sqr();
        }
        let pairs = self.three.chunks_exact_mut(SIDE);
        for (three, power) in pairs.zip(self.power.chunks_exact(SIDE)) {
            for (v, out) in three.iter_mut().enumerate() {
                *out = power[(v + SIDE - 1) % SIDE] + power[v] + power[(v + 1) % SIDE];
            }
        }
        // What rounding to whole levels adds, so that a blank wall has no peaks: a twelfth per pixel, and as much again.
        let energy = self.taper.iter().map(|t| t * t).sum::<f32>().powi(2);
        let floor = energy / 6.0;
        for u in 0..=HALF {
            for v in 0..SIDE {
                let at = |u: isize| self.three[fold(u, v as isize)];
                let u = u as isize;
                let nine = (at(u - 1) + at(u) + at(u + 1)) / 9.0;
                self.log[u as usize * SIDE + v] = (nine + floor).ln();
            }
        }
    }

    /// The highest peak over its ring.
    fn peak(&mut self) -> f32 {
        let wide = PADDED.1 + 1;
        for y in 0..PADDED.0 {
            let mut line = 0.0;
            for x in 0..PADDED.1 {
                let (u, v) = (y as isize - OUTER as isize, x as isize - OUTER as isize);
                line += self.log[fold(u, v)];
                self.sums[(y + 1) * wide + x + 1] = self.sums[y * wide + x + 1] + line;
            }
        }
        let square = |u: usize, v: usize, radius: usize| {
            let from = |at: usize| at + OUTER - radius;
            let to = |at: usize| at + OUTER + radius + 1;
            let at = |y: usize, x: usize| self.sums[y * wide + x];
            at(to(u), to(v)) - at(from(u), to(v)) - at(to(u), from(v)) + at(from(u), from(v))
        };
        let count = |radius: usize| ((2 * radius + 1) * (2 * radius + 1)) as f32;
        let ring = count(OUTER) - count(INNER);
        let squared = |cycles: f32| (cycles * SIDE as f32).powi(2);
        let band = squared(BAND.0)..=squared(BAND.1);
        let mut highest = 0.0f32;
        for u in AXIS..=HALF {
            for v in 0..SIDE {
                let across = v.min(SIDE - v);
                let radius = (across * across + u * u) as f32;
                if across >= AXIS && band.contains(&radius) {
                    let around = (square(u, v, OUTER) - square(u, v, INNER)) / ring;
                    highest = highest.max(self.log[u * SIDE + v] - around);
                }
            }
        }
        highest
    }
}

/// Where a frequency lies in the half of the spectrum that is kept.
fn fold(u: isize, v: isize) -> usize {
    let side = SIDE as isize;
    let u = u.rem_euclid(side);
    let (u, v) = if u > HALF as isize {
        (side - u, -v)
    } else {
        (u, v)
    };
    (u * side + v.rem_euclid(side)) as usize
}

#[cfg(test)]
mod tests {
    use super::super::tests::{natural, with_picture};
    use super::*;

    const FACE: Rect = Rect::new(40.0, 30.0, 150.0, 170.0);

    fn score(pixel: impl Fn(usize, usize) -> f32) -> f32 {
        with_picture((260, 240), pixel, |view| {
            Moire::default().score(view, &FACE).unwrap()
        })
    }

    #[test]
    fn a_grid_over_a_picture_stands_out_and_the_picture_does_not() {
        let plain = score(natural);
        assert!(plain > 0.5, "{plain}");
        for (fx, fy) in [(0.21, 0.17), (0.11, -0.14), (0.3, 0.12)] {
            let grid = |x: usize, y: usize| {
                let wave =
                    |f: f32, g: f32| (std::f32::consts::TAU * (f * x as f32 + g * y as f32)).cos();
                natural(x, y) + 8.0 * wave(fx, fy)
            };
            let with = score(grid);
            assert!(with < 0.2, "{fx} {fy}: {with}");
        }
    }

    #[test]
    fn the_blocks_of_a_codec_are_no_grid() {
        let blocks = |x: usize, y: usize| {
            natural(x, y)
                + if x.is_multiple_of(8) || y.is_multiple_of(8) {
                    6.0
                } else {
                    0.0
                }
        };
        assert!(score(blocks) > 0.5, "{}", score(blocks));
    }

    #[test]
    fn a_blank_wall_has_no_peak() {
        assert!(score(|_, _| 130.0) > 0.9);
    }

    #[test]
    fn the_half_that_is_not_kept_mirrors_the_other() {
        assert_eq!(fold(-1, 0), SIDE);
        assert_eq!(fold(-1, 3), SIDE + SIDE - 3);
        assert_eq!(fold(HALF as isize + 1, 2), (HALF - 1) * SIDE + SIDE - 2);
        assert_eq!(fold(5, -1), 5 * SIDE + SIDE - 1);
    }
}
