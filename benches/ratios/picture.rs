// SPDX-License-Identifier: MIT OR Apache-2.0
//! Made-up frames in the formats that cameras and decoders give, many of each kind, and which of their bytes a look reads.

use std::cell::RefCell;
use std::collections::BTreeSet;

use gst_video::VideoFormat;
use liveness::image::{
    ChromaSite, ColorModel, Component, Layout, Pixels, Plane, Range, Sample, View,
};

/// Plane, offset, step, subsampling in x and y of each component.
type Parts = [(usize, usize, usize, u32, u32); 3];

/// What is measured.
pub(crate) const FORMATS: [(VideoFormat, Parts); 4] = [
    (
        VideoFormat::I420,
        [(0, 0, 1, 0, 0), (1, 0, 1, 1, 1), (2, 0, 1, 1, 1)],
    ),
    (
        VideoFormat::Nv12,
        [(0, 0, 1, 0, 0), (1, 0, 2, 1, 1), (1, 1, 2, 1, 1)],
    ),
    (
        VideoFormat::Yuy2,
        [(0, 0, 2, 0, 0), (0, 1, 4, 1, 0), (0, 3, 4, 1, 0)],
    ),
    (
        VideoFormat::Rgb,
        [(0, 0, 3, 0, 0), (0, 1, 3, 0, 0), (0, 2, 3, 0, 0)],
    ),
];

pub(crate) const SIZES: [(usize, usize); 3] = [(1280, 720), (1920, 1080), (3840, 2160)];

/// Twice what caches hold: a camera's frame is a new one each time.
const BYTES: usize = 64 << 20;

/// Frames of one kind, enough of them that none is in the cache when its turn comes again.
pub(crate) struct Pictures {
    pub(crate) layout: Layout,
    pub(crate) frames: Vec<Vec<u8>>,
    /// Rows of each plane, and bytes of a row.
    planes: Vec<(usize, usize)>,
}

impl Pictures {
    pub(crate) fn new(parts: &Parts, is_rgb: bool, (width, height): (usize, usize)) -> Self {
        let component = |(plane, offset, step, sub_x, sub_y)| Component {
            plane,
            offset,
            step,
            sub_x,
            sub_y,
            depth: 8,
            shift: 0,
        };
        let yuv = ColorModel::Yuv {
            kr: 0.2126,
            kb: 0.0722,
        };
        let layout = Layout {
            width,
            height,
            sample: Sample::U8,
            components: parts.map(component).to_vec(),
            color: if is_rgb { ColorModel::Rgb } else { yuv },
            range: Range::Limited,
            chroma_site: ChromaSite::default(),
        };
        let planes: Vec<_> = (0..=parts[2].0)
            .map(|plane| {
                let c = layout.components.iter().find(|c| c.plane == plane).unwrap();
                // As GStreamer lays frames of these sizes out: no padding.
                (
                    layout.component_size(c).1,
                    layout.row_samples(plane).next_multiple_of(4),
                )
            })
            .collect();
        let size: usize = planes.iter().map(|(rows, stride)| rows * stride).sum();
        let frame = |n: usize| (0..size).map(|i| ((i + n) * 7 % 251) as u8).collect();
        Self {
            layout,
            frames: (0..BYTES.div_ceil(size)).map(frame).collect(),
            planes,
        }
    }

    /// Frame `n`, seen as the library sees it.
    pub(crate) fn view(&self, n: usize) -> View<'_> {
        let mut rest = &self.frames[n % self.frames.len()][..];
        let planes: Vec<_> = self
            .planes
            .iter()
            .map(|(rows, stride)| {
                let (data, behind) = rest.split_at(rows * stride);
                rest = behind;
                Plane {
                    data,
                    stride: *stride,
                }
            })
            .collect();
        View::new(&self.layout, &planes).unwrap()
    }
}

/// A frame that remembers which rows of it were asked for.
pub(crate) struct Watched<'a> {
    view: &'a View<'a>,
    rows: RefCell<BTreeSet<(usize, usize)>>,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(view: &'a View<'a>) -> Self {
        Self {
            view,
            rows: RefCell::default(),
        }
    }

    /// Plane and number of each row.
    pub(crate) fn rows(self) -> Vec<(usize, usize)> {
        self.rows.into_inner().into_iter().collect()
    }
}

impl Pixels for Watched<'_> {
    fn layout(&self) -> &Layout {
        self.view.layout()
    }

    fn row<'a>(&'a self, plane: usize, y: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        self.rows.borrow_mut().insert((plane, y));
        self.view.row(plane, y, scratch)
    }
}

/// Reads these rows of a frame once, as fast as it goes: adds up their words.
pub(crate) fn sum(view: &View, rows: &[(usize, usize)]) -> u64 {
    let mut scratch = Vec::new();
    let mut sums = [0u64; 8];
    for &(plane, y) in rows {
        let row = view.row(plane, y, &mut scratch);
        let used = &row[..view.layout().row_samples(plane).min(row.len())];
        for words in used.as_chunks::<64>().0 {
            for (sum, word) in sums.iter_mut().zip(words.as_chunks::<8>().0) {
                *sum = sum.wrapping_add(u64::from_ne_bytes(*word));
            }
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}
