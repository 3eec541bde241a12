// SPDX-License-Identifier: MIT OR Apache-2.0
//! The figures of a report, worked out once for all that show them.

use std::collections::BTreeMap;

use liveness::metrics::Summary;
use serde::Serialize;

use super::input::{EvaluationSet, Model, Report};

/// Fewer groups than this: the interval is wide, and likely still too narrow.
const FEW_GROUPS: usize = 20;

/// Fewer pictures of one kind of attack than this: its rate says little.
const FEW_PICTURES: usize = 30;

/// A model with its figures.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    pub(crate) model: &'a Model,
    pub(crate) sets: Vec<MeasuredSet<'a>>,
}

/// A set with its figures.
#[derive(Debug)]
pub(crate) struct MeasuredSet<'a> {
    pub(crate) set: &'a EvaluationSet,
    pub(crate) summary: Summary,
}

/// What `metrics.json` says of one model on one set.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) set: &'a str,
    pub(crate) role: &'a str,
    pub(crate) groups_are: &'a str,
    #[serde(flatten)]
    pub(crate) summary: &'a Summary,
}

impl<'a> Measured<'a> {
    /// All models of a report.
    pub(crate) fn all(report: &'a Report) -> Vec<Self> {
        let measure = |model: &'a Model| Self {
            model,
            sets: model
                .sets
                .iter()
                .map(|set| MeasuredSet {
                    set,
                    summary: Summary::of(&set.answers, model.threshold.value, &report.bootstrap),
                })
                .collect(),
        };
        report.models.iter().map(measure).collect()
    }

    /// The set of this name.
    pub(crate) fn set(&self, name: &str) -> Option<&MeasuredSet<'a>> {
        self.sets.iter().find(|s| s.set.name == name)
    }
}

impl<'a> MeasuredSet<'a> {
    pub(crate) fn line(&self) -> Line<'_> {
        Line {
            set: &self.set.name,
            role: &self.set.role,
            groups_are: &self.set.groups_are,
            summary: &self.summary,
        }
    }

    /// `480 pictures of 30 clients (240 live, 240 spoof)`: what stands below every figure of the set.
    pub(crate) fn what(&self) -> String {
        let c = self.summary.counts;
        format!(
            "{} of {} ({} live, {} spoof)",
            super::words::how_many(c.answers, "pictures"),
            super::words::how_many(c.groups, &self.set.groups_are),
            super::words::whole(c.bona_fide as u64),
            super::words::whole(c.attacks as u64),
        )
    }

    /// A sentence about those without an answer.
    pub(crate) fn silence(&self) -> Option<String> {
        use super::words::how_many;
        let c = self.summary.counts;
        (c.bona_fide_silent + c.attacks_silent > 0).then(|| {
            format!(
                "No answer for {} and {}: counted as refused.",
                how_many(c.bona_fide_silent, "live faces"),
                how_many(c.attacks_silent, "attacks")
            )
        })
    }

    /// Sentences about what the figures of this set cannot tell, since there is too little of something.
    pub(crate) fn cautions(&self) -> Vec<String> {
        use super::words::how_many;
        let c = self.summary.counts;
        let are = &self.set.groups_are;
        let mut all = Vec::new();
        for (n, what, figures) in [
            (c.bona_fide, "live faces", "BPCER, ACER, HTER, EER and AUC"),
            (c.attacks, "attacks", "APCER, ACER, HTER, EER and AUC"),
        ] {
            if n == 0 {
                all.push(format!("No {what}: {figures} are not known."));
            }
        }
        match (c.bona_fide_groups, c.attack_groups) {
            _ if c.answers == 0 => {}
            _ if c.groups == 1 => all.push(format!(
                "All pictures are of one of the {are}: there is no telling how far the figures hold for others, and no interval."
            )),
            (a, b) if a.max(b) < FEW_GROUPS => all.push(format!(
                "Only {}: the intervals are wide, and likely still too narrow.",
                how_many(c.groups, are)
            )),
            (live, attacks) => {
                for (n, what) in [(live, "Live faces"), (attacks, "Attacks")] {
                    if (1..FEW_GROUPS).contains(&n) {
                        all.push(format!(
                            "{what} of only {}: intervals of what they take part in are wide, and likely still too narrow.",
                            how_many(n, are)
                        ));
                    }
                }
            }
        }
        let small = |s: &&liveness::metrics::Species| s.apcer.n < FEW_PICTURES;
        let small: Vec<String> = self
            .summary
            .species
            .iter()
            .filter(small)
            .map(|s| format!("{} ({})", super::words::species(&s.name), s.apcer.n))
            .collect();
        if !small.is_empty() {
            all.push(format!(
                "Few pictures of {}: such a rate says little.",
                super::words::list(&small)
            ));
        }
        all
    }
}

/// Names of the sets that several models were measured on, in the order of the first that has them.
pub(crate) fn shared_sets<'a>(all: &[Measured<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for set in all.iter().flat_map(|m| &m.sets) {
        let name = set.set.name.as_str();
        *times.entry(name).or_default() += 1;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.retain(|n| times.get(n).is_some_and(|t| *t > 1));
    names
}
