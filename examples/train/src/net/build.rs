// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two architectures, with random weights.

use anyhow::Result;

use super::layer::{After, Array, Layer, Net, Role, Unit};
use super::noise::{Noise, seed};
use super::spec::{Blocks, Kind, Spec};

/// How much wider a depthwise block is inside than outside; MobileNetV2 (Sandler and others 2018) uses 6, MiniFASNet about 2 to 4.
const EXPANSION: usize = 3;

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
            Kind::Liveness => liveness(&spec, &mut builder),
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
/// its own. The dense one is the net of `models/liveness/recipe/net.py`, so that `--init` goes on from the model that ships.
fn liveness(spec: &Spec, b: &mut Builder) -> Vec<Layer> {
    // Channels and blocks of each stage.
    let stages = match spec.blocks {
        Blocks::Dense => [(16, 1), (64, 1), (96, 2), (96, 1)],
        Blocks::Depthwise => [(32, 1), (64, 2), (128, 2), (128, 0)],
    };
    let mut layers = Vec::new();
    for (i, (designed, blocks)) in stages.into_iter().enumerate() {
        let channels = spec.channels(designed);
        let stage = i + 1;
        layers.extend(match spec.blocks {
            Blocks::Depthwise if i > 0 => vec![
                b.depthwise(&format!("down{stage}"), 2),
                b.conv(&format!("mix{stage}"), channels, 1, 1, true),
            ],
            _ => vec![b.conv(&format!("down{stage}"), channels, 3, 2, true)],
        });
        for block in 1..=blocks {
            let name = |part: &str| format!("block{stage}.{block}.{part}");
            layers.push(match spec.blocks {
                Blocks::Dense => Layer::Residual {
                    body: vec![
                        b.conv(&name("a"), channels, 3, 1, true),
                        b.conv(&name("b"), channels, 3, 1, false),
                    ],
                    relu: true,
                },
                Blocks::Depthwise => Layer::Residual {
                    body: vec![
                        b.conv(&name("widen"), EXPANSION * channels, 1, 1, true),
                        b.depthwise(&name("look"), 1),
                        b.conv(&name("narrow"), channels, 1, 1, false),
                    ],
                    // A linear bottleneck keeps what ReLU would destroy in few channels (MobileNetV2).
                    relu: false,
                },
            });
        }
    }
    if spec.blocks == Blocks::Dense {
        layers.push(b.conv("mix", spec.channels(256), 1, 1, true));
    }
    layers.push(b.global(spec.blocks == Blocks::Dense));
    layers.push(b.flatten());
    layers.push(Layer::Dropout(spec.dropout));
    layers.push(b.linear("logits", 2, false));
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
