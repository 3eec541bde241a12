// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a trained model tells about itself, as the facts that the library reads.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use liveness::crop::Crop;
use liveness::golden;
use liveness::model::{self, Output, Task};
use liveness::resize::{Channels, TensorFormat};

use crate::net::{CLASSES, Evaluator, Net};

/// Which golden input is written; any number serves.
const GOLDEN: u32 = 1;

/// How a model's input was prepared in training, and what is to be told beside that.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// What the model is called in metadata and messages.
    pub name: String,
    /// Order of the input's channels; three of them.
    pub color: Channels,
    /// Subtracted from the values 0..255, per channel.
    pub mean: [f32; 3],
    /// Multiplied afterwards, per channel.
    pub scale: [f32; 3],
    /// Which part around a face was cut out.
    pub crop: Crop,
    /// Probability of live from which on a face is live.
    pub threshold: f32,
    /// Anything else, by names such as `licence`, `trained-on`, `version`.
    pub more: BTreeMap<String, String>,
}

impl Card {
    /// All facts by name, with a golden input and what `net` answers to it.
    ///
    /// # Errors
    /// Where a fact has a value that the library would refuse, or `more` holds one of the facts that are told here.
    pub(super) fn facts(&self, net: &Net) -> Result<BTreeMap<String, String>> {
        ensure!(
            self.color != Channels::Gray,
            "nets take three channels, `gray` has one"
        );
        let told = model::Card {
            task: Some(Task::Liveness),
            name: Some(self.name.clone()),
            color: Some(self.color),
            mean: Some(self.mean),
            scale: Some(self.scale),
            crop: Some(self.crop.shape),
            crop_scale: Some(self.crop.scale),
            outside: Some(self.crop.outside),
            classes: Some(CLASSES.map(str::to_owned).to_vec()),
            output: Some(Output::Logits),
            threshold: Some(self.threshold),
        };
        let golden = [
            (golden::INPUT.to_owned(), golden::name(GOLDEN)),
            (golden::OUTPUT.to_owned(), self.golden(net)?),
        ];
        let mut facts = self.more.clone();
        for (name, value) in told.facts().into_iter().chain(golden) {
            ensure!(
                !facts.contains_key(&name),
                "`{name}` is told by the trainer and cannot be told otherwise"
            );
            facts.insert(name, value);
        }
        model::Card::from_facts(&facts, "the new model's card")
            .context("the model would be refused")?;
        Ok(facts)
    }

    fn golden(&self, net: &Net) -> Result<String> {
        let format = TensorFormat {
            width: net.spec.size,
            height: net.spec.size,
            planar: true,
            channels: self.color,
            mean: self.mean,
            scale: self.scale,
        };
        let mut input = vec![0.0; format.len()];
        golden::fill(GOLDEN, &format, &mut input);
        let output = Evaluator::new(net).logits(input)?;
        ensure!(
            output.iter().all(|n| n.is_finite()),
            "the net gives {output:?} on its golden input: it is broken"
        );
        Ok(golden::print(&output))
    }
}
