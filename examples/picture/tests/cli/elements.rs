// SPDX-License-Identifier: MIT OR Apache-2.0
//! That the program says what the elements say, and draws what they draw.

use std::sync::mpsc;

use gst::prelude::*;
use gstliveness::meta;
use liveness::face::Face;

use super::*;

/// What the elements find in a picture, and what they draw.
fn through_elements(picture: &Path) -> (Vec<Face>, RgbImage) {
    common::use_runtime();
    gst::init().unwrap();
    gstliveness::plugin_register_static().unwrap();
    let line = "filesrc name=file ! pngdec ! videoconvert ! video/x-raw,format=RGB ! livenessfacedetect \
                ! livenessclassify smoothing=0 ! livenessoverlay ! appsink name=sink sync=false";
    let pipeline = gst::parse::launch(line).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let file = pipeline.by_name("file").unwrap();
    file.set_property("location", picture);
    let (sender, receiver) = mpsc::channel();
    let sink = pipeline.by_name("sink").unwrap();
    let pad = sink.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let analysis = info.buffer().and_then(|b| meta::read(b));
        let _ = sender.send(analysis.unwrap().faces);
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    let wait = gst::ClockTime::from_seconds(plugin::LIMIT.as_secs());
    let sample = sink.try_pull_sample(wait).unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    let (drawn, _) = liveness_app::film::frame::picture(&sample).unwrap();
    (receiver.recv().unwrap(), drawn.into_rgb())
}

#[test]
fn a_picture_is_judged_and_drawn_on_as_by_the_elements_without_smoothing() {
    let (Some(ground), Some(astronaut)) = (Ground::new(), astronaut()) else {
        return;
    };
    let path = ground.write("a.png", &coded(&astronaut, ImageFormat::Png));
    let (faces, drawn) = through_elements(&path);
    let out = ground.path("out");
    let tool = program()
        .arg("--json")
        .arg("--annotate")
        .arg(&out)
        .arg(&path);
    let line = line(&tool.run().cleanly(&[0]));
    assert_eq!((faces.len(), boxes(&line).len()), (1, 1));
    let (face, told) = (&faces[0], &line["faces"][0]);
    let r = face.rect;
    for (told, wanted) in boxes(&line)[0].iter().zip([r.x, r.y, r.w, r.h]) {
        assert!((told - f64::from(wanted)).abs() < 0.01, "{line} {r:?}");
    }
    assert_eq!(told["label"], face.verdict.label.as_str());
    let live = f64::from(face.verdict.live.unwrap());
    assert!(
        (told["live"].as_f64().unwrap() - live).abs() < 1e-4,
        "{line}"
    );
    let copy = image::open(out.join("a.png")).unwrap().into_rgb8();
    assert_eq!(copy, drawn, "every pixel");
}
