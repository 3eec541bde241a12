// SPDX-License-Identifier: MIT OR Apache-2.0
//! ONNX Runtime, and whether the models that ship answer as when they were written. Knows the library alone.

use std::path::Path;

use liveness::detect::Detector;
use liveness::error::Result;
use liveness::liveness::Classifier;
use liveness::runtime::{self, Options};
use liveness_models::{FACE_DETECTOR, LIVENESS, Shipped};

use crate::finding::Finding;

/// All there is to say of them.
pub(crate) fn look() -> Vec<Finding> {
    liveness_app::runtime::search();
    let found = library();
    match found.mend {
        // Without the library no model can be tried.
        Some(_) => vec![found],
        None => vec![
            found,
            model(FACE_DETECTOR, || {
                let file = FACE_DETECTOR.file();
                Detector::open(&file, Options::default()).map(drop)
            }),
            model(LIVENESS, || {
                let files = [LIVENESS.file()];
                Classifier::open(&files, Options::default()).map(drop)
            }),
        ],
    }
}

fn library() -> Finding {
    const CHECK: &str = "onnx runtime";
    match runtime::environment() {
        Ok(_) => {
            let path = runtime::library();
            let text = path.map(|p| match version(p) {
                Some(version) => format!("{version} in {}", p.display()),
                None => p.display().to_string(),
            });
            Finding::ok(CHECK, text.unwrap_or_default())
        }
        Err(error) => Finding::fail(
            CHECK,
            error.to_string(),
            "in the checkout, `make install` (or scripts/setup.sh --runtime) fetches it; elsewhere take libonnxruntime.so from the Python \
             package onnxruntime, and set ORT_DYLIB_PATH to it",
        ),
    }
}

/// The version that the library's symbols carry (`VERS_1.24.4`).
fn version(library: &Path) -> Option<String> {
    const MARK: &[u8] = b"VERS_";
    let bytes = std::fs::read(library).ok()?;
    let at = bytes.windows(MARK.len()).position(|w| w == MARK)? + MARK.len();
    let end = bytes[at..]
        .iter()
        .position(|b| !(b.is_ascii_digit() || *b == b'.'))?;
    String::from_utf8(bytes[at..at + end].to_vec()).ok()
}

/// To open a model is to hold it against its golden answer.
fn model(shipped: Shipped, open: impl FnOnce() -> Result<()>) -> Finding {
    let check = format!("model {}", shipped.name);
    match open() {
        Ok(()) => Finding::ok(check, "answers as when it was written"),
        Err(error) => Finding::fail(
            check,
            error.to_string(),
            "another ONNX Runtime (scripts/setup.sh fetches the one that was tried), else this program anew: its file is damaged",
        ),
    }
}
