// SPDX-License-Identifier: MIT OR Apache-2.0
//! Non-maximum suppression: of candidates that overlap, the most confident one stays.

use super::Candidate;

/// Most candidates that take part, the most confident ones. Its cost grows with their square, and a model gone wrong
/// calls every anchor a face. OpenCV's and libfacedetection's limits are 5000 and 1000.
const MOST: usize = 1000;

/// Sorts by confidence, the highest first, drops what is not a box, and of each group that overlaps by more than `overlap` (IoU)
/// all but the first.
pub fn suppress(candidates: &mut Vec<Candidate>, overlap: f32) {
    candidates.retain(|c| c.rect.is_valid() && c.score.is_finite());
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(MOST);
    let mut kept = 0;
    for i in 0..candidates.len() {
        let c = candidates[i];
        if candidates[..kept]
            .iter()
            .all(|k| k.rect.iou(&c.rect) <= overlap)
        {
            candidates[kept] = c;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;
    use proptest::prelude::*;

    fn candidate(x: f32, y: f32, w: f32, h: f32, score: f32) -> Candidate {
        Candidate {
            rect: Rect::new(x, y, w, h),
            score,
            landmarks: None,
        }
    }

    #[test]
    fn the_most_confident_of_a_group_stays() {
        let mut c = vec![
            candidate(0.0, 0.0, 10.0, 10.0, 0.7),
            candidate(1.0, 0.0, 10.0, 10.0, 0.9),
            candidate(50.0, 50.0, 10.0, 10.0, 0.6),
            candidate(0.0, 0.0, f32::NAN, 10.0, 0.95),
            candidate(0.0, 0.0, 10.0, 10.0, f32::NAN),
        ];
        suppress(&mut c, 0.4);
        assert_eq!(c.iter().map(|c| c.score).collect::<Vec<_>>(), [0.9, 0.6]);
    }

    proptest! {
        #[test]
        fn nothing_that_stays_overlaps_and_everything_dropped_had_a_better(
            list in prop::collection::vec((0f32..100.0, 0f32..100.0, 1f32..60.0, 1f32..60.0, 0f32..1.0), 0..60),
            overlap in 0.1f32..0.9,
        ) {
            let all: Vec<_> = list.iter().map(|&(x, y, w, h, s)| candidate(x, y, w, h, s)).collect();
            let mut kept = all.clone();
            suppress(&mut kept, overlap);
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[..i] {
                    prop_assert!(a.rect.iou(&b.rect) <= overlap && a.score <= b.score);
                }
            }
            for a in all.iter().filter(|a| !kept.contains(a)) {
                prop_assert!(kept.iter().any(|k| k.score >= a.score && k.rect.iou(&a.rect) > overlap));
            }
        }
    }
}
