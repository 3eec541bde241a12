// SPDX-License-Identifier: MIT OR Apache-2.0
//! How dark each eye is: the iris of an open one is darker than what is around it, a closed one is nearly skin. Knows pixels, no time.

use super::luma::Luma;
use crate::face::Landmarks;
use crate::geometry::Point;
use crate::image::Pixels;
use crate::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Cells along the distance of the eyes.
const UNIT: usize = 40;
/// The strip around both eyes, in cells.
const WIDTH: usize = 2 * UNIT;
const HEIGHT: usize = UNIT + UNIT / 5;
/// Half the patch around one eye, in cells: from corner to corner, and from lid to lid.
const REACH: (usize, usize) = (10, 8);
const PATCH: (usize, usize) = (2 * REACH.0 + 1, 2 * REACH.1 + 1);
/// Side of an iris, in cells: 11.7 mm of 63 mm are 7; what the lids leave of it is less.
const IRIS: usize = 5;
/// The iris is looked for inside the patch without its outermost cells: brows and the sides of the nose are dark, too.
const MARGIN: (usize, usize) = (3, 1);

/// Least and greatest distance of the eyes, in pixels of the frame.
const DISTANCE: (f32, f32) = (12.0, 4096.0);
/// Brightness below which there is nothing to see, in levels of 256.
const LEAST_LIGHT: f32 = 8.0;

/// Measures eyes; keeps its memory from one face to the next.
#[derive(Debug)]
pub(super) struct Eyes {
    luma: Luma,
    resizer: Resizer,
    format: TensorFormat,
    gray: Vec<f32>,
}

impl Default for Eyes {
    fn default() -> Self {
        let format = TensorFormat::levels(WIDTH, HEIGHT, Channels::Gray);
        Self {
            luma: Luma::default(),
            resizer: Resizer::new(),
            gray: vec![0.0; format.len()],
            format,
        }
    }
}

impl Eyes {
    /// How much darker than its surroundings the darkest spot of each eye is, as a share of their brightness: 0 for skin, about 0.4 for an open
    /// eye. `None` where the eyes are too small or outside the frame.
    pub(super) fn dark(&mut self, frame: &dyn Pixels, landmarks: &Landmarks) -> Option<[f32; 2]> {
        let [left, right, ..] = *landmarks;
        let (dx, dy) = (right.x - left.x, right.y - left.y);
        let apart = dx.hypot(dy);
        let layout = frame.layout();
        let (width, height) = (layout.width as f32, layout.height as f32);
        let inside = |p: Point| (0.0..width).contains(&p.x) && (0.0..height).contains(&p.y);
        // Also where they are no numbers.
        if !((DISTANCE.0..DISTANCE.1).contains(&apart) && inside(left) && inside(right)) {
            return None;
        }
        let unit = apart / UNIT as f32;
        let span = |from: f32, to: f32, cells: usize| {
            let (middle, half) = ((from + to) / 2.0, cells as f32 * unit / 2.0);
            let first = (middle - half).floor();
            (first, (middle + half).ceil() - first)
        };
        let (x, w) = span(left.x, right.x, WIDTH);
        let (y, h) = span(left.y, right.y, HEIGHT);
        let window = Window {
            x: x as i64,
            y: y as i64,
            w: w as i64,
            h: h as i64,
        };
        let target = (WIDTH, HEIGHT);
        let gray = &mut self.gray;
        let border = Border::Replicate;
        self.resizer.run(
            &self.luma.of(frame, 1),
            window,
            border,
            &self.format,
            target,
            gray,
        );
        // The window has whole pixels; the points are nearer than that.
        let cell = |p: Point| Point {
            x: (p.x - x) * WIDTH as f32 / w - 0.5,
            y: (p.y - y) * HEIGHT as f32 / h - 0.5,
        };
        let turn = (dx / apart, dy / apart);
        Some([left, right].map(|eye| self.spot(cell(eye), turn)))
    }

    /// The darkest spot of the eye at `eye` (cells), in a head turned by the angle with this cosine and sine.
    fn spot(&self, eye: Point, (cos, sin): (f32, f32)) -> f32 {
        let mut patch = [[0.0; PATCH.0]; PATCH.1];
        for (j, row) in patch.iter_mut().enumerate() {
            for (i, v) in row.iter_mut().enumerate() {
                let (a, b) = (i as f32 - REACH.0 as f32, j as f32 - REACH.1 as f32);
                *v = self.at(eye.x + a * cos - b * sin, eye.y + a * sin + b * cos);
            }
        }
        let light = patch.iter().flatten().sum::<f32>() / (PATCH.0 * PATCH.1) as f32;
        let mut darkest = f32::INFINITY;
        for rows in patch[MARGIN.1..PATCH.1 - MARGIN.1].windows(IRIS) {
            for x in MARGIN.0..=PATCH.0 - MARGIN.0 - IRIS {
                let cells = rows.iter().flat_map(|row| &row[x..x + IRIS]);
                darkest = darkest.min(cells.sum());
            }
        }
        (light - darkest / (IRIS * IRIS) as f32) / light.max(LEAST_LIGHT)
    }

    /// The grey value between four cells.
    fn at(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (WIDTH - 2) as f32);
        let y = y.clamp(0.0, (HEIGHT - 2) as f32);
        let (i, j) = (x as usize, y as usize);
        let (fx, fy) = (x - i as f32, y - j as f32);
        let cell = |i: usize, j: usize| self.gray[j * WIDTH + i];
        let row = |j: usize| cell(i, j) + (cell(i + 1, j) - cell(i, j)) * fx;
        row(j) + (row(j + 1) - row(j)) * fy
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{natural, rough, with_picture};
    use super::*;
    use proptest::prelude::*;

    const FACE: [(f32, f32); 5] = [
        (100.0, 90.0),
        (160.0, 96.0),
        (128.0, 130.0),
        (102.0, 160.0),
        (150.0, 164.0),
    ];

    fn dark(open: bool, shift: f32) -> Option<[f32; 2]> {
        let points = FACE.map(|(x, y)| Point {
            x: x + shift,
            y: y + shift / 2.0,
        });
        let picture = |x: usize, y: usize| {
            let iris = FACE[..2].iter().any(|(ex, ey)| {
                let (a, b) = (x as f32 + 0.5 - ex, y as f32 + 0.5 - ey);
                (a * a + b * b).sqrt() < 6.0
            });
            170.0 + natural(x, y) / 20.0 - if iris && open { 110.0 } else { 0.0 }
        };
        with_picture((260, 240), picture, |view| {
            Eyes::default().dark(view, &points)
        })
    }

    #[test]
    fn open_eyes_are_dark_and_closed_ones_are_not_wherever_the_points_shake() {
        let still = dark(true, 0.0).unwrap();
        assert!(still.iter().all(|d| *d > 0.4), "{still:?}");
        for shift in [-2.3, 1.7, 3.4] {
            let shaken = dark(true, shift).unwrap();
            assert!((shaken[0] - still[0]).abs() < 0.05, "{shift}: {shaken:?}");
        }
        let closed = dark(false, 0.0).unwrap();
        assert!(closed.iter().all(|d| *d < 0.1), "{closed:?}");
    }

    proptest! {
        #[test]
        fn any_points_give_numbers_or_none(
            points in prop::collection::vec((-50f32..400.0, -50f32..400.0), 5), bad in 0usize..12,
        ) {
            let mut points: Vec<_> = points.into_iter().map(|(x, y)| Point { x, y }).collect();
            if let Some(point) = points.get_mut(bad) {
                point.x = f32::NAN;
            }
            let points = Landmarks::try_from(points).unwrap();
            let dark = with_picture((260, 240), rough, |view| Eyes::default().dark(view, &points));
            prop_assert!(dark.is_none_or(|d| d.iter().all(|v| v.is_finite())));
            prop_assert!(bad > 1 || dark.is_none());
        }
    }
}
