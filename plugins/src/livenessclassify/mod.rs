// SPDX-License-Identifier: MIT OR Apache-2.0
//! `livenessclassify`: judges each face that was found upstream: live or spoof. The picture passes untouched.
//!
//! ```text
//! … ! facedetect model=yunet.onnx \
//!   ! livenessclassify model=MiniFASNetV2_2.7_80.onnx,MiniFASNetV1SE_4.0_80.onnx \
//!   ! livenessoverlay ! …
//! ```
//!
//! Takes faces from `LivenessMeta`, or, where a buffer has none, from other detectors' regions of interest of type `face`.
//! Writes the verdicts into `LivenessMeta` and, as the parameter `liveness`, into the regions: see [`crate::meta`]. Posts element
//! messages `GstLivenessClassify` as `post-messages` asks: see [`crate::message`].
//!
//! A face that is followed (`track`, or another detector's `object_id`) is judged as one person, not frame by frame: see
//! [`liveness::liveness::OverTime`] for `smoothing` and `reclassify-interval`, and `docs/metadata.md` for how long a wrong verdict can last. A new
//! segment, a flush, other caps and a break of the stream end what is known.
//!
//! A face whose place in the picture is not known any more, because the frame was cropped or turned since, stays unchecked.
//!
//! `cues` measures what speaks for a living person or a spoof beside the models: see [`liveness::liveness::cues`]. The verdict does not rest
//! on it.
//!
//! `precision` chooses between the versions of the model that ships, in floats and in 8-bit integers: `models/liveness/README.md` has the accuracy
//! of both beside each other.
//!
//! Models of the families MiniFASNet, facenox and LivenessNet are recognised by their shapes; any other one-picture classifier is
//! taken when its `metadata_props` or a sidecar file tell how to use it: see [`liveness::model`]. Several models, separated by
//! commas, are fused by the mean of their probabilities.

use gst::glib;
use gst::prelude::*;

mod cues;
mod imp;
mod precision;

pub use cues::Cues;
pub use precision::Precision;

glib::wrapper! {
    /// See the module.
    pub struct LivenessClassify(ObjectSubclass<imp::LivenessClassify>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "livenessclassify",
        gst::Rank::NONE,
        LivenessClassify::static_type(),
    )
}
