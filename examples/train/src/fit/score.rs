// SPDX-License-Identifier: MIT OR Apache-2.0
//! How well scores tell live from spoof, as training needs it to choose among epochs. The report measures more, with intervals.

/// What one look at the validation examples gave. Errors are shares, 0..1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Cross entropy in nats: the mean of the two classes' means.
    pub loss: f64,
    /// Mean of the shares of spoofs taken for live and of lives taken for spoof, at a probability of 0.5.
    pub acer: f64,
    /// The same at the threshold where the two shares are equal.
    pub eer: f64,
    /// Probability that a random live example scores above a random spoof one; ties count half.
    pub auc: f64,
}

/// Scores `margins`, the log-odds of live, against the truth. All 1 where one class is missing: nothing was shown then.
pub fn score(margins: &[f32], live: &[bool]) -> Score {
    let mut pairs: Vec<(f32, bool)> = margins.iter().copied().zip(live.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let lives = pairs.iter().filter(|p| p.1).count();
    let spoofs = pairs.len() - lives;
    if lives == 0 || spoofs == 0 {
        return Score {
            loss: 1.0,
            acer: 1.0,
            eer: 1.0,
            auc: 1.0,
        };
    }
    let (lives, spoofs) = (lives as f64, spoofs as f64);
    let mut score = Score {
        // A threshold below all accepts everything.
        eer: 0.5,
        ..Score::default()
    };
    let mut gap = f64::MAX;
    // Lives and spoofs below the threshold that moves upwards.
    let (mut refused, mut caught) = (0.0, 0.0);
    for ties in pairs.chunk_by(|a, b| a.0 == b.0) {
        let margin = f64::from(ties[0].0);
        let l = ties.iter().filter(|p| p.1).count() as f64;
        let s = ties.len() as f64 - l;
        score.auc += l * (caught + s / 2.0) / (lives * spoofs);
        score.loss += softplus(-margin) * l / lives / 2.0 + softplus(margin) * s / spoofs / 2.0;
        if margin >= 0.0 {
            score.acer += s / spoofs / 2.0;
        } else {
            score.acer += l / lives / 2.0;
        }
        refused += l;
        caught += s;
        let (bpcer, apcer) = (refused / lives, 1.0 - caught / spoofs);
        if (bpcer - apcer).abs() < gap {
            gap = (bpcer - apcer).abs();
            score.eer = (bpcer + apcer) / 2.0;
        }
    }
    score
}

/// `ln(1 + e^x)`, which overflows nowhere.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_perfect_the_blind_and_the_inverted() {
        let live = [false, false, true, true];
        let good = score(&[-3.0, -2.0, 2.0, 3.0], &live);
        assert_eq!((good.acer, good.eer, good.auc), (0.0, 0.0, 1.0));
        let blind = score(&[1.0; 4], &live);
        assert_eq!((blind.acer, blind.auc), (0.5, 0.5));
        assert!((blind.eer - 0.5).abs() < 1e-12);
        let wrong = score(&[3.0, 2.0, -2.0, -3.0], &live);
        assert_eq!((wrong.acer, wrong.auc), (1.0, 0.0));
        let flat = score(&[0.0; 4], &live);
        assert!((flat.loss - 2.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn counted_by_hand() {
        // Spoofs at -1 and 1, lives at 0.5, 2, 3: 5 of the 6 pairs are in order.
        let s = score(
            &[-1.0, 1.0, 0.5, 2.0, 3.0],
            &[false, false, true, true, true],
        );
        assert!((s.auc - 5.0 / 6.0).abs() < 1e-12);
        assert!((s.acer - 0.25).abs() < 1e-12);
        // Above 0.5: one live of three refused, one spoof of two accepted.
        assert!((s.eer - (1.0 / 3.0 + 0.5) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn one_class_alone_shows_nothing() {
        assert_eq!(score(&[1.0], &[true]).acer, 1.0);
        assert_eq!(score(&[], &[]).eer, 1.0);
    }
}
