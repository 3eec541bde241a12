// SPDX-License-Identifier: MIT OR Apache-2.0
//! A whole frame into a model's input without squashing it, and boxes back out of it. Knows pixels, no models.

use crate::geometry::{Point, Rect};
use crate::image::Pixels;
use crate::resize::{Border, Resizer, TensorFormat, Window};

/// Pixel aspect ratio: width of a pixel over its height.
pub type PixelAspect = f64;

/// Where a frame, or a part of one, lies in a model's input: scaled to fit, at the top left, the rest black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// What of the frame is seen.
    window: Window,
    /// Size of its picture in the input, in pixels.
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
            window: Window {
                x: 0,
                y: 0,
                w: width.max(1) as i64,
                h: height.max(1) as i64,
            },
            size: (side(w, to.0), side(h, to.1)),
        }
    }

    /// A part of the frame, scaled as the whole is.
    pub fn part(&self, window: Window) -> Self {
        let (sx, sy) = self.scale();
        let side = |n: i64, scale: f32| ((n as f32 / scale).round_ties_even() as usize).max(1);
        Self {
            window,
            size: (side(window.w, sx), side(window.h, sy)),
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
        resizer.run(
            frame,
            self.window,
            Border::Replicate,
            format,
            self.size,
            tensor,
        );
    }

    fn scale(&self) -> (f32, f32) {
        (
            self.window.w as f32 / self.size.0 as f32,
            self.window.h as f32 / self.size.1 as f32,
        )
    }

    /// From the model's input to the frame.
    pub fn to_frame(&self, r: Rect) -> Rect {
        let (sx, sy) = self.scale();
        let r = r.scaled(sx, sy);
        Rect::new(
            r.x + self.window.x as f32,
            r.y + self.window.y as f32,
            r.w,
            r.h,
        )
    }

    /// From the model's input to the frame.
    pub fn point_to_frame(&self, p: Point) -> Point {
        let (sx, sy) = self.scale();
        Point {
            x: p.x * sx + self.window.x as f32,
            y: p.y * sy + self.window.y as f32,
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
        fn a_part_is_scaled_as_the_whole_and_its_boxes_go_back_to_their_places(
            w in 320usize..8000, h in 320usize..8000, x in 0.0f32..0.5, y in 0.0f32..0.5, side in 0.2f32..0.5,
        ) {
            let whole = Letterbox::fit((w, h), 1.0, (320, 256));
            let pixels = |part: f32, n: usize| (part * n as f32) as i64;
            let window = Window { x: pixels(x, w), y: pixels(y, h), w: pixels(side, w), h: pixels(side, h) };
            let part = whole.part(window);
            // By less than a pixel of the input at each edge.
            let (sx, sy) = whole.scale();
            let r = part.to_frame(Rect::new(0.0, 0.0, window.w as f32 / sx, window.h as f32 / sy));
            prop_assert!((r.x - window.x as f32).abs() < 0.01 && (r.y - window.y as f32).abs() < 0.01);
            prop_assert!((r.right() - (window.x + window.w) as f32).abs() <= sx, "{r:?} {window:?}");
            prop_assert!((r.bottom() - (window.y + window.h) as f32).abs() <= sy, "{r:?} {window:?}");
            let p = part.point_to_frame(Point { x: 0.0, y: 0.0 });
            prop_assert!(p.x == window.x as f32 && p.y == window.y as f32);
        }

        #[test]
        fn corners_go_back_to_the_frames_corners(w in 16usize..8000, h in 16usize..8000) {
            let l = Letterbox::fit((w, h), 1.0, (320, 256));
            let r = l.to_frame(Rect::new(0.0, 0.0, l.size.0 as f32, l.size.1 as f32));
            prop_assert!((r.right() - w as f32).abs() < 0.01 && (r.bottom() - h as f32).abs() < 0.01);
        }
    }
}
