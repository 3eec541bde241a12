// SPDX-License-Identifier: MIT OR Apache-2.0
//! `livenessmetaconvert`: the faces of each frame as a line of JSON, in the layout of DL Streamer's `gvametaconvert`.
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert ! livenessfacedetect ! livenessclassify \
//!     ! livenessmetaconvert output=buffers source=clip.mp4 ! filesink location=faces.jsonl
//! gst-launch-1.0 -m v4l2src ! videoconvert ! livenessfacedetect ! livenessclassify ! livenessmetaconvert \
//!     ! livenessoverlay ! videoconvert ! autovideosink
//! ```
//!
//! With `output=messages`, which is the default, the frames pass untouched, and each object is the field `json` of an element message
//! `GstLivenessMetaConvert`, which has `timestamp`, `stream-time`, `running-time` and `duration` as well. With `output=buffers`, buffers of
//! `application/x-json` take the frames' places, a line each with its end: a `filesink` behind it writes JSON lines, and `fdsink`,
//! `tcpserversink` or `appsink` hand them on. `both` does both.
//!
//! Takes faces from `LivenessMeta`, or from other detectors' regions of interest of type `face`: see [`crate::meta`]. Who was judged and whose place got lost since
//! stands in `lost`, without a box. `docs/faces.schema.json` describes the lines.

use gst::glib;
use gst::prelude::*;

mod imp;

/// Where the JSON goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessMetaConvertOutput")]
#[repr(i32)]
pub enum Output {
    /// To the bus; the frames pass.
    #[default]
    #[enum_value(name = "Element messages; the frames pass", nick = "messages")]
    Messages,
    /// Downstream, in place of the frames.
    #[enum_value(
        name = "Buffers of application/x-json in place of the frames",
        nick = "buffers"
    )]
    Buffers,
    /// To both.
    #[enum_value(name = "Both of them", nick = "both")]
    Both,
}

glib::wrapper! {
    /// See the module.
    pub struct LivenessMetaConvert(ObjectSubclass<imp::LivenessMetaConvert>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "livenessmetaconvert",
        gst::Rank::NONE,
        LivenessMetaConvert::static_type(),
    )
}
