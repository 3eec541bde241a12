// SPDX-License-Identifier: MIT OR Apache-2.0
//! Single shot detectors whose graph decodes and suppresses: rows of picture, class, score, and corners in 0..1.

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
    let rows = rows_of(outputs, 7)?;
    check_rows(&[(rows, 7)], rows.data.len() / 7)?;
    for &[picture, class, score, x1, y1, x2, y2] in rows.data.as_chunks::<7>().0 {
        // Class 0 is background; a picture number below 0 ends the list.
        if picture >= 0.0 && class >= 1.0 && score >= threshold {
            found.push(Candidate {
                rect: Rect::from_corners(x1, y1, x2, y2).scaled(width as f32, height as f32),
                score: score.min(1.0),
                landmarks: None,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn background_and_the_end_of_the_list_are_no_faces() {
        let data = [
            0.0, 1.0, 0.9, 0.1, 0.2, 0.3, 0.6, // a face
            0.0, 0.0, 0.9, 0.1, 0.2, 0.3, 0.6, // background
            0.0, 1.0, 0.3, 0.1, 0.2, 0.3, 0.6, // not confident
            -1.0, 1.0, 0.9, 0.1, 0.2, 0.3, 0.6, // past the end
        ];
        let output = OutputView {
            name: "detection_out",
            shape: &[1, 1, 4, 7],
            data: &data,
        };
        let mut found = Vec::new();
        decode(&[output], (300, 200), 0.5, &mut found).unwrap();
        assert_eq!(found.len(), 1);
        let r = found[0].rect;
        assert!(
            (r.x - 30.0).abs() < 1e-3 && (r.bottom() - 120.0).abs() < 1e-3,
            "{r:?}"
        );
    }
}
