// SPDX-License-Identifier: MIT OR Apache-2.0
//! From probabilities to what users see: a verdict on each person instead of each frame.
//!
//! A face that is followed is *unchecked* until a model has answered, then *uncertain* while evidence is collected, then *live*, *spoof* or,
//! where the evidence is for neither, *uncertain*. Evidence is the mean of the looks' log-odds relative to the threshold, which fade with
//! time ([`OverTime::smoothing`]); each look weighs as much as its picture is worth. A verdict is kept as long as the mean stays on its side
//! of the threshold, and nobody becomes live from spoof, or spoof from live, without having been uncertain.
//!
//! How long a face may be called live wrongly, once a replay has taken the place of a living face with the same number and looks:
//! with the default half-life of 0.75 s and 10 looks a second or more, 0.9 s where the model calls the replay one (0.02), 1.3 s where it hesitates
//! (0.2) and 2.4 s where it hardly sees one (0.4); twice as long where the replay is held so far out of focus, or so dark, that it is only
//! just looked at; with rarer looks, 2 to 5 of them. A model that takes the replay for live is not helped.
//! With [`OverTime::reclassify_interval`] up to that many frames, or a second, come on top. Without looks that count (the face is blurred, dark,
//! turned away, or the model gives no number) every verdict ends after [`HOLD`].

use std::collections::HashMap;
use std::time::Duration;

use super::cues::{Moment, Wanted};
use crate::face::{Cues, Label, Reason, Verdict};
use crate::track::{Clock, KEPT, KEPT_LOOKS};

mod evidence;
mod likeness;
mod look;
mod person;

pub(super) use look::Look;
use person::Person;

/// How long a verdict outlives the last look that it rests on, in seconds: a head that turns away and back keeps it, and nobody is
/// called live for longer without a model having looked. Half of it is the longest time between two looks.
pub const HOLD: f64 = 2.0;

/// Persons that are remembered at the most, whatever numbers the metadata holds: more than faces fit into a frame.
const MOST: usize = 1024;

/// How verdicts on faces that are followed come about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverTime {
    /// Seconds after which a look counts half; 0: each look is a verdict of its own. Longer is steadier and slower to turn. By default 0.75:
    /// with the MiniFASNet pair on the faces that YuNet finds in 19 clips, 3043, labels changed 61 times without, 17 times with 0.5 s and 12 times
    /// with 0.75 s; longer times took out no more.
    pub smoothing: f32,
    /// A face whose verdict stands is looked at every how manyth frame: sooner when its size, pose or light changes, when a look contradicts the
    /// verdict, and once a second at least. 0 and 1: every frame, the default: an interval saves time, and costs some when a face changes.
    pub reclassify_interval: u32,
}

impl Default for OverTime {
    fn default() -> Self {
        Self {
            smoothing: 0.75,
            reclassify_interval: 1,
        }
    }
}

impl OverTime {
    /// Whether anything is to be remembered from frame to frame.
    pub(super) fn remembers(&self) -> bool {
        self.smoothing > 0.0 || self.reclassify_interval > 1
    }
}

/// The same, ready for use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    threshold: f32,
    /// In seconds.
    half_life: f64,
    interval: u32,
}

impl Rules {
    pub(super) fn new(threshold: f32, over: &OverTime) -> Self {
        Self {
            threshold,
            // What is no number is no time.
            half_life: f64::from(over.smoothing.max(0.0)),
            interval: over.reclassify_interval,
        }
    }

    fn is_over_time(&self) -> bool {
        self.half_life > 0.0
    }
}

/// The verdict on one look: live from `threshold` on. Without an answer, or with one that is no probability, the face stays
/// unchecked.
pub fn decide(live: Option<f32>, threshold: f32) -> Verdict {
    let live = live.filter(|p| (0.0..=1.0).contains(p));
    let label = match live {
        Some(p) if p >= threshold => Label::Live,
        Some(_) => Label::Spoof,
        None => Label::Unchecked,
    };
    Verdict {
        label,
        live,
        looks: live.map_or(0, |_| 1),
        last: live,
        ..Verdict::default()
    }
}

/// No verdict, for this reason.
pub(super) fn uncertain(reason: Reason) -> Verdict {
    Verdict {
        label: Label::Uncertain,
        reason: Some(reason),
        ..Verdict::default()
    }
}

/// What is remembered of everybody who is followed.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    persons: HashMap<u64, Person>,
    rules: Option<Rules>,
    clock: Clock,
    /// Seconds since the first frame.
    now: f64,
}

impl Decisions {
    /// Forgets everybody.
    pub(super) fn reset(&mut self) {
        self.persons.clear();
        self.clock = Clock::default();
    }

    /// Starts another frame; `time` as in [`crate::track::Tracker::update`]. Who was away for longer than a tracker remembers is
    /// forgotten, and everybody after a break of the stream or where the rules are others.
    pub(super) fn start(&mut self, time: Option<Duration>, rules: Option<Rules>) {
        let (passed, broken) = self.clock.step(time);
        self.now += passed;
        let same = match (&self.rules, &rules) {
            (Some(a), Some(b)) => (a.threshold, a.half_life) == (b.threshold, b.half_life),
            // A frame without faces says nothing about the rules.
            _ => true,
        };
        if broken || !same {
            self.persons.clear();
        }
        self.rules = rules.or(self.rules);
        let now = self.now;
        // Who was in the frame before is known, however long ago that was.
        self.persons
            .retain(|_, p| p.missed == 0 || (p.away(now) <= KEPT && p.missed <= KEPT_LOOKS));
        for person in self.persons.values_mut() {
            person.missed += 1;
        }
    }

    /// The person with this number is in the frame; whether a model is to look. `None` where there is no room to remember one more.
    pub(super) fn meet(&mut self, track: u64, look: Look) -> Option<bool> {
        let now = self.now;
        let rules = self.rules?;
        if let Some(person) = self.persons.get_mut(&track) {
            person.meet(look, now);
            return Some(person.is_due(now, &rules));
        }
        if self.persons.len() >= MOST {
            self.persons.retain(|_, p| p.missed == 0);
        }
        if self.persons.len() >= MOST {
            return None;
        }
        let person = Person::new(look, now);
        let due = person.is_due(now, &rules);
        self.persons.insert(track, person);
        Some(due)
    }

    /// Forgets one person.
    pub(super) fn forget(&mut self, track: u64) {
        self.persons.remove(&track);
    }

    /// Watches this person for the cues over time. A picture too bad to be judged tells them nothing, and is not measured.
    pub(super) fn watch(&mut self, track: u64, moment: impl FnOnce() -> Moment) {
        if let Some(person) = self.persons.get_mut(&track) {
            person.watch(moment, self.now);
        }
    }

    /// What the cues of the picture say of this person in this frame.
    pub(super) fn see(&mut self, track: u64, cues: Cues) {
        if let Some(person) = self.persons.get_mut(&track) {
            person.see(cues);
        }
    }

    /// What the models said of this person in this frame.
    pub(super) fn hear(&mut self, track: u64, answer: Option<f32>) {
        if let (Some(person), Some(rules)) = (self.persons.get_mut(&track), &self.rules) {
            person.hear(answer, self.now, rules);
        }
    }

    /// The verdict on this person in this frame, and whether a model was ever asked for it. Unchecked for who was not met.
    pub(super) fn verdict(&mut self, track: u64, wanted: Wanted) -> (Verdict, bool) {
        match (self.persons.get_mut(&track), &self.rules) {
            (Some(person), Some(rules)) => {
                let verdict = person.verdict(self.now, rules);
                // After the verdict, which forgets what is too old.
                let cues = person.cues(wanted);
                (Verdict { cues, ..verdict }, person.was_asked())
            }
            _ => (Verdict::default(), false),
        }
    }
}

#[cfg(test)]
mod tests;
