// SPDX-License-Identifier: MIT OR Apache-2.0
//! Liveness models that say nothing about themselves, told by their shapes, and what each expects.

use crate::crop::{Outside, Shape as CropShape};
use crate::model::{Card, Output};
use crate::resize::{Border, Channels};
use crate::runtime::Outlet;

/// A family of published models with the same preprocessing and classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// minivision's Silent-Face-Anti-Spoofing: 80x80, three classes, the crop's scale in the file's name.
    MiniFasNet {
        /// The crop's size as a multiple of the box, where the file's name tells it.
        scale: Option<f64>,
    },
    /// facenox's MiniFASNet at 128x128 with two classes.
    Facenox,
    /// LivenessNet (pyimagesearch) at 32x32 with two classes, as Keras exports it.
    LivenessNet,
}

/// What the shapes of a classifier's input and output say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) planar: bool,
    pub(super) any_batch: bool,
    pub(super) classes: usize,
}

/// Most classes of a liveness model. ImageNet classifiers have a thousand.
const MOST_CLASSES: usize = 16;

impl Shape {
    /// One picture in, a few numbers out.
    pub(super) fn of(inputs: &[Outlet], outputs: &[Outlet]) -> Result<Self, String> {
        let ([input], [output]) = (inputs, outputs) else {
            return Err(format!(
                "it has {} inputs and {} outputs, one of each is needed",
                inputs.len(),
                outputs.len()
            ));
        };
        let side = |n: i64| usize::try_from(n).ok().filter(|n| (8..=1024).contains(n));
        let (batch, channels, planar, h, w) = match input.shape[..] {
            [b, c @ (1 | 3), h, w] => (b, c, true, h, w),
            [b, h, w, c @ (1 | 3)] => (b, c, false, h, w),
            _ => {
                return Err(format!(
                    "its input {} is {:?}, not a picture of 1 or 3 channels",
                    input.name, input.shape
                ));
            }
        };
        let (Some(height), Some(width)) = (side(h), side(w)) else {
            return Err(format!(
                "its input {} is {:?}, width and height must be fixed",
                input.name, input.shape
            ));
        };
        let classes = match output.shape[..] {
            [_, classes] => usize::try_from(classes).unwrap_or(0),
            _ => 0,
        };
        if !(2..=MOST_CLASSES).contains(&classes) || !matches!(batch, -1 | 1) {
            return Err(format!(
                "input {} {:?} and output {} {:?} are not those of a classifier of faces",
                input.name, input.shape, output.name, output.shape
            ));
        }
        Ok(Self {
            width,
            height,
            channels: channels as usize,
            planar,
            any_batch: batch == -1 && output.shape[0] == -1,
            classes,
        })
    }
}

impl Family {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MiniFasNet { .. } => "MiniFASNet",
            Self::Facenox => "facenox",
            Self::LivenessNet => "LivenessNet",
        }
    }

    /// The family with these shapes.
    pub(super) fn identify(shape: &Shape, stem: &str) -> Option<Self> {
        match (shape.width, shape.height, shape.channels, shape.classes) {
            (80, 80, 3, 3) => Some(Self::MiniFasNet {
                scale: scale_in(stem),
            }),
            (128, 128, 3, 2) => Some(Self::Facenox),
            (32, 32, 3, 2) => Some(Self::LivenessNet),
            _ => None,
        }
    }

    /// What the family's authors have their models expect.
    pub(super) fn card(self) -> Card {
        let words = |list: &[&str]| Some(list.iter().map(|s| (*s).to_owned()).collect());
        match self {
            // `src/data_io/functional.py`: to_tensor without division; `test.py`: label 1 is a real face.
            Self::MiniFasNet { scale } => Card {
                color: Some(Channels::Bgr),
                mean: Some([0.0; 3]),
                scale: Some([1.0; 3]),
                crop: Some(CropShape::Box),
                crop_scale: scale,
                outside: Some(Outside::Shift),
                classes: words(&["spoof-2d", "live", "spoof-3d"]),
                output: Some(Output::Logits),
                ..Card::default()
            },
            Self::Facenox => Card {
                color: Some(Channels::Rgb),
                mean: Some([0.0; 3]),
                scale: Some([1.0 / 255.0; 3]),
                crop: Some(CropShape::Square),
                crop_scale: Some(1.5),
                outside: Some(Outside::Fill(Border::Reflect)),
                classes: words(&["live", "spoof"]),
                output: Some(Output::Logits),
                ..Card::default()
            },
            // `train_liveness.py`: OpenCV's order of channels, / 255; the label encoder sorts `fake` before `real`.
            Self::LivenessNet => Card {
                color: Some(Channels::Bgr),
                mean: Some([0.0; 3]),
                scale: Some([1.0 / 255.0; 3]),
                crop: Some(CropShape::Box),
                crop_scale: Some(1.0),
                outside: Some(Outside::Fill(Border::Replicate)),
                classes: words(&["spoof", "live"]),
                // Its graph ends in softmax.
                output: Some(Output::Probabilities),
                ..Card::default()
            },
        }
    }
}

/// The crop's scale in a file name, as minivision and those who convert its models write it: `2.7_80x80_MiniFASNetV2`,
/// `4_0_0_80x80_MiniFASNetV1SE`, `MiniFASNetV2_2.7_80`.
fn scale_in(stem: &str) -> Option<f64> {
    let parts: Vec<&str> = stem.split('_').collect();
    let size = parts.iter().position(|p| *p == "80" || *p == "80x80")?;
    // `4_0_0` is minivision's way to write 4.0.
    let before = match parts[..size] {
        [.., n, "0", "0"] => n,
        [.., n] => n,
        [] => return None,
    };
    before.parse().ok().filter(|s| (1.0..=6.0).contains(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_read_from_the_names_in_use() {
        assert_eq!(scale_in("2.7_80x80_MiniFASNetV2"), Some(2.7));
        assert_eq!(scale_in("4_0_0_80x80_MiniFASNetV1SE"), Some(4.0));
        assert_eq!(scale_in("MiniFASNetV2_2.7_80"), Some(2.7));
        assert_eq!(scale_in("MiniFASNetV1SE_4.0_80"), Some(4.0));
        assert_eq!(scale_in("mymodel"), None);
        assert_eq!(scale_in("80"), None);
        assert_eq!(scale_in("model_80"), None);
    }

    #[test]
    fn shapes_of_other_tasks_are_refused() {
        let outlet = |shape: &[i64]| {
            vec![Outlet {
                name: "x".into(),
                shape: shape.to_vec(),
            }]
        };
        let of = |i: &[i64], o: &[i64]| Shape::of(&outlet(i), &outlet(o));
        assert!(of(&[1, 3, 80, 80], &[1, 3]).is_ok());
        assert!(!of(&[1, 3, 80, 80], &[1, 3]).unwrap().any_batch);
        assert!(of(&[-1, 32, 32, 3], &[-1, 2]).is_ok_and(|s| s.any_batch && !s.planar));
        assert!(of(&[1, 3, 112, 112], &[1, 128]).is_err(), "an embedding");
        assert!(of(&[1, 3, -1, -1], &[1, 2]).is_err(), "no size");
        assert!(of(&[1, 5], &[1, 2]).is_err(), "no picture");
        assert!(of(&[8, 3, 80, 80], &[8, 3]).is_err(), "a fixed batch");
    }
}
