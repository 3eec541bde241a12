// SPDX-License-Identifier: MIT OR Apache-2.0
//! How good a face detector is: found faces against human labels, with what is known about their precision. Knows numbers only.
//!
//! One [`Truth`] is what is known of a picture, one list of [`Detection`]s what a detector said about it, down to low scores.
//!
//! | word | means |
//! |---|---|
//! | match | by falling score, each detection takes the free label that it overlaps most, if the IoU is at least the asked one |
//! | don't care | labels of another group than asked for, and [`Truth::ignore`]: what lies there is neither right nor wrong |
//! | AP | average precision: the area under the precision envelope over recall, all points (M. Everingham and others, "The Pascal visual object classes challenge: a retrospective", 2015) |
//! | AP50, AP50:95 | at an IoU of 0.5; the mean over 0.5, 0.55, … 0.95 (T.-Y. Lin and others, "Microsoft COCO", 2014) |
//! | size | square root of the area with the picture's long side scaled to [`LONG_SIDE`] |
//! | group | faces alike in size, name or light, see [`By`] |
//! | NME | mean distance of the points from the labels over the distance of the eyes |
//!
//! ```
//! use liveness::geometry::Rect;
//! use liveness::metrics::Bootstrap;
//! use liveness::metrics::detection::{Detection, Figures, Label, Seen, Truth};
//!
//! let label = |x| Label::boxed(Rect::new(x, 100.0, 80.0, 80.0));
//! let truth = Truth { long_side: 640.0, labels: vec![label(100.0), label(300.0)], ignore: vec![] };
//! let found = [Detection { rect: Rect::new(102.0, 98.0, 80.0, 80.0), score: 0.9, landmarks: None, luma: None }];
//! let seen = [Seen { truth: &truth, found: &found }];
//! let figures = Figures::of(&seen, 0.5, 10.0, &[], &Bootstrap::default());
//! assert_eq!(figures.recall.map(|r| r.value), Some(0.5));
//! assert_eq!(figures.precision.map(|p| p.value), Some(1.0));
//! ```

mod data;
mod difference;
mod figures;
mod groups;
mod landmarks;
mod matching;
mod order;
mod ranking;

#[cfg(test)]
mod tests;

pub use data::{Detection, LONG_SIDE, Label, Points, Seen, Truth};
pub use difference::ap50_difference;
pub use figures::{FALSE_POSITIVES, Figures, IOUS, OfGroup, RECALL};
pub use groups::{By, Group, LUMAS, SIZES};
pub use landmarks::{nme, profile};
pub use matching::{Hit, Matched, Rules, Verdict, match_picture};
pub use ranking::{Ranked, Ranking};
