// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a trained model tells about itself, as the facts that the library reads.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use liveness::crop::{Crop, Outside, Shape};
use liveness::golden;
use liveness::resize::{Border, Channels, TensorFormat};

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
        let three = |v: [f32; 3]| {
            if v[1..].iter().all(|n| *n == v[0]) {
                v[0].to_string()
            } else {
                v.map(|n| n.to_string()).join(",")
            }
        };
        let color = match self.color {
            Channels::Rgb => "rgb",
            Channels::Bgr => "bgr",
            Channels::Gray => anyhow::bail!("nets take three channels, `gray` has one"),
        };
        let crop = match self.crop.shape {
            Shape::Box => "box",
            Shape::Square => "square",
        };
        let outside = match self.crop.outside {
            Outside::Shift => "shift",
            Outside::Fill(Border::Black) => "black",
            Outside::Fill(Border::Reflect) => "reflect",
            Outside::Fill(Border::Replicate) => "replicate",
        };
        let mut facts = self.more.clone();
        for (name, value) in [
            ("task", "liveness".to_owned()),
            ("name", self.name.clone()),
            ("color", color.to_owned()),
            ("mean", three(self.mean)),
            ("scale", three(self.scale)),
            ("crop", crop.to_owned()),
            ("crop-scale", self.crop.scale.to_string()),
            ("outside", outside.to_owned()),
            ("classes", CLASSES.join(",")),
            ("output", "logits".to_owned()),
            ("threshold", self.threshold.to_string()),
            (golden::INPUT, golden::name(GOLDEN)),
            (golden::OUTPUT, self.golden(net)?),
        ] {
            let before = facts.insert(name.to_owned(), value);
            ensure!(
                before.is_none(),
                "`{name}` is told by the trainer and cannot be told otherwise"
            );
        }
        liveness::model::Card::from_facts(&facts, "the new model's card")
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
