// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every format, read where it lies or unpacked, against GStreamer's own converter.

use super::*;
use liveness::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// A smooth colour picture in RGB, as the converter's input.
fn picture(width: u32, height: u32) -> gst_video::VideoFrame<gst_video::video_frame::Readable> {
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::Rgb, width, height)
        .build()
        .unwrap();
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    {
        let mut map = buffer.get_mut().unwrap().map_writable().unwrap();
        let stride = info.stride()[0] as usize;
        for y in 0..height as usize {
            for x in 0..width as usize {
                let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
                map[y * stride + x * 3] = (40.0 + 180.0 * u) as u8;
                map[y * stride + x * 3 + 1] = (200.0 - 150.0 * v) as u8;
                map[y * stride + x * 3 + 2] = (60.0 + 80.0 * u + 80.0 * v) as u8;
            }
        }
    }
    gst_video::VideoFrame::from_buffer_readable(buffer, &info).unwrap()
}

fn convert(
    from: &gst_video::VideoFrame<gst_video::video_frame::Readable>,
    info: &gst_video::VideoInfo,
) -> Option<gst::Buffer> {
    let converter = gst_video::VideoConverter::new(from.info(), info, None).ok()?;
    let buffer = gst::Buffer::with_size(info.size()).unwrap();
    let mut out = gst_video::VideoFrame::from_buffer_writable(buffer, info).ok()?;
    converter.frame(from, &mut out);
    Some(out.into_buffer())
}

fn tensor(format: &Format, buffer: &gst::BufferRef, side: usize) -> Vec<f32> {
    let (w, h) = (format.info().width() as i64, format.info().height() as i64);
    let spec = TensorFormat {
        width: side,
        height: side,
        planar: true,
        channels: Channels::Rgb,
        mean: [0.0; 3],
        scale: [1.0; 3],
    };
    let mut out = vec![0.0; spec.len()];
    let window = Window { x: 0, y: 0, w, h };
    format
        .read(buffer, |pixels| {
            Resizer::new().run(
                pixels,
                window,
                Border::Replicate,
                &spec,
                (side, side),
                &mut out,
            );
        })
        .unwrap();
    out
}

/// Grey formats keep luma alone; formats with 4 or 5 bits, or a palette of 256, round coarsely.
fn tolerance(format: gst_video::VideoFormat) -> f32 {
    let info = gst_video::VideoFormatInfo::from_format(format);
    if info.has_palette() {
        60.0
    } else if info.depth()[0] < 8 {
        12.0
    } else {
        4.0
    }
}

#[test]
fn every_format_reads_as_the_converter_writes_it() {
    gst::init().unwrap();
    let mut tried = Vec::new();
    // Odd sizes, and one with a pixel stride that no row length is a multiple of.
    for (width, height) in [(98, 66), (97, 65)] {
        let source = picture(width, height);
        let wanted = tensor(&Format::new(source.info()), source.buffer(), 16);
        for id in crate::caps::formats() {
            let info = match gst_video::VideoInfo::builder(id, width, height).build() {
                Ok(info) => info,
                Err(_) => continue,
            };
            let Some(buffer) = convert(&source, &info) else {
                continue;
            };
            let format = Format::new(&info);
            let got = tensor(&format, &buffer, 16);
            // What GStreamer itself reads back, where it differs from the source by the format's own loss.
            let gray = info.format_info().is_gray();
            for i in 0..16 * 16 {
                // The converter leaves the last chroma sample of odd rows unwritten in some formats (NV61, YVYU).
                if width % 2 == 1 && i % 16 == 15 {
                    continue;
                }
                let rgb = |t: &[f32]| [t[i], t[256 + i], t[512 + i]];
                let (g, w) = (rgb(&got), rgb(&wanted));
                let w = if gray {
                    [0.299 * w[0] + 0.587 * w[1] + 0.114 * w[2]; 3]
                } else {
                    w
                };
                for c in 0..3 {
                    assert!(
                        (g[c] - w[c]).abs() <= tolerance(id),
                        "{id:?} {width}x{height} (unpacked: {}) at {i}: {g:?} instead of {w:?}",
                        format.unpacked
                    );
                }
            }
            tried.push(id);
        }
    }
    assert!(
        tried.len() > 2 * 80,
        "only {} formats were tried",
        tried.len()
    );
}

#[test]
fn in_place_and_unpacked_are_the_same_picture() {
    gst::init().unwrap();
    let source = picture(96, 64);
    for id in crate::caps::formats() {
        let Ok(info) = gst_video::VideoInfo::builder(id, 96, 64).build() else {
            continue;
        };
        let format = Format::new(&info);
        if format.unpacked || info.format_info().is_gray() {
            continue;
        }
        let Some(buffer) = convert(&source, &info) else {
            continue;
        };
        let unpacked = Format::build(&info, None);
        let (a, b) = (tensor(&format, &buffer, 12), tensor(&unpacked, &buffer, 12));
        for (i, (a, b)) in a.iter().zip(&b).enumerate() {
            // Unpacking repeats chroma samples instead of placing them; the picture is smooth.
            assert!((a - b).abs() < 3.0, "{id:?} at {i}: {a} and {b}");
        }
    }
}

#[test]
fn the_usual_formats_are_read_in_place() {
    gst::init().unwrap();
    use gst_video::VideoFormat as F;
    for id in [
        F::I420,
        F::Yv12,
        F::Nv12,
        F::Nv21,
        F::Yuy2,
        F::Uyvy,
        F::Yvyu,
        F::Y42b,
        F::Y444,
        F::Rgb,
        F::Bgr,
        F::Rgbx,
        F::Bgra,
        F::Argb,
        F::Gray8,
        F::Gray16Le,
        F::P01010le,
        F::I42010be,
        F::Gbr,
    ] {
        let info = gst_video::VideoInfo::builder(id, 64, 64).build().unwrap();
        assert!(!Format::new(&info).unpacked, "{id:?}");
    }
}

#[test]
fn a_buffer_that_is_too_short_is_an_error() {
    gst::init().unwrap();
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 64, 64)
        .build()
        .unwrap();
    let buffer = gst::Buffer::with_size(100).unwrap();
    let e = Format::new(&info).read(&buffer, |_| ()).unwrap_err();
    assert!(e.contains("100") && e.contains("64x64"), "{e}");
}
