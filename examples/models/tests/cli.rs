// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: the real binary on the models that ship, those of the tests, and, where there are assets, the public
//! ones; and on files that are no models.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/plugin.rs"]
mod plugin;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use plugin::{Ended, Tool};
use serde_json::{Value, json};

/// The program; it uses no GStreamer, and so no registry.
fn bare() -> Tool {
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models/none");
    Tool::new(env!("CARGO_BIN_EXE_liveness-models"), &nowhere)
}

/// `None`, said on standard error, where there is no ONNX Runtime.
fn program() -> Option<Tool> {
    if plugin::runtime().is_none() {
        common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
        return None;
    }
    Some(bare())
}

/// A tiny model of `tests/data`.
fn tiny(name: &str) -> PathBuf {
    common::root().join("tests/data").join(name)
}

fn lines(ended: &Ended) -> Vec<Value> {
    let line = |l| serde_json::from_str(l).unwrap();
    ended.stdout.lines().map(line).collect()
}

/// The line of one file, without times.
fn line(tool: Tool, file: &Path) -> Value {
    let ended = tool.args(["--json", "--rounds", "0"]).arg(file).run();
    let [line] = &lines(&ended.cleanly(&[0]))[..] else {
        panic!("one file, one line");
    };
    line.clone()
}

#[test]
fn wrong_use_is_refused_and_help_shows_how() {
    for words in [&["--rounds", "-1"][..], &["--rounds", "99999999"], &["-x"]] {
        bare().args(words).run().cleanly(&[2]);
    }
    let help = bare().arg("--help").run().cleanly(&[0]).stdout;
    for word in ["Examples:", "liveness-models --json *.onnx", "Exit status"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(help.lines().find(|l| l.chars().count() > 110), None);
}

#[test]
fn without_onnx_runtime_it_says_so_and_nothing_else() {
    let tool = bare().env("ORT_DYLIB_PATH", "/no/libonnxruntime.so");
    let ended = tool.arg(tiny("bright.onnx")).run().cleanly(&[1]);
    assert_eq!(ended.stdout, "");
    ended.says(&["ONNX Runtime could not be loaded", "/no/libonnxruntime.so"]);
}

#[test]
fn what_ships_is_told_timed_and_tested() {
    let Some(tool) = program() else { return };
    let ended = tool.args(["--json", "--rounds", "3"]).run().cleanly(&[0]);
    let [detector, liveness, int8] = &lines(&ended)[..] else {
        panic!("{}", ended.stdout);
    };
    for (model, name, task, licence) in [
        (detector, "facedetect", "face-detection", "MIT"),
        (liveness, "liveness", "liveness", "Apache-2.0"),
        (int8, "liveness-int8", "liveness", "Apache-2.0"),
    ] {
        assert_eq!(model["file"], name);
        assert_eq!(model["name"], name);
        assert_eq!(model["task"], task);
        assert_eq!(model["ships"], true);
        // What integers give differs a little by the processor, so that file carries no answer to compare with.
        let tested = if name == "liveness-int8" {
            "none"
        } else {
            "passed"
        };
        assert_eq!(model["self_test"], tested);
        assert_eq!(model["threshold_from"], "card");
        assert_eq!(model["assumed"], json!([]));
        assert_eq!(model["card"]["licence"], licence);
        let latency = &model["latency"];
        assert_eq!(latency["rounds"], 3);
        assert_eq!(latency["threads"], 1);
        let time = |name: &str| latency[name].as_f64().unwrap();
        assert!(time("inference_ms") > 0.0, "{latency}");
        assert!(time("inference90_ms") >= time("inference_ms"), "{latency}");
        assert!(time("whole_ms") >= time("inference_ms"), "{latency}");
    }
    assert_eq!(detector["family"], "YuNet");
    assert_eq!(detector["input"]["width"], Value::Null, "it takes any size");
    assert_eq!(detector["input"]["range"][0], json!([0.0, 255.0]));
    assert_eq!(detector["landmarks"], true);
    assert_eq!(liveness["family"], Value::Null, "it describes itself");
    assert_eq!(liveness["classes"], json!(["spoof", "live"]));
    assert_eq!(liveness["output"], "logits");
    assert_eq!(liveness["crop"]["outside"], "shift");
}

#[test]
fn the_text_says_the_same_in_words() {
    let Some(tool) = program() else { return };
    let text = tool.args(["--rounds", "2"]).run().cleanly(&[0]).stdout;
    for words in [
        "facedetect (ships inside)\n",
        "  family      YuNet\n",
        "any size (320 on the long side where nobody says otherwise), BGR, values 0..255\n",
        "  landmarks   five\n",
        "(its card says so); two faces overlap by 0.45 at most\n",
        "liveness (ships inside)\n",
        "  for         telling live faces from spoofs\n",
        "  family      none that is known: it describes itself\n",
        "  classes     spoof, live, as logits\n",
        "  self-test   passed: it answers as when it was written\n",
        "  card        licence: MIT\n",
        "medians of 2, 640x480, one thread\n",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let long = text.lines().find(|l| l.chars().count() > 200);
    assert_eq!(long, None, "facts are shortened");
}

#[test]
fn what_neither_the_file_nor_its_sidecar_tells_is_told_as_assumed() {
    let Some(tool) = program() else { return };
    let ssd = line(tool, &tiny("boxes.onnx"));
    assert_eq!(
        (&ssd["family"], &ssd["ships"]),
        (&json!("SSD"), &json!(false))
    );
    assert_eq!(ssd["assumed"], json!(["color", "mean", "scale"]));
    assert_eq!(ssd["threshold"], 0.5);
    assert_eq!(ssd["threshold_from"], "family");
    assert_eq!(ssd["self_test"], "none");
    assert_eq!(ssd["input"]["mean"], json!([104.0, 177.0, 123.0]));
    assert_eq!(ssd["input"]["range"][1], json!([-177.0, 78.0]));
    assert_eq!(ssd["landmarks"], false);
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("mine.onnx");
    fs::copy(tiny("boxes.onnx"), &model).unwrap();
    fs::write(
        model.with_extension("toml"),
        "threshold = 0.25\nscale = 0.5",
    )
    .unwrap();
    let told = line(bare(), &model);
    assert_eq!(told["threshold"], 0.25);
    assert_eq!(told["threshold_from"], "card");
    assert_eq!(told["assumed"], json!(["color", "mean"]));
    let text = bare().args(["--rounds", "0"]).arg(&model).run();
    let text = text.cleanly(&[0]).stdout;
    for words in [
        "  self-test   the file has none\n",
        "  latency     not measured\n",
        "  assumed     color, mean\n",
        "values -52..75.5, -88.5..39, -61.5..66\n",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn what_is_no_model_is_refused_by_name_and_the_others_are_told() {
    let Some(tool) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let shipped = |name: &str| {
        let path = format!("models/{name}/{name}.onnx");
        fs::read(common::root().join(path)).unwrap()
    };
    let whole = shipped("liveness");
    let mut damaged = whole.clone();
    // One number of the golden answer.
    let answer = b"liveness.golden-output";
    let at = damaged.windows(answer.len()).position(|w| w == answer);
    let at = at.unwrap() + answer.len();
    let digit = damaged[at..].iter().position(u8::is_ascii_digit).unwrap();
    let digit = &mut damaged[at + digit];
    *digit = if *digit == b'0' { b'9' } else { b'0' };
    let bright = fs::read(tiny("bright_silent.onnx")).unwrap();
    let cases: [(&str, &[u8], &str); 7] = [
        (
            "half.onnx",
            &whole[..whole.len() / 2],
            "is not a model that can be loaded",
        ),
        (
            "head.onnx",
            &whole[..100],
            "is not a model that can be loaded",
        ),
        ("empty.onnx", b"", "is not a model that can be loaded"),
        (
            "text.onnx",
            b"this is no model",
            "is not a model that can be loaded",
        ),
        (
            "zeros.onnx",
            &[0; 4096],
            "is not a model that can be loaded",
        ),
        ("damaged.onnx", &damaged, "its own golden input gives"),
        (
            "silent.onnx",
            &bright,
            "does not say how to use it: missing color",
        ),
    ];
    let mut tool = tool
        .args(["--json", "--rounds", "0"])
        .arg(tiny("bright.onnx"));
    for (name, bytes, _) in &cases {
        fs::write(path(name), bytes).unwrap();
        tool = tool.arg(path(name));
    }
    let odd = folder.path().join(OsStr::from_bytes(b"\xff\x1b.onnx"));
    let tool = tool.arg(&odd).arg(path("gone.onnx")).arg(folder.path());
    let ended = tool.arg(tiny("boxes.onnx")).run().cleanly(&[3]);
    assert!(!ended.stderr.contains('\x1b'), "{}", ended.stderr);
    let lines = lines(&ended);
    assert_eq!(lines.len(), 2 + cases.len() + 3);
    assert_eq!(lines[0]["name"], "bright");
    assert_eq!(lines[lines.len() - 1]["name"], "boxes");
    for ((name, _, said), line) in cases.iter().zip(&lines[1..]) {
        assert_eq!(line["file"], path(name).to_str().unwrap());
        let error = line["error"].as_str().unwrap();
        assert!(error.contains(name) && error.contains(said), "{error}");
        let told = ended.stderr.lines().find(|l| l.contains(name));
        assert!(told.unwrap().starts_with("liveness-models: "), "{told:?}");
    }
    let rest = &lines[1 + cases.len()..];
    assert!(rest[0]["file"].as_str().unwrap().ends_with("/%FF%1B.onnx"));
    for (line, said) in rest
        .iter()
        .zip(["No such file", "No such file", "not a regular file"])
    {
        assert!(line["error"].as_str().unwrap().contains(said), "{line}");
    }
    // A sidecar that nobody can read is no reason to guess.
    fs::copy(tiny("bright.onnx"), path("odd.onnx")).unwrap();
    fs::write(path("odd.toml"), "colour = 'rgb'").unwrap();
    let ended = bare().arg(path("odd.onnx")).run().cleanly(&[3]);
    ended.says(&["odd.toml", "colour"]);
}

#[test]
fn each_public_model_is_what_it_is() {
    let (Some(_), Some(assets)) = (program(), common::assets()) else {
        return;
    };
    // Family, width and height of the input, what its first channel ranges over, and how sure a face must be.
    let any = Value::Null;
    let wanted: [(&str, &str, Value, [f64; 2], f64); 11] = [
        (
            "MiniFASNetV1SE_4.0_80",
            "MiniFASNet",
            json!([80, 80]),
            [0.0, 255.0],
            0.5,
        ),
        (
            "MiniFASNetV2_2.7_80",
            "MiniFASNet",
            json!([80, 80]),
            [0.0, 255.0],
            0.5,
        ),
        (
            "blazeface_short_128",
            "BlazeFace",
            json!([128, 128]),
            [-1.0, 1.0],
            0.5,
        ),
        (
            "facenox_98.20_128",
            "facenox",
            json!([128, 128]),
            [0.0, 1.0],
            0.5,
        ),
        (
            "facenox_98.20_128_int8",
            "facenox",
            json!([128, 128]),
            [0.0, 1.0],
            0.5,
        ),
        (
            "retinaface_mb025_640",
            "RetinaFace",
            json!([640, 640]),
            [-104.0, 151.0],
            0.6,
        ),
        (
            "scrfd_500m_bnkps",
            "SCRFD",
            json!([640, 640]),
            [-0.996, 0.996],
            0.5,
        ),
        (
            "ultraface_RFB-320",
            "UltraFace",
            json!([320, 240]),
            [-0.992, 1.0],
            0.7,
        ),
        (
            "yunet_n_320_320",
            "YuNet",
            json!([320, 320]),
            [0.0, 255.0],
            0.6,
        ),
        (
            "yunet_n_dynamic",
            "YuNet",
            json!([any, any]),
            [0.0, 255.0],
            0.6,
        ),
        (
            "yunet_s_dynamic",
            "YuNet",
            json!([any, any]),
            [0.0, 255.0],
            0.6,
        ),
    ];
    let mut all: Vec<PathBuf> = fs::read_dir(assets.join("models"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        .collect();
    all.sort();
    let tool = bare().args(["--json", "--rounds", "1"]).args(&all);
    let ended = tool.run().cleanly(&[3]);
    let lines = lines(&ended);
    assert_eq!(lines.len(), all.len());
    for (path, line) in all.iter().zip(&lines) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(line["file"], path.to_str().unwrap());
        let Some((_, family, size, range, threshold)) = wanted.iter().find(|w| w.0 == name) else {
            // It tells faces apart.
            assert_eq!(name, "mobilefacenet_112_128d");
            let error = line["error"].as_str().unwrap();
            assert!(error.contains("[1, 128]"), "{error}");
            continue;
        };
        assert_eq!(line["name"], name);
        assert_eq!(line["family"], *family, "{name}");
        let input = &line["input"];
        assert_eq!(json!([input["width"], input["height"]]), *size, "{name}");
        for (told, wanted) in input["range"][0].as_array().unwrap().iter().zip(range) {
            assert!(
                (told.as_f64().unwrap() - wanted).abs() < 1e-3,
                "{name}: {told}"
            );
        }
        assert!(
            (line["threshold"].as_f64().unwrap() - threshold).abs() < 1e-6,
            "{name}"
        );
        assert_eq!(line["self_test"], "none", "{name}");
        let is_liveness = ["MiniFASNet", "facenox"].contains(family);
        let task = if is_liveness {
            "liveness"
        } else {
            "face-detection"
        };
        assert_eq!(line["task"], task, "{name}");
        assert_eq!(line["classes"].is_array(), is_liveness, "{name}");
        assert_eq!(line["crop"].is_object(), is_liveness, "{name}");
        let from = if is_liveness { "nobody" } else { "family" };
        assert_eq!(line["threshold_from"], from, "{name}");
        assert!(line["latency"]["inference_ms"].as_f64().unwrap() > 0.0);
    }
    let crop = |i: usize| lines[i]["crop"]["scale"].as_f64().unwrap();
    assert_eq!((crop(0), crop(1)), (4.0, 2.7));
}
