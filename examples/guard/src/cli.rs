// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.

use std::path::PathBuf;

use clap::Parser;
use liveness_app::live::{ModelOptions, SourceOptions, mkv};

const MORE: &str = "\
Examples:
  The webcam, in a window; decisions as lines of JSON on standard output
    liveness-guard

  A door: what is done stands in a file
    liveness-guard --check --config guard.toml
    liveness-guard --headless --config guard.toml --url rtsp://door.local/stream

  A mail server's password is never on the command line nor in the file: the
  file names the variable, or a file with nothing else in it
    MAIL_PASSWORD=... liveness-guard --config guard.toml

A source that is lost is said once and tried again until it is back. Ctrl-C lets
what has been begun come to its end for a few seconds; mails that are not sent
yet stay on the disk and are sent when the guard runs again.

Exit status:
  0    the film was read to its end, or the window was closed; --check found nothing
  1    it could not start or go on (wrong configuration or model, no audit log)
  2    wrong use
  3    the film could not be read, or not to its end
  130  stopped by Ctrl-C; a second Ctrl-C ends it at once

docs/guard.md tells what can stand in the file, and what the lines hold.";

/// Guards a door: looks at a camera, decides who is live, and acts on it.
#[derive(Debug, Parser)]
#[command(name = "liveness-guard", version, after_help = MORE, max_term_width = 100)]
pub(crate) struct Cli {
    /// What is done on which decision [default: nothing but boxes and the log]
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: Option<PathBuf>,

    /// Read the configuration, see whether all that it names is there, and end. Asks nobody in the network
    #[arg(long, requires = "config")]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) source: SourceOptions,

    /// Open no window, even where there is a display
    #[arg(long)]
    pub(crate) headless: bool,

    /// Write the annotated picture to a film, which must not be there yet
    #[arg(long, value_name = "FILE.mkv", value_parser = mkv())]
    pub(crate) record: Option<PathBuf>,

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
        assert!(Cli::try_parse_from(["x", "--check"]).is_err());
    }
}
