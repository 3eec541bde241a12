// SPDX-License-Identifier: MIT OR Apache-2.0
//! A few bytes that tell whether a frame still lies as it lay: taken where faces were found, held against the frame where they
//! are to be drawn. Elements in between may flip or rotate the picture and leave the metadata as it was.

use data_encoding::HEXLOWER;

use crate::image::{ColorModel, Pixels, Sample};

/// Cells along each side.
const SIDE: usize = 8;
const CELLS: usize = SIDE * SIDE;
const LAST: usize = SIDE - 1;

/// Samples along each side of a cell. 64 rows are touched in all, whatever the frame's size: tens of microseconds.
const PER_CELL: usize = 8;

/// Most cells along each side of a frame that [`cells`] can do.
pub(crate) const MOST_SIDE: usize = 16;

/// Correlation below which two frames do not show the same picture. Brightness, contrast, scale and lossy coding keep it
/// above 0.9.
const SAME_PICTURE: f32 = 0.5;

/// Contrast (standard deviation of the cells, in levels of 256) below which nothing can be told.
const LEAST_CONTRAST: f32 = 1.0;

/// Mean brightness of 8x8 cells of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature([u8; CELLS]);

impl Signature {
    /// Looks at a frame; `scratch` is for sources that unpack their rows.
    pub fn of(frame: &dyn Pixels, scratch: &mut Vec<u8>) -> Self {
        let mut signature = [0; CELLS];
        cells(frame, SIDE, PER_CELL, scratch, &mut signature);
        Self(signature)
    }

    /// As text: two digits per cell, row by row.
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// From the text of [`Signature::to_hex`].
    pub fn from_hex(s: &str) -> Option<Self> {
        let mut cells = [0; CELLS];
        if s.len() != 2 * CELLS {
            return None;
        }
        HEXLOWER.decode_mut(s.as_bytes(), &mut cells).ok()?;
        Some(Self(cells))
    }

    /// Whether a frame with this signature and one with `other` show the same picture the same way round: they
    /// correlate, and no turned or mirrored version of the other correlates better. Frames without contrast pass: any
    /// way round they look the same.
    pub fn agrees(&self, other: &Self) -> bool {
        let straight = |x: usize, y: usize| (x, y);
        let Some(same) = self.correlation(other, straight) else {
            return true;
        };
        // The seven others of the eight ways round.
        let turned = |way: usize| {
            move |x: usize, y: usize| {
                let (x, y) = if way & 1 != 0 { (y, x) } else { (x, y) };
                let x = if way & 2 != 0 { LAST - x } else { x };
                let y = if way & 4 != 0 { LAST - y } else { y };
                (x, y)
            }
        };
        same >= SAME_PICTURE
            && (1..8).all(|way| {
                self.correlation(other, turned(way))
                    .is_none_or(|c| c <= same)
            })
    }

    /// Whether there is something in the picture to know it by.
    pub fn has_contrast(&self) -> bool {
        self.correlation(self, |x, y| (x, y)).is_some()
    }

    /// Normalised cross-correlation with `other` read through `turn`; `None` where either has no contrast.
    fn correlation(
        &self,
        other: &Self,
        turn: impl Fn(usize, usize) -> (usize, usize),
    ) -> Option<f32> {
        let mean = |s: &Self| s.0.iter().map(|&v| f32::from(v)).sum::<f32>() / CELLS as f32;
        let (mean_a, mean_b) = (mean(self), mean(other));
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let (tx, ty) = turn(x, y);
                let a = f32::from(self.0[y * SIDE + x]) - mean_a;
                let b = f32::from(other.0[ty * SIDE + tx]) - mean_b;
                ab += a * b;
                aa += a * a;
                bb += b * b;
            }
        }
        let least = LEAST_CONTRAST * LEAST_CONTRAST * CELLS as f32;
        (aa > least && bb > least).then(|| ab / (aa * bb).sqrt())
    }
}

/// Mean brightness of `side` x `side` cells of a frame, row by row, each from `per_cell` x `per_cell` samples; `scratch` is for sources that
/// unpack their rows. At most [`MOST_SIDE`] cells along a side.
pub(crate) fn cells(
    frame: &dyn Pixels,
    side: usize,
    per_cell: usize,
    scratch: &mut Vec<u8>,
    means: &mut [u8],
) {
    let layout = frame.layout();
    let n = side * per_cell;
    let at = |i: usize, size: usize| ((2 * i + 1) * size / (2 * n)).min(size - 1);
    // Luma alone; of RGB all three, as the same picture in YUV has them in its luma.
    let count = if matches!(layout.color, ColorModel::Rgb) {
        3
    } else {
        1
    };
    let samples = (per_cell * per_cell * count) as u32;
    for (y, means) in means.chunks_exact_mut(side).enumerate() {
        let mut sums = [0u32; MOST_SIDE];
        for i in y * per_cell..(y + 1) * per_cell {
            for c in &layout.components[..count] {
                let row = frame.row(c.plane, at(i, layout.height) >> c.sub_y, scratch);
                for j in 0..n {
                    let k = c.offset + (at(j, layout.width) >> c.sub_x) * c.step;
                    let read = |i: usize| u32::from(row[i]);
                    sums[j / per_cell] += match layout.sample {
                        Sample::U8 => read(k),
                        // The upper 8 significant bits.
                        Sample::U16Le => {
                            (read(2 * k) | read(2 * k + 1) << 8) >> (c.shift + c.depth - 8)
                        }
                        Sample::U16Be => {
                            (read(2 * k + 1) | read(2 * k) << 8) >> (c.shift + c.depth - 8)
                        }
                    };
                }
            }
        }
        for (mean, sum) in means.iter_mut().zip(sums) {
            *mean = (sum / samples).min(255) as u8;
        }
    }
}

/// A number that tells frames apart to the last bit, of 64 x 64 samples of their first component: of two equal numbers it is next to
/// certain that the samples were equal. `scratch` is for sources that unpack their rows.
pub(crate) fn fingerprint(frame: &dyn Pixels, scratch: &mut Vec<u8>) -> u64 {
    const SIDE: usize = 64;
    let layout = frame.layout();
    let at = |i: usize, size: usize| ((2 * i + 1) * size / (2 * SIDE)).min(size - 1);
    let c = &layout.components[0];
    let bytes = layout.sample.bytes();
    // FNV-1a (Fowler, Noll, Vo), 64 bits.
    let mut print = 0xcbf2_9ce4_8422_2325_u64;
    for y in 0..SIDE {
        let row = frame.row(c.plane, at(y, layout.height) >> c.sub_y, scratch);
        for x in 0..SIDE {
            let k = c.offset + (at(x, layout.width) >> c.sub_x) * c.step;
            for byte in &row[k * bytes..(k + 1) * bytes] {
                print = (print ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
    }
    print
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Layout, Plane, View};
    use proptest::prelude::*;

    fn signature(w: usize, h: usize, pixel: impl Fn(usize, usize) -> u8) -> Signature {
        let layout = Layout::rgb8(w, h);
        let data: Vec<u8> = (0..w * h).flat_map(|i| [pixel(i % w, i / w); 3]).collect();
        let plane = Plane {
            data: &data,
            stride: w * 3,
        };
        let view = View::new(&layout, &[plane]).unwrap();
        Signature::of(&view, &mut Vec::new())
    }

    /// A smooth picture without symmetry, over 0..1 x 0..1.
    fn scene(x: f32, y: f32) -> f32 {
        120.0 + 60.0 * (3.0 * x + 1.0).sin() + 40.0 * (5.0 * y * y + 2.0 * x).cos()
    }

    #[test]
    fn text_goes_both_ways() {
        let s = signature(64, 48, |x, y| (x * 3 + y) as u8);
        assert_eq!(Signature::from_hex(&s.to_hex()), Some(s));
        assert_eq!(Signature::from_hex("00"), None);
        assert_eq!(Signature::from_hex(&"é".repeat(64)), None);
    }

    proptest! {
        #[test]
        fn scaled_and_relit_agrees_turned_does_not(
            w in 16usize..200, h in 16usize..200, w2 in 16usize..200, h2 in 16usize..200,
            gain in 0.4f32..1.0, offset in 0f32..20.0,
        ) {
            let at = |i: usize, n: usize| (i as f32 + 0.5) / n as f32;
            let a = signature(w, h, |x, y| scene(at(x, w), at(y, h)) as u8);
            let other = |turn: fn(f32, f32) -> (f32, f32)| {
                signature(w2, h2, move |x, y| {
                    let (u, v) = turn(at(x, w2), at(y, h2));
                    (scene(u, v) * gain + offset) as u8
                })
            };
            prop_assert!(a.agrees(&other(|u, v| (u, v))));
            prop_assert!(!a.agrees(&other(|u, v| (1.0 - u, v))));
            prop_assert!(!a.agrees(&other(|u, v| (u, 1.0 - v))));
            prop_assert!(!a.agrees(&other(|u, v| (1.0 - u, 1.0 - v))));
            prop_assert!(!a.agrees(&other(|u, v| (v, 1.0 - u))));
        }
    }

    #[test]
    fn frames_that_differ_by_one_level_are_told_apart() {
        let print = |w, h, change: u8| {
            let layout = Layout::rgb8(w, h);
            let mut data: Vec<u8> = (0..w * h * 3).map(|i| (i * 31 % 251) as u8).collect();
            data[0] += change;
            let plane = Plane {
                data: &data,
                stride: w * 3,
            };
            fingerprint(&View::new(&layout, &[plane]).unwrap(), &mut Vec::new())
        };
        assert_eq!(print(64, 64, 0), print(64, 64, 0));
        assert_ne!(print(64, 64, 0), print(64, 64, 1));
        assert_ne!(print(1, 1, 0), print(1, 1, 1));
    }

    #[test]
    fn a_blank_frame_agrees_with_anything() {
        let blank = signature(64, 64, |_, _| 16);
        assert!(blank.agrees(&signature(64, 64, |x, _| x as u8)));
    }
}
