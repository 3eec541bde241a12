// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.

use std::path::PathBuf;

use clap::Parser;
use liveness_app::live::{ModelOptions, SourceOptions, mkv};

const MORE: &str = "\
Examples:
  The webcam, in a window
    liveness-watch

  A network camera, recorded, with a line of JSON for each event
    LIVENESS_PASSWORD=... liveness-watch --url rtsp://cam.local/stream --user admin \\
        --record door.mkv --json > events.jsonl

  A telephone's camera: apps such as IP Webcam serve both
    liveness-watch --url http://phone.local:8080/video
    liveness-watch --url http://phone.local:8080/shot.jpg

  A film, as fast as this machine can, and what is seen in it
    liveness-watch --headless --json --file clip.mp4

A source that is lost is said once and tried again until it is back; window,
recording and numbers of faces stay. Ctrl-C finishes the recording.

Exit status:
  0    the film was read to its end, or the window was closed
  1    it could not start or go on (wrong model, full disk)
  2    wrong use
  3    the film could not be read, or not to its end
  130  stopped by Ctrl-C; a second Ctrl-C ends it at once

docs/watch.md tells what the lines of --json hold.";

/// Watches a camera, a stream or a film, and says who in it is live.
#[derive(Debug, Parser)]
#[command(name = "liveness-watch", version, after_help = MORE, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) source: SourceOptions,

    /// Open no window, even where there is a display
    #[arg(long)]
    pub(crate) headless: bool,

    /// Write the annotated picture to a film, which must not be there yet
    #[arg(long, value_name = "FILE.mkv", value_parser = mkv())]
    pub(crate) record: Option<PathBuf>,

    /// Write a line of JSON to standard output for each event: a face, a verdict, the source lost and back
    #[arg(long)]
    pub(crate) json: bool,

    /// Do not show frames a second, latency and dropped frames on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) models: ModelOptions,
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
        assert!(parse("--headless --record a.MKV --threshold 0.5").is_ok());
        for wrong in [
            "--record a.mp4",
            "--threshold 2",
            "--threshold nan",
            "--camera 0 --file a.mp4",
            "a.mp4",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
