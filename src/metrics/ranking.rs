// SPDX-License-Identifier: MIT OR Apache-2.0
//! What depends on the order of the scores alone: AUC, the curve of both errors, the point where they are equal.

use serde::Serialize;

use super::Answer;

/// Refuses every probability. Just above 1, and above the highest score where somebody goes beyond 1.
const ABOVE_ALL: f64 = 1e-6;

/// Both errors at one threshold. A point of the ROC (`apcer`, 1 - `bpcer`) and of the DET (`apcer`, `bpcer`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Accepted is what is this or more.
    pub threshold: f64,
    /// Pooled APCER, 0..1.
    pub apcer: f64,
    /// BPCER, 0..1.
    pub bpcer: f64,
}

/// The equal error rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Eer {
    /// The mean of both errors where they are closest to each other, 0..1.
    pub rate: f64,
    /// Where that is. Chosen on the very answers that it is measured on.
    pub threshold: f64,
}

/// The area under the ROC: the chance that a live face scores higher than an attack, ties counted half (Mann and Whitney's U).
/// No answer ranks below every answer.
pub fn auc(answers: &[Answer]) -> Option<f64> {
    Ranking::of(answers).auc(|_| 1.0)
}

/// Both errors at every threshold that makes a difference, from the one that accepts every answer to the one that refuses all.
/// Empty where a class is missing.
pub fn curve(answers: &[Answer]) -> Vec<Point> {
    Ranking::of(answers).points(|_| 1.0).collect()
}

/// The point where pooled APCER and BPCER are closest to each other; the lowest threshold of several.
pub fn eer(answers: &[Answer]) -> Option<Eer> {
    Ranking::of(answers).eer(|_| 1.0)
}

/// One score with what its weight is found by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Minus infinity for no answer.
    score: f64,
    /// The truth.
    pub(super) bona_fide: bool,
    /// Number of the group or set that it belongs to.
    pub(super) tag: usize,
}

/// Scores in rising order.
#[derive(Debug)]
pub(super) struct Ranking(Vec<Entry>);

impl Ranking {
    fn of(answers: &[Answer]) -> Self {
        Self::tagged(answers.iter().map(|a| (a, 0)))
    }

    /// Sorts answers that each carry a number.
    pub(super) fn tagged<'a>(answers: impl Iterator<Item = (&'a Answer, usize)>) -> Self {
        let entry = |(answer, tag): (&Answer, usize)| Entry {
            score: answer.probability().unwrap_or(f64::NEG_INFINITY),
            bona_fide: answer.bona_fide,
            tag,
        };
        let mut entries: Vec<Entry> = answers.map(entry).collect();
        entries.sort_by(|a, b| a.score.total_cmp(&b.score));
        Self(entries)
    }

    /// Runs of equal scores, rising. Minus zero and zero are equal.
    fn runs(&self) -> impl Iterator<Item = &[Entry]> {
        self.0.chunk_by(|a, b| a.score == b.score)
    }

    /// The sum of the weights of the live faces, and of the attacks.
    fn weights(of: &[Entry], weight: impl Fn(&Entry) -> f64) -> (f64, f64) {
        of.iter().fold((0.0, 0.0), |(live, attack), e| {
            if e.bona_fide {
                (live + weight(e), attack)
            } else {
                (live, attack + weight(e))
            }
        })
    }

    /// As [`auc`], each entry with its weight.
    pub(super) fn auc(&self, weight: impl Fn(&Entry) -> f64) -> Option<f64> {
        let (mut live, mut below, mut area) = (0.0, 0.0, 0.0);
        for run in self.runs() {
            let (l, a) = Self::weights(run, &weight);
            area += l * (below + a / 2.0);
            below += a;
            live += l;
        }
        let pairs = live * below;
        (pairs > 0.0).then(|| area / pairs)
    }

    /// The thresholds that make a difference, rising: the lowest score, between each two that follow each other, above all.
    pub(super) fn thresholds(&self) -> impl Iterator<Item = f64> {
        let scores = || self.scores();
        let last = scores().last();
        let between = scores().zip(scores().skip(1)).map(|(a, b)| (a + b) / 2.0);
        let above = last.map(|s| s.max(1.0) + ABOVE_ALL);
        // Nobody answered: every threshold is the same.
        let any = if last.is_none() { Some(0.5) } else { None };
        let first = scores().next();
        first.into_iter().chain(between).chain(above).chain(any)
    }

    /// The scores that were given, rising, each once.
    fn scores(&self) -> impl Iterator<Item = f64> {
        let first = self.runs().filter_map(|run| run.first());
        first.map(|e| e.score).filter(|s| s.is_finite())
    }

    /// As [`curve`], each entry with its weight. Nothing where a class has no weight.
    pub(super) fn points(&self, weight: impl Fn(&Entry) -> f64) -> impl Iterator<Item = Point> {
        let errors = self.errors(weight);
        let point = |(threshold, (apcer, bpcer))| Point {
            threshold,
            apcer,
            bpcer,
        };
        self.thresholds().zip(errors).map(point)
    }

    /// APCER and BPCER at each of the thresholds.
    fn errors(&self, weight: impl Fn(&Entry) -> f64) -> impl Iterator<Item = (f64, f64)> {
        let (live, attacks) = Self::weights(&self.0, &weight);
        let silent = self.0.partition_point(|e| !e.score.is_finite());
        let (head, tail) = self.0.split_at(silent);
        let start = Self::weights(head, &weight);
        let steps = tail.chunk_by(|a, b| a.score == b.score);
        let steps = steps.map(move |run| Self::weights(run, &weight));
        // What is refused at each threshold: those below it.
        let below = steps.scan(start, |sum, (l, a)| {
            *sum = (sum.0 + l, sum.1 + a);
            Some(*sum)
        });
        let refused = std::iter::once(start).chain(below);
        let usable = live > 0.0 && attacks > 0.0;
        let refused = refused.take(if usable { usize::MAX } else { 0 });
        refused.map(move |(l, a)| (1.0 - a / attacks, l / live))
    }

    /// As [`eer`], each entry with its weight.
    pub(super) fn eer(&self, weight: impl Fn(&Entry) -> f64) -> Option<Eer> {
        let (place, rate) = self.closest(weight)?;
        let threshold = self.thresholds().nth(place)?;
        Some(Eer { rate, threshold })
    }

    /// The rate alone, which is found sooner.
    pub(super) fn eer_rate(&self, weight: impl Fn(&Entry) -> f64) -> Option<f64> {
        self.closest(weight).map(|(_, rate)| rate)
    }

    /// At which of the thresholds both errors are closest to each other, and their mean.
    fn closest(&self, weight: impl Fn(&Entry) -> f64) -> Option<(usize, f64)> {
        let gap = |(_, (apcer, bpcer)): &(usize, (f64, f64))| (bpcer - apcer).abs();
        let errors = self.errors(weight).enumerate();
        let best = errors.reduce(|best, next| if gap(&next) < gap(&best) { next } else { best });
        best.map(|(place, (apcer, bpcer))| (place, (apcer + bpcer) / 2.0))
    }
}
