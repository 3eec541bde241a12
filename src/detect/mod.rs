// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finding faces: a model of any known family, from a frame to faces in the frame's own pixels. Knows no liveness.

use std::sync::Arc;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::face::Face;
use crate::geometry::{Point, Rect};
use crate::image::Pixels;
use crate::letterbox::{Letterbox, PixelAspect};
use crate::model::{Card, ModelFile, Task};
use crate::resize::{Resizer, TensorFormat, Window};
use crate::runtime::{Engine, Input, Options, Timing};

mod blazeface;
mod family;
mod nms;
mod outputs;
mod retinaface;
mod scrfd;
mod ssd;
mod ultraface;
mod yunet;

pub use family::Family;
pub use nms::suppress;

/// A face as a family's decoder gives it: in pixels of the model's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Where it is.
    pub rect: Rect,
    /// Confidence, 0..1.
    pub score: f32,
    /// Five points, where the model gives them.
    pub landmarks: Option<[Point; 5]>,
}

/// What the models are for, in errors.
const TASK: &str = "face detection";

/// Long side of the input of models that take any size, in pixels, where nobody says otherwise: the size at which the small
/// detectors of this field are commonly run on webcams.
pub const DEFAULT_LONG_SIDE: usize = 320;

/// Sides of the input of a fully convolutional detector are multiples of its coarsest stride.
const COARSEST_STRIDE: usize = 32;

/// What a user may ask of detection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// Lowest confidence of a face, 0..1; `None`: what the model's card or family recommends.
    pub threshold: Option<f32>,
    /// Highest overlap (IoU) of two faces, 0..1; `None`: what the family recommends.
    pub nms_threshold: Option<f32>,
    /// Shortest side of a face in pixels of the frame.
    pub min_face_size: f32,
    /// Most faces per frame, those with the highest confidence; 0 for all.
    pub max_faces: usize,
    /// Size of the input of a model that takes any.
    pub input_size: InputSize,
}

/// Size of a model's input, where the model leaves it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputSize {
    /// [`DEFAULT_LONG_SIDE`], the other side by the frame's shape.
    #[default]
    Auto,
    /// Long side in pixels, the other by the frame's shape; rounded up to a multiple of 32.
    LongSide(usize),
    /// Width and height in pixels, rounded up to multiples of 32.
    Exact(usize, usize),
}

/// A face detector: one model and the memory to use it.
#[derive(Debug)]
pub struct Detector {
    engine: Arc<Engine>,
    /// The model as this user named it; the engine may have been opened under another name.
    file: String,
    family: Family,
    card: Card,
    name: String,
    nchw: bool,
    fixed: Option<(usize, usize)>,
    whole: Option<Prepared>,
    /// For looks at a part of the frame.
    part: Option<Prepared>,
    resizer: Resizer,
    candidates: Vec<Candidate>,
    faces: Vec<Face>,
    timing: Timing,
}

/// What depends on the frame's geometry, the part of it that is looked at, and the input size asked for.
#[derive(Debug)]
struct Prepared {
    key: Key,
    format: TensorFormat,
    letterbox: Letterbox,
    input: Input,
    /// The margins are black already.
    cleared: bool,
}

/// Width and height of the frame, shape of its pixels, part of it, input size asked for.
type Key = (usize, usize, PixelAspect, Option<Window>, InputSize);

impl Detector {
    /// Opens a model.
    ///
    /// # Errors
    /// Those of [`Engine::open`]; [`Error::UnfitModel`] where it is no face detector of a known family.
    pub fn open(file: &ModelFile, options: Options) -> Result<Self> {
        let engine = Engine::open(&file.name, &file.bytes, options)?;
        let told = Card::from_facts(engine.facts(), &file.name)?;
        let card = file.sidecar.clone().or(told.clone());
        let unfit = |reason: String| Error::UnfitModel {
            model: file.name.clone(),
            task: TASK,
            reason,
        };
        if card.task.is_some_and(|t| t != Task::Detection) {
            return Err(unfit("its card says that it is for another task".into()));
        }
        if card.color.is_some_and(|c| c.count() != 3) {
            return Err(unfit("it takes 3 channels, its card says gray".into()));
        }
        let family = Family::identify(engine.outputs()).ok_or_else(|| {
            let list: Vec<_> = engine
                .outputs()
                .iter()
                .map(|o| format!("{} {:?}", o.name, o.shape))
                .collect();
            unfit(format!(
                "its outputs ({}) are none of {}'s",
                list.join(", "),
                Family::ALL.map(|f| f.as_str()).join("'s, ")
            ))
        })?;
        let (nchw, fixed) = input_shape(&engine).map_err(unfit)?;
        if let (Some(native), true) = (family.native_size(), fixed.is_none()) {
            return Err(unfit(format!(
                "{} is known with an input of {native}x{native} only",
                family.as_str()
            )));
        }
        check_golden(&engine, &told, family, (nchw, fixed), &file.name)?;
        Ok(Self {
            family,
            file: file.name.clone(),
            name: card.name.clone().unwrap_or_else(|| file.stem()),
            card,
            nchw,
            fixed,
            whole: None,
            part: None,
            resizer: Resizer::sparse(),
            candidates: Vec::new(),
            faces: Vec::new(),
            timing: Timing::default(),
            engine,
        })
    }

    /// The family that the model was recognised as.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Width and height of the input in pixels, where the model takes no other.
    pub fn fixed_size(&self) -> Option<(usize, usize)> {
        self.fixed
    }

    /// Whether it gives five points of each face.
    pub fn has_landmarks(&self) -> bool {
        self.family.has_landmarks(self.engine.outputs())
    }

    /// All facts in use: those that the model or its sidecar tells, and for the others what its family's authors recommend.
    pub fn card(&self) -> Card {
        let (color, mean, scale) = self.family.preprocessing();
        self.card.clone().or(Card {
            task: Some(Task::Detection),
            name: Some(self.name.clone()),
            color: Some(color),
            mean: Some(mean),
            scale: Some(scale),
            threshold: Some(self.default_threshold()),
            ..Card::default()
        })
    }

    /// Confidence from which on a candidate is a face when the user does not say.
    pub fn default_threshold(&self) -> f32 {
        self.card
            .threshold
            .unwrap_or(self.family.default_threshold())
    }

    /// Finds the faces of a frame, those with the highest confidence first, in the frame's pixels. A box may reach over the
    /// frame's edge. `par` is the shape of the frame's pixels.
    ///
    /// # Errors
    /// [`Error::Option`] for an input size that the model cannot have, [`Error::Inference`], and [`Error::UnfitModel`] for
    /// outputs that contradict their own shapes.
    pub fn detect(
        &mut self,
        frame: &dyn Pixels,
        par: PixelAspect,
        settings: &Settings,
    ) -> Result<(&[Face], Timing)> {
        self.look(frame, par, None, settings)?;
        Ok((&self.faces, self.timing))
    }

    /// Whether [`Detector::detect_near`] saves anything: only a model that takes inputs of any size looks at less of a smaller part.
    pub fn takes_parts(&self) -> bool {
        self.fixed.is_none()
    }

    /// As [`Detector::detect`], of the whole pixels of a part of the frame, at the scale at which the whole would be looked at. A face that the part's
    /// edge cuts may be missed or be given a box of what is left.
    ///
    /// # Errors
    /// As of [`Detector::detect`].
    pub fn detect_near(
        &mut self,
        frame: &dyn Pixels,
        par: PixelAspect,
        part: &Rect,
        settings: &Settings,
    ) -> Result<(&[Face], Timing)> {
        let layout = frame.layout();
        let (width, height) = (layout.width as u32, layout.height as u32);
        let window = part.pixels(width, height).map(|(x, y, w, h)| Window {
            x: x.into(),
            y: y.into(),
            w: w.into(),
            h: h.into(),
        });
        self.look(frame, par, window.filter(|_| self.takes_parts()), settings)?;
        Ok((&self.faces, self.timing))
    }

    /// What the last look has found.
    pub fn faces(&self) -> &[Face] {
        &self.faces
    }

    fn look(
        &mut self,
        frame: &dyn Pixels,
        par: PixelAspect,
        part: Option<Window>,
        settings: &Settings,
    ) -> Result<()> {
        self.faces.clear();
        self.candidates.clear();
        let threshold = settings.threshold.unwrap_or(self.default_threshold());
        let start = Instant::now();
        let layout = frame.layout();
        let key = (layout.width, layout.height, par, part, settings.input_size);
        let before = match part {
            None => self.whole.take(),
            Some(_) => self.part.take(),
        };
        let prepared = match before {
            Some(before) if before.key == key => before,
            before => self.prepare(key, before)?,
        };
        let place = match part {
            None => &mut self.whole,
            Some(_) => &mut self.part,
        };
        let Prepared {
            letterbox,
            format,
            input,
            cleared,
            ..
        } = place.insert(prepared);
        letterbox.fill(&mut self.resizer, frame, format, !*cleared, input.data());
        *cleared = true;
        let filled = Instant::now();
        let size = (format.width, format.height);
        let (family, candidates) = (self.family, &mut self.candidates);
        let mut ran = filled;
        let decoded = self.engine.run(input, |outputs| {
            ran = Instant::now();
            family.decode(outputs, size, threshold, candidates)
        })?;
        decoded.map_err(|reason| Error::UnfitModel {
            model: self.file.clone(),
            task: TASK,
            reason,
        })?;
        let overlap = settings
            .nms_threshold
            .unwrap_or(self.family.default_nms_threshold());
        nms::suppress(&mut self.candidates, overlap);
        let (width, height) = (layout.width as f32, layout.height as f32);
        for candidate in &self.candidates {
            let rect = letterbox.to_frame(candidate.rect);
            if rect.clamped(width, height).is_none() || rect.w.min(rect.h) < settings.min_face_size
            {
                continue;
            }
            if settings.max_faces > 0 && self.faces.len() == settings.max_faces {
                break;
            }
            self.faces.push(Face {
                id: self.faces.len() as u32 + 1,
                rect,
                score: candidate.score,
                landmarks: candidate
                    .landmarks
                    .map(|points| points.map(|p| letterbox.point_to_frame(p))),
                ..Face::default()
            });
        }
        self.timing = Timing {
            preprocess: filled - start,
            inference: ran - filled,
            decode: ran.elapsed(),
        };
        Ok(())
    }

    /// For a geometry that differs from that of `before`, whose tensor is taken where it has the size that is needed: a part that moves with a face
    /// changes with every look.
    fn prepare(&self, key: Key, before: Option<Prepared>) -> Result<Prepared> {
        let (width, height, par, part, wanted) = key;
        let size = match (self.fixed, wanted) {
            (Some(size), InputSize::Auto) => size,
            (Some((w, h)), InputSize::LongSide(long)) if long == w.max(h) => (w, h),
            (Some(size), InputSize::Exact(w, h)) if (w, h) == size => size,
            (Some((w, h)), _) => {
                return Err(Error::Option(format!(
                    "{} takes {w}x{h} pixels and nothing else: leave input-size at 0",
                    self.file
                )));
            }
            (None, wanted) => open_size((width, height), par, wanted),
        };
        let whole = Letterbox::fit((width, height), par, size);
        let (letterbox, size) = match part {
            None => (whole, size),
            Some(window) => {
                let part = whole.part(window);
                let up = |n: usize| n.next_multiple_of(COARSEST_STRIDE);
                (part, (up(part.size.0), up(part.size.1)))
            }
        };
        let (channels, mean, scale) = self.family.preprocessing();
        let format = TensorFormat {
            width: size.0,
            height: size.1,
            planar: self.nchw,
            channels: self.card.color.unwrap_or(channels),
            mean: self.card.mean.unwrap_or(mean),
            scale: self.card.scale.unwrap_or(scale),
        };
        let n = format.channels.count();
        let shape = if self.nchw {
            [1, n, size.1, size.0]
        } else {
            [1, size.1, size.0, n]
        };
        let input = match before {
            Some(before) if before.format == format => before.input,
            _ => Input::new(shape)?,
        };
        Ok(Prepared {
            key,
            letterbox,
            input,
            format,
            cleared: false,
        })
    }
}

/// The input's order of dimensions and its width and height, where they are fixed.
fn input_shape(engine: &Engine) -> Result<(bool, Option<(usize, usize)>), String> {
    let [input] = engine.inputs() else {
        return Err(format!(
            "it has {} inputs, one picture is given",
            engine.inputs().len()
        ));
    };
    let described = || format!("its input {} is {:?}", input.name, input.shape);
    let (nchw, w, h) = match input.shape[..] {
        [1 | -1, 3, h, w] => (true, w, h),
        [1 | -1, h, w, 3] => (false, w, h),
        _ => return Err(format!("{}, not one picture of 3 channels", described())),
    };
    match (usize::try_from(w), usize::try_from(h)) {
        (Ok(w @ 16..=4096), Ok(h @ 16..=4096)) => Ok((nchw, Some((w, h)))),
        (Err(_), Err(_)) => Ok((nchw, None)),
        _ => Err(described()),
    }
}

/// Lets the model answer to its golden input, where its card has one: prepared as the model itself says, not as a user may want it.
fn check_golden(
    engine: &Engine,
    told: &Card,
    family: Family,
    (planar, fixed): (bool, Option<(usize, usize)>),
    model: &str,
) -> Result<()> {
    let facts = engine.facts();
    let Some((width, height)) = crate::golden::size(facts, model)?.or(fixed) else {
        return match facts.get(crate::golden::INPUT) {
            None => Ok(()),
            Some(_) => Err(Error::Card {
                origin: model.to_owned(),
                reason: format!(
                    "`{}` needs `{}`: the model takes any size",
                    crate::golden::INPUT,
                    crate::golden::SIZE
                ),
            }),
        };
    };
    let (channels, mean, scale) = family.preprocessing();
    let format = TensorFormat {
        width,
        height,
        planar,
        channels: told.color.unwrap_or(channels),
        mean: told.mean.unwrap_or(mean),
        scale: told.scale.unwrap_or(scale),
    };
    crate::golden::check(engine, facts, &format, model, TASK)
}

/// Width and height for a model that takes any.
fn open_size((w, h): (usize, usize), par: PixelAspect, wanted: InputSize) -> (usize, usize) {
    let up = |n: f64| (n.ceil() as usize).max(1).next_multiple_of(COARSEST_STRIDE);
    let long = match wanted {
        InputSize::Exact(w, h) => return (up(w as f64), up(h as f64)),
        InputSize::LongSide(n) => n,
        InputSize::Auto => DEFAULT_LONG_SIDE,
    };
    let Letterbox { size, .. } = Letterbox::fit((w, h), par, (long, long));
    (up(size.0 as f64), up(size.1 as f64))
}

#[cfg(test)]
mod tests;
