// SPDX-License-Identifier: MIT OR Apache-2.0
//! The figures of a report, one file each; [`scene`] and [`axes`] are what they are made of, [`paint`] draws them.

pub(crate) mod axes;
mod comparison;
mod confusion;
mod curves;
pub(crate) mod font;
pub(crate) mod paint;
mod reliability;
pub(crate) mod scene;
mod scores;
mod species;
mod training;

use super::input::Report;
use super::measured::{Measured, MeasuredSet, shared_sets};
use curves::{Curve, det, roc};
use scene::Scene;

/// The sheet of most figures, in points.
const SHEET: (f64, f64) = (600.0, 450.0);

/// A figure with its name and what it shows in words.
#[derive(Debug)]
pub(crate) struct Figure {
    /// The name of its files, without the ending.
    pub(crate) name: String,
    /// For those who do not see it.
    pub(crate) alt: String,
    pub(crate) scene: Scene,
}

/// Where in the report figures belong.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// How training went.
    pub(crate) training: Vec<Figure>,
    /// All models side by side.
    pub(crate) comparison: Vec<Figure>,
    /// All sets of the first model together.
    pub(crate) overview: Vec<Figure>,
    /// Each set of the first model.
    pub(crate) sets: Vec<Vec<Figure>>,
}

impl Figures {
    pub(crate) fn of(report: &Report, measured: &[Measured]) -> Self {
        let mut all = Self {
            training: training::draw(report).into_iter().collect(),
            ..Self::default()
        };
        if measured.len() > 1 {
            all.comparison.extend(comparison::draw(measured));
            for name in shared_sets(measured) {
                let curves: Vec<Curve> = measured
                    .iter()
                    .filter_map(|m| Some(Curve::of_model(m, m.set(name)?)))
                    .collect();
                let about = measured.iter().find_map(|m| m.set(name)).map(titled);
                let about = about.unwrap_or_default();
                let stem = file_name(name);
                all.comparison
                    .extend(roc(&curves, &about, &format!("roc-models-{stem}")));
                all.comparison
                    .extend(det(&curves, &about, &format!("det-models-{stem}")));
            }
        }
        if let Some(first) = measured.first() {
            let curves: Vec<Curve> = first.sets.iter().map(Curve::of_set).collect();
            let about = match first.sets.as_slice() {
                [one] => titled(one),
                _ => format!("{}: each set by itself", first.model.name),
            };
            all.overview.extend(roc(&curves, &about, "roc"));
            all.overview.extend(det(&curves, &about, "det"));
            let names: Vec<String> = unique_names(first);
            let of_set = |(set, name): (&MeasuredSet, &String)| {
                [
                    scores::draw(set, name),
                    confusion::draw(set, name),
                    species::draw(set, name),
                    reliability::draw(set, name),
                ]
                .into_iter()
                .flatten()
                .collect()
            };
            all.sets = first.sets.iter().zip(&names).map(of_set).collect();
        }
        all
    }

    /// All of them, to be written as files.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Figure> {
        let sets = self.sets.iter().flatten();
        let whole = [&self.training, &self.comparison, &self.overview];
        whole.into_iter().flatten().chain(sets)
    }
}

/// What stands below the title of a figure about one set.
fn titled(set: &MeasuredSet) -> String {
    format!("{}: {}", set.set.name, set.what())
}

/// A name that every file system takes: letters, digits and dashes.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let text: String = name.to_lowercase().chars().map(plain).take(60).collect();
    if text.trim_matches('-').is_empty() {
        "set".to_owned()
    } else {
        text
    }
}

/// The names of a model's sets for files, each once.
fn unique_names(model: &Measured) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for set in &model.sets {
        let name = file_name(&set.set.name);
        let fresh = (1..).map(|i| match i {
            1 => name.clone(),
            _ => format!("{name}-{i}"),
        });
        names.extend(fresh.into_iter().find(|n| !names.contains(n)));
    }
    names
}
