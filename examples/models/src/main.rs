// SPDX-License-Identifier: MIT OR Apache-2.0
//! model files → `liveness::detect` or `liveness::liveness` → what they are
//!
//! Says what model files are: `liveness-models [FILE...]`
//!
//! Each is opened as the elements open it, which checks its golden answer, and timed. `--help` tells the rest.

mod cli;
mod latency;
mod open;
mod report;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::Parser;
use liveness::model::ModelFile;
use liveness_app::{lines, runtime, signals, status, terminal};
use liveness_models::Shipped;

use cli::Cli;
use latency::Latency;
use open::Opened;
use report::{Refusal, Report};

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        say(&format!("{error:#}"));
        status::ERROR.into()
    })
}

fn say(text: &str) {
    eprintln!("liveness-models: {}", terminal::plain(text));
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let stop = signals::stop()?;
    runtime::search();
    // Without it there is nothing to say of any file.
    liveness::runtime::environment()?;
    let mut refused = 0;
    for source in Source::all(&cli.files) {
        if stop.load(Ordering::Relaxed) {
            say("interrupted");
            return Ok(status::INTERRUPTED.into());
        }
        match source.report(cli.rounds) {
            Ok(report) if cli.json => lines::print(&lines::json(&report)?)?,
            Ok(report) => lines::print(text::of(&report).as_bytes())?,
            Err(error) => {
                refused += 1;
                let error = error.to_string();
                say(&error);
                if cli.json {
                    let file = source.name();
                    lines::print(&lines::json(&Refusal { file, error })?)?;
                }
            }
        }
    }
    Ok(match refused {
        0 => ExitCode::SUCCESS,
        _ => status::SOME_FAILED.into(),
    })
}

/// Where a model comes from.
enum Source {
    File(PathBuf),
    Shipped(Shipped),
}

impl Source {
    /// The files that the user named, or all models that ship.
    fn all(files: &[PathBuf]) -> Vec<Self> {
        match files {
            [] => liveness_models::ALL.map(Self::Shipped).into(),
            files => files.iter().cloned().map(Self::File).collect(),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(path) => liveness_app::files::address(path),
            Self::Shipped(model) => model.name.to_owned(),
        }
    }

    /// Opens the model and says what it is.
    fn report(&self, rounds: usize) -> liveness::Result<Report> {
        let file = match self {
            Self::File(path) => ModelFile::read(path, None)?,
            Self::Shipped(model) => model.file(),
        };
        let mut opened = Opened::of(&file)?;
        let latency = Latency::measure(&mut opened.model, rounds)?;
        let ships = matches!(self, Self::Shipped(_));
        Ok(Report::new(self.name(), ships, &file, &opened, latency))
    }
}
