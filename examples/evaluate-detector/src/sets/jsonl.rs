// SPDX-License-Identifier: MIT OR Apache-2.0
//! Labels as lines of JSON: `labels.jsonl`.

use std::path::Path;

use anyhow::Context;
use liveness::geometry::{Point, Rect};
use liveness::metrics::detection::{Label, Points};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Entry;

/// What a set's labels are called.
const NAME: &str = "labels.jsonl";

/// A box by its corners: left, top, right, bottom, in pixels.
pub(super) type Corners = [f32; 4];

#[derive(Deserialize)]
struct Line {
    file: String,
    w: Option<usize>,
    h: Option<usize>,
    faces: Option<Vec<Face>>,
    /// x and y of the left eye, the right eye, the nose and the mouth.
    landmarks: Option<Vec<[f32; 8]>>,
    /// Boxes of a detector, which are no labels. Where there are but these, nobody has looked.
    teacher: Option<IgnoredAny>,
    #[serde(default)]
    ignore: Vec<Corners>,
    #[serde(default)]
    hard_negative: bool,
}

#[derive(Deserialize)]
struct Face {
    #[serde(rename = "box")]
    corners: Corners,
    label: Option<String>,
}

pub(super) fn rect([x1, y1, x2, y2]: Corners) -> Rect {
    Rect::from_corners(x1, y1, x2, y2)
}

/// The pictures of a folder, each with whether its faces are labelled; none where there are no such labels.
pub(super) fn read(folder: &Path) -> anyhow::Result<Option<Vec<(Entry, bool)>>> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let read = |(i, line): (usize, &str)| {
        let line: Line =
            serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), i + 1))?;
        Ok(entry(folder, line))
    };
    lines.map(read).collect::<anyhow::Result<_>>().map(Some)
}

fn entry(folder: &Path, line: Line) -> (Entry, bool) {
    let labelled = line.faces.is_some() || line.landmarks.is_some() || line.teacher.is_none();
    let mut entry = Entry::of(folder, line.file);
    // Points win over boxes, as in the sets that have both.
    let points = line.landmarks.unwrap_or_default();
    entry.truth.labels = if points.is_empty() {
        let faces = line.faces.unwrap_or_default().into_iter();
        faces.map(boxed).collect()
    } else {
        points.into_iter().map(pointed).collect()
    };
    entry.truth.ignore = line.ignore.into_iter().map(rect).collect();
    entry.hard = line.hard_negative;
    let entry = match (line.w, line.h) {
        (Some(w), Some(h)) => entry.sized((w, h)),
        _ => entry,
    };
    (entry, labelled)
}

fn boxed(face: Face) -> Label {
    Label {
        name: face.label,
        ..Label::boxed(rect(face.corners))
    }
}

fn pointed([lx, ly, rx, ry, _, _, mx, my]: [f32; 8]) -> Label {
    Label::pointed(Points {
        eyes: [Point { x: lx, y: ly }, Point { x: rx, y: ry }],
        mouth: Point { x: mx, y: my },
    })
}
