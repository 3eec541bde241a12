// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes away what gives the classes of a data set away without the face: each class's brightness, contrast, saturation, resolution
//! and compression are brought to the same distribution.
//!
//! Each number keeps its rank within its class and gets the value that this rank has in a distribution that both classes share. For light
//! and colour that is the one half way between them, which changes each as little as possible; pixels and quality can only be taken away,
//! so there it is the lower of the two at each rank.

use super::dice::Dice;
use super::stats::Stats;

/// Factors of contrast and saturation, at the most and the least: beyond it the noise of a flat picture becomes its content.
const MOST_GAIN: f32 = 2.5;

/// Levels of brightness, at the most.
const MOST_SHIFT: f32 = 60.0;

/// Quality to compress with at the best. All examples are compressed: a second time beside a first one would give the class away.
const BEST_QUALITY: f32 = 95.0;

/// What is to be done with one example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    /// Factor of contrast, around the picture's mean.
    pub(super) contrast: f32,
    /// Factor of saturation.
    pub(super) saturation: f32,
    /// Levels to add, of 255.
    pub(super) brightness: f32,
    /// Pixels of the picture for one of the input, at the most.
    pub(super) resolution: f32,
    /// JPEG quality.
    pub(super) quality: f32,
}

/// The distributions of both classes.
#[derive(Clone, Debug)]
pub struct Equaliser {
    /// For each number of [`Stats::values`] the sorted values of live and of spoof.
    sorted: [[Vec<f32>; 2]; 5],
}

impl Equaliser {
    /// Learns the distributions of the examples to train on: live or not, and their numbers. None where a class is missing.
    pub fn new(examples: impl Iterator<Item = (bool, Stats)>) -> Option<Self> {
        let mut sorted: [[Vec<f32>; 2]; 5] = Default::default();
        for (live, stats) in examples {
            for (of, value) in sorted.iter_mut().zip(stats.values()) {
                of[usize::from(!live)].push(value);
            }
        }
        let lists = sorted.iter_mut().flatten();
        lists.for_each(|list| list.sort_by(f32::total_cmp));
        let both = sorted[0].iter().all(|list| !list.is_empty());
        both.then_some(Self { sorted })
    }

    /// What to do with an example of these numbers. Among equals the rank is drawn.
    pub(super) fn plan(&self, live: bool, stats: &Stats, seed: u64) -> Plan {
        let mut dice = Dice::new(seed, 14);
        let own = stats.values();
        let mut targets = own;
        for (i, target) in targets.iter_mut().enumerate() {
            let lists = &self.sorted[i];
            let rank = rank(&lists[usize::from(!live)], own[i], dice.unit());
            let [a, b] = lists.each_ref().map(|list| at(list, rank));
            // Light and colour half way, pixels and quality the lower.
            *target = if i < 3 { (a + b) / 2.0 } else { a.min(b) };
        }
        let gain = |i: usize| {
            let gain = if own[i] > 0.0 {
                targets[i] / own[i]
            } else {
                1.0
            };
            gain.clamp(1.0 / MOST_GAIN, MOST_GAIN)
        };
        let contrast = gain(1);
        Plan {
            contrast,
            // Contrast changes the colours, too.
            saturation: (gain(2) / contrast).clamp(1.0 / MOST_GAIN, MOST_GAIN),
            brightness: (targets[0] - own[0]).clamp(-MOST_SHIFT, MOST_SHIFT),
            resolution: targets[3],
            quality: targets[4].min(BEST_QUALITY),
        }
    }
}

/// The share of a sorted list below a value; within its equals by `draw`, 0..1.
fn rank(sorted: &[f32], value: f32, draw: f32) -> f32 {
    let below = sorted.partition_point(|v| *v < value);
    let to = sorted.partition_point(|v| *v <= value);
    (below as f32 + draw * (to - below) as f32) / sorted.len() as f32
}

/// The value of a sorted list at a rank, 0..1.
fn at(sorted: &[f32], rank: f32) -> f32 {
    let place = (rank * sorted.len() as f32 - 0.5).clamp(0.0, sorted.len() as f32 - 1.0);
    let (low, share) = (place as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(i: usize, live: bool) -> Stats {
        let i = i as f32;
        match live {
            true => Stats {
                brightness: 120.0 + 0.2 * i,
                contrast: 50.0 + 0.1 * i,
                saturation: 60.0 + 0.1 * i,
                resolution: 2.0 + 0.01 * i,
                quality: 95.0,
            },
            false => Stats {
                brightness: 90.0 + 0.3 * i,
                contrast: 35.0 + 0.2 * i,
                saturation: 30.0 + 0.2 * i,
                resolution: 0.5 + 0.02 * i,
                quality: if i < 50.0 { 60.0 } else { 90.0 },
            },
        }
    }

    fn mean(values: &[f32]) -> f32 {
        values.iter().sum::<f32>() / values.len() as f32
    }

    #[test]
    fn both_classes_come_to_the_same_numbers() {
        let all = [true, false];
        let examples = all
            .into_iter()
            .flat_map(|l| (0..100).map(move |i| (l, stats(i, l))));
        let equaliser = Equaliser::new(examples).unwrap();
        let after = |live: bool, of: &dyn Fn(&Stats, &Plan) -> f32| {
            let values: Vec<f32> = (0..100)
                .map(|i| {
                    let stats = stats(i, live);
                    of(&stats, &equaliser.plan(live, &stats, i as u64))
                })
                .collect();
            mean(&values)
        };
        let same = |of: &dyn Fn(&Stats, &Plan) -> f32, tolerance: f32| {
            let (live, spoof) = (after(true, of), after(false, of));
            assert!((live - spoof).abs() < tolerance, "{live} {spoof}");
        };
        same(&|s, p| s.contrast * p.contrast, 0.5);
        same(&|s, p| s.saturation * p.saturation * p.contrast, 0.5);
        same(&|s, p| s.brightness + p.brightness, 0.5);
        same(&|s, p| s.resolution.min(p.resolution), 0.05);
        same(&|_, p| p.quality, 3.0);
        for i in 0..100 {
            let stats = stats(i, true);
            let plan = equaliser.plan(true, &stats, 5);
            assert!(plan.resolution <= stats.resolution + 1e-4 && plan.quality <= 95.0);
        }
    }

    #[test]
    fn one_class_alone_cannot_be_equalised() {
        assert!(Equaliser::new((0..9).map(|i| (true, stats(i, true)))).is_none());
        assert!(Equaliser::new(std::iter::empty()).is_none());
    }

    #[test]
    fn ranks_and_values_are_each_others_inverse() {
        let list = [1.0, 2.0, 2.0, 5.0];
        assert_eq!(rank(&list, 2.0, 0.5), 0.5);
        assert_eq!(rank(&list, 5.0, 0.5), 0.875);
        assert_eq!(at(&list, 0.875), 5.0);
        assert_eq!(at(&list, 0.0), 1.0);
        assert_eq!(at(&list, 1.0), 5.0);
        assert_eq!(at(&[7.0], 0.3), 7.0);
    }
}
