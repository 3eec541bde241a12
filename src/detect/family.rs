// SPDX-License-Identifier: MIT OR Apache-2.0
//! Telling the families of detectors apart by their outputs, and what each expects.

use super::{Candidate, blazeface, retinaface, scrfd, ssd, ultraface, yunet};
use crate::resize::Channels;
use crate::runtime::{Outlet, OutputView};

/// A family of face detectors: same preprocessing, same outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// libfacedetection's YuNet (OpenCV's `face_detection_yunet`).
    YuNet,
    /// InsightFace's SCRFD.
    Scrfd,
    /// Ultra-Light-Fast-Generic-Face-Detector (Linzaer), the export with decoded boxes.
    UltraFace,
    /// RetinaFace with the MobileNet 0.25 backbone (biubug6).
    RetinaFace,
    /// MediaPipe's BlazeFace, short range.
    BlazeFace,
    /// Single shot detectors with their boxes decoded in the graph (Caffe's `DetectionOutput`), as OpenCV's res10.
    Ssd,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 6] = [
        Self::YuNet,
        Self::Scrfd,
        Self::UltraFace,
        Self::RetinaFace,
        Self::BlazeFace,
        Self::Ssd,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::YuNet => "YuNet",
            Self::Scrfd => "SCRFD",
            Self::UltraFace => "UltraFace",
            Self::RetinaFace => "RetinaFace",
            Self::BlazeFace => "BlazeFace",
            Self::Ssd => "SSD",
        }
    }

    /// The family whose outputs these are.
    pub(super) fn identify(outputs: &[Outlet]) -> Option<Self> {
        let last = |n: i64| {
            outputs
                .iter()
                .filter(move |o| o.shape.last() == Some(&n))
                .count()
        };
        if yunet::OUTPUTS
            .iter()
            .all(|name| outputs.iter().any(|o| o.name == *name))
        {
            return Some(Self::YuNet);
        }
        match (outputs.len(), last(1), last(4), last(10)) {
            (9, 3, 3, 3) | (6, 3, 3, 0) => return Some(Self::Scrfd),
            (3, 0, 1, 1) if last(2) == 1 => return Some(Self::RetinaFace),
            (2, 0, 1, 0) if last(2) == 1 => return Some(Self::UltraFace),
            (2, 1, 0, 0) if last(16) == 1 => return Some(Self::BlazeFace),
            _ => {}
        }
        matches!(outputs, [only] if only.shape.len() == 4 && last(7) == 1).then_some(Self::Ssd)
    }

    /// Channels, mean and scale of the input, as the family's authors have them.
    pub(super) fn preprocessing(self) -> (Channels, [f32; 3], [f32; 3]) {
        match self {
            Self::YuNet => (Channels::Bgr, [0.0; 3], [1.0; 3]),
            Self::Scrfd => (Channels::Rgb, [127.5; 3], [1.0 / 128.0; 3]),
            Self::UltraFace => (Channels::Rgb, [127.0; 3], [1.0 / 128.0; 3]),
            Self::RetinaFace => (Channels::Bgr, [104.0, 117.0, 123.0], [1.0; 3]),
            Self::BlazeFace => (Channels::Rgb, [127.5; 3], [1.0 / 127.5; 3]),
            Self::Ssd => (Channels::Bgr, [104.0, 177.0, 123.0], [1.0; 3]),
        }
    }

    /// Confidence that the family's authors recommend.
    pub fn default_threshold(self) -> f32 {
        match self {
            Self::UltraFace => 0.7,
            Self::YuNet | Self::RetinaFace => 0.6,
            Self::Scrfd | Self::BlazeFace | Self::Ssd => 0.5,
        }
    }

    /// Overlap that the family's authors recommend.
    pub fn default_nms_threshold(self) -> f32 {
        match self {
            Self::YuNet => 0.45,
            Self::Scrfd | Self::RetinaFace | Self::Ssd => 0.4,
            Self::UltraFace | Self::BlazeFace => 0.3,
        }
    }

    /// Whether a model of the family with these outputs gives five points of each face.
    pub(super) fn has_landmarks(self, outputs: &[Outlet]) -> bool {
        match self {
            Self::YuNet | Self::RetinaFace | Self::BlazeFace => true,
            Self::Scrfd => outputs.iter().any(|o| o.shape.last() == Some(&10)),
            Self::UltraFace | Self::Ssd => false,
        }
    }

    /// The only input size at which the family's anchors are defined.
    pub(super) fn native_size(self) -> Option<usize> {
        (self == Self::BlazeFace).then_some(blazeface::SIZE)
    }

    /// Adds the candidates of at least `threshold` in `outputs` for an input of `size` (width, height). What a damaged model gives is
    /// not sorted out yet: [`suppress`](super::suppress) does that.
    ///
    /// # Errors
    /// What is wrong with the outputs, where they are not those of the family.
    pub fn decode(
        self,
        outputs: &[OutputView],
        size: (usize, usize),
        threshold: f32,
        found: &mut Vec<Candidate>,
    ) -> Result<(), String> {
        match self {
            Self::YuNet => yunet::decode(outputs, size, threshold, found),
            Self::Scrfd => scrfd::decode(outputs, size, threshold, found),
            Self::UltraFace => ultraface::decode(outputs, size, threshold, found),
            Self::RetinaFace => retinaface::decode(outputs, size, threshold, found),
            Self::BlazeFace => blazeface::decode(outputs, size, threshold, found),
            Self::Ssd => ssd::decode(outputs, size, threshold, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlets(list: &[(&str, &[i64])]) -> Vec<Outlet> {
        list.iter()
            .map(|(name, shape)| Outlet {
                name: (*name).into(),
                shape: shape.to_vec(),
            })
            .collect()
    }

    #[test]
    fn families_are_told_apart_by_their_outputs() {
        let ultra = outlets(&[("scores", &[1, 4420, 2]), ("boxes", &[1, 4420, 4])]);
        assert_eq!(Family::identify(&ultra), Some(Family::UltraFace));
        let retina = outlets(&[
            ("output0", &[1, 16800, 4]),
            ("572", &[1, 16800, 2]),
            ("571", &[1, 16800, 10]),
        ]);
        assert_eq!(Family::identify(&retina), Some(Family::RetinaFace));
        let blaze = outlets(&[("preds", &[1, 896, 16]), ("conf", &[1, 896, 1])]);
        assert_eq!(Family::identify(&blaze), Some(Family::BlazeFace));
        let ssd = outlets(&[("detection_out", &[1, 1, -1, 7])]);
        assert_eq!(Family::identify(&ssd), Some(Family::Ssd));
        let scrfd_without_points = outlets(&[
            ("443", &[12800, 1]),
            ("468", &[3200, 1]),
            ("493", &[800, 1]),
            ("446", &[12800, 4]),
            ("471", &[3200, 4]),
            ("496", &[800, 4]),
        ]);
        assert_eq!(Family::identify(&scrfd_without_points), Some(Family::Scrfd));
        assert!(!Family::Scrfd.has_landmarks(&scrfd_without_points));
        let points = outlets(&[("448", &[12800, 10])]);
        assert!(Family::Scrfd.has_landmarks(&[scrfd_without_points, points].concat()));
        let classifier = outlets(&[("output", &[1, 3])]);
        assert_eq!(Family::identify(&classifier), None);
        assert_eq!(Family::identify(&[]), None);
    }
}
