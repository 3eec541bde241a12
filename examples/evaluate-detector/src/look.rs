// SPDX-License-Identifier: MIT OR Apache-2.0
//! The walk over all pictures: each is decoded once and shown to every model.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use liveness::metrics::detection::Detection;
use liveness_app::picture::Picture;

use crate::light;
use crate::model::Contender;
use crate::predictions::Foreign;
use crate::sets::{Entry, LeftOut, Set};

/// What one detector found.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) name: String,
    /// From which score on it calls something a face.
    pub(crate) threshold: f32,
    /// For each set, for each of its pictures.
    pub(crate) found: Vec<Vec<Vec<Detection>>>,
}

/// Shows the pictures to the models, and asks the others what they had found. Pictures that cannot be used are taken out of the sets.
/// First the models in their order, then the others. Faces get their luma where `by_light`. None when it was stopped.
pub(crate) fn at(
    sets: &mut [Set],
    models: &mut [Contender],
    mut foreign: Vec<Foreign>,
    by_light: bool,
    stop: &AtomicBool,
) -> anyhow::Result<Option<Vec<Seen>>> {
    let of_models = models.iter().map(|m| (&m.name, m.threshold));
    let of_others = foreign.iter().map(|f| (&f.name, f.threshold));
    let all = of_models.chain(of_others);
    let mut seen: Vec<Seen> = all
        .map(|(name, threshold)| Seen {
            name: name.clone(),
            threshold,
            found: vec![],
        })
        .collect();
    for (place, set) in sets.iter_mut().enumerate() {
        seen.iter_mut().for_each(|s| s.found.push(vec![]));
        for entry in std::mem::take(&mut set.entries) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            // Without a model, only pictures that somebody could not read need a look, or those whose light counts.
            let looked_for = !models.is_empty()
                || by_light
                || entry.size.is_none()
                || foreign.iter().any(|f| !f.knows(place, &entry.file));
            let read = looked_for.then(|| Picture::read(&entry.path)).transpose();
            let read = read.and_then(|p| fits(entry.clone(), p.as_ref()).map(|e| (e, p)));
            let (mut entry, picture) = match read {
                Ok(both) => both,
                Err(reason) => {
                    set.left_out.push(LeftOut {
                        file: entry.file,
                        reason,
                        broken: true,
                    });
                    continue;
                }
            };
            let mut answers = Vec::new();
            if let Some(picture) = &picture {
                for model in models.iter_mut() {
                    let found = model.detect(picture.size(), picture.rgb());
                    answers.push(found.with_context(|| entry.path.display().to_string())?.0);
                }
            }
            for other in &mut foreign {
                answers.push(other.take(place, &entry.file)?);
            }
            if let Some(picture) = picture.filter(|_| by_light) {
                for label in &mut entry.truth.labels {
                    label.luma = light::mean_luma(&picture, &label.rect);
                }
                for detection in answers.iter_mut().flatten() {
                    detection.luma = light::mean_luma(&picture, &detection.rect);
                }
            }
            for (seen, found) in seen.iter_mut().zip(answers) {
                seen.found.last_mut().into_iter().for_each(|f| {
                    // Once for each picture: there are as many as entries.
                    f.push(found.clone());
                });
            }
            set.entries.push(entry);
        }
    }
    Ok(Some(seen))
}

/// The entry with its size; what its labels say of that must be true, or their boxes lie elsewhere.
fn fits(entry: Entry, picture: Option<&Picture>) -> Result<Entry, String> {
    let Some(picture) = picture else {
        return Ok(entry);
    };
    let (w, h) = picture.size();
    match entry.size {
        Some((a, b)) if (a, b) != (w, h) => Err(format!("is {w}x{h}, and {a}x{b} by its labels")),
        _ => Ok(entry.sized((w, h))),
    }
}
