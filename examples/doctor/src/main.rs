// SPDX-License-Identifier: MIT OR Apache-2.0
//! registry, libraries, models, devices → what works here, and how to mend what does not
//!
//! Says what is missing on this machine: `liveness-doctor`
//!
//! It looks at what is installed as GStreamer's users have it, so the plugin is not part of it. `--help` tells the rest.

mod camera;
mod cli;
mod elements;
mod finding;
mod inference;
mod needs;
mod plugin;

use std::process::ExitCode;

use clap::Parser;
use liveness_app::{lines, status, terminal};

use cli::Cli;
use finding::{Finding, State};

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!(
            "liveness-doctor: {}",
            terminal::plain(&format!("{error:#}"))
        );
        status::ERROR.into()
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    gst::init()?;
    let (mut failed, mut warned) = (0, 0);
    let mut say = |finding: Finding| {
        match finding.state {
            State::Ok => {}
            State::Warn => warned += 1,
            State::Fail => failed += 1,
        }
        match cli.json {
            true => lines::print(&lines::json(&finding)?),
            false => lines::print(finding.text().as_bytes()),
        }
    };
    say(plugin::gstreamer())?;
    let (found, plugin) = plugin::find();
    say(found)?;
    if let Some(plugin) = &plugin {
        for finding in plugin::look(plugin) {
            say(finding)?;
        }
    }
    for finding in inference::look() {
        say(finding)?;
    }
    if plugin.is_some() {
        say(plugin::chain())?;
    }
    for finding in elements::look() {
        say(finding)?;
    }
    for finding in camera::look() {
        say(finding)?;
    }
    if !cli.json {
        let summary = match (failed, warned) {
            (0, 0) => "all is well\n".to_owned(),
            (0, n) => format!("all that is needed is there; worth a look: {n}\n"),
            (n, _) => format!("to be mended: {n}\n"),
        };
        lines::print(summary.as_bytes())?;
    }
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => status::SOME_FAILED.into(),
    })
}
