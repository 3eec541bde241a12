// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where ONNX Runtime may lie, beside the places that the library knows.

use std::path::{Path, PathBuf};

/// Lets the library look beside this program, where `make install` puts it, and where `scripts/setup.sh` puts it in the checkout that
/// this program was built from. `ORT_DYLIB_PATH` comes before all of them.
pub fn search() {
    let beside = std::env::current_exe().ok();
    let beside = beside.and_then(|p| Some(p.parent()?.to_owned()));
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|h| h.join(".local/share"));
    let data = data.filter(|d| d.is_absolute()).or_else(home);
    let installed = data.map(|d| d.join("gstreamer-1.0/plugins"));
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.setup/lib");
    for folder in beside.into_iter().chain(installed).chain([checkout]) {
        liveness::runtime::search_in(&folder);
    }
}
