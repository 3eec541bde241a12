// SPDX-License-Identifier: MIT OR Apache-2.0
//! From gradients to new weights, and how fast.

use anyhow::{Result, ensure};

use crate::net::{Array, Role};

/// How gradients change weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Optimizer {
    /// AdamW (Loshchilov and Hutter 2019) with its authors' 0.9, 0.999 and 1e-8.
    #[default]
    AdamW,
    /// Gradient descent with Nesterov's momentum of 0.9, as PyTorch has it. Wants rates about 30 times as high.
    Sgd,
}

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const SMALL: f64 = 1e-8;
const MOMENTUM: f32 = 0.9;

/// The rate at the end of the cosine, as a share of the highest.
const LAST_RATE: f32 = 0.01;

/// The rate at `step` of `total`: rises evenly over the first `warmup` steps, then falls as half a cosine (Loshchilov and Hutter 2017).
pub(super) fn rate(highest: f32, step: u64, warmup: u64, total: u64) -> f32 {
    if step < warmup {
        return highest * (step + 1) as f32 / warmup as f32;
    }
    let done = (step - warmup) as f32 / (total.saturating_sub(warmup)).max(1) as f32;
    let fall = (1.0 + (std::f32::consts::PI * done.min(1.0)).cos()) / 2.0;
    highest * (LAST_RATE + (1.0 - LAST_RATE) * fall)
}

/// What an optimiser remembers of earlier gradients: for each of the net's arrays, in their order; empty where it is not trained.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Memory {
    /// Mean of the gradients, or momentum.
    pub(super) first: Vec<Vec<f32>>,
    /// Mean of their squares; empty for [`Optimizer::Sgd`].
    pub(super) second: Vec<Vec<f32>>,
}

impl Memory {
    pub(super) fn new(optimizer: Optimizer, arrays: &[Array]) -> Self {
        let zeros = |used: bool| {
            let length = |a: &Array| {
                if used && a.role.is_trained() {
                    a.data.len()
                } else {
                    0
                }
            };
            arrays.iter().map(|a| vec![0.0; length(a)]).collect()
        };
        Self {
            first: zeros(true),
            second: zeros(optimizer == Optimizer::AdamW),
        }
    }
}

/// Scales all gradients so that their common norm is at most `most`; gives the norm that they had. By one factor, so that the direction
/// stays (Pascanu and others 2013).
pub(super) fn clip(gradients: &mut [Vec<f32>], most: Option<f32>) -> Result<f32> {
    let squares = gradients.iter().flatten().map(|g| f64::from(*g).powi(2));
    let norm = squares.sum::<f64>().sqrt();
    ensure!(norm.is_finite(), "the gradients are no longer numbers");
    if let Some(most) = most.filter(|m| norm > f64::from(*m)) {
        let factor = (f64::from(most) / norm) as f32;
        gradients.iter_mut().flatten().for_each(|g| *g *= factor);
    }
    Ok(norm as f32)
}

/// Changes `arrays` by `gradients`, one per array and empty where none is trained. `step` counts from 0.
pub(super) fn apply(
    optimizer: Optimizer,
    arrays: &mut [Array],
    gradients: &[Vec<f32>],
    memory: &mut Memory,
    (rate, decay, step): (f32, f32, u64),
) {
    let power = (step + 1).min(1 << 30) as i32;
    let correct1 = (1.0 / (1.0 - BETA1.powi(power))) as f32;
    let correct2 = (1.0 / (1.0 - BETA2.powi(power))) as f32;
    let (beta1, beta2, small) = (BETA1 as f32, BETA2 as f32, SMALL as f32);
    for (i, array) in arrays.iter_mut().enumerate() {
        let decay = if array.role == Role::Weight {
            decay
        } else {
            0.0
        };
        let weights = array
            .data
            .iter_mut()
            .zip(&gradients[i])
            .zip(&mut memory.first[i]);
        match optimizer {
            Optimizer::AdamW => {
                for (((w, g), m), v) in weights.zip(&mut memory.second[i]) {
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g * g;
                    let change = *m * correct1 / ((*v * correct2).sqrt() + small);
                    *w -= rate * (change + decay * *w);
                }
            }
            Optimizer::Sgd => {
                for ((w, g), m) in weights {
                    let g = g + decay * *w;
                    *m = MOMENTUM * *m + g;
                    *w -= rate * (g + MOMENTUM * *m);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls() {
        let of = |step| rate(1.0, step, 10, 110);
        assert_eq!(of(0), 0.1);
        assert_eq!(of(9), 1.0);
        assert!((of(10) - 1.0).abs() < 1e-6);
        assert!((of(60) - 0.505).abs() < 1e-3);
        assert!((of(110) - 0.01).abs() < 1e-6 && of(1000) >= 0.0);
        assert!(rate(1.0, 0, 0, 1) > 0.0);
    }

    #[test]
    fn clipping_keeps_the_direction_and_refuses_what_is_no_number() {
        let mut g = vec![vec![3.0], vec![0.0, 4.0]];
        assert_eq!(clip(&mut g, Some(1.0)).unwrap(), 5.0);
        assert!((g[0][0] - 0.6).abs() < 1e-6 && (g[1][1] - 0.8).abs() < 1e-6);
        assert_eq!(clip(&mut g, None).unwrap(), 1.0);
        assert!(clip(&mut [vec![f32::NAN]], None).is_err());
    }

    #[test]
    fn both_find_the_bottom_of_a_bowl() {
        for (optimizer, rate) in [(Optimizer::AdamW, 0.05), (Optimizer::Sgd, 0.02)] {
            let mut arrays = [Array {
                name: "w".into(),
                role: Role::Gain,
                shape: vec![2],
                data: vec![3.0, -2.0],
            }];
            let mut memory = Memory::new(optimizer, &arrays);
            for step in 0..400 {
                let gradients = vec![arrays[0].data.iter().map(|w| 2.0 * (w - 1.0)).collect()];
                apply(
                    optimizer,
                    &mut arrays,
                    &gradients,
                    &mut memory,
                    (rate, 0.1, step),
                );
            }
            let near = arrays[0].data.iter().all(|w| (w - 1.0).abs() < 0.02);
            assert!(near, "{optimizer:?} {:?}", arrays[0].data);
        }
    }

    #[test]
    fn adamw_takes_a_first_step_of_the_rate() {
        // Its first step has the length of the rate whatever the gradient; decay acts beside it, on weights alone.
        for (role, want) in [(Role::Weight, 1.0 - 0.1 * (1.0 + 0.5)), (Role::Shift, 0.9)] {
            let mut arrays = [Array {
                name: "w".into(),
                role,
                shape: vec![1],
                data: vec![1.0],
            }];
            let mut memory = Memory::new(Optimizer::AdamW, &arrays);
            apply(
                Optimizer::AdamW,
                &mut arrays,
                &[vec![7.0]],
                &mut memory,
                (0.1, 0.5, 0),
            );
            assert!((arrays[0].data[0] - want).abs() < 1e-5);
        }
    }
}
