// SPDX-License-Identifier: MIT OR Apache-2.0
//! SCRFD: two anchors per cell at strides 8, 16 and 32; distances from the cell's corner in strides.
//! After InsightFace's `scrfd.py`. Outputs are told apart by their width and length: exports name them differently.

use super::Candidate;
use super::outputs::{cells, grid};
use crate::geometry::{Point, Rect};
use crate::runtime::OutputView;

const STRIDES: [usize; 3] = [8, 16, 32];
const PER_CELL: usize = 2;

pub(super) fn decode(
    outputs: &[OutputView],
    size: (usize, usize),
    threshold: f32,
    found: &mut Vec<Candidate>,
) -> Result<(), String> {
    let with = |width: usize, rows: usize| {
        outputs
            .iter()
            .find(|o| o.shape.last() == Some(&(width as i64)) && o.data.len() == rows * width)
    };
    let points = outputs.iter().any(|o| o.shape.last() == Some(&10));
    for stride in STRIDES {
        let grid = grid(size, stride);
        let rows = grid.0 * grid.1 * PER_CELL;
        let missing = |what: &str| format!("no output holds {rows} {what} for stride {stride}");
        let scores = with(1, rows).ok_or_else(|| missing("scores"))?;
        let boxes = with(4, rows).ok_or_else(|| missing("boxes"))?;
        let kps = match points {
            true => Some(with(10, rows).ok_or_else(|| missing("landmarks"))?),
            false => None,
        };
        let s = stride as f32;
        for (k, (x, y)) in cells(grid, PER_CELL).enumerate() {
            let score = scores.data[k];
            if score >= threshold {
                let b = &boxes.data[k * 4..k * 4 + 4];
                let (x, y) = (x * s, y * s);
                found.push(Candidate {
                    rect: Rect::from_corners(
                        x - b[0] * s,
                        y - b[1] * s,
                        x + b[2] * s,
                        y + b[3] * s,
                    ),
                    score: score.min(1.0),
                    landmarks: kps.map(|kps| {
                        let p = &kps.data[k * 10..k * 10 + 10];
                        std::array::from_fn(|i| Point {
                            x: x + p[i * 2] * s,
                            y: y + p[i * 2 + 1] * s,
                        })
                    }),
                });
            }
        }
    }
    Ok(())
}
