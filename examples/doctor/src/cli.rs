// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options and its help.

use clap::Parser;

const MORE: &str = "\
What is looked at:
  gstreamer   its version
  plugin      found, not refused by GStreamer, as new as this program, its elements not hidden by others of the same name
  runtime     ONNX Runtime is found and can be loaded
  models      those that ship answer as when they were written
  chain       the elements start and judge a test picture, with what they find themselves
  elements    what each file in pipelines/ and each example program needs of GStreamer, with the Debian package that has it
  cameras     there are some, and this user may open them

Each line begins with ok, warn (something that not everybody needs is missing) or fail; below stands how to mend it.

Examples:
  What is wrong here
    liveness-doctor

  Only what is, for a program
    liveness-doctor --json | jq 'select(.state != \"ok\")'

Exit status:
  0  nothing that is needed is missing
  1  it could not start
  2  wrong use
  3  something has to be mended";

/// Says what is missing on this machine for finding and judging faces, and how to mend it.
#[derive(Debug, Parser)]
#[command(name = "liveness-doctor", version, after_help = MORE, max_term_width = 110)]
pub(crate) struct Cli {
    /// A line of JSON for each finding: check, state, text, mend
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["x", "--json"]).is_ok_and(|cli| cli.json));
        assert!(Cli::try_parse_from(["x", "everything"]).is_err());
    }
}
