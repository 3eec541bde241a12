// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: the real binary on sets that are made here, with a detector that finds two faces in whatever it sees;
//! and, where there are assets, its figures beside those of the yardstick (Python, `eval/det_eval.py` beside the assets).
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// The two boxes that the detector of the tests sees in a square picture of this side: scores 0.9 and 0.6.
const SIDE: u32 = 100;
const FIRST: [f64; 4] = [25.0, 25.0, 75.0, 75.0];
const SECOND: [f64; 4] = [5.0, 5.0, 15.0, 20.0];

struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    /// `None`, said on standard error, where there is no ONNX Runtime.
    fn new() -> Option<Self> {
        let chosen = std::env::var_os("ORT_DYLIB_PATH").is_some();
        let library = common::root().join(".setup/lib/libonnxruntime.so");
        if !chosen && !library.exists() {
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

    /// A gray picture.
    fn picture(&self, name: &str, (w, h): (u32, u32)) -> PathBuf {
        let path = self.path(name);
        let gray = image::RgbImage::from_pixel(w, h, image::Rgb([90; 3]));
        gray.save(&path).unwrap();
        path
    }

    /// A picture that is dark but for the first box, which is bright.
    fn lit(&self, name: &str) {
        let [x1, y1, x2, y2] = FIRST.map(|v| v as u32);
        let pixel = |x, y| {
            let bright = (x1..x2).contains(&x) && (y1..y2).contains(&y);
            image::Rgb([if bright { 220 } else { 20 }; 3])
        };
        let picture = image::RgbImage::from_fn(SIDE, SIDE, pixel);
        picture.save(self.path(name)).unwrap();
    }

    /// A set of gray pictures, each with its line of labels.
    fn set(&self, name: &str, lines: &[Value]) -> PathBuf {
        let mut text = String::new();
        for line in lines {
            let mut line = line.clone();
            line["w"] = SIDE.into();
            line["h"] = SIDE.into();
            let file = line["file"].as_str().unwrap();
            self.picture(&format!("{name}/{file}"), (SIDE, SIDE));
            text += &format!("{line}\n");
        }
        fs::write(self.path(&format!("{name}/labels.jsonl")), text).unwrap();
        self.path(name)
    }

    /// Runs the program on sets; gives its exit status, what it printed, and its figures.
    fn run(&self, args: &[&str], sets: &[&Path]) -> Ran {
        let file = self.path("figures.json");
        let _ = fs::remove_file(&file);
        let out = Command::new(env!("CARGO_BIN_EXE_liveness-evaluate-detector"))
            .args(["--resamples", "50", "--rounds", "2", "--json"])
            .arg(&file)
            .args(args)
            .args(sets)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let json = fs::read(&file).ok();
        Ran {
            code: out.status.code().unwrap(),
            stdout: text(out.stdout),
            stderr: text(out.stderr),
            json: json.map_or(Value::Null, |j| serde_json::from_slice(&j).unwrap()),
        }
    }
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
    json: Value,
}

impl Ran {
    fn figures(&self, detector: usize, set: &str) -> &Value {
        assert_eq!(self.code % 3, 0, "{}", self.stderr);
        &self.json["detectors"][detector]["figures"][set]
    }

    /// By what, name, labels, AP50 and recall of each group; no number where there is none.
    fn groups(&self, detector: usize, set: &str) -> Vec<(String, String, u64, f64, f64)> {
        let groups = self.figures(detector, set)["groups"].as_array().unwrap();
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let number = |v: &Value| v["value"].as_f64().unwrap_or(f64::NAN);
        let group = |g: &Value| {
            let labels = g["labels"].as_u64().unwrap();
            let (ap50, recall) = (number(&g["ap50"]), number(&g["recall"]));
            (text(&g["by"]), text(&g["name"]), labels, ap50, recall)
        };
        groups.iter().map(group).collect()
    }

    fn value(&self, detector: usize, set: &str, name: &str) -> f64 {
        let value = &self.figures(detector, set)[name]["value"];
        value.as_f64().unwrap_or(f64::NAN)
    }
}

fn boxes() -> String {
    let path = common::root().join("tests/data/boxes.onnx");
    path.to_str().unwrap().to_owned()
}

fn faces(file: &str, boxes: &[[f64; 4]]) -> Value {
    let faces: Vec<Value> = boxes.iter().map(|b| json!({ "box": b })).collect();
    json!({"file": file, "faces": faces})
}

/// The lines of a file of predictions, by picture.
fn lines(path: &Path) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(path).unwrap();
    let read = |line: &str| -> (String, Value) {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["image"].as_str().unwrap().to_owned(), line)
    };
    text.lines().map(read).collect()
}

#[test]
fn figures_are_those_that_the_boxes_foretell() {
    let Some(ground) = Ground::new() else { return };
    let elsewhere = [60.0, 80.0, 80.0, 99.0];
    let set = ground.set(
        "set",
        &[
            faces("a.png", &[FIRST, SECOND]),
            faces("b.png", &[FIRST, elsewhere]),
        ],
    );
    let empty = ground.set(
        "empty",
        &[
            json!({"file": "c.png", "faces": []}),
            json!({"file": "d.png", "faces": [], "hard_negative": true}),
        ],
    );
    let ran = ground.run(&["--model", &boxes()], &[&set, &empty]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Right, right, right, wrong of four labels, in an order in which the wrong one is last or third.
    assert_eq!(ran.figures(0, "set")["labels"], 4);
    assert_eq!(ran.value(0, "set", "recall"), 0.75);
    assert_eq!(ran.value(0, "set", "precision"), 0.75);
    assert_eq!(ran.value(0, "set", "ap50"), 0.75);
    assert_eq!(ran.value(0, "set", "recall_at"), 0.75);
    assert_eq!(ran.value(0, "empty", "false_positives"), 2.0);
    assert_eq!(ran.value(0, "empty (hard)", "false_positives"), 2.0);
    assert_eq!(ran.json["detectors"][0]["speed"]["input"], json!([32, 32]));
    for word in [
        "| boxes ",
        "set: 2 pictures, 4 faces",
        ".750",
        "200.0",
        "32x32",
    ] {
        assert!(ran.stdout.contains(word), "no {word} in {}", ran.stdout);
    }
}

#[test]
fn faces_are_measured_by_size_label_and_light() {
    let Some(ground) = Ground::new() else { return };
    let named = |corners: [f64; 4], label: &str| json!({"box": corners, "label": label});
    let elsewhere = [60.0, 80.0, 80.0, 99.0];
    // The second box is a mistake in the gray picture, and right in the one where it is dark.
    let set = ground.set(
        "set",
        &[
            json!({"file": "gray.png", "faces": [named(FIRST, "masked"), named(elsewhere, "bare")]}),
            json!({"file": "lit.png", "faces": [named(FIRST, "masked"), named(SECOND, "bare")]}),
        ],
    );
    ground.lit("set/lit.png");
    let out = ground.path("found.jsonl");
    let found = out.to_str().unwrap();
    let model = boxes();
    let by = ["--by", "light,mask,size"];
    let args = [&["--model", &model, "--predictions-out", found], &by[..]].concat();
    let ran = ground.run(&args, &[&set]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let group = |by: &str, name: &str, labels, ap50, recall| {
        (by.to_owned(), name.to_owned(), labels, ap50, recall)
    };
    // The mistake comes before what is right with the same score: it halves the precision of every label, but of no other light.
    let wanted = [
        group("light", "dark", 1, 1.0, 1.0),
        group("light", "normal", 2, 0.5, 0.5),
        group("light", "bright", 1, 1.0, 1.0),
        group("label", "bare", 2, 0.25, 0.5),
        group("label", "masked", 2, 1.0, 1.0),
    ];
    let groups = ran.groups(0, "set");
    assert_eq!(groups[..5], wanted);
    let sizes: Vec<_> = groups[5..].iter().map(|g| (g.1.as_str(), g.2)).collect();
    assert_eq!(sizes, [("small", 0), ("medium", 1), ("large", 3)]);
    for line in [
        "| light | dark   | 1     | boxes    | 1.000 ",
        "| label | bare   | 2     | boxes    | .250 ",
        "| size  | small  | 0     | boxes    | – ",
    ] {
        assert!(ran.stdout.contains(line), "no {line} in {}", ran.stdout);
    }

    // The light is in the pictures, whoever looked at them.
    let args = [&["--predictions", found], &by[..]].concat();
    let other = ground.run(&args, &[&set]);
    assert_eq!(other.groups(0, "set")[..5], wanted);

    // Nobody asked.
    let ran = ground.run(&["--model", &model], &[&set]);
    assert!(ran.groups(0, "set").iter().all(|g| g.0 == "size"));
    let ran = ground.run(&["--model", &model, "--by", "weather"], &[&set]);
    assert_eq!(ran.code, 2);
}

#[test]
fn what_was_found_is_written_for_any_folder_and_can_be_read_back() {
    let Some(ground) = Ground::new() else { return };
    ground.picture("photos/a.png", (SIDE, SIDE));
    ground.picture("photos/below/b.PNG", (SIDE, SIDE));
    fs::write(ground.path("photos/notes.txt"), "no picture").unwrap();
    let photos = ground.path("photos");
    let out = ground.path("out.jsonl");
    let named = out.to_str().unwrap();
    let ran = ground.run(
        &["--model", &boxes(), "--predictions-out", named],
        &[&photos],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let all = lines(&out);
    let names: Vec<_> = all.keys().collect();
    assert_eq!(names, ["photos/a.png", "photos/below/b.PNG"]);
    let found = all["photos/a.png"]["faces"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    let [x1, y1, x2, y2] = FIRST;
    let wanted = [x1, y1, x2 - x1, y2 - y1];
    for (got, wanted) in found[0]["box"].as_array().unwrap().iter().zip(wanted) {
        assert!((got.as_f64().unwrap() - wanted).abs() < 1e-3);
    }
    assert_eq!(found[0]["landmarks"], Value::Null);

    // The same pictures as a set with labels: both ways give the same figures.
    let labels = json!({"file": "a.png", "faces": [{"box": FIRST}]});
    let none = json!({"file": "below/b.PNG"});
    fs::write(
        ground.path("photos/labels.jsonl"),
        format!("{labels}\n{none}\n"),
    )
    .unwrap();
    let read = format!("other={named}:0.5");
    let ran = ground.run(&["--model", &boxes(), "--predictions", &read], &[&photos]);
    assert_eq!(ran.json["detectors"][1]["name"], "other");
    assert_eq!(ran.figures(0, "photos"), ran.figures(1, "photos"));
    assert_eq!(ran.value(0, "photos", "precision"), 0.25);
    let less = &ran.json["detectors"][1]["ap50_less_first"]["photos"];
    assert_eq!(less["value"].as_f64(), Some(0.0));
}

#[test]
fn a_picture_without_a_line_is_an_error_unless_nobody_can_read_it() {
    let Some(ground) = Ground::new() else { return };
    let set = ground.set("set", &[faces("a.png", &[FIRST]), faces("b.png", &[])]);
    let out = ground.path("out.jsonl");
    let found = json!([{"box": [25, 25, 50, 50], "score": 0.9}]);
    fs::write(
        &out,
        format!("{}\n", json!({"image": "a.png", "faces": found})),
    )
    .unwrap();
    let args = ["--predictions", out.to_str().unwrap()];
    let ran = ground.run(&args, &[&set]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no line for b.png"), "{}", ran.stderr);
    fs::write(set.join("b.png"), "no picture").unwrap();
    let ran = ground.run(&args, &[&set]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(ran.value(0, "set", "ap50"), 1.0);
    assert!(ran.stdout.contains("Left out of set: 1 (b.png)"));
}

#[test]
fn broken_pictures_are_named_and_left_out() {
    let Some(ground) = Ground::new() else { return };
    let names = ["a.png", "gone.png", "cut.png", "other.png"];
    let all: Vec<Value> = names.iter().map(|n| faces(n, &[FIRST])).collect();
    let set = ground.set("set", &all);
    fs::remove_file(set.join("gone.png")).unwrap();
    let whole = fs::read(set.join("cut.png")).unwrap();
    fs::write(set.join("cut.png"), &whole[..whole.len() / 2]).unwrap();
    ground.picture("set/other.png", (SIDE, 2 * SIDE));
    let ran = ground.run(&["--model", &boxes()], &[&set]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(ran.figures(0, "set")["pictures"], 1);
    for told in [
        "(gone.png): cannot be read",
        "(cut.png): cannot be decoded",
        "(other.png): is 100x200, and 100x100 by its labels",
    ] {
        assert!(ran.stdout.contains(told), "no {told} in {}", ran.stdout);
    }
    assert_eq!(ran.json["sets"][0]["left_out"].as_array().unwrap().len(), 3);
}

#[test]
fn a_picture_is_turned_as_its_exif_tag_says() {
    let Some(ground) = Ground::new() else { return };
    let path = ground.picture("photos/a.jpg", (SIDE, 2 * SIDE));
    let jpeg = fs::read(&path).unwrap();
    let mut exif =
        b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([6, 0, 0, 0, 0, 0, 0]);
    fs::write(&path, [&jpeg[..2], &exif, &jpeg[2..]].concat()).unwrap();
    let out = ground.path("out.jsonl");
    let args = [
        "--model",
        &boxes(),
        "--predictions-out",
        out.to_str().unwrap(),
    ];
    let ran = ground.run(&args, &[&ground.path("photos")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Upright it is twice as wide as high, so half of the input is black below, where the first box ends.
    let face = &lines(&out)["photos/a.jpg"]["faces"][0]["box"];
    let sides: Vec<f64> = (0..4).map(|i| face[i].as_f64().unwrap()).collect();
    assert_eq!(sides, [50.0, 50.0, 100.0, 100.0]);
}

#[test]
fn a_part_of_a_split_and_the_regions_of_a_list_are_kept_to() {
    let Some(ground) = Ground::new() else { return };
    let names = ["a.png", "b.png", "c.png"];
    let all: Vec<Value> = names.iter().map(|n| faces(n, &[FIRST])).collect();
    let set = ground.set("set", &all);
    let split = ground.path("split.json");
    let parts = json!({"set": {"train": ["a.png"], "test": ["b.png", "c.png"]}});
    fs::write(&split, parts.to_string()).unwrap();
    let split = split.to_str().unwrap();
    let model = boxes();
    let args = ["--model", &model, "--split", split, "--part", "test"];
    let ran = ground.run(&args, &[&set]);
    assert_eq!(ran.figures(0, "set")["pictures"], 2);
    assert_eq!(ran.value(0, "set", "precision"), 0.5);

    // The second box is a face that nobody labelled; of c.png, the list knows nothing.
    let list = ground.path("ignore.jsonl");
    let line = json!({"file": "b.png", "ignore": [SECOND]});
    fs::write(&list, format!("{line}\n")).unwrap();
    let with = [&args[..], &["--ignore", list.to_str().unwrap()]].concat();
    let ran = ground.run(&with, &[&set]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.figures(0, "set")["pictures"], 1);
    assert_eq!(ran.value(0, "set", "precision"), 1.0);
    assert!(ran.stdout.contains("Left out of set: 1 (c.png)"));

    for (args, told) in [
        (["--split", split, "--part", "val"], "knows no part val"),
        (["--ignore", "nowhere", "--min-face", "1"], "--ignore takes"),
    ] {
        let ran = ground.run(&[&["--model", &model], &args[..]].concat(), &[&set]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

#[test]
fn points_make_boxes_and_dlib_writes_its_own() {
    let Some(ground) = Ground::new() else { return };
    // Eyes 24 apart, the mouth 24 below them: a box of 50 x 66 around the middle of the picture.
    let points = [38.0, 44.0, 62.0, 44.0, 50.0, 55.0, 50.0, 68.0];
    let set = ground.set(
        "pointed",
        &[json!({"file": "a.png", "landmarks": [points]})],
    );
    let ran = ground.run(&["--model", &boxes()], &[&set]);
    assert_eq!(ran.value(0, "pointed", "recall"), 1.0);
    assert_eq!(ran.figures(0, "pointed")["ap"], Value::Null);

    ground.picture("dlib/a.png", (SIDE, SIDE));
    let xml = "<dataset><images><image file='a.png'><box top='25' left='25' width='50' height='50'/></image></images></dataset>";
    fs::write(ground.path("dlib/training.xml"), xml).unwrap();
    fs::write(ground.path("dlib/testing.xml"), "<dataset/>").unwrap();
    let ran = ground.run(&["--model", &boxes()], &[&ground.path("dlib")]);
    assert_eq!(ran.value(0, "dlib", "recall"), 1.0);
    assert_eq!(ran.value(0, "dlib", "ap"), 1.0);
}

#[test]
fn what_nobody_labelled_is_not_measured() {
    let Some(ground) = Ground::new() else { return };
    let line = json!({"file": "a.png", "teacher": [{"box": FIRST}]});
    let set = ground.set("set", &[line]);
    let ran = ground.run(&["--model", &boxes()], &[&set]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("nobody has labelled"), "{}", ran.stderr);
    let ran = ground.run(&["--model", "nowhere.onnx"], &[&set]);
    assert_eq!(ran.code, 1);
    let ran = ground.run(&[], &[&set]);
    assert_eq!(ran.code, 2);
}

/// The first pictures of a set of the assets, in a folder of their own.
fn some_of(assets: &Path, ground: &Ground, name: &str, n: usize) -> PathBuf {
    let labels = fs::read_to_string(assets.join(name).join("labels.jsonl")).unwrap();
    let mut text = String::new();
    for line in labels.lines().step_by(7).take(n) {
        let of: Value = serde_json::from_str(line).unwrap();
        let file = of["file"].as_str().unwrap();
        fs::copy(
            assets.join(name).join(file),
            ground.path(&format!("{name}/{file}")),
        )
        .unwrap();
        text += &format!("{line}\n");
    }
    fs::write(ground.path(&format!("{name}/labels.jsonl")), text).unwrap();
    ground.path(name)
}

#[test]
fn figures_agree_with_the_yardstick() {
    let Some(ground) = Ground::new() else { return };
    let Some(assets) = common::assets() else {
        return;
    };
    let yardstick = assets.join("../eval/det_eval.py");
    let python = common::root().join(".setup/venv/bin/python");
    for needed in [&yardstick, &python] {
        if !needed.exists() {
            common::skip(format_args!("no {}", needed.display()));
            return;
        }
    }
    let sets = [
        ("det_ilc", some_of(&assets, &ground, "det_ilc", 40)),
        ("det_caltech", some_of(&assets, &ground, "det_caltech", 20)),
        ("det_dlib", assets.join("det_dlib")),
        (
            "neg_imagenet",
            some_of(&assets, &ground, "neg_imagenet", 30),
        ),
    ];
    let paths: Vec<&Path> = sets.iter().map(|(_, p)| p.as_path()).collect();
    let found = ground.path("found.jsonl");
    let model = common::model(&assets, "yunet_n_dynamic.onnx");
    let model = format!("{}@320", model.display());
    let args = [
        "--model",
        &model,
        "--predictions-out",
        found.to_str().unwrap(),
        "--by",
        "size,label,light",
    ];
    let ours = ground.run(&args, &paths);
    assert_eq!(ours.code, 0, "{}", ours.stderr);

    let file = ground.path("yardstick.json");
    let out = Command::new(python)
        .arg(yardstick)
        .args(["--ignore", "labels", "--bootstrap", "2", "--json"])
        .arg(&file)
        .arg("--predictions")
        .arg(format!("ours={}:0.6", found.display()))
        .arg("--sets")
        .args(&paths)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{stderr}");
    let theirs: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let theirs = &theirs["ours"]["sets"];
    let same = |set: &str, what: &str, ours: f64, theirs: &Value| {
        let theirs = theirs.as_f64().unwrap();
        assert!(
            (ours - theirs).abs() < 1e-3,
            "{what} of {set}: {ours} and {theirs}"
        );
    };
    for set in ["det_ilc", "det_caltech", "det_dlib"] {
        let pairs = [
            ("ap50", "ap50"),
            ("recall_at", "r_fppi"),
            ("precision", "p"),
            ("recall", "r"),
        ];
        for (our, their) in pairs {
            same(set, our, ours.value(0, set, our), &theirs[set][their]);
        }
        let figures = ours.figures(0, set);
        assert_eq!(figures["labels"], theirs[set]["faces"]);
        assert_eq!(figures["dropped"], theirs[set]["dropped"]);
        let groups = ours.groups(0, set);
        for (by, name, _, ap50, _) in &groups {
            let key = format!("ap_{name}");
            if by == "size" && ap50.is_finite() {
                same(set, &key, *ap50, &theirs[set][&key]);
            } else if by == "size" {
                assert_eq!(theirs[set][&key], Value::Null);
            }
        }
        // Whatever faces are grouped by, each is in one group. Only det_ilc says what its faces are.
        for by in ["size", "label", "light"] {
            let labels = groups.iter().filter(|g| g.0 == by).map(|g| g.2);
            let all = by != "label" || set == "det_ilc";
            let wanted = figures["labels"].as_u64().filter(|_| all);
            assert_eq!(labels.sum::<u64>(), wanted.unwrap_or(0), "{by} of {set}");
        }
    }
    for set in ["det_ilc", "det_dlib"] {
        same(set, "ap", ours.value(0, set, "ap"), &theirs[set]["ap"]);
    }
    let pointed = ours.figures(0, "det_caltech");
    let value = ours.value(0, "det_caltech", "nme");
    same("det_caltech", "nme", value, &theirs["det_caltech"]["nme"]);
    assert_eq!(pointed["nme_faces"], theirs["det_caltech"]["nme_n"]);
    let wrong = |set: &str| {
        let figures = ours.figures(0, set);
        let n = figures["pictures"].as_f64().unwrap_or(0.0);
        let rate = figures["false_positives"]["value"].as_f64();
        (rate.unwrap_or(0.0) * n).round()
    };
    let (easy, hard) = (wrong("neg_imagenet"), wrong("neg_imagenet (hard)"));
    let negatives = &theirs["neg_imagenet"];
    assert_eq!(Some(easy + hard), negatives["fp"].as_f64());
    assert_eq!(Some(hard), negatives["fp_hard"].as_f64());
}
