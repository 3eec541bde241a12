// SPDX-License-Identifier: MIT OR Apache-2.0
//! Another look at the same face: mirrored, tilted, with a box that is a little off. The crop itself is that of inference.

use liveness::dataset::picture::Rgb;
use liveness::geometry::Rect;
use liveness::resize::{Border, Window};

use super::dice::Dice;
use super::kinds::Augment;
use crate::data::input::InputSpec;
use crate::data::patch::Patch;

/// Half of all: faces have no left and right that would tell live from spoof.
const FLIP: f32 = 0.5;

/// Heads and hands that hold a phone are seldom straight; beyond 15 degrees detectors lose the face.
const ROTATE: f32 = 0.5;
const ROTATE_DEGREES: f32 = 15.0;

/// Of the box's side. Detectors disagree by 5 to 10 % about where the face is.
const SHIFT: f32 = 0.7;
const SHIFT_SIDES: f32 = 0.1;

/// Families of detectors draw boxes that differ by 20 % in size (YuNet's have no forehead, SSD's have ears).
const SCALE: f32 = 0.7;
const SCALE_BY: f32 = 0.2;

/// Of the box's side, each edge by itself: what one detector's box trembles from frame to frame.
const JITTER: f32 = 0.5;
const JITTER_SIDES: f32 = 0.05;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    /// The box, in pixels of the patch.
    pub(super) face: Rect,
    /// Tilt in radians, clockwise.
    pub(super) angle: f32,
    pub(super) flip: bool,
}

impl Look {
    pub(super) fn draw(face: &Rect, kinds: &Augment, seed: u64, strength: f32) -> Self {
        let mut look = Self {
            face: *face,
            angle: 0.0,
            flip: kinds.flip && Dice::new(seed, 1).chance(FLIP),
        };
        let mut dice = Dice::new(seed, 2);
        if kinds.rotate && dice.chance(ROTATE) {
            look.angle = (dice.signed() * ROTATE_DEGREES * strength).to_radians();
        }
        let mut dice = Dice::new(seed, 3);
        if kinds.shift && dice.chance(SHIFT) {
            look.face.x += dice.signed() * SHIFT_SIDES * strength * face.w;
            look.face.y += dice.signed() * SHIFT_SIDES * strength * face.h;
        }
        let mut dice = Dice::new(seed, 4);
        if kinds.scale && dice.chance(SCALE) {
            let by = (1.0 + SCALE_BY * strength).powf(dice.signed());
            grow(&mut look.face, by - 1.0);
        }
        let mut dice = Dice::new(seed, 5);
        if kinds.jitter && dice.chance(JITTER) {
            let mut edge = |side: f32| dice.signed() * JITTER_SIDES * strength * side;
            let Rect { w, h, .. } = look.face;
            let (left, top, right, bottom) = (edge(w), edge(h), edge(w), edge(h));
            look.face.x += left;
            look.face.y += top;
            look.face.w += right - left;
            look.face.h += bottom - top;
        }
        look
    }
}

/// Larger by this share of its sides, around its middle.
fn grow(face: &mut Rect, by: f32) {
    face.x -= face.w * by / 2.0;
    face.y -= face.h * by / 2.0;
    face.w *= 1.0 + by;
    face.h *= 1.0 + by;
}

/// Cuts what is looked at out of patches; keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    around: Vec<u8>,
    columns: Vec<Option<usize>>,
}

impl Cutter {
    /// The crop that inference would make for this look, at the patch's own resolution.
    pub(super) fn cut(&mut self, patch: &Patch, spec: &InputSpec, look: &Look, into: &mut Rgb) {
        let (window, border) = patch.window(&spec.crop, &look.face);
        (into.width, into.height) = (window.w as usize, window.h as usize);
        if look.angle == 0.0 {
            self.copy(patch, window, border, &mut into.data);
        } else {
            self.tilted(patch, window, border, look.angle, &mut into.data);
        }
        if look.flip {
            for row in into.data.chunks_exact_mut(3 * into.width) {
                row.as_chunks_mut::<3>().0.reverse();
            }
        }
    }

    /// A window of the patch, what lies outside filled in.
    fn copy(&mut self, patch: &Patch, window: Window, border: Border, data: &mut Vec<u8>) {
        let (origin, frame) = (patch.place.origin, patch.place.frame);
        let source = |i, origin, frame, n| source(i, origin, frame, n, border);
        self.columns.clear();
        let columns = (window.x..window.x + window.w)
            .map(|x| source(x, origin.0, frame.0 as i64, patch.width as i64));
        self.columns.extend(columns);
        // Most windows lie inside: their rows are copied in one go.
        let whole = window.x >= 0 && window.x + window.w <= patch.width as i64;
        data.clear();
        for y in window.y..window.y + window.h {
            let Some(row) = source(y, origin.1, frame.1 as i64, patch.height as i64) else {
                data.resize(data.len() + 3 * window.w as usize, 0);
                continue;
            };
            let row = &patch.rgb[3 * row * patch.width..3 * (row + 1) * patch.width];
            if whole {
                let x = window.x as usize;
                data.extend_from_slice(&row[3 * x..3 * (x + window.w as usize)]);
                continue;
            }
            let pixels = row.as_chunks::<3>().0;
            let black = [0; 3];
            let pixels = self.columns.iter().map(|c| c.map_or(black, |c| pixels[c]));
            data.extend(pixels.flatten());
        }
    }

    /// The window turned around its middle, each pixel mixed of the four around it.
    fn tilted(
        &mut self,
        patch: &Patch,
        window: Window,
        border: Border,
        angle: f32,
        data: &mut Vec<u8>,
    ) {
        let (sin, cos) = angle.sin_cos();
        let (w, h) = (window.w as f32, window.h as f32);
        // How far the turned window reaches over the straight one, with one pixel to mix.
        let reach = |along: f32, across: f32| {
            ((along * cos.abs() + across * sin.abs() - along) / 2.0)
                .max(0.0)
                .ceil() as i64
                + 2
        };
        let (rx, ry) = (reach(w, h), reach(h, w));
        let wide = Window {
            x: window.x - rx,
            y: window.y - ry,
            w: window.w + 2 * rx,
            h: window.h + 2 * ry,
        };
        let mut around = std::mem::take(&mut self.around);
        self.copy(patch, wide, border, &mut around);
        let pixels = around.as_chunks::<3>().0;
        let stride = wide.w as usize;
        let middle = (wide.w as f32 / 2.0, wide.h as f32 / 2.0);
        data.clear();
        data.resize(3 * (window.w * window.h) as usize, 0);
        let rows = data.chunks_exact_mut(3 * window.w as usize);
        for (y, row) in rows.enumerate() {
            let v = y as f32 + 0.5 - h / 2.0;
            let (from_x, from_y) = (
                middle.0 - v * sin - 0.5 - cos * (w - 1.0) / 2.0,
                middle.1 + v * cos - 0.5 - sin * (w - 1.0) / 2.0,
            );
            for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let (fx, fy) = (from_x + x as f32 * cos, from_y + x as f32 * sin);
                // In parts of 256, which bytes cannot tell from real numbers.
                let (x, y) = ((fx * 256.0) as usize, (fy * 256.0) as usize);
                let (ax, ay) = ((x & 255) as u32, (y & 255) as u32);
                let at = (y >> 8) * stride + (x >> 8);
                let (top, below) = (&pixels[at..at + 2], &pixels[at + stride..at + stride + 2]);
                let weights = [
                    (256 - ax) * (256 - ay),
                    ax * (256 - ay),
                    (256 - ax) * ay,
                    ax * ay,
                ];
                let around = [top[0], top[1], below[0], below[1]];
                *pixel = std::array::from_fn(|c| {
                    let sum = |sum, (w, p): (&u32, &[u8; 3])| sum + w * u32::from(p[c]);
                    (weights.iter().zip(&around).fold(1 << 15, sum) >> 16) as u8
                });
            }
        }
        self.around = around;
    }
}

/// The pixel of the patch that stands for pixel `i` along one axis; none where that is black. Outside the frame the border counts; what
/// lies in the frame and not in the patch is mirrored at the patch's edge.
fn source(i: i64, origin: i64, frame: i64, n: i64, border: Border) -> Option<usize> {
    if (0..n).contains(&i) {
        return Some(i as usize);
    }
    let in_frame = i + origin;
    let in_frame = match border {
        _ if (0..frame).contains(&in_frame) => in_frame,
        Border::Black => return None,
        Border::Replicate => in_frame.clamp(0, frame - 1),
        Border::Reflect => mirrored(in_frame, frame),
    };
    Some(mirrored(in_frame - origin, n) as usize)
}

/// As [`Border::Reflect`]: the outermost pixel is not repeated.
fn mirrored(i: i64, n: i64) -> i64 {
    let period = 2 * (n - 1);
    if period <= 0 {
        return 0;
    }
    let i = i.rem_euclid(period);
    i.min(period - i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{gradient, spec};
    use liveness::crop::{Outside, Shape};
    use proptest::prelude::*;

    const CALM: Look = Look {
        face: Rect::new(40.0, 30.0, 40.0, 40.0),
        angle: 0.0,
        flip: false,
    };

    fn cut(look: Look, outside: Outside) -> Rgb {
        let patch = gradient(120, 100, CALM.face);
        let spec = spec(Shape::Square, 1.5, outside, 20);
        let mut rgb = Rgb::default();
        Cutter::default().cut(&patch, &spec, &look, &mut rgb);
        assert_eq!(rgb.data.len(), 3 * rgb.width * rgb.height);
        rgb
    }

    fn at(rgb: &Rgb, x: usize, y: usize) -> [u8; 3] {
        let i = 3 * (y * rgb.width + x);
        [rgb.data[i], rgb.data[i + 1], rgb.data[i + 2]]
    }

    #[test]
    fn a_calm_look_is_the_crop_and_a_flip_its_mirror() {
        let shift = Outside::Shift;
        let calm = cut(CALM, shift);
        // The gradient's red is x, its green y: the window starts at 30, 20.
        assert_eq!(at(&calm, 0, 0)[..2], [30, 20]);
        let flipped = cut(Look { flip: true, ..CALM }, shift);
        for x in 0..calm.width {
            assert_eq!(at(&calm, x, 7), at(&flipped, calm.width - 1 - x, 7));
        }
    }

    #[test]
    fn a_turn_by_a_quarter_exchanges_the_axes() {
        let fill = Outside::Fill(Border::Black);
        let calm = cut(CALM, fill);
        let angle = std::f32::consts::FRAC_PI_2;
        let turned = cut(Look { angle, ..CALM }, fill);
        let n = calm.width;
        for (x, y) in [(5, 9), (40, 11), (n - 2, n / 2)] {
            let (a, b) = (at(&turned, x, y), at(&calm, n - 1 - y, x));
            assert!(
                a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1),
                "{a:?} {b:?}"
            );
        }
    }

    #[test]
    fn outside_the_frame_the_border_counts() {
        let edge = Look {
            face: Rect::new(-10.0, 30.0, 40.0, 40.0),
            ..CALM
        };
        let black = cut(edge, Outside::Fill(Border::Black));
        assert_eq!(at(&black, 0, 0), [0; 3]);
        let reflected = cut(edge, Outside::Fill(Border::Reflect));
        assert_eq!(at(&reflected, 0, 0)[0], 20);
        let repeated = cut(edge, Outside::Fill(Border::Replicate));
        assert_eq!(at(&repeated, 0, 0)[0], 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_look_and_a_switch_leaves_the_others_alone() {
        let draw = |kinds, seed| Look::draw(&CALM.face, &kinds, seed, 1.0);
        assert_eq!(draw(Augment::NONE, 3), CALM);
        let no_shift = Augment {
            shift: false,
            ..Augment::ALL
        };
        let looks: Vec<Look> = (0..200).map(|seed| draw(Augment::ALL, seed)).collect();
        for (seed, look) in looks.iter().enumerate() {
            assert_eq!(*look, draw(Augment::ALL, seed as u64));
            let without = draw(no_shift, seed as u64);
            assert_eq!((look.angle, look.flip), (without.angle, without.flip));
            assert!(look.angle.to_degrees().abs() <= ROTATE_DEGREES);
            assert!((0.7..1.4).contains(&(look.face.w / CALM.face.w)));
        }
        let flips = looks.iter().filter(|l| l.flip).count();
        assert!((70..130).contains(&flips), "{flips}");
    }

    proptest! {
        #[test]
        fn any_look_is_cut(
            x in -60.0f32..160.0, y in -60.0f32..160.0, w in 1.0f32..150.0, h in 1.0f32..150.0, angle in -3.0f32..3.0,
            outside in prop_oneof![
                Just(Outside::Shift), Just(Outside::Fill(Border::Black)),
                Just(Outside::Fill(Border::Reflect)), Just(Outside::Fill(Border::Replicate)),
            ],
        ) {
            cut(Look { face: Rect::new(x, y, w, h), angle, flip: true }, outside);
        }
    }
}
