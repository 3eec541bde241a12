// SPDX-License-Identifier: MIT OR Apache-2.0
//! What detectors said, as lines of JSON: one per picture, also for those without a face.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use liveness::geometry::{Point, Rect};
use liveness::metrics::detection::Detection;
use serde::{Deserialize, Serialize};

use crate::cli::PredictionsArg;
use crate::look::Seen;
use crate::names::Index;
use crate::sets::Set;

/// The lowest score that is written: AP needs what a threshold would leave out.
pub(crate) const FLOOR: f32 = 0.02;

/// Scores all above this: somebody has left the others out.
const SUSPICIOUS: f32 = 0.1;

#[derive(Serialize, Deserialize)]
struct Line {
    image: String,
    faces: Vec<Face>,
}

#[derive(Serialize, Deserialize)]
struct Face {
    /// Left, top, width, height in pixels of the upright picture.
    #[serde(rename = "box")]
    rect: [f32; 4],
    score: f32,
    #[serde(default)]
    landmarks: Option<[[f32; 2]; 5]>,
}

impl From<&Detection> for Face {
    fn from(d: &Detection) -> Self {
        Self {
            rect: [d.rect.x, d.rect.y, d.rect.w, d.rect.h],
            score: d.score,
            landmarks: d.landmarks.map(|l| l.map(|p| [p.x, p.y])),
        }
    }
}

impl From<Face> for Detection {
    fn from(f: Face) -> Self {
        let [x, y, w, h] = f.rect;
        Self {
            rect: Rect::new(x, y, w, h),
            score: f.score,
            landmarks: f.landmarks.map(|l| l.map(|[x, y]| Point { x, y })),
            luma: None,
        }
    }
}

/// A detector that ran elsewhere.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) name: String,
    pub(crate) threshold: f32,
    path: PathBuf,
    /// By the place of the set and the name of the picture.
    found: BTreeMap<(usize, String), Vec<Detection>>,
}

impl Foreign {
    /// Reads what others found in the pictures of these sets.
    pub(crate) fn read(wanted: &[PredictionsArg], sets: &[Set]) -> anyhow::Result<Vec<Self>> {
        let pictures = sets.iter().enumerate().flat_map(|(i, set)| {
            let named = move |file: &String| (format!("{}/{file}", set.name), (i, file.clone()));
            let files = set.entries.iter().map(|e| &e.file);
            files.map(named)
        });
        let keys: Vec<(String, (usize, String))> = pictures.collect();
        let places = keys.iter().enumerate();
        let index = Index::of(places.map(|(i, (name, _))| (name.clone(), i)));
        let one = |arg: &PredictionsArg| {
            let found = read(&arg.file, &index, &keys);
            let found = found.with_context(|| arg.file.display().to_string())?;
            Ok(Self {
                name: arg.name.clone(),
                threshold: arg.threshold,
                path: arg.file.clone(),
                found,
            })
        };
        wanted.iter().map(one).collect()
    }

    /// Whether there is a line for this picture.
    pub(crate) fn knows(&self, set: usize, file: &str) -> bool {
        self.found.contains_key(&(set, file.to_owned()))
    }

    /// Takes out what was found in a picture.
    ///
    /// # Errors
    /// Without a line for it: a detector must not choose its pictures.
    pub(crate) fn take(&mut self, set: usize, file: &str) -> anyhow::Result<Vec<Detection>> {
        let found = self.found.remove(&(set, file.to_owned()));
        found.with_context(|| {
            let path = self.path.display();
            format!("{path}: no line for {file}; pictures without a face need one, too")
        })
    }
}

fn read(
    path: &Path,
    index: &Index<usize>,
    keys: &[(String, (usize, String))],
) -> anyhow::Result<BTreeMap<(usize, String), Vec<Detection>>> {
    let text = std::fs::read_to_string(path)?;
    let mut all = BTreeMap::new();
    let mut lowest = f32::INFINITY;
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(line).with_context(|| format!("line {}", i + 1))?;
        let place = index.find(&line.image).map_err(anyhow::Error::msg)?;
        let Some((name, key)) = place.and_then(|p| keys.get(p)) else {
            continue;
        };
        let found: Vec<Detection> = line.faces.into_iter().map(Detection::from).collect();
        lowest = found.iter().map(|d| d.score).fold(lowest, f32::min);
        if all.insert(key.clone(), found).is_some() {
            bail!("line {}: a second one for {name}", i + 1);
        }
    }
    if lowest.is_finite() && lowest > SUSPICIOUS {
        let path = path.display();
        eprintln!(
            "warning: {path}: the lowest score is {lowest:.2}; without those below, AP comes out too low"
        );
    }
    Ok(all)
}

/// Writes what a detector found, in the order of the pictures.
pub(crate) fn write(path: &Path, sets: &[Set], seen: &Seen) -> anyhow::Result<()> {
    let mut text = String::new();
    for (set, found) in sets.iter().zip(&seen.found) {
        for (entry, found) in set.entries.iter().zip(found) {
            let line = Line {
                image: format!("{}/{}", set.name, entry.file),
                faces: found.iter().map(Face::from).collect(),
            };
            writeln!(text, "{}", serde_json::to_string(&line)?)?;
        }
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}
