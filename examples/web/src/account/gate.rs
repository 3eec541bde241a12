// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may pass: one person, alone before the camera, live and the right one in ten frames in a row. One frame that is not starts the count
//! anew; ten that speak against the person end it. Knows faces, vectors and time.

use std::time::{Duration, Instant};

use liveness::face::{Face, Label, Reason};
use serde::Serialize;

use crate::identity::Embedding;

/// Frames in a row that it takes.
pub(crate) const RUN: u32 = 10;

/// Time that it may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Shortest side of a face that can be compared: half of what the model is shown.
const LEAST_SIDE: f32 = 56.0;

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The right person, live: the mean of the faces that were seen.
    Granted(Embedding),
    Refused(Refusal),
}

/// Why somebody may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Refusal {
    /// A print, a replay, a mask.
    Spoof,
    /// Somebody else.
    Stranger,
    /// It took too long.
    TooLate,
}

/// Why a frame did not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hint {
    NoFace,
    SeveralFaces,
    NotLive,
    ComeCloser,
    LookStraight,
    /// Evidence is still collected, or is for neither.
    HoldStill,
    MoreLight,
    Stranger,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Standing {
    /// Frames in a row that counted.
    pub(crate) run: u32,
    pub(crate) of: u32,
    /// Whether the face is that of the account, where one could be compared: it may be, and still be a spoof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) same: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<Hint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<Refusal>,
    /// It took ten frames, and here they are.
    pub(crate) granted: bool,
}

/// Counts frames.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Whom the face must be; none where it is a new one.
    wanted: Option<Embedding>,
    track: Option<u64>,
    run: u32,
    /// Sum of the vectors of the run.
    sum: Vec<f32>,
    /// Frames in a row in which it was a spoof, and in which it was somebody else.
    spoofs: u32,
    strangers: u32,
    deadline: Instant,
}

impl Gate {
    /// For whoever must have this face, or for a new one.
    pub(crate) fn new(wanted: Option<Embedding>, now: Instant) -> Self {
        Self {
            wanted,
            track: None,
            run: 0,
            sum: Vec::new(),
            spoofs: 0,
            strangers: 0,
            deadline: now + PATIENCE,
        }
    }

    /// The face of a frame that is worth comparing: the only one, judged, and large enough.
    pub(crate) fn candidate(faces: &[Face]) -> Option<&Face> {
        let [face] = faces else {
            return None;
        };
        let is_judged = matches!(face.verdict.label, Label::Live | Label::Spoof);
        (is_judged && is_large(face) && face.landmarks.is_some()).then_some(face)
    }

    /// One more frame, with the vector of its candidate, and who is the same by `is_same`.
    pub(crate) fn see(
        &mut self,
        faces: &[Face],
        vector: Option<&Embedding>,
        is_same: impl Fn(&Embedding, &Embedding) -> bool,
        now: Instant,
    ) -> (Standing, Option<Outcome>) {
        let reference = self.reference();
        let same = vector.zip(reference.as_ref()).map(|(v, r)| is_same(r, v));
        let counted = self.count(faces, vector, same);
        let hint = counted.err();
        if hint.is_some() {
            self.restart();
        }
        let refusal = if self.spoofs >= RUN {
            Some(Refusal::Spoof)
        } else if self.strangers >= RUN {
            Some(Refusal::Stranger)
        } else if now > self.deadline && self.run < RUN {
            Some(Refusal::TooLate)
        } else {
            None
        };
        let granted = (self.run >= RUN)
            .then(|| Embedding::new(self.sum.clone()))
            .flatten();
        let standing = Standing {
            run: self.run,
            of: RUN,
            same: same.filter(|_| self.wanted.is_some()),
            hint,
            refused: refusal,
            granted: granted.is_some(),
        };
        let outcome = match (refusal, granted) {
            (Some(refusal), _) => Some(Outcome::Refused(refusal)),
            (None, Some(face)) => Some(Outcome::Granted(face)),
            (None, None) => None,
        };
        (standing, outcome)
    }

    /// Whom the next face must be like: the account's, or, of a new one, that of the run.
    fn reference(&self) -> Option<Embedding> {
        let of_run = || Embedding::new(self.sum.clone());
        self.wanted.clone().or_else(of_run)
    }

    /// Counts a frame, or says why not.
    fn count(
        &mut self,
        faces: &[Face],
        vector: Option<&Embedding>,
        same: Option<bool>,
    ) -> Result<(), Hint> {
        let face = match faces {
            [] => return Err(Hint::NoFace),
            [face] => face,
            _ => return Err(Hint::SeveralFaces),
        };
        match face.verdict.label {
            Label::Live => self.spoofs = 0,
            Label::Spoof => {
                self.spoofs += 1;
                return Err(Hint::NotLive);
            }
            Label::Uncertain | Label::Unchecked => return Err(hint(face.verdict.reason)),
        }
        if !is_large(face) {
            return Err(Hint::ComeCloser);
        }
        let vector = vector.ok_or(Hint::HoldStill)?;
        if same == Some(false) {
            self.strangers += 1;
            return Err(Hint::Stranger);
        }
        self.strangers = 0;
        if face.track.is_none() || (self.run > 0 && face.track != self.track) {
            return Err(Hint::HoldStill);
        }
        self.track = face.track;
        self.run += 1;
        self.sum.resize(vector.numbers().len(), 0.0);
        for (sum, number) in self.sum.iter_mut().zip(vector.numbers()) {
            *sum += number;
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.run = 0;
        self.track = None;
        self.sum.clear();
    }
}

fn is_large(face: &Face) -> bool {
    face.rect.w.min(face.rect.h) >= LEAST_SIDE
}

/// What a person can do about an uncertain verdict.
fn hint(reason: Option<Reason>) -> Hint {
    match reason {
        Some(Reason::TooSmall) => Hint::ComeCloser,
        Some(Reason::Dark | Reason::OverExposed) => Hint::MoreLight,
        Some(Reason::TurnedAway | Reason::CutOff) => Hint::LookStraight,
        _ => Hint::HoldStill,
    }
}

#[cfg(test)]
mod tests {
    use liveness::face::Verdict;
    use liveness::geometry::{Point, Rect};

    use super::*;

    fn face(label: Label, track: u64) -> Face {
        Face {
            rect: Rect::new(10.0, 10.0, 100.0, 120.0),
            landmarks: Some([Point::default(); 5]),
            track: Some(track),
            verdict: Verdict {
                label,
                ..Verdict::default()
            },
            ..Face::default()
        }
    }

    fn vector(angle: f32) -> Embedding {
        Embedding::new(vec![angle.cos(), angle.sin()]).unwrap()
    }

    /// A gate for the account whose face lies at angle 0.
    struct Play {
        gate: Gate,
        now: Instant,
    }

    impl Play {
        fn log_in() -> Self {
            let now = Instant::now();
            let gate = Gate::new(Some(vector(0.0)), now);
            Self { gate, now }
        }

        fn enrol() -> Self {
            let now = Instant::now();
            let gate = Gate::new(None, now);
            Self { gate, now }
        }

        fn frame(&mut self, faces: &[Face], angle: f32) -> (Standing, Option<Outcome>) {
            self.now += Duration::from_millis(100);
            let vector = Gate::candidate(faces).map(|_| vector(angle));
            let is_same = |a: &Embedding, b: &Embedding| a.cosine(b) >= 0.8;
            self.gate.see(faces, vector.as_ref(), is_same, self.now)
        }

        fn frames(&mut self, count: u32, label: Label, angle: f32) -> (Standing, Option<Outcome>) {
            let mut last = None;
            for _ in 0..count {
                last = Some(self.frame(&[face(label, 1)], angle));
            }
            last.unwrap()
        }
    }

    #[test]
    fn ten_live_frames_in_a_row_of_the_right_person_pass() {
        let mut play = Play::log_in();
        let (standing, outcome) = play.frames(9, Label::Live, 0.1);
        assert_eq!(
            (standing.run, standing.same, outcome),
            (9, Some(true), None)
        );
        let (standing, outcome) = play.frames(1, Label::Live, 0.1);
        assert!(standing.granted && matches!(outcome, Some(Outcome::Granted(_))));
    }

    #[test]
    fn one_frame_that_is_not_starts_it_anew() {
        let live = face(Label::Live, 1);
        let mut small = live.clone();
        small.rect.w = 40.0;
        let odd = [
            (vec![], Hint::NoFace),
            (vec![live.clone(), live.clone()], Hint::SeveralFaces),
            (vec![face(Label::Uncertain, 1)], Hint::HoldStill),
            (vec![face(Label::Unchecked, 1)], Hint::HoldStill),
            (vec![face(Label::Spoof, 1)], Hint::NotLive),
            (vec![face(Label::Live, 2)], Hint::HoldStill),
            (vec![small], Hint::ComeCloser),
        ];
        for (faces, hint) in odd {
            let mut play = Play::log_in();
            play.frames(9, Label::Live, 0.0);
            let (standing, outcome) = play.frame(&faces, 0.0);
            assert_eq!(
                (standing.run, standing.hint, outcome),
                (0, Some(hint), None),
                "{faces:?}"
            );
            assert_eq!(play.frames(9, Label::Live, 0.0).1, None);
            assert!(matches!(
                play.frames(1, Label::Live, 0.0).1,
                Some(Outcome::Granted(_))
            ));
        }
        let mut play = Play::log_in();
        play.frames(9, Label::Live, 0.0);
        let (standing, _) = play.frames(1, Label::Live, 1.5);
        assert_eq!(
            (standing.run, standing.hint, standing.same),
            (0, Some(Hint::Stranger), Some(false))
        );
    }

    #[test]
    fn a_spoof_is_refused_although_the_face_is_the_right_one() {
        let mut play = Play::log_in();
        let (standing, outcome) = play.frames(9, Label::Spoof, 0.0);
        assert_eq!(
            (standing.run, standing.same, outcome),
            (0, Some(true), None)
        );
        let (standing, outcome) = play.frames(1, Label::Spoof, 0.0);
        assert_eq!(outcome, Some(Outcome::Refused(Refusal::Spoof)));
        assert_eq!(standing.refused, Some(Refusal::Spoof));
        // A spoof that is uncertain in between is still one.
        let mut play = Play::log_in();
        for _ in 0..9 {
            play.frames(1, Label::Spoof, 0.0);
            assert_eq!(play.frames(1, Label::Uncertain, 0.0).1, None);
        }
        let (_, outcome) = play.frames(1, Label::Spoof, 0.0);
        assert_eq!(outcome, Some(Outcome::Refused(Refusal::Spoof)));
    }

    #[test]
    fn somebody_else_is_refused_and_nobody_waits_for_ever() {
        let mut play = Play::log_in();
        assert_eq!(play.frames(9, Label::Live, 1.0).1, None);
        let (_, outcome) = play.frames(1, Label::Live, 1.0);
        assert_eq!(outcome, Some(Outcome::Refused(Refusal::Stranger)));

        let mut play = Play::log_in();
        assert_eq!(play.frames(300, Label::Uncertain, 0.0).1, None);
        let (_, outcome) = play.frames(1, Label::Uncertain, 0.0);
        assert_eq!(outcome, Some(Outcome::Refused(Refusal::TooLate)));
    }

    #[test]
    fn who_enrols_must_be_one_person_all_the_time() {
        let mut play = Play::enrol();
        let (standing, _) = play.frames(9, Label::Live, 0.3);
        assert_eq!((standing.run, standing.same), (9, None));
        let (standing, _) = play.frames(1, Label::Live, 1.5);
        assert_eq!((standing.run, standing.hint), (0, Some(Hint::Stranger)));
        let (_, outcome) = play.frames(10, Label::Live, 1.5);
        let Some(Outcome::Granted(mean)) = outcome else {
            panic!("{outcome:?}");
        };
        assert!(mean.cosine(&vector(1.5)) > 0.999);
    }
}
