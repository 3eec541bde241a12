// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wanted is measured and nothing else, and pictures and noise for the tests of each cue.

use super::*;
use crate::geometry::Point;
use crate::image::{ColorModel, Layout, Plane, View};
use proptest::prelude::*;

/// Hands a grey picture of this size to `look`.
pub(super) fn with_picture<T>(
    (width, height): (usize, usize),
    pixel: impl Fn(usize, usize) -> f32,
    look: impl FnOnce(&View) -> T,
) -> T {
    let mut layout = Layout::rgb8(width, height);
    layout.color = ColorModel::Gray;
    layout.components.truncate(1);
    layout.components[0].step = 1;
    let pixels = (0..width * height).map(|i| pixel(i % width, i / width));
    let data: Vec<u8> = pixels.map(|v| v.round().clamp(0.0, 255.0) as u8).collect();
    let plane = Plane {
        data: &data,
        stride: width,
    };
    look(&View::new(&layout, &[plane]).unwrap())
}

/// Random numbers, the same ones for the same seed (G. Marsaglia, "Xorshift RNGs", 2003).
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal, of variance 1.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A number of -1..1 that is another one at each place.
fn at(x: i64, y: i64, salt: u64) -> f32 {
    let place = (x as u64) << 32 ^ (y as u64 & 0xffff_ffff);
    let mut noise = Noise::new(place.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ salt << 7);
    for _ in 0..3 {
        noise.unit();
    }
    2.0 * noise.unit() as f32 - 1.0
}

/// A picture whose detail falls off as that of nature does: smooth noise of all sizes, none of it along the axes, and a little of a
/// camera's own.
pub(super) fn natural(x: usize, y: usize) -> f32 {
    let mut sum = 120.0 + 3.0 * at(x as i64, y as i64, 99);
    for (k, (size, amount)) in [
        (61.0, 40.0),
        (29.0, 20.0),
        (13.0, 10.0),
        (6.1, 5.0),
        (3.3, 2.5),
    ]
    .into_iter()
    .enumerate()
    {
        let (sin, cos) = (0.5 + k as f32).sin_cos();
        let (x, y) = (x as f32, y as f32);
        let (u, v) = ((x * cos + y * sin) / size, (y * cos - x * sin) / size);
        let (i, j) = (u.floor(), v.floor());
        let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fu, fv) = (smooth(u - i), smooth(v - j));
        let at = |a: i64, b: i64| at(i as i64 + a, j as i64 + b, k as u64);
        let row = |b: i64| at(0, b) + (at(1, b) - at(0, b)) * fu;
        sum += amount * (row(0) + (row(1) - row(0)) * fv);
    }
    sum
}

/// A picture that is made sooner, for tests that look at hundreds.
pub(super) fn rough(x: usize, y: usize) -> f32 {
    ((x * 7919 + y * 104_729 + x * y * 31) / 5 % 200) as f32
}

fn face() -> Face {
    let at = |x: f32, y: f32| Point { x, y };
    Face {
        rect: Rect::new(130.0, 100.0, 70.0, 80.0),
        landmarks: Some([
            at(148.0, 130.0),
            at(182.0, 130.0),
            at(165.0, 150.0),
            at(152.0, 165.0),
            at(178.0, 165.0),
        ]),
        ..Face::default()
    }
}

#[test]
fn what_is_wanted_is_measured_and_nothing_else() {
    with_picture((320, 280), natural, |view| {
        let all = Gauge::default().picture(view, &face().rect, Wanted::ALL);
        assert!(all.moire.is_some() && all.border.is_some());
        let mut gauge = Gauge::default();
        let none = gauge.picture(view, &face().rect, Wanted::default());
        assert_eq!(none, Cues::default());
        let moment = gauge.moment(view, &face(), Wanted::default());
        assert!(moment.landmarks.is_none() && moment.dark.is_none());
        assert!(gauge.moire.is_none() && gauge.rim.is_none() && gauge.eyes.is_none());
        let moment = gauge.moment(view, &face(), Wanted::ALL);
        assert!(moment.landmarks.is_some() && moment.dark.is_some());
        let blind = Face {
            landmarks: None,
            ..face()
        };
        let moment = gauge.moment(view, &blind, Wanted::ALL);
        assert!(moment.landmarks.is_none() && moment.dark.is_none());
        assert_eq!(Course::default().cues(Wanted::ALL), Cues::default());
    });
}

proptest! {
    #[test]
    fn any_box_gets_scores_or_none(
        x in -300f32..600.0, y in -300f32..600.0, w in -10f32..700.0, h in -10f32..700.0, bad in 0usize..8,
    ) {
        let mut numbers = [x, y, w, h];
        if let Some(number) = numbers.get_mut(bad) {
            *number = if x > 0.0 { f32::NAN } else { f32::INFINITY };
        }
        let [x, y, w, h] = numbers;
        let cues = with_picture((320, 280), rough, |view| {
            Gauge::default().picture(view, &Rect::new(x, y, w, h), Wanted::ALL)
        });
        let fine = |score: Option<f32>| score.is_none_or(|s| (0.0..=1.0).contains(&s));
        prop_assert!(fine(cues.moire) && fine(cues.border), "{cues:?}");
        prop_assert!(bad >= 4 || cues == Cues::default());
    }

    #[test]
    fn the_smallest_frames_are_no_trouble(w in 1usize..20, h in 1usize..20) {
        with_picture((w, h), rough, |view| {
            let whole = Rect::new(0.0, 0.0, w as f32, h as f32);
            let cues = Gauge::default().picture(view, &whole, Wanted::ALL);
            prop_assert_eq!(cues, Cues::default());
            Ok(())
        })?;
    }
}
