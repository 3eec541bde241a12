// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use liveness::metrics::detection::By;

const SETS: &str = "\
A set is a folder of pictures with one of
  labels.jsonl   a line per picture: {\"file\", \"w\", \"h\", \"faces\": [{\"box\": [x1, y1, x2, y2],
                 \"label\"}], \"landmarks\": [[eye, eye, nose, mouth as x, y]], \"ignore\": [[x1, y1, x2,
                 y2]], \"hard_negative\"}. With neither faces nor landmarks nor a teacher: no faces. A
                 label is any word for the face, such as with_mask: see --by.
  training.xml, testing.xml   as dlib's imglab writes them
or none of them, and then its pictures are only looked at for --predictions-out.

Examples:
  Three detectors on the test part of two sets and on pictures without faces
    liveness-evaluate-detector --model a.onnx --model b.onnx@320 --model b.onnx@640 \\
        --split split.json --part test det_ilc det_caltech neg_imagenet

  Where a detector is weak: near and far, with a mask and without, in the dark and in the light
    liveness-evaluate-detector --model a.onnx --by size,label,light --json figures.json det_ilc

  What a detector finds in a folder of pictures, for other programs
    liveness-evaluate-detector --model a.onnx --predictions-out found.jsonl photos

Exit status:
  0    all pictures were read
  1    it could not start or go on
  2    wrong use
  3    finished, but some pictures could not be read: each is named with its reason
  130  stopped by Ctrl-C";

/// Measures face detectors side by side on pictures with labelled faces.
///
/// By falling score, each detection takes the free label that it overlaps most, if their IoU is at least 0.5 (AP50:95: the mean over ten
/// bounds). Faces below --min-face and what lies on --ignore count neither for nor against. Intervals are 95 % bootstrap over pictures.
#[derive(Debug, Parser)]
#[command(name = "liveness-evaluate-detector", version, after_help = SETS, max_term_width = 110)]
pub(crate) struct Cli {
    /// Folders of pictures with labels
    #[arg(value_name = "SET", required = true)]
    pub(crate) sets: Vec<PathBuf>,

    /// A detector, and the long side that pictures get in its input [default: the model's own; of one that takes any, 320]. A model with
    /// a fixed, larger input gets them that small in a corner: the accuracy of that size, not its speed. May be given often
    #[arg(long = "model", value_name = "FILE[@LONGSIDE]")]
    pub(crate) models: Vec<ModelArg>,

    /// What another detector said: lines of {"image", "faces": [{"box": [x, y, w, h], "score", "landmarks": [[x, y] * 5] or null}]}, a
    /// line for every picture, also for those without a face, with scores down to 0.02; and its own threshold [default: 0.5]
    #[arg(long, value_name = "[NAME=]FILE[:THRESHOLD]")]
    pub(crate) predictions: Vec<PredictionsArg>,

    /// Take the pictures of one part alone: a file of {"SET": {"PART": ["picture", ...]}}
    #[arg(long, value_name = "FILE", requires = "part")]
    pub(crate) split: Option<PathBuf>,

    /// The part of --split, such as test
    #[arg(long, value_name = "NAME", requires = "split")]
    pub(crate) part: Option<String>,

    /// Where there may be faces that nobody labelled: `labels` (the regions of the labels), `none`, or a file of lines {"file",
    /// "ignore": [[x1, y1, x2, y2]]}; labelled pictures that the file does not know are left out
    #[arg(long, value_name = "WHERE", default_value = "labels")]
    pub(crate) ignore: IgnoreArg,

    /// Smallest face that counts: square root of its area in pixels, the picture's long side scaled to 640
    #[arg(long, value_name = "PIXELS", default_value_t = 10.0)]
    pub(crate) min_face: f64,

    /// What the faces are grouped by, each group with its AP50 and its recall at the threshold. The faces of the other groups count
    /// neither for nor against. What is found where no face is counts in the group of its own size or light, and in each by label
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        default_value = "size"
    )]
    pub(crate) by: Vec<ByArg>,

    /// How often pictures are drawn for the intervals; 0: no intervals
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(crate) resamples: usize,

    /// How often each model is timed, all taking turns; 0: not at all
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub(crate) rounds: usize,

    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write what the one --model finds, down to a score of 0.02, as --predictions takes it
    #[arg(long, value_name = "FILE")]
    pub(crate) predictions_out: Option<PathBuf>,
}

impl Cli {
    /// What clap cannot say by itself.
    pub(crate) fn checked(self) -> Result<Self, clap::Error> {
        let wrong = |text: &str| Err(Self::command().error(ErrorKind::ArgumentConflict, text));
        if self.models.is_empty() && self.predictions.is_empty() {
            return wrong("nothing to measure: give --model or --predictions");
        }
        if self.predictions_out.is_some() && self.models.len() != 1 {
            return wrong("--predictions-out is of one model: give --model once");
        }
        Ok(self)
    }

    /// Whether anybody wants to know how bright the faces are.
    pub(crate) fn by_light(&self) -> bool {
        self.by.contains(&ByArg::Light)
    }
}

/// What faces are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByArg {
    /// Square root of the area, the picture's long side scaled to 640: small < 32 <= medium <= 96 < large. How far away faces are
    Size,
    /// What the labels call the faces, such as with_mask; `mask` means the same
    #[value(alias = "mask")]
    Label,
    /// Mean luma (BT.601, 0..255) of the box in the picture: dark < 70 <= normal <= 170 < bright
    Light,
}

impl From<ByArg> for By {
    fn from(by: ByArg) -> Self {
        match by {
            ByArg::Size => Self::Size,
            ByArg::Label => Self::Label,
            ByArg::Light => Self::Light,
        }
    }
}

/// A model file and the long side of pictures in its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelArg {
    pub(crate) file: PathBuf,
    pub(crate) long_side: Option<usize>,
}

impl FromStr for ModelArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Files may have an @ in their names.
        let number = |(file, side): (&str, &str)| Some((file.to_owned(), side.parse().ok()?));
        match text.rsplit_once('@').and_then(number) {
            Some((_, side)) if !(16..=4096).contains(&side) => {
                Err(format!("a long side of {side}: not within 16..4096"))
            }
            Some((file, side)) => Ok(Self {
                file: file.into(),
                long_side: Some(side),
            }),
            None => Ok(Self {
                file: text.into(),
                long_side: None,
            }),
        }
    }
}

/// A file of predictions, what its detector is called, and its threshold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PredictionsArg {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) threshold: f32,
}

impl FromStr for PredictionsArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |(rest, t): (&'_ str, &str)| Some((rest.to_owned(), t.parse().ok()?));
        let (rest, threshold) = text
            .rsplit_once(':')
            .and_then(number)
            .unwrap_or_else(|| (text.to_owned(), 0.5));
        let (name, file) = match rest.split_once('=') {
            Some((name, file)) => (name.to_owned(), PathBuf::from(file)),
            None => {
                let file = PathBuf::from(rest);
                let stem = file.file_stem().unwrap_or_default();
                (stem.to_string_lossy().into_owned(), file)
            }
        };
        if name.is_empty() || !(0.0..=1.0).contains(&threshold) {
            return Err("as in NAME=FILE:0.5".into());
        }
        Ok(Self {
            name,
            file,
            threshold,
        })
    }
}

/// Where don't-care regions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IgnoreArg {
    Labels,
    None,
    File(PathBuf),
}

impl FromStr for IgnoreArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "labels" => Self::Labels,
            "none" => Self::None,
            file => Self::File(file.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_model_may_be_given_a_long_side() {
        let of = |text: &str| text.parse::<ModelArg>().map(|m| (m.file, m.long_side));
        assert_eq!(of("a.onnx"), Ok(("a.onnx".into(), None)));
        assert_eq!(of("d@x/a.onnx@320"), Ok(("d@x/a.onnx".into(), Some(320))));
        assert_eq!(of("a@b.onnx"), Ok(("a@b.onnx".into(), None)));
        assert!(of("a.onnx@9000").is_err());
    }

    #[test]
    fn predictions_may_be_given_a_name_and_a_threshold() {
        let of = |text: &str| text.parse::<PredictionsArg>().unwrap();
        let plain = of("d/p.jsonl");
        assert_eq!((plain.name.as_str(), plain.threshold), ("p", 0.5));
        let all = of("ours=d/p.jsonl:0.6");
        assert_eq!((all.name.as_str(), all.threshold), ("ours", 0.6));
        assert_eq!(all.file, PathBuf::from("d/p.jsonl"));
        assert!("p.jsonl:7".parse::<PredictionsArg>().is_err());
    }

    #[test]
    fn faces_are_grouped_by_size_unless_told_otherwise() {
        let of = |words: &[&str]| {
            let all = ["x", "--model", "a.onnx", "set"].iter().chain(words);
            Cli::try_parse_from(all).map(|cli| cli.by)
        };
        assert_eq!(of(&[]).unwrap(), [ByArg::Size]);
        let all = of(&["--by", "light,mask,size"]).unwrap();
        assert_eq!(all, [ByArg::Light, ByArg::Label, ByArg::Size]);
        assert!(of(&["--by", "weather"]).is_err());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let parse = |words: &[&str]| {
            let all = ["x"].iter().chain(words);
            Cli::try_parse_from(all).and_then(Cli::checked)
        };
        assert!(parse(&["--model", "a.onnx", "set"]).is_ok());
        assert!(parse(&["set"]).is_err());
        assert!(parse(&["--model", "a.onnx"]).is_err());
        assert!(parse(&["--model", "a.onnx", "--part", "test", "set"]).is_err());
        let out = ["--predictions-out", "o", "--predictions", "p", "set"];
        assert!(parse(&out).is_err());
    }
}
