// SPDX-License-Identifier: MIT OR Apache-2.0
//! pictures, frames of clips → `liveness::detect` → `liveness::liveness` → a line of JSON each
//!
//! Says what liveness models say of pictures and clips, for checking outside: `liveness-predict --model A.onnx,B.onnx PATH...`
//!
//! Each picture is judged by itself, with the code of the elements. `--help` tells the rest.

mod cli;
mod clip;
mod find;
mod inputs;
mod judge;
mod lines;
mod tally;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use liveness::letterbox::PixelAspect;
use liveness_app::picture::Picture;
use liveness_app::{runtime, signals, status};

use cli::Cli;
use clip::Clip;
use inputs::{Content, Input};
use judge::Judge;
use lines::{Line, Lines};
use tally::Tally;

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!("liveness-predict: {error:#}");
        status::ERROR.into()
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let stop = signals::stop()?;
    runtime::search();
    // Whatever is wrong should be known before hours of work.
    let lines = Lines::open(&cli.output)?;
    let found = inputs::find(&cli.paths)?;
    if found.inputs.iter().any(|i| i.content == Content::Clip) {
        gst::init().context("GStreamer does not start")?;
    }
    let mut run = Run {
        judge: Judge::open(cli)?,
        lines,
        tally: Tally::default(),
    };
    for (path, reason) in &found.refused {
        run.tally.cannot_read(path, reason);
    }
    let start = Instant::now();
    for input in &found.inputs {
        run.take(input, cli.every.get(), &stop)?;
        if stop.load(Ordering::Relaxed) {
            eprintln!("liveness-predict: interrupted");
            return Ok(status::INTERRUPTED.into());
        }
    }
    let Run { lines, tally, .. } = run;
    lines.finish()?;
    eprintln!("liveness-predict: {}", tally.text(start.elapsed()));
    Ok(match tally.broken {
        0 => ExitCode::SUCCESS,
        _ => status::SOME_FAILED.into(),
    })
}

/// What goes on from picture to picture.
struct Run {
    judge: Judge,
    lines: Lines,
    tally: Tally,
}

impl Run {
    /// Judges what is in a file. One that cannot be read is told, and the others go on.
    fn take(&mut self, input: &Input, every: usize, stop: &AtomicBool) -> anyhow::Result<()> {
        const SQUARE_PIXELS: PixelAspect = 1.0;
        match input.content {
            Content::Picture => match Picture::read(&input.path) {
                Ok(picture) => self.judge(&input.key, &picture, SQUARE_PIXELS)?,
                Err(reason) => self.tally.cannot_read(&input.path, &reason),
            },
            Content::Clip => {
                let mut clip = Clip::open(&input.path)?;
                loop {
                    match clip.next(every, stop) {
                        Ok(Some(frame)) => {
                            let key = format!("{}#{:06}", input.key, frame.number);
                            self.judge(&key, &frame.picture, frame.par)?;
                        }
                        Ok(None) => break,
                        Err(reason) => {
                            self.tally.cannot_read(&input.path, &reason);
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, key: &str, picture: &Picture, par: PixelAspect) -> anyhow::Result<()> {
        let answer = self.judge.answer(picture, par);
        let answer = answer.with_context(|| key.to_owned())?;
        self.tally.add(&answer);
        self.lines.add(&Line::new(key, &answer))
    }
}
