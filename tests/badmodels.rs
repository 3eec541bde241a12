// SPDX-License-Identifier: MIT OR Apache-2.0
//! Model files that are damaged, wrong or made to do harm, through the elements: each is a clean error that names the element and the
//! file, soon and without filling the memory; and no number that is none becomes a face or a verdict.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/onnx.rs"]
mod onnx;
#[path = "common/video.rs"]
mod video;

use std::path::Path;

use gstliveness::meta;
use liveness::face::Label;
use onnx::{
    CARD, DOUBLE, FLOAT, INT64, Message, file, floats, graph, integers, liveness, node, raw, value,
};
use video::{init, run};

/// Most memory that a refused file may take beyond what is in use, in KiB. Whole frameworks load in a third of it; what the files
/// demand is ten times as much and more.
const MOST_KIB: u64 = 300 << 10;

const DETECT: &str = "livenessfacedetect tracking=false";
const CLASSIFY: &str = "livenessclassify smoothing=0";

/// One frame through an element with this model.
fn through(element: &str, model: &Path, then: &str) -> Result<(), String> {
    let model = model.display();
    run(
        &format!(
            "videotestsrc num-buffers=2 pattern=smpte ! video/x-raw,format=RGB,width=64,height=64 ! {element} name=bad model={model} {then} ! fakesink name=s"
        ),
        |_, _| (),
    )
}

/// A number of `/proc/self/status`, in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A liveness model of other inputs and outputs.
fn shaped(input: Message, output: Message, nodes: &[Message], constants: &[Message]) -> Vec<u8> {
    file(&graph(nodes, constants, &[input], &[output]), &CARD)
}

fn with_fact(name: &'static str, text: &str) -> Vec<u8> {
    let mut facts: Vec<_> = CARD.into_iter().filter(|(key, _)| *key != name).collect();
    facts.push((name, text));
    let gains = floats("gains", &[1, 2], &[-1.0, 1.0]);
    liveness(
        &[node("Mul", &["mean", "gains"], &["output"])],
        &[gains],
        &facts,
    )
}

/// Every bad file, with what it is.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let sound = onnx::sound();
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| all.push((name.replace(' ', "-"), bytes));
    add("empty", Vec::new());
    add("text", b"this is no model".to_vec());
    add("zeros", vec![0; 4096]);
    // The facts stand last: what is cut there is a smaller card, which is no bad model.
    for part in 1..8 {
        add(
            &format!("cut at {part}"),
            sound[..sound.len() * part / 16].to_vec(),
        );
    }
    let shipped = std::fs::read(common::root().join("models/liveness/liveness.onnx")).unwrap();
    for part in 1..8 {
        add(
            &format!("shipped cut at {part}"),
            shipped[..shipped.len() * part / 8].to_vec(),
        );
    }

    let mul = || node("Mul", &["mean", "gains"], &["output"]);
    for (name, dims) in [
        ("bomb", &[1 << 40][..]),
        ("bomb of two", &[1 << 33, 1 << 33]),
    ] {
        add(
            name,
            liveness(&[mul()], &[raw("gains", FLOAT, dims, &[0; 8])], &CARD),
        );
    }
    add(
        "outside",
        liveness(
            &[mul()],
            &[raw("gains", FLOAT, &[1, 2], &[]).number(14, 1)],
            &CARD,
        ),
    );
    let huge = integers("huge", &[1, 1_000_000_000]);
    let gains = || floats("gains", &[1, 2], &[-1.0, 1.0]);
    add(
        "giant expand",
        liveness(
            &[node("Expand", &["mean", "huge"], &["output"])],
            std::slice::from_ref(&huge),
            &CARD,
        ),
    );
    add(
        "giant constant",
        liveness(
            &[
                node("ConstantOfShape", &["huge"], &["many"]),
                node("Add", &["many", "mean"], &["output"]),
            ],
            std::slice::from_ref(&huge),
            &CARD,
        ),
    );
    // Each factor is harmless: only their product is a billion.
    let factors = [integers("a", &[1, 40_000]), integers("b", &[1, 30_000])];
    add(
        "giant product",
        liveness(
            &[
                node("Mul", &["a", "b"], &["huge"]),
                node("Expand", &["mean", "huge"], &["output"]),
            ],
            &factors,
            &CARD,
        ),
    );
    // Nothing of it is seen from outside.
    add(
        "giant inside",
        liveness(
            &[
                node("Mul", &["a", "b"], &["huge"]),
                node("Expand", &["mean", "huge"], &["many"]),
                node("ReduceMean", &["many"], &["one"]),
                node("Mul", &["one", "gains"], &["output"]),
            ],
            &[
                integers("a", &[1, 40_000]),
                integers("b", &[1, 30_000]),
                floats("gains", &[1, 2], &[-1.0, 1.0]),
            ],
            &CARD,
        ),
    );
    let column = [
        floats("column", &[30_000, 1], &[1.0; 30_000]),
        floats("row", &[1, 30_000], &[1.0; 30_000]),
    ];
    add(
        "giant outer product",
        liveness(
            &[
                node("MatMul", &["column", "row"], &["many"]),
                node("ReduceMean", &["many"], &["one"]),
                node("Mul", &["one", "mean"], &["output"]),
            ],
            &column,
            &CARD,
        ),
    );
    add(
        "giant declared",
        shaped(
            value("input", FLOAT, &[1, 3, 16, 16]),
            value("output", FLOAT, &[1, 1_000_000_000]),
            &[node("Flatten", &["input"], &["output"])],
            &[],
        ),
    );
    let body = Message::default()
        .bytes(1, "body")
        .message(6, &graph(&[], &[], &[], &[]))
        .number(20, 5);
    add(
        "endless loop",
        liveness(
            &[node("Loop", &["n", "go"], &["output"]).message(5, &body)],
            &[integers("n", &[i64::MAX]), raw("go", 9, &[1], &[1])],
            &CARD,
        ),
    );
    add(
        "custom operator",
        liveness(
            &[node("Evil", &["mean"], &["output"]).bytes(7, "evil.ops")],
            &[],
            &CARD,
        ),
    );
    add(
        "unknown operator",
        liveness(&[node("NoSuchThing", &["mean"], &["output"])], &[], &CARD),
    );
    add(
        "missing value",
        liveness(
            &[node("Mul", &["mean", "nowhere"], &["output"])],
            &[],
            &CARD,
        ),
    );

    let flatten = || [node("Flatten", &["input"], &["output"])];
    for (name, data_type) in [("doubles", DOUBLE), ("whole numbers", INT64)] {
        add(
            name,
            shaped(
                value("input", data_type, &[1, 3, 16, 16]),
                value("output", data_type, &[1, 768]),
                &flatten(),
                &[],
            ),
        );
    }
    add(
        "all free",
        shaped(
            value("input", FLOAT, &[-1, -2, -3, -4]),
            value("output", FLOAT, &[-1, -5]),
            &flatten(),
            &[],
        ),
    );
    add(
        "no dimension",
        shaped(
            value("input", FLOAT, &[]),
            value("output", FLOAT, &[]),
            &[node("Relu", &["input"], &["output"])],
            &[],
        ),
    );
    add(
        "two inputs",
        file(
            &graph(
                &[node("Add", &["input", "other"], &["output"])],
                &[],
                &[
                    value("input", FLOAT, &[1, 3, 16, 16]),
                    value("other", FLOAT, &[1, 3, 16, 16]),
                ],
                &[value("output", FLOAT, &[1, 3, 16, 16])],
            ),
            &CARD,
        ),
    );
    add("no graph", Message::default().number(1, 8).0);

    for (fact, text) in [
        ("task", "cooking"),
        ("mean", "nan"),
        ("scale", "1e999"),
        ("classes", "cat,dog"),
        ("classes", "live,spoof,mask"),
        ("crop-scale", "1e30"),
        ("threshold", "NaN"),
        ("color", "gray"),
        ("golden-input", "noise 1"),
        ("golden-output", "0,0"),
    ] {
        add(&format!("fact {fact} {text}"), with_fact(fact, text));
    }
    let golden = |output: &'static str| {
        let mut facts = CARD.to_vec();
        facts.extend([("golden-input", "noise 1"), ("golden-output", output)]);
        liveness(&[mul()], &[gains()], &facts)
    };
    for output in ["1,2", "0.1", "nan,nan", "inf,-inf", "words"] {
        add(&format!("golden {output}"), golden(output));
    }
    let nan = liveness(&[mul()], &[floats("gains", &[1, 2], &[f32::NAN; 2])], &{
        let mut facts = CARD.to_vec();
        facts.extend([("golden-input", "noise 1"), ("golden-output", "0,0")]);
        facts
    });
    add("weights that are no numbers", nan);
    all
}

#[test]
fn every_bad_file_is_a_clean_error_of_the_element_soon_and_small() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("sound.onnx");
    std::fs::write(&good, onnx::sound()).unwrap();
    through(CLASSIFY, &good, "").unwrap();
    let all = corpus();
    assert!(all.len() > 45, "{}", all.len());
    for (name, bytes) in &all {
        let path = folder.path().join(format!("{name}.onnx"));
        std::fs::write(&path, bytes).unwrap();
        for element in [CLASSIFY, DETECT] {
            let before = memory("VmRSS");
            // The peak begins anew.
            let _ = std::fs::write("/proc/self/clear_refs", "5");
            // `run` waits for two minutes at the most.
            let error = through(element, &path, "").expect_err(name);
            assert!(error.starts_with("bad: "), "{name}: {error}");
            assert!(error.contains(&format!("{name}.onnx")), "{name}: {error}");
            let taken = memory("VmHWM").saturating_sub(before);
            assert!(taken < MOST_KIB, "{name}: {taken} KiB");
        }
    }
}

/// Detectors whose every output is this number.
fn detector(number: f32) -> Vec<u8> {
    let rows = [number; 7];
    let nodes = [
        node("ReduceMean", &["input"], &["mean"]),
        node("Mul", &["mean", "nothing"], &["zero"]),
        node("Add", &["rows", "zero"], &["output"]),
    ];
    let constants = [
        floats("rows", &[1, 1, 1, 7], &rows),
        floats("nothing", &[1], &[0.0]),
    ];
    let graph = graph(
        &nodes,
        &constants,
        &[value("input", FLOAT, &[1, 3, 32, 32])],
        &[value("output", FLOAT, &[1, 1, 1, 7])],
    );
    file(&graph, &[])
}

#[test]
fn no_number_that_is_none_is_a_face_or_a_verdict() {
    init();
    let folder = tempfile::tempdir().unwrap();
    for (i, number) in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY]
        .into_iter()
        .enumerate()
    {
        let path = folder.path().join(format!("{i}.onnx"));
        std::fs::write(&path, detector(number)).unwrap();
        let (detect, classify) = (
            path.display().to_string(),
            folder.path().join(format!("c{i}.onnx")),
        );
        // As logits, and as probabilities.
        for output in ["logits", "probabilities"] {
            let mut facts = CARD.to_vec();
            facts.retain(|(key, _)| *key != "output");
            facts.push(("output", output));
            let gains = floats("gains", &[1, 2], &[number; 2]);
            let bytes = liveness(
                &[node("Mul", &["mean", "gains"], &["output"])],
                &[gains],
                &facts,
            );
            std::fs::write(&classify, bytes).unwrap();
            let classify = classify.display();
            for smoothing in ["0", "0.75"] {
                let seen = video::collect(
                    &format!(
                        "videotestsrc num-buffers=8 ! video/x-raw,format=RGB,width=64,height=64 ! livenessfacedetect model={} \
                         ! livenessclassify model={classify} smoothing={smoothing} ! fakesink name=s",
                        video::tiny("boxes.onnx")
                    ),
                    |buffer, _| meta::read(buffer).unwrap().faces,
                );
                let faces: Vec<_> = seen.iter().flatten().collect();
                assert!(!faces.is_empty());
                for face in faces {
                    let verdict = &face.verdict;
                    assert!(
                        !matches!(verdict.label, Label::Live | Label::Spoof),
                        "{number} {output}: {verdict:?}"
                    );
                    assert_eq!(verdict.live, None, "{number} {output}");
                }
            }
        }
        let seen = video::collect(
            &format!(
                "videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=64,height=64 ! livenessfacedetect model={detect} ! fakesink name=s"
            ),
            |buffer, _| meta::read(buffer).unwrap().faces.len(),
        );
        assert_eq!(seen, [0, 0], "{number}");
    }
}

#[test]
fn a_pinned_model_is_that_file_or_none() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pinned.onnx");
    std::fs::write(&path, onnx::sound()).unwrap();
    let sum = |path: &Path| {
        let out = std::process::Command::new("sha256sum")
            .arg(path)
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap()[..64].to_owned()
    };
    let right = sum(&path);
    through(CLASSIFY, &path, &format!("model-sha256={right}")).unwrap();
    // What turns its meaning round lies beside it, and is not read.
    std::fs::write(path.with_extension("toml"), "classes = 'live'").unwrap();
    through(CLASSIFY, &path, "").unwrap_err();
    through(CLASSIFY, &path, &format!("model-sha256={right}")).unwrap();
    let boxes = video::tiny("boxes.onnx");
    through(
        DETECT,
        Path::new(&boxes),
        &format!("model-sha256={}", sum(Path::new(&boxes))),
    )
    .unwrap();
    for element in [CLASSIFY, DETECT] {
        let error =
            |pin: &str| through(element, &path, &format!("model-sha256={pin}")).unwrap_err();
        let other = error(&"0".repeat(64));
        assert!(
            other.contains("pinned.onnx") && other.contains(&right),
            "{other}"
        );
        for wrong in ["abc", &format!("{right},{right}"), "\"\""] {
            let text = error(wrong);
            assert!(
                text.starts_with("bad: ") && text.contains("SHA-256"),
                "{text}"
            );
        }
    }
    // What ships can be pinned, too.
    let shipped = common::root().join("models/liveness/liveness.onnx");
    let alone = |pin: &str| {
        run(
            &format!(
                "videotestsrc num-buffers=1 ! livenessclassify model-sha256={pin} ! fakesink name=s"
            ),
            |_, _| (),
        )
    };
    alone(&sum(&shipped)).unwrap();
    assert!(alone(&right).unwrap_err().contains("shipped model"));
}
