// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.
//!
//! What was asked for is kept beside the checkpoint of a run, so that it can go on without being told again: [`Train`] can be written
//! and read.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::augment::Augment;
use crate::net::Spec;
use crate::render::Effects;

const EXAMPLES: &str = "\
Examples:
  Two folders of faces, made by liveness-extract
    liveness-train train --train faces --output model

  Three data sets to train on, another one to measure on
    liveness-train train --train nuaa celebaspoof webcams --test casia \\
        --net liveness --output model

  Go on where it was stopped or killed
    liveness-train train --resume model

  Any ONNX models side by side; `a.onnx,b.onnx` are fused
    liveness-train evaluate --model model/model.onnx --model a.onnx,b.onnx \\
        --test casia --output report

  2000 prints and screens with the live faces of a set, and training on both
    liveness-train render --live faces --count 2000 --output rendered
    liveness-train train --train faces rendered --output model

Exit status:
  0    done
  1    it could not start or had to stop: the reason is told
  2    wrong use
  130  stopped by Ctrl-C; what was learned or rendered is saved. A second
       Ctrl-C ends it at once";

const DATA: &str = "Data";
const NET: &str = "The net and what it looks at";
const LEARNING: &str = "How it learns";
const LOOKS: &str = "What they look like";
const RUN: &str = "The run";

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "liveness-train",
    version,
    about = "Trains models that tell live faces from spoofs, and measures any that do",
    after_help = EXAMPLES,
    max_term_width = 110
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model on folders of faces, and report what it is worth
    Train(Box<Train>),
    /// Measure ONNX models on folders of faces, side by side
    Evaluate(Evaluate),
    /// Make spoofs out of live faces, as prints and screens before a camera, and write them as a data set
    Render(Render),
}

/// What to train, on what, and how.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
pub struct Train {
    /// Folders to train on: one folder per class in them (real, print, replay, mask, …), a manifest.jsonl, or a known data set
    #[arg(long, value_name = "DIR", num_args = 1.., required_unless_present = "resume", help_heading = DATA)]
    pub train: Vec<PathBuf>,

    /// Folders to measure on, best of another source. Nothing of them is trained on; pictures that are in both are left out of training
    #[arg(long, value_name = "DIR", num_args = 1.., help_heading = DATA)]
    pub test: Vec<PathBuf>,

    /// Folder for the model and its report
    #[arg(
        short,
        long,
        value_name = "DIR",
        required_unless_present = "resume",
        help_heading = RUN
    )]
    pub output: Option<PathBuf>,

    /// How faces are found
    #[command(flatten)]
    pub faces: FacesArgs,

    /// What stays together when pictures are held out
    #[arg(long, value_enum, default_value = "groups", help_heading = DATA)]
    pub split: SplitBy,

    /// Split frame by frame although it flatters. Trains twice, to measure by how much
    #[arg(long, help_heading = DATA)]
    pub force: bool,

    /// Share of the pictures that epoch and threshold are chosen on
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share, help_heading = DATA)]
    pub val: f64,

    /// Share of the pictures that are only measured on [default: 0.2, or 0 with --test]
    #[arg(long, value_name = "SHARE", value_parser = share, help_heading = DATA)]
    pub holdout: Option<f64>,

    /// `livenessnet` (the small classic, 32 pixels) or `liveness` (MiniFASNet's size, 80), with measures such as
    /// `liveness,size=128,width=0.5,blocks=depthwise,dropout=0.1` [default: livenessnet, or what --init is]
    #[arg(long, value_name = "SPEC", help_heading = NET)]
    #[serde(with = "text")]
    pub net: Option<Spec>,

    /// Go on from a model that this trainer wrote, with its crop and colours
    #[arg(long, value_name = "MODEL.onnx", help_heading = NET)]
    pub init: Option<PathBuf>,

    /// Side of what the net sees, over that of the face's box [default: 1.2 for livenessnet, 2.7 for liveness: paper edges and
    /// bezels show]
    #[arg(long, value_name = "FACTOR", value_parser = factor, help_heading = NET)]
    pub crop_scale: Option<f64>,

    /// What of examples is changed at random: all, none, or some of flip, rotate, shift, scale, jitter, color, light, blur, motion,
    /// downscale, noise, jpeg, erase
    #[arg(long, value_name = "NAMES", default_value = "all", help_heading = LEARNING)]
    #[serde(with = "text")]
    pub augment: Augment,

    /// How much they are changed, 1 as designed
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = strength, help_heading = LEARNING)]
    pub strength: f32,

    /// Leave brightness, contrast, saturation, resolution and compression as they are where they differ between the classes. The net
    /// learns those then, not faces
    #[arg(long, help_heading = LEARNING)]
    pub no_equalise: bool,

    /// What makes up for classes, attacks and recordings of unequal size
    #[arg(long, value_enum, default_value = "weights", help_heading = LEARNING)]
    pub balance: BalanceBy,

    /// Passes over the pictures, at most
    #[arg(long, value_name = "N", default_value = "50", help_heading = LEARNING)]
    pub epochs: NonZeroUsize,

    /// Pictures per step
    #[arg(long, value_name = "N", default_value = "32", help_heading = LEARNING)]
    pub batch: NonZeroUsize,

    /// How gradients change weights
    #[arg(long, value_enum, default_value = "adamw", help_heading = LEARNING)]
    pub optimizer: OptimizerBy,

    /// Highest learning rate; it rises over the warm-up and falls as a cosine [default: 0.001, for sgd 0.03; a tenth with --init]
    #[arg(long, value_name = "RATE", value_parser = rate, help_heading = LEARNING)]
    pub rate: Option<f32>,

    /// Epochs over which the rate rises
    #[arg(long, value_name = "EPOCHS", default_value_t = 1.0, value_parser = positive, help_heading = LEARNING)]
    pub warmup: f32,

    /// Weight decay; 0 makes adamw Adam
    #[arg(long, value_name = "DECAY", default_value_t = 0.05, value_parser = positive, help_heading = LEARNING)]
    pub decay: f32,

    /// Share of the truth that is spread over both classes (label smoothing)
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share32, help_heading = LEARNING)]
    pub smoothing: f32,

    /// Decay per step of a running mean of the weights, which is kept instead of the last ones, such as 0.999
    #[arg(long, value_name = "DECAY", value_parser = share32, help_heading = LEARNING)]
    pub average: Option<f32>,

    /// Epochs without a better one after which it ends; 0: never
    #[arg(long, value_name = "EPOCHS", default_value = "15", help_heading = LEARNING)]
    pub patience: usize,

    /// What makes an epoch better, on the pictures that are held out for it
    #[arg(long, value_enum, default_value = "acer", help_heading = LEARNING)]
    pub goal: GoalBy,

    /// Try so many settings of rate, decay, dropout, smoothing and strength first, by successive halving, and take the best
    #[arg(long, value_name = "N", help_heading = LEARNING)]
    pub tune: Option<NonZeroUsize>,

    /// Share of attacks that may be accepted on the validation pictures, of the worst kind: this sets the threshold in the model
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share, help_heading = RUN)]
    pub apcer: f64,

    /// Decides all random numbers: the same seed gives the same model
    #[arg(long, value_name = "N", default_value = "1", help_heading = RUN)]
    pub seed: u64,

    /// Name of the model in metadata and messages [default: the name of the output folder]
    #[arg(long, help_heading = RUN)]
    pub name: Option<String>,

    /// Licence of the model, written into it
    #[arg(long, help_heading = RUN)]
    pub licence: Option<String>,

    /// What computes the steps of training
    #[arg(long, value_enum, default_value = "cpu", help_heading = RUN)]
    pub device: DeviceBy,

    /// Threads that load pictures and make examples [default: one per core]
    #[arg(long, value_name = "N", help_heading = RUN)]
    pub threads: Option<NonZeroUsize>,

    /// Replace what is in the output folder
    #[arg(long, help_heading = RUN)]
    pub overwrite: bool,

    /// Go on with the run in this folder, with everything it was told
    #[arg(long, value_name = "DIR", conflicts_with_all = ["train", "test", "output", "overwrite", "init", "net"], help_heading = RUN)]
    #[serde(skip)]
    pub resume: Option<PathBuf>,
}

/// What to measure, and on what.
#[derive(Clone, Debug, clap::Args)]
pub struct Evaluate {
    /// An ONNX liveness model, or several separated by commas that are fused as in livenessclassify. Give it more than once to compare
    #[arg(long, value_name = "FILE[,FILE…]", required = true)]
    pub model: Vec<String>,

    /// Folders to measure on
    #[arg(long, value_name = "DIR", num_args = 1.., required = true)]
    pub test: Vec<PathBuf>,

    /// Folder for the report; without it there is only the table
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// How faces are found.
    #[command(flatten)]
    pub faces: FacesArgs,

    /// Probability of live from which on a face is accepted, 0..1 [default: what each model says]
    #[arg(long, value_name = "P", value_parser = share32)]
    pub threshold: Option<f32>,

    /// Write what the first model says of each picture to this file: {"image", "live"} per line
    #[arg(long, value_name = "FILE.jsonl")]
    pub predictions: Option<PathBuf>,

    /// Threads [default: one per core]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// What to render, out of what, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Render {
    /// Folders with live faces, as --train takes them; what else is in them is passed over
    #[arg(long, value_name = "DIR", num_args = 1.., required = true, help_heading = DATA)]
    pub live: Vec<PathBuf>,

    /// Folders with pictures of places, faces or not, that the spoofs are held before [default: the live pictures]
    #[arg(long, value_name = "DIR", num_args = 1.., help_heading = DATA)]
    pub scene: Vec<PathBuf>,

    /// Folder for the data set; it must be empty or not there yet
    #[arg(short, long, value_name = "DIR", help_heading = RUN)]
    pub output: PathBuf,

    /// How faces are found.
    #[command(flatten)]
    pub faces: FacesArgs,

    /// How many spoofs [default: one for each live picture]
    #[arg(long, value_name = "N", help_heading = RUN)]
    pub count: Option<NonZeroUsize>,

    /// What shows the faces, each as often
    #[arg(long, value_enum, value_name = "KINDS", value_delimiter = ',', default_value = "print,replay", help_heading = LOOKS)]
    pub kinds: Vec<KindBy>,

    /// What may be done to them: all, none, or some of tone, halftone, paper, edge, bend, tilt, blur, shade, grid, moire, bands, glare,
    /// mirror, noise, sharpen, jpeg
    #[arg(long, value_name = "NAMES", default_value = "all", help_heading = LOOKS)]
    pub effects: Effects,

    /// JPEG quality of the files, 1 to 100. What cameras do to pictures is among the effects: this should add nothing
    #[arg(long, value_name = "Q", default_value_t = 95, value_parser = clap::value_parser!(u8).range(1..=100), help_heading = LOOKS)]
    pub quality: u8,

    /// Decides all random numbers: the same seed gives the same files
    #[arg(long, value_name = "N", default_value = "1", help_heading = RUN)]
    pub seed: u64,

    /// A PNG file to look at, with the first of them [default: OUTPUT/contact-sheet.png]
    #[arg(long, value_name = "FILE", help_heading = RUN)]
    pub contact_sheet: Option<PathBuf>,

    /// Threads [default: one per core]
    #[arg(long, value_name = "N", help_heading = RUN)]
    pub threads: Option<NonZeroUsize>,
}

/// What shows a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindBy {
    /// A photo on paper
    Print,
    /// A screen
    Replay,
}

/// How faces are found in pictures that say no box.
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[command(next_help_heading = DATA)]
pub struct FacesArgs {
    /// ONNX file of a face detector, for whole frames [default: $LIVENESS_DETECTOR, else the one that ships]
    #[arg(long, value_name = "FILE")]
    pub detector: Option<PathBuf>,

    /// Which pictures are taken for crops of a face: `auto` (small ones in which no face is found), `none`, or all, with this margin: sides
    /// of the picture over those of the face
    #[arg(long, value_name = "auto|none|MARGIN", default_value = "auto", value_parser = crops)]
    pub crops: CropsBy,
}

impl FacesArgs {
    /// The detector that was named, or that the environment names.
    pub fn detector(&self) -> Option<PathBuf> {
        let named = std::env::var_os("LIVENESS_DETECTOR").filter(|v| !v.is_empty());
        self.detector.clone().or(named.map(PathBuf::from))
    }
}

/// Which pictures are taken for crops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum CropsBy {
    /// Small ones in which no face is found.
    #[default]
    Auto,
    /// No picture.
    None,
    /// All, with this margin.
    Margin(f32),
}

/// What stays together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum SplitBy {
    /// People, or recordings where the names tell no people, or look-alikes where they tell nothing
    Groups,
    /// The parts that the data sets' authors made
    Authors,
    /// Nothing: frame by frame. Frames of one film stand on both sides, so it is refused without --force
    Frames,
}

/// What makes up for unequal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum BalanceBy {
    /// Each picture comes once; classes, kinds of attack and long recordings are weighted in the loss
    Weights,
    /// As many of each class, and in it of each person or recording: rare ones come several times
    Groups,
    /// As many of each class
    Classes,
    /// Nothing
    None,
}

/// How gradients change weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum OptimizerBy {
    /// AdamW
    Adamw,
    /// Gradient descent with momentum
    Sgd,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum DeviceBy {
    /// All cores
    Cpu,
    /// The graphics card; only in a program that was built with `--features wgpu`
    Gpu,
}

/// What makes an epoch better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum GoalBy {
    /// ACER with the threshold at even odds
    Acer,
    /// ACER at the threshold of equal errors
    Eer,
}

fn number(text: &str) -> Result<f32, String> {
    let n: f32 = text.parse().map_err(|_| "not a number".to_owned())?;
    n.is_finite().then_some(n).ok_or("not a number".to_owned())
}

fn within(text: &str, range: std::ops::RangeInclusive<f32>) -> Result<f32, String> {
    let n = number(text)?;
    let told = || format!("must be from {} to {}", range.start(), range.end());
    range.contains(&n).then_some(n).ok_or_else(told)
}

/// As it was typed: 0.05 and not 0.05000000074505806.
fn exact(text: &str, range: std::ops::RangeInclusive<f32>) -> Result<f64, String> {
    let n = f64::from(within(text, range)?);
    Ok(text.trim().parse().unwrap_or(n))
}

fn share(text: &str) -> Result<f64, String> {
    exact(text, 0.0..=1.0)
}

fn share32(text: &str) -> Result<f32, String> {
    within(text, 0.0..=1.0)
}

fn positive(text: &str) -> Result<f32, String> {
    within(text, 0.0..=1e6)
}

fn strength(text: &str) -> Result<f32, String> {
    within(text, 0.0..=3.0)
}

fn factor(text: &str) -> Result<f64, String> {
    exact(text, 0.5..=8.0)
}

fn rate(text: &str) -> Result<f32, String> {
    within(text, 1e-7..=10.0)
}

fn crops(text: &str) -> Result<CropsBy, String> {
    match text {
        "auto" => Ok(CropsBy::Auto),
        "none" => Ok(CropsBy::None),
        _ => within(text, 1.0..=8.0)
            .map(CropsBy::Margin)
            .map_err(|e| format!("auto, none, or a margin: {e}")),
    }
}

/// Values that are written as they are typed.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Serialize, Serializer};

    /// What can be typed, or left out.
    pub(super) trait Typed: Sized {
        fn to_text(&self) -> Option<String>;
        fn from_text(text: Option<String>) -> Result<Self, String>;
    }

    impl Typed for super::Augment {
        fn to_text(&self) -> Option<String> {
            Some(self.to_string())
        }

        fn from_text(text: Option<String>) -> Result<Self, String> {
            parsed(&text.unwrap_or_default())
        }
    }

    impl Typed for Option<super::Spec> {
        fn to_text(&self) -> Option<String> {
            self.as_ref().map(ToString::to_string)
        }

        fn from_text(text: Option<String>) -> Result<Self, String> {
            text.map(|text| parsed(&text)).transpose()
        }
    }

    fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
        text.parse().map_err(|e: T::Err| e.to_string())
    }

    pub(super) fn serialize<T: Typed, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        value.to_text().serialize(s)
    }

    pub(super) fn deserialize<'d, T: Typed, D: Deserializer<'d>>(d: D) -> Result<T, D::Error> {
        T::from_text(Option::deserialize(d)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn train(words: &str) -> Result<Train, String> {
        let words = std::iter::once("liveness-train").chain(words.split(' '));
        match Cli::try_parse_from(words)
            .map_err(|e| e.to_string())?
            .command
        {
            Command::Train(train) => Ok(*train),
            Command::Evaluate(_) | Command::Render(_) => Err("another command".into()),
        }
    }

    fn render(words: &str) -> Result<Render, String> {
        let words = std::iter::once("liveness-train").chain(words.split(' '));
        match Cli::try_parse_from(words)
            .map_err(|e| e.to_string())?
            .command
        {
            Command::Render(render) => Ok(render),
            Command::Evaluate(_) | Command::Train(_) => Err("another command".into()),
        }
    }

    #[test]
    fn what_to_render_is_understood_or_refused() {
        let told = render(
            "render --live a b --scene c --output o --count 9 --kinds print --effects tone,moire",
        )
        .unwrap();
        assert_eq!((told.live.len(), told.scene.len()), (2, 1));
        assert_eq!(told.kinds, [KindBy::Print]);
        assert_eq!(told.effects.to_string(), "tone,moire");
        let plain = render("render --live a --output o").unwrap();
        assert_eq!(plain.kinds, [KindBy::Print, KindBy::Replay]);
        assert_eq!((plain.effects, plain.count), (Effects::ALL, None));
        for (words, part) in [
            ("render --output o", "--live"),
            ("render --live a", "--output"),
            ("render --live a --output o --count 0", "count"),
            ("render --live a --output o --kinds mask", "print"),
            ("render --live a --output o --effects more", "halftone"),
            ("render --live a --output o --quality 0", "quality"),
            ("render --live a --output o --quality 101", "quality"),
        ] {
            let error = render(words).unwrap_err();
            assert!(error.contains(part), "{words}: {error}");
        }
    }

    #[test]
    fn the_help_names_all_effects() {
        let mut command = Cli::command();
        let render = command.find_subcommand_mut("render").unwrap();
        let help: String = render.render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(&Effects::ALL.names().join(", ")), "{help}");
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_was_told_is_written_and_read_again() {
        let told = train(
            "train --train a b --test c --output o --net liveness,size=96 --augment flip,jpeg --crops 1.3 --tune 4 --rate 0.01 --apcer 0.03",
        )
        .unwrap();
        assert_eq!(told.train.len(), 2);
        assert_eq!(told.net.unwrap().size, 96);
        let json = serde_json::to_string(&told).unwrap();
        assert_eq!(
            serde_json::from_str::<Train>(&json).unwrap(),
            told,
            "{json}"
        );
        assert!(json.contains("\"apcer\":0.03"), "{json}");
        let plain = train("train --train a --output o").unwrap();
        let json = serde_json::to_string(&plain).unwrap();
        assert_eq!(serde_json::from_str::<Train>(&json).unwrap(), plain);
    }

    #[test]
    fn wrong_use_is_told() {
        for (words, part) in [
            ("train --output o", "--train"),
            ("train --train a", "--output"),
            ("train --train a --output o --net resnet", "livenessnet"),
            ("train --train a --output o --augment flop", "flip"),
            ("train --train a --output o --apcer 5", "from 0 to 1"),
            ("train --train a --output o --epochs 0", "epochs"),
            ("train --train a --output o --crops 0.5", "margin"),
            ("train --train a --output o --rate nan", "number"),
            ("train --resume o --train a", "cannot be used"),
        ] {
            let error = train(words).unwrap_err();
            assert!(error.contains(part), "{words}: {error}");
        }
        assert!(train("train --resume o").is_ok());
    }
}
