// SPDX-License-Identifier: MIT OR Apache-2.0
//! The weights that source samples have in target pixels, along one axis.

use super::Border;

/// Weights of one axis: for each target pixel, a run of source samples.
///
/// A sparse one gives weight to every second, third… sample only where more than [`MOST_TAPS`] lie under the filter.
/// Samples are counted in such steps here.
#[derive(Debug, Default)]
pub(super) struct Axis {
    key: Option<AxisKey>,
    /// Samples from one that has weight to the next.
    pub(super) every: i64,
    /// First source sample of each target pixel, counted from `lo`.
    pub(super) starts: Vec<u32>,
    /// `run` weights per target pixel, those past the filter's end 0.
    pub(super) weights: Vec<f32>,
    pub(super) run: usize,
    /// Source samples that can have weight: `lo..hi`, times `every`.
    pub(super) lo: i64,
    pub(super) hi: i64,
    /// Target pixels that all weigh their samples alike, if a target pixel is a whole number of them wide.
    pub(super) even: Option<Even>,
    /// Whether all weights are whole [`PARTS`].
    pub(super) in_parts: bool,
}

/// A stretch of target pixels, each a whole number of samples after the one before it, with the same weights.
#[derive(Clone, Debug)]
pub(super) struct Even {
    /// First of them, and one past the last.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Samples from one to the next: the filter reaches over twice as many.
    pub(super) step: usize,
}

/// How finely samples are weighed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Along {
    /// Exactly.
    Columns,
    /// Where the filter of a sparse axis is over more than [`FEW_ROWS`], in whole [`PARTS`], so that rows of bytes can be summed as integers.
    Rows,
}

pub(super) const MOST_TAPS: f64 = 8.0;
pub(super) const FEW_ROWS: f64 = 4.0;
/// The sum of that many times a byte is the most that 16 bits hold.
pub(super) const PARTS: f32 = 256.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AxisKey {
    pub(super) along: Along,
    pub(super) sparse: bool,
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
            along,
            sparse,
            start,
            span,
            lo,
            hi,
            target,
        } = key;
        let step = span / target as f64;
        let support = step.max(1.0);
        let center = |i: usize| start + (i as f64 + 0.5) * step;
        let every = match sparse {
            true => (2.0 * support / MOST_TAPS).ceil() as i64,
            false => 1,
        };
        // The first that counts from sample `j` on.
        let next = |j: i64| -(-j).div_euclid(every);
        let lo = next(lo);
        let hi = next(hi).max(lo + 1);
        let reach = |i: usize| {
            let first = (center(i) - support + 0.5).floor() as i64;
            let end = (center(i) + support + 0.5).floor() as i64;
            let first = next(first).clamp(lo, hi - 1);
            (first, next(end).clamp(first + 1, hi))
        };
        self.in_parts = sparse && along == Along::Rows && support > FEW_ROWS / 2.0;
        // Where a target pixel is a whole number of samples wide, as for 1280 to 320, that is one less than what can be.
        let longest = (0..target).map(reach).map(|(first, end)| end - first);
        self.run = (longest.max().unwrap_or(1) as usize).next_multiple_of(LANES);
        (self.lo, self.hi, self.every) = (lo, hi, every);
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(self.run * target, 0.0);
        for (i, run) in self.weights.chunks_exact_mut(self.run).enumerate() {
            let (center, (first, end)) = (center(i), reach(i));
            let weight = |j: i64| {
                let far = ((j * every) as f64 + 0.5 - center).abs() / support;
                (1.0 - far).max(0.0)
            };
            let sum: f64 = (first..end).map(weight).sum();
            let mut parts = Parts::default();
            for (w, j) in run.iter_mut().zip(first..end) {
                // A window one sample wide can lie wholly beside the centre: that sample is all there is.
                let share = if sum > 0.0 {
                    weight(j) / sum
                } else {
                    1.0 / (end - first) as f64
                };
                *w = if self.in_parts {
                    parts.next(share)
                } else {
                    share as f32
                };
            }
            self.starts.push((first - lo) as u32);
        }
        self.even = (along == Along::Columns)
            .then(|| self.find_even(step / every as f64))
            .flatten();
        self.key = Some(key);
    }

    /// The pixels around the middle one that are weighed as it is.
    fn find_even(&self, step: f64) -> Option<Even> {
        let middle = self.starts.len() / 2;
        let whole = step as usize;
        if step != whole as f64 || !Even::STEPS.contains(&whole) || self.run < 2 * whole {
            return None;
        }
        let alike = |i: usize| {
            let offset = (i as i64 - middle as i64) * whole as i64;
            let same = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            i64::from(self.starts[i]) == i64::from(self.starts[middle]) + offset
                && self.weights(i).iter().zip(self.weights(middle)).all(same)
        };
        let from = (0..=middle).rev().take_while(|&i| alike(i)).last()?;
        let to = (middle..self.starts.len())
            .take_while(|&i| alike(i))
            .last()?
            + 1;
        // The filter of the last one must not reach past the samples that there are.
        let room =
            |to: usize| i64::from(self.starts[to - 1]) + 2 * whole as i64 <= self.hi - self.lo;
        let to = (from..=to).rev().find(|&to| to == from || room(to))?;
        (to > from).then_some(Even {
            from,
            to,
            step: whole,
        })
    }

    /// The samples that can have weight, and those between them: first, and one past the last.
    pub(super) fn samples(&self) -> (i64, i64) {
        (self.lo * self.every, (self.hi - 1) * self.every + 1)
    }

    pub(super) fn weights(&self, target: usize) -> &[f32] {
        &self.weights[target * self.run..(target + 1) * self.run]
    }
}

impl Even {
    /// Those of pictures of 640 to 3840 columns, and of their chroma, to 320 or 640.
    pub(super) const STEPS: [usize; 3] = [2, 3, 4];
}

/// Rounds weights to whole [`PARTS`] whose sum stays what it is: each takes what rounding left over before it.
#[derive(Default)]
struct Parts {
    exact: f64,
    given: f64,
}

impl Parts {
    fn next(&mut self, weight: f64) -> f32 {
        self.exact += weight;
        let before = self.given;
        // A little more, so that what is half a part but for the last digit goes up everywhere.
        self.given = (self.exact * f64::from(PARTS) + 1e-9).round();
        (self.given - before) as f32 / PARTS
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
