// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a user named on the command line: files, and folders that hold them. Knows file systems alone.

use std::path::{Path, PathBuf};

use crate::files::{self, Kind};

/// A file that was named, or that lies in a folder that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Where it lies, of a file in a folder: the folder's own name, and the way from there.
    pub below: Option<PathBuf>,
    /// What it holds.
    pub kind: Kind,
}

impl Input {
    /// A name for it: its place below the folder that was named, with slashes, or the file as it was typed.
    pub fn key(&self) -> String {
        match &self.below {
            Some(below) => files::within(Path::new(""), below),
            None => files::text(self.path.as_os_str()).unwrap_or_else(|encoded| encoded),
        }
    }
}

/// All that was named.
#[derive(Debug, Default)]
pub struct Found {
    /// The files, those of a folder in the order of their names.
    pub inputs: Vec<Input>,
    /// What cannot be taken, with the reason.
    pub refused: Vec<(PathBuf, String)>,
}

impl Found {
    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.refused.is_empty()
    }
}

/// Lists the files that `named` stands for. A file that is named is always tried; of those in folders the ones that are `wanted` by their
/// names, and none in folders for which `leave` says so.
pub fn find(
    named: &[PathBuf],
    wanted: impl Fn(&Path) -> bool,
    leave: impl Fn(&Path) -> bool,
) -> Found {
    let mut found = Found::default();
    for path in named {
        if !path.is_dir() {
            found.take(path.clone(), None);
            continue;
        }
        let name = own_name(path);
        for file in files::walk(path, &leave) {
            match file {
                Ok(file) if wanted(&file) => {
                    let below = name.join(file.strip_prefix(path).unwrap_or(&file));
                    found.take(file, Some(below));
                }
                Ok(_) => {}
                Err(refused) => found.refused.push(refused),
            }
        }
    }
    found
}

impl Found {
    fn take(&mut self, path: PathBuf, below: Option<PathBuf>) {
        match files::look(&path) {
            Ok((_, kind)) => self.inputs.push(Input { path, below, kind }),
            Err(reason) => self.refused.push((path, reason)),
        }
    }
}

/// The last part of a folder's path; that of the real one for `.` and the like.
fn own_name(folder: &Path) -> PathBuf {
    let real = folder.canonicalize().unwrap_or_default();
    let name = folder.file_name().or(real.file_name()).unwrap_or_default();
    name.into()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_file_knows_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["set/a/b.png", "set/out/c.png", "set/d.txt", "e.txt"] {
            fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            fs::write(path(name), b"\x89PNG").unwrap();
        }
        let odd = folder.path().join(OsStr::from_bytes(b"set/\xff.png"));
        fs::write(&odd, b"\xff\xd8").unwrap();
        symlink(path("set"), path("set/a/loop")).unwrap();
        let out = path("set/out");
        let named = [path("set"), path("e.txt"), path("gone")];
        let found = find(&named, files::is_picture, |p| p == out);
        let places: Vec<_> = found.inputs.iter().map(|i| i.below.clone()).collect();
        let odd = PathBuf::from(OsStr::from_bytes(b"set/\xff.png"));
        assert_eq!(places, [Some("set/a/b.png".into()), Some(odd), None]);
        let keys: Vec<_> = found.inputs.iter().map(Input::key).collect();
        let named = path("e.txt").display().to_string();
        assert_eq!(keys, ["set/a/b.png", "set/%FF.png", &named]);
        assert_eq!(found.inputs[1].kind, Kind::Jpeg);
        let refused: Vec<_> = found.refused.iter().map(|(p, _)| p.clone()).collect();
        assert_eq!(refused, [path("set/a/loop"), path("gone")]);
        assert!(find(&[path("set/out")], |_| false, |_| false).is_empty());
    }
}
