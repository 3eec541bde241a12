// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which part of a frame around a face a liveness model looks at. Knows boxes and windows, no models.
//!
//! The same code serves inference, the sink that writes data sets and the trainer: a model must see in training what it
//! sees later.

use std::str::FromStr;

use crate::geometry::Rect;
use crate::resize::{Border, Window};

/// Shape of the crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As the box is, so that the input's shape stretches it.
    Box,
    /// A square of the box's longer side.
    Square,
}

/// What happens where the crop reaches outside the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// The crop is moved inside; where the frame is too small for it, it shrinks (MiniFASNet's way).
    Shift,
    /// It is filled, see [`Border`].
    Fill(Border),
}

/// From a face's box to the window that is scaled into a model's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Shape of the crop.
    pub shape: Shape,
    /// Its size as a multiple of the box; 1 is the box itself.
    pub scale: f64,
    /// What happens at the frame's edges.
    pub outside: Outside,
}

impl Shape {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::Square => "square",
        }
    }
}

impl Outside {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shift => "shift",
            Self::Fill(Border::Black) => "black",
            Self::Fill(Border::Reflect) => "reflect",
            Self::Fill(Border::Replicate) => "replicate",
        }
    }
}

impl FromStr for Shape {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        match s {
            "box" => Ok(Self::Box),
            "square" => Ok(Self::Square),
            _ => Err(()),
        }
    }
}

impl FromStr for Outside {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        match s {
            "shift" => Ok(Self::Shift),
            "black" => Ok(Self::Fill(Border::Black)),
            "reflect" => Ok(Self::Fill(Border::Reflect)),
            "replicate" => Ok(Self::Fill(Border::Replicate)),
            _ => Err(()),
        }
    }
}

impl Crop {
    /// The window for the face at `face` (pixels) in a frame of `width` x `height`, and what lies outside the frame.
    /// A box that is not a valid one gives a window of a pixel; callers refuse such faces before.
    pub fn window(&self, face: &Rect, (width, height): (usize, usize)) -> (Window, Border) {
        match self.outside {
            Outside::Shift => (self.shifted(face, width, height), Border::Replicate),
            Outside::Fill(border) => (self.centered(face), border),
        }
    }

    /// Sides of the crop before it meets the frame's edges.
    fn sides(&self, face: &Rect) -> (f64, f64) {
        let (w, h) = (f64::from(face.w.max(1.0)), f64::from(face.h.max(1.0)));
        match self.shape {
            Shape::Box => (w, h),
            Shape::Square => (w.max(h), w.max(h)),
        }
    }

    /// As in minivision's `generate_patches.py`: shrink to fit, then shift inside; whole pixels, last one included.
    fn shifted(&self, face: &Rect, width: usize, height: usize) -> Window {
        let (most_x, most_y) = (width as f64 - 1.0, height as f64 - 1.0);
        let (w, h) = self.sides(face);
        let scale = self.scale.min(most_y / h).min(most_x / w);
        let axis = |middle: f64, side: f64, most: f64| {
            let (mut from, mut to) = (middle - side / 2.0, middle + side / 2.0);
            if from < 0.0 {
                (from, to) = (0.0, to - from);
            }
            if to > most {
                (from, to) = (from - (to - most), most);
            }
            let from = (from.max(0.0) as i64).min(most as i64);
            (from, ((to.min(most) as i64) + 1 - from).max(1))
        };
        let middle = |at: f32, size: f32| f64::from(at) + f64::from(size) / 2.0;
        let (x, w) = axis(middle(face.x, face.w), w * scale, most_x);
        let (y, h) = axis(middle(face.y, face.h), h * scale, most_y);
        Window { x, y, w, h }
    }

    fn centered(&self, face: &Rect) -> Window {
        let (w, h) = self.sides(face);
        let axis = |from: f32, size: f32, side: f64| {
            let side = ((side * self.scale) as i64).max(1);
            let middle = f64::from(from) + f64::from(size) / 2.0;
            ((middle - side as f64 / 2.0) as i64, side)
        };
        let (x, w) = axis(face.x, face.w, w);
        let (y, h) = axis(face.y, face.h, h);
        Window { x, y, w, h }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINIFASNET: Crop = Crop {
        shape: Shape::Box,
        scale: 2.7,
        outside: Outside::Shift,
    };

    #[test]
    fn in_the_middle_of_a_large_frame_the_crop_is_the_scaled_box() {
        let (w, _) = MINIFASNET.window(&Rect::new(500.0, 400.0, 100.0, 100.0), (1920, 1080));
        assert_eq!(
            w,
            Window {
                x: 415,
                y: 315,
                w: 271,
                h: 271
            }
        );
    }

    #[test]
    fn at_the_edge_it_is_shifted_and_in_a_small_frame_it_shrinks() {
        let (w, _) = MINIFASNET.window(&Rect::new(0.0, 0.0, 100.0, 100.0), (1920, 1080));
        assert_eq!((w.x, w.y, w.w, w.h), (0, 0, 271, 271));
        let (w, _) = MINIFASNET.window(&Rect::new(20.0, 20.0, 100.0, 100.0), (140, 200));
        assert_eq!((w.x, w.w), (0, 140));
        assert!(w.h < 145);
    }

    #[test]
    fn a_square_is_centred_and_may_reach_outside() {
        let crop = Crop {
            shape: Shape::Square,
            scale: 1.5,
            outside: Outside::Fill(Border::Reflect),
        };
        let (w, border) = crop.window(&Rect::new(0.0, 0.0, 80.0, 100.0), (640, 480));
        assert_eq!(
            w,
            Window {
                x: -35,
                y: -25,
                w: 150,
                h: 150
            }
        );
        assert_eq!(border, Border::Reflect);
    }

    proptest! {
        #[test]
        fn a_shifted_crop_lies_inside(
            x in -300.0f32..2000.0, y in -300.0f32..2000.0, w in 0.1f32..2500.0, h in 0.1f32..2500.0,
            width in 16usize..2000, height in 16usize..2000, scale in 0.5f64..6.0,
        ) {
            let crop = Crop { shape: Shape::Box, scale, outside: Outside::Shift };
            let (r, _) = crop.window(&Rect::new(x, y, w, h), (width, height));
            prop_assert!(r.x >= 0 && r.y >= 0 && r.w >= 1 && r.h >= 1);
            prop_assert!(r.x + r.w <= width as i64 && r.y + r.h <= height as i64, "{r:?}");
        }
    }
}
