// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the verdicts of single frames to decisions about persons. Pure: its time is that of the frames.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use liveness::face::Label;
use liveness_app::live::{Faces, Seen};
use serde::{Deserialize, Serialize};

/// What is decided about a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A live person.
    Granted,
    /// A print, a replay, a mask.
    Intruder,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Granted, Self::Intruder];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Intruder => "intruder",
        }
    }

    /// The verdict that speaks for it.
    pub(crate) fn verdict(self) -> Label {
        match self {
            Self::Granted => Label::Live,
            Self::Intruder => Label::Spoof,
        }
    }
}

/// How much evidence a decision wants: the verdict in so many of so many frames, spread over so long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) frames: usize,
    pub(crate) of: usize,
    pub(crate) spread: Duration,
}

/// A value for each kind of decision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Each<T> {
    pub(crate) granted: T,
    pub(crate) intruder: T,
}

impl<T> Each<T> {
    pub(crate) fn of(&self, kind: Kind) -> &T {
        match kind {
            Kind::Granted => &self.granted,
            Kind::Intruder => &self.intruder,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut T {
        match kind {
            Kind::Granted => &mut self.granted,
            Kind::Intruder => &mut self.intruder,
        }
    }
}

/// How it is decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) evidence: Each<Rule>,
    /// After a decision was announced, others of its kind are made but not announced for so long.
    pub(crate) cool_down: Each<Duration>,
    /// Evidence that is interrupted for longer is worth nothing.
    pub(crate) gap: Duration,
    /// A frame that shows a spoof is evidence for nobody else in it.
    pub(crate) alone: bool,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) kind: Kind,
    pub(crate) seen: Seen,
    pub(crate) at: Duration,
    /// What had been decided about the same face.
    pub(crate) before: Option<Kind>,
    /// Whether actions follow, or the cool-down holds them back.
    pub(crate) announced: bool,
}

/// Verdicts of one face, for or against.
#[derive(Debug, Default)]
struct Window {
    frames: VecDeque<(Duration, bool)>,
}

impl Window {
    /// Whether there is enough now.
    fn add(&mut self, rule: &Rule, gap: Duration, at: Duration, speaks_for: bool) -> bool {
        let age = |past: &(Duration, bool)| at.saturating_sub(past.0);
        if self.frames.back().is_some_and(|last| age(last) > gap) {
            self.frames.clear();
        }
        self.frames.push_back((at, speaks_for));
        // The last ones; more of them where a fast camera makes them in less than the time over which they must be spread.
        while self.frames.len() > rule.of
            && self.frames.get(1).is_some_and(|f| age(f) >= rule.spread)
        {
            self.frames.pop_front();
        }
        let of = self.frames.len().max(rule.of);
        let mut those = self.frames.iter().filter(|(_, is)| *is).map(|(at, _)| *at);
        let first = those.next();
        let count = usize::from(first.is_some()) + those.clone().count();
        let last = those.next_back();
        let spread = last
            .zip(first)
            .map_or(Duration::ZERO, |(l, f)| l.saturating_sub(f));
        // The same share of more frames.
        count * rule.of >= rule.frames * of && spread >= rule.spread
    }
}

/// A face that is followed.
#[derive(Debug, Default)]
struct Track {
    evidence: Each<Window>,
    standing: Option<Kind>,
    last: Duration,
}

/// Decides.
#[derive(Debug)]
pub(crate) struct Policy {
    rules: Rules,
    tracks: BTreeMap<u64, Track>,
    announced: Each<Option<Duration>>,
    last: Option<Duration>,
}

impl Policy {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            tracks: BTreeMap::new(),
            announced: Each::default(),
            last: None,
        }
    }

    /// What follows from one more frame.
    pub(crate) fn see(&mut self, faces: &Faces) -> Vec<Decision> {
        let (at, gap) = (faces.at, self.rules.gap);
        match self.last.replace(at) {
            Some(last) if at < last => {
                // Another time: nothing of it can be compared.
                self.forget();
                self.announced = Each::default();
            }
            Some(last) if at - last > gap => self.forget(),
            _ => (),
        }
        self.tracks
            .retain(|_, track| at.saturating_sub(track.last) <= gap);
        let has_spoof = self.rules.alone && faces.seen.iter().any(|s| self.is_suspect(s));
        let decisions = faces
            .seen
            .iter()
            .filter_map(|seen| self.judge(seen, at, has_spoof));
        decisions.collect()
    }

    /// Whether a face is a spoof, or was one.
    fn is_suspect(&self, seen: &Seen) -> bool {
        let standing = self.tracks.get(&seen.track).and_then(|t| t.standing);
        seen.label == Label::Spoof || standing == Some(Kind::Intruder)
    }

    fn judge(&mut self, seen: &Seen, at: Duration, has_spoof: bool) -> Option<Decision> {
        let Rules { evidence, gap, .. } = self.rules;
        let track = self.tracks.entry(seen.track).or_default();
        track.last = at;
        // Who was an intruder stays one for as long as he is followed.
        if track.standing == Some(Kind::Intruder) {
            return None;
        }
        let is_for = |kind: Kind| seen.label == kind.verdict();
        // Not judged, or not in this company: neither for nor against.
        if !Kind::ALL.into_iter().any(is_for) || (has_spoof && is_for(Kind::Granted)) {
            return None;
        }
        let enough = Kind::ALL.map(|kind| {
            let window = track.evidence.of_mut(kind);
            window.add(evidence.of(kind), gap, at, is_for(kind)) && is_for(kind)
        });
        let mut decided = Kind::ALL.into_iter().zip(enough);
        let kind = decided.find_map(|(kind, enough)| enough.then_some(kind))?;
        if track.standing == Some(kind) {
            return None;
        }
        let before = track.standing.replace(kind);
        let cool_down = *self.rules.cool_down.of(kind);
        let announced = self.announced.of_mut(kind);
        let is_ready = announced.is_none_or(|then| at.saturating_sub(then) >= cool_down);
        // That somebody was let in who turns out to be an intruder is never kept back.
        let is_announced = is_ready || before.is_some();
        if is_announced {
            *announced = Some(at);
        }
        Some(Decision {
            kind,
            seen: seen.clone(),
            at,
            before,
            announced: is_announced,
        })
    }

    /// What was decided of those who are there.
    pub(crate) fn standing(&self) -> BTreeMap<u64, Kind> {
        let standing = self.tracks.iter();
        standing
            .filter_map(|(t, track)| Some((*t, track.standing?)))
            .collect()
    }

    /// There was nothing to see for a while: all begins anew.
    pub(crate) fn forget(&mut self) {
        self.tracks.clear();
    }

    /// A decision that could not be kept: it needs its evidence once more.
    pub(crate) fn take_back(&mut self, decision: &Decision) {
        if let Some(track) = self.tracks.get_mut(&decision.seen.track)
            && track.standing == Some(decision.kind)
        {
            track.standing = decision.before;
            track.evidence = Each::default();
        }
        if decision.announced {
            *self.announced.of_mut(decision.kind) = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Kind::{Granted, Intruder};
    use Label::{Live, Spoof, Uncertain, Unchecked};

    fn rules() -> Rules {
        let rule = Rule {
            frames: 3,
            of: 4,
            spread: Duration::from_millis(200),
        };
        Rules {
            evidence: Each {
                granted: rule,
                intruder: rule,
            },
            cool_down: Each {
                granted: Duration::from_secs(10),
                intruder: Duration::from_secs(5),
            },
            gap: Duration::from_secs(1),
            alone: false,
        }
    }

    fn frame(ms: u64, seen: &[(u64, Label)]) -> Faces {
        let seen = seen.iter().map(|&(track, label)| Seen {
            track,
            label,
            ..Seen::default()
        });
        Faces {
            at: Duration::from_millis(ms),
            seen: seen.collect(),
        }
    }

    struct Door(Policy, u64);

    impl Door {
        fn new(rules: Rules) -> Self {
            Self(Policy::new(rules), 0)
        }

        /// One more frame, a tenth of a second later. What is decided: about whom, what, and whether it is announced.
        fn see(&mut self, seen: &[(u64, Label)]) -> Vec<(u64, Kind, bool)> {
            self.1 += 100;
            let made = self.0.see(&frame(self.1, seen));
            made.iter()
                .map(|d| (d.seen.track, d.kind, d.announced))
                .collect()
        }

        fn repeat(&mut self, n: usize, seen: &[(u64, Label)]) -> Vec<(u64, Kind, bool)> {
            (0..n).flat_map(|_| self.see(seen)).collect()
        }
    }

    #[test]
    fn one_frame_decides_nothing_and_enough_of_them_do_once() {
        for (label, kind) in [(Live, Granted), (Spoof, Intruder)] {
            let mut door = Door::new(rules());
            assert_eq!(door.repeat(2, &[(1, label)]), []);
            assert_eq!(door.see(&[(1, label)]), [(1, kind, true)]);
            assert_eq!(door.repeat(500, &[(1, label)]), []);
        }
    }

    #[test]
    fn what_is_not_judged_counts_for_neither() {
        let mut door = Door::new(rules());
        for label in [Live, Uncertain, Live, Unchecked, Uncertain] {
            assert_eq!(door.see(&[(1, label)]), []);
        }
        assert_eq!(door.see(&[(1, Live)]), [(1, Granted, true)]);
        // For as long as that is no gap.
        assert_eq!(door.repeat(2, &[(2, Live)]), []);
        assert_eq!(door.repeat(11, &[(2, Uncertain)]), []);
        assert_eq!(door.repeat(2, &[(2, Live)]), []);
        assert_eq!(door.see(&[(2, Live)]), [(2, Granted, false)]);
    }

    #[test]
    fn one_of_four_may_say_otherwise_and_two_may_not() {
        let mut door = Door::new(rules());
        for label in [Live, Spoof, Live] {
            assert_eq!(door.see(&[(1, label)]), []);
        }
        assert_eq!(door.see(&[(1, Live)]), [(1, Granted, true)]);
        for n in 0..50 {
            let label = if n % 2 == 0 { Live } else { Spoof };
            assert_eq!(door.see(&[(2, label)]), []);
        }
    }

    #[test]
    fn a_fast_camera_does_not_shorten_the_time() {
        let mut policy = Policy::new(rules());
        let mut decide = |ms| policy.see(&frame(ms, &[(1, Live)])).len();
        assert_eq!((0..200).map(&mut decide).sum::<usize>(), 0);
        assert_eq!(decide(200), 1);
        // Nor its share: a quarter of many frames is more than one.
        let mut policy = Policy::new(rules());
        let mut decide = |ms: u64| {
            let label = if ms.is_multiple_of(3) { Spoof } else { Live };
            policy.see(&frame(ms, &[(1, label)])).len()
        };
        assert_eq!((0..1000).map(&mut decide).sum::<usize>(), 0);
    }

    #[test]
    fn who_was_granted_and_turns_spoof_is_an_intruder_and_stays_one() {
        let mut door = Door::new(rules());
        door.repeat(3, &[(1, Live), (2, Spoof)]);
        assert_eq!(door.0.standing(), [(1, Granted), (2, Intruder)].into());
        // In the cool-down of the intruder that was announced before.
        assert_eq!(door.repeat(4, &[(1, Spoof)]), [(1, Intruder, true)]);
        assert_eq!(door.repeat(50, &[(1, Live)]), []);
        assert_eq!(door.0.standing(), [(1, Intruder)].into());
    }

    #[test]
    fn a_kind_is_announced_once_in_its_cool_down_and_holds_up_no_other() {
        let mut door = Door::new(rules());
        assert_eq!(door.repeat(3, &[(1, Live)]), [(1, Granted, true)]);
        assert_eq!(door.repeat(3, &[(2, Live)]), [(2, Granted, false)]);
        assert_eq!(door.repeat(3, &[(3, Spoof)]), [(3, Intruder, true)]);
        assert_eq!(door.repeat(3, &[(4, Spoof)]), [(4, Intruder, false)]);
        door.repeat(50, &[]);
        assert_eq!(door.repeat(3, &[(5, Spoof)]), [(5, Intruder, true)]);
        assert_eq!(door.repeat(3, &[(6, Live)]), [(6, Granted, false)]);
        door.repeat(40, &[]);
        assert_eq!(door.repeat(3, &[(7, Live)]), [(7, Granted, true)]);
    }

    #[test]
    fn beside_a_spoof_nobody_is_granted_unless_that_is_allowed() {
        let alone = Rules {
            alone: true,
            ..rules()
        };
        let mut door = Door::new(alone);
        let both = [(1, Live), (2, Spoof)];
        assert_eq!(door.repeat(20, &both), [(2, Intruder, true)]);
        // It stays what it was, whatever it looks like now.
        assert_eq!(door.repeat(20, &[(1, Live), (2, Uncertain)]), []);
        assert_eq!(door.repeat(2, &[(1, Live)]), []);
        assert_eq!(door.see(&[(1, Live)]), [(1, Granted, true)]);
        // Who was granted stays that.
        assert_eq!(
            door.repeat(20, &[(1, Live), (3, Spoof)]),
            [(3, Intruder, false)]
        );
        assert_eq!(door.0.standing()[&1], Granted);
    }

    #[test]
    fn a_gap_and_another_time_begin_anew() {
        let mut door = Door::new(rules());
        door.repeat(2, &[(1, Live)]);
        door.1 += 1000;
        assert_eq!(door.repeat(2, &[(1, Live)]), []);
        assert_eq!(door.see(&[(1, Live)]), [(1, Granted, true)]);
        door.1 += 1000;
        assert_eq!(door.see(&[]), []);
        assert!(door.0.standing().is_empty());
        door.1 = 0;
        assert_eq!(door.repeat(3, &[(1, Live)]), [(1, Granted, true)]);
        door.repeat(2, &[(2, Live)]);
        door.0.forget();
        assert_eq!(door.repeat(2, &[(2, Live)]), []);
    }

    #[test]
    fn what_could_not_be_kept_is_decided_again() {
        let mut door = Door::new(rules());
        let faces = |ms| frame(ms, &[(1, Live)]);
        let made: Vec<_> = [0, 100, 200]
            .iter()
            .flat_map(|ms| door.0.see(&faces(*ms)))
            .collect();
        door.0.take_back(&made[0]);
        assert!(door.0.standing().is_empty());
        door.1 = 200;
        assert_eq!(door.repeat(2, &[(1, Live)]), []);
        assert_eq!(door.see(&[(1, Live)]), [(1, Granted, true)]);
    }

    fn label() -> impl Strategy<Value = Label> {
        prop::sample::select(vec![Live, Live, Live, Spoof, Spoof, Uncertain, Unchecked])
    }

    proptest! {
        /// Whatever comes, whenever it comes.
        #[test]
        fn no_decision_without_its_evidence(
            frames in prop::collection::vec((0u64..400, prop::collection::btree_map(1u64..4, label(), 0..4)), 0..200),
            alone in any::<bool>(),
        ) {
            let rules = Rules { alone, ..rules() };
            let mut policy = Policy::new(rules);
            let (mut at, mut all) = (0, Vec::<Faces>::new());
            let mut stood: BTreeMap<u64, Kind> = BTreeMap::new();
            let mut told: Vec<Decision> = Vec::new();
            for (wait, seen) in frames {
                at += wait;
                let seen: Vec<_> = seen.into_iter().collect();
                let faces = frame(at, &seen);
                let before = policy.standing();
                all.push(faces.clone());
                for made in policy.see(&faces) {
                    let (track, verdict) = (made.seen.track, made.kind.verdict());
                    prop_assert_eq!(made.seen.label, verdict, "of what is seen now");
                    let those: Vec<_> = all.iter().filter(|f| f.seen.iter().any(|s| s.track == track && s.label == verdict)).collect();
                    let enough = those.iter().rev().nth(rules.evidence.granted.frames - 1);
                    prop_assert!(enough.is_some(), "on fewer frames");
                    prop_assert!(those.iter().any(|f| faces.at - f.at >= rules.evidence.granted.spread), "too soon");
                    prop_assert_ne!(before.get(&track), Some(&Intruder), "an intruder stays one");
                    prop_assert_ne!(before.get(&track), Some(&made.kind), "decided twice");
                    prop_assert_eq!(made.before, before.get(&track).copied());
                    if made.kind == Granted && alone {
                        prop_assert!(!seen.iter().any(|s| s.1 == Spoof));
                    }
                    stood.insert(track, made.kind);
                    if made.announced {
                        let last = told.iter().rev().find(|d| d.kind == made.kind);
                        let apart = last.map(|d| made.at - d.at);
                        prop_assert!(made.before.is_some() || apart.is_none_or(|a| a >= *rules.cool_down.of(made.kind)));
                        told.push(made);
                    }
                }
                prop_assert!(policy.standing().iter().all(|(t, k)| stood.get(t) == Some(k)));
            }
        }
    }
}
