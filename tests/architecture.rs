// SPDX-License-Identifier: MIT OR Apache-2.0
//! The arrows of the house point one way: each module uses only those before it, and the library knows no GStreamer.
#![allow(clippy::panic)] // A test that fails panics.

use std::path::{Path, PathBuf};

/// The library's modules, each with what it may use: only those above.
const LIBRARY: &[&str] = &[
    "error",
    "sync",
    "pool",
    "geometry",
    "metrics",
    "image",
    "face",
    "json",
    "signature",
    "resize",
    "letterbox",
    "crop",
    "quality",
    "dataset",
    "track",
    "cadence",
    "model",
    "onnx",
    "runtime",
    "golden",
    "detect",
    "liveness",
];

/// Pairs that stand above each other in the list and still must not know each other.
const STRANGERS: &[(&str, &str)] = &[("liveness", "detect")];

/// The plugin's glue; elements may use all of it, and it may use none of them.
const GLUE: &[&str] = &[
    "caps",
    "device",
    "error",
    "frame",
    "lateness",
    "stats",
    "meta",
    "message",
    "properties",
    "segment",
];

const ELEMENTS: &[&str] = &[
    "facedetect",
    "livenessclassify",
    "livenessoverlay",
    "frameextract",
    "livenessmetaconvert",
    "livenessmetaattach",
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push(path);
        }
    }
    all
}

/// The module that a file belongs to: the first part of its path below `src`.
fn module(src: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(src).expect("the file lies in src");
    let first = relative.iter().next().expect("it has a name");
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Modules of this crate that a file names: `crate::x`, and `crate::{x, y}`.
fn used(text: &str) -> Vec<String> {
    let word = |s: &str| -> String {
        s.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut all = Vec::new();
    let code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    for (i, _) in code.match_indices("crate::") {
        let rest = &code[i + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let end = list.find('}').unwrap_or(list.len());
                all.extend(list[..end].split(',').map(word).filter(|w| !w.is_empty()));
            }
            None => all.push(word(rest)),
        }
    }
    all
}

fn check(src: &Path, allowed: impl Fn(&str, &str) -> bool) {
    for file in files(src) {
        let from = module(src, &file);
        if from == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("it can be read");
        for to in used(&text) {
            // What is no module is an item that lib.rs hands on.
            let is_module = src.join(format!("{to}.rs")).exists() || src.join(&to).is_dir();
            assert!(
                to == from || !is_module || allowed(&from, &to),
                "{}: `{from}` must not use `{to}`",
                file.display()
            );
        }
    }
}

#[test]
fn the_library_points_upwards_only_and_knows_no_gstreamer() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rank = |m: &str| {
        LIBRARY
            .iter()
            .position(|x| *x == m)
            .unwrap_or_else(|| panic!("module `{m}` has no place in the order: give it one here"))
    };
    check(&src, |from, to| {
        rank(to) < rank(from) && !STRANGERS.contains(&(from, to))
    });
    for file in files(&src) {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        for word in ["gst::", "gst_video::", "glib::"] {
            assert!(!text.contains(word), "{} knows {word}", file.display());
        }
    }
}

#[test]
fn elements_know_the_glue_and_never_each_other() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/src");
    check(&src, |from, to| {
        let known = |m: &str| GLUE.contains(&m) || ELEMENTS.contains(&m);
        assert!(
            known(from) && known(to),
            "`{from}` or `{to}` has no place: give it one here"
        );
        GLUE.contains(&to)
    });
}

#[test]
fn every_file_says_its_licence_and_its_purpose() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "plugins/src", "tests", "examples"] {
        for file in files(&root.join(folder)) {
            let text = std::fs::read_to_string(&file).expect("it can be read");
            assert!(
                text.starts_with("// SPDX-License-Identifier: MIT OR Apache-2.0\n"),
                "{} does not start with its licence",
                file.display()
            );
            let second = text.lines().nth(1).unwrap_or_default();
            assert!(
                second.starts_with("//! "),
                "{} does not say what it is for",
                file.display()
            );
        }
    }
}

#[test]
fn only_the_named_files_hold_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "plugins/src", "examples"] {
        for file in files(&root.join(folder)) {
            let text = std::fs::read_to_string(&file).expect("it can be read");
            let allowed = file.ends_with("plugins/src/frame/unpack.rs");
            assert!(
                allowed || !text.contains("allow(unsafe_code)"),
                "{} allows unsafe code",
                file.display()
            );
        }
    }
}
