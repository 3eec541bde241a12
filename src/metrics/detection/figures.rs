// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that is measured of one detector on one set, each figure with its interval.

use serde::Serialize;

use super::landmarks::{nme, profile};
use super::order::Ordered;
use super::{By, Group, Matched, Ranking, Rules, Seen, Verdict, match_picture};
use crate::metrics::{Bootstrap, Estimate, Interval};

/// The overlaps of AP50:95, the first of them that of AP50.
pub const IOUS: [f64; 10] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// False positives per picture at which recall is given.
pub const FALSE_POSITIVES: f64 = 0.1;

/// The recall for which [`Figures::threshold_for_recall`] is given.
pub const RECALL: f64 = 0.95;

/// The faces of one group; those of the others count neither for nor against. The pictures that its figures are of are those with such
/// faces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfGroup {
    /// What the faces are grouped by.
    pub by: By,
    /// What the group is called.
    pub name: String,
    /// How many labels.
    pub labels: usize,
    /// AP at an IoU of 0.5; none where there are no labels. By label, what was found where no face is counts against every group, and the
    /// more the fewer faces it has: this compares detectors, and [`OfGroup::recall`] groups.
    pub ap50: Option<Estimate>,
    /// At the threshold: the share of the labels that were found.
    pub recall: Option<Estimate>,
}

/// All figures of one set. What it takes labels or points to know is none where there are none. Intervals come from drawing whole pictures;
/// pictures of one session would need drawing whole sessions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// A face is what has this score or more.
    pub threshold: f32,
    /// Smallest face that counts, in pixels with the picture's long side at [`super::LONG_SIDE`].
    pub min_face: f64,
    /// How the intervals were made.
    pub bootstrap: Bootstrap,
    /// How many pictures.
    pub pictures: usize,
    /// How many labels that count.
    pub labels: usize,
    /// AP at an IoU of 0.5.
    pub ap50: Option<Estimate>,
    /// The mean of AP at [`IOUS`]; none where boxes were guessed.
    pub ap: Option<Estimate>,
    /// The faces in groups, by what was asked for and in that order.
    pub groups: Vec<OfGroup>,
    /// Recall where there are [`FALSE_POSITIVES`] per picture, the threshold chosen on the very set (and anew in each resample).
    pub recall_at: Option<Estimate>,
    /// The lowest score that counts there; none where nothing does.
    pub recall_at_threshold: Option<f32>,
    /// At the threshold: the share of right ones among the detections. None where nothing was found.
    pub precision: Option<Estimate>,
    /// At the threshold: the share of the labels that were found.
    pub recall: Option<Estimate>,
    /// At the threshold: wrong detections per picture.
    pub false_positives: Option<Estimate>,
    /// At the threshold: how many detections were neither right nor wrong.
    pub dropped: usize,
    /// The threshold at which [`RECALL`] of the labels are found; none where they never are.
    pub threshold_for_recall: Option<f32>,
    /// Median error of the points over the eye distance, of faces found at the threshold that are not seen from the side.
    pub nme: Option<Estimate>,
    /// The error that nine of ten keep below.
    pub nme90: Option<f64>,
    /// How many faces that is of.
    pub nme_faces: usize,
}

impl Figures {
    /// Measures one set at `threshold`; faces smaller than `min_face` pixels (with the picture's long side at [`super::LONG_SIDE`]) count
    /// neither for nor against. The faces are also measured apart, in groups by each of `by`.
    pub fn of(
        pictures: &[Seen],
        threshold: f32,
        min_face: f64,
        by: &[By],
        bootstrap: &Bootstrap,
    ) -> Self {
        let with = |iou, group| -> Vec<Matched> {
            let rules = Rules {
                iou,
                min_face,
                group,
            };
            pictures.iter().map(|s| match_picture(s, &rules)).collect()
        };
        let matched = with(IOUS[0], None);
        let ranking = Ranking::of(&matched);
        let guessed = pictures.iter().flat_map(|s| &s.truth.labels);
        let stricter = if guessed.clone().any(|l| l.guessed) {
            vec![]
        } else {
            let others = IOUS.iter().skip(1);
            let ranking = |iou: &f64| Ranking::of(&with(*iou, None));
            others.map(ranking).collect()
        };
        let errors = Ordered::of(errors(pictures, &matched, threshold));
        let groups = by.iter().flat_map(|by| Group::all(*by, pictures));
        let groups: Vec<Group> = groups.collect();
        let of_group = groups.iter();
        let of_group: Vec<Ranking> = of_group
            .map(|g| Ranking::of(&with(IOUS[0], Some(g))))
            .collect();
        let measured = Measured {
            ranking: &ranking,
            stricter: &stricter,
            of_group: &of_group,
            errors: &errors,
            threshold,
        };
        let one = measured.sample(|_| 1);
        let resamples = measured.resamples(bootstrap);
        let n = pictures.len();
        let estimate_of = |n: usize, get: &dyn Fn(&Sample) -> Option<f64>, share: bool| {
            let value = get(&one)?;
            // What one picture alone tells says nothing about others.
            let resamples = resamples.iter().filter(|_| n > 1);
            let figures: Vec<f64> = resamples.filter_map(get).collect();
            let interval = if share {
                Interval::of_share(value, figures, n)
            } else {
                Interval::percentiles(figures)
            };
            Some(Estimate {
                value,
                interval,
                n,
                groups: n,
            })
        };
        let estimate =
            |get: &dyn Fn(&Sample) -> Option<f64>, share: bool| estimate_of(n, get, share);
        // Not one false positive: a share, of which nothing was seen.
        let none_wrong = one.false_positives == Some(0.0);
        let labels = |r: &Ranking| r.labels.iter().sum();
        let group = |(i, (group, ranking)): (usize, (Group, &Ranking))| {
            // However many there are without, they make nothing surer about these faces.
            let pictures = ranking.labels.iter().filter(|n| **n > 0).count();
            let of_it = |get: fn(&Part) -> Option<f64>| {
                estimate_of(pictures, &|s| get(s.of_group.get(i)?), true)
            };
            OfGroup {
                by: group.by,
                name: group.name,
                labels: labels(ranking),
                ap50: of_it(|p| p.ap50),
                recall: of_it(|p| p.recall),
            }
        };
        let dropped = matched.iter().flat_map(|m| &m.hits);
        let dropped = dropped.filter(|h| h.verdict == Verdict::Dropped && h.score >= threshold);
        let lowest = ranking.recall_at(FALSE_POSITIVES).map(|r| r.1);
        Self {
            threshold,
            min_face,
            bootstrap: *bootstrap,
            pictures: n,
            labels: labels(&ranking),
            ap50: estimate(&|s| s.all.ap50, true),
            ap: estimate(&|s| s.ap, true),
            groups: groups
                .into_iter()
                .zip(&of_group)
                .enumerate()
                .map(group)
                .collect(),
            recall_at: estimate(&|s| s.recall_at, true),
            recall_at_threshold: lowest.filter(|t| t.is_finite()),
            precision: estimate(&|s| s.precision, true),
            recall: estimate(&|s| s.all.recall, true),
            false_positives: estimate(&|s| s.false_positives, none_wrong),
            dropped: dropped.count(),
            threshold_for_recall: ranking.threshold_for_recall(RECALL),
            nme: estimate(&|s| s.nme, false),
            nme90: errors.quantile(0.9, |_| 1),
            nme_faces: errors.len(),
        }
    }
}

/// The errors of the points of the faces that were found, each with the place of its picture.
fn errors(pictures: &[Seen], matched: &[Matched], threshold: f32) -> Vec<(f64, usize)> {
    let mut all = Vec::new();
    for (place, (seen, matched)) in pictures.iter().zip(matched).enumerate() {
        let found = matched.hits.iter();
        let found = found.filter(|h| h.verdict == Verdict::Right && h.score >= threshold);
        all.extend(found.filter_map(|hit| {
            let points = seen.truth.labels.get(hit.label?)?.points.as_ref()?;
            let landmarks = seen.found.get(hit.detection)?.landmarks.as_ref()?;
            let error = nme(points, landmarks).filter(|_| !profile(points))?;
            Some((error, place))
        }));
    }
    all
}

/// What the figures are counted from, once for all resamples.
struct Measured<'a> {
    ranking: &'a Ranking,
    /// At the higher overlaps; empty where boxes were guessed.
    stricter: &'a [Ranking],
    of_group: &'a [Ranking],
    errors: &'a Ordered,
    threshold: f32,
}

/// The figures of some faces in the pictures as they were drawn.
struct Part {
    ap50: Option<f64>,
    recall: Option<f64>,
}

/// The figures of the pictures as they were drawn.
struct Sample {
    all: Part,
    ap: Option<f64>,
    of_group: Vec<Part>,
    recall_at: Option<f64>,
    precision: Option<f64>,
    false_positives: Option<f64>,
    nme: Option<f64>,
}

impl Measured<'_> {
    fn sample(&self, drawn: impl Fn(usize) -> u32) -> Sample {
        let times = |picture: usize| f64::from(drawn(picture));
        let ranking = self.ranking;
        let all = self.part(ranking, times);
        let others = self.stricter.iter();
        let others: Option<f64> = others.map(|r| r.average_precision_of(times)).sum();
        let mean = |sum: f64| Some((sum + all.ap50?) / (self.stricter.len() + 1) as f64);
        let at = ranking.sums_at(self.threshold, times);
        let pictures: f64 = (0..ranking.labels.len()).map(times).sum();
        let of_group = self.of_group.iter();
        Sample {
            ap: others.and_then(mean).filter(|_| !self.stricter.is_empty()),
            of_group: of_group.map(|r| self.part(r, times)).collect(),
            all,
            recall_at: ranking.recall_at_of(FALSE_POSITIVES, times).map(|r| r.0),
            precision: at.precision(),
            false_positives: (pictures > 0.0).then(|| at.wrong / pictures),
            nme: self.errors.quantile(0.5, drawn),
        }
    }

    fn part(&self, ranking: &Ranking, times: impl Fn(usize) -> f64 + Copy) -> Part {
        let labels = ranking.labels_of(times);
        let at = ranking.sums_at(self.threshold, times);
        Part {
            ap50: ranking.average_precision_of(times),
            recall: (labels > 0.0).then(|| at.right / labels),
        }
    }

    fn resamples(&self, bootstrap: &Bootstrap) -> Vec<Sample> {
        let pictures = self.ranking.labels.len();
        let mut all = Vec::new();
        // One picture drawn from itself says nothing.
        if pictures < 2 {
            return all;
        }
        bootstrap.each(pictures, |drawn| {
            all.push(self.sample(|picture| drawn.get(picture).copied().unwrap_or(0)));
        });
        all
    }
}
