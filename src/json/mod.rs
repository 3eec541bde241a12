// SPDX-License-Identifier: MIT OR Apache-2.0
//! The faces of a frame as a line of JSON, in the layout of DL Streamer's `gvametaconvert`, and back. Knows no pixels.
//!
//! One object per frame: `resolution`, `timestamp` (nanoseconds in the stream), `source`, `tags`, and `objects`, one for each face whose
//! place is known, with `detection` (`bounding_box` in 0..1, `confidence`, `label`, `label_id`), `x`, `y`, `w`, `h` in whole pixels,
//! `roi_type`, `region_id` (number within the frame), `id` (the track). What DL Streamer does not have: `liveness` with its `label`,
//! `confidence` and evidence beside the `label` and `model` that its classifiers write, `landmarks`, and `lost`, the faces whose verdicts are known and whose places
//! are not. `docs/faces.schema.json` says it in full.
//!
//! A frame that was analysed and holds no face has empty `objects`; one that was not has none.
//!
//! Numbers have six digits after the point: a hundredth of a pixel of the largest frame, and a line that is read and written again
//! is the same line.

mod layout;
mod lines;
mod read;
mod write;

pub use lines::{LONGEST, Lines};
pub use read::read;
pub use write::write;

use crate::face::Face;

/// What a model, and DL Streamer with it, calls a face.
pub const FACE: &str = "face";

/// Additional properties of a user's, written into each line.
pub type Tags = serde_json::Map<String, serde_json::Value>;

/// What is known about one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// When it is shown, in nanoseconds of its stream.
    pub timestamp: Option<u64>,
    /// Where it comes from.
    pub source: Option<String>,
    /// What the user adds.
    pub tags: Option<Tags>,
    /// Its faces, in its pixels; `None` where nobody looked for them.
    pub faces: Option<Vec<Face>>,
    /// Faces whose verdicts are known and whose places are not.
    pub lost: Vec<Face>,
}

#[cfg(test)]
mod tests;
