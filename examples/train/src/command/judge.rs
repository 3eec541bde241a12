// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ONNX models answer about faces, through the code of the element, and how long they take.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Result, anyhow};
use liveness::face::Face;
use liveness::geometry::Rect;
use liveness::image::{Layout, Plane, View};
use liveness::liveness::{Classifier, Settings};
use liveness::model::ModelFile;
use liveness::runtime::Options;
use liveness_app::picture::Picture;

use super::progress;
use crate::data::patch::Patch;

/// One or several models that are fused.
pub(super) struct Judge {
    pub(super) files: Vec<ModelFile>,
    pub(super) classifier: Classifier,
}

impl Judge {
    /// `files` as the element takes them, see [`ModelFile::paths`].
    ///
    /// # Errors
    /// Where one cannot be read or is no liveness model.
    pub(super) fn open(files: &str) -> Result<Self> {
        let files = ModelFile::paths(Path::new(files))
            .iter()
            .map(|path| ModelFile::read(path, None))
            .collect::<Result<Vec<_>, _>>()?;
        Self::of(files)
    }

    pub(super) fn of(files: Vec<ModelFile>) -> Result<Self> {
        Ok(Self {
            classifier: Classifier::open(&files, Options::default())?,
            files,
        })
    }

    /// The probability of live for each face in its picture, none where the model gives none. Stops early, with what it has, when `stop`
    /// is set.
    ///
    /// # Errors
    /// Where a picture can no longer be read, or the model fails.
    pub(super) fn answers(
        &self,
        what: &str,
        faces: &[Patch],
        threads: usize,
        stop: &AtomicBool,
    ) -> Result<Vec<Option<f32>>> {
        let bar = progress::count(what, faces.len());
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<(usize, Option<f32>)>> {
            let mut classifier = Classifier::open(&self.files, Options::default())?;
            let mut answers = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(patch) = faces.get(i) else { break };
                answers.push((i, answer(&mut classifier, patch)?));
                bar.inc(1);
            }
            Ok(answers)
        };
        let parts = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            let done = workers.into_iter().map(|worker| {
                worker
                    .join()
                    .map_err(|_| anyhow!("a thread that judges faces died"))?
            });
            done.collect::<Result<Vec<_>>>()
        });
        bar.finish_and_clear();
        let mut all = vec![None; faces.len()];
        for (i, answer) in parts?.into_iter().flatten() {
            all[i] = answer;
        }
        Ok(all)
    }
}

fn answer(classifier: &mut Classifier, patch: &Patch) -> Result<Option<f32>> {
    let about = &patch.about;
    let picture =
        Picture::read(&about.path).map_err(|e| anyhow!("{} {e}", about.path.display()))?;
    let view = picture.view().map_err(|e| anyhow!(e))?;
    let mut rect = about.face;
    rect.x -= about.origin.0 as f32;
    rect.y -= about.origin.1 as f32;
    let mut faces = [Face {
        rect,
        ..Face::default()
    }];
    classifier.classify(&view, &mut faces, &Settings::default())?;
    Ok(faces[0].verdict.live)
}

/// How often each model is timed.
const ROUNDS: usize = 60;

/// Milliseconds per face of each model: the median over [`ROUNDS`] of a face of 200 pixels in a frame of 640 x 480, one thread, from frame to
/// verdict. The models take turns, so that all see the same load of the machine.
pub(super) fn time<'a>(judges: impl Iterator<Item = &'a mut Judge>) -> Result<Vec<f64>> {
    let layout = Layout::rgb8(640, 480);
    let pixels: Vec<u8> = (0..640 * 480 * 3usize)
        .map(|i| (i * 31 % 251) as u8)
        .collect();
    let plane = Plane {
        data: &pixels,
        stride: 640 * 3,
    };
    let view = View::new(&layout, &[plane])?;
    let mut faces = [Face {
        rect: Rect::new(220.0, 140.0, 200.0, 200.0),
        ..Face::default()
    }];
    let mut judges: Vec<&mut Judge> = judges.collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); judges.len()];
    for _ in 0..ROUNDS {
        for (judge, times) in judges.iter_mut().zip(&mut times) {
            let t = judge
                .classifier
                .classify(&view, &mut faces, &Settings::default())?;
            let whole = t.preprocess + t.inference + t.decode;
            times.push(whole.as_secs_f64() * 1e3);
        }
    }
    let median = |mut t: Vec<f64>| {
        t.sort_by(f64::total_cmp);
        t[t.len() / 2]
    };
    Ok(times.into_iter().map(median).collect())
}
