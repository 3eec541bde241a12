// SPDX-License-Identifier: MIT OR Apache-2.0
//! A contact sheet: what the net sees, to be looked at.

use std::io::Cursor;

use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage, imageops};
use liveness::resize::Channels;

use super::{Augmenter, Scratch};
use crate::data::patch::Patch;

/// Variants beside each original.
const VARIANTS: u64 = 11;

/// Pixels between two pictures.
const GAP: u32 = 4;

/// Smallest side of a picture on the sheet; smaller ones are enlarged by a whole number, pixel by pixel.
const LEAST: u32 = 96;

/// A sheet as PNG: one row for each patch, the original first, then its variants.
///
/// # Errors
/// Where it cannot be coded.
pub fn sheet(patches: &[&Patch], augmenter: &Augmenter, seed: u64) -> Result<Vec<u8>> {
    let (width, height) = augmenter.spec.size();
    let (width, height) = (width as u32, height as u32);
    let times = LEAST.div_ceil(width.min(height)).max(1);
    let (step_x, step_y) = (width * times + GAP, height * times + GAP);
    let rows = patches.len().max(1) as u32;
    let mut sheet = RgbImage::from_pixel(
        (VARIANTS as u32 + 1) * step_x + GAP,
        rows * step_y + GAP,
        Rgb([32; 3]),
    );
    let mut scratch = Scratch::default();
    let mut numbers = vec![0.0; augmenter.spec.len()];
    for (row, patch) in patches.iter().enumerate() {
        for column in 0..=VARIANTS {
            if column == 0 {
                augmenter.plain(patch, &mut scratch, &mut numbers);
            } else {
                let seed = seed.wrapping_add(row as u64 * VARIANTS + column);
                augmenter.augment(patch, seed, &mut scratch, &mut numbers);
            }
            let picture = picture(augmenter, &numbers);
            let picture = imageops::resize(
                &picture,
                width * times,
                height * times,
                imageops::FilterType::Nearest,
            );
            let (x, y) = (column as u32 * step_x + GAP, row as u32 * step_y + GAP);
            imageops::replace(&mut sheet, &picture, x.into(), y.into());
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    sheet
        .write_to(&mut bytes, ImageFormat::Png)
        .context("the contact sheet cannot be coded")?;
    Ok(bytes.into_inner())
}

/// The numbers as a picture again.
fn picture(augmenter: &Augmenter, numbers: &[f32]) -> RgbImage {
    let format = &augmenter.spec.format;
    let area = format.width * format.height;
    RgbImage::from_fn(format.width as u32, format.height as u32, |x, y| {
        let at = y as usize * format.width + x as usize;
        let level = |c: usize| {
            let v = numbers[c * area + at] / format.scale[c] + format.mean[c];
            (v + 0.5) as u8
        };
        Rgb(match format.channels {
            Channels::Gray => [level(0); 3],
            Channels::Rgb => [0, 1, 2].map(level),
            Channels::Bgr => [2, 1, 0].map(level),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Augment;
    use crate::data::testing::{gradient, spec};
    use liveness::crop::{Outside, Shape};
    use liveness::geometry::Rect;

    #[test]
    fn the_first_of_a_row_is_the_original() {
        let patch = gradient(90, 80, Rect::new(30.0, 25.0, 30.0, 30.0));
        let mut spec = spec(Shape::Square, 1.5, Outside::Shift, 24);
        spec.format.channels = Channels::Bgr;
        let augmenter = Augmenter {
            spec,
            kinds: Augment::ALL,
            strength: 1.0,
            equaliser: None,
        };
        let png = sheet(&[&patch, &patch], &augmenter, 1).unwrap();
        let sheet = image::load_from_memory(&png).unwrap().into_rgb8();
        assert_eq!(sheet.dimensions(), (12 * 100 + 4, 2 * 100 + 4));
        // Red is x, green is y; the crop starts at 22, 17.
        let [r, g, b] = sheet.get_pixel(5, 5).0;
        assert!(
            r.abs_diff(22) <= 2 && g.abs_diff(17) <= 2 && b == 60,
            "{r} {g} {b}"
        );
    }
}
