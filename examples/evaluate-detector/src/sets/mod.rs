// SPDX-License-Identifier: MIT OR Apache-2.0
//! Folders of pictures with what is known of them.

mod dlib;
mod folder;
mod ignore;
mod jsonl;
mod split;

use std::path::{Path, PathBuf};

use anyhow::bail;
use liveness::metrics::detection::Truth;
use serde::Serialize;

use crate::cli::Cli;
use crate::names;

/// A folder of pictures.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) entries: Vec<Entry>,
    /// It is known which faces are in its pictures.
    pub(crate) labelled: bool,
    /// Pictures that are not among the entries.
    pub(crate) left_out: Vec<LeftOut>,
}

/// A picture and what is true of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its path within the folder, with slashes.
    pub(crate) file: String,
    pub(crate) path: PathBuf,
    /// Width and height in pixels, where the labels say them.
    pub(crate) size: Option<(usize, usize)>,
    pub(crate) truth: Truth,
    /// It has no face, but something like one.
    pub(crate) hard: bool,
}

impl Entry {
    /// Without labels.
    fn of(folder: &Path, file: String) -> Self {
        Self {
            path: folder.join(&file),
            file,
            size: None,
            truth: Truth::default(),
            hard: false,
        }
    }

    /// The same with its size.
    pub(crate) fn sized(self, (width, height): (usize, usize)) -> Self {
        let truth = Truth {
            long_side: width.max(height) as f64,
            ..self.truth
        };
        Self {
            size: Some((width, height)),
            truth,
            ..self
        }
    }
}

/// A picture that is not measured on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LeftOut {
    pub(crate) file: String,
    pub(crate) reason: String,
    /// Something is wrong with it.
    pub(crate) broken: bool,
}

/// Reads the sets that the user named, as far as they are wanted.
pub(crate) fn read(cli: &Cli) -> anyhow::Result<Vec<Set>> {
    let paths: Vec<&Path> = cli.sets.iter().map(PathBuf::as_path).collect();
    let names = names::tails(&paths);
    if let Some(name) = names::twice(names.iter()) {
        bail!("{name} is named twice");
    }
    let part = match (&cli.split, &cli.part) {
        (Some(file), Some(part)) => Some(split::Part::read(file, part)?),
        _ => None,
    };
    let ignore = ignore::Ignore::read(&cli.ignore)?;
    let mut sets = Vec::new();
    for (path, name) in paths.iter().zip(names) {
        let mut set = Set {
            name,
            entries: vec![],
            labelled: true,
            left_out: vec![],
        };
        if let Some(entries) = jsonl::read(path)? {
            set.labelled = entries.iter().all(|e| e.1);
            set.entries = entries.into_iter().map(|e| e.0).collect();
        } else if let Some(entries) = dlib::read(path)? {
            set.entries = entries;
        } else {
            set.entries = folder::read(path)?;
            set.labelled = false;
        }
        if let Some(part) = &part {
            part.restrict(&mut set)?;
        }
        if set.entries.is_empty() {
            bail!("{}: no picture to look at", path.display());
        }
        ignore.apply(&mut set);
        if !set.labelled && cli.predictions_out.is_none() {
            let path = path.display();
            bail!(
                "{path}: nobody has labelled its faces, so there is nothing to measure (labels.jsonl; training.xml and \
                 testing.xml; or only --predictions-out)"
            );
        }
        sets.push(set);
    }
    Ok(sets)
}
