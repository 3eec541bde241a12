// SPDX-License-Identifier: MIT OR Apache-2.0
//! A part of a frame as a picture file. Knows pixels and coders, no files.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::error::{Error, Result};
use crate::image::Pixels;
use crate::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Longest side of a scaled picture, in pixels.
pub const MOST_SIDE: u32 = 2048;

/// Longest side that a JPEG file can have.
const MOST_JPEG: usize = u16::MAX as usize;

/// How pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// JPEG of this quality, 1..=100. From 90 on colours keep their full resolution: what tells a screen from a face is often
    /// in them.
    Jpeg(u8),
    /// PNG: nothing is lost.
    Png,
}

impl Coding {
    /// The ending of file names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg(_) => "jpg",
            Self::Png => "png",
        }
    }
}

/// A picture in memory: 8-bit RGB, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rgb {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Three bytes a pixel.
    pub data: Vec<u8>,
}

/// Width and height of the picture of a window: its own where `side` is 0, else scaled, not squashed, so that the longer side
/// has `side` pixels.
pub fn scaled(window: Window, side: u32) -> (usize, usize) {
    let (w, h) = (window.w.max(1) as usize, window.h.max(1) as usize);
    let side = side.min(MOST_SIDE) as usize;
    if side == 0 {
        return (w, h);
    }
    let longest = w.max(h);
    let scale = |n: usize| ((n * side * 2 + longest) / (2 * longest)).max(1);
    (scale(w), scale(h))
}

/// Rows that are drawn in one go where nothing is scaled: a whole frame as floating-point numbers takes ten times its memory.
const STRIP: i64 = 64;

/// Rows around a strip that its own rows may be mixed with: chroma is shared by at most eight rows, and its neighbours on both
/// sides count.
const AROUND: i64 = 16;

/// Draws windows of frames; keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct Renderer {
    resizer: Resizer,
    tensor: Vec<f32>,
}

impl Renderer {
    /// Draws `window`, which lies inside `frame`, with `width` x `height` pixels.
    pub fn render(
        &mut self,
        frame: &dyn Pixels,
        window: Window,
        (width, height): (usize, usize),
        into: &mut Rgb,
    ) {
        (into.width, into.height) = (width, height);
        into.data.clear();
        into.data.reserve(width * height * 3);
        if (window.w, window.h) != (width as i64, height as i64) {
            self.part(frame, window, (width, height), 0..height, &mut into.data);
            return;
        }
        for from in (0..window.h).step_by(STRIP as usize) {
            let to = (from + STRIP).min(window.h);
            let (first, last) = ((from - AROUND).max(0), (to + AROUND).min(window.h));
            let part = Window {
                y: window.y + first,
                h: last - first,
                ..window
            };
            let rows = (from - first) as usize..(to - first) as usize;
            let size = (width, part.h as usize);
            self.part(frame, part, size, rows, &mut into.data);
        }
    }

    /// Appends some rows of a window that is drawn with so many pixels.
    fn part(
        &mut self,
        frame: &dyn Pixels,
        window: Window,
        (width, height): (usize, usize),
        rows: std::ops::Range<usize>,
        data: &mut Vec<u8>,
    ) {
        let format = TensorFormat::levels(width, height, Channels::Rgb);
        self.tensor.resize(format.len(), 0.0);
        self.resizer.run(
            frame,
            window,
            Border::Replicate,
            &format,
            (width, height),
            &mut self.tensor,
        );
        let row = 3 * width;
        let levels = &self.tensor[rows.start * row..rows.end * row];
        // The values lie in 0..=255 already; adding a half rounds, as they are never negative.
        data.extend(levels.iter().map(|v| (v + 0.5) as u8));
    }
}

/// Codes a picture into `out`, which is emptied first.
///
/// # Errors
/// [`Error::Frame`] where the picture is too large for its coding.
pub fn encode(picture: &Rgb, coding: Coding, out: &mut Vec<u8>) -> Result<()> {
    let Rgb {
        width,
        height,
        data,
    } = picture;
    out.clear();
    let fail = |e: &dyn std::fmt::Display| {
        Error::Frame(format!(
            "a picture of {width}x{height} cannot be written as {}: {e}",
            coding.extension()
        ))
    };
    match coding {
        Coding::Jpeg(quality) => {
            if *width > MOST_JPEG || *height > MOST_JPEG {
                return Err(fail(&"JPEG ends at 65535 pixels, choose png or a size"));
            }
            jpeg_encoder::Encoder::new(out, quality.clamp(1, 100))
                .encode(
                    data,
                    *width as u16,
                    *height as u16,
                    jpeg_encoder::ColorType::Rgb,
                )
                .map_err(|e| fail(&e))
        }
        Coding::Png => {
            PngEncoder::new_with_quality(out, CompressionType::Fast, FilterType::Adaptive)
                .write_image(data, *width as u32, *height as u32, ExtendedColorType::Rgb8)
                .map_err(|e| fail(&e))
        }
    }
}
