// SPDX-License-Identifier: MIT OR Apache-2.0
//! When a frame has to be looked at again, where nobody says how often: when something in it changes, when who is in it is in doubt, and otherwise
//! from time to time. And whether it has to be looked at as a whole: where nothing changes, nobody can have come.

use std::time::Duration;

use crate::face::Face;
use crate::geometry::Rect;
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

/// Longest time without a look at the whole frame, in seconds.
const LONGEST: f64 = 0.5;

/// How far around a face it is looked for again, in parts of its box at each side: models want to see what is around one.
const AROUND: f32 = 0.6;

/// Cells around those that change: of who has come, some may look like what was there before.
const MARGIN: usize = 1;

/// Largest part of the frame that is worth a look of its own, in cells.
const PART: usize = CELLS * 6 / 10;

/// Looks at frames one after the other when somebody has come or gone.
const DOUBTS: u32 = 3;

/// What of a frame has to be looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// This part, in the frame's pixels: the faces that are known, and all that changes.
    Part(Rect),
    /// The whole frame.
    Whole,
}

/// Cells from the first column and row to the last ones, which are not in it.
#[derive(Clone, Copy, Debug)]
struct Cells {
    from: (usize, usize),
    to: (usize, usize),
}

impl Cells {
    /// Those that `rect` touches in a frame of this size; none where it lies outside.
    fn of(rect: &Rect, (width, height): (f32, f32)) -> Option<Self> {
        let r = rect.is_valid().then(|| rect.clamped(width, height))??;
        let first = |v: f32, size: f32| (v * SIDE as f32 / size) as usize;
        let last = |v: f32, size: f32| ((v * SIDE as f32 / size).ceil() as usize).min(SIDE);
        Some(Self {
            from: (first(r.x, width), first(r.y, height)),
            to: (last(r.right(), width), last(r.bottom(), height)),
        })
    }

    /// These, and all from `first` to `last` of a column and row, with a margin.
    fn and(&self, first: (usize, usize), last: (usize, usize)) -> Self {
        let low = |a: usize, b: usize| a.min(b.saturating_sub(MARGIN));
        let high = |a: usize, b: usize| a.max((b + 1 + MARGIN).min(SIDE));
        Self {
            from: (low(self.from.0, first.0), low(self.from.1, first.1)),
            to: (high(self.to.0, last.0), high(self.to.1, last.1)),
        }
    }

    fn has(&self, cell: usize) -> bool {
        let (x, y) = (cell % SIDE, cell / SIDE);
        (self.from.0..self.to.0).contains(&x) && (self.from.1..self.to.1).contains(&y)
    }

    fn count(&self) -> usize {
        self.to.0.saturating_sub(self.from.0) * self.to.1.saturating_sub(self.from.1)
    }

    fn rect(&self, (width, height): (f32, f32)) -> Rect {
        let at = |(x, y): (usize, usize)| {
            let part = |n: usize, size: f32| n as f32 * size / SIDE as f32;
            (part(x, width), part(y, height))
        };
        let ((x1, y1), (x2, y2)) = (at(self.from), at(self.to));
        Rect::from_corners(x1, y1, x2, y2)
    }
}

/// Tells for each frame what of it has to be looked at.
#[derive(Clone, Debug, Default)]
pub struct Cadence {
    /// The frame that was looked at last, and the one that it is about.
    looked: Option<[u8; CELLS]>,
    now: Option<[u8; CELLS]>,
    clock: Clock,
    /// Width and height of the frame in pixels.
    size: (f32, f32),
    /// Seconds since the last look at the whole frame.
    since: f64,
    /// Looks that are due whatever is seen.
    doubts: u32,
    /// How many faces the last look has seen.
    faces: usize,
    /// Where they all are.
    around: Option<Cells>,
    /// The part of the present frame that is due, where it is not the whole.
    part: Option<Cells>,
}

impl Cadence {
    /// Forgets everything: the next frame has to be looked at.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// What of this frame has to be looked at. To be asked about each; `time` is the frame's on any clock, `scratch` is for sources that unpack their
    /// rows.
    pub fn due(
        &mut self,
        frame: &dyn Pixels,
        time: Option<Duration>,
        scratch: &mut Vec<u8>,
    ) -> Due {
        let (passed, is_break) = self.clock.step(time);
        self.since += passed;
        let layout = frame.layout();
        self.size = (layout.width as f32, layout.height as f32);
        let now = self.now.insert([0; CELLS]);
        cells(frame, SIDE, PER_CELL, scratch, now);
        self.part = None;
        let looked = match &self.looked {
            Some(looked) if !is_break && self.doubts == 0 && self.since < LONGEST => looked,
            _ => return Due::Whole,
        };
        let changed = (0..CELLS).filter(|i| now[*i].abs_diff(looked[*i]) >= CHANGE);
        let changed = changed.map(|i| (i % SIDE, i / SIDE)).fold(None, |all, at| {
            let (low, high) = all.unwrap_or((at, at));
            let least = |a: (usize, usize), b: (usize, usize)| (a.0.min(b.0), a.1.min(b.1));
            let most = |a: (usize, usize), b: (usize, usize)| (a.0.max(b.0), a.1.max(b.1));
            Some((least(low, at), most(high, at)))
        });
        let Some((first, last)) = changed else {
            return Due::Nothing;
        };
        // Without a face, a newcomer is all that matters: whoever it is shall be seen as well as can be.
        let part = self.around.map(|around| around.and(first, last));
        self.part = part.filter(|part| part.count() <= PART);
        self.part
            .map_or(Due::Whole, |part| Due::Part(part.rect(self.size)))
    }

    /// How many faces there were at the last look: one that finds fewer in a part of the frame has missed somebody.
    pub fn faces(&self) -> usize {
        self.faces
    }

    /// What was due of the frame that was asked about last was looked at, or more of it, and these faces were seen. One of a score below `sure` is in
    /// doubt.
    pub fn looked(&mut self, faces: &[Face], sure: f32) {
        let has_changed = self.looked.is_none() || faces.len() != self.faces;
        self.doubts = if has_changed || faces.iter().any(|f| f.score < sure) {
            DOUBTS
        } else {
            self.doubts.saturating_sub(1)
        };
        self.faces = faces.len();
        match (self.part.take(), &mut self.looked, &self.now) {
            // What lies outside was not looked at: what changes there little by little has to be seen one day.
            (Some(part), Some(looked), Some(now)) => {
                for cell in (0..CELLS).filter(|cell| part.has(*cell)) {
                    looked[cell] = now[cell];
                }
            }
            _ => {
                self.looked = self.now;
                self.since = 0.0;
            }
        }
        self.around = around(faces, self.size);
    }
}

/// The cells of all faces and of what is around them.
fn around(faces: &[Face], size: (f32, f32)) -> Option<Cells> {
    let near = faces.iter().map(|f| {
        let (dx, dy) = (AROUND * f.rect.w, AROUND * f.rect.h);
        let r = &f.rect;
        Rect::from_corners(r.x - dx, r.y - dy, r.right() + dx, r.bottom() + dy)
    });
    let all = near.reduce(|a, b| {
        Rect::from_corners(
            a.x.min(b.x),
            a.y.min(b.y),
            a.right().max(b.right()),
            a.bottom().max(b.bottom()),
        )
    })?;
    Cells::of(&all, size)
}

#[cfg(test)]
mod tests {
    use super::*;
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

        /// Whether anything of the next frame has to be looked at; it is, where that is so.
        fn show(&mut self, data: &[u8], faces: &[Face]) -> bool {
            self.due(data, faces) != Due::Nothing
        }

        fn due(&mut self, data: &[u8], faces: &[Face]) -> Due {
            self.frame += 1;
            let layout = Layout::rgb8(W, H);
            let plane = Plane {
                data,
                stride: 3 * W,
            };
            let view = View::new(&layout, &[plane]).unwrap();
            let time = Duration::from_millis(40) * self.frame;
            let due = self.cadence.due(&view, Some(time), &mut Vec::new());
            if due != Due::Nothing {
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
    fn a_face_that_changes_alone_is_looked_at_alone() {
        let known = [face(0.9)];
        let (still, nods) = (picture(55, 55, 30), picture(55, 60, 30));
        let mut film = Film::new();
        for _ in 0..5 {
            film.due(&still, &known);
        }
        let Due::Part(part) = film.due(&nods, &known) else {
            panic!("not a part");
        };
        let f = known[0].rect;
        assert!(
            part.x <= f.x - 24.0 && part.right() >= f.right() + 24.0,
            "{part:?}"
        );
        assert!(
            part.y <= f.y - 30.0 && part.bottom() >= f.bottom() + 30.0,
            "{part:?}"
        );
        assert!(part.w < 120.0 && part.h < 140.0, "{part:?}");
        assert_eq!(film.due(&nods, &known), Due::Nothing, "it was looked at");
    }

    #[test]
    fn all_that_changes_is_in_the_part_and_much_is_the_whole() {
        let known = [face(0.9)];
        let mut film = Film::new();
        for _ in 0..5 {
            film.due(&picture(55, 55, 30), &known);
        }
        // Gone from one place, and come to another.
        let Due::Part(part) = film.due(&picture(130, 20, 30), &known) else {
            panic!("not a part");
        };
        assert!(part.x <= 26.0 && part.right() >= 180.0, "{part:?}");
        assert!(part.y <= 9.0 && part.bottom() >= 130.0, "{part:?}");
        assert_eq!(film.due(&picture(280, 150, 30), &known), Due::Whole);
        // Nobody is known.
        let mut film = film_at_rest(&picture(0, 0, 0));
        assert_eq!(film.due(&picture(55, 55, 30), &[]), Due::Whole);
    }

    #[test]
    fn the_whole_is_looked_at_twice_a_second_whatever_changes_in_a_part() {
        let known = [face(0.9)];
        let mut film = Film::new();
        let due: Vec<_> = (0..104)
            .map(|i| film.due(&picture(55, 55 + 5 * (i % 2), 30), &known))
            .collect();
        let whole = due[4..].iter().filter(|d| **d == Due::Whole).count();
        assert_eq!(whole, 100 / 13, "every 0.52 s");
        assert!(!due.contains(&Due::Nothing));
    }

    #[test]
    fn faces_all_over_the_picture_have_no_part() {
        let mut other = face(0.9);
        other.rect.x = 250.0;
        other.rect.y = 100.0;
        let known = [face(0.9), other];
        let mut film = Film::new();
        for _ in 0..5 {
            film.due(&picture(55, 55, 30), &known);
        }
        assert_eq!(film.due(&picture(55, 60, 30), &known), Due::Whole);
    }

    #[test]
    fn what_becomes_visible_little_by_little_is_seen() {
        // A square that becomes lighter by 2 levels a frame, beside a face that never rests.
        let film_of = |i: usize| {
            let mut data = picture(55, 55 + 5 * (i % 2), 30);
            let light = 90 + 2 * i as u8;
            for y in 100..140 {
                data[3 * (y * W + 240)..3 * (y * W + 280)].fill(light);
            }
            data
        };
        let known = [face(0.9)];
        let mut film = Film::new();
        for _ in 0..4 {
            film.due(&film_of(0), &known);
        }
        let due: Vec<_> = (1..9).map(|i| film.due(&film_of(i), &known)).collect();
        assert!(matches!(due[0], Due::Part(_)));
        assert_eq!(
            due.iter().position(|d| *d == Due::Whole),
            Some(3),
            "{due:?}"
        );
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
