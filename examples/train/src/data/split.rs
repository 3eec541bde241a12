// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which examples are trained on and which are held out. What belongs to one group stays on one side.
//!
//! Frames of one recording are nearly the same picture: a split that tears recordings apart measures how well a net remembers.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use liveness::dataset::label::{Attack, Class};
use liveness::dataset::sample::Subset;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::patch::Patch;

/// What a split needs to know of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Live or spoof.
    pub class: Class,
    /// What the attack is made of.
    pub attack: Option<Attack>,
    /// What stays together.
    pub group: u32,
    /// The part that its data set puts it in.
    pub subset: Option<Subset>,
}

impl From<&Patch> for Member {
    fn from(patch: &Patch) -> Self {
        let about = &patch.about;
        Self {
            class: about.class,
            attack: about.attack,
            group: about.group,
            subset: about.subset,
        }
    }
}

/// What the user wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Share of the examples to choose models and thresholds on, 0..1.
    pub val: f64,
    /// Share of the examples to measure on, 0..1; 0 where other folders are there for that.
    pub test: f64,
    /// The same seed gives the same split.
    pub seed: u64,
    /// Keep the parts that the data sets' authors made.
    pub keep_subsets: bool,
    /// Tear groups apart: picture by picture. What is measured on such a split says nothing about other people.
    pub force_random: bool,
}

impl Default for Options {
    /// A fifth for validation: enough for a threshold, and most is left to train on.
    fn default() -> Self {
        Self {
            val: 0.2,
            test: 0.0,
            seed: 0,
            keep_subsets: false,
            force_random: false,
        }
    }
}

/// Indices of the examples of each part, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// To train on.
    pub train: Vec<usize>,
    /// To choose models and thresholds on.
    pub val: Vec<usize>,
    /// To measure on; empty where no share was asked for.
    pub test: Vec<usize>,
}

/// A split, and how far to believe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// The split to use.
    pub split: Split,
    /// It tears groups apart, because the user forced it: a report must say so.
    pub random: bool,
    /// Beside a random split, the honest one of the same sizes: training on both measures how much too good the random one looks.
    /// None where there are too few groups for it.
    pub grouped: Option<Split>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Splits the examples.
///
/// # Errors
/// For shares that leave nothing to train on, and where there are too few groups to have both classes in each part.
pub fn split(members: &[Member], options: &Options) -> Result<Splits> {
    let Options { val, test, .. } = *options;
    let legal = |share: f64| (0.0..1.0).contains(&share);
    if !legal(val) || !legal(test) || val + test >= 0.95 {
        bail!(
            "shares of {val} for validation and {test} for test cannot be: both from 0, together below 0.95"
        );
    }
    let mut notes = Vec::new();
    let grouped = match options.keep_subsets {
        true => kept(members, options, &mut notes),
        false => by_groups(
            members,
            (0..members.len()).collect(),
            [1.0 - val - test, val, test],
            options.seed,
        ),
    };
    if !options.force_random {
        return Ok(Splits {
            split: grouped?,
            random: false,
            grouped: None,
            notes,
        });
    }
    notes.push(
        "the split was forced to be random, picture by picture: frames of one recording stand on both sides, and what is measured is too good"
            .to_owned(),
    );
    Ok(Splits {
        split: by_pictures(members, [1.0 - val - test, val, test], options.seed),
        random: true,
        grouped: grouped.ok(),
        notes,
    })
}

/// Train, validation, test.
const PARTS: usize = 3;

/// Examples that must be spread evenly: each class, and each kind of attack.
type Stratum = (Class, Option<Attack>);

/// How many groups are tried in every combination, so that a split is found if there is one: 3^9 combinations.
const FEW_GROUPS: usize = 9;

/// Rounds in which single groups change sides until nothing improves.
const ROUNDS: usize = 30;

/// What a part without one of the classes costs: more than any unevenness.
const LACKING: f64 = 1e6;

/// Groups with their examples, and the counts to spread evenly.
struct Groups {
    examples: Vec<Vec<usize>>,
    /// For each group, how many examples of which stratum.
    counts: Vec<Vec<(usize, f64)>>,
    /// For each stratum: its class, and all of its examples.
    strata: Vec<(Class, f64)>,
    shares: [f64; PARTS],
}

impl Groups {
    fn new(members: &[Member], indices: &[usize], shares: [f64; PARTS]) -> Self {
        let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut strata: BTreeMap<Stratum, f64> = BTreeMap::new();
        let stratum = |m: &Member| (m.class, m.attack);
        for &i in indices {
            groups.entry(members[i].group).or_default().push(i);
            *strata.entry(stratum(&members[i])).or_default() += 1.0;
        }
        let keys: Vec<Stratum> = strata.keys().copied().collect();
        let count = |group: &Vec<usize>| {
            let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
            for &i in group {
                let at = keys.partition_point(|k| *k < stratum(&members[i]));
                *counts.entry(at).or_default() += 1.0;
            }
            counts.into_iter().collect()
        };
        Self {
            counts: groups.values().map(count).collect(),
            examples: groups.into_values().collect(),
            strata: strata.into_iter().map(|((c, _), n)| (c, n)).collect(),
            shares,
        }
    }

    fn len(&self) -> usize {
        self.examples.len()
    }

    /// How far the parts are from what they should be: 0 is perfect.
    fn cost(&self, tally: &[Vec<f64>; PARTS]) -> f64 {
        let mut cost = 0.0;
        for (part, share) in tally.iter().zip(self.shares) {
            if share == 0.0 {
                continue;
            }
            for (have, (_, all)) in part.iter().zip(&self.strata) {
                let off = have / all - share;
                cost += off * off;
            }
            for class in [Class::Live, Class::Spoof] {
                let of = || {
                    self.strata
                        .iter()
                        .zip(part)
                        .filter(|((c, _), _)| *c == class)
                };
                if of().next().is_some() && of().all(|(_, &n)| n == 0.0) {
                    cost += LACKING;
                }
            }
        }
        cost
    }

    fn empty(&self) -> [Vec<f64>; PARTS] {
        std::array::from_fn(|_| vec![0.0; self.strata.len()])
    }

    fn put(&self, tally: &mut [Vec<f64>; PARTS], group: usize, part: usize, sign: f64) {
        for &(stratum, n) in &self.counts[group] {
            tally[part][stratum] += sign * n;
        }
    }

    fn parts(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        (0..PARTS).filter(|&p| self.shares[p] > 0.0)
    }

    /// The part of each group.
    fn assign(&self, rng: &mut ChaCha8Rng) -> (Vec<usize>, f64) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(rng);
        if self.len() <= FEW_GROUPS {
            return self.try_all(&order);
        }
        // The large ones first: the small ones then fill the gaps.
        order.sort_by_key(|&g| std::cmp::Reverse(self.examples[g].len()));
        let mut tally = self.empty();
        let mut sides = vec![0; self.len()];
        let best_of = |tally: &mut [Vec<f64>; PARTS], group: usize| {
            let mut best = (f64::INFINITY, 0);
            for part in self.parts() {
                self.put(tally, group, part, 1.0);
                let cost = self.cost(tally);
                self.put(tally, group, part, -1.0);
                if cost < best.0 {
                    best = (cost, part);
                }
            }
            self.put(tally, group, best.1, 1.0);
            best.1
        };
        for &group in &order {
            sides[group] = best_of(&mut tally, group);
        }
        for _ in 0..ROUNDS {
            let before = sides.clone();
            for &group in &order {
                self.put(&mut tally, group, sides[group], -1.0);
                sides[group] = best_of(&mut tally, group);
            }
            if sides == before {
                break;
            }
        }
        let cost = self.cost(&tally);
        (sides, cost)
    }

    /// The best of all combinations; among equals the first in this order.
    fn try_all(&self, order: &[usize]) -> (Vec<usize>, f64) {
        let parts: Vec<usize> = self.parts().collect();
        let combinations = parts.len().pow(self.len() as u32);
        let mut best = (vec![0; self.len()], f64::INFINITY);
        for mut number in 0..combinations {
            let mut tally = self.empty();
            let mut sides = vec![0; self.len()];
            for &group in order {
                sides[group] = parts[number % parts.len()];
                number /= parts.len();
                self.put(&mut tally, group, sides[group], 1.0);
            }
            let cost = self.cost(&tally);
            if cost < best.1 {
                best = (sides, cost);
            }
        }
        best
    }
}

fn by_groups(
    members: &[Member],
    indices: Vec<usize>,
    shares: [f64; PARTS],
    seed: u64,
) -> Result<Split> {
    let groups = Groups::new(members, &indices, shares);
    let parts = groups.parts().count();
    for class in [Class::Live, Class::Spoof] {
        let of = indices.iter().filter(|&&i| members[i].class == class);
        let different: BTreeSet<u32> = of.map(|&i| members[i].group).collect();
        if different.len() < parts {
            bail!(
                "{} of {class} cannot be split into {parts} parts: what belongs to one person or recording stays on one side. Add recordings of \
                 other people, or, if the names do not tell them apart, put each recording into a folder of its own",
                match different.len() {
                    1 => "one group".to_owned(),
                    n => format!("{n} groups"),
                }
            );
        }
    }
    let (sides, cost) = groups.assign(&mut ChaCha8Rng::seed_from_u64(seed));
    if cost >= LACKING {
        bail!(
            "the {} groups cannot be split into {parts} parts that all have both classes: add recordings of other people",
            groups.len()
        );
    }
    let mut split = Split::default();
    for (examples, side) in groups.examples.iter().zip(sides) {
        split.part(side).extend(examples);
    }
    split.sort();
    Ok(split)
}

/// Each stratum by itself, picture by picture.
fn by_pictures(members: &[Member], shares: [f64; PARTS], seed: u64) -> Split {
    let mut strata: BTreeMap<Stratum, Vec<usize>> = BTreeMap::new();
    for (i, m) in members.iter().enumerate() {
        strata.entry((m.class, m.attack)).or_default().push(i);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut split = Split::default();
    for mut examples in strata.into_values() {
        examples.shuffle(&mut rng);
        let count = |share: f64| (share * examples.len() as f64).round() as usize;
        let (val, test) = (count(shares[1]), count(shares[2]));
        let rest = examples.split_off((val + test).min(examples.len()));
        let test = examples.split_off(val.min(examples.len()));
        split.val.extend(examples);
        split.test.extend(test);
        split.train.extend(rest);
    }
    split.sort();
    split
}

/// The parts that the authors made; what has none, and parts that they did not make, are split by groups.
fn kept(members: &[Member], options: &Options, notes: &mut Vec<String>) -> Result<Split> {
    let mut split = Split::default();
    let mut homes: BTreeMap<u32, Subset> = BTreeMap::new();
    for m in members {
        if let Some(subset) = m.subset {
            // What the authors put on two sides belongs where it is held out most.
            let home = homes.entry(m.group).or_insert(subset);
            *home = (*home).max(subset);
        }
    }
    let (mut free, mut torn) = (Vec::new(), 0);
    for (i, m) in members.iter().enumerate() {
        match (m.subset, homes.get(&m.group)) {
            (None, None) => free.push(i),
            (Some(own), Some(home)) if own != *home => torn += 1,
            (_, Some(Subset::Train)) => split.train.push(i),
            (_, Some(Subset::Devel)) => split.val.push(i),
            (_, Some(Subset::Test)) => split.test.push(i),
            (Some(_), None) => torn += 1,
        }
    }
    if torn > 0 {
        notes.push(format!(
            "the authors' split tears people or recordings apart: {torn} pictures of those that are held out were dropped from the other side"
        ));
    }
    let missing_val = split.val.is_empty() && options.val > 0.0;
    if missing_val && !split.train.is_empty() {
        notes.push(
            "the authors' split has no part to validate on: it was taken from the part to train on"
                .to_owned(),
        );
        free.append(&mut split.train);
    }
    if !free.is_empty() {
        let test = if split.test.is_empty() {
            options.test
        } else {
            0.0
        };
        let shares = [1.0 - options.val - test, options.val, test];
        let more = by_groups(members, free, shares, options.seed)?;
        split.train.extend(more.train);
        split.val.extend(more.val);
        split.test.extend(more.test);
    }
    split.sort();
    if split.train.is_empty() {
        bail!("the authors' split leaves nothing to train on: leave out --split authors");
    }
    Ok(split)
}

impl Split {
    fn part(&mut self, side: usize) -> &mut Vec<usize> {
        match side {
            0 => &mut self.train,
            1 => &mut self.val,
            _ => &mut self.test,
        }
    }

    fn sort(&mut self) {
        for side in 0..PARTS {
            self.part(side).sort_unstable();
        }
    }
}

#[cfg(test)]
mod tests;
