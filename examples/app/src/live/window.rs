// SPDX-License-Identifier: MIT OR Apache-2.0
//! queue ! videoconvert ! autovideosink
//!
//! A window to look at, and whether there is anywhere to open it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use gst::prelude::*;

/// These draw over the whole console where no display can be opened, and the first one takes the program down with it (GStreamer 1.22).
const NO_WINDOWS: &[&str] = &["dfbvideosink", "fbdevsink", "kmssink"];

/// Whether there is a display.
pub fn has_display() -> bool {
    // X and Wayland are named by variables; other systems always have one.
    let is_unix = cfg!(all(unix, not(target_os = "macos")));
    let named = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !is_unix || named("WAYLAND_DISPLAY") || named("DISPLAY")
}

/// The part of a pipeline that shows.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) bin: gst::Bin,
    /// Its user has closed it, or it failed: the rest must not fail with it.
    gone: Arc<AtomicBool>,
}

impl Window {
    /// A film plays in its own time; a live source as it comes.
    ///
    /// # Errors
    /// Where an element is not installed.
    pub(super) fn new(is_film: bool) -> anyhow::Result<Self> {
        let description = match is_film {
            true => "queue max-size-buffers=2 ! videoconvert ! autovideosink",
            // A display that is slow holds up nobody: what it cannot show is analysed and recorded all the same.
            false => {
                "queue leaky=downstream max-size-buffers=1 ! videoconvert ! autovideosink sync=false"
            }
        };
        for factory in NO_WINDOWS
            .iter()
            .filter_map(|name| gst::ElementFactory::find(name))
        {
            factory.set_rank(gst::Rank::NONE);
        }
        let bin = gst::parse::bin_from_description(description, true)
            .context("a window cannot be made: install GStreamer's plugins base and good")?;
        let gone = Arc::new(AtomicBool::new(false));
        let closed = gone.clone();
        let sink = bin.static_pad("sink").context("a window without a pad")?;
        sink.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            // Thrown away, and all is well. (For `Drop`, GStreamer 1.22 complains of a frame that the binding has taken away before it.)
            match closed.load(Ordering::Relaxed) {
                true => gst::PadProbeReturn::Handled,
                false => gst::PadProbeReturn::Ok,
            }
        });
        Ok(Self { bin, gone })
    }

    /// To be called for each message in the thread that posts it, which is before the error reaches anybody by another way.
    pub(super) fn watch(&self) -> impl Fn(&gst::MessageRef) + Send + Sync + 'static {
        let (bin, gone) = (self.bin.downgrade(), self.gone.clone());
        move |message| {
            if message.type_() == gst::MessageType::Error
                && bin.upgrade().is_some_and(|bin| is_within(message, &bin))
            {
                gone.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Whether this error says that its user has closed it.
    pub(super) fn was_closed(&self, message: &gst::MessageRef) -> bool {
        let gst::MessageView::Error(error) = message.view() else {
            return false;
        };
        // All of GStreamer's windows say it so.
        is_within(message, &self.bin) && error.error().matches(gst::ResourceError::NotFound)
    }
}

/// Whether a message comes from this element or a part of it.
pub(super) fn is_within(message: &gst::MessageRef, element: &impl IsA<gst::Object>) -> bool {
    let element = element.upcast_ref::<gst::Object>();
    message
        .src()
        .is_some_and(|s| s == element || s.has_as_ancestor(element))
}
