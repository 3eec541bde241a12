// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two architectures, with random weights.

use anyhow::Result;

use super::layer::{After, Array, Layer, Net, Role, Unit};
use super::noise::{Noise, seed};
use super::spec::{Blocks, Kind, Spec};

/// Channels of the three parts of MiniFASNetV2, and inside each of their blocks, which its authors pruned one by one.
const MINIFASNET: [(usize, &[usize]); 3] = [
    (64, &[103, 13, 13, 13, 13]),
    (128, &[231, 231, 52, 26, 77, 26, 26]),
    (128, &[308, 26, 26]),
];

impl Net {
    /// A net with random weights that depend on `spec` and `seed` alone.
    ///
    /// # Errors
    /// What [`Spec::check`] refuses.
    pub fn new(spec: Spec, seed: u64) -> Result<Self> {
        spec.check()?;
        let mut builder = Builder {
            arrays: Vec::new(),
            channels: 3,
            side: spec.size,
            seed,
        };
        let layers = match spec.kind {
            Kind::LivenessNet => livenessnet(&spec, &mut builder),
            Kind::Liveness => match spec.blocks {
                Blocks::Dense => dense(&spec, &mut builder),
                Blocks::Depthwise => depthwise(&spec, &mut builder),
            },
        };
        Ok(Self {
            spec,
            layers,
            arrays: builder.arrays,
        })
    }
}

/// Rosebrock's net, but with ReLU after the batch norm instead of before it: his order does not fold.
fn livenessnet(spec: &Spec, b: &mut Builder) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (stage, designed) in [(1, 16), (2, 32)] {
        let channels = spec.channels(designed);
        for step in ["a", "b"] {
            layers.push(b.conv(&format!("conv{stage}{step}"), channels, 3, 1, true));
        }
        layers.push(b.max_pool());
        layers.push(Layer::Dropout(spec.dropout / 2.0));
    }
    layers.push(b.flatten());
    layers.push(b.linear("dense", spec.channels(64), true));
    layers.push(Layer::Dropout(spec.dropout));
    layers.push(b.linear("logits", 2, false));
    layers
}

/// Four stages, each of half the side of the one before; a weighted mean over what is left of the picture, one weight per channel and
/// place (MobileFaceNet, Chen and others 2018: the places of a face are not alike); two logits.
///
/// The channels spend the work evenly over the stages. Traces of a print or a screen are fine-grained, so half the side has a block of
/// its own.
fn dense(spec: &Spec, b: &mut Builder) -> Vec<Layer> {
    let mut layers = Vec::new();
    // Channels and blocks of each stage.
    for (i, (designed, blocks)) in [(16, 1), (64, 1), (96, 2), (96, 1)].into_iter().enumerate() {
        let channels = spec.channels(designed);
        let stage = i + 1;
        layers.push(b.conv(&format!("down{stage}"), channels, 3, 2, true));
        for block in 1..=blocks {
            let name = |part: &str| format!("block{stage}.{block}.{part}");
            layers.push(Layer::Residual {
                body: vec![
                    b.conv(&name("a"), channels, 3, 1, true),
                    b.conv(&name("b"), channels, 3, 1, false),
                ],
                relu: true,
            });
        }
    }
    layers.push(b.conv("mix", spec.channels(256), 1, 1, true));
    layers.push(b.global(true));
    layers.extend(b.logits(spec));
    layers
}

/// MiniFASNetV2 (minivision 2020) with ReLU instead of PReLU, and two classes. Its last dense layer but one has nothing behind it that could not be
/// one with it, and is left out. It is the net of `models/liveness/recipe/net.py`, so that `--init` goes on from the model that ships.
fn depthwise(spec: &Spec, b: &mut Builder) -> Vec<Layer> {
    let mut layers = vec![
        b.conv("stem", spec.channels(32), 3, 2, true),
        b.depthwise("stem.look", 1),
    ];
    for (i, (designed, inside)) in MINIFASNET.into_iter().enumerate() {
        let channels = spec.channels(designed);
        for (k, &inside) in inside.iter().enumerate() {
            let name = |part: &str| format!("block{}.{k}.{part}", i + 1);
            // The first block of a part halves the side.
            let stride = if k == 0 { 2 } else { 1 };
            let body = vec![
                b.conv(&name("widen"), spec.scaled(inside), 1, 1, true),
                b.depthwise(&name("look"), stride),
                b.conv(&name("narrow"), channels, 1, 1, false),
            ];
            if k == 0 {
                layers.extend(body);
            } else {
                // A linear bottleneck keeps what ReLU would destroy in few channels (MobileNetV2, Sandler and others 2018).
                layers.push(Layer::Residual { body, relu: false });
            }
        }
    }
    layers.push(b.conv("mix", spec.channels(512), 1, 1, true));
    layers.push(b.global(false));
    layers.extend(b.logits(spec));
    layers
}

/// Makes layers one after the other and knows the shape that the next one gets.
struct Builder {
    arrays: Vec<Array>,
    channels: usize,
    side: usize,
    seed: u64,
}

impl Builder {
    fn conv(&mut self, name: &str, out: usize, kernel: usize, stride: usize, relu: bool) -> Layer {
        let shape = vec![out, self.channels, kernel, kernel];
        let unit = self.unit(name, shape, true, relu);
        let padding = kernel / 2;
        self.side = (self.side + 2 * padding - kernel) / stride + 1;
        self.channels = out;
        Layer::Conv {
            unit,
            stride,
            padding,
            groups: 1,
        }
    }

    /// 3x3, each channel for itself.
    fn depthwise(&mut self, name: &str, stride: usize) -> Layer {
        let unit = self.unit(name, vec![self.channels, 1, 3, 3], true, true);
        self.side = (self.side - 1) / stride + 1;
        Layer::Conv {
            unit,
            stride,
            padding: 1,
            groups: self.channels,
        }
    }

    /// A kernel as large as the picture, each channel for itself.
    fn global(&mut self, relu: bool) -> Layer {
        let shape = vec![self.channels, 1, self.side, self.side];
        let unit = self.unit("global", shape, true, relu);
        self.side = 1;
        Layer::Conv {
            unit,
            stride: 1,
            padding: 0,
            groups: self.channels,
        }
    }

    /// The end of a net.
    fn logits(&mut self, spec: &Spec) -> [Layer; 3] {
        let flat = self.flatten();
        let logits = self.linear("logits", 2, false);
        [flat, Layer::Dropout(spec.dropout), logits]
    }

    fn max_pool(&mut self) -> Layer {
        self.side /= 2;
        Layer::MaxPool
    }

    fn flatten(&mut self) -> Layer {
        self.channels *= self.side * self.side;
        self.side = 1;
        Layer::Flatten
    }

    /// A dense layer; with a norm and ReLU, or neither.
    fn linear(&mut self, name: &str, out: usize, norm: bool) -> Layer {
        let unit = self.unit(name, vec![out, self.channels], norm, norm);
        self.channels = out;
        Layer::Linear(unit)
    }

    fn unit(&mut self, name: &str, shape: Vec<usize>, norm: bool, relu: bool) -> Unit {
        let out = shape[0];
        let inputs: usize = shape[1..].iter().product();
        // He and others 2015: keeps the spread of the numbers through layers with ReLU. A norm makes up for it elsewhere.
        let deviation = (2.0 / inputs as f32).sqrt();
        let mut noise = Noise::new(seed(&[self.seed, self.arrays.len() as u64]));
        let data = (0..out * inputs)
            .map(|_| noise.normal() * deviation)
            .collect();
        let weight = self.array(name, "weight", Role::Weight, shape, data);
        let mut each =
            |part: &str, role, value| self.array(name, part, role, vec![out], vec![value; out]);
        let after = if norm {
            After::Norm {
                gain: each("gain", Role::Gain, 1.0),
                shift: each("shift", Role::Shift, 0.0),
                mean: each("mean", Role::Mean, 0.0),
                variance: each("variance", Role::Variance, 1.0),
            }
        } else {
            After::Shift(each("shift", Role::Shift, 0.0))
        };
        Unit {
            name: name.to_owned(),
            weight,
            after,
            relu,
        }
    }

    fn array(
        &mut self,
        unit: &str,
        part: &str,
        role: Role,
        shape: Vec<usize>,
        data: Vec<f32>,
    ) -> usize {
        self.arrays.push(Array {
            name: format!("{unit}.{part}"),
            role,
            shape,
            data,
        });
        self.arrays.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(spec: &str) -> Net {
        Net::new(spec.parse().unwrap(), 1).unwrap()
    }

    #[test]
    fn the_classic_has_its_size() {
        // Four convolutions, two dense layers, a gain and a shift per norm.
        let weights = 27 * 16 + 144 * 16 + 144 * 32 + 288 * 32 + 2048 * 64 + 64 * 2;
        let net = net("livenessnet");
        assert_eq!(net.parameters(), weights + 2 * (16 + 16 + 32 + 32 + 64) + 2);
        let places = (27 * 16 + 144 * 16) * 1024 + (144 * 32 + 288 * 32) * 256;
        assert_eq!(net.macs(), places + 2048 * 64 + 64 * 2);
    }

    #[test]
    fn the_other_stays_in_its_bounds() {
        for blocks in ["dense", "depthwise"] {
            let net = net(&format!("liveness,blocks={blocks}"));
            assert!(net.parameters() <= 1_000_000, "{net}");
            assert!((40_000_000..=90_000_000).contains(&net.macs()), "{net}");
        }
        // What the recipe's `cost` says of the net that ships; the norms' gains are folded away there.
        let net = net("liveness,blocks=depthwise");
        let outputs: usize = net.units().iter().map(|u| net.fold(u).bias.len()).sum();
        assert_eq!(net.parameters() - (outputs - 2), 361_410, "{net}");
        assert_eq!(net.macs(), 40_653_324, "{net}");
    }

    #[test]
    fn every_size_can_be_built_and_seeds_differ() {
        for size in [64, 80, 96, 112, 128] {
            let net = net(&format!("liveness,size={size},width=0.25"));
            assert!(net.macs() > 0);
        }
        let spec: Spec = "livenessnet".parse().unwrap();
        let of = |seed| Net::new(spec, seed).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1).arrays[0].data, of(2).arrays[0].data);
    }
}
