// SPDX-License-Identifier: MIT OR Apache-2.0
//! One face in one frame as far as its verdict is concerned: where, how good a picture, what it looks like. Knows no models.

use super::likeness::Thumbnail;
use crate::face::{Face, Reason};
use crate::geometry::Rect;
use crate::image::Pixels;
use crate::quality::{Meter, Quality, is_cut_off, turn};
use crate::track::LARGEST_RATIO;

/// Sharpness that tells nothing any more, and one that is enough: what [`Quality`] calls blurred. In between are small faces of
/// webcams and a phone that is held into one (5 to 14 in the clips at hand), which the models judge rightly; below 5 are boxes
/// that hold no face.
const SHARP: (f32, f32) = (5.0, 15.0);
/// The same of light, from the dark side: half of what data sets are made from …
const DARK: (f32, f32) = (0.06, 0.12);
/// … and from the bright side.
const BRIGHT: (f32, f32) = (0.95, 0.9);
/// The same of [`turn`]: in the clips at hand, faces that were judged from 0.25 on show one cheek, from 0.45 on one eye.
const TURNED: (f32, f32) = (0.45, 0.25);
/// A weight below this is none: it would take long to a verdict, and a replay that is held out of focus would long hide behind the good
/// looks before it.
const LEAST_WEIGHT: f32 = 0.25;

/// How fast a face moves at the most, in sizes per second: a walk is 8 (see [`crate::track`]).
const FASTEST: f64 = 8.0;
/// And how far its box jumps without a motion, in sizes: detectors' boxes of half-hidden faces, 0.5 in the clips at hand.
const JUMP: f64 = 1.0;

/// What is another picture to a model: as many times larger or smaller, turned by so much more or less …
const OTHER_SIZE: f32 = 1.25;
const OTHER_TURN: f32 = 0.15;
/// … brighter or darker by so much of the whole range.
const OTHER_LIGHT: f32 = 0.1;

/// A face in a frame.
#[derive(Clone, Debug)]
pub(in crate::liveness) struct Look {
    rect: Rect,
    quality: Quality,
    /// `None` where the detector gives no landmarks.
    turn: Option<f32>,
    /// How much it weighs, 0..1, and what makes it weigh less.
    weight: f32,
    reason: Option<Reason>,
    pub(super) thumbnail: Thumbnail,
}

impl Look {
    /// Measures a face that is in sight.
    pub(in crate::liveness) fn at(
        meter: &mut Meter,
        frame: &dyn Pixels,
        face: &Face,
        too_small: bool,
    ) -> Self {
        let quality = meter.measure(frame, &face.rect);
        let turn = face.landmarks.as_ref().map(turn);
        let layout = frame.layout();
        let cut_off = is_cut_off(&face.rect, (layout.width, layout.height));
        let whole = |bad: bool| if bad { 0.0 } else { 1.0 };
        // The first of equals is the reason.
        let (weight, reason) = [
            (whole(too_small), Reason::TooSmall),
            (whole(cut_off), Reason::CutOff),
            (ramp(quality.exposure, DARK), Reason::Dark),
            (ramp(quality.exposure, BRIGHT), Reason::OverExposed),
            (ramp(quality.sharpness, SHARP), Reason::Blurred),
            (turn.map_or(1.0, |t| ramp(t, TURNED)), Reason::TurnedAway),
        ]
        .into_iter()
        .fold((1.0, None), |(least, reason), (weight, why)| {
            if weight < least {
                (weight, Some(why))
            } else {
                (least, reason)
            }
        });
        Self {
            rect: face.rect,
            quality,
            turn,
            weight: if weight < LEAST_WEIGHT { 0.0 } else { weight },
            reason,
            thumbnail: Thumbnail::of(meter.gray()),
        }
    }

    /// How much an answer about it counts, 0..1; 0 where no model needs to be asked.
    pub(super) fn weight(&self) -> f32 {
        self.weight
    }

    /// What is bad about it, where that weighs.
    pub(super) fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Whether a face cannot have come from `before` to here in `passed` seconds.
    pub(super) fn jumped(&self, before: &Self, passed: f64) -> bool {
        let size = |r: &Rect| f64::from(r.w).hypot(f64::from(r.h)) / std::f64::consts::SQRT_2;
        let (a, b) = (before.rect.center(), self.rect.center());
        let way = f64::from(a.x - b.x).hypot(f64::from(a.y - b.y));
        let (then, now) = (size(&before.rect), size(&self.rect));
        let ratio = then.max(now) / then.min(now);
        way > (JUMP + FASTEST * passed) * then.min(now) || ratio > f64::from(LARGEST_RATIO)
    }

    /// Whether a model may well say something else of it than of `before`.
    pub(super) fn differs(&self, before: &Self) -> bool {
        let ratio = (self.rect.area() / before.rect.area()).sqrt();
        let turned = match (self.turn, before.turn) {
            // Two that are infinite have no difference.
            (Some(a), Some(b)) => (a - b).abs() > OTHER_TURN,
            (a, b) => a.is_some() != b.is_some(),
        };
        let light = (self.quality.exposure - before.quality.exposure).abs();
        !(1.0 / OTHER_SIZE..=OTHER_SIZE).contains(&ratio) || turned || light > OTHER_LIGHT
    }
}

/// 0 at `from` and beyond, 1 at `to` and beyond; 0 for what is no number.
fn ramp(value: f32, (from, to): (f32, f32)) -> f32 {
    let at = (value - from) / (to - from);
    if at.is_nan() { 0.0 } else { at.clamp(0.0, 1.0) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A look at a good picture of a face, the same one for the same `who`.
    pub(in super::super) fn look(rect: Rect, who: usize) -> Look {
        let gray: Vec<_> = (0..crate::quality::SIDE * crate::quality::SIDE)
            .map(|i| {
                let (x, y) = (i % crate::quality::SIDE / 8, i / crate::quality::SIDE / 8);
                ((x * 7919 + y * 104_729 + (x * y + x + 3) * (31 + 17 * who)) % 251) as f32
            })
            .collect();
        Look {
            rect,
            quality: Quality {
                sharpness: 50.0,
                exposure: 0.5,
            },
            turn: Some(0.05),
            weight: 1.0,
            reason: None,
            thumbnail: Thumbnail::of(&gray),
        }
    }

    /// The same, too bad to be judged.
    pub(in super::super) fn bad(rect: Rect, who: usize, reason: Reason) -> Look {
        Look {
            weight: 0.0,
            reason: Some(reason),
            ..look(rect, who)
        }
    }

    #[test]
    fn weights_rise_from_useless_to_good() {
        assert_eq!(ramp(4.0, SHARP), 0.0);
        assert_eq!(ramp(10.0, SHARP), 0.5);
        assert_eq!(ramp(20.0, SHARP), 1.0);
        assert_eq!(ramp(0.96, BRIGHT), 0.0);
        assert_eq!(ramp(0.5, BRIGHT), 1.0);
        assert_eq!(ramp(f32::INFINITY, TURNED), 0.0);
        assert_eq!(ramp(f32::NAN, TURNED), 0.0);
    }

    #[test]
    fn a_walk_is_no_jump_and_what_no_face_does_is_one() {
        let at = |x: f32, side: f32| look(Rect::new(x, 100.0, side, side), 0);
        let before = at(100.0, 50.0);
        assert!(!at(130.0, 50.0).jumped(&before, 0.033));
        assert!(at(200.0, 50.0).jumped(&before, 0.033));
        assert!(!at(400.0, 50.0).jumped(&before, 1.0));
        assert!(at(100.0, 110.0).jumped(&before, 0.033));
        assert!(!at(100.0, 60.0).jumped(&before, 0.033));
    }

    #[test]
    fn size_pose_and_light_make_another_picture() {
        let rect = Rect::new(100.0, 100.0, 50.0, 50.0);
        let before = look(rect, 0);
        assert!(!look(rect, 0).differs(&before));
        assert!(look(Rect::new(100.0, 100.0, 70.0, 70.0), 0).differs(&before));
        for change in [
            |l: &mut Look| l.turn = Some(0.3),
            |l: &mut Look| l.turn = None,
            |l: &mut Look| l.quality.exposure = 0.3,
        ] {
            let mut now = look(rect, 0);
            change(&mut now);
            assert!(now.differs(&before));
        }
    }
}
