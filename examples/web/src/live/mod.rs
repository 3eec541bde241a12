// SPDX-License-Identifier: MIT OR Apache-2.0
//! A camera's session: a browser sends pictures over a WebSocket and is told who is in them.
//!
//! ```text
//! browser ─ JPEG ─> socket ─ queue of CREDITS ─> worker: waits for its turn, looks ─ answer ─> socket ─ JSON ─> browser
//! ```
//!
//! The browser may have [`CREDITS`] pictures on their way and gets one back with each answer; what it sends beyond that is thrown away and
//! counted. So nothing grows, however fast or slow either side is.

mod busy;
mod message;
mod picture;
mod turns;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until, timeout};

use crate::app::{App, ended};
use message::{End, Hear, PROTOCOL, Say, Start};
use worker::{Answered, Task, Worker};

pub(crate) use picture::MOST_BYTES;
pub(crate) use turns::{Turn, Turns};

/// Pictures that may be on their way: one that is looked at, and one that waits.
const CREDITS: usize = 2;

/// How long a browser may take to say what it wants.
const START: Duration = Duration::from_secs(15);

/// How long it may send nothing.
const IDLE: Duration = Duration::from_secs(30);

/// How long it may take to receive a message.
const SEND: Duration = Duration::from_secs(10);

/// Pictures without credit after which a session ends: no browser of ours sends any.
const PATIENCE: u64 = 200;

/// Who is at the other end.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// The browser's cookie.
    pub(crate) cookie: Option<String>,
    /// It may begin no more sessions for now.
    pub(crate) too_many: bool,
}

/// Leads a session to its end.
pub(crate) async fn run(socket: WebSocket, app: Arc<App>, visitor: Visitor) {
    let mut line = Line { socket };
    let Some((end, text)) = lead(&mut line, &app, visitor).await else {
        // There is nobody any more.
        return;
    };
    line.end(end, text).await;
}

/// Why the session ends, and the words for it; none where the other end is gone.
async fn lead(line: &mut Line, app: &Arc<App>, visitor: Visitor) -> Option<(End, String)> {
    if visitor.too_many {
        return Some((
            End::TooMany,
            "Too many sessions were begun from your address. Wait a minute.".into(),
        ));
    }
    let Ok(place) = app.sessions.clone().try_acquire_owned() else {
        let most = app.max_sessions;
        return Some((
            End::Busy,
            format!("All {most} places are taken. Try again in a minute."),
        ));
    };
    let start = match line.start(app).await {
        Ok(start) => start,
        Err(end) => return end,
    };
    let task = match Task::of(&start, app, visitor.cookie.as_deref()) {
        Ok(task) => task,
        Err(end) => return Some(end),
    };
    let worker = match Worker::open(app.clone(), task).await {
        Ok(worker) => worker,
        Err(error) => {
            eprintln!("liveness-web: a session could not begin: {error:#}");
            return Some((
                End::Broken,
                "The server cannot look at pictures now.".into(),
            ));
        }
    };
    line.say(&Say::Hello {
        protocol: PROTOCOL,
        mode: start.mode,
        credits: CREDITS,
        frame_bytes: MOST_BYTES,
        frame_pixels: picture::MOST_PIXELS,
        seconds: app.session_time.as_secs(),
    })
    .await?;
    Session::new(worker, place).lead(line, app).await
}

/// A session whose worker runs.
struct Session {
    /// To the worker.
    pictures: mpsc::Sender<(u64, Bytes)>,
    answers: mpsc::Receiver<Answered>,
    /// Pictures that were received, that are on their way, and that were thrown away.
    received: u64,
    outstanding: usize,
    dropped: u64,
}

impl Session {
    /// Lets the worker begin; it keeps the place until its pipeline is gone.
    fn new(worker: Worker, place: OwnedSemaphorePermit) -> Self {
        let (pictures, waiting) = mpsc::channel(CREDITS);
        let (said, answers) = mpsc::channel(CREDITS);
        tokio::spawn(async move {
            worker.run(waiting, said).await;
            drop(place);
        });
        Self {
            pictures,
            answers,
            received: 0,
            outstanding: 0,
            dropped: 0,
        }
    }

    async fn lead(mut self, line: &mut Line, app: &App) -> Option<(End, String)> {
        let mut stop = app.stop.clone();
        let over = Instant::now() + app.session_time;
        let mut idle = Instant::now() + IDLE;
        loop {
            tokio::select! {
                message = line.socket.recv() => match message {
                    Some(Ok(Message::Binary(bytes))) => {
                        idle = Instant::now() + IDLE;
                        if let Err(end) = self.take(bytes) {
                            return Some(end);
                        }
                    }
                    // Answered by the crate.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Text(_))) => return Some((
                        End::Protocol,
                        "Pictures were expected, and a text came.".into(),
                    )),
                    Some(Err(error)) => return too_large(error),
                    Some(Ok(Message::Close(_))) | None => return None,
                },
                answered = self.answers.recv() => match answered {
                    Some(Answered::Look(mut answer, end)) => {
                        self.outstanding = self.outstanding.saturating_sub(answer.credits);
                        answer.dropped = self.dropped;
                        line.say(&Say::Result(answer)).await?;
                        if end.is_some() {
                            return end;
                        }
                    }
                    Some(Answered::Broken(reason)) => {
                        eprintln!("liveness-web: a session broke: {reason}");
                        return Some((End::Broken, "The server cannot go on with this session. Begin a new one.".into()));
                    }
                    None => return Some((End::Broken, "The server cannot go on with this session.".into())),
                },
                () = sleep_until(over) => {
                    let seconds = app.session_time.as_secs();
                    return Some((End::Time, format!("A session lasts {seconds} s at the most. Begin a new one.")));
                }
                () = sleep_until(idle) => return Some((
                    End::Idle,
                    "No picture came for a while.".into(),
                )),
                () = ended(&mut stop) => return Some((
                    End::Shutdown,
                    "The server ends.".into(),
                )),
            }
        }
    }

    /// Hands a picture to the worker, or throws it away.
    fn take(&mut self, bytes: Bytes) -> Result<(), (End, String)> {
        if bytes.len() > MOST_BYTES {
            return Err(size());
        }
        self.received += 1;
        if self.outstanding >= CREDITS || self.pictures.try_send((self.received, bytes)).is_err() {
            self.dropped += 1;
            if self.dropped >= PATIENCE {
                return Err((
                    End::Protocol,
                    format!("{PATIENCE} pictures came without credit."),
                ));
            }
            return Ok(());
        }
        self.outstanding += 1;
        Ok(())
    }
}

/// What is said of a picture that is too large.
fn size() -> (End, String) {
    let most = MOST_BYTES >> 10;
    (
        End::TooLarge,
        format!("A picture may have {most} KiB at the most."),
    )
}

/// What an error of the socket means: only one that says that a message was too large is worth an answer.
fn too_large(error: axum::Error) -> Option<(End, String)> {
    error.to_string().contains("too long").then(size)
}

/// The socket, in our words.
struct Line {
    socket: WebSocket,
}

impl Line {
    /// What the browser wants.
    async fn start(&mut self, app: &App) -> Result<Start, Option<(End, String)>> {
        let mut stop = app.stop.clone();
        let text = tokio::select! {
            message = timeout(START, self.socket.recv()) => match message {
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(_))) | None) => return Err(None),
                Ok(Some(Err(error))) => return Err(too_large(error)),
                _ => return Err(Some((End::Protocol, "Nothing was said first about what is wanted.".into()))),
            },
            () = ended(&mut stop) => return Err(Some((End::Shutdown, "The server ends.".into()))),
        };
        let heard = serde_json::from_str(&text).map(|Hear::Start(start)| start);
        heard.map_err(|error| {
            Some((
                End::Protocol,
                format!("What was said first is not understood: {error}."),
            ))
        })
    }

    /// Says something; none where nobody takes it.
    async fn say(&mut self, say: &Say) -> Option<()> {
        let text = serde_json::to_string(say).ok()?;
        let sent = timeout(SEND, self.socket.send(Message::Text(text.into()))).await;
        sent.ok()?.ok()
    }

    /// Says why it is over, and hangs up.
    async fn end(&mut self, reason: End, text: String) {
        self.say(&Say::End { reason, text }).await;
        let close = CloseFrame {
            code: reason.code(),
            reason: "".into(),
        };
        // Whoever has hung up already needs no answer.
        let _ = timeout(SEND, self.socket.send(Message::Close(Some(close)))).await;
        // What is on its way still comes, and at its end the other one's goodbye.
        let goodbye = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// How long the other end may take to hang up.
const GOODBYE: Duration = Duration::from_secs(2);
