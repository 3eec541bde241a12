// SPDX-License-Identifier: MIT OR Apache-2.0
//! Colours: those of the verdicts, and how the pixels of an overlay have them. GStreamer's blending converts RGB to YUV
//! with one matrix and one range alone, so what is blended into a YUV frame is given in that frame's own colours. It also overflows
//! where premultiplied colours above 127 meet RGB10A2 (1.22), so what is blended has its alpha apart.

use gst_video::{VideoFormat, VideoOverlayFormatFlags};
use liveness::face::Label;
use liveness::image::{ColorModel, Layout, Range};

/// Red, green and blue, 0..=255.
pub(super) type Rgb = [u8; 3];

/// Near black and white: what stands on a colour, whichever reads better.
pub(super) const DARK: Rgb = [17, 20, 26];
const WHITE: Rgb = [255, 255, 255];

/// A verdict's colour.
pub(super) fn color(label: Label) -> Rgb {
    match label {
        Label::Live => [46, 204, 95],
        Label::Spoof => [228, 40, 40],
        Label::Uncertain => [250, 176, 20],
        Label::Unchecked => [172, 180, 190],
    }
}

/// Relative luminance after WCAG 2.
fn luminance(rgb: Rgb) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
}

/// Contrast after WCAG 2, 1..=21.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The colour of text on `ground`.
pub(super) fn text_color(ground: Rgb) -> Rgb {
    if contrast(DARK, ground) > contrast(WHITE, ground) {
        DARK
    } else {
        WHITE
    }
}

/// How the pixels of an overlay have their colours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Ink {
    /// Premultiplied RGB in words of the machine, as cairo paints: for attaching.
    #[default]
    Painted,
    /// The same with alpha apart.
    Rgb,
    /// Luma and chroma of a frame with these weights of red and blue in luma; alpha apart.
    Yuv { kr: f32, kb: f32, range: Range },
}

impl Ink {
    /// For drawing into frames of `layout`.
    pub(super) fn of(layout: &Layout) -> Self {
        let yuv = |kr, kb| Self::Yuv {
            kr,
            kb,
            range: layout.range,
        };
        match layout.color {
            ColorModel::Rgb => Self::Rgb,
            ColorModel::Yuv { kr, kb } => yuv(kr, kb),
            ColorModel::Gray => yuv(0.299, 0.114),
        }
    }

    pub(super) fn format(self) -> VideoFormat {
        match self {
            Self::Yuv { .. } => VideoFormat::Ayuv,
            Self::Painted | Self::Rgb if cfg!(target_endian = "little") => VideoFormat::Bgra,
            Self::Painted | Self::Rgb => VideoFormat::Argb,
        }
    }

    pub(super) fn flags(self) -> VideoOverlayFormatFlags {
        match self {
            Self::Painted => VideoOverlayFormatFlags::PREMULTIPLIED_ALPHA,
            Self::Rgb | Self::Yuv { .. } => VideoOverlayFormatFlags::empty(),
        }
    }

    /// An opaque pixel, its bytes in order.
    pub(super) fn opaque(self, rgb: [f32; 3]) -> [f32; 4] {
        match self {
            Self::Yuv { kr, kb, range } => {
                let [y, u, v] = yuv(rgb, kr, kb, range);
                [255.0, y, u, v]
            }
            Self::Painted | Self::Rgb => word([255.0, rgb[0], rgb[1], rgb[2]]),
        }
    }

    /// Which byte of a pixel is its alpha.
    fn alpha(self) -> usize {
        let last = self.format() == VideoFormat::Bgra;
        if last { 3 } else { 0 }
    }

    /// Changes the pixels that cairo painted into this ink.
    pub(super) fn dip(self, data: &mut [u8]) {
        if self == Self::Painted {
            return;
        }
        // Most pixels have the color of the pixel before.
        let mut last = ([0; 4], [0; 4]);
        for pixel in data.as_chunks_mut::<4>().0 {
            if *pixel != last.0 {
                let [a, rgb @ ..] = word(pixel.map(f32::from));
                let straight = rgb.map(|v| if a > 0.0 { v * 255.0 / a } else { 0.0 });
                let mut out = self.opaque(straight).map(byte);
                out[self.alpha()] = byte(a);
                last = (*pixel, out);
            }
            *pixel = last.1;
        }
    }
}

/// From alpha, red, green, blue to the bytes of a word and back.
fn word<T: Copy>([a, b, c, d]: [T; 4]) -> [T; 4] {
    if cfg!(target_endian = "little") {
        [d, c, b, a]
    } else {
        [a, b, c, d]
    }
}

/// ITU-R BT.601 §2.5 with any luma weights, in levels of 8 bits.
fn yuv([r, g, b]: [f32; 3], kr: f32, kb: f32, range: Range) -> [f32; 3] {
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let (u, v) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
    match range {
        Range::Full => [y, 128.0 + u, 128.0 + v],
        Range::Limited => [
            16.0 + y * 219.0 / 255.0,
            128.0 + u * 224.0 / 255.0,
            128.0 + v * 224.0 / 255.0,
        ],
    }
}

/// Rounded; saturates, and makes 0 of what is no number.
pub(super) fn byte(v: f32) -> u8 {
    (v + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read_on_every_colour() {
        for label in Label::ALL {
            let ground = color(label);
            assert!(contrast(text_color(ground), ground) >= 4.5, "{label}");
        }
    }

    #[test]
    fn yuv_ink_has_the_colours_of_the_standard() {
        let bt601 = Ink::Yuv {
            kr: 0.299,
            kb: 0.114,
            range: Range::Limited,
        };
        // ITU-R BT.601: white, black, red.
        assert_eq!(bt601.opaque([255.0; 3]).map(byte), [255, 235, 128, 128]);
        assert_eq!(bt601.opaque([0.0; 3]).map(byte), [255, 16, 128, 128]);
        assert_eq!(
            bt601.opaque([255.0, 0.0, 0.0]).map(byte),
            [255, 81, 90, 240]
        );
        // Half transparent red, premultiplied, becomes straight.
        let mut pixel = word([128, 128, 0, 0]);
        bt601.dip(&mut pixel);
        assert_eq!(pixel, [128, 81, 90, 240]);
        let mut nothing = [0; 4];
        bt601.dip(&mut nothing);
        assert_eq!(nothing[0], 0);
    }
}
