// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cues beside the models: moiré, a border, planar motion, blinking, the stream itself. Each is measured by itself where it is wanted, and none decides.
//!
//! All scores follow one convention: 1 where what was seen speaks for a living person, 0 where it speaks for a spoof, none where the cue cannot
//! tell. Moiré and border see attacks only, so their 1 means that they saw none; planar motion and blinking see life as well.
//! No verdict rests on them: `docs/metadata.md` has what they are worth on data that they were not made on.

use crate::face::{Cues, Face, Landmarks};
use crate::geometry::Rect;
use crate::image::Pixels;

mod blink;
mod border;
mod eyes;
mod fading;
mod luma;
mod planar;
mod spectrum;
mod stream;

use blink::Blink;
use border::Rim;
use eyes::Eyes;
use planar::PlanarMotion;
use spectrum::Moire;
pub(super) use stream::Stream;

/// Which cues are measured. By default none: each takes time, and none makes a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// See [`Cues::moire`].
    pub moire: bool,
    /// See [`Cues::border`].
    pub border: bool,
    /// See [`Cues::planar_motion`].
    pub planar_motion: bool,
    /// See [`Cues::blink`].
    pub blink: bool,
    /// See [`Cues::stream`].
    pub stream: bool,
}

impl Wanted {
    /// All of them.
    pub const ALL: Self = Self {
        moire: true,
        border: true,
        planar_motion: true,
        blink: true,
        stream: true,
    };

    /// Whether one of those is wanted that need more than one look.
    pub(super) fn over_time(self) -> bool {
        self.planar_motion || self.blink
    }
}

/// Measures what one picture tells; keeps its memory from one face to the next, and has none for what was never wanted.
#[derive(Debug, Default)]
pub struct Gauge {
    moire: Option<Box<Moire>>,
    rim: Option<Box<Rim>>,
    eyes: Option<Box<Eyes>>,
}

impl Gauge {
    /// The cues of the picture alone: moiré and border.
    pub fn picture(&mut self, frame: &dyn Pixels, rect: &Rect, wanted: Wanted) -> Cues {
        let moire = || self.moire.get_or_insert_default().score(frame, rect);
        let border = || self.rim.get_or_insert_default().score(frame, rect);
        Cues {
            moire: wanted.moire.then(moire).flatten(),
            border: wanted.border.then(border).flatten(),
            ..Cues::default()
        }
    }

    /// What [`Course`] needs of a look at a face.
    pub fn moment(&mut self, frame: &dyn Pixels, face: &Face, wanted: Wanted) -> Moment {
        let landmarks = face.landmarks;
        let seen = landmarks.filter(|_| wanted.blink);
        Moment {
            dark: seen.and_then(|points| self.eyes.get_or_insert_default().dark(frame, &points)),
            landmarks: landmarks.filter(|_| wanted.planar_motion),
        }
    }
}

/// One look at a face, for the cues over time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    landmarks: Option<Landmarks>,
    /// How dark each eye is.
    dark: Option<[f32; 2]>,
}

/// What is remembered of one face for the cues over time: planar motion and blinking.
#[derive(Clone, Debug, Default)]
pub struct Course {
    planar: PlanarMotion,
    blink: Blink,
}

impl Course {
    /// One more look, at `now` seconds.
    pub fn add(&mut self, moment: &Moment, now: f64) {
        if let Some(landmarks) = &moment.landmarks {
            self.planar.add(landmarks, now);
        }
        if let Some(dark) = moment.dark {
            self.blink.add(dark, now);
        }
    }

    /// What is known by now.
    pub fn cues(&self, wanted: Wanted) -> Cues {
        let planar = || self.planar.score();
        let blink = || self.blink.score();
        Cues {
            planar_motion: wanted.planar_motion.then(planar).flatten(),
            blink: wanted.blink.then(blink).flatten(),
            ..Cues::default()
        }
    }
}

/// Most that a cue says, in log-odds: 0.05 and 0.95, as of a look of a model.
const STRONGEST: f64 = 3.0;

/// Log-odds as far as a cue may go.
fn strongest(odds: f64) -> f64 {
    odds.clamp(-STRONGEST, STRONGEST)
}

/// From log-odds to a probability.
fn sigmoid(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}

/// Whether a face is one that can be in this frame: its box is one and at most as large as the frame, and its middle is in sight.
fn is_here(frame: &dyn Pixels, rect: &Rect) -> bool {
    let layout = frame.layout();
    let (width, height) = (layout.width as f32, layout.height as f32);
    let middle = rect.center();
    rect.is_valid()
        && rect.w <= width
        && rect.h <= height
        && (0.0..width).contains(&middle.x)
        && (0.0..height).contains(&middle.y)
}

#[cfg(test)]
mod tests;
