// SPDX-License-Identifier: MIT OR Apache-2.0
//! A data set's folder, opened to put pictures into it. Several stores, of several processes too, may be open on one folder.
//!
//! How a picture comes in, so that none is ever half there, numbered twice or overwritten, whenever the process is killed:
//! 1. It is written aside, into a hidden working folder of this store's own.
//! 2. Under the manifest's lock, which all stores share, it gets the next free number, its line goes to the end of the manifest,
//!    and it is linked to its name, which fails where something has that name already.
//!
//! What a killed process leaves is put right by the next one that opens the folder: a last line without its end is cut off; a
//! working folder that nobody holds any more is taken away, and a picture in it that has its line already gets its name.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::manifest::Manifest;
use super::record::Record;
use crate::error::{Error, Result};

/// How the names of working folders begin.
const WORK: &str = ".frameextract-";

/// The file in a working folder whose lock says that its process lives.
const HELD: &str = "lock";

/// A data set's folder, opened for writing.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    label: String,
    work: Arc<Work>,
    manifest: Manifest,
    /// The number of the next picture, as far as is known here.
    next: u64,
    durable: bool,
}

/// A picture that was put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Where it lies.
    pub path: PathBuf,
    /// Its number, which no other picture of the data set has or had.
    pub number: u64,
    /// Its line in the manifest.
    pub record: Record,
}

/// Whether `label` can be the name of a folder: the pictures lie in it. Empty for none.
///
/// # Errors
/// [`Error::Option`] where it cannot.
pub fn check_label(label: &str) -> Result<()> {
    let bad = label.starts_with('.')
        || label.len() > 255
        || label.contains(['/', '\\', char::REPLACEMENT_CHARACTER])
        || label.contains(char::is_control);
    if bad {
        return Err(Error::Option(format!(
            "label {label:?} cannot be the name of a folder: take a word such as real or spoof, of UTF-8 text, without slashes and \
             not starting with a dot"
        )));
    }
    Ok(())
}

impl Store {
    /// Opens the data set in `folder`, which is made where it does not exist, for pictures of `label`; gives the records that it
    /// holds. `durable`: a picture is on the disk, not only in the system's memory, before it counts as saved.
    ///
    /// # Errors
    /// [`Error::DataSet`] where the folder cannot be written to or its manifest cannot be understood, [`Error::Option`] for a bad
    /// label.
    pub fn open(folder: &Path, label: &str, durable: bool) -> Result<(Self, Vec<Record>)> {
        check_label(label)?;
        let pictures = folder.join(label);
        fs::create_dir_all(&pictures).map_err(|e| Error::data_set_io(&pictures, "made", &e))?;
        let mut manifest = Manifest::open(folder)?;
        let mut locked = manifest.lock()?;
        let records = locked.news()?;
        recover(folder, &records)?;
        let work = Work::new(folder, durable)?;
        drop(locked);
        let numbers = records.iter().filter_map(|r| number(Path::new(&r.file)));
        let next = numbers.chain(highest(folder)?).max().unwrap_or(0) + 1;
        let store = Self {
            folder: folder.to_owned(),
            label: label.to_owned(),
            work: Arc::new(work),
            manifest,
            next,
            durable,
        };
        Ok((store, records))
    }

    /// Where threads write pictures aside.
    pub fn work(&self) -> Arc<Work> {
        self.work.clone()
    }

    /// Puts a picture in. `record` gets its number and hash. `judge` sees what other stores have put in since the last time, and
    /// says whether this picture is still wanted; `None` where it is not.
    ///
    /// # Errors
    /// [`Error::DataSet`] where it cannot be put in; the data set is then as it was.
    pub fn put(
        &mut self,
        mut aside: Aside,
        mut record: Record,
        judge: impl FnOnce(&[Record]) -> bool,
    ) -> Result<Option<Saved>> {
        let mut locked = self.manifest.lock()?;
        let news = locked.news()?;
        let taken = news.iter().filter_map(|r| number(Path::new(&r.file)));
        self.next = taken.map(|n| n + 1).fold(self.next, u64::max);
        if !judge(&news) {
            return Ok(None);
        }
        record.sha256.clone_from(&aside.sha256);
        let folder = self.folder.join(&self.label);
        loop {
            let number = self.next;
            self.next += 1;
            let name = format!("{number:06}.{}", aside.extension);
            let path = folder.join(&name);
            if path.symlink_metadata().is_ok() {
                continue;
            }
            record.file = match self.label.as_str() {
                "" => name.clone(),
                label => format!("{label}/{name}"),
            };
            aside.rename(&self.work.path.join(&name))?;
            locked.append(&record)?;
            match place(&aside.path, &path) {
                Ok(()) => {
                    locked.keep(self.durable)?;
                    if self.durable {
                        let sync = File::open(&folder).and_then(|f| f.sync_all());
                        sync.map_err(|e| Error::data_set_io(&folder, "written to the disk", &e))?;
                    }
                    let record = record;
                    return Ok(Some(Saved {
                        path,
                        number,
                        record,
                    }));
                }
                // Somebody who knows nothing of the lock was faster.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => locked.take_back()?,
                Err(e) => {
                    locked.take_back()?;
                    return Err(Error::data_set_io(&path, "written", &e));
                }
            }
        }
    }
}

/// A working folder, held by the lock on a file in it for as long as this lives.
#[derive(Debug)]
pub struct Work {
    /// The data set's.
    folder: PathBuf,
    path: PathBuf,
    _held: File,
    /// Numbers the pictures written aside.
    count: AtomicU64,
    durable: bool,
}

impl Work {
    fn new(folder: &Path, durable: bool) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let path = folder.join(format!(
            "{WORK}{}-{:x}-{}",
            std::process::id(),
            now.unwrap_or_default().as_nanos(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        let make = || {
            fs::create_dir(&path)?;
            let held = File::create_new(path.join(HELD))?;
            held.lock()?;
            Ok(held)
        };
        let held = make().map_err(|e| Error::data_set_io(folder, "written to", &e))?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            _held: held,
            count: AtomicU64::new(0),
            durable,
        })
    }

    /// Writes a picture's bytes aside.
    ///
    /// # Errors
    /// [`Error::DataSet`] where they cannot be written; nothing is left of them then.
    pub fn aside(&self, bytes: &[u8], extension: &'static str) -> Result<Aside> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Dropped, it takes away what is left of a failed attempt.
        let aside = Aside {
            path: self.path.join(format!("aside-{count}")),
            extension,
            sha256: sha256(bytes),
        };
        let write = || {
            fs::write(&aside.path, bytes)?;
            if self.durable {
                File::open(&aside.path)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|e| Error::data_set_io(&self.folder, "written to", &e))?;
        Ok(aside)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // What is left in it was never promised to anybody. Where it cannot be removed, the next store does it.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A picture that was written aside; taken away again when this is dropped.
#[derive(Debug)]
pub struct Aside {
    path: PathBuf,
    extension: &'static str,
    sha256: String,
}

impl Aside {
    fn rename(&mut self, to: &Path) -> Result<()> {
        fs::rename(&self.path, to).map_err(|e| Error::data_set_io(&self.path, "renamed", &e))?;
        to.clone_into(&mut self.path);
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Gives a file its name, never that of another one.
fn place(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::hard_link(from, to) {
        // File systems of memory cards have no links.
        Err(e)
            if matches!(
                e.kind(),
                ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            if to.symlink_metadata().is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        done => done,
    }
}

/// Takes away the working folders of processes that live no more, and ends what they had begun. Under the manifest's lock.
fn recover(folder: &Path, records: &[Record]) -> Result<()> {
    let io = |e| Error::data_set_io(folder, "read", &e);
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let is_work = path
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with(WORK));
        // A folder whose lock cannot be had belongs to somebody who lives; one without a lock was only just begun.
        let abandoned = match File::open(path.join(HELD)) {
            Ok(held) => held.try_lock().is_ok(),
            Err(e) => e.kind() == ErrorKind::NotFound,
        };
        if is_work && abandoned {
            let files = fs::read_dir(&path).into_iter().flatten().flatten();
            for file in files.map(|f| f.path()) {
                finish(folder, &file, records)?;
            }
            // What cannot be removed disturbs nobody.
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

/// Gives a picture that was written aside its name, where its line is in the manifest.
fn finish(folder: &Path, file: &Path, records: &[Record]) -> Result<()> {
    let Some(number) = number(file) else {
        return Ok(());
    };
    let record = records.iter().rev().find(|r| {
        let named = Path::new(&r.file);
        self::number(named) == Some(number) && named.file_name() == file.file_name()
    });
    let Some(record) = record else {
        return Ok(());
    };
    let bytes = fs::read(file).map_err(|e| Error::data_set_io(file, "read", &e))?;
    let path = folder.join(&record.file);
    if sha256(&bytes) == record.sha256 {
        match place(file, &path) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => {
                return Err(Error::data_set_io(&path, "written", &e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The number that a picture's name is.
fn number(file: &Path) -> Option<u64> {
    let stem = file.file_stem()?.to_str()?;
    let digits = stem.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| stem.parse().ok()).flatten()
}

/// The numbers of all files in the data set's folders, those that no line names included.
fn highest(folder: &Path) -> Result<Option<u64>> {
    let mut highest = None;
    let mut look = |folder: &Path, below: &mut Vec<PathBuf>| -> Result<()> {
        let io = |e| Error::data_set_io(folder, "read", &e);
        for entry in fs::read_dir(folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if is_folder && !hidden {
                below.push(entry.path());
            } else if let Some(n) = number(&entry.path()) {
                highest = highest.max(Some(n));
            }
        }
        Ok(())
    };
    let mut labels = Vec::new();
    look(folder, &mut labels)?;
    for label in labels {
        look(&label, &mut Vec::new())?;
    }
    Ok(highest)
}

/// SHA-256 as hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::hash::Hash;
    use crate::dataset::record::{Kind, VERSION};

    fn record(label: &str) -> Record {
        Record {
            version: VERSION,
            file: String::new(),
            sha256: String::new(),
            kind: Kind::Face,
            label: label.into(),
            session: "s".into(),
            source: "f".into(),
            frame: 0,
            stream_time: None,
            frame_size: [1, 1],
            window: [0, 0, 1, 1],
            size: [1, 1],
            margin: None,
            faces: Vec::new(),
            hash: Hash::default(),
            tool: "test".into(),
            rendered: None,
        }
    }

    fn put(store: &mut Store, bytes: &[u8]) -> String {
        let aside = store.work().aside(bytes, "jpg").unwrap();
        let label = store.label.clone();
        let saved = store.put(aside, record(&label), |_| true).unwrap().unwrap();
        assert_eq!(fs::read(saved.path).unwrap(), bytes);
        saved.record.file
    }

    fn open(folder: &Path, label: &str) -> (Store, Vec<Record>) {
        Store::open(folder, label, false).unwrap()
    }

    #[test]
    fn numbers_go_on_behind_everything_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("fake")).unwrap();
        fs::write(path.join("fake/000041.png"), "somebody's").unwrap();
        fs::write(path.join("fake/portrait.png"), "somebody's").unwrap();
        let (mut store, _) = open(path, "real");
        assert_eq!(put(&mut store, b"a"), "real/000042.jpg");
        // Somebody who knows nothing of the manifest takes the next one.
        fs::write(path.join("real/000043.jpg"), "somebody's").unwrap();
        assert_eq!(put(&mut store, b"b"), "real/000044.jpg");
        assert_eq!(
            fs::read(path.join("real/000043.jpg")).unwrap(),
            b"somebody's"
        );
        // A picture that was deleted does not give its number away.
        fs::remove_file(path.join("real/000044.jpg")).unwrap();
        drop(store);
        let (mut store, records) = open(path, "");
        assert_eq!(records.len(), 2);
        assert_eq!(put(&mut store, b"c"), "000045.jpg");
        fs::write(path.join("999999.jpg"), "x").unwrap();
        drop(store);
        let (mut store, _) = open(path, "real");
        assert_eq!(put(&mut store, b"d"), "real/1000000.jpg");
    }

    #[test]
    fn what_a_killed_process_leaves_is_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (mut store, _) = open(path, "real");
        put(&mut store, b"a");
        // Killed behind the line and before the name: with the working folder of a dead process.
        let work = path.join(format!("{WORK}dead"));
        fs::create_dir(&work).unwrap();
        fs::write(work.join(HELD), "").unwrap();
        fs::write(work.join("aside-7"), "half").unwrap();
        fs::write(work.join("000002.jpg"), "whole").unwrap();
        fs::write(work.join("000003.jpg"), "damaged").unwrap();
        let mut lines = fs::read_to_string(path.join(manifest_name())).unwrap();
        for (number, bytes) in [(2, &b"whole"[..]), (3, b"not that")] {
            let mut r = record("real");
            r.file = format!("real/{number:06}.jpg");
            r.sha256 = sha256(bytes);
            lines += &(serde_json::to_string(&r).unwrap() + "\n");
        }
        // And one killed within its line.
        lines += "{\"version\":1,\"file\":\"real/0000";
        fs::write(path.join(manifest_name()), &lines).unwrap();
        let (mut other, records) = open(path, "real");
        assert_eq!(records.len(), 3);
        assert_eq!(fs::read(path.join("real/000002.jpg")).unwrap(), b"whole");
        assert!(!path.join("real/000003.jpg").exists());
        assert!(!work.exists());
        assert!(store.work.path.exists(), "somebody still works in this one");
        assert_eq!(put(&mut other, b"x"), "real/000004.jpg");
        assert_eq!(put(&mut store, b"y"), "real/000005.jpg");
        let read = super::super::manifest::read(path).unwrap();
        assert_eq!(read.len(), 5);
    }

    fn manifest_name() -> &'static str {
        super::super::manifest::NAME
    }

    #[test]
    fn others_are_seen_before_a_picture_comes_in() {
        let folder = tempfile::tempdir().unwrap();
        let (mut a, _) = open(folder.path(), "real");
        let (mut b, _) = open(folder.path(), "real");
        put(&mut a, b"1");
        put(&mut a, b"2");
        let aside = b.work().aside(b"3", "png").unwrap();
        let mut seen = 0;
        let refused = b.put(aside, record("real"), |news| {
            seen = news.len();
            false
        });
        assert_eq!((refused.unwrap(), seen), (None, 2));
        assert_eq!(put(&mut b, b"4"), "real/000003.jpg");
        assert_eq!(put(&mut a, b"5"), "real/000004.jpg");
        let left = fs::read_dir(&b.work.path).unwrap().count();
        assert_eq!(left, 1, "only the lock stays in the working folder");
    }

    #[test]
    fn a_name_that_is_taken_at_the_last_moment_is_left_to_its_taker() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = open(folder.path(), "real");
        let pictures = folder.path().join("real");
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Somebody who knows nothing of the manifest takes whatever number comes next, again and again.
                while !done.load(Ordering::Relaxed) {
                    let highest = highest(&pictures).unwrap().unwrap_or(0);
                    for next in 1..4 {
                        let name = format!("{:06}.jpg", highest + next);
                        let taken = File::create_new(pictures.join(name));
                        if let Ok(mut file) = taken {
                            std::io::Write::write_all(&mut file, b"somebody's").unwrap();
                        }
                    }
                }
            });
            for i in 0..300u32 {
                put(&mut store, &i.to_le_bytes());
            }
            done.store(true, Ordering::Relaxed);
        });
        let records = super::super::manifest::read(folder.path()).unwrap();
        assert_eq!(records.len(), 300);
        for record in records {
            let bytes = fs::read(folder.path().join(&record.file)).unwrap();
            assert_eq!(sha256(&bytes), record.sha256, "{}", record.file);
        }
    }

    #[test]
    fn a_manifest_that_is_not_one_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(manifest_name());
        let good = serde_json::to_string(&record("real")).unwrap();
        for (text, word) in [
            (format!("{good}\nnonsense\n"), "line 2"),
            (
                good.replace("\"version\":1", "\"version\":99") + "\n",
                "version 99",
            ),
            (good.replace("\"frame\":0", "\"frame\":-1") + "\n", "line 1"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = Store::open(folder.path(), "real", false)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(word) && error.contains("manifest.jsonl"),
                "{error}"
            );
            assert_eq!(
                fs::read_to_string(&path).unwrap(),
                text,
                "it was not touched"
            );
        }
        // Fields that a later version adds are no fault.
        let more = good.replace("\"version\":1", "\"version\":1,\"new\":[1]");
        fs::write(&path, more + "\n").unwrap();
        assert_eq!(open(folder.path(), "real").1.len(), 1);
    }

    #[test]
    fn a_manifest_that_is_replaced_under_way_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(manifest_name());
        let (mut store, _) = open(folder.path(), "real");
        put(&mut store, b"1");
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        let aside = store.work().aside(b"2", "jpg").unwrap();
        let error = store
            .put(aside, record("real"), |_| true)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("replaced") || error.contains("shortened"),
            "{error}"
        );
        assert!(!folder.path().join("real/000002.jpg").exists());
    }

    #[test]
    fn labels_that_are_no_names_of_folders_are_refused() {
        for label in [
            "a/b",
            "..",
            ".hidden",
            "a\\b",
            "x\0",
            "\u{fffd}",
            &"x".repeat(300),
        ] {
            assert!(check_label(label).is_err(), "{label:?}");
        }
        for label in ["", "real", "print attack", "größe"] {
            assert!(check_label(label).is_ok(), "{label:?}");
        }
    }
}
