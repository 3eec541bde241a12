// SPDX-License-Identifier: MIT OR Apache-2.0
//! UltraFace: softmaxed scores, the second one face; boxes decoded in the graph, as corners in 0..1 of the input.

use super::Candidate;
use super::outputs::{check_rows, rows_of};
use crate::geometry::Rect;
use crate::runtime::OutputView;

pub(super) fn decode(
    outputs: &[OutputView],
    (width, height): (usize, usize),
    threshold: f32,
    found: &mut Vec<Candidate>,
) -> Result<(), String> {
    let (scores, boxes) = (rows_of(outputs, 2)?, rows_of(outputs, 4)?);
    check_rows(&[(scores, 2), (boxes, 4)], scores.data.len() / 2)?;
    for (s, b) in scores
        .data
        .as_chunks::<2>()
        .0
        .iter()
        .zip(boxes.data.as_chunks::<4>().0)
    {
        if s[1] >= threshold {
            found.push(Candidate {
                rect: Rect::from_corners(b[0], b[1], b[2], b[3])
                    .scaled(width as f32, height as f32),
                score: s[1].min(1.0),
                landmarks: None,
            });
        }
    }
    Ok(())
}
