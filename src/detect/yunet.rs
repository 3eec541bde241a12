// SPDX-License-Identifier: MIT OR Apache-2.0
//! YuNet: anchor-free, strides 8, 16 and 32; score = sqrt(class x objectness).
//! After `FaceDetectorYN` in OpenCV and libfacedetection.

use super::Candidate;
use super::outputs::{cells, check_rows, grid};
use crate::geometry::{Point, Rect};
use crate::runtime::OutputView;

/// Names of the outputs: per kind, the strides.
pub(super) const OUTPUTS: [&str; 12] = [
    "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32",
    "kps_8", "kps_16", "kps_32",
];

const STRIDES: [usize; 3] = [8, 16, 32];

pub(super) fn decode(
    outputs: &[OutputView],
    size: (usize, usize),
    threshold: f32,
    found: &mut Vec<Candidate>,
) -> Result<(), String> {
    let named = |i: usize| {
        outputs
            .iter()
            .find(|o| o.name == OUTPUTS[i])
            .ok_or_else(|| format!("output {} is missing", OUTPUTS[i]))
    };
    for (i, stride) in STRIDES.into_iter().enumerate() {
        let (cls, obj, bbox, kps) = (named(i)?, named(i + 3)?, named(i + 6)?, named(i + 9)?);
        let grid = grid(size, stride);
        check_rows(&[(cls, 1), (obj, 1), (bbox, 4), (kps, 10)], grid.0 * grid.1)?;
        let s = stride as f32;
        for (k, (x, y)) in cells(grid, 1).enumerate() {
            let score = (cls.data[k].clamp(0.0, 1.0) * obj.data[k].clamp(0.0, 1.0)).sqrt();
            // Written so that a score that is no number is no face.
            if score >= threshold {
                let b = &bbox.data[k * 4..k * 4 + 4];
                let (cx, cy) = ((x + b[0]) * s, (y + b[1]) * s);
                let (w, h) = (b[2].exp() * s, b[3].exp() * s);
                let p = &kps.data[k * 10..k * 10 + 10];
                found.push(Candidate {
                    rect: Rect::new(cx - w / 2.0, cy - h / 2.0, w, h),
                    score,
                    landmarks: Some(std::array::from_fn(|i| Point {
                        x: (x + p[i * 2]) * s,
                        y: (y + p[i * 2 + 1]) * s,
                    })),
                });
            }
        }
    }
    Ok(())
}
