// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much each example counts, so that no class, kind of attack or recording rules by its number.

use std::collections::{BTreeMap, BTreeSet};

use liveness::dataset::label::Class;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::split::Member;

/// What is balanced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// Live and spoof count the same.
    pub classes: bool,
    /// Within spoof the kinds of attack count the same; those that nobody named are one kind.
    pub attacks: bool,
    /// A group counts at most this many times the median group of its kind; none: as many as it has.
    pub cap: Option<f64>,
}

impl Default for Balance {
    fn default() -> Self {
        Self {
            classes: true,
            attacks: true,
            // A recording of a minute beside ones of 20 seconds still counts in full.
            cap: Some(3.0),
        }
    }
}

/// How much an example counts at the most, as a multiple of the mean: a kind of attack with ten pictures drawn a hundred times
/// over is learned by heart.
const MOST: f64 = 8.0;

/// Rounds until the limit holds within a thousandth.
const ROUNDS: usize = 40;

/// The weight of each member, their mean 1.
pub fn weights(members: &[Member], balance: &Balance) -> Vec<f32> {
    let kind = |m: &Member| (m.class, m.attack.filter(|_| balance.attacks));
    let mut kinds: BTreeMap<_, BTreeMap<u32, f64>> = BTreeMap::new();
    for m in members {
        *kinds
            .entry(kind(m))
            .or_default()
            .entry(m.group)
            .or_default() += 1.0;
    }
    let mut capped: BTreeMap<_, f64> = BTreeMap::new();
    let mut total: BTreeMap<_, f64> = BTreeMap::new();
    for (kind, groups) in &kinds {
        let mut sizes: Vec<f64> = groups.values().copied().collect();
        sizes.sort_by(f64::total_cmp);
        let most = balance
            .cap
            .map_or(f64::INFINITY, |cap| cap * sizes[sizes.len() / 2]);
        for (group, n) in groups {
            capped.insert((*kind, *group), n.min(most) / n);
            *total.entry(*kind).or_default() += n.min(most);
        }
    }
    let classes: BTreeSet<Class> = kinds.keys().map(|(c, _)| *c).collect();
    let of_class = |class: Class| total.iter().filter(move |((c, _), _)| *c == class);
    let all: f64 = total.values().sum();
    let share = |kind: &(Class, _)| {
        let in_class: f64 = of_class(kind.0).map(|(_, n)| n).sum();
        let class = match balance.classes {
            true => 1.0 / classes.len() as f64,
            false => in_class / all,
        };
        let within = match balance.attacks {
            true => 1.0 / of_class(kind.0).count() as f64,
            false => total[kind] / in_class,
        };
        class * within
    };
    let shares: BTreeMap<_, f64> = kinds.keys().map(|k| (*k, share(k))).collect();
    let n = members.len() as f64;
    let weight = |m: &Member| {
        let kind = kind(m);
        n * shares[&kind] / total[&kind] * capped[&(kind, m.group)]
    };
    let mut weights: Vec<f64> = members.iter().map(weight).collect();
    // What is cut off lowers the mean, and that the limit: a few rounds bring both together.
    for _ in 0..ROUNDS {
        weights.iter_mut().for_each(|w| *w = w.min(MOST));
        let mean = weights.iter().sum::<f64>() / n.max(1.0);
        weights.iter_mut().for_each(|w| *w /= mean);
    }
    weights.into_iter().map(|w| w as f32).collect()
}

/// The examples of one epoch in the order in which they are seen: `n` indices, each drawn in proportion to its weight, nobody
/// more or less often than its share rounded up or down. The same seed and epoch give the same list.
pub fn epoch(weights: &[f32], n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(epoch);
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.shuffle(&mut rng);
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    if !(total > 0.0 && total.is_finite()) {
        return Vec::new();
    }
    // Systematic sampling: equal steps along the weights laid end to end (Madow 1949).
    let step = total / n.max(1) as f64;
    let mut next = rng.random::<f64>() * step;
    let mut end = 0.0;
    let mut drawn = Vec::with_capacity(n);
    for i in order {
        end += f64::from(weights[i]);
        while next < end && drawn.len() < n {
            drawn.push(i);
            next += step;
        }
    }
    // Rounding may leave the last step behind the end.
    while drawn.len() < n
        && let Some(&last) = drawn.last()
    {
        drawn.push(last);
    }
    drawn.shuffle(&mut rng);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveness::dataset::label::Attack;
    use proptest::prelude::*;

    fn many(n: usize, class: Class, attack: Option<Attack>, group: u32) -> Vec<Member> {
        let one = Member {
            class,
            attack,
            group,
            subset: None,
        };
        vec![one; n]
    }

    fn set() -> Vec<Member> {
        let mut all = many(100, Class::Live, None, 0);
        all.extend(many(20, Class::Live, None, 1));
        all.extend(many(20, Class::Live, None, 2));
        all.extend(many(30, Class::Spoof, Some(Attack::Print), 0));
        all.extend(many(10, Class::Spoof, Some(Attack::Replay), 3));
        all
    }

    fn sum(members: &[Member], weights: &[f32], is: impl Fn(&Member) -> bool) -> f32 {
        let picked = members.iter().zip(weights).filter(|(m, _)| is(m));
        picked.map(|(_, w)| w).sum()
    }

    #[test]
    fn classes_kinds_and_groups_get_their_shares() {
        let members = set();
        let weights = weights(&members, &Balance::default());
        let n = members.len() as f32;
        let share = |is: &dyn Fn(&Member) -> bool| sum(&members, &weights, is) / n;
        assert!((share(&|_| true) - 1.0).abs() < 1e-4);
        assert!((share(&|m| m.class == Class::Live) - 0.5).abs() < 1e-4);
        assert!((share(&|m| m.attack == Some(Attack::Replay)) - 0.25).abs() < 1e-4);
        // 100 of 140 are capped at 3 times the median of 20: 60 of 100.
        let large = share(&|m| m.class == Class::Live && m.group == 0);
        assert!((large - 0.3).abs() < 1e-4, "{large}");
    }

    #[test]
    fn nothing_balanced_is_one_each() {
        let none = Balance {
            classes: false,
            attacks: false,
            cap: None,
        };
        assert!(
            weights(&set(), &none)
                .iter()
                .all(|w| (w - 1.0).abs() < 1e-6)
        );
        assert!(weights(&[], &Balance::default()).is_empty());
    }

    #[test]
    fn a_handful_is_not_repeated_without_end() {
        let mut members = many(1000, Class::Live, None, 0);
        members.extend(many(2, Class::Spoof, None, 1));
        let weights = weights(&members, &Balance::default());
        let mean = weights.iter().sum::<f32>() / weights.len() as f32;
        assert!((mean - 1.0).abs() < 1e-4);
        assert!(weights.iter().all(|w| *w < 8.01), "{:?}", weights.last());
    }

    #[test]
    fn an_epoch_is_the_same_for_the_same_seed_only() {
        let weights = vec![1.0; 50];
        assert_eq!(epoch(&weights, 50, 7, 3), epoch(&weights, 50, 7, 3));
        assert_ne!(epoch(&weights, 50, 7, 3), epoch(&weights, 50, 7, 4));
        assert_ne!(epoch(&weights, 50, 7, 3), epoch(&weights, 50, 8, 3));
    }

    proptest! {
        #[test]
        fn everybody_is_drawn_by_weight(
            weights in proptest::collection::vec(0.1f32..8.0, 1..80), n in 1usize..300, seed: u64, number in 0u64..9,
        ) {
            let drawn = epoch(&weights, n, seed, number);
            prop_assert_eq!(drawn.len(), n);
            let total: f32 = weights.iter().sum();
            for (i, w) in weights.iter().enumerate() {
                let times = drawn.iter().filter(|&&d| d == i).count() as f32;
                let share = n as f32 * w / total;
                prop_assert!((times - share).abs() < 1.01, "{times} times instead of {share}");
            }
        }
    }
}
