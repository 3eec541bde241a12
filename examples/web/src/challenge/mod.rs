// SPDX-License-Identifier: MIT OR Apache-2.0
//! A challenge: one person, followed all the time, does what is asked in the order that was drawn, each in its time, and is live in the end.
//! Knows faces and time.
//!
//! Until then nobody is called live; what fails stays so, and the next one is another session with other steps.

mod step;

use std::time::{Duration, Instant};

use liveness::face::{Face, Label};
use serde::Serialize;

use step::{Pose, Step};

/// Steps of a challenge: with three to draw from, six orders.
const STEPS: usize = 2;

/// Frames in a row that somebody looks into the camera before anything is asked.
const STEADY: usize = 5;

/// How long it must stay done, in two frames at least: people who talk turn their heads as far for half a second without being asked to, and so do
/// films of them.
const HOLD: Duration = Duration::from_millis(700);

/// How long the person may be out of sight while somebody else is seen.
const AWAY: Duration = Duration::from_millis(1500);

/// Why a challenge failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failure {
    /// Nobody looked into the camera.
    NoFace,
    /// A step was not done in its time.
    TooLate,
    /// Somebody else took the person's place.
    AnotherFace,
    /// All was done, and the person was not called live.
    NotLive,
}

/// What the person could do for the challenge to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hint {
    /// There is none to follow.
    NoFace,
    LookStraight,
    MoveBack,
    HoldStill,
}

/// How far a challenge is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// For somebody who looks into the camera.
    Waiting {
        hint: Hint,
        left: f32,
    },
    /// Something is asked for.
    Step {
        step: Step,
        number: usize,
        of: usize,
        /// How far it is done, 0..1.
        progress: f32,
        /// Seconds that are left.
        left: f32,
    },
    /// All is done: look into the camera once more, and be live.
    Front {
        left: f32,
    },
    /// Done, and live.
    Passed,
    Failed {
        reason: Failure,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Waiting,
    /// The number of the step, from 0.
    Step(usize),
    Front,
    Passed,
    Failed(Failure),
}

/// A challenge that runs.
#[derive(Debug)]
pub(crate) struct Challenge {
    steps: Vec<Step>,
    /// Time for each step.
    patience: Duration,
    state: State,
    /// The number of the person who is followed.
    track: Option<u64>,
    /// How the person stood before anything was asked.
    steady: Vec<Pose>,
    front: Option<Pose>,
    /// Since when the step is done.
    done: Option<Instant>,
    deadline: Instant,
    /// When the person was seen last.
    seen: Instant,
}

/// Which person a frame shows.
struct Scene<'a> {
    face: Option<(&'a Face, Pose)>,
    /// There is somebody else.
    others: bool,
}

impl Challenge {
    /// With steps that nobody can know.
    ///
    /// # Errors
    /// Where there are no random numbers.
    pub(crate) fn draw(patience: Duration, now: Instant) -> anyhow::Result<Self> {
        Ok(Self::of(Step::draw(STEPS)?, patience, now))
    }

    fn of(steps: Vec<Step>, patience: Duration, now: Instant) -> Self {
        Self {
            steps,
            patience,
            state: State::Waiting,
            track: None,
            steady: Vec::new(),
            front: None,
            done: None,
            // Whoever comes must find a place before the camera first.
            deadline: now + 2 * patience,
            seen: now,
        }
    }

    /// Whether this person has passed.
    pub(crate) fn has_passed(&self, track: Option<u64>) -> bool {
        self.state == State::Passed && track.is_some() && track == self.track
    }

    /// One more frame, with all faces in it.
    pub(crate) fn see(&mut self, faces: &[Face], frame: (u32, u32), now: Instant) -> Stage {
        let scene = self.scene(faces, frame);
        let hint = match self.state {
            State::Waiting => self.wait(&scene, now),
            State::Step(number) => {
                self.step(number, &scene, now);
                Hint::HoldStill
            }
            State::Front => {
                self.finish(&scene, now);
                Hint::LookStraight
            }
            State::Passed | State::Failed(_) => Hint::HoldStill,
        };
        self.stage(&scene, hint, now)
    }

    /// The person of the challenge; before it has begun, the largest face.
    fn scene<'a>(&self, faces: &'a [Face], frame: (u32, u32)) -> Scene<'a> {
        let ours =
            |f: &&Face| f.track.is_some() && (self.steady.is_empty() || f.track == self.track);
        let by_area = |a: &&Face, b: &&Face| a.rect.area().total_cmp(&b.rect.area());
        let face = faces.iter().filter(ours).max_by(by_area);
        Scene {
            face: face.and_then(|f| Some((f, Pose::of(f, frame)?))),
            others: !faces.is_empty(),
        }
    }

    fn wait(&mut self, scene: &Scene, now: Instant) -> Hint {
        let Some((face, pose)) = scene.face else {
            self.steady.clear();
            if now > self.deadline {
                self.state = State::Failed(Failure::NoFace);
            }
            return Hint::NoFace;
        };
        let hint = match pose {
            _ if !pose.is_front() => Hint::LookStraight,
            _ if !pose.has_room() => Hint::MoveBack,
            _ => Hint::HoldStill,
        };
        if hint != Hint::HoldStill {
            self.steady.clear();
            if now > self.deadline {
                self.state = State::Failed(Failure::NoFace);
            }
            return hint;
        }
        self.track = face.track;
        self.steady.push(pose);
        if self.steady.len() >= STEADY {
            self.front = Pose::middle(&self.steady);
            self.go(State::Step(0), now);
        }
        hint
    }

    fn step(&mut self, number: usize, scene: &Scene, now: Instant) {
        self.watch(scene, now);
        let (Some(step), Some(front)) = (self.steps.get(number).copied(), self.front) else {
            return self.go(State::Front, now);
        };
        if let Some((_, pose)) = scene.face {
            let is_done = step.progress(&front, &pose) >= 1.0;
            let since = self.done.filter(|_| is_done);
            self.done = is_done.then(|| since.unwrap_or(now));
            let is_held = since.is_some_and(|since| now - since >= HOLD);
            if is_held && self.state == State::Step(number) {
                let next = number + 1;
                let is_last = next >= self.steps.len();
                let state = if is_last {
                    State::Front
                } else {
                    State::Step(next)
                };
                self.go(state, now);
            }
        } else {
            self.done = None;
        }
        if now > self.deadline && self.state == State::Step(number) {
            self.state = State::Failed(Failure::TooLate);
        }
    }

    fn finish(&mut self, scene: &Scene, now: Instant) {
        self.watch(scene, now);
        let is_live =
            |(face, pose): (&Face, Pose)| pose.is_front() && face.verdict.label == Label::Live;
        if self.state != State::Front {
            return;
        }
        if scene.face.is_some_and(is_live) {
            self.state = State::Passed;
        } else if now > self.deadline {
            self.state = State::Failed(Failure::NotLive);
        }
    }

    /// Fails where somebody else stands there.
    fn watch(&mut self, scene: &Scene, now: Instant) {
        if scene.face.is_some() {
            self.seen = now;
        } else if scene.others && now - self.seen > AWAY {
            self.state = State::Failed(Failure::AnotherFace);
        }
    }

    fn go(&mut self, state: State, now: Instant) {
        self.state = state;
        self.done = None;
        self.deadline = now + self.patience;
        self.seen = now;
    }

    fn stage(&self, scene: &Scene, hint: Hint, now: Instant) -> Stage {
        let left = self.deadline.saturating_duration_since(now).as_secs_f32();
        let left = (10.0 * left).round() / 10.0;
        match self.state {
            State::Waiting => Stage::Waiting { hint, left },
            State::Step(number) => {
                let step = self.steps.get(number).copied();
                let Some((step, front)) = step.zip(self.front) else {
                    return Stage::Front { left };
                };
                let progress = scene
                    .face
                    .map_or(0.0, |(_, pose)| step.progress(&front, &pose));
                Stage::Step {
                    step,
                    number: number + 1,
                    of: self.steps.len(),
                    progress: (100.0 * progress).round() / 100.0,
                    left,
                }
            }
            State::Front => Stage::Front { left },
            State::Passed => Stage::Passed,
            State::Failed(reason) => Stage::Failed { reason },
        }
    }
}

#[cfg(test)]
mod tests;
