// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said of a model, as a line of JSON has it. Every fact is the one that is used, told or assumed.

use std::collections::BTreeMap;

use liveness::golden;
use liveness::liveness::{DEFAULT_THRESHOLD, Family};
use liveness::model::{Card, ModelFile};
use serde::Serialize;

use crate::latency::Latency;
use crate::open::{Model, Opened};

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) file: String,
    /// It is inside this program.
    pub(crate) ships: bool,
    pub(crate) bytes: usize,
    pub(crate) name: String,
    pub(crate) task: &'static str,
    /// None for one that describes itself.
    pub(crate) family: Option<&'static str>,
    pub(crate) input: Input,
    pub(crate) crop: Option<Crop>,
    pub(crate) classes: Option<Vec<String>>,
    /// Whether logits or probabilities come out of a liveness model.
    pub(crate) output: Option<&'static str>,
    /// Whether a detector gives five points of each face.
    pub(crate) landmarks: Option<bool>,
    pub(crate) threshold: f32,
    pub(crate) threshold_from: Origin,
    /// Highest overlap of two faces.
    pub(crate) nms_threshold: Option<f32>,
    /// Facts that nobody told.
    pub(crate) assumed: Vec<String>,
    pub(crate) latency: Option<Latency>,
    pub(crate) self_test: SelfTest,
    /// All facts in the file.
    pub(crate) card: BTreeMap<String, String>,
}

/// How a picture goes into it.
#[derive(Debug, Serialize)]
pub(crate) struct Input {
    /// None where it takes any size.
    pub(crate) width: Option<usize>,
    pub(crate) height: Option<usize>,
    pub(crate) color: Option<&'static str>,
    pub(crate) mean: Option<[f32; 3]>,
    pub(crate) scale: Option<[f32; 3]>,
    /// What black and white become, for each channel.
    pub(crate) range: Option<[[f32; 2]; 3]>,
}

/// What it sees of a face.
#[derive(Debug, Serialize)]
pub(crate) struct Crop {
    pub(crate) shape: &'static str,
    /// As a multiple of the face's box.
    pub(crate) scale: f64,
    pub(crate) outside: &'static str,
}

/// Who says a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    Card,
    Family,
    /// Even odds.
    Nobody,
}

/// What came of the golden answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SelfTest {
    /// One that failed is no model that can be used, and there is no report.
    Passed,
    /// The file has none.
    None,
}

/// Of a file of which there is nothing else to say.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    pub(crate) file: String,
    pub(crate) error: String,
}

/// What differs between the two tasks.
struct Part {
    card: Card,
    family: Option<&'static str>,
    size: Option<(usize, usize)>,
    landmarks: Option<bool>,
    threshold: f32,
    threshold_from: Origin,
    nms_threshold: Option<f32>,
}

impl Part {
    fn of(model: &Model, told: &Card) -> Self {
        let card = |other| match told.threshold {
            Some(_) => Origin::Card,
            None => other,
        };
        match model {
            Model::Detector(detector) => Self {
                card: detector.card(),
                family: Some(detector.family().as_str()),
                size: detector.fixed_size(),
                landmarks: Some(detector.has_landmarks()),
                threshold: detector.default_threshold(),
                threshold_from: card(Origin::Family),
                nms_threshold: Some(detector.family().default_nms_threshold()),
            },
            Model::Liveness(classifier) => {
                let model = classifier.models().first();
                Self {
                    card: model.map(|m| m.card().clone()).unwrap_or_default(),
                    family: model.and_then(|m| m.family()).map(Family::as_str),
                    size: model.map(|m| m.size()),
                    landmarks: None,
                    threshold: told.threshold.unwrap_or(DEFAULT_THRESHOLD),
                    threshold_from: card(Origin::Nobody),
                    nms_threshold: None,
                }
            }
        }
    }
}

impl Report {
    pub(crate) fn new(
        file: String,
        ships: bool,
        bytes: &ModelFile,
        opened: &Opened,
        latency: Option<Latency>,
    ) -> Self {
        let Part {
            card,
            family,
            size,
            landmarks,
            threshold,
            threshold_from,
            nms_threshold,
        } = Part::of(&opened.model, &opened.told);
        let told = opened.told.facts();
        // A name and a threshold that are assumed are told as such elsewhere; the task is what the shapes say.
        let assumed = card.facts().into_keys().filter(|fact| {
            !told.contains_key(fact) && !["name", "task", "threshold"].contains(&fact.as_str())
        });
        let golden = opened.facts.contains_key(golden::INPUT);
        Self {
            file,
            ships,
            bytes: bytes.bytes.len(),
            assumed: assumed.collect(),
            input: Input::of(&card, size),
            crop: Crop::of(&card),
            task: card.task.map_or("", |t| t.as_str()),
            output: card.output.map(|o| o.as_str()),
            name: card.name.unwrap_or_default(),
            classes: card.classes,
            family,
            landmarks,
            threshold,
            threshold_from,
            nms_threshold,
            latency,
            self_test: match golden {
                true => SelfTest::Passed,
                false => SelfTest::None,
            },
            card: opened.facts.clone(),
        }
    }
}

impl Input {
    fn of(card: &Card, size: Option<(usize, usize)>) -> Self {
        let both = card.mean.zip(card.scale);
        let range = |mean: [f32; 3], scale: [f32; 3]| {
            std::array::from_fn(|c| [0.0, 255.0].map(|v| (v - mean[c]) * scale[c]))
        };
        Self {
            width: size.map(|s| s.0),
            height: size.map(|s| s.1),
            color: card.color.map(|c| c.as_str()),
            mean: card.mean,
            scale: card.scale,
            range: both.map(|(mean, scale)| range(mean, scale)),
        }
    }
}

impl Crop {
    /// None of a model that looks at whole frames.
    fn of(card: &Card) -> Option<Self> {
        Some(Self {
            shape: card.crop?.as_str(),
            scale: card.crop_scale?,
            outside: card.outside?.as_str(),
        })
    }
}
