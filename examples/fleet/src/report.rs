// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said of an item: what was seen in it, and what became of it. Pure bookkeeping; `docs/fleet.md` describes it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use humantime::format_rfc3339_millis;
use liveness::face::Label;
use liveness::model::ModelFile;
use liveness_app::lines::round;
use liveness_app::live::Faces;
use liveness_app::terminal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::item::Item;
use crate::names::Kind;

/// How an item ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// It was read to its end.
    Done,
    /// It could not be.
    Failed,
    /// Somebody took it out of the queue.
    Removed,
}

/// A model that judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) sha256: String,
}

impl Model {
    pub(crate) fn of(file: &ModelFile) -> Self {
        Self {
            name: file.stem(),
            sha256: HEXLOWER.encode(&Sha256::digest(&file.bytes)),
        }
    }
}

/// What was seen in an item.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Seen {
    /// Frames that were looked at.
    pub(crate) frames: u64,
    /// Where the last of them stands, in seconds.
    pub(crate) seconds: f64,
    /// Faces that were followed, by their last verdicts.
    pub(crate) faces: u64,
    pub(crate) live: u64,
    pub(crate) spoof: u64,
    pub(crate) uncertain: u64,
    pub(crate) unchecked: u64,
}

/// What became of an item: there is one for each.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Outcome {
    #[serde(flatten)]
    pub(crate) item: Item,
    pub(crate) status: Status,
    /// Why it failed.
    pub(crate) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<Seen>,
    /// Seconds from its start to its end, of the try that finished it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) took: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker: Option<String>,
    #[serde(rename = "try", skip_serializing_if = "Option::is_none")]
    pub(crate) attempt: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) models: Vec<Model>,
    pub(crate) version: String,
    pub(crate) finished: String,
}

impl Outcome {
    pub(crate) fn new(item: Item, status: Status, reason: Option<String>) -> Self {
        Self {
            item,
            status,
            reason,
            seen: None,
            took: None,
            worker: None,
            attempt: None,
            models: Vec::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            finished: now(),
        }
    }

    /// For people to read.
    pub(crate) fn text(&self) -> String {
        let id = &self.item.id;
        let text = match (self.status, &self.seen) {
            (Status::Done, Some(seen)) => format!("{id}: {}", seen.text()),
            (Status::Done, None) => format!("{id}: done"),
            (Status::Removed, _) => format!("{id}: removed"),
            (Status::Failed, _) => {
                let reason = self
                    .reason
                    .as_deref()
                    .unwrap_or("for no reason that is known");
                format!("{id}: failed: {reason} ({})", self.item.shown())
            }
        };
        terminal::plain(&text)
    }
}

impl Seen {
    /// For people to read.
    pub(crate) fn text(&self) -> String {
        let Self {
            frames,
            faces,
            live,
            spoof,
            ..
        } = self;
        let open = self.uncertain + self.unchecked;
        format!("{frames} frames, {faces} faces: {live} live, {spoof} spoof, {open} open")
    }
}

/// Universal time.
pub(crate) fn now() -> String {
    format_rfc3339_millis(SystemTime::now()).to_string()
}

/// Counts what is seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    frames: u64,
    last: Duration,
    tracks: BTreeMap<u64, Label>,
}

impl Tally {
    pub(crate) fn add(&mut self, faces: &Faces) {
        self.frames += 1;
        self.last = faces.at;
        let seen = faces.seen.iter();
        self.tracks.extend(seen.map(|s| (s.track, s.label)));
    }

    pub(crate) fn seen(&self) -> Seen {
        let called = |label| self.tracks.values().filter(|l| **l == label).count() as u64;
        Seen {
            frames: self.frames,
            seconds: round(self.last.as_secs_f64(), 3),
            faces: self.tracks.len() as u64,
            live: called(Label::Live),
            spoof: called(Label::Spoof),
            uncertain: called(Label::Uncertain),
            unchecked: called(Label::Unchecked),
        }
    }
}

/// What a worker says of itself while it is there.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Presence {
    pub(crate) worker: String,
    pub(crate) version: String,
    /// How many items of each kind it takes at a time.
    pub(crate) recordings: usize,
    pub(crate) cameras: usize,
    /// Items that it works on.
    pub(crate) working: BTreeMap<String, Kind>,
    /// Items that it has finished since it was started.
    pub(crate) done: u64,
    pub(crate) failed: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveness_app::live::Seen as Face;

    #[test]
    fn a_face_counts_once_with_its_last_verdict() {
        let mut tally = Tally::default();
        for (ms, seen) in [
            (0, vec![(1, Label::Uncertain)]),
            (40, vec![(1, Label::Live), (2, Label::Spoof)]),
            (80, vec![]),
        ] {
            let seen = seen.into_iter().map(|(track, label)| Face {
                track,
                label,
                ..Face::default()
            });
            tally.add(&Faces {
                at: Duration::from_millis(ms),
                seen: seen.collect(),
            });
        }
        let seen = tally.seen();
        assert_eq!((seen.frames, seen.seconds), (3, 0.08));
        assert_eq!((seen.faces, seen.live, seen.spoof), (2, 1, 1));
        assert_eq!(seen.text(), "3 frames, 2 faces: 1 live, 1 spoof, 0 open");
    }

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        let item = Item::camera("rtsp://cam/live").unwrap();
        let outcome = Outcome::new(item, Status::Failed, Some("gone".into()));
        let text = serde_json::to_string(&outcome).unwrap();
        assert!(
            text.contains(r#""status":"failed","reason":"gone""#),
            "{text}"
        );
        let read: Outcome = serde_json::from_str(&text).unwrap();
        assert_eq!(read, outcome);
        assert!(outcome.text().ends_with("failed: gone (rtsp://cam/live)"));
    }
}
