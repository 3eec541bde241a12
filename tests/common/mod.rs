// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several tests need: the assets, the pictures that set-up took from scikit-image, and ONNX Runtime.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // Each test uses a part, and one that fails panics.

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Tests of other crates use this file, too.
    let root = here.ancestors().find(|p| p.join("tests/common").is_dir());
    root.expect("each crate lies in the repository").to_owned()
}

/// Points the process at the ONNX Runtime that `scripts/setup.sh` fetched, unless the user chose one.
pub(crate) fn use_runtime() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        liveness::runtime::search_in(&root().join(".setup/lib"));
    });
}

/// Says why a test, or a part of it, did not run. Past libtest's capture, which would keep it from whoever reads that all is well.
pub(crate) fn skip(reason: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}

/// Other people's models, photos and clips: `LIVENESS_ASSETS`, default `../shared/assets`. Without them the test says so and
/// passes.
pub(crate) fn assets() -> Option<PathBuf> {
    let path = std::env::var_os("LIVENESS_ASSETS")
        .map_or_else(|| root().join("../shared/assets"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    skip(format_args!(
        "no assets in {} (LIVENESS_ASSETS)",
        path.display()
    ));
    None
}

/// One of the models in the assets.
pub(crate) fn model(assets: &Path, name: &str) -> PathBuf {
    let path = assets.join("models").join(name);
    assert!(path.is_file(), "{} is missing", path.display());
    path
}
