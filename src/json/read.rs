// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a line to faces: of our own lines, and of those of DL Streamer or of other detectors that write its layout.

use std::ops::RangeInclusive;

use super::layout::{BoundingBox, Cues, Line, Liveness, Object};
use super::{FACE, Frame};
use crate::face::{self, Face, Verdict};
use crate::geometry::{Point, Rect};

/// Longest side of a frame, in pixels: the largest that GStreamer has.
const LARGEST: u32 = i32::MAX as u32;

/// Where a corner or a point may lie, in parts of the frame. Detectors see faces that reach outside; what lies further away is no face of this
/// frame.
const NEARBY: RangeInclusive<f64> = -1.0..=2.0;

const UNIT: RangeInclusive<f64> = 0.0..=1.0;

/// A line of JSON as a frame. Objects that are no faces are left out, and so are faces without a place.
///
/// # Errors
/// What is wrong with it, in words that follow "line 7".
pub fn read(line: &[u8]) -> Result<Frame, String> {
    let line: Line = serde_json::from_slice(line).map_err(|e| {
        if line.trim_ascii_start().starts_with(b"[") {
            "is a JSON array: one object per line is needed (gvametapublish: file-format=json-lines)".to_owned()
        } else {
            // The number of the line within this line says nothing.
            let column = format!(" at line {} column {}", e.line(), e.column());
            let reason = e.to_string().replace(&column, "");
            format!("is no frame with faces: {reason}, at its byte {}", e.column())
        }
    })?;
    let (width, height) = (line.resolution.width, line.resolution.height);
    if !(1..=LARGEST).contains(&width) || !(1..=LARGEST).contains(&height) {
        return Err(format!("has a resolution of {width}x{height}"));
    }
    let mut faces = line.objects.map(|objects| {
        let faces = objects.iter().enumerate().filter(|(_, o)| is_face(o));
        let faces = faces.map(|(i, object)| {
            face(object, (width, height))
                .map_err(|reason| format!("has an object (number {}) {reason}", i + 1))
        });
        faces.collect::<Result<Vec<_>, _>>()
    });
    if let Some(Ok(faces)) = &mut faces {
        number(faces);
    }
    Ok(Frame {
        width,
        height,
        timestamp: line.timestamp,
        source: line.source,
        tags: line.tags,
        faces: faces.transpose()?,
        lost: Vec::new(),
    })
}

/// The kind stands in `roi_type`, and with some writers only in the detection's label.
fn is_face(object: &Object) -> bool {
    let label = object.detection.as_ref().and_then(|d| d.label.as_ref());
    object
        .roi_type
        .as_ref()
        .or(label)
        .is_some_and(|kind| kind == FACE)
}

/// Numbers of faces tie metadata together: they are counted anew where one has none, or two have the same.
fn number(faces: &mut [Face]) {
    let mut ids: Vec<_> = faces.iter().map(|f| f.id).collect();
    ids.sort_unstable();
    if ids.first() == Some(&0) || ids.windows(2).any(|w| w[0] == w[1]) {
        faces
            .iter_mut()
            .zip(1..)
            .for_each(|(face, id)| face.id = id);
    }
}

fn within(name: &str, value: f64, range: &RangeInclusive<f64>) -> Result<f64, String> {
    if range.contains(&value) {
        Ok(value)
    } else {
        let (least, most) = (range.start(), range.end());
        Err(format!(
            "whose {name} is {value}: {least} to {most} is possible"
        ))
    }
}

fn share(name: &str, value: Option<f64>) -> Result<Option<f32>, String> {
    value
        .map(|v| within(name, v, &UNIT).map(|v| v as f32))
        .transpose()
}

fn face(object: &Object, (width, height): (u32, u32)) -> Result<Face, String> {
    let (across, down) = (f64::from(width), f64::from(height));
    let detection = object.detection.as_ref();
    let b = match detection.and_then(|d| d.bounding_box.as_ref()) {
        Some(b) => BoundingBox { ..*b },
        None => in_pixels(object, across, down)?,
    };
    for (name, value) in [
        ("x_min", b.x_min),
        ("x_max", b.x_max),
        ("y_min", b.y_min),
        ("y_max", b.y_max),
    ] {
        within(name, value, &NEARBY)?;
    }
    let pixel = |v: f64, n: f64| (v * n) as f32;
    let rect = Rect::from_corners(
        pixel(b.x_min, across),
        pixel(b.y_min, down),
        pixel(b.x_max, across),
        pixel(b.y_max, down),
    );
    if !rect.is_valid() {
        return Err(format!(
            "whose box has no extent: {} to {} and {} to {}",
            b.x_min, b.x_max, b.y_min, b.y_max
        ));
    }
    let mut landmarks = object.landmarks;
    for value in landmarks.iter_mut().flatten().flatten() {
        within("landmark", *value, &NEARBY)?;
    }
    Ok(Face {
        // What does not fit is numbered anew.
        id: object
            .region_id
            .and_then(|id| i32::try_from(id).ok())
            .map_or(0, |id| id.max(0) as u32),
        rect,
        score: share("confidence", detection.and_then(|d| d.confidence))?.unwrap_or(1.0),
        landmarks: landmarks.map(|points| {
            points.map(|[x, y]| Point {
                x: pixel(x, across),
                y: pixel(y, down),
            })
        }),
        track: object.id,
        verdict: object
            .liveness
            .as_ref()
            .map_or(Ok(Verdict::default()), verdict)?,
    })
}

/// The box of an object that has it in pixels alone.
fn in_pixels(object: &Object, across: f64, down: f64) -> Result<BoundingBox, String> {
    let (Some(x), Some(y), Some(w), Some(h)) = (object.x, object.y, object.w, object.h) else {
        return Err("without a place: detection.bounding_box or x, y, w and h are needed".into());
    };
    for (name, value) in [("w", w), ("h", h)] {
        if value <= 0 {
            return Err(format!("whose {name} is {value}"));
        }
    }
    let (x, y, w, h) = (x as f64, y as f64, w as f64, h as f64);
    Ok(BoundingBox {
        x_min: x / across,
        x_max: (x + w) / across,
        y_min: y / down,
        y_max: (y + h) / down,
    })
}

fn verdict(liveness: &Liveness) -> Result<Verdict, String> {
    let cues = match &liveness.cues {
        Some(Cues {
            blink,
            border,
            moire,
            planar_motion,
            stream,
        }) => face::Cues {
            moire: share("moire", *moire)?,
            border: share("border", *border)?,
            planar_motion: share("planar-motion", *planar_motion)?,
            blink: share("blink", *blink)?,
            stream: share("stream", *stream)?,
        },
        None => face::Cues::default(),
    };
    Ok(Verdict {
        // An unknown word is no verdict.
        label: liveness.label.parse().unwrap_or_default(),
        live: share("live", liveness.live)?,
        reason: liveness.reason.as_deref().and_then(|r| r.parse().ok()),
        model: liveness.model.as_ref().map(|m| m.name.as_str().into()),
        looks: liveness.looks.unwrap_or_default(),
        last: share("last", liveness.last)?,
        cues,
    })
}
