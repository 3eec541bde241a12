// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done already: a line in the data set for each input that was read to its end. Knows files, nothing of GStreamer.
//!
//! Several processes may write to it at the same time. A line that was cut off, because its writer was killed, is left out and
//! taken away by the next one who writes.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Sub;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use liveness::sync::lock;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::inputs::Input;

/// Name of the journal in the data set's folder.
pub(crate) const NAME: &str = ".liveness-extract.jsonl";

/// What became of the faces of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) frames: u64,
    pub(crate) faces: u64,
    pub(crate) saved: u64,
    /// Pictures that an earlier run has saved.
    #[serde(rename = "already-there")]
    pub(crate) already_there: u64,
    /// How many faces were not saved, by the reason.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Sub for Totals {
    type Output = Self;

    /// What was added since `before`.
    fn sub(mut self, before: Self) -> Self {
        self.frames = self.frames.saturating_sub(before.frames);
        self.faces = self.faces.saturating_sub(before.faces);
        self.saved = self.saved.saturating_sub(before.saved);
        self.already_there = self.already_there.saturating_sub(before.already_there);
        for (reason, n) in before.refused {
            self.refused
                .entry(reason)
                .and_modify(|m| *m = m.saturating_sub(n));
        }
        self.refused.retain(|_, n| *n > 0);
        self
    }
}

/// What makes two runs over an input the same run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    source: String,
    size: u64,
    modified: u64,
    label: String,
    session: String,
    /// A digest of all that decides what is saved.
    options: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    totals: Totals,
}

/// The journal of a data set.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    done: HashMap<Key, Totals>,
}

impl Key {
    pub(crate) fn new(input: &Input, label: &str, session: &str, options: &str) -> Self {
        Self {
            source: input.source.clone(),
            size: input.size,
            modified: input.modified,
            label: label.to_owned(),
            session: session.to_owned(),
            options: options.to_owned(),
        }
    }
}

/// A digest of these, in this order.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut digest = Sha256::new();
    for (name, value) in parts {
        // With their lengths, so that no two lists read the same.
        for part in [name.as_bytes(), value] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
    let bytes = digest.finalize();
    bytes[..8].iter().map(|b| format!("{b:02x}")).collect()
}

impl Journal {
    /// The journal of the data set in `folder`, which is made where it does not exist.
    ///
    /// # Errors
    /// Where the folder cannot be written to.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("the data set {} cannot be made", folder.display()))?;
        let path = folder.join(NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        let mut bytes = Vec::new();
        file.lock_shared()
            .and_then(|()| file.read_to_end(&mut bytes))
            .and_then(|_| file.unlock())
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self {
            path,
            file: Mutex::new(file),
            done: entries(&bytes).map(|e| (e.key, e.totals)).collect(),
        })
    }

    /// What came of this input, where it was read to its end before this run.
    pub(crate) fn done(&self, key: &Key) -> Option<&Totals> {
        self.done.get(key)
    }

    /// Notes that an input was read to its end.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub(crate) fn add(&self, key: Key, totals: Totals) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&Entry { key, totals })?;
        line.push(b'\n');
        let mut file = lock(&self.file);
        file.lock()
            .and_then(|()| {
                let written = end_line(&mut file).and_then(|()| file.write_all(&line));
                written.and(file.unlock())
            })
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

/// Takes away a last line without an end.
fn end_line(file: &mut File) -> std::io::Result<()> {
    /// More than any line has.
    const TAIL: u64 = 1 << 16;
    let size = file.seek(SeekFrom::End(0))?;
    let start = file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    if whole < tail.len() {
        file.set_len(start + whole as u64)?;
    }
    Ok(())
}

/// The whole lines. What is no entry is none of ours, or of a later version: such an input is read again, which does no harm.
fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    bytes[..whole]
        .split(|&b| b == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(source: &str) -> Key {
        Key {
            source: source.into(),
            size: 1,
            modified: 2,
            label: "real".into(),
            session: "s".into(),
            options: "o".into(),
        }
    }

    fn totals(saved: u64) -> Totals {
        let refused = [("blurred".to_owned(), 3)].into();
        Totals {
            saved,
            refused,
            ..Totals::default()
        }
    }

    #[test]
    fn what_is_done_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("new/set");
        let journal = Journal::open(&set).unwrap();
        assert_eq!(journal.done(&key("a")), None);
        journal.add(key("a"), totals(7)).unwrap();
        journal.add(key("b"), totals(8)).unwrap();
        let next = Journal::open(&set).unwrap();
        assert_eq!(next.done(&key("a")), Some(&totals(7)));
        assert_eq!(next.done(&key("b")), Some(&totals(8)));
        let changed = Key {
            modified: 3,
            ..key("a")
        };
        assert_eq!(next.done(&changed), None);
    }

    #[test]
    fn a_line_that_was_cut_off_is_left_out_and_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        Journal::open(folder.path())
            .unwrap()
            .add(key("a"), totals(1))
            .unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in 1..whole.len() {
            let mut bytes = whole.clone();
            bytes.extend(&whole[..cut]);
            fs::write(&path, &bytes).unwrap();
            let journal = Journal::open(folder.path()).unwrap();
            assert_eq!(journal.done(&key("a")), Some(&totals(1)));
            journal.add(key("b"), totals(2)).unwrap();
            let lines = fs::read_to_string(&path).unwrap();
            assert_eq!(lines.lines().count(), 2, "{lines}");
            let next = Journal::open(folder.path()).unwrap();
            assert_eq!(next.done(&key("b")), Some(&totals(2)));
        }
    }

    #[test]
    fn nonsense_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        fs::write(&path, b"\n{}\n\xff\xfe\n[1, 2]\n").unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        journal.add(key("a"), totals(1)).unwrap();
        let next = Journal::open(folder.path()).unwrap();
        assert_eq!(next.done(&key("a")), Some(&totals(1)));
        assert!(fs::read(&path).unwrap().starts_with(b"\n{}\n\xff\xfe\n"));
    }

    #[test]
    fn many_at_once_leave_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                // Each with a file of its own, as processes have.
                let journal = Journal::open(folder.path()).unwrap();
                scope.spawn(move || {
                    for i in 0..50 {
                        journal
                            .add(key(&format!("{writer}/{i}")), totals(i))
                            .unwrap();
                    }
                });
            }
        });
        let all = Journal::open(folder.path()).unwrap();
        assert_eq!(all.done.len(), 400);
    }

    #[test]
    fn what_was_counted_before_is_taken_off() {
        let mut more = totals(9);
        more.refused = [("blurred".to_owned(), 3), ("dark".to_owned(), 1)].into();
        let added = more - totals(7);
        assert_eq!(added.saved, 2);
        assert_eq!(added.refused, [("dark".to_owned(), 1)].into());
    }

    #[test]
    fn no_two_lists_have_one_digest() {
        let digest =
            |parts: &[(&str, &str)]| super::digest(parts.iter().map(|(n, v)| (*n, v.as_bytes())));
        assert_eq!(digest(&[("a", "b")]), digest(&[("a", "b")]));
        assert_ne!(digest(&[("a", "b")]), digest(&[("ab", "")]));
        assert_ne!(digest(&[("a", "b"), ("c", "d")]), digest(&[("a", "bcd")]));
        assert_ne!(digest(&[]), digest(&[("", "")]));
    }
}
