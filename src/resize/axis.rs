// SPDX-License-Identifier: MIT OR Apache-2.0
//! The weights that source samples have in target pixels, along one axis.

use super::Border;

/// Weights of one axis: for each target pixel, a run of source samples.
#[derive(Debug, Default)]
pub(super) struct Axis {
    key: Option<AxisKey>,
    /// First source sample of each target pixel, counted from `lo`.
    pub(super) starts: Vec<u32>,
    /// `run` weights per target pixel, those past the filter's end 0.
    pub(super) weights: Vec<f32>,
    pub(super) run: usize,
    /// Source samples that can have weight: `lo..hi`.
    pub(super) lo: i64,
    pub(super) hi: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AxisKey {
    pub(super) start: f64,
    pub(super) span: f64,
    pub(super) lo: i64,
    pub(super) hi: i64,
    pub(super) target: usize,
}

/// Weights are kept in runs of a multiple of this, so that the horizontal pass needs no remainder loop.
pub(super) const LANES: usize = 8;

impl Axis {
    /// Weights that map `span` samples from `start` on to `target` pixels, reading only `lo..hi`.
    pub(super) fn configure(&mut self, key: AxisKey) {
        if self.key == Some(key) {
            return;
        }
        let AxisKey {
            start,
            span,
            lo,
            hi,
            target,
        } = key;
        let step = span / target as f64;
        let support = step.max(1.0);
        let center = |i: usize| start + (i as f64 + 0.5) * step;
        let reach = |i: usize| {
            let first = ((center(i) - support + 0.5).floor() as i64).clamp(lo, hi - 1);
            let end = ((center(i) + support + 0.5).floor() as i64).clamp(first + 1, hi);
            (first, end)
        };
        // Where a target pixel is a whole number of samples wide, as for 1280 to 320, that is one less than what can be.
        let longest = (0..target).map(reach).map(|(first, end)| end - first);
        self.run = (longest.max().unwrap_or(1) as usize).next_multiple_of(LANES);
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(self.run * target, 0.0);
        for (i, run) in self.weights.chunks_exact_mut(self.run).enumerate() {
            let (center, (first, end)) = (center(i), reach(i));
            let weight = |j: i64| (1.0 - ((j as f64 + 0.5 - center) / support).abs()).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            for (w, j) in run.iter_mut().zip(first..end) {
                // A window one sample wide can lie wholly beside the centre: that sample is all there is.
                *w = if sum > 0.0 {
                    (weight(j) / sum) as f32
                } else {
                    1.0 / (end - first) as f32
                };
            }
            self.starts.push((first - lo) as u32);
        }
        (self.lo, self.hi) = (lo, hi);
        self.key = Some(key);
    }

    pub(super) fn weights(&self, target: usize) -> &[f32] {
        &self.weights[target * self.run..(target + 1) * self.run]
    }
}

/// Sample index inside `0..n` that stands for `i`, or `None` where `border` has none.
pub(super) fn inside(i: i64, n: i64, border: Border) -> Option<usize> {
    if (0..n).contains(&i) {
        return Some(i as usize);
    }
    match border {
        Border::Black => None,
        Border::Replicate => Some(i.clamp(0, n - 1) as usize),
        Border::Reflect if n == 1 => Some(0),
        Border::Reflect => {
            let period = 2 * (n - 1);
            let i = i.rem_euclid(period);
            Some(i.min(period - i) as usize)
        }
    }
}
