// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the numbers of one model to a probability, and of several models to one.

use crate::model::Output;

/// Probability of class `live` among `numbers`: softmax where they are logits. What is no number stays none.
pub(super) fn probability(numbers: &[f32], live: usize, output: Output) -> f32 {
    if output == Output::Probabilities {
        return numbers[live];
    }
    let most = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = numbers.iter().map(|v| (v - most).exp()).sum();
    (numbers[live] - most).exp() / total
}

/// Mean over models: how minivision fuses the MiniFASNet pair.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    sum: f32,
    count: usize,
}

impl Mean {
    pub(super) fn add(&mut self, p: f32) {
        self.sum += p;
        self.count += 1;
    }

    /// The mean, where all `models` answered with a number.
    pub(super) fn get(&self, models: usize) -> Option<f32> {
        (self.count == models && models > 0 && self.sum.is_finite())
            .then(|| self.sum / models as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn probabilities_are_taken_as_they_are_and_logits_are_not() {
        let numbers = [0.25, 0.75];
        assert_eq!(probability(&numbers, 1, Output::Probabilities), 0.75);
        assert!((probability(&numbers, 1, Output::Logits) - 0.6225).abs() < 1e-3);
        let two_to_one = probability(&[0.0, 2f32.ln()], 1, Output::Logits);
        assert!((two_to_one - 2.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_model_that_did_not_answer_leaves_no_mean() {
        let mut mean = Mean::default();
        mean.add(0.5);
        assert_eq!(mean.get(2), None);
        mean.add(f32::NAN);
        assert_eq!(mean.get(2), None);
        assert_eq!(Mean::default().get(0), None);
    }

    proptest! {
        #[test]
        fn softmax_stays_a_probability(numbers in prop::collection::vec(-1e30f32..1e30, 2..6)) {
            let p = probability(&numbers, 0, Output::Logits);
            prop_assert!((0.0..=1.0).contains(&p));
        }
    }
}
