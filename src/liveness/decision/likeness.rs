// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the face in a box still looks like the one before: two small grey pictures, laid on each other where they fit best. Tells most
//! people from each other, and nobody from a picture of the same person. Knows grey values only.

use crate::quality;

/// Side of the small picture, in cells.
const SIDE: usize = 28;
/// Pixels of a measured face along a cell.
const PER_CELL: usize = quality::SIDE / SIDE;
/// How far the pictures may be shifted against each other, in cells: detectors' boxes shake by an eighth of a face.
const SHIFT: usize = 4;
/// Side of the middle part that is compared.
const CORE: usize = SIDE - 2 * SHIFT;
const CELLS: usize = SIDE * SIDE;

/// Contrast (standard deviation, in levels of 256) below which there is nothing to compare.
const LEAST_CONTRAST: f32 = 2.0;

/// A face in 28x28 cells.
#[derive(Clone, Debug)]
pub(super) struct Thumbnail([u8; CELLS]);

impl Thumbnail {
    /// From grey values 0..255 of the square that [`quality::Meter`] scales faces to.
    pub(super) fn of(gray: &[f32]) -> Self {
        let mut sums = [0.0; CELLS];
        for (y, row) in gray.chunks_exact(quality::SIDE).enumerate() {
            let cells = &mut sums[y / PER_CELL * SIDE..][..SIDE];
            for (cell, pixels) in cells.iter_mut().zip(row.chunks_exact(PER_CELL)) {
                *cell += pixels.iter().sum::<f32>();
            }
        }
        let area = (PER_CELL * PER_CELL) as f32;
        Self(sums.map(|s| (s / area).round().clamp(0.0, 255.0) as u8))
    }

    /// Correlation of the middle of this face with `other` where it fits best, -1..1; `None` where either has no contrast. Light and
    /// contrast do not matter.
    pub(super) fn likeness(&self, other: &Self) -> Option<f32> {
        let n = (CORE * CORE) as f32;
        let mut core = [0.0; CORE * CORE];
        for (y, row) in core.chunks_exact_mut(CORE).enumerate() {
            let cells = &self.0[(y + SHIFT) * SIDE + SHIFT..][..CORE];
            for (value, &cell) in row.iter_mut().zip(cells) {
                *value = f32::from(cell);
            }
        }
        let mean = core.iter().sum::<f32>() / n;
        core.iter_mut().for_each(|v| *v -= mean);
        let least = n * LEAST_CONTRAST * LEAST_CONTRAST;
        let own = core.iter().map(|v| v * v).sum::<f32>();
        if own < least {
            return None;
        }
        let other = other.0.map(f32::from);
        let mut best = None;
        for dy in 0..=2 * SHIFT {
            for dx in 0..=2 * SHIFT {
                let (mut product, mut sum, mut squares) = (0.0, 0.0, 0.0);
                for (y, row) in core.chunks_exact(CORE).enumerate() {
                    let cells = &other[(y + dy) * SIDE + dx..][..CORE];
                    for (a, b) in row.iter().zip(cells) {
                        product += a * b;
                        sum += b;
                        squares += b * b;
                    }
                }
                let theirs = squares - sum * sum / n;
                if theirs >= least {
                    let likeness = product / (own * theirs).sqrt();
                    best = Some(best.map_or(likeness, |b: f32| b.max(likeness)));
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: usize = quality::SIDE;

    /// A smooth picture without symmetry; another one for another `who`.
    fn face(who: f32, pixel: impl Fn(f32, f32) -> (f32, f32), light: f32) -> Thumbnail {
        let gray: Vec<_> = (0..FACE * FACE)
            .map(|i| {
                let at = |i: usize| i as f32 / FACE as f32;
                let (x, y) = pixel(at(i % FACE), at(i / FACE));
                let wave = (7.0 * x + who).sin() * (5.0 * y * y + 2.0 * who * x + who).cos();
                (120.0 + 60.0 * wave) * light
            })
            .collect();
        Thumbnail::of(&gray)
    }

    #[test]
    fn a_shaking_box_and_other_light_do_not_matter_and_another_face_does() {
        let straight = |x, y| (x, y);
        let one = face(1.0, straight, 1.0);
        let shaken = face(1.0, |x, y| (1.05 * x + 0.08, 1.05 * y - 0.06), 0.5);
        assert!(one.likeness(&shaken).unwrap() > 0.9);
        let other = face(4.0, straight, 1.0);
        assert!(one.likeness(&other).unwrap() < 0.5);
        let blank = face(1.0, straight, 0.0);
        assert_eq!(one.likeness(&blank), None);
        assert_eq!(blank.likeness(&one), None);
        assert!(one.likeness(&one).unwrap() > 0.9999);
    }
}
