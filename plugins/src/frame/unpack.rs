// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of any format through GStreamer's own unpack function, the one that its converter reads frames with.
//!
//! The one file of the plugin with `unsafe`: the safe wrapper of that function counts the rows of subsampled and tiled planes as if
//! they were full ones, and refuses them.
#![allow(unsafe_code)]

use gst_video::ffi;
use gst_video::video_frame::IsVideoFrame;
use liveness::image::{Layout, Pixels};

type Mapped<'a> = gst_video::VideoFrameRef<&'a gst::BufferRef>;

/// A mapped frame whose rows are unpacked as they are asked for: four interleaved components.
pub(super) struct Unpacked<'a> {
    frame: &'a Mapped<'a>,
    layout: &'a Layout,
}

impl<'a> Unpacked<'a> {
    pub(super) fn new(frame: &'a Mapped<'a>, layout: &'a Layout) -> Self {
        Self { frame, layout }
    }
}

impl Pixels for Unpacked<'_> {
    fn layout(&self) -> &Layout {
        self.layout
    }

    fn row<'a>(&'a self, _: usize, y: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let size = self.layout.sample.bytes() * 4 * self.layout.width;
        // Some unpack functions write whole groups of pixels: room for the largest (v210's six) behind the row.
        scratch.resize(size + 6 * 8, 0);
        assert!(y < self.layout.height);
        // SAFETY: the frame is mapped for reading while `self.frame` lives, and `whole` has checked that its memory holds the
        // planes that its info describes. `y` is a row and `width` the width of that frame; `scratch` holds `width` pixels of the
        // unpack format, whose size `layout` was made from.
        unsafe {
            let frame = self.frame.as_raw();
            if let Some(unpack) = (*frame.info.finfo).unpack_func {
                unpack(
                    frame.info.finfo,
                    ffi::GST_VIDEO_PACK_FLAG_NONE,
                    scratch.as_mut_ptr().cast(),
                    frame.data.as_ptr(),
                    frame.info.stride.as_ptr(),
                    0,
                    y as i32,
                    self.layout.width as i32,
                );
            }
        }
        &scratch[..size]
    }
}
