// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder of pictures of which nothing is known.

use std::path::Path;

use walkdir::WalkDir;

use super::Entry;

/// Endings of the names that are taken for pictures.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The pictures of a folder and those below it, by name.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Entry>> {
    let mut all = Vec::new();
    for found in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let found = found?;
        let ending = found.path().extension().unwrap_or_default();
        let picture = ENDINGS.iter().any(|e| ending.eq_ignore_ascii_case(e));
        if !picture || !found.file_type().is_file() {
            continue;
        }
        let within = found.path().strip_prefix(folder).unwrap_or(found.path());
        let parts = within.iter().map(|p| p.to_string_lossy());
        let file = parts.collect::<Vec<_>>().join("/");
        all.push(Entry {
            path: found.path().to_owned(),
            ..Entry::of(folder, file)
        });
    }
    Ok(all)
}
