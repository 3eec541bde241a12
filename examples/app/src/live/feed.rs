// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of a live source: tried, watched, lost, and tried again until the program ends. Knows GStreamer and how to fetch; hands frames to the
//! gate, and what happens to the bus of the pipeline that stands.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use gst::prelude::*;
use gst_app::{AppSink, AppSinkCallbacks};

use super::backoff::Backoff;
use super::gate::Gate;
use super::origin::{Fetch, Origin, share_time};
use super::{reach, words};
use crate::film::end::{LOOK, take_down};
use crate::film::faults::missing;

/// A source may take longer to its first picture than from one to the next: it wakes up, and the first whole picture of a stream may be seconds away.
const WAKES: Duration = Duration::from_secs(10);

/// From one still to the next, at least.
const STILL: Duration = Duration::from_millis(100);

/// How often it is asked whether a server is there that has just hung up.
const DYING: usize = 3;

/// How long the end is waited for. What hangs longer in a name or a camera does so alone.
const GRACE: Duration = Duration::from_secs(2);

/// Name of the message that says what happens to the source.
const NAME: &str = "LivenessSource";

/// What happens to a source.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum News {
    /// There are pictures, after so long without.
    Playing(Duration),
    /// There are none, for this reason.
    Lost(String),
}

impl News {
    fn post(&self, on: &gst::Pipeline) {
        let structure = gst::Structure::builder(NAME);
        let structure = match self {
            Self::Playing(away) => structure.field("away", away.as_secs_f64()),
            Self::Lost(reason) => structure.field("reason", reason),
        };
        let message = gst::message::Application::builder(structure.build());
        // Without a bus nobody listens.
        let _ = on.post_message(message.src(on).build());
    }

    /// What a message says; none where it is another one.
    pub(super) fn of(message: &gst::MessageRef) -> Option<Self> {
        let structure = message.structure().filter(|s| s.name() == NAME)?;
        match structure.get::<f64>("away") {
            Ok(away) => Duration::try_from_secs_f64(away).ok().map(Self::Playing),
            Err(_) => structure.get("reason").ok().map(Self::Lost),
        }
    }
}

/// A source that is kept.
#[derive(Debug)]
pub(super) struct Feed {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    ended: Receiver<()>,
}

impl Feed {
    /// Keeps a source for a pipeline that plays. Given up is only a try, after `timeout` without a picture.
    pub(super) fn start(
        origin: Origin,
        timeout: Duration,
        gate: Arc<Gate>,
        pipeline: gst::Pipeline,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let keeper = Keeper {
            origin,
            timeout,
            gate,
            pipeline,
            stop: stop.clone(),
        };
        let (end, ended) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            keeper.keep();
            // Nobody waits any more where it took too long.
            let _ = end.send(());
        });
        Self {
            stop,
            thread,
            ended,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        let _ = self.ended.recv_timeout(GRACE);
    }
}

struct Keeper {
    origin: Origin,
    timeout: Duration,
    gate: Arc<Gate>,
    pipeline: gst::Pipeline,
    stop: Arc<AtomicBool>,
}

impl Keeper {
    fn keep(&self) {
        let mut backoff = Backoff::default();
        let mut lost = Instant::now();
        // What was said since the source was lost: a camera that boots is off, then deaf, then off again.
        let mut said = Vec::new();
        while !self.stopped() {
            let (end, played) = self.play(lost);
            let Some(end) = end else {
                return;
            };
            if played.is_some() {
                lost = Instant::now();
                said.clear();
            }
            let reason = self.reason(end);
            if !said.contains(&reason) {
                News::Lost(reason.clone()).post(&self.pipeline);
                said.push(reason);
            }
            self.rest(backoff.after(played.unwrap_or_default()));
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn rest(&self, wait: Duration) {
        let start = Instant::now();
        while let Some(left) = wait.checked_sub(start.elapsed())
            && !self.stopped()
        {
            std::thread::park_timeout(left);
        }
    }

    /// One try: how it ended, where it was not stopped, and how long it gave pictures, where it did.
    fn play(&self, lost: Instant) -> (Option<End>, Option<Duration>) {
        let mut one = match Try::new(self, lost) {
            Ok(one) => one,
            Err(error) => return (Some(End::Told(format!("{error:#}"))), None),
        };
        let end = self.watch(&mut one);
        // In this order, and before all that may take a while: after the black frame, none of its frames may come.
        one.over.store(true, Ordering::Relaxed);
        let played = one.played();
        if end.is_some() && played.is_some() {
            self.gate.black_out();
        }
        (end, played)
    }

    /// Looks on until the source is lost; none where it was stopped.
    fn watch(&self, one: &mut Try) -> Option<End> {
        use gst::MessageType as T;
        let wait = gst::ClockTime::try_from(LOOK).unwrap_or(gst::ClockTime::MSECOND);
        let mut lacking = Vec::new();
        let (mut frames, mut moved) = (0, Instant::now());
        loop {
            match one
                .bus
                .timed_pop_filtered(wait, &[T::Error, T::Eos, T::Element])
            {
                Some(m) if m.type_() == T::Error => {
                    return Some(End::Failed(one.bus.clone(), m, lacking));
                }
                Some(m) if m.type_() == T::Eos && !one.turn_round(self) => {
                    return Some(End::Silent(words::ENDED.into()));
                }
                Some(m) => lacking.extend(missing(&m)),
                None => (),
            }
            if self.stopped() {
                return None;
            }
            let limit = match one.played() {
                Some(_) => self.timeout,
                None => self.timeout.max(WAKES),
            };
            let now = one.frames.load(Ordering::Relaxed);
            if now != frames {
                (frames, moved) = (now, Instant::now());
            } else if moved.elapsed() >= limit {
                return Some(End::Silent(words::silent(limit.as_secs())));
            }
        }
    }

    /// Why a try has ended.
    fn reason(&self, end: End) -> String {
        match end {
            End::Told(reason) => reason,
            End::Failed(bus, message, lacking) => {
                words::reason(&self.origin, &bus, &message, lacking)
            }
            End::Silent(words) => self.obstacle().unwrap_or(words),
        }
    }

    /// What keeps a source silent that posts no error.
    fn obstacle(&self) -> Option<String> {
        let Origin::Address(address) = &self.origin else {
            return None;
        };
        // A server that dies closes its connections one after the other, and perhaps its door last.
        (0..DYING).find_map(|_| {
            reach::obstacle(address).or_else(|| {
                self.rest(LOOK);
                None
            })
        })
    }
}

/// How a try ends.
enum End {
    /// With an error, and what is said to be missing; it came from this bus.
    Failed(gst::Bus, gst::Message, Vec<String>),
    /// There are no pictures, and no error; this is all that can be said of it.
    Silent(String),
    /// For this reason.
    Told(String),
}

/// One try: a pipeline that is thrown away when it is over.
struct Try {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    /// Kept for as long as its elements.
    fetch: Fetch,
    frames: Arc<AtomicU64>,
    /// What still runs when it is over must not hand on frames beside the next one.
    over: Arc<AtomicBool>,
    start: Instant,
}

impl Try {
    fn new(keeper: &Keeper, lost: Instant) -> anyhow::Result<Self> {
        let pipeline = gst::Pipeline::new();
        share_time(&keeper.pipeline, &pipeline)?;
        let caps = gst::Caps::new_empty_simple("video/x-raw");
        // As it comes: what is late is nobody's business here.
        let sink = AppSink::builder().caps(&caps).sync(false).max_buffers(1);
        let sink = sink.enable_last_sample(false).build();
        pipeline.add(&sink)?;
        let one = Self {
            bus: pipeline.bus().context("a pipeline without a bus")?,
            fetch: keeper.origin.fetch(keeper.gate.dropped())?,
            pipeline,
            frames: Arc::default(),
            over: Arc::default(),
            start: Instant::now(),
        };
        one.hand_on(&sink, keeper, lost);
        let entry = sink.static_pad("sink").context("a sink without a pad")?;
        one.fetch.source.join(&one.pipeline, &entry)?;
        // What does not start says so on the bus.
        let _ = one.pipeline.set_state(gst::State::Playing);
        Ok(one)
    }

    /// Gives each frame to the gate, and says when the first one comes.
    fn hand_on(&self, sink: &AppSink, keeper: &Keeper, lost: Instant) {
        let (gate, pipeline) = (keeper.gate.clone(), keeper.pipeline.clone());
        let (frames, over) = (self.frames.clone(), self.over.clone());
        let callbacks = AppSinkCallbacks::builder().new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            if !over.load(Ordering::Relaxed) && frames.fetch_add(1, Ordering::Relaxed) == 0 {
                News::Playing(lost.elapsed()).post(&pipeline);
            }
            gate.push(&sample, &over)?;
            Ok(gst::FlowSuccess::Ok)
        });
        sink.set_callbacks(callbacks.build());
    }

    /// How long it has given frames; none where it never did.
    fn played(&self) -> Option<Duration> {
        (self.frames.load(Ordering::Relaxed) > 0).then(|| self.start.elapsed())
    }

    /// Fetches the next still picture where this was one. False where it was not, or where that does not work.
    fn turn_round(&mut self, keeper: &Keeper) -> bool {
        let was_still = self.fetch.still.load(Ordering::Relaxed) && self.played().is_some();
        if !was_still || self.pipeline.set_state(gst::State::Ready).is_err() {
            return false;
        }
        keeper.rest(STILL);
        self.pipeline.set_state(gst::State::Playing).is_ok()
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        take_down(vec![self.pipeline.clone().upcast()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_travel_by_bus() {
        gst::init().unwrap();
        let pipeline = gst::Pipeline::new();
        let bus = pipeline.bus().unwrap();
        let all = [
            News::Lost("nobody listens".into()),
            News::Playing(Duration::from_millis(31_250)),
        ];
        for news in &all {
            news.post(&pipeline);
        }
        for news in all {
            assert_eq!(News::of(&bus.pop().unwrap()), Some(news));
        }
    }
}
