// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.

use std::path::PathBuf;

use clap::Parser;

const MORE: &str = "\
What is said of a model:
  for          finding faces, or telling live faces from spoofs
  family       whose outputs it has, and so which decoder reads them; a model of no known family describes itself
  input        size, order of the colours, and the range that values 0..255 are brought into
  crop         the part around a face that it looks at
  classes      in the order of its outputs
  threshold    from which number on a face is one, or is live, and who says so
  assumed      the facts that neither the file nor FILE.toml beside it tells: they are the family's
  latency      medians, for a frame of 640x480 with one face to judge, on one thread, warm
  self-test    whether it answers as when it was written, where its card holds such an answer
  card         what else the file says of itself; whole with --json

Examples:
  What ships
    liveness-models

  What somebody else's models are, without waiting for their times
    liveness-models --rounds 0 yunet.onnx MiniFASNetV2_2.7_80.onnx

  The same for a program, a line for each
    liveness-models --json *.onnx

Exit status:
  0    all are models that work here
  1    it could not start: without ONNX Runtime nothing can be said
  2    wrong use
  3    finished, but some are no such models, or fail their self-test: each is named with its reason
  130  stopped by Ctrl-C";

/// Says what ONNX model files are, and whether they still answer as when they were written.
#[derive(Debug, Parser)]
#[command(name = "liveness-models", version, after_help = MORE, max_term_width = 110)]
pub(crate) struct Cli {
    /// ONNX files of face detectors and liveness models [default: those that ship]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// A line of JSON for each instead of text
    #[arg(long)]
    pub(crate) json: bool,

    /// Looks that are timed, after a few that are not; 0 for none
    #[arg(long, value_name = "N", default_value = "30", value_parser = rounds)]
    pub(crate) rounds: usize,
}

/// More take longer and say nothing new.
const MOST_ROUNDS: usize = 10_000;

fn rounds(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| *n <= MOST_ROUNDS);
    number.ok_or_else(|| format!("must be from 0 to {MOST_ROUNDS}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let parse =
            |words: &str| Cli::try_parse_from(["x"].into_iter().chain(words.split_whitespace()));
        assert!(parse("").is_ok_and(|cli| cli.files.is_empty() && cli.rounds == 30));
        assert!(parse("--rounds 0 a.onnx b.onnx").is_ok());
        for wrong in ["--rounds -1", "--rounds 100000", "--rounds x", "--jsonl"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
