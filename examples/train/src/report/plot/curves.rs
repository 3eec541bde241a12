// SPDX-License-Identifier: MIT OR Apache-2.0
//! Both errors against each other over all thresholds: ROC and DET.

use liveness::metrics::{Point, Summary, curve, normal_deviate};

use super::axes::{Axes, Entry, KEY_STEP, Tick, key, percent_ticks};
use super::font::fitted;
use super::scene::{Anchor, Colour, Place, SERIES_COLOURS, Scene, Style};
use super::{Figure, SHEET};
use crate::report::measured::{Measured, MeasuredSet};
use crate::report::words;

/// The plot is a square at the left, the key stands to its right.
const SIDE: f64 = 290.0;
const LEFT: f64 = 72.0;
const KEY: f64 = LEFT + SIDE + 26.0;

/// The height of an entry of the key, with its figure and its count.
const KEY_ENTRY: f64 = 62.0;

/// The ends of the axes of a DET.
const LEAST: f64 = 0.001;
const MOST: f64 = 0.6;
const DET_TICKS: [f64; 8] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6];

/// One line with what it is of.
pub(super) struct Curve<'a> {
    name: &'a str,
    groups_are: &'a str,
    points: Vec<Point>,
    summary: &'a Summary,
}

impl<'a> Curve<'a> {
    pub(super) fn of_set(set: &'a MeasuredSet<'a>) -> Self {
        Self {
            name: &set.set.name,
            groups_are: &set.set.groups_are,
            points: curve(&set.set.answers),
            summary: &set.summary,
        }
    }

    pub(super) fn of_model(model: &'a Measured<'a>, set: &'a MeasuredSet<'a>) -> Self {
        Self {
            name: &model.model.name,
            ..Self::of_set(set)
        }
    }

    /// Where it is at its threshold.
    fn chosen(&self) -> Option<(f64, f64)> {
        let value = |e: Option<liveness::metrics::Estimate>| Some(e?.value);
        Some((value(self.summary.apcer)?, value(self.summary.bpcer)?))
    }
}

/// The parts of a curve where both errors are at most `most`. One answer at a time changes hands, so the way between two points goes
/// along the axes.
fn runs(points: &[Point], most: f64) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut run: Vec<(f64, f64)> = Vec::new();
    let mut step = |from: (f64, f64), to: (f64, f64), fixed: f64| {
        if fixed > most {
            runs.push(std::mem::take(&mut run));
        } else {
            run.extend([from, to].map(|(a, b)| (a.min(most), b.min(most))));
        }
    };
    for (from, to) in points.iter().zip(points.iter().skip(1)) {
        let corner = (to.apcer, from.bpcer);
        step((from.apcer, from.bpcer), corner, from.bpcer);
        step(corner, (to.apcer, to.bpcer), to.apcer);
    }
    runs.push(run);
    runs.retain(|r| !r.is_empty());
    runs
}

/// The colour and pattern of the line at this place.
fn look(i: usize) -> (Colour, bool) {
    (Colour::Series(i), (i / SERIES_COLOURS) % 2 == 1)
}

/// Draws lines with the dots of their thresholds, and the key.
fn lines(
    scene: &mut Scene,
    axes: &Axes,
    curves: &[&Curve],
    most: f64,
    at: impl Fn(f64, f64) -> Place,
    say: impl Fn(&Curve) -> String,
) {
    for (i, curve) in curves.iter().enumerate() {
        let (colour, dashed) = look(i);
        for run in runs(&curve.points, most) {
            let points = run.into_iter().map(|(a, b)| at(a, b)).collect();
            if dashed {
                scene.dashed(points, colour, 2.2);
            } else {
                scene.line(points, colour, 2.2);
            }
        }
    }
    for (i, curve) in curves.iter().enumerate() {
        if let Some((apcer, bpcer)) = curve.chosen() {
            let place = at(apcer, bpcer);
            scene.dot(place, 6.5, Colour::Paper);
            scene.dot(place, 4.8, look(i).0);
        }
    }
    let mut y = axes.top + 8.0;
    let room = scene.width - KEY - 20.0;
    for (i, curve) in curves.iter().enumerate() {
        let (colour, dashed) = look(i);
        let text = curve.name.to_owned();
        key(
            scene,
            (KEY, y),
            &[Entry {
                colour,
                dashed,
                text,
            }],
            room,
        );
        scene.words(
            (KEY + 30.0, y + KEY_STEP - 2.0),
            say(curve),
            Style::TICK,
            Anchor::Start,
        );
        let n = words::count(
            curve.summary.counts.answers,
            curve.summary.counts.groups,
            curve.groups_are,
        );
        let n = fitted(&n, Style::TICK, room - 30.0);
        let below = y + 2.0 * KEY_STEP - 5.0;
        scene.words((KEY + 30.0, below), n, Style::TICK, Anchor::Start);
        y += KEY_ENTRY;
    }
    scene.dot((KEY + 11.0, y), 4.8, Colour::Muted);
    let text = "at the threshold";
    scene.words((KEY + 30.0, y), text, Style::TICK, Anchor::Start);
}

fn sheet(title: &str, about: &str, curves: usize) -> (Scene, Axes) {
    let mut scene = Scene::new(SHEET.0, SHEET.1);
    let top = scene.title(title, about);
    // Many lines need a long key.
    let needed = top + 34.0 + curves as f64 * KEY_ENTRY + 60.0;
    scene.height = scene.height.max(needed);
    let axes = Axes {
        left: LEFT,
        right: LEFT + SIDE,
        top: top + 34.0,
        bottom: top + 34.0 + SIDE,
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    };
    (scene, axes)
}

/// What each line is, for those who do not see it.
fn told(curves: &[&Curve], say: impl Fn(&Curve) -> String) -> String {
    let told: Vec<String> = curves
        .iter()
        .map(|c| format!("{}: {}", c.name, say(c)))
        .collect();
    told.join("; ")
}

/// The share of live faces that are accepted over the share of attacks that are. None where no set has both classes.
pub(super) fn roc(curves: &[Curve], about: &str, name: &str) -> Option<Figure> {
    let curves = both_classes(curves)?;
    let (mut scene, axes) = sheet("ROC", about, curves.len());
    let ticks = percent_ticks(0.0, 1.0, 5);
    axes.draw(
        &mut scene,
        &ticks,
        &ticks,
        (
            "attacks accepted (pooled APCER)",
            "live faces accepted (1 − BPCER)",
        ),
    );
    scene.dashed(
        vec![axes.at(0.0, 0.0), axes.at(1.0, 1.0)],
        Colour::Muted,
        1.2,
    );
    let say = |c: &Curve| {
        format!(
            "AUC {}",
            words::number_with_interval(c.summary.auc.as_ref())
        )
    };
    lines(
        &mut scene,
        &axes,
        &curves,
        1.0,
        |a, b| axes.at(a, 1.0 - b),
        say,
    );
    let alt = format!("ROC curves. {}.", told(&curves, say));
    let name = name.to_owned();
    Some(Figure { name, alt, scene })
}

/// Both errors over normal deviates, which spread the small ones apart (A. Martin and others, "The DET curve in assessment of
/// detection task performance", 1997). None where no set has both classes.
pub(super) fn det(curves: &[Curve], about: &str, name: &str) -> Option<Figure> {
    let curves = both_classes(curves)?;
    let (mut scene, mut axes) = sheet("DET", about, curves.len());
    let ends = (normal_deviate(LEAST), normal_deviate(MOST));
    (axes.x, axes.y) = (ends, ends);
    let text = |p: f64| format!("{} %", words::short(100.0 * p));
    let ticks: Vec<Tick> = DET_TICKS
        .iter()
        .map(|p| (normal_deviate(*p), text(*p)))
        .collect();
    axes.draw(
        &mut scene,
        &ticks,
        &ticks,
        (
            "attacks accepted (pooled APCER)",
            "live faces refused (BPCER)",
        ),
    );
    scene.dashed(
        vec![axes.at(ends.0, ends.0), axes.at(ends.1, ends.1)],
        Colour::Muted,
        1.2,
    );
    // Rates that are lower than the least run along the edge.
    let deviate = |p: f64| normal_deviate(p.clamp(LEAST, MOST));
    let say = |c: &Curve| {
        format!(
            "EER {}",
            words::percent_with_interval(c.summary.eer.as_ref())
        )
    };
    lines(
        &mut scene,
        &axes,
        &curves,
        MOST,
        |a, b| axes.at(deviate(a), deviate(b)),
        say,
    );
    let alt = format!(
        "DET curves on axes of normal deviates. {}.",
        told(&curves, say)
    );
    let name = name.to_owned();
    Some(Figure { name, alt, scene })
}

fn both_classes<'a, 'b>(curves: &'b [Curve<'a>]) -> Option<Vec<&'b Curve<'a>>> {
    let usable: Vec<&Curve> = curves.iter().filter(|c| !c.points.is_empty()).collect();
    (!usable.is_empty()).then_some(usable)
}
