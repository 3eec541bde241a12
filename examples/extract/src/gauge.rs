// SPDX-License-Identifier: MIT OR Apache-2.0
//! What passes the way into the detector: how many frames, up to which time. And which of them it looks at. Knows GStreamer; nothing
//! of files.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::prelude::*;
use liveness::sync::lock;

use liveness::dataset::pace::Pace;

/// Counts frames.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    frames: AtomicU64,
    /// Stream time of the last of them in nanoseconds.
    time: AtomicU64,
    /// Which of them are due, where not all are.
    pace: Mutex<Option<Pace>>,
}

impl Gauge {
    /// Counts what comes to this element. With a pace, it is a detector that looks at the frames that are due and only at these:
    /// with every tenth frame, most of its work is saved.
    pub(crate) fn before(
        detector: &gst::Element,
        entry: &gst::Pad,
        pace: Option<Pace>,
    ) -> Arc<Self> {
        let gauge = Arc::new(Self {
            pace: Mutex::new(pace),
            ..Self::default()
        });
        let (counter, detector) = (gauge.clone(), detector.downgrade());
        entry.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let time = info.buffer().and_then(|buffer| counter.count(pad, buffer));
            let due = lock(&counter.pace).as_mut().map(|pace| pace.due(time));
            if let (Some(due), Some(detector)) = (due, detector.upgrade()) {
                // In between, frames carry the faces of the last look; nobody asks for them.
                detector.set_property("inference-interval", if due { 1 } else { u32::MAX });
            }
            gst::PadProbeReturn::Ok
        });
        gauge
    }

    /// Counts one frame, and gives its stream time.
    fn count(&self, pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<Duration> {
        self.frames.fetch_add(1, Ordering::Relaxed);
        let segment = pad.sticky_event::<gst::event::Segment>(0)?;
        let segment = segment.segment().downcast_ref::<gst::ClockTime>()?.clone();
        let time = segment.to_stream_time(buffer.pts())?;
        self.time.store(time.nseconds(), Ordering::Relaxed);
        Some(time.into())
    }

    /// Another input begins.
    pub(crate) fn reset(&self) {
        self.frames.store(0, Ordering::Relaxed);
        self.time.store(0, Ordering::Relaxed);
        if let Some(pace) = lock(&self.pace).as_mut() {
            pace.reset();
        }
    }

    /// Frames that came since the input began.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Stream time of the last of them.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_nanos(self.time.load(Ordering::Relaxed))
    }
}
