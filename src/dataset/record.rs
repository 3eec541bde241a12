// SPDX-License-Identifier: MIT OR Apache-2.0
//! One line of a manifest: all that is known about one picture of a data set. Plain data; `docs/dataset.md` is its schema.

use serde::{Deserialize, Serialize};

use super::hash::Hash;

/// Version of the schema that is written. Readers take every version up to theirs and ignore fields that they do not know.
pub const VERSION: u32 = 1;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One face with its surroundings.
    Face,
    /// The whole frame.
    Frame,
}

impl Kind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Frame => "frame",
        }
    }
}

/// One picture. All coordinates are pixels of the frame that it was cut out of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of the schema, [`VERSION`].
    pub version: u32,
    /// The picture, relative to the manifest's folder, parts separated by `/`.
    pub file: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// What it shows.
    pub kind: Kind,
    /// What the user calls it, such as `real` or `print`; empty where nobody said.
    pub label: String,
    /// What must stay on one side of a split: one person before one camera in one light, as far as the user said.
    pub session: String,
    /// The film, picture or camera that it came from.
    pub source: String,
    /// Number of the frame in its source, from 0.
    pub frame: u64,
    /// Stream time of the frame in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_time: Option<u64>,
    /// Width and height of the frame.
    pub frame_size: [u32; 2],
    /// The part of the frame that the picture shows: left, top, width, height.
    pub window: [i64; 4],
    /// Width and height of the picture. Other than those of the window, it was scaled.
    pub size: [u32; 2],
    /// Of a face, how much of its surroundings was asked for: the window's sides over the box's, before it met the frame's edges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// The faces that were to be saved: one, or for a whole frame all of them.
    pub faces: Vec<FaceRecord>,
    /// Perceptual hash of the window.
    pub hash: Hash,
    /// What wrote it, with its version.
    pub tool: String,
    /// How it was made, where no camera took it but a program made it of another picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<RenderedRecord>,
}

/// How a picture was made of another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenderedRecord {
    /// SHA-256 of the picture that it was made of, 64 hexadecimal digits. Both show the same person.
    pub of: String,
    /// What that picture belongs to and a split must not tear apart: how its data set was recognised and, behind a slash, the person or else
    /// the session, such as `NUAA/0001`.
    pub group: String,
    /// The picture that stands behind it.
    pub scene: String,
    /// What was done to it, in that order.
    pub effects: Vec<String>,
}

/// One face of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaceRecord {
    /// Where it is: left, top, width, height.
    #[serde(rename = "box")]
    pub rect: [f32; 4],
    /// Five points, in the order of [`crate::face::Landmarks`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<[[f32; 2]; 5]>,
    /// The detector's confidence, 0..1.
    pub score: f32,
    /// The person it belongs to, within its source, where somebody follows the faces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// How sharp it is, see [`crate::quality::Quality::sharpness`].
    pub sharpness: f32,
    /// How bright it is, see [`crate::quality::Quality::exposure`].
    pub exposure: f32,
    /// What was judged, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictRecord>,
}

/// A verdict, see [`crate::face::Verdict`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictRecord {
    /// `live`, `spoof` or `uncertain`.
    pub label: String,
    /// Probability of live, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<f32>,
    /// Why it is uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The models that were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}
