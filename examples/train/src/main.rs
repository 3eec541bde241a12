// SPDX-License-Identifier: MIT OR Apache-2.0
//! Trains liveness models, measures any, and renders spoofs to train on: `liveness-train train --train FACES --output MODEL`. `--help` tells the rest.

use std::process::ExitCode;

use clap::Parser;
use liveness_app::{runtime, signals, status};
use liveness_train::cli::{Cli, Command};
use liveness_train::command::{self, End};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let run = || -> anyhow::Result<End> {
        let stop = signals::stop()?;
        runtime::search();
        match cli.command {
            Command::Train(args) => command::train(*args, &stop),
            Command::Evaluate(args) => command::evaluate(&args, &stop),
            Command::Render(args) => command::render(&args, &stop),
        }
    };
    match run() {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Stopped) => status::INTERRUPTED.into(),
        Err(error) => {
            eprintln!("liveness-train: {error:#}");
            status::ERROR.into()
        }
    }
}
