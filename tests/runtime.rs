// SPDX-License-Identifier: MIT OR Apache-2.0
//! ONNX Runtime: one library per process, one engine per model and options, right answers to many askers at once.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;

use std::sync::Arc;

use liveness::error::Error;
use liveness::model::ModelFile;
use liveness::runtime::{Engine, Input, Options};

#[path = "common/onnx.rs"]
mod onnx;

fn bright() -> ModelFile {
    common::use_runtime();
    let path = common::root().join("tests/data/bright.onnx");
    ModelFile::read(&path, None).unwrap()
}

fn open(file: &ModelFile, threads: usize) -> Arc<Engine> {
    let options = Options {
        threads,
        ..Options::default()
    };
    Engine::open(&file.name, &file.bytes, options).unwrap()
}

#[test]
fn equal_content_and_options_are_one_engine() {
    let (file, again) = (bright(), bright());
    assert!(!Arc::ptr_eq(&file.bytes, &again.bytes));
    let engine = open(&file, 1);
    assert!(Arc::ptr_eq(&engine, &open(&again, 1)), "the same content");
    assert!(!Arc::ptr_eq(&engine, &open(&file, 2)), "other options");
    let other = ModelFile::read(&common::root().join("tests/data/boxes.onnx"), None).unwrap();
    assert!(!Arc::ptr_eq(&engine, &open(&other, 1)), "another model");
}

#[test]
fn a_model_tells_its_facts_and_shapes() {
    let engine = open(&bright(), 1);
    assert_eq!(engine.facts()["task"], "liveness");
    assert_eq!(engine.facts()["crop-scale"], "1");
    assert_eq!(engine.inputs()[0].shape, [-1, 3, 16, 16]);
    assert_eq!(engine.outputs()[0].shape, [-1, 2]);
}

#[test]
fn many_threads_get_their_own_answers() {
    let engine = open(&bright(), 1);
    std::thread::scope(|scope| {
        for i in 0..8 {
            let engine = &engine;
            scope.spawn(move || {
                let level = i as f32 / 8.0;
                let mut input = Input::new([1, 3, 16, 16]).unwrap();
                input.data().fill(level);
                for _ in 0..200 {
                    let got = engine.run(&input, |outputs| outputs[0].data[1]).unwrap();
                    assert!(
                        (got - (level - 0.5) * 20.0).abs() < 1e-3,
                        "{got} for {level}"
                    );
                }
            });
        }
    });
}

#[test]
fn an_input_of_the_wrong_shape_is_an_error_and_the_engine_goes_on() {
    let engine = open(&bright(), 1);
    let wrong = Input::new([1, 3, 8, 8]).unwrap();
    let text = engine.run(&wrong, |_| ()).unwrap_err().to_string();
    assert!(text.contains("bright.onnx"), "{text}");
    let mut right = Input::new([2, 3, 16, 16]).unwrap();
    right.data().fill(1.0);
    let shape = engine.run(&right, |o| o[0].shape.to_vec()).unwrap();
    assert_eq!(shape, [2, 2]);
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    common::use_runtime();
    for bytes in [&b""[..], b"not a model", &bright().bytes[..100]] {
        let bytes: Arc<[u8]> = bytes.into();
        let error = Engine::open("mine.onnx", &bytes, Options::default()).unwrap_err();
        assert!(error.to_string().contains("mine.onnx"), "{error}");
    }
}

#[test]
fn what_takes_too_long_is_ended_and_the_engine_goes_on() {
    common::use_runtime();
    // 4000 products of 512x512 matrices that depend on the input: half a minute and more, in a few kilobytes.
    let square = onnx::node("Expand", &["mean", "size"], &["x0"]);
    let steps = (0..4000).map(|i| {
        let (from, to) = (format!("x{i}"), format!("x{}", i + 1));
        onnx::node("MatMul", &[&from, &from], &[&to])
    });
    let last = onnx::node("ReduceMean", &["x4000"], &["output"]);
    let nodes: Vec<_> = [square].into_iter().chain(steps).chain([last]).collect();
    let file = onnx::liveness(&nodes, &[onnx::integers("size", &[512, 512])], &[]);
    let bytes: Arc<[u8]> = file.into();
    let options = Options {
        longest: std::time::Duration::from_millis(1),
        ..Options::default()
    };
    let engine = Engine::open("slow.onnx", &bytes, options).unwrap();
    let input = Input::new([1, 3, 16, 16]).unwrap();
    for _ in 0..2 {
        match engine.run(&input, |_| ()) {
            Err(Error::Inference { model, reason }) => {
                assert!(
                    model == "slow.onnx" && reason.contains("longer than"),
                    "{reason}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    // An engine that is quick is never ended, whatever else was.
    let quick = open(&bright(), 1);
    let input = Input::new([1, 3, 16, 16]).unwrap();
    quick.run(&input, |_| ()).unwrap();
}
