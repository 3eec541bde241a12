// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far a detector's points lie from those that people marked.

use crate::geometry::Point;

use super::Points;

/// Distance of the eyes over that from their middle to the mouth, below which a face is seen from the side: there the eyes come so close to
/// each other that an error measured by their distance means nothing.
const PROFILE: f64 = 0.6;

/// Normalised mean error: the mean distance of both eyes and of the middle of the mouth from the labels, over the distance of the labelled
/// eyes. The nose is left out: labels put it at its base, detectors at its tip. None where the eyes lie on each other.
pub fn nme(points: &Points, [left, right, _, corner, other]: &[Point; 5]) -> Option<f64> {
    let eyes = distance(points.eyes[0], points.eyes[1]);
    let mouth = middle(*corner, *other);
    let off = distance(points.eyes[0], *left)
        + distance(points.eyes[1], *right)
        + distance(points.mouth, mouth);
    let error = off / 3.0 / eyes;
    error.is_finite().then_some(error)
}

/// Whether the face is seen from the side: the eyes are closer than 0.6 of the way from their middle to the mouth.
pub fn profile(points: &Points) -> bool {
    let [left, right] = points.eyes;
    distance(left, right) < PROFILE * distance(middle(left, right), points.mouth)
}

fn distance(a: Point, b: Point) -> f64 {
    f64::from(a.x - b.x).hypot(f64::from(a.y - b.y))
}

fn middle(a: Point, b: Point) -> Point {
    Point {
        x: (a.x + b.x) / 2.0,
        y: (a.y + b.y) / 2.0,
    }
}
