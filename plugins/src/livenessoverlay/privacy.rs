// SPDX-License-Identifier: MIT OR Apache-2.0
//! Covers that hide faces: the frame's own pixels, averaged down to a few cells and spread out again.

use liveness::geometry::Rect;
use liveness::image::Pixels;
use liveness::resize::{Border, Channels, Resizer, TensorFormat, Window};

use super::BlurStyle;
use super::draw::{Area, Look};
use super::ink::{Ink, byte};
use crate::meta::Here;

/// A cover is this much larger than its face: detectors cut off chin, hair and ears.
const MARGIN: f64 = 1.3;

/// Cells along a cover's shorter side, and at most along its longer one. Of the face itself, eight by eight remain.
const CELLS: f64 = 10.0;
const MOST_CELLS: f64 = 24.0;

/// Covers start and end at multiples of this: no chroma sample of any format reaches out of one.
const GRID: f64 = 4.0;

/// The parts of a frame that must not be seen: the faces, or everything where it is not known where these are.
pub(super) fn areas(here: Option<&Here>, look: &Look) -> Vec<Area> {
    let everything = || vec![Area::new(0, 0, look.frame.0, look.frame.1)];
    let Some(here) = here.filter(|h| h.lost.is_empty()) else {
        return everything();
    };
    if here.faces.iter().any(|f| !f.rect.is_valid()) {
        return everything();
    }
    let cover = |face: &Rect| {
        let (x, w) = spread(face.x, face.w, look.frame.0)?;
        let (y, h) = spread(face.y, face.h, look.frame.1)?;
        Some(Area::new(x, y, w, h))
    };
    here.faces.iter().filter_map(|f| cover(&f.rect)).collect()
}

/// Start and length of a cover along one axis of `size` pixels.
fn spread(start: f32, length: f32, size: i32) -> Option<(i32, i32)> {
    let (start, length) = (f64::from(start), f64::from(length));
    let margin = length * (MARGIN - 1.0) / 2.0;
    let on_grid = |v: f64| (v * GRID).clamp(0.0, f64::from(size)) as i32;
    let from = on_grid(((start - margin) / GRID).floor());
    let to = on_grid(((start + length + margin) / GRID).ceil());
    (to > from).then_some((from, to - from))
}

/// Opaque pixels that hide an area.
pub(super) struct Cover {
    pub(super) area: Area,
    pub(super) ink: Ink,
    pub(super) data: Vec<u8>,
}

/// Makes covers; owns its scratch memory.
#[derive(Default)]
pub(super) struct Coverer {
    resizer: Resizer,
    cells: Vec<f32>,
}

impl Coverer {
    /// The cover of `area`, which lies in `pixels`, whose columns are `across` to a row.
    pub(super) fn cover(
        &mut self,
        pixels: &dyn Pixels,
        area: Area,
        across: f64,
        style: BlurStyle,
    ) -> Cover {
        let (width, height) = cells(area, across);
        let format = TensorFormat {
            width,
            height,
            planar: false,
            channels: Channels::Rgb,
            mean: [0.0; 3],
            scale: [1.0; 3],
        };
        self.cells.resize(format.len(), 0.0);
        let window = Window {
            x: area.x.into(),
            y: area.y.into(),
            w: area.w.into(),
            h: area.h.into(),
        };
        self.resizer.run(
            pixels,
            window,
            Border::Replicate,
            &format,
            (width, height),
            &mut self.cells,
        );
        let ink = Ink::of(pixels.layout());
        let rgb = self.cells.as_chunks::<3>().0;
        let cells: Vec<[f32; 4]> = rgb.iter().map(|&c| ink.opaque(c)).collect();
        let size = (area.w as usize, area.h as usize);
        let data = match style {
            BlurStyle::Smooth => smooth(&cells, (width, height), size),
            BlurStyle::Pixelate => pixelate(&cells, (width, height), size),
        };
        Cover { area, ink, data }
    }
}

/// Columns and rows of cells, square when displayed as far as that goes.
fn cells(area: Area, across: f64) -> (usize, usize) {
    let (w, h) = (f64::from(area.w) / across, f64::from(area.h));
    let side = w.min(h) / CELLS;
    let count = |length: f64, pixels: i32| {
        let n = (length / side).round().clamp(1.0, MOST_CELLS);
        (n as usize).min(pixels.max(1) as usize)
    };
    (count(w, area.w), count(h, area.h))
}

/// Each cell a rectangle.
fn pixelate(cells: &[[f32; 4]], (cw, ch): (usize, usize), (w, h): (usize, usize)) -> Vec<u8> {
    let mut data = Vec::with_capacity(4 * w * h);
    let mut drawn = None;
    for y in 0..h {
        let row = y * ch / h;
        if drawn == Some(row) {
            let above = data.len() - 4 * w;
            data.extend_from_within(above..);
            continue;
        }
        drawn = Some(row);
        let cells = &cells[row * cw..][..cw];
        data.extend((0..w).flat_map(|x| cells[x * cw / w].map(byte)));
    }
    data
}

/// Cells run into each other along cubic B-splines, which never swing over as other cubic filters do.
fn smooth(cells: &[[f32; 4]], (cw, ch): (usize, usize), (w, h): (usize, usize)) -> Vec<u8> {
    let columns: Vec<_> = (0..w).map(|x| spline(x, w, cw)).collect();
    let mut data = Vec::with_capacity(4 * w * h);
    let mut row = vec![[0f32; 4]; cw];
    for y in 0..h {
        let (from, weights) = spline(y, h, ch);
        for (x, out) in row.iter_mut().enumerate() {
            *out = weighed(weights, from.map(|r| cells[r * cw + x]));
        }
        for (from, weights) in &columns {
            data.extend(weighed(*weights, from.map(|c| row[c])).map(byte));
        }
    }
    data
}

fn weighed(weights: [f32; 4], values: [[f32; 4]; 4]) -> [f32; 4] {
    let mut sum = [0f32; 4];
    for (w, v) in weights.iter().zip(values) {
        for (s, v) in sum.iter_mut().zip(v) {
            *s += w * v;
        }
    }
    sum
}

/// The four cells of `n` that pixel `i` of `size` is made of, and their weights. The outermost cells are repeated.
fn spline(i: usize, size: usize, n: usize) -> ([usize; 4], [f32; 4]) {
    let at = (i as f32 + 0.5) * n as f32 / size as f32 - 0.5;
    let (first, t) = (at.floor(), at - at.floor());
    let cell = |k: i64| (first as i64 + k).clamp(0, n as i64 - 1) as usize;
    let (s, t2, t3) = (1.0 - t, t * t, t * t * t);
    (
        [cell(-1), cell(0), cell(1), cell(2)],
        [
            s * s * s / 6.0,
            (3.0 * t3 - 6.0 * t2 + 4.0) / 6.0,
            (-3.0 * t3 + 3.0 * t2 + 3.0 * t + 1.0) / 6.0,
            t3 / 6.0,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveness::face::Face;
    use proptest::prelude::*;

    fn look() -> Look {
        Look::new((640, 480), 1.0, 1.0, "Sans")
    }

    fn here(rect: Rect) -> Here {
        Here {
            faces: vec![Face {
                rect,
                ..Face::default()
            }],
            lost: Vec::new(),
        }
    }

    #[test]
    fn where_no_place_is_known_everything_is_covered() {
        let everything = [Area::new(0, 0, 640, 480)];
        assert_eq!(areas(None, &look()), everything);
        let mut lost = here(Rect::new(10.0, 10.0, 50.0, 50.0));
        lost.lost = lost.faces.clone();
        assert_eq!(areas(Some(&lost), &look()), everything);
        for rect in [
            Rect::new(f32::NAN, 1.0, 9.0, 9.0),
            Rect::new(1.0, 1.0, 0.0, 9.0),
        ] {
            assert_eq!(areas(Some(&here(rect)), &look()), everything);
        }
        assert_eq!(areas(Some(&Here::default()), &look()), []);
    }

    #[test]
    fn flat_cells_give_flat_covers() {
        let cells = vec![[7.0, 80.0, 160.0, 255.0]; 12];
        for data in [smooth, pixelate].map(|f| f(&cells, (4, 3), (33, 17))) {
            assert_eq!(data.len(), 4 * 33 * 17);
            assert!(
                data.as_chunks::<4>()
                    .0
                    .iter()
                    .all(|p| *p == [7, 80, 160, 255])
            );
        }
    }

    proptest! {
        #[test]
        fn covers_hold_their_faces_and_lie_in_the_frame(
            (x, y) in (-2000f32..2000.0, -2000f32..2000.0), (w, h) in (1e-3f32..3000.0, 1e-3f32..3000.0), huge in any::<bool>(),
        ) {
            let scale = if huge { 1e35 } else { 1.0 };
            let rect = Rect::new(x * scale, y * scale, w * scale, h * scale);
            for a in areas(Some(&here(rect)), &look()) {
                prop_assert!(a.x >= 0 && a.y >= 0 && a.w > 0 && a.h > 0 && a.right() <= 640 && a.bottom() <= 480);
                if let Some(seen) = rect.clamped(640.0, 480.0) {
                    prop_assert!(a.x as f32 <= seen.x && seen.right() <= a.right() as f32 + 0.01);
                    prop_assert!(a.y as f32 <= seen.y && seen.bottom() <= a.bottom() as f32 + 0.01);
                }
                let (cw, ch) = cells(a, 1.0);
                prop_assert!((1..=24).contains(&cw) && (1..=24).contains(&ch));
            }
        }
    }
}
