// SPDX-License-Identifier: MIT OR Apache-2.0
//! Little trees of empty files, for the tests of the layouts.

use std::path::Path;

use crate::dataset::label::{Attack, Class};
use crate::dataset::sample::{DataSet, Sample};

pub(super) struct Tree(tempfile::TempDir);

impl Tree {
    pub(super) fn new(files: &[&str]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for file in files {
            tree.write(file, "");
        }
        tree
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn read(&self) -> DataSet {
        super::read(self.path()).unwrap_or_else(|e| panic!("{e}"))
    }
}

impl DataSet {
    /// The sample whose path ends so.
    pub(super) fn sample(&self, end: &str) -> &Sample {
        let mut with = self.samples.iter().filter(|s| s.path.ends_with(end));
        let sample = with.next().unwrap_or_else(|| panic!("no {end} in {self}"));
        assert!(with.next().is_none(), "several {end} in {self}");
        sample
    }

    /// What the tests ask most: class, attack, session, client.
    pub(super) fn told(&self, end: &str) -> (Class, Option<Attack>, &str, Option<&str>) {
        let s = self.sample(end);
        (s.class, s.attack, &s.session, s.client.as_deref())
    }

    /// The reason for which a file was left out.
    pub(super) fn reason(&self, end: &str) -> &str {
        let left = self.left_out.iter().find(|l| l.path.ends_with(end));
        &left
            .unwrap_or_else(|| panic!("{end} not left out of {self}"))
            .reason
    }
}
