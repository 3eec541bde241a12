// SPDX-License-Identifier: MIT OR Apache-2.0
//! `livenessmetaattach`: gives frames the faces that a file of JSON lines has for them: what `livenessmetaconvert` wrote of them
//! earlier, or another detector that writes DL Streamer's layout.
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert ! livenessmetaattach location=faces.jsonl \
//!     ! livenessclassify ! livenessoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Adds `LivenessMeta` and a region of interest of type `face` per face, as a detector does: see [`crate::meta`]. A frame that the
//! file has no line for passes as it is, as one that nobody looked at. `stats` tells how many of each there were; where no line belonged to a frame, a warning is posted
//! at the end.
//!
//! A line belongs to the frame whose stream time is its `timestamp`, to half a frame; with `match=order`, the first line belongs to the first frame, and so
//! on. After a seek or a flush, the file is read from its start again. A frame may be larger or smaller than the one that the line is
//! of, but must have its shape.
//!
//! Faces come unchecked, so that `livenessclassify` judges them: whoever can write the file could else make anybody live.
//! `verdicts=true` takes the verdicts too, for showing again what was judged before.

use gst::glib;
use gst::prelude::*;

mod imp;
mod lines;

/// Which line belongs to a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessMetaAttachMatch")]
#[repr(i32)]
pub enum Match {
    /// By time.
    #[default]
    #[enum_value(
        name = "The one with the frame's stream time as its timestamp",
        nick = "timestamp"
    )]
    Timestamp,
    /// By order.
    #[enum_value(name = "The next one", nick = "order")]
    Order,
}

glib::wrapper! {
    /// See the module.
    pub struct LivenessMetaAttach(ObjectSubclass<imp::LivenessMetaAttach>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "livenessmetaattach",
        gst::Rank::NONE,
        LivenessMetaAttach::static_type(),
    )
}
