// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a probability means what it says: how many of those with it are live.

use super::axes::{Axes, percent_ticks, plain_ticks};
use super::scene::{Anchor, Colour, Scene, Style};
use super::{Figure, SHEET, titled};
use crate::report::measured::MeasuredSet;
use crate::report::words;

/// None without an answer.
pub(super) fn draw(set: &MeasuredSet, name: &str) -> Option<Figure> {
    let bins = &set.summary.reliability;
    let error = set.summary.calibration_error?;
    let brier = set.summary.brier.as_ref()?;
    let mut scene = Scene::new(SHEET.0, SHEET.1);
    let top = scene.title("Reliability of the probability", &titled(set));
    let axes = Axes {
        left: 74.0,
        right: scene.width - 160.0,
        top: top + 34.0,
        bottom: scene.height - 142.0,
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    };
    axes.draw(
        &mut scene,
        &[],
        &percent_ticks(0.0, 1.0, 4),
        ("", "share that is live"),
    );
    scene.dashed(
        vec![axes.at(0.0, 0.0), axes.at(1.0, 1.0)],
        Colour::Muted,
        1.2,
    );
    let known = || {
        bins.iter()
            .filter_map(|b| Some((b.probability?, b.live?, b.interval?)))
    };
    scene.line(
        known().map(|(p, l, _)| axes.at(p, l)).collect(),
        Colour::Series(0),
        1.6,
    );
    for (p, live, interval) in known() {
        let ends = [interval.low, interval.high].map(|y| axes.at(p, y));
        scene.line(ends.to_vec(), Colour::Series(0), 1.6);
        scene.dot(axes.at(p, live), 5.0, Colour::Series(0));
    }
    let most = bins.iter().map(|b| b.n).max().unwrap_or(1).max(1) as f64;
    let below = Axes {
        top: axes.bottom + 40.0,
        bottom: scene.height - 58.0,
        y: (0.0, most),
        ..axes
    };
    below.draw(
        &mut scene,
        &plain_ticks(0.0, 1.0, 5),
        &[(most, words::whole(most as u64))],
        ("probability of live", "pictures"),
    );
    for bin in bins.iter().filter(|b| b.n > 0) {
        let (from, to) = (below.at(bin.low, 0.0), below.at(bin.high, bin.n as f64));
        scene.rect(
            (from.0 + 1.5, from.1),
            (to.0 - 1.5, to.1),
            Colour::Series(0),
            0.55,
        );
    }
    let x = axes.right + 18.0;
    let mut y = axes.top + 6.0;
    let bounds = brier
        .interval
        .map(|i| format!("[{:.3}, {:.3}]", i.low, i.high));
    for (name, value, bounds) in [
        ("calibration error", words::percent(error), None),
        ("Brier score", format!("{:.3}", brier.value), bounds),
    ] {
        scene.words((x, y), name, Style::TICK, Anchor::Start);
        scene.words((x, y + 20.0), value, Style::STRONG, Anchor::Start);
        if let Some(bounds) = bounds {
            scene.words((x, y + 38.0), bounds, Style::TICK, Anchor::Start);
        }
        y += 52.0;
    }
    y += 22.0;
    for text in [
        "dashed: ideal",
        "bars: 95 % by picture,",
        "so rather too narrow",
    ] {
        scene.words(
            (x, y),
            text,
            Style::new(11.0, false, Colour::Muted),
            Anchor::Start,
        );
        y += 17.0;
    }
    let alt = format!(
        "Reliability diagram of {}: expected calibration error {}, Brier score {}.",
        set.set.name,
        words::percent(error),
        words::number_with_interval(Some(brier))
    );
    Some(Figure {
        name: format!("reliability-{name}"),
        alt,
        scene,
    })
}
