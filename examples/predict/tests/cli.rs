// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: the real binary on pictures and clips that are made here, with a detector that finds two faces in
//! whatever it sees and a liveness model that calls bright faces live; and, where there are assets, with public models on their faces.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/plugin.rs"]
mod plugin;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gst::prelude::*;
use plugin::{Ended, LIMIT, Tool};
use serde_json::{Value, json};

/// A scratch folder.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    /// `None`, said on standard error, where there is no ONNX Runtime.
    fn new() -> Option<Self> {
        if plugin::runtime().is_none() {
            common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// A picture of one grey.
    fn picture(&self, name: &str, (width, height): (u32, u32), grey: u8) -> PathBuf {
        let path = self.path(name);
        let picture = image::RgbImage::from_pixel(width, height, image::Rgb([grey; 3]));
        picture.save(&path).unwrap();
        path
    }

    /// A clip whose frames are white and black in turn.
    fn clip(&self, name: &str, frames: u32) -> PathBuf {
        self.clip_through(name, frames, "matroskamux")
    }

    fn clip_through(&self, name: &str, frames: u32, muxer: &str) -> PathBuf {
        let path = self.path(name);
        gst::init().unwrap();
        let pipeline = gst::parse::launch(&format!(
            "videotestsrc pattern=blink num-buffers={frames} ! video/x-raw,format=I420,width=162,height=120,framerate=25/1 \
             ! jpegenc ! {muxer} ! filesink name=file"
        ));
        let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
        let file = pipeline.by_name("file").unwrap();
        file.set_property("location", &path);
        pipeline.set_state(gst::State::Playing).unwrap();
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let wait = gst::ClockTime::from_seconds(LIMIT.as_secs());
        let end = pipeline.bus().unwrap().timed_pop_filtered(wait, &ends);
        assert_eq!(end.unwrap().type_(), gst::MessageType::Eos);
        pipeline.set_state(gst::State::Null).unwrap();
        path
    }

    /// The names of all files, also of those that should not be left.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let name = |e: std::io::Result<fs::DirEntry>| e.unwrap().file_name();
        let mut all: Vec<_> = entries.map(|e| name(e).into_string().unwrap()).collect();
        all.sort();
        all
    }
}

/// A tiny model of `tests/data`.
fn tiny(name: &str) -> PathBuf {
    common::root().join("tests/data").join(name)
}

fn bare() -> Tool {
    let registry = Path::new(env!("CARGO_TARGET_TMPDIR")).join("predict/registry.bin");
    fs::create_dir_all(registry.parent().unwrap()).unwrap();
    Tool::new(env!("CARGO_BIN_EXE_liveness-predict"), &registry).without("LIVENESS_DETECTOR")
}

/// With the liveness model of the tests, and the detector that ships.
fn program() -> Tool {
    bare().arg("--model").arg(tiny("bright.onnx"))
}

/// With both models of the tests.
fn with_boxes() -> Tool {
    program().arg("--detector").arg(tiny("boxes.onnx"))
}

fn lines(text: &str) -> Vec<Value> {
    let line = |l| serde_json::from_str(l).unwrap();
    text.lines().map(line).collect()
}

/// Name and label of each line of standard output.
fn labels(ended: &Ended) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let both = |l: &Value| (text(&l["image"]), text(&l["label"]));
    lines(&ended.stdout).iter().map(both).collect()
}

#[test]
fn wrong_use_is_refused_and_help_shows_how() {
    let wrong: &[(&[&str], &str)] = &[
        (&["--model", "a.onnx"], "<PATH>"),
        (&["--model", "a.onnx", "--every", "0", "a.mp4"], "--every"),
        (
            &["--model", "a.onnx", "--threshold", "2", "a.jpg"],
            "0 to 1",
        ),
        (
            &["--model", "a.onnx", "--crops", "all", "a.jpg"],
            "auto, none",
        ),
        (
            &["--model", "a", "--whole", "--crops", "auto", "a.jpg"],
            "cannot be used with",
        ),
    ];
    for (words, said) in wrong {
        bare().args(*words).run().cleanly(&[2]).says(&[said]);
    }
    let help = bare().arg("--help").run().cleanly(&[0]).stdout;
    for word in [
        "LIVENESS_DETECTOR",
        "Ctrl-C",
        "fas/a.mp4#000010",
        "Exit status",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(help.lines().find(|l| l.chars().count() > 110), None);
}

#[test]
fn what_cannot_work_is_told_before_anything_is_judged() {
    let Some(ground) = Ground::new() else { return };
    let picture = ground.picture("a.png", (40, 40), 200);
    let missing = bare()
        .args(["--model", "/no/live.onnx"])
        .arg(&picture)
        .run();
    missing.cleanly(&[1]).says(&["/no/live.onnx"]);
    let detector = bare().arg("--model").arg(tiny("boxes.onnx")).arg(&picture);
    detector.run().cleanly(&[1]).says(&["boxes.onnx"]);
    for place in [ground.path("gone").join("out"), ground.folder.path().into()] {
        let ended = program().arg("--output").arg(place).arg(&picture).run();
        ended.cleanly(&[1]).says(&["cannot write"]);
    }
    fs::write(ground.path("none/notes.txt"), "notes").unwrap();
    let none = program().arg(ground.path("none")).run().cleanly(&[1]);
    none.says(&["no picture and no clip"]);
    let twice = program().arg(&picture).arg(&picture).run().cleanly(&[1]);
    assert_eq!(twice.stdout, "");
}

#[test]
fn a_folder_gives_a_line_for_each_picture_that_can_be_read() {
    let Some(ground) = Ground::new() else { return };
    ground.picture("set/live/b.png", (40, 40), 220);
    ground.picture("set/live/c.JPG", (40, 40), 220);
    ground.picture("set/print/a.jpeg", (100, 50), 40);
    fs::write(ground.path("set/print/broken.png"), "no picture").unwrap();
    fs::write(ground.path("set/print/notes.txt"), "notes").unwrap();
    fs::write(ground.path("set/print/empty.jpg"), "").unwrap();
    let single = ground.picture("alone.png", (40, 40), 200);
    let out = ground.path("out.jsonl");
    let tool = with_boxes().arg("--output").arg(&out);
    let ended = tool.arg(ground.path("set")).arg(&single).run();
    let ended = ended.cleanly(&[3]);
    assert_eq!(ended.stdout, "");
    let ended = ended.says(&[
        "print/broken.png: is no JPEG and no PNG",
        "print/empty.jpg: it is empty",
        "pictures: 4, with a face: 4; live: 3, spoof: 1, without an answer: 0; files that could not be read: 2; ",
        "ms per picture",
    ]);
    assert!(!ended.stderr.contains("notes"), "{}", ended.stderr);
    let all = lines(&fs::read_to_string(&out).unwrap());
    let names: Vec<&str> = all.iter().map(|l| l["image"].as_str().unwrap()).collect();
    let alone = single.to_str().unwrap();
    assert_eq!(
        names,
        [
            "set/live/b.png",
            "set/live/c.JPG",
            "set/print/a.jpeg",
            alone
        ]
    );
    // The larger of the two boxes; of a picture that is not square, as the detector's square input sees it.
    assert_eq!(all[0]["box"], json!([10.0, 10.0, 20.0, 20.0]));
    assert_eq!(all[2]["box"], json!([25.0, 25.0, 50.0, 50.0]));
    // Of 40 logits for each step from black to white.
    let logistic = |grey: f64| 1.0 / (1.0 + (-40.0 * (grey / 255.0 - 0.5)).exp());
    let live = |i: usize| all[i]["live"].as_f64().unwrap();
    assert!((live(0) - logistic(220.0)).abs() < 1e-5, "{}", live(0));
    assert!((live(2) - logistic(40.0)).abs() < 1e-5, "{}", live(2));
    assert_eq!(
        (&all[1]["label"], &all[2]["label"]),
        (&json!("live"), &json!("spoof"))
    );
    // With nothing but broken files there is nothing to say, and the file says so.
    let ended = with_boxes().arg("-o").arg(&out).arg("/no/such.png").run();
    ended
        .cleanly(&[3])
        .says(&["/no/such.png: No such file", "pictures: 0"]);
    assert_eq!(fs::read(&out).unwrap(), b"");
}

#[test]
fn the_threshold_decides_and_models_are_fused() {
    let Some(ground) = Ground::new() else { return };
    let picture = ground.picture("a.png", (40, 40), 132);
    let label = |tool: Tool| {
        let ended = tool.arg(&picture).run().cleanly(&[0]);
        labels(&ended)[0].1.clone()
    };
    assert_eq!(label(with_boxes().args(["--threshold", "0.5"])), "live");
    assert_eq!(label(with_boxes().args(["--threshold", "0.99"])), "spoof");
    let both = |second: &str| {
        let list = format!(
            "{},{}",
            tiny("bright.onnx").display(),
            tiny(second).display()
        );
        bare().args(["--model", &list]).arg("--whole")
    };
    assert_eq!(
        label(both("bright_one.onnx").args(["--threshold", "0.5"])),
        "live"
    );
    // A model without a number leaves the face unchecked, and its box is told.
    let ended = both("not_a_number.onnx").arg(&picture).run().cleanly(&[0]);
    let line = &lines(&ended.stdout)[0];
    assert_eq!(line["label"], "unchecked");
    assert!(line.as_object().unwrap().contains_key("live") && line["live"].is_null());
    assert_eq!(line["box"], json!([0.0, 0.0, 40.0, 40.0]));
}

#[test]
fn without_a_face_there_is_no_answer_unless_pictures_are_crops() {
    let Some(ground) = Ground::new() else { return };
    ground.picture("set/large.png", (640, 480), 230);
    ground.picture("set/small.png", (60, 80), 230);
    let set = ground.path("set");
    let run = |words: &[&str]| {
        let ended = program().args(words).arg(&set).run().cleanly(&[0]);
        lines(&ended.stdout)
    };
    let none = |name: &str| json!({"image": name, "live": null, "label": "unchecked", "box": null});
    let nothing = [none("set/large.png"), none("set/small.png")];
    assert_eq!(run(&[]), nothing);
    assert_eq!(run(&["--crops", "none"]), nothing);
    let whole = |line: &Value, size: [f64; 2]| {
        assert_eq!(line["label"], "live");
        assert_eq!(line["box"], json!([0.0, 0.0, size[0], size[1]]));
    };
    let auto = run(&["--crops", "auto"]);
    assert_eq!(auto[0], nothing[0]);
    whole(&auto[1], [60.0, 80.0]);
    let all = run(&["--whole", "--detector", "/no/face.onnx"]);
    whole(&all[0], [640.0, 480.0]);
    whole(&all[1], [60.0, 80.0]);
}

#[test]
fn a_face_that_fills_its_picture_is_found_with_a_border_around_it() {
    let Some(ground) = Ground::new() else { return };
    let astronaut = common::root().join(".setup/pictures/astronaut.png");
    if !astronaut.is_file() {
        common::skip("no picture of a face in .setup/pictures (scripts/setup.sh --assets)");
        return;
    }
    // From the brow to the mouth: too much for the detector that ships.
    let crop = image::open(astronaut).unwrap().crop_imm(200, 98, 44, 56);
    let path = ground.path("crop.png");
    crop.save(&path).unwrap();
    let ended = program().arg(path).run().cleanly(&[0]);
    let line = &lines(&ended.stdout)[0];
    let side = |i: usize| line["box"][i].as_f64().unwrap();
    assert!(side(0) >= 0.0 && side(1) >= 0.0, "{line}");
    assert!(
        side(0) + side(2) <= 44.0 && side(1) + side(3) <= 56.0,
        "{line}"
    );
    assert!(side(2) > 36.0 && side(3) > 46.0, "{line}");
}

#[test]
fn frames_of_a_clip_are_counted_and_judged_each_by_itself() {
    let Some(ground) = Ground::new() else { return };
    ground.clip("in/clips/a.mkv", 31);
    ground.picture("in/clips/b.png", (40, 40), 220);
    let clips = ground.path("in/clips");
    let ended = with_boxes().arg(&clips).run().cleanly(&[0]);
    let names: Vec<String> = labels(&ended).into_iter().map(|l| l.0).collect();
    let wanted = [0, 10, 20, 30].map(|n| format!("clips/a.mkv#{n:06}"));
    assert_eq!(names[..4], wanted);
    assert_eq!(names[4..], ["clips/b.png"]);
    ended.says(&["pictures: 5, with a face: 5"]);

    let every = with_boxes().args(["--every", "1"]).arg(clips.join("a.mkv"));
    let all = labels(&every.run().cleanly(&[0]));
    assert_eq!(all.len(), 31);
    for (n, (name, label)) in all.iter().enumerate() {
        assert!(name.ends_with(&format!("in/clips/a.mkv#{n:06}")), "{name}");
        let first = if n % 2 == 0 { &all[0].1 } else { &all[1].1 };
        assert_eq!(label, first, "frame {n}");
    }
    assert_ne!(all[0].1, all[1].1, "black and white");
}

#[test]
fn a_clip_that_was_filmed_sideways_is_turned() {
    let Some(ground) = Ground::new() else { return };
    let clip = ground.clip_through("a.mov", 3, "qtmux");
    let mut bytes = fs::read(&clip).unwrap();
    // The matrix of the track, as a telephone writes it: a quarter to the right, in 16.16 and 2.30 bits.
    let name = bytes.windows(4).position(|w| w == b"tkhd").unwrap();
    let turn: [i32; 9] = [0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30];
    let matrix = turn.map(i32::to_be_bytes).concat();
    let at = name + 4 + 40;
    assert_eq!(bytes[at..at + 4], (1i32 << 16).to_be_bytes());
    bytes[at..at + 36].copy_from_slice(&matrix);
    fs::write(&clip, bytes).unwrap();
    let ended = program().arg("--whole").arg(clip).run().cleanly(&[0]);
    let all = lines(&ended.stdout);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["box"], json!([0.0, 0.0, 120.0, 162.0]));
}

#[test]
fn clips_that_cannot_be_decoded_are_named_and_the_others_go_on() {
    let Some(ground) = Ground::new() else { return };
    let clip = ground.clip("set/b.mkv", 11);
    let whole = fs::read(&clip).unwrap();
    fs::write(ground.path("set/a.mp4"), "no film").unwrap();
    fs::write(ground.path("set/c.mkv"), &whole[..300]).unwrap();
    let ended = with_boxes().arg(ground.path("set")).run().cleanly(&[3]);
    let names: Vec<String> = labels(&ended).into_iter().map(|l| l.0).collect();
    assert_eq!(names, ["set/b.mkv#000000", "set/b.mkv#000010"]);
    ended.says(&[
        "set/a.mp4: ",
        "set/c.mkv: ",
        "files that could not be read: 2",
    ]);
}

#[test]
fn a_run_that_is_stopped_leaves_no_file() {
    let Some(ground) = Ground::new() else { return };
    // It is named when the clip's turn comes: what is written to a file is not seen before the end.
    fs::write(ground.path("set/a.png"), "no picture").unwrap();
    ground.clip("set/b.mkv", 5000);
    let out = ground.path("out.jsonl");
    fs::write(&out, "from before").unwrap();
    let tool = with_boxes()
        .args(["--every", "1"])
        .arg("--output")
        .arg(&out);
    let running = tool.arg(ground.path("set")).start(LIMIT);
    let start = Instant::now();
    while !running.stderr().contains("a.png") {
        assert!(start.elapsed() < LIMIT, "{}", running.stderr());
        std::thread::sleep(Duration::from_millis(10));
    }
    running.interrupt();
    let ended = running.end().cleanly(&[130]).says(&["interrupted"]);
    assert!(!ended.stderr.contains("per picture"), "{}", ended.stderr);
    assert_eq!(fs::read(&out).unwrap(), b"from before");
    assert_eq!(ground.files(), ["out.jsonl", "set"]);
}

#[test]
fn public_models_know_live_faces_from_spoofs() {
    let Some(ground) = Ground::new() else { return };
    let Some(assets) = common::assets() else {
        return;
    };
    let pictures = [
        (
            "live/client003_session01_webcam_authenticate_controlled_1_frame_00079.jpg",
            "live",
        ),
        (
            "live/client016_session01_webcam_authenticate_controlled_2_frame_00177.jpg",
            "live",
        ),
        (
            "live/train_client004_session01_webcam_authenticate_controlled_1.jpg",
            "live",
        ),
        (
            "spoof_fixed/devel_attack_highdef_client017_session01_highdef_video_controlled.jpg",
            "spoof",
        ),
        (
            "spoof_fixed/train_attack_print_client103_session01_highdef_photo_adverse.jpg",
            "spoof",
        ),
        (
            "spoof_hand/train_attack_mobile_client001_session01_mobile_photo_controlled.jpg",
            "spoof",
        ),
    ];
    for (name, _) in pictures {
        let link = ground.path(&format!("fas_replay/{name}"));
        std::os::unix::fs::symlink(assets.join("fas_replay").join(name), link).unwrap();
    }
    let pair = ["MiniFASNetV2_2.7_80.onnx", "MiniFASNetV1SE_4.0_80.onnx"];
    let pair = pair.map(|name| common::model(&assets, name).display().to_string());
    let tool = bare().args(["--model", &pair.join(",")]);
    let ended = tool.arg(ground.path("fas_replay")).run().cleanly(&[0]);
    let wanted = pictures.map(|(name, label)| (format!("fas_replay/{name}"), label.to_owned()));
    assert_eq!(labels(&ended), wanted);
    for line in lines(&ended.stdout) {
        let live = line["live"].as_f64().unwrap();
        assert!((live - 0.5).abs() > 0.45, "{line}");
        // Heads before a webcam of 320 x 240.
        let sides = &line["box"].as_array().unwrap()[2..];
        assert!(
            sides
                .iter()
                .all(|s| (40.0..200.0).contains(&s.as_f64().unwrap())),
            "{line}"
        );
    }
}
