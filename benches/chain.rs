// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the elements themselves cost beside bare inference, in one run: `scripts/env.sh cargo bench --bench chain`.
//!
//! A clip in 1920x1080 goes through the whole chain as fast as it can; each element tells its mean milliseconds. Then ONNX Runtime
//! alone runs the detector as often on the same input size. `CLIP` names another file, `MODEL_DIR` the models.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A program that prints and may fail.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gst::prelude::*;
use liveness::model::ModelFile;
use liveness::runtime::{Engine, Input, Options};

const DETECTOR: &str = "yunet_n_dynamic.onnx";
const LIVENESS: [&str; 2] = ["MiniFASNetV2_2.7_80.onnx", "MiniFASNetV1SE_4.0_80.onnx"];

/// What the detector's input is for 1920x1080.
const INPUT: [usize; 4] = [1, 3, 192, 320];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = |name: &str, default: &str| {
        std::env::var_os(name).map_or_else(|| root.join(default), PathBuf::from)
    };
    let clip = path("CLIP", ".setup/clips/demo.mp4");
    let models = path("MODEL_DIR", "../shared/assets/models");
    let detector = models.join(DETECTOR);
    if !detector.exists() || !clip.exists() {
        println!(
            "SKIPPED: {} and {} are needed",
            detector.display(),
            clip.display()
        );
        return;
    }
    gst::init().unwrap();
    gstliveness::plugin_register_static().unwrap();
    liveness::runtime::search_in(&root.join(".setup/lib"));

    let list = LIVENESS
        .map(|m| models.join(m).display().to_string())
        .join(",");
    let pipeline = gst::parse::launch(&format!(
        "filesrc location=\"{}\" ! decodebin ! videoconvert ! videoscale \
         ! video/x-raw,format=NV12,width=1920,height=1080 \
         ! livenessfacedetect name=detect model={} ! livenessclassify name=classify model={list} \
         ! livenessoverlay name=overlay ! fakesink sync=false",
        clip.display(),
        detector.display(),
    ))
    .unwrap()
    .downcast::<gst::Bin>()
    .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus.timed_pop_filtered(None, &end).unwrap();
    if let gst::MessageView::Error(e) = message.view() {
        panic!("{}", e.error());
    }
    let stats = |name: &str| {
        pipeline
            .by_name(name)
            .unwrap()
            .property::<gst::Structure>("stats")
    };
    let (detect, classify, overlay) = (stats("detect"), stats("classify"), stats("overlay"));
    pipeline.set_state(gst::State::Null).unwrap();

    let frames: u64 = detect.get("frames").unwrap();
    let looked: u64 = detect.get("looked").unwrap();
    let bare = bare_inference(&detector, looked);
    println!(
        "{}, {frames} frames of 1920x1080 NV12, one thread",
        clip.display()
    );
    println!(
        "{:>18} {:>10} {:>10} {:>8} {:>9}   ms per frame",
        "", "preprocess", "inference", "decode", "metadata"
    );
    let mut own = 0.0;
    for (name, s) in [("facedetect", &detect), ("livenessclassify", &classify)] {
        let ms = |field: &str| s.get::<f64>(field).unwrap();
        let parts = ["preprocess-ms", "inference-ms", "decode-ms", "metadata-ms"].map(ms);
        println!(
            "{name:>18} {:>10.3} {:>10.3} {:>8.3} {:>9.3}",
            parts[0], parts[1], parts[2], parts[3]
        );
        own += parts[0] + parts[2] + parts[3];
    }
    let drawn: f64 = overlay.get("overlay-ms").unwrap();
    println!("{:>18} {drawn:>10.3}", "livenessoverlay");
    println!(
        "{:>18} {:>10} {bare:>10.3}   ONNX Runtime alone, same model and size, same run",
        "bare detector", ""
    );
    let inference: f64 = detect.get("inference-ms").unwrap();
    println!(
        "the detector's inference in the chain takes {:.2} times bare inference; the elements' own work beside all inference is {own:.3} ms, drawing {drawn:.3} ms",
        inference / bare
    );
}

/// Mean milliseconds of a run.
fn bare_inference(model: &Path, runs: u64) -> f64 {
    let file = ModelFile::read(model, None).unwrap();
    let engine = Engine::open(&file.name, &file.bytes, Options::default()).unwrap();
    let mut input = Input::new(INPUT).unwrap();
    for (i, v) in input.data().iter_mut().enumerate() {
        *v = (i % 251) as f32;
    }
    engine.run(&input, |_| ()).unwrap();
    let start = Instant::now();
    for _ in 0..runs {
        engine.run(&input, |_| ()).unwrap();
    }
    1e3 * start.elapsed().as_secs_f64() / runs.max(1) as f64
}
