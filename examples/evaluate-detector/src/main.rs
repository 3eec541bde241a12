// SPDX-License-Identifier: MIT OR Apache-2.0
//! sets of labelled pictures → every detector in turn → figures of `liveness::metrics::detection` → a table
//!
//! Measures face detectors side by side: `liveness-evaluate-detector --model A.onnx --model B.onnx@320 SET...`
//!
//! Each picture is decoded once and shown to every model, through the library's own preprocessing. `--help` tells the rest.

// The table is what this program prints.
#![allow(clippy::print_stdout)]

mod cli;
mod light;
mod look;
mod measure;
mod model;
mod names;
mod predictions;
mod report;
mod sets;
mod speed;
mod table;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;
use liveness_app::{runtime, signals, status};

use cli::Cli;
use predictions::Foreign;

fn main() -> ExitCode {
    let done = Cli::try_parse().and_then(Cli::checked);
    let cli = done.unwrap_or_else(|error| error.exit());
    run(&cli).unwrap_or_else(|error| {
        eprintln!("liveness-evaluate-detector: {error:#}");
        status::ERROR.into()
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let stop = signals::stop()?;
    runtime::search();
    let mut sets = sets::read(cli)?;
    let mut models = model::open(&cli.models)?;
    let foreign = Foreign::read(&cli.predictions, &sets)?;
    let all = models.iter().map(|m| &m.name);
    if let Some(name) = names::twice(all.chain(foreign.iter().map(|f| &f.name))) {
        bail!("two detectors are called {name}: give predictions another name, as NAME=FILE");
    }
    let Some(seen) = look::at(&mut sets, &mut models, foreign, cli.by_light(), &stop)? else {
        eprintln!("liveness-evaluate-detector: interrupted");
        return Ok(status::INTERRUPTED.into());
    };
    if let (Some(path), Some(first)) = (&cli.predictions_out, seen.first()) {
        predictions::write(path, &sets, first)?;
    }
    let speeds = speed::measure(&mut models, cli.rounds)?;
    let measured = measure::all(&sets, &seen, cli);
    print!("{}", report::text(cli, &sets, &measured, &speeds));
    if let Some(path) = &cli.json {
        let text = report::json(cli, &sets, &measured, &speeds)?;
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    let broken = sets.iter().any(|s| s.left_out.iter().any(|l| l.broken));
    Ok(if broken {
        status::SOME_FAILED.into()
    } else {
        ExitCode::SUCCESS
    })
}
