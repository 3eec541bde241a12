// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a report is made of: plain data that training and evaluation fill in. Knows nothing of how it is shown.

use std::path::PathBuf;

use liveness::metrics::{Answer, Bootstrap};
use serde::{Deserialize, Serialize};

/// Everything that a report tells. Fields that are left empty are left out of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The headline.
    pub title: String,
    /// The command line that made it.
    pub command: String,
    /// One or two lines below the headline, such as the date and the versions.
    pub notes: Vec<String>,
    /// What there was to learn and to measure on, a row for each set, part, class and kind of attack.
    pub data: Vec<DataRow>,
    /// How the data was split.
    pub split: Split,
    /// The epochs, in order. Empty where nothing was trained.
    pub history: Vec<Epoch>,
    /// Which epoch's weights were kept.
    pub best_epoch: Option<usize>,
    /// The class names, in the order of the model's outputs.
    pub labels: Vec<String>,
    /// The models. The report is about the first; the others stand beside it.
    pub models: Vec<Model>,
    /// How the intervals are made.
    pub bootstrap: Bootstrap,
}

/// What there is of one kind in one part of one set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataRow {
    /// The set's name.
    pub set: String,
    /// The part of the split, such as `train`, `validation` or `test`.
    pub part: String,
    /// `live` or `spoof`.
    pub class: String,
    /// The kind of attack; empty for live.
    pub attack: String,
    /// Number of pictures.
    pub pictures: usize,
    /// Number of sessions.
    pub sessions: usize,
    /// Number of clients; none where the data does not tell.
    pub clients: Option<usize>,
}

/// How the data was split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Sentences for the reader.
    pub description: Vec<String>,
    /// What is wrong with it, such as a split that the user forced. Shown first and loudest.
    pub warnings: Vec<String>,
    /// By how much a random split flatters, where that was measured.
    pub optimism: Option<Optimism>,
}

/// The same model and data, split twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Optimism {
    /// Which figure, such as `ACER`.
    pub figure: String,
    /// Measured with groups kept on one side, 0..1.
    pub grouped: f64,
    /// Measured with pictures of the same groups on both sides, 0..1.
    pub random: f64,
}

/// One epoch of training. Losses are as the optimiser sees them, shares 0..1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Learning rate at its end.
    pub learning_rate: f64,
    /// Mean loss over the pictures that were learned from.
    pub train_loss: f64,
    /// Share of them that was right.
    pub train_accuracy: f64,
    /// Mean loss over the validation set.
    pub val_loss: Option<f64>,
    /// Share of it that is right.
    pub val_accuracy: Option<f64>,
    /// ACER on it.
    pub val_acer: Option<f64>,
    /// AUC on it.
    pub val_auc: Option<f64>,
    /// How long it took.
    pub seconds: f64,
}

/// A model and its answers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its layers in a word or line, such as the spec it was built from.
    pub spec: Option<String>,
    /// Number of weights.
    pub parameters: Option<u64>,
    /// Multiplications with addition for one face.
    pub macs: Option<u64>,
    /// Its input, such as `80×80 RGB`.
    pub input: Option<String>,
    /// What part of the picture it sees, such as `face box × 1.5`.
    pub crop: Option<String>,
    /// Time for one face in milliseconds.
    pub ms_per_face: Option<f64>,
    /// The threshold that it is measured at.
    pub threshold: Threshold,
    /// Its answers, a set at a time. Sets of several models that have the same name are compared.
    pub sets: Vec<EvaluationSet>,
}

/// A threshold on the probability of live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Accepted is what is this or more.
    pub value: f64,
    /// How it was chosen, and on what.
    pub chosen: String,
}

impl Default for Threshold {
    fn default() -> Self {
        Self {
            value: 0.5,
            chosen: "not chosen: the middle".into(),
        }
    }
}

/// A model's answers about one set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EvaluationSet {
    /// Its name.
    pub name: String,
    /// What it is to the model, such as `never trained on` or `validation: the threshold was chosen here`.
    pub role: String,
    /// What groups are, in plural: `clients` or `sessions`.
    pub groups_are: String,
    /// The answers.
    pub answers: Vec<Answer>,
    /// The picture of each answer, in the same order; or none at all.
    pub paths: Vec<PathBuf>,
}
