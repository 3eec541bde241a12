// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame as a picture. Knows GStreamer alone.

use gst_video::prelude::*;
use gst_video::{VideoFrameRef, VideoInfo};
use image::RgbImage;
use liveness::letterbox::PixelAspect;

use crate::picture::Picture;

/// The picture in a sample of format RGB, and the shape of its pixels.
///
/// # Errors
/// Where it is no such sample.
pub fn picture(sample: &gst::Sample) -> Result<(Picture, PixelAspect), String> {
    let unreadable = || "a frame of it cannot be read".to_owned();
    let info = sample.caps().and_then(|c| VideoInfo::from_caps(c).ok());
    let info = info.ok_or_else(unreadable)?;
    let buffer = sample.buffer().ok_or_else(unreadable)?;
    let frame = VideoFrameRef::from_buffer_ref_readable(buffer, &info);
    let frame = frame.map_err(|_| unreadable())?;
    let stride = usize::try_from(frame.plane_stride()[0]).map_err(|_| unreadable())?;
    let data = frame.plane_data(0).map_err(|_| unreadable())?;
    let row = 3 * info.width() as usize;
    let rows = data.chunks(stride).take(info.height() as usize);
    let pixels: Vec<u8> = rows.flat_map(|r| r.iter().take(row)).copied().collect();
    let rgb = RgbImage::from_raw(info.width(), info.height(), pixels).ok_or_else(unreadable)?;
    let par = info.par();
    Ok((rgb.into(), f64::from(par.numer()) / f64::from(par.denom())))
}
