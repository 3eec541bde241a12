// SPDX-License-Identifier: MIT OR Apache-2.0
//! A flat or bent sheet in space, as a camera sees it: where its points fall, and its pixels laid onto a frame. Knows no faces.

use std::f64::consts::PI;

use super::canvas::{Canvas, Colour};

/// Where something is, in pixels.
pub(super) type At = (f64, f64);

/// A projective map of the plane, as a matrix row by row (Heckbert, *Fundamentals of Texture Mapping and Image Warping*, 1989, §2.2.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Homography([f64; 9]);

impl Homography {
    /// Maps a rectangle's corners, in the order left top, right top, right bottom, left bottom, to these; none where three of them lie on one
    /// line.
    pub(super) fn new((width, height): At, corners: [At; 4]) -> Option<Self> {
        let [(x0, y0), (x1, y1), (x2, y2), (x3, y3)] = corners;
        let ((dx1, dy1), (dx2, dy2)) = ((x1 - x2, y1 - y2), (x3 - x2, y3 - y2));
        let (sx, sy) = (x0 - x1 + x2 - x3, y0 - y1 + y2 - y3);
        let det = dx1 * dy2 - dx2 * dy1;
        let g = (sx * dy2 - dx2 * sy) / det;
        let h = (dx1 * sy - sx * dy1) / det;
        let map = Self([
            (x1 - x0 + g * x1) / width,
            (x3 - x0 + h * x3) / height,
            x0,
            (y1 - y0 + g * y1) / width,
            (y3 - y0 + h * y3) / height,
            y0,
            g / width,
            h / height,
            1.0,
        ]);
        let sound = map.0.iter().all(|v| v.is_finite()) && map.determinant().abs() > 1e-12;
        sound.then_some(map)
    }

    fn determinant(&self) -> f64 {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    }

    /// The way back. What it gives for points beyond the horizon is nothing.
    pub(super) fn inverse(&self) -> Self {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        // The adjugate: a factor of all numbers changes nothing but the sign, which says on which side of the horizon a point lies.
        let sign = self.determinant().signum();
        Self(
            [
                e * i - f * h,
                c * h - b * i,
                b * f - c * e,
                f * g - d * i,
                a * i - c * g,
                c * d - a * f,
                d * h - e * g,
                b * g - a * h,
                a * e - b * d,
            ]
            .map(|v| v * sign),
        )
    }

    /// Where a point goes; none at or beyond the horizon.
    pub(super) fn map(&self, (x, y): At) -> Option<At> {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let w = g * x + h * y + i;
        (w > 1e-12).then(|| ((a * x + b * y + c) / w, (d * x + e * y + f) / w))
    }

    /// By how much a step to the right and one down move where a point goes.
    pub(super) fn steps(&self, (x, y): At) -> Option<[At; 2]> {
        const STEP: f64 = 0.5;
        let between = |from: At, to: At| -> Option<At> {
            let (from, to) = (self.map(from)?, self.map(to)?);
            Some((
                (to.0 - from.0) / (2.0 * STEP),
                (to.1 - from.1) / (2.0 * STEP),
            ))
        };
        Some([
            between((x - STEP, y), (x + STEP, y))?,
            between((x, y - STEP), (x, y + STEP))?,
        ])
    }
}

/// A sheet that is bent around an upright axis, as one that is held at both sides: its points move up or down by a wave along it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bend {
    /// How far, in pixels of the sheet.
    pub(super) by: f64,
    /// Where the wave begins, in radians.
    pub(super) phase: f64,
}

impl Bend {
    fn moved(&self, u: f64, width: f64) -> f64 {
        let wave = |share: f64| (share * PI + self.phase).sin();
        self.by * (wave(u / width) - wave(0.5))
    }
}

/// A pixel of the frame, and the point of the sheet that is seen in its middle; both in their own pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) y: f32,
    pub(super) x: f32,
    pub(super) u: f64,
    pub(super) v: f64,
}

/// A picture on something that lies before a scene.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    pub(super) picture: &'a Canvas,
    pub(super) to_frame: Homography,
    pub(super) bend: Option<Bend>,
    /// Over how many pixels of the frame its edge fades: no lens draws a sharper one.
    pub(super) soft: f64,
}

impl Sheet<'_> {
    fn size(&self) -> At {
        (self.picture.width as f64, self.picture.height as f64)
    }

    /// Where a point of the sheet is seen.
    pub(super) fn seen(&self, (u, v): At) -> Option<At> {
        let moved = self.bend.map_or(0.0, |b| b.moved(u, self.size().0));
        self.to_frame.map((u, v + moved))
    }

    fn back(&self, from_frame: &Homography, at: At) -> Option<At> {
        let (u, v) = from_frame.map(at)?;
        let moved = self.bend.map_or(0.0, |b| b.moved(u, self.size().0));
        Some((u, v - moved))
    }

    /// Lays it onto the frame. `light` sees each colour before it is laid down.
    pub(super) fn lay(&self, onto: &mut Canvas, mut light: impl FnMut(&Spot, &mut Colour)) {
        let Some((xs, ys)) = self.bounds(onto) else {
            return;
        };
        let from_frame = self.to_frame.inverse();
        let shrink = self.shrink(&from_frame);
        // So many looks along each axis that no pixel of the sheet is passed over: a fine pattern becomes even, and no coarse one appears.
        let looks = (shrink.ceil() as usize).clamp(1, MOST_LOOKS);
        let offsets: Vec<f64> = (0..looks)
            .map(|i| (i as f64 + 0.5) / looks as f64 - 0.5)
            .collect();
        for y in ys {
            for x in xs.clone() {
                let middle = (x as f64 + 0.5, y as f64 + 0.5);
                let Some((u, v)) = self.back(&from_frame, middle) else {
                    continue;
                };
                let cover = self.cover((u, v), shrink);
                if cover <= 0.0 {
                    continue;
                }
                let mut sum = [0.0; 3];
                for dy in &offsets {
                    for dx in &offsets {
                        let at = (middle.0 + dx, middle.1 + dy);
                        let (u, v) = match looks {
                            1 => (u, v),
                            _ => self.back(&from_frame, at).unwrap_or((u, v)),
                        };
                        let look = self.picture.at(u as f32, v as f32);
                        for (sum, v) in sum.iter_mut().zip(look) {
                            *sum += v;
                        }
                    }
                }
                let mut colour = sum.map(|v| v / (looks * looks) as f32);
                let spot = Spot {
                    x: middle.0 as f32,
                    y: middle.1 as f32,
                    u,
                    v,
                };
                light(&spot, &mut colour);
                let pixel = &mut onto.pixels[y * onto.width + x];
                for (p, c) in pixel.iter_mut().zip(colour) {
                    *p += (c - *p) * cover as f32;
                }
            }
        }
    }

    /// The pixels of the frame that it may touch.
    fn bounds(&self, frame: &Canvas) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        const ALONG: usize = 32;
        let (w, h) = self.size();
        let mut low = (f64::INFINITY, f64::INFINITY);
        let mut high = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for i in 0..=ALONG {
            let t = i as f64 / ALONG as f64;
            for at in [(t * w, 0.0), (t * w, h), (0.0, t * h), (w, t * h)] {
                let (x, y) = self.seen(at)?;
                low = (low.0.min(x), low.1.min(y));
                high = (high.0.max(x), high.1.max(y));
            }
        }
        // The casts cut off below 0.
        let range = |low: f64, high: f64, n: usize| {
            let from = (low - self.soft - 1.0) as usize;
            from.min(n)..((high + self.soft + 2.0) as usize).min(n)
        };
        Some((
            range(low.0, high.0, frame.width),
            range(low.1, high.1, frame.height),
        ))
    }

    /// Pixels of the sheet that are one of the frame, where they are most.
    fn shrink(&self, from_frame: &Homography) -> f64 {
        let (w, h) = self.size();
        let places = [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h), (w / 2.0, h / 2.0)];
        let at = |place| {
            let steps = from_frame.steps(self.to_frame.map(place)?)?;
            let long = |axis: fn(&At) -> f64| steps.iter().map(|s| axis(s).abs()).sum::<f64>();
            // What one pixel of the frame spans along each axis of the sheet.
            Some(long(|s| s.0).max(long(|s| s.1)))
        };
        places.into_iter().filter_map(at).fold(1e-3, f64::max)
    }

    /// How much of the frame's pixel it covers, 0..1.
    fn cover(&self, (u, v): At, shrink: f64) -> f64 {
        let (w, h) = self.size();
        let inside = u.min(w - u).min(v).min(h - v);
        (inside / (shrink * self.soft.max(1.0)) + 0.5).clamp(0.0, 1.0)
    }
}

/// Most looks along an axis: bounds the time.
const MOST_LOOKS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Corners of a rectangle that was moved, turned and seen from the side.
    fn corners() -> impl Strategy<Value = [At; 4]> {
        let jitter = || (-12.0..12.0f64, -12.0..12.0f64);
        (
            (-50.0..50.0f64, -50.0..50.0f64, -3.2..3.2f64, 0.3..3.0f64),
            [jitter(), jitter(), jitter(), jitter()],
        )
            .prop_map(|((x, y, angle, scale), jitter)| {
                let (sin, cos) = angle.sin_cos();
                let at = |i: usize, u: f64, v: f64| {
                    let (u, v) = (
                        u * scale + jitter[i].0 * scale,
                        v * scale + jitter[i].1 * scale,
                    );
                    (x + cos * u - sin * v, y + sin * u + cos * v)
                };
                [
                    at(0, 0.0, 0.0),
                    at(1, 100.0, 0.0),
                    at(2, 100.0, 60.0),
                    at(3, 0.0, 60.0),
                ]
            })
    }

    fn near((ax, ay): At, (bx, by): At) -> bool {
        (ax - bx).abs() < 1e-6 && (ay - by).abs() < 1e-6
    }

    proptest! {
        #[test]
        fn corners_go_to_corners_and_everything_comes_back(
            corners in corners(), u in 0.0..100.0f64, v in 0.0..60.0f64,
        ) {
            let map = Homography::new((100.0, 60.0), corners).unwrap();
            let rectangle = [(0.0, 0.0), (100.0, 0.0), (100.0, 60.0), (0.0, 60.0)];
            for (from, to) in rectangle.into_iter().zip(corners) {
                prop_assert!(near(map.map(from).unwrap(), to), "{from:?}");
            }
            let there = map.map((u, v)).unwrap();
            prop_assert!(near(map.inverse().map(there).unwrap(), (u, v)));
        }

        #[test]
        fn a_bent_sheet_comes_back_too(by in -8.0..8.0f64, phase in 0.0..3.0f64, u in 0.0..100.0f64, v in 0.0..60.0f64) {
            let picture = Canvas::even(100, 60, [0.0; 3]);
            let sheet = Sheet {
                picture: &picture,
                to_frame: straight(100.0, 60.0, (7.0, 3.0), 1.5),
                bend: Some(Bend { by, phase }),
                soft: 1.0,
            };
            let seen = sheet.seen((u, v)).unwrap();
            prop_assert!(near(sheet.back(&sheet.to_frame.inverse(), seen).unwrap(), (u, v)));
        }
    }

    fn straight(w: f64, h: f64, (x, y): At, scale: f64) -> Homography {
        let (sw, sh) = (w * scale, h * scale);
        let corners = [(x, y), (x + sw, y), (x + sw, y + sh), (x, y + sh)];
        Homography::new((w, h), corners).unwrap()
    }

    #[test]
    fn a_line_is_no_rectangle() {
        let line = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)];
        assert_eq!(Homography::new((9.0, 9.0), line), None);
    }

    #[test]
    fn a_straight_sheet_is_a_copy_and_leaves_the_rest() {
        let mut picture = Canvas::even(20, 10, [0.0; 3]);
        picture.each(|x, y, p| *p = [x, y, 99.0]);
        let mut frame = Canvas::even(60, 40, [7.0; 3]);
        let sheet = Sheet {
            picture: &picture,
            to_frame: straight(20.0, 10.0, (30.0, 20.0), 1.0),
            bend: None,
            soft: 1.0,
        };
        sheet.lay(&mut frame, |_, _| ());
        for y in 0..40 {
            for x in 0..60 {
                let pixel = frame.pixels[y * 60 + x];
                let wanted = match (30..50).contains(&x) && (20..30).contains(&y) {
                    true => [x as f32 - 29.5, y as f32 - 19.5, 99.0],
                    false => [7.0; 3],
                };
                let off = pixel.iter().zip(wanted).map(|(a, b)| (a - b).abs());
                assert!(off.fold(0.0, f32::max) < 1e-3, "{x} {y} {pixel:?}");
            }
        }
    }

    #[test]
    fn the_finest_pattern_becomes_even_when_it_shrinks() {
        let mut picture = Canvas::even(300, 300, [0.0; 3]);
        let odd = |x: f32, y: f32| (x as usize + y as usize) % 2 == 1;
        picture.each(|x, y, p| *p = [if odd(x, y) { 255.0 } else { 0.0 }; 3]);
        // Stripes, too: of one axis alone.
        let mut stripes = picture.clone();
        stripes.each(|x, _, p| *p = [if odd(x, 0.0) { 255.0 } else { 0.0 }; 3]);
        for picture in [picture, stripes] {
            for scale in [0.93, 0.71, 0.5, 0.31, 0.2] {
                let mut frame = Canvas::even(300, 300, [127.5; 3]);
                let sheet = Sheet {
                    picture: &picture,
                    to_frame: straight(300.0, 300.0, (0.3, 0.7), scale),
                    bend: None,
                    soft: 1.0,
                };
                sheet.lay(&mut frame, |_, _| ());
                // Means over eight pixels: what the eye, and a net, would see as a coarse pattern.
                let side = (300.0 * scale) as usize - 10;
                let mut worst: f32 = 0.0;
                for y in (5..side - 8).step_by(8) {
                    for x in (5..side - 8).step_by(8) {
                        let cells = (0..64).map(|i| frame.pixels[(y + i / 8) * 300 + x + i % 8][0]);
                        worst = worst.max((cells.sum::<f32>() / 64.0 - 127.5).abs());
                    }
                }
                assert!(worst < 12.0, "{scale}: {worst}");
            }
        }
    }
}
