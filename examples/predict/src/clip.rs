// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frames of a clip as pictures, every one of them counted. Knows GStreamer, nothing of faces.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use gst_video::{VideoCapsBuilder, VideoFormat};
use liveness::letterbox::PixelAspect;
use liveness_app::files::Kind;
use liveness_app::film::{Frames, frame};
use liveness_app::picture::Picture;

/// One frame.
pub(crate) struct Frame {
    /// Its place in the clip, from 0.
    pub(crate) number: usize,
    pub(crate) picture: Picture,
    /// The shape of its pixels.
    pub(crate) par: PixelAspect,
}

/// A clip that is being decoded.
pub(crate) struct Clip {
    frames: Frames,
    /// Frames that were taken.
    taken: usize,
}

impl Clip {
    /// Begins to decode a file.
    ///
    /// # Errors
    /// Where GStreamer lacks an element of its own. What is wrong with the file is told with its frames.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let caps = VideoCapsBuilder::new().format(VideoFormat::Rgb).build();
        let frames = Frames::open(path, Kind::Video, &[], &caps)?;
        Ok(Self { frames, taken: 0 })
    }

    /// The next frame whose number is a multiple of `every`; none at the end, or when `stop` is set.
    ///
    /// # Errors
    /// Why there are no more of them, although the clip is not at its end.
    pub(crate) fn next(
        &mut self,
        every: usize,
        stop: &AtomicBool,
    ) -> Result<Option<Frame>, String> {
        while let Some(sample) = self.frames.next(stop)? {
            let number = self.taken;
            self.taken += 1;
            if number.is_multiple_of(every) {
                let (picture, par) = frame::picture(&sample)?;
                return Ok(Some(Frame {
                    number,
                    picture,
                    par,
                }));
            }
        }
        Ok(None)
    }
}
