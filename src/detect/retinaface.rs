// SPDX-License-Identifier: MIT OR Apache-2.0
//! RetinaFace (biubug6's MobileNet 0.25): two priors per cell at strides 8, 16 and 32, variances 0.1 and 0.2.

use super::Candidate;
use super::outputs::{are_probabilities, cells, check_rows, grid, rows_of, second_of_two};
use crate::geometry::{Point, Rect};
use crate::runtime::OutputView;

/// Stride and the sides of its priors in pixels: `cfg_mnet` in the authors' `data/config.py`.
const LEVELS: [(usize, [f32; 2]); 3] =
    [(8, [16.0, 32.0]), (16, [64.0, 128.0]), (32, [256.0, 512.0])];
const CENTER_VARIANCE: f32 = 0.1;
const SIZE_VARIANCE: f32 = 0.2;

pub(super) fn decode(
    outputs: &[OutputView],
    size: (usize, usize),
    threshold: f32,
    found: &mut Vec<Candidate>,
) -> Result<(), String> {
    let (loc, conf, landms) = (
        rows_of(outputs, 4)?,
        rows_of(outputs, 2)?,
        rows_of(outputs, 10)?,
    );
    let rows: usize = LEVELS
        .iter()
        .map(|(stride, sides)| {
            let (columns, rows) = grid(size, *stride);
            columns * rows * sides.len()
        })
        .sum();
    check_rows(&[(loc, 4), (conf, 2), (landms, 10)], rows)?;
    let probabilities = are_probabilities(conf.data);
    let mut first = 0;
    for (stride, sides) in LEVELS {
        let grid = grid(size, stride);
        for (i, (x, y)) in cells(grid, sides.len()).enumerate() {
            let k = first + i;
            let score = second_of_two(&conf.data[k * 2..k * 2 + 2], probabilities);
            if score >= threshold {
                let side = sides[i % sides.len()];
                let (px, py) = ((x + 0.5) * stride as f32, (y + 0.5) * stride as f32);
                let l = &loc.data[k * 4..k * 4 + 4];
                let (cx, cy) = (
                    px + l[0] * CENTER_VARIANCE * side,
                    py + l[1] * CENTER_VARIANCE * side,
                );
                let (w, h) = (
                    side * (l[2] * SIZE_VARIANCE).exp(),
                    side * (l[3] * SIZE_VARIANCE).exp(),
                );
                let p = &landms.data[k * 10..k * 10 + 10];
                found.push(Candidate {
                    rect: Rect::new(cx - w / 2.0, cy - h / 2.0, w, h),
                    score: score.min(1.0),
                    landmarks: Some(std::array::from_fn(|i| Point {
                        x: px + p[i * 2] * CENTER_VARIANCE * side,
                        y: py + p[i * 2 + 1] * CENTER_VARIANCE * side,
                    })),
                });
            }
        }
        first += grid.0 * grid.1 * sides.len();
    }
    Ok(())
}
