// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame as a JPEG picture, with what is drawn on it. Knows GStreamer alone.

use gst_video::{
    VideoConverter, VideoFormat, VideoFrame, VideoFrameRef, VideoInfo, VideoOverlayCompositionMeta,
};
use image::codecs::jpeg::JpegEncoder;

use crate::film::frame;

/// Of the encoder, 0 to 100.
const QUALITY: u8 = 88;

/// A frame as a JPEG picture.
///
/// # Errors
/// Why there is none.
pub fn jpeg(sample: &gst::Sample) -> Result<Vec<u8>, String> {
    let failed = |what: &str| format!("the frame cannot be made a picture: {what}");
    let info = sample.caps().and_then(|c| VideoInfo::from_caps(c).ok());
    let info = info.ok_or_else(|| failed("it has no format"))?;
    let buffer = sample.buffer().ok_or_else(|| failed("it is empty"))?;
    let buffer = drawn_on(buffer, &info).ok_or_else(|| failed("its boxes cannot be drawn"))?;
    let plain = VideoInfo::builder(VideoFormat::Rgb, info.width(), info.height())
        .par(info.par())
        .fps(info.fps())
        .interlace_mode(info.interlace_mode())
        .build()
        .map_err(|e| failed(&e.to_string()))?;
    let from = VideoFrameRef::from_buffer_ref_readable(&buffer, &info);
    let from = from.map_err(|e| failed(&e.to_string()))?;
    let empty = gst::Buffer::with_size(plain.size()).map_err(|e| failed(&e.to_string()))?;
    let to = VideoFrame::from_buffer_writable(empty, &plain);
    let mut to = to.map_err(|_| failed("there is no memory"))?;
    let converter = VideoConverter::new(&info, &plain, None);
    let converter = converter.map_err(|e| failed(&e.to_string()))?;
    converter.frame_ref(&from, &mut to.as_mut_video_frame_ref());
    let caps = plain.to_caps().map_err(|e| failed(&e.to_string()))?;
    let rgb = to.into_buffer();
    let rgb = gst::Sample::builder().buffer(&rgb).caps(&caps).build();
    let (picture, _) = frame::picture(&rgb)?;
    let mut out = Vec::new();
    let encoded = picture
        .rgb()
        .write_with_encoder(JpegEncoder::new_with_quality(&mut out, QUALITY));
    encoded.map_err(|e| failed(&e.to_string()))?;
    Ok(out)
}

/// The frame with what is attached to it blended in.
fn drawn_on(buffer: &gst::BufferRef, info: &VideoInfo) -> Option<gst::Buffer> {
    let mut buffer = buffer.copy();
    let attached: Vec<_> = buffer
        .iter_meta::<VideoOverlayCompositionMeta>()
        .map(|m| m.overlay_owned())
        .collect();
    if !attached.is_empty() {
        let frame = VideoFrameRef::from_buffer_ref_writable(buffer.make_mut(), info);
        let mut frame = frame.ok()?;
        for composition in attached {
            composition.blend(&mut frame).ok()?;
        }
    }
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_becomes_a_picture_with_what_is_attached_to_it() {
        gst::init().unwrap();
        let info = VideoInfo::builder(VideoFormat::I420, 66, 50)
            .build()
            .unwrap();
        let mut data = vec![16_u8; info.size()];
        data[info.offset()[1]..].fill(128);
        let mut buffer = gst::Buffer::from_mut_slice(data);
        let mut red = gst::Buffer::from_slice([0_u8, 0, 255, 255].repeat(16 * 16));
        gst_video::VideoMeta::add(
            red.make_mut(),
            gst_video::VideoFrameFlags::empty(),
            VideoFormat::Bgra,
            16,
            16,
        )
        .unwrap();
        let flags = gst_video::VideoOverlayFormatFlags::empty();
        let mark = gst_video::VideoOverlayRectangle::new_raw(&red, 40, 20, 16, 16, flags);
        let composition = [mark].iter().collect();
        VideoOverlayCompositionMeta::add(buffer.make_mut(), &composition);
        let sample = gst::Sample::builder().buffer(&buffer);
        let jpeg = jpeg(&sample.caps(&info.to_caps().unwrap()).build()).unwrap();
        let picture = image::load_from_memory(&jpeg).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (66, 50));
        assert!(picture.get_pixel(48, 28).0[0] > 200, "the mark");
        assert!(picture.get_pixel(10, 10).0[0] < 30, "the frame");
        assert!(super::jpeg(&gst::Sample::builder().build()).is_err());
    }
}
