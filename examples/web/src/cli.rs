// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options and its help. Knows nothing of how it is done.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use liveness_app::arguments::unit;

use crate::identity::THRESHOLD;

const MORE: &str = "\
Examples:
  The page on this machine, at http://127.0.0.1:8080, with the models that ship
    liveness-web

  With the log-in demo: faces are compared by a model of the ArcFace kind (112x112)
    liveness-web --embedding mobilefacenet.onnx --database accounts.sqlite

  For telephones and other machines: browsers give their camera to https:// only, so
  a proxy that has a certificate stands before it
    liveness-web --host cam.example.org --behind-proxy
    caddy reverse-proxy --from cam.example.org --to 127.0.0.1:8080

Exit status:
  1    it could not start (a model or a database that cannot be used, an address
       that is taken) or go on
  2    wrong use
  130  stopped by Ctrl-C: sessions are closed first; a second Ctrl-C ends it at once";

/// A web page for face liveness: the browser's camera, uploads, a challenge and a log-in demo.
///
/// Every face is found and judged by the elements that gst-launch-1.0 has, in a pipeline for each session. Pictures are looked at and
/// forgotten; an account keeps the numbers that a model makes of a face, and no picture.
#[derive(Debug, Parser)]
#[command(name = "liveness-web", version, after_help = MORE, max_term_width = 110)]
pub(crate) struct Cli {
    /// Address and port of the page; port 0 takes a free one. It can be reached from this machine only, unless told otherwise here
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) bind: SocketAddr,

    /// A name under which browsers reach the page, beside localhost and plain addresses; may be given several times. Other names are
    /// refused, so that no other site can pretend to be this one
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,

    /// A proxy stands before it: the visitor's address is the last one in X-Forwarded-For
    #[arg(long)]
    pub(crate) behind_proxy: bool,

    /// An ONNX liveness model, or several separated by commas that are fused [default: the one that ships]
    #[arg(long, value_name = "FILE[,FILE…]", help_heading = MODELS)]
    pub(crate) model: Option<PathBuf>,

    /// ONNX file of a face detector; challenges and the log-in demo need one that gives five points [default: the one that ships]
    #[arg(long, value_name = "FILE", env = "LIVENESS_DETECTOR", help_heading = MODELS)]
    pub(crate) detector: Option<PathBuf>,

    /// Probability of live from which on a face is called live, 0..1 [default: what the models say]
    #[arg(long, value_name = "P", value_parser = unit, help_heading = MODELS)]
    pub(crate) threshold: Option<f32>,

    /// ONNX model that tells persons apart (ArcFace, MobileFaceNet: an aligned face of 112x112 in, one vector out). Without it the log-in
    /// demo is off
    #[arg(long, value_name = "FILE", help_heading = LOG_IN)]
    pub(crate) embedding: Option<PathBuf>,

    /// Cosine of two vectors from which on they are taken for the same person, -1..1: another model needs another one
    #[arg(long, value_name = "COSINE", default_value_t = THRESHOLD, value_parser = cosine, allow_negative_numbers = true, help_heading = LOG_IN)]
    pub(crate) match_threshold: f32,

    /// SQLite file that holds the accounts; it is made where there is none
    #[arg(long, value_name = "FILE", default_value = "liveness-web.sqlite", help_heading = LOG_IN)]
    pub(crate) database: PathBuf,

    /// Most cameras that are looked at at once; others are told to come back
    #[arg(long, value_name = "N", default_value = "16", help_heading = LIMITS)]
    pub(crate) max_sessions: NonZeroUsize,

    /// Longest time that one camera is looked at
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds, help_heading = LIMITS)]
    pub(crate) session_seconds: Duration,

    /// Time for each step of a challenge
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = LIMITS)]
    pub(crate) challenge_seconds: Duration,

    /// Largest picture or clip that may be uploaded
    #[arg(long, value_name = "MB", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = LIMITS)]
    pub(crate) max_upload: u16,
}

const MODELS: &str = "The models";
const LOG_IN: &str = "The log-in demo";
const LIMITS: &str = "Limits";

fn cosine(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok();
    let number = number.filter(|n| (-1.0..=1.0).contains(n));
    number.ok_or("must be from -1 to 1".into())
}

/// At most a day: what lasts longer is a mistake.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().ok();
    let seconds = seconds.filter(|s| (1..=86_400).contains(s));
    let seconds = seconds.map(|s| Duration::from_secs(s.into()));
    seconds.ok_or("must be from 1 to 86400".into())
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
    fn it_stays_on_this_machine_unless_told() {
        assert!(parse("").unwrap().bind.ip().is_loopback());
        let everywhere = parse("--bind 0.0.0.0:80").unwrap();
        assert!(!everywhere.bind.ip().is_loopback());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(parse("--match-threshold -0.5 --threshold 0").is_ok());
        for wrong in [
            "--bind localhost",
            "--threshold 1.5",
            "--match-threshold 2",
            "--match-threshold nan",
            "--max-sessions 0",
            "--session-seconds 0",
            "--challenge-seconds 90000",
            "--max-upload 0",
            "a.mp4",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
