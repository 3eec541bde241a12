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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ColorModel, Component, Layout, Plane, Sample, View};
    use proptest::prelude::*;

    fn window(x: i64, y: i64, w: i64, h: i64) -> Window {
        Window { x, y, w, h }
    }

    /// A frame in memory, with every chroma sample shared by `1 << sub` pixels each way.
    fn frame(width: usize, height: usize, sub: u32) -> (Layout, Vec<Vec<u8>>) {
        let mut layout = Layout::rgb8(width, height);
        layout.sample = Sample::U8;
        layout.color = ColorModel::Yuv {
            kr: 0.299,
            kb: 0.114,
        };
        layout.components = (0..3)
            .map(|plane| Component {
                plane,
                offset: 0,
                step: 1,
                sub_x: if plane == 0 { 0 } else { sub },
                sub_y: if plane == 0 { 0 } else { sub },
                depth: 8,
                shift: 0,
            })
            .collect();
        let planes = layout.components.iter().map(|c| {
            let (w, h) = layout.component_size(c);
            let value = |i: usize| ((i * 2_654_435_761) >> 7) as u8 / (1 + c.plane as u8);
            (0..w * h).map(value).collect()
        });
        let planes = planes.collect();
        (layout, planes)
    }

    fn planes(layout: &Layout, data: &[Vec<u8>]) -> Vec<(usize, usize)> {
        let size = |c: &Component| (layout.component_size(c).0, data[c.plane].len());
        layout.components.iter().map(size).collect()
    }

    fn draw(layout: &Layout, data: &[Vec<u8>], window: Window) -> (Rgb, Vec<u8>) {
        let sizes = planes(layout, data);
        let planes: Vec<_> = data
            .iter()
            .zip(&sizes)
            .map(|(data, (stride, _))| Plane {
                data,
                stride: *stride,
            })
            .collect();
        let view = View::new(layout, &planes).unwrap();
        let (mut renderer, mut rgb) = (Renderer::default(), Rgb::default());
        let size = (window.w as usize, window.h as usize);
        renderer.render(&view, window, size, &mut rgb);
        let mut whole = Vec::new();
        renderer.part(&view, window, size, 0..size.1, &mut whole);
        (rgb, whole)
    }

    #[test]
    fn a_picture_keeps_its_shape() {
        assert_eq!(scaled(window(0, 0, 300, 200), 0), (300, 200));
        assert_eq!(scaled(window(0, 0, 300, 200), 150), (150, 100));
        assert_eq!(scaled(window(0, 0, 30, 60), 120), (60, 120));
        assert_eq!(scaled(window(0, 0, 5000, 1), 10), (10, 1));
        assert_eq!(scaled(window(0, 0, 9, 9), u32::MAX), (2048, 2048));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn strips_are_drawn_as_the_whole_is(
            w in 8usize..40, h in 70usize..300, sub in 0u32..4, x in 0i64..4, y in 0i64..9,
        ) {
            let (layout, data) = frame(w, h, sub);
            let (strips, whole) = draw(&layout, &data, window(x, y, w as i64 - x, h as i64 - y));
            prop_assert_eq!(strips.data, whole);
        }
    }

    #[test]
    fn png_comes_back_as_it_was_and_jpeg_nearly() {
        let (width, height) = (41, 23);
        let at = |i: usize| [(i % width * 6) as u8, (i / width * 11) as u8, 90];
        let picture = Rgb {
            width,
            height,
            data: (0..width * height).flat_map(at).collect(),
        };
        let mut bytes = Vec::new();
        encode(&picture, Coding::Png, &mut bytes).unwrap();
        let back = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert_eq!(back.into_raw(), picture.data);
        encode(&picture, Coding::Jpeg(95), &mut bytes).unwrap();
        let back = image::load_from_memory(&bytes).unwrap().into_rgb8();
        let worst = back
            .iter()
            .zip(&picture.data)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(worst < Some(12), "{worst:?}");
    }

    #[test]
    fn a_picture_that_is_too_long_for_jpeg_is_refused() {
        let (width, height) = (70_000, 1);
        let data = vec![0; width * 3];
        let picture = Rgb {
            width,
            height,
            data,
        };
        let error = encode(&picture, Coding::Jpeg(90), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("png"), "{error}");
    }
}
