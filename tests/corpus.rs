// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the fuzzers start from, and what once made them stop, through the same functions: `docs/fuzzing.md`.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;

#[path = "../fuzz/bodies/bytes.rs"]
mod bytes;
#[path = "../fuzz/bodies/card.rs"]
mod card;
#[path = "../fuzz/bodies/detector.rs"]
mod detector;
#[path = "../fuzz/bodies/json.rs"]
mod json;
#[path = "../fuzz/bodies/manifest.rs"]
mod manifest;
#[path = "../fuzz/bodies/model.rs"]
mod model;
#[path = "../fuzz/bodies/tracker.rs"]
mod tracker;
#[path = "../fuzz/bodies/view.rs"]
mod view;

/// What a target does with an input.
type Run = fn(&[u8]);

/// The targets by their names.
const TARGETS: [(&str, Run); 7] = [
    ("card", card::run),
    ("detector", detector::run),
    ("json", json::run),
    ("manifest", manifest::run),
    ("model", model::run),
    ("tracker", tracker::run),
    ("view", view::run),
];

#[test]
fn all_targets_are_played_again() {
    let fuzz = common::root().join("fuzz");
    let mut files: Vec<_> = std::fs::read_dir(fuzz.join("fuzz_targets"))
        .unwrap()
        .map(|e| e.unwrap().path().file_stem().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, TARGETS.map(|(name, _)| name));
}

#[test]
fn no_input_of_the_past_does_harm() {
    let fuzz = common::root().join("fuzz");
    for (name, run) in TARGETS {
        let mut played = 0;
        for folder in ["corpus", "regressions"] {
            let Ok(entries) = std::fs::read_dir(fuzz.join(folder).join(name)) else {
                // Not every target has ever stopped.
                continue;
            };
            for entry in entries {
                let path = entry.unwrap().path();
                // On a failure the last line says which.
                println!("{}", path.display());
                let bytes = std::fs::read(&path).unwrap();
                run(&bytes);
                // And cut off at a few places.
                for part in 0..8 {
                    run(&bytes[..bytes.len() * part / 8]);
                }
                played += 1;
            }
        }
        assert!(played > 0, "{name} has no corpus");
    }
}
