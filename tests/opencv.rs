// SPDX-License-Identifier: MIT OR Apache-2.0
//! `facedetect message-format=opencv` beside the element that it stands in for: messages of the same form, and an application that
//! reads them finds the same face. Skipped, with a word, where that element or its model is not installed.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use gst::prelude::*;
use video::{astronaut, init, tiny};

/// A pipeline's element messages named `facedetect` with a picture through `detector`.
fn messages(detector: &gst::Element, picture: &str) -> Vec<gst::Structure> {
    let source =
        format!("{picture} ! videoconvert ! capsfilter caps=video/x-raw,format=RGB,framerate=25/1");
    let bin = gst::parse::bin_from_description(&source, true).unwrap();
    let sink = gst::ElementFactory::make("fakesink").build().unwrap();
    let pipeline = gst::Pipeline::new();
    pipeline
        .add_many([bin.upcast_ref(), detector, &sink])
        .unwrap();
    gst::Element::link_many([bin.upcast_ref(), detector, &sink]).unwrap();
    let bus = pipeline.bus().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut all = Vec::new();
    for message in bus.iter_timed(gst::ClockTime::from_seconds(60)) {
        match message.view() {
            gst::MessageView::Element(e) => {
                let structure = e.structure().filter(|s| s.name() == "facedetect");
                all.extend(structure.map(gst::StructureRef::to_owned));
            }
            gst::MessageView::Error(e) => panic!("{}", e.error()),
            gst::MessageView::Eos(_) => break,
            _ => {}
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    pipeline.remove(detector).unwrap();
    all
}

fn ours(properties: &str) -> gst::Element {
    let description = format!("livenessfacedetect message-format=opencv {properties}");
    gst::parse::launch(&description).unwrap()
}

/// GStreamer with our elements; OpenCV's was looked up before, as ours takes the name from it.
fn start() -> Option<gst::ElementFactory> {
    static THEIRS: OnceLock<Option<gst::ElementFactory>> = OnceLock::new();
    let factory = THEIRS.get_or_init(|| {
        gst::init().unwrap();
        let features = gst::Registry::get().features_by_plugin("opencv");
        let feature = features.into_iter().find(|f| f.name() == "facedetect")?;
        feature.load().ok()?.downcast().ok()
    });
    init();
    factory.clone()
}

/// OpenCV's element.
fn theirs() -> Option<gst::Element> {
    let Some(factory) = start() else {
        common::skip("OpenCV's plugin is not there (apt-get install gstreamer1.0-opencv)");
        return None;
    };
    let element = factory.create().property("display", false).build().unwrap();
    let profile: String = element.property("profile");
    if !std::path::Path::new(&profile).is_file() {
        common::skip(format_args!("OpenCV's model {profile} is not there"));
        return None;
    }
    Some(element)
}

/// Names and types of fields.
fn form(s: &gst::StructureRef) -> BTreeMap<String, String> {
    let field = |(name, value): (&gst::glib::GStr, &gst::glib::SendValue)| {
        (name.to_string(), value.type_().name().to_owned())
    };
    s.iter().map(field).collect()
}

/// The faces as an application written for OpenCV's element reads them.
fn faces(message: &gst::StructureRef) -> Vec<[u32; 4]> {
    let list = message.get::<gst::List>("faces").unwrap();
    let read = |value: &gst::glib::SendValue| {
        let face = value.get::<gst::Structure>().unwrap();
        assert_eq!(face.name(), "face");
        ["x", "y", "width", "height"].map(|name| face.get::<u32>(name).unwrap())
    };
    list.iter().map(read).collect()
}

#[test]
fn an_application_written_for_opencvs_element_finds_the_same_face() {
    let Some(theirs) = theirs() else {
        return;
    };
    let picture = format!(
        "filesrc location={} ! pngdec ! imagefreeze num-buffers=3",
        astronaut().display()
    );
    let wanted = messages(&theirs, &picture);
    let got = messages(&ours("post-messages=every-frame"), &picture);
    assert_eq!((wanted.len(), got.len()), (3, 3));
    for (wanted, got) in wanted.iter().zip(&got) {
        assert_eq!(form(got), form(wanted));
        for time in ["timestamp", "stream-time", "running-time", "duration"] {
            assert_eq!(got.get::<u64>(time), wanted.get::<u64>(time), "{time}");
        }
        let (a, b) = (faces(wanted), faces(got));
        assert_eq!(b.len(), 1);
        let rect = |[x, y, w, h]: [u32; 4]| {
            liveness::geometry::Rect::new(x as f32, y as f32, w as f32, h as f32)
        };
        // Theirs are square, and it sees some where there are none.
        assert!(
            a.iter().any(|a| rect(*a).iou(&rect(b[0])) > 0.4),
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn a_frame_without_a_face_has_an_empty_list() {
    let Some(theirs) = theirs() else {
        return;
    };
    let blank = "videotestsrc pattern=black num-buffers=2";
    let (wanted, got) = (
        messages(&theirs, blank),
        messages(&ours("post-messages=every-frame"), blank),
    );
    assert_eq!((wanted.len(), got.len()), (2, 2));
    for (wanted, got) in wanted.iter().zip(&got) {
        assert_eq!(form(got), form(wanted));
        assert!(faces(wanted).is_empty() && faces(got).is_empty());
    }
}

#[test]
fn it_is_posted_as_often_as_was_asked_for() {
    start();
    let model = tiny("boxes.onnx");
    let picture = "videotestsrc num-buffers=3";
    for (mode, count) in [
        ("none", 0),
        ("on-change", 1),
        ("on-face", 3),
        ("every-frame", 3),
    ] {
        let got = messages(
            &ours(&format!("model={model} post-messages={mode}")),
            picture,
        );
        assert_eq!(got.len(), count, "{mode}");
        let tiny = [[80, 80, 160, 160], [16, 16, 32, 48]];
        assert!(got.iter().all(|m| faces(m) == tiny), "{got:?}");
    }
}
