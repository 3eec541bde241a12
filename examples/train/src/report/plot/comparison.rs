// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several models side by side: ACER on each set that they share, and the time for a face.

use super::Figure;
use super::axes::{Axes, Tick, percent_ticks, plain_ticks};
use super::font;
use super::scene::{Anchor, Colour, Scene, Style};
use crate::report::measured::{Measured, shared_sets};
use crate::report::words;

const ROW: f64 = 26.0;
const HEAD: f64 = 34.0;

/// A bar: whose, how long, from where to where it may be, what is written behind it.
struct Bar<'a> {
    model: usize,
    name: &'a str,
    value: f64,
    interval: Option<(f64, f64)>,
    text: String,
}

/// Bars under one headline, with numbers of their own.
struct Panel<'a> {
    title: String,
    bars: Vec<Bar<'a>>,
    percent: bool,
}

/// None where no set is shared.
pub(super) fn draw(measured: &[Measured]) -> Option<Figure> {
    let mut panels: Vec<Panel> = shared_sets(measured)
        .into_iter()
        .map(|name| acer(measured, name))
        .filter(|p| !p.bars.is_empty())
        .collect();
    let times = times(measured);
    if !times.bars.is_empty() {
        panels.push(times);
    }
    if panels.is_empty() {
        return None;
    }
    let bars: usize = panels.iter().map(|p| p.bars.len()).sum();
    let height = 84.0 + bars as f64 * ROW + panels.len() as f64 * (HEAD + 44.0);
    let mut scene = Scene::new(1040.0, height);
    let about = "ACER at each model's own threshold, with 95 % intervals; the shorter the better";
    let mut y = scene.title("Models side by side", about);
    let names = measured
        .iter()
        .map(|m| font::width(&m.model.name, Style::LABEL));
    let left = 44.0 + names.fold(60.0, f64::max).min(280.0);
    for panel in &panels {
        y += HEAD;
        scene.words((24.0, y - 16.0), &panel.title, Style::STRONG, Anchor::Start);
        y = draw_panel(&mut scene, panel, left, y) + 44.0;
    }
    let told = panels.iter().map(|p| {
        let bars: Vec<String> = p
            .bars
            .iter()
            .map(|b| format!("{} {}", b.name, b.text))
            .collect();
        format!("{}: {}", p.title, bars.join("; "))
    });
    let told: Vec<String> = told.collect();
    Some(Figure {
        name: "comparison".into(),
        alt: format!("Bars comparing models. {}.", told.join(". ")),
        scene,
    })
}

fn acer<'a>(measured: &[Measured<'a>], name: &str) -> Panel<'a> {
    let sets = || {
        measured
            .iter()
            .enumerate()
            .filter_map(|(i, m)| Some((i, m.model, m.set(name)?)))
    };
    let bars = sets().filter_map(|(model, of, set)| {
        let acer = set.summary.acer?;
        Some(Bar {
            model,
            name: &of.name,
            value: acer.value,
            interval: acer.interval.map(|i| (i.low, i.high)),
            text: words::percent_with_interval(Some(&acer)),
        })
    });
    let what = sets()
        .next()
        .map_or_else(String::new, |(_, _, set)| set.what());
    Panel {
        title: format!("ACER on {name}: {what}"),
        bars: bars.collect(),
        percent: true,
    }
}

fn times<'a>(measured: &[Measured<'a>]) -> Panel<'a> {
    let bars = measured.iter().enumerate().filter_map(|(model, m)| {
        let value = m.model.ms_per_face.filter(|v| v.is_finite())?;
        Some(Bar {
            model,
            name: &m.model.name,
            value,
            interval: None,
            text: format!("{} ms", words::short(value)),
        })
    });
    Panel {
        title: "Milliseconds for one face".into(),
        bars: bars.collect(),
        percent: false,
    }
}

/// Gives where it ends.
fn draw_panel(scene: &mut Scene, panel: &Panel, left: f64, top: f64) -> f64 {
    let end = |b: &Bar| b.interval.map_or(b.value, |i| i.1).max(b.value);
    let most = panel.bars.iter().map(end).fold(0.0, f64::max);
    let most = if most > 0.0 { most * 1.03 } else { 1.0 };
    let axes = Axes {
        left,
        right: scene.width - 190.0,
        top,
        bottom: top + ROW * panel.bars.len() as f64 + 6.0,
        x: (0.0, if panel.percent { most.min(1.0) } else { most }),
        y: (0.0, 1.0),
    };
    let ticks: Vec<Tick> = if panel.percent {
        percent_ticks(0.0, axes.x.1, 6)
    } else {
        plain_ticks(0.0, axes.x.1, 6)
    };
    axes.draw(scene, &ticks, &[], ("", ""));
    for (i, bar) in panel.bars.iter().enumerate() {
        let y = axes.top + 3.0 + (i as f64 + 0.5) * ROW;
        let name = font::fitted(bar.name, Style::LABEL, left - 44.0);
        scene.words((left - 12.0, y), name, Style::LABEL, Anchor::End);
        let to = axes.across(bar.value).clamp(left, axes.right);
        let (from, to) = ((left, y - 8.0), (to, y + 8.0));
        scene.rect(from, to, Colour::Series(bar.model), 1.0);
        if let Some((low, high)) = bar.interval {
            let ends = [low, high].map(|v| (axes.across(v), y));
            scene.line(ends.to_vec(), Colour::Ink, 1.6);
            for (x, _) in ends {
                scene.line(vec![(x, y - 4.0), (x, y + 4.0)], Colour::Ink, 1.6);
            }
        }
        scene.words(
            (axes.right + 16.0, y),
            &bar.text,
            Style::LABEL,
            Anchor::Start,
        );
    }
    axes.bottom
}
