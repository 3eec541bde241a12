// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder of pictures of which nothing is known.

use std::path::Path;

use anyhow::bail;
use liveness_app::files;

use super::Entry;

/// Endings of the names that are taken for pictures.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The pictures of a folder and those below it, by name.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut all = Vec::new();
    for found in files::walk(folder, |_| false) {
        let path = match found {
            Ok(path) => path,
            Err((path, reason)) => bail!("{}: {reason}", path.display()),
        };
        let ending = path.extension().unwrap_or_default();
        let picture = ENDINGS.iter().any(|e| ending.eq_ignore_ascii_case(e));
        if picture && path.is_file() {
            let file = files::within(folder, &path);
            all.push(Entry {
                path,
                ..Entry::of(folder, file)
            });
        }
    }
    Ok(all)
}
