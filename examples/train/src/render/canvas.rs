// SPDX-License-Identifier: MIT OR Apache-2.0
//! A picture that is being worked on, and noise that changes slowly over it.

use liveness::dataset::picture::Rgb;

use crate::augment::dice::Dice;

/// Red, green and blue; 0..255 and, while light is added, beyond.
pub(super) type Colour = [f32; 3];

/// Real numbers, row by row: rounding happens once, at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<Colour>,
}

impl From<&Rgb> for Canvas {
    fn from(rgb: &Rgb) -> Self {
        Self {
            width: rgb.width,
            height: rgb.height,
            pixels: rgb
                .data
                .as_chunks::<3>()
                .0
                .iter()
                .map(|p| p.map(f32::from))
                .collect(),
        }
    }
}

impl Canvas {
    pub(super) fn even(width: usize, height: usize, colour: Colour) -> Self {
        Self {
            width,
            height,
            pixels: vec![colour; width * height],
        }
    }

    /// Rounded and cut off at 0 and 255.
    pub(super) fn rgb(&self) -> Rgb {
        let bytes = self.pixels.iter().flatten();
        Rgb {
            width: self.width,
            height: self.height,
            data: bytes.map(|v| (v + 0.5) as u8).collect(),
        }
    }

    /// Each pixel with the place of its middle.
    pub(super) fn each(&mut self, mut change: impl FnMut(f32, f32, &mut Colour)) {
        let rows = self.pixels.chunks_exact_mut(self.width.max(1));
        for (y, row) in rows.enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                change(x as f32 + 0.5, y as f32 + 0.5, pixel);
            }
        }
    }

    /// Mixed of the four pixels around a place; the outermost ones go on beyond the edge.
    pub(super) fn at(&self, x: f32, y: f32) -> Colour {
        let along = |v: f32, n: usize| {
            let v = (v - 0.5).clamp(0.0, n.saturating_sub(1) as f32);
            let low = v as usize;
            (low, (low + 1).min(n.saturating_sub(1)), v - low as f32)
        };
        let (x0, x1, ax) = along(x, self.width);
        let (y0, y1, ay) = along(y, self.height);
        let row = |y: usize| {
            let row = &self.pixels[y * self.width..];
            let (a, b) = (row[x0], row[x1]);
            [0, 1, 2].map(|c| a[c] + (b[c] - a[c]) * ax)
        };
        let (top, below) = (row(y0), row(y1));
        [0, 1, 2].map(|c| top[c] + (below[c] - top[c]) * ay)
    }

    /// The same with so many pixels of a colour around it: left, top, right, bottom.
    pub(super) fn framed(&self, [left, top, right, bottom]: [usize; 4], colour: Colour) -> Self {
        let mut framed = Self::even(
            self.width + left + right,
            self.height + top + bottom,
            colour,
        );
        for (y, row) in self.pixels.chunks_exact(self.width.max(1)).enumerate() {
            let from = (y + top) * framed.width + left;
            framed.pixels[from..from + self.width].copy_from_slice(row);
        }
        framed
    }

    /// Mean of all values.
    pub(super) fn mean(&self) -> f32 {
        let sum: f32 = self.pixels.iter().map(|p| p.iter().sum::<f32>()).sum();
        sum / (3 * self.pixels.len().max(1)) as f32
    }
}

/// Noise that changes slowly: random numbers on a lattice, and a smooth way between them (value noise with the fade of Perlin, *Improving
/// Noise*, 2002).
#[derive(Debug)]
pub(super) struct Smooth {
    cells: usize,
    values: Vec<f32>,
}

impl Smooth {
    /// So many cells from one side to the other; normal numbers with deviation 1.
    pub(super) fn draw(cells: usize, dice: &mut Dice) -> Self {
        let side = cells + 1;
        Self {
            cells,
            values: (0..side * side).map(|_| dice.normal(1.0)).collect(),
        }
    }

    /// At a place from 0 to 1 on both axes.
    pub(super) fn at(&self, u: f32, v: f32) -> f32 {
        let along = |u: f32| {
            let u = u.clamp(0.0, 1.0) * self.cells as f32;
            let low = (u as usize).min(self.cells - 1);
            let t = u - low as f32;
            (low, t * t * t * (t * (6.0 * t - 15.0) + 10.0))
        };
        let ((x, ax), (y, ay)) = (along(u), along(v));
        let row = |y: usize| {
            let from = y * (self.cells + 1) + x;
            self.values[from] + (self.values[from + 1] - self.values[from]) * ax
        };
        let (top, below) = (row(y), row(y + 1));
        top + (below - top) * ay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_pixels_is_their_mean_and_beyond_the_edge_the_last_one() {
        let canvas = Canvas {
            width: 2,
            height: 1,
            pixels: vec![[10.0; 3], [30.0; 3]],
        };
        assert_eq!(canvas.at(0.5, 0.5), [10.0; 3]);
        assert_eq!(canvas.at(1.0, 0.5), [20.0; 3]);
        assert_eq!(canvas.at(9.0, -4.0), [30.0; 3]);
    }

    #[test]
    fn a_frame_lies_around() {
        let canvas = Canvas::even(3, 2, [9.0; 3]).framed([1, 2, 3, 4], [50.0; 3]);
        assert_eq!((canvas.width, canvas.height), (7, 8));
        let inside = canvas.pixels.iter().filter(|p| **p == [9.0; 3]).count();
        assert_eq!(inside, 6);
        assert_eq!(canvas.at(1.5, 2.5), [9.0; 3]);
        assert_eq!(canvas.at(0.5, 2.5), [50.0; 3]);
    }

    #[test]
    fn light_is_cut_off_where_bytes_end() {
        let canvas = Canvas::even(1, 1, [-7.0, 99.6, 300.0]);
        assert_eq!(canvas.rgb().data, [0, 100, 255]);
        assert_eq!(Canvas::from(&canvas.rgb()).pixels, [[0.0, 100.0, 255.0]]);
    }

    #[test]
    fn smooth_noise_is_smooth() {
        let noise = Smooth::draw(4, &mut Dice::new(1, 1));
        let at = |i: usize| noise.at(i as f32 / 1000.0, 0.3);
        let steps = (0..1000).map(|i| (at(i + 1) - at(i)).abs());
        assert!(steps.fold(0.0, f32::max) < 0.05);
        assert!((0..=1000).any(|i| (at(i) - at(0)).abs() > 0.2));
    }
}
