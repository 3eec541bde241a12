// SPDX-License-Identifier: MIT OR Apache-2.0
//! From folders to a model.

use crate::ground::*;
use liveness_train::onnx;
use serde_json::Value;

#[test]
fn a_folder_becomes_a_model_and_a_report() {
    let taught = &*TAUGHT;
    let mut wanted = vec![
        "augmented.png",
        "history.csv",
        "labels.json",
        "metrics.json",
        "model.onnx",
        "report.html",
        "report.md",
        "run.json",
    ];
    let beside = taught.files.keys().filter(|n| !n.starts_with("plots/"));
    // Only there where it made one.
    let beside: Vec<_> = beside.filter(|n| *n != "mistakes.png").collect();
    wanted.sort_unstable();
    assert_eq!(beside, wanted);
    for name in taught.files.keys().filter(|n| n.ends_with(".png")) {
        image::load_from_memory(&taught.files[name]).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    let plots: Vec<_> = taught
        .files
        .keys()
        .filter(|n| n.starts_with("plots/"))
        .collect();
    for plot in [
        "training",
        "roc",
        "det",
        "scores-held-out",
        "confusion-held-out",
    ] {
        for ending in ["png", "svg"] {
            let name = format!("plots/{plot}.{ending}");
            assert!(plots.contains(&&name), "{name} is missing: {plots:?}");
        }
    }
    assert_eq!(taught.curve().len(), EPOCHS + 1);
    let labels = taught.json("labels.json");
    assert_eq!(labels["labels"], serde_json::json!(["spoof", "live"]));
    let metrics = taught.json("metrics.json");
    assert_eq!(
        labels["threshold"],
        metrics["models"][0]["threshold"]["value"]
    );
    assert!(taught.text("report.html").contains("held out"));
    assert!(taught.text("report.md").contains("plots/training.png"));
    // What it was told, with the defaults.
    let run = taught.json("run.json");
    assert_eq!((&run["epochs"], &run["seed"]), (&EPOCHS.into(), &1.into()));
    assert!(taught.stdout.contains("model.onnx"), "{}", taught.stdout);
    for epoch in 1..=EPOCHS {
        let line = format!("training: epoch {epoch}/{EPOCHS}:");
        assert!(taught.stderr.contains(&line), "{}", taught.stderr);
    }
}

#[test]
fn what_is_held_out_is_measured() {
    let metrics = TAUGHT.json("metrics.json");
    let sets = sets(&metrics);
    assert_eq!(sets.keys().collect::<Vec<_>>(), ["held out", "validation"]);
    let held = sets["held out"];
    let pictures: u64 = metrics["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["part"] == "held out")
        .map(|row| row["pictures"].as_u64().unwrap())
        .sum();
    let counts = &held["counts"];
    assert_eq!(counts["answers"], pictures, "{held}");
    assert_eq!(
        counts["groups"],
        pictures / (2 * TAKES),
        "people are torn apart: {held}"
    );
    // Stripes as coarse as these are seen.
    assert!(held["auc"]["value"].as_f64().unwrap() > 0.95, "{held}");
}

#[test]
fn of_two_people_none_is_kept_for_measuring_alone_and_that_is_said() {
    let ground = Ground::new();
    let two = ground.pictures("two", |person, _| person < 2);
    let tool = ground.train(&two).args(["--epochs", "1"]);
    let trained = Trained::of(&ground, ended(tool).cleanly(&[0]));
    let metrics = trained.json("metrics.json");
    assert_eq!(sets(&metrics).keys().collect::<Vec<_>>(), ["validation"]);
    for text in [&trained.stdout, trained.text("report.md")] {
        assert!(text.contains("too few people or recordings"), "{text}");
    }
}

/// The same pictures are live and spoofs: no live face scores above all spoofs, and no threshold keeps the bound but one that refuses
/// everybody.
#[test]
fn what_cannot_be_told_apart_becomes_a_model_that_accepts_nobody() {
    let ground = Ground::new();
    let same = ground.pictures("same", |p, name| p < 6 && name.starts_with("real"));
    for (name, bytes) in ground.files("same") {
        ground.put(&format!("same/{}", name.replace("real", "print")), &bytes);
    }
    let tool = ground.train(&same).args(["--epochs", "1"]);
    let trained = Trained::of(&ground, ended(tool).cleanly(&[0]));
    assert_eq!(trained.json("labels.json")["threshold"], 1.0);
    let facts = onnx::read(&ground.path("model/model.onnx")).unwrap().facts;
    assert_eq!(facts["threshold"], "1");
    let metrics = trained.json("metrics.json");
    let valid = sets(&metrics)["validation"];
    assert_eq!(valid["bpcer"]["value"], 1.0, "{valid}");
    assert!(facts["threshold-chosen"].contains("100.0 % of live faces are refused"));
}

#[test]
fn another_folder_is_measured_as_evaluate_measures_it() {
    let ground = Ground::new();
    let faces = ground.faces();
    // A usual name for such a folder, and what a part of the other one is called in the report.
    let others = ground.pictures("validation", |person, _| person >= 8);
    let tool = ground.train(&faces).args(["--epochs", "1", "--test"]);
    let trained = Trained::of(&ground, ended(tool.arg(&others)).cleanly(&[0]));
    let metrics = trained.json("metrics.json");
    let there = sets(&metrics);
    let name = others.display().to_string();
    assert_eq!(there.keys().collect::<Vec<_>>(), [&name, "validation"]);
    let tool = ground.evaluate(&[&ground.path("model/model.onnx")]);
    let tool = tool.arg("--test").arg(&others);
    ended(tool.arg("--output").arg(ground.path("report"))).cleanly(&[0]);
    let files = ground.files("report");
    let metrics: Value = serde_json::from_slice(&files["metrics.json"]).unwrap();
    let here = &metrics["models"][0]["sets"][0];
    let figure = |set: &Value, figure: &str| set[figure]["value"].as_f64().unwrap();
    for what in ["auc", "acer", "brier"] {
        let (a, b) = (figure(there[&name], what), figure(here, what));
        assert!(
            (a - b).abs() < 1e-3,
            "{what}: {a} in training, {b} of the file"
        );
    }
}
