// SPDX-License-Identifier: MIT OR Apache-2.0
//! The same twice, and what differs.

use crate::ground::*;
use liveness_train::onnx;
use std::fs;
use std::path::Path;

#[test]
fn the_same_seed_gives_the_same_model_with_any_number_of_threads() {
    TAUGHT.assert_same(&Trained::with(&["--threads", "1"]));
}

#[test]
fn another_seed_gives_another_model() {
    assert_ne!(TAUGHT.curve(), OTHER.curve());
    assert!(TAUGHT.files["model.onnx"] != OTHER.files["model.onnx"]);
}

#[test]
fn a_model_is_not_lost_unless_that_was_said() {
    let ground = Ground::new();
    for (name, bytes) in &TAUGHT.files {
        ground.put(&format!("model/{name}"), bytes);
    }
    let tool = || ground.full(&ground.faces());
    let refused = ended(tool()).cleanly(&[1]);
    refused.says(&["model holds a model already", "--overwrite"]);
    assert!(
        ground.files("model") == TAUGHT.files,
        "something was touched"
    );
    // Neither is anything else that lies there.
    let notes = ground.put("model/notes.txt", b"mine");
    let refused = ended(tool().arg("--overwrite")).cleanly(&[1]);
    refused.says(&["notes.txt", "another folder"]);
    fs::remove_file(notes).unwrap();
    assert!(
        ground.files("model") == TAUGHT.files,
        "something was touched"
    );
    let tool = tool().args(["--overwrite", "--seed", "2"]);
    let again = Trained::of(&ground, ended(tool).cleanly(&[0]));
    again.assert_same(&OTHER);
    assert_eq!(ground.names(), ["faces", "model"]);
}

#[test]
fn a_trained_model_is_trained_further_with_its_crop() {
    let ground = Ground::new();
    let first = TAUGHT.model(&ground, "first.onnx");
    let tool = program().args(["train", "--crops", "1.2", "--epochs", "1", "--batch", "8"]);
    let tool = tool
        .arg("--train")
        .arg(ground.strangers())
        .arg("--init")
        .arg(&first);
    let tool = tool.arg("--output").arg(ground.path("model"));
    let ended = ended(tool).cleanly(&[0]);
    let facts = |path: &Path| onnx::read(path).unwrap().facts;
    let (before, after) = (facts(&first), facts(&ground.path("model/model.onnx")));
    assert_eq!(before["crop-scale"], "1.1");
    for fact in ["crop", "crop-scale", "outside", "color", "mean", "scale"] {
        assert_eq!(before[fact], after[fact], "{fact}");
    }
    // It begins where the other ended: untrained, its loss is above 0.6 after an epoch.
    let trained = Trained::of(&ground, ended);
    let row: Vec<&str> = trained.curve()[1].split(',').collect();
    assert!(row[4].parse::<f64>().unwrap() < 0.3, "{row:?}");
}
