// SPDX-License-Identifier: MIT OR Apache-2.0
//! Planar motion: whether the five points of a face move as those of a flat picture do. Knows points and time, no pixels.
//!
//! Four points of a plane, seen twice, fix its homography, and a fifth one keeps its place among them whatever the plane does (the projective
//! invariants of five coplanar points: J. L. Mundy, A. Zisserman, "Geometric Invariance in Computer Vision", 1992). So the tip of the nose is
//! written in coordinates in which the eyes and the mouth corners are the unit square. In a picture that is tilted it stays there. On a
//! head that turns it moves by about half the sine of the angle, as it stands out by about half the distance of the eyes.
//!
//! What is left of both when the noise from look to look is taken off is compared. The detector draws the nose along a little where
//! nothing moved but a picture, so small motions tell nothing.

use super::fading::Fading;
use crate::face::Landmarks;

/// Looks that it takes to tell …
const ENOUGH: u32 = 15;
/// … and seconds from the first to the last of them.
const LONG_ENOUGH: f64 = 1.0;
/// Motion below which nothing can be told, in sides of the square (about distances of the eyes; standard deviation over some seconds): of
/// stills of 17 clips that were moved as by a hand, tilted by up to 14 and 28 degrees, the shipped detector makes 0.02 to 0.05 of both kinds.
const LEAST: f64 = 0.05;

/// What is remembered of the points of one face.
#[derive(Clone, Debug, Default)]
pub(super) struct PlanarMotion {
    /// The place of the nose among the other four.
    nose: [Fading; 2],
    /// How high the square is for its width, as a logarithm, and how far it leans: what a tilted plane changes.
    square: [Fading; 2],
    first: Option<f64>,
    last: f64,
    looks: u32,
}

impl PlanarMotion {
    /// One more look at the points, at `now` seconds. Points that make no face are left out.
    pub(super) fn add(&mut self, landmarks: &Landmarks, now: f64) {
        let Some((nose, square)) = shape(landmarks) else {
            return;
        };
        for (part, value) in self.nose.iter_mut().zip(nose) {
            part.add(value, now);
        }
        for (part, value) in self.square.iter_mut().zip(square) {
            part.add(value, now);
        }
        self.first.get_or_insert(now);
        self.last = now;
        self.looks = self.looks.saturating_add(1);
    }

    /// 1 where all motion was that of something that is not flat, 0 where all was that of a plane; `None` until there was enough motion.
    pub(super) fn score(&self) -> Option<f32> {
        if self.looks < ENOUGH || self.last - self.first? < LONG_ENOUGH {
            return None;
        }
        let of = |parts: &[Fading; 2]| parts.iter().map(Fading::slow).sum::<f64>();
        let (nose, square) = (of(&self.nose), of(&self.square));
        let all = nose + square;
        (all >= LEAST * LEAST).then(|| (nose / all) as f32)
    }
}

/// The place of the nose in the unit square of the other four points, and the square's height and lean. `None` where they do not make a
/// convex quadrilateral the right way up.
fn shape(points: &Landmarks) -> Option<([f64; 2], [f64; 2])> {
    type Pair = (f64, f64);
    let [left, right, nose, mouth_left, mouth_right] =
        points.map(|p| (f64::from(p.x), f64::from(p.y)));
    let minus = |a: Pair, b: Pair| (a.0 - b.0, a.1 - b.1);
    let cross = |a: Pair, b: Pair| a.0 * b.1 - a.1 * b.0;
    let eyes = minus(right, left);
    let width = eyes.0 * eyes.0 + eyes.1 * eyes.1;
    let corners = [left, right, mouth_right, mouth_left];
    let convex = (0..4).all(|i| {
        let [a, b, c] = [0, 1, 2].map(|n| corners[(i + n) % 4]);
        cross(minus(b, a), minus(c, b)) > LEAST_CORNER * width
    });
    if !convex {
        return None;
    }
    // From the unit square to the quadrilateral: P. S. Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989, section 2.2.3.
    let [p0, p1, p2, p3] = corners;
    let sum = (p0.0 - p1.0 + p2.0 - p3.0, p0.1 - p1.1 + p2.1 - p3.1);
    let (d1, d2) = (minus(p1, p2), minus(p3, p2));
    let det = cross(d1, d2);
    let (g, h) = (cross(sum, d2) / det, cross(d1, sum) / det);
    let (a, b, c) = (p1.0 - p0.0 + g * p1.0, p3.0 - p0.0 + h * p3.0, p0.0);
    let (d, e, f) = (p1.1 - p0.1 + g * p1.1, p3.1 - p0.1 + h * p3.1, p0.1);
    // And back, by the adjugate.
    let (x, y) = nose;
    let w = (d * h - e * g) * x + (b * g - a * h) * y + (a * e - b * d);
    let u = ((e - f * h) * x + (c * h - b) * y + (b * f - c * e)) / w;
    let v = ((f * g - d) * x + (a - c * g) * y + (c * d - a * f)) / w;
    let middle = |a: Pair, b: Pair| ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
    let down = minus(middle(mouth_left, mouth_right), middle(left, right));
    let height = ((down.0 * down.0 + down.1 * down.1) / width).ln() / 2.0;
    let lean = (down.0 * eyes.0 + down.1 * eyes.1) / width;
    let all = [u, v, height, lean];
    let finite = all.iter().all(|v| v.is_finite());
    finite.then_some(([u, v], [height, lean]))
}

/// Least area that two sides of the quadrilateral span, as a share of the squared distance of the eyes: below, it is hardly one.
const LEAST_CORNER: f64 = 0.05;

#[cfg(test)]
mod tests {
    use super::super::tests::Noise;
    use super::*;
    use crate::geometry::Point;
    use proptest::prelude::*;

    /// Eyes, nose and mouth corners of a head, in distances of the eyes; the nose stands out towards the camera by the last number.
    const HEAD: [[f64; 3]; 5] = [
        [-0.5, -0.45, 0.0],
        [0.5, -0.45, 0.0],
        [0.0, 0.1, -0.5],
        [-0.4, 0.6, -0.05],
        [0.4, 0.6, -0.05],
    ];

    /// The points on a picture when the head is turned (radians, to the side and down), `flat` where it is a print of a head.
    fn seen(yaw: f64, pitch: f64, roll: f64, flat: bool) -> Landmarks {
        HEAD.map(|[x, y, z]| {
            let z = if flat { 0.0 } else { z };
            let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
            let (y, z) = (
                y * pitch.cos() - z * pitch.sin(),
                y * pitch.sin() + z * pitch.cos(),
            );
            let (x, y) = (
                x * roll.cos() - y * roll.sin(),
                x * roll.sin() + y * roll.cos(),
            );
            // A camera eight distances of the eyes away.
            let scale = 60.0 * 8.0 / (8.0 + z);
            Point {
                x: (300.0 + x * scale) as f32,
                y: (200.0 + y * scale) as f32,
            }
        })
    }

    /// What is said after four seconds of turning by up to `by` radians, where the detector is off by `noise` pixels.
    fn score(by: f64, flat: bool, noise: f64) -> Option<f32> {
        let (mut motion, mut random) = (PlanarMotion::default(), Noise::new(7));
        for i in 0..120 {
            let t = f64::from(i) / 30.0;
            let (yaw, pitch) = (by * (1.7 * t).sin(), 0.5 * by * (1.1 * t + 1.0).cos());
            let points = seen(yaw, pitch, 0.2 * (0.9 * t).sin(), flat);
            let off = |v: f32, random: &mut Noise| v + (noise * random.normal()) as f32;
            let points = points.map(|p| Point {
                x: off(p.x, &mut random) + 10.0 * t as f32,
                y: off(p.y, &mut random),
            });
            motion.add(&points, t);
        }
        motion.score()
    }

    #[test]
    fn a_head_that_turns_is_not_flat_and_a_print_that_is_tilted_is() {
        for noise in [0.0, 0.5] {
            let head = score(0.35, false, noise).unwrap();
            assert!(head > 0.75, "{noise}: {head}");
            let print = score(0.7, true, noise).unwrap();
            assert!(print < 0.1, "{noise}: {print}");
        }
    }

    #[test]
    fn who_does_not_move_tells_nothing() {
        for flat in [false, true] {
            assert_eq!(score(0.0, flat, 0.0), None);
            assert_eq!(score(0.0, flat, 0.7), None);
        }
    }

    #[test]
    fn points_that_are_no_face_are_left_out() {
        let at = |x: f32, y: f32| Point { x, y };
        let face = seen(0.0, 0.0, 0.0, false);
        assert!(shape(&face).is_some());
        let mut mirrored = face;
        mirrored.swap(0, 1);
        for bad in [
            [at(0.0, 0.0); 5],
            [at(f32::NAN, 0.0); 5],
            mirrored,
            face.map(|p| at(p.x, f32::INFINITY)),
        ] {
            assert_eq!(shape(&bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_plane_leaves_the_nose_where_it_is(
            yaw in -0.9f64..0.9, pitch in -0.9f64..0.9, roll in -0.7f64..0.7,
        ) {
            let straight = shape(&seen(0.0, 0.0, 0.0, true)).unwrap().0;
            if let Some((nose, _)) = shape(&seen(yaw, pitch, roll, true)) {
                let off = (nose[0] - straight[0]).hypot(nose[1] - straight[1]);
                prop_assert!(off < 1e-3, "{off}");
            }
        }
    }
}
