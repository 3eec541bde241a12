// SPDX-License-Identifier: MIT OR Apache-2.0
//! The brightness of a frame alone, every nth row of it: no colour is read that nobody looks at, and of a large face no more rows than are needed.

use crate::image::{ColorModel, Layout, Pixels};

/// Layouts of brightness; keeps the last one.
#[derive(Debug, Default)]
pub(super) struct Luma(Option<Kept>);

#[derive(Debug)]
struct Kept {
    from: Layout,
    asked: usize,
    every: usize,
    layout: Layout,
}

/// A frame seen so.
pub(super) struct Rows<'a> {
    frame: &'a dyn Pixels,
    every: usize,
    layout: &'a Layout,
}

impl Luma {
    /// `frame` with every `every`th row, from 1.
    pub(super) fn of<'a>(&'a mut self, frame: &'a dyn Pixels, every: usize) -> Rows<'a> {
        let from = frame.layout();
        self.0
            .take_if(|kept| kept.asked != every || kept.from != *from);
        let kept = self.0.get_or_insert_with(|| Kept::new(from, every));
        Rows {
            frame,
            every: kept.every,
            layout: &kept.layout,
        }
    }
}

impl Kept {
    fn new(from: &Layout, asked: usize) -> Self {
        let mut layout = from.clone();
        // What has no luma of its own is read whole.
        if matches!(layout.color, ColorModel::Yuv { .. }) {
            layout.color = ColorModel::Gray;
            layout.components.truncate(1);
        }
        // A component of fewer rows would not be thinned like the others.
        let alike = layout.components.iter().all(|c| c.sub_y == 0);
        let every = if alike { asked.max(1) } else { 1 };
        layout.height = layout.height.div_ceil(every);
        Self {
            from: from.clone(),
            asked,
            every,
            layout,
        }
    }
}

impl Rows<'_> {
    /// Rows of the frame for each of these.
    pub(super) fn every(&self) -> usize {
        self.every
    }
}

impl Pixels for Rows<'_> {
    fn layout(&self) -> &Layout {
        self.layout
    }

    fn row<'a>(&'a self, plane: usize, y: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        self.frame.row(plane, y * self.every, scratch)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rough, with_picture};
    use super::*;
    use crate::image::{Plane, View};

    #[test]
    fn every_third_row_is_read_and_no_colour() {
        with_picture((20, 16), rough, |view| {
            let mut luma = Luma::default();
            let rows = luma.of(view, 3);
            assert_eq!((rows.every(), rows.layout().height), (3, 6));
            let mut scratch = Vec::new();
            for y in 0..6 {
                assert_eq!(rows.row(0, y, &mut scratch)[7], rough(7, 3 * y) as u8);
            }
            assert_eq!(luma.of(view, 0).every(), 1);
        });
        let mut layout = Layout::rgb8(4, 4);
        layout.color = ColorModel::Yuv { kr: 0.3, kb: 0.1 };
        let plane = Plane {
            data: &[0; 48],
            stride: 12,
        };
        let view = View::new(&layout, &[plane]).unwrap();
        let mut luma = Luma::default();
        assert_eq!(luma.of(&view, 1).layout().components.len(), 1);
        layout.color = ColorModel::Rgb;
        let view = View::new(&layout, &[plane]).unwrap();
        assert_eq!(luma.of(&view, 1).layout().components.len(), 3);
    }
}
