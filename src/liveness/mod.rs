// SPDX-License-Identifier: MIT OR Apache-2.0
//! Judging faces: one or several models of any known family, fused, from a frame and boxes to verdicts.

use std::sync::Arc;
use std::time::Instant;

use crate::crop::Crop;
use crate::error::{Error, Result};
use crate::face::{Face, Reason, Verdict};
use crate::geometry::Rect;
use crate::image::Pixels;
use crate::model::{Card, ModelFile, Output, Task};
use crate::resize::{Resizer, TensorFormat};
use crate::runtime::{Engine, Input, Options, Timing};

pub mod cues;

mod decision;
mod family;
mod fusion;
mod judge;

pub use decision::{HOLD, OverTime, decide};
pub use family::Family;
pub use judge::{Judge, Looked};

/// Faces that go through a model at once at the most, where it takes any number: bounds the memory of a crowd.
const LARGEST_BATCH: usize = 16;

/// What the models are for, in errors.
const TASK: &str = "liveness classification";

/// Largest box of a face, as a multiple of the frame. Detectors see faces that are partly outside, not ones mostly outside.
const LARGEST_BOX: f32 = 2.0;

/// What a user may ask of the judgement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Probability of live from which on a face is live, 0..1; `None`: what the models' cards recommend, else
    /// [`DEFAULT_THRESHOLD`].
    pub threshold: Option<f32>,
    /// Shortest side of a face that is judged, in pixels of the frame; smaller ones are uncertain.
    pub min_face_size: f32,
    /// Frames come when they are made, so that their times say when that was.
    pub is_live: bool,
    /// Nobody is called live while the stream looks as one that was injected: see [`crate::face::Cues::stream`].
    pub hold_suspect_stream: bool,
}

/// Even odds: the only neutral choice for a model that recommends nothing.
pub const DEFAULT_THRESHOLD: f32 = 0.5;

impl Default for Settings {
    fn default() -> Self {
        Self {
            threshold: None,
            min_face_size: 0.0,
            is_live: false,
            hold_suspect_stream: false,
        }
    }
}

/// A liveness classifier: its models and the memory to use them.
#[derive(Debug)]
pub struct Classifier {
    models: Vec<Model>,
    name: Arc<str>,
    resizer: Resizer,
    /// What all models say of a face.
    means: Vec<fusion::Mean>,
    /// Faces that the models look at, where they lie, and what comes out: memory that is used again for each frame.
    judged: Vec<usize>,
    boxes: Vec<Rect>,
    answers: Vec<Option<f32>>,
}

/// One model of a classifier.
#[derive(Debug)]
pub struct Model {
    engine: Arc<Engine>,
    /// The file as this user named it; the engine may have been opened under another name.
    file: String,
    name: String,
    family: Option<Family>,
    /// All facts in use.
    card: Card,
    format: TensorFormat,
    crop: Crop,
    /// Which of the outputs says live.
    live: usize,
    classes: usize,
    output: Output,
    /// It takes any number of pictures at once.
    any_batch: bool,
    /// Tensors by batch size, made as they are needed.
    inputs: Vec<(usize, Input)>,
}

impl Classifier {
    /// Opens the models; their answers are fused.
    ///
    /// # Errors
    /// Those of [`Engine::open`]; [`Error::UnfitModel`] where one is no liveness model; [`Error::MissingFacts`] where one does
    /// not say how to use it and is of no known family; [`Error::Option`] for an empty list; those of
    /// [`crate::golden::check`].
    pub fn open(files: &[ModelFile], options: Options) -> Result<Self> {
        if files.is_empty() {
            return Err(Error::Option(
                "no liveness model is named: set model=FILE.onnx, several separated by commas"
                    .into(),
            ));
        }
        let models = files
            .iter()
            .map(|file| Model::open(file, options))
            .collect::<Result<Vec<_>>>()?;
        let names: Vec<_> = models.iter().map(|m| m.name.as_str()).collect();
        Ok(Self {
            name: names.join("+").into(),
            models,
            resizer: Resizer::new(),
            means: Vec::new(),
            judged: Vec::new(),
            boxes: Vec::new(),
            answers: Vec::new(),
        })
    }

    /// Name of the model, or of several joined by `+`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its models, in the order in which they were named.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The threshold in use when the user gives none: the mean of what the cards recommend, as the probabilities are fused by
    /// their mean.
    pub fn default_threshold(&self) -> f32 {
        let told = self.models.iter().map(|m| m.card.threshold);
        let sum: Option<f32> = told.sum();
        sum.map_or(DEFAULT_THRESHOLD, |sum| sum / self.models.len() as f32)
    }

    /// Judges `faces` of `frame`, each by this frame alone, and writes their verdicts; [`Judge`] judges persons over time. A face that no
    /// model answered for, or whose answer is no number, stays [`Label::Unchecked`](crate::face::Label::Unchecked), as does one outside the frame.
    ///
    /// # Errors
    /// [`Error::Inference`], and [`Error::UnfitModel`] for outputs that contradict their own shapes. No face is judged
    /// then.
    pub fn classify(
        &mut self,
        frame: &dyn Pixels,
        faces: &mut [Face],
        settings: &Settings,
    ) -> Result<Timing> {
        let threshold = self.threshold(settings);
        let layout = frame.layout();
        let size = (layout.width as f32, layout.height as f32);
        let (mut judged, mut boxes, mut answers) = (
            std::mem::take(&mut self.judged),
            std::mem::take(&mut self.boxes),
            std::mem::take(&mut self.answers),
        );
        judged.clear();
        boxes.clear();
        for (i, face) in faces.iter_mut().enumerate() {
            face.verdict = Verdict::default();
            if !is_in_sight(&face.rect, size) {
                continue;
            }
            if is_too_small(&face.rect, settings) {
                face.verdict = decision::uncertain(Reason::TooSmall);
                continue;
            }
            judged.push(i);
            boxes.push(face.rect);
        }
        let asked = self.ask(frame, &boxes, &mut answers);
        if asked.is_ok() {
            for (&i, answer) in judged.iter().zip(&answers) {
                faces[i].verdict = Verdict {
                    model: Some(self.name.clone()),
                    ..decide(*answer, threshold)
                };
            }
        }
        (self.judged, self.boxes, self.answers) = (judged, boxes, answers);
        asked
    }

    /// The threshold that holds with these settings.
    fn threshold(&self, settings: &Settings) -> f32 {
        let told = settings.threshold;
        told.unwrap_or_else(|| self.default_threshold())
    }

    /// What the models together say of each of `boxes`, which are in sight: the probability of live, `None` where one of them gave no
    /// number.
    ///
    /// # Errors
    /// Those of [`Classifier::classify`].
    fn ask(
        &mut self,
        frame: &dyn Pixels,
        boxes: &[Rect],
        answers: &mut Vec<Option<f32>>,
    ) -> Result<Timing> {
        self.means.clear();
        self.means.resize(boxes.len(), fusion::Mean::default());
        let mut timing = Timing::default();
        for model in &mut self.models {
            let size = if model.any_batch { LARGEST_BATCH } else { 1 };
            let batches = boxes.chunks(size).zip(self.means.chunks_mut(size));
            for (batch, means) in batches {
                let boxes = batch.iter().copied();
                model.run(&mut self.resizer, frame, boxes, means, &mut timing)?;
            }
        }
        answers.clear();
        answers.extend(self.means.iter().map(|mean| mean.get(self.models.len())));
        Ok(timing)
    }
}

/// Whether a face is smaller than what the user wants judged.
fn is_too_small(face: &Rect, settings: &Settings) -> bool {
    face.w.min(face.h) < settings.min_face_size
}

/// Whether there is something of the face to see, and its box is one that a detector could give: metadata is untrusted input, and a
/// box of a billion pixels would be scaled at that size.
fn is_in_sight(face: &Rect, (width, height): (f32, f32)) -> bool {
    face.is_valid()
        && face.clamped(width, height).is_some()
        && face.w <= LARGEST_BOX * width
        && face.h <= LARGEST_BOX * height
}

impl Model {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its family, where it has the shapes of one. What its card leaves open is taken from there: users should see what was assumed.
    pub fn family(&self) -> Option<Family> {
        self.family
    }

    /// All facts in use: those that the model or its sidecar tells, and for the others what its family's authors recommend. A threshold is
    /// missing where nobody tells one.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Width and height of its input in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.format.width, self.format.height)
    }

    fn open(file: &ModelFile, options: Options) -> Result<Self> {
        let engine = Engine::open(&file.name, &file.bytes, options)?;
        let told = Card::from_facts(engine.facts(), &file.name)?;
        // The golden answer belongs to what the model says of itself, not to what a user makes of it.
        let own = (told.mean, told.scale, told.color);
        let told = file.sidecar.clone().or(told);
        let unfit = |reason: String| Error::UnfitModel {
            model: file.name.clone(),
            task: TASK,
            reason,
        };
        if told.task.is_some_and(|t| t != Task::Liveness) {
            return Err(unfit("its card says that it is for another task".into()));
        }
        let shape = family::Shape::of(engine.inputs(), engine.outputs()).map_err(unfit)?;
        let family = Family::identify(&shape, &file.stem());
        let card = told.or(family.map(Family::card).unwrap_or_default());
        let mut missing = Vec::new();
        let mut need = |fact: &str, told: bool| {
            if !told {
                missing.push(crate::model::describe(fact));
            }
        };
        need("color", card.color.is_some());
        need("mean", card.mean.is_some());
        need("scale", card.scale.is_some());
        need("crop", card.crop.is_some());
        need("crop-scale", card.crop_scale.is_some());
        need("outside", card.outside.is_some());
        need("classes", card.classes.is_some());
        need("output", card.output.is_some());
        let (
            Some(channels),
            Some(mean),
            Some(scale),
            Some(crop),
            Some(crop_scale),
            Some(outside),
            Some(classes),
            Some(output),
        ) = (
            card.color,
            card.mean,
            card.scale,
            card.crop,
            card.crop_scale,
            card.outside,
            &card.classes,
            card.output,
        )
        else {
            return Err(Error::MissingFacts {
                model: file.name.clone(),
                missing,
                sidecar: file.sidecar_path.display().to_string(),
            });
        };
        if channels.count() != shape.channels {
            return Err(unfit(format!(
                "it takes {} channels, its card says {channels:?}",
                shape.channels
            )));
        }
        if classes.len() != shape.classes {
            return Err(unfit(format!(
                "it gives {} numbers per face, its card names {} classes",
                shape.classes,
                classes.len()
            )));
        }
        let live = classes
            .iter()
            .position(|c| c == "live")
            .ok_or_else(|| unfit("none of its classes is `live`".into()))?;
        let format = TensorFormat {
            width: shape.width,
            height: shape.height,
            planar: shape.planar,
            channels,
            mean,
            scale,
        };
        let golden = TensorFormat {
            mean: own.0.unwrap_or(mean),
            scale: own.1.unwrap_or(scale),
            channels: own.2.unwrap_or(channels),
            ..format
        };
        crate::golden::check(&engine, engine.facts(), &golden, &file.name, TASK)?;
        let name = card.name.clone().unwrap_or_else(|| file.stem());
        Ok(Self {
            file: file.name.clone(),
            family,
            format,
            crop: Crop {
                shape: crop,
                scale: crop_scale,
                outside,
            },
            live,
            classes: shape.classes,
            output,
            card: Card {
                task: Some(Task::Liveness),
                name: Some(name.clone()),
                ..card
            },
            name,
            any_batch: shape.any_batch,
            inputs: Vec::new(),
            engine,
        })
    }

    fn run(
        &mut self,
        resizer: &mut Resizer,
        frame: &dyn Pixels,
        boxes: impl ExactSizeIterator<Item = Rect>,
        probabilities: &mut [fusion::Mean],
        timing: &mut Timing,
    ) -> Result<()> {
        let start = Instant::now();
        let n = boxes.len();
        let index = match self.inputs.iter().position(|(size, _)| *size == n) {
            Some(index) => index,
            None => {
                let f = &self.format;
                let shape = if f.planar {
                    [n, f.channels.count(), f.height, f.width]
                } else {
                    [n, f.height, f.width, f.channels.count()]
                };
                self.inputs.push((n, Input::new(shape)?));
                self.inputs.len() - 1
            }
        };
        let input = &mut self.inputs[index].1;
        let layout = frame.layout();
        let size = (layout.width, layout.height);
        let tensors = input.data().chunks_exact_mut(self.format.len());
        for (face, tensor) in boxes.zip(tensors) {
            let (window, border) = self.crop.window(&face, size);
            let target = (self.format.width, self.format.height);
            resizer.run(frame, window, border, &self.format, target, tensor);
        }
        let filled = Instant::now();
        let (classes, live, output) = (self.classes, self.live, self.output);
        let mut ran = filled;
        let decoded = self.engine.run(input, |outputs| {
            ran = Instant::now();
            let data = outputs.first().map_or(&[][..], |o| o.data);
            if data.len() != n * classes {
                return Err(format!(
                    "{} numbers came out for {n} faces of {classes} classes",
                    data.len()
                ));
            }
            for (numbers, mean) in data.chunks_exact(classes).zip(probabilities) {
                mean.add(fusion::probability(numbers, live, output));
            }
            Ok(())
        })?;
        timing.preprocess += filled - start;
        timing.inference += ran - filled;
        timing.decode += ran.elapsed();
        decoded.map_err(|reason| Error::UnfitModel {
            model: self.file.clone(),
            task: TASK,
            reason,
        })
    }
}
