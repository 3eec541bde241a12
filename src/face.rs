// SPDX-License-Identifier: MIT OR Apache-2.0
//! A face and what has been found out about it. Plain data.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::geometry::{Point, Rect};

/// Five points of a face, in this order: the eye on the left in the picture, the eye on the right in the picture,
/// the tip of the nose, the mouth corner on the left, the mouth corner on the right.
pub type Landmarks = [Point; 5];

/// One face in one frame. Coordinates are pixels of the frame that was analysed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Face {
    /// Number of the face within its frame, from 1; ties the metadata of the same face together.
    pub id: u32,
    /// Where it is.
    pub rect: Rect,
    /// The detector's confidence, 0..1.
    pub score: f32,
    /// Five points, where the detector gives them.
    pub landmarks: Option<Landmarks>,
    /// Stable over frames, where somebody follows the faces.
    pub track: Option<u64>,
    /// What has been judged. [`Label::Unchecked`] until somebody does.
    pub verdict: Verdict,
}

/// The judgement of one face.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The verdict itself.
    pub label: Label,
    /// Probability that the face is live, 0..1; `None` where no model answered. Of a face that is followed this is what all
    /// looks at it say together, of any other what the model says of this frame.
    pub live: Option<f32>,
    /// Why, where the label is [`Label::Uncertain`].
    pub reason: Option<Reason>,
    /// Name of the model, or of several joined by `+`.
    pub model: Option<Arc<str>>,
    /// Looks that the verdict rests on; 0 where no model answered.
    pub looks: u32,
    /// What the model said at the last of them, 0..1.
    pub last: Option<f32>,
    /// What was measured beside the model. The label does not rest on it.
    pub cues: Cues,
}

/// Cues beside the models, each 0..1: 1 where what was seen speaks for a living person, 0 where it speaks for a spoof, `None` where the cue
/// was not measured or cannot tell. They are no probabilities: how far to trust each, `docs/metadata.md` says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cues {
    /// No peak stands out of the spectrum of the face, as the grid of a screen or a printer's would.
    pub moire: Option<f32>,
    /// No straight edges frame the face, as the rim of a screen or of a print would.
    pub border: Option<f32>,
    /// The points of the face do not move as those of a flat picture.
    pub planar_motion: Option<f32>,
    /// The eyes blink and move.
    pub blink: Option<f32>,
    /// The stream is one that a camera makes: neither frozen, nor looped, nor with impossible times. The same for all faces of a frame.
    pub stream: Option<f32>,
}

impl Verdict {
    /// Confidence in the label that was given, 0..1: the probability of live for [`Label::Live`], its complement
    /// for [`Label::Spoof`], 0 where nothing was decided.
    pub fn confidence(&self) -> f32 {
        match (self.label, self.live) {
            (Label::Live, Some(p)) => p,
            (Label::Spoof, Some(p)) => 1.0 - p,
            _ => 0.0,
        }
    }
}

/// What users see. In terms of ISO/IEC 30107-3, live is a bona fide presentation and spoof an attack presentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Label {
    /// Nobody has judged this face. Never to be treated as live.
    #[default]
    Unchecked,
    /// A living person before the camera.
    Live,
    /// A print, a replay, a mask.
    Spoof,
    /// Judged, but the evidence is not enough; see [`Verdict::reason`].
    Uncertain,
}

impl Label {
    /// All labels, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Unchecked, Self::Live, Self::Spoof, Self::Uncertain];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Live => "live",
            Self::Spoof => "spoof",
            Self::Uncertain => "uncertain",
        }
    }

    /// A stable number for it, as written into `label_id`: 0 unchecked, 1 live, 2 spoof, 3 uncertain.
    pub fn id(self) -> i32 {
        match self {
            Self::Unchecked => 0,
            Self::Live => 1,
            Self::Spoof => 2,
            Self::Uncertain => 3,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Label {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|l| l.as_str() == s).ok_or(())
    }
}

/// Why a face that was looked at got no live or spoof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Smaller than the smallest face that is judged.
    TooSmall,
    /// Not sharp enough.
    Blurred,
    /// Not enough light.
    Dark,
    /// Too much light.
    OverExposed,
    /// Partly outside the frame.
    CutOff,
    /// Seen from the side.
    TurnedAway,
    /// Evidence is still being gathered.
    Collecting,
    /// There is evidence enough, and it is for neither.
    Undecided,
    /// The stream looks as one that was injected: see [`Cues::stream`].
    SuspectStream,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 9] = [
        Self::TooSmall,
        Self::Blurred,
        Self::Dark,
        Self::OverExposed,
        Self::CutOff,
        Self::TurnedAway,
        Self::Collecting,
        Self::Undecided,
        Self::SuspectStream,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooSmall => "too-small",
            Self::Blurred => "blurred",
            Self::Dark => "dark",
            Self::OverExposed => "over-exposed",
            Self::CutOff => "cut-off",
            Self::TurnedAway => "turned-away",
            Self::Collecting => "collecting",
            Self::Undecided => "undecided",
            Self::SuspectStream => "suspect-stream",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways() {
        for label in Label::ALL {
            assert_eq!(label.as_str().parse(), Ok(label));
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
        assert!("Live".parse::<Label>().is_err());
    }

    #[test]
    fn a_face_that_nobody_judged_is_unchecked() {
        let face = Face::default();
        assert_eq!(face.verdict.label, Label::Unchecked);
        assert_eq!(face.verdict.confidence(), 0.0);
    }
}
