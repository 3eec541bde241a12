// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which settings do best: successive halving (Jamieson and Talwalkar 2016). Many settings get a few epochs, the better ones more, and so on.

use anyhow::{Result, ensure};

use super::Score;
use crate::net::noise::{Noise, seed};

/// From where to where a setting is tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The lowest value.
    pub low: f32,
    /// The highest.
    pub high: f32,
    /// Draw so that every factor is as likely, not every difference: for rates.
    pub by_factor: bool,
}

impl Range {
    /// One value only.
    pub const fn fixed(value: f32) -> Self {
        Self::even(value, value)
    }

    /// Every difference is as likely.
    pub const fn even(low: f32, high: f32) -> Self {
        Self {
            low,
            high,
            by_factor: false,
        }
    }

    /// Every factor is as likely; both must be above 0.
    pub const fn factor(low: f32, high: f32) -> Self {
        Self {
            low,
            high,
            by_factor: true,
        }
    }

    fn draw(&self, noise: &mut Noise) -> f32 {
        // One number per range, used or not: fixing one setting leaves the draws of the others.
        let unit = noise.unit();
        if self.by_factor && self.low > 0.0 {
            self.low * (self.high / self.low).powf(unit)
        } else {
            self.low + (self.high - self.low) * unit
        }
    }
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Space {
    /// Of [`Setting::rate`].
    pub rate: Range,
    /// Of [`Setting::decay`].
    pub decay: Range,
    /// Of [`Setting::width`].
    pub width: Range,
    /// Of [`Setting::dropout`].
    pub dropout: Range,
    /// Of [`Setting::strength`].
    pub strength: Range,
    /// Of [`Setting::smoothing`].
    pub smoothing: Range,
}

impl Default for Space {
    /// A factor of about ten to both sides of AdamW's usual rate and decay; the rest as far as it makes sense.
    fn default() -> Self {
        Self {
            rate: Range::factor(1e-4, 1e-2),
            decay: Range::factor(1e-3, 0.3),
            width: Range::even(0.5, 1.25),
            dropout: Range::even(0.0, 0.6),
            strength: Range::even(0.0, 1.5),
            smoothing: Range::even(0.0, 0.15),
        }
    }
}

/// One draw from a [`Space`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Highest learning rate.
    pub rate: f32,
    /// Weight decay.
    pub decay: f32,
    /// Factor on the number of channels.
    pub width: f32,
    /// Share of dropped numbers.
    pub dropout: f32,
    /// How strongly examples are augmented, 1 as designed.
    pub strength: f32,
    /// Label smoothing.
    pub smoothing: f32,
}

impl Space {
    /// `n` settings; the same for the same seed, and the first ones the same for any `n`.
    pub fn draw(&self, n: usize, run: u64) -> Vec<Setting> {
        (0..n)
            .map(|i| {
                let mut noise = Noise::new(seed(&[run, i as u64]));
                let mut draw = |range: &Range| range.draw(&mut noise);
                Setting {
                    rate: draw(&self.rate),
                    decay: draw(&self.decay),
                    width: draw(&self.width),
                    dropout: draw(&self.dropout),
                    strength: draw(&self.strength),
                    smoothing: draw(&self.smoothing),
                }
            })
            .collect()
    }
}

/// How the work is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halving {
    /// Epochs that all settings get.
    pub epochs: usize,
    /// In each round this part goes on (3: the best third), with as many times more epochs.
    pub part: usize,
    /// Rounds at the most; it also ends when one setting is left.
    pub rounds: usize,
}

impl Default for Halving {
    /// A third goes on, as Hyperband's authors (Li and others 2017) found to do well.
    fn default() -> Self {
        Self {
            epochs: 4,
            part: 3,
            rounds: 3,
        }
    }
}

/// A setting and how it did in the last round that it was in.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial<T> {
    /// The setting.
    pub setting: T,
    /// Its place in the list that was given.
    pub number: usize,
    /// Epochs of its last round.
    pub epochs: usize,
    /// What it reached there.
    pub score: Score,
}

/// All settings, the best first. Those that got further stand before those that did not.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking<T> {
    /// The trials.
    pub trials: Vec<Trial<T>>,
}

/// Finds the best of `settings`. `run` trains with one of them for a number of epochs, from scratch, and gives the best score on the
/// validation examples; `None`: it was told to stop, and so is this.
///
/// Each round starts anew: a run's learning rates depend on its number of epochs, and a run cut short is not one that was planned short.
///
/// # Errors
/// Without settings, where nothing may go on, and those of `run`.
pub fn tune<T: Clone>(
    settings: &[T],
    halving: &Halving,
    mut run: impl FnMut(&T, usize) -> Result<Option<Score>>,
) -> Result<Ranking<T>> {
    ensure!(!settings.is_empty(), "there is nothing to choose from");
    ensure!(
        halving.part >= 2 && halving.epochs > 0 && halving.rounds > 0,
        "a part of at least 2, epochs and rounds of at least 1 are needed: {halving:?}"
    );
    let mut left: Vec<(usize, T)> = settings.iter().cloned().enumerate().collect();
    let mut ranked: Vec<Trial<T>> = Vec::new();
    let mut epochs = halving.epochs;
    for round in 0..halving.rounds {
        let mut trials = Vec::new();
        for (number, setting) in &left {
            let Some(score) = run(setting, epochs)? else {
                trials.sort_by(order);
                return Ok(merge(trials, ranked));
            };
            trials.push(Trial {
                setting: setting.clone(),
                number: *number,
                epochs,
                score,
            });
        }
        trials.sort_by(order);
        let keep = trials.len().div_ceil(halving.part);
        let last = round + 1 == halving.rounds || trials.len() == 1;
        if !last {
            let kept = trials.iter().take(keep);
            left = kept.map(|t| (t.number, t.setting.clone())).collect();
        }
        ranked = merge(trials, ranked).trials;
        if last {
            break;
        }
        epochs *= halving.part;
    }
    Ok(Ranking { trials: ranked })
}

fn order<T>(a: &Trial<T>, b: &Trial<T>) -> std::cmp::Ordering {
    let by_error = a.score.eer.total_cmp(&b.score.eer);
    by_error.then(a.score.loss.total_cmp(&b.score.loss))
}

/// The newer trials before the older ones of other settings.
fn merge<T>(newer: Vec<Trial<T>>, older: Vec<Trial<T>>) -> Ranking<T> {
    let mut trials = newer;
    for trial in older {
        if trials.iter().all(|t| t.number != trial.number) {
            trials.push(trial);
        }
    }
    Ranking { trials }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(eer: f64) -> Score {
        Score {
            eer,
            ..Score::default()
        }
    }

    #[test]
    fn the_best_gets_furthest_and_most_get_little() {
        let settings: Vec<usize> = (0..9).collect();
        let mut spent = [0; 9];
        let ranking = tune(&settings, &Halving::default(), |s, epochs| {
            spent[*s] += epochs;
            // 4 is the best, the further the worse; more epochs help all alike.
            Ok(Some(score(
                s.abs_diff(4) as f64 / 10.0 + 0.1 / epochs as f64,
            )))
        })
        .unwrap();
        assert_eq!(ranking.trials[0].setting, 4);
        assert_eq!(ranking.trials[0].epochs, 36);
        assert_eq!(ranking.trials.len(), 9);
        assert_eq!(spent[4], 4 + 12 + 36);
        assert_eq!(spent[0], 4);
    }

    #[test]
    fn stopping_keeps_what_is_known() {
        let mut runs = 0;
        let ranking = tune(&[1, 2, 3], &Halving::default(), |s, _| {
            runs += 1;
            Ok((runs <= 2).then(|| score(f64::from(*s))))
        })
        .unwrap();
        assert_eq!(ranking.trials.len(), 2);
        assert!(tune(&[0; 0], &Halving::default(), |_, _| Ok(None)).is_err());
    }

    #[test]
    fn draws_stay_in_their_ranges_and_are_repeatable() {
        let space = Space::default();
        let all = space.draw(200, 5);
        assert_eq!(all[..10], space.draw(10, 5));
        assert_ne!(all[0], space.draw(1, 6)[0]);
        assert!(all.iter().all(|s| (1e-4..=1e-2).contains(&s.rate)));
        // Half of the draws of a rate lie below the geometric mean.
        let low = all.iter().filter(|s| s.rate < 1e-3).count();
        assert!((70..130).contains(&low), "{low}");
        let fixed = Space {
            width: Range::fixed(1.0),
            ..space
        };
        let other = fixed.draw(1, 5)[0];
        assert_eq!((other.width, other.dropout), (1.0, all[0].dropout));
    }
}
