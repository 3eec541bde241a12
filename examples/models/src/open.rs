// SPDX-License-Identifier: MIT OR Apache-2.0
//! Opens a file as what it is. Knows the library alone.

use std::collections::BTreeMap;

use liveness::detect::Detector;
use liveness::error::{Error, Result};
use liveness::liveness::Classifier;
use liveness::model::{Card, ModelFile, Task};
use liveness::runtime::{Engine, Options};

/// A model that is ready to work. To open one is to check its golden answer.
pub(crate) enum Model {
    Detector(Box<Detector>),
    Liveness(Box<Classifier>),
}

/// A model with what its file says.
pub(crate) struct Opened {
    pub(crate) model: Model,
    /// All facts in the file.
    pub(crate) facts: BTreeMap<String, String>,
    /// What the file and its sidecar tell of what the library needs to know.
    pub(crate) told: Card,
}

impl Opened {
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn of(file: &ModelFile) -> Result<Self> {
        // Kept until it is open as something: the library has one engine for all who use the same file.
        let engine = Engine::open(&file.name, &file.bytes, Options::default())?;
        let own = Card::from_facts(engine.facts(), &file.name)?;
        let told = file.sidecar.clone().or(own);
        let model = match told.task {
            Some(Task::Detection) => detector(file)?,
            Some(Task::Liveness) => classifier(file)?,
            None => whichever(file)?,
        };
        Ok(Self {
            model,
            facts: engine.facts().clone(),
            told,
        })
    }
}

fn detector(file: &ModelFile) -> Result<Model> {
    let detector = Detector::open(file, Options::default())?;
    Ok(Model::Detector(Box::new(detector)))
}

fn classifier(file: &ModelFile) -> Result<Model> {
    let files = std::slice::from_ref(file);
    let classifier = Classifier::open(files, Options::default())?;
    Ok(Model::Liveness(Box::new(classifier)))
}

/// A model that does not say what it is for is what its shapes say.
fn whichever(file: &ModelFile) -> Result<Model> {
    match detector(file) {
        Err(Error::UnfitModel { reason: face, .. }) => {
            classifier(file).map_err(|error| match error {
                Error::UnfitModel {
                    model,
                    reason: live,
                    ..
                } => Error::UnfitModel {
                    model,
                    task: "face detection or liveness",
                    reason: format!("{face}; {live}"),
                },
                other => other,
            })
        }
        opened => opened,
    }
}
