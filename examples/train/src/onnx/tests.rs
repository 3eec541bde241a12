// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that ONNX Runtime runs as burn does, that others accept, that come back, and that tell when they are damaged.

use std::path::{Path, PathBuf};
use std::process::Command;

use liveness::crop::{Crop, Outside, Shape};
use liveness::face::{Face, Label, Verdict};
use liveness::geometry::Rect;
use liveness::golden;
use liveness::image::{Layout, Plane, View};
use liveness::liveness::{Classifier, Settings};
use liveness::model::ModelFile;
use liveness::resize::{Border, Channels, TensorFormat};
use liveness::runtime::{Engine, Input, Options};
use prost::Message;

use super::proto::ModelProto;
use super::*;
use crate::net::noise::Noise;
use crate::net::{Evaluator, Net, Processor, Role, Training};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn card() -> Card {
    Card {
        name: "test".into(),
        color: Channels::Rgb,
        mean: [0.0; 3],
        scale: [1.0 / 255.0; 3],
        crop: Crop {
            shape: Shape::Box,
            scale: 1.0,
            outside: Outside::Fill(Border::Replicate),
        },
        threshold: 0.5,
        more: [("licence".to_owned(), "CC0".to_owned())].into(),
    }
}

/// A net whose norms have seen something, so that folding them matters.
fn net(spec: &str) -> Net {
    let mut net = Net::new(spec.parse().unwrap(), 1).unwrap();
    let mut noise = Noise::new(5);
    for array in &mut net.arrays {
        for value in &mut array.data {
            *value = match array.role {
                Role::Weight => continue,
                Role::Gain if noise.unit() < 0.2 => noise.between(-1.5, -0.5),
                Role::Gain => noise.between(0.5, 1.5),
                Role::Shift | Role::Mean => noise.between(-0.5, 0.5),
                Role::Variance => noise.between(0.3, 3.0),
            };
        }
    }
    net
}

const SPECS: [&str; 3] = [
    "livenessnet",
    "liveness,size=64,width=0.5",
    "liveness,size=80,width=0.25,blocks=depthwise",
];

fn pictures(count: usize, side: usize, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed);
    (0..count * 3 * side * side).map(|_| noise.unit()).collect()
}

fn save_in(dir: &tempfile::TempDir, net: &Net) -> PathBuf {
    let path = dir.path().join("model.onnx");
    save(net, &card(), &path).unwrap();
    path
}

fn open(path: &Path) -> liveness::Result<Classifier> {
    liveness::runtime::search_in(&root().join(".setup/lib"));
    Classifier::open(&[ModelFile::read(path, None)?], Options::default())
}

/// The largest difference, as a share of the largest number where that is above 1.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1.0, |m: f32, v| m.max(v.abs()));
    let pairs = a.iter().zip(b);
    pairs.fold(0.0, |m: f32, (a, b)| m.max((a - b).abs())) / largest
}

#[test]
fn onnx_runtime_gives_what_burn_gives() {
    liveness::runtime::search_in(&root().join(".setup/lib"));
    for spec in SPECS {
        let net = net(spec);
        let side = net.spec.size;
        let bytes = encode(&net, &card()).unwrap().into();
        let engine = Engine::open(spec, &bytes, Options::default()).unwrap();
        assert_eq!(engine.inputs()[0].shape, [-1, 3, side as i64, side as i64]);
        assert_eq!(engine.outputs()[0].shape, [-1, 2]);
        let mut evaluator = Evaluator::new(&net);
        // 100 pictures in batches of several sizes.
        for (seed, count) in [1, 2, 30, 67].into_iter().enumerate() {
            let values = pictures(count, side, seed as u64);
            let mut input = Input::new([count, 3, side, side]).unwrap();
            input.data().copy_from_slice(&values);
            let got = engine.run(&input, |o| o[0].data.to_vec()).unwrap();
            let want = evaluator.logits(values).unwrap();
            let difference = difference(&got, &want);
            assert!(difference < 1e-5, "{spec}, {count}: {difference}");
        }
    }
}

#[test]
fn the_same_net_gives_the_same_bytes() {
    let net = net(SPECS[0]);
    assert_eq!(
        encode(&net, &card()).unwrap(),
        encode(&net, &card()).unwrap()
    );
}

#[test]
fn the_standards_own_checker_accepts_the_files() {
    let python = root().join(".setup/venv/bin/python");
    let has_onnx = Command::new(&python).args(["-c", "import onnx"]).output();
    if !has_onnx.is_ok_and(|o| o.status.success()) {
        use std::io::Write;
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: {} has no module onnx",
            python.display()
        );
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for spec in SPECS {
        let path = save_in(&dir, &net(spec));
        let check = "import onnx, sys; m = onnx.load(sys.argv[1]); \
                     onnx.checker.check_model(m, full_check=True); print(len(m.metadata_props))";
        let mut python = Command::new(&python);
        let out = python.args(["-c", check]).arg(&path).output().unwrap();
        let error = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{spec}: {error}");
        assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "16");
    }
}

#[test]
fn a_file_comes_back_as_the_net_it_was() {
    let dir = tempfile::tempdir().unwrap();
    for spec in SPECS {
        let net = net(spec);
        let model = read(&save_in(&dir, &net)).unwrap();
        assert_eq!(model.facts["licence"], "CC0");
        assert_eq!(model.facts["threshold"], "0.5");
        let back = model.into_net(net.spec).unwrap();
        let side = net.spec.size;
        let values = pictures(8, side, 3);
        let of = |net: &Net| Evaluator::new(net).logits(values.clone()).unwrap();
        let gap = difference(&of(&back), &of(&net));
        assert!(gap < 1e-4, "{spec}: {gap}");
        // In training the norms see batches: those that were read must make of them what the first ones made.
        let training = |net: &Net| -> Vec<f32> {
            let data = burn::tensor::TensorData::new(values.clone(), [8, 3, side, side]);
            let mut training = Training::new(net, 1, Processor::Cpu);
            let input = burn::tensor::Tensor::from_data(data, &training.device);
            crate::net::numbers(training.forward(input)).unwrap()
        };
        let gap = difference(&training(&back), &training(&net));
        assert!(gap < 0.02, "{spec}: {gap}");
    }
}

#[test]
fn what_is_not_ours_or_does_not_fit_is_refused_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let net = net(SPECS[0]);
    let path = save_in(&dir, &net);
    let refused = |path: &Path, words: &[&str]| {
        let text = format!("{:#}", read(path).unwrap_err());
        let all = words.iter().all(|w| text.contains(w));
        assert!(all && text.contains(&path.display().to_string()), "{text}");
    };
    refused(&dir.path().join("none.onnx"), &["No such file"]);
    refused(
        &root().join("tests/data/bright.onnx"),
        &["does not name its net", "liveness-tests"],
    );
    let broken = dir.path().join("broken.onnx");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    refused(&broken, &["no ONNX file"]);
    let change = |change: &dyn Fn(&mut ModelProto)| {
        let mut model = ModelProto::decode(&bytes[..]).unwrap();
        change(&mut model);
        std::fs::write(&broken, model.encode_to_vec()).unwrap();
    };
    change(&|m| drop(m.graph.as_mut().unwrap().initializer.remove(0)));
    refused(&broken, &["conv1a.weight"]);
    change(&|m| m.graph.as_mut().unwrap().initializer[0].dims[0] = 8);
    refused(&broken, &["conv1a.weight", "[8, 3, 3, 3]", "[16, 3, 3, 3]"]);
    change(&|m| m.metadata_props.last_mut().unwrap().value = "AAAA".into());
    refused(&broken, &["statistics"]);
    let other = "livenessnet,width=0.5".parse().unwrap();
    let text = read(&path)
        .unwrap()
        .into_net(other)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("[16, 3, 3, 3]") && text.contains("[8, 3, 3, 3]"),
        "{text}"
    );
    let dropout = "livenessnet,dropout=0.1".parse().unwrap();
    assert_eq!(
        read(&path).unwrap().into_net(dropout).unwrap().spec,
        dropout
    );
}

#[test]
fn the_classifier_needs_no_sidecar_and_answers_as_the_net_does() {
    let dir = tempfile::tempdir().unwrap();
    let net = net(SPECS[0]);
    let mut classifier = open(&save_in(&dir, &net)).unwrap();
    assert_eq!(classifier.name(), "test");
    assert_eq!(classifier.default_threshold(), 0.5);
    // A frame of the input's size, all of it the face: nothing is scaled.
    let side = 32;
    let mut noise = Noise::new(9);
    let bytes: Vec<u8> = (0..side * side * 3)
        .map(|_| noise.below(256) as u8)
        .collect();
    let planar: Vec<f32> = (0..3)
        .flat_map(|c| {
            bytes
                .iter()
                .skip(c)
                .step_by(3)
                .map(|b| f32::from(*b) / 255.0)
        })
        .collect();
    let want = Evaluator::new(&net).live(planar).unwrap()[0];
    let layout = Layout::rgb8(side, side);
    let plane = Plane {
        data: &bytes,
        stride: side * 3,
    };
    let view = View::new(&layout, &[plane]).unwrap();
    let rect = Rect {
        x: 0.0,
        y: 0.0,
        w: side as f32,
        h: side as f32,
    };
    let mut faces = [Face {
        id: 0,
        rect,
        score: 1.0,
        landmarks: None,
        track: None,
        verdict: Verdict::default(),
    }];
    let settings = Settings::default();
    classifier.classify(&view, &mut faces, &settings).unwrap();
    let verdict = &faces[0].verdict;
    assert!(matches!(verdict.label, Label::Live | Label::Spoof));
    let live = verdict.live.unwrap();
    assert!((live - want).abs() < 1e-4, "{live} {want}");
}

#[test]
fn a_damaged_file_is_told_by_its_golden_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_in(&dir, &net(SPECS[0]));
    let bytes = std::fs::read(&path).unwrap();
    let refused = |change: &dyn Fn(&mut ModelProto)| {
        let mut model = ModelProto::decode(&bytes[..]).unwrap();
        change(&mut model);
        std::fs::write(&path, model.encode_to_vec()).unwrap();
        open(&path).err().unwrap().to_string()
    };
    // A sector of a disk is lost: 128 of the 147 thousand weights.
    for name in ["conv1b.weight", "conv2b.weight"] {
        let text = refused(&|m| {
            let tensors = &mut m.graph.as_mut().unwrap().initializer;
            let weight = tensors.iter_mut().find(|t| t.name == name);
            weight.unwrap().raw_data[1024..1536].fill(0);
        });
        for word in ["golden", "damaged", "model.onnx"] {
            assert!(text.contains(word), "{text}");
        }
    }
    let set = |key: &'static str, value: Option<&'static str>| {
        move |m: &mut ModelProto| {
            let props = &mut m.metadata_props;
            let at = props.iter().position(|p| p.key == key).unwrap();
            match value {
                Some(value) => props[at].value = value.into(),
                None => drop(props.remove(at)),
            }
        }
    };
    for (key, value, word) in [
        ("liveness.golden-output", None, "belong together"),
        ("liveness.golden-output", Some("1,x"), "list of numbers"),
        ("liveness.golden-output", Some("NaN,NaN"), "list of numbers"),
        ("liveness.golden-output", Some("1"), "damaged"),
        ("liveness.golden-input", Some("sine"), "noise N"),
    ] {
        let text = refused(&set(key, value));
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_user_may_say_otherwise_and_the_golden_answer_still_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = save_in(&dir, &net(SPECS[0]));
    std::fs::write(path.with_extension("toml"), "scale = 1\ncolor = 'bgr'\n").unwrap();
    assert!(open(&path).is_ok());
}

#[test]
fn a_card_that_would_be_refused_is_not_written() {
    let net = net(SPECS[0]);
    let error = |card: Card| format!("{:#}", encode(&net, &card).unwrap_err());
    let threshold = Card {
        threshold: 2.0,
        ..card()
    };
    assert!(error(threshold).contains("threshold"));
    let twice = Card {
        more: [("scale".to_owned(), "1".to_owned())].into(),
        ..card()
    };
    assert!(error(twice).contains("scale"));
    let mut broken = net.clone();
    broken.arrays[0].data[0] = f32::NAN;
    assert!(encode(&broken, &card()).is_err());
}

#[test]
fn the_models_that_ship_can_be_gone_on_from() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/liveness");
    for (name, spec) in [
        ("liveness.onnx", "liveness,blocks=depthwise"),
        ("livenessnet.onnx", "livenessnet"),
    ] {
        let model = read(&models.join(name)).unwrap();
        assert_eq!(model.net.spec, spec.parse().unwrap());
        // What the recipe folded, burn computes as ONNX Runtime did.
        let side = model.net.spec.size;
        let format = TensorFormat {
            width: side,
            height: side,
            planar: true,
            channels: Channels::Bgr,
            mean: [0.0; 3],
            scale: [1.0 / 64.0; 3],
        };
        let mut input = vec![0.0; format.len()];
        golden::fill(1, &format, &mut input);
        let logits = Evaluator::new(&model.net).logits(input).unwrap();
        let told = model.facts["golden-output"]
            .split(',')
            .map(|v| v.parse().unwrap());
        let gap = difference(&logits, &told.collect::<Vec<f32>>());
        assert!(gap < 1e-3, "{name}: {gap}");
    }
}
