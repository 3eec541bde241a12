// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is drawn where: sizes that follow the frame, boxes cut to it, labels with a place in it. Pure geometry in pixels of the
//! frame; knows no GStreamer and paints nothing.

use liveness::geometry::Rect;

/// Pixels of a frame, from its top left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Area {
    pub(super) fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    pub(super) fn right(&self) -> i32 {
        self.x.saturating_add(self.w)
    }

    pub(super) fn bottom(&self) -> i32 {
        self.y.saturating_add(self.h)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}

/// Sizes for one kind of frame: a pair is columns and rows, which differ where pixels are not square.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Look {
    /// The frame.
    pub(super) frame: (i32, i32),
    /// Columns as wide as a row is high.
    pub(super) across: f64,
    /// Width of a box's coloured line.
    pub(super) line: (i32, i32),
    /// Width of the dark rim on both its sides, which shows it on any background.
    pub(super) rim: (i32, i32),
    /// Radius of a box's corners.
    pub(super) radius: (i32, i32),
    /// Radius of a landmark, rim included.
    pub(super) dot: (i32, i32),
    /// Height of text in rows (its em).
    pub(super) em: f64,
    /// Pango's description of the font, without a size.
    pub(super) font: String,
}

/// Line width and em, in shares of the displayed frame's shorter side; the em as a caption on television has it.
const LINE: f64 = 0.0035;
const EM: f64 = 0.026;

/// Smallest line and em, in rows, that can be seen and read.
const LEAST_LINE: f64 = 2.0;
const LEAST_EM: f64 = 13.0;

impl Look {
    /// For frames of `frame` columns and rows with pixels `par` times as wide as high.
    pub(super) fn new(frame: (i32, i32), par: f64, text_scale: f64, font: &str) -> Self {
        // Beyond this, pixels are no longer meant to be looked at.
        let across = (1.0 / par).clamp(0.1, 10.0);
        let (width, height) = (f64::from(frame.0) / across, f64::from(frame.1));
        let side = width.min(height);
        let line = (side * LINE).round().max(LEAST_LINE);
        let rim = (side / 900.0).round().max(1.0);
        let pair = |rows: f64| ((rows * across).round().max(1.0) as i32, rows.round() as i32);
        let em = (side * EM).max(LEAST_EM) * text_scale;
        Self {
            frame,
            across,
            // One column is lost in the chroma of a subsampled frame.
            line: (pair(line).0.max(2), pair(line).1),
            rim: pair(rim),
            radius: pair(4.0 * line),
            dot: pair((1.25 * line + rim).ceil()),
            // A label fits into the frame, whatever was asked for.
            em: em.min(height / 2.0).max(1.0),
            font: font.to_owned(),
        }
    }

    /// Columns and rows of a box's stroke, both rims included.
    pub(super) fn stroke(&self) -> (i32, i32) {
        (self.line.0 + 2 * self.rim.0, self.line.1 + 2 * self.rim.1)
    }

    /// Columns and rows that a corner takes.
    pub(super) fn corner(&self) -> (i32, i32) {
        let stroke = self.stroke();
        (self.radius.0.max(stroke.0), self.radius.1.max(stroke.1))
    }

    /// The pixels that a box around `face` takes, stroke included: its middle runs along the face's edges, inside the frame.
    /// `None` where nothing of the face is in the frame.
    pub(super) fn outline(&self, face: &Rect) -> Option<Area> {
        if !face.is_valid() {
            return None;
        }
        let r = face.clamped(self.frame.0 as f32, self.frame.1 as f32)?;
        let (stroke, frame) = (self.stroke(), self.frame);
        let (x, w) = widened(r.x, r.right(), stroke.0, frame.0);
        let (y, h) = widened(r.y, r.bottom(), stroke.1, frame.1);
        Some(Area::new(x, y, w, h))
    }
}

/// Start and length of `from..to` with half a stroke on both sides, at least two strokes long, inside `0..size`.
fn widened(from: f32, to: f32, stroke: i32, size: i32) -> (i32, i32) {
    let start = (from.round() as i32 - stroke / 2).clamp(0, size);
    let end = (to.round() as i32 + stroke / 2).clamp(start, size);
    let length = (end - start).max(2 * stroke).min(size);
    (start.min(size - length), length)
}

/// The four strips of pixels that hold a box's stroke; those at the top and the bottom hold its corners.
pub(super) fn strips(area: Area, stroke: (i32, i32), corner: (i32, i32)) -> Vec<Area> {
    let top = corner.1.min(area.h - area.h / 2);
    let bottom = corner.1.min(area.h - top);
    let side = stroke.0.min(area.w / 2);
    let (y, h) = (area.y + top, area.h - top - bottom);
    let mut strips = vec![
        Area::new(area.x, area.y, area.w, top),
        Area::new(area.x, area.bottom() - bottom, area.w, bottom),
        Area::new(area.x, y, side, h),
        Area::new(area.right() - side, y, side, h),
    ];
    strips.retain(|s| s.w > 0 && s.h > 0);
    strips
}

/// Which of a pattern's `pattern` pixels stands at `i` of a length stretched in its middle: its first and last `keep` pixels stay.
pub(super) fn stretched(i: i32, length: i32, pattern: i32, keep: i32) -> i32 {
    if i < keep || length <= pattern {
        i.min(pattern - 1)
    } else if i >= length - keep {
        pattern - (length - i)
    } else {
        keep.min(pattern - 1)
    }
}

/// Where a label of `w` x `h` pixels stands: above its face, else below, else inside at the top or the bottom; at the first
/// of these that lies in the frame and on no other label, and wholly in the frame in any case. The label is not larger than
/// the frame.
pub(super) fn place(
    (w, h): (i32, i32),
    face: Area,
    gap: (i32, i32),
    frame: (i32, i32),
    taken: &[Area],
) -> Area {
    let within = |v: i32, size: i32, of: i32| v.clamp(0, (of - size).max(0));
    let rows = [
        face.y - gap.1 - h,
        face.bottom() + gap.1,
        face.y + 2 * gap.1,
        face.bottom() - 2 * gap.1 - h,
    ];
    let columns = [
        (face.x, face.x + 2 * gap.0),
        (face.right() - w, face.right() - w - 2 * gap.0),
    ];
    let spots = rows.iter().enumerate().flat_map(|(i, &y)| {
        columns.map(|(outside, inside)| {
            let x = if i < 2 { outside } else { inside };
            Area::new(within(x, w, frame.0), y, w, h)
        })
    });
    let spots: Vec<Area> = spots
        .filter(|s| s.y >= 0 && s.bottom() <= frame.1)
        .collect();
    let free = |s: &&Area| taken.iter().all(|t| !t.overlaps(s));
    let spot = spots.iter().find(free).or(spots.first()).copied();
    spot.unwrap_or_else(|| {
        let y = within(face.y, h, frame.1);
        Area::new(within(face.x, w, frame.0), y, w, h)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(width: i32, height: i32) -> Look {
        Look::new((width, height), 1.0, 1.0, "Sans")
    }

    fn inside(area: Area, (w, h): (i32, i32)) -> bool {
        area.x >= 0
            && area.y >= 0
            && area.w > 0
            && area.h > 0
            && area.right() <= w
            && area.bottom() <= h
    }

    #[test]
    fn sizes_follow_the_frame() {
        let (small, hd, uhd) = (look(320, 240), look(1920, 1080), look(3840, 2160));
        assert!(small.em >= 11.0 && small.line.1 >= 2);
        assert!((uhd.em / hd.em - 2.0).abs() < 0.01 && uhd.line.1 == 2 * hd.line.1);
        // A portrait frame is as a landscape one.
        assert_eq!(look(1080, 1920).em, hd.em);
    }

    #[test]
    fn displayed_sizes_do_not_depend_on_the_shape_of_pixels() {
        // 1440x1080 with pixels 4:3 is shown as 1920x1080.
        let (wide, square) = (
            Look::new((1440, 1080), 4.0 / 3.0, 1.0, "Sans"),
            look(1920, 1080),
        );
        assert_eq!((wide.em, wide.line.1), (square.em, square.line.1));
        assert_eq!(wide.line.0, 3);
    }

    #[test]
    fn a_box_without_a_place_is_not_drawn() {
        let look = look(320, 240);
        for r in [
            Rect::new(f32::NAN, 0.0, 9.0, 9.0),
            Rect::new(0.0, 0.0, 0.0, 9.0),
            Rect::new(0.0, 0.0, -9.0, 9.0),
            Rect::new(400.0, 10.0, 50.0, 50.0),
            Rect::new(-60.0, 10.0, 50.0, 50.0),
        ] {
            assert_eq!(look.outline(&r), None, "{r:?}");
        }
    }

    #[test]
    fn the_stroke_runs_along_the_edges() {
        let look = look(320, 240);
        let area = look.outline(&Rect::new(100.0, 60.0, 80.0, 90.0));
        assert_eq!(area, Some(Area::new(98, 58, 84, 94)));
    }

    #[test]
    fn labels_stand_above_then_below_then_inside() {
        let frame = (320, 240);
        let at = |face: Area, taken: &[Area]| place((60, 20), face, (2, 2), frame, taken);
        let free = Area::new(100, 100, 80, 80);
        assert_eq!(at(free, &[]), Area::new(100, 78, 60, 20));
        assert_eq!(at(Area::new(100, 5, 80, 80), &[]).y, 87);
        assert_eq!(at(Area::new(0, 0, 320, 240), &[]), Area::new(4, 4, 60, 20));
        // At the right edge it moves to the left.
        assert_eq!(at(Area::new(290, 100, 30, 80), &[]).x, 260);
        // Where another label stands already, it takes the next spot.
        let above = at(free, &[]);
        assert_eq!(at(free, &[above]).y, 182);
    }

    proptest! {
        #[test]
        fn whatever_is_drawn_lies_in_the_frame(
            (w, h) in (16i32..4000, 16i32..3000), par in 0.05f64..20.0,
            (x, y) in (-1e6f32..1e6, -1e6f32..1e6), (bw, bh) in (1e-3f32..1e6, 1e-3f32..1e6),
            near in any::<bool>(), label in (1i32..900, 1i32..90),
        ) {
            let look = Look::new((w, h), par, 1.0, "Sans");
            let shrink = if near { 1e-3 } else { 1.0 };
            let face = Rect::new(x * shrink, y * shrink, bw * shrink, bh * shrink);
            if let Some(area) = look.outline(&face) {
                prop_assert!(inside(area, (w, h)), "{area:?}");
                let strips = strips(area, look.stroke(), look.corner());
                for (i, s) in strips.iter().enumerate() {
                    prop_assert!(inside(*s, (w, h)), "{s:?}");
                    prop_assert!(strips[..i].iter().all(|o| !o.overlaps(s)));
                }
                let label = (label.0.min(w), label.1.min(h));
                let spot = place(label, area, look.line, (w, h), &[area]);
                prop_assert!(inside(spot, (w, h)), "{spot:?}");
            }
        }

        #[test]
        fn a_stretched_pattern_keeps_its_ends(length in 1i32..500, keep in 1i32..20) {
            let pattern = length.min(2 * keep + 1);
            let map: Vec<i32> = (0..length).map(|i| stretched(i, length, pattern, keep)).collect();
            prop_assert!(map.iter().all(|&i| (0..pattern).contains(&i)));
            prop_assert!(map.windows(2).all(|p| p[1] - p[0] == 0 || p[1] - p[0] == 1));
            prop_assert_eq!((map[0], map[length as usize - 1]), (0, pattern - 1));
        }
    }
}
