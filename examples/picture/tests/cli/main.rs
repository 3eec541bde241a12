// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: the real binary on pictures that are made here, with a detector that finds two faces in whatever it
//! sees and a liveness model that calls bright faces live; and with the models that ship on the astronaut.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../../tests/common/mod.rs"]
mod common;
mod elements;
mod files;
#[path = "../../../../tests/common/plugin.rs"]
mod plugin;
mod turned;

use std::ffi::OsStr;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, Rgb, RgbImage};
use plugin::{Ended, Tool};
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

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A picture of one grey, coded as its name says.
    fn grey(&self, name: impl AsRef<Path>, (width, height): (u32, u32), grey: u8) -> PathBuf {
        let name = name.as_ref();
        let format = match name.extension().and_then(OsStr::to_str) {
            Some("png") => ImageFormat::Png,
            _ => ImageFormat::Jpeg,
        };
        let picture = RgbImage::from_pixel(width, height, Rgb([grey; 3]));
        self.write(name, &coded(&picture, format))
    }

    /// All files below a folder, in order.
    fn files(&self, folder: &str) -> Vec<String> {
        let mut all = Vec::new();
        let mut folders = vec![self.folder.path().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => all.push(path.strip_prefix(&self.folder).unwrap().to_owned()),
                }
            }
        }
        let mut all: Vec<String> = all.iter().map(|p| p.display().to_string()).collect();
        all.sort();
        all
    }
}

fn coded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// The astronaut, where set-up has fetched it.
fn astronaut() -> Option<RgbImage> {
    let path = common::root().join(".setup/pictures/astronaut.png");
    if !path.is_file() {
        common::skip("no picture of a face in .setup/pictures (scripts/setup.sh --assets)");
        return None;
    }
    Some(image::open(path).unwrap().into_rgb8())
}

/// With the models that ship.
fn program() -> Tool {
    let registry = Path::new(env!("CARGO_TARGET_TMPDIR")).join("picture/registry.bin");
    fs::create_dir_all(registry.parent().unwrap()).unwrap();
    Tool::new(env!("CARGO_BIN_EXE_liveness-picture"), &registry).without("LIVENESS_DETECTOR")
}

/// A tiny model of `tests/data`.
fn tiny(name: &str) -> PathBuf {
    common::root().join("tests/data").join(name)
}

/// With the models of the tests: two faces, the middle half of the picture as a square and a small one above it to the left; live where
/// it is bright.
fn with_boxes() -> Tool {
    let models = program().arg("--model").arg(tiny("bright.onnx"));
    models.arg("--detector").arg(tiny("boxes.onnx"))
}

/// The lines of standard output.
fn lines(ended: &Ended) -> Vec<Value> {
    let line = |l| serde_json::from_str(l).unwrap();
    ended.stdout.lines().map(line).collect()
}

/// The one line of standard output.
fn line(ended: &Ended) -> Value {
    let [line] = &lines(ended)[..] else {
        panic!("{}", ended.stdout);
    };
    line.clone()
}

/// The faces' boxes in a line.
fn boxes(line: &Value) -> Vec<[f64; 4]> {
    let faces = line["faces"].as_array().unwrap().iter();
    let of = |face: &Value| serde_json::from_value(face["box"].clone()).unwrap();
    faces.map(of).collect()
}

/// The faces' labels in a line.
fn labels(line: &Value) -> Vec<&str> {
    let faces = line["faces"].as_array().unwrap().iter();
    faces.map(|f| f["label"].as_str().unwrap()).collect()
}

#[test]
fn wrong_use_is_refused_and_help_shows_how() {
    let wrong: &[(&[&str], &str)] = &[
        (&[], "<PATH>"),
        (&["--threshold", "2", "a.jpg"], "0 to 1"),
        (&["--input-size", "5", "a.jpg"], "--input-size"),
        (&["--annotate"], "--annotate"),
    ];
    for (words, said) in wrong {
        program().args(*words).run().cleanly(&[2]).says(&[said]);
    }
    let help = program().arg("--help").run().cleanly(&[0]).stdout;
    for word in [
        "Examples:",
        "liveness-picture --json --annotate out photos",
        "Exit status",
        "EXIF",
        "LIVENESS_DETECTOR",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(help.lines().find(|l| l.chars().count() > 110), None);
}

#[test]
fn what_cannot_work_is_told_before_anything_is_judged() {
    let Some(ground) = Ground::new() else { return };
    let picture = ground.grey("a.png", (40, 40), 200);
    let cases: [(&str, &str, &str); 4] = [
        ("--model", "/no/live.onnx", "/no/live.onnx: No such file"),
        ("--detector", "/no/face.onnx", "/no/face.onnx: No such file"),
        ("--model", "boxes.onnx", "boxes.onnx"),
        ("--detector", "bright.onnx", "bright.onnx"),
    ];
    for (option, model, said) in cases {
        let model = if model.starts_with('/') {
            model.into()
        } else {
            tiny(model)
        };
        let ended = program().arg(option).arg(model).arg(&picture).run();
        let ended = ended.cleanly(&[1]).says(&[said]);
        assert_eq!(ended.stdout, "");
    }
    let size = with_boxes().args(["--input-size", "64"]).arg(&picture);
    size.run().cleanly(&[1]).says(&["32x32", "--input-size"]);
    let place = with_boxes().arg("--annotate").arg(&picture).arg(&picture);
    place.run().cleanly(&[1]).says(&["cannot write into"]);
    ground.write("none/notes.txt", b"notes");
    let none = program().arg(ground.path("none")).run().cleanly(&[1]);
    none.says(&["no picture in the folders"]);
}

#[test]
fn a_table_has_a_row_for_each_face() {
    let Some(ground) = Ground::new() else { return };
    ground.grey("set/a.png", (40, 40), 220);
    ground.grey("set/deep/b.jpg", (100, 50), 40);
    ground.write("set/notes.txt", b"notes");
    let ended = with_boxes().arg("set").in_folder(ground.folder.path());
    let ended = ended.run().cleanly(&[0]);
    let rows: Vec<Vec<&str>> = ended
        .stdout
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["label", "live", "score", "face", "picture"]);
    assert_eq!(
        rows[1],
        ["live", "1.000", "0.90", "20x20", "at", "10,10", "set/a.png"]
    );
    assert_eq!((rows[2][0], rows[2][2]), ("live", "0.60"));
    assert_eq!((rows[3][0], rows[3][6]), ("spoof", "set/deep/b.jpg"));
    assert_eq!(rows.len(), 5);
    ended.says(&["pictures: 2, faces: 4 (live: 2, spoof: 2, uncertain: 0, unchecked: 0); "]);
}

#[test]
fn a_line_says_all_of_a_picture() {
    let Some(ground) = Ground::new() else { return };
    let picture = ground.grey("a.png", (40, 40), 220);
    let line = line(&with_boxes().arg("--json").arg(&picture).run().cleanly(&[0]));
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["annotated", "faces", "height", "path", "width"]);
    assert_eq!(line["path"], picture.to_str().unwrap());
    assert_eq!((&line["width"], &line["height"]), (&json!(40), &json!(40)));
    assert_eq!(line["annotated"], Value::Null);
    let face = &line["faces"][0];
    let keys: Vec<&String> = face.as_object().unwrap().keys().collect();
    let wanted = ["box", "label", "landmarks", "live", "reason", "score"];
    assert_eq!(keys, wanted);
    assert_eq!(face["box"], json!([10.0, 10.0, 20.0, 20.0]));
    assert_eq!(face["score"], json!(0.9));
    // Of 40 logits for each step from black to white.
    let wanted = 1.0 / (1.0 + (-40.0f64 * (220.0 / 255.0 - 0.5)).exp());
    assert!((face["live"].as_f64().unwrap() - wanted).abs() < 1e-5);
    assert_eq!(face["landmarks"], Value::Null, "an SSD gives none");
    // A picture without a face is one, too.
    let none = program().arg("--json").arg(&picture).run().cleanly(&[0]);
    assert_eq!(lines(&none)[0]["faces"], json!([]));
}

#[test]
fn one_look_gives_every_label_its_due() {
    let Some(ground) = Ground::new() else { return };
    let picture = ground.grey("a.png", (40, 40), 132);
    let label = |tool: Tool, which: usize| {
        let line = line(&tool.arg("--json").arg(&picture).run().cleanly(&[0]));
        let face = &line["faces"][which];
        let word = |name: &str| face[name].as_str().map(str::to_owned);
        (
            word("label").unwrap(),
            word("reason"),
            face["live"].as_f64(),
        )
    };
    let (live, reason, p) = label(with_boxes().args(["--threshold", "0.5"]), 0);
    assert_eq!((live.as_str(), reason), ("live", None));
    assert!(p.is_some_and(|p| (0.5..0.99).contains(&p)), "{p:?}");
    let (spoof, ..) = label(with_boxes().args(["--threshold", "0.99"]), 0);
    assert_eq!(spoof, "spoof");
    let (uncertain, reason, p) = label(with_boxes().args(["--min-face-size", "10"]), 1);
    assert_eq!(uncertain, "uncertain");
    assert_eq!((reason.as_deref(), p), (Some("too-small"), None));
    // A model without a number: nobody has judged this face.
    let silent = with_boxes_and("not_a_number.onnx");
    let (unchecked, reason, p) = label(silent, 0);
    assert_eq!((unchecked.as_str(), reason, p), ("unchecked", None, None));
    let fewer = with_boxes().args(["--detector-threshold", "0.8", "--json"]);
    let line = line(&fewer.arg(&picture).run().cleanly(&[0]));
    assert_eq!(boxes(&line), [[10.0, 10.0, 20.0, 20.0]]);
}

/// As [`with_boxes`], with another liveness model of the tests.
fn with_boxes_and(model: &str) -> Tool {
    let models = program().arg("--model").arg(tiny(model));
    models.arg("--detector").arg(tiny("boxes.onnx"))
}

#[test]
fn a_larger_input_finds_smaller_faces() {
    let (Some(ground), Some(astronaut)) = (Ground::new(), astronaut()) else {
        return;
    };
    // 14 pixels wide in the input as it is.
    let mut crowd = RgbImage::from_pixel(2048, 2048, Rgb([90; 3]));
    image::imageops::replace(&mut crowd, &astronaut, 700, 900);
    let path = ground.write("crowd.png", &coded(&crowd, ImageFormat::Png));
    let found = |words: &[&str]| {
        let tool = program().arg("--json").args(words).arg(&path);
        boxes(&line(&tool.run().cleanly(&[0])))
    };
    assert_eq!(found(&["--input-size", "64"]), Vec::<[f64; 4]>::new());
    let [[x, y, w, h]] = found(&["--input-size", "1280"])[..] else {
        panic!("one face");
    };
    let (middle_x, middle_y) = (x + w / 2.0, y + h / 2.0);
    assert!((middle_x - 923.0).abs() < 10.0 && (middle_y - 1015.0).abs() < 15.0);
}

#[test]
fn whoever_does_not_listen_any_more_ends_it() {
    let Some(ground) = Ground::new() else { return };
    let picture = ground.grey("a.png", (40, 40), 220);
    let line = r#""$0" --model "$1" --detector "$2" --json $(yes "$3" | head -300) | head -1"#;
    let tool = program_in_shell(line).arg(env!("CARGO_BIN_EXE_liveness-picture"));
    let tool = tool.arg(tiny("bright.onnx")).arg(tiny("boxes.onnx"));
    let ended = tool.arg(&picture).run().cleanly(&[0]);
    assert_eq!(ended.stdout.lines().count(), 1);
    ended.says(&["standard output: Broken pipe"]);
}

/// A shell with the environment of the program.
fn program_in_shell(line: &str) -> Tool {
    let registry = Path::new(env!("CARGO_TARGET_TMPDIR")).join("picture/registry.bin");
    Tool::new("sh", &registry).args(["-c", line])
}
