// SPDX-License-Identifier: MIT OR Apache-2.0
//! A face as the manifest has it.

use crate::dataset::record::{FaceRecord, VerdictRecord};
use crate::face::{Face, Label, Verdict};
use crate::quality::Quality;

/// Rounded to so many digits behind the point: more would only make the file larger.
fn rounded(value: f32, digits: i32) -> f32 {
    let unit = 10f32.powi(digits);
    (value * unit).round() / unit
}

/// What is known about a face.
pub(super) fn face_record(face: &Face, quality: Quality) -> FaceRecord {
    let r = &face.rect;
    let Verdict {
        label,
        live,
        reason,
        model,
        ..
    } = &face.verdict;
    let landmarks = face.landmarks.as_ref();
    FaceRecord {
        rect: [r.x, r.y, r.w, r.h].map(|v| rounded(v, 2)),
        landmarks: landmarks.map(|l| l.map(|p| [p.x, p.y].map(|v| rounded(v, 2)))),
        score: rounded(face.score, 4),
        track: face.track,
        sharpness: rounded(quality.sharpness, 2),
        exposure: rounded(quality.exposure, 4),
        verdict: (*label != Label::Unchecked).then(|| VerdictRecord {
            label: label.to_string(),
            live: live.map(|v| rounded(v, 4)),
            reason: reason.map(|r| r.to_string()),
            model: model.as_deref().map(Into::into),
        }),
    }
}
