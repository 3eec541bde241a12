// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.

use std::path::PathBuf;

use clap::Parser;
use liveness_app::arguments;

const MORE: &str = "\
Lines with --json, one for each file (here broken into several):
  {\"path\": \"me.jpg\", \"width\": 640, \"height\": 480,
   \"faces\": [{\"box\": [212.5, 80, 84, 112.25], \"score\": 0.97, \"landmarks\": [[231.2, 122.5], …],
              \"label\": \"live\", \"live\": 0.982, \"reason\": null}],
   \"annotated\": \"out/me.jpg\"}
  {\"path\": \"broken.jpg\", \"error\": \"is cut off: the end of the picture is missing\"}
  path        as it was typed, or the way to it from there; as file://… where it is no UTF-8
  width …     of the upright picture, in whose pixels all places are
  box         left, top, width, height; may reach over the edge
  score       the detector's confidence, 0..1
  landmarks   eye on the left in the picture, eye on the right, tip of the nose, mouth corner left, right;
              null from a detector that gives none
  label       live, spoof, uncertain (with a reason) or unchecked (no model gave an answer)
  live        probability of live, 0..1; null without an answer
  annotated   the copy that was written, else null

Examples:
  Every face of a folder, in a table
    liveness-picture photos

  The same for a program, and copies to look at, as out/photos/…
    liveness-picture --json --annotate out photos > verdicts.jsonl

  Small faces in a large picture, by two models that are fused
    liveness-picture --input-size 1280 --model a.onnx,b.onnx group.jpg

Exit status:
  0    all pictures were read
  1    it could not start or go on
  2    wrong use
  3    finished, but some files could not be read, or their copies not written: each is named with its reason
  130  stopped by Ctrl-C";

/// Says of each face in pictures whether it is live or a spoof, by one look at each, and draws that on copies.
///
/// JPEG and PNG are read, and turned upright as their EXIF tag says. One look is little evidence: a film of somebody says more.
#[derive(Debug, Parser)]
#[command(name = "liveness-picture", version, after_help = MORE, max_term_width = 110)]
pub(crate) struct Cli {
    /// Pictures, and folders that hold them. In folders the name's ending decides what is taken, and hidden files are left alone; a file
    /// that is named here is always tried
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// Lines of JSON on standard output instead of a table
    #[arg(long)]
    pub(crate) json: bool,

    /// Write copies into this folder, upright and with the faces drawn as livenessoverlay does. Those of a folder get its name before
    /// theirs. Nothing that is there is overwritten
    #[arg(short, long, value_name = "DIR")]
    pub(crate) annotate: Option<PathBuf>,

    /// An ONNX liveness model, or several separated by commas that are fused as in livenessclassify [default: the one that ships]
    #[arg(long, value_name = "FILE[,FILE…]")]
    pub(crate) model: Option<PathBuf>,

    /// ONNX file of a face detector [default: the one that ships]
    #[arg(long, value_name = "FILE", env = "LIVENESS_DETECTOR")]
    pub(crate) detector: Option<PathBuf>,

    /// Probability of live from which on the label is live, 0..1 [default: what the models say]
    #[arg(long, value_name = "P", value_parser = arguments::unit)]
    pub(crate) threshold: Option<f32>,

    /// Lowest confidence of a face, 0..1 [default: what the detector recommends]
    #[arg(long, value_name = "P", value_parser = arguments::unit)]
    pub(crate) detector_threshold: Option<f32>,

    /// Long side of the detector's input in pixels, rounded up to a multiple of 32; larger finds smaller faces and takes longer [default:
    /// 320, or what the detector is fixed to]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(32..=4096))]
    pub(crate) input_size: Option<u32>,

    /// Shortest side of a face that is judged, in pixels of the picture; smaller ones are uncertain
    #[arg(long, value_name = "PIXELS", default_value = "0")]
    pub(crate) min_face_size: u32,
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
        assert!(parse("--json --annotate out a.jpg b").is_ok());
        for wrong in [
            "",
            "--json",
            "--annotate out",
            "--threshold 1.5 a.jpg",
            "--detector-threshold nan a.jpg",
            "--input-size 0 a.jpg",
            "--input-size 5000 a.jpg",
            "--min-face-size -1 a.jpg",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
