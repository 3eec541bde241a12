// SPDX-License-Identifier: MIT OR Apache-2.0
//! The type of the property `cues`.
#![allow(missing_docs)] // What glib::flags writes carries no documentation over.

use gst::glib;
use liveness::liveness::cues::Wanted;

/// What is measured beside the models.
#[glib::flags(name = "GstLivenessCues")]
pub enum Cues {
    /// A grid in the spectrum of the face.
    #[flags_value(name = "A grid in the spectrum of the face", nick = "moire")]
    MOIRE = 1,
    /// Straight edges that frame the face.
    #[flags_value(name = "Straight edges that frame the face", nick = "border")]
    BORDER = 2,
    /// Points that move as those of a flat picture.
    #[flags_value(
        name = "Points that move as those of a flat picture",
        nick = "planar-motion"
    )]
    PLANAR_MOTION = 4,
    /// Eyes that blink and move.
    #[flags_value(name = "Eyes that blink and move", nick = "blink")]
    BLINK = 8,
    /// A stream that a camera makes.
    #[flags_value(name = "A stream that a camera makes", nick = "stream")]
    STREAM = 16,
}

impl From<Cues> for Wanted {
    fn from(cues: Cues) -> Self {
        Self {
            moire: cues.contains(Cues::MOIRE),
            border: cues.contains(Cues::BORDER),
            planar_motion: cues.contains(Cues::PLANAR_MOTION),
            blink: cues.contains(Cues::BLINK),
            stream: cues.contains(Cues::STREAM),
        }
    }
}
