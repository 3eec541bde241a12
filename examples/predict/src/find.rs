// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the face is in a picture: the largest that the detector sees, in the picture or with a border around it, or the whole picture.

use std::path::Path;

use anyhow::{Error, Result};
use liveness::detect::{Detector, Settings};
use liveness::geometry::Rect;
use liveness::image::{Layout, Pixels};
use liveness::letterbox::PixelAspect;
use liveness::runtime::Options;
use liveness_app::picture::Picture;
use liveness_app::{face, models};

use crate::cli::Crops;

/// The border: no face is of this colour, and it is neither dark nor bright.
const GREY: u8 = 110;

/// Shortest side of a face that is believed to reach over the edge of a picture, in pixels.
const LEAST_SIDE: f32 = 9.0;

/// Finds the face of a picture.
pub(crate) enum Finder {
    /// The whole picture is the face.
    Whole,
    /// A detector looks for it.
    Detector(Box<Detector>, Crops),
}

impl Finder {
    /// With the detector of this file, or the one that ships.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub(crate) fn open(detector: Option<&Path>, crops: Crops) -> Result<Self> {
        let file = models::detector(detector)?;
        let detector = Detector::open(&file, Options::default())?;
        Ok(Self::Detector(Box::new(detector), crops))
    }

    /// The face's box in pixels of the picture; none where there is no face. `par` is the shape of its pixels.
    ///
    /// # Errors
    /// Those of [`Detector::detect`].
    pub(crate) fn find(&mut self, picture: &Picture, par: PixelAspect) -> Result<Option<Rect>> {
        let (width, height) = picture.size();
        let whole = Rect::new(0.0, 0.0, width as f32, height as f32);
        let Self::Detector(detector, crops) = self else {
            return Ok(Some(whole));
        };
        let mut look = |pixels: &dyn Pixels| {
            let settings = Settings::default();
            face::largest(detector, pixels, par, &settings)
        };
        if let Some(face) = look(&picture.view().map_err(Error::msg)?)? {
            return Ok(Some(face));
        }
        let bordered = Bordered::around(picture);
        if let Some(face) = look(&bordered)?.and_then(|face| bordered.inside(face)) {
            return Ok(Some(face));
        }
        let crop = *crops == Crops::Auto && face::looks_like_a_crop(picture.size());
        Ok(crop.then_some(whole))
    }
}

/// A picture with half of it in grey on each side. It is made row by row as it is read, and needs no memory.
struct Bordered<'a> {
    picture: &'a Picture,
    layout: Layout,
    /// Width of the border on the left and on the right, and above and below.
    border: (usize, usize),
}

impl<'a> Bordered<'a> {
    fn around(picture: &'a Picture) -> Self {
        let (width, height) = picture.size();
        let border = (width / 2, height / 2);
        Self {
            picture,
            layout: Layout::rgb8(width + 2 * border.0, height + 2 * border.1),
            border,
        }
    }

    /// What of a face's box is in the picture, in its pixels; none where that is no face any more.
    fn inside(&self, face: Rect) -> Option<Rect> {
        let (width, height) = self.picture.size();
        let (left, top) = (self.border.0 as f32, self.border.1 as f32);
        let face = Rect::new(face.x - left, face.y - top, face.w, face.h);
        let face = face.clamped(width as f32, height as f32);
        face.filter(|f| f.w.min(f.h) >= LEAST_SIDE)
    }
}

impl Pixels for Bordered<'_> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn row<'a>(&'a self, _: usize, y: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        scratch.clear();
        scratch.resize(3 * self.layout.width, GREY);
        let (left, top) = self.border;
        let row = 3 * self.picture.size().0;
        let from = y.checked_sub(top).map(|y| y * row);
        let from = from.and_then(|at| self.picture.rgb().as_raw().get(at..at + row));
        if let (Some(from), Some(to)) = (from, scratch.get_mut(3 * left..3 * left + row)) {
            to.copy_from_slice(from);
        }
        scratch
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, imageops};

    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 200]))
    }

    #[test]
    fn a_border_is_grey_and_the_picture_in_its_middle() {
        for (width, height) in [(6, 4), (7, 5), (1, 1), (40, 3)] {
            let inner = picture(width, height);
            let (mx, my) = (width / 2, height / 2);
            let mut wanted = RgbImage::from_pixel(width + 2 * mx, height + 2 * my, Rgb([GREY; 3]));
            imageops::replace(&mut wanted, &inner, mx.into(), my.into());
            let inner = inner.into();
            let bordered = Bordered::around(&inner);
            assert_eq!(
                *bordered.layout(),
                Layout::rgb8(wanted.width() as usize, wanted.height() as usize)
            );
            let mut scratch = vec![7; 3];
            let rows = (0..wanted.height() as usize)
                .flat_map(|y| bordered.row(0, y, &mut scratch).to_vec());
            assert_eq!(rows.collect::<Vec<_>>(), wanted.into_raw());
        }
    }

    #[test]
    fn a_face_over_the_edge_is_cut_and_one_of_which_little_is_left_is_none() {
        let picture = picture(40, 20).into();
        let bordered = Bordered::around(&picture);
        let inside = |x, y, w, h| bordered.inside(Rect::new(x, y, w, h));
        assert_eq!(
            inside(25.0, 12.0, 10.0, 12.0),
            Some(Rect::new(5.0, 2.0, 10.0, 12.0))
        );
        let all = inside(-5.0, -5.0, 90.0, 60.0);
        assert_eq!(all, Some(Rect::new(0.0, 0.0, 40.0, 20.0)));
        assert_eq!(inside(10.0, 12.0, 18.5, 12.0), None);
        assert!(inside(10.0, 12.0, 19.0, 12.0).is_some());
        assert_eq!(inside(0.0, 0.0, 15.0, 10.0), None);
    }

    #[test]
    fn the_whole_picture_needs_no_detector() {
        let found = Finder::Whole.find(&picture(30, 20).into(), 1.0).unwrap();
        assert_eq!(found, Some(Rect::new(0.0, 0.0, 30.0, 20.0)));
    }
}
