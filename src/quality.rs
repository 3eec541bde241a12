// SPDX-License-Identifier: MIT OR Apache-2.0
//! How good a picture of a face is: sharp, well lit, wholly in the frame. Knows pixels and boxes, no models.

use crate::geometry::Rect;
use crate::image::Pixels;
use crate::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Side of the grey square that a face is scaled to before it is measured, in pixels: only so do the numbers of near and far faces,
/// of small and large frames mean the same. A smaller face is enlarged, and is no sharper for it.
const SIDE: usize = 112;

/// What was measured of one face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Variance of the Laplacian (the kernel 0 1 0, 1 -4 1, 0 1 0 over grey values 0..255) of the face scaled to 112x112
    /// (Pech-Pacheco et al., *Diatom autofocusing in brightfield microscopy*, ICPR 2000). 0 is blank, below about 20 blurred.
    pub sharpness: f32,
    /// Mean of its grey values (ITU-R BT.601 luma), 0 black to 1 white.
    pub exposure: f32,
}

/// Measures faces; keeps its memory from one to the next.
#[derive(Debug)]
pub struct Meter {
    resizer: Resizer,
    format: TensorFormat,
    gray: Vec<f32>,
}

impl Default for Meter {
    fn default() -> Self {
        let format = TensorFormat {
            width: SIDE,
            height: SIDE,
            planar: true,
            channels: Channels::Gray,
            mean: [0.0; 3],
            scale: [1.0; 3],
        };
        Self {
            resizer: Resizer::new(),
            gray: vec![0.0; format.len()],
            format,
        }
    }
}

impl Meter {
    /// The face at `rect`, in pixels of `frame`; the part of it that lies inside.
    pub fn measure(&mut self, frame: &dyn Pixels, rect: &Rect) -> Quality {
        let layout = frame.layout();
        let Some(inside) = rect.clamped(layout.width as f32, layout.height as f32) else {
            return Quality::default();
        };
        let span = |from: f32, to: f32| {
            let from = from.floor() as i64;
            (from, (to.ceil() as i64 - from).max(1))
        };
        let (x, w) = span(inside.x, inside.right());
        let (y, h) = span(inside.y, inside.bottom());
        self.resizer.run(
            frame,
            Window { x, y, w, h },
            Border::Replicate,
            &self.format,
            (SIDE, SIDE),
            &mut self.gray,
        );
        Quality {
            sharpness: laplacian_variance(&self.gray, SIDE),
            exposure: self.gray.iter().sum::<f32>() / (255.0 * self.gray.len() as f32),
        }
    }
}

/// Of all pixels that have four neighbours.
fn laplacian_variance(gray: &[f32], width: usize) -> f32 {
    let (mut n, mut sum, mut squares) = (0u32, 0f64, 0f64);
    for y in 1..gray.len() / width - 1 {
        let row = |y: usize| &gray[y * width..][..width];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        for x in 1..width - 1 {
            let v = above[x] + below[x] + here[x - 1] + here[x + 1] - 4.0 * here[x];
            n += 1;
            sum += f64::from(v);
            squares += f64::from(v) * f64::from(v);
        }
    }
    let n = f64::from(n.max(1));
    (squares / n - (sum / n) * (sum / n)).max(0.0) as f32
}

/// Whether a face reaches over the edge of a frame of `width` x `height`, or ends at it as the boxes of detectors do that cut them
/// off there. Up to a fiftieth of the box may lie outside: no detector is more exact than that.
pub fn is_cut_off(rect: &Rect, (width, height): (usize, usize)) -> bool {
    let beyond = |before: f32, behind: f32, size: f32| {
        let most = size * CUT_OFF;
        before < -most || behind > most || before == 0.0 || behind == 0.0
    };
    beyond(rect.x, rect.right() - width as f32, rect.w)
        || beyond(rect.y, rect.bottom() - height as f32, rect.h)
}

/// Share of a box's side that may lie outside the frame.
const CUT_OFF: f32 = 0.02;
