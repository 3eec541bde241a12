// SPDX-License-Identifier: MIT OR Apache-2.0
//! camera | network | film ! facedetect ! livenessclassify ─ policy ─ audit log ─ boxes, voice, mail, lock, commands, webhook
//!
//! Guards a door: `liveness-guard [--config guard.toml] [--camera N | --url ADDRESS | --file FILE]`
//!
//! The pipeline is `liveness_app::live`'s; this program decides by what is seen in it, and acts. `--help` tells the rest.

mod act;
mod audit;
mod bus;
mod check;
mod cli;
mod config;
mod facts;
mod guard;
mod place;
mod policy;
mod queue;
mod record;
mod setup;
mod stop;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use liveness_app::film::end::LOOK;
use liveness_app::lines::round;
use liveness_app::live::board::{self, Board};
use liveness_app::live::{Event, Input, Numbers, Show, has_display};
use liveness_app::{runtime, signals, status};

use act::crew::Crew;
use audit::{Audit, Line};
use cli::Cli;
use config::Config;
use guard::Guard;
use policy::Policy;
use record::Record;

/// What the messages begin with.
const NAME: &str = "liveness-guard";

/// How long what was begun may take, and then a delivery, after Ctrl-C.
const GRACE: Duration = Duration::from_secs(3);

/// The same at the end of a film, when nobody is in a hurry.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!("{NAME}: {error:#}");
        status::ERROR.into()
    })
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let config = cli
        .config
        .as_deref()
        .map(Config::load)
        .transpose()?
        .unwrap_or_default();
    if cli.check {
        return checked(&config);
    }
    let input = cli.source.input()?;
    let stop = signals::stop()?;
    gst::init().context("GStreamer does not start")?;
    gstliveness::plugin_register_static().context("the elements do not register")?;
    runtime::search();

    let (say, said) = channel();
    let audit = Audit::open(config.audit.path.as_deref()).map_err(anyhow::Error::msg)?;
    let record = Arc::new(Record::new(audit, say));
    let crew = setup::crew(&config, &record)?;
    let mut guard = Guard::new(
        Policy::new(config.policy.rules()),
        config.overlay.clone(),
        record.clone(),
    );

    let mut show = Show::new(&input, &cli.models, cli.source.timeout())?;
    show.look_on(guard.eye())?;
    if !cli.headless && has_display() {
        show.in_window()?;
    }
    if let Some(path) = &cli.record {
        show.record(path)?;
    }
    let source = input.to_string();
    let start = Line::Start {
        version: env!("CARGO_PKG_VERSION"),
        source: &source,
        config: cli.config.as_ref().map(|p| p.display().to_string()),
    };
    if !record.write(&start) {
        let why = said.try_recv().unwrap_or_default();
        bail!("a guard that cannot write down what it does does not start ({why})");
    }
    show.start()?;
    let mut duty = Duty {
        board: Board::new(NAME, cli.quiet),
        record,
        said,
        input: &input,
    };
    if !cli.headless && !has_display() {
        duty.board
            .say("there is no display, and so no window (--headless asks for none)");
    }
    let end = duty.watch(&mut show, &mut guard, &crew, &stop);
    duty.end(end, show, guard, crew, &stop)
}

/// Tells whether all that the configuration names is there.
fn checked(config: &Config) -> anyhow::Result<ExitCode> {
    let missing = check::check(config);
    for what in &missing {
        eprintln!("{NAME}: {what}");
    }
    match missing.len() {
        0 => eprintln!("{NAME}: all that the configuration names is there"),
        n => bail!(
            "{n} of what the configuration names {} missing or wrong",
            if n == 1 { "is" } else { "are" }
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// How it ended.
struct End {
    reason: &'static str,
    code: u8,
}

const INTERRUPTED: End = End {
    reason: "interrupted",
    code: status::INTERRUPTED,
};

/// What tells of all that happens.
struct Duty<'a> {
    board: Board,
    record: Arc<Record>,
    said: Receiver<String>,
    input: &'a Input,
}

impl Duty<'_> {
    /// Looks on until there is nothing more to see.
    fn watch(
        &mut self,
        show: &mut Show,
        guard: &mut Guard,
        crew: &Crew,
        stop: &AtomicBool,
    ) -> anyhow::Result<End> {
        loop {
            let event = show.next(LOOK);
            if stop.load(Ordering::Relaxed) {
                return Ok(INTERRUPTED);
            }
            guard.act(crew, Some(show));
            if let Some(event) = event
                && let Some(end) = self.take(event, show, guard)?
            {
                return Ok(end);
            }
            self.hear();
            self.board.see(|| show.numbers());
        }
    }

    /// Says what others have to say.
    fn hear(&self) {
        self.said.try_iter().for_each(|text| self.board.say(&text));
    }

    /// Tells one thing, and how it ended where it is the last one.
    fn take(
        &mut self,
        event: Event,
        show: &Show,
        guard: &mut Guard,
    ) -> anyhow::Result<Option<End>> {
        let source = self.input;
        match event {
            Event::Faces(faces) => self.board.faces(faces.seen.len()),
            Event::Playing(away) => {
                guard.forget(show);
                self.source(show, "playing", None, Some(away));
                self.board.playing(source, away);
            }
            Event::Lost(reason) => {
                guard.forget(show);
                self.source(show, "lost", Some(&reason), None);
                self.board.lost(source, &reason);
            }
            Event::NoWindow(reason) => self.board.say(&format!("there is no window ({reason})")),
            Event::Ended | Event::Closed => {
                if event == Event::Ended {
                    self.source(show, "ended", None, None);
                }
                return Ok(Some(End {
                    reason: "ended",
                    code: 0,
                }));
            }
            Event::Unreadable(reason) => {
                self.source(show, "lost", Some(&reason), None);
                self.board.say(&format!("cannot read {source}: {reason}"));
                return Ok(Some(End {
                    reason: "unreadable",
                    code: status::SOME_FAILED,
                }));
            }
            Event::Failed(reason) => bail!("{reason}"),
        }
        Ok(None)
    }

    fn source(&self, show: &Show, state: &str, reason: Option<&str>, away: Option<Duration>) {
        let seconds = |time: Duration| round(time.as_secs_f64(), 3);
        self.record.write(&Line::Source {
            at: seconds(show.now()),
            state,
            reason,
            away: away.map(seconds),
        });
    }

    /// Ends all, whatever ended it: what was decided is done, and what was recorded is whole.
    fn end(
        self,
        end: anyhow::Result<End>,
        show: Show,
        mut guard: Guard,
        crew: Crew,
        stop: &AtomicBool,
    ) -> anyhow::Result<ExitCode> {
        let Numbers {
            frames, dropped, ..
        } = show.numbers();
        let recorded = show.end();
        guard.close();
        guard.act(&crew, None);
        self.board.clear();
        self.hear();
        let patience = match &end {
            Ok(end) if end.reason == "ended" => PATIENCE,
            _ => GRACE,
        };
        crew.end(patience, GRACE, stop);
        let end = end.map(|end| match stop.load(Ordering::Relaxed) {
            true => INTERRUPTED,
            false => end,
        });
        let reason = end.as_ref().map_or("failed", |end| end.reason);
        self.record.write(&Line::Stop {
            reason,
            frames,
            dropped,
        });
        self.hear();
        let code = end?.code;
        if let Some(recorded) = recorded? {
            self.board.say(&board::recorded(&recorded));
        }
        Ok(code.into())
    }
}
