// SPDX-License-Identifier: MIT OR Apache-2.0
//! source ! … ! appsink
//!
//! The frames of one file, upright, every one of them, for whoever takes them one by one. Knows GStreamer, nothing of faces. A frame that
//! begins behind the end that an MP4 file gives for itself does not come out of GStreamer: a few files lack their last one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use gst::prelude::*;
use gst_app::AppSink;

use super::end::{self, IDLE, LOOK};
use super::{Source, faults};
use crate::files::Kind;

/// How long a frame is waited for.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Frames that wait to be taken at the most.
const AHEAD: u32 = 4;

/// A file that is being decoded.
#[derive(Debug)]
pub struct Frames {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    source: Source,
    sink: AppSink,
    /// Frames that were taken.
    taken: usize,
    /// What is said to be missing for it to be decoded.
    lacking: Vec<String>,
}

impl Drop for Frames {
    fn drop(&mut self) {
        end::take_down(vec![self.pipeline.clone().upcast()]);
    }
}

impl Frames {
    /// Begins to decode a file. Its frames pass through `between`, and come out of it as `caps`.
    ///
    /// # Errors
    /// Where GStreamer lacks an element of its own. What is wrong with the file is told with its frames.
    pub fn open(
        path: &Path,
        kind: Kind,
        between: &[gst::Element],
        caps: &gst::Caps,
    ) -> anyhow::Result<Self> {
        // Not in the film's own time, and none is dropped: the decoder waits for whoever takes them.
        let sink = AppSink::builder().caps(caps).sync(false);
        let sink = sink.max_buffers(AHEAD).build();
        let pipeline = gst::Pipeline::new();
        let line = between.iter().chain([sink.upcast_ref()]);
        let line: Vec<&gst::Element> = line.collect();
        pipeline.add_many(&line)?;
        gst::Element::link_many(&line)?;
        let entry = line.first().and_then(|e| e.static_pad("sink"));
        let entry = entry.context("an element without a sink pad")?;
        let frames = Self {
            bus: pipeline.bus().context("a pipeline without a bus")?,
            source: Source::upright(path, kind)?,
            pipeline,
            sink,
            taken: 0,
            lacking: Vec::new(),
        };
        // What does not start says so on the bus.
        let _ = frames.pipeline.set_state(gst::State::Playing);
        frames.source.start(&frames.pipeline, &entry);
        Ok(frames)
    }

    /// The next frame; none at the end, or when `stop` is set.
    ///
    /// # Errors
    /// Why there are no more of them, although the file is not at its end.
    pub fn next(&mut self, stop: &AtomicBool) -> Result<Option<gst::Sample>, String> {
        use gst::MessageType as T;
        let wait = gst::ClockTime::try_from(LOOK).unwrap_or(gst::ClockTime::MSECOND);
        let start = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            if let Some(sample) = self.sink.try_pull_sample(wait) {
                self.taken += 1;
                return Ok(Some(sample));
            }
            // In this order: an error comes before the end that it leads to.
            let ended = self.sink.is_eos();
            while let Some(message) = self.bus.pop_filtered(&[T::Error, T::Element]) {
                if message.type_() == T::Error {
                    let lacking = std::mem::take(&mut self.lacking);
                    return Err(faults::reason(&self.bus, &message, lacking));
                }
                self.lacking.extend(faults::missing(&message));
            }
            if ended {
                return self.ended().map_or(Ok(None), Err);
            }
            if start.elapsed() >= IDLE && end::is_idle(&self.pipeline) {
                return Err(end::NOTHING.into());
            }
            if start.elapsed() >= TIMEOUT {
                return Err(end::given_up(TIMEOUT));
            }
        }
        Ok(None)
    }

    /// How long the file lasts, as far as that is known.
    pub fn duration(&self) -> Option<Duration> {
        let whole = self.pipeline.query_duration::<gst::ClockTime>();
        whole.map(Into::into)
    }

    /// What is wrong with an end without an error.
    fn ended(&self) -> Option<String> {
        if self.taken == 0 {
            return Some(end::NO_FRAME.into());
        }
        self.source.cut_short(self.duration())
    }
}
