// SPDX-License-Identifier: MIT OR Apache-2.0
//! `frameextract`: a sink that builds data sets out of the faces that upstream found.
//!
//! ```text
//! gst-launch-1.0 filesrc location=me.mp4 ! decodebin ! videoconvert ! facedetect model=yunet.onnx \
//!     ! frameextract location=dataset label=real
//! ```
//!
//! Takes faces from `LivenessMeta`, or from other detectors' regions of interest of type `face`: see [`crate::meta`].
//!
//! Pictures go to `LOCATION/LABEL/000001.jpg` and on, behind what is there; `LOCATION/manifest.jsonl` has a line for each:
//! see [`liveness::dataset::record`]. Its defaults refuse what harms a data set: faces that are small, blurred, dark, cut off, or look
//! like one that it has. A source that is run again adds what is missing and nothing twice, as long as its `session` and `source`
//! are the same; both follow from the name of a file.
//!
//! Pictures are drawn and coded by threads of their own. A file waits for them, so that nothing is lost; of a live source,
//! pictures are left out and counted as dropped.
//!
//! Posts an element message `GstLivenessFrameExtractSummary` before the end of the stream, with the fields of `stats`, and with
//! `post-messages=true` one `GstLivenessFrameExtract` per file: `filename`, `index`, `timestamp`, `stream-time`, `running-time`,
//! `duration`, `offset`, `offset-end` as multifilesink's, and `kind`, `label`, `session`.

use gst::glib;
use gst::prelude::*;
use liveness::dataset::rules;

mod imp;
mod origin;
mod settings;

/// What is saved of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessExtractMode")]
#[repr(i32)]
pub enum Mode {
    /// Faces.
    #[default]
    #[enum_value(name = "Each face with its surroundings", nick = "faces")]
    Faces,
    /// Frames.
    #[enum_value(name = "Whole frames with a face worth keeping", nick = "frames")]
    Frames,
    /// Faces and frames.
    #[enum_value(name = "Both", nick = "both")]
    Both,
}

impl From<Mode> for rules::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Faces => Self::Faces,
            Mode::Frames => Self::Frames,
            Mode::Both => Self::Both,
        }
    }
}

/// How pictures are coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessExtractFormat")]
#[repr(i32)]
pub enum Format {
    /// JPEG.
    #[default]
    #[enum_value(name = "JPEG", nick = "jpeg")]
    Jpeg,
    /// PNG.
    #[enum_value(name = "PNG, without loss", nick = "png")]
    Png,
}

glib::wrapper! {
    /// See the module.
    pub struct FrameExtract(ObjectSubclass<imp::FrameExtract>)
        @extends gst_base::BaseSink, gst::Element, gst::Object;
}

/// Registers the element.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "frameextract",
        gst::Rank::NONE,
        FrameExtract::static_type(),
    )
}
