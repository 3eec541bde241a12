// SPDX-License-Identifier: MIT OR Apache-2.0
//! source ! facedetect ! livenessclassify ! livenessoverlay ! tee ! window, recording
//!
//! The pipeline that stands from the program's start to its end, whatever becomes of its source, and what happens in it, one thing after the
//! other.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use gst::prelude::*;
use liveness::face::Label;

use super::chain::ModelOptions;
use super::faces::{self, Faces};
use super::feed::{Feed, News};
use super::gate::Gate;
use super::meter::{Meter, Numbers};
use super::onlooker::{Looking, Onlooker};
use super::origin::{Input, Origin};
use super::record::{Recorded, Recording};
use super::window::{Window, is_within};
use crate::files;
use crate::film::end::{self, IDLE, is_idle, take_down};
use crate::film::faults::{missing, reason, text};
use crate::film::{Source, make};

/// Frames whose faces wait to be read, at the most: to whoever is slow, the latest matter.
const WAITING: usize = 64;

/// How long a frame of a film is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A frame was analysed.
    Faces(Faces),
    /// A live source gives pictures, after so long without.
    Playing(Duration),
    /// A live source gives none any more, or cannot be reached, for this reason. It is tried again, and a reason is told once.
    Lost(String),
    /// A film was read to its end.
    Ended,
    /// A film cannot be read, or no further, for this reason.
    Unreadable(String),
    /// The user has closed the window.
    Closed,
    /// There is no window, for this reason. All else goes on.
    NoWindow(String),
    /// It cannot go on, for this reason.
    Failed(String),
}

/// A pipeline that looks at one source.
#[derive(Debug)]
pub struct Show {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    /// None where nothing is drawn.
    overlay: Option<gst::Element>,
    fork: gst::Element,
    onlooker: Option<Looking>,
    meter: Arc<Meter>,
    from: Supply,
    window: Option<Window>,
    recording: Option<Recording>,
    /// Messages with faces on the bus.
    waiting: Arc<AtomicUsize>,
    /// What is to be told next.
    early: Option<Event>,
}

/// Where its frames come from.
#[derive(Debug)]
enum Supply {
    Live {
        origin: Origin,
        timeout: Duration,
        gate: Arc<Gate>,
        feed: Option<Feed>,
    },
    Film {
        source: Source,
        frames: u64,
        moved: Instant,
        /// What is said to be missing for it to be decoded.
        lacking: Vec<String>,
    },
}

impl Show {
    /// For this source and these models, with neither a window nor a recording. A live source that gives no picture for `timeout` is taken for lost.
    ///
    /// # Errors
    /// Where an element is not installed.
    pub fn new(input: &Input, models: &ModelOptions, timeout: Duration) -> anyhow::Result<Self> {
        Self::of(models.chain()?, true, input, timeout)
    }

    /// The same with nothing drawn on the frames: for programs that read the faces alone, and find their places in pixels that nobody has changed.
    ///
    /// # Errors
    /// Where an element is not installed.
    pub fn undrawn(
        input: &Input,
        models: &ModelOptions,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        Self::of(models.chain()?, false, input, timeout)
    }

    fn of(
        mut chain: Vec<gst::Element>,
        drawn: bool,
        input: &Input,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let pipeline = gst::Pipeline::new();
        // It is the last one.
        let overlay = chain.pop();
        let overlay = overlay.filter(|_| drawn);
        chain.extend(overlay.clone());
        let fork = make("tee")?;
        fork.set_property("allow-not-linked", true);
        chain.push(fork.clone());
        pipeline.add_many(&chain)?;
        gst::Element::link_many(&chain)?;
        let entry = chain.first().and_then(|e| e.static_pad("sink"));
        let entry = entry.context("an element without a pad")?;
        let last = fork.static_pad("sink").context("a tee without a pad")?;
        let mut early = None;
        let from = match input {
            Input::Live(origin) => {
                let gate = Gate::new()?;
                gate.join(&pipeline, &entry)?;
                Supply::Live {
                    origin: origin.clone(),
                    timeout,
                    gate: Arc::new(gate),
                    feed: None,
                }
            }
            Input::Film(path) => {
                let kind = files::look(path).map(|(_, kind)| kind);
                let source = Source::upright(path, kind.clone().unwrap_or(files::Kind::Video))?;
                match kind {
                    Ok(_) => source.join(&pipeline, &entry)?,
                    Err(reason) => early = Some(Event::Unreadable(reason)),
                }
                Supply::Film {
                    source,
                    frames: 0,
                    moved: Instant::now(),
                    lacking: Vec::new(),
                }
            }
        };
        Ok(Self {
            bus: pipeline.bus().context("a pipeline without a bus")?,
            meter: Meter::at(&last),
            pipeline,
            overlay,
            fork,
            onlooker: None,
            from,
            window: None,
            recording: None,
            waiting: Arc::default(),
            early,
        })
    }

    /// Shows it in a window.
    ///
    /// # Errors
    /// Where an element is not installed.
    pub fn in_window(&mut self) -> anyhow::Result<()> {
        let window = Window::new(self.is_film())?;
        self.branch(&window.bin)?;
        self.window = Some(window);
        Ok(())
    }

    /// Writes it to a film.
    ///
    /// # Errors
    /// Where there is such a file already, or no encoder.
    pub fn record(&mut self, path: &Path) -> anyhow::Result<()> {
        let recording = Recording::new(path)?;
        self.branch(&recording.bin)?;
        self.recording = Some(recording);
        Ok(())
    }

    /// Gives it to one more element, before it is started.
    ///
    /// # Errors
    /// Where it cannot be linked.
    pub fn branch(&self, to: &impl IsA<gst::Element>) -> anyhow::Result<()> {
        self.pipeline.add(to)?;
        self.fork.link(to)?;
        Ok(())
    }

    /// Has one more look on, before it is started: at all frames, whatever becomes of the events.
    ///
    /// # Errors
    /// Where an element has no pad.
    pub fn look_on(&mut self, onlooker: impl Onlooker) -> anyhow::Result<()> {
        let last = self.fork.static_pad("sink");
        let last = last.context("a tee without a pad")?;
        self.onlooker = Some(Looking::at(&last, onlooker));
        Ok(())
    }

    /// Writes these words at the faces of these tracks, each for as long as its verdict is this one, from the next frame on. No others have words of their own.
    pub fn label_tracks<'a>(&self, words: impl IntoIterator<Item = (u64, Label, &'a str)>) {
        let mut texts = gst::Structure::new_empty("texts");
        for (track, verdict, word) in words {
            texts.set(format!("{verdict}-{track}"), word);
        }
        if let Some(overlay) = &self.overlay {
            overlay.set_property("track-texts", texts);
        }
    }

    fn is_film(&self) -> bool {
        matches!(self.from, Supply::Film { .. })
    }

    /// Starts it. A live source that cannot be reached is no error.
    ///
    /// # Errors
    /// What an element says that does not start: for want of a model, of ONNX Runtime, of a place to write to.
    pub fn start(&mut self) -> anyhow::Result<()> {
        if self.early.is_some() {
            return Ok(());
        }
        if self.window.is_none() && self.recording.is_none() {
            let nowhere = make("fakesink")?;
            nowhere.set_property("async", false);
            self.branch(&nowhere)?;
        }
        self.hear();
        if self.pipeline.set_state(gst::State::Playing).is_err() {
            match self.next(Duration::from_secs(1)) {
                Some(Event::Failed(reason)) => bail!("{reason}"),
                Some(event) => self.early = Some(event),
                None => bail!("the pipeline does not start"),
            }
            return Ok(());
        }
        if let Supply::Live {
            origin,
            timeout,
            gate,
            feed,
        } = &mut self.from
        {
            let to = (gate.clone(), self.pipeline.clone());
            *feed = Some(Feed::start(origin.clone(), *timeout, to.0, to.1));
        }
        Ok(())
    }

    /// Hears messages where they are posted: the bus keeps all, however slow its reader is.
    fn hear(&self) {
        let (waiting, window) = (
            self.waiting.clone(),
            self.window.as_ref().map(Window::watch),
        );
        let (onlooker, is_film) = (self.onlooker.clone(), self.is_film());
        self.bus.set_sync_handler(move |_, message| {
            if let Some(window) = &window {
                window(message);
            }
            let is_faces = message.structure().is_some_and(|s| s.name() == faces::NAME);
            if let Some(onlooker) = onlooker.as_ref().filter(|_| is_faces)
                && let Some(faces) = Faces::of(message, is_film)
            {
                onlooker.see(&faces);
            }
            if is_faces && waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
                waiting.fetch_sub(1, Ordering::Relaxed);
                return gst::BusSyncReply::Drop;
            }
            gst::BusSyncReply::Pass
        });
    }

    /// The next thing that happens; none where nothing does for so long, or nothing that matters.
    pub fn next(&mut self, wait: Duration) -> Option<Event> {
        use gst::MessageType as T;
        if let Some(event) = self.early.take() {
            return Some(event);
        }
        let wait = gst::ClockTime::try_from(wait).unwrap_or(gst::ClockTime::SECOND);
        let types = [T::Error, T::Warning, T::Eos, T::Element, T::Application];
        match self.bus.timed_pop_filtered(wait, &types) {
            Some(message) => self.understand(&message),
            None => self.stuck(),
        }
    }

    fn understand(&mut self, message: &gst::Message) -> Option<Event> {
        match message.view() {
            gst::MessageView::Error(_) => Some(self.failed(message)),
            gst::MessageView::Warning(warning) => {
                let window = self.window.as_ref()?;
                let text = warning.error().message().to_owned();
                is_within(message, &window.bin).then_some(Event::NoWindow(text))
            }
            gst::MessageView::Eos(_) => self.ended(),
            gst::MessageView::Application(_) => Some(match News::of(message)? {
                News::Playing(away) => Event::Playing(away),
                News::Lost(reason) => Event::Lost(reason),
            }),
            _ => {
                let faces = Faces::of(message, self.is_film());
                match (&mut self.from, &faces) {
                    (_, Some(_)) => drop(self.waiting.fetch_sub(1, Ordering::Relaxed)),
                    (Supply::Film { lacking, .. }, None) => lacking.extend(missing(message)),
                    _ => (),
                }
                faces.map(Event::Faces)
            }
        }
    }

    fn failed(&mut self, message: &gst::Message) -> Event {
        if self.window.as_ref().is_some_and(|w| w.was_closed(message)) {
            return Event::Closed;
        }
        let recording = self.recording.as_mut();
        if let Some(reason) = recording.and_then(|r| r.failed(message)) {
            return Event::Failed(reason);
        }
        match &mut self.from {
            Supply::Film {
                source, lacking, ..
            } if source.parts().iter().any(|p| is_within(message, p)) => {
                Event::Unreadable(reason(&self.bus, message, std::mem::take(lacking)))
            }
            _ => Event::Failed(text(message)),
        }
    }

    /// What the end of the stream means.
    fn ended(&self) -> Option<Event> {
        let Supply::Film { source, .. } = &self.from else {
            return None;
        };
        if self.meter.frames() == 0 {
            return Some(Event::Unreadable(end::NO_FRAME.into()));
        }
        let whole = self.pipeline.query_duration::<gst::ClockTime>();
        let short = source.cut_short(whole.filter(|d| !d.is_zero()).map(Into::into));
        Some(short.map_or(Event::Ended, Event::Unreadable))
    }

    /// What it means that nothing happens: with a film, something always does.
    fn stuck(&mut self) -> Option<Event> {
        let now = self.meter.frames();
        let Supply::Film { frames, moved, .. } = &mut self.from else {
            return None;
        };
        if now != *frames {
            (*frames, *moved) = (now, Instant::now());
            return None;
        }
        if moved.elapsed() >= IDLE && is_idle(&self.pipeline) {
            return Some(Event::Unreadable(end::NOTHING.into()));
        }
        (moved.elapsed() >= PATIENCE).then(|| Event::Unreadable(end::given_up(PATIENCE)))
    }

    /// How fast and how late it is, since the last look.
    pub fn numbers(&self) -> Numbers {
        let dropped = match &self.from {
            Supply::Live { gate, .. } => gate.dropped().load(Ordering::Relaxed),
            Supply::Film { .. } => 0,
        };
        self.meter.look(!self.is_film(), dropped)
    }

    /// How long it has been running: the time of a live source's frames.
    pub fn now(&self) -> Duration {
        self.pipeline
            .current_running_time()
            .unwrap_or_default()
            .into()
    }

    /// Ends it, and finishes the recording where there is one.
    ///
    /// # Errors
    /// Where the end of the recording could not be written.
    pub fn end(mut self) -> anyhow::Result<Option<Recorded>> {
        match &mut self.from {
            Supply::Live { gate, feed, .. } => {
                drop(feed.take());
                gate.end();
            }
            // Where it has ended by itself, nobody hears it.
            Supply::Film { .. } => drop(self.pipeline.send_event(gst::event::Eos::new())),
        }
        let written = self.recording.as_ref().map_or(Ok(()), Recording::wait);
        take_down(vec![self.pipeline.clone().upcast()]);
        written?;
        Ok(self.recording.take().map(Recording::closed))
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        // In this order: a source has to go before what it gives its frames to. Where it has ended properly, nothing is left to do.
        if let Supply::Live { feed, .. } = &mut self.from {
            drop(feed.take());
        }
        take_down(vec![self.pipeline.clone().upcast()]);
    }
}
