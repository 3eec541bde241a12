// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether probabilities mean what they say: of the faces with 0.8, are eight of ten live? Only of those with an answer.

use serde::Serialize;

use super::Answer;
use super::interval::{Interval, wilson};

/// The mean squared distance of the probability from the truth (1 live, 0 attack), 0..1; 0.25 is what always saying 0.5 gets
/// (G. W. Brier, "Verification of forecasts expressed in terms of probability", 1950). None without an answer.
pub fn brier(answers: &[Answer]) -> Option<f64> {
    let errors = answers.iter().filter_map(squared_error);
    let (sum, n) = errors.fold((0.0, 0usize), |(sum, n), e| (sum + e, n + 1));
    (n > 0).then(|| sum / n as f64)
}

/// One term of the Brier score.
pub(super) fn squared_error(answer: &Answer) -> Option<f64> {
    let truth = f64::from(u8::from(answer.bona_fide));
    answer.probability().map(|p| (p - truth).powi(2))
}

/// Answers whose probabilities are about the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Lowest probability.
    pub low: f64,
    /// Highest probability, which belongs to the next bin unless this is the last.
    pub high: f64,
    /// How many.
    pub n: usize,
    /// Their mean probability of live; none where there are none.
    pub probability: Option<f64>,
    /// The share of them that is live.
    pub live: Option<f64>,
    /// Wilson's interval of that share; too narrow, since it takes pictures for independent.
    pub interval: Option<Interval>,
}

/// Answers in `bins` bins of equal width over 0..1. Probabilities outside are put into the outermost ones.
pub fn reliability(answers: &[Answer], bins: usize) -> Vec<Bin> {
    let mut sums = vec![(0usize, 0usize, 0.0); bins];
    for answer in answers {
        let Some(p) = answer.probability() else {
            continue;
        };
        // The cast holds negative numbers at 0.
        let place = ((p * bins as f64) as usize).min(bins.saturating_sub(1));
        if let Some((n, live, sum)) = sums.get_mut(place) {
            *n += 1;
            *live += usize::from(answer.bona_fide);
            *sum += p;
        }
    }
    let bin = |(i, (n, live, sum)): (usize, (usize, usize, f64))| Bin {
        low: i as f64 / bins as f64,
        high: (i + 1) as f64 / bins as f64,
        n,
        probability: (n > 0).then(|| sum / n as f64),
        live: (n > 0).then(|| live as f64 / n as f64),
        interval: wilson(live, n),
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// The mean distance between probability and share of live faces over `bins` bins of equal width, each bin weighing as its answers
/// (C. Guo and others, "On calibration of modern neural networks", 2017). 0..1; depends on the mix of live faces and attacks.
pub fn expected_calibration_error(answers: &[Answer], bins: usize) -> Option<f64> {
    let bins = reliability(answers, bins);
    let n: usize = bins.iter().map(|b| b.n).sum();
    let gap = |b: &Bin| Some(b.n as f64 * (b.probability? - b.live?).abs());
    (n > 0).then(|| bins.iter().filter_map(gap).sum::<f64>() / n as f64)
}

/// The temperature T by which logits must be divided so that 1 / (1 + exp(-logit / T)) is as likely as can be (Guo and others,
/// 2017). Each logit comes with whether the face is live; those that are no finite numbers are left out. None where no temperature from
/// 0.01 to 100 is best: the classes are apart without a mistake, the logits say nothing, or a class is missing.
pub fn temperature(logits: &[(f32, bool)]) -> Option<f64> {
    let slope = |beta: f64| -> f64 {
        let finite = logits.iter().filter(|(z, _)| z.is_finite());
        let term = |(z, live): &(f32, bool)| {
            let z = f64::from(*z);
            let p = 1.0 / (1.0 + (-beta * z).exp());
            z * (p - f64::from(u8::from(*live)))
        };
        finite.map(term).sum()
    };
    let one_class = logits.iter().all(|l| l.1) || logits.iter().all(|l| !l.1);
    // The likelihood is concave in 1 / T, so its slope has one root.
    let (mut low, mut high) = (0.01, 100.0);
    if one_class || slope(low) >= 0.0 || slope(high) <= 0.0 {
        return None;
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if slope(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(2.0 / (low + high))
}
