// SPDX-License-Identifier: MIT OR Apache-2.0
//! The face of a picture: the largest that is found, or the picture itself where it is a crop.

use liveness::detect::{Detector, Settings};
use liveness::error::Result;
use liveness::geometry::Rect;
use liveness::image::Pixels;
use liveness::letterbox::PixelAspect;

/// Longest side of a picture that is taken for a crop of a face in which the detector failed, in pixels. Whole photos and frames of
/// cameras are larger.
const CROP_SIDE: usize = 448;

/// Longer over shorter side of a picture that is taken for a crop, at the most: boxes of faces have up to 1.5.
const CROP_SHAPE: f32 = 1.6;

/// The largest face that the detector finds.
///
/// # Errors
/// Those of [`Detector::detect`].
pub fn largest(
    detector: &mut Detector,
    pixels: &dyn Pixels,
    par: PixelAspect,
    settings: &Settings,
) -> Result<Option<Rect>> {
    let (faces, _) = detector.detect(pixels, par, settings)?;
    let by_area = |a: &Rect, b: &Rect| a.area().total_cmp(&b.area());
    Ok(faces.iter().map(|f| f.rect).max_by(by_area))
}

/// Whether a picture of this width and height may be a crop of a face.
pub fn looks_like_a_crop((width, height): (usize, usize)) -> bool {
    let (short, long) = (width.min(height), width.max(height));
    long <= CROP_SIDE && long as f32 <= CROP_SHAPE * short as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_that_are_not_too_long_look_like_crops() {
        assert!(looks_like_a_crop((256, 256)) && looks_like_a_crop((100, 150)));
        assert!(!looks_like_a_crop((640, 480)) && !looks_like_a_crop((200, 100)));
    }
}
