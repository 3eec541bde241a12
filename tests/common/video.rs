// SPDX-License-Identifier: MIT OR Apache-2.0
//! GStreamer for tests: the elements, frames in any format, and pipelines that run to their end.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // Each test uses a part, and one that fails panics.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once};

use gst::prelude::*;
use gst_video::prelude::*;

use super::common;

/// GStreamer with our elements, registered statically.
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstliveness::plugin_register_static().unwrap();
        common::use_runtime();
    });
}

/// A tiny model of `tests/data`.
pub(crate) fn tiny(name: &str) -> String {
    let path = common::root().join("tests/data").join(name);
    assert!(path.is_file(), "{}", path.display());
    path.display().to_string()
}

/// The astronaut, a real face, from set-up.
pub(crate) fn astronaut() -> PathBuf {
    let path = common::root().join(".setup/pictures/astronaut.png");
    assert!(
        path.is_file(),
        "{} is missing: run scripts/setup.sh",
        path.display()
    );
    path
}

/// A frame in memory.
pub(crate) type Frame = gst_video::VideoFrame<gst_video::video_frame::Readable>;

/// What a frame of this kind looks like; at the rate of all frames here, as GStreamer converts between equal rates only.
pub(crate) fn info(
    format: gst_video::VideoFormat,
    width: u32,
    height: u32,
) -> gst_video::VideoInfo {
    try_info(format, width, height).unwrap()
}

/// The same; `None` for formats that cannot have this size.
pub(crate) fn try_info(
    format: gst_video::VideoFormat,
    width: u32,
    height: u32,
) -> Option<gst_video::VideoInfo> {
    gst_video::VideoInfo::builder(format, width, height)
        .fps(gst::Fraction::new(25, 1))
        .build()
        .ok()
}

/// An RGB frame from a function of x and y.
pub(crate) fn rgb(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Frame {
    let info = info(gst_video::VideoFormat::Rgb, width, height);
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    {
        let mut map = buffer.get_mut().unwrap().map_writable().unwrap();
        let stride = info.stride()[0] as usize;
        for y in 0..height {
            for x in 0..width {
                let at = y as usize * stride + x as usize * 3;
                map[at..at + 3].copy_from_slice(&pixel(x, y));
            }
        }
    }
    gst_video::VideoFrame::from_buffer_readable(buffer, &info).unwrap()
}

/// A picture file as a frame, `left` and `top` pixels from the corner of a grey canvas of `size`.
pub(crate) fn picture(path: &Path, size: (u32, u32), (left, top): (u32, u32)) -> Frame {
    let picture = image::open(path).unwrap().to_rgb8();
    rgb(size.0, size.1, |x, y| {
        let inside = (x >= left && y >= top)
            .then(|| picture.get_pixel_checked(x - left, y - top))
            .flatten();
        inside.map_or([128; 3], |p| p.0)
    })
}

/// The same frame in another format and size; `None` where GStreamer cannot convert to it.
pub(crate) fn convert(frame: &Frame, to: &gst_video::VideoInfo) -> Option<gst::Buffer> {
    let converter = gst_video::VideoConverter::new(frame.info(), to, None).ok()?;
    let buffer = gst::Buffer::with_size(to.size()).unwrap();
    let mut out = gst_video::VideoFrame::from_buffer_writable(buffer, to).ok()?;
    converter.frame(frame, &mut out);
    Some(out.into_buffer())
}

/// The same pixels in memory with `pad` bytes behind each row and `skip` bytes before each plane, described by a video meta.
pub(crate) fn padded(
    buffer: &gst::Buffer,
    info: &gst_video::VideoInfo,
    pad: usize,
    skip: usize,
) -> gst::Buffer {
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, info).unwrap();
    let (mut bytes, mut offsets, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for plane in 0..frame.n_planes() {
        bytes.resize(bytes.len() + skip, 0xa5);
        let stride = frame.plane_stride()[plane as usize] as usize;
        offsets.push(bytes.len());
        strides.push((stride + pad) as i32);
        for row in frame.plane_data(plane).unwrap().chunks(stride) {
            bytes.extend(row);
            bytes.resize(bytes.len() + pad, 0xa5);
        }
    }
    let mut padded = gst::Buffer::from_slice(bytes);
    gst_video::VideoMeta::add_full(
        padded.get_mut().unwrap(),
        gst_video::VideoFrameFlags::empty(),
        info.format(),
        info.width(),
        info.height(),
        &offsets,
        &strides,
    )
    .unwrap();
    padded
}

/// A harness around `element`, which has its properties.
pub(crate) fn harness(element: &gst::Element, info: &gst_video::VideoInfo) -> gst_check::Harness {
    let mut harness = gst_check::Harness::with_element(element, Some("sink"), Some("src"));
    let caps = info.to_caps().unwrap();
    harness.set_src_caps(caps);
    harness
}

/// Runs a pipeline to its end and gives `see` each buffer that reaches the element `s`, with its caps.
///
/// # Errors
/// The text of an error message, with the name of the element that posted it.
pub(crate) fn run(
    description: &str,
    see: impl Fn(&gst::BufferRef, &gst::CapsRef) + Send + Sync + 'static,
) -> Result<(), String> {
    run_with(description, |_| (), see)
}

/// As [`run`], with a look at the pipeline before it starts.
pub(crate) fn run_with(
    description: &str,
    prepare: impl FnOnce(&gst::Bin),
    see: impl Fn(&gst::BufferRef, &gst::CapsRef) + Send + Sync + 'static,
) -> Result<(), String> {
    let pipeline = gst::parse::launch(description).unwrap_or_else(|e| panic!("{description}: {e}"));
    let bin = pipeline.downcast::<gst::Bin>().unwrap();
    prepare(&bin);
    let sink = bin.by_name("s").unwrap().static_pad("sink").unwrap();
    sink.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let (Some(buffer), Some(caps)) = (info.buffer(), pad.current_caps()) {
            see(buffer, &caps);
        }
        gst::PadProbeReturn::Ok
    });
    let bus = bin.bus().unwrap();
    let started = bin.set_state(gst::State::Playing);
    let wait = gst::ClockTime::from_seconds(if started.is_ok() { 120 } else { 1 });
    let end = bus.timed_pop_filtered(wait, &[gst::MessageType::Eos, gst::MessageType::Error]);
    bin.set_state(gst::State::Null).unwrap();
    match end.as_deref().map(|m| m.view()) {
        Some(gst::MessageView::Eos(_)) => Ok(()),
        Some(gst::MessageView::Error(e)) => Err(format!(
            "{}: {}",
            e.src().map(|s| s.name()).unwrap_or_default(),
            e.error()
        )),
        _ => Err("the pipeline came to no end".into()),
    }
}

/// All that `f` makes of the buffers that reach the element `s`.
pub(crate) fn collect<T: Send + 'static>(
    description: &str,
    f: impl Fn(&gst::BufferRef, &gst::CapsRef) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let into = all.clone();
    run(description, move |b, c| into.lock().unwrap().push(f(b, c)))
        .unwrap_or_else(|e| panic!("{description}\n{e}"));
    std::mem::take(&mut *all.lock().unwrap())
}
