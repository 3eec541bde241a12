// SPDX-License-Identifier: MIT OR Apache-2.0
//! The faces of a picture and what the models say of them, by that picture alone: what the elements would, without smoothing.

use anyhow::{Error, Result, bail};
use liveness::detect::{self, Detector, InputSize};
use liveness::face::Face;
use liveness::liveness::{self as judging, Classifier};
use liveness::runtime::Options;
use liveness_app::models;
use liveness_app::picture::Picture;

use crate::cli::Cli;

/// Detector and liveness models, with what the user asked of them.
pub(crate) struct Looker {
    detector: Detector,
    detection: detect::Settings,
    classifier: Classifier,
    judgement: judging::Settings,
}

impl Looker {
    /// # Errors
    /// Where a model cannot be read, is none of its kind, or takes no input of the size that was asked for.
    pub(crate) fn open(cli: &Cli) -> Result<Self> {
        let file = models::detector(cli.detector.as_deref())?;
        let detector = Detector::open(&file, Options::default())?;
        let wanted = cli.input_size.map(|n| n as usize);
        if let (Some((w, h)), Some(long)) = (detector.fixed_size(), wanted)
            && long != w.max(h)
        {
            bail!(
                "{} takes {w}x{h} pixels and nothing else: leave --input-size out",
                file.name
            );
        }
        let files = models::liveness(cli.model.as_deref())?;
        Ok(Self {
            detector,
            detection: detect::Settings {
                threshold: cli.detector_threshold,
                input_size: wanted.map_or(InputSize::Auto, InputSize::LongSide),
                ..detect::Settings::default()
            },
            classifier: Classifier::open(&files, Options::default())?,
            judgement: judging::Settings {
                threshold: cli.threshold,
                min_face_size: cli.min_face_size as f32,
                ..judging::Settings::default()
            },
        })
    }

    /// Its faces with their verdicts, those that are surest to be faces first.
    ///
    /// # Errors
    /// Where a model fails.
    pub(crate) fn faces(&mut self, picture: &Picture) -> Result<Vec<Face>> {
        let view = picture.view().map_err(Error::msg)?;
        let (faces, _) = self.detector.detect(&view, 1.0, &self.detection)?;
        let mut faces = faces.to_vec();
        self.classifier
            .classify(&view, &mut faces, &self.judgement)?;
        Ok(faces)
    }
}
