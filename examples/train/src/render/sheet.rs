// SPDX-License-Identifier: MIT OR Apache-2.0
//! A contact sheet of spoofs: to be looked at before anything is trained on them.

use std::io::Cursor;

use anyhow::{Context, Result};
use image::{ImageFormat, Rgb as Pixel, RgbImage, imageops};
use liveness::dataset::picture::{Renderer, Rgb, scaled};
use liveness::image::{Layout, Plane, View};
use liveness::resize::Window;

use super::Kind;

/// Pictures on a sheet, at the most. They are drawn by chance, so the first tell as much as any.
pub const MOST: usize = 96;

/// Pictures side by side.
const COLUMNS: usize = 8;

/// Longer side of a picture on the sheet, in pixels.
const SIDE: u32 = 240;

/// Pixels around a picture: a frame in the colour of its kind.
const FRAME: u32 = 4;

/// The ground between pictures of unequal shape.
const GROUND: Pixel<u8> = Pixel([32; 3]);

/// Orange and blue, which those who see no red or green tell apart.
fn colour(kind: Kind) -> Pixel<u8> {
    match kind {
        Kind::Print => Pixel([230, 159, 0]),
        Kind::Replay => Pixel([86, 180, 233]),
    }
}

/// A picture as small as on the sheet.
#[derive(Clone, Debug)]
pub struct Thumbnail {
    kind: Kind,
    picture: Rgb,
}

impl Thumbnail {
    /// Of a spoof of this kind.
    ///
    /// # Errors
    /// None that a picture with its pixels could have.
    pub fn new(picture: &Rgb, kind: Kind, renderer: &mut Renderer) -> Result<Self> {
        let (width, height) = (picture.width, picture.height);
        let whole = Window {
            x: 0,
            y: 0,
            w: width as i64,
            h: height as i64,
        };
        let layout = Layout::rgb8(width, height);
        let plane = Plane {
            data: &picture.data,
            stride: 3 * width,
        };
        let view = View::new(&layout, &[plane])?;
        let mut small = Rgb::default();
        renderer.render(&view, whole, scaled(whole, SIDE), &mut small);
        Ok(Self {
            kind,
            picture: small,
        })
    }
}

/// The first [`MOST`] of them as a PNG file; prints have an orange frame, replays a blue one.
///
/// # Errors
/// Where it cannot be coded.
pub fn sheet(thumbnails: &[Thumbnail]) -> Result<Vec<u8>> {
    let shown = &thumbnails[..thumbnails.len().min(MOST)];
    let columns = shown.len().clamp(1, COLUMNS) as u32;
    let rows = (shown.len().div_ceil(COLUMNS)).max(1) as u32;
    let step = SIDE + 2 * FRAME;
    let mut sheet = RgbImage::from_pixel(columns * step, rows * step, GROUND);
    for (i, thumbnail) in shown.iter().enumerate() {
        let Rgb {
            width,
            height,
            data,
        } = &thumbnail.picture;
        let (w, h) = (*width as u32, *height as u32);
        let picture = RgbImage::from_raw(w, h, data.clone()).context("a picture without pixels")?;
        let framed = RgbImage::from_pixel(w + 2 * FRAME, h + 2 * FRAME, colour(thumbnail.kind));
        let (column, row) = ((i % COLUMNS) as u32, (i / COLUMNS) as u32);
        let x = i64::from(column * step + (SIDE - w) / 2);
        let y = i64::from(row * step + (SIDE - h) / 2);
        imageops::replace(&mut sheet, &framed, x, y);
        let inside = i64::from(FRAME);
        imageops::replace(&mut sheet, &picture, x + inside, y + inside);
    }
    let mut bytes = Cursor::new(Vec::new());
    sheet
        .write_to(&mut bytes, ImageFormat::Png)
        .context("the contact sheet cannot be coded")?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_picture_has_its_place_and_the_colour_of_its_kind() {
        let mut renderer = Renderer::default();
        let mut thumbnail = |width: usize, height: usize, level, kind| {
            let picture = Rgb {
                width,
                height,
                data: vec![level; 3 * width * height],
            };
            Thumbnail::new(&picture, kind, &mut renderer).unwrap()
        };
        let wide = thumbnail(400, 200, 90, Kind::Print);
        let tall = thumbnail(100, 300, 150, Kind::Replay);
        let png = sheet(&[wide.clone(), tall]).unwrap();
        let drawn = image::load_from_memory(&png).unwrap().into_rgb8();
        assert_eq!(drawn.dimensions(), (2 * 248, 248));
        assert_eq!(drawn.get_pixel(1, 124), &colour(Kind::Print));
        assert_eq!(drawn.get_pixel(124, 124), &Pixel([90; 3]));
        assert_eq!(drawn.get_pixel(124, 20), &GROUND);
        assert_eq!(drawn.get_pixel(248 + 124, 1), &colour(Kind::Replay));
        assert_eq!(drawn.get_pixel(248 + 124, 124), &Pixel([150; 3]));
        let many = sheet(&vec![wide; MOST + 5]).unwrap();
        let drawn = image::load_from_memory(&many).unwrap().into_rgb8();
        assert_eq!(drawn.dimensions(), (8 * 248, 12 * 248));
    }
}
