// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options and its help. Knows nothing of how it is done.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::server::ServerOptions;
use crate::setup::Limits;
use crate::work::WorkOptions;

const MORE: &str = "\
Examples:
  On one machine: a server, two recordings at a time, a folder of films
    nats-server -js -sd /tmp/fleet &
    liveness-fleet add films
    liveness-fleet work --jobs 2 --until-empty
    liveness-fleet results

  A worker on any other machine, which has the films at another place
    liveness-fleet work --server tls://nats.example.org --creds worker.creds --root /mnt/films

  A camera, watched by whichever worker has a place for it, until it is removed
    liveness-fleet add rtsp://door.local/stream
    liveness-fleet results --of events --follow
    liveness-fleet remove door-local-1f0c6f2b9a3d5e77

A worker that dies leaves its items to others; a server that is lost is waited
for. Each item has one result, however often it was begun.

Exit status:
  0    done; of `work`: stopped by a signal, and all that it had is given back
  1    it could not start or go on
  2    wrong use
  3    done, but some inputs could not be added, or have failed (--wait)
  130  `add --wait` and `results --follow` were stopped by Ctrl-C; of all:
       a second Ctrl-C ends it at once

docs/fleet.md tells how it works, and holds the permissions each user needs.";

/// Cameras and recordings as work items in a queue that any number of machines work on, with NATS JetStream between them.
#[derive(Debug, Parser)]
#[command(name = "liveness-fleet", version, after_help = MORE, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the streams of a fleet, or change what they keep. The other commands make them as needed
    Setup(SetupCommand),
    /// Add recordings and cameras
    Add(AddCommand),
    /// Work on items until stopped
    Work(WorkCommand),
    /// Take an item out of the queue: the end of a camera
    Remove(RemoveCommand),
    /// Read what became of items, or what was seen in them
    Results(ResultsCommand),
    /// Tell what waits, what is worked on, and who is there
    Status(StatusCommand),
}

#[derive(Args, Debug)]
pub(crate) struct SetupCommand {
    #[command(flatten)]
    pub(crate) limits: Limits,

    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Args, Debug)]
pub(crate) struct AddCommand {
    /// Films, folders that hold them, and addresses of cameras: rtsp://HOST/PATH, http://HOST:8080/video. In folders the name's ending decides what is
    /// taken, and hidden files are left alone; a file that is named here is always taken
    #[arg(value_name = "FILE|FOLDER|ADDRESS", required = true)]
    pub(crate) what: Vec<String>,

    /// Files lie below this folder, and workers find them below the --root of their own
    #[arg(long, value_name = "FOLDER")]
    pub(crate) root: Option<PathBuf>,

    /// Do again what is done, has failed or was removed: what was said of it is forgotten
    #[arg(long)]
    pub(crate) again: bool,

    /// Wait until all recordings are done, and tell what became of them
    #[arg(long)]
    pub(crate) wait: bool,

    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Args, Debug)]
pub(crate) struct WorkCommand {
    #[command(flatten)]
    pub(crate) work: WorkOptions,

    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveCommand {
    /// Items, by their numbers
    #[arg(value_name = "ITEM", required = true)]
    pub(crate) items: Vec<String>,

    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Args, Debug)]
pub(crate) struct ResultsCommand {
    /// What to read
    #[arg(long, value_enum, value_name = "WHAT", default_value = "results")]
    pub(crate) of: Of,

    /// Of this item alone
    #[arg(long, value_name = "ITEM")]
    pub(crate) item: Option<String>,

    /// Go on with what comes, until stopped
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Lines of JSON; events and frames are nothing else
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

/// What can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Of {
    /// What became of each item
    Results,
    /// Items that have failed
    Failed,
    /// Who was seen, and who works on what
    Events,
    /// The faces of each frame, in the layout of livenessmetaconvert
    Frames,
}

#[derive(Args, Debug)]
pub(crate) struct StatusCommand {
    /// One object of JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) server: ServerOptions,
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
        assert!(parse("work --jobs 2 --user joe --password-file p").is_ok());
        for wrong in [
            "",
            "add",
            "remove",
            "work --password-file p",
            "work --user joe --password-file p --creds c",
            "work --creds c --nkey-file n",
            "work --tls-cert c",
            "work --name a.b",
            "work --tries 0",
            "work --fleet A",
            "results --of x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
