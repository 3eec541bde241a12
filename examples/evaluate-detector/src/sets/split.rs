// SPDX-License-Identifier: MIT OR Apache-2.0
//! One part of a division of sets: `{"SET": {"PART": ["picture", ...]}}`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::Set;

/// The pictures of one part.
#[derive(Debug)]
pub(super) struct Part {
    origin: PathBuf,
    name: String,
    sets: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Part {
    /// Reads a division.
    pub(super) fn read(path: &Path, name: &str) -> anyhow::Result<Self> {
        let named = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(named)?;
        Ok(Self {
            origin: path.to_owned(),
            name: name.to_owned(),
            sets: serde_json::from_str(&text).with_context(named)?,
        })
    }

    /// Keeps the pictures of this part alone.
    pub(super) fn restrict(&self, set: &mut Set) -> anyhow::Result<()> {
        let (origin, part) = (self.origin.display(), &self.name);
        let named = set.name.rsplit('/').next().unwrap_or_default();
        let parts = self.sets.get(&set.name).or_else(|| self.sets.get(named));
        let Some(files) = parts.and_then(|parts| parts.get(part)) else {
            bail!("{origin} knows no part {part} of {}", set.name);
        };
        set.entries.retain(|e| files.contains(&e.file));
        let kept: BTreeSet<&String> = set.entries.iter().map(|e| &e.file).collect();
        if let Some(gone) = files.iter().find(|f| !kept.contains(f)) {
            bail!("{origin} names {gone} in {}, where it is not", set.name);
        }
        Ok(())
    }
}
