// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the looks at one face say together: log-odds that fade with time, and a stand that does not flicker. Knows numbers only.
//!
//! The mean of the looks is kept, not their sum: looks at neighbouring frames say nearly the same, so a camera of 60 frames a second
//! must not be twice as sure as one of 30, nor a face that was looked at for an hour an hour's work to turn.

/// Most that one look says, in log-odds away from the threshold: 0.05 and 0.95 at a threshold of 0.5. A model that says 0 or 1 is no
/// surer than that; without it the few frames that a model is wrong about outweigh all others.
const STRONGEST: f64 = 3.0;
/// How far the mean must lie from the threshold for a verdict that is not there yet, in log-odds: 0.6 or 0.4 at a threshold of 0.5. A
/// verdict that stands needs only to stay on its side. Of 0.2, 0.4 and 0.6, the middle one: 3043 faces of 19 clips, judged by the MiniFASNet
/// pair, changed their label 11, 7 and 7 times by evidence alone instead of 61, and with 0.6 a live person of whom it says 0.6 hardly gets a verdict.
const ENTER: f64 = 0.4;
/// Looks that a first verdict needs, those at bad pictures counted by their weight.
const ENOUGH: f64 = 4.0;
/// Least share of the evidence so far that outlives one look, where looks are rarer than the half-life: else the last would decide alone.
const LEAST_KEPT: f64 = 0.6;

/// Nearest that a probability comes to 0 and 1, so that its log-odds are finite …
const LEAST: f64 = 1e-5;
/// … and a threshold: still nearer, so that 0 lets everybody in and 1 nobody.
const LEAST_THRESHOLD: f64 = 1e-7;

/// Where a face stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stand {
    /// Too few looks for a verdict.
    #[default]
    Collecting,
    /// Evidence against.
    Spoof,
    /// Evidence for neither.
    Undecided,
    /// Evidence for.
    Live,
}

/// The looks at one face.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// Of log-odds times weights, faded.
    sum: f64,
    /// Of weights, faded.
    weight: f64,
    /// Of weights, not faded, up to what is enough.
    heard: f64,
    looks: u32,
    /// Of the last look.
    odds: f64,
    stand: Stand,
}

impl Evidence {
    /// One more look, `passed` seconds after the one before: `odds` as of [`log_odds`], `weight` above 0 and up to 1. Earlier looks count
    /// half after `half_life` seconds.
    pub(super) fn hear(&mut self, odds: f64, weight: f64, passed: f64, half_life: f64) {
        let kept = (-passed / half_life).exp2().max(LEAST_KEPT);
        self.sum = kept * self.sum + weight * odds;
        self.weight = kept * self.weight + weight;
        self.heard = (self.heard + weight).min(ENOUGH);
        self.looks = self.looks.saturating_add(1);
        let before = std::mem::replace(&mut self.odds, odds);
        if self.heard < ENOUGH {
            return;
        }
        let mean = self.mean();
        self.stand = match self.stand {
            Stand::Live if mean >= 0.0 => Stand::Live,
            Stand::Spoof if mean < 0.0 => Stand::Spoof,
            // Never in one step from one to the other.
            Stand::Live | Stand::Spoof => Stand::Undecided,
            // Nor by one look alone, where looks are so rare that the last weighs as much as all before.
            _ if mean >= ENTER && odds.min(before) >= 0.0 => Stand::Live,
            _ if mean <= -ENTER && odds.max(before) < 0.0 => Stand::Spoof,
            _ => Stand::Undecided,
        };
    }

    /// The mean of the log-odds; 0 without a look.
    fn mean(&self) -> f64 {
        if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            0.0
        }
    }

    pub(super) fn stand(&self) -> Stand {
        self.stand
    }

    /// A verdict stands, and the last look agreed with it.
    pub(super) fn is_settled(&self) -> bool {
        match self.stand {
            Stand::Live => self.odds >= 0.0,
            Stand::Spoof => self.odds < 0.0,
            _ => false,
        }
    }

    /// Looks that were heard.
    pub(super) fn looks(&self) -> u32 {
        self.looks
    }

    /// All looks together as a probability of live, where there was one. Never below `threshold` with a stand of live, never above it
    /// with one of spoof.
    pub(super) fn probability(&self, threshold: f32) -> Option<f32> {
        (self.looks > 0).then(|| {
            let odds = self.mean() + logit(of_threshold(threshold));
            (1.0 / (1.0 + (-odds).exp())) as f32
        })
    }
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// A threshold inside 0..1. One that is no number lets nobody in.
fn of_threshold(threshold: f32) -> f64 {
    let threshold = if threshold.is_nan() { 1.0 } else { threshold };
    f64::from(threshold).clamp(LEAST_THRESHOLD, 1.0 - LEAST_THRESHOLD)
}

/// How far an answer lies from the threshold, in log-odds: above 0 for live. `None` for what is no probability.
pub(super) fn log_odds(live: Option<f32>, threshold: f32) -> Option<f64> {
    let live = live.filter(|p| (0.0..=1.0).contains(p))?;
    let live = f64::from(live).clamp(LEAST, 1.0 - LEAST);
    let odds = logit(live) - logit(of_threshold(threshold));
    Some(odds.clamp(-STRONGEST, STRONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Where a face stands after each of these looks, all good, at `rate` looks a second.
    fn stands(looks: &[f32], rate: f64, half_life: f64) -> Vec<Stand> {
        let looks: Vec<_> = looks.iter().map(|&p| (p, 1.0)).collect();
        weighed(&looks, rate, half_life)
    }

    /// The same of looks with weights.
    fn weighed(looks: &[(f32, f64)], rate: f64, half_life: f64) -> Vec<Stand> {
        let mut evidence = Evidence::default();
        looks
            .iter()
            .map(|&(p, weight)| {
                let odds = log_odds(Some(p), 0.5).unwrap();
                evidence.hear(odds, weight, 1.0 / rate, half_life);
                evidence.stand()
            })
            .collect()
    }

    #[test]
    fn a_first_verdict_comes_within_five_looks_and_never_from_one() {
        for rate in [0.5, 5.0, 30.0, 60.0] {
            for (p, wanted) in [(0.9, Stand::Live), (0.65, Stand::Live), (0.1, Stand::Spoof)] {
                let all = stands(&[p; 5], rate, 0.5);
                assert_eq!(all[..3], [Stand::Collecting; 3]);
                assert_eq!(all[4], wanted, "{p} at {rate}");
            }
        }
    }

    #[test]
    fn one_look_turns_nothing_however_sure() {
        for rate in [0.2, 5.0, 30.0] {
            for (stands_for, against) in [(0.97, 0.0), (0.03, 1.0)] {
                let mut looks = [stands_for; 30];
                looks[20] = against;
                let all = stands(&looks, rate, 0.5);
                assert!(all[4..].iter().all(|s| *s == all[4]), "{rate}: {all:?}");
            }
        }
    }

    #[test]
    fn probabilities_around_the_threshold_do_not_flicker() {
        let looks: Vec<_> = (0..300).map(|i| [0.56, 0.44, 0.52, 0.46][i % 4]).collect();
        let all = stands(&looks, 30.0, 0.5);
        assert!(all[5..].iter().all(|s| *s == Stand::Undecided));
    }

    /// Seconds from the first look at a replay until a face that stood as live does not, and until it stands as spoof.
    fn turn(replay: f32, weight: f64, rate: f64, half_life: f64) -> (f64, f64) {
        let before = (10.0 * rate) as usize;
        let mut looks = vec![(0.999, 1.0); before];
        looks.resize(before + (30.0 * rate) as usize, (replay, weight));
        let all = weighed(&looks, rate, half_life);
        assert_eq!(all[before - 1], Stand::Live);
        let after = |wanted: &dyn Fn(Stand) -> bool| {
            let i = all[before..].iter().position(|s| wanted(*s));
            i.map_or(f64::INFINITY, |i| (i + 1) as f64 / rate)
        };
        (after(&|s| s != Stand::Live), after(&|s| s == Stand::Spoof))
    }

    #[test]
    fn a_replay_in_the_place_of_a_live_face_turns_the_evidence_within_seconds() {
        // The surest live face there is, and a replay that the model takes for one, for a weak one, for hardly one.
        for (replay, undecided, spoof) in [(0.02, 0.9, 1.1), (0.2, 1.3, 1.7), (0.4, 2.4, 7.0)] {
            for rate in [10.0, 15.0, 30.0] {
                let (left, turned) = turn(replay, 1.0, rate, 0.75);
                assert!(
                    left <= undecided && turned <= spoof,
                    "{replay} at {rate}: {left} {turned}"
                );
            }
        }
        // Held out of focus, or in the dark, as far as that is looked at at all.
        for (replay, undecided) in [(0.02, 1.8), (0.2, 2.5), (0.4, 3.8)] {
            for rate in [10.0, 15.0, 30.0] {
                let (left, _) = turn(replay, 0.25, rate, 0.75);
                assert!(left <= undecided, "{replay} at {rate}: {left}");
            }
        }
        // Where looks are rare, in looks.
        let (left, turned) = turn(0.02, 1.0, 1.0, 0.75);
        assert!(left <= 2.0 && turned <= 3.0, "{left} {turned}");
    }

    #[test]
    fn thresholds_at_the_ends_let_all_in_or_nobody() {
        for p in [0.0, 1e-9, 0.5, 1.0] {
            assert!(log_odds(Some(p), 0.0).unwrap() > 0.0);
            assert!(log_odds(Some(p), 1.0).unwrap() < 0.0);
            assert!(log_odds(Some(p), f32::NAN).unwrap() < 0.0);
        }
        for bad in [None, Some(f32::NAN), Some(-0.1), Some(1.1)] {
            assert_eq!(log_odds(bad, 0.5), None);
        }
    }

    fn order(stand: Stand) -> u8 {
        match stand {
            Stand::Collecting => 0,
            Stand::Spoof => 1,
            Stand::Undecided => 2,
            Stand::Live => 3,
        }
    }

    proptest! {
        #[test]
        fn a_higher_probability_is_never_less_live(
            looks in prop::collection::vec((0f32..=1.0, 0f32..0.5, 0.05f64..=1.0, 0.001f64..3.0), 1..60),
            half_life in 0.01f64..5.0, threshold in 0f32..=1.0,
        ) {
            let (mut less, mut more) = (Evidence::default(), Evidence::default());
            for (p, extra, weight, passed) in looks {
                let odds = |p: f32| log_odds(Some(p.min(1.0)), threshold).unwrap();
                less.hear(odds(p), weight, passed, half_life);
                more.hear(odds(p + extra), weight, passed, half_life);
                prop_assert!(order(more.stand()) >= order(less.stand()), "{less:?} {more:?}");
                let (a, b) = (less.probability(threshold), more.probability(threshold));
                prop_assert!(b >= a && (0.0..=1.0).contains(&b.unwrap()));
            }
        }

        #[test]
        fn verdicts_turn_by_way_of_undecided_and_agree_with_their_probability(
            looks in prop::collection::vec((0f32..=1.0, 0.05f64..=1.0, 0.001f64..10.0), 1..100),
            half_life in 0.01f64..5.0, threshold in 0.01f32..0.99,
        ) {
            let mut evidence = Evidence::default();
            for (p, weight, passed) in looks {
                let before = evidence.stand();
                evidence.hear(log_odds(Some(p), threshold).unwrap(), weight, passed, half_life);
                let pair = (before, evidence.stand());
                prop_assert!(!matches!(pair, (Stand::Live, Stand::Spoof) | (Stand::Spoof, Stand::Live)));
                let live = evidence.probability(threshold).unwrap();
                match evidence.stand() {
                    Stand::Live => prop_assert!(live >= threshold - 1e-6),
                    Stand::Spoof => prop_assert!(live <= threshold + 1e-6),
                    _ => (),
                }
            }
        }
    }
}
