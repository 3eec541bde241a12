// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who has to see every frame, and one or the other as it was drawn. Knows GStreamer and the message with the faces.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use liveness::sync::lock;

use super::faces::Faces;

/// Sees each frame in the thread that analyses it, which waits for it: it has to be quick.
pub trait Onlooker: Send + 'static {
    /// The faces of a frame, before they are drawn. Whether that frame is wanted when they are.
    fn faces(&mut self, faces: &Faces) -> bool;

    /// The frame that was wanted.
    fn drawn(&mut self, frame: gst::Sample);
}

/// One that looks on.
#[derive(Clone)]
pub(super) struct Looking {
    who: Arc<Mutex<Box<dyn Onlooker>>>,
    wanted: Arc<AtomicBool>,
}

impl std::fmt::Debug for Looking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looking").finish_non_exhaustive()
    }
}

impl Looking {
    /// Takes the frames that it wants from this pad, which is behind the drawing. Faces are posted by the thread that pushes their frame on, so the
    /// next frame at the pad is theirs.
    pub(super) fn at(pad: &gst::Pad, onlooker: impl Onlooker) -> Self {
        let looking = Self {
            who: Arc::new(Mutex::new(Box::new(onlooker))),
            wanted: Arc::default(),
        };
        let me = looking.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if me.wanted.swap(false, Ordering::Relaxed)
                && let (Some(buffer), Some(caps)) = (info.buffer(), pad.current_caps())
            {
                let sample = gst::Sample::builder().buffer(buffer).caps(&caps).build();
                lock(&me.who).drawn(sample);
            }
            gst::PadProbeReturn::Ok
        });
        looking
    }

    /// The faces of the next frame.
    pub(super) fn see(&self, faces: &Faces) {
        if lock(&self.who).faces(faces) {
            self.wanted.store(true, Ordering::Relaxed);
        }
    }
}
