// SPDX-License-Identifier: MIT OR Apache-2.0
//! facedetect ! livenessclassify ! livenessoverlay, with the models that the user named. Knows the elements' names and properties.

use std::path::PathBuf;

use clap::Args;
use gst::prelude::*;
use liveness::model::ModelFile;

use crate::arguments::unit;
use crate::film::make;
use crate::models;

/// What was typed about the models.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The models")]
pub struct ModelOptions {
    /// An ONNX liveness model, or several separated by commas that are fused [default: the one that ships]
    #[arg(long, value_name = "FILE[,FILE…]")]
    model: Option<PathBuf>,

    /// ONNX file of a face detector [default: the one that ships]
    #[arg(long, value_name = "FILE", env = "LIVENESS_DETECTOR")]
    detector: Option<PathBuf>,

    /// Probability of live from which on a face is called live, 0..1 [default: what the models say]
    #[arg(long, value_name = "P", value_parser = unit)]
    threshold: Option<f32>,
}

impl ModelOptions {
    /// The detector and the liveness models, read.
    ///
    /// # Errors
    /// Those of [`ModelFile::read`].
    pub fn files(&self) -> liveness::error::Result<(ModelFile, Vec<ModelFile>)> {
        let detector = models::detector(self.detector.as_deref())?;
        Ok((detector, models::liveness(self.model.as_deref())?))
    }

    /// The elements, in the order of the data. The classifier posts the faces of every frame.
    ///
    /// # Errors
    /// Where they are not registered.
    pub(super) fn chain(&self) -> anyhow::Result<Vec<gst::Element>> {
        // The detector's name that is ours alone: GStreamer's OpenCV plugin has a `facedetect`, too.
        let detect = make("livenessfacedetect")?;
        let classify = make("livenessclassify")?;
        if let Some(model) = &self.detector {
            detect.set_property("model", model);
        }
        if let Some(models) = &self.model {
            classify.set_property("model", models);
        }
        if let Some(threshold) = self.threshold {
            classify.set_property("threshold", threshold);
        }
        classify.set_property_from_str("post-messages", "every-frame");
        Ok(vec![detect, classify, make("livenessoverlay")?])
    }
}
