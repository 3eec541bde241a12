// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a frame's own format into a model's input tensor in one pass: scaling, colour, range, channel order, mean and
//! scale. Knows pixels, no models.
//!
//! Each colour component is scaled at its own resolution with a triangle filter whose support grows with the reduction
//! (Pillow's `BILINEAR`, which the models of this field were evaluated with); colour conversion is affine and is done on the few
//! pixels that come out. Rows are weighted first: that part reads source rows in their stored order, whatever is
//! interleaved in them, and it alone touches the whole frame.

use multiversion::multiversion;

use crate::image::{Component, Layout, Pixels, Sample};

mod axis;
mod color;

use axis::{Along, Axis, AxisKey, Even, LANES, PARTS, inside};
use color::{Levels, write_row};

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
    /// Values 0..=255 as they are, pixel by pixel.
    pub fn levels(width: usize, height: usize, channels: Channels) -> Self {
        Self {
            width,
            height,
            planar: false,
            channels,
            mean: [0.0; 3],
            scale: [1.0; 3],
        }
    }

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
    sparse: bool,
    /// Horizontal and vertical weights for each subsampling in use.
    columns: [Axis; SUBSAMPLINGS],
    rows: [Axis; SUBSAMPLINGS],
    /// Rows of a plane, weighted and summed, as they are interleaved; of many rows of bytes first in [`PARTS`].
    sum: Vec<f32>,
    parts: Vec<u16>,
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

    /// One for large reductions of frames in which things are looked for: of more than eight samples under its filter, it reads
    /// every second, third… only. A frame of 1080 rows costs a third of what all its samples would. Patterns finer than those steps
    /// alias, so this is not for pictures whose texture is judged.
    pub fn sparse() -> Self {
        Self {
            sparse: true,
            ..Self::default()
        }
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
        let sparse = self.sparse;
        for c in &layout.components {
            let axis = |along, start: i64, span: i64, sub: u32, cosited: bool, target| {
                let unit = f64::from(1u32 << sub);
                // A cosited sample sits on the first of its pixels instead of in their middle.
                let site = if cosited {
                    (1.0 - 1.0 / unit) / 2.0
                } else {
                    0.0
                };
                AxisKey {
                    along,
                    sparse,
                    start: start as f64 / unit + site,
                    span: span as f64 / unit,
                    lo: start.div_euclid(1 << sub),
                    hi: -((-(start + span)).div_euclid(1 << sub)),
                    target,
                }
            };
            let site = layout.chroma_site;
            self.columns[c.sub_x as usize].configure(axis(
                Along::Columns,
                window.x,
                window.w,
                c.sub_x,
                site.cosited_x,
                width,
            ));
            self.rows[c.sub_y as usize].configure(axis(
                Along::Rows,
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
                self.sum.resize(last - first, 0.0);
                self.taps.clear();
                for (k, &weight) in rows.weights(y).iter().enumerate() {
                    let row = (rows.lo + i64::from(rows.starts[y]) + k as i64) * rows.every;
                    if weight != 0.0
                        && let Some(row) = inside(row, n_rows, border)
                    {
                        self.taps.push((row, weight));
                    }
                }
                let inside_weight: f32 = self.taps.iter().map(|(_, w)| w).sum();
                let size = layout.sample.bytes();
                let bytes = first * size..last * size;
                let sum = &mut self.sum[..];
                self.parts.resize(sum.len(), 0);
                if self.taps.is_empty() {
                    sum.fill(0.0);
                    self.parts.fill(0);
                }
                let bytes_in_parts = layout.sample == Sample::U8 && rows.in_parts;
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
                        Sample::U8 if bytes_in_parts => {
                            add_parts(&mut self.parts, lines, weights.map(in_parts), i == 0);
                        }
                        Sample::U8 => add_u8(sum, lines, weights, i == 0),
                        Sample::U16Le => add_u16(sum, lines, weights, i == 0, u16::from_le_bytes),
                        Sample::U16Be => add_u16(sum, lines, weights, i == 0, u16::from_be_bytes),
                    }
                }
                for &m in &group.members {
                    let c = &layout.components[m];
                    let columns = &self.columns[c.sub_x as usize];
                    let n = layout.component_size(c).0 as i64;
                    let (from, to) = columns.samples();
                    let whole = from >= 0 && to <= n;
                    let black = if border == Border::Black {
                        plan.levels[m].black
                    } else {
                        0.0
                    };
                    // Measured from black, everything outside is 0.
                    let base = black * inside_weight;
                    let taps = (columns.hi - columns.lo) as usize;
                    self.line.resize(taps + LANES, 0.0);
                    let (line, behind) = self.line.split_at_mut(taps);
                    behind.fill(0.0);
                    let step = c.step * columns.every as usize;
                    if whole {
                        let from = c.offset + from as usize * c.step - first;
                        if bytes_in_parts {
                            take_parts(step, &self.parts[from..], base, line);
                        } else {
                            take_every(step, &self.sum[from..], base, line);
                        }
                    } else {
                        if bytes_in_parts {
                            take_parts(1, &self.parts, 0.0, &mut self.sum);
                        }
                        for (v, j) in line.iter_mut().zip(columns.lo..) {
                            *v = inside(j * columns.every, n, border)
                                .map_or(0.0, |j| self.sum[c.offset + j * c.step - first] - base);
                        }
                    }
                    weigh_columns(&mut self.out[m], columns, &self.line, black);
                }
            }
            write_row(layout, &plan.levels, &mut self.out, format, y, tensor);
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
        let (from, to) = axis.samples();
        let (lo, hi) = match border {
            // A mirrored column can lie anywhere: windows that reach outside are small, so read the whole row.
            Border::Reflect if from < 0 || to > n => (0, n),
            _ => (from.clamp(0, n - 1), to.clamp(1, n)),
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

/// A weight in whole [`PARTS`].
fn in_parts(weight: f32) -> u16 {
    (weight * PARTS) as u16
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn add_parts(sum: &mut [u16], rows: [&[u8]; ROWS], weights: [u16; ROWS], fresh: bool) {
    let n = sum.len();
    let [a, b, c, d] = rows.map(|r| &r[..n]);
    let [wa, wb, wc, wd] = weights;
    // All weights together are at most PARTS: nothing overflows.
    let product = |w: u16, v: u8| w.wrapping_mul(u16::from(v));
    for i in 0..n {
        let v = product(wa, a[i])
            .wrapping_add(product(wb, b[i]))
            .wrapping_add(product(wc, c[i]))
            .wrapping_add(product(wd, d[i]));
        sum[i] = if fresh { v } else { sum[i].wrapping_add(v) };
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

/// The same where all pixels have the same weights and lie `step` samples apart: many of them at once. The steps in use get
/// a loop of their own, which the compiler can unroll.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn dot_even(step: usize, out: &mut [f32], weights: &[f32], line: &[f32]) {
    match step {
        2 => even::<2>(out, weights, line),
        3 => even::<3>(out, weights, line),
        4 => even::<4>(out, weights, line),
        // Even::STEPS has no other.
        _ => {}
    }
}

#[inline(always)]
fn even<const STEP: usize>(out: &mut [f32], weights: &[f32], line: &[f32]) {
    let n = out.len();
    let (Some((first, rest)), groups) = (
        weights.split_first_chunk::<STEP>(),
        line.as_chunks::<STEP>().0,
    ) else {
        return;
    };
    let Some(second) = rest.first_chunk::<STEP>() else {
        return;
    };
    // The filter of each reaches over its own group and the next one's.
    let (here, next) = (&groups[..n], &groups[1..=n]);
    for i in 0..n {
        let mut sum = 0.0;
        for k in 0..STEP {
            sum += first[k] * here[i][k] + second[k] * next[i][k];
        }
        out[i] = sum;
    }
}

/// Every `step`th number of `from`, less `base`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn take_every(step: usize, from: &[f32], base: f32, to: &mut [f32]) {
    take_any(step, from, |v| v - base, to);
}

/// The same of numbers in [`PARTS`].
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512vl+avx2+fma",
    "x86_64+avx2+fma",
    "x86_64+sse4.1"
))]
fn take_parts(step: usize, from: &[u16], base: f32, to: &mut [f32]) {
    take_any(step, from, |v| f32::from(v) / PARTS - base, to);
}

/// The steps of the formats in use, and their multiples, get a loop of their own, which the compiler can unroll.
#[inline(always)]
fn take_any<T: Copy>(step: usize, from: &[T], value: impl Fn(T) -> f32, to: &mut [f32]) {
    match step {
        1 => take::<1, T>(from, value, to),
        2 => take::<2, T>(from, value, to),
        3 => take::<3, T>(from, value, to),
        4 => take::<4, T>(from, value, to),
        6 => take::<6, T>(from, value, to),
        _ => {
            for (t, v) in to.iter_mut().zip(from.iter().step_by(step)) {
                *t = value(*v);
            }
        }
    }
}

#[inline(always)]
fn take<const STEP: usize, T: Copy>(from: &[T], value: impl Fn(T) -> f32, to: &mut [f32]) {
    let n = to.len();
    let (groups, rest) = from.as_chunks::<STEP>();
    let groups = &groups[..groups.len().min(n)];
    for (t, group) in to.iter_mut().zip(groups) {
        *t = value(group[0]);
    }
    // The last group may be cut off behind its first number.
    if groups.len() < n {
        to[groups.len()] = value(rest[0]);
    }
}

/// Weighs `line`, whose first sample is the axis's `lo`. It is at least `LANES` samples longer than what has weight, so that the
/// last, partly empty chunk can be read.
fn weigh_columns(out: &mut [f32], axis: &Axis, line: &[f32], add: f32) {
    let (from, to) = axis.even.as_ref().map_or((0, 0), |e| (e.from, e.to));
    let mut dot = |part: std::ops::Range<usize>| {
        let weights = &axis.weights[part.start * axis.run..part.end * axis.run];
        dot_columns(
            &mut out[part.clone()],
            &axis.starts[part],
            weights,
            axis.run,
            line,
        );
    };
    dot(0..from);
    dot(to..axis.starts.len());
    if let Some(Even { from, to, step }) = axis.even {
        let line = &line[axis.starts[from] as usize..];
        dot_even(step, &mut out[from..to], axis.weights(from), line);
    }
    if add != 0.0 {
        out.iter_mut().for_each(|v| *v += add);
    }
}

#[cfg(test)]
mod tests;
