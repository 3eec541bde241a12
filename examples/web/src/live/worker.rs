// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks at the pictures of one session, one after the other, each in its turn, and says what follows for what the session is for.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use axum::body::Bytes;
use gstliveness::frame::Format;
use liveness::face::{Face, Landmarks};
use tokio::sync::mpsc;

use super::busy::Busy;
use super::message::{Answer, End, Mode, Start};
use super::picture;
use crate::account::{Errand, Gate, Outcome, Standing};
use crate::app::App;
use crate::challenge::Challenge;
use crate::identity::Embedding;
use crate::look::{Eye, Look, Shown};

/// Why a challenge that is not passed keeps a face from being called live.
const OPEN: &str = "challenge-open";

/// What a session is for.
pub(super) enum Task {
    Watch,
    Challenge(Box<Challenge>),
    /// Enrol or log in with this ticket.
    Face {
        gate: Box<Gate>,
        ticket: Ticket,
    },
}

/// A ticket that is being used; it is given up when this is dropped before it was granted.
pub(super) struct Ticket {
    app: Arc<App>,
    name: String,
    granted: bool,
}

impl Ticket {
    fn grant(&mut self, face: Embedding) {
        if let Some(desk) = &self.app.desk {
            desk.tickets.grant(&self.name, face);
            self.granted = true;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let (Some(desk), false) = (&self.app.desk, self.granted) {
            desk.tickets.drop(&self.name);
        }
    }
}

impl Task {
    /// What a browser wants.
    ///
    /// # Errors
    /// Why it cannot have it.
    pub(super) fn of(
        start: &Start,
        app: &Arc<App>,
        cookie: Option<&str>,
    ) -> Result<Self, (End, String)> {
        let now = Instant::now();
        match start.mode {
            Mode::Watch => Ok(Self::Watch),
            Mode::Challenge => {
                let challenge = Challenge::draw(app.challenge_time, now);
                let broken = |error| {
                    eprintln!("liveness-web: no challenge: {error:#}");
                    (End::Broken, "The server cannot draw a challenge.".into())
                };
                challenge.map(Box::new).map(Self::Challenge).map_err(broken)
            }
            Mode::Face => {
                let desk = app.desk.as_ref();
                let desk = desk.ok_or_else(|| (End::Off, "The log-in demo is off.".to_owned()))?;
                let both = start.ticket.as_deref().zip(cookie);
                let errand =
                    both.and_then(|(ticket, cookie)| desk.tickets.show(ticket, cookie, now));
                let (Some((name, _)), Some(errand)) = (both, errand) else {
                    let text =
                        "The ticket is not known, is too old, or was used before. Begin again.";
                    return Err((End::Ticket, text.into()));
                };
                let wanted = match errand {
                    Errand::Enrol { .. } => None,
                    Errand::LogIn(account) => Some(account.face),
                };
                Ok(Self::Face {
                    gate: Box::new(Gate::new(wanted, now)),
                    ticket: Ticket {
                        app: app.clone(),
                        name: name.to_owned(),
                        granted: false,
                    },
                })
            }
        }
    }
}

/// What is said about a picture.
pub(super) enum Answered {
    /// What was seen in it, and, where the session ends with it, why.
    Look(Box<Answer>, Option<(End, String)>),
    /// The session cannot go on.
    Broken(String),
}

/// A session's pipeline and what it is for.
pub(super) struct Worker {
    app: Arc<App>,
    eye: Eye,
    task: Task,
    busy: Busy,
}

impl Worker {
    /// Starts the pipeline.
    ///
    /// # Errors
    /// Where it does not start.
    pub(super) async fn open(app: Arc<App>, task: Task) -> anyhow::Result<Self> {
        let models = app.models.clone();
        let eye = tokio::task::spawn_blocking(move || Eye::open(&models)).await??;
        Ok(Self {
            app,
            eye,
            task,
            busy: Busy::default(),
        })
    }

    /// Answers pictures until there are no more, or nobody wants the answers; then takes the pipeline down.
    pub(super) async fn run(
        mut self,
        mut pictures: mpsc::Receiver<(u64, Bytes)>,
        answers: mpsc::Sender<Answered>,
    ) {
        while let Some((number, jpeg)) = pictures.recv().await {
            let answered = match self.answer(number, jpeg).await {
                Ok(answered) => answered,
                Err(error) => Answered::Broken(format!("{error:#}")),
            };
            if answers.send(answered).await.is_err() {
                break;
            }
        }
        // It may take a moment.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    async fn answer(&mut self, number: u64, jpeg: Bytes) -> anyhow::Result<Answered> {
        let mut answer = Answer {
            frame: number,
            credits: 1,
            sessions: self.app.running(),
            ..Answer::default()
        };
        if let Err(reason) = picture::check(&jpeg) {
            answer.error = Some(reason);
            return Ok(Answered::Look(Box::new(answer), None));
        }
        let came = Instant::now();
        let turn = self.app.turns.wait().await;
        let waited = came.elapsed();
        let look = self.eye.look(jpeg).await?;
        let end = match look {
            Some(look) => self.judge(look, &mut answer).await?,
            None => {
                answer.error = Some("The picture cannot be decoded.".into());
                None
            }
        };
        drop(turn);
        answer.throttled = self.busy.waited(waited);
        answer.waited_ms = milliseconds(waited);
        answer.took_ms = milliseconds(came.elapsed().saturating_sub(waited));
        Ok(Answered::Look(Box::new(answer), end))
    }

    /// What follows from what was seen.
    async fn judge(
        &mut self,
        look: Look,
        answer: &mut Answer,
    ) -> anyhow::Result<Option<(End, String)>> {
        let now = Instant::now();
        (answer.width, answer.height) = (Some(look.frame.0), Some(look.frame.1));
        answer.faces = look
            .faces
            .iter()
            .map(|f| Shown::new(f, look.frame))
            .collect();
        match &mut self.task {
            Task::Watch => Ok(None),
            Task::Challenge(challenge) => {
                answer.challenge = Some(challenge.see(&look.faces, look.frame, now));
                for shown in &mut answer.faces {
                    if !challenge.has_passed(shown.track) {
                        shown.withhold(OPEN);
                    }
                }
                Ok(None)
            }
            Task::Face { gate, ticket } => {
                let app = self.app.clone();
                let (standing, outcome) = check(gate, &app, look, now).await?;
                answer.face = Some(standing);
                Ok(outcome.map(|outcome| match outcome {
                    Outcome::Granted(face) => {
                        ticket.grant(face);
                        (End::Granted, "Your face was recognised as live.".to_owned())
                    }
                    Outcome::Refused(_) => (End::Refused, "You were not let in.".to_owned()),
                }))
            }
        }
    }
}

/// Compares the face of a frame, where there is one to compare.
async fn check(
    gate: &mut Gate,
    app: &Arc<App>,
    look: Look,
    now: Instant,
) -> anyhow::Result<(Standing, Option<Outcome>)> {
    let desk = app.desk.as_ref().context("the log-in demo is off")?;
    let points = Gate::candidate(&look.faces).and_then(|f| f.landmarks);
    let vector = match points {
        None => None,
        Some(points) => {
            let (app, sample) = (app.clone(), look.sample);
            tokio::task::spawn_blocking(move || embed(&app, &sample, &points)).await??
        }
    };
    let faces: &[Face] = &look.faces;
    let is_same = |a: &Embedding, b: &Embedding| desk.matcher.is_same(a, b);
    Ok(gate.see(faces, vector.as_ref(), is_same, now))
}

/// The vector of a face in a frame.
fn embed(app: &App, sample: &gst::Sample, points: &Landmarks) -> anyhow::Result<Option<Embedding>> {
    let desk = app.desk.as_ref().context("the log-in demo is off")?;
    let (buffer, caps) = sample
        .buffer()
        .zip(sample.caps())
        .context("a sample without a frame")?;
    let format = Format::new(&gst_video::VideoInfo::from_caps(caps)?);
    let embedded = format.read(buffer, |pixels| desk.matcher.embed(pixels, points));
    embedded.map_err(anyhow::Error::msg)?
}

fn milliseconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
