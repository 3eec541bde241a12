// SPDX-License-Identifier: MIT OR Apache-2.0
//! Streams that no camera makes, through `livenessclassify`: what its cue `stream` says of them, and who is called live in them.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use gst_video::VideoFormat;
use gstliveness::frame::Format;
use gstliveness::meta::{self, Analysis};
use liveness::face::{Face, Label, Reason, Verdict};
use liveness::geometry::Rect;
use video::{init, rgb, tiny};

/// What becomes of a bright face, live for the tiny model, in frames that `picture` tells apart: the verdict of each.
fn judged(hold: bool, picture: impl Fn(u32) -> u32, many: u32) -> Vec<Verdict> {
    init();
    let element = gst::ElementFactory::make("livenessclassify")
        .property("model", tiny("bright.onnx"))
        .property_from_str("cues", "stream")
        .property("hold-suspect-stream", hold)
        // The flat picture is too blurred to be judged over time.
        .property("smoothing", 0f32)
        .build()
        .unwrap();
    let info = video::info(VideoFormat::Rgb, 64, 64);
    let mut harness = video::harness(&element, &info);
    let frames = (0..many).map(|i| {
        // The last bits of a few pixels, as a sensor's noise.
        let noise = picture(i);
        let frame = rgb(64, 64, |x, y| {
            [220 + (noise >> ((x + y) % 32) & 1) as u8; 3]
        });
        let mut buffer = frame.into_buffer();
        let face = Face {
            id: 1,
            rect: Rect::new(10.0, 10.0, 40.0, 40.0),
            score: 0.9,
            track: Some(1),
            ..Face::default()
        };
        let analysis = Analysis {
            faces: vec![face],
            ..Analysis::new(&Format::new(&info), None)
        };
        let b = buffer.make_mut();
        // Some microseconds early or late, as those of a camera.
        let late = u64::from(i) * u64::from(i) * 7919 % 300;
        b.set_pts(gst::ClockTime::from_useconds(u64::from(i) * 40_000 + late));
        meta::write(b, &analysis);
        let out = harness.push_and_pull(buffer).unwrap();
        meta::read(&out).unwrap().faces[0].verdict.clone()
    });
    frames.collect()
}

/// A frame that no other is like.
fn camera(i: u32) -> u32 {
    i.wrapping_mul(2_654_435_761)
}

#[test]
fn a_camera_is_trusted() {
    let verdicts = judged(true, camera, 200);
    let last = &verdicts[199];
    assert_eq!((last.label, last.cues.stream), (Label::Live, Some(1.0)));
    assert_eq!(verdicts[10].cues.stream, None, "not enough seen");
}

#[test]
fn a_frozen_picture_and_a_loop_are_told_and_nobody_is_live_in_them() {
    let frozen = |i: u32| camera(i.min(60));
    let looped = |i: u32| camera(i % 70);
    for picture in [&frozen as &dyn Fn(u32) -> u32, &looped] {
        let held = judged(true, picture, 150);
        assert_eq!(held[59].label, Label::Live);
        let last = &held[149];
        assert_eq!(
            (last.label, last.reason),
            (Label::Uncertain, Some(Reason::SuspectStream))
        );
        assert_eq!(last.cues.stream, Some(0.0));
        // Told, and not acted upon, where nobody asked for it.
        let told = judged(false, picture, 150);
        assert_eq!(
            (told[149].label, told[149].cues.stream),
            (Label::Live, Some(0.0))
        );
    }
}

#[test]
fn what_is_shown_as_a_picture_stays_live_unless_asked() {
    init();
    let labels = |hold: &str| {
        let line = format!(
            "filesrc location={} ! pngdec ! videoconvert ! imagefreeze num-buffers=60 ! video/x-raw,framerate=25/1 ! livenessfacedetect \
             ! livenessclassify threshold=0 {hold} ! fakesink name=s",
            video::astronaut().display()
        );
        let last = video::collect(&line, |b, _| meta::read(b).unwrap().faces[0].verdict.label);
        last[59]
    };
    assert_eq!(labels(""), Label::Live);
    assert_eq!(labels("hold-suspect-stream=true"), Label::Uncertain);
}

#[test]
fn no_clip_of_a_person_is_suspect() {
    init();
    let Some(assets) = common::assets() else {
        return;
    };
    for clip in ["vid_fas/wolf_live.mp4", "vid_face/liveportrait_d12.mp4"] {
        let scores = video::collect(
            &format!(
                "filesrc location={} ! decodebin ! videoconvert ! livenessfacedetect model={} ! livenessclassify model={} cues=stream \
                 ! fakesink name=s",
                assets.join(clip).display(),
                tiny("boxes.onnx"),
                tiny("bright.onnx")
            ),
            |b, _| meta::read(b).unwrap().faces[0].verdict.cues.stream,
        );
        let told: Vec<_> = scores.into_iter().flatten().collect();
        assert!(
            told.len() > 50 && told.iter().all(|s| *s == 1.0),
            "{clip}: {told:?}"
        );
    }
}
