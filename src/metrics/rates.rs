// SPDX-License-Identifier: MIT OR Apache-2.0
//! Error rates at one threshold. ISO/IEC 30107-3: APCER per species, BPCER.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Answer;

/// A share of a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// How many of them.
    pub hits: usize,
    /// Of how many.
    pub n: usize,
}

impl Rate {
    /// Counts what holds in `of`.
    fn count(of: impl Iterator<Item = bool>) -> Self {
        of.fold(Self::default(), |rate, hit| Self {
            hits: rate.hits + usize::from(hit),
            n: rate.n + 1,
        })
    }

    /// The share, 0..1; None of nothing.
    pub fn value(self) -> Option<f64> {
        (self.n > 0).then(|| self.hits as f64 / self.n as f64)
    }
}

/// Of all attacks, those that are accepted.
pub fn apcer(answers: &[Answer], threshold: f64) -> Rate {
    let attacks = answers.iter().filter(|a| !a.bona_fide);
    Rate::count(attacks.map(|a| a.accepted(threshold)))
}

/// Of the attacks of each species, those that are accepted. ISO/IEC 30107-3: APCER = 1 - (number recognised / number), per species.
pub fn apcer_by_species(answers: &[Answer], threshold: f64) -> BTreeMap<&str, Rate> {
    let mut rates: BTreeMap<&str, Rate> = BTreeMap::new();
    for answer in answers.iter().filter(|a| !a.bona_fide) {
        let rate = rates.entry(&answer.species).or_default();
        rate.hits += usize::from(answer.accepted(threshold));
        rate.n += 1;
    }
    rates
}

/// The species that is accepted most often, and how often. The first by name of those that are equal.
pub fn apcer_worst(answers: &[Answer], threshold: f64) -> Option<(&str, Rate)> {
    let rates = apcer_by_species(answers, threshold).into_iter();
    rates.reduce(|worst, next| {
        if next.1.value() > worst.1.value() {
            next
        } else {
            worst
        }
    })
}

/// Of the live faces, those that are refused. ISO/IEC 30107-3: BPCER.
pub fn bpcer(answers: &[Answer], threshold: f64) -> Rate {
    let live = answers.iter().filter(|a| a.bona_fide);
    Rate::count(live.map(|a| !a.accepted(threshold)))
}

/// (Worst APCER + BPCER) / 2.
pub fn acer(answers: &[Answer], threshold: f64) -> Option<f64> {
    let worst = apcer_worst(answers, threshold)?.1.value()?;
    Some((worst + bpcer(answers, threshold).value()?) / 2.0)
}

/// (Pooled APCER + BPCER) / 2, the half total error rate.
pub fn hter(answers: &[Answer], threshold: f64) -> Option<f64> {
    let pooled = apcer(answers, threshold).value()?;
    Some((pooled + bpcer(answers, threshold).value()?) / 2.0)
}

/// Of all answers, the right ones. Says little where one class is rare.
pub fn accuracy(answers: &[Answer], threshold: f64) -> Rate {
    Rate::count(answers.iter().map(|a| a.right(threshold)))
}

/// Truth against decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Live faces that were accepted: right.
    pub bona_fide_accepted: usize,
    /// Live faces that were refused, those without an answer among them.
    pub bona_fide_refused: usize,
    /// Attacks that were accepted.
    pub attacks_accepted: usize,
    /// Attacks that were refused, those without an answer among them: right.
    pub attacks_refused: usize,
}

/// Truth against decision, counted.
pub fn confusion(answers: &[Answer], threshold: f64) -> Confusion {
    let mut all = Confusion::default();
    for answer in answers {
        *match (answer.bona_fide, answer.accepted(threshold)) {
            (true, true) => &mut all.bona_fide_accepted,
            (true, false) => &mut all.bona_fide_refused,
            (false, true) => &mut all.attacks_accepted,
            (false, false) => &mut all.attacks_refused,
        } += 1;
    }
    all
}
