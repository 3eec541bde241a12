// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a frame's own format into a model's input tensor in one pass: scaling, colour, range, channel order, mean and
//! scale. Knows pixels, no models.
//!
//! Each colour component is scaled at its own resolution with a triangle filter whose support grows with the reduction
//! (Pillow's `BILINEAR`, which the models of this field were evaluated with); colour conversion is affine and is done on the few
//! pixels that come out. Rows are weighted first: that part reads each source row in its stored order, whatever is
//! interleaved in it, and it alone touches the whole frame.

use multiversion::multiversion;

use crate::image::{ColorModel, Component, Layout, Pixels, Range, Sample};

/// The part of a frame that fills the target, in pixels. It may reach outside the frame, see [`Border`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Left edge.
    pub x: i64,
    /// Top edge.
    pub y: i64,
    /// Width, at least 1.
    pub w: i64,
    /// Height, at least 1.
    pub h: i64,
}

/// What lies outside the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Black.
    Black,
    /// The frame mirrored at its outermost pixels, which are not repeated.
    Reflect,
    /// The outermost pixels repeated.
    Replicate,
}

/// Order and number of the channels that a model wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// Grey: luma.
    Gray,
}

impl Channels {
    /// How many they are.
    pub fn count(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Gray => 1,
        }
    }
}

/// How the numbers of one picture lie in a tensor and what they are: `(v - mean) * scale` with v in 0..=255.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorFormat {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Channel planes one after the other (NCHW) instead of interleaved (NHWC).
    pub planar: bool,
    /// Channels and their order.
    pub channels: Channels,
    /// Subtracted from each channel, in the order of the channels.
    pub mean: [f32; 3],
    /// Multiplied afterwards.
    pub scale: [f32; 3],
}

impl TensorFormat {
    /// Numbers in the tensor of one picture.
    pub fn len(&self) -> usize {
        self.width * self.height * self.channels.count()
    }

    /// Whether the tensor has no room for a single pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `tensor` with black.
    pub fn fill_black(&self, tensor: &mut [f32]) {
        let n = self.channels.count();
        let area = self.width * self.height;
        for (i, v) in tensor.iter_mut().enumerate() {
            let c = if self.planar { i / area.max(1) } else { i % n };
            let c = c.min(n - 1);
            *v = -self.mean[c] * self.scale[c];
        }
    }
}

/// Weights of one axis: for each target pixel, a run of source samples.
#[derive(Debug, Default)]
struct Axis {
    key: Option<AxisKey>,
    /// First source sample of each target pixel, counted from `lo`.
    starts: Vec<u32>,
    /// `run` weights per target pixel, those past the filter's end 0.
    weights: Vec<f32>,
    run: usize,
    /// Source samples that can have weight: `lo..hi`.
    lo: i64,
    hi: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct AxisKey {
    start: f64,
    span: f64,
    lo: i64,
    hi: i64,
    target: usize,
}

/// Weights are kept in runs of a multiple of this, so that the horizontal pass needs no remainder loop.
const LANES: usize = 8;

impl Axis {
    /// Weights that map `span` samples from `start` on to `target` pixels, reading only `lo..hi`.
    fn configure(&mut self, key: AxisKey) {
        if self.key == Some(key) {
            return;
        }
        let AxisKey {
            start,
            span,
            lo,
            hi,
            target,
        } = key;
        let step = span / target as f64;
        let support = step.max(1.0);
        self.run = (2.0 * support).ceil() as usize + 1;
        self.run = self.run.next_multiple_of(LANES);
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(self.run * target, 0.0);
        for (i, run) in self.weights.chunks_exact_mut(self.run).enumerate() {
            let center = start + (i as f64 + 0.5) * step;
            let first = ((center - support + 0.5).floor() as i64).clamp(lo, hi - 1);
            let end = ((center + support + 0.5).floor() as i64).clamp(first + 1, hi);
            let weight = |j: i64| (1.0 - ((j as f64 + 0.5 - center) / support).abs()).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            for (w, j) in run.iter_mut().zip(first..end) {
                // A window one sample wide can lie wholly beside the centre: that sample is all there is.
                *w = if sum > 0.0 {
                    (weight(j) / sum) as f32
                } else {
                    1.0 / (end - first) as f32
                };
            }
            self.starts.push((first - lo) as u32);
        }
        (self.lo, self.hi) = (lo, hi);
        self.key = Some(key);
    }

    fn weights(&self, target: usize) -> &[f32] {
        &self.weights[target * self.run..(target + 1) * self.run]
    }
}

/// Sample index inside `0..n` that stands for `i`, or `None` where `border` has none.
fn inside(i: i64, n: i64, border: Border) -> Option<usize> {
    if (0..n).contains(&i) {
        return Some(i as usize);
    }
    match border {
        Border::Black => None,
        Border::Replicate => Some(i.clamp(0, n - 1) as usize),
        Border::Reflect if n == 1 => Some(0),
        Border::Reflect => {
            let period = 2 * (n - 1);
            let i = i.rem_euclid(period);
            Some(i.min(period - i) as usize)
        }
    }
}

/// One component's way to the values 0..=255 (chroma: -127.5..=127.5): `(sample - offset) * factor`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Levels {
    offset: f32,
    factor: f32,
    /// The sample that is black.
    black: f32,
}

impl Levels {
    fn of(layout: &Layout, index: usize) -> Self {
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

/// Components that one weighting of rows serves: same plane, same vertical resolution.
#[derive(Debug)]
struct Group {
    plane: usize,
    sub_y: u32,
    members: Vec<usize>,
}

/// What follows from the layout alone; made anew only when it changes.
#[derive(Debug)]
struct Plan {
    layout: Layout,
    groups: Vec<Group>,
    levels: Vec<Levels>,
}

impl Plan {
    fn new(layout: &Layout) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (i, c) in layout.components.iter().enumerate() {
            match groups
                .iter_mut()
                .find(|g| g.plane == c.plane && g.sub_y == c.sub_y)
            {
                Some(group) => group.members.push(i),
                None => groups.push(Group {
                    plane: c.plane,
                    sub_y: c.sub_y,
                    members: vec![i],
                }),
            }
        }
        Self {
            levels: (0..layout.components.len())
                .map(|i| Levels::of(layout, i))
                .collect(),
            groups,
            layout: layout.clone(),
        }
    }
}

/// Scales windows of frames into tensors. Owns its scratch memory: after the first call with a geometry nothing is
/// allocated.
#[derive(Debug, Default)]
pub struct Resizer {
    plan: Option<Plan>,
    /// Horizontal and vertical weights for each subsampling in use.
    columns: [Axis; SUBSAMPLINGS],
    rows: [Axis; SUBSAMPLINGS],
    /// Rows of a plane, weighted and summed, as they are interleaved.
    sum: Vec<f32>,
    /// One component of `sum`, with what lies outside the frame.
    line: Vec<f32>,
    /// One row of each component at the target's width.
    out: [Vec<f32>; 3],
    /// Rows of one target row and their weights.
    taps: Vec<(usize, f32)>,
    unpacked: [Vec<u8>; ROWS],
}

/// Rows that are weighted in one go: each saves a round trip of the sum through memory.
const ROWS: usize = 4;

/// Subsampling by 1, 2, 4 and 8 exists in the formats of the field.
const SUBSAMPLINGS: usize = 4;

impl Resizer {
    /// A resizer without scratch memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Scales `window` of `src` to `width` x `height` pixels at the top left of `tensor`, which holds one picture laid
    /// out as `format` says. The rest of the tensor is left alone.
    ///
    /// # Panics
    /// When `tensor` is shorter than `format` says or the target is larger than it: both are set up by this crate.
    pub fn run(
        &mut self,
        src: &dyn Pixels,
        window: Window,
        border: Border,
        format: &TensorFormat,
        (width, height): (usize, usize),
        tensor: &mut [f32],
    ) {
        assert!(tensor.len() >= format.len() && width <= format.width && height <= format.height);
        let layout = src.layout();
        let plan = match &mut self.plan {
            Some(plan) if plan.layout == *layout => plan,
            stale => stale.insert(Plan::new(layout)),
        };
        for c in &layout.components {
            let axis = |start: i64, span: i64, sub: u32, cosited: bool, target| {
                let unit = f64::from(1u32 << sub);
                // A cosited sample sits on the first of its pixels instead of in their middle.
                let site = if cosited {
                    (1.0 - 1.0 / unit) / 2.0
                } else {
                    0.0
                };
                AxisKey {
                    start: start as f64 / unit + site,
                    span: span as f64 / unit,
                    lo: start.div_euclid(1 << sub),
                    hi: -((-(start + span)).div_euclid(1 << sub)),
                    target,
                }
            };
            let site = layout.chroma_site;
            self.columns[c.sub_x as usize].configure(axis(
                window.x,
                window.w,
                c.sub_x,
                site.cosited_x,
                width,
            ));
            self.rows[c.sub_y as usize].configure(axis(
                window.y,
                window.h,
                c.sub_y,
                site.cosited_y,
                height,
            ));
        }
        for out in &mut self.out {
            out.resize(width, 0.0);
        }
        for y in 0..height {
            for group in &plan.groups {
                let rows = &self.rows[group.sub_y as usize];
                let c = &layout.components[group.members[0]];
                let n_rows = layout.component_size(c).1 as i64;
                let (first, last) = used_samples(layout, group, &self.columns, border);
                self.sum.resize(last - first + LANES, 0.0);
                self.sum[last - first..].fill(0.0);
                self.taps.clear();
                for (k, &weight) in rows.weights(y).iter().enumerate() {
                    let row = rows.lo + i64::from(rows.starts[y]) + k as i64;
                    if weight != 0.0
                        && let Some(row) = inside(row, n_rows, border)
                    {
                        self.taps.push((row, weight));
                    }
                }
                let inside_weight: f32 = self.taps.iter().map(|(_, w)| w).sum();
                let size = layout.sample.bytes();
                let bytes = first * size..last * size;
                let sum = &mut self.sum[..last - first];
                if self.taps.is_empty() {
                    sum.fill(0.0);
                }
                for (i, taps) in self.taps.chunks(ROWS).enumerate() {
                    let mut scratch = self.unpacked.iter_mut();
                    let mut weights = [0.0; ROWS];
                    let lines: [&[u8]; ROWS] = std::array::from_fn(|k| {
                        let Some((&(row, weight), scratch)) = taps.get(k).zip(scratch.next())
                        else {
                            return &[][..];
                        };
                        weights[k] = weight;
                        &src.row(group.plane, row, scratch)[bytes.clone()]
                    });
                    // Past the last row the first one stands in, without weight.
                    let lines = lines.map(|l| if l.is_empty() { lines[0] } else { l });
                    match layout.sample {
                        Sample::U8 => add_u8(sum, lines, weights, i == 0),
                        Sample::U16Le => add_u16(sum, lines, weights, i == 0, u16::from_le_bytes),
                        Sample::U16Be => add_u16(sum, lines, weights, i == 0, u16::from_be_bytes),
                    }
                }
                for &m in &group.members {
                    let c = &layout.components[m];
                    let columns = &self.columns[c.sub_x as usize];
                    let n = layout.component_size(c).0 as i64;
                    let whole = columns.lo >= 0 && columns.hi <= n;
                    let black = if border == Border::Black {
                        plan.levels[m].black
                    } else {
                        0.0
                    };
                    if whole && c.step == 1 && inside_weight > 0.9999 {
                        let from = (c.offset + columns.lo as usize) - first;
                        weigh_columns(&mut self.out[m], columns, &self.sum[from..], 0.0);
                        continue;
                    }
                    // Measured from black, everything outside is 0.
                    let base = black * inside_weight;
                    self.line.clear();
                    if whole {
                        let from = c.offset + columns.lo as usize * c.step - first;
                        let n = (columns.hi - columns.lo) as usize;
                        let line = self.sum[from..].iter().step_by(c.step).take(n);
                        self.line.extend(line.map(|v| v - base));
                    } else {
                        self.line.extend((columns.lo..columns.hi).map(|j| {
                            inside(j, n, border)
                                .map_or(0.0, |j| self.sum[c.offset + j * c.step - first] - base)
                        }));
                    }
                    self.line
                        .resize((columns.hi - columns.lo) as usize + LANES, 0.0);
                    weigh_columns(&mut self.out[m], columns, &self.line, black);
                }
            }
            write_row(layout, &plan.levels, &self.out, format, y, tensor);
        }
    }
}

/// First and one-past-last sample of a plane's row that the columns in use can touch.
fn used_samples(
    layout: &Layout,
    group: &Group,
    columns: &[Axis; SUBSAMPLINGS],
    border: Border,
) -> (usize, usize) {
    let mut range = (usize::MAX, 0);
    for &m in &group.members {
        let c: &Component = &layout.components[m];
        let axis = &columns[c.sub_x as usize];
        let n = layout.component_size(c).0 as i64;
        let (lo, hi) = match border {
            // A mirrored column can lie anywhere: windows that reach outside are small, so read the whole row.
            Border::Reflect if axis.lo < 0 || axis.hi > n => (0, n),
            _ => (axis.lo.clamp(0, n - 1), axis.hi.clamp(1, n)),
        };
        let hi = hi.max(lo + 1);
        range.0 = range.0.min(c.offset + lo as usize * c.step);
        range.1 = range.1.max(c.offset + (hi as usize - 1) * c.step + 1);
    }
    range
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn add_u8(sum: &mut [f32], rows: [&[u8]; ROWS], weights: [f32; ROWS], fresh: bool) {
    let n = sum.len();
    let [a, b, c, d] = rows.map(|r| &r[..n]);
    let [wa, wb, wc, wd] = weights;
    for i in 0..n {
        let v = wa * f32::from(a[i])
            + wb * f32::from(b[i])
            + wc * f32::from(c[i])
            + wd * f32::from(d[i]);
        sum[i] = if fresh { v } else { sum[i] + v };
    }
}

fn add_u16(
    sum: &mut [f32],
    rows: [&[u8]; ROWS],
    weights: [f32; ROWS],
    fresh: bool,
    read: fn([u8; 2]) -> u16,
) {
    if fresh {
        sum.fill(0.0);
    }
    for (row, weight) in rows.into_iter().zip(weights) {
        for (s, v) in sum.iter_mut().zip(row.as_chunks::<2>().0) {
            *s += weight * f32::from(read(*v));
        }
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn dot_columns(out: &mut [f32], starts: &[u32], weights: &[f32], run: usize, line: &[f32]) {
    for ((o, &start), w) in out.iter_mut().zip(starts).zip(weights.chunks_exact(run)) {
        let mut acc = [0f32; LANES];
        let samples = &line[start as usize..];
        for (w, s) in w
            .as_chunks::<LANES>()
            .0
            .iter()
            .zip(samples.as_chunks::<LANES>().0)
        {
            for i in 0..LANES {
                acc[i] += w[i] * s[i];
            }
        }
        *o = acc.iter().sum();
    }
}

/// Weighs `line`, whose first sample is the axis's `lo`. It is at least `LANES` samples longer than what has weight, so that the
/// last, partly empty chunk can be read.
fn weigh_columns(out: &mut [f32], axis: &Axis, line: &[f32], add: f32) {
    dot_columns(out, &axis.starts, &axis.weights, axis.run, line);
    if add != 0.0 {
        out.iter_mut().for_each(|v| *v += add);
    }
}

/// Colour, range, order, mean and scale for one row of the target.
fn write_row(
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
fn yuv_to_rgb(kr: f32, kb: f32, y: f32, u: f32, v: f32) -> [f32; 3] {
    let kg = 1.0 - kr - kb;
    let (from_u, from_v) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
    [
        y + from_v * v,
        y - (kb * from_u / kg) * u - (kr * from_v / kg) * v,
        y + from_u * u,
    ]
}

#[cfg(test)]
mod tests;
