// SPDX-License-Identifier: MIT OR Apache-2.0
//! BlazeFace, short range: 896 anchors over 128x128 pixels, boxes and six points in pixels from the anchor's centre.
//! After MediaPipe's `ssd_anchors_calculator` and `tensors_to_detections_calculator`.

use super::Candidate;
use super::outputs::{are_probabilities, cells, check_rows, grid, rows_of};
use crate::geometry::{Point, Rect};
use crate::runtime::OutputView;

/// The one input size that its anchors are defined for.
pub(super) const SIZE: usize = 128;

/// Stride and anchors per cell.
const LEVELS: [(usize, usize); 2] = [(8, 2), (16, 6)];

/// MediaPipe's `score_clipping_thresh`.
const MOST_LOGIT: f32 = 100.0;

/// Its six points are the eyes, the nose, the middle of the mouth and the ears; the middle of the mouth stands for both corners.
const FIVE_OF_SIX: [usize; 5] = [0, 1, 2, 3, 3];

pub(super) fn decode(
    outputs: &[OutputView],
    size: (usize, usize),
    threshold: f32,
    found: &mut Vec<Candidate>,
) -> Result<(), String> {
    if size != (SIZE, SIZE) {
        return Err(format!("the input is {size:?}, not {SIZE}x{SIZE}"));
    }
    let (boxes, scores) = (rows_of(outputs, 16)?, rows_of(outputs, 1)?);
    let anchors = LEVELS.into_iter().flat_map(|(stride, per_cell)| {
        let s = stride as f32;
        cells(grid(size, stride), per_cell).map(move |(x, y)| ((x + 0.5) * s, (y + 0.5) * s))
    });
    check_rows(&[(boxes, 16), (scores, 1)], anchors.clone().count())?;
    let probabilities = are_probabilities(scores.data);
    for ((x, y), (b, &s)) in anchors.zip(boxes.data.as_chunks::<16>().0.iter().zip(scores.data)) {
        let score = if probabilities {
            s
        } else {
            1.0 / (1.0 + (-s.clamp(-MOST_LOGIT, MOST_LOGIT)).exp())
        };
        if score >= threshold {
            let (w, h) = (b[2], b[3]);
            found.push(Candidate {
                rect: Rect::new(x + b[0] - w / 2.0, y + b[1] - h / 2.0, w, h),
                score: score.min(1.0),
                landmarks: Some(FIVE_OF_SIX.map(|i| Point {
                    x: x + b[4 + i * 2],
                    y: y + b[5 + i * 2],
                })),
            });
        }
    }
    Ok(())
}
