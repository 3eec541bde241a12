// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the element computes from a frame, kept at 16 bits: with 8 a model's probability moved by up to 0.03 near the threshold.

use liveness::error::Result;
use liveness::image::{Layout, Plane, Sample, View};

/// Of a level 0..255: 65535 is white.
const STEPS: f32 = 257.0;

/// An RGB picture of the size of a model's input, with 16 bits a channel.
#[derive(Clone, Debug)]
pub struct Input {
    layout: Layout,
    bytes: Vec<u8>,
}

impl Input {
    /// From levels 0..=255, RGB pixel by pixel. Rounds them by up to 1/514.
    pub(super) fn new((width, height): (usize, usize), levels: &[f32]) -> Self {
        let mut layout = Layout::rgb8(width, height);
        layout.sample = Sample::U16Le;
        layout.components.iter_mut().for_each(|c| c.depth = 16);
        let steps = levels.iter().map(|v| (v * STEPS + 0.5) as u16);
        Self {
            bytes: steps.flat_map(u16::to_le_bytes).collect(),
            layout,
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.layout.width, self.layout.height)
    }

    /// Its pixels for the library.
    ///
    /// # Errors
    /// Never, as its size is that of its pixels.
    pub fn view(&self) -> Result<View<'_>> {
        let plane = Plane {
            data: &self.bytes,
            stride: 6 * self.layout.width,
        };
        View::new(&self.layout, &[plane])
    }

    /// The levels 0..255 again.
    pub(super) fn levels(&self) -> impl Iterator<Item = f32> + '_ {
        let steps = self.bytes.as_chunks::<2>().0.iter();
        steps.map(|&s| f32::from(u16::from_le_bytes(s)) / STEPS)
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }
}
