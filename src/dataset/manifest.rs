// SPDX-License-Identifier: MIT OR Apache-2.0
//! `manifest.jsonl`: one [`Record`] a line, in the order in which the pictures were saved.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::record::{Record, VERSION};
use crate::error::{Error, Result};

/// Name of the manifest in the data set's folder.
pub const NAME: &str = "manifest.jsonl";

/// The records of the data set in `folder`. A last line that was cut off, because its writer was killed, is left out.
///
/// # Errors
/// [`Error::DataSet`] where there is no manifest, it cannot be read, or a line is not a record of a known version.
pub fn read(folder: &Path) -> Result<Vec<Record>> {
    let path = folder.join(NAME);
    let bytes = fs::read(&path).map_err(|e| Error::data_set_io(&path, "read", &e))?;
    from_bytes(&path, &bytes)
}

/// The records in the bytes of a manifest, which `path` names in errors.
///
/// # Errors
/// Those of [`read`] but for reading.
pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Vec<Record>> {
    parse(path, &bytes[..whole(bytes)], 0)
}

/// Bytes up to the end of the last line that has one.
fn whole(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1)
}

/// All lines of `bytes`, which stand in `path` behind `before` others.
fn parse(path: &Path, bytes: &[u8], before: usize) -> Result<Vec<Record>> {
    let lines = bytes.split(|&b| b == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let parsed = lines.map(|(i, line)| {
        parse_line(line).map_err(|e| {
            let number = before + i + 1;
            let reason = format!("line {number} is no record of a picture: {e}. Mend or remove it");
            Error::data_set(path, reason)
        })
    });
    parsed.collect()
}

fn parse_line(line: &[u8]) -> std::result::Result<Record, String> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    if version > VERSION {
        return Err(format!(
            "its version {version} is newer than {VERSION}, the last one known here; this software is too old for it"
        ));
    }
    serde_json::from_slice(line).map_err(|e| e.to_string())
}

/// A manifest that is open for writing.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    file: File,
    /// Bytes, and lines, that are known here.
    known: u64,
    lines: usize,
}

impl Manifest {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(&path);
        let file = file.map_err(|e| Error::data_set_io(&path, "opened for writing", &e))?;
        Ok(Self {
            path,
            file,
            known: 0,
            lines: 0,
        })
    }

    /// Waits until no other store of any process writes to it.
    pub(super) fn lock(&mut self) -> Result<Locked<'_>> {
        let locked = self.file.lock();
        locked.map_err(|e| Error::data_set_io(&self.path, "locked", &e))?;
        let locked = Locked { manifest: self };
        locked.check()?;
        Ok(locked)
    }
}

/// A manifest to which nobody else writes.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    manifest: &'a mut Manifest,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // It fails only where the lock is gone already.
        let _ = self.manifest.file.unlock();
    }
}

impl Locked<'_> {
    fn io(&self, what: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let path = self.manifest.path.clone();
        move |e| Error::data_set_io(&path, what, &e)
    }

    /// What is written must reach the file that has the name now, not one that was removed or replaced since.
    fn check(&self) -> Result<()> {
        let by_name = fs::metadata(&self.manifest.path).map_err(self.io("found any more"))?;
        let by_hand = self.manifest.file.metadata().map_err(self.io("read"))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let identity = |m: &fs::Metadata| (m.dev(), m.ino());
            if identity(&by_name) != identity(&by_hand) {
                return Err(Error::data_set(
                    &self.manifest.path,
                    "was replaced by another file while pictures were being saved: start again",
                ));
            }
        }
        if by_hand.len() < self.manifest.known || by_name.len() < self.manifest.known {
            return Err(Error::data_set(
                &self.manifest.path,
                "was shortened while pictures were being saved: start again",
            ));
        }
        Ok(())
    }

    /// The records that others have added since the last time. A last line without its end is cut off: whoever wrote it is dead,
    /// or it would hold the lock.
    pub(super) fn news(&mut self) -> Result<Vec<Record>> {
        let fail = self.io("read");
        let Manifest {
            file, known, lines, ..
        } = &mut *self.manifest;
        let mut bytes = Vec::new();
        let read = file
            .seek(SeekFrom::Start(*known))
            .and_then(|_| file.read_to_end(&mut bytes));
        read.map_err(fail)?;
        let end = whole(&bytes);
        let before = *lines;
        *known += end as u64;
        *lines += bytes[..end].iter().filter(|&&b| b == b'\n').count();
        if end < bytes.len() {
            self.take_back()?;
        }
        parse(&self.manifest.path, &bytes[..end], before)
    }

    /// Adds a line at the end. It counts when it is kept.
    pub(super) fn append(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record)
            .map_err(|e| Error::data_set(&self.manifest.path, e.to_string()))?;
        line.push(b'\n');
        let written = self.manifest.file.write_all(&line);
        if let Err(e) = written {
            let error = self.io("written to")(e);
            self.take_back()?;
            return Err(error);
        }
        Ok(())
    }

    /// Keeps the line that was added.
    pub(super) fn keep(&mut self, durable: bool) -> Result<()> {
        if durable {
            let synced = self.manifest.file.sync_data();
            synced.map_err(self.io("written to the disk"))?;
        }
        let length = self
            .manifest
            .file
            .metadata()
            .map_err(self.io("read"))?
            .len();
        self.manifest.known = length;
        self.manifest.lines += 1;
        Ok(())
    }

    /// Takes away everything behind the last line that counts.
    pub(super) fn take_back(&mut self) -> Result<()> {
        let cut = self.manifest.file.set_len(self.manifest.known);
        cut.map_err(self.io("shortened"))
    }
}
