// SPDX-License-Identifier: MIT OR Apache-2.0
//! filesrc ! decodebin ! videoconvert ! videoflip ! appsink
//!
//! The frames of a clip, upright, every one of them counted. Knows GStreamer, nothing of faces. A frame that begins behind the end that an
//! MP4 file gives for itself does not come out of GStreamer: a few files lack their last one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use gst::prelude::*;
use gst_app::AppSink;
use gst_video::{VideoCapsBuilder, VideoFormat};
use liveness::letterbox::PixelAspect;
use liveness_app::files::Kind;
use liveness_app::film::end::{self, IDLE, LOOK};
use liveness_app::film::{Source, faults, frame};
use liveness_app::picture::Picture;

/// How long a frame is waited for.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Frames that wait to be taken at the most.
const AHEAD: u32 = 4;

/// One frame.
pub(crate) struct Frame {
    /// Its place in the clip, from 0.
    pub(crate) number: usize,
    pub(crate) picture: Picture,
    /// The shape of its pixels.
    pub(crate) par: PixelAspect,
}

/// A clip that is being decoded.
pub(crate) struct Clip {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    source: Source,
    sink: AppSink,
    /// Frames that were taken.
    taken: usize,
    /// What is said to be missing for it to be decoded.
    lacking: Vec<String>,
}

impl Drop for Clip {
    fn drop(&mut self) {
        end::take_down(vec![self.pipeline.clone().upcast()]);
    }
}

impl Clip {
    /// Begins to decode a file.
    ///
    /// # Errors
    /// Where GStreamer lacks an element of its own. What is wrong with the file is told with its frames.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let caps = VideoCapsBuilder::new().format(VideoFormat::Rgb).build();
        // Not in the clip's own time, and none is dropped: the decoder waits for whoever takes them.
        let sink = AppSink::builder().caps(&caps).sync(false);
        let sink = sink.max_buffers(AHEAD).build();
        let pipeline = gst::Pipeline::new();
        pipeline.add(&sink)?;
        let entry = sink.static_pad("sink").context("a sink without a pad")?;
        let clip = Self {
            bus: pipeline.bus().context("a pipeline without a bus")?,
            source: Source::upright(path, Kind::Video)?,
            pipeline,
            sink,
            taken: 0,
            lacking: Vec::new(),
        };
        // What does not start says so on the bus.
        let _ = clip.pipeline.set_state(gst::State::Playing);
        clip.source.start(&clip.pipeline, &entry);
        Ok(clip)
    }

    /// The next frame whose number is a multiple of `every`; none at the end, or when `stop` is set.
    ///
    /// # Errors
    /// Why there are no more of them, although the clip is not at its end.
    pub(crate) fn next(
        &mut self,
        every: usize,
        stop: &AtomicBool,
    ) -> Result<Option<Frame>, String> {
        while let Some(sample) = self.pull(stop)? {
            let number = self.taken;
            self.taken += 1;
            if number.is_multiple_of(every) {
                let (picture, par) = frame::picture(&sample)?;
                return Ok(Some(Frame {
                    number,
                    picture,
                    par,
                }));
            }
        }
        Ok(None)
    }

    fn pull(&mut self, stop: &AtomicBool) -> Result<Option<gst::Sample>, String> {
        use gst::MessageType as T;
        let wait = gst::ClockTime::try_from(LOOK).unwrap_or(gst::ClockTime::MSECOND);
        let start = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            if let Some(sample) = self.sink.try_pull_sample(wait) {
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

    /// What is wrong with an end without an error.
    fn ended(&self) -> Option<String> {
        if self.taken == 0 {
            return Some(end::NO_FRAME.into());
        }
        let whole = self.pipeline.query_duration::<gst::ClockTime>();
        self.source.cut_short(whole.map(Into::into))
    }
}
