// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mistakes counted per group, so that a resample of groups costs no walk over the answers.

use std::collections::BTreeMap;

use super::Answer;

/// Mistakes of one kind of presentation.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    mistakes: f64,
    n: f64,
}

impl Cell {
    fn add(&mut self, other: Self, times: f64) {
        self.mistakes += times * other.mistakes;
        self.n += times * other.n;
    }

    fn rate(self) -> Option<f64> {
        (self.n > 0.0).then(|| self.mistakes / self.n)
    }
}

/// What all answers of one group add up to.
#[derive(Clone, Debug, Default)]
struct OfGroup {
    /// By number of the kind; 0 is live.
    kinds: BTreeMap<usize, Cell>,
    /// Sum of the squared errors of the probabilities, and of how many.
    squared: Cell,
}

/// Answers, counted by group and kind.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    /// Names of the species; the first is kind 1.
    pub(super) species: Vec<&'a str>,
    /// For each answer, the number of its group.
    pub(super) group_of: Vec<usize>,
    groups: Vec<OfGroup>,
}

/// The rates of one resample. None where nothing of it was drawn.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    pub(super) bpcer: Option<f64>,
    pub(super) species: Vec<Option<f64>>,
    pub(super) apcer: Option<f64>,
    pub(super) apcer_worst: Option<f64>,
    pub(super) accuracy: Option<f64>,
    pub(super) brier: Option<f64>,
}

impl Rates {
    pub(super) fn acer(&self) -> Option<f64> {
        Some((self.apcer_worst? + self.bpcer?) / 2.0)
    }

    pub(super) fn hter(&self) -> Option<f64> {
        Some((self.apcer? + self.bpcer?) / 2.0)
    }
}

impl<'a> Tally<'a> {
    pub(super) fn of(answers: &'a [Answer], threshold: f64) -> Self {
        let mut species: BTreeMap<&str, usize> = BTreeMap::new();
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for answer in answers {
            if !answer.bona_fide {
                species.insert(&answer.species, 0);
            }
            names.insert(&answer.group, 0);
        }
        for (i, number) in species.values_mut().enumerate() {
            *number = i + 1;
        }
        for (i, number) in names.values_mut().enumerate() {
            *number = i;
        }
        let mut groups = vec![OfGroup::default(); names.len()];
        let mut group_of = Vec::with_capacity(answers.len());
        for answer in answers {
            let number = |of: &BTreeMap<&str, usize>, key| of.get(key).copied().unwrap_or(0);
            let group = number(&names, answer.group.as_str());
            group_of.push(group);
            let kind = if answer.bona_fide {
                0
            } else {
                number(&species, answer.species.as_str())
            };
            let Some(of_group) = groups.get_mut(group) else {
                continue;
            };
            let mistakes = f64::from(u8::from(!answer.right(threshold)));
            let cell = of_group.kinds.entry(kind).or_default();
            cell.add(Cell { mistakes, n: 1.0 }, 1.0);
            if let Some(mistakes) = super::calibration::squared_error(answer) {
                of_group.squared.add(Cell { mistakes, n: 1.0 }, 1.0);
            }
        }
        Self {
            species: species.into_keys().collect(),
            group_of,
            groups,
        }
    }

    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// In how many groups there is one of these kinds.
    fn groups_with(&self, wanted: impl Fn(usize) -> bool) -> usize {
        let has = |g: &&OfGroup| g.kinds.keys().any(|k| wanted(*k));
        self.groups.iter().filter(has).count()
    }

    pub(super) fn bona_fide_groups(&self) -> usize {
        self.groups_with(|k| k == 0)
    }

    pub(super) fn attack_groups(&self) -> usize {
        self.groups_with(|k| k > 0)
    }

    /// Groups with attacks of the species at this place.
    pub(super) fn species_groups(&self, place: usize) -> usize {
        self.groups_with(|k| k == place + 1)
    }

    /// The rates where each group counts as often as it was drawn.
    pub(super) fn rates(&self, drawn: impl Fn(usize) -> u32) -> Rates {
        let mut kinds = vec![Cell::default(); self.species.len() + 1];
        let mut squared = Cell::default();
        for (i, group) in self.groups.iter().enumerate() {
            let times = f64::from(drawn(i));
            if times == 0.0 {
                continue;
            }
            for (kind, cell) in &group.kinds {
                if let Some(sum) = kinds.get_mut(*kind) {
                    sum.add(*cell, times);
                }
            }
            squared.add(group.squared, times);
        }
        let sum = |cells: &[Cell]| {
            cells.iter().fold(Cell::default(), |mut sum, cell| {
                sum.add(*cell, 1.0);
                sum
            })
        };
        let attacks = kinds.get(1..).unwrap_or_default();
        let species: Vec<Option<f64>> = attacks.iter().map(|c| c.rate()).collect();
        Rates {
            bpcer: kinds.first().and_then(|c| c.rate()),
            apcer_worst: species.iter().flatten().copied().reduce(f64::max),
            species,
            apcer: sum(attacks).rate(),
            accuracy: sum(&kinds).rate().map(|mistakes| 1.0 - mistakes),
            brier: squared.rate(),
        }
    }
}
