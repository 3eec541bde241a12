// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report of a training or an evaluation: one folder with the figures, their intervals, plots and the worst mistakes.
//!
//! [`Report`] is plain data that the others fill in; [`write()`] makes the folder. It knows [`liveness::metrics`] and pictures,
//! nothing of nets or training.
//!
//! | file | what it is |
//! |---|---|
//! | `report.html` | everything on one page, light or dark, without a script or another file |
//! | `report.md` | the same as text, with `plots/*.png` |
//! | `plots/*.png`, `plots/*.svg` | each figure |
//! | `mistakes.png` | the worst mistakes as pictures |
//! | `metrics.json` | all figures with intervals and counts, for programs |
//! | `history.csv` | all epochs |
//! | `labels.json` | the class names in the order of the model's outputs |
//!
//! What training itself leaves beside it is listed in [`OWN`].

mod document;
mod files;
mod folder;
mod html;
mod input;
mod markdown;
mod measured;
mod mistakes;
mod plot;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use image::{ImageFormat, RgbImage};

pub use folder::OWN;
pub use input::{DataRow, Epoch, EvaluationSet, Model, Optimism, Report, Split, Threshold};
pub use mistakes::Load;

/// Writes a report into a folder, which appears when it is whole. An earlier report there is replaced; a folder with anything else in it
/// is not touched. `more` are files to be put beside it, by the names in [`OWN`].
///
/// # Errors
/// Where the folder holds something else or cannot be written to; nothing is left of the new report then.
pub fn write(report: &Report, folder: &Path, more: &[(&str, &[u8])]) -> Result<()> {
    write_with(report, folder, more, &mistakes::from_file)
}

/// As [`write()`]; `load` reads the picture of a mistake, and one that it cannot read is shown by its name.
///
/// # Errors
/// Those of [`write()`].
pub fn write_with(
    report: &Report,
    folder: &Path,
    more: &[(&str, &[u8])],
    load: Load,
) -> Result<()> {
    check(report)?;
    let folder = folder::Folder::begin(folder)?;
    let measured = measured::Measured::all(report);
    let figures = plot::Figures::of(report, &measured);
    for figure in figures.all() {
        let name = &figure.name;
        let svg = plot::paint::svg(&figure.scene, &figure.alt)?;
        folder.put(&format!("plots/{name}.svg"), svg.as_bytes())?;
        let png = png(&plot::paint::picture(&figure.scene)?)?;
        folder.put(&format!("plots/{name}.png"), &png)?;
    }
    let mistakes = match measured.first() {
        Some(first) => mistakes::sheet(first, load)?,
        None => None,
    };
    if let Some((sheet, _)) = &mistakes {
        folder.put("mistakes.png", &png(sheet)?)?;
    }
    let blocks = document::build(report, &measured, &figures, mistakes.is_some());
    let alt = mistakes.as_ref().map_or("", |m| m.1.as_str());
    folder.put(
        "report.md",
        markdown::write(&report.title, &blocks, alt).as_bytes(),
    )?;
    let page = html::write(&report.title, &blocks, mistakes.as_ref())?;
    folder.put("report.html", page.as_bytes())?;
    folder.put(
        "metrics.json",
        files::metrics(report, &measured)?.as_bytes(),
    )?;
    for (name, bytes) in more {
        ensure!(OWN.contains(name), "{name} has no place beside a report");
        folder.put(name, bytes)?;
    }
    if !report.history.is_empty() {
        folder.put("history.csv", files::history(&report.history).as_bytes())?;
    }
    if !report.labels.is_empty() {
        folder.put("labels.json", files::labels(report)?.as_bytes())?;
    }
    folder.finish()
}

/// Whether a report could be put at `folder`: to be asked before hours of work.
///
/// # Errors
/// Where it holds something that is no part of a report.
pub fn check_place(folder: &Path) -> Result<()> {
    folder::check(folder)
}

/// The figures as text for a terminal, with the same intervals as in the report.
pub fn terminal(report: &Report) -> String {
    terminal::write(&measured::Measured::all(report), &report.split)
}

/// What would lead to figures that are not those of the data.
fn check(report: &Report) -> Result<()> {
    for model in &report.models {
        ensure!(
            model.threshold.value.is_finite(),
            "{}: the threshold {} is no number to compare with",
            model.name,
            model.threshold.value
        );
        for (i, set) in model.sets.iter().enumerate() {
            let (answers, paths) = (set.answers.len(), set.paths.len());
            ensure!(
                paths == 0 || paths == answers,
                "{} on {}: {answers} answers and {paths} paths; one for each is needed, or none",
                model.name,
                set.name
            );
            let before = model.sets.iter().take(i).any(|s| s.name == set.name);
            ensure!(!before, "{}: two sets are called {}", model.name, set.name);
        }
    }
    Ok(())
}

fn png(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .context("a picture cannot be coded")?;
    Ok(bytes.into_inner())
}
