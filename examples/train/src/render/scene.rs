// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is shown of a face, and where that lies before which part of another picture. Knows boxes and frames, no ink and no light.

use liveness::dataset::picture::{Renderer, Rgb};
use liveness::geometry::Rect;
use liveness::image::Pixels;
use liveness::resize::Window;

use super::canvas::Canvas;
use super::effects::{Draw, Effect};
use super::warp::{At, Homography};
use crate::augment::blur::Blur;

/// From the face's middle to each edge of what is shown, in sides of its box. Passport photos end at 0.62; beyond 2.6 no liveness model
/// looks (the widest sees 4 sides, 2 to each side, and the frame itself ends at 2.5).
const REACH: (f32, f32) = (0.62, 2.6);

/// Sides of the frame over that of the face: from a face held before the lens, where paper or bezel lie outside, to one at arm's length.
const FRAME: (f32, f32) = (2.6, 5.0);

/// One in seven is a close-up: whoever knows what gives a spoof away keeps its edges out of sight. What is shown reaches so far then, and
/// the frame less, as far as the live picture has surroundings.
const CLOSE: f32 = 0.15;
const CLOSE_REACH: (f32, f32) = (2.1, 2.6);
const CLOSE_FRAME: (f32, f32) = (2.6, 3.4);

/// Longest side of a frame, in pixels.
const MOST_FRAME: f32 = 1280.0;

/// Where in the frame the middle of the face lies, as a share of its sides: whoever attacks aims.
const MIDDLE: (f32, f32) = (0.38, 0.62);

/// Pixels of the sheet for one of the frame: a little finer, so that turning it does not blur it.
pub(super) const DENSITY: f32 = 1.25;

/// A face is not enlarged by more than this: nobody prints fewer dots than they see.
const ENLARGED: f32 = 2.0;

/// Turned by so many radians, as a standard deviation: 3.4 degrees. Hands hold a sheet so straight when they want to pass for a face.
const TURN: f32 = 0.06;
/// Each corner nearer or further than the others, as a share of the sides: what a tilt of about ten degrees does at arm's length.
const CORNER: f32 = 0.025;

/// The scene is drawn this much closer than needed, at the most, so that one picture gives many.
const CLOSER: f32 = 1.6;
/// Half: a camera that looks at a sheet is not focused on the wall behind it.
const SCENE_BLUR: f32 = 0.5;
/// Standard deviation in pixels of the frame where the face has [`super::USUAL`] of them: half to three.
const SCENE_SIGMA: (f32, f32) = (0.5, 3.0);

/// What is shown and where it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The part of the live picture.
    pub(super) shown: Window,
    /// Width and height of that part in pixels of the sheet.
    pub(super) size: (usize, usize),
    /// The face in pixels of the sheet.
    pub(super) face: Rect,
    /// Width and height of the frame.
    pub(super) frame: (usize, usize),
    /// Where the middle of the face lies in it.
    pub(super) middle: At,
    /// Side of the face in the frame, in pixels.
    pub(super) side: f32,
}

impl Place {
    /// `face` lies in a picture of this size, all in pixels; `side` is how large it is to be.
    ///
    /// # Errors
    /// Where there is no such face in the picture.
    pub(super) fn draw(
        face: &Rect,
        (width, height): (usize, usize),
        side: f32,
        draw: &Draw,
    ) -> Result<Self, String> {
        let own = face.w.max(face.h);
        if !face.is_valid() || face.clamped(width as f32, height as f32).is_none() {
            return Err("its face lies outside of the picture".into());
        }
        let side = side.min(ENLARGED * own);
        let mut dice = draw.dice(0);
        let (reach, sides) = match dice.chance(CLOSE) {
            true => (CLOSE_REACH, CLOSE_FRAME),
            false => (REACH, FRAME),
        };
        let middle = face.center();
        let mut reach = || dice.factor(reach.0, reach.1) * own;
        let span = |middle: f32, before: f32, behind: f32, n: usize| {
            let from = (middle - before).max(0.0).floor() as i64;
            (from, (middle + behind).min(n as f32).ceil() as i64 - from)
        };
        let (left, right, top, bottom) = (reach(), reach(), reach(), reach());
        let (x, w) = span(middle.x, left, right, width);
        let (y, h) = span(middle.y, top, bottom, height);
        if w < LEAST_SHOWN || h < LEAST_SHOWN {
            return Err("its face lies outside of the picture".into());
        }
        let scale = side * DENSITY / own;
        let pixels = |n: i64| ((n as f32 * scale).round() as usize).max(1);
        let size = (pixels(w), pixels(h));
        let (sx, sy) = (size.0 as f32 / w as f32, size.1 as f32 / h as f32);
        let on_sheet = Rect::new(
            (face.x - x as f32) * sx,
            (face.y - y as f32) * sy,
            face.w * sx,
            face.h * sy,
        );
        let mut dice = draw.dice(1);
        let mut long = || (side * dice.between(sides.0, sides.1)).min(MOST_FRAME);
        let frame = (long().round() as usize, long().round() as usize);
        let mut at = |n: usize| f64::from(dice.between(MIDDLE.0, MIDDLE.1)) * n as f64;
        Ok(Self {
            shown: Window { x, y, w, h },
            size,
            face: on_sheet,
            frame,
            middle: (at(frame.0), at(frame.1)),
            side,
        })
    }

    /// How a sheet of this size, its frame included, is held before the camera. `face` lies on it.
    pub(super) fn held(
        &self,
        (width, height): (usize, usize),
        face: &Rect,
        draw: &mut Draw,
    ) -> Option<Homography> {
        let (w, h) = (width as f64, height as f64);
        let scale = 1.0 / f64::from(DENSITY);
        let (mut turn, mut off) = (0.0, [(0.0, 0.0); 4]);
        if let Some(mut dice) = draw.roll(Effect::Tilt, 1.0) {
            turn = f64::from(dice.normal(TURN));
            off = off.map(|_| {
                let (x, y) = (dice.normal(CORNER), dice.normal(CORNER));
                (f64::from(x) * w * scale, f64::from(y) * h * scale)
            });
        }
        let (sin, cos) = turn.sin_cos();
        let middle = face.center();
        let corners = [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)];
        let mut corners = corners.into_iter().zip(off).map(|((u, v), (dx, dy))| {
            let u = (u - f64::from(middle.x)) * scale;
            let v = (v - f64::from(middle.y)) * scale;
            let (x, y) = (cos * u - sin * v, sin * u + cos * v);
            (self.middle.0 + x + dx, self.middle.1 + y + dy)
        });
        let corners = [
            corners.next()?,
            corners.next()?,
            corners.next()?,
            corners.next()?,
        ];
        Homography::new((w, h), corners)
    }

    /// A part of the scene that fills the frame.
    pub(super) fn behind(
        &self,
        scene: &dyn Pixels,
        draw: &Draw,
        renderer: &mut Renderer,
        blur: &mut Blur,
    ) -> Canvas {
        let mut dice = draw.dice(2);
        let layout = scene.layout();
        let (have_w, have_h) = (layout.width as f32, layout.height as f32);
        let (w, h) = (self.frame.0 as f32, self.frame.1 as f32);
        let scale = (w / have_w).max(h / have_h) * dice.between(1.0, CLOSER);
        let mut part = |side: f32, have: usize| {
            let n = ((side / scale).round() as i64).clamp(1, have as i64);
            let room = (have as i64 - n + 1) as usize;
            (dice.below(room) as i64, n)
        };
        let (x, w) = part(w, layout.width);
        let (y, h) = part(h, layout.height);
        let mut rgb = Rgb::default();
        renderer.render(scene, Window { x, y, w, h }, self.frame, &mut rgb);
        if dice.chance(SCENE_BLUR) {
            let sigma = dice.factor(SCENE_SIGMA.0, SCENE_SIGMA.1);
            blur.soften(&mut rgb, sigma * self.side / super::USUAL);
        }
        Canvas::from(&rgb)
    }
}

/// Shortest side of what is shown, in pixels of the live picture.
const LEAST_SHOWN: i64 = 8;

#[cfg(test)]
mod tests {
    use super::super::effects::Effects;
    use super::*;
    use proptest::prelude::*;

    fn place(face: Rect, size: (usize, usize), side: f32, seed: u64) -> Result<Place, String> {
        Place::draw(&face, size, side, &Draw::new(seed, Effects::ALL))
    }

    proptest! {
        #[test]
        fn what_is_shown_has_the_face_and_lies_in_the_picture(
            x in -10.0f32..260.0, y in -10.0f32..180.0, w in 16.0f32..60.0, h in 16.0f32..60.0, seed: u64, side in 20.0f32..90.0,
        ) {
            let face = Rect::new(x, y, w, h);
            let place = place(face, (300, 220), side, seed).unwrap();
            let Window { x, y, w, h } = place.shown;
            prop_assert!(x >= 0 && y >= 0 && x + w <= 300 && y + h <= 220);
            // As much of the face as the picture has, in proportion.
            let inside = face.clamped(300.0, 220.0).unwrap();
            prop_assert!(x as f32 <= inside.x && inside.right() <= (x + w) as f32);
            prop_assert!(y as f32 <= inside.y && inside.bottom() <= (y + h) as f32);
            let long = place.face.w.max(place.face.h) / DENSITY;
            prop_assert!((long - place.side).abs() < 0.1 * place.side, "{long} {}", place.side);
            prop_assert!(place.side <= side && place.side <= 2.0 * face.w.max(face.h));
        }
    }

    #[test]
    fn its_edges_lie_within_reach_and_sometimes_outside_of_the_frame() {
        let face = Rect::new(950.0, 950.0, 100.0, 100.0);
        let (mut close, mut within) = (0, 0);
        for seed in 0..300 {
            let place = place(face, (2000, 2000), 60.0, seed).unwrap();
            let reach = [
                1000.0 - place.shown.x as f32,
                (place.shown.x + place.shown.w) as f32 - 1000.0,
                1000.0 - place.shown.y as f32,
                (place.shown.y + place.shown.h) as f32 - 1000.0,
            ];
            assert!(
                reach.iter().all(|r| (61.0..=262.0).contains(r)),
                "{reach:?}"
            );
            let draw = &mut Draw::new(seed, Effects::NONE);
            let map = place.held(place.size, &place.face, draw).unwrap();
            let (w, h) = (place.size.0 as f64, place.size.1 as f64);
            let (low, high) = (map.map((0.0, 0.0)).unwrap(), map.map((w, h)).unwrap());
            let frame = (place.frame.0 as f64, place.frame.1 as f64);
            let outside = [low.0 < 0.0, low.1 < 0.0, high.0 > frame.0, high.1 > frame.1];
            close += usize::from(outside.iter().all(|o| *o));
            within += usize::from(outside.iter().all(|o| !o));
        }
        assert!((2..60).contains(&close), "{close} close-ups of 300");
        assert!(
            (30..250).contains(&within),
            "{within} with all edges of 300"
        );
    }

    #[test]
    fn no_face_is_told() {
        for face in [
            Rect::new(400.0, 10.0, 50.0, 50.0),
            Rect::new(10.0, 10.0, 0.0, 50.0),
            Rect::new(f32::NAN, 10.0, 50.0, 50.0),
        ] {
            let told = place(face, (300, 220), 60.0, 1).unwrap_err();
            assert!(told.contains("outside"), "{told}");
        }
    }
}
