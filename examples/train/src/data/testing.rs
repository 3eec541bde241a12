// SPDX-License-Identifier: MIT OR Apache-2.0
//! Patches made up for tests.

use liveness::crop::{Crop, Outside, Shape};
use liveness::dataset::hash::Hash;
use liveness::dataset::label::Class;
use liveness::dataset::sample::Layout;
use liveness::geometry::Rect;
use liveness::quality::Quality;
use liveness::resize::Channels;

use super::input::InputSpec;
use super::patch::{About, BoxFrom, Cut, Patch, Place};
use crate::augment::Stats;

/// A model that takes RGB in 0..1 at a square size.
pub(crate) fn spec(shape: Shape, scale: f64, outside: Outside, side: usize) -> InputSpec {
    let crop = Crop {
        shape,
        scale,
        outside,
    };
    let unit = [1.0 / 255.0; 3];
    InputSpec::new(crop, (side, side), Channels::Rgb, [0.0; 3], unit)
}

/// A whole frame whose red is x, whose green is y and whose blue is 60.
pub(crate) fn gradient(width: usize, height: usize, face: Rect) -> Patch {
    let pixel = |i: usize| [(i % width) as u8, (i / width) as u8, 60];
    let cut = Cut {
        rgb: (0..width * height).flat_map(pixel).collect(),
        size: (width, height),
        face,
        place: Place {
            origin: (0, 0),
            frame: (width, height),
        },
        input: None,
        cramped: false,
        short: false,
        crop: (1, 1),
    };
    let stats = Stats {
        brightness: 60.0,
        contrast: 30.0,
        saturation: 30.0,
        resolution: 2.0,
        quality: 90.0,
    };
    let about = About {
        path: "made-up.jpg".into(),
        folder: 0,
        layout: Layout::Folders,
        class: Class::Live,
        attack: None,
        species: None,
        session: "s".into(),
        group_name: "g".into(),
        group: 0,
        subset: None,
        size: (width, height),
        sha256: [0; 32],
        rendered_of: None,
        hash: Hash::default(),
        face,
        origin: (0, 0),
        box_from: BoxFrom::Detector,
        cramped: false,
        short: false,
        quality: Quality::default(),
    };
    Patch::new(cut, stats, about)
}

/// A whole frame with detail in every pixel.
pub(crate) fn textured(width: usize, height: usize, face: Rect) -> Patch {
    let mut patch = gradient(width, height, face);
    patch.rgb = noise(3 * width * height);
    patch
}

/// Bytes without a pattern.
pub(crate) fn noise(n: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..n).map(|_| next()).collect()
}

/// A patch of this class and group.
pub(crate) fn patch(class: Class, group: u32) -> Patch {
    let mut patch = gradient(40, 40, Rect::new(10.0, 10.0, 20.0, 20.0));
    patch.about.class = class;
    patch.about.group = group;
    patch.about.group_name = format!("g{group}");
    patch
}
