// SPDX-License-Identifier: MIT OR Apache-2.0
//! Models on folders.

use crate::ground::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

#[test]
fn models_are_measured_side_by_side_and_fused() {
    let ground = Ground::new();
    let strangers = ground.strangers();
    let (first, other) = (
        TAUGHT.model(&ground, "first.onnx"),
        OTHER.model(&ground, "other.onnx"),
    );
    let both = [first.as_os_str(), other.as_os_str()].join(OsStr::new(","));
    let tool = ground
        .evaluate(&[&first, &other, Path::new(&both)])
        .arg("--test")
        .arg(&strangers);
    let run = ended(tool.arg("--output").arg(ground.path("report"))).cleanly(&[0]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let at = lines
        .iter()
        .position(|l| l.contains("Models side by side"))
        .unwrap();
    assert!(
        lines[at + 1].trim_end().ends_with("ms per face"),
        "{}",
        run.stdout
    );
    let rows = &lines[at + 2..at + 5];
    for row in rows {
        assert!(row.contains("strangers"), "{row}");
        let ms: f64 = row.split_whitespace().last().unwrap().parse().unwrap();
        assert!(ms > 0.0 && ms < 1000.0, "{row}");
    }
    // Both are called `model`, after the folders that they were made in: their files tell them apart.
    assert!(
        rows[0].contains("first.onnx)") && rows[1].contains("other.onnx)"),
        "{rows:?}"
    );
    assert!(rows[2].contains("model+model"), "{rows:?}");
    let files = ground.files("report");
    let metrics: Value = serde_json::from_slice(&files["metrics.json"]).unwrap();
    let models = metrics["models"].as_array().unwrap();
    assert_eq!(models.len(), 3);
    for model in models {
        assert!(model["ms_per_face"].as_f64().unwrap() > 0.0);
        assert_eq!(model["sets"][0]["counts"]["answers"], 2 * 8 * TAKES);
    }
    assert!(!files.contains_key("model.onnx") && files.contains_key("report.html"));
}

#[test]
fn predictions_say_something_of_each_picture() {
    let ground = Ground::new();
    let strangers = ground.strangers();
    let (first, other) = (
        TAUGHT.model(&ground, "first.onnx"),
        OTHER.model(&ground, "other.onnx"),
    );
    let said = |model: &OsStr| -> BTreeMap<String, f64> {
        let file = ground.path("said.jsonl");
        let tool = ground
            .evaluate(&[Path::new(model)])
            .arg("--test")
            .arg(&strangers);
        ended(tool.arg("--predictions").arg(&file)).cleanly(&[0]);
        let text = fs::read_to_string(file).unwrap();
        let lines = text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        let pairs = lines.map(|l| {
            let image = l["image"].as_str().unwrap().to_owned();
            (image, l["live"].as_f64().unwrap())
        });
        pairs.collect()
    };
    let (a, b) = (said(first.as_os_str()), said(other.as_os_str()));
    let both = said(&[first.as_os_str(), other.as_os_str()].join(OsStr::new(",")));
    let pictures = ground.files("strangers");
    assert_eq!(a.len(), pictures.len());
    let mut right = 0;
    for name in pictures.keys() {
        let path = strangers.join(name).display().to_string();
        let [a, b, both] = [&a, &b, &both].map(|all| all[&path]);
        assert!(
            [a, b, both].iter().all(|p| (0.0..=1.0).contains(p)),
            "{name}"
        );
        // Fused, it is the mean of both.
        assert!(
            (both - (a + b) / 2.0).abs() < 1e-5,
            "{name}: {a}, {b}, {both}"
        );
        right += usize::from((a > 0.5) == name.starts_with("real"));
    }
    assert!(
        right > pictures.len() * 9 / 10,
        "{right} of {}",
        pictures.len()
    );
}

#[test]
fn a_threshold_that_is_given_is_the_one_that_counts() {
    let ground = Ground::new();
    let strangers = ground.strangers();
    // One file, as the element takes it.
    let model = TAUGHT.model(&ground, "first, and only.onnx");
    for (threshold, bpcer, apcer) in [("0", 0.0, 1.0), ("1", 1.0, 0.0)] {
        let tool = ground
            .evaluate(&[&model])
            .args(["--threshold", threshold, "--test"]);
        let tool = tool
            .arg(&strangers)
            .arg("--output")
            .arg(ground.path("report"));
        ended(tool).cleanly(&[0]);
        let files = ground.files("report");
        let metrics: Value = serde_json::from_slice(&files["metrics.json"]).unwrap();
        let set = &metrics["models"][0]["sets"][0];
        assert_eq!(set["bpcer"]["value"], bpcer, "{set}");
        assert_eq!(set["apcer"]["value"], apcer, "{set}");
    }
}

#[test]
fn what_is_no_model_is_refused_by_name_and_nothing_is_written() {
    let ground = Ground::new();
    let strangers = ground.strangers();
    let good = TAUGHT.model(&ground, "first.onnx");
    let text = ground.put("text.onnx", b"not a model");
    let mut cut = TAUGHT.files["model.onnx"].clone();
    cut.truncate(cut.len() / 2);
    let cut = ground.put("cut.onnx", &cut);
    let gone = ground.path("gone.onnx");
    let boxes = crate::common::root().join("tests/data/boxes.onnx");
    let fused = [good.as_os_str(), text.as_os_str()].join(OsStr::new(","));
    let before = ground.names();
    for (model, said) in [
        (&*text, ["text.onnx", "is not a model"]),
        (&*cut, ["cut.onnx", "is not a model"]),
        (&*gone, ["gone.onnx", "No such file"]),
        (&*boxes, ["boxes.onnx", "liveness"]),
        (Path::new(&fused), ["text.onnx", "is not a model"]),
    ] {
        let tool = ground
            .evaluate(&[&good, model])
            .arg("--test")
            .arg(&strangers);
        let tool = tool.arg("--output").arg(ground.path("report"));
        let tool = tool.arg("--predictions").arg(ground.path("said.jsonl"));
        ended(tool).cleanly(&[1]).says(&said);
        assert_eq!(ground.names(), before, "it left something");
    }
}
