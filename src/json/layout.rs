// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields of a line, as they are called in JSON. What is not listed is not looked at: other programs may add to it.

use serde::{Deserialize, Serialize};

use super::Tags;

#[derive(Deserialize, Serialize)]
pub(super) struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) objects: Option<Vec<Object>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) lost: Vec<Lost>,
    pub(super) resolution: Resolution,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<Tags>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timestamp: Option<u64>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Resolution {
    pub(super) height: u32,
    pub(super) width: u32,
}

/// A face in its place, or an object of another kind.
#[derive(Deserialize, Serialize)]
pub(super) struct Object {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detection: Option<Detection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) h: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) landmarks: Option<[[f64; 2]; 5]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) liveness: Option<Liveness>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roi_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) w: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) x: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) y: Option<i64>,
}

/// A face without its place.
#[derive(Deserialize, Serialize)]
pub(super) struct Lost {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u64>,
    pub(super) liveness: Liveness,
    pub(super) region_id: i64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Detection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bounding_box: Option<BoundingBox>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label_id: Option<i64>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct BoundingBox {
    pub(super) x_max: f64,
    pub(super) x_min: f64,
    pub(super) y_max: f64,
    pub(super) y_min: f64,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Liveness {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cues: Option<Cues>,
    pub(super) label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) label_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) live: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) looks: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<Model>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Model {
    pub(super) name: String,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Cues {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blink: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) border: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) moire: Option<f64>,
    #[serde(rename = "planar-motion", skip_serializing_if = "Option::is_none")]
    pub(super) planar_motion: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<f64>,
}
