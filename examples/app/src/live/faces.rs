// SPDX-License-Identifier: MIT OR Apache-2.0
//! The faces of a frame, as `livenessclassify` posts them. Knows that message alone.

use std::time::Duration;

use liveness::face::Label;

/// Name of the message.
pub(super) const NAME: &str = "GstLivenessClassify";

/// The faces of one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faces {
    /// When the frame came: for a live source in the program's own time, for a film where it stands in it.
    pub at: Duration,
    /// Who is in it.
    pub seen: Vec<Seen>,
}

/// One of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Its number, the same for as long as it is followed, and never used again.
    pub track: u64,
    /// Left, top, width and height in pixels of the frame.
    pub rect: [f64; 4],
    /// The verdict.
    pub label: Label,
    /// The probability of live, where the models gave one.
    pub live: Option<f64>,
    /// Why it is uncertain.
    pub reason: Option<String>,
}

impl Faces {
    /// What a message says; none where it is another one.
    pub(super) fn of(message: &gst::MessageRef, is_film: bool) -> Option<Self> {
        let structure = message.structure().filter(|s| s.name() == NAME)?;
        let time = if is_film {
            "stream-time"
        } else {
            "running-time"
        };
        let at = structure.get::<Option<gst::ClockTime>>(time).ok().flatten();
        let faces = structure.get::<gst::Array>("faces").ok()?;
        let faces = faces.iter().filter_map(|f| f.get::<gst::Structure>().ok());
        Some(Self {
            at: at.unwrap_or_default().into(),
            seen: faces.filter_map(|f| Seen::of(&f)).collect(),
        })
    }
}

impl Seen {
    /// None where nobody follows the face.
    fn of(face: &gst::StructureRef) -> Option<Self> {
        let side = |name| face.get::<f64>(name).ok();
        let label = face.get::<&str>("label").ok().and_then(|l| l.parse().ok());
        Some(Self {
            track: face.get("track").ok()?,
            rect: [side("x")?, side("y")?, side("w")?, side("h")?],
            // An unknown word is no verdict.
            label: label.unwrap_or_default(),
            live: side("live"),
            reason: face.get("reason").ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face() -> gst::structure::Builder {
        let builder = gst::Structure::builder("face").field("track", 7_u64);
        let builder = builder.field("x", 1.0).field("y", 2.0);
        builder.field("w", 3.0).field("h", 4.0)
    }

    fn faces(faces: Vec<gst::Structure>) -> Faces {
        let structure = gst::Structure::builder(NAME)
            .field("running-time", Some(gst::ClockTime::from_mseconds(1500)))
            .field("stream-time", None::<gst::ClockTime>)
            .field("faces", gst::Array::new(faces));
        let message = gst::message::Element::new(structure.build());
        Faces::of(&message, false).unwrap()
    }

    #[test]
    fn a_message_is_read() {
        gst::init().unwrap();
        let live = face().field("label", "live").field("live", 0.9).build();
        let read = faces(vec![live]);
        assert_eq!(read.at, Duration::from_millis(1500));
        let seen = Seen {
            track: 7,
            rect: [1.0, 2.0, 3.0, 4.0],
            label: Label::Live,
            live: Some(0.9),
            reason: None,
        };
        assert_eq!(read.seen, [seen]);
    }

    #[test]
    fn what_is_not_understood_is_never_live() {
        gst::init().unwrap();
        let odd = face().field("label", "LIVE").build();
        let read = faces(vec![odd, face().build()]);
        assert!(read.seen.iter().all(|s| s.label == Label::Unchecked));
        let followed_by_nobody = gst::Structure::builder("face")
            .field("label", "live")
            .build();
        assert_eq!(faces(vec![followed_by_nobody]).seen, []);
    }
}
