// SPDX-License-Identifier: MIT OR Apache-2.0
//! How training went: loss, accuracy and ACER over the epochs.

use super::Figure;
use super::axes::{Axes, Entry, Tick, key_in_line, percent_ticks, plain_ticks, round_steps};
use super::scene::{Anchor, Colour, Scene, Style};
use crate::report::input::{Epoch, Report};
use crate::report::words;

const LEARNED: Colour = Colour::Series(0);
const HELD_OUT: Colour = Colour::Series(1);

type Value = fn(&Epoch) -> Option<f64>;

/// One of the panels, side by side.
struct Panel {
    name: &'static str,
    lines: &'static [(Colour, Value)],
    percent: bool,
}

const PANELS: [Panel; 3] = [
    Panel {
        name: "Loss",
        lines: &[
            (LEARNED, |e| Some(e.train_loss)),
            (HELD_OUT, |e| e.val_loss),
        ],
        percent: false,
    },
    Panel {
        name: "Accuracy",
        lines: &[
            (LEARNED, |e| Some(e.train_accuracy)),
            (HELD_OUT, |e| e.val_accuracy),
        ],
        percent: true,
    },
    Panel {
        name: "ACER",
        lines: &[(HELD_OUT, |e| e.val_acer)],
        percent: true,
    },
];

/// None where nothing was trained.
pub(super) fn draw(report: &Report) -> Option<Figure> {
    let history = &report.history;
    let last = history.last()?;
    let mut scene = Scene::new(1040.0, 400.0);
    let seconds: f64 = history.iter().map(|e| e.seconds).sum();
    let about = format!(
        "{} in {}{}",
        words::how_many(history.len(), "epochs"),
        time(seconds),
        report
            .best_epoch
            .map_or_else(String::new, |e| format!("; kept: epoch {e} (dashed)"))
    );
    let top = scene.title("Training", &about);
    let validated = history.iter().any(|e| e.val_loss.is_some());
    let mut entries = vec![Entry::solid(LEARNED, "learned from")];
    if validated {
        entries.push(Entry::solid(HELD_OUT, "validation"));
    }
    let (right, y) = (scene.width - 24.0, 26.0);
    key_in_line(&mut scene, right, y, &entries);
    let panels: Vec<&Panel> = PANELS
        .iter()
        .filter(|p| {
            p.lines
                .iter()
                .any(|(_, value)| history.iter().any(|e| value(e).is_some()))
        })
        .collect();
    let width = (scene.width - 24.0) / panels.len() as f64;
    for (i, panel) in panels.iter().enumerate() {
        let left = 70.0 + i as f64 * width;
        let axes = axes(
            panel,
            history,
            (left, left + width - 70.0),
            (top + 32.0, scene.height - 58.0),
        );
        draw_panel(&mut scene, panel, &axes, report);
    }
    let end = |name: &str, value: Option<f64>| {
        value.map_or_else(String::new, |v| format!(", {name} {}", words::short(v)))
    };
    let alt = format!(
        "Loss, accuracy and ACER over {}. At the end: training loss {}{}{}{}.",
        words::how_many(history.len(), "epochs"),
        words::short(last.train_loss),
        end("validation loss", last.val_loss),
        end("validation accuracy", last.val_accuracy),
        end("validation ACER", last.val_acer),
    );
    Some(Figure {
        name: "training".into(),
        alt,
        scene,
    })
}

fn axes(panel: &Panel, history: &[Epoch], across: (f64, f64), up: (f64, f64)) -> Axes {
    let values = || {
        panel
            .lines
            .iter()
            .flat_map(|(_, v)| history.iter().filter_map(v))
    };
    let finite = || values().filter(|v| v.is_finite());
    let high = finite().fold(0.0, f64::max);
    let low = finite().fold(f64::INFINITY, f64::min);
    // Errors and losses begin at nothing; accuracy where it is worth a look.
    let y = match (panel.name, panel.percent) {
        ("Accuracy", _) => ((low * 10.0).floor() / 10.0, 1.0),
        (_, true) => (0.0, (high * 1.1).clamp(0.01, 1.0)),
        _ => (0.0, if high > 0.0 { high * 1.05 } else { 1.0 }),
    };
    let y = if y.0.is_finite() && y.0 < y.1 {
        y
    } else {
        (0.0, 1.0)
    };
    let first = history.first().map_or(1, |e| e.epoch) as f64;
    let last = history.last().map_or(1, |e| e.epoch) as f64;
    Axes {
        left: across.0,
        right: across.1,
        top: up.0,
        bottom: up.1,
        x: if last > first {
            (first, last)
        } else {
            (first - 1.0, first + 1.0)
        },
        y,
    }
}

fn draw_panel(scene: &mut Scene, panel: &Panel, axes: &Axes, report: &Report) {
    let whole = |v: &f64| v.fract() == 0.0 && *v >= 1.0;
    let steps = round_steps(axes.x.0, axes.x.1, 5).into_iter().filter(whole);
    let x: Vec<Tick> = steps.map(|v| (v, words::short(v))).collect();
    let y = if panel.percent {
        percent_ticks(axes.y.0, axes.y.1, 5)
    } else {
        plain_ticks(axes.y.0, axes.y.1, 5)
    };
    axes.draw(scene, &x, &y, ("epoch", ""));
    scene.words(
        (axes.left, axes.top - 16.0),
        panel.name,
        Style::STRONG,
        Anchor::Start,
    );
    if let Some(best) = report.best_epoch {
        let at = axes.across(best as f64);
        scene.dashed(vec![(at, axes.top), (at, axes.bottom)], Colour::Muted, 1.2);
    }
    for (colour, value) in panel.lines {
        let known = report
            .history
            .iter()
            .filter_map(|e| Some((e.epoch, value(e)?)));
        let points: Vec<_> = known
            .filter(|(_, v)| v.is_finite())
            .map(|(epoch, v)| axes.at(epoch as f64, v))
            .collect();
        if let [one] = points.as_slice() {
            scene.dot(*one, 4.0, *colour);
        }
        scene.line(points, *colour, 2.2);
    }
}

/// `40 s`, `12 min`, `3.5 h`.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
