// SPDX-License-Identifier: MIT OR Apache-2.0
//! From scaled components to a model's numbers: range, colour, order, mean and scale.

use multiversion::multiversion;

use super::{Channels, TensorFormat};
use crate::image::{ColorModel, Layout, Range};

/// One component's way to the values 0..=255 (chroma: -127.5..=127.5): `(sample - offset) * factor`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Levels {
    pub(super) offset: f32,
    pub(super) factor: f32,
    /// The sample that is black.
    pub(super) black: f32,
}

impl Levels {
    pub(super) fn of(layout: &Layout, index: usize) -> Self {
        let c = &layout.components[index];
        let unit = 2f32.powi((c.depth - 8 + c.shift) as i32);
        let full = ((1u32 << c.depth) - 1) as f32 * 2f32.powi(c.shift as i32);
        let chroma = index > 0 && matches!(layout.color, ColorModel::Yuv { .. });
        let (offset, span) = match (layout.range, chroma) {
            (Range::Full, false) => (0.0, full),
            (Range::Full, true) => (128.0 * unit, full),
            (Range::Limited, false) => (16.0 * unit, 219.0 * unit),
            (Range::Limited, true) => (128.0 * unit, 224.0 * unit),
        };
        Self {
            offset,
            factor: 255.0 / span,
            black: offset,
        }
    }
}

/// Colour, range, order, mean and scale for one row of the target. `out` holds its components and is used up.
pub(super) fn write_row(
    layout: &Layout,
    levels: &[Levels],
    out: &mut [Vec<f32>; 3],
    format: &TensorFormat,
    y: usize,
    tensor: &mut [f32],
) {
    let [first, second, third] = out;
    // The lines that are red, green and blue now.
    let rgb: [&[f32]; 3] = match layout.color {
        ColorModel::Gray => {
            to_level(levels[0], first);
            [first, first, first]
        }
        ColorModel::Rgb => {
            to_level(levels[0], first);
            to_level(levels[1], second);
            to_level(levels[2], third);
            [first, second, third]
        }
        ColorModel::Yuv { kr, kb } => {
            let levels = [levels[0], levels[1], levels[2]];
            row_to_rgb(kr, kb, levels, first, second, third);
            [first, second, third]
        }
    };
    let order = match format.channels {
        Channels::Bgr => [2, 1, 0],
        Channels::Rgb | Channels::Gray => [0, 1, 2],
    };
    let width = rgb[0].len();
    let row = y * format.width;
    let norm = [0, 1, 2].map(|c| (format.mean[c], format.scale[c]));
    if format.channels == Channels::Gray {
        write_gray(rgb, norm[0], &mut tensor[row..row + width]);
    } else if format.planar {
        let area = format.width * format.height;
        for c in 0..3 {
            let at = c * area + row;
            write_plane(rgb[order[c]], norm[c], &mut tensor[at..at + width]);
        }
    } else {
        let pixels = &mut tensor[row * 3..(row + width) * 3];
        write_pixels(order.map(|c| rgb[c]), norm, pixels);
    }
}

/// Samples of a component to 0..=255.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn to_level(level: Levels, line: &mut [f32]) {
    let Levels { offset, factor, .. } = level;
    for v in line {
        *v = ((*v - offset) * factor).clamp(0.0, 255.0);
    }
}

/// Luma and two chroma to red, green and blue in 0..=255, in place.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn row_to_rgb(
    kr: f32,
    kb: f32,
    levels: [Levels; 3],
    first: &mut [f32],
    second: &mut [f32],
    third: &mut [f32],
) {
    let [y, u, v] = levels;
    for ((a, b), c) in first.iter_mut().zip(second).zip(third) {
        let level = |v: f32, of: Levels| (v - of.offset) * of.factor;
        let rgb = yuv_to_rgb(kr, kb, level(*a, y), level(*b, u), level(*c, v));
        [*a, *b, *c] = rgb.map(|v| v.clamp(0.0, 255.0));
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn write_plane(line: &[f32], (mean, scale): (f32, f32), to: &mut [f32]) {
    for (t, v) in to.iter_mut().zip(line) {
        *t = (v - mean) * scale;
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn write_pixels(lines: [&[f32]; 3], norm: [(f32, f32); 3], to: &mut [f32]) {
    let [first, second, third] = lines;
    let values = first.iter().zip(second).zip(third);
    for (pixel, ((a, b), c)) in to.as_chunks_mut::<3>().0.iter_mut().zip(values) {
        let of = |v: f32, (mean, scale): (f32, f32)| (v - mean) * scale;
        *pixel = [of(*a, norm[0]), of(*b, norm[1]), of(*c, norm[2])];
    }
}

/// ITU-R BT.601 luma, as OpenCV and Pillow make grey of RGB.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn write_gray([r, g, b]: [&[f32]; 3], (mean, scale): (f32, f32), to: &mut [f32]) {
    for (t, ((r, g), b)) in to.iter_mut().zip(r.iter().zip(g).zip(b)) {
        *t = (0.299 * r + 0.587 * g + 0.114 * b - mean) * scale;
    }
}

/// ITU-R BT.601 §2.5 with any luma weights; u and v in -127.5..=127.5.
#[inline(always)]
pub(super) fn yuv_to_rgb(kr: f32, kb: f32, y: f32, u: f32, v: f32) -> [f32; 3] {
    let kg = 1.0 - kr - kb;
    let (from_u, from_v) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
    [
        y + from_v * v,
        y - (kb * from_u / kg) * u - (kr * from_v / kg) * v,
        y + from_u * u,
    ]
}
