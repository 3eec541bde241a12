// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manifest of a data set, and names that sessions are made of.

use std::path::Path;

use liveness::dataset::{label, manifest, name};

pub(crate) fn run(data: &[u8]) {
    if let Ok(records) = manifest::from_bytes(Path::new("manifest.jsonl"), data) {
        let lines = data.split(|b| *b == b'\n').count();
        assert!(records.len() <= lines);
    }
    let text = String::from_utf8_lossy(data);
    let _ = label::understand(&text);
    let _ = name::session_from_name(&text);
}
