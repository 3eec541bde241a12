// SPDX-License-Identifier: MIT OR Apache-2.0
//! A face put where models of the ArcFace kind expect it: turned, scaled and moved so that its five points come to lie on those of the
//! template, by the similarity that fits them best (S. Umeyama, "Least-squares estimation of transformation parameters between two point
//! patterns", 1991; in the plane a complex division). Knows pixels, no model.

use liveness::face::Landmarks;
use liveness::geometry::Point;
use liveness::image::Pixels;
use liveness::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Side of an aligned face in pixels.
pub(crate) const SIDE: usize = 112;

/// Where its points lie (J. Deng et al., "ArcFace", 2019, and their code).
const TEMPLATE: [(f32, f32); 5] = [
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
];

/// The piece of the frame around the face is scaled so that it has at most so many pixels for each of the aligned face: what is larger is
/// averaged, not skipped.
const FINER: f32 = 2.0;

/// Longest side of that piece: a face at any angle, with what lies around it.
const LONGEST: usize = 512;

/// Turning and scaling by the complex number `a`, then moving by `b`: from the frame to the template.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Similarity {
    a: (f32, f32),
    b: (f32, f32),
}

impl Similarity {
    /// The one that takes these points nearest to the template; none where they are all at one place.
    fn fit(points: &Landmarks) -> Option<Self> {
        let n = points.len() as f32;
        let mean = |all: [(f32, f32); 5]| {
            let sum = all.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
            (sum.0 / n, sum.1 / n)
        };
        let from = points.map(|p| (p.x, p.y));
        let (from_mean, to_mean) = (mean(from), mean(TEMPLATE));
        let (mut re, mut im, mut square) = (0.0, 0.0, 0.0);
        for ((fx, fy), (tx, ty)) in from.into_iter().zip(TEMPLATE) {
            let (fx, fy) = (fx - from_mean.0, fy - from_mean.1);
            let (tx, ty) = (tx - to_mean.0, ty - to_mean.1);
            re += fx * tx + fy * ty;
            im += fx * ty - fy * tx;
            square += fx * fx + fy * fy;
        }
        let a = (re / square, im / square);
        let found = Self {
            a,
            b: (
                to_mean.0 - (a.0 * from_mean.0 - a.1 * from_mean.1),
                to_mean.1 - (a.0 * from_mean.1 + a.1 * from_mean.0),
            ),
        };
        let scale = found.scale();
        (scale.is_normal() && [found.b.0, found.b.1].iter().all(|v| v.is_finite())).then_some(found)
    }

    /// Pixels of the template for one of the frame.
    fn scale(&self) -> f32 {
        self.a.0.hypot(self.a.1)
    }

    /// Where a point of the template lies in the frame.
    fn back(&self, (x, y): (f32, f32)) -> Point {
        let (x, y) = (x - self.b.0, y - self.b.1);
        let square = self.a.0 * self.a.0 + self.a.1 * self.a.1;
        Point {
            x: (x * self.a.0 + y * self.a.1) / square,
            y: (y * self.a.0 - x * self.a.1) / square,
        }
    }
}

/// Aligns faces; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Aligner {
    resizer: Resizer,
    piece: Vec<f32>,
}

impl Aligner {
    /// The aligned face: red, green and blue 0..255, pixel by pixel. `None` where the points are none.
    pub(crate) fn align(
        &mut self,
        frame: &dyn Pixels,
        points: &Landmarks,
    ) -> Option<Vec<[f32; 3]>> {
        let similarity = Similarity::fit(points)?;
        let window = window(&similarity)?;
        // Pixels of the piece for one of the frame.
        let finer = (FINER * similarity.scale()).min(1.0);
        let size = |side: i64| ((side as f32 * finer).round() as usize).clamp(1, LONGEST);
        let (width, height) = (size(window.w), size(window.h));
        let format = TensorFormat::levels(width, height, Channels::Rgb);
        self.piece.clear();
        self.piece.resize(format.len(), 0.0);
        self.resizer.run(
            frame,
            window,
            Border::Replicate,
            &format,
            (width, height),
            &mut self.piece,
        );
        let (sx, sy) = (
            width as f32 / window.w as f32,
            height as f32 / window.h as f32,
        );
        let piece = Piece {
            pixels: &self.piece,
            width,
            height,
        };
        let mut face = Vec::with_capacity(SIDE * SIDE);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let there = similarity.back((x as f32, y as f32));
                // Points count from the middle of a pixel, windows from its edge.
                let x = (there.x + 0.5 - window.x as f32) * sx - 0.5;
                let y = (there.y + 0.5 - window.y as f32) * sy - 0.5;
                face.push(piece.at(x, y));
            }
        }
        Some(face)
    }
}

/// The part of the frame that the aligned face is made of; none where it is larger than any frame.
fn window(similarity: &Similarity) -> Option<Window> {
    let end = SIDE as f32;
    let corners = [(0.0, 0.0), (end, 0.0), (0.0, end), (end, end)].map(|c| similarity.back(c));
    let range = |value: fn(&Point) -> f32| {
        let values = corners.iter().map(value);
        let least = values.clone().fold(f32::INFINITY, f32::min).floor() - 1.0;
        let most = values.fold(f32::NEG_INFINITY, f32::max).ceil() + 1.0;
        let fits = least.abs() < 1e5 && most.abs() < 1e5;
        fits.then_some((least as i64, (most - least) as i64))
    };
    let ((x, w), (y, h)) = (range(|p| p.x)?, range(|p| p.y)?);
    Some(Window { x, y, w, h })
}

/// Red, green and blue, row by row.
struct Piece<'a> {
    pixels: &'a [f32],
    width: usize,
    height: usize,
}

impl Piece<'_> {
    /// Between the four pixels around; beyond the edge, the edge.
    fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let near = |v: f32, size: usize| {
            let v = v.clamp(0.0, size.saturating_sub(1) as f32);
            let low = v.floor();
            let first = low as usize;
            (first, (first + 1).min(size.saturating_sub(1)), v - low)
        };
        let ((left, right, fx), (up, down, fy)) = (near(x, self.width), near(y, self.height));
        let pixel = |x: usize, y: usize| {
            let at = 3 * (y * self.width + x);
            let found = self.pixels.get(at..at + 3).unwrap_or(&[0.0; 3]);
            [found[0], found[1], found[2]]
        };
        let corners = [
            pixel(left, up),
            pixel(right, up),
            pixel(left, down),
            pixel(right, down),
        ];
        let weights = [
            (1.0 - fx) * (1.0 - fy),
            fx * (1.0 - fy),
            (1.0 - fx) * fy,
            fx * fy,
        ];
        let mut sum = [0.0; 3];
        for (corner, weight) in corners.iter().zip(weights) {
            for (s, c) in sum.iter_mut().zip(corner) {
                *s += weight * c;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use liveness::image::{Layout, Plane, View};

    use super::*;

    /// The template's points, turned, scaled and moved.
    fn moved(degrees: f32, scale: f32, by: (f32, f32)) -> Landmarks {
        let (sin, cos) = degrees.to_radians().sin_cos();
        TEMPLATE.map(|(x, y)| Point {
            x: scale * (x * cos - y * sin) + by.0,
            y: scale * (x * sin + y * cos) + by.1,
        })
    }

    #[test]
    fn what_was_moved_is_moved_back() {
        for (degrees, scale, by) in [
            (0.0, 1.0, (0.0, 0.0)),
            (30.0, 2.5, (200.0, 90.0)),
            (-75.0, 0.4, (-20.0, 7.0)),
        ] {
            let points = moved(degrees, scale, by);
            let found = Similarity::fit(&points).unwrap();
            assert!((found.scale() - 1.0 / scale).abs() < 1e-3);
            for (point, template) in points.iter().zip(TEMPLATE) {
                let back = found.back(template);
                assert!(
                    (back.x - point.x).abs() < 0.05 && (back.y - point.y).abs() < 0.05,
                    "{back:?} {point:?}"
                );
            }
        }
    }

    #[test]
    fn points_that_are_none_give_no_face() {
        let frame = Layout::rgb8(8, 8);
        let plane = Plane {
            data: &[0; 192],
            stride: 24,
        };
        let view = View::new(&frame, &[plane]).unwrap();
        let nan = Point {
            x: f32::NAN,
            y: 0.0,
        };
        let far = moved(0.0, 1e7, (0.0, 0.0));
        for points in [[Point::default(); 5], [nan; 5], far] {
            assert!(
                Aligner::default().align(&view, &points).is_none(),
                "{points:?}"
            );
        }
    }

    /// The colour at each place of an aligned face is that of the frame where the point came from.
    #[test]
    fn the_aligned_face_is_the_frame_turned_back() {
        let (width, height) = (640usize, 480usize);
        // Red grows to the right, green downwards.
        let data: Vec<u8> = (0..width * height)
            .flat_map(|i| {
                [
                    (i % width * 255 / width) as u8,
                    (i / width * 255 / height) as u8,
                    9,
                ]
            })
            .collect();
        let layout = Layout::rgb8(width, height);
        let plane = Plane {
            data: &data,
            stride: 3 * width,
        };
        let view = View::new(&layout, &[plane]).unwrap();
        for (degrees, scale) in [(0.0, 1.0), (20.0, 2.0), (-25.0, 3.1), (10.0, 0.6)] {
            let points = moved(degrees, scale, (220.0, 60.0));
            let face = Aligner::default().align(&view, &points).unwrap();
            assert_eq!(face.len(), SIDE * SIDE);
            let similarity = Similarity::fit(&points).unwrap();
            for (x, y) in [(20usize, 20usize), (56, 56), (90, 30), (38, 95)] {
                let there = similarity.back((x as f32, y as f32));
                if !(4.0..636.0).contains(&there.x) || !(4.0..476.0).contains(&there.y) {
                    continue;
                }
                let [red, green, blue] = face[y * SIDE + x];
                let wanted = (there.x * 255.0 / 640.0, there.y * 255.0 / 480.0);
                assert!(
                    (red - wanted.0).abs() < 2.5 && (green - wanted.1).abs() < 2.5,
                    "{degrees} {x},{y}: {red} {green}, wanted {wanted:?}"
                );
                assert!((blue - 9.0).abs() < 0.5);
            }
        }
    }
}
