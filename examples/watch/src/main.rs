// SPDX-License-Identifier: MIT OR Apache-2.0
//! camera | network | film ! facedetect ! livenessclassify ! livenessoverlay ! window | film, lines of JSON
//!
//! Watches a source and says who in it is live: `liveness-watch [--camera N | --url ADDRESS | --file FILE]`
//!
//! The pipeline is `liveness_app::live`'s; this program tells what happens in it. `--help` tells the rest.

mod cli;
mod lines;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use liveness_app::film::end::LOOK;
use liveness_app::live::board::{self, Board};
use liveness_app::live::events::{self, Events};
use liveness_app::live::{Event, Input, Show, has_display};
use liveness_app::{runtime, signals, status};

use cli::Cli;
use lines::Lines;

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!("liveness-watch: {error:#}");
        status::ERROR.into()
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let input = cli.source.input()?;
    let stop = signals::stop()?;
    gst::init().context("GStreamer does not start")?;
    gstliveness::plugin_register_static().context("the elements do not register")?;
    runtime::search();

    let mut show = Show::new(&input, &cli.models, cli.source.timeout())?;
    if !cli.headless && has_display() {
        show.in_window()?;
    }
    if let Some(path) = &cli.record {
        show.record(path)?;
    }
    show.start()?;
    let mut watch = Watch {
        board: Board::new("liveness-watch", cli.quiet),
        events: cli.json.then(|| Events::new(&input)),
        lines: Lines::default(),
        input: &input,
    };
    if !cli.headless && !has_display() {
        watch
            .board
            .say("there is no display, and so no window (--headless asks for none)");
    }
    let end = watch.watch(&mut show, &stop);
    // Whatever ended it, what was recorded and written must be whole.
    let recorded = show.end();
    let Watch { board, lines, .. } = watch;
    board.clear();
    let code = end?;
    lines.finish()?;
    if let Some(recorded) = recorded? {
        eprintln!("liveness-watch: {}", board::recorded(&recorded));
    }
    Ok(code)
}

/// What tells a user what happens.
struct Watch<'a> {
    board: Board,
    events: Option<Events>,
    lines: Lines,
    input: &'a Input,
}

impl Watch<'_> {
    /// Looks on until there is nothing more to see.
    fn watch(&mut self, show: &mut Show, stop: &AtomicBool) -> anyhow::Result<ExitCode> {
        loop {
            let event = show.next(LOOK);
            if stop.load(Ordering::Relaxed) {
                self.write(|events| events.end(show.now()))?;
                return Ok(status::INTERRUPTED.into());
            }
            if let Some(event) = event
                && let Some(code) = self.take(event, show.now())?
            {
                self.write(|events| events.end(show.now()))?;
                return Ok(code);
            }
            self.board.see(|| show.numbers());
        }
    }

    /// Tells one thing, and the exit status where it is the last one.
    fn take(&mut self, event: Event, now: Duration) -> anyhow::Result<Option<ExitCode>> {
        self.write(|events| events.see(&event, now))?;
        let source = self.input;
        match event {
            Event::Faces(faces) => self.board.faces(faces.seen.len()),
            Event::Playing(away) => self.board.playing(source, away),
            Event::Lost(reason) => self.board.lost(source, &reason),
            Event::NoWindow(reason) => self.board.say(&format!("there is no window ({reason})")),
            Event::Ended | Event::Closed => return Ok(Some(ExitCode::SUCCESS)),
            Event::Unreadable(reason) => {
                self.board.say(&format!("cannot read {source}: {reason}"));
                return Ok(Some(status::SOME_FAILED.into()));
            }
            Event::Failed(reason) => anyhow::bail!("{reason}"),
        }
        Ok(None)
    }

    fn write(&mut self, line: impl FnOnce(&mut Events) -> Vec<events::Line>) -> anyhow::Result<()> {
        let lines = self.events.as_mut().map(line).unwrap_or_default();
        lines.iter().try_for_each(|line| self.lines.add(line))
    }
}
