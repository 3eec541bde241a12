// SPDX-License-Identifier: MIT OR Apache-2.0
//! The data set that spoofs are put into, one whole picture after the other. Knows records and files, not how a spoof is made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use liveness::dataset::picture::Coding;
use liveness::dataset::record::Record;
use liveness::dataset::store::Store;
use liveness_app::files::replace;

use crate::render::Kind;
use crate::render::sheet::{MOST, Thumbnail, sheet};

/// Name of the contact sheet in the data set, where the user chose no other place.
const SHEET: &str = "contact-sheet.png";

/// A spoof that is ready to be put in.
pub(super) struct Ready {
    pub(super) kind: Kind,
    /// The file.
    pub(super) bytes: Vec<u8>,
    /// Its line in the manifest; the store gives it its name and its hash.
    pub(super) record: Record,
    pub(super) thumbnail: Thumbnail,
}

/// A data set that is being made. There is no folder before there is a picture.
pub(super) struct Album {
    folder: PathBuf,
    sheet: PathBuf,
    stores: BTreeMap<Kind, Store>,
    thumbnails: Vec<Thumbnail>,
    /// Pictures of each kind.
    pub(super) counts: BTreeMap<Kind, usize>,
}

impl Album {
    /// A new one at `folder`; `sheet` is where the contact sheet goes, if not into it.
    ///
    /// # Errors
    /// Where something is there already, or the sheet has no folder to go to.
    pub(super) fn new(folder: &Path, sheet: Option<&Path>) -> Result<Self> {
        if folder.symlink_metadata().is_ok() {
            let mut entries = std::fs::read_dir(folder)
                .with_context(|| format!("{} cannot be used as a folder", folder.display()))?;
            ensure!(
                entries.next().is_none(),
                "{} holds something already: name another folder",
                folder.display()
            );
        }
        if let Some(sheet) = sheet {
            let parent = sheet.parent().filter(|p| !p.as_os_str().is_empty());
            ensure!(
                parent.is_none_or(|p| p.is_dir() || p == folder) && !sheet.is_dir(),
                "the contact sheet cannot be written to {}: there is no such folder, or it is one itself",
                sheet.display()
            );
        }
        Ok(Self {
            folder: folder.to_owned(),
            sheet: sheet.map_or_else(|| folder.join(SHEET), Path::to_owned),
            stores: BTreeMap::new(),
            thumbnails: Vec::new(),
            counts: BTreeMap::new(),
        })
    }

    /// Puts a picture in.
    ///
    /// # Errors
    /// Where it cannot be written; the data set is then as it was.
    pub(super) fn put(&mut self, ready: Ready) -> Result<()> {
        let Ready {
            kind,
            bytes,
            record,
            thumbnail,
        } = ready;
        if !self.stores.contains_key(&kind) {
            let (store, _) = Store::open(&self.folder, kind.as_str(), false)?;
            self.stores.insert(kind, store);
        }
        let store = self.stores.get_mut(&kind).context("it was just opened")?;
        let aside = store.work().aside(&bytes, Coding::Jpeg(0).extension())?;
        store.put(aside, record, |_| true)?;
        *self.counts.entry(kind).or_default() += 1;
        if self.thumbnails.len() < MOST {
            self.thumbnails.push(thumbnail);
        }
        Ok(())
    }

    /// How many were put in.
    pub(super) fn len(&self) -> usize {
        self.counts.values().sum()
    }

    /// Writes the contact sheet, if there is something to show; gives its place.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn close(&self) -> Result<Option<&Path>> {
        if self.thumbnails.is_empty() {
            return Ok(None);
        }
        replace(&self.sheet, &sheet(&self.thumbnails)?)
            .with_context(|| format!("cannot write {}", self.sheet.display()))?;
        Ok(Some(&self.sheet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_touched_and_nothing_is_made_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        let (new, full) = (dir.path().join("new"), dir.path().join("full"));
        std::fs::create_dir(&full).unwrap();
        assert!(Album::new(&full, None).is_ok(), "an empty one will do");
        std::fs::write(full.join("mine"), "mine").unwrap();
        let refused = |folder: &Path, sheet| match Album::new(folder, sheet) {
            Ok(_) => String::new(),
            Err(error) => format!("{error:#}"),
        };
        assert!(refused(&full, None).contains("another folder"));
        assert!(refused(&full.join("mine"), None).contains("as a folder"));
        let nowhere = dir.path().join("no/sheet.png");
        assert!(refused(&new, Some(&nowhere)).contains("contact sheet"));
        assert!(Album::new(&new, Some(&new.join("sheet.png"))).is_ok());
        assert!(!new.exists());
    }
}
