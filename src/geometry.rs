// SPDX-License-Identifier: MIT OR Apache-2.0
//! Points and boxes on a picture. Plain data: knows no pixels and no models.

/// A point, in pixels unless a field says otherwise; the top left corner of the picture is (0, 0).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// An axis-parallel box: top left corner and size, in pixels unless a field says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// A box from its top left corner and size.
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// A box from two opposite corners: left, top, right, bottom.
    pub fn from_corners(x1: f32, y1: f32, x2: f32, y2: f32) -> Self {
        Self::new(x1, y1, x2 - x1, y2 - y1)
    }

    /// Right edge.
    pub fn right(&self) -> f32 {
        self.x + self.w
    }

    /// Bottom edge.
    pub fn bottom(&self) -> f32 {
        self.y + self.h
    }

    /// The middle of the box.
    pub fn center(&self) -> Point {
        Point {
            x: self.x + self.w / 2.0,
            y: self.y + self.h / 2.0,
        }
    }

    /// Area; 0 for a box without extent.
    pub fn area(&self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    /// All four numbers are finite and the box has an extent.
    pub fn is_valid(&self) -> bool {
        [self.x, self.y, self.w, self.h]
            .iter()
            .all(|v| v.is_finite())
            && self.w > 0.0
            && self.h > 0.0
    }

    /// What both boxes cover, or `None` where they are apart or only touch.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let r = Self::from_corners(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        // Both must be positive by themselves: the product of two negative extents would look like an overlap.
        (r.w > 0.0 && r.h > 0.0).then_some(r)
    }

    /// Intersection over union, 0..1.
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.intersect(other).map_or(0.0, |r| r.area());
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }

    /// The same box with both axes multiplied, as when the picture is scaled.
    pub fn scaled(&self, sx: f32, sy: f32) -> Self {
        Self::new(self.x * sx, self.y * sy, self.w * sx, self.h * sy)
    }

    /// The whole pixels that it covers of a picture of `width` x `height`, as left, top, width and height; `None` where these are none.
    pub fn pixels(&self, width: u32, height: u32) -> Option<(u32, u32, u32, u32)> {
        // Cutting off would make a number of what is none.
        let r = self
            .is_valid()
            .then(|| self.clamped(width as f32, height as f32))??;
        let (x, y) = (r.x.round() as u32, r.y.round() as u32);
        let (right, bottom) = (r.right().round() as u32, r.bottom().round() as u32);
        (right > x && bottom > y).then(|| (x, y, right - x, bottom - y))
    }

    /// The part inside a picture of `width` x `height`, or `None` where nothing of it is.
    pub fn clamped(&self, width: f32, height: f32) -> Option<Self> {
        self.intersect(&Self::new(0.0, 0.0, width, height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rects() -> impl Strategy<Value = Rect> {
        (
            -500.0f32..500.0,
            -500.0f32..500.0,
            0.1f32..400.0,
            0.1f32..400.0,
        )
            .prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    #[test]
    fn boxes_apart_on_both_axes_do_not_overlap() {
        let a = Rect::new(0.0, 0.0, 10.0, 10.0);
        let b = Rect::new(50.0, 50.0, 10.0, 10.0);
        assert_eq!(a.iou(&b), 0.0);
        assert_eq!(a.intersect(&b), None);
    }

    #[test]
    fn iou_of_a_half_overlap_is_a_third() {
        let a = Rect::new(0.0, 0.0, 2.0, 2.0);
        let b = Rect::new(1.0, 0.0, 2.0, 2.0);
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn not_a_number_is_no_box() {
        assert!(!Rect::new(f32::NAN, 0.0, 1.0, 1.0).is_valid());
        assert!(!Rect::new(0.0, 0.0, f32::INFINITY, 1.0).is_valid());
        assert!(!Rect::new(0.0, 0.0, 0.0, 1.0).is_valid());
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_and_bounded(a in rects(), b in rects()) {
            let v = a.iou(&b);
            prop_assert!((0.0..=1.0 + 1e-5).contains(&v));
            prop_assert!((v - b.iou(&a)).abs() < 1e-6);
            prop_assert!((a.iou(&a) - 1.0).abs() < 1e-3);
        }

        #[test]
        fn clamped_lies_inside(a in rects(), w in 1.0f32..600.0, h in 1.0f32..600.0) {
            if let Some(r) = a.clamped(w, h) {
                prop_assert!(r.x >= 0.0 && r.y >= 0.0 && r.right() <= w + 1e-3 && r.bottom() <= h + 1e-3);
            }
        }
    }
}
