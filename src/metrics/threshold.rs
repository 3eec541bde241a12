// SPDX-License-Identifier: MIT OR Apache-2.0
//! Thresholds, chosen on answers that nothing else is measured on.

use std::collections::BTreeMap;

use super::Answer;
use super::ranking::Ranking;

/// Which attacks a bound holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For each species by itself, thus for the worst.
    Worst,
    /// For all attacks together.
    Pooled,
}

/// The lowest threshold at which no more than the share `apcer` (0..1) of the attacks is accepted: the one with the lowest BPCER that
/// keeps the bound. Above 1 where only refusing everybody does. None without attacks.
pub fn threshold_for_apcer(answers: &[Answer], apcer: f64, scope: Scope) -> Option<f64> {
    let mut species: BTreeMap<&str, Vec<Option<f64>>> = BTreeMap::new();
    for answer in answers.iter().filter(|a| !a.bona_fide) {
        let name = match scope {
            Scope::Worst => answer.species.as_str(),
            Scope::Pooled => "",
        };
        let scores = species.entry(name).or_default();
        scores.push(answer.probability());
    }
    if species.is_empty() {
        return None;
    }
    // The highest score that must be refused, over all species.
    let highest = species.into_values().filter_map(|mut scores| {
        scores.sort_by(|a, b| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
        // 0.29 * 100 is 28.999…: what misses a whole number by rounding alone is that number.
        let allowed = (apcer * scores.len() as f64 + 1e-9).floor().max(0.0) as usize;
        scores.get(allowed).copied().flatten()
    });
    let highest = highest.fold(f64::NEG_INFINITY, f64::max);
    let ranking = Ranking::tagged(answers.iter().map(|a| (a, 0)));
    ranking.thresholds().find(|t| *t > highest)
}

/// The threshold of equal errors over several sets: each set weighs the same, and in it each class half, however many pictures it has.
/// To be used on other sets than these. None where a class is missing from all of them.
pub fn equal_weight_threshold(sets: &[&[Answer]]) -> Option<f64> {
    let weights: Vec<[f64; 2]> = sets
        .iter()
        .map(|set| {
            let live = set.iter().filter(|a| a.bona_fide).count();
            [set.len() - live, live].map(|n| 1.0 / n.max(1) as f64)
        })
        .collect();
    let tagged = sets.iter().enumerate();
    let tagged = tagged.flat_map(|(i, set)| set.iter().map(move |a| (a, i)));
    let ranking = Ranking::tagged(tagged);
    let weight = |e: &super::ranking::Entry| {
        let of_set = weights.get(e.tag).copied().unwrap_or_default();
        of_set[usize::from(e.bona_fide)]
    };
    ranking.eer(weight).map(|eer| eer.threshold)
}
