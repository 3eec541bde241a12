// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups of faces that are measured apart: near and far ones, masked and bare ones, dark and bright ones.

use std::collections::BTreeSet;

use serde::Serialize;

use super::matching::NEAR;
use super::{Detection, Label, Seen};

/// Bounds of the sizes in pixels, see [`super::Truth::size_of`]: small < 32 <= medium <= 96 < large. They are COCO's, there of pictures
/// with a long side of about 640.
pub const SIZES: [f64; 2] = [32.0, 96.0];

/// Bounds of [`Label::luma`]: dark < 70 <= normal <= 170 < bright. Of 6133 faces in photos from the web, 8 % are darker and 7 % brighter:
/// few enough to be out of the ordinary, and enough to be measured.
pub const LUMAS: [f64; 2] = [70.0, 170.0];

/// What the faces without a name are called where others have one.
const NAMELESS: &str = "(none)";

/// What faces are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// How large they are at a long side of [`super::LONG_SIDE`]: of faces alike, how far away. Bounds: [`SIZES`].
    Size,
    /// What people called them, see [`Label::name`].
    Label,
    /// How bright they are. Bounds: [`LUMAS`].
    Light,
}

impl By {
    /// One word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Label => "label",
            Self::Light => "light",
        }
    }
}

/// Faces that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they are grouped by.
    pub by: By,
    /// What the group is called.
    pub name: String,
    members: Members,
}

/// Which faces belong to a group.
#[derive(Clone, Debug, PartialEq)]
enum Members {
    Size(Range),
    /// Those with this name, or without one.
    Name(Option<String>),
    Luma(Range),
}

/// Numbers from `least` to `most`, both among them, within [`NEAR`].
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
    least: f64,
    most: f64,
}

impl Range {
    /// Below, from the one to the other bound, and above, without a gap and without an overlap.
    fn three([low, high]: [f64; 2]) -> [Self; 3] {
        let range = |least, most| Self { least, most };
        [
            range(f64::NEG_INFINITY, low - 2.0 * NEAR),
            range(low, high),
            range(high + 2.0 * NEAR, f64::INFINITY),
        ]
    }

    fn holds(&self, number: f64) -> bool {
        number >= self.least - NEAR && number <= self.most + NEAR
    }
}

impl Group {
    /// The groups that the labels of these pictures fall into, in their order or that of their names. By label there are none where no
    /// label has a name.
    pub fn all(by: By, pictures: &[Seen]) -> Vec<Self> {
        let named = |name: &str, members| Self {
            by,
            name: name.to_owned(),
            members,
        };
        let three = |names: [&str; 3], bounds, members: fn(Range) -> Members| {
            let ranges = names.into_iter().zip(Range::three(bounds));
            ranges.map(|(n, r)| named(n, members(r))).collect()
        };
        match by {
            By::Size => three(["small", "medium", "large"], SIZES, Members::Size),
            By::Light => three(["dark", "normal", "bright"], LUMAS, Members::Luma),
            By::Label => {
                let labels = pictures.iter().flat_map(|s| &s.truth.labels);
                let names: BTreeSet<&Option<String>> = labels.map(|l| &l.name).collect();
                let group = |name: &str| named(name, Members::Name(Some(name.to_owned())));
                let mut all: Vec<Self> = names
                    .iter()
                    .filter_map(|n| n.as_deref().map(group))
                    .collect();
                if !all.is_empty() && names.contains(&None) {
                    all.push(named(NAMELESS, Members::Name(None)));
                }
                all
            }
        }
    }

    /// Whether a labelled face of this size is one of them.
    pub(super) fn holds(&self, label: &Label, size: f64) -> bool {
        match &self.members {
            Members::Size(range) => range.holds(size),
            Members::Name(name) => label.name == *name,
            Members::Luma(range) => label.luma.is_some_and(|l| range.holds(l)),
        }
    }

    /// Whether a detection of this size that found no face is a mistake here: unless it is known to lie elsewhere. Nobody gave it a
    /// name, so by label it is one in every group.
    pub(super) fn blames(&self, detection: &Detection, size: f64) -> bool {
        match &self.members {
            Members::Size(range) => range.holds(size),
            Members::Name(_) => true,
            Members::Luma(range) => detection.luma.is_none_or(|l| range.holds(l)),
        }
    }
}
