// SPDX-License-Identifier: MIT OR Apache-2.0
//! The errors with their intervals: which kind of attack gets through how often, and how many live faces are refused.

use liveness::metrics::Estimate;

use super::axes::{Axes, percent_ticks};
use super::font;
use super::scene::{Anchor, Colour, Scene, Style};
use super::{Figure, SHEET, titled};
use crate::report::measured::MeasuredSet;
use crate::report::words;

const ROW: f64 = 46.0;

/// None where there is nothing to show.
pub(super) fn draw(set: &MeasuredSet, name: &str) -> Option<Figure> {
    let mut attacks: Vec<(&str, &Estimate)> = set
        .summary
        .species
        .iter()
        .map(|s| (words::species(&s.name), &s.apcer))
        .collect();
    attacks.sort_by(|a, b| b.1.value.total_cmp(&a.1.value));
    let attacks = attacks
        .into_iter()
        .map(|(n, e)| (n, "APCER", e, Colour::Spoof));
    let live = set
        .summary
        .bpcer
        .as_ref()
        .map(|e| ("live", "BPCER", e, Colour::Live));
    let rows: Vec<_> = attacks.chain(live).collect();
    if rows.is_empty() {
        return None;
    }
    let mut scene = Scene::new(SHEET.0, SHEET.1.max(180.0 + ROW * rows.len() as f64));
    let top = scene.title("Errors by kind, 95 % intervals", &titled(set));
    let widest = rows
        .iter()
        .map(|r| font::width(r.0, Style::STRONG))
        .fold(60.0, f64::max);
    let left = 40.0 + widest.min(178.0);
    let high = |e: &Estimate| e.interval.map_or(e.value, |i| i.high).max(e.value);
    let most = rows.iter().map(|r| high(r.2)).fold(0.0, f64::max);
    let axes = Axes {
        left,
        right: scene.width - 192.0,
        top: top + 14.0,
        bottom: top + 14.0 + ROW * rows.len() as f64,
        x: (0.0, (most * 1.05).clamp(0.02, 1.0)),
        y: (0.0, rows.len() as f64),
    };
    let ticks = percent_ticks(0.0, axes.x.1, 4);
    axes.draw(
        &mut scene,
        &ticks,
        &[],
        ("attacks accepted, live faces refused", ""),
    );
    let mut told = Vec::new();
    for (i, (name, error, estimate, colour)) in rows.iter().enumerate() {
        let y = axes.top + (i as f64 + 0.5) * ROW;
        let shown = font::fitted(name, Style::STRONG, left - 40.0);
        scene.words((left - 16.0, y - 8.0), shown, Style::STRONG, Anchor::End);
        scene.words((left - 16.0, y + 10.0), *error, Style::TICK, Anchor::End);
        if let Some(interval) = estimate.interval {
            let ends = [interval.low, interval.high].map(|v| (axes.across(v), y));
            scene.line(ends.to_vec(), *colour, 2.5);
            for (x, _) in ends {
                scene.line(vec![(x, y - 6.0), (x, y + 6.0)], *colour, 2.5);
            }
        }
        scene.dot((axes.across(estimate.value), y), 6.0, *colour);
        let x = axes.right + 16.0;
        let text = words::percent_with_interval(Some(estimate));
        scene.words((x, y - 8.0), &text, Style::STRONG, Anchor::Start);
        let n = words::count(estimate.n, estimate.groups, &set.set.groups_are);
        let n = font::fitted(&n, Style::TICK, scene.width - x - 8.0);
        scene.words((x, y + 10.0), n, Style::TICK, Anchor::Start);
        told.push(format!("{error} of {name} {text}"));
    }
    // What few rows leave free is cut off.
    scene.height = axes.bottom + 58.0;
    Some(Figure {
        name: format!("species-{name}"),
        alt: format!(
            "Error rates on {} with 95 % intervals: {}.",
            set.set.name,
            told.join("; ")
        ),
        scene,
    })
}
