// SPDX-License-Identifier: MIT OR Apache-2.0
//! From folders to faces in memory, and everything about them that the user must see before believing a figure.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, ensure};
use liveness::dataset::label::Class;
use liveness::dataset::sample::LeftOut;
use liveness::model::ModelFile;
use liveness_app::models;

use super::progress;
use crate::cli::{CropsBy, FacesArgs};
use crate::data::group::{follow, regroup};
use crate::data::input::InputSpec;
use crate::data::leak::leaks;
use crate::data::load::{self, load};
use crate::data::loaded::Loaded;
use crate::data::patch::Patch;
use crate::data::place::Crops;
use crate::data::scan::{Role, Scan, Source, scan};

/// Files that are named on the terminal at the most; all are in the report's folder.
const NAMED: usize = 10;

/// What a report calls the parts that were held out of the folders to train on. A folder to measure on that has such a name is called by
/// its path.
const PARTS: [&str; 2] = ["held out", "validation"];

/// The faces of all folders.
pub(super) struct Gathered {
    /// To train on.
    pub(super) train: Vec<Patch>,
    /// To measure on: the name of each folder and its faces.
    pub(super) tests: Vec<(String, Arc<[Patch]>)>,
    /// What the report should say.
    pub(super) notes: Vec<String>,
    /// Pictures that cannot be used.
    pub(super) left_out: Vec<LeftOut>,
}

/// How pictures are read.
pub(super) struct How<'a> {
    pub(super) faces: &'a FacesArgs,
    pub(super) threads: usize,
    pub(super) spec: InputSpec,
}

impl How<'_> {
    /// # Errors
    /// Where the detector cannot be read.
    pub(super) fn options(self) -> Result<load::Options> {
        Ok(load::Options {
            spec: self.spec,
            detector: detector(self.faces)?,
            crops: match self.faces.crops {
                CropsBy::Auto => Crops::Auto,
                CropsBy::None => Crops::None,
                CropsBy::Margin(margin) => Crops::All(margin),
            },
            threads: Some(self.threads),
        })
    }
}

/// Reads the folders, and tells on standard output what is in them.
///
/// # Errors
/// Where a folder or all of its pictures cannot be used, and what [`scan`] refuses.
pub(super) fn gather(train: &[PathBuf], test: &[PathBuf], how: How) -> Result<Gathered> {
    let scan = scan(train, test)?;
    print!("{scan}");
    let options = how.options()?;
    let mut notes = scan.notes.clone();
    let mut left_out: Vec<LeftOut> = scan
        .folders
        .iter()
        .flat_map(|f| f.left_out.clone())
        .collect();
    let mut load = |sources: &[Source], what: &str| -> Result<Vec<Patch>> {
        let bar = progress::count(what, sources.len());
        let loaded = load(sources, &options, &|done, _| bar.set_position(done as u64));
        bar.finish_and_clear();
        let mut loaded = loaded?;
        tell(&loaded, what);
        left_out.append(&mut loaded.left_out);
        notes.extend(regroup(&mut loaded.patches));
        follow(&mut loaded.patches);
        Ok(loaded.patches)
    };
    let mut faces = match train.is_empty() {
        true => Vec::new(),
        false => load(&scan.sources(Role::Train), "to train on")?,
    };
    let mut tests: Vec<(String, Arc<[Patch]>)> = Vec::new();
    for (name, sources) in by_folder(&scan) {
        tests.push((name.clone(), load(&sources, &name)?.into()));
    }
    for (name, test) in &tests {
        let leaks = leaks(&faces, test);
        notes.extend(leaks.note().map(|note| format!("{name}: {note}")));
        let mut drop = leaks.drop.iter().peekable();
        let mut i = 0;
        faces.retain(|_| {
            let dropped = drop.next_if(|d| **d == i).is_some();
            i += 1;
            !dropped
        });
    }
    if !train.is_empty() {
        for class in [Class::Live, Class::Spoof] {
            ensure!(
                faces.iter().any(|f| f.about.class == class),
                "no {class} picture is left to train on: {}",
                notes.join("; ")
            );
        }
    }
    for note in notes.iter().skip(scan.notes.len()) {
        println!("note: {note}");
    }
    Ok(Gathered {
        train: faces,
        tests,
        notes,
        left_out,
    })
}

/// The detector that was named, or the one that ships. None where no face has to be found, or without ONNX Runtime: crops and manifests
/// need none.
fn detector(faces: &FacesArgs) -> Result<Option<ModelFile>> {
    if matches!(faces.crops, CropsBy::Margin(_)) {
        return Ok(None);
    }
    let named = faces.detector();
    if named.is_none()
        && let Err(error) = liveness::runtime::environment()
    {
        println!("note: no face is looked for: {error}");
        return Ok(None);
    }
    Ok(Some(models::detector(named.as_deref())?))
}

/// The folders to measure on, each with a name of its own.
fn by_folder(scan: &Scan) -> Vec<(String, Vec<Source>)> {
    let mut named: Vec<(String, Vec<Source>)> = Vec::new();
    let mut last = None;
    for source in scan.sources(Role::Test) {
        if last != Some(source.folder) {
            last = Some(source.folder);
            let root = &scan.folders[source.folder].root;
            let short = root.file_name().map(|n| n.to_string_lossy().into_owned());
            let short = short.unwrap_or_else(|| root.display().to_string());
            let taken = PARTS.contains(&&*short) || named.iter().any(|(n, _)| *n == short);
            let name = if taken {
                root.display().to_string()
            } else {
                short
            };
            named.push((name, Vec::new()));
        }
        if let Some((_, sources)) = named.last_mut() {
            sources.push(source);
        }
    }
    named
}

pub(super) fn tell(loaded: &Loaded, what: &str) {
    print!("{what}: {loaded}");
    for left in loaded.left_out.iter().take(NAMED) {
        eprintln!("left out: {}: {}", left.path.display(), left.reason);
    }
    let more = loaded.left_out.len().saturating_sub(NAMED);
    if more > 0 {
        eprintln!("left out: {more} more; left-out.csv names all");
    }
}

/// What was left out as a table: path and reason.
pub(super) fn left_out_csv(left: &[LeftOut]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |l: &LeftOut| {
        let path = l.path.display().to_string();
        format!("{},{}\n", quoted(&path), quoted(&l.reason))
    };
    let lines: String = left.iter().map(line).collect();
    format!("path,reason\n{lines}")
}
