// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files made to demand too much, and sound ones, which must pass.

use super::*;

#[path = "../../tests/common/onnx.rs"]
mod onnx;

use onnx::{CARD, FLOAT, Message, file, floats, graph, integers, ints, liveness, node, raw, value};

fn refused(file: &[u8], word: &str) {
    match check(file) {
        Err(Fault::Refused(reason)) => assert!(reason.contains(word), "{reason}"),
        other => panic!("{word}: {other:?}"),
    }
}

/// A file of `nodes` and `constants`.
fn made(nodes: &[Message], constants: &[Message]) -> Vec<u8> {
    file(&graph(nodes, constants, &[], &[]), &[])
}

#[test]
fn what_ships_and_what_tests_use_passes() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for folder in ["models/facedetect", "models/liveness", "tests/data"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "onnx") {
                assert_eq!(check(&std::fs::read(&path).unwrap()), Ok(()), "{path:?}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "{seen}");
    assert_eq!(check(&onnx::sound()), Ok(()));
}

#[test]
fn what_is_cut_off_within_its_graph_is_no_model() {
    let whole = onnx::sound();
    let without_facts = liveness(
        &[node("Mul", &["mean", "gains"], &["output"])],
        &[floats("gains", &[1, 2], &[-1.0, 1.0])],
        &[],
    );
    // Behind the graph stand the set of operators, 4 bytes in a field, and the facts.
    for end in 0..without_facts.len() - 6 {
        assert!(check(&whole[..end]).is_err(), "{end}");
    }
    for bytes in [&b""[..], b"not a model", &[0xff; 64], &[0x3a; 64]] {
        assert!(matches!(check(bytes), Err(Fault::NotOnnx(_))), "{bytes:?}");
    }
}

#[test]
fn a_constant_must_hold_what_it_declares() {
    for dims in [&[1 << 40][..], &[3], &[i64::MAX, i64::MAX], &[1, 1, 1]] {
        let bomb = raw("bomb", FLOAT, dims, &[0; 8]);
        refused(&made(&[], &[bomb]), "`bomb` declares");
    }
    refused(
        &made(&[], &[raw("w", FLOAT, &[-1], &[])]),
        "`w` has a shape",
    );
    refused(&made(&[], &[raw("w", 99, &[1], &[0])]), "unknown type 99");
    let twice = floats("w", &[1], &[0.0]).bytes(9, [0; 4]);
    refused(&made(&[], &[twice]), "twice");
    // The same inside of an attribute.
    let attribute = Message::default()
        .bytes(1, "value")
        .message(5, &raw("bomb", FLOAT, &[1 << 40], &[]));
    let constant = node("Constant", &[], &["c"]).message(5, &attribute);
    refused(&made(&[constant], &[]), "`bomb` declares");
    // Numbers in fields of their own, packed or not.
    let own = |dims: i64| {
        let tensor = Message::default().number(1, dims).number(2, FLOAT);
        tensor.bytes(8, "own").bytes(4, [0; 12])
    };
    assert_eq!(check(&made(&[], &[own(3)])), Ok(()));
    refused(&made(&[], &[own(4)]), "`own` declares");
}

#[test]
fn other_files_and_libraries_are_not_asked_for() {
    let outside = raw("w", FLOAT, &[1], &[]).number(14, 1);
    refused(&made(&[], &[outside]), "another file");
    let entry = Message::default()
        .bytes(1, "location")
        .bytes(2, "/etc/passwd");
    let outside = raw("w", FLOAT, &[1], &[0; 4]).message(13, &entry);
    refused(&made(&[], &[outside]), "another file");
    let custom = node("Evil", &["a"], &["b"]).bytes(7, "my.ops");
    refused(&made(&[custom], &[]), "`my.ops`");
    let mut ort = made(&[], &[]);
    ort[4..8].copy_from_slice(b"ORTM");
    refused(&ort, ".ort");
}

#[test]
fn nothing_runs_for_nobody_knows_how_long() {
    let body = Message::default()
        .bytes(1, "body")
        .message(6, &graph(&[], &[], &[], &[]));
    refused(
        &made(&[node("Loop", &["n"], &["x"]).message(5, &body)], &[]),
        "`Loop`",
    );
    refused(
        &made(&[node("Scan", &["n"], &["x"]).message(5, &body)], &[]),
        "`Scan`",
    );
    let functions = Message(made(&[], &[])).bytes(25, "").0;
    refused(&functions, "functions");
    let mut nested = graph(&[], &[], &[], &[]);
    for _ in 0..6 {
        let branch = Message::default()
            .bytes(1, "then_branch")
            .message(6, &nested);
        nested = graph(
            &[node("If", &["c"], &["x"]).message(5, &branch)],
            &[],
            &[],
            &[],
        );
    }
    refused(&file(&nested, &[]), "within each other");
    let many = vec![node("Relu", &["a"], &["a"]); MOST_NODES + 1];
    refused(&made(&many, &[]), "nodes");
}

#[test]
fn what_grows_beyond_measure_is_refused() {
    let grown = |op: &str, inputs: &[&str], constants: &[Message]| {
        refused(&made(&[node(op, inputs, &["grown"])], constants), "`grown`");
    };
    let huge = integers("huge", &[100_000, 100_000]);
    grown("ConstantOfShape", &["huge"], std::slice::from_ref(&huge));
    grown("Expand", &["input", "huge"], std::slice::from_ref(&huge));
    grown("Tile", &["input", "huge"], std::slice::from_ref(&huge));
    grown(
        "Resize",
        &["input", "", "", "huge"],
        std::slice::from_ref(&huge),
    );
    grown("Pad", &["input", "huge"], std::slice::from_ref(&huge));
    let range = [
        integers("a", &[0]),
        integers("b", &[1 << 40]),
        integers("c", &[1]),
    ];
    grown("Range", &["a", "b", "c"], &range);
    let by_nothing = [
        floats("a", &[], &[0.0]),
        floats("b", &[], &[1.0]),
        floats("c", &[], &[0.0]),
    ];
    grown("Range", &["a", "b", "c"], &by_nothing);
    let column = [
        floats("a", &[20_000, 1], &[0.5; 20_000]),
        floats("b", &[1, 20_000], &[0.5; 20_000]),
    ];
    grown("Add", &["a", "b"], &column);
    grown("MatMul", &["a", "b"], &column);
    let pads = node("Conv", &["input", "w"], &["grown"]).message(5, &ints("pads", &[90_000; 4]));
    refused(&made(&[pads], &[]), "`grown`");
    // A size that is computed, in ways that are followed and in one that is not.
    let factors = [
        integers("a", &[40_000]),
        integers("b", &[30_000]),
        floats("x", &[1], &[0.5]),
    ];
    let product = [
        node("Mul", &["a", "b"], &["c"]),
        node("Identity", &["c"], &["d"]),
        node("Expand", &["input", "d"], &["grown"]),
    ];
    refused(&made(&product, &factors), "`grown`");
    let joined = [
        node("Concat", &["a", "b"], &["c"]),
        node("ConstantOfShape", &["c"], &["grown"]),
    ];
    refused(&made(&joined, &factors), "`grown`");
    let shape = [
        node("Shape", &["big"], &["s"]),
        node("Mul", &["s", "s"], &["c"]),
        node("Tile", &["input", "c"], &["grown"]),
    ];
    refused(
        &made(&shape, &[floats("big", &[300, 300], &[0.5; 90_000])]),
        "`grown`",
    );
    let unclear = [
        node("Exp", &["x"], &["e"]),
        node("Tile", &["input", "e"], &["grown"]),
    ];
    refused(&made(&unclear, &factors), "not followed");
    // Step by step: each output goes on where the last one was.
    let steps = [
        node("Add", &["a", "b"], &["c"]),
        node("MatMul", &["c", "c"], &["d"]),
    ];
    let small = [
        floats("a", &[4000, 1], &[0.5; 4000]),
        floats("b", &[1, 4000], &[0.5; 4000]),
    ];
    refused(&made(&steps, &small), "`d`");
    let sound = [
        floats("w", &[64, 64, 3, 3], &[0.5; 36864]),
        floats("s", &[64, 1, 1, 1], &[0.5; 64]),
    ];
    let scaled = node("Mul", &["w", "s"], &["ws"]);
    assert_eq!(check(&made(&[scaled], &sound)), Ok(()));
}

#[test]
fn what_is_declared_must_be_possible() {
    let with = |value: Message| graph(&[], &[], &[], &[value]);
    let giant = value("giant", FLOAT, &[1, 1_000_000_000]);
    refused(&file(&with(giant), &[]), "`giant`");
    assert_eq!(
        check(&file(&with(value("free", FLOAT, &[-1, -1])), &[])),
        Ok(())
    );
    let long = "x".repeat(LARGEST_FACTS);
    refused(&liveness(&[], &[], &[("name", &long)]), "metadata_props");
    assert_eq!(check(&liveness(&[], &[], &CARD)), Ok(()));
}
