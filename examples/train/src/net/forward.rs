// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running a net's layers on burn's tensors, in training and outside of it.

use anyhow::{Context, Result};
use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};

use super::layer::{After, Layer, Net, Unit};
use super::noise::{Noise, seed};
use super::processor::Processor;
use super::{EPSILON, LIVE};

/// Mean and variance of a batch at one norm, for the running ones.
#[derive(Debug)]
pub struct Statistics {
    /// Index of the running mean among the net's arrays.
    pub mean: usize,
    /// Index of the running variance.
    pub variance: usize,
    /// The batch's mean and variance, one number per channel.
    pub values: [Vec<f32>; 2],
}

/// One step of training: the net's numbers as tensors that gradients can be asked of.
#[derive(Debug)]
pub struct Training<'a> {
    net: &'a Net,
    /// The net's arrays as rows, in their order.
    pub leaves: Vec<Tensor<1>>,
    /// Where it is computed; inputs must be there.
    pub device: Device,
    seed: u64,
    statistics: Vec<(usize, usize, [Tensor<1>; 2])>,
    dropouts: u64,
}

impl<'a> Training<'a> {
    /// Prepares a step; `seed` decides which numbers are dropped.
    pub fn new(net: &'a Net, seed: u64, processor: Processor) -> Self {
        let device = processor.training();
        let leaves = leaves(net, &device, |leaf, trained| {
            if trained { leaf.require_grad() } else { leaf }
        });
        Self {
            net,
            leaves,
            device,
            seed,
            statistics: Vec::new(),
            dropouts: 0,
        }
    }

    /// Logits `[batch, 2]` of `input` `[batch, 3, size, size]`.
    pub fn forward(&mut self, input: Tensor<4>) -> Tensor<2> {
        let layers = &self.net.layers;
        rows(run(layers, input, self))
    }

    /// What the batch norms saw in [`Training::forward`].
    ///
    /// # Errors
    /// None that a sound backend gives.
    pub fn statistics(self) -> Result<Vec<Statistics>> {
        let one = |(mean, variance, [m, v]): (usize, usize, [Tensor<1>; 2])| {
            Ok(Statistics {
                mean,
                variance,
                values: [numbers(m)?, numbers(v)?],
            })
        };
        self.statistics.into_iter().map(one).collect()
    }
}

/// A net that answers and is not trained.
#[derive(Debug)]
pub struct Evaluator<'a> {
    net: &'a Net,
    leaves: Vec<Tensor<1>>,
    device: Device,
}

impl<'a> Evaluator<'a> {
    /// Prepares `net` for this machine's cores.
    pub fn new(net: &'a Net) -> Self {
        Self::on(net, Processor::Cpu)
    }

    /// Prepares `net`.
    pub fn on(net: &'a Net, processor: Processor) -> Self {
        let device = processor.device();
        Self {
            net,
            leaves: leaves(net, &device, |leaf, _| leaf),
            device,
        }
    }

    /// Logits, two per picture, of `batch` pictures `[3, size, size]` one after the other in `input`.
    ///
    /// # Errors
    /// Where `input` has another length.
    pub fn logits(&mut self, input: Vec<f32>) -> Result<Vec<f32>> {
        let size = self.net.spec.size;
        let length = 3 * size * size;
        anyhow::ensure!(
            input.len().is_multiple_of(length),
            "{} numbers are not pictures of 3 x {size} x {size}",
            input.len()
        );
        if input.is_empty() {
            return Ok(Vec::new());
        }
        let shape = [input.len() / length, 3, size, size];
        let input = Tensor::from_data(TensorData::new(input, shape), &self.device);
        let layers = &self.net.layers;
        numbers(run(layers, input, self))
    }

    /// Probabilities of live, one per picture: the softmax of [`Evaluator::logits`].
    ///
    /// # Errors
    /// As there.
    pub fn live(&mut self, input: Vec<f32>) -> Result<Vec<f32>> {
        let logits = self.logits(input)?;
        let pairs = logits.chunks_exact(2);
        Ok(pairs
            .map(|l| 1.0 / (1.0 + (l[1 - LIVE] - l[LIVE]).exp()))
            .collect())
    }
}

fn leaves(
    net: &Net,
    device: &Device,
    make: impl Fn(Tensor<1>, bool) -> Tensor<1>,
) -> Vec<Tensor<1>> {
    let one = |array: &super::Array| {
        let data = TensorData::new(array.data.clone(), [array.data.len()]);
        make(Tensor::from_data(data, device), array.role.is_trained())
    };
    net.arrays.iter().map(one).collect()
}

/// A tensor's numbers.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.into_data();
    data.try_into_vec().context("numbers of another type")
}

/// What differs between training and use.
trait Pass {
    fn net(&self) -> &Net;
    fn leaf(&self, index: usize) -> Tensor<1>;
    fn norm(&mut self, x: Tensor<4>, after: After) -> Tensor<4>;
    fn dropout(&mut self, x: Tensor<4>, share: f32) -> Tensor<4>;
}

impl Pass for Training<'_> {
    fn net(&self) -> &Net {
        self.net
    }

    fn leaf(&self, index: usize) -> Tensor<1> {
        self.leaves[index].clone()
    }

    fn norm(&mut self, x: Tensor<4>, after: After) -> Tensor<4> {
        match after {
            After::Shift(shift) => plus(x, self.leaf(shift)),
            After::Norm {
                gain,
                shift,
                mean,
                variance,
            } => {
                let result = batch_norm_train(x, self.leaf(gain), self.leaf(shift), EPSILON);
                let values = [result.mean, result.variance].map(|t| t.without_autodiff());
                self.statistics.push((mean, variance, values));
                result.output
            }
        }
    }

    fn dropout(&mut self, x: Tensor<4>, share: f32) -> Tensor<4> {
        self.dropouts += 1;
        if share <= 0.0 {
            return x;
        }
        // burn's own dropout draws from one stream per process, which a run that is taken up again cannot find its place in.
        let mut noise = Noise::new(seed(&[self.seed, self.dropouts]));
        let shape = x.dims();
        let kept = 1.0 / (1.0 - share);
        let mask: Vec<f32> = (0..shape.iter().product())
            .map(|_| if noise.unit() < share { 0.0 } else { kept })
            .collect();
        let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
        x * mask
    }
}

impl Pass for Evaluator<'_> {
    fn net(&self) -> &Net {
        self.net
    }

    fn leaf(&self, index: usize) -> Tensor<1> {
        self.leaves[index].clone()
    }

    fn norm(&mut self, x: Tensor<4>, after: After) -> Tensor<4> {
        match after {
            After::Shift(shift) => plus(x, self.leaf(shift)),
            After::Norm {
                gain,
                shift,
                mean,
                variance,
            } => batch_norm(
                x,
                self.leaf(gain),
                self.leaf(shift),
                self.leaf(mean),
                self.leaf(variance),
                EPSILON,
            ),
        }
    }

    fn dropout(&mut self, x: Tensor<4>, _: f32) -> Tensor<4> {
        x
    }
}

fn run(layers: &[Layer], mut x: Tensor<4>, pass: &mut impl Pass) -> Tensor<4> {
    for layer in layers {
        x = match layer {
            Layer::Conv {
                unit,
                stride,
                padding,
                groups,
            } => {
                let y = conv(pass, x, unit, *stride, *padding, *groups);
                finish(pass, y, unit)
            }
            Layer::Residual {
                body,
                relu: positive,
            } => {
                let y = x.clone() + run(body, x, pass);
                if *positive { relu(y) } else { y }
            }
            Layer::MaxPool => max_pool2d(x, MaxPoolOptions::new([2, 2])),
            Layer::Flatten => {
                let [n, c, h, w] = x.dims();
                x.reshape([n, c * h * w, 1, 1])
            }
            Layer::Dropout(share) => pass.dropout(x, *share),
            Layer::Linear(unit) => {
                let shape = &pass.net().arrays[unit.weight].shape;
                let shape = [shape[0], shape[1]];
                let weight = pass.leaf(unit.weight).reshape(shape);
                let y = rows(x).matmul(weight.transpose());
                let [n, out] = y.dims();
                finish(pass, y.reshape([n, out, 1, 1]), unit)
            }
        };
    }
    x
}

fn finish(pass: &mut impl Pass, x: Tensor<4>, unit: &Unit) -> Tensor<4> {
    let y = pass.norm(x, unit.after);
    if unit.relu { relu(y) } else { y }
}

fn conv(
    pass: &impl Pass,
    x: Tensor<4>,
    unit: &Unit,
    stride: usize,
    padding: usize,
    groups: usize,
) -> Tensor<4> {
    let shape = &pass.net().arrays[unit.weight].shape;
    let shape = [shape[0], shape[1], shape[2], shape[3]];
    let [n, channels, side, _] = x.dims();
    let weight = pass.leaf(unit.weight);
    if groups == channels && side == shape[2] && padding == 0 {
        // As large as the picture: a product and a sum, whose gradients cost nothing; burn would loop over the channels.
        let weight = weight.reshape([1, channels, side, side]);
        let product = (x * weight).reshape([n, channels, side * side, 1]);
        return product.sum_dim(2);
    }
    let step = [stride, stride];
    let options = ConvOptions::new(step, [padding, padding], [1, 1], groups);
    conv2d(x, weight.reshape(shape), None, options)
}

fn rows(x: Tensor<4>) -> Tensor<2> {
    let [n, c, h, w] = x.dims();
    x.reshape([n, c * h * w])
}

fn plus(x: Tensor<4>, shift: Tensor<1>) -> Tensor<4> {
    let [n] = shift.dims();
    x + shift.reshape([1, n, 1, 1])
}
