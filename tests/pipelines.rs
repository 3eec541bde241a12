// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scripts in `pipelines/`, run as a user runs them: on a film, on photographs, on a camera that serves JPEG over HTTP and on
//! one that speaks RTSP, both of them real servers on this machine. What counts is what a user sees: the face of the clip's person
//! is drawn green for live, the one on the telephone red for spoof. No script is left out.

// A failed test may panic, and a skipped one says so.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/cameras.rs"]
mod cameras;
mod common;
#[path = "common/marks.rs"]
mod marks;
#[path = "common/plugin.rs"]
mod plugin;

use std::path::{Path, PathBuf};

use cameras::{Camera, Telephone};
use marks::{LABEL, Marks, assert_judged, watch};
use plugin::{LIMIT, Plugin, Tool};

/// One of the scripts, as it stands in the repository.
fn script(name: &str) -> Tool {
    Plugin::shared().command(common::root().join("pipelines").join(name))
}

/// What a run over faces needs; `None`, said on standard error, where it is missing.
struct Ground {
    setup: PathBuf,
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Option<Self> {
        let setup = common::root().join(".setup");
        for needed in ["clips/demo.mp4", "pictures/astronaut.png"] {
            if !setup.join(needed).is_file() {
                common::skip(format_args!(
                    "no .setup/{needed} (scripts/setup.sh --assets makes it)"
                ));
                return None;
            }
        }
        if plugin::runtime().is_none() {
            common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
            return None;
        }
        Some(Self {
            setup,
            folder: tempfile::tempdir().expect("a scratch folder"),
        })
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn clip(&self, name: &str) -> PathBuf {
        self.setup.join("clips").join(name)
    }

    /// Two seconds of the clip with the person on the left and the telephone on the right, a file per frame.
    fn pictures(&self) -> Vec<PathBuf> {
        let mut tool = Plugin::shared().command("gst-launch-1.0").arg("filesrc");
        tool = tool.arg(format!("location={}", self.clip("demo.mp4").display()));
        for word in "! decodebin ! identity eos-after=51 ! videoconvert ! jpegenc ! multifilesink"
            .split_whitespace()
        {
            tool = tool.arg(word);
        }
        let location = format!("location={}", self.out("camera-%03d.jpg").display());
        tool.arg(location).run().cleanly(&[0]);
        let files = files(self.folder.path(), "camera-");
        assert!(files.len() >= 50, "{} files", files.len());
        files
    }
}

/// The files in `folder` whose name starts like this, in order.
fn files(folder: &Path, start: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|e| e.expect("it can be listed").path());
    let named = |p: &PathBuf| p.file_name().unwrap().to_string_lossy().starts_with(start);
    let mut all: Vec<_> = paths.filter(named).collect();
    all.sort();
    all
}

#[test]
fn a_film_is_annotated_frame_by_frame() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let (clip, out) = (ground.clip("demo.mp4"), ground.out("annotated.mkv"));
    let (before, frames) = watch(&clip);
    assert!(
        before.iter().all(Marks::are_none),
        "the clip has our colours"
    );
    let run = script("file.sh").arg(&clip).env("OUT", &out).run();
    run.cleanly(&[0]);
    let (after, arrived) = watch(&out);
    assert_eq!(arrived, frames, "not every frame arrived");
    assert_judged(&after);
}

#[test]
fn a_film_without_faces_stays_as_it_is() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let pictures = format!(
        "jpegenc ! multifilesink location={}",
        ground.out("seen-%03d.jpg").display()
    );
    script("file.sh")
        .arg(ground.clip("noface.mp4"))
        .env("SINK", pictures)
        .run()
        .cleanly(&[0]);
    let seen = files(ground.folder.path(), "seen-");
    assert_eq!(seen.len(), 75);
    for picture in seen.iter().step_by(10) {
        let (marks, ..) = Marks::of_picture(picture);
        assert!(marks.are_none(), "{}: {marks:?}", picture.display());
    }
}

#[test]
fn a_film_with_odd_sides_is_written() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let picture = image::open(ground.setup.join("pictures/astronaut.png")).expect("a picture");
    let (odd, out) = (ground.out("odd.png"), ground.out("odd.mkv"));
    picture
        .crop_imm(0, 0, 511, 427)
        .save(&odd)
        .expect("a scratch folder can be written");
    let run = script("file.sh").arg(&odd).env("OUT", &out).run();
    run.cleanly(&[0]);
    let (after, arrived) = watch(&out);
    assert_eq!(arrived, 1);
    // One frame is too little for a verdict on who is followed, and is drawn.
    assert!(!after.iter().all(Marks::are_none));
}

#[test]
fn a_photograph_is_judged() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let picture = ground.setup.join("pictures/astronaut.png");
    for name in ["out.png", "out.JPG"] {
        let out = ground.out(name);
        let run = script("picture.sh").arg(&picture).arg(&out).run();
        run.cleanly(&[0]);
        let (marks, width, height) = Marks::of_picture(&out);
        assert_eq!((width, height), (512, 512));
        // The face is in the left half.
        let judged = marks.live[0].max(marks.spoof[0]);
        assert!(judged >= LABEL, "{name}: {marks:?}");
    }
}

#[test]
fn the_faces_of_a_film_become_a_data_set() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let (clip, set) = (ground.clip("demo.mp4"), ground.out("a data set"));
    let words = ["real", "interval=10", "dedup=0", "min-sharpness=0"];
    let run = words
        .iter()
        .fold(script("extract.sh").arg(&clip).arg(&set), Tool::arg);
    run.run().cleanly(&[0]);
    let records = liveness::dataset::manifest::read(&set).expect("there is a manifest");
    // The person and the telephone, in every tenth of 175 frames.
    assert!(records.len() >= 20, "{} pictures", records.len());
    for record in &records {
        assert_eq!(
            (record.label.as_str(), record.session.as_str()),
            ("real", "demo")
        );
        assert!(record.frame.is_multiple_of(10) && record.source.ends_with("demo.mp4"));
        let (w, h) = image::image_dimensions(set.join(&record.file)).expect("it is a picture");
        assert_eq!([w, h], record.size);
    }
}

#[test]
fn the_faces_of_a_film_become_lines_of_json() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let (clip, out) = (ground.clip("demo.mp4"), ground.out("faces.jsonl"));
    script("json.sh").arg(&clip).arg(&out).run().cleanly(&[0]);
    let mut lines = liveness::json::Lines::open(&out).unwrap();
    let mut labels = std::collections::HashMap::new();
    while let Some(frame) = lines.next_frame().unwrap() {
        assert_eq!((frame.width, frame.height), (960, 540));
        assert!(frame.source.is_some_and(|s| s.ends_with("demo.mp4")));
        for face in frame.faces.expect("somebody looked") {
            *labels.entry(face.verdict.label.as_str()).or_insert(0) += 1;
        }
    }
    // The person and the telephone.
    assert_eq!(lines.number(), 175);
    assert!(labels["live"] > 50 && labels["spoof"] > 50, "{labels:?}");
}

/// A JPEG file as a telephone writes it: `picture` sideways, with a note that it must be turned a quarter to the right.
fn sideways(picture: &image::DynamicImage) -> Vec<u8> {
    let mut jpeg = std::io::Cursor::new(Vec::new());
    let turned = picture.rotate270();
    turned
        .write_to(&mut jpeg, image::ImageFormat::Jpeg)
        .unwrap();
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08".to_vec();
    // One entry: tag 0x0112 (orientation), a 16-bit number, one of them, 6; and no further directory.
    exif.extend(b"\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    let mut file = vec![0xff, 0xd8, 0xff, 0xe1];
    file.extend((exif.len() as u16 + 2).to_be_bytes());
    file.extend(exif);
    file.extend(&jpeg.into_inner()[2..]);
    file
}

#[test]
fn a_photograph_that_lies_sideways_is_turned_before_it_is_judged() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let portrait = image::open(ground.setup.join("pictures/astronaut.png")).unwrap();
    let portrait = image::DynamicImage::from(portrait.to_rgb8()).crop_imm(50, 0, 320, 480);
    let (picture, out) = (ground.out("sideways.jpg"), ground.out("out.png"));
    std::fs::write(&picture, sideways(&portrait)).unwrap();
    assert_eq!(image::image_dimensions(&picture).unwrap(), (480, 320));
    let run = script("picture.sh").arg(&picture).arg(&out).run();
    run.cleanly(&[0]);
    let (marks, width, height) = Marks::of_picture(&out);
    assert_eq!((width, height), (320, 480));
    let judged: usize = marks.live.into_iter().chain(marks.spoof).sum();
    assert!(judged >= LABEL, "{marks:?}");
}

/// Plays a live source until a few seconds are written, then stops it as Ctrl-C does. The file must be whole.
#[track_caller]
fn record(ground: &Ground, tool: Tool) {
    let out = ground.out("recorded.mkv");
    let mut run = tool.env("OUT", &out).start(LIMIT);
    run.until("write frames", || {
        std::fs::metadata(&out).is_ok_and(|m| m.len() > 1_500_000)
    });
    run.interrupt();
    run.end().cleanly(&[0]);
    let (seen, frames) = watch(&out);
    assert!(frames >= 21, "only {frames} frames");
    assert_judged(&seen);
}

/// Plays a live source, a file per frame, until a few of them are right, then stops it as Ctrl-C does. Those before do not
/// matter: a machine under load loses packets, and the picture is whole again from the next key frame on.
#[track_caller]
fn snap(ground: &Ground, tool: Tool) {
    let location = ground.out("snap-%04d.jpg");
    let sink = format!("jpegenc ! multifilesink location={}", location.display());
    let mut run = tool.env("SINK", sink).start(LIMIT);
    let (mut looked, mut right) = (0, 0);
    run.until("show the verdicts", || {
        let seen = files(ground.folder.path(), "snap-");
        // The last one is perhaps still being written.
        if seen.len() >= looked + 2 {
            looked = seen.len() - 1;
            right += usize::from(Marks::of_picture(&seen[looked - 1]).0.are_right());
        }
        right >= 5
    });
    run.interrupt();
    run.end().cleanly(&[0]);
}

#[test]
fn a_telephone_that_serves_pictures_is_a_camera() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let pictures = ground.pictures();
    let pictures = pictures.iter().map(|p| std::fs::read(p).unwrap());
    let telephone = Telephone::new(0, pictures.collect(), None);
    let tool = script("android.sh").arg(format!("http://127.0.0.1:{}/video", telephone.port()));
    record(&ground, tool);
}

#[test]
fn a_network_camera_is_watched() {
    let Some(ground) = Ground::new() else {
        return;
    };
    if !cameras::has_encoder() {
        return;
    }
    ground.pictures();
    let shown = format!(
        "multifilesrc location=\"{}/camera-%03d.jpg\" loop=true caps=\"image/jpeg,framerate=(fraction)25/1\" ! jpegdec \
         ! videoconvert ! video/x-raw,format=I420",
        ground.folder.path().display()
    );
    let camera = Camera::new(0, &shown, None);
    let address = format!("rtsp://127.0.0.1:{}/camera", camera.port());
    let over_tcp = address.replace("rtsp://", "rtspt://");
    let tool = script("rtsp.sh").arg(over_tcp).arg("500");
    record(&ground, tool);
    // The same camera, through the script for telephones: it takes either kind of address.
    let tool = script("android.sh").arg(address);
    snap(&ground, tool);
}

#[test]
fn a_camera_that_is_not_there_is_named() {
    let tool = script("webcam.sh").arg("/dev/video-none");
    let ended = tool.run().cleanly(&[1]);
    ended.says(&["webcam.sh: no camera at /dev/video-none", "group video"]);
    if !Path::new("/dev/video0").exists() {
        let ended = script("webcam.sh").run().cleanly(&[1]);
        ended.says(&["no camera at /dev/video0"]);
    }
}

#[test]
fn wrong_use_is_answered_with_the_right_one() {
    for (tool, name) in [
        (script("file.sh"), "file.sh"),
        (script("picture.sh"), "picture.sh"),
        (script("android.sh"), "android.sh"),
        (script("rtsp.sh"), "rtsp.sh"),
        (script("webcam.sh").arg("--help"), "webcam.sh"),
        (
            script("extract.sh").arg("film.mp4").arg("set"),
            "extract.sh",
        ),
        (script("json.sh").arg("film.mp4"), "json.sh"),
    ] {
        let usage = format!("usage: pipelines/{name} ");
        tool.run().cleanly(&[2]).says(&[&usage, "MODEL"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("picture.png");
    let taken = folder.path().join("annotated.mp4");
    std::fs::write(&picture, "precious").unwrap();
    std::fs::write(&taken, "precious").unwrap();
    let demo = Plugin::shared().command(common::root().join("scripts/demo.sh"));
    for (tool, words) in [
        (script("file.sh").arg("/nowhere"), "cannot read /nowhere"),
        (
            script("picture.sh").arg(&picture).arg(&picture),
            "it would be overwritten",
        ),
        (
            script("file.sh").arg(&picture).env("OUT", &picture),
            "it would be overwritten",
        ),
        (
            demo.arg(&taken).env("OUT_DIR", folder.path()),
            "it would be overwritten",
        ),
        (
            script("picture.sh").arg(&picture).arg("out.gif"),
            "must end in .png or .jpg",
        ),
        (
            script("extract.sh").arg("/nowhere").arg("set").arg("real"),
            "cannot read /nowhere",
        ),
        (
            script("extract.sh")
                .arg(&picture)
                .arg("set")
                .arg("real")
                .arg("margin"),
            "margin is not PROPERTY=VALUE",
        ),
        (
            script("json.sh").arg(&picture).arg(&picture),
            "it would be overwritten",
        ),
        (
            script("json.sh").arg("/nowhere").arg("out.jsonl"),
            "cannot read /nowhere",
        ),
        (
            script("json.sh").arg(&picture).arg("out.jsonl").arg("tags"),
            "tags is not PROPERTY=VALUE",
        ),
        (
            script("android.sh").arg("192.168.0.7"),
            "neither an http:// nor an rtsp:// address",
        ),
        (
            script("rtsp.sh").arg("http://x"),
            "is not an rtsp:// address",
        ),
    ] {
        tool.run().cleanly(&[1]).says(&[words]);
    }
    assert_eq!(std::fs::read(&taken).unwrap(), b"precious");
    assert_eq!(std::fs::read(&picture).unwrap(), b"precious");
}

#[test]
fn missing_models_are_named() {
    let empty = tempfile::tempdir().unwrap();
    let file = empty.path().join("film.mp4");
    std::fs::write(&file, "").unwrap();
    for tool in [
        script("file.sh").arg(&file),
        script("picture.sh").arg(&file).arg("out.png"),
        script("json.sh").arg(&file).arg("out.jsonl"),
        script("rtsp.sh").arg("rtsp://127.0.0.1/"),
        script("android.sh").arg("http://127.0.0.1/"),
    ] {
        let model = empty.path().join("none.onnx");
        let ended = tool.env("MODEL", &model).run().cleanly(&[1]);
        ended.says(&["cannot read the liveness model", "none.onnx"]);
    }
    // This one looks for faces and judges none.
    let tool = script("extract.sh").arg(&file).arg("set").arg("real");
    let detector = empty.path().join("none.onnx");
    let ended = tool.env("DETECTOR", &detector).run().cleanly(&[1]);
    ended.says(&["cannot read the face detector", "none.onnx"]);
}

#[test]
fn every_script_is_run_by_a_test() {
    let tests = include_str!("pipelines.rs");
    for path in files(&common::root().join("pipelines"), "") {
        let name = path.file_name().unwrap().to_string_lossy();
        // What all others read is no pipeline.
        let tested = name == "common.sh" || tests.contains(&format!("script(\"{name}\")"));
        assert!(tested, "pipelines/{name} is run by no test here");
    }
}
