// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which examples an epoch looks at, in which order. Depends on the run's seed and the epoch alone.

use std::collections::BTreeMap;

use super::Examples;
use crate::net::noise::{Noise, seed};

/// How an epoch draws its examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draw {
    /// Each once.
    Each,
    /// Each once, and the rarer class weighs more: both have the same sum of weights.
    Weighted,
    /// As many of each class: the rarer class's examples come several times.
    Classes,
    /// As many of each class, and within it as many of each group: a person with a thousand pictures is seen no oftener than one with
    /// ten.
    #[default]
    Groups,
}

/// Keeps the streams of random numbers for different purposes apart.
const ORDER: u64 = 1;
const AUGMENT: u64 = 2;

/// An example to look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Item {
    /// Its index.
    pub(super) index: usize,
    /// How it is augmented; `None`: not at all.
    pub(super) seed: Option<u64>,
    /// Its weight in the loss.
    pub(super) weight: f32,
}

/// The batches of one epoch: as many items as there are examples, sizes that differ by one at the most, so that none is too small for the
/// batch norms.
pub(super) fn epoch(
    examples: &dyn Examples,
    draw: Draw,
    batch: usize,
    run: u64,
    epoch: usize,
) -> Vec<Vec<Item>> {
    let n = examples.len();
    let mut noise = Noise::new(seed(&[run, ORDER, epoch as u64]));
    let order = match draw {
        Draw::Each | Draw::Weighted => {
            let mut order: Vec<usize> = (0..n).collect();
            noise.shuffle(&mut order);
            order
        }
        Draw::Classes => balanced(examples, &mut noise, |_| 0),
        Draw::Groups => balanced(examples, &mut noise, |i| examples.group(i)),
    };
    let lives = (0..n).filter(|i| examples.is_live(*i)).count();
    let class = |live: bool| match draw {
        Draw::Weighted => n as f32 / (2.0 * if live { lives } else { n - lives }.max(1) as f32),
        _ => 1.0,
    };
    let items: Vec<Item> = order
        .into_iter()
        .enumerate()
        .map(|(place, index)| Item {
            index,
            // By the place, not the index: an example that comes twice is augmented differently.
            seed: Some(seed(&[run, AUGMENT, epoch as u64, place as u64])),
            weight: examples.weight(index) * class(examples.is_live(index)),
        })
        .collect();
    split(items, batch)
}

/// Cuts `items` into the number of batches that comes nearest to `batch` items each.
fn split(items: Vec<Item>, batch: usize) -> Vec<Vec<Item>> {
    let n = items.len();
    let count = ((n as f64 / batch.max(1) as f64).round() as usize).clamp(1, n.max(1));
    let start = |k: usize| k * n / count;
    (0..count)
        .map(|k| items[start(k)..start(k + 1)].to_vec())
        .collect()
}

/// As many indices as there are examples: live and spoof in turn, within each the groups in turn, within each its examples in turn. Every
/// turn has a new random order.
fn balanced(
    examples: &dyn Examples,
    noise: &mut Noise,
    group: impl Fn(usize) -> u32,
) -> Vec<usize> {
    let n = examples.len();
    let mut classes: [BTreeMap<u32, Vec<usize>>; 2] = Default::default();
    for i in 0..n {
        let class = &mut classes[usize::from(examples.is_live(i))];
        class.entry(group(i)).or_default().push(i);
    }
    let mut classes: Vec<Turns<Turns<usize>>> = classes
        .into_iter()
        .filter(|class| !class.is_empty())
        .map(|class| Turns::new(class.into_values().map(Turns::new).collect()))
        .collect();
    let count = classes.len();
    let mut order: Vec<usize> = (0..n)
        .filter_map(|k| {
            let group = classes[k % count].next(noise)?;
            group.next(noise).copied()
        })
        .collect();
    noise.shuffle(&mut order);
    order
}

/// Hands out all of a list, then all again in another order.
struct Turns<T> {
    list: Vec<T>,
    next: usize,
}

impl<T> Turns<T> {
    fn new(list: Vec<T>) -> Self {
        let next = list.len();
        Self { list, next }
    }

    fn next(&mut self, noise: &mut Noise) -> Option<&mut T> {
        if self.next >= self.list.len() {
            noise.shuffle(&mut self.list);
            self.next = 0;
        }
        self.next += 1;
        self.list.get_mut(self.next - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 spoofs of one person, 6 lives of one and 4 of another.
    struct Uneven;

    impl Examples for Uneven {
        fn len(&self) -> usize {
            40
        }
        fn is_live(&self, i: usize) -> bool {
            i >= 30
        }
        fn group(&self, i: usize) -> u32 {
            u32::from(i >= 36)
        }
        fn fill(&self, _: usize, _: Option<u64>, _: &mut [f32]) {}
    }

    fn indices(draw: Draw, number: usize) -> Vec<usize> {
        let batches = epoch(&Uneven, draw, 8, 1, number);
        assert_eq!(batches.len(), 5);
        batches.iter().flatten().map(|i| i.index).collect()
    }

    #[test]
    fn each_comes_once_in_another_order_every_epoch() {
        let (first, second) = (indices(Draw::Each, 0), indices(Draw::Each, 1));
        assert_ne!(first, second);
        assert_eq!(first, indices(Draw::Each, 0));
        let mut sorted = first;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn classes_and_groups_are_balanced() {
        for draw in [Draw::Classes, Draw::Groups] {
            let all = indices(draw, 0);
            assert_eq!(all.iter().filter(|i| **i >= 30).count(), 20, "{draw:?}");
        }
        let all = indices(Draw::Groups, 0);
        assert_eq!(all.iter().filter(|i| **i >= 36).count(), 10);
        // Every example of the smaller groups comes before any comes a third time more.
        let count = |i: usize| all.iter().filter(|j| **j == i).count();
        assert!((36..40).all(|i| (2..=3).contains(&count(i))));
    }

    #[test]
    fn weights_make_up_for_the_rarer_class() {
        let batches = epoch(&Uneven, Draw::Weighted, 8, 1, 0);
        let sum = |live: bool| -> f32 {
            let items = batches.iter().flatten();
            let items = items.filter(|i| Uneven.is_live(i.index) == live);
            items.map(|i| i.weight).sum()
        };
        assert!((sum(true) - sum(false)).abs() < 1e-3);
    }

    #[test]
    fn batches_are_even_and_repeats_are_augmented_differently() {
        let items = vec![
            Item {
                index: 0,
                seed: None,
                weight: 1.0
            };
            33
        ];
        let sizes: Vec<usize> = split(items, 32).iter().map(Vec::len).collect();
        assert_eq!(sizes, [33]);
        let batches = epoch(&Uneven, Draw::Classes, 8, 1, 0);
        let mut seeds: Vec<_> = batches.iter().flatten().map(|i| i.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 40);
    }
}
