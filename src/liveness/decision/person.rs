// SPDX-License-Identifier: MIT OR Apache-2.0
//! One face over time: what was heard of it, whether it is still the same one, and when a model is to look again.

use super::evidence::{Evidence, Stand, log_odds};
use super::likeness::Thumbnail;
use super::look::Look;
use super::{HOLD, Rules, decide, uncertain};
use crate::face::{Cues, Label, Reason, Verdict};
use crate::liveness::cues::{Course, Moment, Wanted};

/// Likeness below which a face is another one. In 18 clips, nobody looked less like himself in two frames in a row, with blinking, talking,
/// turning and hands before the face; of a crowd of runners whose heads rock and hide each other, 4 did. Of two persons who were exchanged,
/// 3 of 4 did.
const ALIKE: f32 = 0.55;
/// Frames in a row that must say so: one is a hand before the face.
const DOUBTS: u32 = 2;
/// A weight from which on a look is good enough to speak of collecting, not of what is bad about it.
const GOOD: f32 = 0.5;

/// What is remembered of a face that is followed.
#[derive(Clone, Debug)]
pub(super) struct Person {
    evidence: Evidence,
    /// The face in this frame, or in the last one that it was in, and when that was, in seconds.
    now: Look,
    seen: f64,
    /// Frames since, 0 in this one.
    pub(super) missed: u32,
    /// What it looks like, and for how many frames it did not.
    face: Thumbnail,
    doubts: u32,
    /// What a model was asked about last, and frames since.
    asked: Option<Look>,
    frames: u32,
    /// When it answered last, in seconds, and what.
    heard: Option<f64>,
    answer: Option<f32>,
    /// The cues of the picture that a model was asked about last, and those over time.
    picture: Cues,
    course: Course,
}

impl Person {
    pub(super) fn new(look: Look, now: f64) -> Self {
        Self {
            evidence: Evidence::default(),
            face: look.thumbnail.clone(),
            now: look,
            seen: now,
            missed: 0,
            doubts: 0,
            asked: None,
            frames: 0,
            heard: None,
            answer: None,
            picture: Cues::default(),
            course: Course::default(),
        }
    }

    /// The face in another frame. What is not surely the same face starts from nothing.
    pub(super) fn meet(&mut self, look: Look, now: f64) {
        let same = match self.face.likeness(&look.thumbnail) {
            // Nothing to tell them by; what it looked like is still known for when there is light again.
            None => true,
            Some(likeness) if likeness >= ALIKE => {
                self.face = look.thumbnail.clone();
                self.doubts = 0;
                true
            }
            Some(_) => {
                self.doubts += 1;
                self.doubts < DOUBTS
            }
        };
        if !same || look.jumped(&self.now, now - self.seen) {
            *self = Self::new(look, now);
            return;
        }
        self.now = look;
        self.seen = now;
        self.missed = 0;
        self.frames = self.frames.saturating_add(1);
    }

    /// Seconds since it was in a frame.
    pub(super) fn away(&self, now: f64) -> f64 {
        now - self.seen
    }

    /// Whether a model is to look at it in this frame.
    pub(super) fn is_due(&self, now: f64, rules: &Rules) -> bool {
        if self.weight(rules) <= 0.0 {
            return false;
        }
        let settled = if rules.is_over_time() {
            self.evidence.is_settled()
        } else {
            self.answer.is_some()
        };
        !settled
            || self.doubts > 0
            || self.frames >= rules.interval
            // In time for the verdict not to run out.
            || self.heard.is_none_or(|at| now - at >= HOLD / 2.0)
            || self.asked.as_ref().is_none_or(|then| self.now.differs(then))
    }

    /// How much an answer counts. Without evidence over time a picture is judged however bad it is.
    fn weight(&self, rules: &Rules) -> f32 {
        match self.now.reason() {
            Some(Reason::TooSmall) => 0.0,
            _ if rules.is_over_time() => self.now.weight(),
            _ => 1.0,
        }
    }

    /// What a model said of it in this frame.
    pub(super) fn hear(&mut self, answer: Option<f32>, now: f64, rules: &Rules) {
        self.asked = Some(self.now.clone());
        self.frames = 0;
        self.answer = answer.filter(|p| (0.0..=1.0).contains(p));
        if let Some(odds) = log_odds(answer, rules.threshold) {
            if rules.is_over_time() {
                let passed = self.heard.map_or(0.0, |at| now - at);
                let weight = f64::from(self.weight(rules));
                self.evidence.hear(odds, weight, passed, rules.half_life);
            }
            self.heard = Some(now);
        }
    }

    /// Another look for the cues over time, where the picture is worth one.
    pub(super) fn watch(&mut self, moment: impl FnOnce() -> Moment, now: f64) {
        if self.now.weight() > 0.0 {
            self.course.add(&moment(), now);
        }
    }

    /// What the cues of the picture say.
    pub(super) fn see(&mut self, cues: Cues) {
        self.picture = cues;
    }

    /// All cues that are wanted, as far as they are known.
    pub(super) fn cues(&self, wanted: Wanted) -> Cues {
        Cues {
            moire: self.picture.moire.filter(|_| wanted.moire),
            border: self.picture.border.filter(|_| wanted.border),
            ..self.course.cues(wanted)
        }
    }

    /// The verdict in this frame.
    pub(super) fn verdict(&mut self, now: f64, rules: &Rules) -> Verdict {
        if !rules.is_over_time() {
            return match self.now.reason() {
                Some(reason @ Reason::TooSmall) => uncertain(reason),
                _ => decide(self.answer, rules.threshold),
            };
        }
        if self.heard.is_some_and(|at| now - at > HOLD) {
            self.evidence = Evidence::default();
            self.heard = None;
            self.picture = Cues::default();
        }
        let bad = |least: f32| self.now.reason().filter(|_| self.now.weight() < least);
        let (label, reason) = match self.evidence.stand() {
            Stand::Live => (Label::Live, None),
            Stand::Spoof => (Label::Spoof, None),
            Stand::Undecided => (
                Label::Uncertain,
                bad(f32::MIN_POSITIVE).or(Some(Reason::Undecided)),
            ),
            Stand::Collecting => match bad(GOOD) {
                Some(reason) => (Label::Uncertain, Some(reason)),
                // A model was asked, and nothing came of it.
                None if self.evidence.looks() == 0 => (Label::Unchecked, None),
                None => (Label::Uncertain, Some(Reason::Collecting)),
            },
        };
        let live = self.evidence.probability(rules.threshold);
        Verdict {
            label,
            reason,
            live,
            looks: self.evidence.looks(),
            last: self.answer.filter(|_| live.is_some()),
            ..Verdict::default()
        }
    }

    /// Whether a model was asked since it is known.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.is_some()
    }
}
