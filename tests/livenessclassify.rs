// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element `livenessclassify`. Most tests use a tiny model that calls bright crops live, so that it can be foreseen what each
//! face gets; those with real models need the assets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use gst::prelude::*;
use gst_video::VideoFormat as F;
use gst_video::VideoRegionOfInterestMeta as Roi;
use gstliveness::frame::Format;
use gstliveness::meta::{self, Analysis};
use liveness::face::{Face, Label, Reason};
use liveness::geometry::Rect;
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
    let element = classify(model);
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
    let text = refusal("");
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
