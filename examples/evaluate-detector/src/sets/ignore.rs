// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where there may be faces that nobody labelled.

use std::collections::BTreeMap;

use anyhow::Context;
use liveness::geometry::Rect;
use serde::Deserialize;

use super::jsonl::{Corners, rect};
use super::{LeftOut, Set};
use crate::cli::IgnoreArg;

/// Where the regions come from.
#[derive(Debug)]
pub(super) enum Ignore {
    Labels,
    None,
    /// By the name of the picture.
    List(BTreeMap<String, Vec<Rect>>),
}

#[derive(Deserialize)]
struct Line {
    file: String,
    ignore: Vec<Corners>,
}

impl Ignore {
    /// Reads the list, if it is one.
    pub(super) fn read(wanted: &IgnoreArg) -> anyhow::Result<Self> {
        let path = match wanted {
            IgnoreArg::Labels => return Ok(Self::Labels),
            IgnoreArg::None => return Ok(Self::None),
            IgnoreArg::File(path) => path,
        };
        let named = || format!("{} (--ignore takes labels, none or a file)", path.display());
        let text = std::fs::read_to_string(path).with_context(named)?;
        let lines = text.lines().filter(|l| !l.trim().is_empty());
        let read = |line: &str| -> anyhow::Result<_> {
            let line: Line = serde_json::from_str(line)?;
            Ok((line.file, line.ignore.into_iter().map(rect).collect()))
        };
        let list = lines.map(read).collect::<anyhow::Result<_>>();
        list.map(Self::List).with_context(named)
    }

    /// Gives each picture its regions. Pictures without a face have none: whatever is found there is wrong.
    pub(super) fn apply(&self, set: &mut Set) {
        let mut kept = Vec::new();
        for mut entry in std::mem::take(&mut set.entries) {
            let faces = !entry.truth.labels.is_empty();
            match self {
                Self::Labels if faces => {}
                Self::Labels | Self::None => entry.truth.ignore.clear(),
                Self::List(_) if !faces => entry.truth.ignore.clear(),
                Self::List(list) => match list.get(&entry.file) {
                    Some(regions) => entry.truth.ignore.clone_from(regions),
                    None => {
                        set.left_out.push(LeftOut {
                            file: entry.file,
                            reason: "is not in the list of --ignore".into(),
                            broken: false,
                        });
                        continue;
                    }
                },
            }
            kept.push(entry);
        }
        set.entries = kept;
    }
}
