// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which detection found which label.

use crate::geometry::Rect;

use super::{Detection, Group, Label, Seen, Truth};

/// Sizes in pixels, and lumas, are the same within this: coordinates are held in 32 bits.
pub(super) const NEAR: f64 = 1e-4;

/// Share of a detection that lies on a region, or overlap with it, from which on it belongs to the region.
const ON_REGION: f32 = 0.5;

/// When a detection is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules<'a> {
    /// Lowest overlap (IoU) with the label, 0..1.
    pub iou: f64,
    /// Smallest size of a face that counts, see [`Truth::size_of`].
    pub min_face: f64,
    /// The faces that count; none: all of them.
    pub group: Option<&'a Group>,
}

impl Rules<'_> {
    /// Whether a labelled face counts.
    fn cares(&self, truth: &Truth, label: &Label) -> bool {
        let size = truth.size_of(&label.rect);
        self.large(size) && self.group.is_none_or(|g| g.holds(label, size))
    }

    /// Whether a detection that found no face counts.
    fn blames(&self, truth: &Truth, detection: &Detection) -> bool {
        let size = truth.size_of(&detection.rect);
        self.large(size) && self.group.is_none_or(|g| g.blames(detection, size))
    }

    fn large(&self, size: f64) -> bool {
        size >= self.min_face - NEAR
    }
}

/// What became of a detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It found a label.
    Right,
    /// It found none.
    Wrong,
    /// Neither: it lies where nothing counts.
    Dropped,
}

/// A detection that was compared with the labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its place in the list that was given.
    pub detection: usize,
    /// Its confidence.
    pub score: f32,
    /// What became of it.
    pub verdict: Verdict,
    /// The place of the label that it took.
    pub label: Option<usize>,
}

/// A picture whose detections were compared with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// The detections by falling score; those that hold no finite numbers are left out.
    pub hits: Vec<Hit>,
    /// How many labels count.
    pub labels: usize,
}

/// Compares what was found in one picture with its labels: by falling score, each detection takes the free label with the highest IoU of
/// at least `rules.iou`. Labels that count come before those that do not (as in COCO's own evaluation); who takes one of the latter is
/// dropped. What is left over is wrong, unless it does not count by its own size or light, or its IoU with one of [`Truth::ignore`], or
/// the share of it that lies there, is at least a half: then it is dropped.
pub fn match_picture(seen: &Seen, rules: &Rules) -> Matched {
    let Seen { truth, found } = *seen;
    let labels = truth.labels.iter();
    let cares: Vec<bool> = labels.map(|l| rules.cares(truth, l)).collect();
    let mut free = vec![true; cares.len()];
    let mut order: Vec<(usize, &Detection)> = found.iter().enumerate().collect();
    order.retain(|(_, d)| d.is_finite());
    // Stable: of equal scores the earlier one stays the earlier.
    order.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    let hits = order.into_iter().map(|(place, detection)| {
        let overlaps = truth.labels.iter().map(|l| l.rect.iou(&detection.rect));
        let overlaps: Vec<f64> = overlaps.map(f64::from).collect();
        let best_of = |care: bool| {
            let of_it = |i: &usize| free.get(*i) == Some(&true) && cares.get(*i) == Some(&care);
            let all = overlaps.iter().enumerate().filter(|(i, _)| of_it(i));
            let enough = all.filter(|(_, iou)| **iou >= rules.iou);
            // The first of equal ones.
            enough.reduce(|best, next| if next.1 > best.1 { next } else { best })
        };
        let (verdict, label) = match (best_of(true), best_of(false)) {
            (Some((label, _)), _) => (Verdict::Right, Some(label)),
            (None, Some((label, _))) => (Verdict::Dropped, Some(label)),
            (None, None) if dropped(truth, detection, rules) => (Verdict::Dropped, None),
            (None, None) => (Verdict::Wrong, None),
        };
        if let Some(taken) = label.and_then(|l| free.get_mut(l)) {
            *taken = false;
        }
        Hit {
            detection: place,
            score: detection.score,
            verdict,
            label,
        }
    });
    Matched {
        hits: hits.collect(),
        labels: cares.iter().filter(|c| **c).count(),
    }
}

/// Whether a detection that found no label is no mistake either.
fn dropped(truth: &Truth, detection: &Detection, rules: &Rules) -> bool {
    let rect = &detection.rect;
    let share = |region: &Rect| {
        let common = rect.intersect(region).map_or(0.0, |r| r.area());
        common / rect.area().max(1e-9)
    };
    let on = |region: &Rect| rect.iou(region) >= ON_REGION || share(region) >= ON_REGION;
    !rules.blames(truth, detection) || truth.ignore.iter().any(on)
}
