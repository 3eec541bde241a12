// SPDX-License-Identifier: MIT OR Apache-2.0
//! The light on faces, measured in the picture: of those that people labelled and of those that a detector found.

use liveness::geometry::Rect;
use liveness_app::picture::Picture;

/// Luma of red, green and blue (ITU-R BT.601).
const WEIGHTS: [f64; 3] = [0.299, 0.587, 0.114];

/// Mean luma, 0 black to 255 white, of all pixels that a box touches; none where it lies outside the picture. Plain sums:
/// [`liveness::quality`] measures more and takes too long for the hundreds of boxes that a detector gives down to a score of 0.02.
pub(crate) fn mean_luma(picture: &Picture, rect: &Rect) -> Option<f64> {
    let (w, h) = picture.size();
    let inside = rect.clamped(w as f32, h as f32)?;
    let span = |from: f32, to: f32, most: usize| from as usize..(to.ceil() as usize).min(most);
    let (columns, rows) = (
        span(inside.x, inside.right(), w),
        span(inside.y, inside.bottom(), h),
    );
    let mut sums = [0u64; 3];
    let all = picture.rgb().chunks_exact(3 * w);
    for row in all.take(rows.end).skip(rows.start) {
        for pixel in row.get(3 * columns.start..3 * columns.end)?.chunks_exact(3) {
            let channels = sums.iter_mut().zip(pixel);
            channels.for_each(|(sum, value)| *sum += u64::from(*value));
        }
    }
    let sum: f64 = sums.iter().zip(WEIGHTS).map(|(s, w)| *s as f64 * w).sum();
    let pixels = rows.len() * columns.len();
    (pixels > 0).then(|| sum / pixels as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pixels_that_a_box_touches_are_weighed_by_their_colour() {
        // Black; the second pixel is red, the one below it green.
        let mut rgb = image::RgbImage::new(4, 3);
        rgb.put_pixel(1, 0, image::Rgb([200, 0, 0]));
        rgb.put_pixel(1, 1, image::Rgb([0, 100, 0]));
        let picture = Picture::from(rgb);
        let close = |rect, wanted: f64| {
            let got = mean_luma(&picture, &rect).unwrap();
            assert!((got - wanted).abs() < 1e-9, "{got} instead of {wanted}");
        };
        close(Rect::new(1.0, 0.0, 1.0, 1.0), 59.8);
        close(Rect::new(1.0, 0.0, 1.0, 2.0), (59.8 + 58.7) / 2.0);
        // Touches the column before.
        close(Rect::new(0.9, 0.0, 0.5, 1.0), 59.8 / 2.0);
        // What lies outside does not count.
        close(Rect::new(-5.0, -5.0, 100.0, 100.0), (59.8 + 58.7) / 12.0);
        for outside in [Rect::new(4.0, 0.0, 2.0, 2.0), Rect::new(1.0, 1.0, 0.0, 2.0)] {
            assert_eq!(mean_luma(&picture, &outside), None);
        }
    }
}
