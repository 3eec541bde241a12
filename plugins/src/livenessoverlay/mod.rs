// SPDX-License-Identifier: MIT OR Apache-2.0
//! `livenessoverlay`: draws what upstream found: a box and a label per face, green for live, red for spoof, amber for uncertain,
//! grey for unchecked. Hides faces where privacy asks for it.
//!
//! ```text
//! gst-launch-1.0 v4l2src ! videoconvert ! facedetect ! livenessclassify \
//!     ! livenessoverlay live-text=Authorized spoof-text=Unauthorized ! videoconvert ! autovideosink
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert ! facedetect \
//!     ! livenessoverlay blur=true blur-style=pixelate ! x264enc ! mp4mux ! filesink location=private.mp4
//! ```
//!
//! Reads [`crate::meta`], adds no metadata of its own and posts no messages but errors. Draws through GStreamer's overlay
//! composition: it is attached to the buffers where downstream takes it (caps feature `meta:GstVideoOverlayComposition`, and the
//! meta in its answer to the allocation query), else blended into the frame, whatever its format. A frame with nothing to
//! draw passes untouched and is never mapped for writing.
//!
//! Line width and text size follow the shorter side of the displayed frame, so that the picture looks the same on every screen.
//! The texts are settable (an empty one hides the word), those of single tracks too (`track-texts`, for programs that decide about persons by rules of
//! their own: the words stand for as long as the verdict is the one that they are for), as are `font` and `text-scale`; boxes, labels, scores, numbers and
//! landmarks can be shown or hidden one by one. All properties may be set while playing.
//!
//! A face whose place got lost (the frame was cropped, turned or letterboxed after it was found) gets no box, as that would
//! be drawn at a wrong place: its verdict stands in the top left corner.
//!
//! `blur=true` covers each face, and a margin around it, with about ten by ten colours of its own, and fails closed: where a
//! face's place got lost, and where nobody looked for faces, the whole frame is covered. The cover is always in the pixels,
//! never attached beside them. Faces that the detector misses are not covered.

use gst::glib;
use gst::prelude::*;

mod draw;
mod imp;
mod ink;
mod paint;
mod privacy;
mod scene;
mod settings;
mod words;

/// How `blur` hides faces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessBlurStyle")]
#[repr(i32)]
pub enum BlurStyle {
    /// Colours that run into each other.
    #[default]
    #[enum_value(name = "Colours that run into each other", nick = "smooth")]
    Smooth,
    /// Large square pixels.
    #[enum_value(name = "Large square pixels", nick = "pixelate")]
    Pixelate,
}

glib::wrapper! {
    /// See the module.
    pub struct LivenessOverlay(ObjectSubclass<imp::LivenessOverlay>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "livenessoverlay",
        gst::Rank::NONE,
        LivenessOverlay::static_type(),
    )
}
