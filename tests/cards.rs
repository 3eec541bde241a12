// SPDX-License-Identifier: MIT OR Apache-2.0
//! What opened models tell of themselves: every fact in use, told or assumed.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;

use std::path::Path;

use liveness::detect::{self, Detector};
use liveness::liveness::{Classifier, Family};
use liveness::model::{Card, ModelFile};
use liveness::runtime::{Engine, Options};

fn tiny(name: &str) -> ModelFile {
    common::use_runtime();
    let path = common::root().join("tests/data").join(name);
    ModelFile::read(&path, None).unwrap()
}

fn classifier(file: ModelFile) -> Classifier {
    Classifier::open(&[file], Options::default()).unwrap()
}

fn fact(card: &Card, name: &str) -> Option<String> {
    card.facts().get(name).cloned()
}

#[test]
fn a_detector_tells_what_its_family_recommends() {
    let detector = Detector::open(&tiny("boxes.onnx"), Options::default()).unwrap();
    let card = detector.card();
    for (name, value) in [
        ("task", "face-detection"),
        ("name", "boxes"),
        ("color", "bgr"),
        ("mean", "104,177,123"),
        ("scale", "1"),
        ("threshold", "0.5"),
    ] {
        assert_eq!(fact(&card, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(detector.family(), detect::Family::Ssd);
    assert!(!detector.has_landmarks());
}

#[test]
fn what_a_sidecar_tells_comes_before_what_is_recommended() {
    let mut file = tiny("boxes.onnx");
    file.sidecar = Card {
        threshold: Some(0.25),
        mean: Some([0.0; 3]),
        ..Card::default()
    };
    let card = Detector::open(&file, Options::default()).unwrap().card();
    assert_eq!((card.threshold, card.mean), (Some(0.25), Some([0.0; 3])));
    assert_eq!(fact(&card, "color").as_deref(), Some("bgr"));
}

#[test]
fn a_liveness_model_tells_its_card() {
    let classifier = classifier(tiny("bright.onnx"));
    let [model] = classifier.models() else {
        panic!("it is one");
    };
    assert_eq!((model.name(), model.size()), ("bright", (16, 16)));
    assert_eq!(model.family(), None);
    let file = tiny("bright.onnx");
    let engine = Engine::open(&file.name, &file.bytes, Options::default()).unwrap();
    let own = Card::from_facts(engine.facts(), &file.name).unwrap();
    assert_eq!(*model.card(), own);
}

#[test]
fn what_is_assumed_of_a_liveness_model_is_told() {
    let Some(assets) = common::assets() else {
        return;
    };
    common::use_runtime();
    let path = common::model(&assets, "MiniFASNetV2_2.7_80.onnx");
    let classifier = classifier(ModelFile::read(Path::new(&path), None).unwrap());
    let model = &classifier.models()[0];
    assert_eq!(
        model.family(),
        Some(Family::MiniFasNet { scale: Some(2.7) })
    );
    assert_eq!(model.family().map(Family::as_str), Some("MiniFASNet"));
    assert_eq!(fact(model.card(), "crop-scale").as_deref(), Some("2.7"));
    assert_eq!(
        fact(model.card(), "classes").as_deref(),
        Some("spoof-2d,live,spoof-3d")
    );
    assert_eq!(model.card().threshold, None);
    assert_eq!(classifier.default_threshold(), 0.5);
}
