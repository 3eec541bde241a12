// SPDX-License-Identifier: MIT OR Apache-2.0
//! A report's folder: made aside and moved to its place when it is whole, so that nobody ever finds half a report.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use tempfile::TempDir;

/// What a report consists of. A folder with nothing else in it may be replaced.
const OURS: &[&str] = &[
    "history.csv",
    "labels.json",
    "metrics.json",
    "mistakes.png",
    "plots",
    "report.html",
    "report.md",
];

/// What training puts beside its report, or leaves there until it is done; replaced with it.
pub const OWN: [&str; 6] = [
    "augmented.png",
    "checkpoint",
    "left-out.csv",
    "model.onnx",
    "run.json",
    "tune.jsonl",
];

/// A folder in the making. Dropped before [`Folder::finish`] it leaves nothing.
pub(super) struct Folder {
    target: PathBuf,
    /// Beside the target, so that moving is renaming.
    aside: TempDir,
}

impl Folder {
    /// Begins a folder that is to be `target`. Fails where it could not be put there in the end.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        check(target)?;
        let parent = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|e| failed(parent, &e))?;
        let aside = tempfile::Builder::new()
            .prefix(".report-")
            .tempdir_in(parent);
        let folder = Self {
            target: target.to_owned(),
            aside: aside.map_err(|e| failed(parent, &e))?,
        };
        // A temporary folder is for its owner only; the report is for whom the user's other files are.
        fs::create_dir_all(folder.fresh().join("plots")).map_err(|e| failed(target, &e))?;
        Ok(folder)
    }

    fn fresh(&self) -> PathBuf {
        self.aside.path().join("fresh")
    }

    /// Writes a file, whole and onto the disk.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let write = || -> io::Result<()> {
            let mut file = File::create(self.fresh().join(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        // To the user it is the file that they would have found.
        write().map_err(|e| failed(&self.target.join(name), &e))
    }

    /// Moves it to its place, in exchange for an earlier report.
    pub(super) fn finish(self) -> Result<()> {
        check(&self.target)?;
        let old = self.aside.path().join("old");
        let replaced = match fs::rename(&self.target, &old) {
            Ok(()) => true,
            Err(e) if e.kind() == io::ErrorKind::NotFound => false,
            Err(e) => return Err(failed(&self.target, &e)),
        };
        if let Err(e) = fs::rename(self.fresh(), &self.target) {
            if replaced {
                // Better the earlier report than none; that this too may fail changes nothing about the error.
                let _ = fs::rename(&old, &self.target);
            }
            return Err(failed(&self.target, &e));
        }
        Ok(())
    }
}

/// What a run that was killed leaves while it writes a file aside, see [`liveness_app::files::replace`].
fn is_aside(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') && name.ends_with(".part")
}

/// Whether nothing is there, or an earlier report.
pub(super) fn check(target: &Path) -> Result<()> {
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(target, &e)),
    };
    for entry in entries {
        let name = entry.map_err(|e| failed(target, &e))?.file_name();
        if !OURS.iter().chain(&OWN).any(|ours| name == *ours) && !is_aside(&name) {
            bail!(
                "{}: holds {}, which is no part of a report. Choose another folder for the report, or empty this one",
                target.display(),
                name.to_string_lossy()
            );
        }
    }
    Ok(())
}

/// What the system said, with what to do about it.
fn failed(path: &Path, error: &io::Error) -> anyhow::Error {
    liveness::Error::data_set_io(path, "written", error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_appears_whole_and_replaces_only_reports() {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("deep/report");
        let folder = Folder::begin(&target).unwrap();
        folder.put("report.md", b"one").unwrap();
        assert!(!target.exists());
        folder.finish().unwrap();
        assert_eq!(names(&target), ["plots", "report.md"]);
        let folder = Folder::begin(&target).unwrap();
        folder.put("report.md", b"two").unwrap();
        folder.finish().unwrap();
        assert_eq!(fs::read(target.join("report.md")).unwrap(), b"two");
        assert_eq!(names(&scratch.path().join("deep")), ["report"]);
        fs::write(target.join("thesis.txt"), "mine").unwrap();
        let error = Folder::begin(&target).err().unwrap().to_string();
        assert!(
            error.contains("thesis.txt") && error.contains("another folder"),
            "{error}"
        );
        assert_eq!(fs::read(target.join("thesis.txt")).unwrap(), b"mine");
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("report");
        let folder = Folder::begin(&target).unwrap();
        folder.put("report.md", b"half").unwrap();
        let error = folder.put("no/such/folder", b"").err().unwrap().to_string();
        assert!(error.contains("report/no/such/folder"), "{error}");
        drop(folder);
        assert!(names(scratch.path()).is_empty());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("file");
        fs::write(&file, "x").unwrap();
        for target in [file.clone(), file.join("report")] {
            let error = Folder::begin(&target).err().unwrap().to_string();
            assert!(
                error.contains("file") && error.contains("A folder is needed"),
                "{error}"
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_report_is_as_readable_as_other_files() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = tempfile::tempdir().unwrap();
        let (target, other) = (scratch.path().join("report"), scratch.path().join("other"));
        Folder::begin(&target).unwrap().finish().unwrap();
        fs::create_dir(&other).unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode();
        assert_eq!(mode(&target), mode(&other));
    }
}
