// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the models say of the face of a picture, by that picture alone.

use anyhow::{Error, Result};
use liveness::face::{Face, Verdict};
use liveness::geometry::Rect;
use liveness::letterbox::PixelAspect;
use liveness::liveness::{Classifier, Settings};
use liveness::runtime::Options;
use liveness_app::models;
use liveness_app::picture::Picture;

use crate::cli::Cli;
use crate::find::Finder;

/// Detector and liveness models.
pub(crate) struct Judge {
    finder: Finder,
    classifier: Classifier,
    settings: Settings,
}

/// What is said of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    /// The face that was judged.
    pub(crate) rect: Option<Rect>,
    /// Unchecked where there was none.
    pub(crate) verdict: Verdict,
}

impl Judge {
    /// # Errors
    /// Where a model cannot be read or is none of its kind.
    pub(crate) fn open(cli: &Cli) -> Result<Self> {
        let finder = match cli.whole {
            true => Finder::Whole,
            false => Finder::open(cli.detector.as_deref(), cli.crops)?,
        };
        Ok(Self {
            finder,
            classifier: Classifier::open(
                &models::liveness(cli.model.as_deref())?,
                Options::default(),
            )?,
            settings: Settings {
                threshold: cli.threshold,
                ..Settings::default()
            },
        })
    }

    /// Finds and judges the face of a picture; `par` is the shape of its pixels.
    ///
    /// # Errors
    /// Where a model fails.
    pub(crate) fn answer(&mut self, picture: &Picture, par: PixelAspect) -> Result<Answer> {
        let Some(rect) = self.finder.find(picture, par)? else {
            return Ok(Answer::default());
        };
        let mut faces = [Face {
            rect,
            ..Face::default()
        }];
        let view = picture.view().map_err(Error::msg)?;
        self.classifier
            .classify(&view, &mut faces, &self.settings)?;
        let [face] = faces;
        Ok(Answer {
            rect: Some(rect),
            verdict: face.verdict,
        })
    }
}
