// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files of a data set, found on the disk. Knows endings, no layouts.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::dataset::manifest;
use crate::dataset::name::{PICTURES, VIDEOS};
use crate::dataset::sample::{LeftOut, Media};

/// Endings of pictures that cannot be read here.
const OTHER_PICTURES: &[&str] = &[
    "bmp", "webp", "gif", "tif", "tiff", "ppm", "pgm", "jp2", "heic", "heif", "avif",
];

/// A picture or film.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Where it is: the data set's folder, joined by the path inside.
    pub(super) path: PathBuf,
    /// The folders between, outermost first. Like all text of a path, what is no Unicode is replaced.
    pub(super) dirs: Vec<String>,
    /// The name without its ending.
    pub(super) stem: String,
    pub(super) media: Media,
}

impl Found {
    /// The path inside the data set as text, parts separated by `/`.
    pub(super) fn relative(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let parts = self.dirs.iter().map(String::as_str);
        parts.chain([&*name]).collect::<Vec<_>>().join("/")
    }
}

/// All that is of interest in a folder.
pub(super) struct Walk {
    /// In the order of their paths.
    pub(super) found: Vec<Found>,
    /// Folders that hold a manifest.
    pub(super) manifests: Vec<PathBuf>,
    pub(super) left_out: Vec<LeftOut>,
}

pub(super) fn walk(root: &Path) -> Walk {
    let mut walk = Walk {
        found: Vec::new(),
        manifests: Vec::new(),
        left_out: Vec::new(),
    };
    let entries = WalkDir::new(root).follow_links(true).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(is_shown) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => walk.add(root, entry),
            Ok(_) => {}
            // A link to a folder that it lies in: all of it is read already.
            Err(e) if e.loop_ancestor().is_some() => {}
            Err(e) => {
                let system = e.io_error().map(|e| e.kind().to_string());
                let system = system.unwrap_or_else(|| "unknown".to_owned());
                let path = e.path().unwrap_or(root).to_owned();
                let reason = format!("cannot be read: {system}");
                walk.left_out.push(LeftOut { path, reason });
            }
        }
    }
    walk
}

impl Walk {
    fn add(&mut self, root: &Path, entry: DirEntry) {
        let path = entry.into_path();
        let name = path.file_name().unwrap_or_default();
        let inside = path.strip_prefix(root).unwrap_or(&path);
        if name == OsStr::new(manifest::NAME) {
            let folder = path.parent().unwrap_or(root).to_owned();
            return self.manifests.push(folder);
        }
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let is = |list: &[&str]| list.iter().any(|e| ending == OsStr::new(e));
        let media = if is(PICTURES) {
            Media::Picture
        } else if is(VIDEOS) {
            Media::Video
        } else {
            if is(OTHER_PICTURES) {
                let reason = "a picture of a kind that cannot be read: make it a PNG or JPEG";
                let reason = reason.to_owned();
                self.left_out.push(LeftOut { path, reason });
            }
            return;
        };
        let text = |s: &OsStr| s.to_string_lossy().into_owned();
        let folders = inside.parent().into_iter().flat_map(Path::iter);
        self.found.push(Found {
            dirs: folders.map(text).collect(),
            stem: text(path.file_stem().unwrap_or_default()),
            media,
            path,
        });
    }
}

/// The data set's own folder may be a hidden one, or `.`.
fn is_shown(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
}
