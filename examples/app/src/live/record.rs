// SPDX-License-Identifier: MIT OR Apache-2.0
//! queue ! videoconvert ! videoscale ! x264enc ! matroskamux ! filesink
//!
//! Writes what is seen to a film that is whole when it ends. Matroska, since what is there of it can be played even where the power failed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, bail};
use gst::prelude::*;

use super::window::is_within;
use crate::film::faults::text;
use crate::film::make;

/// Encoders, the best first.
const ENCODERS: &[(&str, &str)] = &[
    (
        "x264enc",
        "x264enc speed-preset=veryfast tune=zerolatency quantizer=20 pass=quant key-int-max=50 ! h264parse",
    ),
    (
        "openh264enc",
        "openh264enc bitrate=6000000 gop-size=50 ! h264parse",
    ),
    (
        "vp8enc",
        "vp8enc target-bitrate=6000000 deadline=1 cpu-used=8 keyframe-max-dist=50",
    ),
];

/// H.264 with half as many colours as pixels cannot have odd sides.
const EVEN: &str = "video/x-raw,format=I420,width=[2,16384,2],height=[2,16384,2]";

/// How long it may take to finish what was begun.
const GRACE: Duration = Duration::from_secs(10);

/// A film that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Where it is.
    pub path: PathBuf,
    /// How many frames are in it. Without one, there is no file.
    pub frames: u64,
}

/// The part of a pipeline that records.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) bin: gst::Bin,
    path: PathBuf,
    frames: Arc<AtomicU64>,
    written: Receiver<()>,
    /// It cannot be finished any more.
    broken: bool,
}

impl Recording {
    /// # Errors
    /// Where there is such a file already, or no encoder.
    pub(super) fn new(path: &Path) -> anyhow::Result<Self> {
        if path.exists() {
            bail!(
                "{} is there already: it would be overwritten",
                path.display()
            );
        }
        let encoder = ENCODERS
            .iter()
            .find(|(name, _)| gst::ElementFactory::find(name).is_some());
        let (_, encoder) = encoder
            .context("there is no video encoder: install gstreamer1.0-plugins-ugly (x264enc)")?;
        let description = format!(
            "queue max-size-buffers=4 max-size-bytes=0 max-size-time=0 ! videoconvert ! videoscale add-borders=true \
             ! capsfilter name=form caps={EVEN} ! {encoder} ! matroskamux offset-to-zero=true"
        );
        let inside = gst::parse::bin_from_description(&description, true)
            .context("the elements that record do not fit together")?;
        let form = inside
            .by_name("form")
            .and_then(|f| Some((f.static_pad("src")?, f)));
        let (exit, form) = form.context("a filter without a pad")?;
        keep_form(&exit, &form);
        let file = make("filesink")?;
        file.set_property("location", path);
        // It need not wait for a first frame: perhaps none comes for hours.
        file.set_property("async", false);
        let bin = gst::Bin::new();
        bin.add_many([inside.upcast_ref(), &file])?;
        inside.link(&file)?;
        let entry = inside
            .static_pad("sink")
            .context("an encoder without a pad")?;
        bin.add_pad(&gst::GhostPad::with_target(&entry)?)?;
        let frames = count(&entry);
        let end = file.static_pad("sink").context("a file without a pad")?;
        Ok(Self {
            written: end_of(&end),
            bin,
            path: path.to_owned(),
            frames,
            broken: false,
        })
    }

    /// What this error says, where it is the recording's: then there is nothing more to wait for.
    pub(super) fn failed(&mut self, message: &gst::Message) -> Option<String> {
        let ours = is_within(message, &self.bin);
        self.broken |= ours;
        ours.then(|| format!("cannot write {}: {}", self.path.display(), text(message)))
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Where that takes too long.
    pub(super) fn wait(&self) -> anyhow::Result<()> {
        // Without a frame there is nothing that could be finished.
        let waits = self.frames() > 0 && !self.broken;
        if waits && self.written.recv_timeout(GRACE).is_err() {
            bail!(
                "{} is not whole: its end could not be written",
                self.path.display()
            );
        }
        Ok(())
    }

    /// What was written, when the file is closed.
    pub(super) fn closed(self) -> Recorded {
        Recorded {
            path: self.path.clone(),
            frames: self.frames(),
        }
    }

    fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.frames() == 0 {
            // It was made by us, and holds a head at the most. That it remains is a small harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A film cannot change its size, its shape or its colours: whatever comes is made like the first frame.
fn keep_form(exit: &gst::Pad, form: &gst::Element) {
    let form = form.downgrade();
    exit.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let Some(gst::EventView::Caps(caps)) = info.event().map(|e| e.view()) else {
            return gst::PadProbeReturn::Ok;
        };
        if let Some(form) = form.upgrade() {
            form.set_property("caps", caps.caps_owned());
        }
        gst::PadProbeReturn::Remove
    });
}

fn count(pad: &gst::Pad) -> Arc<AtomicU64> {
    let frames = Arc::new(AtomicU64::new(0));
    let counter = frames.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        counter.fetch_add(1, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    frames
}

/// Says when the end of the stream has gone through a pad.
fn end_of(pad: &gst::Pad) -> Receiver<()> {
    let (send, receive) = mpsc::channel();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if info
            .event()
            .is_some_and(|e| e.type_() == gst::EventType::Eos)
        {
            // Nobody waits where nobody ever will.
            let _ = send.send(());
        }
        gst::PadProbeReturn::Ok
    });
    receive
}
