// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder with a file for each thing that waits to be delivered. A file is there whole or not at all, for its owner alone, and gone when
//! its content was delivered.
//!
//! ```text
//! 00000000000000000007-intruder      {"sha256":"…","bytes":…,"id":"…",…}, a newline, the content
//! failed/     what was refused for good        damaged/    what is not what was written
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use liveness_app::files;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::policy::Kind;

/// Files that are kept of what was refused, and of what was damaged.
const KEPT: usize = 100;

/// How files start that are being written.
const UNFINISHED: &str = ".unfinished-";

/// What stands before the content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The decision that it is about.
    pub(crate) id: String,
    pub(crate) decision: Kind,
    /// When it was put here, in seconds since 1970.
    pub(crate) queued: u64,
    /// What its courier needs besides.
    pub(crate) note: serde_json::Value,
}

impl Head {
    pub(crate) fn new(id: &str, decision: Kind, note: serde_json::Value) -> Self {
        Self {
            id: id.into(),
            decision,
            queued: since_1970().as_secs(),
            note,
        }
    }

    /// How long it has been here.
    pub(crate) fn age(&self) -> Duration {
        since_1970().saturating_sub(Duration::from_secs(self.queued))
    }
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    sha256: String,
    bytes: usize,
    #[serde(flatten)]
    head: Head,
}

fn seal(head: &Head, body: &[u8]) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(head)?);
    hash.update(body);
    Ok(HEXLOWER.encode(&hash.finalize()))
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    limits: Limits,
    next: u64,
    /// Held for as long as this is there.
    _lock: File,
}

impl Spool {
    /// Opens the folder, and makes it where it is missing.
    ///
    /// # Errors
    /// Where it cannot be written to, or another program has it.
    pub(crate) fn open(folder: &Path, limits: Limits) -> Result<Self, String> {
        let said = |e: io::Error| format!("the queue {}: {}", folder.display(), files::reason(&e));
        for folder in [folder, &folder.join("failed"), &folder.join("damaged")] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(said)?;
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(said)?;
        let lock = File::create(folder.join(".lock")).map_err(said)?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => format!(
                "the queue {} is in use by another program",
                folder.display()
            ),
            TryLockError::Error(e) => said(e),
        })?;
        let mut spool = Self {
            folder: folder.to_owned(),
            limits,
            next: 1,
            _lock: lock,
        };
        // What was begun when the program was killed.
        for entry in fs::read_dir(folder).map_err(said)? {
            let path = entry.map_err(said)?.path();
            if name(&path).starts_with(UNFINISHED) {
                fs::remove_file(&path).map_err(said)?;
            }
        }
        let places = [
            folder.to_owned(),
            folder.join("failed"),
            folder.join("damaged"),
        ];
        let all = places
            .iter()
            .flat_map(|place| list(place))
            .filter_map(|p| number(&p));
        spool.next = all.max().unwrap_or(0) + 1;
        Ok(spool)
    }

    /// Whether one could be opened there, without making it.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(folder: &Path) -> Result<(), String> {
        let there = folder
            .ancestors()
            .find(|p| p.exists() || p.as_os_str().is_empty());
        let there = there
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let probe = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(there);
        probe
            .map(drop)
            .map_err(|e| format!("the queue {}: {}", folder.display(), files::reason(&e)))
    }

    /// Puts something in, safe on the disk. Where there is no room, the oldest of those that are about somebody who was granted has to go; intruders
    /// stay. Those that had to go are told.
    ///
    /// # Errors
    /// Where there is no room.
    pub(crate) fn add(&mut self, head: &Head, body: &[u8]) -> Result<Vec<Head>, String> {
        let said = |e: io::Error| format!("the queue cannot be written: {}", files::reason(&e));
        let mut content = serde_json::to_vec(&Sealed {
            sha256: seal(head, body).map_err(said)?,
            bytes: body.len(),
            head: head.clone(),
        })
        .map_err(|e| e.to_string())?;
        content.push(b'\n');
        content.extend_from_slice(body);
        let gone = self.make_room(content.len() as u64)?;
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(&self.folder);
        let mut file = file.map_err(said)?;
        file.write_all(&content).map_err(said)?;
        file.as_file().sync_all().map_err(said)?;
        let path = self
            .folder
            .join(format!("{:020}-{}", self.next, head.decision.as_str()));
        file.persist_noclobber(path).map_err(|e| said(e.error))?;
        self.settle().map_err(said)?;
        self.next += 1;
        Ok(gone)
    }

    /// Makes room for one more of so many bytes.
    fn make_room(&self, more: u64) -> Result<Vec<Head>, String> {
        let full = || {
            format!(
                "the queue {} is full: {} files and {} MiB are the most, and all that wait are about intruders",
                self.folder.display(),
                self.limits.files,
                self.limits.bytes >> 20
            )
        };
        let sizes = self
            .list()
            .into_iter()
            .map(|p| (fs::metadata(&p).map_or(0, |m| m.len()), p));
        let mut waiting: Vec<_> = sizes.collect();
        let mut gone = Vec::new();
        loop {
            let bytes: u64 = waiting.iter().map(|(size, _)| size).sum();
            if waiting.len() < self.limits.files && bytes + more <= self.limits.bytes {
                return Ok(gone);
            }
            let granted = Kind::Granted.as_str();
            let oldest = waiting.iter().position(|(_, p)| name(p).ends_with(granted));
            let (_, path) = waiting.remove(oldest.ok_or_else(full)?);
            gone.extend(self.read(&path).ok().map(|(head, _)| head));
            self.done(&path)?;
        }
    }

    /// What waits, the oldest first.
    pub(crate) fn list(&self) -> Vec<PathBuf> {
        let mut all = list(&self.folder);
        all.retain(|path| number(path).is_some());
        all.sort();
        all
    }

    /// What one of them holds.
    ///
    /// # Errors
    /// Where it is not what was written.
    pub(crate) fn read(&self, path: &Path) -> Result<(Head, Vec<u8>), String> {
        let content = fs::read(path).map_err(|e| files::reason(&e))?;
        let mut body = &content[..];
        let mut line = Vec::new();
        body.read_until(b'\n', &mut line)
            .map_err(|e| e.to_string())?;
        let sealed: Sealed =
            serde_json::from_slice(&line).map_err(|_| "its first line is damaged")?;
        if body.len() != sealed.bytes {
            return Err(format!(
                "{} of {} bytes are there",
                body.len(),
                sealed.bytes
            ));
        }
        if seal(&sealed.head, body).map_err(|e| e.to_string())? != sealed.sha256 {
            return Err("its bytes are others than those that were written".into());
        }
        Ok((sealed.head, body.to_vec()))
    }

    /// One was delivered.
    ///
    /// # Errors
    /// Where it cannot be taken away: it would be delivered again.
    pub(crate) fn done(&self, path: &Path) -> Result<(), String> {
        let removed = fs::remove_file(path).or_else(|e| match e.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(e),
        });
        let settled = removed.and_then(|()| self.settle());
        settled.map_err(|e| {
            format!(
                "{} cannot be taken away: {}",
                path.display(),
                files::reason(&e)
            )
        })
    }

    /// One was refused for good.
    ///
    /// # Errors
    /// Where it cannot be set aside.
    pub(crate) fn refuse(&self, path: &Path) -> Result<(), String> {
        self.set_aside(path, "failed")
    }

    /// One is damaged.
    ///
    /// # Errors
    /// Where it cannot be set aside.
    pub(crate) fn damaged(&self, path: &Path) -> Result<(), String> {
        self.set_aside(path, "damaged")
    }

    fn set_aside(&self, path: &Path, place: &str) -> Result<(), String> {
        let folder = self.folder.join(place);
        let moved = fs::rename(path, folder.join(name(path))).and_then(|()| self.settle());
        moved.map_err(|e| {
            format!(
                "{} cannot be set aside: {}",
                path.display(),
                files::reason(&e)
            )
        })?;
        let mut kept = list(&folder);
        kept.sort();
        let surplus = kept.len().saturating_sub(KEPT);
        for old in kept.iter().take(surplus) {
            // Tried again next time.
            let _ = fs::remove_file(old);
        }
        Ok(())
    }

    /// Makes what happened to names in the folder last.
    fn settle(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The number in a file's name; none where it is no file of a queue.
fn number(path: &Path) -> Option<u64> {
    name(path).split_once('-')?.0.parse().ok()
}

/// Files of a folder. One that cannot be listed has none: writing to it says why.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| e.path()).filter(|p| p.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{Granted, Intruder};

    const LIMITS: Limits = Limits {
        files: 3,
        bytes: 4096,
    };

    fn head(id: &str, kind: Kind) -> Head {
        Head::new(id, kind, serde_json::Value::Null)
    }

    fn ids(spool: &Spool) -> Vec<String> {
        let read = |p: &PathBuf| spool.read(p).map_or("?".into(), |(head, _)| head.id);
        spool.list().iter().map(read).collect()
    }

    fn open(folder: &Path) -> Spool {
        Spool::open(folder, LIMITS).unwrap()
    }

    #[test]
    fn what_was_put_in_is_there_after_a_restart_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        assert_eq!(
            spool.add(&head("a", Intruder), b"first\n\nbody").unwrap(),
            []
        );
        spool.add(&head("b", Granted), b"").unwrap();
        let busy = Spool::open(folder.path(), LIMITS).unwrap_err();
        assert!(busy.contains("in use by another program"), "{busy}");
        drop(spool);
        fs::write(folder.path().join(".unfinished-x"), "half").unwrap();
        let mut spool = open(folder.path());
        assert!(!folder.path().join(".unfinished-x").exists());
        assert_eq!(ids(&spool), ["a", "b"]);
        let first = &spool.list()[0];
        assert_eq!(spool.read(first).unwrap().1, b"first\n\nbody");
        assert_eq!(
            fs::metadata(first).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777,
            0o700
        );
        spool.refuse(&spool.list()[1]).unwrap();
        spool.done(first).unwrap();
        spool.done(first).unwrap();
        drop(spool);
        // A number that was used is never used again for as long as its file is there.
        spool = open(folder.path());
        spool.add(&head("c", Granted), b"").unwrap();
        assert!(name(&spool.list()[0]).starts_with("00000000000000000003-"));
    }

    #[test]
    fn a_full_queue_loses_the_granted_first_and_no_intruder() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        for (id, kind) in [("a", Intruder), ("b", Granted), ("c", Granted)] {
            spool.add(&head(id, kind), b"").unwrap();
        }
        assert_eq!(
            spool.add(&head("d", Intruder), b"").unwrap(),
            [head("b", Granted)]
        );
        spool.add(&head("e", Intruder), b"").unwrap();
        assert_eq!(ids(&spool), ["a", "d", "e"]);
        for kind in [Granted, Intruder] {
            let full = spool.add(&head("f", kind), b"").unwrap_err();
            assert!(full.contains("is full"), "{full}");
        }
        assert_eq!(ids(&spool), ["a", "d", "e"]);
        let mut large = open(tempfile::tempdir().unwrap().path());
        assert!(large.add(&head("a", Intruder), &[0; 5000]).is_err());
    }

    #[test]
    fn damage_is_seen_and_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = open(folder.path());
        spool.add(&head("a", Intruder), b"some body").unwrap();
        let path = spool.list().remove(0);
        let whole = fs::read(&path).unwrap();
        let mut turned = whole.clone();
        *turned.last_mut().unwrap() ^= 1;
        let id = String::from_utf8(whole.clone())
            .unwrap()
            .replace("\"a\"", "\"b\"");
        for bad in [
            &whole[..whole.len() - 1],
            &turned,
            id.as_bytes(),
            b"",
            b"\n\n",
            b"{}\n",
        ] {
            fs::write(&path, bad).unwrap();
            assert!(spool.read(&path).is_err(), "{bad:?}");
        }
        spool.damaged(&path).unwrap();
        assert!(spool.list().is_empty());
        assert_eq!(list(&folder.path().join("damaged")).len(), 1);
    }

    #[test]
    fn a_place_is_checked_and_nothing_made() {
        let folder = tempfile::tempdir().unwrap();
        Spool::check(&folder.path().join("a/b")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(Spool::check(Path::new("/proc/no/queue")).is_err());
    }
}
