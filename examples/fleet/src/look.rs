// SPDX-License-Identifier: MIT OR Apache-2.0
//! file | camera ! facedetect ! livenessclassify ! livenessmetaconvert ! appsink
//!
//! Looks at one item in a thread of its own, and hands on what it sees, one frame after the other: who takes it slowly slows a recording down, and
//! a camera drops frames. Knows GStreamer, nothing of NATS.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use gst::prelude::*;
use gst_app::{AppSink, AppSinkCallbacks};
use liveness::sync::lock;
use liveness_app::files;
use liveness_app::film::end::LOOK;
use liveness_app::film::make;
use liveness_app::live::{Event, Faces, Input, ModelOptions, Onlooker, Origin, Show};
use tokio::sync::{mpsc, oneshot};

use crate::item::Item;

/// Frames that wait to be taken, at the most.
const AHEAD: usize = 64;

/// How long the end is waited for. What hangs longer, in a disk that does not answer, does so alone.
const GRACE: Duration = Duration::from_secs(15);

/// What is to be looked at.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// A recording, below this folder.
    Recording(Item, Option<PathBuf>),
    Camera(Origin),
}

/// What is seen.
#[derive(Debug)]
pub(crate) enum Sight {
    /// A frame: its faces, and the line of JSON that says them all.
    Frame(Faces, Vec<u8>),
    /// A camera plays or is lost; the time of it.
    Source(Event, Duration),
    /// There is no more.
    End(End),
}

/// Why there is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was read to its end.
    Ended,
    /// It cannot be read, or no further, for this reason.
    Unreadable(String),
    /// It is not there, or may not be read, on this machine.
    Absent(String),
    /// The chain failed, for this reason, which may or may not lie in the item.
    Failed(String),
}

/// A look at an item.
#[derive(Debug)]
pub(crate) struct Look {
    sights: mpsc::Receiver<Sight>,
    stop: Arc<AtomicBool>,
    over: oneshot::Receiver<()>,
}

impl Look {
    /// Begins. `shown` is what the lines call the source.
    pub(crate) fn start(
        wanted: Wanted,
        models: ModelOptions,
        timeout: Duration,
        shown: String,
    ) -> Self {
        let (sender, sights) = mpsc::channel(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let (end, over) = oneshot::channel::<()>();
        let halt = stop.clone();
        std::thread::spawn(move || {
            // Whatever waits for a disk does so here.
            let ended = match wanted.input() {
                Err(reason) => Some(End::Absent(reason)),
                Ok(input) => {
                    let ended = look(&input, &models, timeout, &shown, &sender, &halt);
                    ended.unwrap_or_else(|e| Some(End::Failed(format!("{e:#}"))))
                }
            };
            if let Some(ended) = ended {
                // Nobody listens any more where it was stopped.
                let _ = sender.blocking_send(Sight::End(ended));
            }
            drop(end);
        });
        Self { sights, stop, over }
    }

    /// The next that is seen.
    pub(crate) async fn next(&mut self) -> Sight {
        let lost = || Sight::End(End::Failed("the analysis ended without a word".into()));
        self.sights.recv().await.unwrap_or_else(lost)
    }

    /// Ends it, and waits until all that belongs to it is gone.
    pub(crate) async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.sights.close();
        // What waits to be taken is thrown away, and who waits to hand on more is refused.
        while self.sights.try_recv().is_ok() {}
        let _ = tokio::time::timeout(GRACE, self.over).await;
    }
}

impl Wanted {
    fn input(self) -> Result<Input, String> {
        match self {
            Self::Camera(origin) => Ok(Input::Live(origin)),
            Self::Recording(item, root) => {
                let path = item.path(root.as_deref());
                let path = path.map_err(|e| format!("{e:#}"))?;
                File::open(&path).map_err(|e| files::reason(&e))?;
                Ok(Input::Film(path))
            }
        }
    }
}

/// Looks until there is no more; none where it was stopped.
fn look(
    input: &Input,
    models: &ModelOptions,
    timeout: Duration,
    shown: &str,
    sights: &mpsc::Sender<Sight>,
    stop: &AtomicBool,
) -> anyhow::Result<Option<End>> {
    let mut show = Show::undrawn(input, models, timeout)?;
    let faces = Arc::new(Mutex::new(None));
    show.branch(&lines(shown, faces.clone(), sights.clone())?)?;
    show.look_on(Eye(faces))?;
    show.start()?;
    let end = loop {
        let event = show.next(LOOK);
        if stop.load(Ordering::Relaxed) {
            break None;
        }
        match event {
            Some(Event::Ended) => break Some(End::Ended),
            Some(Event::Unreadable(reason)) => break Some(End::Unreadable(reason)),
            Some(Event::Failed(reason)) => break Some(End::Failed(reason)),
            Some(event @ (Event::Playing(_) | Event::Lost(_))) => {
                if sights
                    .blocking_send(Sight::Source(event, show.now()))
                    .is_err()
                {
                    break None;
                }
            }
            // Each frame comes with its line; without a window, there is nothing to close.
            Some(Event::Faces(_) | Event::Closed | Event::NoWindow(_)) | None => (),
        }
    };
    show.end()?;
    Ok(end)
}

/// Keeps the faces of a frame for its line.
struct Eye(Arc<Mutex<Option<Faces>>>);

impl Onlooker for Eye {
    fn faces(&mut self, faces: &Faces) -> bool {
        *lock(&self.0) = Some(faces.clone());
        false
    }

    fn drawn(&mut self, _: gst::Sample) {}
}

/// livenessmetaconvert ! appsink. No queue is before it, so each line comes in the thread that has just posted the faces of its frame.
fn lines(
    shown: &str,
    faces: Arc<Mutex<Option<Faces>>>,
    sights: mpsc::Sender<Sight>,
) -> anyhow::Result<gst::Bin> {
    let convert = make("livenessmetaconvert")?;
    convert.set_property_from_str("output", "buffers");
    convert.set_property("source", shown);
    let sink = AppSink::builder().sync(false).async_(false).max_buffers(1);
    let sink = sink.enable_last_sample(false).build();
    let callbacks = AppSinkCallbacks::builder().new_sample(move |sink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let buffer = sample.buffer().ok_or(gst::FlowError::Error)?;
        let map = buffer.map_readable().map_err(|_| gst::FlowError::Error)?;
        let faces = lock(&faces).take().unwrap_or_default();
        let sight = Sight::Frame(faces, map.to_vec());
        // Refused where nobody wants more.
        sights
            .blocking_send(sight)
            .map_err(|_| gst::FlowError::Eos)?;
        Ok(gst::FlowSuccess::Ok)
    });
    sink.set_callbacks(callbacks.build());
    let bin = gst::Bin::new();
    bin.add_many([&convert, sink.upcast_ref()])?;
    convert.link(&sink)?;
    let entry = convert.static_pad("sink").context("no way in")?;
    bin.add_pad(&gst::GhostPad::with_target(&entry)?)?;
    Ok(bin)
}
