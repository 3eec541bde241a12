// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is true of a picture, and what a detector said about it. Plain data, in pixels of the picture.

use crate::geometry::{Point, Rect};

/// Sizes of faces are given for pictures whose long side has so many pixels.
pub const LONG_SIDE: f64 = 640.0;

/// The four points that people marked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Points {
    /// The eye on the left in the picture and the one on the right.
    pub eyes: [Point; 2],
    /// The middle of the mouth.
    pub mouth: Point,
}

/// A face that somebody labelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where it is.
    pub rect: Rect,
    /// Its points, where they were marked.
    pub points: Option<Points>,
    /// Nobody drew the box: it was guessed from the points, so that how closely a detection fits it means little.
    pub guessed: bool,
    /// What people called it, such as `with_mask`.
    pub name: Option<String>,
    /// Mean luma (ITU-R BT.601) of the pixels in its box, 0 black to 255 white; none where nobody looked.
    pub luma: Option<f64>,
}

impl Label {
    /// A box that somebody drew.
    pub fn boxed(rect: Rect) -> Self {
        Self {
            rect,
            points: None,
            guessed: false,
            name: None,
            luma: None,
        }
    }

    /// A box guessed from points. With s the distance of the eyes, or 0.95 of that from their middle to the mouth where it is larger, the
    /// box is 2.09 s wide and 2.77 s high, and its middle lies 0.26 of the way from the eyes to the mouth: medians over the boxes of four
    /// families of detectors (YuNet, SCRFD, RetinaFace, UltraFace) on Caltech 10k Web Faces.
    pub fn pointed(points: Points) -> Self {
        let [left, right] = points.eyes;
        let (x, y) = ((left.x + right.x) / 2.0, (left.y + right.y) / 2.0);
        let down = (points.mouth.x - x, points.mouth.y - y);
        let s = (right.x - left.x)
            .hypot(right.y - left.y)
            .max(0.95 * down.0.hypot(down.1));
        let (w, h) = (2.09 * s, 2.77 * s);
        let (x, y) = (x + 0.26 * down.0, y + 0.26 * down.1);
        Self {
            rect: Rect::new(x - w / 2.0, y - h / 2.0, w, h),
            points: Some(points),
            guessed: true,
            name: None,
            luma: None,
        }
    }
}

/// What is true of one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// Its longer side in pixels.
    pub long_side: f64,
    /// The faces.
    pub labels: Vec<Label>,
    /// Where there may be faces that nobody labelled: what lies there counts neither for nor against.
    pub ignore: Vec<Rect>,
}

impl Truth {
    /// Side in pixels that a square with this box's area would have, were the picture [`LONG_SIDE`] pixels long.
    pub fn size_of(&self, rect: &Rect) -> f64 {
        let area = f64::from(rect.w.max(0.0)) * f64::from(rect.h.max(0.0));
        area.sqrt() * LONG_SIDE / self.long_side.max(1.0)
    }
}

/// A face that a detector found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Where.
    pub rect: Rect,
    /// Its confidence; higher is surer.
    pub score: f32,
    /// Eyes (left and right in the picture), nose, mouth corners (left, right), where the detector gives them.
    pub landmarks: Option<[Point; 5]>,
    /// As [`Label::luma`].
    pub luma: Option<f64>,
}

impl Detection {
    /// Whether all that is counted with is a number.
    pub(super) fn is_finite(&self) -> bool {
        let r = self.rect;
        [r.x, r.y, r.w, r.h, self.score]
            .iter()
            .all(|v| v.is_finite())
    }
}

/// One picture: what is true of it, and what was said about it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The labels.
    pub truth: &'a Truth,
    /// Everything that was found, in any order, also with low scores: AP needs them. Of equal scores, the earlier comes first.
    pub found: &'a [Detection],
}
