// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a face is called as it is followed, from the answers of a model that can be foreseen.

use proptest::prelude::*;

use super::look::tests::{bad, look};
use super::*;
use crate::geometry::Rect;
use crate::liveness::cues::Moment;

const PLACE: Rect = Rect::new(100.0, 80.0, 60.0, 70.0);

/// One person in frames of 30 a second.
struct Clip {
    decisions: Decisions,
    over: OverTime,
    frame: u32,
    /// Frames that a model looked at.
    asked: Vec<u32>,
}

impl Clip {
    fn new(over: OverTime) -> Self {
        Self {
            decisions: Decisions::default(),
            over,
            frame: 0,
            asked: Vec::new(),
        }
    }

    fn start(&mut self) {
        self.frame += 1;
        let time = Duration::from_secs_f64(f64::from(self.frame) / 30.0);
        let rules = Rules::new(0.5, &self.over);
        self.decisions.start(Some(time), Some(rules));
    }

    /// The next frame, with this face and this answer where a model is asked.
    fn see(&mut self, look: Look, answer: Option<f32>) -> Verdict {
        self.start();
        if self.decisions.meet(1, look).unwrap() {
            self.decisions.hear(1, answer);
            self.asked.push(self.frame);
        }
        self.decisions.verdict(1, Wanted::default()).0
    }

    /// Frames in which it looks the same and gets this answer.
    fn run(&mut self, n: usize, answer: Option<f32>) -> Vec<Verdict> {
        (0..n).map(|_| self.see(look(PLACE, 0), answer)).collect()
    }

    /// A person who stands as live.
    fn live(over: OverTime) -> Self {
        let mut clip = Self::new(over);
        assert_eq!(clip.run(60, Some(0.98))[59].label, Label::Live);
        clip
    }
}

fn labels(verdicts: &[Verdict]) -> Vec<Label> {
    verdicts.iter().map(|v| v.label).collect()
}

fn interval(n: u32) -> OverTime {
    OverTime {
        reclassify_interval: n,
        ..OverTime::default()
    }
}

#[test]
fn no_answer_is_never_live() {
    for bad in [
        None,
        Some(f32::NAN),
        Some(f32::INFINITY),
        Some(-0.1),
        Some(1.1),
    ] {
        assert_eq!(decide(bad, 0.0).label, Label::Unchecked, "{bad:?}");
        let verdicts = Clip::new(OverTime::default()).run(100, bad);
        assert_eq!(labels(&verdicts), [Label::Unchecked; 100], "{bad:?}");
        assert!(verdicts.iter().all(|v| v.live.is_none() && v.looks == 0));
    }
    assert_eq!(decide(Some(0.5), 0.5).label, Label::Live);
    assert_eq!(decide(Some(0.49), 0.5).label, Label::Spoof);
    // A threshold that is no number lets nobody in.
    assert_eq!(decide(Some(1.0), f32::NAN).label, Label::Spoof);
}

#[test]
fn evidence_is_collected_first() {
    let verdicts = Clip::new(OverTime::default()).run(6, Some(0.9));
    for (i, v) in verdicts.iter().enumerate() {
        assert_eq!(v.looks, i as u32 + 1);
        assert_eq!(v.last, Some(0.9));
        if i < 3 {
            assert_eq!(v.reason, Some(Reason::Collecting));
            assert_eq!(v.confidence(), 0.0);
        } else {
            assert_eq!((v.label, v.reason), (Label::Live, None));
            assert!((v.confidence() - 0.9).abs() < 1e-3);
        }
    }
    let middle = Clip::new(OverTime::default()).run(30, Some(0.5));
    assert_eq!(middle[29].reason, Some(Reason::Undecided));
}

#[test]
fn a_model_that_falls_silent_ends_the_verdict_in_the_promised_time() {
    let mut clip = Clip::live(OverTime::default());
    let silent = clip.run(90, Some(f32::NAN));
    let last = silent.iter().rposition(|v| v.label == Label::Live).unwrap();
    assert!((50..=60).contains(&last), "{last}");
    assert_eq!(silent[89].label, Label::Unchecked);
    assert_eq!(silent[89].live, None);
    // And what comes then is collected anew.
    assert_eq!(clip.run(1, Some(0.9))[0].reason, Some(Reason::Collecting));
}

#[test]
fn bad_pictures_do_not_end_a_verdict_at_once_and_alone_give_none() {
    let mut clip = Clip::live(OverTime::default());
    let asked = clip.asked.len();
    let dark: Vec<_> = (0..90)
        .map(|_| clip.see(bad(PLACE, 0, Reason::Dark), Some(0.9)))
        .collect();
    assert_eq!(clip.asked.len(), asked, "asked about what tells nothing");
    let last = dark.iter().rposition(|v| v.label == Label::Live).unwrap();
    assert!((50..=60).contains(&last), "{last}");
    assert_eq!(dark[89].reason, Some(Reason::Dark));
    let mut clip = Clip::new(OverTime::default());
    for _ in 0..100 {
        let verdict = clip.see(bad(PLACE, 0, Reason::TurnedAway), Some(0.9));
        assert_eq!(verdict, uncertain(Reason::TurnedAway));
    }
}

#[test]
fn a_replay_in_the_same_place_is_noticed() {
    // Someone shows a living face, then a phone with the same person's film: same place, same looks.
    for (over, limit) in [(OverTime::default(), 27), (interval(30), 57)] {
        let mut clip = Clip::live(over);
        let replay = clip.run(120, Some(0.05));
        let left = replay.iter().position(|v| v.label != Label::Live).unwrap();
        assert!(left < limit, "live for {left} frames of a replay");
        assert_eq!(replay[left].reason, Some(Reason::Undecided));
        assert_eq!(replay[119].label, Label::Spoof);
        let turned = replay.iter().position(|v| v.label == Label::Spoof).unwrap();
        assert!(turned < limit + 8, "{turned}");
    }
}

#[test]
fn another_face_in_the_same_box_starts_from_nothing() {
    for over in [OverTime::default(), interval(30)] {
        let mut clip = Clip::live(over);
        // One frame with something before the face changes nothing.
        assert_eq!(clip.see(look(PLACE, 3), Some(0.9)).label, Label::Live);
        assert_eq!(clip.run(1, Some(0.9))[0].label, Label::Live);
        clip.see(look(PLACE, 3), Some(0.9));
        let swapped = clip.see(look(PLACE, 3), Some(0.9));
        assert_eq!(swapped.reason, Some(Reason::Collecting));
        assert_eq!(swapped.looks, 1);
    }
}

#[test]
fn a_face_that_jumps_starts_from_nothing() {
    let mut clip = Clip::live(OverTime::default());
    let elsewhere = Rect {
        x: PLACE.x + 200.0,
        ..PLACE
    };
    assert_eq!(clip.see(look(elsewhere, 0), Some(0.9)).looks, 1);
}

#[test]
fn a_verdict_that_stands_is_looked_at_now_and_then_and_sooner_when_something_changes() {
    let mut clip = Clip::new(interval(10));
    let verdicts = clip.run(64, Some(0.98));
    assert_eq!(clip.asked, [1, 2, 3, 4, 14, 24, 34, 44, 54, 64]);
    assert!(verdicts[4..].iter().all(|v| v.label == Label::Live));
    assert_eq!(verdicts[12], verdicts[4], "carried as it was");
    // A larger face is another picture.
    let near = Rect::new(95.0, 75.0, 80.0, 90.0);
    clip.see(look(near, 0), Some(0.98));
    clip.see(look(near, 0), Some(0.98));
    assert_eq!(clip.asked.last(), Some(&65));
    // A look that contradicts is followed by others at once.
    clip.asked.clear();
    let mut answers = [0.98; 20];
    answers[9] = 0.1;
    for p in answers {
        clip.see(look(near, 0), Some(p));
    }
    assert_eq!(clip.asked.len(), 2, "{:?}", clip.asked);
    let mut clip = Clip::live(interval(10));
    clip.asked.clear();
    clip.run(12, Some(0.1));
    assert!(clip.asked.len() >= 3, "{:?}", clip.asked);
}

#[test]
fn a_long_interval_does_not_let_a_verdict_run_out() {
    let mut clip = Clip::live(interval(1_000_000));
    clip.asked.clear();
    let all = clip.run(300, Some(0.98));
    assert!(all.iter().all(|v| v.label == Label::Live));
    assert!((9..=11).contains(&clip.asked.len()), "{:?}", clip.asked);
}

#[test]
fn without_smoothing_each_look_is_a_verdict_of_its_own() {
    let over = OverTime {
        smoothing: 0.0,
        reclassify_interval: 5,
    };
    let mut clip = Clip::new(over);
    let mut label = |p| clip.see(look(PLACE, 0), Some(p)).label;
    assert_eq!(label(0.9), Label::Live);
    for _ in 0..4 {
        assert_eq!(label(0.1), Label::Live, "carried");
    }
    assert_eq!(label(0.1), Label::Spoof);
    assert!(
        !OverTime {
            reclassify_interval: 1,
            ..over
        }
        .remembers()
    );
}

#[test]
fn who_went_is_forgotten_and_who_was_hidden_for_a_moment_is_not() {
    for (gone, looks) in [(20, 61), (40, 1)] {
        let mut clip = Clip::live(OverTime::default());
        for _ in 0..gone {
            clip.start();
        }
        assert_eq!(clip.run(1, Some(0.9))[0].looks, looks);
    }
    let mut clip = Clip::live(OverTime::default());
    clip.decisions.reset();
    assert_eq!(clip.run(1, Some(0.9))[0].looks, 1);
    // Other rules: what was heard was measured against another threshold.
    let mut clip = Clip::live(OverTime::default());
    clip.over.smoothing = 1.0;
    assert_eq!(clip.run(1, Some(0.9))[0].looks, 1);
}

#[test]
fn one_frame_every_three_seconds_is_a_stream_too() {
    let mut decisions = Decisions::default();
    for i in 0..6 {
        let rules = Rules::new(0.5, &OverTime::default());
        decisions.start(Some(Duration::from_secs(3 * i)), Some(rules));
        assert_eq!(decisions.meet(1, look(PLACE, 0)), Some(true));
        decisions.hear(1, Some(0.95));
        let label = decisions.verdict(1, Wanted::default()).0.label;
        let wanted = if i < 3 { Label::Uncertain } else { Label::Live };
        assert_eq!(label, wanted, "{i}");
    }
}

#[test]
fn memory_is_bounded_whatever_numbers_come() {
    let mut decisions = Decisions::default();
    for frame in 0..50 {
        // Time stands still.
        decisions.start(
            Some(Duration::ZERO),
            Some(Rules::new(0.5, &OverTime::default())),
        );
        for i in 0..100 {
            if decisions.meet(frame * 100 + i, look(PLACE, 0)).is_some() {
                decisions.hear(frame * 100 + i, Some(0.9));
            }
        }
        assert!(decisions.persons.len() <= MOST);
    }
    for i in 0..2 * MOST as u64 {
        decisions.meet(1_000_000 + i, look(PLACE, 0));
    }
    assert!(decisions.persons.len() <= MOST);
    for _ in 0..31 {
        decisions.start(None, None);
    }
    assert_eq!(decisions.persons.len(), 0);
}

/// What may happen in a frame: an answer, whether the picture is bad, whether the face is there, how long since the frame before.
fn events() -> impl Strategy<Value = Vec<(Option<f32>, bool, bool, f64)>> {
    let answer = prop_oneof![
        4 => (0f32..=1.0).prop_map(Some),
        2 => Just(Some(0.99)),
        1 => Just(None),
        1 => Just(Some(f32::NAN)),
    ];
    let event = (
        answer,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.9),
        0.0f64..1.5,
    );
    prop::collection::vec(event, 1..80)
}

#[test]
fn cues_are_carried_switched_off_and_end_with_the_person_and_the_looks() {
    let seen = Cues {
        moire: Some(0.25),
        border: Some(0.75),
        ..Cues::default()
    };
    let cues = |clip: &mut Clip, wanted| clip.decisions.verdict(1, wanted).0.cues;
    let mut clip = Clip::live(OverTime::default());
    clip.decisions.see(1, seen);
    clip.run(5, Some(0.98));
    assert_eq!(cues(&mut clip, Wanted::ALL), seen);
    let moire = Wanted {
        moire: true,
        ..Wanted::default()
    };
    let only = Cues {
        border: None,
        ..seen
    };
    assert_eq!(cues(&mut clip, moire), only);
    assert_eq!(cues(&mut clip, Wanted::default()), Cues::default());
    // Two frames with another face.
    for _ in 0..2 {
        clip.see(look(PLACE, 3), Some(0.98));
    }
    assert_eq!(cues(&mut clip, Wanted::ALL), Cues::default());
    clip.decisions.see(1, seen);
    for _ in 0..70 {
        clip.see(bad(PLACE, 3, Reason::Blurred), None);
    }
    assert_eq!(cues(&mut clip, Wanted::ALL), Cues::default());
}

#[test]
fn a_picture_that_is_too_bad_is_not_measured() {
    let mut clip = Clip::live(OverTime::default());
    let mut measured = 0;
    let mut watch = |clip: &mut Clip| {
        clip.decisions.watch(1, || {
            measured += 1;
            Moment::default()
        });
    };
    watch(&mut clip);
    clip.see(bad(PLACE, 0, Reason::CutOff), None);
    watch(&mut clip);
    assert_eq!(measured, 1);
}

proptest! {
    #[test]
    fn nobody_is_live_without_looks_that_were_good_and_recent(
        events in events(), smoothing in 0.05f32..3.0, interval in 1u32..20,
    ) {
        let mut decisions = Decisions::default();
        let over = OverTime { smoothing, reclassify_interval: interval };
        let (mut now, mut good, mut last) = (0.0, 0, f64::NEG_INFINITY);
        for (answer, is_bad, there, passed) in events {
            now += passed;
            let time = Duration::from_secs_f64(now);
            decisions.start(Some(time), Some(Rules::new(0.5, &over)));
            if !there {
                continue;
            }
            let seen = if is_bad { bad(PLACE, 0, Reason::Blurred) } else { look(PLACE, 0) };
            if decisions.meet(1, seen).unwrap() {
                prop_assert!(!is_bad);
                decisions.hear(1, answer);
                if answer.is_some_and(|p| p >= 0.5) {
                    good += 1;
                }
                if answer.is_some_and(|p| !p.is_nan()) {
                    last = now;
                }
            }
            let verdict = decisions.verdict(1, Wanted::default()).0;
            if verdict.label == Label::Live {
                prop_assert!(good >= 2 && now - last <= HOLD + 1e-6, "{verdict:?}");
                prop_assert!(verdict.looks >= 4 && verdict.live.unwrap() >= 0.5 - 1e-6);
            }
            prop_assert_eq!(verdict.reason.is_some(), verdict.label == Label::Uncertain);
        }
    }

    #[test]
    fn persons_do_not_touch_each_other(answers in prop::collection::vec(0f32..=1.0, 1..60)) {
        let rules = Rules::new(0.5, &OverTime::default());
        let (mut alone, mut among) = (Decisions::default(), Decisions::default());
        for p in answers {
            alone.start(None, Some(rules));
            among.start(None, Some(rules));
            for (track, p) in [(7, 1.0 - p), (1, p), (9, 0.5)] {
                among.meet(track, look(PLACE, 0));
                among.hear(track, Some(p));
            }
            alone.meet(1, look(PLACE, 0));
            alone.hear(1, Some(p));
            prop_assert_eq!(alone.verdict(1, Wanted::default()), among.verdict(1, Wanted::default()));
        }
    }
}
