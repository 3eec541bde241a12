// SPDX-License-Identifier: MIT OR Apache-2.0
//! From scaled components to a model's numbers: range, colour, order, mean and scale.

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

/// Colour, range, order, mean and scale for one row of the target.
pub(super) fn write_row(
    layout: &Layout,
    levels: &[Levels],
    out: &[Vec<f32>; 3],
    format: &TensorFormat,
    y: usize,
    tensor: &mut [f32],
) {
    let width = out[0].len();
    let level = |i: usize| {
        let Levels { offset, factor, .. } = levels[i];
        let line = &out[i][..width];
        move |x: usize| (line[x] - offset) * factor
    };
    match layout.color {
        ColorModel::Gray => {
            let l = level(0);
            write_pixels(format, width, y, tensor, |x| [l(x); 3]);
        }
        ColorModel::Rgb => {
            let (r, g, b) = (level(0), level(1), level(2));
            write_pixels(format, width, y, tensor, |x| [r(x), g(x), b(x)]);
        }
        ColorModel::Yuv { kr, kb } => {
            let (l, u, v) = (level(0), level(1), level(2));
            write_pixels(format, width, y, tensor, |x| {
                yuv_to_rgb(kr, kb, l(x), u(x), v(x))
            });
        }
    }
}

/// One row of the target from its colours in 0..=255.
#[inline]
fn write_pixels(
    format: &TensorFormat,
    width: usize,
    y: usize,
    tensor: &mut [f32],
    rgb: impl Fn(usize) -> [f32; 3],
) {
    let (mean, scale) = (format.mean, format.scale);
    let norm = |v: f32, c: usize| (v.clamp(0.0, 255.0) - mean[c]) * scale[c];
    // ITU-R BT.601 luma, as OpenCV and Pillow make grey of RGB.
    let gray = |[r, g, b]: [f32; 3]| {
        let [r, g, b] = [r, g, b].map(|v| v.clamp(0.0, 255.0));
        0.299 * r + 0.587 * g + 0.114 * b
    };
    // Where red and blue go.
    let (r, b) = match format.channels {
        Channels::Bgr => (2, 0),
        Channels::Rgb | Channels::Gray => (0, 2),
    };
    let row = y * format.width;
    if format.channels == Channels::Gray {
        for (x, v) in tensor[row..row + width].iter_mut().enumerate() {
            *v = norm(gray(rgb(x)), 0);
        }
    } else if format.planar {
        let area = format.width * format.height;
        let (first, rest) = tensor.split_at_mut(area);
        let (second, third) = rest.split_at_mut(area);
        let first = &mut first[row..row + width];
        let second = &mut second[row..row + width];
        let third = &mut third[row..row + width];
        for x in 0..width {
            let v = rgb(x);
            first[x] = norm(v[r], 0);
            second[x] = norm(v[1], 1);
            third[x] = norm(v[b], 2);
        }
    } else {
        let pixels = tensor[row * 3..(row + width) * 3].as_chunks_mut::<3>().0;
        for (x, pixel) in pixels.iter_mut().enumerate() {
            let v = rgb(x);
            *pixel = [norm(v[r], 0), norm(v[1], 1), norm(v[b], 2)];
        }
    }
}

/// ITU-R BT.601 §2.5 with any luma weights; u and v in -127.5..=127.5.
pub(super) fn yuv_to_rgb(kr: f32, kb: f32, y: f32, u: f32, v: f32) -> [f32; 3] {
    let kg = 1.0 - kr - kb;
    let (from_u, from_v) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
    [
        y + from_v * v,
        y - (kb * from_u / kg) * u - (kr * from_v / kg) * v,
        y + from_u * u,
    ]
}
