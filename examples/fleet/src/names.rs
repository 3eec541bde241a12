// SPDX-License-Identifier: MIT OR Apache-2.0
//! What streams, subjects, consumers and headers of a fleet are called. `docs/fleet.md` lists them. Knows words alone.

use std::str::FromStr;

/// What each message of an item says of itself, beside NATS's own headers.
pub(crate) mod header {
    /// The run that wrote it: one worker's work on one item.
    pub(crate) const RUN: &str = "Liveness-Run";
    /// Of frames: the number of the first one, and how many there are.
    pub(crate) const FIRST: &str = "Liveness-First";
    pub(crate) const COUNT: &str = "Liveness-Count";
    /// Of events: how many were told of this recording, this one included.
    pub(crate) const TOLD: &str = "Liveness-Told";
    /// Of events: the number of the try, and how many frames had been published when it began.
    pub(crate) const TRY: &str = "Liveness-Try";
    pub(crate) const FROM: &str = "Liveness-From";
    /// Of the event `returned`: whether the try counts.
    pub(crate) const COUNTS: &str = "Liveness-Counts";
}

/// The streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Items that are to be done.
    Work,
    /// Who was seen, and who works on what.
    Events,
    /// The faces of each frame.
    Frames,
    /// What became of each item: one message each.
    Results,
    /// Items that have failed, with the reason.
    Dead,
    /// Workers that are there.
    Workers,
}

impl Stream {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Work,
        Self::Events,
        Self::Frames,
        Self::Results,
        Self::Dead,
        Self::Workers,
    ];

    /// In the stream's name, and in its subjects.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Work => ("WORK", "work"),
            Self::Events => ("EVENTS", "event"),
            Self::Frames => ("FRAMES", "frame"),
            Self::Results => ("RESULTS", "result"),
            Self::Dead => ("DEAD", "dead"),
            Self::Workers => ("WORKERS", "worker"),
        }
    }
}

/// What an item is. The two wait in one stream, for consumers of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A file, which has an end.
    Recording,
    /// A camera in the network, which has none.
    Camera,
}

impl Kind {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Recording, Self::Camera];

    /// As it stands in subjects and messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Camera => "camera",
        }
    }

    /// The durable consumer that hands such items out.
    pub(crate) fn consumer(self) -> &'static str {
        match self {
            Self::Recording => "recordings",
            Self::Camera => "cameras",
        }
    }
}

/// The name of a fleet, from which all others follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    fleet: String,
}

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_token = is_token(text) && text.len() <= 32;
        match is_token && !text.chars().any(|c| c.is_ascii_uppercase()) {
            true => Ok(Self { fleet: text.into() }),
            false => Err("must be of small letters, digits, `-` and `_`, 32 at the most".into()),
        }
    }
}

/// Whether it can stand between two dots of a subject, and in the name of a stream or a consumer.
pub(crate) fn is_token(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.chars().all(fits)
}

impl Names {
    /// The name of a stream.
    pub(crate) fn stream(&self, stream: Stream) -> String {
        format!("{}_{}", self.fleet.to_ascii_uppercase(), stream.words().0)
    }

    /// The subjects of a stream.
    pub(crate) fn subjects(&self, stream: Stream) -> String {
        let rest = match stream {
            Stream::Work => "*.*",
            _ => "*",
        };
        format!("{}.{}.{rest}", self.fleet, stream.words().1)
    }

    /// The subject of an item or a worker in a stream other than that of the work.
    pub(crate) fn subject(&self, stream: Stream, id: &str) -> String {
        format!("{}.{}.{id}", self.fleet, stream.words().1)
    }

    /// The subject on which an item waits.
    pub(crate) fn work(&self, kind: Kind, id: &str) -> String {
        format!("{}.work.{}.{id}", self.fleet, kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_has_one_name() {
        let names: Names = "liveness".parse().unwrap();
        assert_eq!(names.stream(Stream::Work), "LIVENESS_WORK");
        assert_eq!(names.subjects(Stream::Work), "liveness.work.*.*");
        assert_eq!(names.subjects(Stream::Frames), "liveness.frame.*");
        assert_eq!(names.work(Kind::Camera, "a"), "liveness.work.camera.a");
        assert_eq!(names.subject(Stream::Dead, "a"), "liveness.dead.a");
        for wrong in ["", "a.b", "a b", "A", "*", "a>", "ä", &"a".repeat(33)] {
            assert!(wrong.parse::<Names>().is_err(), "{wrong}");
        }
    }
}
