// SPDX-License-Identifier: MIT OR Apache-2.0
//! A face as the page is told about it. Knows the JSON of docs/web.md.

use liveness::face::{Face, Label};
use serde::Serialize;

/// Where something is: parts of the frame's width and height, 0..1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spot(pub(crate) f32, pub(crate) f32);

/// One face of one frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Shown {
    /// Its number, the same for as long as it is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) track: Option<u64>,
    /// live, spoof, uncertain or unchecked.
    pub(crate) label: &'static str,
    /// The probability of live, where a model gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<f32>,
    /// Why it is uncertain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    /// Left, top, width, height.
    #[serde(rename = "box")]
    pub(crate) rect: [f32; 4],
    /// Eyes, nose and corners of the mouth, where the detector gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<[Spot; 5]>,
}

impl Shown {
    /// A face of a frame of this width and height.
    pub(crate) fn new(face: &Face, frame: (u32, u32)) -> Self {
        let (w, h) = (frame.0.max(1) as f32, frame.1.max(1) as f32);
        let r = face.rect.scaled(1.0 / w, 1.0 / h);
        Self {
            track: face.track,
            label: face.verdict.label.as_str(),
            live: face.verdict.live.map(round),
            reason: face.verdict.reason.map(|r| r.as_str()),
            rect: [r.x, r.y, r.w, r.h].map(round),
            points: face
                .landmarks
                .map(|points| points.map(|p| Spot(round(p.x / w), round(p.y / h)))),
        }
    }

    /// Takes back that it is live.
    pub(crate) fn withhold(&mut self, reason: &'static str) {
        if self.label == Label::Live.as_str() {
            self.label = Label::Uncertain.as_str();
            self.reason = Some(reason);
        }
    }
}

/// To a ten-thousandth: a pixel of any screen.
pub(crate) fn round(number: f32) -> f32 {
    (number * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use liveness::face::Verdict;
    use liveness::geometry::{Point, Rect};

    use super::*;

    fn face(label: Label) -> Face {
        Face {
            rect: Rect::new(64.0, 120.0, 160.0, 240.0),
            landmarks: Some([Point { x: 320.0, y: 48.0 }; 5]),
            track: Some(7),
            verdict: Verdict {
                label,
                live: Some(0.123_456),
                ..Verdict::default()
            },
            ..Face::default()
        }
    }

    #[test]
    fn places_are_parts_of_the_frame() {
        let shown = Shown::new(&face(Label::Live), (640, 480));
        assert_eq!(shown.rect, [0.1, 0.25, 0.25, 0.5]);
        assert_eq!(shown.points, Some([Spot(0.5, 0.1); 5]));
        let text = serde_json::to_string(&shown).unwrap();
        assert_eq!(
            text,
            r#"{"track":7,"label":"live","live":0.1235,"box":[0.1,0.25,0.25,0.5],"points":[[0.5,0.1],[0.5,0.1],[0.5,0.1],[0.5,0.1],[0.5,0.1]]}"#
        );
    }

    #[test]
    fn only_what_is_live_is_taken_back() {
        for (label, expected) in [
            (Label::Live, "uncertain"),
            (Label::Spoof, "spoof"),
            (Label::Unchecked, "unchecked"),
        ] {
            let mut shown = Shown::new(&face(label), (640, 480));
            shown.withhold("challenge-open");
            assert_eq!(shown.label, expected);
            assert_eq!(shown.reason.is_some(), label == Label::Live);
        }
    }
}
