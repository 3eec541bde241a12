// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which faces are worth keeping, as the user says it, and why one was not. Plain data.

use std::time::Duration;

use crate::crop::{Crop, Outside, Shape};
use crate::error::{Error, Result};

/// What is saved of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Each face with its surroundings.
    #[default]
    Faces,
    /// The whole frame, where it has a face that is worth keeping.
    Frames,
    /// Both.
    Both,
}

/// Which faces are saved. Limits that are 0 limit nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// What is saved of a frame.
    pub mode: Mode,
    /// Every how manyth frame is looked at, from the first on.
    pub interval: u64,
    /// Least stream time between two frames that are looked at.
    pub interval_time: Duration,
    /// Sides of a face's picture as multiples of its box, see [`Rules::crop`].
    pub margin: f64,
    /// Least confidence of the detector, 0..1.
    pub min_confidence: f32,
    /// Least length of a box's shorter side, in pixels of the frame.
    pub min_face_size: f32,
    /// Least [`crate::quality::Quality::sharpness`].
    pub min_sharpness: f32,
    /// Least [`crate::quality::Quality::exposure`].
    pub min_exposure: f32,
    /// Greatest [`crate::quality::Quality::exposure`].
    pub max_exposure: f32,
    /// Whether faces are saved that the frame's edge cuts off.
    pub allow_cut_off: bool,
    /// Whether only the largest face of a frame is.
    pub largest_only: bool,
    /// Most pictures of one track.
    pub max_per_track: u32,
    /// Whether only the sharpest `max_per_track` (at least one) are saved, when the track has ended.
    pub best_of_track: bool,
    /// Most bits in which the hash of a picture differs from that of another one of the same label, for it to be a duplicate.
    pub dedup: u32,
    /// Most pictures that are saved in all.
    pub max_files: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            mode: Mode::Faces,
            interval: 1,
            interval_time: Duration::ZERO,
            margin: 2.7,
            min_confidence: 0.7,
            min_face_size: 48.0,
            min_sharpness: 15.0,
            min_exposure: 0.12,
            max_exposure: 0.9,
            allow_cut_off: false,
            largest_only: false,
            max_per_track: 0,
            best_of_track: false,
            dedup: 10,
            max_files: 0,
        }
    }
}

impl Rules {
    /// The part of a frame that a face's picture shows: its box, `margin` times as large, moved inside the frame. The same code
    /// cuts out what a model sees.
    pub fn crop(&self) -> Crop {
        Crop {
            shape: Shape::Box,
            scale: self.margin,
            outside: Outside::Shift,
        }
    }

    /// Whether they go together.
    ///
    /// # Errors
    /// [`Error::Option`] where they do not.
    pub fn check(&self) -> Result<()> {
        if self.best_of_track && self.mode != Mode::Faces {
            return Err(Error::Option(
                "best-of-track chooses faces, not whole frames: it needs mode=faces".into(),
            ));
        }
        if self.min_exposure > self.max_exposure {
            return Err(Error::Option(format!(
                "min-exposure {} is above max-exposure {}: no face would be saved",
                self.min_exposure, self.max_exposure
            )));
        }
        Ok(())
    }

    /// Pictures that a track may have.
    pub(super) fn per_track(&self) -> u32 {
        match (self.max_per_track, self.best_of_track) {
            (0, true) => 1,
            (0, false) => u32::MAX,
            (n, _) => n,
        }
    }
}

/// Why a face was not saved. The first of them, in this order, that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The frame was cropped, turned or letterboxed since the face was found.
    NoPlace,
    /// Another face of the frame is larger.
    NotLargest,
    /// The detector is not sure.
    LowConfidence,
    /// Too few pixels.
    TooSmall,
    /// The frame's edge cuts it off.
    CutOff,
    /// Not enough light.
    Dark,
    /// Too much light.
    OverExposed,
    /// Not sharp.
    Blurred,
    /// Its track has given enough pictures.
    MaxPerTrack,
    /// Its track has better ones.
    NotBest,
    /// The data set holds one that looks the same.
    Duplicate,
    /// Enough pictures were saved.
    MaxFiles,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NoPlace,
        Self::NotLargest,
        Self::LowConfidence,
        Self::TooSmall,
        Self::CutOff,
        Self::Dark,
        Self::OverExposed,
        Self::Blurred,
        Self::MaxPerTrack,
        Self::NotBest,
        Self::Duplicate,
        Self::MaxFiles,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPlace => "no-place",
            Self::NotLargest => "not-largest",
            Self::LowConfidence => "low-confidence",
            Self::TooSmall => "too-small",
            Self::CutOff => "cut-off",
            Self::Dark => "dark",
            Self::OverExposed => "over-exposed",
            Self::Blurred => "blurred",
            Self::MaxPerTrack => "max-per-track",
            Self::NotBest => "not-best",
            Self::Duplicate => "duplicate",
            Self::MaxFiles => "max-files",
        }
    }
}

/// What became of what came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames that came in.
    pub frames: u64,
    /// Frames that were looked at, as the intervals ask.
    pub looked: u64,
    /// Faces in these.
    pub faces: u64,
    /// Pictures that were saved.
    pub saved: u64,
    /// Pictures that the data set held already, from the same place in the same source.
    pub already_there: u64,
    /// Pictures of a live source that were left out because the workers could not keep up.
    pub dropped: u64,
    refused: [u64; Refusal::ALL.len()],
}

impl Tally {
    /// How many faces were refused for a reason.
    pub fn refused(&self, why: Refusal) -> u64 {
        self.refused[why as usize]
    }

    /// Counts faces that are refused.
    pub(super) fn refuse(&mut self, why: Refusal, faces: usize) {
        self.refused[why as usize] += faces as u64;
    }
}
