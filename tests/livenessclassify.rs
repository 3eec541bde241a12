// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element `livenessclassify`. Most tests use a tiny model that calls bright crops live, so that it can be foreseen what each
//! face gets; those with real models need the assets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use std::sync::{Arc, Mutex};

use gst::prelude::*;
use gst_video::VideoFormat as F;
use gst_video::VideoRegionOfInterestMeta as Roi;
use gstliveness::frame::Format;
use gstliveness::meta::{self, Analysis};
use liveness::face::{Cues, Face, Label, Reason, Verdict};
use liveness::geometry::{Point, Rect};
use video::{convert, harness, init, rgb, tiny};

fn classify(model: &str) -> gst::Element {
    init();
    gst::ElementFactory::make("livenessclassify")
        .property("model", model)
        .build()
        .unwrap()
}

/// A dark frame with a bright square in its right half.
fn half_bright(format: F) -> Option<(gst::Buffer, gst_video::VideoInfo)> {
    let info = video::try_info(format, 320, 240)?;
    let frame = rgb(320, 240, |x, _| [if x < 160 { 30 } else { 225 }; 3]);
    Some((convert(&frame, &info)?, info))
}

const DARK: Rect = Rect::new(40.0, 60.0, 80.0, 100.0);
const BRIGHT: Rect = Rect::new(200.0, 60.0, 80.0, 100.0);

fn with_faces(mut buffer: gst::Buffer, info: &gst_video::VideoInfo, rects: &[Rect]) -> gst::Buffer {
    let faces = rects.iter().enumerate().map(|(i, &rect)| Face {
        id: i as u32 + 1,
        rect,
        score: 0.9,
        ..Face::default()
    });
    let analysis = Analysis {
        faces: faces.collect(),
        ..Analysis::new(&Format::new(info), None)
    };
    meta::write(buffer.make_mut(), &analysis);
    buffer
}

fn labels(buffer: &gst::BufferRef) -> Vec<Label> {
    let analysis = meta::read(buffer).unwrap();
    analysis.faces.iter().map(|f| f.verdict.label).collect()
}

#[test]
fn all_raw_formats_are_judged_alike() {
    let element = classify(&tiny("bright.onnx"));
    let mut tried = 0;
    for format in gstliveness::caps::formats() {
        let Some((buffer, info)) = half_bright(format) else {
            continue;
        };
        let buffer = with_faces(buffer, &info, &[DARK, BRIGHT]);
        let mut h = harness(&element, &info);
        let out = h.push_and_pull(buffer).unwrap();
        assert_eq!(labels(&out), [Label::Spoof, Label::Live], "{format:?}");
        tried += 1;
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn verdicts_stand_in_both_metas() {
    let element = classify(&tiny("bright.onnx"));
    let (buffer, info) = half_bright(F::I420).unwrap();
    let mut h = harness(&element, &info);
    let out = h
        .push_and_pull(with_faces(buffer, &info, &[DARK, BRIGHT]))
        .unwrap();
    let faces = meta::read(&out).unwrap().faces;
    let live = faces[1].verdict.live.unwrap();
    assert!(live > 0.99 && faces[1].verdict.model.as_deref() == Some("bright"));
    let rois: Vec<_> = out.iter_meta::<Roi>().collect();
    assert_eq!(rois.len(), 2);
    for (roi, label) in rois.iter().zip(["spoof", "live"]) {
        let s = roi.param("liveness").unwrap();
        assert_eq!(s.get::<&str>("label").unwrap(), label);
        assert!(s.get::<f64>("confidence").unwrap() > 0.99);
        assert!(roi.param("detection").is_some());
    }
}

#[test]
fn faces_of_other_detectors_are_judged() {
    let element = classify(&tiny("bright.onnx"));
    let (mut buffer, info) = half_bright(F::Nv12).unwrap();
    {
        let b = buffer.make_mut();
        Roi::add(b, "car", (0, 0, 50, 50));
        Roi::add(b, "face", (200, 60, 80, 100));
        Roi::add(b, "face", (40, 60, 80, 100));
    }
    let mut h = harness(&element, &info);
    let out = h.push_and_pull(buffer).unwrap();
    assert_eq!(labels(&out), [Label::Live, Label::Spoof]);
    let judged = out
        .iter_meta::<Roi>()
        .filter(|r| r.param("liveness").is_some());
    assert_eq!(judged.count(), 2);
    assert_eq!(out.iter_meta::<Roi>().count(), 3);
}

#[test]
fn a_frame_that_nobody_looked_at_passes_as_it_is() {
    let element = classify(&tiny("bright.onnx"));
    let (buffer, info) = half_bright(F::Nv12).unwrap();
    let mut h = harness(&element, &info);
    let kept = buffer.clone();
    let out = h.push_and_pull(buffer).unwrap();
    assert!(meta::read(&out).is_none());
    assert_eq!(kept.peek_memory(0).as_ptr(), out.peek_memory(0).as_ptr());
}

#[test]
fn a_shared_frame_is_neither_copied_nor_written() {
    let element = classify(&tiny("bright.onnx"));
    let (buffer, info) = half_bright(F::Nv12).unwrap();
    let buffer = with_faces(buffer, &info, &[DARK]);
    let mut h = harness(&element, &info);
    let kept = buffer.clone();
    let out = h.push_and_pull(buffer).unwrap();
    assert_eq!(kept.peek_memory(0).as_ptr(), out.peek_memory(0).as_ptr());
    assert_eq!(
        labels(&kept),
        [Label::Unchecked],
        "the other owner's metadata changed"
    );
    assert_eq!(labels(&out), [Label::Spoof]);
}

#[test]
fn small_faces_are_uncertain_with_their_reason() {
    let element = classify(&tiny("bright.onnx"));
    element.set_property("min-face-size", 81u32);
    let (buffer, info) = half_bright(F::Rgb).unwrap();
    let wide = Rect::new(170.0, 60.0, 120.0, 100.0);
    let mut h = harness(&element, &info);
    let out = h
        .push_and_pull(with_faces(buffer, &info, &[BRIGHT, wide]))
        .unwrap();
    let faces = meta::read(&out).unwrap().faces;
    assert_eq!(faces[0].verdict.label, Label::Uncertain);
    assert_eq!(faces[0].verdict.reason, Some(Reason::TooSmall));
    assert_eq!(faces[1].verdict.label, Label::Live);
}

#[test]
fn the_threshold_may_change_while_playing_and_a_wrong_one_lets_nobody_in() {
    let element = classify(&tiny("bright.onnx"));
    let (buffer, info) = half_bright(F::Rgb).unwrap();
    let buffer = with_faces(buffer, &info, &[DARK, BRIGHT]);
    let mut h = harness(&element, &info);
    for (threshold, wanted) in [
        (-1.0, [Label::Spoof, Label::Live]),
        (0.0, [Label::Live, Label::Live]),
        (1.0, [Label::Spoof, Label::Spoof]),
    ] {
        element.set_property("threshold", threshold as f32);
        assert_eq!(labels(&h.push_and_pull(buffer.clone()).unwrap()), wanted);
    }
}

#[test]
fn what_is_no_number_never_becomes_a_verdict() {
    for models in ["not_a_number.onnx", "bright.onnx,not_a_number.onnx"] {
        let paths: Vec<_> = models.split(',').map(tiny).collect();
        let element = classify(&paths.join(","));
        let (buffer, info) = half_bright(F::Rgb).unwrap();
        let mut h = harness(&element, &info);
        let out = h
            .push_and_pull(with_faces(buffer, &info, &[DARK, BRIGHT]))
            .unwrap();
        assert_eq!(labels(&out), [Label::Unchecked; 2], "{models}");
    }
}

#[test]
fn a_face_whose_place_is_lost_loses_its_verdict_too() {
    let element = classify(&tiny("bright.onnx"));
    let (buffer, info) = half_bright(F::Rgb).unwrap();
    let mut h = harness(&element, &info);
    let mut out = h
        .push_and_pull(with_faces(buffer, &info, &[BRIGHT]))
        .unwrap();
    assert_eq!(labels(&out), [Label::Live]);
    // As videocrop drops it.
    out.make_mut().foreach_meta_mut(|mut meta| {
        use gst::buffer::BufferMetaForeachAction as Action;
        let roi = meta.downcast_ref::<Roi>().is_some();
        std::ops::ControlFlow::Continue(if roi { Action::Remove } else { Action::Keep })
    });
    let out = h.push_and_pull(out).unwrap();
    assert_eq!(labels(&out), [Label::Unchecked]);
}

#[test]
fn hostile_boxes_are_survived() {
    let element = classify(&tiny("bright.onnx"));
    let (buffer, info) = half_bright(F::I420).unwrap();
    let rects: Vec<_> = [
        (-1e9, -1e9, 2e9, 2e9),
        (319.0, 239.0, 1.0, 1.0),
        (-500.0, -500.0, 20.0, 20.0),
        (0.0, 0.0, 1e-6, 1e-6),
        (5000.0, 5000.0, 100.0, 100.0),
        (f32::MAX, 0.0, 1.0, 1.0),
    ]
    .into_iter()
    .map(|(x, y, w, h)| Rect::new(x, y, w, h))
    .chain((0..200).map(|i| Rect::new(i as f32, i as f32 / 2.0, 30.0, 40.0)))
    .collect();
    let mut h = harness(&element, &info);
    let mut buffer = with_faces(buffer, &info, &rects);
    // All of them have a region, so that all are tried.
    for i in 0..rects.len() {
        let mut roi = Roi::add(buffer.make_mut(), "face", (0, 0, 30, 40));
        roi.set_id(i as i32 + 1);
    }
    let out = h.push_and_pull(buffer).unwrap();
    assert!(labels(&out).len() >= 200);
}

#[test]
fn one_by_one_and_all_at_once_are_the_same() {
    let rects: Vec<_> = (0..37)
        .map(|i| Rect::new(40.0 + 4.0 * i as f32, 60.0, 60.0, 70.0))
        .collect();
    let judge = |model: &str| -> Vec<f32> {
        let element = classify(&tiny(model));
        let (buffer, info) = half_bright(F::Rgb).unwrap();
        let mut h = harness(&element, &info);
        let out = h.push_and_pull(with_faces(buffer, &info, &rects)).unwrap();
        let faces = meta::read(&out).unwrap().faces;
        faces.iter().map(|f| f.verdict.live.unwrap()).collect()
    };
    let (many, one) = (judge("bright.onnx"), judge("bright_one.onnx"));
    assert_eq!(many.len(), 37);
    for (a, b) in many.iter().zip(&one) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    assert!(many[0] < 0.01 && many[36] > 0.99);
}

/// What `start` says of a model.
fn refusal(model: &str) -> String {
    refused(&classify(model))
}

/// What an element says that cannot be started.
fn refused(element: &gst::Element) -> String {
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    let _ = element.set_state(gst::State::Null);
    match message.view() {
        gst::MessageView::Error(e) => e.error().to_string(),
        _ => unreachable!(),
    }
}

#[test]
fn precision_chooses_a_version_of_the_model_that_ships() {
    init();
    let (buffer, info) = half_bright(F::I420).unwrap();
    let buffer = with_faces(buffer, &info, &[DARK, BRIGHT]);
    let judged = |precision: &str| {
        let element = gst::ElementFactory::make("livenessclassify")
            .property_from_str("precision", precision)
            .build()
            .unwrap();
        let out = harness(&element, &info)
            .push_and_pull(buffer.clone())
            .unwrap();
        let faces = meta::read(&out).unwrap().faces;
        let live: Vec<_> = faces.iter().map(|f| f.verdict.live.unwrap()).collect();
        (faces[0].verdict.model.clone().unwrap(), live)
    };
    let (float, int8) = (judged("float"), judged("int8"));
    assert_eq!((&*float.0, &*int8.0), ("liveness", "liveness-int8"));
    // The same net: other numbers, hardly another answer.
    for (a, b) in float.1.iter().zip(&int8.1) {
        assert!(a != b && (a - b).abs() < 0.1, "{a} {b}");
    }
    let auto = judged("auto");
    assert!(auto == float || auto == int8, "{auto:?}");
}

#[test]
fn precision_is_not_for_models_that_are_named() {
    let element = classify(&tiny("bright.onnx"));
    element.set_property_from_str("precision", "int8");
    let text = refused(&element);
    assert!(text.contains("precision=int8"), "{text}");
    element.set_property_from_str("precision", "auto");
    assert!(element.set_state(gst::State::Paused).is_ok());
    let _ = element.set_state(gst::State::Null);
}

#[test]
fn a_model_that_says_nothing_is_refused_with_what_is_missing_and_a_sidecar_helps() {
    let text = refusal(&tiny("bright_silent.onnx"));
    for fact in [
        "color",
        "mean",
        "scale",
        "crop-scale",
        "outside",
        "classes",
        ".toml",
    ] {
        assert!(text.contains(fact), "{fact} is not named: {text}");
    }
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("mine.onnx");
    std::fs::copy(tiny("bright_silent.onnx"), &model).unwrap();
    std::fs::write(
        model.with_extension("toml"),
        "name = 'mine'\ncolor = 'rgb'\nmean = 0\nscale = 0.00392156862745098\ncrop = 'box'\ncrop-scale = 1.0\n\
         outside = 'replicate'\nclasses = ['spoof', 'live']\noutput = 'logits'\n",
    )
    .unwrap();
    let element = classify(&model.display().to_string());
    let (buffer, info) = half_bright(F::I420).unwrap();
    let mut h = harness(&element, &info);
    let out = h
        .push_and_pull(with_faces(buffer, &info, &[DARK, BRIGHT]))
        .unwrap();
    assert_eq!(labels(&out), [Label::Spoof, Label::Live]);
    // The sidecar wins over the file's own card: the classes change places.
    let told = std::fs::read_to_string(model.with_extension("toml")).unwrap();
    std::fs::copy(tiny("bright.onnx"), &model).unwrap();
    std::fs::write(
        model.with_extension("toml"),
        told.replace("['spoof', 'live']", "['live', 'spoof']"),
    )
    .unwrap();
    let element = classify(&model.display().to_string());
    let (buffer, info) = half_bright(F::I420).unwrap();
    let mut h = harness(&element, &info);
    let out = h
        .push_and_pull(with_faces(buffer, &info, &[DARK, BRIGHT]))
        .unwrap();
    assert_eq!(labels(&out), [Label::Live, Label::Spoof]);
}

#[test]
fn models_of_other_tasks_are_refused() {
    let text = refusal(&tiny("boxes.onnx"));
    assert!(
        text.contains("boxes.onnx") && text.contains("liveness"),
        "{text}"
    );
    let text = refusal(",");
    assert!(text.contains("model="), "{text}");
    let text = refusal(&format!("{},/nowhere.onnx", tiny("bright.onnx")));
    assert!(text.contains("/nowhere.onnx"), "{text}");
}

#[test]
fn stats_and_messages_count() {
    let element = classify(&tiny("bright.onnx"));
    element.set_property_from_str("post-messages", "on-change");
    let (buffer, info) = half_bright(F::I420).unwrap();
    let both = with_faces(buffer.clone(), &info, &[DARK, BRIGHT]);
    let one = with_faces(buffer, &info, &[DARK]);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let mut h = harness(&element, &info);
    for buffer in [&both, &both, &one, &both] {
        h.push_and_pull(buffer.clone()).unwrap();
    }
    let posted = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Element])).count();
    assert_eq!(posted, 3);
    let stats: gst::Structure = element.property("stats");
    assert_eq!(stats.get::<u64>("frames").unwrap(), 4);
    assert_eq!(stats.get::<u64>("faces").unwrap(), 7);
    assert!(stats.get::<f64>("inference-ms").unwrap() > 0.0);
}

#[test]
fn a_file_with_a_comma_in_its_name_is_one_model_and_a_list_is_still_a_list() {
    init();
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join("a, b.onnx");
    std::fs::copy(tiny("bright.onnx"), &odd).unwrap();
    for model in [
        odd.display().to_string(),
        format!("{} , {}", tiny("bright.onnx"), tiny("bright_one.onnx")),
    ] {
        let (buffer, info) = half_bright(F::I420).unwrap();
        let mut h = harness(&classify(&model), &info);
        let out = h.push_and_pull(with_faces(buffer, &info, &[DARK, BRIGHT]));
        assert_eq!(
            labels(&out.unwrap()),
            [Label::Spoof, Label::Live],
            "{model}"
        );
    }
}

/// A grey frame of this brightness with a pattern all over it, another one for another `seed`.
fn pattern(brightness: u8, seed: u32) -> (gst::Buffer, gst_video::VideoInfo) {
    let info = video::info(F::I420, 320, 240);
    let frame = rgb(320, 240, |x, y| {
        let (x, y) = (x / 6, y / 6);
        let noise = (x * 7919 + y * 104_729 + (x * y + x + 3) * (31 + 17 * seed)) % 61;
        [(u32::from(brightness) + noise).saturating_sub(30).min(255) as u8; 3]
    });
    (convert(&frame, &info).unwrap(), info)
}

const PLACE: Rect = Rect::new(120.0, 60.0, 80.0, 100.0);
/// Brightness that the tiny model calls live, and one that it does not.
const LIVE: u8 = 190;
const SPOOF: u8 = 60;

/// One face that is followed, frame by frame.
struct Stream {
    element: gst::Element,
    h: gst_check::Harness,
    frame: u64,
}

impl Stream {
    fn new(properties: &[(&str, &str)]) -> Self {
        let element = classify(&tiny("bright.onnx"));
        for (name, value) in properties {
            element.set_property_from_str(name, value);
        }
        let h = harness(&element, &pattern(LIVE, 0).1);
        Self {
            element,
            h,
            frame: 0,
        }
    }

    /// The verdicts on these faces in the next frame, 25 a second.
    fn push(
        &mut self,
        (mut buffer, info): (gst::Buffer, gst_video::VideoInfo),
        faces: &[Face],
    ) -> Vec<Verdict> {
        let b = buffer.make_mut();
        b.set_pts(gst::ClockTime::from_mseconds(40 * self.frame));
        self.frame += 1;
        let analysis = Analysis {
            faces: faces.to_vec(),
            ..Analysis::new(&Format::new(&info), None)
        };
        meta::write(b, &analysis);
        let out = self.h.push_and_pull(buffer).unwrap();
        let faces = meta::read(&out).unwrap().faces;
        faces.into_iter().map(|f| f.verdict).collect()
    }

    /// The verdict on the face, alone and in its place.
    fn see(&mut self, brightness: u8, seed: u32) -> Verdict {
        self.push(pattern(brightness, seed), &[face(1)]).remove(0)
    }

    /// One that stands as live.
    fn live(properties: &[(&str, &str)]) -> Self {
        let mut stream = Self::new(properties);
        let verdicts: Vec<_> = (0..20).map(|_| stream.see(LIVE, 0)).collect();
        assert_eq!(verdicts[19].label, Label::Live);
        stream
    }
}

fn face(track: u64) -> Face {
    Face {
        id: 1,
        rect: PLACE,
        score: 0.9,
        track: Some(track),
        ..Face::default()
    }
}

#[test]
fn a_face_that_is_followed_is_judged_over_time() {
    let mut stream = Stream::new(&[]);
    for i in 1..30 {
        let verdict = stream.see(LIVE, 0);
        assert_eq!((verdict.looks, verdict.last.is_some()), (i, true));
        if i < 4 {
            assert_eq!(verdict.reason, Some(Reason::Collecting), "{i}");
        } else {
            assert_eq!(verdict.label, Label::Live, "{i}");
            assert!(verdict.confidence() > 0.9);
        }
    }
    // One frame that looks like a spoof is one frame.
    let odd = stream.see(SPOOF, 0);
    assert!(odd.label == Label::Live && odd.last.unwrap() < 0.1 && odd.live.unwrap() > 0.8);
    // A second of them is a spoof.
    let after: Vec<_> = (0..40).map(|_| stream.see(SPOOF, 0)).collect();
    let left = after.iter().position(|v| v.label != Label::Live).unwrap();
    assert!(
        left < 25 && after[left].reason == Some(Reason::Undecided),
        "{left}"
    );
    assert_eq!(after[39].label, Label::Spoof);
}

/// The same face with points, whose nose is off the middle by `turn` pixels.
fn with_points(turn: f32) -> Face {
    let at = |x: f32, y: f32| Point { x, y };
    Face {
        landmarks: Some([
            at(140.0, 95.0),
            at(180.0, 95.0),
            at(160.0 + turn, 115.0),
            at(145.0, 135.0),
            at(175.0, 135.0),
        ]),
        ..face(1)
    }
}

const ALL_CUES: &str = "moire+border+planar-motion+blink";

#[test]
fn cues_are_written_where_they_are_wanted_and_turn_no_verdict() {
    let mut plain = Stream::new(&[]);
    let mut stream = Stream::new(&[("cues", ALL_CUES)]);
    for i in 0..100 {
        let face = with_points(4.0 * (i as f32 / 10.0).sin());
        let brightness = if i < 80 { LIVE } else { SPOOF };
        let alone = plain.push(pattern(brightness, 0), std::slice::from_ref(&face));
        assert_eq!(alone[0].cues, Cues::default());
        let mut beside = stream.push(pattern(brightness, 0), &[face]);
        let cues = std::mem::take(&mut beside[0].cues);
        assert_eq!(alone, beside, "{i}");
        assert!(cues.moire.is_some() && cues.border.is_some(), "{cues:?}");
        match i {
            // Nobody can be told by a second.
            ..20 => assert_eq!((cues.planar_motion, cues.blink), (None, None)),
            70..80 => {
                // The nose goes where no picture's would, and the eyes do not change.
                assert!(cues.planar_motion.unwrap() > 0.9, "{cues:?}");
                assert!(cues.blink.unwrap() < 0.2, "{cues:?}");
            }
            _ => (),
        }
    }
    stream.element.set_property_from_str("cues", "border");
    let cues = stream.push(pattern(LIVE, 0), &[with_points(0.0)])[0].cues;
    assert!(cues.border.is_some());
    let rest = Cues {
        border: None,
        ..cues
    };
    assert_eq!(rest, Cues::default());
}

#[test]
fn a_face_that_nobody_follows_has_the_cues_of_the_picture_alone() {
    let mut loose = with_points(0.0);
    loose.track = None;
    for (properties, face) in [
        (vec![("cues", ALL_CUES)], loose),
        (
            vec![("cues", ALL_CUES), ("smoothing", "0")],
            with_points(0.0),
        ),
    ] {
        let mut stream = Stream::new(&properties);
        for _ in 0..80 {
            let verdicts = stream.push(pattern(LIVE, 0), std::slice::from_ref(&face));
            let cues = verdicts[0].cues;
            assert!(cues.moire.is_some() && cues.border.is_some(), "{cues:?}");
            assert_eq!((cues.planar_motion, cues.blink), (None, None));
        }
    }
}

#[test]
fn without_smoothing_each_frame_is_judged_by_itself() {
    let mut stream = Stream::new(&[("smoothing", "0")]);
    for _ in 0..3 {
        assert_eq!(stream.see(LIVE, 0).label, Label::Live);
        assert_eq!(stream.see(SPOOF, 0).label, Label::Spoof);
    }
}

#[test]
fn regions_with_an_object_id_are_followed_and_others_are_not() {
    let element = classify(&tiny("bright.onnx"));
    let mut h = harness(&element, &pattern(LIVE, 0).1);
    for i in 0..5u64 {
        let (mut buffer, _) = pattern(LIVE, 0);
        let b = buffer.make_mut();
        b.set_pts(gst::ClockTime::from_mseconds(40 * i));
        let mut followed = Roi::add(b, "face", (120, 60, 80, 100));
        followed.add_param(
            gst::Structure::builder("object_id")
                .field("id", 7i32)
                .build(),
        );
        Roi::add(b, "face", (20, 60, 80, 100));
        let out = h.push_and_pull(buffer).unwrap();
        let first = if i < 3 { Label::Uncertain } else { Label::Live };
        assert_eq!(labels(&out), [first, Label::Live], "{i}");
    }
}

#[test]
fn one_number_for_two_faces_is_nobodys() {
    let mut stream = Stream::live(&[]);
    let mut other = face(1);
    (other.id, other.rect.x) = (2, 20.0);
    let verdicts = stream.push(pattern(SPOOF, 0), &[face(1), other]);
    assert_eq!(verdicts[0].label, Label::Spoof);
    assert_eq!(verdicts[1].label, Label::Spoof);
    assert_eq!(stream.see(LIVE, 0).looks, 1);
}

#[test]
fn verdicts_that_stand_are_carried() {
    let mut stream = Stream::new(&[("reclassify-interval", "8"), ("post-messages", "on-change")]);
    let bus = gst::Bus::new();
    stream.element.set_bus(Some(&bus));
    let looks: Vec<_> = (0..28).map(|_| stream.see(LIVE, 0).looks).collect();
    assert_eq!((looks[3], looks[10], looks[11], looks[27]), (4, 4, 5, 7));
    let stats: gst::Structure = stream.element.property("stats");
    assert_eq!(stats.get::<u64>("frames").unwrap(), 28);
    assert_eq!(stats.get::<u64>("looked").unwrap(), 7);
    let posted = std::iter::from_fn(|| bus.pop_filtered(&[gst::MessageType::Element])).count();
    assert_eq!(posted, 2, "uncertain, then live");
    // Light that changes is looked at.
    stream.see(LIVE - 60, 0);
    assert_eq!(stream.see(LIVE - 60, 0).looks, 8);
}

#[test]
fn another_face_in_the_same_place_starts_from_nothing() {
    for interval in ["1", "100"] {
        let mut stream = Stream::live(&[("reclassify-interval", interval)]);
        stream.see(LIVE, 1);
        let verdict = stream.see(LIVE, 1);
        assert_eq!(
            (verdict.looks, verdict.reason),
            (1, Some(Reason::Collecting))
        );
    }
}

#[test]
fn bad_pictures_are_uncertain_with_their_reason() {
    let turned = [
        (140.0, 90.0),
        (180.0, 90.0),
        (182.0, 110.0),
        (150.0, 130.0),
        (170.0, 130.0),
    ];
    let mut away = face(1);
    away.landmarks = Some(turned.map(|(x, y)| Point { x, y }));
    let mut cut = face(1);
    cut.rect.x = 0.0;
    let mut small = face(1);
    (small.rect.w, small.rect.h) = (30.0, 40.0);
    let flat = || {
        let info = video::info(F::I420, 320, 240);
        (
            convert(&rgb(320, 240, |_, _| [200; 3]), &info).unwrap(),
            info,
        )
    };
    for (picture, face, reason) in [
        (pattern(5, 0), face(1), Reason::Dark),
        (pattern(254, 0), face(1), Reason::OverExposed),
        (flat(), face(1), Reason::Blurred),
        (pattern(LIVE, 0), away, Reason::TurnedAway),
        (pattern(LIVE, 0), cut, Reason::CutOff),
        (pattern(LIVE, 0), small, Reason::TooSmall),
    ] {
        let mut stream = Stream::new(&[("min-face-size", "50")]);
        for _ in 0..10 {
            let verdicts = stream.push(picture.clone(), std::slice::from_ref(&face));
            assert_eq!(
                (verdicts[0].label, verdicts[0].reason),
                (Label::Uncertain, Some(reason))
            );
            assert_eq!(verdicts[0].live, None);
        }
        // Nor does it end a verdict that stands, unless it lasts.
        if face.rect == PLACE {
            let mut stream = Stream::live(&[]);
            for i in 0..100 {
                let verdicts = stream.push(picture.clone(), std::slice::from_ref(&face));
                if i < 40 {
                    assert_eq!(verdicts[0].label, Label::Live, "{reason} {i}");
                } else if i > 52 {
                    assert_eq!(verdicts[0].reason, Some(reason), "{i}");
                }
            }
        }
    }
}

#[test]
fn what_is_no_number_never_becomes_a_verdict_over_time_either() {
    let mut stream = Stream::new(&[("model", &tiny("not_a_number.onnx"))]);
    for _ in 0..80 {
        assert_eq!(stream.see(LIVE, 0).label, Label::Unchecked);
    }
}

#[test]
fn a_stream_that_does_not_go_on_is_another_one() {
    let segment = |start: u64| {
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(gst::ClockTime::from_mseconds(start));
        gst::event::Segment::new(&segment)
    };
    let fresh = |stream: &mut Stream, what: &str| {
        assert_eq!(stream.see(LIVE, 0).looks, 1, "{what}");
    };
    let mut stream = Stream::live(&[]);
    // The same place again, as when a duration has become known.
    assert!(stream.h.push_event(segment(0)));
    assert_eq!(stream.see(LIVE, 0).looks, 21);
    assert!(stream.h.push_event(segment(10)));
    fresh(&mut stream, "another segment");
    let mut stream = Stream::live(&[]);
    assert!(stream.h.push_event(gst::event::FlushStart::new()));
    assert!(stream.h.push_event(gst::event::FlushStop::new(true)));
    assert!(stream.h.push_event(segment(0)));
    fresh(&mut stream, "a flush");
    let mut stream = Stream::live(&[]);
    let caps = gst_video::VideoInfo::builder(F::I420, 320, 240)
        .fps(gst::Fraction::new(30, 1))
        .build()
        .unwrap();
    stream.h.set_src_caps(caps.to_caps().unwrap());
    fresh(&mut stream, "other caps");
    let mut stream = Stream::live(&[]);
    stream.element.set_state(gst::State::Null).unwrap();
    stream.h.play();
    let caps = pattern(LIVE, 0).1.to_caps().unwrap();
    stream.h.set_src_caps(caps);
    fresh(&mut stream, "a stop");
    let mut stream = Stream::live(&[]);
    stream.frame += 40;
    fresh(&mut stream, "a break");
    let mut stream = Stream::live(&[]);
    for _ in 0..30 {
        stream.push(pattern(LIVE, 0), &[]);
    }
    fresh(&mut stream, "a second without the face");
    let mut stream = Stream::live(&[]);
    stream.element.set_property("threshold", 0.4f32);
    fresh(&mut stream, "another threshold");
}

/// A live camera behind a step that takes longer than its frames last.
#[test]
fn faces_of_late_frames_keep_their_verdicts_without_a_look() {
    init();
    let mut classify = None;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    video::run_with(
        &format!(
            "filesrc location={} ! pngdec ! imagefreeze is-live=true num-buffers=40 ! video/x-raw,framerate=30/1 ! queue max-size-buffers=0 \
             ! identity sleep-time=50000 ! videoconvert ! livenessfacedetect max-lateness=-1 ! livenessclassify name=classify threshold=0.3 ! fakesink name=s sync=false",
            video::astronaut().display()
        ),
        |bin| classify = bin.by_name("classify"),
        move |buffer, _| into.lock().unwrap().push(labels(buffer)),
    )
    .unwrap();
    let stats: gst::Structure = classify.unwrap().property("stats");
    let of = |name| stats.get::<u64>(name).unwrap();
    assert!((10..36).contains(&of("late")), "{stats}");
    assert!(
        of("looked") < 40 && of("looked") + of("late") >= 40,
        "{stats}"
    );
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 40);
    // Once it stands, no frame is without it.
    let first = seen.iter().position(|l| l.contains(&Label::Live)).unwrap();
    assert!(first < 13, "{first}");
    assert!(seen[first..].iter().all(|l| l == &seen[first]), "{seen:?}");
}
