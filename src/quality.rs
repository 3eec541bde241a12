// SPDX-License-Identifier: MIT OR Apache-2.0
//! How good a picture of a face is: sharp, well lit, wholly in the frame, seen from the front. Knows pixels and boxes, no models.

use crate::face::Landmarks;
use crate::geometry::Rect;
use crate::image::Pixels;
use crate::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Side of the grey square that a face is scaled to before it is measured, in pixels: only so do the numbers of near and far faces,
/// of small and large frames mean the same. A smaller face is enlarged, and is no sharper for it.
pub(crate) const SIDE: usize = 112;

/// What was measured of one face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Variance of the Laplacian (the kernel 0 1 0, 1 -4 1, 0 1 0 over grey values 0..255) of the face scaled to 112x112
    /// (Pech-Pacheco et al., *Diatom autofocusing in brightfield microscopy*, ICPR 2000), or what it would be were all detail like
    /// that of the blurrier axis, if that is less: a face that moves keeps its edges along the way. 0 is blank, below about 15 blurred.
    pub sharpness: f32,
    /// Mean of its grey values (ITU-R BT.601 luma), 0 black to 1 white.
    pub exposure: f32,
}

/// Measures faces; keeps its memory from one to the next.
#[derive(Debug)]
pub struct Meter {
    resizer: Resizer,
    format: TensorFormat,
    gray: Vec<f32>,
}

impl Default for Meter {
    fn default() -> Self {
        let format = TensorFormat::levels(SIDE, SIDE, Channels::Gray);
        Self {
            resizer: Resizer::new(),
            gray: vec![0.0; format.len()],
            format,
        }
    }
}

impl Meter {
    /// The face at `rect`, in pixels of `frame`; the part of it that lies inside.
    pub fn measure(&mut self, frame: &dyn Pixels, rect: &Rect) -> Quality {
        let layout = frame.layout();
        let Some(inside) = rect.clamped(layout.width as f32, layout.height as f32) else {
            return Quality::default();
        };
        let span = |from: f32, to: f32| {
            let from = from.floor() as i64;
            (from, (to.ceil() as i64 - from).max(1))
        };
        let (x, w) = span(inside.x, inside.right());
        let (y, h) = span(inside.y, inside.bottom());
        self.resizer.run(
            frame,
            Window { x, y, w, h },
            Border::Replicate,
            &self.format,
            (SIDE, SIDE),
            &mut self.gray,
        );
        Quality {
            sharpness: laplacian_variance(&self.gray, SIDE),
            exposure: self.gray.iter().sum::<f32>() / (255.0 * self.gray.len() as f32),
        }
    }

    /// The face that was measured last: grey values 0..255 of the square that it was scaled to, row by row.
    pub(crate) fn gray(&self) -> &[f32] {
        &self.gray
    }
}

/// Of noise without direction, the Laplacian has 20 times its variance and the second difference along one axis 6 times.
const LAPLACIAN_OF_AXIS: f64 = 20.0 / 6.0;

/// The variance of the Laplacian over all pixels that have four neighbours, see [`Quality::sharpness`].
fn laplacian_variance(gray: &[f32], width: usize) -> f32 {
    let (mut across, mut down, mut both) = <(Spread, Spread, Spread)>::default();
    for y in 1..gray.len() / width - 1 {
        let row = |y: usize| &gray[y * width..][..width];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        for x in 1..width - 1 {
            let h = f64::from(here[x - 1] + here[x + 1] - 2.0 * here[x]);
            let v = f64::from(above[x] + below[x] - 2.0 * here[x]);
            across.add(h);
            down.add(v);
            both.add(h + v);
        }
    }
    let blurrier = across.variance().min(down.variance());
    both.variance().min(LAPLACIAN_OF_AXIS * blurrier) as f32
}

/// Sums for a variance.
#[derive(Default)]
struct Spread {
    n: u32,
    sum: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, v: f64) {
        self.n += 1;
        self.sum += v;
        self.squares += v * v;
    }

    fn variance(&self) -> f64 {
        let n = f64::from(self.n.max(1));
        (self.squares / n - (self.sum / n) * (self.sum / n)).max(0.0)
    }
}

/// Whether the edge of a frame of `width` x `height` cuts a face off, as far as its box tells: detectors fit the box to the part
/// that is in sight, so it ends at the edge. A whole face that only just fits in is taken for one that does not.
pub fn is_cut_off(rect: &Rect, (width, height): (usize, usize)) -> bool {
    let near = |before: f32, behind: f32, size: f32| before.min(behind) < AT_THE_EDGE * size;
    near(rect.x, width as f32 - rect.right(), rect.w)
        || near(rect.y, height as f32 - rect.bottom(), rect.h)
}

/// How near to the frame's edge a box ends at it, as a share of its side. Of a face cut at different places YuNet, SCRFD and
/// UltraFace put the box up to 0.03 of it away.
const AT_THE_EDGE: f32 = 0.04;

/// How far a head is turned to the side, 0 from the front: how far off the middle between the eyes the tip of the nose lies, along
/// the line through them, as a share of their distance; so a tilted head is not a turned one. Persons who look into the camera have up
/// to 0.15, a three-quarter view about 0.35, and at 0.5 the nose lies before an eye. Points that are none count as turned away.
pub fn turn(landmarks: &Landmarks) -> f32 {
    turn_to(landmarks).map_or(f32::INFINITY, f32::abs)
}

/// The same with its side: above 0 where the nose points to the right of the picture, which is the person's own left. `None` for points
/// that are none.
pub fn turn_to(landmarks: &Landmarks) -> Option<f32> {
    let [left, right, nose, ..] = landmarks;
    let eyes = (right.x - left.x, right.y - left.y);
    let off = (
        nose.x - (left.x + right.x) / 2.0,
        nose.y - (left.y + right.y) / 2.0,
    );
    let turn = (off.0 * eyes.0 + off.1 * eyes.1) / (eyes.0 * eyes.0 + eyes.1 * eyes.1);
    turn.is_finite().then_some(turn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::image::{Layout, Plane, View};
    use proptest::prelude::*;

    fn measure(w: usize, h: usize, rect: Rect, pixel: impl Fn(usize, usize) -> u8) -> Quality {
        let layout = Layout::rgb8(w, h);
        let data: Vec<u8> = (0..w * h).flat_map(|i| [pixel(i % w, i / w); 3]).collect();
        let plane = Plane {
            data: &data,
            stride: w * 3,
        };
        let view = View::new(&layout, &[plane]).unwrap();
        Meter::default().measure(&view, &rect)
    }

    /// A pattern with detail at all scales, and the same out of focus by `blur` pixels.
    fn pattern(x: usize, y: usize, blur: usize) -> u8 {
        let at = |x: usize, y: usize| ((x * 7919 + y * 104_729 + x * y * 31) / 5 % 200) as f32;
        let (mut sum, mut n) = (0.0, 0.0);
        for dy in 0..=blur {
            for dx in 0..=blur {
                sum += at(x + dx, y + dy);
                n += 1.0;
            }
        }
        (sum / n) as u8
    }

    #[test]
    fn blur_lowers_the_sharpness_and_light_is_told() {
        let face = Rect::new(20.0, 10.0, 120.0, 130.0);
        let of = |blur| measure(200, 180, face, |x, y| pattern(x, y, blur)).sharpness;
        let (sharp, soft, blurred) = (of(0), of(2), of(8));
        assert!(
            sharp > 2.0 * soft && soft > 2.0 * blurred,
            "{sharp} {soft} {blurred}"
        );
        let grey = |v| measure(200, 180, face, |_, _| v);
        assert_eq!(grey(0), Quality::default());
        assert!((grey(51).exposure - 0.2).abs() < 1e-3);
        assert!((grey(255).exposure - 1.0).abs() < 1e-3);
    }

    #[test]
    fn the_laplacian_is_that_of_the_book() {
        // One white pixel: the Laplacian is -4 there, 1 at its four neighbours, 0 at the other 4 of 9.
        let mut gray = [0.0; 25];
        gray[12] = 1.0;
        // Along one axis: -2 there, 1 at two neighbours; 20/6 of their variance is the same.
        assert!((laplacian_variance(&gray, 5) - 20.0 / 9.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_smeared_along_one_axis_is_not_sharp() {
        let face = Rect::new(20.0, 10.0, 120.0, 130.0);
        let smeared = |x: usize, y: usize| {
            let sum: u32 = (0..12).map(|d| u32::from(pattern(x + d, y, 0))).sum();
            (sum / 12) as u8
        };
        let still = measure(220, 180, face, |x, y| pattern(x, y, 0)).sharpness;
        let moving = measure(220, 180, face, smeared).sharpness;
        let falling = measure(220, 180, face, |x, y| smeared(y, x)).sharpness;
        assert!(
            still > 20.0 * moving && still > 20.0 * falling,
            "{still} {moving} {falling}"
        );
    }

    #[test]
    fn sharpness_is_that_of_the_face_at_any_distance() {
        let smooth = |x: f64, y: f64| (120.0 + 60.0 * (x * 40.0).sin() * (y * 30.0).cos()) as u8;
        let of = |n: usize| {
            let at = move |i: usize| i as f64 / n as f64;
            let rect = Rect::new(0.0, 0.0, n as f32, n as f32);
            measure(n, n, rect, |x, y| smooth(at(x), at(y))).sharpness
        };
        let (near, far) = (of(448), of(224));
        assert!((near / far - 1.0).abs() < 0.1, "{near} {far}");
    }

    #[test]
    fn a_face_at_the_edge_is_cut_off() {
        let frame = (312, 512);
        // What YuNet and UltraFace make of a face that is cut by a quarter and by a half.
        assert!(is_cut_off(&Rect::new(2.07, 68.74, 67.88, 103.87), frame));
        assert!(is_cut_off(&Rect::new(-7.45, 74.52, 54.56, 94.15), frame));
        assert!(is_cut_off(&Rect::new(220.0, 60.0, 92.0, 100.0), frame));
        assert!(is_cut_off(&Rect::new(100.0, 430.0, 80.0, 90.0), frame));
        assert!(!is_cut_off(&Rect::new(30.0, 64.0, 91.0, 111.0), frame));
    }

    #[test]
    fn a_tilted_head_is_not_a_turned_one() {
        let head = |turn: f32, tilt: f32, size: f32| {
            let (sin, cos) = tilt.to_radians().sin_cos();
            [
                (-0.5, 0.0),
                (0.5, 0.0),
                (turn, 0.6),
                (-0.4, 1.1),
                (0.4, 1.1),
            ]
            .map(|(x, y): (f32, f32)| Point {
                x: 300.0 + size * (x * cos - y * sin),
                y: 200.0 + size * (x * sin + y * cos),
            })
        };
        for tilt in [-40.0, 0.0, 25.0] {
            for size in [20.0, 200.0] {
                for (turned, wanted) in [(0.0, 0.0), (0.3, 0.3), (-0.3, 0.3)] {
                    let got = turn(&head(turned, tilt, size));
                    assert!((got - wanted).abs() < 1e-3, "{got} {turned} {tilt} {size}");
                    let side = turn_to(&head(turned, tilt, size)).unwrap();
                    assert!((side - turned).abs() < 1e-3, "{side} {turned}");
                }
            }
        }
        assert_eq!(turn(&[Point::default(); 5]), f32::INFINITY);
        let nan = Point {
            x: f32::NAN,
            y: 0.0,
        };
        assert_eq!(turn(&[nan; 5]), f32::INFINITY);
    }

    proptest! {
        #[test]
        fn any_box_is_measured(
            x in -1e6f32..1e6, y in -1e6f32..1e6, w in 0.0f32..1e6, h in 0.0f32..1e6,
        ) {
            let q = measure(40, 30, Rect::new(x, y, w, h), |x, y| pattern(x, y, 0));
            prop_assert!(q.sharpness >= 0.0 && (0.0..=1.001).contains(&q.exposure), "{q:?}");
        }
    }
}
