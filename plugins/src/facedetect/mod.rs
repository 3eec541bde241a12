// SPDX-License-Identifier: MIT OR Apache-2.0
//! `facedetect`: finds the faces of each frame, follows them, and writes them as metadata. The picture passes untouched.
//!
//! ```text
//! gst-launch-1.0 filesrc location=clip.mp4 ! decodebin ! videoconvert ! facedetect model=yunet.onnx \
//!     ! livenessclassify model=minifasnet.onnx ! livenessoverlay ! videoconvert ! autovideosink
//! ```
//!
//! Adds `LivenessMeta` to every frame, and a region of interest of type `face` per face: see [`crate::meta`].
//! Posts element messages `GstLivenessFaceDetect` as `post-messages` asks: see [`crate::message`]. With `message-format=opencv` they are those of the element
//! of the same name in GStreamer's OpenCV plugin, so that applications written for that one work.
//!
//! Models of the families YuNet, SCRFD, UltraFace, RetinaFace, BlazeFace and SSD are recognised by their outputs. The frame is
//! letterboxed into the model's input, never squashed.
//!
//! With `tracking`, which is on by default, a face keeps its number (`track`, `object_id`) from frame to frame, also where it is not seen
//! for up to a second: see [`liveness::track`]. Numbers start at 1 and are never used again until the element is stopped; after
//! a flush, another segment, other caps, or a break of more than a second, all faces are new ones. With
//! `inference-interval` above 1, the faces move on as they were moving until the next look; without `tracking` they stay
//! where they were seen. With 0, a frame is looked at where the picture has changed since the last look, for a while after somebody has come or gone, where
//! somebody's score is near the threshold, and twice a second; and only the part of it that holds the faces and all that has changed, where that is no more than
//! six tenths: see
//! [`liveness::cadence`].
//!
//! A live source waits for nobody. Where frames come later than `max-lateness` (behind a queue, on a machine that cannot keep up), they pass on with the faces moved on,
//! until newer ones come in time: see [`crate::lateness`]. The element holds no frame back, and adds nothing to the pipeline's latency but the time of a
//! look, for which sinks have their `processing-deadline`.
//!
//! GStreamer's OpenCV plugin has an element of the same name. Where both are installed, `livenessfacedetect` always names
//! this one.

use gst::glib;
use gst::prelude::*;

mod imp;

glib::wrapper! {
    /// See the module.
    pub struct FaceDetect(ObjectSubclass<imp::FaceDetect>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Registers the element under both its names.
pub fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for name in ["facedetect", "livenessfacedetect"] {
        gst::Element::register(
            Some(plugin),
            name,
            gst::Rank::NONE,
            FaceDetect::static_type(),
        )?;
    }
    Ok(())
}
