// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether one detector is better than another: both are drawn the same pictures, so that a hard picture is hard for both.

use super::figures::IOUS;
use super::{Matched, Ranking, Rules, Seen, match_picture};
use crate::metrics::{Bootstrap, Estimate, Interval};

/// AP50 of `ours` less that of `theirs`, on the same pictures in the same order; an interval without 0 is a difference. None without labels, or where
/// the pictures are not as many.
pub fn ap50_difference(
    ours: &[Seen],
    theirs: &[Seen],
    min_face: f64,
    bootstrap: &Bootstrap,
) -> Option<Estimate> {
    let n = ours.len();
    if n != theirs.len() {
        return None;
    }
    let rules = Rules {
        iou: IOUS[0],
        min_face,
        group: None,
    };
    let ranking = |pictures: &[Seen]| {
        let matched: Vec<Matched> = pictures.iter().map(|s| match_picture(s, &rules)).collect();
        Ranking::of(&matched)
    };
    let (ours, theirs) = (ranking(ours), ranking(theirs));
    let less = |times: &dyn Fn(usize) -> f64| {
        Some(ours.average_precision_of(times)? - theirs.average_precision_of(times)?)
    };
    let value = less(&|_| 1.0)?;
    let mut figures = Vec::new();
    // One picture drawn from itself says nothing.
    if n > 1 {
        bootstrap.each(n, |drawn| {
            let times = |picture: usize| drawn.get(picture).map_or(0.0, |n| f64::from(*n));
            figures.extend(less(&times));
        });
    }
    Some(Estimate {
        value,
        interval: Interval::percentiles(figures),
        n,
        groups: n,
    })
}
