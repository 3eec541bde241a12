// SPDX-License-Identifier: MIT OR Apache-2.0
//! How faces are found and judged: the elements with the models that the user named, the pipeline of a camera, that of a file.

mod eye;
mod face;
mod file;
mod kind;

use std::path::PathBuf;

use anyhow::{Context, bail};
use gst::prelude::*;
use liveness::face::Face;
use liveness_app::film::faults::{first_error, text};
use liveness_app::film::make;

pub(crate) use eye::{Eye, Look};
pub(crate) use face::Shown;
pub(crate) use file::{Limits, judge};
pub(crate) use kind::Holds;

/// What the user said about the models.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    pub(crate) detector: Option<PathBuf>,
    pub(crate) liveness: Option<PathBuf>,
    pub(crate) threshold: Option<f32>,
}

impl Models {
    /// facedetect ! livenessclassify, for faces that are followed, or for pictures that have nothing to do with each other.
    ///
    /// # Errors
    /// Where they are not registered.
    pub(crate) fn elements(&self, followed: bool) -> anyhow::Result<[gst::Element; 2]> {
        // The detector's name that is ours alone: GStreamer's OpenCV plugin has a `facedetect`, too.
        let detect = make("livenessfacedetect")?;
        let classify = make("livenessclassify")?;
        if let Some(model) = &self.detector {
            detect.set_property("model", model);
        }
        if let Some(models) = &self.liveness {
            classify.set_property("model", models);
        }
        if let Some(threshold) = self.threshold {
            classify.set_property("threshold", threshold);
        }
        if !followed {
            detect.set_property("tracking", false);
            classify.set_property("smoothing", 0f32);
        }
        Ok([detect, classify])
    }

    /// Opens the models, and keeps them open: the elements that come and go meanwhile share them.
    ///
    /// # Errors
    /// What the elements say about a model, or about ONNX Runtime.
    pub(crate) fn hold(&self) -> anyhow::Result<Held> {
        let held = Held(gst::Pipeline::new());
        held.0.add_many(&self.elements(true)?)?;
        if held.0.set_state(gst::State::Paused).is_ok() {
            return Ok(held);
        }
        let said = held.0.bus().and_then(|bus| first_error(&bus));
        let said = said.map_or_else(|| "the elements do not start".to_owned(), |e| text(&e));
        bail!("{said}")
    }
}

/// Models that are kept open for as long as this lives.
#[derive(Debug)]
pub(crate) struct Held(gst::Pipeline);

impl Drop for Held {
    fn drop(&mut self) {
        // There is nothing in it that could refuse.
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// What `livenessclassify` wrote about a frame: its faces in pixels, and its width and height.
///
/// # Errors
/// Where nothing was written, which no frame that comes out of the elements lacks.
fn faces(sample: &gst::Sample) -> anyhow::Result<(Vec<Face>, (u32, u32))> {
    let buffer = sample.buffer().context("a sample without a frame")?;
    let analysis = gstliveness::meta::read(buffer).context("a frame that nobody looked at")?;
    Ok((analysis.faces, (analysis.width, analysis.height)))
}
