// SPDX-License-Identifier: MIT OR Apache-2.0
//! Intervals: where a figure lies with 95 % confidence.

use serde::Serialize;

/// The two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Bounds of a figure, 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Where it comes from.
    pub method: Method,
}

/// Where an interval comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Percentiles over resamples of whole groups.
    Bootstrap,
    /// Wilson's, for a count.
    Wilson,
    /// Wilson's with each group as one trial: the resamples do not differ, as where no error was seen, and would claim certainty.
    WilsonOverGroups,
    /// From the intervals of the parts that were averaged (Zou and Donner, "Construction of confidence limits about effect
    /// measures", 2008): the resamples of one of them do not differ.
    Parts,
}

impl Interval {
    /// Whether `value` lies in it.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Upper less lower bound.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// The 2.5 and 97.5 % quantiles of figures, those that are no numbers left out. None of nothing.
    pub(super) fn percentiles(mut samples: Vec<f64>) -> Option<Self> {
        samples.retain(|s| s.is_finite());
        samples.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let place = q * (samples.len().checked_sub(1)?) as f64;
            let below = samples.get(place.floor() as usize)?;
            let above = samples.get(place.ceil() as usize)?;
            Some(below + (above - below) * place.fract())
        };
        Some(Self {
            low: at(0.025)?,
            high: at(0.975)?,
            method: Method::Bootstrap,
        })
    }

    /// Of a share (0..1) measured on `trials` groups, from its resamples. Where these do not differ, they say nothing about the
    /// precision, and it is Wilson's with each group as one trial. None of no resamples.
    pub(super) fn of_share(value: f64, figures: Vec<f64>, trials: usize) -> Option<Self> {
        let low = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let high = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !figures.is_empty() && trials > 0 && high - low < 1e-12 {
            return Some(wilson_share(value, trials, Method::WilsonOverGroups));
        }
        Self::percentiles(figures)
    }

    /// Of the mean of two figures, each given with its interval. Takes them for independent.
    pub(super) fn of_mean(a: (f64, Self), b: (f64, Self)) -> Self {
        let mean = (a.0 + b.0) / 2.0;
        let below = (a.0 - a.1.low).hypot(b.0 - b.1.low) / 2.0;
        let above = (a.1.high - a.0).hypot(b.1.high - b.0) / 2.0;
        Self {
            low: (mean - below).max(0.0),
            high: (mean + above).min(1.0),
            method: Method::Parts,
        }
    }
}

/// Wilson's interval for `hits` of `n` independent trials (E. B. Wilson, "Probable inference, the law of succession, and statistical
/// inference", 1927). Unlike the plain normal one it is not empty where `hits` is 0 or `n`. None of nothing.
///
/// Pictures of one session are not independent: for them it is too narrow, and the bootstrap of [`super::Summary`] is right.
pub fn wilson(hits: usize, n: usize) -> Option<Interval> {
    (n > 0).then(|| wilson_share(hits as f64 / n as f64, n, Method::Wilson))
}

/// The same for a share of `n` trials, 0..1.
fn wilson_share(share: f64, n: usize, method: Method) -> Interval {
    let n = n as f64;
    let scale = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    // Rounding must not take the share itself out of its interval.
    Interval {
        low: (middle - half).max(0.0).min(share),
        high: (middle + half).min(1.0).max(share),
        method,
    }
}
