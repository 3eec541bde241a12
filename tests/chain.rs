// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole chain on real pictures and clips, to the end of the stream, with the expected verdicts. Needs the assets.
//!
//! The verdicts are those of minivision's public pair (MiniFASNet V2 and V1SE): what is expected of a clip is a share of its frames, with a
//! margin below what was measured, and how often the verdict may change.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use std::collections::HashMap;
use std::path::Path;

use gstliveness::meta;
use liveness::face::{Face, Label};
use video::{collect, init, run};

/// The elements up to `livenessclassify`, with the public models; `tracking` is for facedetect.
fn chain(assets: &Path, tracking: bool) -> String {
    let model = |name| common::model(assets, name).display().to_string();
    format!(
        "livenessfacedetect model={} tracking={tracking} ! livenessclassify model={},{}",
        model("yunet_n_dynamic.onnx"),
        model("MiniFASNetV2_2.7_80.onnx"),
        model("MiniFASNetV1SE_4.0_80.onnx"),
    )
}

/// Faces of each frame of a file, after `before` the chain.
fn judge(assets: &Path, file: &Path, decode: &str, tracking: bool) -> Vec<Vec<Face>> {
    let chain = chain(assets, tracking);
    collect(
        &format!(
            "filesrc location=\"{}\" ! {decode} ! {chain} ! fakesink name=s sync=false",
            file.display()
        ),
        |buffer, _| meta::read(buffer).unwrap().faces,
    )
}

const VIDEO: &str = "decodebin ! videoconvert ! videoflip video-direction=auto";
/// decodebin leaves out the parser that reads the EXIF rotation.
const PICTURE: &str = "jpegparse ! jpegdec ! videoconvert ! videoflip video-direction=auto";

#[test]
fn minivisions_own_samples_get_the_verdicts_in_their_names() {
    init();
    let Some(assets) = common::assets() else {
        return;
    };
    for (name, wanted) in [
        ("image_F1.jpg", Label::Spoof),
        ("image_F2.jpg", Label::Spoof),
        ("image_T1.jpg", Label::Live),
    ] {
        let file = assets.join("fas_minivision_samples").join(name);
        let frames = judge(&assets, &file, PICTURE, false);
        assert_eq!(frames.len(), 1);
        let largest = frames[0]
            .iter()
            .max_by(|a, b| a.rect.area().total_cmp(&b.rect.area()))
            .unwrap();
        assert_eq!(largest.verdict.label, wanted, "{name}: {largest:?}");
    }
}

#[test]
fn clips_get_the_expected_verdicts() {
    init();
    let Some(assets) = common::assets() else {
        return;
    };
    // The first three frames collect evidence. The pair by itself calls 58 % of zubair_live's frames live (so does its Python reference, at
    // 320 and 640 pixels), and at his lowest it says 0.1 for a second: no evidence over time makes a verdict out of that. zubair_replay
    // holds a live man beside the phone in its first frames.
    for (name, right, wrong, flips) in [
        ("wolf_live.mp4", Label::Live, 0.0, 0),
        ("wolf_replay.mp4", Label::Spoof, 0.0, 0),
        ("zubair_live.mov", Label::Live, 0.2, 4),
        ("zubair_replay.mp4", Label::Spoof, 0.0, 1),
    ] {
        let clip = assets.join("vid_fas").join(name);
        let frames = judge(&assets, &clip, VIDEO, true);
        let faces: Vec<_> = frames.iter().flatten().collect();
        let count = |label| faces.iter().filter(|f| f.verdict.label == label).count();
        let other = match right {
            Label::Live => Label::Spoof,
            _ => Label::Live,
        };
        let turns = turns(&frames);
        println!(
            "{name}: {} frames, {} faces, {} {right}, {} {other}, {} uncertain, {turns} flips",
            frames.len(),
            faces.len(),
            count(right),
            count(other),
            count(Label::Uncertain)
        );
        assert_eq!(count(Label::Unchecked), 0, "{name}");
        assert!(faces.len() >= frames.len() / 2, "{name}: too few faces");
        let most = wrong * faces.len() as f64;
        assert!(count(other) as f64 <= most, "{name}: {}", count(other));
        let least = if name.starts_with("wolf") { 0.97 } else { 0.55 };
        assert!(
            count(right) as f64 >= least * faces.len() as f64,
            "{name}: {}",
            count(right)
        );
        assert!(turns <= flips, "{name}: {turns} flips");
    }
}

/// How often the label of a face changes once it has one that is not uncertain.
fn turns(frames: &[Vec<Face>]) -> usize {
    let mut last = HashMap::new();
    let mut turns = 0;
    for face in frames.iter().flatten() {
        let label = face.verdict.label;
        let before = last.get(&face.track).copied();
        if before.is_some_and(|b| b != label) {
            turns += 1;
        }
        if before.is_some() || label != Label::Uncertain {
            last.insert(face.track, label);
        }
    }
    turns
}

#[test]
fn a_face_at_4k_and_in_a_small_frame_is_the_same_face() {
    init();
    let Some(assets) = common::assets() else {
        return;
    };
    for (w, h) in [(3840, 3840), (160, 160)] {
        let frames = collect(
            &format!(
                "filesrc location={} ! pngdec ! imagefreeze num-buffers=1 ! videoconvert ! videoscale \
                 ! video/x-raw,format=NV12,width={w},height={h} ! {} ! fakesink name=s",
                video::astronaut().display(),
                chain(&assets, true)
            ),
            |buffer, _| meta::read(buffer).unwrap().faces,
        );
        let r = frames[0][0].rect.scaled(512.0 / w as f32, 512.0 / h as f32);
        assert!(
            (r.x - 178.0).abs() < 8.0 && (r.y - 66.0).abs() < 8.0,
            "{w}x{h}: {r:?}"
        );
        assert_eq!(frames[0].len(), 1);
    }
}

#[test]
fn a_stream_without_a_face_runs_to_its_end() {
    init();
    let Some(assets) = common::assets() else {
        return;
    };
    run(
        &format!(
            "videotestsrc num-buffers=50 ! video/x-raw,width=640,height=480 ! {} ! fakesink name=s",
            chain(&assets, true)
        ),
        |buffer, _| assert_eq!(meta::read(buffer).unwrap().faces, []),
    )
    .unwrap();
}
