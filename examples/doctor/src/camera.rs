// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cameras of this machine, and whether this user may open them. A camera is opened for a moment, and not started.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::finding::Finding;

/// Where Linux has its devices.
const DEVICES: &str = "/dev";

/// One finding for each camera, or one that there is none.
pub(crate) fn look() -> Vec<Finding> {
    among(Path::new(DEVICES))
}

fn among(folder: &Path) -> Vec<Finding> {
    let mut cameras: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let number = name.strip_prefix("video");
            number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
        .collect();
    cameras.sort();
    match cameras.is_empty() {
        true => vec![Finding::warn(
            "cameras",
            format!("no {}/video*", folder.display()),
            "plug one in; in a virtual machine or a container, hand it through (--device=/dev/video0). Films and network cameras work without",
        )],
        false => cameras.iter().map(|path| of(path)).collect(),
    }
}

fn of(path: &Path) -> Finding {
    let check = format!("camera {}", path.display());
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Finding::ok(check, "can be opened"),
        Err(e) if e.kind() == ErrorKind::PermissionDenied => Finding::fail(
            check,
            "this user may not open it",
            "`sudo usermod -aG video $USER`, then log in anew",
        ),
        Err(e) => Finding::warn(
            check,
            format!("cannot be opened: {e}"),
            "close other programs that use it, or plug it in again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::State;

    #[test]
    fn cameras_are_told_from_other_devices() {
        let folder = tempfile::tempdir().unwrap();
        let none = among(folder.path());
        assert_eq!((none.len(), none[0].state), (1, State::Warn));
        for name in ["video0", "video10", "video", "videodev", "null"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = among(folder.path());
        let all_open = found.iter().all(|f| f.state == State::Ok);
        assert!(found.len() == 2 && all_open, "{found:?}");
        // A folder cannot be opened for writing, whoever asks.
        std::fs::create_dir(folder.path().join("video2")).unwrap();
        let found = among(folder.path());
        assert!(found.iter().any(|f| f.state == State::Warn), "{found:?}");
    }
}
