// SPDX-License-Identifier: MIT OR Apache-2.0
//! Border: whether long straight edges frame the face, as the rim of a screen or of a print does.
//!
//! A Hough transform (R. O. Duda, P. E. Hart, "Use of the Hough transformation to detect lines and curves in pictures", 1972) on a small grey
//! picture of the face and what surrounds it, in which an edge votes only for lines along itself, and a line is worth as much of its length as
//! has an edge. Doors, windows and shelves are straight, too, so it is never sure.

use super::luma::Luma;
use super::{is_here, sigmoid};
use crate::geometry::Rect;
use crate::image::Pixels;
use crate::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Side of the face in the small picture, in cells …
const FACE: usize = 32;
/// … and of the picture: what is farther away is not the rim of what shows this face.
const SIDE: usize = 4 * FACE;
/// Rows of the frame that are read for one of cells, at the least: more of a large face would cost more and tell no more.
const ROWS: usize = 4;
/// Least side of a face in the frame, in pixels.
const LEAST_FACE: f32 = 24.0;
/// Difference of grey values, in levels over two cells, that is an edge. Of 6, 12 and 20, the best on fas_nuaa and fas_celebaspoof_full.
const EDGE: f32 = 12.0;

/// Directions of lines, and radians from one to the next: up to 18 degrees off the frame's axes, either way.
const ANGLES: usize = 19;
const STEP: f32 = 2.0 * std::f32::consts::PI / 180.0;
/// How far the direction of an edge may lie from that of its line, in radians: gradients of few levels are not exact.
const TOLERANCE: f32 = 8.0 * std::f32::consts::PI / 180.0;

/// Nearest that a rim comes to the middle of the face, in cells: nearer is the outline of the face itself.
const NEAR: usize = 18;
/// Room that a side needs to be looked at, in cells from the middle of the face.
const ROOM: f32 = 0.8 * FACE as f32;
/// Sides of four that must have room, and that must have an edge.
const SIDES: usize = 3;

/// Share of the three best sides that is an edge, in the mean, that speaks for neither, and how much more makes the odds e times worse: a
/// logistic regression on fas_nuaa and fas_celebaspoof_full, both classes of each set weighing alike.
const FRAMED: (f32, f32) = (0.33, 0.08);

/// Measures faces; keeps its memory from one to the next.
#[derive(Debug)]
pub(super) struct Rim {
    luma: Luma,
    resizer: Resizer,
    format: TensorFormat,
    gray: Vec<f32>,
    /// For upright and for lying lines, each direction and each distance: the places along the line that have an edge, one bit a cell.
    votes: Vec<u64>,
    directions: [Direction; ANGLES],
}

/// A direction of lines.
#[derive(Clone, Copy, Debug)]
struct Direction {
    cos: f32,
    sin: f32,
}

impl Default for Rim {
    fn default() -> Self {
        let format = TensorFormat::levels(SIDE, SIDE, Channels::Gray);
        Self {
            luma: Luma::default(),
            resizer: Resizer::new(),
            gray: vec![0.0; format.len()],
            format,
            votes: vec![0; 2 * ANGLES * SIDE],
            directions: std::array::from_fn(|k| {
                let angle = (k as f32 - (ANGLES / 2) as f32) * STEP;
                let (sin, cos) = angle.sin_cos();
                Direction { cos, sin }
            }),
        }
    }
}

/// The part of the small picture that lies inside the frame, in cells.
#[derive(Clone, Copy, Debug)]
struct Inside {
    from: (usize, usize),
    to: (usize, usize),
}

impl Rim {
    /// 1 where nothing straight is around the face at `rect` (pixels of `frame`), 0 where a rectangle surely is. `None` where the face is too
    /// small, or the frame ends too near to it.
    pub(super) fn score(&mut self, frame: &dyn Pixels, rect: &Rect) -> Option<f32> {
        let face = (rect.w * rect.h).sqrt();
        if !is_here(frame, rect) || face < LEAST_FACE {
            return None;
        }
        let span = face * (SIDE / FACE) as f32;
        let middle = rect.center();
        let from = |at: f32| (at - span / 2.0).round() as i64;
        let window = Window {
            x: from(middle.x),
            y: from(middle.y),
            w: span.round() as i64,
            h: span.round() as i64,
        };
        let layout = frame.layout();
        let part = |from: i64, size: usize| {
            let at = |pixel: i64| (pixel - from) as f32 * SIDE as f32 / span;
            let (first, last) = (at(0).max(0.0).ceil(), at(size as i64).min(SIDE as f32));
            (first as usize, last.max(0.0) as usize)
        };
        let ((left, right), (top, bottom)) =
            (part(window.x, layout.width), part(window.y, layout.height));
        let inside = Inside {
            from: (left, top),
            to: (right, bottom),
        };
        let long = inside.long()?;
        let rows = self.luma.of(frame, (span / (ROWS * SIDE) as f32) as usize);
        let every = rows.every() as i64;
        let window = Window {
            y: window.y.div_euclid(every),
            h: (window.h / every).max(1),
            ..window
        };
        let target = (SIDE, SIDE);
        let gray = &mut self.gray;
        let border = Border::Replicate;
        self.resizer
            .run(&rows, window, border, &self.format, target, gray);
        self.vote(inside);
        let (middle, width) = FRAMED;
        Some(sigmoid((middle - self.framed(long)) / width))
    }

    /// Each edge votes for the lines that it may be a part of.
    fn vote(&mut self, inside: Inside) {
        self.votes.fill(0);
        let at = |x: usize, y: usize| self.gray[y * SIDE + x];
        let across = |x: usize, y: usize| at(x + 1, y) - at(x - 1, y);
        let down = |x: usize, y: usize| at(x, y + 1) - at(x, y - 1);
        let range = |from: usize, to: usize| from.max(1) + 1..to.min(SIDE - 1).saturating_sub(1);
        for y in range(inside.from.1, inside.to.1) {
            for x in range(inside.from.0, inside.to.0) {
                let (gx, gy) = (across(x, y), down(x, y));
                let upright = gx.abs() >= gy.abs();
                let own = if upright { gx } else { gy };
                if own.abs() < EDGE {
                    continue;
                }
                // The slopes beside it across the edge, and how far the edge leans from its axis.
                let (before, behind, lean) = if upright {
                    (across(x - 1, y), across(x + 1, y), gy / gx)
                } else {
                    (down(x, y - 1), down(x, y + 1), -gx / gy)
                };
                // An edge is where it is steepest.
                if own.abs() < before.abs() || own.abs() <= behind.abs() {
                    continue;
                }
                let lean = lean.atan();
                let off = |i: usize| i as f32 + 0.5 - (SIDE / 2) as f32;
                let (px, py) = (off(x), off(y));
                // A range that lies outside is empty, as what is below 0 becomes 0.
                let k = |lean: f32| lean / STEP + (ANGLES / 2) as f32;
                let first = k(lean - TOLERANCE).ceil() as usize;
                let end = (k(lean + TOLERANCE).floor() + 1.0) as usize;
                let range = first..end.min(ANGLES);
                let from = if upright { 0 } else { ANGLES * SIDE };
                let lines = self.votes[from..].chunks_exact_mut(SIDE);
                let lines = self.directions.iter().zip(lines);
                for (d, distances) in lines.take(range.end).skip(range.start) {
                    let (a, b) = (px * d.cos + py * d.sin, py * d.cos - px * d.sin);
                    let (distance, along) = if upright { (a, b) } else { (b, a) };
                    let (place, distance) = (along + FACE as f32, distance + (SIDE / 2) as f32);
                    let (bits, places) = (0.0..(2 * FACE) as f32, 0.0..SIDE as f32);
                    if bits.contains(&place) && places.contains(&distance) {
                        distances[distance as usize] |= 1 << place as u32;
                    }
                }
            }
        }
    }

    /// The best rectangle around the face: the mean of its three best sides, each as the share of its length (`upright`, `lying`; cells) that
    /// has an edge.
    fn framed(&self, (upright, lying): (f32, f32)) -> f32 {
        let longest: [_; 2 * ANGLES] = std::array::from_fn(|line| self.longest(line));
        // Perspective makes no rectangle of one: a side may lie in the next direction.
        let side = |from: usize, k: usize| {
            let next = &longest[from..][k.saturating_sub(1)..(k + 2).min(ANGLES)];
            let most = |a: (u32, u32), b: &(u32, u32)| (a.0.max(b.0), a.1.max(b.1));
            next.iter().fold((0, 0), most)
        };
        let mut best = 0.0f32;
        for k in 0..ANGLES {
            let (left, right) = side(0, k);
            let (top, bottom) = side(ANGLES, k);
            let share = |bits: u32, length: f32| (bits as f32 / length).min(1.0);
            let mut all = [
                share(left, upright),
                share(right, upright),
                share(top, lying),
                share(bottom, lying),
            ];
            all.sort_by(f32::total_cmp);
            let sum: f32 = all.iter().rev().take(SIDES).sum();
            best = best.max(sum / SIDES as f32);
        }
        best
    }

    /// The longest lines before and behind the face in one direction, in cells. An edge that leans falls on two distances.
    fn longest(&self, line: usize) -> (u32, u32) {
        let middle = SIDE / 2;
        let distances = &self.votes[line * SIDE..][..SIDE];
        let most = |range: &[u64]| {
            let pairs = range.windows(2).map(|w| (w[0] | w[1]).count_ones());
            pairs.max().unwrap_or(0)
        };
        (
            most(&distances[..=middle - NEAR]),
            most(&distances[middle + NEAR..]),
        )
    }
}

impl Inside {
    /// How long upright and lying lines can be, in cells; `None` where too little of the surroundings is to be seen.
    fn long(self) -> Option<(f32, f32)> {
        let middle = (SIDE / 2) as f32;
        let room = |from: usize, to: usize| {
            let (before, behind) = (middle - from as f32, to as f32 - middle);
            usize::from(before >= ROOM) + usize::from(behind >= ROOM)
        };
        let length = |from: usize, to: usize| {
            // The outermost two cells have no slope.
            let (from, to) = (from as f32 + 2.0, to as f32 - 2.0);
            to.min(middle + FACE as f32) - from.max(middle - FACE as f32)
        };
        let (upright, lying) = (
            length(self.from.1, self.to.1),
            length(self.from.0, self.to.0),
        );
        let sides = room(self.from.0, self.to.0) + room(self.from.1, self.to.1);
        let seen = sides >= SIDES && upright >= FACE as f32 && lying >= FACE as f32;
        seen.then_some((upright, lying))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{natural, rough, with_picture};
    use super::*;
    use proptest::prelude::*;

    const FACE: Rect = Rect::new(150.0, 110.0, 60.0, 70.0);

    fn score(pixel: impl Fn(usize, usize) -> f32, face: &Rect) -> Option<f32> {
        with_picture((360, 300), pixel, |view| Rim::default().score(view, face))
    }

    /// A bright rectangle around the face, turned by `angle` degrees; `sides` has what is to be seen of it: left, right, top, bottom.
    fn framed(angle: f32, sides: [bool; 4]) -> impl Fn(usize, usize) -> f32 {
        let (sin, cos) = angle.to_radians().sin_cos();
        move |x, y| {
            let (a, b) = (x as f32 - 182.0, y as f32 - 146.0);
            let (a, b) = (a * cos + b * sin, b * cos - a * sin);
            let [left, right, top, bottom] = sides;
            let inside = (a > -62.0 || !left)
                && (a < 58.0 || !right)
                && (b > -66.0 || !top)
                && (b < 70.0 || !bottom);
            natural(x, y) + if inside { 45.0 } else { 0.0 }
        }
    }

    #[test]
    fn a_rectangle_around_the_face_is_seen_and_its_absence_too() {
        let plain = score(natural, &FACE).unwrap();
        assert!(plain > 0.8, "{plain}");
        for angle in [0.0, 4.0, -9.0, 14.0] {
            let whole = score(framed(angle, [true; 4]), &FACE).unwrap();
            assert!(whole < 0.2, "{angle}: {whole}");
            let open = score(framed(angle, [true, true, true, false]), &FACE).unwrap();
            assert!(open < 0.3, "{angle}: {open}");
            let wall = score(framed(angle, [true, false, false, false]), &FACE).unwrap();
            assert!(wall > 0.5, "{angle}: {wall}");
        }
    }

    #[test]
    fn without_surroundings_nothing_is_told() {
        for face in [
            Rect::new(5.0, 5.0, 340.0, 290.0),
            Rect::new(-20.0, -20.0, 90.0, 90.0),
            Rect::new(150.0, 110.0, 12.0, 14.0),
            Rect::new(1e4, 0.0, 60.0, 60.0),
            Rect::new(f32::NAN, 0.0, 60.0, 60.0),
            Rect::new(0.0, 0.0, 1e9, 1e9),
        ] {
            assert_eq!(score(natural, &face), None, "{face:?}");
        }
    }

    proptest! {
        #[test]
        fn any_face_gets_a_score_or_none(
            x in -400f32..700.0, y in -400f32..600.0, w in 0.1f32..900.0, h in 0.1f32..900.0,
        ) {
            let score = score(rough, &Rect::new(x, y, w, h));
            prop_assert!(score.is_none_or(|s| (0.0..=1.0).contains(&s)));
        }
    }
}
