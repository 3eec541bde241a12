// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use liveness_app::arguments;

const MORE: &str = "\
Lines:
  {\"image\": \"fas/live/a.jpg\", \"live\": 0.93, \"label\": \"live\", \"box\": [12.5, 20, 96, 110.25]}
  {\"image\": \"fas/live/b.jpg\", \"live\": null, \"label\": \"unchecked\", \"box\": null}
  image   PATH's own name and the way from there, where PATH is a folder; else PATH as it was typed.
          Of a clip, with the number of the frame: fas/a.mp4#000010
  live    the probability, 0..1; null where no face was found or the models gave no number
  label   live from the threshold on, else spoof; unchecked where there is no answer
  box     the face that was judged: left, top, width, height in pixels of the upright picture

Examples:
  Two models that are fused, on a folder, for an evaluation elsewhere
    liveness-predict --model a.onnx,b.onnx --output answers.jsonl fas_replay

  Every frame of a clip, by the model that ships
    liveness-predict --every 1 me.mp4

  Crops of faces, in which a detector sees too little
    liveness-predict --model a.onnx --crops auto casia_crops
    liveness-predict --model a.onnx --whole celebaspoof_crops

Exit status:
  0    all files were read
  1    it could not start or go on
  2    wrong use
  3    finished, but some files could not be read: each is named with its reason
  130  stopped by Ctrl-C";

/// Says what liveness models say of pictures and clips, for checking outside: a line of JSON for each picture, judged by itself.
///
/// The largest face is judged. Where the detector finds none, it looks again with a grey border of half the picture around it, in which
/// crops of faces look like faces.
#[derive(Debug, Parser)]
#[command(name = "liveness-predict", version, after_help = MORE, max_term_width = 110)]
pub(crate) struct Cli {
    /// Pictures, clips, and folders that hold them. In folders the name's ending decides what is taken, and hidden files are left alone; a
    /// file that is named here is always tried
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// An ONNX liveness model, or several separated by commas that are fused as in livenessclassify [default: the one that ships]
    #[arg(long, value_name = "FILE[,FILE…]")]
    pub(crate) model: Option<PathBuf>,

    /// ONNX file of a face detector [default: the one that ships]
    #[arg(long, value_name = "FILE", env = "LIVENESS_DETECTOR")]
    pub(crate) detector: Option<PathBuf>,

    /// Probability of live from which on the label is live, 0..1 [default: what the models say]
    #[arg(long, value_name = "P", value_parser = arguments::unit)]
    pub(crate) threshold: Option<f32>,

    /// Which pictures without a face that is found are taken for crops, the whole picture being the face's box
    #[arg(long, value_enum, value_name = "WHICH", default_value = "none")]
    pub(crate) crops: Crops,

    /// Take every picture for a crop, the whole picture being the face's box, and look for no face
    #[arg(long, conflicts_with = "crops")]
    pub(crate) whole: bool,

    /// Judge the first and every Nth frame of a clip after it
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) every: NonZeroUsize,

    /// Where the lines go: a file, which appears when all is done, or `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: Output,
}

/// Which pictures are taken for crops when no face is found in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Crops {
    /// Small ones, no side longer than 448 pixels. Frames of small cameras look like them, too
    Auto,
    /// None: there is no face in them
    None,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Standard,
    File(PathBuf),
}

impl FromStr for Output {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "-" => Self::Standard,
            file => Self::File(file.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["x"].into_iter().chain(words.split_whitespace()))
    }

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(parse("--model a.onnx a.jpg").is_ok());
        for wrong in [
            "--model a.onnx",
            "--model a.onnx --every 0 a.mp4",
            "--model a.onnx --threshold 1.5 a.jpg",
            "--model a.onnx --threshold nan a.jpg",
            "--model a.onnx --crops all a.jpg",
            "--model a.onnx --crops auto --whole a.jpg",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_dash_is_standard_output() {
        let output = |words: &str| parse(words).unwrap().output;
        assert_eq!(output("--model a a.jpg"), Output::Standard);
        assert_eq!(output("--model a -o - a.jpg"), Output::Standard);
        let file = output("--model a -o x.jsonl a.jpg");
        assert_eq!(file, Output::File("x.jsonl".into()));
    }
}
