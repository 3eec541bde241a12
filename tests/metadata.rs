// SPDX-License-Identifier: MIT OR Apache-2.0
//! The metadata through the elements of others: verdicts are still there, and a face is either where it belongs or known to be
//! lost. Where it belongs is read off the pixels: the face of each frame is a white patch that moves.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use std::sync::{Arc, Mutex};

use gst::prelude::*;
use gst_video::{VideoFormat, VideoInfo};
use gstliveness::frame::Format;
use gstliveness::meta::{self, Analysis, Here};
use liveness::face::{Face, Label};
use liveness::geometry::Rect;
use liveness::signature::Signature;
use video::{init, tiny};

/// What becomes of the faces.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// They are where they belong, to two pixels.
    Placed,
    /// Their verdicts are there, their places are not known: nothing is drawn.
    Lost,
    /// Nothing is left, and nothing is drawn.
    Gone,
}
use Outcome::{Gone, Lost, Placed};

/// Width and height of the frames: square, so that a quarter turn keeps the shape and the pixels alone tell.
const SIDE: u32 = 256;

/// Frames sent: more than encoders hold back to reorder them.
const FRAMES: u32 = 8;

/// How far, in pixels, a box may be drawn from where it belongs.
const NEAR: i64 = 2;

/// Edges: left, top, right, bottom.
type Edges = [i64; 4];

/// Where the face of a frame is.
fn face_at(frame: u32) -> Rect {
    let n = frame as f32;
    Rect::new(40.0 + 8.0 * n, 50.0 + 6.0 * n, 64.0, 80.0)
}

/// A dark picture that no turn maps onto itself, with a white patch for a face.
fn picture(face: &Rect) -> gst::Buffer {
    let info = info();
    let mut buffer = gst::Buffer::with_size(info.size()).unwrap();
    {
        let mut map = buffer.get_mut().unwrap().map_writable().unwrap();
        map.fill(128);
        let stride = info.stride()[0] as usize;
        for y in 0..SIDE as usize {
            for x in 0..SIDE as usize {
                let inside = (face.x..face.right()).contains(&(x as f32))
                    && (face.y..face.bottom()).contains(&(y as f32));
                let ground =
                    20 + x / 8 + (SIDE as usize - y) / 16 + (x * x / 4096) + (y / 32 % 2) * 6;
                map[y * stride + x] = if inside { 235 } else { ground as u8 };
            }
        }
    }
    buffer
}

fn info() -> VideoInfo {
    video::info(VideoFormat::I420, SIDE, SIDE)
}

/// The faces of a frame, as a detector and a classifier write them.
fn write(buffer: &mut gst::BufferRef, info: &VideoInfo, rect: Rect, label: Label) {
    let format = Format::new(info);
    let signature = format.read(buffer, |p| Signature::of(p, &mut Vec::new()));
    let mut face = Face {
        id: 1,
        rect,
        score: 0.9,
        track: Some(7),
        ..Face::default()
    };
    face.verdict.label = label;
    if label != Label::Unchecked {
        face.verdict.live = Some(0.98);
        face.verdict.model = Some("m".into());
    }
    let mut analysis = Analysis::new(&format, signature.ok());
    analysis.faces.push(face);
    meta::write(buffer, &analysis);
}

/// What the tests send.
fn frames(label: Label) -> Vec<gst::Buffer> {
    let frame = |n| {
        let rect = face_at(n);
        let mut buffer = picture(&rect);
        let b = buffer.get_mut().unwrap();
        let duration = gst::ClockTime::from_mseconds(40);
        b.set_pts(duration * u64::from(n));
        b.set_duration(duration);
        write(b, &info(), rect, label);
        buffer
    };
    (0..FRAMES).map(frame).collect()
}

/// Its luma, row by row without padding.
fn luma(buffer: &gst::BufferRef, info: &VideoInfo) -> Vec<u8> {
    let frame = gst_video::VideoFrame::from_buffer_readable(buffer.copy_deep().unwrap(), info);
    let to = video::info(VideoFormat::Gray8, info.width(), info.height());
    let to = VideoInfo::builder(to.format(), to.width(), to.height())
        .fps(info.fps())
        .build()
        .unwrap();
    let grey = video::convert(&frame.unwrap(), &to).unwrap();
    let map = grey.map_readable().unwrap();
    let rows = map.chunks(to.stride()[0] as usize);
    rows.flat_map(|r| &r[..info.width() as usize])
        .copied()
        .collect()
}

/// The edges of all pixels that are `wanted`.
fn edges(width: u32, pixels: impl Iterator<Item = bool>) -> Option<Edges> {
    let width = width as usize;
    pixels
        .enumerate()
        .filter(|(_, wanted)| *wanted)
        .fold(None, |edges, (i, _)| {
            let (x, y) = ((i % width) as i64, (i / width) as i64);
            let [l, t, r, b] = edges.unwrap_or([x, y, x, y]);
            Some([l.min(x), t.min(y), r.max(x), b.max(y)])
        })
}

/// The white patch of a frame.
fn patch(grey: &[u8], width: u32) -> Rect {
    let (least, most) = (grey.iter().min().unwrap(), grey.iter().max().unwrap());
    let bright = most - ((most - least) as f32 * 0.4) as u8;
    let [l, t, r, b] = edges(width, grey.iter().map(|v| *v >= bright)).unwrap();
    Rect::from_corners(l as f32, t as f32, (r + 1) as f32, (b + 1) as f32)
}

/// Where livenessoverlay draws into a frame.
fn drawn(buffer: &gst::Buffer, info: &VideoInfo) -> Option<Edges> {
    let overlay = gst::ElementFactory::make("livenessoverlay")
        .property("show-labels", false)
        .build()
        .unwrap();
    let mut harness = video::harness(&overlay, info);
    let before = luma(buffer, info);
    let after = luma(&harness.push_and_pull(buffer.clone()).unwrap(), info);
    let changed = before.iter().zip(&after).map(|(b, a)| b.abs_diff(*a) > 12);
    edges(info.width(), changed)
}

/// What became of a frame's faces; panics where a box would be drawn at a wrong place.
fn look(buffer: &gst::Buffer, info: &VideoInfo) -> Outcome {
    let drawn = drawn(buffer, info);
    let Some(analysis) = meta::read(buffer) else {
        assert_eq!(drawn, None, "a face that nobody knows is drawn");
        return Gone;
    };
    assert_eq!(analysis.faces.len(), 1);
    assert_eq!(
        analysis.faces[0].verdict.label,
        Label::Live,
        "a verdict is gone"
    );
    let here = meta::faces_here(buffer, &Format::new(info), &mut Vec::new());
    let Here { faces, lost } = here.unwrap().unwrap();
    if faces.is_empty() {
        assert_eq!(lost.len(), 1);
        assert_eq!(drawn, None, "a face that is lost is drawn");
        return Lost;
    }
    // What the overlay draws where the face was found in this very frame.
    let there = patch(&luma(buffer, info), info.width());
    let mut anew = buffer.copy_deep().unwrap();
    write(anew.make_mut(), info, there, Label::Live);
    let wanted = self::drawn(&anew, info).unwrap();
    let got = drawn.unwrap();
    let near = |(a, b): (&i64, &i64)| (a - b).abs() <= NEAR;
    assert!(
        got.iter().zip(&wanted).all(near),
        "drawn at {got:?} instead of {wanted:?} in {}x{}, frame {:?}",
        info.width(),
        info.height(),
        buffer.pts()
    );
    Placed
}

/// The pipeline with `chain` in it; `None`, said on standard error, where an element of it is not installed.
fn pipeline(chain: &str) -> Option<String> {
    init();
    let caps = info().to_caps().unwrap();
    let description =
        format!("appsrc name=src format=time caps=\"{caps}\" ! {chain} ! fakesink name=s");
    match gst::parse::launch(&description) {
        Err(e) if e.matches(gst::ParseError::NoSuchElement) => {
            common::skip(format_args!("{chain}: {e}"));
            None
        }
        // Whatever else is wrong with it, the test will tell.
        _ => Some(description),
    }
}

/// Feeds frames to the pipeline's source.
fn feed(bin: &gst::Bin, frames: Vec<gst::Buffer>) {
    let src = bin
        .by_name("src")
        .unwrap()
        .downcast::<gst_app::AppSrc>()
        .unwrap();
    for frame in frames {
        src.push_buffer(frame).unwrap();
    }
    src.end_of_stream().unwrap();
}

/// What became of the faces of all frames that come out of a pipeline.
fn outcomes(description: &str, frames: Vec<gst::Buffer>) -> Vec<Outcome> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let seen = all.clone();
    let see = move |buffer: &gst::BufferRef, caps: &gst::CapsRef| {
        let frame = (buffer.copy_deep(), VideoInfo::from_caps(caps));
        seen.lock().unwrap().push(frame);
    };
    video::run_with(description, |bin| feed(bin, frames), see).unwrap();
    // Here and not in the probe, where a panic would end the whole process.
    let all = std::mem::take(&mut *all.lock().unwrap());
    all.into_iter()
        .map(|(buffer, info)| look(&buffer.unwrap(), &info.unwrap()))
        .collect()
}

/// Whether a row of the table holds: what becomes of the faces of all frames that come out of `chain`, and that nobody makes a
/// living person out of one that got lost.
#[track_caller]
fn check(chain: &str, wanted: Outcome) {
    let Some(description) = pipeline(chain) else {
        return;
    };
    let all = outcomes(&description, frames(Label::Live));
    assert!(!all.is_empty(), "nothing came through {chain}");
    assert!(all.iter().all(|o| *o == wanted), "{chain}: {all:?}");
    if wanted != Placed {
        // The frames of a face that nobody has judged: who is lost cannot be looked at.
        let description = description.replace(
            "! fakesink",
            &format!(
                "! livenessclassify model={} smoothing=0 ! fakesink",
                tiny("bright.onnx")
            ),
        );
        let labels = Arc::new(Mutex::new(Vec::new()));
        let seen = labels.clone();
        let see = move |buffer: &gst::BufferRef, _: &gst::CapsRef| {
            let faces = meta::read(buffer).map_or(Vec::new(), |a| a.faces);
            let labels = faces.iter().map(|f| f.verdict.label);
            seen.lock().unwrap().extend(labels);
        };
        let unjudged = frames(Label::Unchecked);
        video::run_with(&description, |bin| feed(bin, unjudged), see).unwrap();
        let labels = labels.lock().unwrap();
        assert!(labels.iter().all(|l| *l == Label::Unchecked), "{labels:?}");
        assert_eq!(labels.is_empty(), wanted == Gone);
    }
}

macro_rules! matrix {
    ($($name:ident: $chain:expr => $outcome:expr;)*) => {
        $(#[test]
        fn $name() {
            check($chain, $outcome);
        })*
    };
}

matrix! {
    nothing: "identity" => Placed;
    convert_to_rgb: "videoconvert ! video/x-raw,format=RGB" => Placed;
    convert_to_ten_bits: "videoconvert ! video/x-raw,format=P010_10LE" => Placed;
    convert_to_tiles: "videoconvert ! video/x-raw,format=NV12_64Z32" => Placed;
    convert_to_grey_and_back: "videoconvert ! video/x-raw,format=GRAY8 ! videoconvert ! video/x-raw,format=NV12" => Placed;
    // In newer versions it may make Bayer patterns of frames.
    convert_by_itself: "autovideoconvert ! video/x-raw" => Placed;
    convert_and_scale: "videoconvertscale ! video/x-raw,format=RGB,width=400,height=400" => Placed;
    scale_down: "videoscale ! video/x-raw,width=160,height=160" => Placed;
    scale_up: "videoscale ! video/x-raw,width=1000,height=1000" => Placed;
    scale_down_and_up: "videoscale ! video/x-raw,width=96,height=96 ! videoscale ! video/x-raw,width=256,height=256" => Placed;
    // The pixels' shape makes up for it: displayed, it is the same picture.
    scale_to_other_pixels: "videoscale ! video/x-raw,width=320,height=160,pixel-aspect-ratio=1/2" => Placed;
    letterbox: "videoscale add-borders=true ! video/x-raw,width=640,height=360,pixel-aspect-ratio=1/1" => Lost;
    letterbox_upright: "videoscale add-borders=true ! video/x-raw,width=180,height=320,pixel-aspect-ratio=1/1" => Lost;
    letterbox_and_cropped_back: "videoscale add-borders=true ! video/x-raw,width=640,height=360,pixel-aspect-ratio=1/1 \
        ! aspectratiocrop aspect-ratio=1/1" => Lost;
    squash: "videoscale add-borders=false ! video/x-raw,width=640,height=360,pixel-aspect-ratio=1/1" => Lost;
    crop: "videocrop left=40 right=40 top=40 bottom=40" => Lost;
    crop_one_side: "videocrop left=64" => Lost;
    crop_and_scale_back: "videocrop left=16 right=16 top=16 bottom=16 ! videoscale ! video/x-raw,width=256,height=256" => Lost;
    crop_nothing: "videocrop" => Placed;
    crop_to_aspect: "videoscale ! aspectratiocrop aspect-ratio=16/9" => Lost;
    border: "videobox left=-20 right=-20 top=-20 bottom=-20" => Lost;
    crop_by_box: "videobox left=20 right=20 top=20 bottom=20" => Lost;
    mirror: "videoflip video-direction=horiz" => Lost;
    upside_down: "videoflip video-direction=vert" => Lost;
    half_turn: "videoflip video-direction=180" => Lost;
    quarter_turn: "videoflip video-direction=90r" => Lost;
    quarter_turn_back: "videoflip video-direction=90l" => Lost;
    transpose: "videoflip video-direction=ul-lr" => Lost;
    mirror_and_scale: "videoflip video-direction=horiz ! videoscale ! video/x-raw,width=160,height=160" => Lost;
    no_turn: "videoflip video-direction=identity" => Placed;
    turned_and_turned_back: "videoflip video-direction=90r ! videoflip video-direction=90l" => Placed;
    turned_by_an_angle: "videoconvert ! rotate angle=0.4" => Lost;
    fisheye: "videoconvert ! fisheye" => Lost;
    rate_up: "videorate ! video/x-raw,framerate=50/1" => Placed;
    rate_down: "videorate ! video/x-raw,framerate=10/1" => Placed;
    rate_drop_only: "videorate drop-only=true ! video/x-raw,framerate=10/1" => Placed;
    queue: "queue" => Placed;
    leaky_queue: "queue leaky=downstream max-size-buffers=2" => Placed;
    multiqueue: "multiqueue" => Placed;
    tee: "tee ! queue" => Placed;
    // What another branch does to the picture is its own affair.
    tee_with_a_mirror_beside: "tee name=t t. ! queue ! videoflip video-direction=horiz ! fakesink t. ! queue" => Placed;
    valve: "valve drop=false" => Placed;
    selector: "input-selector" => Placed;
    funnel: "funnel" => Placed;
    concat: "concat" => Placed;
    light: "videobalance brightness=0.2 contrast=0.7 saturation=0.3" => Placed;
    gamma: "gamma gamma=1.6" => Placed;
    colour_effect: "videoconvert ! coloreffects preset=sepia" => Placed;
    // It drops regions, and these pixels are not those that were looked at.
    blur: "videoconvert ! gaussianblur sigma=1.2" => Lost;
    median: "videomedian" => Placed;
    deinterlace: "deinterlace" => Placed;
    text: "textoverlay text=hello color=0xff202020 draw-outline=false draw-shadow=false" => Placed;
    time: "timeoverlay color=0xff202020 draw-outline=false draw-shadow=false shaded-background=true" => Placed;
    jpeg: "jpegenc quality=70 ! jpegdec" => Placed;
    png: "videoconvert ! pngenc ! pngdec" => Placed;
    h264: "x264enc tune=zerolatency bitrate=2000 ! h264parse ! avdec_h264" => Placed;
    // Frames leave the encoder in another order than that in which they came.
    h264_reordered: "x264enc bframes=3 b-adapt=false bitrate=2000 ! h264parse ! avdec_h264" => Placed;
    openh264: "openh264enc bitrate=2000000 ! openh264dec" => Placed;
    vp8: "vp8enc deadline=1 target-bitrate=2000000 ! vp8dec" => Placed;
    vp9: "vp9enc deadline=1 cpu-used=8 target-bitrate=2000000 ! vp9dec" => Placed;
    mpeg4: "avenc_mpeg4 bitrate=4000000 ! avdec_mpeg4" => Placed;
    theora: "theoraenc bitrate=4000 ! theoradec" => Placed;
    matroska: "jpegenc quality=70 ! matroskamux ! matroskademux ! jpegdec" => Placed;
    rtp: "jpegenc quality=70 ! rtpjpegpay ! rtpjpegdepay ! jpegdec" => Lost;
    compositor: "compositor" => Gone;
    tiles: "compositor name=c sink_1::xpos=256 videotestsrc pattern=black num-buffers=8 \
        ! video/x-raw,width=256,height=256,framerate=25/1 ! c. c." => Gone;
    gl: "glupload ! glcolorconvert ! gldownload ! videoconvert" => Placed;
    gl_mixer: "glvideomixer ! gldownload ! videoconvert" => Gone;
}

/// An application that takes buffers out of a pipeline and gives them to another; `copy` is how it does that.
fn handed_over(copy: impl Fn(&gst::Sample) -> gst::Buffer) -> Outcome {
    init();
    let caps = info().to_caps().unwrap();
    let first =
        format!("appsrc name=src format=time caps=\"{caps}\" ! appsink name=out sync=false");
    let first = gst::parse::launch(&first)
        .unwrap()
        .downcast::<gst::Bin>()
        .unwrap();
    feed(&first, frames(Label::Live));
    let out = first
        .by_name("out")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    first.set_state(gst::State::Playing).unwrap();
    let mut all = Vec::new();
    while let Some(sample) = out.try_pull_sample(gst::ClockTime::from_seconds(60)) {
        all.push(copy(&sample));
    }
    first.set_state(gst::State::Null).unwrap();
    assert_eq!(all.len(), FRAMES as usize);
    let outcomes = outcomes(&pipeline("identity").unwrap(), all);
    assert!(outcomes.iter().all(|o| *o == outcomes[0]), "{outcomes:?}");
    outcomes[0]
}

#[test]
fn an_application_hands_buffers_over() {
    assert_eq!(handed_over(|s| s.buffer_owned().unwrap()), Placed);
}

#[test]
fn an_application_hands_copies_over() {
    assert_eq!(
        handed_over(|s| s.buffer().unwrap().copy_deep().unwrap()),
        Placed
    );
}

#[test]
fn an_application_hands_nothing_but_pixels_over() {
    let pixels = |sample: &gst::Sample| {
        let buffer = sample.buffer().unwrap();
        let mut new = gst::Buffer::from_slice(buffer.map_readable().unwrap().to_vec());
        new.get_mut().unwrap().set_pts(buffer.pts());
        new
    };
    assert_eq!(handed_over(pixels), Gone);
}
