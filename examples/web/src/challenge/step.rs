// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person may be asked to do, and how far it is done. Knows the five points and the box of a face.
//!
//! Blinking is not among them. Five points have no eyelids, and the cue that sees blinks (`livenessclassify cues=blink`) tells after seconds whether
//! eyes live, not that they blinked when they were told to; it needs eight looks a second, which a busy server does not give, and a film of
//! somebody blinks, too.

use liveness::face::Face;
use liveness::quality;
use serde::Serialize;

use crate::random;

/// How far a head must turn, as [`quality::turn_to`] counts: who looks into the camera has up to 0.15. A head that is turned by 30 degrees is
/// measured as 0.24 to one side and as 0.31 to the other by the detector that ships.
const TURN: f32 = 0.2;

/// How much larger a face must become.
const GROWTH: f32 = 1.3;

/// Most turn of somebody who looks into the camera.
const FRONT: f32 = 0.2;

/// Largest side of a face, as a part of the frame's shorter side, that can still come closer.
const LARGEST: f32 = 0.6;

/// One thing that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// Turn the head to the person's own left.
    TurnLeft,
    /// To the right.
    TurnRight,
    /// Come closer to the camera.
    ComeCloser,
}

impl Step {
    const ALL: [Self; 3] = [Self::TurnLeft, Self::TurnRight, Self::ComeCloser];

    /// So many of them in an order that nobody can know, none twice.
    ///
    /// # Errors
    /// Where there are no random numbers.
    pub(crate) fn draw(count: usize) -> anyhow::Result<Vec<Self>> {
        let mut left = Self::ALL.to_vec();
        let mut drawn = Vec::new();
        while drawn.len() < count && !left.is_empty() {
            drawn.push(left.swap_remove(random::below(left.len())?));
        }
        Ok(drawn)
    }

    /// How far it is done, 0..1, by somebody who began as `front`.
    pub(crate) fn progress(self, front: &Pose, now: &Pose) -> f32 {
        let done = match self {
            Self::TurnLeft => (now.turn - front.turn) / TURN,
            Self::TurnRight => (front.turn - now.turn) / TURN,
            Self::ComeCloser => (now.side / front.side - 1.0) / (GROWTH - 1.0),
        };
        // What is no number is nothing.
        if done > 0.0 { done.min(1.0) } else { 0.0 }
    }
}

/// How a head is held, and how near it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pose {
    /// Above 0 to the person's own left, see [`quality::turn_to`].
    pub(crate) turn: f32,
    /// Side of the box, as a part of the frame's shorter side.
    pub(crate) side: f32,
}

impl Pose {
    /// None of a face without points.
    pub(crate) fn of(face: &Face, frame: (u32, u32)) -> Option<Self> {
        let shorter = frame.0.min(frame.1).max(1) as f32;
        let side = face.rect.area().sqrt() / shorter;
        let turn = quality::turn_to(face.landmarks.as_ref()?)?;
        (side > 0.0).then_some(Self { turn, side })
    }

    /// Whether somebody looks into the camera.
    pub(crate) fn is_front(&self) -> bool {
        self.turn.abs() <= FRONT
    }

    /// Whether there is room to come closer.
    pub(crate) fn has_room(&self) -> bool {
        self.side <= LARGEST
    }

    /// The middle of some.
    pub(crate) fn middle(poses: &[Self]) -> Option<Self> {
        let middle = |value: fn(&Self) -> f32| {
            let mut values: Vec<f32> = poses.iter().map(value).collect();
            values.sort_unstable_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Some(Self {
            turn: middle(|p| p.turn)?,
            side: middle(|p| p.side)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_order_is_drawn_and_nothing_twice() {
        let mut orders = HashSet::new();
        for _ in 0..300 {
            let drawn = Step::draw(2).unwrap();
            assert!(drawn.len() == 2 && drawn[0] != drawn[1]);
            orders.insert(format!("{drawn:?}"));
        }
        assert_eq!(orders.len(), 6);
        assert_eq!(Step::draw(9).unwrap().len(), 3);
    }

    #[test]
    fn steps_are_done_in_their_own_direction_only() {
        let front = Pose {
            turn: 0.05,
            side: 0.3,
        };
        let turned = |turn| Pose { turn, side: 0.3 };
        let near = |side| Pose { turn: 0.05, side };
        assert_eq!(Step::TurnLeft.progress(&front, &turned(0.36)), 1.0);
        assert_eq!(Step::TurnLeft.progress(&front, &turned(-0.36)), 0.0);
        assert_eq!(Step::TurnRight.progress(&front, &turned(-0.36)), 1.0);
        assert!((Step::TurnRight.progress(&front, &turned(-0.05)) - 0.5).abs() < 1e-3);
        assert_eq!(Step::ComeCloser.progress(&front, &near(0.41)), 1.0);
        assert_eq!(Step::ComeCloser.progress(&front, &near(0.29)), 0.0);
        assert_eq!(Step::ComeCloser.progress(&front, &near(f32::NAN)), 0.0);
    }
}
