// SPDX-License-Identifier: MIT OR Apache-2.0
//! Judging the persons of a stream: measures their faces, asks the models where that is due, and writes what is known by now.

use std::time::{Duration, Instant};

use super::cues::{Gauge, Stream, Wanted};
use super::decision::{Decisions, Look, OverTime, Rules, decide, uncertain};
use super::{Classifier, Settings, is_in_sight, is_too_small};
use crate::error::Result;
use crate::face::{Cues, Face, Label, Reason, Verdict};
use crate::geometry::Rect;
use crate::image::Pixels;
use crate::quality::Meter;
use crate::runtime::Timing;

/// What it took to judge one frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looked {
    /// Faces that the models were asked about; the others carry a verdict that stands, or none can be given.
    pub asked: usize,
    /// What that cost.
    pub timing: Timing,
}

/// A classifier with a memory of those whom it judges. Faces without [`Face::track`] are judged by each frame alone.
#[derive(Debug)]
pub struct Judge {
    classifier: Classifier,
    decisions: Decisions,
    meter: Meter,
    gauge: Gauge,
    stream: Stream,
    /// Memory that is used again for each frame.
    roles: Vec<Role>,
    boxes: Vec<Rect>,
    answers: Vec<Option<f32>>,
    pictures: Vec<Cues>,
}

/// How a face of a frame is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// Not at all.
    None,
    /// By this frame, which the models look at.
    Alone,
    /// With all that is known of its track, which the models look at, …
    Asked(u64),
    /// … or not.
    Carried(u64),
}

impl Judge {
    /// With a memory of nobody.
    pub fn new(classifier: Classifier) -> Self {
        Self {
            classifier,
            decisions: Decisions::default(),
            meter: Meter::default(),
            gauge: Gauge::default(),
            stream: Stream::default(),
            roles: Vec::new(),
            boxes: Vec::new(),
            answers: Vec::new(),
            pictures: Vec::new(),
        }
    }

    /// Its classifier.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// Forgets everybody: what comes is not the continuation of what was.
    pub fn reset(&mut self) {
        self.decisions.reset();
        self.stream.reset();
    }

    /// A frame without a face that can be looked at: lets its time pass. `time` as in [`crate::track::Tracker::update`].
    pub fn pass(&mut self, time: Option<Duration>) {
        self.decisions.start(time, None);
    }

    /// Judges `faces` of `frame` and writes their verdicts, as [`OverTime`] says. A face that no model ever answered for stays
    /// [`Label::Unchecked`](crate::face::Label::Unchecked), as does one outside the frame. `time` as in
    /// [`crate::track::Tracker::update`]. Cues that are `wanted` are written beside; those over time only of faces that are followed.
    ///
    /// # Errors
    /// Those of [`Classifier::classify`]. No face has a verdict then.
    pub fn look(
        &mut self,
        frame: &dyn Pixels,
        faces: &mut [Face],
        time: Option<Duration>,
        settings: &Settings,
        over: &OverTime,
        wanted: Wanted,
    ) -> Result<Looked> {
        let start = Instant::now();
        let threshold = self.classifier.threshold(settings);
        self.decisions
            .start(time, Some(Rules::new(threshold, over)));
        if !over.remembers() {
            self.decisions.reset();
        }
        if wanted.stream || settings.hold_suspect_stream {
            self.stream.add(frame, time, settings.is_live);
        }
        self.roles.clear();
        self.boxes.clear();
        self.pictures.clear();
        for i in 0..faces.len() {
            faces[i].verdict = Verdict::default();
            let role = self.role(frame, faces, i, settings, over);
            if let (Role::Asked(track) | Role::Carried(track), true) = (role, wanted.over_time()) {
                let moment = || self.gauge.moment(frame, &faces[i], wanted);
                self.decisions.watch(track, moment);
            }
            if matches!(role, Role::Alone | Role::Asked(_)) {
                let rect = faces[i].rect;
                self.boxes.push(rect);
                self.pictures.push(self.gauge.picture(frame, &rect, wanted));
            }
            self.roles.push(role);
        }
        let measured = start.elapsed();
        let mut timing = self.classifier.ask(frame, &self.boxes, &mut self.answers)?;
        timing.preprocess += measured;
        let start = Instant::now();
        let mut looks = self.answers.iter().zip(&self.pictures);
        let mut next = || {
            let look = looks.next();
            look.map(|(answer, cues)| (*answer, *cues))
                .unwrap_or_default()
        };
        for (face, role) in faces.iter_mut().zip(&self.roles) {
            let (verdict, asked) = match *role {
                Role::None => continue,
                Role::Alone => {
                    let (answer, cues) = next();
                    let verdict = decide(answer, threshold);
                    (Verdict { cues, ..verdict }, true)
                }
                Role::Asked(track) => {
                    let (answer, cues) = next();
                    self.decisions.hear(track, answer);
                    self.decisions.see(track, cues);
                    self.decisions.verdict(track, wanted)
                }
                Role::Carried(track) => self.decisions.verdict(track, wanted),
            };
            face.verdict = Verdict {
                model: asked.then(|| self.classifier.name.clone()),
                ..verdict
            };
        }
        self.doubt_stream(faces, settings, wanted);
        timing.decode += start.elapsed();
        Ok(Looked {
            asked: self.boxes.len(),
            timing,
        })
    }

    /// Says of all faces what is to be said of their stream.
    fn doubt_stream(&self, faces: &mut [Face], settings: &Settings, wanted: Wanted) {
        for face in faces {
            if wanted.stream {
                face.verdict.cues.stream = self.stream.score();
            }
            let is_held = settings.hold_suspect_stream && self.stream.is_suspect();
            if is_held && face.verdict.label == Label::Live {
                face.verdict.label = Label::Uncertain;
                face.verdict.reason = Some(Reason::SuspectStream);
            }
        }
    }

    /// How face `i` is judged; one that is too small and has no memory gets its verdict here.
    fn role(
        &mut self,
        frame: &dyn Pixels,
        faces: &mut [Face],
        i: usize,
        settings: &Settings,
        over: &OverTime,
    ) -> Role {
        let layout = frame.layout();
        let size = (layout.width as f32, layout.height as f32);
        let face = &faces[i];
        if !is_in_sight(&face.rect, size) {
            return Role::None;
        }
        let too_small = is_too_small(&face.rect, settings);
        if let Some(track) = face.track.filter(|_| over.remembers()) {
            let shared = |(j, f): (usize, &Face)| j != i && f.track == Some(track);
            if faces.iter().enumerate().any(shared) {
                // Nobody can be at two places: whose evidence would it be?
                self.decisions.forget(track);
            } else {
                let look = Look::at(&mut self.meter, frame, face, too_small);
                match self.decisions.meet(track, look) {
                    Some(true) => return Role::Asked(track),
                    Some(false) => return Role::Carried(track),
                    None => (),
                }
            }
        }
        if too_small {
            faces[i].verdict = uncertain(Reason::TooSmall);
            return Role::None;
        }
        Role::Alone
    }
}
