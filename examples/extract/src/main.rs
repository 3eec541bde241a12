// SPDX-License-Identifier: MIT OR Apache-2.0
//! filesrc ! decodebin ! videoconvert ! videoflip ! facedetect ! frameextract
//!
//! Makes a data set of faces out of videos and pictures: `liveness-extract --output DATASET --label LABEL INPUT...`
//!
//! Each file runs through one such pipeline, several at once. What is done is kept in the data set, so that a run that was stopped or
//! killed goes on where it was. `--help` tells the rest.

// The table is what this program prints.
#![allow(clippy::print_stdout)]

mod cli;
mod faults;
mod gauge;
mod inputs;
mod jobs;
mod journal;
mod pipeline;
mod progress;
mod report;
mod sheet;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use liveness::dataset::label;
use liveness_app::{runtime, signals, status};

use cli::{Cli, Extract, Task};
use jobs::Finish;

fn main() -> ExitCode {
    let done = match Cli::parse().task() {
        Task::Describe(folder) => describe(&folder),
        Task::Extract(extract) => run(&extract),
    };
    done.unwrap_or_else(|error| {
        eprintln!("liveness-extract: {error:#}");
        status::ERROR.into()
    })
}

/// How a folder is read as a data set.
fn describe(folder: &Path) -> anyhow::Result<ExitCode> {
    let mut set = liveness::dataset::read(folder)?;
    // It is of our own making, and nobody takes it for a sample.
    let sheet = folder.join(sheet::NAME);
    set.left_out.retain(|left| left.path != sheet);
    print!("{set}");
    Ok(ExitCode::SUCCESS)
}

fn run(extract: &Extract) -> anyhow::Result<ExitCode> {
    let stop = signals::stop()?;
    gst::init().context("GStreamer does not start")?;
    gstliveness::plugin_register_static().context("the elements do not register")?;
    runtime::search();

    if label::understand(&extract.label).is_none() {
        let label = &extract.label;
        eprintln!(
            "note: to a trainer, {label} is neither live nor a spoof; real, print, replay and mask are"
        );
    }
    let found = inputs::find(&extract.inputs, &extract.output, &extract.label)?;
    // Before the first file: with a wrong model or a folder that cannot be written to, every one of them would fail.
    let _detector = pipeline::hold_detector(extract)?;
    let journal = journal::Journal::open(&extract.output)?;
    let finish = jobs::run(extract, found, &journal, &stop)?;

    // Where nobody looks at it, it may be as wide as it is.
    let columns = console::Term::stdout()
        .size_checked()
        .map(|(_, columns)| columns.into());
    print!(
        "{}",
        report::table(&finish.rows, columns.unwrap_or(usize::MAX))
    );
    if let Some(place) = &extract.sheet
        && finish.saved_any()
        && finish.serious.is_none()
    {
        let sources = extract.sheet_of_run.then(|| finish.sources());
        match sheet::write(&extract.output, place, sources.as_ref()) {
            Ok(sheet) => println!("{sheet}"),
            // The pictures are there: that nobody can look at all of them at once is no reason to fail.
            Err(error) => eprintln!("liveness-extract: no contact sheet: {error:#}"),
        }
    }
    Ok(end(&finish))
}

/// What remains to be said, and the exit status.
fn end(finish: &Finish) -> ExitCode {
    if let Some(reason) = &finish.serious {
        eprintln!("liveness-extract: stopped: {reason}");
        return status::ERROR.into();
    }
    if finish.left > 0 {
        let inputs = report::count(finish.left, "input");
        eprintln!(
            "liveness-extract: interrupted, {inputs} left. The same command goes on from here"
        );
        return status::INTERRUPTED.into();
    }
    if finish.failed() > 0 {
        return status::SOME_FAILED.into();
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod testing {
    //! What tests of several modules need.

    /// GStreamer with our elements. Once: those of before are taken away when they are registered again.
    pub(crate) fn init() {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            gst::init().unwrap();
            gstliveness::plugin_register_static().unwrap();
        });
    }
}
