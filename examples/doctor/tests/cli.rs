// SPDX-License-Identifier: MIT OR Apache-2.0
//! The real program on machines that are made to lack something: a plugin, a library, elements.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/plugin.rs"]
mod plugin;

use plugin::{Ended, Plugin, Tool, runtime};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_liveness-doctor");

/// Findings by their checks.
fn findings(ended: &Ended) -> Vec<Value> {
    let lines = ended.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(findings: &'a [Value], check: &str) -> &'a Value {
    let found = findings.iter().find(|f| f["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {findings:#?}"))
}

/// It says that this is wrong, and what to do.
#[track_caller]
fn fails(findings: &[Value], check: &str, mend: &str) {
    let finding = of(findings, check);
    assert_eq!(finding["state"], "fail", "{finding}");
    let text = finding["mend"].as_str().unwrap();
    assert!(text.contains(mend), "{finding}");
}

#[test]
fn on_a_machine_that_has_all_nothing_fails() {
    if runtime().is_none() {
        return common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
    }
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::in_folder(folder.path());
    let ended = plugin.command(PROGRAM).arg("--json").run().cleanly(&[0]);
    let found = findings(&ended);
    for check in [
        "gstreamer",
        "plugin",
        "plugin elements",
        "onnx runtime",
        "model facedetect",
        "model liveness",
        "chain",
    ] {
        assert_eq!(of(&found, check)["state"], "ok", "{check}: {found:#?}");
    }
    let text = of(&found, "onnx runtime")["text"].as_str().unwrap();
    assert!(
        text.starts_with("1.") && text.contains("libonnxruntime.so"),
        "{text}"
    );
    for finding in &found {
        let has_cure = finding.get("mend").is_some();
        assert_eq!(has_cure, finding["state"] != "ok", "{finding}");
    }
    // For people, the same in lines.
    let text = plugin.command(PROGRAM).run().cleanly(&[0]).stdout;
    assert!(
        text.lines().any(|l| l.starts_with("ok    plugin ")),
        "{text}"
    );
    assert!(
        text.trim_end().lines().last().unwrap().starts_with("all"),
        "{text}"
    );
}

#[test]
fn a_plugin_that_is_not_there_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Tool::new(PROGRAM, &folder.path().join("registry.bin"))
        .env("GST_PLUGIN_PATH", folder.path())
        .arg("--json")
        .run()
        .cleanly(&[3]);
    let found = findings(&ended);
    fails(&found, "plugin", "make install");
    assert!(found.iter().all(|f| f["check"] != "chain"), "{found:#?}");
}

#[test]
fn a_plugin_that_cannot_be_loaded_is_told_from_one_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("libgstliveness.so"),
        "this is no library",
    )
    .unwrap();
    let ended = Tool::new(PROGRAM, &folder.path().join("registry.bin"))
        .env("GST_PLUGIN_PATH", folder.path())
        .arg("--json")
        .run()
        .cleanly(&[3]);
    let found = findings(&ended);
    fails(&found, "plugin", "ldd");
    let text = of(&found, "plugin")["text"].as_str().unwrap();
    assert!(text.contains("blacklisted"), "{text}");
}

#[test]
fn without_onnx_runtime_the_path_that_was_tried_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::in_folder(folder.path());
    let ended = plugin
        .command(PROGRAM)
        .env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so")
        .arg("--json")
        .run()
        .cleanly(&[3]);
    let found = findings(&ended);
    fails(&found, "onnx runtime", "ORT_DYLIB_PATH");
    let text = of(&found, "onnx runtime")["text"].as_str().unwrap();
    assert!(text.contains("/nowhere/"), "{text}");
    // The elements look for themselves.
    fails(&found, "chain", "make install");
}

#[test]
fn elements_that_are_missing_are_named_with_their_packages() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::in_folder(folder.path());
    let ended = plugin
        .command(PROGRAM)
        .env("GST_PLUGIN_SYSTEM_PATH_1_0", folder.path().join("none"))
        .arg("--json")
        .run()
        .cleanly(&[3]);
    let found = findings(&ended);
    fails(&found, "pipelines/webcam.sh", "gstreamer1.0-plugins-good");
    let text = of(&found, "pipelines/webcam.sh")["text"].as_str().unwrap();
    assert!(text.contains("v4l2src"), "{text}");
}
