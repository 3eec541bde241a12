// SPDX-License-Identifier: MIT OR Apache-2.0
//! What to take: the files that the user named and those in the folders that the user named. Knows file systems, nothing of
//! GStreamer.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::bail;
use liveness::dataset::manifest;
use liveness::dataset::name::session_from_name;
use liveness_app::files::{self, Kind, text};

/// One file to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// As the user named it, or found in a folder that the user named.
    pub(crate) path: PathBuf,
    /// What the manifest calls it: the same file is the same source, whatever path leads to it.
    pub(crate) source: String,
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    /// Nanoseconds since 1970 of its last change.
    pub(crate) modified: u64,
}

/// All that there is to take.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) inputs: Vec<Input>,
    /// What cannot be taken, with the reason.
    pub(crate) refused: Vec<(PathBuf, String)>,
}

impl Input {
    /// What of this file belongs together where the user does not say it.
    pub(crate) fn session(&self) -> String {
        let stem = self.path.file_stem().unwrap_or(OsStr::new("input"));
        let stem = text(stem).unwrap_or_else(|encoded| encoded);
        match self.kind {
            Kind::Video => stem,
            Kind::Jpeg | Kind::Picture => session_from_name(&stem),
        }
    }
}

/// Lists the files that `named` stands for, each once, those of a folder in the order of their names.
///
/// # Errors
/// Where a folder is the data set itself, or there is nothing to take.
pub(crate) fn find(named: &[PathBuf], output: &Path, label: &str) -> anyhow::Result<Found> {
    let mut finder = Finder {
        data_set: fs::canonicalize(output).ok(),
        ..Finder::default()
    };
    for path in named {
        if path.is_dir() {
            finder.folder(path, label)?;
        } else {
            finder.file(path.clone());
        }
    }
    let found = finder.found;
    if found.inputs.is_empty() && found.refused.is_empty() {
        let others = finder.others;
        bail!(
            "no video and no picture in the folders that were named ({others} other files). Name a file itself to try it"
        );
    }
    Ok(found)
}

#[derive(Default)]
struct Finder {
    found: Found,
    /// The files that were found, without links.
    seen: HashSet<PathBuf>,
    /// The folder that is written to, without links, where it exists.
    data_set: Option<PathBuf>,
    /// Files in folders that are neither videos nor pictures, by their names.
    others: usize,
}

impl Finder {
    fn folder(&mut self, folder: &Path, label: &str) -> anyhow::Result<()> {
        if let (Some(data_set), Ok(real)) = (&self.data_set, fs::canonicalize(folder))
            && (real == *data_set || real.starts_with(data_set.join(label)))
        {
            let shown = folder.display();
            bail!(
                "{shown} is the data set that is written to: its pictures would be taken for new ones"
            );
        }
        let data_set = self.data_set.clone();
        let leave = |path: &Path| is_data_set(path, data_set.as_deref());
        for found in files::walk(folder, leave) {
            match found {
                Ok(path) if files::is_film_or_picture(&path) => self.file(path),
                Ok(_) => self.others += 1,
                Err(refused) => self.found.refused.push(refused),
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf) {
        match look(&path) {
            Ok((real, input)) => {
                if self.seen.insert(real) {
                    self.found.inputs.push(input);
                }
            }
            Err(reason) => self.found.refused.push((path, reason)),
        }
    }
}

/// A folder with a manifest holds what was extracted before.
fn is_data_set(folder: &Path, known: Option<&Path>) -> bool {
    folder.join(manifest::NAME).exists()
        || (known.is_some() && fs::canonicalize(folder).ok().as_deref() == known)
}

/// What is to be known about a file, and its path without links. `Err` says why it cannot be taken.
fn look(path: &Path) -> Result<(PathBuf, Input), String> {
    let (about, kind) = files::look(path)?;
    let real = fs::canonicalize(path).map_err(|e| files::reason(&e))?;
    let input = Input {
        path: path.to_owned(),
        source: files::address(&real),
        kind,
        size: about.len(),
        modified: modified(&about),
    };
    Ok((real, input))
}

fn modified(about: &Metadata) -> u64 {
    let time = about.modified().ok();
    let since = time.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "content").unwrap();
        }
        folder
    }

    fn names(found: &Found, root: &Path) -> Vec<String> {
        let relative = |i: &Input| i.path.strip_prefix(root).unwrap().display().to_string();
        found.inputs.iter().map(relative).collect()
    }

    #[test]
    fn folders_are_walked_in_order_and_hidden_files_left_alone() {
        let folder = tree(&[
            "b/2.MP4",
            "b/1.jpg",
            "a.mov",
            "notes.txt",
            ".hidden.mp4",
            ".git/x.mp4",
            "c/deep/er/z.PnG",
            "none",
        ]);
        let found = find(&[folder.path().into()], Path::new("/nowhere"), "real").unwrap();
        let all = names(&found, folder.path());
        assert_eq!(all, ["a.mov", "b/1.jpg", "b/2.MP4", "c/deep/er/z.PnG"]);
        assert!(found.refused.is_empty());
    }

    #[test]
    fn a_file_that_is_named_is_taken_whatever_its_name_and_only_once() {
        let folder = tree(&["odd.bin", ".hidden", "a.mp4"]);
        let path = |name| folder.path().join(name);
        symlink(path("a.mp4"), path("link.mp4")).unwrap();
        let named = [
            path("odd.bin"),
            path(".hidden"),
            path("odd.bin"),
            path("a.mp4"),
            folder.path().into(),
        ];
        let found = find(&named, Path::new("/nowhere"), "real").unwrap();
        assert_eq!(
            names(&found, folder.path()),
            ["odd.bin", ".hidden", "a.mp4"]
        );
    }

    #[test]
    fn the_data_set_is_no_input() {
        let folder = tree(&[
            "set/real/000001.jpg",
            "older/manifest.jsonl",
            "older/real/000001.jpg",
            "a.mp4",
        ]);
        let set = folder.path().join("set");
        let found = find(&[folder.path().into()], &set, "real").unwrap();
        assert_eq!(names(&found, folder.path()), ["a.mp4"]);
        for named in [set.clone(), set.join("real")] {
            let error = find(&[named], &set, "real").unwrap_err();
            assert!(error.to_string().contains("is the data set"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        let folder = tree(&["a.mp4"]);
        let path = |name| folder.path().join(name);
        fs::write(path("empty.mp4"), "").unwrap();
        symlink(path("gone"), path("broken.mp4")).unwrap();
        symlink(folder.path(), path("loop")).unwrap();
        let named = [
            folder.path().into(),
            path("missing.mp4"),
            "/dev/null".into(),
        ];
        let found = find(&named, Path::new("/nowhere"), "real").unwrap();
        let reason = |name: &str| {
            let of = |(p, _): &&(PathBuf, String)| p.ends_with(name);
            &found.refused.iter().find(of).unwrap().1
        };
        assert_eq!(reason("empty.mp4"), "it is empty");
        assert!(reason("broken.mp4").contains("No such file"));
        assert!(reason("missing.mp4").contains("No such file"));
        assert!(reason("loop").contains("leads back"));
        assert_eq!(reason("null"), "it is no regular file");
        assert_eq!(found.inputs.len(), 1);
    }

    #[test]
    fn nothing_to_take_is_an_error() {
        let folder = tree(&["notes.txt"]);
        let error = find(&[folder.path().into()], Path::new("/nowhere"), "real").unwrap_err();
        assert!(error.to_string().contains("1 other"), "{error}");
    }

    #[test]
    fn a_session_is_what_the_name_says() {
        let session = |name: &str, kind| {
            let (path, source) = (PathBuf::from(name), String::new());
            Input {
                path,
                source,
                kind,
                size: 1,
                modified: 0,
            }
            .session()
        };
        assert_eq!(session("x/kitchen 12.mp4", Kind::Video), "kitchen 12");
        assert_eq!(session("x/anna_0012.jpg", Kind::Jpeg), "anna");
        assert_eq!(session("x/0012.png", Kind::Picture), "0012");
        let path = PathBuf::from(OsStr::from_bytes(b"x/caf\xe9 1.mp4"));
        let (kind, source) = (Kind::Video, String::new());
        let odd = Input {
            path,
            source,
            kind,
            size: 1,
            modified: 0,
        };
        assert_eq!(odd.session(), "caf%E9%201", "the manifest takes text alone");
    }
}
