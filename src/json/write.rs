// SPDX-License-Identifier: MIT OR Apache-2.0
//! From faces to a line.

use super::layout::{
    BoundingBox, Cues, Detection, Line, Liveness, Lost, Model, Object, Resolution,
};
use super::{FACE, Frame};
use crate::error::{Error, Result};
use crate::face::{self, Face, Verdict};

/// A frame as a line of JSON, with its end.
///
/// # Errors
/// [`Error::Frame`] where it cannot be written as JSON.
pub fn write(frame: &Frame) -> Result<String> {
    let size = (frame.width, frame.height);
    let mut lost: Vec<_> = frame.lost.iter().map(lost_face).collect();
    let objects = frame.faces.as_ref().map(|faces| {
        let mut objects = Vec::with_capacity(faces.len());
        for face in faces {
            match object(face, size) {
                Some(object) => objects.push(object),
                // No part of it is in the frame.
                None => lost.push(lost_face(face)),
            }
        }
        objects
    });
    let line = Line {
        objects,
        lost,
        resolution: Resolution {
            width: frame.width,
            height: frame.height,
        },
        source: frame.source.clone(),
        tags: frame.tags.clone(),
        timestamp: frame.timestamp,
    };
    let mut text = serde_json::to_string(&line).map_err(|e| Error::Frame(e.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// Six digits after the point.
fn short(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A share of one; what is no number is none.
fn unit(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        short(value.clamp(0.0, 1.0))
    }
}

fn score(value: f32) -> f64 {
    unit(f64::from(value))
}

fn object(face: &Face, (width, height): (u32, u32)) -> Option<Object> {
    let (x, y, w, h) = face.rect.pixels(width, height)?;
    let (across, down) = (f64::from(width), f64::from(height));
    let r = &face.rect;
    // Points may lie outside, as boxes may; a line that has no number where one belongs is none.
    let points = face.landmarks.map(|points| {
        points.map(|p| [short(f64::from(p.x) / across), short(f64::from(p.y) / down)])
    });
    Some(Object {
        detection: Some(Detection {
            bounding_box: Some(BoundingBox {
                x_min: unit(f64::from(r.x) / across),
                x_max: unit(f64::from(r.right()) / across),
                y_min: unit(f64::from(r.y) / down),
                y_max: unit(f64::from(r.bottom()) / down),
            }),
            confidence: Some(score(face.score)),
            label: Some(FACE.into()),
            label_id: Some(0),
        }),
        x: Some(x.into()),
        y: Some(y.into()),
        w: Some(w.into()),
        h: Some(h.into()),
        id: face.track,
        landmarks: points.filter(|all| all.iter().flatten().all(|v| v.is_finite())),
        liveness: Some(liveness(&face.verdict)),
        region_id: Some(face.id.into()),
        roi_type: Some(FACE.into()),
    })
}

fn lost_face(face: &Face) -> Lost {
    Lost {
        id: face.track,
        liveness: liveness(&face.verdict),
        region_id: face.id.into(),
    }
}

fn liveness(verdict: &Verdict) -> Liveness {
    Liveness {
        confidence: Some(score(verdict.confidence())),
        cues: (verdict.cues != face::Cues::default()).then(|| Cues {
            blink: verdict.cues.blink.map(score),
            border: verdict.cues.border.map(score),
            moire: verdict.cues.moire.map(score),
            planar_motion: verdict.cues.planar_motion.map(score),
            stream: verdict.cues.stream.map(score),
        }),
        label: verdict.label.as_str().into(),
        label_id: Some(verdict.label.id().into()),
        last: verdict.last.map(score),
        live: verdict.live.map(score),
        looks: (verdict.looks > 0).then_some(verdict.looks),
        model: verdict
            .model
            .as_deref()
            .map(|name| Model { name: name.into() }),
        reason: verdict.reason.map(|r| r.as_str().into()),
    }
}
