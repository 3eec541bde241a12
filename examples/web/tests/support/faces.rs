// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faces to hold before a camera: the astronaut's from set-up, in more and in less light, and with other colours.
#![allow(dead_code)] // Each test uses a part.

use image::{Rgb, RgbImage, imageops};

use super::jpeg;
use crate::common;

/// A picture of a real face; none, said on standard error, where set-up has not fetched it.
pub(crate) fn astronaut() -> Option<RgbImage> {
    let path = common::root().join(".setup/pictures/astronaut.png");
    if !path.is_file() {
        common::skip(format_args!(
            "no {} (scripts/setup.sh --assets)",
            path.display()
        ));
        return None;
    }
    Some(image::open(path).unwrap().into_rgb8())
}

/// With so much light: the liveness model of the tests calls what is bright live.
pub(crate) fn lit(picture: &RgbImage, light: f32) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        Rgb(picture
            .get_pixel(x, y)
            .0
            .map(|v| (f32::from(v) * light).min(255.0) as u8))
    })
}

/// Another person, for the model of the tests: with red and blue exchanged.
pub(crate) fn other(picture: &RgbImage) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgb([r, g, b]) = *picture.get_pixel(x, y);
        Rgb([b, g, r])
    })
}

/// Two of them side by side.
pub(crate) fn two(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let mut both = RgbImage::new(2 * width, height);
    imageops::replace(&mut both, picture, 0, 0);
    imageops::replace(&mut both, picture, width.into(), 0);
    both
}

/// Nearer or farther: the same frame, with its middle so many times as large.
pub(crate) fn nearer(picture: &RgbImage, times: f32, (x, y): (f32, f32)) -> RgbImage {
    let (width, height) = picture.dimensions();
    let at = |v: f32, middle: f32, size: u32| {
        ((v - middle) / times + middle).clamp(0.0, (size - 1) as f32)
    };
    RgbImage::from_fn(width, height, |px, py| {
        let sx = at(px as f32, x * width as f32, width);
        let sy = at(py as f32, y * height as f32, height);
        *picture.get_pixel(sx as u32, sy as u32)
    })
}

/// How the faces look to the models of the tests.
pub(crate) struct Cast {
    pub(crate) live: Vec<u8>,
    pub(crate) spoof: Vec<u8>,
    pub(crate) stranger: Vec<u8>,
    pub(crate) both: Vec<u8>,
    pub(crate) nobody: Vec<u8>,
}

impl Cast {
    pub(crate) fn new() -> Option<Self> {
        let astronaut = astronaut()?;
        let live = lit(&astronaut, LIVE);
        Some(Self {
            spoof: jpeg(&lit(&astronaut, SPOOF)),
            stranger: jpeg(&other(&live)),
            both: jpeg(&two(&live)),
            nobody: super::grey(512, 512, 128),
            live: jpeg(&live),
        })
    }
}

/// How much light makes the face bright for the model, and how little dark.
pub(crate) const LIVE: f32 = 1.1;
pub(crate) const SPOOF: f32 = 0.62;
