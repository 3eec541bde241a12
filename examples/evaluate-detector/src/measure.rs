// SPDX-License-Identifier: MIT OR Apache-2.0
//! The figures of every detector on every set.

use liveness::metrics::detection::{By, Figures, Seen as Pair, ap50_difference};
use liveness::metrics::{Bootstrap, Estimate};

use crate::cli::Cli;
use crate::look::Seen;
use crate::sets::{Entry, Set};

/// Pictures that are measured together: those of a set, the ones with something like a face apart.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// For each detector.
    pub(crate) figures: Vec<Figures>,
    /// For each detector, its AP50 less that of the first; none for the first itself.
    pub(crate) less_first: Vec<Option<Estimate>>,
}

impl Group {
    /// No face in any picture that counts.
    pub(crate) fn negative(&self) -> bool {
        self.figures.iter().all(|f| f.labels == 0)
    }
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Names and own thresholds of the detectors.
    pub(crate) detectors: Vec<(String, f32)>,
    pub(crate) groups: Vec<Group>,
    /// False positives where all detectors find the same share of faces.
    pub(crate) level: Option<Level>,
}

/// Thresholds at which the detectors find as much as each other, and what they find in pictures without a face then.
#[derive(Debug)]
pub(crate) struct Level {
    /// The group that the thresholds come from.
    pub(crate) group: String,
    /// For each detector, its threshold and the wrong detections in pictures that show nothing like a face, per picture.
    pub(crate) detectors: Vec<(f32, f64)>,
}

/// Measures all labelled sets.
pub(crate) fn all(sets: &[Set], seen: &[Seen], cli: &Cli) -> Measured {
    let bootstrap = Bootstrap {
        resamples: cli.resamples,
        ..Bootstrap::default()
    };
    let by: Vec<By> = cli.by.iter().map(|by| By::from(*by)).collect();
    let labelled = || sets.iter().enumerate().filter(|(_, s)| s.labelled);
    let mut groups = Vec::new();
    for (place, set) in labelled() {
        for hard in [false, true] {
            let of_it = |e: &Entry| e.hard == hard;
            if !set.entries.iter().any(of_it) {
                continue;
            }
            let all: Vec<Vec<Pair>> = seen.iter().map(|s| pairs(set, s, place, of_it)).collect();
            let figures = |(seen, pairs): (&Seen, &Vec<Pair>)| {
                Figures::of(pairs, seen.threshold, cli.min_face, &by, &bootstrap)
            };
            let less_first = |(i, pairs): (usize, &Vec<Pair>)| {
                let first = all.first().filter(|_| i > 0)?;
                ap50_difference(pairs, first, cli.min_face, &bootstrap)
            };
            groups.push(Group {
                name: format!("{}{}", set.name, if hard { " (hard)" } else { "" }),
                figures: seen.iter().zip(&all).map(figures).collect(),
                less_first: all.iter().enumerate().map(less_first).collect(),
            });
        }
    }
    let detectors = seen.iter().map(|s| (s.name.clone(), s.threshold)).collect();
    let level = level(&groups, labelled, seen, cli);
    Measured {
        detectors,
        groups,
        level,
    }
}

fn pairs<'a>(
    set: &'a Set,
    seen: &'a Seen,
    place: usize,
    wanted: impl Fn(&Entry) -> bool,
) -> Vec<Pair<'a>> {
    let found = seen.found.get(place).into_iter().flatten();
    let both = set.entries.iter().zip(found);
    let both = both.filter(|(entry, _)| wanted(entry));
    both.map(|(entry, found)| Pair {
        truth: &entry.truth,
        found,
    })
    .collect()
}

/// Own thresholds are chosen by taste. So all detectors are also given the threshold at which they find 95 % of the first set on
/// which each of them can.
fn level<'a, I: Iterator<Item = (usize, &'a Set)>>(
    groups: &[Group],
    sets: impl Fn() -> I,
    seen: &[Seen],
    cli: &Cli,
) -> Option<Level> {
    let reached = |g: &&Group| {
        !g.figures.is_empty() && g.figures.iter().all(|f| f.threshold_for_recall.is_some())
    };
    let group = groups.iter().find(reached)?;
    let none = Bootstrap {
        resamples: 0,
        seed: 0,
    };
    let easy = |set: &&(usize, &Set)| set.1.entries.iter().all(|e| e.truth.labels.is_empty());
    let mut detectors = Vec::new();
    for (seen, figures) in seen.iter().zip(&group.figures) {
        let threshold = figures.threshold_for_recall?;
        let sets = sets();
        let all: Vec<Pair> = sets
            .filter(|s| easy(&s))
            .flat_map(|(place, set)| pairs(set, seen, place, |e| !e.hard))
            .collect();
        let figures = Figures::of(&all, threshold, cli.min_face, &[], &none);
        detectors.push((threshold, figures.false_positives?.value));
    }
    Some(Level {
        group: group.name.clone(),
        detectors,
    })
}
