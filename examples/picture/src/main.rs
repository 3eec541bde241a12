// SPDX-License-Identifier: MIT OR Apache-2.0
//! pictures → `liveness::detect` → `liveness::liveness` → a table, lines of JSON, annotated copies
//!
//! Judges the faces of pictures: `liveness-picture PATH...`
//!
//! Each picture is one look, judged by itself with the code of the elements; `livenessoverlay` itself draws the copies. `--help` tells the rest.

mod cli;
mod copies;
mod look;
mod paint;
mod read;
mod report;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use clap::Parser;
use liveness_app::inputs::{self, Input};
use liveness_app::{files, runtime, signals, status, terminal};

use cli::Cli;
use copies::Copies;
use look::Looker;
use report::Report;

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!(
            "liveness-picture: {}",
            terminal::plain(&format!("{error:#}"))
        );
        status::ERROR.into()
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let stop = signals::stop()?;
    runtime::search();
    // What an earlier run has drawn on is no picture to judge.
    let own = cli.annotate.as_ref().map(fs::canonicalize);
    let own = own.and_then(Result::ok);
    let is_own = |folder: &Path| own.is_some() && fs::canonicalize(folder).ok() == own;
    let found = inputs::find(&cli.paths, files::is_picture, is_own);
    if found.is_empty() {
        bail!("no picture in the folders that were named");
    }
    // Whatever is wrong should be known before hours of work.
    let mut run = Run {
        looker: Looker::open(cli)?,
        copies: cli.annotate.as_deref().map(Copies::open).transpose()?,
        report: Report::new(cli.json),
    };
    for (path, reason) in &found.refused {
        run.report.refused(path, reason)?;
    }
    for input in &found.inputs {
        if stop.load(Ordering::Relaxed) {
            eprintln!("liveness-picture: interrupted");
            return Ok(status::INTERRUPTED.into());
        }
        run.take(input)?;
    }
    Ok(match run.report.finish() {
        0 => ExitCode::SUCCESS,
        _ => status::SOME_FAILED.into(),
    })
}

/// What goes on from picture to picture.
struct Run {
    looker: Looker,
    copies: Option<Copies>,
    report: Report,
}

impl Run {
    /// Judges a picture. One that cannot be read is told, and the others go on.
    fn take(&mut self, input: &Input) -> anyhow::Result<()> {
        let path = &input.path;
        let (picture, format) = match read::picture(path) {
            Ok(read) => read,
            Err(reason) => return self.report.refused(path, &reason),
        };
        let faces = self.looker.faces(&picture);
        let faces = faces.with_context(|| path.display().to_string())?;
        let size = picture.size();
        let copy = self.copies.as_mut();
        let copy = copy.map(|copies| copies.add(input, picture, format, &faces));
        let copied = copy.as_ref().and_then(|c| c.as_deref().ok());
        self.report.judged(path, size, &faces, copied)?;
        if let Some(Err(reason)) = copy {
            self.report.not_copied(path, &reason);
        }
        Ok(())
    }
}
