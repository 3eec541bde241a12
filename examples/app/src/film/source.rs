// SPDX-License-Identifier: MIT OR Apache-2.0
//! filesrc ! decodebin ! videoconvert ! videoflip
//!
//! The part of a pipeline that makes upright frames out of one file, or of whatever else there is to decode. Knows GStreamer, nothing of faces.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use gst::prelude::*;

use crate::files::Kind;

/// The part of a film that may be missing at its end: a last picture that is shown for long.
const MISSING: f64 = 0.1;

/// A film of which less is missing than this is whole, however short it is.
const LEAST_MISSING: Duration = Duration::from_millis(500);

/// Caps of streams that nobody wants to see.
const UNWANTED: &[&str] = &["audio/", "text/", "subpicture/", "application/x-subtitle"];

/// An element of GStreamer's own.
///
/// # Errors
/// Where it is not installed.
pub fn make(name: &str) -> anyhow::Result<gst::Element> {
    gst::ElementFactory::make(name).build().with_context(|| {
        format!("GStreamer has no element {name}: install its plugins base, good and bad")
    })
}

/// What makes frames out of one file or stream.
#[derive(Debug)]
pub struct Source {
    /// Linked, or to be linked by themselves, in the order of the data.
    parts: Vec<gst::Element>,
    /// Where the frames come out.
    exit: gst::Pad,
    reach: Arc<Reach>,
}

/// How far the streams of a file reach that say themselves how long they are.
#[derive(Debug, Default)]
struct Reach {
    /// Where the last of them ended, in nanoseconds.
    end: AtomicU64,
}

impl Source {
    /// Gives the frames of a file as they are meant to be seen: telephones write films and photographs sideways, with a note how to
    /// turn them.
    ///
    /// # Errors
    /// Where an element is not installed.
    pub fn upright(path: &Path, kind: Kind) -> anyhow::Result<Self> {
        let file = make("filesrc")?;
        file.set_property("location", path);
        match kind {
            // Only jpegparse reads the note, and decodebin does without jpegparse.
            Kind::Jpeg => {
                let [convert, flip] = turned()?;
                Self::of(vec![
                    file,
                    make("jpegparse")?,
                    make("jpegdec")?,
                    convert,
                    flip,
                ])
            }
            Kind::Picture | Kind::Video => Self::decoded(file),
        }
    }

    /// Gives the frames of whatever comes out of `head`, now or as soon as it knows what that is, as they are meant to be seen.
    ///
    /// # Errors
    /// Where an element is not installed.
    pub fn decoded(head: gst::Element) -> anyhow::Result<Self> {
        let reach = Arc::default();
        let [convert, flip] = turned()?;
        let decode = decodebin(&convert, &reach)?;
        let sink = decode
            .static_pad("sink")
            .context("decodebin without a sink pad")?;
        let sink = sink.downgrade();
        head.connect_pad_added(move |_, pad| {
            if let Some(sink) = sink.upgrade()
                && !sink.is_linked()
            {
                // Where it cannot be linked, the pipeline says so itself: its data go nowhere.
                let _ = pad.link(&sink);
            }
        });
        Ok(Self {
            reach,
            ..Self::of(vec![head, decode, convert, flip])?
        })
    }

    /// Gives the frames that come out of the last of these elements; each is linked to the next one when it starts.
    ///
    /// # Errors
    /// Where nothing can come out of the last one.
    pub fn of(parts: Vec<gst::Element>) -> anyhow::Result<Self> {
        let exit = parts.last().and_then(|p| p.static_pad("src"));
        let exit = exit.context("a source without a way out")?;
        let reach = Arc::default();
        Ok(Self { parts, exit, reach })
    }

    /// Puts it into a pipeline before `entry`. It starts with the pipeline.
    ///
    /// # Errors
    /// Where its elements do not fit together, or not to `entry`.
    pub fn join(&self, pipeline: &gst::Pipeline, entry: &gst::Pad) -> anyhow::Result<()> {
        pipeline.add_many(&self.parts)?;
        for pair in self.parts.windows(2) {
            // What has no way out yet links itself as soon as it knows what is in it.
            if pair[0].static_pad("src").is_some() {
                pair[0].link(&pair[1])?;
            }
        }
        self.exit.link(entry)?;
        Ok(())
    }

    /// Puts it into a pipeline that plays, before `entry`, and starts it. False where that does not work.
    pub fn start(&self, pipeline: &gst::Pipeline, entry: &gst::Pad) -> bool {
        // From the end: what comes first must find the next one ready.
        self.join(pipeline, entry).is_ok()
            && self
                .parts
                .iter()
                .rev()
                .all(|p| p.sync_state_with_parent().is_ok())
    }

    /// Takes it out of a pipeline when it has been taken down.
    pub fn remove(&self, pipeline: &gst::Pipeline) -> bool {
        pipeline.remove_many(&self.parts).is_ok()
    }

    /// Its elements, in the order in which they are taken down.
    pub fn parts(&self) -> Vec<gst::Element> {
        self.parts.iter().rev().cloned().collect()
    }

    /// What to say where the file has ended before its time: it says of itself that it lasts for `whole`.
    pub fn cut_short(&self, whole: Option<Duration>) -> Option<String> {
        let (end, all) = self.reach().zip(whole)?;
        (end + all.mul_f64(MISSING).max(LEAST_MISSING) < all).then(|| {
            let (end, all) = (end.as_secs_f64(), all.as_secs_f64());
            format!("cut short: it holds {end:.1} of {all:.1} seconds")
        })
    }

    /// Where the last of the file's streams ended, sound as well; `None` where the file has no index, so that GStreamer can only
    /// guess how long it is.
    fn reach(&self) -> Option<Duration> {
        let end = self.reach.end.load(Ordering::Relaxed);
        (end > 0).then(|| Duration::from_nanos(end))
    }
}

impl Reach {
    /// Notes where each stream of a demuxer ends.
    fn watch(self: Arc<Self>, demuxer: &gst::Element) {
        demuxer.connect_pad_added(move |_, pad| {
            let reach = self.clone();
            pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
                if let Some(end) = info.buffer().and_then(|buffer| stream_end(pad, buffer)) {
                    reach.end.fetch_max(end.nseconds(), Ordering::Relaxed);
                }
                gst::PadProbeReturn::Ok
            });
        });
    }
}

/// Where a buffer ends in its stream.
fn stream_end(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<gst::ClockTime> {
    let segment = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = segment.segment().downcast_ref::<gst::ClockTime>()?.clone();
    let time = segment.to_stream_time(buffer.dts_or_pts())?;
    Some(time + buffer.duration().unwrap_or_default())
}

/// What turns frames upright.
fn turned() -> anyhow::Result<[gst::Element; 2]> {
    let flip = make("videoflip")?;
    flip.set_property_from_str("video-direction", "auto");
    Ok([make("videoconvert")?, flip])
}

/// Decodes whatever it is given and links its first video to `to`. Sound is not even decoded.
fn decodebin(to: &gst::Element, reach: &Arc<Reach>) -> anyhow::Result<gst::Element> {
    let decode = make("decodebin")?;
    let reach = reach.clone();
    let bin = decode
        .downcast_ref::<gst::Bin>()
        .context("decodebin is no bin")?;
    bin.connect_element_added(move |_, element| {
        let factory = element.factory();
        if factory.is_some_and(|f| f.has_type(gst::ElementFactoryType::DEMUXER)) {
            reach.clone().watch(element);
        }
    });
    decode.connect("autoplug-continue", false, |values| {
        let caps = values.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let is_unwanted = caps.as_deref().is_some_and(|caps| is(caps, UNWANTED));
        Some((!is_unwanted).to_value())
    });
    let sink = to
        .static_pad("sink")
        .context("an element without a sink pad")?;
    let sink = sink.downgrade();
    let into = sink.clone();
    decode.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        if let Some(sink) = into.upgrade()
            && is(&caps, &["video/x-raw"])
            && !sink.is_linked()
        {
            // Where it cannot be linked, the pipeline says so itself: its frames go nowhere.
            let _ = pad.link(&sink);
        }
    });
    decode.connect_no_more_pads(move |decode| {
        if sink.upgrade().is_some_and(|s| !s.is_linked()) {
            gst::element_error!(
                decode,
                gst::StreamError::WrongType,
                ("there is no video in it")
            );
        }
    });
    Ok(decode)
}

/// Whether the name of these caps begins with one of these.
fn is(caps: &gst::CapsRef, names: &[&str]) -> bool {
    let structure = caps.structure(0);
    structure.is_some_and(|s| names.iter().any(|n| s.name().starts_with(n)))
}
