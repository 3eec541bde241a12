// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layers, the arrays of numbers they use, folding batch norms into what stands before them, and counting.

use super::{EPSILON, Spec};

/// What an array is to training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Factors of a convolution or dense layer. Weight decay acts on these alone: on the others it only fights the batch norms.
    Weight,
    /// Factor of a batch norm.
    Gain,
    /// Summand of a batch norm or of a dense layer.
    Shift,
    /// Running mean of a batch norm; follows the batches, is not trained.
    Mean,
    /// Running variance of a batch norm; follows the batches, is not trained.
    Variance,
}

impl Role {
    /// Whether gradients change it.
    pub fn is_trained(self) -> bool {
        matches!(self, Self::Weight | Self::Gain | Self::Shift)
    }
}

/// A named array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Name, the same in the ONNX file.
    pub name: String,
    /// What it is to training.
    pub role: Role,
    /// Dimensions. Weights of convolutions: `[out, in / groups, kernel, kernel]`; of dense layers: `[out, in]`.
    pub shape: Vec<usize>,
    /// The numbers, row-major.
    pub data: Vec<f32>,
}

/// What follows the multiplication in a unit; the indices are those of its arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// A summand per output.
    Shift(usize),
    /// Batch norm (Ioffe and Szegedy 2015): `(x - mean) / sqrt(variance + EPSILON) * gain + shift`.
    Norm {
        /// Index of the factors.
        gain: usize,
        /// Index of the summands.
        shift: usize,
        /// Index of the running mean.
        mean: usize,
        /// Index of the running variance.
        variance: usize,
    },
}

/// Multiply, then shift or norm, then perhaps ReLU: in this order, so that the norm folds into the multiplication.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Name, the prefix of its arrays' names.
    pub name: String,
    /// Index of the weights.
    pub weight: usize,
    /// What follows.
    pub after: After,
    /// Whether negative results become 0.
    pub relu: bool,
}

/// A step of a net. Pictures are `[batch, channels, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A convolution with a square kernel.
    Conv {
        /// Its numbers.
        unit: Unit,
        /// Step in both directions.
        stride: usize,
        /// Zeros on each side.
        padding: usize,
        /// 1: every output sees every input; as many as channels: each sees its own.
        groups: usize,
    },
    /// `relu(x + body(x))`, or without the ReLU.
    Residual {
        /// What is added; keeps the shape.
        body: Vec<Layer>,
        /// Whether negative results become 0.
        relu: bool,
    },
    /// The largest of each 2x2 pixels.
    MaxPool,
    /// All numbers of a picture in one row.
    Flatten,
    /// Sets this share of the numbers to 0 in training and scales the rest up; nothing otherwise.
    Dropout(f32),
    /// A dense layer: every output sees every number.
    Linear(Unit),
}

/// A net: its layers and their numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// What was asked for.
    pub spec: Spec,
    /// The steps from an input `[batch, 3, size, size]` to logits `[batch, 2]`.
    pub layers: Vec<Layer>,
    /// The numbers.
    pub arrays: Vec<Array>,
}

/// A unit with its norm folded away: `y = weight * x + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// As in [`Array::shape`].
    pub weight: Vec<f32>,
    /// One number per output.
    pub bias: Vec<f32>,
}

impl Net {
    /// Numbers that training changes.
    pub fn parameters(&self) -> usize {
        let trained = self.arrays.iter().filter(|a| a.role.is_trained());
        trained.map(|a| a.data.len()).sum()
    }

    /// Multiplications with additions for one picture, after folding.
    pub fn macs(&self) -> usize {
        let mut total = 0;
        self.walk(&self.layers, (3, self.spec.size), &mut |_, cost| {
            total += cost
        });
        total
    }

    /// All units in the order of their execution.
    pub fn units(&self) -> Vec<&Unit> {
        fn collect<'a>(layers: &'a [Layer], all: &mut Vec<&'a Unit>) {
            for layer in layers {
                match layer {
                    Layer::Conv { unit, .. } | Layer::Linear(unit) => all.push(unit),
                    Layer::Residual { body, .. } => collect(body, all),
                    Layer::MaxPool | Layer::Flatten | Layer::Dropout(_) => {}
                }
            }
        }
        let mut all = Vec::new();
        collect(&self.layers, &mut all);
        all
    }

    /// A unit's weights and biases with its norm folded in, as it computes outside of training.
    pub fn fold(&self, unit: &Unit) -> Folded {
        let weight = &self.arrays[unit.weight].data;
        let (gain, shift, mean, variance) = match unit.after {
            After::Shift(shift) => {
                return Folded {
                    weight: weight.clone(),
                    bias: self.arrays[shift].data.clone(),
                };
            }
            After::Norm {
                gain,
                shift,
                mean,
                variance,
            } => (gain, shift, mean, variance),
        };
        let of = |index: usize, i: usize| f64::from(self.arrays[index].data[i]);
        let outputs = self.arrays[shift].data.len();
        let factor = |i| of(gain, i) / (of(variance, i) + EPSILON).sqrt();
        let per_output = weight.len() / outputs;
        Folded {
            weight: weight
                .iter()
                .enumerate()
                .map(|(i, w)| (f64::from(*w) * factor(i / per_output)) as f32)
                .collect(),
            bias: (0..outputs)
                .map(|i| (of(shift, i) - of(mean, i) * factor(i)) as f32)
                .collect(),
        }
    }

    /// Follows the shape `(channels, side)` through `layers` and tells each layer's cost in multiplications.
    fn walk(
        &self,
        layers: &[Layer],
        mut shape: (usize, usize),
        tell: &mut impl FnMut(&Layer, usize),
    ) -> (usize, usize) {
        for layer in layers {
            let (channels, side) = shape;
            let mut cost = 0;
            shape = match layer {
                Layer::Conv {
                    unit,
                    stride,
                    padding,
                    ..
                } => {
                    let weight = &self.arrays[unit.weight];
                    let side = (side + 2 * padding - weight.shape[2]) / stride + 1;
                    cost = weight.data.len() * side * side;
                    (weight.shape[0], side)
                }
                Layer::Residual { body, .. } => self.walk(body, shape, tell),
                Layer::MaxPool => (channels, side / 2),
                Layer::Flatten => (channels * side * side, 1),
                Layer::Dropout(_) => shape,
                Layer::Linear(unit) => {
                    let weight = &self.arrays[unit.weight];
                    cost = weight.data.len();
                    (weight.shape[0], 1)
                }
            };
            tell(layer, cost);
        }
        shape
    }
}

impl std::fmt::Display for Net {
    /// The measures with the size and the cost, for a log line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {} parameters, {:.1} million multiplications per face",
            self.spec,
            self.parameters(),
            self.macs() as f64 / 1e6
        )
    }
}
