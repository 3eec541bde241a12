// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an element has done and what it cost: the read-only property `stats`.

use std::time::Duration;

use liveness::runtime::Timing;

/// Running totals since the element was started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Frames that came in.
    pub frames: u64,
    /// Frames that a model looked at.
    pub looked: u64,
    /// Those of them of which a model looked at a part only.
    pub parts: u64,
    /// Frames that were too late to be looked at.
    pub late: u64,
    /// Faces seen in those that were.
    pub faces: u64,
    /// What the looks cost.
    pub timing: Timing,
    /// Reading and writing metadata, messages included.
    pub metadata: Duration,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.looked += other.looked;
        self.parts += other.parts;
        self.late += other.late;
        self.faces += other.faces;
        self.timing += other.timing;
        self.metadata += other.metadata;
    }
}

impl Stats {
    /// Those of one frame that came in.
    pub fn of_frame() -> Self {
        Self {
            frames: 1,
            ..Self::default()
        }
    }

    /// Notes that a model looked, and saw `faces`.
    pub fn look(&mut self, faces: usize, timing: Timing) {
        self.looked += 1;
        self.faces += faces as u64;
        self.timing += timing;
    }

    /// As the structure that applications read: counts, and mean milliseconds per frame looked at.
    pub fn structure(&self, name: &str) -> gst::Structure {
        let mean = |d: Duration| 1e3 * d.as_secs_f64() / self.looked.max(1) as f64;
        gst::Structure::builder(name)
            .field("frames", self.frames)
            .field("looked", self.looked)
            .field("late", self.late)
            .field("faces", self.faces)
            .field("preprocess-ms", mean(self.timing.preprocess))
            .field("inference-ms", mean(self.timing.inference))
            .field("decode-ms", mean(self.timing.decode))
            .field("metadata-ms", mean(self.metadata))
            .build()
    }
}
