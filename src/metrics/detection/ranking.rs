// SPDX-License-Identifier: MIT OR Apache-2.0
//! All detections of a set by falling score: what precision and recall come of each threshold.

use super::{Matched, Verdict};

/// A detection that was right or wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// Its confidence.
    pub score: f32,
    /// Whether it found a label.
    pub right: bool,
    /// The place of its picture.
    pub picture: usize,
}

/// The detections of a set by falling score, those that were dropped left out. Equal scores stay in the order of the pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// By falling score.
    pub ranked: Vec<Ranked>,
    /// How many labels that count each picture has.
    pub labels: Vec<usize>,
}

/// Right and wrong detections, counted by how often their pictures were drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) right: f64,
    pub(super) wrong: f64,
}

impl Sums {
    fn add(&mut self, right: bool, times: f64) {
        *if right {
            &mut self.right
        } else {
            &mut self.wrong
        } += times;
    }

    /// The share of right ones; none of nothing.
    pub(super) fn precision(self) -> Option<f64> {
        let all = self.right + self.wrong;
        (all > 0.0).then(|| self.right / all)
    }
}

impl Ranking {
    /// Puts the detections of all pictures in order.
    pub fn of(pictures: &[Matched]) -> Self {
        let mut ranked = Vec::new();
        for (picture, matched) in pictures.iter().enumerate() {
            let counted = matched.hits.iter();
            let counted = counted.filter(|h| h.verdict != Verdict::Dropped);
            ranked.extend(counted.map(|h| Ranked {
                score: h.score,
                right: h.verdict == Verdict::Right,
                picture,
            }));
        }
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        Self {
            ranked,
            labels: pictures.iter().map(|m| m.labels).collect(),
        }
    }

    /// Average precision; none without labels.
    pub fn average_precision(&self) -> Option<f64> {
        self.average_precision_of(|_| 1.0)
    }

    /// Recall where there is at most `rate` false positive per picture, and the lowest score that counts there: infinite where the
    /// very first detections are too many false ones. None without labels.
    pub fn recall_at(&self, rate: f64) -> Option<(f64, f32)> {
        self.recall_at_of(rate, |_| 1.0)
    }

    /// The highest threshold at which `recall` (0..1) of the labels are found; none where they never are.
    pub fn threshold_for_recall(&self, recall: f64) -> Option<f32> {
        let wanted = (recall * self.labels_of(|_| 1.0)).ceil() as usize;
        let right = self.ranked.iter().filter(|r| r.right);
        right.map(|r| r.score).nth(wanted.checked_sub(1)?)
    }

    /// The labels, each picture counted as often as it was drawn.
    pub(super) fn labels_of(&self, times: impl Fn(usize) -> f64) -> f64 {
        let labels = self.labels.iter().enumerate();
        labels.map(|(i, n)| times(i) * *n as f64).sum()
    }

    /// The detections of at least `threshold`.
    pub(super) fn sums_at(&self, threshold: f32, times: impl Fn(usize) -> f64) -> Sums {
        let mut sums = Sums::default();
        for r in self.ranked.iter().take_while(|r| r.score >= threshold) {
            sums.add(r.right, times(r.picture));
        }
        sums
    }

    pub(super) fn average_precision_of(&self, times: impl Fn(usize) -> f64) -> Option<f64> {
        let labels = self.labels_of(&times);
        let mut sums = self.sums_at(f32::NEG_INFINITY, &times);
        // From the lowest score up, the envelope is the highest precision so far.
        let (mut envelope, mut area) = (0.0f64, 0.0);
        for r in self.ranked.iter().rev() {
            envelope = envelope.max(sums.precision().unwrap_or(0.0));
            let times = times(r.picture);
            if r.right {
                area += times * envelope;
            }
            sums.add(r.right, -times);
        }
        // Rounding must not take it out of 0..1.
        (labels > 0.0).then(|| (area / labels).clamp(0.0, 1.0))
    }

    pub(super) fn recall_at_of(
        &self,
        rate: f64,
        times: impl Fn(usize) -> f64,
    ) -> Option<(f64, f32)> {
        let labels = self.labels_of(&times);
        let pictures: f64 = (0..self.labels.len()).map(&times).sum();
        let mut sums = Sums::default();
        let mut lowest = f32::INFINITY;
        for r in &self.ranked {
            sums.add(r.right, times(r.picture));
            if sums.wrong > rate * pictures {
                break;
            }
            lowest = r.score;
        }
        (labels > 0.0).then(|| (sums.right / labels, lowest))
    }
}
