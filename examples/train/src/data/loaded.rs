// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was loaded, and what the user should know about it before believing a number that is measured on it.

use std::fmt;

use liveness::dataset::label::Class;
use liveness::dataset::sample::LeftOut;

use super::patch::{BoxFrom, Patch};
use super::table::{columns, counted};
use crate::augment::Stats;

/// Sharpness below which a face is blurred, see [`liveness::quality::Quality::sharpness`].
const BLURRED: f32 = 15.0;

/// Exposure below which a face is dark, see [`liveness::quality::Quality::exposure`]: a tenth of white, where skin drowns in noise.
const DARK: f32 = 0.1;

/// AUC from which on a single number is called a shortcut: what a net can reach without looking at the face.
const SHORTCUT: f64 = 0.75;

/// The faces of the pictures. Its [`fmt::Display`] is the summary for the user.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// In the order of the sources.
    pub patches: Vec<Patch>,
    /// Pictures that cannot be used, each with its reason.
    pub left_out: Vec<LeftOut>,
}

/// A number that tells the classes apart by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shortcut {
    /// What it is.
    pub name: &'static str,
    /// Area under its ROC curve, 0.5 where it tells nothing, 1 where it tells all; whichever way round.
    pub auc: f64,
    /// Its median over live faces.
    pub live: f32,
    /// Its median over spoofs.
    pub spoof: f32,
}

impl Loaded {
    /// Bytes of all pixels in memory.
    pub fn bytes(&self) -> usize {
        self.patches.iter().map(Patch::bytes).sum()
    }

    /// How many boxes were found how.
    pub fn boxes(&self, from: BoxFrom) -> usize {
        self.patches
            .iter()
            .filter(|p| p.about.box_from == from)
            .count()
    }

    /// How many pictures were left out for which reason.
    pub fn reasons(&self) -> String {
        counted(self.left_out.iter().map(|l| l.reason.as_str()))
    }

    /// How well each measured number tells live from spoof by itself; empty where there is one class only.
    pub fn shortcuts(&self) -> Vec<Shortcut> {
        let of = |f: &dyn Fn(&Patch) -> f32, live: bool| -> Vec<f32> {
            let patches = self.patches.iter().filter(|p| p.is_live() == live);
            let mut values: Vec<f32> = patches.map(f).collect();
            values.sort_by(f32::total_cmp);
            values
        };
        let sharp: (&'static str, fn(&Patch) -> f32) = ("sharpness", |p| p.about.quality.sharpness);
        let stats = Stats::NAMES.iter().enumerate();
        let stats = stats.map(|(i, &name)| (name, move |p: &Patch| p.stats.values()[i]));
        let one = |name, f: &dyn Fn(&Patch) -> f32| {
            let (live, spoof) = (of(f, true), of(f, false));
            let middle = |v: &[f32]| v.get(v.len() / 2).copied();
            Some(Shortcut {
                name,
                live: middle(&live)?,
                spoof: middle(&spoof)?,
                auc: auc(&live, &spoof),
            })
        };
        stats
            .filter_map(|(name, f)| one(name, &f))
            .chain(one(sharp.0, &sharp.1))
            .collect()
    }
}

/// Area under the ROC curve of two sorted lists, whichever way round: the Mann-Whitney statistic, ties count half.
fn auc(a: &[f32], b: &[f32]) -> f64 {
    let below = |v: f32| b.partition_point(|x| *x < v) + b.partition_point(|x| *x <= v);
    let wins: usize = a.iter().map(|&v| below(v)).sum();
    let share = wins as f64 / (2 * a.len() * b.len()) as f64;
    share.max(1.0 - share)
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |is: &dyn Fn(&Patch) -> bool| self.patches.iter().filter(|p| is(p)).count();
        let of = |class| count(&|p| p.about.class == class);
        writeln!(
            f,
            "{} faces ({} live, {} spoof) in {:.0} MB",
            self.patches.len(),
            of(Class::Live),
            of(Class::Spoof),
            self.bytes() as f64 / 1e6
        )?;
        let [said, found, whole] =
            [BoxFrom::Manifest, BoxFrom::Detector, BoxFrom::WholePicture].map(|b| self.boxes(b));
        writeln!(
            f,
            "  boxes: {said} from manifests, {found} found, {whole} whole pictures taken for crops of a face"
        )?;
        let scaled = count(&|p| p.input.is_some());
        let cramped = count(&|p| p.about.cramped);
        writeln!(
            f,
            "  {scaled} larger than the model needs and scaled; {cramped} with less around the face than the crop shows"
        )?;
        let short = count(&|p| p.about.short);
        writeln!(
            f,
            "  {short} fill their picture, so that the crop is smaller than asked for: right for whole frames, not for pictures of cut-out faces"
        )?;
        let blurred = count(&|p| p.about.quality.sharpness < BLURRED);
        let dark = count(&|p| p.about.quality.exposure < DARK);
        writeln!(f, "  {blurred} blurred, {dark} dark")?;
        if !self.left_out.is_empty() {
            writeln!(f, "  left out: {}", self.reasons())?;
        }
        let shortcuts = self.shortcuts();
        if shortcuts.is_empty() {
            return Ok(());
        }
        let head = ["measured alone", "live", "spoof", "AUC", ""];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(shortcuts.iter().map(|s| {
            vec![
                s.name.to_owned(),
                format!("{:.1}", s.live),
                format!("{:.1}", s.spoof),
                format!("{:.2}", s.auc),
                match s.auc >= SHORTCUT {
                    true => "a shortcut".to_owned(),
                    false => String::new(),
                },
            ]
        }));
        f.write_str(&columns(&rows, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_that_of_the_book() {
        assert_eq!(auc(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        assert_eq!(auc(&[3.0, 4.0], &[1.0, 2.0]), 1.0);
        assert_eq!(auc(&[1.0, 4.0], &[2.0, 3.0]), 0.5);
        assert_eq!(auc(&[1.0, 1.0], &[1.0, 1.0]), 0.5);
        assert_eq!(auc(&[2.0, 4.0], &[1.0, 3.0]), 0.75);
    }
}
