// SPDX-License-Identifier: MIT OR Apache-2.0
//! Challenges against persons who are made of numbers.

use liveness::face::Verdict;
use liveness::geometry::{Point, Rect};

use super::*;

const FRAME: (u32, u32) = (640, 480);
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody before the camera.
#[derive(Clone, Copy)]
struct Person {
    track: u64,
    turn: f32,
    size: f32,
    label: Label,
}

impl Person {
    const NEW: Self = Self {
        track: 1,
        turn: 0.0,
        size: 120.0,
        label: Label::Live,
    };

    fn face(self) -> Face {
        let (x, y, s) = (300.0, 200.0, self.size);
        let point = |dx: f32, dy: f32| Point {
            x: x + s * dx,
            y: y + s * dy,
        };
        Face {
            rect: Rect::new(x - s / 2.0, y - s / 2.0, s, s),
            landmarks: Some([
                point(-0.2, -0.1),
                point(0.2, -0.1),
                point(0.4 * self.turn, 0.1),
                point(-0.15, 0.3),
                point(0.15, 0.3),
            ]),
            track: Some(self.track),
            verdict: Verdict {
                label: self.label,
                ..Verdict::default()
            },
            ..Face::default()
        }
    }
}

/// A challenge, and a camera with ten frames a second.
struct Play {
    challenge: Challenge,
    now: Instant,
}

impl Play {
    fn new(steps: &[Step]) -> Self {
        let now = Instant::now();
        let challenge = Challenge::of(steps.to_vec(), PATIENCE, now);
        Self { challenge, now }
    }

    fn frame(&mut self, persons: &[Person]) -> Stage {
        let faces: Vec<Face> = persons.iter().map(|p| p.face()).collect();
        self.now += Duration::from_millis(100);
        self.challenge.see(&faces, FRAME, self.now)
    }

    fn frames(&mut self, count: u32, person: Person) -> Stage {
        let mut last = None;
        for _ in 0..count {
            last = Some(self.frame(&[person]));
        }
        last.unwrap()
    }

    /// Does what is asked, with this much of it.
    fn obey(&mut self, person: Person, stage: &Stage, share: f32) -> Stage {
        let Stage::Step { step, .. } = stage else {
            panic!("nothing is asked: {stage:?}");
        };
        let done = match step {
            Step::TurnLeft => Person {
                turn: 0.4 * share,
                ..person
            },
            Step::TurnRight => Person {
                turn: -0.4 * share,
                ..person
            },
            Step::ComeCloser => Person {
                size: person.size * (1.0 + 0.4 * share),
                ..person
            },
        };
        self.frames(8, done)
    }
}

const BOTH: [Step; 2] = [Step::TurnRight, Step::ComeCloser];

#[test]
fn who_does_all_in_time_and_is_live_passes() {
    for steps in [BOTH, [Step::ComeCloser, Step::TurnLeft]] {
        let mut play = Play::new(&steps);
        let first = play.frames(5, Person::NEW);
        assert!(
            matches!(first, Stage::Step { step, number: 1, of: 2, .. } if step == steps[0]),
            "{first:?}"
        );
        let second = play.obey(Person::NEW, &first, 1.0);
        assert!(
            matches!(second, Stage::Step { number: 2, .. }),
            "{second:?}"
        );
        let front = play.obey(Person::NEW, &second, 1.0);
        assert!(matches!(front, Stage::Front { .. }), "{front:?}");
        assert!(!play.challenge.has_passed(Some(1)));
        assert_eq!(play.frame(&[Person::NEW]), Stage::Passed);
        assert!(play.challenge.has_passed(Some(1)));
        assert!(!play.challenge.has_passed(Some(2)) && !play.challenge.has_passed(None));
        assert_eq!(play.frames(200, Person::NEW), Stage::Passed);
    }
}

#[test]
fn who_does_nothing_or_too_little_or_the_contrary_is_too_late() {
    let late = Stage::Failed {
        reason: Failure::TooLate,
    };
    for share in [0.0, 0.4, -1.0] {
        let mut play = Play::new(&BOTH);
        let mut stage = play.frames(5, Person::NEW);
        let mut steps = 0;
        while let Stage::Step { number, .. } = stage {
            assert_eq!(number, 1);
            stage = play.obey(Person::NEW, &stage, share);
            steps += 1;
        }
        assert_eq!(stage, late);
        assert!((12..=13).contains(&steps), "{steps}");
        // What failed stays so.
        let now = play.frames(
            3,
            Person {
                turn: -0.4,
                ..Person::NEW
            },
        );
        assert_eq!(now, late);
    }
}

#[test]
fn a_movement_that_is_not_held_does_not_count() {
    let mut play = Play::new(&BOTH);
    play.frames(5, Person::NEW);
    let turned = Person {
        turn: -0.4,
        ..Person::NEW
    };
    for _ in 0..10 {
        play.frames(7, turned);
        let stage = play.frame(&[Person::NEW]);
        assert!(matches!(stage, Stage::Step { number: 1, .. }), "{stage:?}");
    }
    play.frames(7, turned);
    let stage = play.frame(&[]);
    assert!(matches!(stage, Stage::Step { number: 1, .. }), "{stage:?}");
    play.frames(7, turned);
    let stage = play.frame(&[turned]);
    assert!(matches!(stage, Stage::Step { number: 2, .. }), "{stage:?}");
}

#[test]
fn a_spoof_that_moves_does_not_pass() {
    for label in [Label::Spoof, Label::Uncertain, Label::Unchecked] {
        let spoof = Person {
            label,
            ..Person::NEW
        };
        let mut play = Play::new(&BOTH);
        let first = play.frames(5, spoof);
        let second = play.obey(spoof, &first, 1.0);
        play.obey(spoof, &second, 1.0);
        let end = play.frames(105, spoof);
        let failed = Stage::Failed {
            reason: Failure::NotLive,
        };
        assert_eq!(end, failed);
        assert!(!play.challenge.has_passed(Some(1)));
    }
}

#[test]
fn nobody_else_can_do_it() {
    let other = Person {
        track: 2,
        ..Person::NEW
    };
    let failed = Stage::Failed {
        reason: Failure::AnotherFace,
    };
    let mut play = Play::new(&BOTH);
    let stage = play.frames(5, Person::NEW);
    play.obey(other, &stage, 1.0);
    assert_eq!(play.frames(20, other), failed);

    // Somebody who only stands beside does no harm.
    let mut play = Play::new(&BOTH);
    play.frames(5, Person::NEW);
    for _ in 0..30 {
        let stage = play.frame(&[Person::NEW, other]);
        assert!(matches!(stage, Stage::Step { number: 1, .. }), "{stage:?}");
    }
}

#[test]
fn it_begins_with_somebody_who_stands_well() {
    let mut play = Play::new(&BOTH);
    let hint = |stage| match stage {
        Stage::Waiting { hint, .. } => hint,
        other => panic!("{other:?}"),
    };
    assert_eq!(hint(play.frame(&[])), Hint::NoFace);
    let turned = Person {
        turn: 0.4,
        ..Person::NEW
    };
    assert_eq!(hint(play.frames(20, turned)), Hint::LookStraight);
    let near = Person {
        size: 350.0,
        ..Person::NEW
    };
    assert_eq!(hint(play.frames(20, near)), Hint::MoveBack);
    assert_eq!(hint(play.frames(4, Person::NEW)), Hint::HoldStill);
    // Somebody else: from the beginning.
    assert_eq!(hint(play.frame(&[])), Hint::NoFace);
    assert_eq!(hint(play.frames(4, Person::NEW)), Hint::HoldStill);
    assert!(matches!(play.frame(&[Person::NEW]), Stage::Step { .. }));

    let mut play = Play::new(&BOTH);
    let mut last = play.frame(&[]);
    for _ in 0..200 {
        last = play.frame(&[]);
    }
    let failed = Stage::Failed {
        reason: Failure::NoFace,
    };
    assert_eq!(last, failed);
}

#[test]
fn what_is_asked_is_told_as_the_page_reads_it() {
    let mut play = Play::new(&BOTH);
    let stage = play.frames(5, Person::NEW);
    assert_eq!(
        serde_json::to_value(stage).unwrap(),
        serde_json::json!({"state": "step", "step": "turn-right", "number": 1, "of": 2, "progress": 0.0, "left": 10.0})
    );
    let failed = Stage::Failed {
        reason: Failure::TooLate,
    };
    let text = serde_json::to_string(&failed).unwrap();
    assert_eq!(text, r#"{"state":"failed","reason":"too-late"}"#);
}
