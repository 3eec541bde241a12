// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is who: a model that the user names makes a vector of each aligned face, and those of one person point the same way.
//!
//! It stands here and not in the library: that one finds faces and says whether they are live, its models' cards know no other task, and no
//! other program compares faces. What it needs of the library (pixels, points, ONNX Runtime with shared sessions) is public.

mod align;

use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, bail, ensure};
use data_encoding::HEXLOWER;
use liveness::face::Landmarks;
use liveness::image::Pixels;
use liveness::model::{Card, ModelFile};
use liveness::resize::Channels;
use liveness::runtime::{Engine, Input, Options};
use liveness::sync::lock;
use sha2::{Digest, Sha256};

use align::{Aligner, SIDE};

/// Cosine from which on two vectors are taken for one person, see `identity/tests.rs` for what it was measured on.
pub(crate) const THRESHOLD: f32 = 0.5;

/// Numbers of a vector: from those of small models to twice those of large ones.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=1024;

/// What a model of this kind expects, where its card does not tell: most were trained on (x - 127.5) / 128 or / 127.5, which differ by less
/// than JPEG's noise.
const MEAN: f32 = 127.5;
const SCALE: f32 = 1.0 / 128.0;

/// A face as a vector of length 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Embedding(Vec<f32>);

impl Embedding {
    /// From numbers of any length; none where they have no direction.
    pub(crate) fn new(numbers: Vec<f32>) -> Option<Self> {
        let length = numbers.iter().map(|v| v * v).sum::<f32>().sqrt();
        let is_one = length.is_normal();
        is_one.then(|| Self(numbers.iter().map(|v| v / length).collect()))
    }

    /// The cosine of the angle between two: 1 for the same, 0 for those that have nothing to do with each other.
    pub(crate) fn cosine(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }

    /// The numbers.
    pub(crate) fn numbers(&self) -> &[f32] {
        &self.0
    }
}

/// A model that tells persons apart, and the threshold that goes with it.
#[derive(Debug)]
pub(crate) struct Matcher {
    engine: Arc<Engine>,
    shape: Shape,
    channels: Channels,
    mean: [f32; 3],
    scale: [f32; 3],
    /// Digest of the model: vectors of two models have nothing to do with each other.
    model: String,
    threshold: f32,
    aligner: Mutex<Aligner>,
}

/// How the model wants its input.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// Channel by channel (NCHW).
    Planar,
    /// Pixel by pixel (NHWC).
    Interleaved,
}

impl Matcher {
    /// Opens a model. Its card may tell `color`, `mean` and `scale`, in its own metadata or beside it.
    ///
    /// # Errors
    /// Where it cannot be read, or takes and gives something else.
    pub(crate) fn open(path: &Path, threshold: f32) -> anyhow::Result<Self> {
        let file = ModelFile::read(path, None)?;
        let engine = Engine::open(&file.name, &file.bytes, Options::default())?;
        let card = Card::from_facts(engine.facts(), &file.name)?;
        let card = file.sidecar.clone().or(card);
        let name = path.display();
        ensure!(
            card.task.is_none(),
            "{name} is no model that tells persons apart: its card says that it is for something else"
        );
        let (inputs, outputs) = (engine.inputs(), engine.outputs());
        let shape = match inputs {
            [one] => shape(&one.shape),
            _ => None,
        };
        let length = match outputs {
            [one] => length(&one.shape),
            _ => None,
        };
        let (Some(shape), Some(_)) = (shape, length) else {
            let shapes = |all: &[liveness::runtime::Outlet]| {
                let all: Vec<_> = all
                    .iter()
                    .map(|o| format!("{} {:?}", o.name, o.shape))
                    .collect();
                all.join(", ")
            };
            bail!(
                "{name} is no model that tells persons apart: it takes {} and gives {}, instead of one face of 3x{SIDE}x{SIDE} and one vector",
                shapes(inputs),
                shapes(outputs)
            );
        };
        let channels = card.color.unwrap_or(Channels::Rgb);
        ensure!(
            channels != Channels::Gray,
            "{name}: its card says that it wants grey pictures, which it has no input for"
        );
        let model = HEXLOWER.encode(&Sha256::digest(&file.bytes));
        Ok(Self {
            shape,
            channels,
            mean: card.mean.unwrap_or([MEAN; 3]),
            scale: card.scale.unwrap_or([SCALE; 3]),
            model,
            threshold,
            aligner: Mutex::default(),
            engine,
        })
    }

    /// Digest of the model.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Whether two faces are of one person.
    pub(crate) fn is_same(&self, a: &Embedding, b: &Embedding) -> bool {
        a.cosine(b) >= self.threshold
    }

    /// The vector of a face; none where its points are none.
    ///
    /// # Errors
    /// Where the model fails, or gives no numbers.
    pub(crate) fn embed(
        &self,
        frame: &dyn Pixels,
        points: &Landmarks,
    ) -> anyhow::Result<Option<Embedding>> {
        let Some(face) = lock(&self.aligner).align(frame, points) else {
            return Ok(None);
        };
        let mut input = match self.shape {
            Shape::Planar => Input::new([1, 3, SIDE, SIDE])?,
            Shape::Interleaved => Input::new([1, SIDE, SIDE, 3])?,
        };
        let tensor = input.data();
        for (i, pixel) in face.iter().enumerate() {
            for c in 0..3 {
                let from = if self.channels == Channels::Bgr {
                    2 - c
                } else {
                    c
                };
                let at = match self.shape {
                    Shape::Planar => c * SIDE * SIDE + i,
                    Shape::Interleaved => 3 * i + c,
                };
                if let Some(number) = tensor.get_mut(at) {
                    *number = (pixel[from] - self.mean[c]) * self.scale[c];
                }
            }
        }
        let numbers = self
            .engine
            .run(&input, |outputs| outputs.first().map(|o| o.data.to_vec()))?;
        let numbers = numbers.filter(|n| LENGTHS.contains(&n.len()));
        let embedding = numbers.and_then(Embedding::new);
        let name = self.engine.name();
        embedding
            .map(Some)
            .with_context(|| format!("{name} gave no vector"))
    }
}

/// The order in which the model wants the numbers of one face; none where it wants something else.
fn shape(dimensions: &[i64]) -> Option<Shape> {
    let side = SIDE as i64;
    let is = |d: i64, wanted: i64| d == wanted || d < 1;
    match *dimensions {
        [n, 3, h, w] if is(n, 1) && is(h, side) && is(w, side) => Some(Shape::Planar),
        [n, h, w, 3] if is(n, 1) && is(h, side) && is(w, side) => Some(Shape::Interleaved),
        _ => None,
    }
}

/// The length of the vector that the model gives.
fn length(dimensions: &[i64]) -> Option<usize> {
    let (&last, before) = dimensions.split_last()?;
    let last = usize::try_from(last).ok().filter(|l| LENGTHS.contains(l));
    last.filter(|_| before.iter().all(|&d| d <= 1))
}

#[cfg(test)]
mod tests;
