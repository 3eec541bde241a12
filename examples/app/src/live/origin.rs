// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where pictures come from, and the elements that fetch them. Knows GStreamer; nothing of what becomes of the pictures.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Context;
use gst::prelude::*;

use super::address::{Address, Scheme};
use super::newest::newest;
use crate::film::{Source, make};

/// How late packets of a network camera may be, in milliseconds.
const LATENCY: u32 = 200;

/// How long a server may take for each of its answers, in seconds.
const ANSWER: u32 = 5;

/// What a program is to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Something that waits for nobody and may come and go.
    Live(Origin),
    /// A file, every frame of it.
    Film(PathBuf),
}

/// Where a live picture comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A camera of this machine: its device.
    Camera(PathBuf),
    /// A camera in the network.
    Address(Address),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Camera(device) => device.display().fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live(origin) => origin.fmt(f),
            Self::Film(path) => path.display().fmt(f),
        }
    }
}

/// What fetches pictures.
pub(super) struct Fetch {
    pub(super) source: Source,
    /// Set when it turns out to be one still picture, which is over as soon as it is fetched.
    pub(super) still: Arc<AtomicBool>,
}

impl Origin {
    /// The elements for one try. Frames that are thrown away before they are decoded are added to `dropped`.
    ///
    /// # Errors
    /// Where an element is not installed.
    pub(super) fn fetch(&self, dropped: &Arc<AtomicU64>) -> anyhow::Result<Fetch> {
        let still = Arc::default();
        let head = match self {
            Self::Camera(device) => {
                let camera = make("v4l2src")?;
                camera.set_property("device", device);
                camera
            }
            Self::Address(address) => match address.scheme() {
                Scheme::Rtsp => rtsp(address)?,
                Scheme::Http => http(address, dropped, &still)?,
            },
        };
        Ok(Fetch {
            source: Source::decoded(head)?,
            still,
        })
    }
}

/// rtspsrc, for its video alone.
fn rtsp(address: &Address) -> anyhow::Result<gst::Element> {
    let source = make("rtspsrc")?;
    // A plain address is asked for over TCP: a packet that UDP loses is a smeared face for seconds, and behind many routers nothing comes at all.
    let location = match address.location().split_once("://") {
        Some(("rtsp", rest)) => format!("rtspt://{rest}"),
        _ => address.location().to_owned(),
    };
    source.set_property("location", location);
    log_in(&source, address);
    source.set_property("latency", LATENCY);
    // After a stall, go on with the present.
    source.set_property("drop-on-latency", true);
    source.set_property("tcp-timeout", u64::from(ANSWER) * 1_000_000);
    source.connect("select-stream", false, |values| {
        let caps = values.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let media = caps
            .as_ref()
            .and_then(|c| c.structure(0)?.get::<String>("media").ok());
        Some((media.as_deref() == Some("video")).to_value())
    });
    Ok(source)
}

/// souphttpsrc ! typefind [! multipartdemux ! queue leaky | ! jpegparse], as soon as it is known what comes.
fn http(
    address: &Address,
    dropped: &Arc<AtomicU64>,
    still: &Arc<AtomicBool>,
) -> anyhow::Result<gst::Element> {
    let source = make("souphttpsrc")?;
    source.set_property("location", address.location());
    log_in(&source, address);
    // The pictures carry no times of their own: each gets the one of its arrival.
    source.set_property("is-live", true);
    source.set_property("do-timestamp", true);
    source.set_property("timeout", ANSWER);
    // Trying again is done elsewhere, and without a wait here.
    source.set_property("retries", 0);
    let find = make("typefind")?;
    let bin = gst::Bin::new();
    bin.add_many([&source, &find])?;
    source.link(&find)?;
    let parts = Parts::new(dropped)?;
    let (inside, still) = (bin.downgrade(), still.clone());
    find.connect("have-type", false, move |values| {
        let find = values.first().and_then(|v| v.get::<gst::Element>().ok());
        let caps = values.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let name = caps
            .as_ref()
            .and_then(|c| Some(c.structure(0)?.name().to_string()));
        if let (Some(bin), Some(find), Some(name)) = (inside.upgrade(), find, name)
            // A still is fetched again and again, through the same elements.
            && bin.src_pads().is_empty()
        {
            still.store(name.starts_with("image/"), Ordering::Relaxed);
            if parts.expose(&bin, &find, &name).is_none() {
                gst::element_error!(
                    bin,
                    gst::CoreError::Pad,
                    ("the elements for {name} do not fit together")
                );
            }
        }
        None
    });
    Ok(bin.upcast())
}

/// What comes between the server's answer and the decoder, each for some kinds of answers.
struct Parts {
    demux: gst::Element,
    queue: gst::Element,
    parse: gst::Element,
}

impl Parts {
    fn new(dropped: &Arc<AtomicU64>) -> anyhow::Result<Self> {
        let demux = make("multipartdemux")?;
        // Without it, the demuxer waits for other streams.
        demux.set_property("single-stream", true);
        Ok(Self {
            demux,
            // Each picture stands for itself: those that cannot be decoded in time need not be. Otherwise they would pile up in the network.
            queue: newest(dropped)?,
            // Only this one reads the note how to turn a picture.
            parse: make("jpegparse")?,
        })
    }

    /// Puts what is needed behind `find` and lets it come out of `bin`.
    fn expose(&self, bin: &gst::Bin, find: &gst::Element, name: &str) -> Option<()> {
        let last = match name {
            "multipart/x-mixed-replace" => {
                bin.add_many([&self.demux, &self.queue]).ok()?;
                let sink = self.queue.static_pad("sink")?.downgrade();
                self.demux.connect_pad_added(move |_, pad| {
                    if let Some(sink) = sink.upgrade() {
                        // Where it cannot be linked, the demuxer says so itself.
                        let _ = pad.link(&sink);
                    }
                });
                self.queue.sync_state_with_parent().ok()?;
                self.demux.sync_state_with_parent().ok()?;
                find.link(&self.demux).ok()?;
                &self.queue
            }
            "image/jpeg" => {
                bin.add(&self.parse).ok()?;
                self.parse.sync_state_with_parent().ok()?;
                find.link(&self.parse).ok()?;
                &self.parse
            }
            _ => find,
        };
        let ghost = gst::GhostPad::with_target(&last.static_pad("src")?).ok()?;
        ghost.set_active(true).ok()?;
        bin.add_pad(&ghost).ok()
    }
}

/// Tells an element who looks.
fn log_in(source: &gst::Element, address: &Address) {
    if let Some(login) = &address.login {
        source.set_property("user-id", &login.user);
        source.set_property("user-pw", &login.password);
    }
}

/// The clock and the beginning of time of `from`, for another pipeline: what is now in one is now in the other.
pub(super) fn share_time(from: &gst::Pipeline, with: &gst::Pipeline) -> anyhow::Result<()> {
    let clock = from
        .clock()
        .context("a pipeline that plays without a clock")?;
    with.use_clock(Some(&clock));
    with.set_start_time(gst::ClockTime::NONE);
    with.set_base_time(
        from.base_time()
            .context("a pipeline that plays without a beginning")?,
    );
    Ok(())
}
