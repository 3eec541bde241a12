// SPDX-License-Identifier: MIT OR Apache-2.0
//! The best pictures of each track, kept until the track has ended.

use std::time::Duration;

use crate::dataset::picture::Rgb;
use crate::dataset::record::Record;

/// How long a track may be out of sight before its pictures are saved: longer than trackers hold on to a lost face.
const ENDS: Duration = Duration::from_secs(3);

/// The same in frames, where frames have no times.
const ENDS_FRAMES: u64 = 90;

/// A picture that is among the best of its track. Drawn: a frame that is held for as long as a track lasts would be missing to
/// whoever lent it.
pub(super) struct Chosen<T> {
    pub(super) sharpness: f32,
    pub(super) record: Record,
    pub(super) rgb: Rgb,
    pub(super) tag: T,
}

struct Track<T> {
    id: u64,
    last_seen: (u64, Option<Duration>),
    /// The stream was cut since.
    ended: bool,
    /// Sharpest first.
    pictures: Vec<Chosen<T>>,
}

/// The tracks that go on, in the order in which they began.
pub(super) struct Best<T>(Vec<Track<T>>);

impl<T> Default for Best<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Best<T> {
    /// All tracks have ended.
    pub(super) fn cut(&mut self) {
        for track in &mut self.0 {
            track.ended = true;
        }
    }

    fn find(&mut self, id: u64) -> Option<&mut Track<T>> {
        self.0.iter_mut().find(|t| !t.ended && t.id == id)
    }

    /// A track is in sight, whether or not its face is worth keeping.
    pub(super) fn see(&mut self, id: u64, number: u64, time: Option<Duration>) {
        if let Some(track) = self.find(id) {
            track.last_seen = (number, time);
        }
    }

    /// Whether a picture of this sharpness would be among the best `most` of the track, and whether another one would then have
    /// to go, or this one goes.
    pub(super) fn rank(&mut self, id: u64, sharpness: f32, most: usize) -> (bool, bool) {
        let Some(track) = self.find(id) else {
            return (true, false);
        };
        let full = track.pictures.len() >= most;
        let worst = track.pictures.last().map_or(0.0, |p| p.sharpness);
        (!full || sharpness > worst, full)
    }

    /// Keeps a picture of the track, at most `most`.
    pub(super) fn keep(&mut self, id: u64, chosen: Chosen<T>, time: Option<Duration>, most: usize) {
        if self.find(id).is_none() {
            self.0.push(Track {
                id,
                last_seen: (chosen.record.frame, time),
                ended: false,
                pictures: Vec::new(),
            });
        }
        let Some(track) = self.find(id) else {
            return;
        };
        track.pictures.truncate(most.saturating_sub(1));
        let before = track
            .pictures
            .partition_point(|p| p.sharpness >= chosen.sharpness);
        track.pictures.insert(before, chosen);
    }

    /// The pictures of the next track that is out of sight for long enough, or, with `all`, of the next one, in the order of
    /// their frames.
    pub(super) fn take_ended(
        &mut self,
        number: u64,
        time: Option<Duration>,
        all: bool,
    ) -> Option<Vec<Chosen<T>>> {
        let gone = |track: &Track<T>| match (track.last_seen, time) {
            ((_, Some(then)), Some(now)) => now.saturating_sub(then) > ENDS,
            ((then, _), _) => number.saturating_sub(then) > ENDS_FRAMES,
        };
        let at = self.0.iter().position(|t| all || t.ended || gone(t))?;
        let mut pictures = self.0.remove(at).pictures;
        pictures.sort_by_key(|p| p.record.frame);
        Some(pictures)
    }
}
