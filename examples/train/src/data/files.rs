// SPDX-License-Identifier: MIT OR Apache-2.0
//! All pictures below a folder, whatever they show. Opens none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Endings of pictures that can be read, as [`liveness::dataset`] has them.
const PICTURES: [&str; 3] = ["jpg", "jpeg", "png"];

/// The pictures below a folder, sorted by path. Links are followed, hidden files and folders passed over.
///
/// # Errors
/// Where a folder cannot be read, or there is no picture.
pub fn pictures(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    // Links may lead in circles.
    let mut seen = BTreeSet::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        let failed = || format!("cannot read the folder {}", folder.display());
        if !seen.insert(folder.canonicalize().with_context(failed)?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).with_context(failed)? {
            let path = entry.with_context(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let ending = path.extension().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            } else if path.is_dir() {
                todo.push(path);
            } else if PICTURES.contains(&&*ending.to_lowercase()) && path.is_file() {
                found.push(path);
            }
        }
    }
    ensure!(
        !found.is_empty(),
        "{} holds no picture (jpg, png)",
        root.display()
    );
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_found_at_any_depth_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("b/c")).unwrap();
        std::fs::create_dir(root.join(".hidden")).unwrap();
        for name in [
            "b/c/2.JPG",
            "1.png",
            "b/notes.txt",
            ".3.jpg",
            ".hidden/4.jpg",
        ] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("b/again")).unwrap();
        let found = pictures(root).unwrap();
        assert_eq!(found, [root.join("1.png"), root.join("b/c/2.JPG")]);
        let none = format!("{:#}", pictures(&root.join(".hidden/none")).unwrap_err());
        assert!(none.contains("cannot read"), "{none}");
        std::fs::create_dir(root.join("empty")).unwrap();
        let none = pictures(&root.join("empty")).unwrap_err().to_string();
        assert!(none.contains("no picture"), "{none}");
    }
}
