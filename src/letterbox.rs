// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole frame into a model's input without squashing it, and boxes back out of it. Knows pixels, no models.

use crate::geometry::{Point, Rect};
use crate::image::Pixels;
use crate::resize::{Border, Resizer, TensorFormat, Window};

/// Pixel aspect ratio: width of a pixel over its height.
pub type PixelAspect = f64;

/// Where a frame lies in a model's input: scaled to fit, at the top left, the rest black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    frame: (usize, usize),
    /// Size of the frame's picture in the input, in pixels.
    pub size: (usize, usize),
}

impl Letterbox {
    /// Fits a frame of `width` x `height` pixels of shape `par` into an input of `to` pixels.
    ///
    /// The sides are rounded to whole pixels, so the scale differs by less than half a pixel between the axes; boxes
    /// go back by each axis's own scale.
    pub fn fit((width, height): (usize, usize), par: PixelAspect, to: (usize, usize)) -> Self {
        let par = if par.is_finite() && par > 0.0 {
            par
        } else {
            1.0
        };
        let (w, h) = (width.max(1) as f64 * par, height.max(1) as f64);
        let scale = (to.0 as f64 / w).min(to.1 as f64 / h);
        let side =
            |n: f64, most: usize| ((n * scale).round_ties_even() as usize).clamp(1, most.max(1));
        Self {
            frame: (width.max(1), height.max(1)),
            size: (side(w, to.0), side(h, to.1)),
        }
    }

    /// Scales the frame into `tensor`, which holds one picture; `clear` blackens the rest of it first, needed once
    /// after each change of geometry.
    pub fn fill(
        &self,
        resizer: &mut Resizer,
        frame: &dyn Pixels,
        format: &TensorFormat,
        clear: bool,
        tensor: &mut [f32],
    ) {
        if clear {
            format.fill_black(tensor);
        }
        let window = Window {
            x: 0,
            y: 0,
            w: self.frame.0 as i64,
            h: self.frame.1 as i64,
        };
        resizer.run(frame, window, Border::Replicate, format, self.size, tensor);
    }

    fn scale(&self) -> (f32, f32) {
        (
            self.frame.0 as f32 / self.size.0 as f32,
            self.frame.1 as f32 / self.size.1 as f32,
        )
    }

    /// From the model's input to the frame.
    pub fn to_frame(&self, r: Rect) -> Rect {
        let (sx, sy) = self.scale();
        r.scaled(sx, sy)
    }

    /// From the model's input to the frame.
    pub fn point_to_frame(&self, p: Point) -> Point {
        let (sx, sy) = self.scale();
        Point {
            x: p.x * sx,
            y: p.y * sy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn portrait_is_not_squashed() {
        let l = Letterbox::fit((1080, 1920), 1.0, (320, 320));
        assert_eq!(l.size, (180, 320));
    }

    #[test]
    fn anamorphic_pixels_come_out_square() {
        // PAL 16:9: 720x576 with pixels of 64:45 is shown as 1024x576.
        let l = Letterbox::fit((720, 576), 64.0 / 45.0, (320, 320));
        assert_eq!(l.size, (320, 180));
    }

    proptest! {
        #[test]
        fn the_picture_fits_and_keeps_its_shape(
            w in 16usize..8000, h in 16usize..8000, tw in 32usize..1300, th in 32usize..1300,
        ) {
            let l = Letterbox::fit((w, h), 1.0, (tw, th));
            prop_assert!(l.size.0 >= 1 && l.size.0 <= tw && l.size.1 >= 1 && l.size.1 <= th);
            prop_assert!(l.size.0 == tw || l.size.1 == th);
            let wanted = w as f64 / h as f64;
            let (lo, hi) = (
                (l.size.0 as f64 - 0.5) / (l.size.1 as f64 + 0.5),
                (l.size.0 as f64 + 0.5) / (l.size.1 as f64 - 0.5),
            );
            prop_assert!(l.size.1 == 1 || l.size.0 == 1 || (lo <= wanted && wanted <= hi));
        }

        #[test]
        fn corners_go_back_to_the_frames_corners(w in 16usize..8000, h in 16usize..8000) {
            let l = Letterbox::fit((w, h), 1.0, (320, 256));
            let r = l.to_frame(Rect::new(0.0, 0.0, l.size.0 as f32, l.size.1 as f32));
            prop_assert!((r.right() - w as f32).abs() < 0.01 && (r.bottom() - h as f32).abs() < 0.01);
        }
    }
}
