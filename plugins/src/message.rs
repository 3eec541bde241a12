// SPDX-License-Identifier: MIT OR Apache-2.0
//! Element messages on the bus: the faces of a frame for applications that do not read buffers.

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use liveness::face::{Face, Label};

use crate::meta;

/// When an element posts the faces that it sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessPostMessages")]
#[repr(i32)]
pub enum PostMessages {
    /// Never.
    #[default]
    #[enum_value(name = "Never", nick = "none")]
    None,
    /// When the number of faces or one of their verdicts is another than in the frame before.
    #[enum_value(name = "When the faces or their verdicts change", nick = "on-change")]
    OnChange,
    /// For each frame with a face.
    #[enum_value(name = "For each frame with a face", nick = "on-face")]
    OnFace,
    /// For each frame.
    #[enum_value(name = "For each frame", nick = "every-frame")]
    EveryFrame,
}

/// How messages are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessMessageFormat")]
#[repr(i32)]
pub enum MessageFormat {
    /// As ours.
    #[default]
    #[enum_value(
        name = "Named after the element, with all that is known",
        nick = "liveness"
    )]
    Liveness,
    /// As those of GStreamer's OpenCV plugin.
    #[enum_value(
        name = "As the facedetect of GStreamer's OpenCV plugin posts them",
        nick = "opencv"
    )]
    OpenCv,
}

/// Decides frame by frame, and remembers what it needs for that.
#[derive(Debug, Default)]
pub struct Poster {
    last: Option<Vec<Label>>,
    now: Vec<Label>,
}

impl Poster {
    /// Forgets the frame before.
    pub fn reset(&mut self) {
        self.last = None;
    }

    /// Whether a frame with these faces is posted.
    fn due(&mut self, mode: PostMessages, faces: &[Face]) -> bool {
        self.now.clear();
        self.now.extend(faces.iter().map(|f| f.verdict.label));
        // The order of faces is that of their confidence, which changes all the time.
        self.now.sort_by_key(|l| l.id());
        let changed = self.last.as_ref() != Some(&self.now);
        // A stream that starts without a face has not changed.
        let changed = changed && !(self.last.is_none() && self.now.is_empty());
        let last = self.last.get_or_insert_default();
        std::mem::swap(last, &mut self.now);
        match mode {
            PostMessages::None => false,
            PostMessages::OnChange => changed,
            PostMessages::OnFace => !faces.is_empty(),
            PostMessages::EveryFrame => true,
        }
    }

    /// Posts an element message `name` where `mode` wants it: `timestamp`, `stream-time`, `running-time`, `duration` as
    /// multifilesink has them, and `faces`, an array of structures as in `LivenessMeta`, in pixels.
    pub fn post<T>(
        &mut self,
        element: &T,
        name: &str,
        mode: PostMessages,
        buffer: &gst::BufferRef,
        segment: &gst::Segment,
        faces: &[Face],
    ) where
        T: ElementImpl,
        <T as ObjectSubclass>::Type: glib::prelude::IsA<gst::Element>,
    {
        if !self.due(mode, faces) {
            return;
        }
        let faces = faces.iter().map(|f| meta::face_structure(f, 1.0, 1.0));
        let structure = Times::of(buffer, segment)
            .structure(name)
            .field("faces", gst::Array::new(faces))
            .build();
        post(&*element.obj(), structure);
    }

    /// The same with the name and the fields of OpenCV's element: `facedetect`, with `faces`, a list of structures with `x`, `y`, `width` and `height` in whole
    /// pixels (uint) of a frame of `size`.
    pub fn post_as_opencv<T>(
        &mut self,
        element: &T,
        mode: PostMessages,
        buffer: &gst::BufferRef,
        segment: &gst::Segment,
        size: (u32, u32),
        faces: &[Face],
    ) where
        T: ElementImpl,
        <T as ObjectSubclass>::Type: glib::prelude::IsA<gst::Element>,
    {
        if !self.due(mode, faces) {
            return;
        }
        // What reaches outside is cut off: applications copy these pixels.
        let seen = faces.iter().filter_map(|f| f.rect.pixels(size.0, size.1));
        let faces = seen.map(|(x, y, width, height)| {
            gst::Structure::builder("face")
                .field("x", x)
                .field("y", y)
                .field("width", width)
                .field("height", height)
                .build()
        });
        let structure = Times::of(buffer, segment)
            .structure("facedetect")
            .field("faces", gst::List::new(faces))
            .build();
        post(&*element.obj(), structure);
    }
}

/// When a buffer is shown, in all the ways in which multifilesink's messages say it.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// As the buffer has it.
    pub timestamp: Option<gst::ClockTime>,
    /// In the stream.
    pub stream_time: Option<gst::ClockTime>,
    /// In the pipeline.
    pub running_time: Option<gst::ClockTime>,
    /// How long.
    pub duration: Option<gst::ClockTime>,
}

impl Times {
    /// Those of `buffer` in `segment`.
    pub fn of(buffer: &gst::BufferRef, segment: &gst::Segment) -> Self {
        let timestamp = buffer.pts();
        let segment = segment.downcast_ref::<gst::ClockTime>();
        Self {
            timestamp,
            stream_time: segment.and_then(|s| s.to_stream_time(timestamp)),
            running_time: segment.and_then(|s| s.to_running_time(timestamp)),
            duration: buffer.duration(),
        }
    }

    /// A structure that starts with `timestamp`, `stream-time`, `running-time` and `duration`.
    pub fn structure(&self, name: &str) -> gst::structure::Builder {
        gst::Structure::builder(name)
            .field("timestamp", self.timestamp)
            .field("stream-time", self.stream_time)
            .field("running-time", self.running_time)
            .field("duration", self.duration)
    }
}

/// Posts an element message.
pub fn post(element: &impl IsA<gst::Element>, structure: gst::Structure) {
    let message = gst::message::Element::builder(structure)
        .src(element.upcast_ref::<gst::Element>())
        .build();
    // Without a bus nobody listens.
    let _ = element.as_ref().post_message(message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_posted_once() {
        let face = |label| {
            let mut face = Face::default();
            face.verdict.label = label;
            face
        };
        let (live, spoof) = (face(Label::Live), face(Label::Spoof));
        let mut poster = Poster::default();
        let mut due = |faces: &[Face]| poster.due(PostMessages::OnChange, faces);
        assert!(!due(&[]));
        assert!(due(std::slice::from_ref(&live)));
        assert!(!due(std::slice::from_ref(&live)));
        assert!(due(&[live.clone(), spoof.clone()]));
        assert!(!due(&[spoof.clone(), live]), "another order is no change");
        assert!(due(&[spoof]));
        assert!(due(&[]));
        assert!(!due(&[]));
    }
}
