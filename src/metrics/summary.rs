// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that is measured on one set, each figure with its interval and its counts.

use serde::Serialize;

use super::calibration::{Bin, expected_calibration_error, reliability};
use super::interval::{Interval, Method};
use super::ranking::Ranking;
use super::rates::confusion;
use super::tally::{Rates, Tally};
use super::threshold::{Scope, threshold_for_apcer};
use super::{Answer, Bootstrap, Confusion, apcer_worst, bpcer};

/// Bins of the reliability diagram and of the expected calibration error.
const BINS: usize = 10;

/// The bounds on APCER at which BPCER is usually given: BPCER10, BPCER20 and BPCER100 of ISO/IEC 30107-3.
const BOUNDS: [f64; 3] = [0.1, 0.05, 0.01];

/// A figure with what is known about its precision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its 95 % interval; none where there is only one group.
    pub interval: Option<Interval>,
    /// Number of pictures that it was measured on.
    pub n: usize,
    /// Number of groups that these are of.
    pub groups: usize,
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub answers: usize,
    /// Live faces.
    pub bona_fide: usize,
    /// Attacks.
    pub attacks: usize,
    /// Clients or sessions.
    pub groups: usize,
    /// Those with live faces.
    pub bona_fide_groups: usize,
    /// Those with attacks.
    pub attack_groups: usize,
    /// Live faces without an answer, counted as refused.
    pub bona_fide_silent: usize,
    /// Attacks without an answer, counted as refused.
    pub attacks_silent: usize,
}

/// One kind of attack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Species {
    /// What the data set calls it; empty where it has no name.
    pub name: String,
    /// How many of it are accepted.
    pub apcer: Estimate,
}

/// BPCER where APCER is bounded, the threshold chosen on the very set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BpcerAt {
    /// The bound on the worst APCER.
    pub apcer: f64,
    /// The lowest threshold that keeps it.
    pub threshold: f64,
    /// The live faces refused there.
    pub bpcer: f64,
}

/// All figures of one set at one threshold. What a missing class leaves unknown is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Accepted is what is this or more.
    pub threshold: f64,
    /// How the intervals were made.
    pub bootstrap: Bootstrap,
    /// How many there are of what.
    pub counts: Counts,
    /// Truth against decision.
    pub confusion: Confusion,
    /// Area under the ROC.
    pub auc: Option<Estimate>,
    /// Equal error rate, its threshold chosen on the very set (and anew in each resample).
    pub eer: Option<Estimate>,
    /// Where that is.
    pub eer_threshold: Option<f64>,
    /// APCER of each species, by name.
    pub species: Vec<Species>,
    /// The species of the worst APCER.
    pub worst_species: Option<String>,
    /// Its APCER; in each resample that of the species that is worst there.
    pub apcer_worst: Option<Estimate>,
    /// Pooled APCER.
    pub apcer: Option<Estimate>,
    /// BPCER.
    pub bpcer: Option<Estimate>,
    /// (Worst APCER + BPCER) / 2.
    pub acer: Option<Estimate>,
    /// (Pooled APCER + BPCER) / 2.
    pub hter: Option<Estimate>,
    /// Right answers.
    pub accuracy: Option<Estimate>,
    /// BPCER at 10, 5 and 1 % worst APCER.
    pub bpcer_at: Vec<BpcerAt>,
    /// Brier score, of those with an answer.
    pub brier: Option<Estimate>,
    /// Expected calibration error over ten bins, of those with an answer.
    pub calibration_error: Option<f64>,
    /// The bins.
    pub reliability: Vec<Bin>,
}

impl Summary {
    /// Measures `answers` at `threshold`.
    pub fn of(answers: &[Answer], threshold: f64, bootstrap: &Bootstrap) -> Self {
        let tally = Tally::of(answers, threshold);
        let counts = Counts::of(answers, &tally);
        let ranking = Ranking::tagged(answers.iter().zip(tally.group_of.iter().copied()));
        let resamples = Resamples::of(&tally, &ranking, bootstrap);
        let all = tally.rates(|_| 1);
        let estimates = Estimates {
            counts,
            tally: &tally,
            all: &all,
            resamples: &resamples,
        };
        let eer = ranking.eer(|_| 1.0);
        let named = |(i, name): (usize, &&str)| {
            let apcer = estimates.species(answers, i, name)?;
            let name = (*name).to_owned();
            Some(Species { name, apcer })
        };
        Self {
            threshold,
            bootstrap: *bootstrap,
            counts,
            confusion: confusion(answers, threshold),
            auc: estimates.over_both(ranking.auc(|_| 1.0), &resamples.auc),
            eer: estimates.over_both(eer.map(|e| e.rate), &resamples.eer),
            eer_threshold: eer.map(|e| e.threshold),
            species: tally.species.iter().enumerate().filter_map(named).collect(),
            worst_species: apcer_worst(answers, threshold).map(|(name, _)| name.to_owned()),
            apcer_worst: estimates.apcer_worst(answers),
            apcer: estimates.apcer(),
            bpcer: estimates.bpcer(),
            acer: estimates.mean(estimates.apcer_worst(answers), all.acer(), Rates::acer),
            hter: estimates.mean(estimates.apcer(), all.hter(), Rates::hter),
            accuracy: estimates.accuracy(),
            bpcer_at: BOUNDS
                .iter()
                .filter_map(|b| bpcer_at(answers, *b))
                .collect(),
            brier: estimates.brier(),
            calibration_error: expected_calibration_error(answers, BINS),
            reliability: reliability(answers, BINS),
        }
    }
}

fn bpcer_at(answers: &[Answer], apcer: f64) -> Option<BpcerAt> {
    let threshold = threshold_for_apcer(answers, apcer, Scope::Worst)?;
    let bpcer = bpcer(answers, threshold).value()?;
    Some(BpcerAt {
        apcer,
        threshold,
        bpcer,
    })
}

impl Counts {
    fn of(answers: &[Answer], tally: &Tally) -> Self {
        let count = |f: &dyn Fn(&Answer) -> bool| answers.iter().filter(|a| f(a)).count();
        Self {
            answers: answers.len(),
            bona_fide: count(&|a| a.bona_fide),
            attacks: count(&|a| !a.bona_fide),
            groups: tally.groups(),
            bona_fide_groups: tally.bona_fide_groups(),
            attack_groups: tally.attack_groups(),
            bona_fide_silent: count(&|a| a.bona_fide && a.probability().is_none()),
            attacks_silent: count(&|a| !a.bona_fide && a.probability().is_none()),
        }
    }
}

/// What came out of each resample.
struct Resamples {
    rates: Vec<Rates>,
    auc: Vec<f64>,
    eer: Vec<f64>,
}

impl Resamples {
    fn of(tally: &Tally, ranking: &Ranking, bootstrap: &Bootstrap) -> Self {
        let mut all = Self {
            rates: Vec::with_capacity(bootstrap.resamples),
            auc: Vec::with_capacity(bootstrap.resamples),
            eer: Vec::with_capacity(bootstrap.resamples),
        };
        // One group drawn from itself says nothing.
        if tally.groups() < 2 {
            return all;
        }
        bootstrap.each(tally.groups(), |drawn| {
            let times = |group: usize| drawn.get(group).copied().unwrap_or(0);
            all.rates.push(tally.rates(times));
            all.auc.extend(ranking.auc(|e| f64::from(times(e.tag))));
            all.eer
                .extend(ranking.eer_rate(|e| f64::from(times(e.tag))));
        });
        all
    }

    fn figures(&self, of: impl Fn(&Rates) -> Option<f64>) -> Vec<f64> {
        self.rates.iter().filter_map(of).collect()
    }
}

/// Figures with their intervals.
struct Estimates<'a> {
    counts: Counts,
    tally: &'a Tally<'a>,
    all: &'a Rates,
    resamples: &'a Resamples,
}

impl Estimates<'_> {
    /// A share with its interval over groups; where all resamples are the same, Wilson's with `trials` groups.
    fn share(&self, value: f64, figures: Vec<f64>, trials: usize) -> Option<Interval> {
        // Who has one group, or wants no resamples, gets no interval.
        if self.resamples.rates.is_empty() || trials == 0 {
            return None;
        }
        Interval::of_share(value, figures, trials)
    }

    fn bpcer(&self) -> Option<Estimate> {
        let (value, groups) = (self.all.bpcer?, self.counts.bona_fide_groups);
        Some(Estimate {
            value,
            interval: self.share(value, self.resamples.figures(|r| r.bpcer), groups),
            n: self.counts.bona_fide,
            groups,
        })
    }

    fn apcer(&self) -> Option<Estimate> {
        let (value, groups) = (self.all.apcer?, self.counts.attack_groups);
        Some(Estimate {
            value,
            interval: self.share(value, self.resamples.figures(|r| r.apcer), groups),
            n: self.counts.attacks,
            groups,
        })
    }

    fn species(&self, answers: &[Answer], place: usize, name: &str) -> Option<Estimate> {
        let rate = |r: &Rates| r.species.get(place).copied().flatten();
        let (value, groups) = (rate(self.all)?, self.tally.species_groups(place));
        let of_it = |a: &&Answer| !a.bona_fide && a.species == name;
        Some(Estimate {
            value,
            interval: self.share(value, self.resamples.figures(rate), groups),
            n: answers.iter().filter(of_it).count(),
            groups,
        })
    }

    /// Counts are those of the species that is worst.
    fn apcer_worst(&self, answers: &[Answer]) -> Option<Estimate> {
        let value = self.all.apcer_worst?;
        let place = self.all.species.iter().position(|s| *s == Some(value))?;
        let of_it = self.species(answers, place, self.tally.species.get(place)?)?;
        let figures = self.resamples.figures(|r| r.apcer_worst);
        Some(Estimate {
            interval: self.share(value, figures, of_it.groups),
            ..of_it
        })
    }

    /// Of an APCER and the BPCER. Where the resamples of one of them are all the same, it still is not known for certain.
    fn mean(
        &self,
        apcer: Option<Estimate>,
        value: Option<f64>,
        of: impl Fn(&Rates) -> Option<f64>,
    ) -> Option<Estimate> {
        let (apcer, bpcer, value) = (apcer?, self.bpcer()?, value?);
        let interval = match (apcer.interval, bpcer.interval) {
            (Some(a), Some(b)) => {
                let certain = [a, b].iter().any(|i| i.method == Method::WilsonOverGroups);
                if certain {
                    Some(Interval::of_mean((apcer.value, a), (bpcer.value, b)))
                } else {
                    Interval::percentiles(self.resamples.figures(of))
                }
            }
            _ => None,
        };
        Some(Estimate {
            value,
            interval,
            n: self.counts.answers,
            groups: self.counts.groups,
        })
    }

    /// Of what compares live faces with attacks. Where no resample differs (no mistake at all), each of as many pairs of groups as
    /// there are without using one twice is a trial.
    fn over_both(&self, value: Option<f64>, figures: &[f64]) -> Option<Estimate> {
        let value = value?;
        let pairs = self.counts.bona_fide_groups.min(self.counts.attack_groups);
        Some(Estimate {
            value,
            interval: self.share(value, figures.to_vec(), pairs),
            n: self.counts.answers,
            groups: self.counts.groups,
        })
    }

    fn accuracy(&self) -> Option<Estimate> {
        let (value, groups) = (self.all.accuracy?, self.counts.groups);
        Some(Estimate {
            value,
            interval: self.share(value, self.resamples.figures(|r| r.accuracy), groups),
            n: self.counts.answers,
            groups,
        })
    }

    fn brier(&self) -> Option<Estimate> {
        let counts = self.counts;
        Some(Estimate {
            value: self.all.brier?,
            interval: Interval::percentiles(self.resamples.figures(|r| r.brier)),
            n: counts.answers - counts.bona_fide_silent - counts.attacks_silent,
            groups: counts.groups,
        })
    }
}
