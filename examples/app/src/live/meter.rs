// SPDX-License-Identifier: MIT OR Apache-2.0
//! How fast and how late frames are at the end of the analysis. Knows GStreamer alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use liveness::sync::lock;

/// What can be told while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Frames that were analysed, of all.
    pub frames: u64,
    /// Frames in a second, since the last look.
    pub rate: f64,
    /// From a frame's arrival at this machine to the end of its analysis, the mean since the last look. Films have none.
    pub latency: Option<Duration>,
    /// Frames of a live source that were thrown away since newer ones came, of all.
    pub dropped: u64,
}

/// Counts.
#[derive(Debug)]
pub(super) struct Meter {
    frames: AtomicU64,
    since: Mutex<Since>,
}

/// Since the last look.
#[derive(Debug)]
struct Since {
    start: Instant,
    frames: u64,
    late: gst::ClockTime,
}

impl Since {
    fn now() -> Self {
        Self {
            start: Instant::now(),
            frames: 0,
            late: gst::ClockTime::ZERO,
        }
    }
}

impl Meter {
    /// Counts what comes to this pad.
    pub(super) fn at(pad: &gst::Pad) -> Arc<Self> {
        let meter = Arc::new(Self {
            frames: AtomicU64::new(0),
            since: Mutex::new(Since::now()),
        });
        let counter = meter.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let now = pad.parent_element().and_then(|e| e.current_running_time());
            let came = info.buffer().and_then(|b| b.pts());
            let late = now.zip(came).map(|(now, came)| now.saturating_sub(came));
            counter.frames.fetch_add(1, Ordering::Relaxed);
            let mut since = lock(&counter.since);
            since.frames += 1;
            since.late += late.unwrap_or_default();
            gst::PadProbeReturn::Ok
        });
        meter
    }

    /// Frames that came, of all.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// What can be told, and starts anew.
    pub(super) fn look(&self, is_live: bool, dropped: u64) -> Numbers {
        let since = std::mem::replace(&mut *lock(&self.since), Since::now());
        let mean = since.late.nseconds().checked_div(since.frames);
        Numbers {
            frames: self.frames(),
            rate: since.frames as f64 / since.start.elapsed().as_secs_f64().max(1e-3),
            latency: mean.filter(|_| is_live).map(Duration::from_nanos),
            dropped,
        }
    }
}
