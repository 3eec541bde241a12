// SPDX-License-Identifier: MIT OR Apache-2.0
//! When a frame has to be looked at again, where nobody says how often: when something in it changes, when who is in it is in doubt, and otherwise
//! from time to time.

use std::time::Duration;

use crate::face::Face;
use crate::image::Pixels;
use crate::signature::{MOST_SIDE, cells};
use crate::track::Clock;

/// Cells along each side of a frame. A face that takes a thirtieth of the picture's width, the smallest that detectors find, fills a quarter of one.
const SIDE: usize = MOST_SIDE;
const CELLS: usize = SIDE * SIDE;
/// Samples along each side of a cell: 64 rows are touched in all.
const PER_CELL: usize = 4;

/// By how many levels of 256 the brightness of a cell has to change. A webcam's noise in a dark room, 8 levels (standard deviation), is 2 in the mean of 16
/// samples, and hardly any of 256 cells is ever 4 times that.
const CHANGE: u8 = 8;

/// Longest time without a look, in seconds.
const LONGEST: f64 = 0.5;

/// Looks at frames one after the other when somebody has come or gone.
const DOUBTS: u32 = 3;

/// Tells for each frame whether it has to be looked at.
#[derive(Clone, Debug, Default)]
pub struct Cadence {
    /// The frame that was looked at last, and the one that it is about.
    looked: Option<[u8; CELLS]>,
    now: Option<[u8; CELLS]>,
    clock: Clock,
    /// Seconds since the last look.
    since: f64,
    /// Looks that are due whatever is seen.
    doubts: u32,
    /// How many faces the last look has seen.
    faces: usize,
}

impl Cadence {
    /// Forgets everything: the next frame has to be looked at.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether this frame has to be looked at. To be asked about each; `time` is the frame's on any clock, `scratch` is for sources that unpack their
    /// rows.
    pub fn is_due(
        &mut self,
        frame: &dyn Pixels,
        time: Option<Duration>,
        scratch: &mut Vec<u8>,
    ) -> bool {
        let (passed, is_break) = self.clock.step(time);
        self.since += passed;
        let now = self.now.insert([0; CELLS]);
        cells(frame, SIDE, PER_CELL, scratch, now);
        let Some(looked) = &self.looked else {
            return true;
        };
        let mut changes = now.iter().zip(looked).map(|(a, b)| a.abs_diff(*b));
        is_break || self.doubts > 0 || self.since >= LONGEST || changes.any(|c| c >= CHANGE)
    }

    /// The frame that was asked about last was looked at, and these faces were seen. One of a score below `sure` is in doubt.
    pub fn looked(&mut self, faces: &[Face], sure: f32) {
        let has_changed = self.looked.is_none() || faces.len() != self.faces;
        self.doubts = if has_changed || faces.iter().any(|f| f.score < sure) {
            DOUBTS
        } else {
            self.doubts.saturating_sub(1)
        };
        self.faces = faces.len();
        self.looked = self.now;
        self.since = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;
    use crate::image::{Layout, Plane, View};

    const W: usize = 320;
    const H: usize = 180;

    /// A picture with a light square of this size at this place.
    fn picture(x: usize, y: usize, side: usize) -> Vec<u8> {
        let is_in = |i: usize| (x..x + side).contains(&(i % W)) && (y..y + side).contains(&(i / W));
        (0..W * H)
            .flat_map(|i| [if is_in(i) { 200 } else { 90 }; 3])
            .collect()
    }

    struct Film {
        cadence: Cadence,
        frame: u32,
    }

    impl Film {
        fn new() -> Self {
            Self {
                cadence: Cadence::default(),
                frame: 0,
            }
        }

        /// Whether the next frame has to be looked at; it is, where that is so.
        fn show(&mut self, data: &[u8], faces: &[Face]) -> bool {
            self.frame += 1;
            let layout = Layout::rgb8(W, H);
            let plane = Plane {
                data,
                stride: 3 * W,
            };
            let view = View::new(&layout, &[plane]).unwrap();
            let time = Duration::from_millis(40) * self.frame;
            let due = self.cadence.is_due(&view, Some(time), &mut Vec::new());
            if due {
                self.cadence.looked(faces, 0.6);
            }
            due
        }
    }

    fn face(score: f32) -> Face {
        Face {
            rect: Rect {
                x: 50.0,
                y: 50.0,
                w: 40.0,
                h: 50.0,
            },
            score,
            ..Face::default()
        }
    }

    #[test]
    fn a_picture_that_stands_still_is_looked_at_twice_a_second() {
        let mut film = Film::new();
        let still = picture(40, 40, 40);
        let due: Vec<bool> = (0..100).map(|_| film.show(&still, &[face(0.9)])).collect();
        assert_eq!(due[..4], [true; 4], "somebody new");
        let looks = due[4..].iter().filter(|d| **d).count();
        assert_eq!(looks, 96 / 13, "every 0.52 s");
    }

    #[test]
    fn whoever_comes_in_is_looked_at_at_once() {
        let empty = picture(0, 0, 0);
        // The smallest face that is found in a picture of this size, at a place where it lies in four cells.
        for at in [(10, 10), (15, 17), (305, 160)] {
            let mut film = film_at_rest(&empty);
            assert!(film.show(&picture(at.0, at.1, 16), &[face(0.9)]), "{at:?}");
        }
    }

    fn film_at_rest(picture: &[u8]) -> Film {
        let mut film = Film::new();
        for _ in 0..10 {
            film.show(picture, &[]);
        }
        assert!(!film.show(picture, &[]));
        film
    }

    #[test]
    fn who_moves_or_is_in_doubt_is_looked_at_in_every_frame() {
        let mut film = Film::new();
        // A fiftieth of the picture in each frame.
        assert!((0..40).all(|i| film.show(&picture(6 * i, 40, 40), &[face(0.9)])));
        let still = picture(40, 40, 40);
        assert!((0..50).all(|_| film.show(&still, &[face(0.55)])));
    }

    #[test]
    fn a_break_and_a_new_beginning_are_looked_at() {
        let still = picture(40, 40, 40);
        let mut film = film_at_rest(&still);
        film.frame += 60;
        assert!(film.show(&still, &[]));
        let mut film = film_at_rest(&still);
        film.cadence.reset();
        assert!(film.show(&still, &[]));
    }
}
